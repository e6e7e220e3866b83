//! Drives the binary, and real interactive shells with the integration loaded, in a throw-away home.
//!
//! [`Sandbox`] is that home, [`Session`] a shell in a pty inside it, [`scenario!`] runs one scenario in every shell.
//! Every session keeps the promise under guard by itself: variables of other tools and files under `~/.aws` and
//! `~/.claude` must come out as they went in, and no secret may appear on the terminal.

mod guard;
mod sandbox;
mod schemas;
mod session;
mod shell;
mod start_up;
mod terminal;
mod tools;

pub use guard::{FOREIGN_PREFIXES, assert_plain, files_below, is_foreign, parse_environment};
pub use sandbox::{Invocation, KEY_IDS, Output, SECRETS, Sandbox, api_key, static_profile};
pub use session::{Session, Turn};
pub use shell::Shell;
pub use start_up::SessionBuilder;
pub use terminal::Key;
pub use tools::{
    bash_completion, found, is_root, needed, processes_of, released, run_as_a_mere_user, say,
};

/// Writes one scenario and runs it as one test per shell: `name::bash`, `name::zsh`, `name::fish`.
///
/// ```ignore
/// scenario! {
///     /// What must hold.
///     fn leaving_a_directory_restores_an_empty_variable(shell) {
///         let home = Sandbox::documented_home();
///         let mut session = Session::start(&home, shell);
///     }
/// }
/// ```
macro_rules! scenario {
    ($($(#[$attribute:meta])* fn $name:ident($shell:ident) $body:block)+) => {$(
        $(#[$attribute])*
        pub(crate) fn $name($shell: $crate::harness::Shell) $body

        mod $name {
            #[test]
            fn bash() {
                super::$name($crate::harness::Shell::Bash);
            }
            #[test]
            fn zsh() {
                super::$name($crate::harness::Shell::Zsh);
            }
            #[test]
            fn fish() {
                super::$name($crate::harness::Shell::Fish);
            }
        }
    )+};
}
pub(crate) use scenario;
