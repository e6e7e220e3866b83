# shellcheck shell=bash
# Tab completion for backlog-aws in bash, with or without bash-completion. `eval "$(backlog-aws init bash)"` loads it.
#
# The program itself says what can follow; here the words are put together and handed over. Bash 3.2 syntax.

__backlog_aws_complete() {
  \builtin local IFS answer gap i kind line rest strip typed word
  \builtin local -a starts words
  IFS=$' \t\n' starts=() words=() COMPREPLY=()

  # Bash takes words apart at each of COMP_WORDBREAKS, profile names with `:` and `@` too. What has no blank before it
  # belongs to the word before.
  rest=${COMP_LINE:0:COMP_POINT}
  for ((i = 0; i <= COMP_CWORD; i++)); do
    gap=${rest%%[![:space:]]*}
    rest=${rest#"$gap"}
    word=$rest
    [[ $i -eq $COMP_CWORD ]] || word=${COMP_WORDS[i]}
    rest=${rest#"$word"}
    if [[ -n $gap || $i -eq 0 ]]; then
      starts[${#words[@]}]=$i
      words[${#words[@]}]=$word
    else
      words[${#words[@]} - 1]+=$word
    fi
  done

  # Only what stands after the last break is replaced by an answer. Quotes are no part of a name.
  typed=${words[${#words[@]} - 1]}
  strip=${typed%"${2-}"}
  strip=${strip//[\\\"\']/}
  for ((i = 0; i < ${#words[@]}; i++)); do
    words[i]=${words[i]//[\\\"\']/}
  done
  answer=$(\builtin command "${__backlog_aws_bin:-backlog-aws}" complete bash "$((${#words[@]} - 1))" -- "${words[@]}" 2>/dev/null) || \builtin return 0

  kind=${answer%%$'\n'*}
  case $kind in
  files) ;; # readline's own, as it was asked when this was registered
  directories)
    \builtin compopt +o bashdefault +o default -o dirnames 2>/dev/null || \builtin return 0
    ;;
  command\ *)
    i=${kind#command }
    if [[ -n $(\builtin type -t _comp_command_offset) ]]; then
      _comp_command_offset "${starts[i]}"
    elif [[ -n $(\builtin type -t _command_offset) ]]; then
      _command_offset "${starts[i]}"
    elif [[ $i -eq ${#words[@]}-1 && $typed != */* ]]; then
      while IFS='' \builtin read -r line; do
        COMPREPLY[${#COMPREPLY[@]}]=$line
      done <<<"$(\builtin compgen -c -- "${2-}")"
    fi
    ;;
  *)
    # Bash 3 has no compopt; it offers files where there is nothing else.
    \builtin compopt +o bashdefault +o default 2>/dev/null || :
    [[ $answer = *$'\n'* ]] || \builtin return 0
    while IFS='' \builtin read -r line; do
      COMPREPLY[${#COMPREPLY[@]}]=${line#"$strip"}
    done <<<"${answer#*$'\n'}"
    ;;
  esac
}

\builtin complete -o bashdefault -o default -F __backlog_aws_complete backlog-aws
