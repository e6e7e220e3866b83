//! `setup`: what a new user is asked, what a yes changes, and that nothing else does.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};
use std::path::PathBuf;

use crate::harness::{Key, Sandbox, Session, Shell, files_below, is_root, scenario};

const CONFIG: &str = ".config/backlog-aws/config.ini";
const MARK: &str = " # added by backlog-aws setup";

/// A shell that has never heard of us, in which `setup` was typed and asks for the line, and the files before that.
fn asked(home: &Sandbox, shell: Shell) -> (Session<'_>, BTreeMap<PathBuf, Vec<u8>>) {
    let mut session = Session::builder(home, shell).without_integration().size(40, 120).spawn();
    let before = content(home);
    session.send("backlog-aws setup");
    session.key(Key::Enter);
    session.wait_for(&format!("Add this line to the end of ~/{}?", shell.rc_file()));
    (session, before)
}

/// The files of a home and what is in them.
fn content(home: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = files_below(&home.home()).into_iter();
    // What the shells write by themselves.
    let own = |path: &PathBuf| !path.to_string_lossy().contains("fish_");
    files
        .filter(|path| path.is_file())
        .filter(own)
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect()
}

/// The line that `setup` adds for a shell.
fn line(shell: Shell) -> String {
    format!("{}{MARK}\n", shell.integration_line(""))
}

scenario! {
    fn after_two_yes_a_new_shell_has_the_hook_and_the_profile(shell) {
        let home = Sandbox::documented_home();
        home.put_on_path("curl", "#!/bin/sh\necho asked >>~/asked\nexit 7\n");
        let (mut session, _) = asked(&home, shell);
        let before = fs::read_to_string(home.path(shell.rc_file())).unwrap();
        session.send("y");
        session.key(Key::Enter);
        session.wait_for("Choose one profile for everywhere");
        session.key(Key::Enter);
        session.wait_for("Profile for everywhere:");
        session.send("bed");
        session.key(Key::Enter);
        session.wait_for("Ask AWS whether it works");
        session.key(Key::Enter);
        let told = session.wait_prompt().text;
        // There is no curl in that home but this one.
        assert!(told.contains("identity"), "{told}");
        assert_eq!(fs::read_to_string(home.path("asked")).unwrap(), "asked\n");
        assert!(told.contains(&format!("shell    {} (the one you are in)", shell.name())), "{told}");
        assert!(told.contains("exec ./scripts/services/start-services.sh"), "{told}");
        let after = fs::read_to_string(home.path(shell.rc_file())).unwrap();
        assert_eq!(after, format!("{before}{}", line(shell)));
        let copy = home.path(format!("{}.before-backlog-aws", shell.rc_file()));
        assert_eq!(fs::read_to_string(copy).unwrap(), before);
        assert_eq!(fs::read_to_string(home.path(CONFIG)).unwrap(), "profile = bedrock\n");
        session.line(shell.interactive(&home));
        session.assert_answer("bedrock", "user-default");

        let again = session.line("backlog-aws setup").text;
        assert!(again.contains(&format!("already in ~/{}, line ", shell.rc_file())), "{again}");
        assert!(again.contains("bedrock everywhere"), "{again}");
        assert_eq!(fs::read_to_string(home.path(shell.rc_file())).unwrap(), after);

        let told = session.line("backlog-aws setup --remove").text;
        assert!(told.contains(&format!("took the line out of ~/{}", shell.rc_file())), "{told}");
        assert_eq!(fs::read_to_string(home.path(shell.rc_file())).unwrap(), before);
        assert!(!home.path(format!("{}.before-backlog-aws", shell.rc_file())).exists());
    }

    fn ctrl_c_at_any_question_changes_nothing(shell) {
        for yeses in 0..4 {
            let home = Sandbox::documented_home();
            let (mut session, before) = asked(&home, shell);
            for next in ["Choose one profile for everywhere", "Profile for everywhere:", "Ask AWS whether it works"].into_iter().take(yeses) {
                session.key(Key::Enter);
                session.wait_for(next);
            }
            session.key(Key::CtrlC);
            let told = session.wait_prompt().text;
            assert!(told.contains("Nothing was changed."), "{told}");
            assert_eq!(content(&home), before, "after {yeses} times yes");
        }
    }

    fn a_no_is_respected(shell) {
        let home = Sandbox::documented_home();
        let (mut session, before) = asked(&home, shell);
        for next in ["Choose one profile for everywhere", ""] {
            session.send("n");
            session.key(Key::Enter);
            if next.is_empty() {
                session.wait_prompt();
            } else {
                session.wait_for(next);
            }
        }
        assert_eq!(content(&home), before);
    }
}

/// Puts a file in the place of a start-up file and asks `setup` without a terminal, which changes nothing.
#[track_caller]
fn refused(home: &Sandbox, why: &str) {
    let run = home.invoke(["setup", "--shell", "bash"]).run().expect_code(1);
    assert!(run.err().contains(&format!(".bashrc {why}; add the line by hand")), "{}", run.err());
}

#[test]
fn without_a_terminal_nothing_is_changed() {
    let home = Sandbox::documented_home();
    let before = content(&home);
    let run = home.invoke(["setup"]).env("SHELL", "/bin/zsh").run().expect_code(0);
    assert!(run.out().contains("shell    zsh (from SHELL)\nfile     ~/.zshrc\n"), "{}", run.out());
    assert!(run.out().contains("Nothing was changed"), "{}", run.out());
    assert_eq!(content(&home), before);
}

#[test]
fn a_file_that_is_not_the_users_to_change_is_refused() {
    let home = Sandbox::documented_home();
    let file = home.write(".bashrc", "alias x=1\0");
    refused(&home, "is not text");
    fs::write(&file, "alias x=1\n").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o444)).unwrap();
    refused(&home, "is read-only");
    if is_root() {
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        lchown(&file, Some(12345), None).unwrap();
        refused(&home, "belongs to another user");
    }
    home.remove(".bashrc");
    home.mkdir(".bashrc");
    refused(&home, "is a directory and not a file");
    home.remove(".bashrc");
    symlink(home.path("gone"), &file).unwrap();
    refused(&home, "cannot be read: it is a link that leads nowhere");
    let aws = home.write(".aws/bashrc", "");
    fs::remove_file(&file).unwrap();
    symlink(aws, &file).unwrap();
    let run = home.invoke(["setup", "--shell", "bash"]).run().expect_code(1);
    assert!(run.err().contains("belongs to another program"), "{}", run.err());
}

#[test]
fn a_link_into_dotfiles_stays_one_and_the_mode_is_kept() {
    let home = Sandbox::documented_home();
    let mut session = Session::builder(&home, Shell::Bash).without_integration().spawn();
    let rc = home.path(".bashrc");
    home.mkdir("dotfiles");
    let target = home.path("dotfiles/bashrc");
    fs::rename(&rc, &target).unwrap();
    fs::set_permissions(&target, Permissions::from_mode(0o600)).unwrap();
    symlink("dotfiles/bashrc", &rc).unwrap();
    session.send("backlog-aws setup\r");
    session.wait_for("Add this line");
    session.key(Key::Enter);
    session.wait_for("Choose one profile");
    session.send("n\r");
    session.wait_prompt();
    assert!(rc.is_symlink());
    assert!(fs::read_to_string(&target).unwrap().ends_with(&line(Shell::Bash)));
    for path in [&target, &home.path("dotfiles/bashrc.before-backlog-aws")] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    session.line("backlog-aws setup --remove");
    assert!(rc.is_symlink());
    assert!(!fs::read_to_string(&target).unwrap().contains(MARK));
}

#[test]
fn the_files_are_where_the_shells_look() {
    let home = Sandbox::documented_home();
    let asked = |shell: &str, name: &str, value: PathBuf| {
        let run = home.invoke(["setup", "--shell", shell]).env(name, value).run();
        format!("{}{}", run.out(), run.err())
    };
    let text = asked("zsh", "ZDOTDIR", home.path("z"));
    assert!(text.contains("file     ~/z/.zshrc\n"), "{text}");
    let text = asked("fish", "XDG_CONFIG_HOME", home.path("c"));
    assert!(text.contains("file     ~/c/fish/config.fish\n"), "{text}");
    home.write(".zshenv", "ZDOTDIR=~/z\n");
    let text = asked("zsh", "X", PathBuf::new());
    assert!(text.contains("in zsh, run `ZDOTDIR=$ZDOTDIR backlog-aws setup`"), "{text}");
}

#[test]
fn what_loads_it_already_counts() {
    for (shell, file, text) in [
        ("bash", ".bashrc", "source ~/src/backlog-aws/shell/backlog-aws.bash\n"),
        (
            "bash",
            ".bash_it/custom/backlog-aws/backlog-aws.plugin.bash",
            "source backlog-aws.bash\n",
        ),
        ("zsh", ".zshrc", "plugins=(\n  git\n  backlog-aws\n)\n"),
        ("zsh", ".zsh_plugins.txt", "OWNER/backlog-aws\n"),
        (
            "fish",
            ".config/fish/conf.d/backlog-aws.fish",
            include_str!("../../shell/backlog-aws.fish"),
        ),
    ] {
        let home = Sandbox::documented_home();
        home.write(file, text);
        let run = home.invoke(["setup", "--shell", shell]).run().expect_code(0);
        assert!(run.out().contains(&format!("already in ~/{file}, line ")), "{}", run.out());
    }
}

#[test]
fn removing_touches_no_line_that_setup_did_not_add() {
    let home = Sandbox::documented_home();
    let mine = "eval \"$(backlog-aws init bash)\"\n";
    home.write(".bashrc", mine);
    home.write(".zshrc", format!("a\n{}b\n", line(Shell::Zsh)));
    home.write(".config/fish/config.fish", line(Shell::Fish));
    let run = home.run(["setup", "--remove"]).expect_code(0);
    assert_eq!(run.out().matches("took the line out of ").count(), 2, "{}", run.out());
    assert_eq!(fs::read_to_string(home.path(".bashrc")).unwrap(), mine);
    assert_eq!(fs::read_to_string(home.path(".zshrc")).unwrap(), "a\nb\n");
    assert!(!home.path(".config/fish/config.fish").exists(), "it was made for that line");
    let run = home.run(["setup", "--remove"]).expect_code(0);
    assert!(run.out().contains("no start-up file has a line"), "{}", run.out());
}

#[test]
fn an_unknown_shell_and_an_unknown_home_are_said() {
    let home = Sandbox::documented_home();
    let run = home.invoke(["setup"]).env("SHELL", "/bin/tcsh").run().expect_code(2);
    assert!(
        run.err().contains("SHELL is /bin/tcsh") && run.err().contains("--shell bash"),
        "{}",
        run.err()
    );
    let run = home.invoke(["setup", "--shell", "bash"]).env("HOME", "nowhere").run();
    assert_eq!(run.code, Some(1), "{}", run.out());
}
