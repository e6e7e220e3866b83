//! What people wait for, measured side by side: prompts, `cd` and shell start with us, with others and with nothing.
//!
//! `cargo bench --bench prompt` runs it all in a few minutes, prints tables and writes `target/bench.json`. Everything takes turns in
//! many short rounds, so that a busy machine is busy for all. `cargo test` runs one round, to see that it works. Another
//! build of this program takes part where `BACKLOG_AWS_BENCH_BEFORE` has its path.

mod home;
mod report;
mod shells;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use backlog_aws::resolve::{Inputs, resolve};
use backlog_aws::session::UserIntent;
use backlog_aws::world::World;
use home::{Home, program};
use report::{Samples, Table};
use serde_json::{Value, json};
use shells::{Contestant, Session, Shell};

/// How much is measured.
struct Plan {
    rounds: usize,
    /// Times that Enter is pressed in each round.
    enters: usize,
    /// Times a hook runs in one loop that starts nothing, or may start something.
    loops: (u32, u32),
    profiles: &'static [usize],
    depths: &'static [usize],
}

const FULL: Plan = Plan {
    rounds: 60,
    enters: 4,
    loops: (1000, 4),
    profiles: &[3, 100, 10_000, 100_000],
    depths: &[1, 5, 10, 30, 100, 200],
};

const SHORT: Plan =
    Plan { rounds: 1, enters: 1, loops: (3, 1), profiles: &[3, 100], depths: &[5, 10] };

const USAGE: &str = "Usage: cargo bench --bench prompt -- [--short] [--json FILE]

  --short      one round of everything, to see that it works
  --json FILE  where the numbers go; target/bench.json otherwise
";

fn main() {
    let mut words = std::env::args().skip(1);
    let (mut plan, mut file, mut filter) = (&SHORT, None, None);
    let mut short = false;
    while let Some(word) = words.next() {
        match word.as_str() {
            // Cargo says so when it is `cargo bench` and not `cargo test` that runs this.
            "--bench" => plan = &FULL,
            "--short" => short = true,
            "--json" => file = words.next().map(PathBuf::from),
            "--library" => return measure_library(),
            "--help" | "-h" => return print!("{USAGE}"),
            "--list" => return println!("one_short_round: test"),
            "--test-threads" | "--skip" => drop(words.next()),
            option if option.starts_with('-') => {}
            name => filter = Some(name.to_owned()),
        }
    }
    if short {
        plan = &SHORT;
    }
    // `cargo test NAME` is about another test.
    if filter.is_some_and(|name| !"one_short_round".contains(&name)) {
        return;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench.json");
    run(plan, &file.unwrap_or(target));
}

fn run(plan: &Plan, file: &Path) {
    let machine = report::machine();
    println!("{machine:#}");
    let mut numbers = Vec::new();
    let mut done = |table: Table| {
        table.print();
        numbers.extend(table.json());
    };
    let home = Home::with_profiles(3);
    for table in prompts(plan, &home) {
        done(table);
    }
    done(processes(plan, &home));
    done(depths(plan, &home));
    done(profiles(plan));
    let everything = json!({ "schema": 1, "machine": machine, "numbers": numbers });
    std::fs::write(file, format!("{everything:#}\n")).expect("the numbers can be written");
    println!("\nThe numbers are in {}", file.display());
}

/// Prompts, `cd` and start of each shell with each contestant.
fn prompts(plan: &Plan, home: &Home) -> Vec<Table> {
    let contestants: Vec<_> = Contestant::ALL.into_iter().filter(|it| it.is_installed()).collect();
    let (here, there) = (home.directory(5), home.directory(6));
    sleep(Duration::from_millis(100));
    let mut sessions: Vec<(Shell, Contestant, Session, [Samples; 5])> = Vec::new();
    for shell in Shell::ALL {
        for &contestant in &contestants {
            let mut session = Session::start(shell, contestant, home, &here);
            for _ in 0..3 {
                session.line("");
            }
            sessions.push((shell, contestant, session, Default::default()));
        }
    }
    let cd = [&there, &here].map(|directory| format!("cd {}", directory.display()));
    for round in 0..plan.rounds {
        let times = |it: &Contestant| if it.is_quick() { plan.loops.0 } else { plan.loops.1 };
        for (_, contestant, session, [looped, ..]) in &mut sessions {
            looped.add(session.hooks(times(contestant)));
        }
        for (_, contestant, session, [_, looped, ..]) in &mut sessions {
            looped.add(session.cds(times(contestant).div_ceil(2), [&here, &there]));
        }
        for (_, _, session, [_, _, prompt, ..]) in &mut sessions {
            for _ in 0..plan.enters {
                prompt.add(session.line(""));
            }
        }
        for (_, _, session, [.., changed, _]) in &mut sessions {
            changed.add(session.line(&cd[round % 2]));
        }
        // Slow, and steadier than the rest.
        if round % 4 == 0 {
            for (shell, contestant, _, [.., start]) in &mut sessions {
                start.add(Session::start(*shell, *contestant, home, &here).start);
            }
        }
    }
    let titles = [
        "Added by the hook of an unchanged prompt, called in a loop, at a depth of 5: median (minimum)",
        "Added by a `cd` with the same answer and the prompt after it, called in a loop: median (minimum)",
        "Added to an unchanged prompt in a pty, from Enter to the prompt: median (minimum)",
        "Added to `cd` in a pty: median (minimum)",
        "Added to the start of the shell, until the first prompt: median (minimum)",
    ];
    let row = |table: &mut Table, contestant: Contestant, index: usize| {
        let of = |shell: Shell, wanted: Contestant| {
            let found = sessions.iter().find(|(known, it, ..)| *known == shell && *it == wanted);
            &found.expect("every pair was measured").3[index]
        };
        let cells = Shell::ALL.map(|shell| {
            let floor = (contestant != Contestant::Bare).then(|| of(shell, Contestant::Bare));
            (of(shell, contestant), floor)
        });
        table.row(contestant.name(), &cells);
    };
    let mut tables = Vec::new();
    for (index, title) in titles.into_iter().enumerate() {
        let mut table = Table::new(title, "", Shell::ALL.map(|shell| shell.name().to_owned()));
        for &contestant in &contestants {
            row(&mut table, contestant, index);
        }
        tables.push(table);
    }
    tables
}

/// One process from start to end, without a shell.
fn time(home: &Home, cwd: &Path, program: &Path, words: &[&str]) -> Duration {
    let mut command = Command::new(program);
    command.args(words).env_clear().envs(home.environment()).current_dir(cwd);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let status = command.status().expect("it starts");
    let taken = started.elapsed();
    assert!(status.success(), "{} {words:?} fails", program.display());
    taken
}

const HOOK: [&str; 4] = ["hook", "bash", "1.1", "stamps"];

/// The floor of a process, and what stands on it.
fn processes(plan: &Plan, home: &Home) -> Table {
    let cwd = home.directory(5);
    let hello = hello(home);
    let direnv = Contestant::Direnv.is_installed().then(|| PathBuf::from("direnv"));
    let mut runs: Vec<(&str, &Path, &[&str], Samples)> = vec![
        ("static hello", &hello, &[], Samples::default()),
        ("backlog-aws hook", program(), &HOOK, Samples::default()),
        ("backlog-aws init", program(), &["init", "bash"], Samples::default()),
    ];
    if let Some(direnv) = &direnv {
        runs.push(("direnv export", direnv, &["export", "bash"], Samples::default()));
    }
    for _ in 0..plan.rounds * 10 {
        for (_, program, words, samples) in &mut runs {
            samples.add(time(home, &cwd, program, words));
        }
    }
    let mut table = Table::new("One process: median (minimum)", "", ["time".to_owned()]);
    for (name, _, _, samples) in &runs {
        table.row(name, &[(samples, None)]);
    }
    table
}

/// The least that a Rust program costs.
fn hello(home: &Home) -> PathBuf {
    let (source, program) = (home.path.join("hello.rs"), home.path.join("hello"));
    std::fs::write(&source, "fn main() { println!(\"hello\"); }\n").expect("writable");
    let flags = ["-O", "-C", "panic=abort", "-C", "target-feature=+crt-static", "-o"];
    let built = Command::new("rustc").args(flags).arg(&program).arg(&source).status();
    assert!(built.is_ok_and(|status| status.success()), "rustc builds a hello");
    program
}

/// The hook, and the unchanged prompt, the deeper one is.
fn depths(plan: &Plan, home: &Home) -> Table {
    let mut places: Vec<(usize, PathBuf, [Samples; 4], [Samples; 3])> = plan
        .depths
        .iter()
        .map(|&depth| {
            (
                depth,
                if depth < 4 { PathBuf::from("/usr") } else { home.directory(depth) },
                Default::default(),
                Default::default(),
            )
        })
        .collect();
    sleep(Duration::from_millis(100));
    let mut sessions = Shell::ALL.map(|shell| {
        [Contestant::Bare, Contestant::BacklogAws]
            .map(|it| Session::start(shell, it, home, &home.path))
    });
    for _ in 0..plan.rounds.div_ceil(3) {
        for (_, cwd, [hook, loops @ ..], floors) in &mut places {
            hook.add(time(home, cwd, program(), &HOOK));
            for (index, [bare, ours]) in sessions.iter_mut().enumerate() {
                for session in [&mut *bare, &mut *ours] {
                    session.line(&format!("cd {}", cwd.display()));
                    session.line("");
                }
                floors[index].add(bare.hooks(plan.loops.0));
                loops[index].add(ours.hooks(plan.loops.0));
            }
        }
    }
    let columns =
        ["hook, one process", "unchanged in bash", "in zsh", "in fish"].map(str::to_owned);
    let mut table = Table::new("By depth of the directory: median (minimum)", "depth", columns);
    for (depth, _, [hook, bash, zsh, fish], [in_bash, in_zsh, in_fish]) in &places {
        let cells =
            [(hook, None), (bash, Some(in_bash)), (zsh, Some(in_zsh)), (fish, Some(in_fish))];
        table.row(&depth.to_string(), &cells);
    }
    table
}

/// The files read, profiles made of them, and the answer found, the more profiles there are.
fn profiles(plan: &Plan) -> Table {
    let homes: Vec<(usize, Home)> =
        plan.profiles.iter().map(|&count| (count, Home::with_profiles(count))).collect();
    sleep(Duration::from_millis(100));
    let mut samples: Vec<[Samples; 4]> = vec![Default::default(); homes.len()];
    for _ in 0..plan.rounds {
        for ((_, home), [whole, steps @ ..]) in homes.iter().zip(&mut samples) {
            whole.add(time(home, &home.directory(5), program(), &HOOK));
            for (step, nanoseconds) in steps.iter_mut().zip(library(home)) {
                step.add(Duration::from_nanos(nanoseconds));
            }
        }
    }
    let columns =
        ["hook, one process", "files read", "profiles found", "answer found"].map(str::to_owned);
    let mut table = Table::new("By number of profiles: median (minimum)", "profiles", columns);
    for ((count, _), samples) in homes.iter().zip(&samples) {
        table.row(&count.to_string(), &samples.each_ref().map(|samples| (samples, None)));
    }
    table
}

/// Runs this program anew in a home, since the library looks at its own environment.
fn library(home: &Home) -> [u64; 3] {
    let this = std::env::current_exe().expect("this program is a file");
    let output = Command::new(this)
        .arg("--library")
        .env_clear()
        .envs(home.environment())
        .current_dir(home.directory(5))
        .output()
        .expect("it starts");
    let numbers: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    [0, 1, 2].map(|index| numbers[index].as_u64().expect("it prints numbers"))
}

fn measure_library() {
    let began = Instant::now();
    let world = World::capture();
    let read = began.elapsed();
    let began = Instant::now();
    let inputs = Inputs::of(&world, UserIntent::of_environment(&world.env));
    let found = began.elapsed();
    let began = Instant::now();
    let resolution = resolve(&inputs);
    let resolved = began.elapsed();
    assert!(resolution.refusal.is_none());
    let steps = [read, found, resolved].map(|step| step.as_nanos());
    println!("{}", json!(steps.map(|step| u64::try_from(step).unwrap_or(u64::MAX))));
}
