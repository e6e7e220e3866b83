# shellcheck shell=bash
# backlog-aws in bash. Load it with:  eval "$(backlog-aws init bash)"
# It can also be sourced as it is, which starts no process; the program is then looked up on PATH.
#
# Bash 3.2 syntax. Builtins are called as `\builtin NAME`, because an alias or function may have their name, and without
# `NAME=value` arguments, because `set -k` takes those for the environment.

__backlog_aws_bin='' __backlog_aws_mode=prompt __backlog_aws_version='' __backlog_aws_completions=lazy # settings

# Tells this shell's state from one inherited in the environment, also across `exec bash`. Kept when sourced again.
[[ ${__backlog_aws_session-} = "$$".* ]] || __backlog_aws_session=$$.$RANDOM

# Where the program is; it fails when it is gone, which happens during upgrades and is no reason for noise.
__backlog_aws_find() {
  if [[ -z $__backlog_aws_bin ]]; then
    # Once per PATH, because it forks.
    [[ ${__backlog_aws_sought-} != "x$PATH" ]] || \builtin return 1
    __backlog_aws_sought=x$PATH
    __backlog_aws_bin=$(\builtin type -P backlog-aws) || \builtin return 1
    # From `.` in PATH it would be another program in each directory.
    [[ $__backlog_aws_bin = /* ]] || __backlog_aws_bin=''
  fi
  [[ -x $__backlog_aws_bin ]]
}

# What was set without `export` is the user's word too, and the program has to see it. A name reference is left alone.
__backlog_aws_share() {
  [[ -z ${BACKLOG_AWS_PROFILE+x} ]] || \builtin test -R BACKLOG_AWS_PROFILE 2>/dev/null || \builtin export BACKLOG_AWS_PROFILE
  [[ -z ${BACKLOG_AWS_REGION+x} ]] || \builtin test -R BACKLOG_AWS_REGION 2>/dev/null || \builtin export BACKLOG_AWS_REGION
}

__backlog_aws_refresh() {
  \builtin local code precision
  __backlog_aws_find || \builtin return 0
  __backlog_aws_share
  precision=stamps
  if [[ $__backlog_aws_mode = cd ]]; then
    precision=directory
  elif [[ ${BASH_VERSINFO[0]} -lt 5 ]]; then
    precision=second-stamps # -nt and -ot compare whole seconds there
  fi
  code=$("$__backlog_aws_bin" hook bash "$__backlog_aws_session" "$precision" 2) || \builtin return 0
  \builtin eval "$code" || \builtin return 0
  __backlog_aws_pwd=${PWD-}
}

# Runs before each prompt. The exit status goes through for what comes after it in PROMPT_COMMAND. It is kept as a
# parameter, because a variable would be exported under `set -a`. The program replaces this after each change by a test of
# everything the answer rests on.
__backlog_aws_hook() {
  \builtin set -- "$?"
  __backlog_aws_refresh
  # A status other than 0 would end a shell with `set -e`.
  [[ $- != *e* ]] || \builtin return 0
  \builtin return "$1"
}

__backlog_aws_use() {
  \builtin local code
  __backlog_aws_find || {
    \builtin printf 'backlog-aws: the program is gone (%s); install it again\n' "${__backlog_aws_bin:-not on PATH}" >&2
    \builtin return 127
  }
  code=$("$__backlog_aws_bin" use --shell bash --session "$__backlog_aws_session" "$@") || \builtin return
  \builtin eval "$code"
}

# Passes on what `doctor` cannot see from outside: what this script was told, and what runs before each prompt.
__backlog_aws_doctor() {
  \builtin local IFS program hooks
  IFS=$'\n'
  program=$__backlog_aws_bin
  [[ -x $program ]] || program=backlog-aws
  # starship runs the entries that it replaced itself.
  hooks="${PROMPT_COMMAND[*]-}"$'\n'"${precmd_functions[*]-}"$'\n'"${STARSHIP_PROMPT_COMMAND-}"
  [[ -z ${BLE_VERSION-} ]] || hooks=$hooks$'\n'$(blehook PRECMD)
  \builtin command "$program" doctor --fact=shell=bash --fact=session="${__backlog_aws_session-}" --fact=program="$__backlog_aws_bin" \
    --fact=mode="$__backlog_aws_mode" --fact=version="${__backlog_aws_version-}" \
    --fact=hooks="$hooks" "$@"
}

# POSIX mode allows no `-` in the name of a function; `use` is all that is missed there.
if [[ ! -o posix ]]; then
  backlog-aws() {
    if [[ ${1-} = use ]]; then
      \builtin shift
      __backlog_aws_use "$@"
    elif [[ ${1-} = doctor ]]; then
      \builtin shift
      __backlog_aws_doctor "$@"
    else
      \builtin command "${__backlog_aws_bin:-backlog-aws}" "$@"
    fi
  }
fi

# Tab completion. Its script is asked for at the first Tab, so that no start of a shell waits for it.
__backlog_aws_complete_lazily() {
  \builtin local code
  COMPREPLY=()
  __backlog_aws_find || \builtin return 0
  code=$("$__backlog_aws_bin" completions bash) || \builtin return 0
  \builtin eval "$code" && __backlog_aws_complete "$@"
}
if [[ -n $__backlog_aws_completions ]]; then
  # Not every bash is built with it.
  \builtin complete -o bashdefault -o default -F __backlog_aws_complete_lazily backlog-aws 2>/dev/null || :
fi

# The entries are `__backlog_aws_hook && :`, because a status that goes through must not run an ERR trap a second time;
# before `&&` none is run, and the status is the same.
__backlog_aws_install() {
  \builtin local entry
  [[ $__backlog_aws_mode != none ]] || \builtin return 0
  if [[ -n ${BLE_VERSION-} ]]; then
    blehook PRECMD!=__backlog_aws_hook
  elif [[ -n ${bash_preexec_imported-}${__bp_imported-} ]]; then
    for entry in ${precmd_functions[@]+"${precmd_functions[@]}"}; do
      [[ $entry != __backlog_aws_hook ]] || \builtin return 0
    done
    precmd_functions+=(__backlog_aws_hook)
  elif [[ ${BASH_VERSINFO[0]} -gt 5 || (${BASH_VERSINFO[0]} -eq 5 && ${BASH_VERSINFO[1]} -ge 1) ]] &&
    [[ -n ${PROMPT_COMMAND[*]+x} && ${PROMPT_COMMAND@a} = *a* ]]; then
    for entry in "${PROMPT_COMMAND[@]}"; do
      [[ $entry != *__backlog_aws_hook* ]] || \builtin return 0
    done
    # First, so that what the other entries print stands below what we print. Bash keeps $? and PIPESTATUS between them.
    PROMPT_COMMAND=('__backlog_aws_hook && :' "${PROMPT_COMMAND[@]}")
  elif [[ ${PROMPT_COMMAND-} != *__backlog_aws_hook* ]]; then
    # Last, because within a string the entries before would lose PIPESTATUS to us. On a line of its own, because what
    # is there may end in `;`. Should it be an empty array, this makes the first element.
    # shellcheck disable=SC2128,SC2178
    PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}'__backlog_aws_hook && :'
  fi
}
__backlog_aws_install
