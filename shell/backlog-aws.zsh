# backlog-aws in zsh. Load it with:  eval "$(backlog-aws init zsh)"
# It can also be sourced as it is, which starts no process; the program is then looked up on PATH.
#
# Builtins are called as `\builtin NAME`, because an alias or function may have their name.

__backlog_aws_bin='' __backlog_aws_mode=prompt __backlog_aws_version='' __backlog_aws_completions=lazy # settings

# Tells this shell's state from one inherited in the environment, also across `exec zsh`. Kept when sourced again.
[[ ${__backlog_aws_session-} == $$.* ]] || __backlog_aws_session=$$.$RANDOM

# Where the program is; it fails when it is gone, which happens during upgrades and is no reason for noise.
__backlog_aws_find() {
  [[ -n $__backlog_aws_bin ]] || __backlog_aws_bin=$commands[backlog-aws]
  [[ -x $__backlog_aws_bin ]]
}

__backlog_aws_refresh() {
  # The user's options are theirs: ours are set for this function and what it calls.
  \builtin emulate -L zsh
  \builtin setopt no_aliases
  \builtin local code precision
  __backlog_aws_find || \builtin return 0
  # What was set without `export` is the user's word too, and the program has to see it.
  (( ! $+BACKLOG_AWS_PROFILE )) || \builtin typeset -gx BACKLOG_AWS_PROFILE
  (( ! $+BACKLOG_AWS_REGION )) || \builtin typeset -gx BACKLOG_AWS_REGION
  if [[ $__backlog_aws_mode == cd ]]; then
    precision=directory
  elif (( $+builtins[zstat] )) || \builtin zmodload -F zsh/stat b:zstat 2>/dev/null; then
    precision=change-time
  else
    precision=stamps
  fi
  code="$("$__backlog_aws_bin" hook zsh $__backlog_aws_session $precision 2)" || \builtin return 0
  \builtin eval "$code"
  \builtin typeset -g __backlog_aws_pwd="${PWD-}"
}

# Before each prompt. Replaced by the program after each change with a test of everything the answer rests on.
__backlog_aws_hook() {
  __backlog_aws_refresh
  [[ -z $__backlog_aws_completions || -z ${functions[compdef]-} ]] || __backlog_aws_offer_completions
}

# At each `cd`, so that the next command of the same line already has it. Not in subshells, where `$(cd x && pwd)` is
# a way to ask a path, and not before the first prompt: the start-up file may still be running.
__backlog_aws_cd() {
  [[ -z ${__backlog_aws_pwd-} || $ZSH_SUBSHELL -ne 0 ]] || __backlog_aws_hook
}

__backlog_aws_use() {
  \builtin emulate -L zsh
  \builtin setopt no_aliases
  \builtin local code
  __backlog_aws_find || {
    \builtin print -ru2 -- "backlog-aws: the program is gone (${__backlog_aws_bin:-not on PATH}); install it again"
    \builtin return 127
  }
  code="$("$__backlog_aws_bin" use --shell zsh --session $__backlog_aws_session "$@")" || \builtin return
  \builtin eval "$code"
}

# Passes on what `doctor` cannot see from outside: what this script was told, and what runs before each prompt.
__backlog_aws_doctor() {
  \builtin emulate -L zsh
  \builtin setopt no_aliases
  \builtin local program=$__backlog_aws_bin
  [[ -x $program ]] || program=backlog-aws
  \builtin command "$program" doctor --fact=shell=zsh --fact=session="${__backlog_aws_session-}" --fact=program="$__backlog_aws_bin" \
    --fact=mode="$__backlog_aws_mode" --fact=version="${__backlog_aws_version-}" \
    --fact=hooks="${(F)precmd_functions}" "$@"
}

backlog-aws() {
  if [[ ${1-} == use ]]; then
    \builtin shift
    __backlog_aws_use "$@"
  elif [[ ${1-} == doctor ]]; then
    \builtin shift
    __backlog_aws_doctor "$@"
  else
    \builtin command "${__backlog_aws_bin:-backlog-aws}" "$@"
  fi
}

# Tab completion. Its script is asked for at the first Tab, so that no start of a shell waits for it.
__backlog_aws_complete_lazily() {
  __backlog_aws_find || \builtin return 1
  \builtin eval "$("$__backlog_aws_bin" completions zsh)" && _backlog-aws "$@"
}

# `compinit` may have run already, or run further down in the start-up file, or later still by a plugin manager. So the
# hook asks until it has.
__backlog_aws_offer_completions() {
  # In braces, as `ksh_arrays` wants it.
  if (( ${+functions[compdef]} )); then
    __backlog_aws_completions=
    \builtin emulate -L zsh
    (( $+_comps[backlog-aws] )) || compdef __backlog_aws_complete_lazily backlog-aws
  fi
}
[[ -z $__backlog_aws_completions ]] || __backlog_aws_offer_completions

__backlog_aws_install() {
  \builtin emulate -L zsh
  \builtin autoload -Uz add-zsh-hook
  if [[ $__backlog_aws_mode == none ]]; then
    # There is no hook then that would ask.
    [[ -z $__backlog_aws_completions ]] || add-zsh-hook precmd __backlog_aws_offer_completions
    \builtin return 0
  fi
  add-zsh-hook precmd __backlog_aws_hook
  add-zsh-hook chpwd __backlog_aws_cd
}
__backlog_aws_install
