//! What people read, as it stands in `tests/it/screens/`: to be looked at as a whole, and to show in a diff what a
//! change does to it. `BACKLOG_AWS_BLESS=1 cargo test --test it screens` writes it anew.

use std::fs::File;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use backlog_aws::cli::Cli;
use clap::CommandFactory as _;

use crate::check;
use crate::documents::assert_current;
use crate::harness::{KEY_IDS, SECRETS, Sandbox, files_below, static_profile};
use crate::temporary::{answer, home_with, put_aws};

/// Commands and what they print, as if they had been typed at a prompt.
struct Screen {
    home: Sandbox,
    directory: PathBuf,
    /// Of the window, in columns.
    width: &'static str,
    text: String,
}

/// Draws a screen in a narrow window, in the usual one and in a wide one.
fn at_each_width(name: &str, draw: impl Fn(&mut Screen), home: impl Fn() -> Sandbox) {
    for width in ["60", "80", "120"] {
        let mut screen = Screen::of(home(), width);
        draw(&mut screen);
        let width_of = |line: &str| line.trim_start_matches("2> ").chars().count();
        let too_wide = |line: &&str| width_of(line) > width.parse().expect("a number");
        let lines = screen.text.lines().filter(|line| !line.starts_with(['$', '#']));
        // A command that is there to be copied is not broken, and neither is a path.
        let whole = |line: &&str| line.contains(['`', '/']);
        let broken: Vec<&str> = lines.filter(too_wide).filter(|line| !whole(line)).collect();
        assert!(broken.is_empty(), "{name} at {width}: {broken:#?}");
        screen.assert_current(&format!("{name}-{width}.txt"));
    }
}

impl Screen {
    fn of(home: Sandbox, width: &'static str) -> Self {
        Self { directory: home.home(), home, width, text: String::new() }
    }

    /// A heading.
    fn note(&mut self, text: &str) -> &mut Self {
        self.line(format!("# {text}\n"))
    }

    fn line(&mut self, line: impl AsRef<str>) -> &mut Self {
        self.text += line.as_ref();
        self.text += "\n";
        self
    }

    fn cd(&mut self, directory: &str) -> &mut Self {
        self.directory = self.home.path(directory);
        self
    }

    /// What a command line says on standard error.
    fn say(&mut self, line: &str) -> &mut Self {
        let shown = self.text.len();
        self.run(line);
        let said = self.text.split_off(shown);
        for line in said.lines().filter_map(|line| line.strip_prefix("2> ")) {
            self.line(line);
        }
        self.line("")
    }

    /// A command line of variables and words without blanks. What goes to standard error is marked.
    fn run(&mut self, line: &str) -> &mut Self {
        let words: Vec<&str> = line.split(' ').collect();
        let program = words.iter().position(|word| *word == "backlog-aws").expect("it is called");
        let mut run = self.home.invoke(&words[program + 1..]).cwd(&self.directory);
        run = run.env("COLUMNS", self.width);
        for variable in &words[..program] {
            let (name, value) = variable.split_once('=').expect("NAME=value");
            run = run.env(name, value);
        }
        let output = run.run();
        self.line(format!("$ {line}"));
        // Proxies of whoever runs the tests, and of other tests, are no part of a screen.
        let proxy = |line: &&str| line.contains("LiteLLM (process ") || line.contains("`kill ");
        for line in output.out().lines().filter(|line| !proxy(line)) {
            self.line(line);
        }
        for line in output.err().lines() {
            self.line(format!("2> {line}"));
        }
        if output.code != Some(0) {
            self.line(format!("[exit {}]", output.code.expect("no signal ends it")));
        }
        self.line("")
    }

    /// Compares with the file, the home being where it is for the one who reads it.
    #[track_caller]
    fn assert_current(&self, name: &str) {
        let mut text = self.text.clone();
        let home = self.home.home();
        for home in [home.canonicalize().expect("it is there"), home] {
            text = text.replace(home.to_str().expect("a path in UTF-8"), "/home/u");
        }
        text = without_new_names(&without_long_numbers(&text));
        text = text.replace(check::plain("").trim_matches(|c| "htp:/".contains(c)), "localhost");
        let program = Sandbox::built_binary().to_str().expect("a path in UTF-8");
        text = text.replace(program, "backlog-aws");
        assert_current(&format!("tests/it/screens/{name}"), &format!("{}\n", text.trim_end()));
    }
}

/// The names of files that are made are others in each home.
fn without_new_names(text: &str) -> String {
    let shown = |line: &str| match line.split_once("/backlog-aws/sealed-") {
        Some((before, _)) => format!("{before}/backlog-aws/sealed-(name)\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(shown).collect()
}

/// Fingerprints and times of change are others in each run.
fn without_long_numbers(text: &str) -> String {
    let pieces = text.split_inclusive(|c: char| !c.is_ascii_digit());
    let shortened = pieces.map(|piece| {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        if digits < 13 { piece.to_owned() } else { format!("(number){}", &piece[digits..]) }
    });
    shortened.collect()
}

/// Profiles of all kinds.
fn crowded_home() -> Sandbox {
    let home = Sandbox::documented_home();
    let (id, secret, token) = (KEY_IDS[1], SECRETS[1], SECRETS[2]);
    let keys = format!(
        "aws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = {token}\n"
    );
    home.write_private(
        ".aws/credentials",
        format!(
            "{}[session]\n{keys}aws_session_expiration = 2999-01-01T00:00:00Z\n\
             [old]\n{keys}aws_session_expiration = 2001-01-01T00:00:00Z\n\
             [half]\naws_access_key_id = {id}\n{}",
            static_profile("bedrock", "eu-west-1"),
            static_profile("a-profile/with-a-name.that+goes@on-and-on", "eu-west-1")
        ),
    );
    home.write(
        ".aws/config",
        "[profile cc]\nsso_start_url = https://corp.awsapps.com/start\nregion = eu-central-1\n\
         [profile admin]\nrole_arn = arn:aws:iam::777788889999:role/Admin\nsource_profile = bedrock\n\
         [profile vault]\ncredential_process = /usr/bin/vault aws\n\
         [profile empty]\nregion = eu-north-1\n",
    );
    home
}

#[test]
fn help() {
    let draw = |screen: &mut Screen| {
        screen.run("backlog-aws --version").run("backlog-aws -h").run("backlog-aws --help");
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            screen.run(&format!("backlog-aws {} --help", command.get_name()));
        }
    };
    at_each_width("help", draw, Sandbox::new);
}

/// Without a terminal; what it asks on one is in `setup.rs`.
#[test]
fn setup() {
    let draw = |screen: &mut Screen| {
        screen.run("SHELL=/bin/bash backlog-aws setup").run("backlog-aws setup --shell fish");
        screen.home.write(".config/backlog-aws/config.ini", "profile = bedrock\n");
        screen.home.write(".zshrc", "plugins=(git backlog-aws)\n");
        screen.note("Everything is there.").run("SHELL=/bin/zsh backlog-aws setup");
        screen.run("backlog-aws setup --remove").run("SHELL=/bin/nu backlog-aws setup");
        screen.home.write(".bashrc", "\0");
        screen.run("backlog-aws setup --shell bash");
        screen.home.remove(".aws");
        screen.home.remove(".config");
        screen.note("Without AWS files.").run("backlog-aws setup --shell zsh");
    };
    at_each_width("setup", draw, crowded_home);
}

#[test]
fn status() {
    let draw = |screen: &mut Screen| {
        screen
            .run("backlog-aws status")
            .run("AWS_PROFILE=cc backlog-aws")
            .run("AWS_PROFILE=bedrock backlog-aws status")
            .run("BACKLOG_AWS_PROFILE=bedrock BACKLOG_AWS_REGION=eu-north-1 backlog-aws status")
            .run("BACKLOG_AWS_PROFILE=cc backlog-aws status")
            .run("BACKLOG_AWS_PROFILE=nowhere backlog-aws status");
        screen.note("In a directory with an override.").cd("acme").run("backlog-aws status");
        screen.home.write("acme/.backlog-aws", "profile = luxito\n");
        screen.note("It was changed by somebody.").run("backlog-aws status").cd("");
        screen.home.write(".backlog-toolkit-env", "export BACKLOG_AWS_PROFILE='bedrock'\n");
        screen.note("With a file of the toolkit.").run("backlog-aws status");
        screen
            .home
            .write(".backlog-toolkit-env", "export BACKLOG_AWS_PROFILE=\"$(echo bedrock)\"\n");
        screen.note("It needs a shell.").run("backlog-aws status");
        screen.home.remove(".aws");
        screen.home.remove(".backlog-toolkit-env");
        screen.note("Without AWS files.").run("backlog-aws status");
    };
    at_each_width("status", draw, Sandbox::with_override);
}

#[test]
fn list() {
    let draw = |screen: &mut Screen| {
        screen.run("backlog-aws list").run("BACKLOG_AWS_PROFILE=cc backlog-aws list --usable");
        screen.home.remove(".aws");
        screen.note("Without AWS files.").run("backlog-aws list");
    };
    at_each_width("list", draw, crowded_home);
}

#[test]
fn choices() {
    let draw = |screen: &mut Screen| {
        screen.home.mkdir("acme");
        screen
            .run("backlog-aws use bedrock")
            .run("backlog-aws use cc --shell bash --session 1.1")
            .run("backlog-aws use half --shell bash --session 1.1")
            .run("backlog-aws use nowhere --shell bash --session 1.1")
            .run("backlog-aws local")
            .run("backlog-aws local cc")
            .cd("acme")
            .run("backlog-aws local bedrock")
            .run("backlog-aws local --region eu-north-1")
            .run("backlog-aws local")
            .run("backlog-aws deny")
            .run("backlog-aws local")
            .run("backlog-aws allow")
            .run("backlog-aws local --unset");
        screen.home.write("acme/.backlog-aws", "profil = bedrock\n");
        screen
            .run("backlog-aws allow")
            .run("backlog-aws allow --under .")
            .run("backlog-aws status");
    };
    at_each_width("choices", draw, crowded_home);
}

#[test]
fn credentials() {
    let draw = |screen: &mut Screen| {
        screen
            .run("backlog-aws exec --dry-run -p bedrock")
            .run("AWS_SESSION_TOKEN=x backlog-aws exec --dry-run -p session")
            .run("backlog-aws exec -p cc -- true")
            .run("backlog-aws exec -p old -- true")
            .run("backlog-aws exec -p half -- true")
            .run("backlog-aws exec -p nowhere -- true")
            .run("backlog-aws exec -p bedrock -- /nowhere/at/all")
            .run("backlog-aws exec -p bedrock -- /")
            .run("backlog-aws exec true")
            .run("backlog-aws credentials -p cc")
            .run("backlog-aws credentials -p bedrock --format nonsense");
    };
    at_each_width("credentials", draw, crowded_home);
}

#[test]
fn doctor() {
    let draw = |screen: &mut Screen| {
        screen.home.write(".bashrc", "eval \"$(backlog-aws init bash)\"\n");
        screen.run("SHELL=/bin/bash backlog-aws doctor");
        screen.note("In a directory with an override, beside Claude Code.").cd("acme");
        screen.run("SHELL=/bin/bash AWS_PROFILE=cc AWS_ACCESS_KEY_ID=x backlog-aws doctor").cd("");
        screen.home.remove(".aws");
        screen.note("Without AWS files.").run("SHELL=/bin/bash backlog-aws doctor");
    };
    at_each_width("doctor", draw, Sandbox::with_override);
}

/// The answers of a stand-in for AWS.
#[test]
fn check() {
    let draw = |screen: &mut Screen| {
        let mut at = |endpoint: String, words: &str| {
            screen.run(&format!("AWS_ENDPOINT_URL={endpoint} backlog-aws check {words}"));
        };
        at(check::plain("good"), "-p bedrock");
        at(check::plain("good"), &format!("-p bedrock --model {}", check::MODEL));
        at(check::plain("good"), "-p bedrock --model anthropic.claude-haiku");
        at(check::fail(403, "InvalidClientTokenId", "invalid"), "-p bedrock");
        at(check::plain("clock/3600"), "-p bedrock");
        at(check::plain("page"), "-p bedrock");
        at("http://127.0.0.1:1".to_owned(), "-p bedrock");
        at(check::plain("good"), "-p cc");
    };
    at_each_width("check", draw, crowded_home);
}

#[test]
fn env() {
    let draw = |screen: &mut Screen| {
        screen.run("backlog-aws env").run("backlog-aws env --format json").cd("acme");
        screen.run("backlog-aws env").run("backlog-aws env --format github");
        screen.home.write("acme/.backlog-aws", "profile = luxito\n");
        screen.note("It was changed by somebody.").run("backlog-aws env").cd("");
        screen.run("BACKLOG_AWS_PROFILE=cc backlog-aws env");
    };
    at_each_width("env", draw, Sandbox::with_override);
}

/// Credentials that are not those of the files.
#[test]
fn handed_over() {
    let draw = |screen: &mut Screen| {
        screen.run("backlog-aws exec --dry-run --temporary -p cc");
        screen.run("backlog-aws exec --dry-run --sealed -p bedrock");
        screen.run("backlog-aws exec --dry-run --bearer --for 30m -p bedrock");
        let key = screen.text.rfind(", until").expect("a key has an end");
        let end = key + screen.text[key..].find("\nset").expect("it is set");
        screen.text.replace_range(key..end, ", until (time)");
        screen.run("backlog-aws exec --bearer --for 13h -p bedrock true");
        screen.run("backlog-aws exec --sealed -p bedrock ./scripts/services/start-services.sh");
        screen.run("backlog-aws exec --temporary true");
        screen.run("backlog-aws exec --temporary -p nowhere true");
        put_aws(&screen.home, "echo 'Error loading SSO Token: expired' >&2; exit 255");
        screen.note("The AWS CLI fails.").run("backlog-aws exec --temporary -p cc true");
        put_aws(&screen.home, "echo no JSON");
        screen.note("It answers otherwise.").run("backlog-aws exec --temporary -p cc true");
    };
    let given = format!("printf %s '{}'", answer("2999-01-01T00:00:00Z"));
    at_each_width("handed-over", draw, || home_with(&given));
}

/// What a shell says at its prompts, each kind by itself.
#[test]
fn notices() {
    let draw = |screen: &mut Screen| {
        let (id, secret) = (KEY_IDS[0], SECRETS[0]);
        let keys = |name: &str, more: &str| {
            format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n{more}")
        };
        let hook = |screen: &mut Screen, variables: &str| {
            screen.say(&format!("{variables} backlog-aws hook bash 1.1 nothing"));
        };
        let credentials = |screen: &Screen, text: &str| {
            screen.home.write_private(".aws/credentials", text);
        };
        hook(screen.note("A guess."), "A=b");
        hook(screen.note("An SSO profile."), "AWS_PROFILE=cc");
        hook(screen.note("No such profile."), "AWS_PROFILE=gone");
        hook(screen.note("A name for boto3 only."), "AWS_PROFILE=with\u{e9}");
        hook(
            screen.note("Keys in the environment."),
            "AWS_PROFILE=cc AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=y",
        );
        screen.home.write(".backlog-toolkit-env", "export AWS_ACCESS_KEY_ID=\"$X\"\n");
        hook(screen.note("A value that needs a shell."), "A=b");
        screen.home.write(".backlog-toolkit-env", "export BACKLOG_AWS_PROFILE='cc'\n");
        hook(screen.note("A choice that cannot be used."), "A=b");
        screen.home.write(".backlog-toolkit-env", "export BACKLOG_AWS_PROFILE='bedrok'\n");
        hook(screen.note("A choice that does not exist."), "A=b");
        screen.home.remove(".backlog-toolkit-env");
        screen.cd("acme").home.write("acme/.backlog-aws", "profile = luxito\n");
        hook(screen.note("An override that changed."), "A=b");
        screen.home.write("acme/.backlog-aws", "profil = luxito\n");
        screen.home.invoke(["allow", "--under", "acme"]).run().expect_code(0);
        hook(screen.note("An override with a mistake."), "A=b");
        screen.home.write("new/.backlog-aws", "profile = luxito\n");
        hook(screen.note("An override that came with a repository.").cd("new"), "A=b");
        screen.home.remove("new");
        screen.cd("");
        credentials(
            screen,
            &keys("old", "aws_session_token = t\nexpiration = 2001-01-01T00:00:00Z\n"),
        );
        hook(screen.note("Nothing but expired credentials."), "A=b");
        credentials(screen, &keys("old", "aws_session_token = t\nexpiration = soon\n"));
        hook(screen.note("A time that cannot be read."), "A=b");
        credentials(screen, &keys("a", "").replace("AKIA", "ASIA"));
        hook(screen.note("Keys that cannot work."), "A=b");
        credentials(screen, &format!("lost\n{}[b c]\nx = y\n", keys("a", "region\n")));
        hook(screen.note("Lines that are no good."), "A=b");
        screen.home.remove(".aws/credentials");
        screen.home.write(".aws/credentials", keys("a", ""));
        hook(screen.note("A file that others can read."), "A=b");
        screen
            .home
            .write(".config/backlog-aws/config.ini", "profile = a\naccount = 111122223333\n");
        hook(screen.note("An account that is wanted."), "A=b");
    };
    at_each_width("notices", draw, Sandbox::with_override);
}

/// What the shells are given to evaluate, and what people are told along with it.
#[test]
fn hook() {
    let mut screen = Screen::of(Sandbox::documented_home(), "80");
    let past = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
    for path in files_below(&screen.home.path(".aws")).into_iter().chain([screen.home.path(".aws")])
    {
        File::open(path).and_then(|file| file.set_modified(past)).expect("it is ours");
    }
    screen.home.user_changed_files();
    // A change time cannot be set back.
    sleep(Duration::from_millis(60));
    screen.note("Loaded for each prompt.").cd("/");
    for line in
        ["bash 1.1 stamps", "zsh 1.1 change-time", "fish 1.1 stamps", "nu 1.1 modification-time"]
    {
        screen.run(&format!("AWS_PROFILE=cc backlog-aws hook {line}"));
    }
    screen.note("Loaded for changes of the directory.");
    for line in ["bash 1.1 nothing", "zsh 1.1 nothing", "fish 1.1 nothing", "nu 1.1 nothing"] {
        screen.run(&format!("BACKLOG_AWS_QUIET=1 backlog-aws hook {line}"));
    }
    screen.assert_current("hook.txt");
}
