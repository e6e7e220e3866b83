//! Random set-ups: whatever stands in names and files, the shell exports what `status --json` says, nothing is run, and
//! nothing of other tools changes (the harness looks after the last by itself).

use std::fs;

use crate::harness::{Sandbox, Session, scenario};

/// How many set-ups for each shell; each runs a real one.
fn set_ups() -> u64 {
    let wanted = std::env::var("BACKLOG_AWS_TEST_SET_UPS");
    wanted.map_or(12, |count| count.parse().expect("BACKLOG_AWS_TEST_SET_UPS is a number"))
}

/// `SplitMix64` (Steele, Lea, Flood): the same numbers everywhere.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.next() % from.len() as u64).expect("it is small")]
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.next().is_multiple_of(count)
    }
}

/// Parts of names that some shell reads as code.
const DIRECTORIES: [&str; 10] = [
    "plain",
    "two words",
    "$(touch ~/pwned)",
    "`touch ~/pwned`",
    "it's \"so\"",
    "a;touch ~\\pwned",
    "*",
    "-rf",
    "caf\u{e9}",
    "%n %d ${HOME}",
];
const VALUES: [&str; 9] = [
    "bedrock",
    "luxito",
    "cc",
    "nowhere",
    "$(touch ~/pwned)",
    "x[$(touch ~/pwned)]",
    "a b",
    "'",
    "\u{202e}kcor",
];

scenario! {
    fn the_shell_exports_what_status_says(shell) {
        for set_up in 0..set_ups() {
            let mut random = Random(set_up);
            let home = Sandbox::documented_home();
            let outer = *random.pick(&DIRECTORIES);
            let inner = format!("{outer}/{}", random.pick(&DIRECTORIES));
            home.mkdir(&inner);
            for directory in [outer, &inner] {
                let text = format!("profile = {}\nregion = {}\n", random.pick(&VALUES), random.pick(&VALUES));
                match random.next() % 4 {
                    0 => drop(home.write(format!("{directory}/.backlog-aws"), &text)),
                    1 => drop(home.allow(directory, "profile = bedrock\nregion = eu-north-1\n")),
                    2 => {
                        home.write(format!("{directory}/.backlog-aws"), &text);
                        // Refused when it is not valid.
                        home.invoke(["allow"]).cwd(home.path(directory)).run();
                    }
                    _ => {}
                }
            }
            if random.one_in(3) {
                let text = format!("export BACKLOG_AWS_PROFILE='{}'\nexport AWS_REGION=\"{}\"\n", random.pick(&VALUES), random.pick(&VALUES));
                home.write(".backlog-toolkit-env", text);
            }
            if random.one_in(3) {
                let text = format!("profile = {}\n[~/{outer}]\nregion = {}\n", random.pick(&VALUES), random.pick(&VALUES));
                home.write(".config/backlog-aws/config.ini", text);
            }
            if random.one_in(3) {
                let credentials = fs::read_to_string(home.path(".aws/credentials")).unwrap();
                home.write_private(".aws/credentials", format!("{credentials}region = {}\n", random.pick(&VALUES)));
            }
            let mut builder = Session::builder(&home, shell).size(60, 300);
            for name in ["BACKLOG_AWS_PROFILE", "BACKLOG_AWS_REGION", "AWS_PROFILE"] {
                if random.one_in(4) {
                    builder = builder.env(name, *random.pick(&VALUES));
                }
            }
            let mut session = builder.spawn();
            for directory in [inner.as_str(), outer, "."] {
                session.cd(home.path(directory));
                let file = home.path("status.json");
                session.line(format!("backlog-aws status --json > {}", shell.quote(&file)));
                let status: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
                let [profile, region, source] = session.exported();
                let said = |key: &str| status[key].as_str().map(str::to_owned);
                if status["source"].is_string() {
                    assert_eq!((profile, region, source), (said("profile"), said("region"), said("source")), "set-up {set_up} in {directory:?}: {status}");
                }
            }
            assert!(!home.path("pwned").exists(), "set-up {set_up} ran something");
        }
    }
}
