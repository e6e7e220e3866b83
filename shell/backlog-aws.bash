# shellcheck shell=bash
# backlog-aws in bash. Load it with:  eval "$(backlog-aws init bash)"
# It can also be sourced as it is, which starts no process; the program is then looked up on PATH.
#
# Bash 3.2 syntax. Builtins are called as `\builtin NAME`, because an alias or function may have their name, and without
# `NAME=value` arguments, because `set -k` takes those for the environment.

__backlog_aws_bin='' __backlog_aws_mode=prompt __backlog_aws_version='' __backlog_aws_completions=lazy # settings

# What the program assigns. At first nothing is as expected, so it is asked.
#
# AWS's variables and HOME; keys in the environment, by presence; our variables; where decisions and the user's own
# configuration are.
__backlog_aws_expected_aws='' __backlog_aws_expected_keys=''
__backlog_aws_expected_ours='' __backlog_aws_expected_places=''
# Files, links resolved, each followed by a stamp with its time, and directories, each with one of a later time.
# What was missing. Links, each followed by the real path.
__backlog_aws_files=() __backlog_aws_directories=() __backlog_aws_missing=() __backlog_aws_links=()
# Where the search for an override ended, and the directories below with one that does not count.
__backlog_aws_top='' __backlog_aws_ignored=()
# Directories with a rule in the user's own configuration, and the one whose rule holds.
__backlog_aws_rules=() __backlog_aws_rule=''
# From when to when the answer can stand, in seconds since the epoch, if credentials expire.
__backlog_aws_since='' __backlog_aws_until=''
# Not empty while the program is being asked, and if there is something rare that __backlog_aws_look has to see to.
__backlog_aws_asking='' __backlog_aws_rare=''

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

# Removes one of our variables; sets and exports one. A read-only one stays as it is, and so does a name reference: Bash
# would write to the variable that it refers to. `unset` first, because an integer would evaluate what it is assigned.
__backlog_aws_unset() {
  \builtin test -R "$1" 2>/dev/null || \builtin unset -v "$1" 2>/dev/null || \builtin return 0
}
__backlog_aws_set() {
  \builtin test -R "$1" 2>/dev/null || {
    \builtin unset -v "$1" 2>/dev/null && \builtin printf -v "$1" %s "$2" && \builtin export "${1?}"
  } || \builtin return 0
}

# What was set without `export` is a choice of the user's too, and the program has to see it.
__backlog_aws_share() {
  \builtin local name
  for name in BACKLOG_AWS_PROFILE BACKLOG_AWS_REGION; do
    [[ -z ${!name+x} ]] || \builtin test -R "$name" 2>/dev/null || \builtin export "${name?}"
  done
}

# Evaluates an answer of the program. With `set -T`, what a DEBUG trap prints stands before it.
__backlog_aws_evaluate() {
  [[ $1 == *'# backlog-aws'* ]] && \builtin eval "${1#*'# backlog-aws'}"
}

# Asks the program. It answers with changes to our variables, and with what __backlog_aws_hook compares from then on.
__backlog_aws_refresh() {
  \builtin local code precision
  if [[ -n $__backlog_aws_asking ]]; then
    # Ctrl-C ended the last time, and Bash called this again at once. Now there is a prompt, and the one after it asks.
    __backlog_aws_asking=''
    \builtin return 0
  fi
  __backlog_aws_find || \builtin return 0
  __backlog_aws_share
  precision=stamps
  if [[ $__backlog_aws_mode == cd ]]; then
    precision=nothing
  elif [[ ${BASH_VERSINFO[0]} -lt 5 ]]; then
    precision=second-stamps # -nt and -ot compare whole seconds there
  fi
  __backlog_aws_asking=x
  # `exec`, because not every Bash does without another process there.
  code=$(\builtin exec "$__backlog_aws_bin" hook bash "$__backlog_aws_session" "$precision" 3) || code=''
  __backlog_aws_asking=''
  __backlog_aws_evaluate "$code" || \builtin return 0
  __backlog_aws_pwd=${PWD-}
  __backlog_aws_prepare
}

# Copies what is compared at each prompt into variables of their own, because elements of arrays take longer.
__backlog_aws_prepare() {
  \builtin local i
  [[ -n $__backlog_aws_expected_aws ]] || \builtin return 0
  i=0
  # Nothing is older than `/`.
  __backlog_aws_dir_1=${__backlog_aws_directories[0]-} __backlog_aws_dir_stamp_1=${__backlog_aws_directories[1]-/}
  __backlog_aws_file_1=/ __backlog_aws_stamp_1=/ __backlog_aws_file_2=/ __backlog_aws_stamp_2=/
  # Only files in that directory, so that it changes when they vanish.
  if [[ ${__backlog_aws_files[i]-} == "$__backlog_aws_dir_1"/* ]]; then
    __backlog_aws_file_1=${__backlog_aws_files[i]} __backlog_aws_stamp_1=${__backlog_aws_files[i + 1]} i=$((i + 2))
  fi
  if [[ ${__backlog_aws_files[i]-} == "$__backlog_aws_dir_1"/* ]]; then
    __backlog_aws_file_2=${__backlog_aws_files[i]} __backlog_aws_stamp_2=${__backlog_aws_files[i + 1]} i=$((i + 2))
  fi
  __backlog_aws_missing_1=${__backlog_aws_missing[0]-} __backlog_aws_missing_2=${__backlog_aws_missing[1]-}
  __backlog_aws_missing_3=${__backlog_aws_missing[2]-}
  # The others are left to __backlog_aws_rest, and what it does not know to __backlog_aws_look.
  __backlog_aws_file_3=${__backlog_aws_files[i]-} __backlog_aws_stamp_3=${__backlog_aws_files[i + 1]-}
  __backlog_aws_file_4=${__backlog_aws_files[i + 2]-} __backlog_aws_stamp_4=${__backlog_aws_files[i + 3]-}
  __backlog_aws_file_5=${__backlog_aws_files[i + 4]-} __backlog_aws_stamp_5=${__backlog_aws_files[i + 5]-}
  __backlog_aws_file_6=${__backlog_aws_files[i + 6]-} __backlog_aws_stamp_6=${__backlog_aws_files[i + 7]-}
  __backlog_aws_missing_4=${__backlog_aws_missing[3]-}
  __backlog_aws_stay
  # What must not be there: the override right here or, as that leads to __backlog_aws_rest, `/`.
  __backlog_aws_near=.backlog-aws
  [[ -z ${__backlog_aws_top#/}$__backlog_aws_file_3$__backlog_aws_missing_4$__backlog_aws_here ]] ||
    __backlog_aws_near=/
  __backlog_aws_rare=${__backlog_aws_files[i + 8]-}${__backlog_aws_directories[2]-}${__backlog_aws_missing[4]-}
  __backlog_aws_rare+=${__backlog_aws_links[0]-}${__backlog_aws_ignored[0]-}
  __backlog_aws_rare+=$__backlog_aws_expected_keys$__backlog_aws_until
  if [[ -n $__backlog_aws_until && -z ${EPOCHSECONDS-} ]]; then
    # Before Bash 5, the only clock is the age of the shell.
    __backlog_aws_until=$((${SECONDS-0} + __backlog_aws_until - __backlog_aws_since))
    __backlog_aws_since=${SECONDS-0}
  fi
  # With `set -a`, all these were exported.
  [[ $- != *a* ]] || \builtin export -n "${!__backlog_aws_@}"
}

# Before each prompt. Asks the program when something changed that its answer rests on. Builtins tell whether it did. In
# the usual case that takes two commands, for each one takes time, and they are short, for Bash copies them first:
#
# - AWS's variables and ours have the values that the program expects, and there are no keys in the environment. And
#   `nocasematch` is off, with which A would be a.
# - Files that were there have the times of their stamps, which are files that the program made. Their directory is
#   older than its stamp: what is moved into it makes it newer. What was missing is missing.
# - There is no override in the working directory and above, up to the root. Relative names make this hold in any
#   directory.
#
# The exit status goes through for what comes after this in PROMPT_COMMAND.
# shellcheck disable=SC2050
__backlog_aws_hook() {
  case $? in
  0)
    [[ a != A && -z $__backlog_aws_rare${AWS_ACCESS_KEY_ID-}${AWS_SECRET_ACCESS_KEY-}${AWS_BEARER_TOKEN_BEDROCK-} &&
      ${AWS_PROFILE-}^${AWS_SHARED_CREDENTIALS_FILE-}^${AWS_CONFIG_FILE-}^${HOME-} == "$__backlog_aws_expected_aws" &&
      ${BACKLOG_AWS_PROFILE-^}^${BACKLOG_AWS_REGION-^}^${BACKLOG_AWS_SOURCE-^} == "$__backlog_aws_expected_ours" &&
      ${XDG_DATA_HOME-}^${XDG_CONFIG_HOME-}^${BACKLOG_AWS_CONFIG-} == "$__backlog_aws_expected_places" &&
      $__backlog_aws_dir_1 -ot $__backlog_aws_dir_stamp_1 &&
      ! $__backlog_aws_file_1 -nt $__backlog_aws_stamp_1 && ! $__backlog_aws_file_1 -ot $__backlog_aws_stamp_1 &&
      ! $__backlog_aws_file_2 -nt $__backlog_aws_stamp_2 && ! $__backlog_aws_file_2 -ot $__backlog_aws_stamp_2 &&
      ! -e $__backlog_aws_missing_1 && ! -e $__backlog_aws_missing_2 && ! -e $__backlog_aws_missing_3 ]] && {
      [[ ! -e $__backlog_aws_near && ! -e ../.backlog-aws && ! -e ../../.backlog-aws &&
        ! -e ../../../.backlog-aws && ! -e ../../../../.backlog-aws && ! -e ../../../../../.backlog-aws && (
        ../../../../../.. -ef / || ! -e ../../../../../../.backlog-aws &&
        ! -e ../../../../../../../.backlog-aws && ../../../../../../../.. -ef /) ]] || __backlog_aws_rest
    } || __backlog_aws_look || __backlog_aws_refresh
    ;;
  # Before `&&`, a status that goes through runs no ERR trap a second time.
  *) __backlog_aws_after_failure "$?" && \builtin : ;;
  esac
}

# The same for what is nearly as usual: more files, rules, deeper directories, and an override that counts.
__backlog_aws_rest() {
  [[ ! -e $__backlog_aws_missing_4 && (-z $__backlog_aws_here || . -ef $__backlog_aws_here) && (
    -z $__backlog_aws_file_3 ||
    -r $__backlog_aws_file_3 && ! -L $__backlog_aws_file_3 &&
    ! $__backlog_aws_file_3 -nt $__backlog_aws_stamp_3 && ! $__backlog_aws_file_3 -ot $__backlog_aws_stamp_3 && (
    -z $__backlog_aws_file_4 || -r $__backlog_aws_file_4 && ! -L $__backlog_aws_file_4 &&
    ! $__backlog_aws_file_4 -nt $__backlog_aws_stamp_4 && ! $__backlog_aws_file_4 -ot $__backlog_aws_stamp_4 && (
    -z $__backlog_aws_file_5 || -r $__backlog_aws_file_5 && ! -L $__backlog_aws_file_5 &&
    ! $__backlog_aws_file_5 -nt $__backlog_aws_stamp_5 && ! $__backlog_aws_file_5 -ot $__backlog_aws_stamp_5 && (
    -z $__backlog_aws_file_6 || -r $__backlog_aws_file_6 && ! -L $__backlog_aws_file_6 &&
    ! $__backlog_aws_file_6 -nt $__backlog_aws_stamp_6 && ! $__backlog_aws_file_6 -ot $__backlog_aws_stamp_6)))) && (
    $__backlog_aws_top == / && ! -e .backlog-aws && ! -e ../.backlog-aws && ! -e ../../.backlog-aws &&
    ! -e ../../../.backlog-aws && ! -e ../../../../.backlog-aws && ! -e ../../../../../.backlog-aws && (
    ../../../../../.. -ef / || ! -e ../../../../../../.backlog-aws && ! -e ../../../../../../../.backlog-aws &&
    ! -e ../../../../../../../../.backlog-aws && ! -e ../../../../../../../../../.backlog-aws &&
    ! -e ../../../../../../../../../../.backlog-aws && ! -e ../../../../../../../../../../../.backlog-aws &&
    ../../../../../../../../../../../.. -ef /) ||
    . -ef $__backlog_aws_top || ! -e .backlog-aws && (
    .. -ef $__backlog_aws_top || ! -e ../.backlog-aws && (
    ../.. -ef $__backlog_aws_top || ! -e ../../.backlog-aws && (
    ../../.. -ef $__backlog_aws_top || ! -e ../../../.backlog-aws && (
    ../../../.. -ef $__backlog_aws_top || ! -e ../../../../.backlog-aws &&
    ../../../../.. -ef $__backlog_aws_top))))) ]]
}

# The status is kept as a parameter, because a variable would be exported with `set -a`. It would end a shell with
# `set -e`, so it is not passed on there.
__backlog_aws_after_failure() {
  \builtin :
  __backlog_aws_hook
  [[ $- != *e* ]] || \builtin return 0
  \builtin return "$1"
}

# Whether nothing changed, in every case, the usual one included.
__backlog_aws_look() {
  \builtin local file i keys now stamp up
  keys=${AWS_ACCESS_KEY_ID:+i}${AWS_SECRET_ACCESS_KEY:+s}${AWS_BEARER_TOKEN_BEDROCK:+b}
  [[ -z $keys ]] ||
    keys+=^${AWS_SESSION_TOKEN:+t}^${AWS_CREDENTIAL_EXPIRATION-}^${AWS_REGION-}^${AWS_DEFAULT_REGION-}
  # Not by `[[`, which would heed `nocasematch`.
  \builtin [ "${AWS_PROFILE-}^${AWS_SHARED_CREDENTIALS_FILE-}^${AWS_CONFIG_FILE-}^${HOME-}" = \
    "$__backlog_aws_expected_aws" ] || \builtin return 1
  \builtin [ "$keys" = "$__backlog_aws_expected_keys" ] || \builtin return 1
  \builtin [ "${BACKLOG_AWS_PROFILE-^}^${BACKLOG_AWS_REGION-^}^${BACKLOG_AWS_SOURCE-^}" = \
    "$__backlog_aws_expected_ours" ] || \builtin return 1
  \builtin [ "${XDG_DATA_HOME-}^${XDG_CONFIG_HOME-}^${BACKLOG_AWS_CONFIG-}" = "$__backlog_aws_expected_places" ] ||
    \builtin return 1
  # Where there is no EPOCHSECONDS, these are in seconds of the shell's age. Either clock may have been set back.
  now=${EPOCHSECONDS:-${SECONDS-0}}
  [[ -z $__backlog_aws_until || $now -ge $__backlog_aws_since && $now -lt $__backlog_aws_until ]] || \builtin return 1
  for ((i = 0; i < ${#__backlog_aws_files[@]}; i += 2)); do
    file=${__backlog_aws_files[i]} stamp=${__backlog_aws_files[i + 1]}
    [[ -r $file && ! -L $file && ! $file -nt $stamp && ! $file -ot $stamp ]] || \builtin return 1
  done
  for ((i = 0; i < ${#__backlog_aws_directories[@]}; i += 2)); do
    [[ ${__backlog_aws_directories[i]} -ot ${__backlog_aws_directories[i + 1]} ]] || \builtin return 1
  done
  for ((i = 0; i < ${#__backlog_aws_missing[@]}; i++)); do
    [[ ! -e ${__backlog_aws_missing[i]} ]] || \builtin return 1
  done
  # Times do not tell two targets of a link apart where all files have the same one, as in Nix's store.
  for ((i = 0; i < ${#__backlog_aws_links[@]}; i += 2)); do
    [[ ${__backlog_aws_links[i]} -ef ${__backlog_aws_links[i + 1]} ]] || \builtin return 1
  done
  # The overrides on the way up are those that the program passed over, and no others.
  i=0 up=.
  until [[ $up -ef $__backlog_aws_top ]]; do
    if [[ -e $up/.backlog-aws ]]; then
      [[ $up -ef ${__backlog_aws_ignored[i]-} ]] || \builtin return 1
      i=$((i + 1))
    fi
    [[ -e $up/.. && ! $up -ef / ]] || \builtin return 1
    up+=/..
  done
  [[ -z ${__backlog_aws_ignored[i]-} ]] || \builtin return 1
  # The nearest directory with a rule is the same, or there is none as before.
  [[ -n ${__backlog_aws_rules[0]-} ]] || \builtin return 0
  up=.
  until [[ $up -ef ${__backlog_aws_rule:-/} ]]; do
    for file in "${__backlog_aws_rules[@]}"; do
      [[ ! $up -ef $file ]] || \builtin return 1
    done
    [[ -e $up/.. && ! $up -ef / ]] || \builtin return 1
    up+=/..
  done
  __backlog_aws_stay
}

# Remembers the directory if there are rules, so that another one is looked at anew. Its name may be out of date.
__backlog_aws_stay() {
  __backlog_aws_here=''
  [[ -z ${__backlog_aws_rules[0]-} ]] || __backlog_aws_here=/dev/null
  [[ -z $__backlog_aws_here || ! ${PWD-} -ef . ]] || __backlog_aws_here=$PWD
}

# With `--hook cd`, this looks at the directory alone.
if [[ $__backlog_aws_mode == cd ]]; then
  __backlog_aws_pwd=''
  __backlog_aws_hook() {
    case $? in
    0) \builtin [ "${PWD-}" = "$__backlog_aws_pwd" ] || __backlog_aws_refresh ;;
    *) __backlog_aws_after_failure "$?" && \builtin : ;;
    esac
  }
fi

__backlog_aws_use() {
  \builtin local code
  __backlog_aws_find || {
    \builtin printf 'backlog-aws: the program is gone (%s); install it again\n' \
      "${__backlog_aws_bin:-not on PATH}" >&2
    \builtin return 127
  }
  code=$("$__backlog_aws_bin" use --shell bash --session "$__backlog_aws_session" "$@") || \builtin return
  # `use --global` has nothing for this shell.
  [[ -z $code ]] || __backlog_aws_evaluate "$code"
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
  \builtin command "$program" doctor --fact=shell=bash --fact=session="${__backlog_aws_session-}" \
    --fact=program="$__backlog_aws_bin" --fact=mode="$__backlog_aws_mode" --fact=version="${__backlog_aws_version-}" \
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
