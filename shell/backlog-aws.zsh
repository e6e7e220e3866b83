# backlog-aws in zsh. Load it with:  eval "$(backlog-aws init zsh)"
# It can also be sourced as it is, which starts no process; the program is then looked up on PATH.
#
# Builtins are called as `\builtin NAME`, because an alias or function may have their name.

__backlog_aws_bin='' __backlog_aws_mode=prompt __backlog_aws_version='' __backlog_aws_completions=lazy # settings

# What the program assigns. At first nothing is as expected, so it is asked.
#
# AWS's variables and HOME; keys in the environment, by presence; our variables; where decisions and the user's own
# configuration are.
__backlog_aws_expected_aws='' __backlog_aws_expected_keys=''
__backlog_aws_expected_ours='' __backlog_aws_expected_places=''
# Files that were there, links resolved, and their change times. What was missing. Links, each followed by the real
# path.
__backlog_aws_files=() __backlog_aws_times='' __backlog_aws_missing=() __backlog_aws_links=()
# Where the search for an override ended, and the directories below with one that does not count.
__backlog_aws_top='' __backlog_aws_ignored=()
# Directories with a rule in the user's own configuration, and the one whose rule holds.
__backlog_aws_rules=() __backlog_aws_rule=''
# From when to when the answer can stand, in seconds since the epoch, if credentials expire.
__backlog_aws_since='' __backlog_aws_until=''
# Not empty if there is something rare that __backlog_aws_look has to see to.
__backlog_aws_rare=''
# Not empty while the program is asked after a `cd`. What the program had to say, where that is held back.
__backlog_aws_interrupted='' __backlog_aws_news=''

# Tells this shell's state from one inherited in the environment, also across `exec zsh`. Kept when sourced again.
[[ ${__backlog_aws_session-} == $$.* ]] || __backlog_aws_session=$$.$RANDOM

# Where the program is; it fails when it is gone, which happens during upgrades and is no reason for noise.
__backlog_aws_find() {
  [[ -n $__backlog_aws_bin ]] || __backlog_aws_bin=$commands[backlog-aws]
  [[ -x $__backlog_aws_bin ]]
}

# Removes one of our variables; sets and exports one. A read-only one stays, and counts as the user's own. `unset`
# first, because an integer would evaluate what it is assigned.
__backlog_aws_unset() {
  [[ ${(Pt)1-} == *readonly* ]] || \builtin unset "$1"
}
__backlog_aws_set() {
  [[ ${(Pt)1-} == *readonly* ]] || { \builtin unset "$1"; \builtin typeset -gx "$1=$2" }
}

# Evaluates an answer of the program. What a DEBUG trap prints may stand before it.
__backlog_aws_evaluate() {
  [[ $1 == *'# backlog-aws'* ]] && \builtin eval "${1#*'# backlog-aws'}"
}

# Asks the program. It answers with changes to our variables, and with what __backlog_aws_hook compares from then on.
__backlog_aws_refresh() {
  # The user's options are theirs: ours are set for this function and what it calls.
  \builtin emulate -L zsh
  \builtin setopt no_aliases
  \builtin local code hold precision
  if [[ -n $__backlog_aws_interrupted ]]; then
    # Ctrl-C ended this after a `cd`, and here is the prompt. So that one is enough, the next prompt asks.
    __backlog_aws_interrupted=
    \builtin return 0
  fi
  __backlog_aws_find || \builtin return 0
  # What was set without `export` is a choice of the user's too, and the program has to see it.
  (( ! $+BACKLOG_AWS_PROFILE )) || \builtin typeset -gx BACKLOG_AWS_PROFILE
  (( ! $+BACKLOG_AWS_REGION )) || \builtin typeset -gx BACKLOG_AWS_REGION
  if [[ $__backlog_aws_mode == cd ]]; then
    precision=nothing
  elif (( $+builtins[zstat] )) || \builtin zmodload -F zsh/stat b:zstat 2>/dev/null; then
    precision=change-time
  else
    precision=nothing
  fi
  # powerlevel10k takes for a mistake what is printed while its instant prompt is on.
  hold=
  (( ! $+__p9k_instant_prompt_active )) || hold=hold
  __backlog_aws_interrupted=${funcstack[(r)__backlog_aws_cd]}
  code="$("$__backlog_aws_bin" hook zsh $__backlog_aws_session $precision 3 $hold)" || code=
  __backlog_aws_interrupted=
  __backlog_aws_evaluate "$code" || \builtin return 0
  [[ -z $hold ]] || add-zsh-hook precmd __backlog_aws_tell
  \builtin typeset -g __backlog_aws_pwd="${PWD-}"
  __backlog_aws_prepare
}

# Says what was held back, and goes.
__backlog_aws_tell() {
  \builtin emulate -L zsh
  (( ! $+__p9k_instant_prompt_active )) || \builtin return 0
  \builtin print -rnu2 -- "$__backlog_aws_news"
  __backlog_aws_news=
  add-zsh-hook -d precmd __backlog_aws_tell
}

# Copies what is compared at each prompt into variables of their own, because elements of arrays take longer.
__backlog_aws_prepare() {
  \builtin local -a missing
  missing=($__backlog_aws_missing)
  __backlog_aws_stay
  # `/` if there is more to look at than the way to the root. Otherwise what must not be there in the working directory;
  # the root's override is looked for by its name.
  __backlog_aws_near=/
  if [[ $__backlog_aws_top == / && -z $__backlog_aws_here ]]; then
    __backlog_aws_near=.backlog-aws
    missing=(${missing:#/.backlog-aws})
  fi
  __backlog_aws_missing_1=${missing[1]-} __backlog_aws_missing_2=${missing[2]-} __backlog_aws_missing_3=${missing[3]-}
  # With any of these, __backlog_aws_look has to do it.
  __backlog_aws_rare=${missing[4]-}${__backlog_aws_links[1]-}${__backlog_aws_ignored[1]-}
  __backlog_aws_rare+=$__backlog_aws_expected_keys$__backlog_aws_until
  [[ $__backlog_aws_near == / || -z ${missing[3]-} ]] || __backlog_aws_rare=x
  (( $#__backlog_aws_files )) || __backlog_aws_rare=x
}

# Before each prompt. Asks the program when something changed that its answer rests on. Builtins tell whether it did, in
# three commands in the usual case, because each one takes time:
#
# - AWS's variables and ours have the values that the program expects. There are no keys in the environment.
# - There is no override in the working directory and above, up to where the program's search ended: the root, or the
#   directory of the override that counts. Relative names make this hold in any directory.
# - What was missing is missing, and files that were there have the change times that they had. Without standard error
#   (`2>&-`), so that nothing is printed about one that is gone. Into `argv`, because that is local by itself.
#
# The change times are those of UTC, because for local time zsh reads the time zone's file each time.
__backlog_aws_hook() {
  [[ -z "$__backlog_aws_rare${AWS_ACCESS_KEY_ID-}${AWS_SECRET_ACCESS_KEY-}${AWS_BEARER_TOKEN_BEDROCK-}" &&
    "${AWS_PROFILE-}^${AWS_SHARED_CREDENTIALS_FILE-}^${AWS_CONFIG_FILE-}^${HOME-}" == "$__backlog_aws_expected_aws" &&
    "${BACKLOG_AWS_PROFILE-^}^${BACKLOG_AWS_REGION-^}^${BACKLOG_AWS_SOURCE-^}" == "$__backlog_aws_expected_ours" &&
    "${XDG_DATA_HOME-}^${XDG_CONFIG_HOME-}^${BACKLOG_AWS_CONFIG-}" == "$__backlog_aws_expected_places" &&
    ! -e $__backlog_aws_missing_1 && ! -e $__backlog_aws_missing_2 && (
    ! -e $__backlog_aws_near && ! -e /.backlog-aws && ! -e ../.backlog-aws && ! -e ../../.backlog-aws &&
    ! -e ../../../.backlog-aws && ! -e ../../../../.backlog-aws && ! -e ../../../../../.backlog-aws && (
    ../../../../../.. -ef / || ! -e ../../../../../../.backlog-aws && ! -e ../../../../../../../.backlog-aws && (
    ../../../../../../../.. -ef / || ! -e ../../../../../../../../.backlog-aws &&
    ! -e ../../../../../../../../../.backlog-aws && ! -e ../../../../../../../../../../.backlog-aws &&
    ../../../../../../../../../../.. -ef /)) ||
    $__backlog_aws_near == / && ! -e $__backlog_aws_missing_3 && (
    -z $__backlog_aws_here || . -ef $__backlog_aws_here) && (
    . -ef $__backlog_aws_top || ! -e .backlog-aws && (
    .. -ef $__backlog_aws_top || ! -e ../.backlog-aws && (
    ../.. -ef $__backlog_aws_top || ! -e ../../.backlog-aws && (
    ../../.. -ef $__backlog_aws_top || ! -e ../../../.backlog-aws && (
    ../../../.. -ef $__backlog_aws_top || ! -e ../../../../.backlog-aws && (
    ../../../../.. -ef $__backlog_aws_top || ! -e ../../../../../.backlog-aws && (
    ../../../../../.. -ef $__backlog_aws_top || ! -e ../../../../../../.backlog-aws &&
    ../../../../../../.. -ef $__backlog_aws_top)))))))) ]] &&
    \builtin zstat -A argv -LgF %y%j%H%M%S%N +ctime -- "${__backlog_aws_files[@]}" 2>&- &&
    [[ "${(j:,:)@}" == "$__backlog_aws_times" ]] || __backlog_aws_look || __backlog_aws_refresh
}

# Whether nothing changed, in every case, the usual one included.
__backlog_aws_look() {
  \builtin emulate -L zsh
  \builtin setopt no_aliases
  \builtin local file i keys now real seen up
  keys=${AWS_ACCESS_KEY_ID:+i}${AWS_SECRET_ACCESS_KEY:+s}${AWS_BEARER_TOKEN_BEDROCK:+b}
  [[ -z $keys ]] ||
    keys+=^${AWS_SESSION_TOKEN:+t}^${AWS_CREDENTIAL_EXPIRATION-}^${AWS_REGION-}^${AWS_DEFAULT_REGION-}
  [[ "${AWS_PROFILE-}^${AWS_SHARED_CREDENTIALS_FILE-}^${AWS_CONFIG_FILE-}^${HOME-}" == "$__backlog_aws_expected_aws" &&
    $keys == "$__backlog_aws_expected_keys" &&
    "${BACKLOG_AWS_PROFILE-^}^${BACKLOG_AWS_REGION-^}^${BACKLOG_AWS_SOURCE-^}" == "$__backlog_aws_expected_ours" &&
    "${XDG_DATA_HOME-}^${XDG_CONFIG_HOME-}^${BACKLOG_AWS_CONFIG-}" == "$__backlog_aws_expected_places" ]] ||
    \builtin return 1
  # The time as a prompt shows it needs no module.
  now=${(%):-%D{%s}}
  [[ -z $__backlog_aws_until || $now -ge $__backlog_aws_since && $now -lt $__backlog_aws_until ]] || \builtin return 1
  if (( $#__backlog_aws_files )); then
    \builtin zstat -A seen -LgF %y%j%H%M%S%N +ctime -- $__backlog_aws_files 2>&- || \builtin return 1
    [[ ${(j:,:)seen} == "$__backlog_aws_times" ]] || \builtin return 1
  fi
  for file in $__backlog_aws_missing; do
    [[ ! -e $file ]] || \builtin return 1
  done
  for file real in $__backlog_aws_links; do
    [[ $file -ef $real ]] || \builtin return 1
  done
  # The overrides on the way up are those that the program passed over, and no others.
  i=1 up=.
  until [[ $up -ef $__backlog_aws_top ]]; do
    if [[ -e $up/.backlog-aws ]]; then
      [[ $up -ef ${__backlog_aws_ignored[i]-} ]] || \builtin return 1
      i=$(( i + 1 ))
    fi
    [[ -e $up/.. && ! $up -ef / ]] || \builtin return 1
    up+=/..
  done
  [[ -z ${__backlog_aws_ignored[i]-} ]] || \builtin return 1
  # The nearest directory with a rule is the same, or there is none as before.
  (( $#__backlog_aws_rules )) || \builtin return 0
  up=.
  until [[ $up -ef ${__backlog_aws_rule:-/} ]]; do
    for file in $__backlog_aws_rules; do
      [[ ! $up -ef $file ]] || \builtin return 1
    done
    [[ -e $up/.. && ! $up -ef / ]] || \builtin return 1
    up+=/..
  done
  __backlog_aws_stay
}

# Remembers the directory if there are rules, so that another one is looked at anew. Its name may be out of date.
__backlog_aws_stay() {
  __backlog_aws_here=
  [[ -z ${__backlog_aws_rules[1]-} ]] || __backlog_aws_here=/dev/null
  [[ -z $__backlog_aws_here || ! ${PWD-} -ef . ]] || __backlog_aws_here=$PWD
}

# With `--hook cd`, this looks at the directory alone.
if [[ $__backlog_aws_mode == cd ]]; then
  __backlog_aws_hook() {
    [[ "${PWD-}" == "${__backlog_aws_pwd-}" ]] || __backlog_aws_refresh
  }
fi

# At each `cd`, so that the next command of the same line already has it. Not in subshells, where `$(cd x && pwd)` is
# a way to ask a path, and not before the first prompt: the start-up file may still be running. Where no override is in
# reach, and none was before, the rest is left to the prompt.
__backlog_aws_cd() {
  [[ -z ${__backlog_aws_pwd-} || $ZSH_SUBSHELL -ne 0 ]] || [[ -z $__backlog_aws_rare &&
    ! -e $__backlog_aws_near && ! -e /.backlog-aws && ! -e ../.backlog-aws && ! -e ../../.backlog-aws &&
    ! -e ../../../.backlog-aws && ! -e ../../../../.backlog-aws && ! -e ../../../../../.backlog-aws &&
    ! -e ../../../../../../.backlog-aws && ../../../../../../.. -ef / ]] || __backlog_aws_hook
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
  # `use --global` has nothing for this shell.
  [[ -z $code ]] || __backlog_aws_evaluate "$code"
}

# Passes on what `doctor` cannot see from outside: what this script was told, and what runs before each prompt.
__backlog_aws_doctor() {
  \builtin emulate -L zsh
  \builtin setopt no_aliases
  \builtin local program=$__backlog_aws_bin
  [[ -x $program ]] || program=backlog-aws
  \builtin command "$program" doctor --fact=shell=zsh --fact=session="${__backlog_aws_session-}" \
    --fact=program="$__backlog_aws_bin" --fact=mode="$__backlog_aws_mode" --fact=version="${__backlog_aws_version-}" \
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

# `compinit` may have run already, or run further down in the start-up file, or later still by a plugin manager. So this
# waits for it before each prompt, and goes when the offer was taken: while zinit and antigen load a plugin, `compdef`
# is a function of theirs that only takes notes.
__backlog_aws_offer_completions() {
  # In braces, as `ksh_arrays` wants it.
  (( ${+functions[compdef]} )) || \builtin return 0
  \builtin emulate -L zsh
  (( $+_comps[backlog-aws] )) || compdef __backlog_aws_complete_lazily backlog-aws
  (( ! $+_comps[backlog-aws] )) || add-zsh-hook -d precmd __backlog_aws_offer_completions
}

__backlog_aws_install() {
  [[ ! -o all_export ]] || \builtin typeset -g +x -m '__backlog_aws_*'
  \builtin emulate -L zsh
  \builtin autoload -Uz add-zsh-hook
  if [[ $__backlog_aws_mode != none ]]; then
    add-zsh-hook precmd __backlog_aws_hook
    add-zsh-hook chpwd __backlog_aws_cd
  fi
  if [[ -n $__backlog_aws_completions ]]; then
    add-zsh-hook precmd __backlog_aws_offer_completions
    __backlog_aws_offer_completions
  fi
}
__backlog_aws_install
