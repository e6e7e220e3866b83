# backlog-aws in fish. Load it with:  backlog-aws init fish | source
# It can also be sourced as it is, which starts no process; the program is then looked up on PATH.
#
# Builtins are called as `builtin NAME`, because a function may have their name.

builtin set -g __backlog_aws_version ''
builtin set -g __backlog_aws_completions lazy
builtin set -g __backlog_aws_bin ''; builtin set -g __backlog_aws_mode prompt # settings

# What the program assigns. At first nothing is as expected, so it is asked.
#
# AWS's variables and HOME; keys in the environment, by presence; our variables; where decisions and the user's own
# configuration are.
builtin set -g __backlog_aws_expected_aws ''
builtin set -g __backlog_aws_expected_keys ''
builtin set -g __backlog_aws_expected_ours ''
builtin set -g __backlog_aws_expected_places ''
# Files, links resolved, each followed by a stamp with its time, and directories, each with one of a later time.
# What was missing. Links, each followed by the real path.
builtin set -g __backlog_aws_files
builtin set -g __backlog_aws_directories
builtin set -g __backlog_aws_missing
builtin set -g __backlog_aws_links
# Where the search for an override ended, and the directories below with one that does not count.
builtin set -g __backlog_aws_top /
builtin set -g __backlog_aws_ignored
# Directories with a rule in the user's own configuration, and the one whose rule holds.
builtin set -g __backlog_aws_rules
builtin set -g __backlog_aws_rule ''
# A file of the time when the answer has to be looked at again, if credentials expire.
builtin set -g __backlog_aws_until ''
# Not empty while the program is asked after a `cd`.
builtin set -g __backlog_aws_interrupted ''

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

# Sets and exports one of our variables; removes one, the global one, so that a universal one shows through again.
function __backlog_aws_set
    builtin set -gx $argv
end
function __backlog_aws_unset
    builtin set -eg $argv
end

# Asks the program. It answers with changes to our variables, and with what __backlog_aws_hook compares from then on.
function __backlog_aws_refresh
    if builtin test -n "$__backlog_aws_interrupted"
        # Ctrl-C ended this after a `cd`, and here is the prompt. So that one is enough, the next prompt asks.
        builtin set -g __backlog_aws_interrupted ''
        builtin return 0
    end
    __backlog_aws_find; or builtin return 0
    # What was set without `-x` is a choice of the user's too, and the program has to see it.
    for name in BACKLOG_AWS_PROFILE BACKLOG_AWS_REGION
        builtin set -qx $name; or not builtin set -q $name; or builtin set -gx $name $$name
    end
    builtin set -l precision stamps
    builtin test "$__backlog_aws_mode" = cd; and builtin set precision nothing
    builtin set -g __backlog_aws_interrupted "$argv"
    builtin set -l code ("$__backlog_aws_bin" hook fish $__backlog_aws_session $precision 3 | builtin string collect)
    # The program's own status, not that of the pipe's end: what it printed before it failed is no answer.
    builtin set -l failed $pipestatus[1]
    builtin set -g __backlog_aws_interrupted ''
    builtin test "$failed" = 0; or builtin return 0
    builtin eval $code
    builtin set -g __backlog_aws_pwd "$PWD"
    __backlog_aws_prepare
end

# The way from the working directory up to where the search for an override ended, and where there may be one on it, as
# __backlog_aws_look found them. What they lead to is compared each time, so they hold in other directories too.
builtin set -g __backlog_aws_up .
builtin set -g __backlog_aws_between

# Puts together what `test` is asked at each prompt.
function __backlog_aws_prepare
    # Whether a file changed.
    builtin set -g __backlog_aws_changed
    builtin set -l directories
    builtin set -l rest $__backlog_aws_directories
    while builtin set -q rest[1]
        builtin set -a directories $rest[1]
        builtin set -ga __backlog_aws_changed -o ! $rest[1] -ot $rest[2]
        builtin set -e rest[1..2]
    end
    builtin set rest $__backlog_aws_files
    while builtin set -q rest[1]
        # A file in one of the directories does not vanish without that getting newer.
        builtin contains -- (builtin path dirname -- $rest[1]) $directories
        or builtin set -ga __backlog_aws_changed -o ! -r $rest[1] -o -L $rest[1]
        builtin set -ga __backlog_aws_changed -o $rest[1] -nt $rest[2] -o $rest[1] -ot $rest[2]
        builtin set -e rest[1..2]
    end
    # Something has to be asked.
    builtin set -q __backlog_aws_changed[1]; or builtin set __backlog_aws_changed -o ! -e /
    builtin set -e __backlog_aws_changed[1]
    # The usual values of variables, or none, if there is something rare that __backlog_aws_look has to see to. As a
    # string, a variable that is empty looks like one that is unset.
    builtin set -g __backlog_aws_usual ''
    if builtin test -z "$__backlog_aws_expected_keys$__backlog_aws_links$__backlog_aws_ignored$__backlog_aws_rules" \
            -a -z "$__backlog_aws_until"
        and not builtin string match -q '*^^*' -- "^$__backlog_aws_expected_ours^"
        builtin set -g __backlog_aws_usual "$__backlog_aws_expected_aws^^$__backlog_aws_expected_ours"
        builtin set -g __backlog_aws_usual "$__backlog_aws_usual^$__backlog_aws_expected_places"
    end
    __backlog_aws_arrange
end

# The words that follow the values of variables in `test`, and what has to be missing. In few lists, because each takes
# time.
function __backlog_aws_arrange
    builtin set -g __backlog_aws_differs != "$__backlog_aws_usual" -o ! $__backlog_aws_up -ef $__backlog_aws_top \
        -o $__backlog_aws_changed
    builtin set -g __backlog_aws_absent $__backlog_aws_missing $__backlog_aws_between
    # Something has to be asked.
    builtin set -q __backlog_aws_absent[1]; or builtin set __backlog_aws_absent ''
end
__backlog_aws_prepare

# Whether nothing changed, in every case, the usual one included.
function __backlog_aws_look
    builtin set -l keys ''
    builtin test -z "$AWS_ACCESS_KEY_ID"; or builtin set keys "$keys"i
    builtin test -z "$AWS_SECRET_ACCESS_KEY"; or builtin set keys "$keys"s
    builtin test -z "$AWS_BEARER_TOKEN_BEDROCK"; or builtin set keys "$keys"b
    if builtin test -n "$keys"
        builtin set keys "$keys^"
        builtin test -z "$AWS_SESSION_TOKEN"; or builtin set keys "$keys"t
        builtin set keys "$keys^$AWS_CREDENTIAL_EXPIRATION^$AWS_REGION^$AWS_DEFAULT_REGION"
    end
    builtin set -l ours
    for name in BACKLOG_AWS_PROFILE BACKLOG_AWS_REGION BACKLOG_AWS_SOURCE
        if builtin set -q $name
            builtin set -a ours "$$name"
        else
            builtin set -a ours '^'
        end
    end
    builtin test "$AWS_PROFILE^$AWS_SHARED_CREDENTIALS_FILE^$AWS_CONFIG_FILE^$HOME" = "$__backlog_aws_expected_aws"
    and builtin test "$keys" = "$__backlog_aws_expected_keys"
    and builtin test "$ours[1]^$ours[2]^$ours[3]" = "$__backlog_aws_expected_ours"
    and builtin test "$XDG_DATA_HOME^$XDG_CONFIG_HOME^$BACKLOG_AWS_CONFIG" = "$__backlog_aws_expected_places"
    and not builtin test $__backlog_aws_changed
    and not builtin path is -- '' $__backlog_aws_missing
    or builtin return 1
    if builtin test -n "$__backlog_aws_until"
        # fish has no clock, but knows the age of a file.
        builtin set -l age (builtin path mtime -R -- $__backlog_aws_until)
        builtin set -q age[1]; and builtin test $age -lt 0; or builtin return 1
    end
    # Times do not tell two targets of a link apart where all files have the same one, as in Nix's store.
    builtin set -l rest $__backlog_aws_links
    while builtin set -q rest[1]
        builtin test $rest[1] -ef $rest[2]; or builtin return 1
        builtin set -e rest[1..2]
    end
    # The overrides on the way up are those that the program passed over, and no others.
    builtin set -l up .
    builtin set -l between
    builtin set rest $__backlog_aws_ignored
    while not builtin test $up -ef $__backlog_aws_top
        if builtin test -e $up/.backlog-aws
            builtin set -q rest[1]; and builtin test $up -ef $rest[1]; or builtin return 1
            builtin set -e rest[1]
        end
        builtin test -e $up/.. -a ! $up -ef /; or builtin return 1
        builtin set -a between (builtin string replace -r '^\./' '' -- $up/.backlog-aws)
        builtin set up (builtin string replace -r '^\./' '' -- $up/..)
    end
    builtin set -q rest[1]; and builtin return 1
    # Above the root is the root again, so as many levels as before hold here too, and on the way back.
    while builtin test "$__backlog_aws_top" = / -a (builtin count $between) -lt 8 \
            -a (builtin count $between) -lt (builtin count $__backlog_aws_between)
        builtin set -a between (builtin string replace -r '^\./' '' -- $up/.backlog-aws)
        builtin set up (builtin string replace -r '^\./' '' -- $up/..)
    end
    builtin set -g __backlog_aws_up $up
    builtin set -g __backlog_aws_between $between
    __backlog_aws_arrange
    # The nearest directory with a rule is the same, or there is none as before.
    builtin set -q __backlog_aws_rules[1]; or builtin return 0
    builtin set up .
    builtin set rest $__backlog_aws_rule
    builtin test -n "$rest"; or builtin set rest /
    while not builtin test $up -ef $rest
        for directory in $__backlog_aws_rules
            builtin test $up -ef $directory; and builtin return 1
        end
        builtin test -e $up/.. -a ! $up -ef /; or builtin return 1
        builtin set up $up/..
    end
    builtin return 0
end

# Before each prompt. Asks the program when something changed that its answer rests on. Builtins tell whether it did, by
# few commands and words in the usual case, because each takes time:
#
# - AWS's variables and ours have the values that the program expects. There are no keys in the environment.
# - There is no override in the working directory and above, up to where the program's search ended: the root, or the
#   directory of the override that counts.
# - Files that were there have the times of their stamps, which are files that the program made. Directories are
#   older than theirs: what is moved into one makes it newer. What was missing is missing.
if builtin test "$__backlog_aws_mode" = prompt
    function __backlog_aws_hook --on-event fish_prompt
        not builtin test "$AWS_PROFILE^$AWS_SHARED_CREDENTIALS_FILE^$AWS_CONFIG_FILE^$HOME\
^$AWS_ACCESS_KEY_ID$AWS_SECRET_ACCESS_KEY$AWS_BEARER_TOKEN_BEDROCK\
^$BACKLOG_AWS_PROFILE^$BACKLOG_AWS_REGION^$BACKLOG_AWS_SOURCE\
^$XDG_DATA_HOME^$XDG_CONFIG_HOME^$BACKLOG_AWS_CONFIG" $__backlog_aws_differs
        and not builtin path is -- $__backlog_aws_absent
        or __backlog_aws_look
        or __backlog_aws_refresh $argv
    end
else if builtin test "$__backlog_aws_mode" = cd
    function __backlog_aws_hook --on-event fish_prompt
        builtin test "x$PWD" = "x$__backlog_aws_pwd"; or __backlog_aws_refresh $argv
    end
end

# At each `cd`, so that the next command of the same line already has it. Not in command substitutions, and not before
# the first prompt: the start-up file may still be running.
if builtin test "$__backlog_aws_mode" != none
    function __backlog_aws_cd --on-variable PWD
        builtin set -q __backlog_aws_pwd; or builtin return
        builtin status is-command-substitution; and builtin return
        # Where the same override counts as before, or none, the rest is left to the prompt.
        builtin test -n "$__backlog_aws_usual" -a $__backlog_aws_up -ef "$__backlog_aws_top"
        and not builtin path is -- $__backlog_aws_absent
        or __backlog_aws_hook cd
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
