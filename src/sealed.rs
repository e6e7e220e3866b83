//! `exec --sealed`: an AWS configuration that has one identity only, and no secret. In it, each client finds the command
//! by which it asks this program for the keys of that profile, from the user's own AWS files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{Failure, reason};
use crate::finding::fingerprint;
use crate::fs::{Access, check_is_ours, write_atomically};
use crate::hook::Stamps;
use crate::overrides::is_region_name;
use crate::resolve::{Identity, Resolution};
use crate::shell::{Shell, quote};
use crate::text::visible;
use crate::world::{OWN_FILES, SEALED_PREFIX, World};

/// The file to be.
pub struct Sealed {
    path: PathBuf,
    text: String,
    /// What the command gets in the place of keys.
    pub variables: Vec<(&'static str, OsString)>,
}

impl Sealed {
    /// For the answer that was found; `temporary` is how. Nothing is written yet.
    ///
    /// # Errors
    ///
    /// It has no profile to ask for, or there is something that no such file can hold.
    pub fn of(resolution: &Resolution, temporary: bool, world: &World) -> Result<Self, Failure> {
        let Some(Identity::Profile { name: profile, .. }) = resolution.answer.identity() else {
            return Err(refused(
                "needs a profile, not a Bedrock API key or keys without a profile",
            ));
        };
        let region = resolution.region.name.to_str().filter(|region| is_region_name(region));
        let region = region.ok_or_else(|| refused("has no use for what is no region"))?;
        let mut variables: Vec<(&str, OsString)> = vec![
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()),
            // No client goes on to the machine's own role.
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ];
        let mut ask = vec!["/usr/bin/env".to_owned()];
        for ((name, own), file) in OWN_FILES.into_iter().zip([&world.credentials, &world.config]) {
            let path = text_of(file.as_ref().map(|file| &*file.path))?;
            ask.push(format!("{name}={path}"));
            variables.push((own, path.into()));
        }
        ask.extend([text_of(Some(&world.program))?, "credentials".to_owned()]);
        ask.push(format!("--profile={profile}"));
        ask.extend(temporary.then(|| "--temporary".to_owned()));
        let ask = ask.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        let section =
            |name: &str| format!("[{name}]\nregion = {region}\ncredential_process = {ask}\n");
        let text = section("default") + &section(&format!("profile {profile}"));
        let directory = world.sealed_dir.as_ref().ok_or_else(|| refused("has no place for it"))?;
        // Named by its content: all commands that use it want it as it is, and there are few.
        let path = directory.join(format!("{SEALED_PREFIX}{:016x}", fingerprint(text.as_bytes())));
        variables.push(("AWS_CONFIG_FILE", path.clone().into()));
        Ok(Self { path, text, variables })
    }

    /// Writes the file. One of that name had the same content, unless somebody else wrote to it.
    ///
    /// # Errors
    ///
    /// There is no directory that is the user's alone.
    pub fn write(&self, home: Option<&Path>) -> Result<(), Failure> {
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        check_is_ours(directory, home)?;
        let written = Stamps::open(directory, home)
            .and_then(|_| write_atomically(&self.path, self.text.as_bytes(), Access::Private));
        written.map_err(|error| {
            let (directory, why) = (visible(directory), reason(&error));
            refused(&format!("needs {directory} to be writable by you alone: {why}"))
        })
    }
}

fn refused(why: &str) -> Failure {
    Failure::Problem(format!("--sealed {why}; leave out --sealed"))
}

/// A path as such a file can hold it.
fn text_of(path: Option<&Path>) -> Result<String, Failure> {
    let fits = path.filter(|path| path.is_absolute()).and_then(Path::to_str);
    let fits = fits.filter(|text| !text.contains(char::is_control)).map(str::to_owned);
    let shown = path.map(visible).unwrap_or_default();
    fits.ok_or_else(|| refused(&format!("cannot name '{shown}' in its file")))
}

/// A word of the command. Some clients split it as a shell does (botocore, by Python's shlex), others give it to `sh`; and
/// before that, in the SDKs, `#` and `;` start a comment after a blank, so neither may stand after one.
fn quoted(word: &str) -> String {
    let mut quoted = Vec::new();
    quote(Shell::Bash, word, &mut quoted);
    String::from_utf8_lossy(&quoted).replace('#', r"'\#'").replace(';', r"'\;'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_has_what_starts_a_comment() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's #1 ;x"), r"'it'\''s '\#'1 '\;'x'");
    }
}
