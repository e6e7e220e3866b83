use super::*;

const PATH: &str = "/home/u/acme/.backlog-aws";

fn store() -> (tempfile::TempDir, Store) {
    let home = tempfile::tempdir().unwrap();
    let store = Store::below(&home.path().join("data"));
    (home, store)
}

fn verdict(store: &Store, path: &str, content: &[u8]) -> Verdict {
    let content = Content::Read { bytes: content.to_vec().into(), mode: 0o644 };
    let files = [SourceFile { path: path.into(), content, state: None }];
    judge(&files, Some(store)).remove(0).verdict
}

#[test]
fn nothing_is_trusted_at_first() {
    let (_home, store) = store();
    assert_eq!(verdict(&store, PATH, b"x"), Verdict::Unknown { changed: false });
}

#[test]
fn trust_is_for_this_path_and_this_content_only() {
    let (_home, store) = store();
    store.allow(Path::new(PATH), b"x").unwrap();
    assert_eq!(verdict(&store, PATH, b"x"), Verdict::Allowed);
    assert_eq!(verdict(&store, PATH, b"y"), Verdict::Unknown { changed: true });
    assert_eq!(
        verdict(&store, "/home/u/copy/.backlog-aws", b"x"),
        Verdict::Unknown { changed: false }
    );
}

#[test]
fn allowing_a_new_content_ends_trust_in_the_old_one() {
    let (_home, store) = store();
    store.allow(Path::new(PATH), b"x").unwrap();
    store.allow(Path::new(PATH), b"y").unwrap();
    assert_eq!(verdict(&store, PATH, b"x"), Verdict::Unknown { changed: true });
}

#[test]
fn a_denial_beats_a_trusted_parent_until_it_is_allowed_again() {
    let (_home, store) = store();
    store.allow_under(Path::new("/home/u")).unwrap();
    assert_eq!(verdict(&store, PATH, b"x"), Verdict::Allowed);
    store.deny(Path::new(PATH)).unwrap();
    assert_eq!(verdict(&store, PATH, b"x"), Verdict::Denied);
    store.allow(Path::new(PATH), b"x").unwrap();
    assert_eq!(verdict(&store, PATH, b"x"), Verdict::Allowed);
    assert!(store.deny_under(Path::new("/home/u")).unwrap());
    assert!(!store.deny_under(Path::new("/home/u")).unwrap());
}

#[test]
fn trust_below_a_directory_does_not_reach_its_namesakes() {
    let (_home, store) = store();
    store.allow_under(Path::new("/home/u")).unwrap();
    assert_eq!(verdict(&store, "/home/u2/.backlog-aws", b"x"), Verdict::Unknown { changed: false });
}

#[test]
fn a_damaged_entry_trusts_nothing_and_says_so() {
    let (_home, store) = store();
    store.allow(Path::new(PATH), b"x").unwrap();
    let entry = store.entry('p', Path::new(PATH));
    let whole = fs::read(&entry).unwrap();
    let elsewhere = [b"/elsewhere", &whole[PATH.len()..]].concat();
    let damaged = (0..whole.len()).map(|length| whole[..length].to_vec());
    for damaged in damaged.chain([elsewhere, [&whole[..], b"x"].concat()]) {
        fs::write(&entry, &damaged).unwrap();
        let verdict = verdict(&store, PATH, b"x");
        assert!(
            matches!(verdict, Verdict::Undecidable(_)),
            "{} gave {verdict:?}",
            damaged.escape_ascii()
        );
    }
    store.allow(Path::new(PATH), b"x").unwrap();
    assert_eq!(verdict(&store, PATH, b"x"), Verdict::Allowed);
}

#[test]
fn the_store_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, store) = store();
    store.allow(Path::new(PATH), b"x").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.directory()), 0o700);
    assert_eq!(mode(&store.entry('p', Path::new(PATH))), 0o600);
}
