//! What a stranger can put in a user's way: files in a repository, directories that others can write to. Each of these
//! was an attack that worked.

use std::fs;
use std::os::unix::fs::symlink;

use crate::harness::{Output, Sandbox};

#[track_caller]
fn run_in(home: &Sandbox, directory: &str, words: &[&str]) -> Output {
    home.invoke(words).cwd(home.path(directory)).run()
}

/// A region alone says nothing of a profile, and yet the written file would name the stranger's.
#[test]
fn local_does_not_take_over_what_a_strangers_file_says() {
    let home = Sandbox::documented_home();
    let file = home.write("acme/.backlog-aws", "profile = luxito\n");
    let refused = |words: &[&str]| {
        let before = fs::read(&file).unwrap();
        let refused = run_in(&home, "acme", words).expect_code(1);
        for told in ["`backlog-aws allow", "`backlog-aws local --unset`", "nothing was changed"] {
            assert!(refused.err().contains(told), "{words:?}: {}", refused.err());
        }
        assert_eq!(fs::read(&file).unwrap(), before, "{words:?}");
        let status = run_in(&home, "acme", &["status", "--json"]).json();
        assert_eq!(status["override"]["allowed"], false, "{words:?}");
    };
    refused(&["local", "--region", "eu-central-1"]);
    run_in(&home, "acme", &["deny"]).expect_code(0);
    refused(&["local", "--region", "eu-central-1"]);
    home.write("acme/.backlog-aws", "region = cn-north-1\n");
    refused(&["local", "bedrock"]);
    run_in(&home, "acme", &["allow"]).expect_code(0);
    home.write("acme/.backlog-aws", "region = us-gov-east-1\n");
    refused(&["local", "bedrock"]);
}

#[test]
fn local_prints_what_the_file_says_afterwards() {
    let home = Sandbox::documented_home();
    let file = home.allow("acme", "region = cn-north-1\n").canonicalize().unwrap();
    let wrote = run_in(&home, "acme", &["local", "bedrock"]).expect_code(0);
    let expected = format!(
        "wrote and allowed {0}\nprofile = bedrock  ({0}:2)\nregion = cn-north-1  ({0}:1)\n",
        file.display()
    );
    assert_eq!(wrote.out(), expected);
    // Nothing but comments is nobody's choice.
    home.write("notes/.backlog-aws", "# to do\n");
    run_in(&home, "notes", &["local", "bedrock"]).expect_code(0);
}

/// A repository could have us write into any file that happens to be readable as an override.
#[test]
fn local_writes_through_no_link() {
    let home = Sandbox::documented_home();
    home.write("dotfiles/.backlog-aws", "profile = luxito\n");
    home.write(".aws/.backlog-aws", "profile = luxito\n");
    home.mkdir("acme");
    let link = home.path("acme/.backlog-aws");
    for target in ["../dotfiles/.backlog-aws", "../.aws/.backlog-aws", "../nowhere"] {
        symlink(target, &link).unwrap();
        if link.exists() {
            run_in(&home, "acme", &["allow"]).expect_code(0);
        }
        let refused = run_in(&home, "acme", &["local", "bedrock"]).expect_code(1);
        let told = format!(".backlog-aws is a link to {target}; ");
        assert!(refused.err().contains(&told), "{}", refused.err());
        assert!(refused.err().trim_end().ends_with("nothing was changed"), "{}", refused.err());
        run_in(&home, "acme", &["local", "--unset"]).expect_code(0);
        assert!(!link.is_symlink(), "the link itself is removed");
    }
    for file in ["dotfiles/.backlog-aws", ".aws/.backlog-aws"] {
        assert_eq!(fs::read_to_string(home.path(file)).unwrap(), "profile = luxito\n");
    }
    assert!(!home.path("nowhere").exists());
}
