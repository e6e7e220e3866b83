//! A throw-away home, and the binary run in it without a shell.

use std::cell::{Cell, RefCell};
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, str};

use super::guard::{FileTree, assert_no_secret};
use super::schemas::assert_documented;
use super::tools::{needed, released, usual_circumstances};

/// AWS's own documentation examples; none of them opens anything.
pub const KEY_IDS: [&str; 2] = ["AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE"];

/// What must not be seen in any output unless a test asks for it: secrets and, since they are always masked, key ids.
pub const SECRETS: [&str; 5] = [
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
    "IQoJb3JpZ2luX2IQoJb3JpZ2luX2EXAMPLETOKEN",
    KEY_IDS[0],
    KEY_IDS[1],
];

const SYSTEM_PATH: &str =
    "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:/opt/homebrew/bin";

/// A short-lived Bedrock API key for a region, signed with nothing, that was made now and lasts for so long.
pub fn api_key(region: &str, seconds: u32) -> String {
    use base64::Engine as _;
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let url = format!(
        "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=ASIAQNZGKIQY56JQ7WML%2F20300102%2F{region}%2Fbedrock%2Faws4_request\
         &X-Amz-Date={now}&X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host&X-Amz-Signature=00&Version=1"
    );
    format!("bedrock-api-key-{}", base64::engine::general_purpose::STANDARD.encode(url))
}

/// A static profile with the first of the keys, as it stands in the credentials file.
pub fn static_profile(name: &str, region: &str) -> String {
    profile(name, 0, region)
}

fn profile(name: &str, key: usize, region: &str) -> String {
    let (id, secret) = (KEY_IDS[key], SECRETS[key]);
    format!(
        "[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\nregion = {region}\n"
    )
}

/// A home directory that exists for one test, with nothing of the real one in it.
pub struct Sandbox {
    root: tempfile::TempDir,
    guarded: RefCell<FileTree>,
    files_made: Cell<u32>,
}

impl Sandbox {
    /// An empty home, with the binary on `PATH`.
    pub fn new() -> Self {
        usual_circumstances();
        let root = tempfile::Builder::new()
            .prefix("backlog-aws-test-")
            .tempdir()
            .expect("a temporary directory can be made");
        for directory in ["home", "bin", "state"] {
            fs::create_dir(root.path().join(directory)).expect("the sandbox is writable");
        }
        std::os::unix::fs::symlink(Self::built_binary(), root.path().join("bin/backlog-aws"))
            .expect("the sandbox is writable");
        let sandbox = Self { root, guarded: RefCell::default(), files_made: Cell::new(0) };
        // Without this directory fish starts to parse every man page of the machine in the background.
        sandbox.mkdir(".local/share/fish/generated_completions");
        sandbox
    }

    /// The home of the documentation: SSO profile `cc` for Claude Code, static `luxito` and `bedrock`, no default.
    pub fn documented_home() -> Self {
        let sandbox = Self::new();
        sandbox.write(
            ".aws/config",
            "[profile cc]\n\
             sso_session = corp\n\
             sso_account_id = 111122223333\n\
             sso_role_name = ClaudeCode\n\
             region = eu-central-1\n\
             \n\
             [sso-session corp]\n\
             sso_start_url = https://corp.awsapps.com/start\n\
             sso_region = eu-central-1\n\
             sso_registration_scopes = sso:account:access\n",
        );
        let luxito = profile("luxito", 1, "us-west-2");
        // As `aws configure` leaves it; others being able to read it is worth a notice.
        sandbox.write_private(
            ".aws/credentials",
            luxito + "\n" + &static_profile("bedrock", "eu-west-1"),
        );
        sandbox
    }

    /// The documented home with `acme/deep`, where an allowed override says bedrock, and `plain`, where none does.
    pub fn with_override() -> Self {
        let sandbox = Self::documented_home();
        sandbox.allow("acme", "profile = bedrock\n");
        sandbox.mkdir("acme/deep");
        sandbox.mkdir("plain");
        sandbox
    }

    /// The executable under test.
    pub fn built_binary() -> &'static Path {
        Path::new(env!("CARGO_BIN_EXE_backlog-aws"))
    }

    /// The name on `PATH` that sessions find it by, a symbolic link. A test may remove it, or put a wrapper there.
    pub fn binary_on_path(&self) -> PathBuf {
        self.root.path().join("bin/backlog-aws")
    }

    /// Puts a script in that place; `Sandbox::built_binary` is what it may want to call.
    #[track_caller]
    pub fn replace_binary(&self, script: &str) {
        self.write_program(self.binary_on_path(), script);
    }

    /// Puts a script of this name beside it.
    #[track_caller]
    pub fn put_on_path(&self, name: &str, script: &str) {
        self.write_program(self.binary_on_path().with_file_name(name), script);
    }

    /// Makes a script that can be run. A child writes it: while this process has it open for writing, another test may
    /// fork and hold it open too, and then it cannot be run.
    #[track_caller]
    pub fn write_program(&self, path: impl AsRef<Path>, script: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("it is in a directory")).expect("it is writable");
        // Not through a symbolic link.
        let _ = fs::remove_file(&path);
        let write = ["-c", "cat > \"$1\" && chmod 755 \"$1\"", "sh"];
        let child = Command::new("sh").args(write).arg(&path).stdin(Stdio::piped()).spawn();
        let mut child = child.expect("there is a sh");
        let mut input = child.stdin.take().expect("it is a pipe");
        input.write_all(script.as_ref()).expect("it reads");
        drop(input);
        assert!(child.wait().expect("it ends").success(), "{} is written", path.display());
    }

    /// Puts a script there that does something before each `hook`. It calls the binary by the name that it is called by
    /// itself, so that `init` gives out the path of the script.
    #[track_caller]
    pub fn wrap_hook(&self, before: &str) {
        let binary = Self::built_binary().display();
        self.replace_binary(&format!(
            "#!/usr/bin/env bash\nif [ \"$1\" = hook ]; then {before}; fi\nexec -a \"$0\" {binary} \"$@\"\n"
        ));
    }

    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// A path in the home. The file need not exist.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.home().join(relative)
    }

    /// Writes a file of the home, with its parent directories.
    #[track_caller]
    pub fn write(&self, relative: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("a file has a parent"))
            .expect("the home is writable");
        fs::write(&path, contents).expect("the home is writable");
        // It may hold keys, and that others can read them is worth a notice.
        if path.ends_with(".backlog-toolkit-env") {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is our own");
        }
        self.user_changed_files();
        path
    }

    /// Adds to a file of the home.
    #[track_caller]
    pub fn append(&self, relative: impl AsRef<Path>, more: &str) -> PathBuf {
        let path = self.path(relative);
        let text = fs::read_to_string(&path).expect("the file is there");
        fs::write(&path, text + more).expect("the file is our own");
        self.user_changed_files();
        path
    }

    /// The same as [`write`](Self::write), for the user's eyes only, as `aws configure` leaves its files.
    #[track_caller]
    pub fn write_private(&self, relative: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(relative, contents);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is our own");
        self.user_changed_files();
        path
    }

    /// Writes an override and allows it.
    #[track_caller]
    pub fn allow(&self, directory: impl AsRef<Path>, contents: &str) -> PathBuf {
        let directory = self.mkdir(directory);
        let file = self.write(directory.join(".backlog-aws"), contents);
        self.invoke(["allow"]).cwd(directory).run().expect_code(0);
        file
    }

    #[track_caller]
    pub fn mkdir(&self, relative: impl AsRef<Path>) -> PathBuf {
        let path = self.path(relative);
        fs::create_dir_all(&path).expect("the home is writable");
        self.user_changed_files();
        path
    }

    #[track_caller]
    pub fn remove(&self, relative: impl AsRef<Path>) {
        let path = self.path(relative);
        let removed = if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.unwrap_or_else(|error| panic!("{} cannot be removed: {error}", path.display()));
        self.user_changed_files();
    }

    /// Says that the test itself just changed `~/.aws` or `~/.claude` by other means than [`write`](Self::write).
    pub fn user_changed_files(&self) {
        *self.guarded.borrow_mut() = FileTree::capture(&self.home());
    }

    /// Asserts that `~/.aws` and `~/.claude` are as the test left them. Sessions and runs do this by themselves.
    #[track_caller]
    pub fn assert_guarded_files_untouched(&self) {
        if let Some(difference) = self.guarded.borrow().difference(&FileTree::capture(&self.home()))
        {
            panic!("a file that is not ours was touched: {difference}");
        }
    }

    /// The environment every child starts from. Nothing of the test's own environment is in it.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut path = self.root.path().join("bin").into_os_string();
        path.push(":");
        path.push(SYSTEM_PATH);
        vec![
            ("HOME".into(), self.home().into()),
            ("PATH".into(), path),
            ("TERM".into(), "xterm-256color".into()),
            ("LANG".into(), "C.UTF-8".into()),
        ]
    }

    /// A program to be run in the home, with no input and nothing of the test's own environment.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment()).current_dir(self.home()).stdin(Stdio::null());
        command
    }

    /// `strace`, to be given the program to run, whose system calls it writes into `log`, one on each line.
    #[track_caller]
    pub fn strace(&self, options: &[&str], log: &Path) -> Command {
        let mut command = self.command(needed("strace"));
        command.arg("-qq").args(options).arg("-o").arg(log);
        command
    }

    /// Runs the binary without a terminal.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Output {
        self.invoke(arguments).run()
    }

    /// Prepares such a run.
    pub fn invoke<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Invocation<'_> {
        Invocation {
            sandbox: self,
            arguments: arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect(),
            environment: Vec::new(),
            directory: self.home(),
            input: Vec::new(),
            script: None,
            program: Self::built_binary(),
            secrets_allowed: false,
        }
    }

    /// A file name of the harness's own, outside the home, never used before.
    pub(super) fn fresh_state_file(&self, name: &str) -> PathBuf {
        self.files_made.set(self.files_made.get() + 1);
        self.root.path().join(format!("state/{name}-{}", self.files_made.get()))
    }
}

/// A run of the binary to come.
#[must_use = "nothing happens before `run`"]
pub struct Invocation<'home> {
    sandbox: &'home Sandbox,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: PathBuf,
    input: Vec<u8>,
    script: Option<OsString>,
    program: &'static Path,
    secrets_allowed: bool,
}

impl Invocation<'_> {
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// Standard input; without it the input is empty.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Runs the program as it is released, and not the debug build.
    pub fn released(mut self) -> Self {
        self.program = released();
        self
    }

    /// A shell script to run it by, in which it is `"$@"`.
    pub fn script(mut self, script: impl Into<OsString>) -> Self {
        self.script = Some(script.into());
        self
    }

    /// For the commands whose purpose is to print credentials.
    pub fn allowing_secrets(mut self) -> Self {
        self.secrets_allowed = true;
        self
    }

    #[track_caller]
    pub fn run(self) -> Output {
        let mut command = match &self.script {
            None => self.sandbox.command(self.program),
            Some(script) => {
                let mut command = self.sandbox.command("/bin/sh");
                command.arg("-c").arg(script).arg("sh").arg(self.program);
                command
            }
        };
        let mut child = command
            .args(&self.arguments)
            .envs(self.environment)
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built");
        // A child that does not read its input is no error here.
        let _ = child.stdin.take().expect("it is a pipe").write_all(&self.input);
        let output = child.wait_with_output().expect("a child can be waited for");
        let output = Output::from(output);
        if !self.secrets_allowed {
            assert_no_secret(&output.stdout, "standard output");
            assert_no_secret(&output.stderr, "standard error");
        }
        self.sandbox.assert_guarded_files_untouched();
        if self.script.is_none() {
            assert_documented(&self.arguments, &output.stdout);
        }
        output
    }
}

/// What a run left.
#[derive(Debug)]
pub struct Output {
    /// `None` after a signal.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl From<std::process::Output> for Output {
    fn from(output: std::process::Output) -> Self {
        Self { code: output.status.code(), stdout: output.stdout, stderr: output.stderr }
    }
}

impl Output {
    #[track_caller]
    pub fn out(&self) -> &str {
        str::from_utf8(&self.stdout).expect("standard output is UTF-8")
    }

    #[track_caller]
    pub fn err(&self) -> &str {
        str::from_utf8(&self.stderr).expect("standard error is UTF-8")
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }

    /// Asserts the exit code, and shows everything when it is another.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "standard output:\n{}\nstandard error:\n{}",
            String::from_utf8_lossy(&self.stdout),
            String::from_utf8_lossy(&self.stderr),
        );
        self
    }
}
