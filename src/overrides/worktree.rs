//! Where a file of a git worktree stands in the main checkout. Only `.git` files are read; git is not run.

use std::path::{Path, PathBuf};

use crate::fs::read_file;

/// The files are one line with a path.
const MAX_BYTES: u64 = 64 * 1024;

/// The same file in the main checkout; `None` when `file` is not in a worktree.
///
/// A worktree has a file `.git` that names its directory in the repository, and that directory has a file `gitdir` that
/// names the worktree (gitrepository-layout(5)). Both must agree: anybody can write the first into a directory, but only
/// who can write to the repository the second.
pub fn in_main_checkout(file: &Path) -> Option<PathBuf> {
    let root = file.ancestors().skip(1).find(|directory| directory.join(".git").exists())?;
    let pointer = root.join(".git");
    let in_repository = Path::new(line(&pointer)?.strip_prefix("gitdir: ")?).to_owned();
    let in_repository = root.join(in_repository).canonicalize().ok()?;
    let back = in_repository.join(line(&in_repository.join("gitdir"))?);
    if back.canonicalize().ok()? != pointer.canonicalize().ok()? {
        return None;
    }
    let worktrees = in_repository.parent()?;
    let git = worktrees
        .parent()
        .filter(|git| git.ends_with(".git") && worktrees.ends_with("worktrees"))?;
    Some(git.parent()?.join(file.strip_prefix(root).ok()?))
}

fn line(path: &Path) -> Option<String> {
    let file = read_file(path.to_owned(), MAX_BYTES);
    Some(std::str::from_utf8(file.bytes()?).ok()?.trim_end_matches(['\n', '\r']).to_owned())
}
