//! What prompts and the program cost, counted and not timed: processes, system calls, instructions.
//!
//! Counts are the same on a busy machine and on an idle one. They need Linux, strace and valgrind.
#![cfg(target_os = "linux")]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::harness::{Sandbox, Session, needed, released, scenario, static_profile};

/// A file that strace writes, and the places that were marked in it.
struct Trace {
    file: PathBuf,
    marks: PathBuf,
}

impl Trace {
    fn new(home: &Sandbox) -> Self {
        Self { file: home.path("trace"), marks: home.mkdir("marks") }
    }

    /// What runs the shell.
    fn wrapper(&self) -> [OsString; 7] {
        let calls = "trace=clone,clone3,fork,vfork,execve,openat";
        [
            needed("strace").into(),
            "-f".into(),
            "-qq".into(),
            "-e".into(),
            calls.into(),
            "-o".into(),
            self.file.clone().into(),
        ]
    }

    /// A redirection that leaves a mark in the trace and starts nothing.
    fn mark(&self, name: &str) -> String {
        let path = self.marks.join(name);
        File::create(&path).unwrap();
        format!("true < {}", path.display())
    }

    /// What was started between two marks: processes, and programs that they became.
    #[track_caller]
    fn between(&self, from: &str, to: &str) -> Started {
        let text = fs::read_to_string(&self.file).unwrap();
        let mark = |name: &str| {
            let path = format!("\"{}\"", self.marks.join(name).display());
            text.lines()
                .position(|line| line.contains("openat(") && line.contains(&path))
                .unwrap_or_else(|| panic!("the trace has no mark {name}:\n{text}"))
        };
        Started::count(text.lines().skip(mark(from)).take(mark(to) - mark(from)))
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Started {
    processes: usize,
    programs: Vec<String>,
}

impl Started {
    fn count<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut started = Self::default();
        for line in lines {
            let Some((_, call)) = line.split_once(' ') else {
                continue;
            };
            let call = call.trim_start();
            // The second half of a call that another process interrupted was counted with the first.
            if ["clone(", "clone3(", "fork(", "vfork("].iter().any(|name| call.starts_with(name)) {
                // fish has threads.
                started.processes += usize::from(!call.contains("CLONE_THREAD"));
            }
            if let Some(program) = call.strip_prefix("execve(\"") {
                // A search along PATH may fail a few times first.
                if !call.contains(" = -1 ") {
                    let words: Vec<&str> = program.split('"').collect();
                    let name = words[0].rsplit('/').next().unwrap_or_default();
                    started.programs.push(format!("{name} {}", words.get(4).unwrap_or(&"")));
                }
            }
        }
        started
    }

    /// So many starts of `backlog-aws hook`, each a process of its own, and nothing else.
    fn hooks(count: usize) -> Self {
        Self { processes: count, programs: vec!["backlog-aws hook".to_owned(); count] }
    }
}

/// Rewrites the credentials with a time of the past, so that nothing about them but the change itself is new.
fn edit(home: &Sandbox, step: u64) {
    let path = home.path(".aws/credentials");
    let mut file = OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
    file.write_all(static_profile("bedrock", &format!("region-{step}")).as_bytes()).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::new(1_000_000_000 + step, 5)).unwrap();
    home.user_changed_files();
    // No file is racily clean any more.
    sleep(Duration::from_millis(60));
}

scenario! {
    fn a_hundred_unchanged_prompts_start_nothing(shell) {
        let home = Sandbox::documented_home();
        let trace = Trace::new(&home);
        let mut session = Session::builder(&home, shell).under(trace.wrapper()).env("AWS_PROFILE", "cc").spawn();
        session.settle_hook();
        session.line(trace.mark("from"));
        for _ in 0..100 {
            session.line("");
        }
        session.line(trace.mark("to"));
        assert_eq!(trace.between("from", "to"), Started::default());
    }

    fn each_change_starts_the_program_once(shell) {
        let home = Sandbox::documented_home();
        let trace = Trace::new(&home);
        let mut session = Session::builder(&home, shell).under(trace.wrapper()).spawn();
        session.settle_hook();
        for step in 0..10 {
            session.line(trace.mark(&format!("from-{step}")));
            edit(&home, step);
            for _ in 0..5 {
                session.line("");
            }
            session.line(trace.mark(&format!("to-{step}")));
            assert_eq!(trace.between(&format!("from-{step}"), &format!("to-{step}")), Started::hooks(1));
        }
    }

    fn a_notice_starts_nothing_more(shell) {
        let home = Sandbox::documented_home();
        let trace = Trace::new(&home);
        let mut session = Session::builder(&home, shell).under(trace.wrapper()).spawn();
        session.settle_hook();
        session.line(trace.mark("from"));
        let turn = session.export("AWS_PROFILE", "cc");
        session.line("");
        session.line(trace.mark("to"));
        assert!(turn.text.contains("Profile 'cc' has no static credentials"), "{}", turn.text);
        // `export` looks into the environment with `env`.
        let mut started = trace.between("from", "to");
        started.programs.retain(|program| !program.starts_with("env "));
        assert_eq!(started.programs, Started::hooks(1).programs);
    }

    fn a_change_of_directory_starts_the_program_once(shell) {
        let home = Sandbox::documented_home();
        let project = home.mkdir("project");
        home.write("project/.backlog-aws", "profile = bedrock\n");
        home.run(["allow", project.to_str().unwrap()]).expect_code(0);
        sleep(Duration::from_millis(60));
        let trace = Trace::new(&home);
        let mut session = Session::builder(&home, shell).under(trace.wrapper()).spawn();
        session.settle_hook();
        for (step, directory) in [&project, &home.home(), &project].into_iter().enumerate() {
            session.line(trace.mark(&format!("from-{step}")));
            session.cd(directory);
            session.line("");
            session.line(trace.mark(&format!("to-{step}")));
            assert_eq!(trace.between(&format!("from-{step}"), &format!("to-{step}")), Started::hooks(1));
        }
    }

    fn a_hundred_changes_of_directory_with_the_same_answer_start_nothing(shell) {
        let home = Sandbox::documented_home();
        let deep = home.mkdir("project/a/b/c");
        home.allow("project", "profile = bedrock\n");
        home.mkdir("ruled/x/y");
        home.write(".config/backlog-aws/config.ini", "[~/ruled]\nprofile = bedrock\n");
        std::os::unix::fs::symlink(&deep, home.path("link")).unwrap();
        let outside = home.mkdir("other/place");
        sleep(Duration::from_millis(60));
        let trace = Trace::new(&home);
        let mut session = Session::builder(&home, shell).under(trace.wrapper()).spawn();
        let project = [home.path("project"), deep.clone(), home.path("link"), home.path("project/a")];
        let free = [outside, home.home(), "/".into(), home.path("other")];
        let ruled = [home.path("ruled"), home.path("ruled/x/y"), home.path("ruled/x")];
        for (name, directories) in [("project", &project[..]), ("free", &free), ("ruled", &ruled)] {
            session.cd(&directories[0]);
            session.settle_hook();
            session.line(trace.mark(&format!("from-{name}")));
            for step in 0..34 {
                session.cd(&directories[step % directories.len()]);
            }
            session.line(trace.mark(&format!("to-{name}")));
            assert_eq!(trace.between(&format!("from-{name}"), &format!("to-{name}")), Started::default(), "{name}");
        }
    }

    fn loading_the_integration_starts_one_process_and_the_first_prompt_another(shell) {
        let home = Sandbox::documented_home();
        let trace = Trace::new(&home);
        let started = |integrated: bool| {
            let mut builder = Session::builder(&home, shell).under(trace.wrapper());
            if !integrated {
                builder = builder.without_integration();
            }
            drop(builder.spawn());
            Started::count(fs::read_to_string(&trace.file).unwrap().lines())
        };
        // At its very first start, fish makes directories.
        started(false);
        let plain = started(false);
        let mut loaded = started(true);
        let ours: Vec<String> = loaded.programs.extract_if(.., |program| program.starts_with("backlog-aws")).collect();
        assert_eq!(ours.iter().filter(|program| *program == "backlog-aws init").count(), 1, "{ours:?}");
        // Files that were just written are looked at again, at the prompts at which the harness looks too.
        let hooks = ours.iter().filter(|program| *program == "backlog-aws hook").count();
        assert_eq!(ours.len(), 1 + hooks, "{ours:?}");
        assert!(hooks >= 1, "{ours:?}");
        assert_eq!(loaded.programs, plain.programs);
        // bash before 5 has a process of its own for `$(backlog-aws init bash)`, beside the program's.
        let between = usize::from(shell.is_bash_before(5));
        assert_eq!(loaded.processes, plain.processes + ours.len() + between);
    }
}

/// The least that a Rust program costs: `println!("hello")`, linked statically too.
fn hello() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (source, program) = (directory.join("hello.rs"), directory.join("hello"));
        fs::write(&source, "fn main() { println!(\"hello\"); }\n").unwrap();
        let flags = ["-O", "-C", "panic=abort", "-C", "target-feature=+crt-static", "-o"];
        let built = Command::new("rustc")
            .args(flags)
            .arg(&program)
            .arg(&source)
            .status()
            .expect("rustc runs");
        assert!(built.success(), "hello does not compile");
        program
    })
}

/// A run in a directory below the home, like that of a hook, with standard output into a pipe.
fn command(home: &Sandbox, words: &[OsString]) -> Command {
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .env_clear()
        .envs(home.environment())
        .env("AWS_PROFILE", "cc")
        .current_dir(home.mkdir("src/acme"))
        .stdin(Stdio::null());
    command
}

fn hook_words() -> Vec<OsString> {
    [released().as_os_str().to_owned()]
        .into_iter()
        .chain(["hook", "bash", "1.1", "stamps"].map(OsString::from))
        .collect()
}

/// Runs once more than needed, so that the stamps are there.
#[track_caller]
fn system_calls(home: &Sandbox, words: &[OsString]) -> usize {
    let file = home.path("calls");
    let mut traced = vec![needed("strace").into(), "-qq".into(), "-o".into(), file.clone().into()];
    traced.extend_from_slice(words);
    for _ in 0..2 {
        let output = command(home, &traced).output().expect("strace runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    fs::read_to_string(file).unwrap().lines().count()
}

#[track_caller]
fn instructions(home: &Sandbox, words: &[OsString]) -> u64 {
    let file = home.path("callgrind");
    let mut option = OsString::from("--callgrind-out-file=");
    option.push(&file);
    let mut counted = vec![needed("valgrind").into(), "--tool=callgrind".into(), option];
    counted.extend_from_slice(words);
    let mut count = 0;
    for _ in 0..2 {
        let output = command(home, &counted).output().expect("valgrind runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = fs::read_to_string(&file).unwrap();
        let total = text
            .lines()
            .find_map(|line| line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")));
        count = total.expect("callgrind counts").trim().parse().expect("a number");
    }
    count
}

/// A settled home: nothing in it is young enough to be looked at again.
fn documented_home() -> Sandbox {
    let home = Sandbox::documented_home();
    sleep(Duration::from_millis(60));
    home
}

#[test]
fn the_hook_makes_few_more_system_calls_than_a_hello() {
    let home = documented_home();
    let floor = system_calls(&home, &[hello().into()]);
    let hook = system_calls(&home, &hook_words());
    // 35 and 74 when this was written, at a depth of 5 directories: 15 of them look whether stamps and files are safe.
    assert!(hook < floor + 45, "{hook} system calls; a hello makes {floor}");
}

#[test]
fn the_hook_executes_fewer_than_four_hundred_thousand_instructions() {
    let home = documented_home();
    let floor = instructions(&home, &[hello().into()]);
    let hook = instructions(&home, &hook_words());
    // 106,000 and 285,000 when this was written. A fork and an execve take the kernel several millions.
    assert!(hook < floor + 300_000, "{hook} instructions; a hello executes {floor}");
    let init = instructions(&home, &[released().into(), "init".into(), "bash".into()]);
    // Once at the start of a shell; most of it is the command line's description.
    assert!(init < floor + 600_000, "init: {init} instructions; a hello executes {floor}");
}

#[test]
fn profiles_cost_the_hook_a_constant_number_of_instructions_each() {
    let home = documented_home();
    let with = |count: u64| {
        let text: String = (0..count)
            .map(|index| static_profile(&format!("profile-{index:06}"), "eu-west-1"))
            .collect();
        home.write(".aws/credentials", text);
        let modified = SystemTime::now() - Duration::from_secs(10);
        File::open(home.path(".aws/credentials")).unwrap().set_modified(modified).unwrap();
        home.user_changed_files();
        instructions(&home, &hook_words())
    };
    let (hundred, ten_thousand, hundred_thousand) = (with(100), with(10_000), with(100_000));
    let each = (ten_thousand - hundred) / 9_900;
    // 8,200 when this was written, for 150 bytes each.
    assert!(each < 9_500, "{each} instructions for each profile");
    let each_of_many = (hundred_thousand - ten_thousand) / 90_000;
    assert!(
        each_of_many * 10 < each * 12,
        "{each} instructions for each of 10,000 profiles, {each_of_many} for each of 100,000"
    );
}

#[test]
fn a_deep_directory_costs_the_hook_a_constant_number_of_system_calls_per_level() {
    let home = documented_home();
    let at = |depth: usize| {
        let directory = home.mkdir("d/".repeat(depth));
        let file = home.path("calls");
        let mut command = command(
            &home,
            &[needed("strace").into(), "-qq".into(), "-o".into(), file.clone().into()],
        );
        let done = command.args(hook_words()).current_dir(directory).output().expect("strace runs");
        assert!(done.status.success());
        fs::read_to_string(file).unwrap().lines().count()
    };
    at(1);
    let (shallow, deep) = (at(10), at(110));
    assert!(
        deep <= shallow + 110,
        "{shallow} system calls at one depth, {deep} a hundred levels deeper"
    );
}
