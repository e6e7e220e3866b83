//! Walks through directories at random: after each step the shell exports what the program says there.

use std::fs;
use std::os::unix::fs::symlink;

use super::{home, overwrite, set_time, settled, whole_second};
use crate::harness::scenario;

/// Directories of the walk, by links too, and a way to somewhere else.
const PLACES: [&str; 14] = [
    "",
    "one",
    "one/a/b",
    "one/a/b/c/d/e/f/g/h/i",
    "two",
    "two/deep",
    "two/link/a",
    "ruled",
    "ruled/x/y",
    "ruled/inner/z",
    "link",
    "link/c/d",
    "loop/loop/one/a",
    "refused/below",
];

scenario! {
    fn on_a_random_walk_the_shell_exports_what_status_says(shell) {
        let home = home();
        for place in ["one/a/b/c/d/e/f/g/h/i", "two/deep", "ruled/x/y", "ruled/inner/z", "refused/below"] {
            home.mkdir(place);
        }
        symlink(home.path("one"), home.path("two/link")).unwrap();
        symlink("one/a/b", home.path("link")).unwrap();
        symlink(".", home.path("loop")).unwrap();
        home.allow("one", "region = us-east-2\n");
        home.allow("one/a/b/c", "region = us-west-2\n");
        home.allow("two", "region = sa-east-1\n");
        home.write("refused/.backlog-aws", "region = af-south-1\n");
        home.write(".config/backlog-aws/config.ini", "[~/ruled]\nregion = ca-west-1\n[~/ruled/inner]\nregion = ca-central-1\n");
        let mut session = settled(&home, shell);
        // xorshift: the same steps at every run.
        let mut random: u64 = 0x2545_f491_4f6c_dd1d;
        let answer = home.path("status.json");
        let mut steps = Vec::new();
        for step in 0..40 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let place = PLACES[usize::try_from(random % 14).unwrap()];
            steps.push(place);
            match random >> 32 & 15 {
                0 => drop(home.write("one/a/.backlog-aws", format!("region = step-{step}\n"))),
                1 => drop(home.run(["allow", home.path("one").to_str().unwrap()]).expect_code(0)),
                2 => drop(home.run(["deny", home.path("one").to_str().unwrap()]).expect_code(0)),
                3 => overwrite(&home.path(".config/backlog-aws/config.ini"), &format!("region = user-{step}\n[~/ruled/x]\nregion = rule-{step}\n")),
                4 => set_time(&home.path(".aws/credentials"), whole_second()),
                _ => {}
            }
            home.user_changed_files();
            session.cd(home.path(place));
            session.line(format!("backlog-aws status --json > {}", shell.quote(&answer)));
            let status: serde_json::Value = serde_json::from_slice(&fs::read(&answer).unwrap()).unwrap();
            let said = ["profile", "region", "source"].map(|key| status[key].as_str().map(str::to_owned));
            assert_eq!(session.exported(), said, "after {steps:?}");
        }
    }
}
