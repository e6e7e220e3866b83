# backlog-aws in fish. Load it with:  backlog-aws init fish | source
# It can also be sourced as it is, which starts no process; the program is then looked up on PATH.
#
# Builtins are called as `builtin NAME`, because a function may have their name.

builtin set -g __backlog_aws_bin ''; builtin set -g __backlog_aws_mode prompt; builtin set -g __backlog_aws_version ''; builtin set -g __backlog_aws_completions lazy # settings

# Tells this shell's state from one inherited in the environment, also across `exec fish`. Kept when sourced again.
builtin string match -q "$fish_pid.*" "$__backlog_aws_session"
or builtin set -g __backlog_aws_session $fish_pid.(builtin random)

# Where the program is; it fails when it is gone, which happens during upgrades and is no reason for noise.
function __backlog_aws_find
    if builtin test -z "$__backlog_aws_bin"
        builtin set -g __backlog_aws_bin (builtin command -s backlog-aws); or builtin return 1
    end
    # From `.` in PATH it would be another program in each directory.
    builtin string match -q -- '/*' "$__backlog_aws_bin"; or builtin return 1
    builtin test -x "$__backlog_aws_bin"
end

function __backlog_aws_refresh
    __backlog_aws_find; or builtin return 0
    # What was set without `-x` is the user's word too, and the program has to see it.
    for name in BACKLOG_AWS_PROFILE BACKLOG_AWS_REGION
        builtin set -qx $name; or not builtin set -q $name; or builtin set -gx $name $$name
    end
    builtin set -l precision stamps
    builtin test "$__backlog_aws_mode" = cd; and builtin set precision directory
    builtin set -l code ("$__backlog_aws_bin" hook fish $__backlog_aws_session $precision 2 | builtin string collect)
    # The program's own status, not that of the pipe's end: what it printed before it failed is no answer.
    builtin test "$pipestatus[1]" = 0; or builtin return 0
    builtin eval $code
    builtin set -g __backlog_aws_pwd "$PWD"
end

if builtin test "$__backlog_aws_mode" != none
    # Before each prompt. Replaced by the program after each change with a test of everything the answer rests on.
    function __backlog_aws_hook --on-event fish_prompt
        __backlog_aws_refresh
    end

    # At each `cd`, so that the next command of the same line already has it. Not in command substitutions, and not
    # before the first prompt: the start-up file may still be running.
    function __backlog_aws_cd --on-variable PWD
        builtin set -q __backlog_aws_pwd; or builtin return
        builtin status is-command-substitution; and builtin return
        __backlog_aws_hook
    end
end

# Passes on what `doctor` cannot see from outside: what this script was told, and whether the hook is still there.
function __backlog_aws_doctor
    builtin set -l bin "$__backlog_aws_bin"
    builtin test -x "$bin"; or builtin set bin backlog-aws
    builtin set -l hooks "$(builtin functions --handlers-type generic)"
    command $bin doctor --fact=shell=fish --fact=session="$__backlog_aws_session" --fact=program="$__backlog_aws_bin" \
        --fact=mode="$__backlog_aws_mode" --fact=version="$__backlog_aws_version" \
        --fact=hooks="$hooks" $argv
end

function backlog-aws --description 'Which AWS profile the Backlog Toolkit uses'
    if builtin test "$argv[1]" = doctor
        __backlog_aws_doctor $argv[2..-1]
        builtin return
    else if builtin test "$argv[1]" != use
        if builtin test -n "$__backlog_aws_bin"
            # Not `builtin command`: that prints the help of `command`, a keyword, which no function can be named like.
            command $__backlog_aws_bin $argv
        else
            command backlog-aws $argv
        end
        builtin return
    end
    if not __backlog_aws_find
        builtin echo "backlog-aws: the program is gone ($__backlog_aws_bin); install it again" >&2
        builtin return 127
    end
    builtin set -l words use --shell fish --session $__backlog_aws_session $argv[2..-1]
    builtin set -l code
    # A command substitution does not read what is piped into its function but the terminal, so without this the program
    # would ask somebody who is not there. `builtin test` does not see the function's input either.
    if command test -t 0
        builtin set code ("$__backlog_aws_bin" $words | builtin string collect)
    else
        builtin set code ("$__backlog_aws_bin" $words </dev/null | builtin string collect)
    end
    builtin set -l failed $pipestatus[1]
    builtin test $failed -eq 0; or builtin return $failed
    builtin eval $code
end

# Tab completion. Its script is asked for at the first Tab, so that no start of a shell waits for it.
if builtin test -n "$__backlog_aws_completions"
    function __backlog_aws_complete_lazily
        __backlog_aws_find; or builtin return
        "$__backlog_aws_bin" completions fish | builtin source
        and __backlog_aws_complete
    end
    builtin complete -c backlog-aws -f -a '(__backlog_aws_complete_lazily)'
end
