//! The hook among its neighbours: other tools that hook the prompt, loaded before and after it.
//!
//! direnv, zoxide, bash-completion and tmux are the real ones. bash-preexec, oh-my-zsh's loader and powerlevel10k's
//! instant prompt are in no package registry, so what they do to a shell is written down here. starship and mise are
//! the real ones where they are found (`BACKLOG_AWS_TEST_STARSHIP`, `BACKLOG_AWS_TEST_MISE`, `target/neighbours/bin`,
//! `PATH`); starship's way with `PROMPT_COMMAND` is tested besides with a stand-in that is always there.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use crate::harness::{
    Key, Sandbox, Session, SessionBuilder, Shell, bash_completion, found, is_root, needed, say,
    scenario,
};

fn builder(home: &Sandbox, shell: Shell) -> SessionBuilder<'_> {
    Session::builder(home, shell)
        .size(50, 300)
        .env("BACKLOG_AWS_QUIET", "1")
        // What some neighbours want a place for.
        .env("AWS_REGION", "eu-north-1")
}

/// Where the lines of a neighbour stand in the start-up file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    BeforeUs,
    AfterUs,
}

const ORDERS: [Order; 2] = [Order::BeforeUs, Order::AfterUs];

fn loaded<'home>(
    builder: SessionBuilder<'home>,
    order: Order,
    lines: &str,
) -> SessionBuilder<'home> {
    match order {
        Order::BeforeUs => builder.before(lines),
        Order::AfterUs => builder.after(lines),
    }
}

/// The main job, whatever else is loaded: a directory's profile comes and goes, a pin comes and goes, and the exit
/// status of a command is still there at the prompt after it.
#[track_caller]
fn assert_works(session: &mut Session<'_>, home: &Sandbox) {
    let shell = session.shell();
    session.cd(home.path("plain"));
    session.assert_answer("luxito", "first");
    session.cd(home.path("acme/deep"));
    session.assert_answer("bedrock", "directory");
    session.cd(home.path("plain"));
    session.assert_answer("luxito", "first");
    session.line(format!("{}; sh -c 'exit 4'", shell.export("BACKLOG_AWS_PROFILE", "bedrock")));
    assert_eq!(session.status_of_last(), 4);
    session.assert_answer("bedrock", "pin");
    session.line(format!("{}; sh -c 'exit 5'", shell.unset("BACKLOG_AWS_PROFILE")));
    assert_eq!(session.status_of_last(), 5);
    session.assert_answer("luxito", "first");
}

#[test]
fn versions_of_the_neighbours() {
    let home = Sandbox::new();
    let mut report = String::from("neighbours in this run:\n");
    let mut add = |name: &str, path: Option<PathBuf>, flag: &str, otherwise: &str| {
        let version = path.map(|path| {
            let output = home.command(path).arg(flag).output().expect("it starts");
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text);
            text.lines().next().unwrap_or_default().to_owned()
        });
        let version = version.as_deref().unwrap_or(otherwise);
        writeln!(report, "  {name}: {version}").expect("a String takes every write");
    };
    for shell in Shell::ALL {
        add(shell.name(), Some(shell.path()), "--version", "");
    }
    for name in ["direnv", "zoxide"] {
        add(name, Some(needed(name)), "--version", "");
    }
    add("tmux", Some(needed("tmux")), "-V", "");
    let sudo = "not here; `env` and `su` do what it does to the environment";
    add("sudo", found("sudo"), "--version", sudo);
    add(
        "su",
        found("su").filter(|_| is_root()),
        "--version",
        "not usable here; `env` does what it does to the environment",
    );
    add(
        "starship",
        found("starship"),
        "--version",
        "not here; a stand-in does what it does to PROMPT_COMMAND",
    );
    add("mise", found("mise"), "--version", "not here and not tested");
    writeln!(report, "  bash-completion: {}", bash_completion().display())
        .expect("a String takes every write");
    say(&(report + "  bash-preexec, oh-my-zsh, powerlevel10k: stand-ins"));
}

// Tools that hook the prompt.

fn direnv(shell: Shell) -> String {
    let direnv = needed("direnv");
    match shell {
        Shell::Fish => format!("{} hook fish | source", direnv.display()),
        _ => format!("eval \"$({} hook {})\"", direnv.display(), shell.name()),
    }
}

fn allowed_by_direnv(home: &Sandbox, directory: &str, text: &str) {
    let file = home.write(format!("{directory}/.envrc"), text);
    let status =
        home.command(needed("direnv")).arg("allow").arg(file).output().expect("direnv starts");
    assert!(status.status.success(), "{status:?}");
}

fn zoxide(shell: Shell) -> String {
    let zoxide = needed("zoxide");
    match shell {
        Shell::Fish => format!("{} init fish | source", zoxide.display()),
        _ => format!("eval \"$({} init {})\"", zoxide.display(), shell.name()),
    }
}

scenario! {
    fn direnv_and_we_each_do_our_own(shell) {
        let home = Sandbox::with_override();
        allowed_by_direnv(&home, "acme", "export FROM_DIRENV=yes\n");
        for order in ORDERS {
            let mut session = loaded(builder(&home, shell), order, &direnv(shell)).spawn();
            assert_works(&mut session, &home);
            session.cd(home.path("acme"));
            assert_eq!(session.var("FROM_DIRENV").as_deref(), Some(OsStr::new("yes")), "{order:?}");
            session.assert_answer("bedrock", "directory");
            session.cd(home.home());
            assert_eq!(session.var("FROM_DIRENV"), None, "{order:?}");
            session.assert_answer("luxito", "first");
        }
    }

    fn an_aws_profile_that_direnv_sets_is_its_own_and_counts(shell) {
        let home = Sandbox::with_override();
        allowed_by_direnv(&home, "plain", "export AWS_PROFILE=bedrock\n");
        for order in ORDERS {
            let mut session = loaded(builder(&home, shell).env("AWS_PROFILE", "cc"), order, &direnv(shell)).spawn();
            session.assert_answer("luxito", "first");
            session.user_changes_foreign(|session| {
                session.cd(home.path("plain"));
                // What direnv sets after us is seen at the next prompt.
                session.line("");
            });
            assert_eq!(session.var("AWS_PROFILE").as_deref(), Some(OsStr::new("bedrock")));
            session.assert_answer("bedrock", "aws-profile");
            session.user_changes_foreign(|session| {
                session.cd(home.home());
                session.line("");
            });
            assert_eq!(session.var("AWS_PROFILE").as_deref(), Some(OsStr::new("cc")));
            session.assert_answer("luxito", "first");
        }
    }

    fn a_pin_that_direnv_sets_ends_where_direnv_takes_it_back(shell) {
        let home = Sandbox::with_override();
        allowed_by_direnv(&home, "plain", "export BACKLOG_AWS_PROFILE=bedrock\n");
        for order in ORDERS {
            let mut session = loaded(builder(&home, shell), order, &direnv(shell)).spawn();
            session.assert_answer("luxito", "first");
            session.cd(home.path("plain"));
            session.line("");
            session.assert_answer("bedrock", "pin");
            session.cd(home.home());
            session.line("");
            // direnv puts back what it found, and that was our own answer.
            session.assert_answer("luxito", "first");
            session.cd(home.path("acme"));
            session.assert_answer("bedrock", "directory");
        }
    }

    fn a_jump_with_zoxide_is_a_way_into_a_directory(shell) {
        let home = Sandbox::with_override();
        for order in ORDERS {
            let lines = zoxide(shell);
            let mut session = loaded(builder(&home, shell).env("_ZO_DOCTOR", "0"), order, &lines).spawn();
            assert_works(&mut session, &home);
            session.cd(home.path("acme/deep"));
            session.cd(home.home());
            session.line("z deep");
            assert_eq!(session.line("pwd").text, home.path("acme/deep").display().to_string(), "{order:?}");
            session.assert_answer("bedrock", "directory");
            session.line("z plain");
            session.assert_answer("luxito", "first");
        }
    }

    fn direnv_and_zoxide_together_are_no_crowd(shell) {
        let home = Sandbox::with_override();
        allowed_by_direnv(&home, "acme", "export FROM_DIRENV=yes\n");
        for (before, after) in [(direnv(shell), zoxide(shell)), (zoxide(shell), direnv(shell))] {
            let mut session = builder(&home, shell).env("_ZO_DOCTOR", "0").before(before).after(after).spawn();
            assert_works(&mut session, &home);
            session.cd(home.path("acme/deep"));
            session.cd(home.home());
            session.line("z deep");
            session.assert_answer("bedrock", "directory");
            assert_eq!(session.var("FROM_DIRENV").as_deref(), Some(OsStr::new("yes")));
        }
    }

    fn starship_shows_the_status_and_the_hook_runs(shell) {
        let Some(starship) = found("starship") else { return say_absent("starship") };
        let starship = starship.display();
        let home = Sandbox::with_override();
        home.write(".config/starship.toml", "format = '$character'\nadd_newline = false\n");
        for order in ORDERS {
            // The marks of the harness stay in the prompt; what starship made of it is kept aside.
            let (keep, init, restore) = match shell {
                Shell::Bash => (
                    "kept=$PS1".to_owned(),
                    format!("eval \"$({starship} init bash)\""),
                    "PROMPT_COMMAND=$PROMPT_COMMAND$'\\n''shown=$PS1; PS1=$kept'",
                ),
                Shell::Zsh => (String::new(), format!("eval \"$({starship} init zsh)\""), "shown=$PROMPT"),
                Shell::Nu => unreachable!(),
                Shell::Fish => (
                    "functions -c fish_prompt kept_prompt".to_owned(),
                    format!("{starship} init fish | source"),
                    "functions -c fish_prompt shown_prompt; functions -e fish_prompt; functions -c kept_prompt fish_prompt",
                ),
            };
            let mut session = loaded(builder(&home, shell).before(keep), order, &init).after(restore).spawn();
            assert_works(&mut session, &home);
            session.line(format!("{}; sh -c 'exit 6'", shell.export("BACKLOG_AWS_REGION", "eu-west-9")));
            let shown = match shell {
                Shell::Bash | Shell::Zsh => "\"$STARSHIP_CMD_STATUS\" \"${shown:+prompt}\"",
                Shell::Nu => unreachable!(),
                Shell::Fish => "$status (functions -q shown_prompt; and echo prompt)",
            };
            assert_eq!(session.expand(shown), [b"6".to_vec(), b"prompt".to_vec()], "{order:?}");
        }
    }

    fn mise_and_we_each_do_our_own(shell) {
        let Some(mise) = found("mise") else { return say_absent("mise") };
        let home = Sandbox::with_override();
        home.write("acme/mise.toml", "[env]\nFROM_MISE = 'yes'\n");
        let mise = mise.display();
        let init = match shell {
            Shell::Fish => format!("{mise} activate fish | source"),
            _ => format!("eval \"$({mise} activate {})\"", shell.name()),
        };
        for order in ORDERS {
            let builder = builder(&home, shell).env("MISE_TRUSTED_CONFIG_PATHS", home.home()).env("MISE_OFFLINE", "1");
            let mut session = loaded(builder, order, &init).spawn();
            assert_works(&mut session, &home);
            session.cd(home.path("acme"));
            session.assert_answer("bedrock", "directory");
            assert_eq!(session.var("FROM_MISE").as_deref(), Some(OsStr::new("yes")), "{order:?}");
            session.cd(home.home());
            assert_eq!(session.var("FROM_MISE"), None, "{order:?}");
        }
    }

    fn vi_and_emacs_keys_are_no_obstacle(shell) {
        let home = Sandbox::with_override();
        let modes = match shell {
            Shell::Bash => ["set -o vi", "set -o emacs"],
            Shell::Zsh => ["bindkey -v; zle -N zle-line-init __harness_new", "bindkey -e"],
            Shell::Nu => unreachable!(),
            Shell::Fish => ["fish_vi_key_bindings", "fish_default_key_bindings"],
        };
        for (mode, order) in [(modes[0], Order::BeforeUs), (modes[0], Order::AfterUs), (modes[1], Order::AfterUs)] {
            let mut session = loaded(builder(&home, shell), order, mode).spawn();
            assert_works(&mut session, &home);
        }
    }
}

fn say_absent(name: &str) {
    say(&format!(
        "{name} is not here, so its own test has nothing to run; see `versions_of_the_neighbours`"
    ));
}

#[test]
fn a_vi_command_edits_the_line_after_the_hook_ran() {
    for (shell, mode) in [(Shell::Bash, "set -o vi"), (Shell::Zsh, "bindkey -v")] {
        let home = Sandbox::with_override();
        let mut session = builder(&home, shell).after(mode).spawn();
        session.export("BACKLOG_AWS_PROFILE", "bedrock");
        session.send("echo wrong");
        session.key(Key::Esc);
        sleep(Duration::from_millis(600));
        session.send("ddiecho right");
        session.key(Key::Enter);
        assert_eq!(session.wait_prompt().text, "right");
        session.assert_answer("bedrock", "pin");
    }
}

// bash: what takes PROMPT_COMMAND over.

/// Keeps what `PROMPT_COMMAND` was, puts itself in its place and evaluates it from there, with `$?` set again: as starship
/// does, under the name that it uses.
const STARSHIP_STAND_IN: &str = r#"
set_return() { return "${1:-0}"; }
stand_in_precmd() {
  seen_status=$? seen_pipe="${PIPESTATUS[*]}"
  jobs &>/dev/null
  set_return "$seen_status"
  if [[ -n ${STARSHIP_PROMPT_COMMAND-} ]]; then eval "$STARSHIP_PROMPT_COMMAND"; fi
  drawn=$((drawn + 1))
}
if [[ -z ${PROMPT_COMMAND-} ]]; then
  PROMPT_COMMAND=stand_in_precmd
elif [[ $PROMPT_COMMAND != *stand_in_precmd* ]]; then
  STARSHIP_PROMPT_COMMAND=$PROMPT_COMMAND
  PROMPT_COMMAND=stand_in_precmd
fi
"#;

#[test]
fn a_prompt_that_takes_over_prompt_command_runs_the_hook_and_sees_the_statuses() {
    let home = Sandbox::with_override();
    for start in ["", "PROMPT_COMMAND=()", "PROMPT_COMMAND=(true)", "PROMPT_COMMAND=':'"] {
        for order in ORDERS {
            let mut session =
                loaded(builder(&home, Shell::Bash).before(start), order, STARSHIP_STAND_IN).spawn();
            assert_works(&mut session, &home);
            session.line("drawn=0; export BACKLOG_AWS_REGION=eu-west-8; sh -c 'exit 6'");
            assert_eq!(session.line("echo $seen_status $drawn").text, "6 1", "{start} {order:?}");
            session.line("unset BACKLOG_AWS_REGION; (exit 3) | (exit 4)");
            assert_eq!(session.line("echo $seen_pipe").text, "3 4", "{start} {order:?}");
        }
    }
}

/// What bash-preexec does: it waits for the first prompt, then takes the DEBUG trap and stands around what
/// `PROMPT_COMMAND` was, with functions to run before commands and prompts.
const BASH_PREEXEC_STAND_IN: &str = r#"
if [[ -z ${bash_preexec_imported-} ]]; then
bash_preexec_imported=defined
precmd_functions+=() preexec_functions+=()
__bp_set_status() { return "$1"; }
__bp_interactive_mode() { __bp_ready=on; }
__bp_precmd_invoke_cmd() {
  __bp_status=$? BP_PIPESTATUS=("${PIPESTATUS[@]}")
  local each
  for each in "${precmd_functions[@]}"; do
    if type -t "$each" > /dev/null; then
      __bp_set_status "$__bp_status"
      "$each"
    fi
  done
  __bp_set_status "$__bp_status"
}
__bp_preexec_invoke_exec() {
  [[ -n ${__bp_ready-} && -z ${COMP_LINE-} ]] || return 0
  if [[ $'\n'$PROMPT_COMMAND$'\n' == *$'\n'"$BASH_COMMAND"$'\n'* ]]; then
    __bp_ready=
    return 0
  fi
  __bp_ready=
  local each
  for each in "${preexec_functions[@]}"; do "$each" "$BASH_COMMAND"; done
}
__bp_install() {
  trap '__bp_preexec_invoke_exec "$_"' DEBUG
  local rest=${PROMPT_COMMAND//__bp_install/:}
  PROMPT_COMMAND=$'__bp_precmd_invoke_cmd\n'$rest$'\n__bp_interactive_mode'
  __bp_precmd_invoke_cmd
  __bp_interactive_mode
}
PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}__bp_install
fi
"#;

#[test]
fn beside_bash_preexec_everybody_runs_once_and_sees_the_status() {
    let home = Sandbox::with_override();
    let theirs = "their_precmd() { status_seen=$?; ran=$((ran + 1)); }; their_preexec() { command_seen=$1; }\n\
                  precmd_functions+=(their_precmd); preexec_functions+=(their_preexec)";
    for order in ORDERS {
        let lines = format!("{BASH_PREEXEC_STAND_IN}\n{theirs}");
        let mut session = loaded(builder(&home, Shell::Bash), order, &lines).spawn();
        assert_works(&mut session, &home);
        session.line("ran=0; export BACKLOG_AWS_REGION=eu-west-8; sh -c 'exit 6'");
        assert_eq!(session.line("echo $status_seen $ran").text, "6 1", "{order:?}");
        session.line("true a b");
        assert_eq!(session.line(": \"$command_seen\"; echo \"$status_seen\"").text, "0");
        assert_eq!(session.line("trap -p DEBUG | grep -c __bp_preexec").text, "1", "{order:?}");
        // And the two that use it together.
        let again = Shell::Bash.integration_line("");
        session.line(again);
        session.line("ran=0");
        assert_works(&mut session, &home);
    }
}

#[test]
fn bash_completion_completes_for_us_and_for_others() {
    let home = Sandbox::with_override();
    let lines = format!(". {}", bash_completion().display());
    for order in ORDERS {
        let mut session = loaded(builder(&home, Shell::Bash), order, &lines).spawn();
        assert_works(&mut session, &home);
        session.send("backlog-aws exec --profile bedr");
        session.key(Key::Tab);
        session.wait_for("--profile bedrock");
        session.interrupt();
        home.write("plain/only-one.txt", "");
        session.send("cat ~/plain/only-o");
        session.key(Key::Tab);
        session.wait_for("plain/only-one.txt");
        session.interrupt();
        session.assert_answer("luxito", "first");
    }
}

// zsh: loaders and instant prompts.

/// What oh-my-zsh does to a shell: `compinit`, options, a theme that hooks precmd and evaluates the prompt, plugins that
/// are sourced in turn; among them one like its `aws`, whose `asp` changes `AWS_PROFILE`.
const OH_MY_ZSH_STAND_IN: &str = r"
autoload -Uz compinit add-zsh-hook colors
compinit -u -d ~/.zcompdump
setopt auto_cd auto_pushd pushd_ignore_dups pushd_minus prompt_subst long_list_jobs interactive_comments multios
theme_precmd() { theme_status=$?; theme_ran=$((theme_ran + 1)) }
theme_chpwd() { theme_directory=$PWD }
add-zsh-hook precmd theme_precmd
add-zsh-hook chpwd theme_chpwd
asp() {
  if [[ -z $1 ]]; then unset AWS_PROFILE AWS_DEFAULT_PROFILE; else export AWS_PROFILE=$1 AWS_DEFAULT_PROFILE=$1; fi
}
alias -- -='cd -'
";

#[test]
fn beside_an_oh_my_zsh_everybody_runs_once_and_sees_the_status() {
    let home = Sandbox::with_override();
    for order in ORDERS {
        let mut session = loaded(builder(&home, Shell::Zsh), order, OH_MY_ZSH_STAND_IN).spawn();
        assert_works(&mut session, &home);
        session.line("theme_ran=0; export BACKLOG_AWS_REGION=eu-west-8; sh -c 'exit 6'");
        assert_eq!(session.line("echo $theme_status $theme_ran").text, "6 1", "{order:?}");
        // A directory's name alone is a command there.
        session.line("~/acme");
        session.assert_answer("bedrock", "directory");
        assert_eq!(
            session.line("echo $theme_directory").text,
            home.path("acme").display().to_string()
        );
        session.line("-");
        session.assert_answer("luxito", "first");
        session.user_changes_foreign(|session| {
            session.line("asp bedrock");
        });
        session.assert_answer("bedrock", "aws-profile");
        session.user_changes_foreign(|session| {
            session.line("asp");
        });
        session.assert_answer("luxito", "first");
    }
}

#[test]
fn an_instant_prompt_captures_nothing_of_ours() {
    let home = Sandbox::with_override();
    for shell in [Shell::Bash, Shell::Zsh] {
        for (quiet, more) in [("0", ""), ("0", "\\builtin cd acme"), ("1", "")] {
            // All output from here to the first prompt is taken for a mistake; powerlevel10k shows it with a warning.
            let mut session = Session::builder(&home, shell)
                .env("BACKLOG_AWS_QUIET", quiet)
                .before("exec 8>&1 9>&2 > ~/captured 2>&1")
                .after(more)
                .after("exec >&8 2>&9 8>&- 9>&-")
                .spawn();
            let captured = fs::read_to_string(home.path("captured")).expect("it was made");
            assert_eq!(captured, "", "{shell:?} {more}");
            session.cd(home.path("acme"));
            session.assert_answer("bedrock", "directory");
        }
    }
}

#[test]
fn an_instant_prompt_that_ends_at_the_first_precmd_gets_notices_after_it() {
    let home = Sandbox::with_override();
    let mut session = Session::builder(&home, Shell::Zsh)
        .size(50, 300)
        .before("exec 8>&1 9>&2 > ~/captured 2>&1")
        .before("end_of_instant_prompt() { exec >&8 2>&9; add-zsh-hook -d precmd end_of_instant_prompt }")
        .before("autoload -Uz add-zsh-hook; add-zsh-hook precmd end_of_instant_prompt")
        .spawn();
    assert_eq!(fs::read_to_string(home.path("captured")).expect("it was made"), "");
    assert!(
        session.start_up().text.contains("Auto-detected AWS profile: luxito"),
        "{}",
        session.start_up().text
    );
    session.assert_answer("luxito", "first");
}
