# Tab completion for backlog-aws in fish. `backlog-aws init fish | source` loads it; as a file in a completions directory
# fish does.
#
# The program itself says what can follow; here the words are handed over.

function __backlog_aws_complete
    set -l program backlog-aws
    test -n "$__backlog_aws_bin"; and set program $__backlog_aws_bin
    set -l words (commandline -cop)
    # `NAME=value backlog-aws …`
    while string match -q '*=*' -- $words[1]
        set -e words[1]
    end
    set -l typed (commandline -ct)
    # An open quote cannot be undone; only names follow where this matters.
    set -l plain (string unescape -- "$typed"; or string trim -l -c '\'"' -- "$typed")
    set -l answer (command $program complete fish (count $words) -- $words "$plain" 2>/dev/null)
    set -l kind (string split ' ' -- "$answer[1]")
    set -l lead (string match -r '^--[^=]*=' -- "$typed")
    set -l path (string replace -r '^--[^=]*=' '' -- "$typed")
    switch "$kind[1]"
        case words
            set -e answer[1]
            string join \n -- $answer
        case files
            # A command that does not exist has all files for arguments.
            set -l found (complete -C "__backlog_aws_no_command $path")
            string join \n -- "$lead"$found
        case directories
            set -l found (complete -C "__backlog_aws_no_command $path" | string match -r '.*/$')
            string join \n -- "$lead"$found
        case command
            set -l first (math $kind[2] + 1)
            set -l line (string escape -- $words[$first..-1]) "$typed"
            complete -C "$line"
    end
end

complete -c backlog-aws -e
complete -c backlog-aws -k -f -a '(__backlog_aws_complete)'
