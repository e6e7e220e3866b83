//! The AWS files: where they are, how they are read, and what kinds of profile they hold.
//!
//! Everything here is computed from values: no file, environment variable or clock is touched. [`locate`] says which
//! files to read, [`Profiles::read`] takes their bytes, and whoever asks about expiry brings the time along.
//!
//! | file | holds |
//! |---|---|
//! | `locations` | the paths of the two files |
//! | `dialect` | one file's bytes to sections and properties |
//! | `profiles` | what section headers mean, and the two files merged into profiles |
//! | `profile` | one profile |
//! | `credentials` | what a profile gives, and whether it can work |
//! | `kind` | which kind of credentials a profile gives |
//! | `account` | the account that a key id belongs to |
//! | `api_key` | what a Bedrock API key says about itself, and how one is made |
//! | `region` | the regions that AWS has |
//! | `expiry` | the spellings of an expiry time, and how long is left |
//! | `signing` | what a request to AWS is signed with |
//! | `problem` | what is wrong with a line, and the remedy |
//! | `botocore` | where boto3 reads the same bytes differently |

pub mod account;
mod api_key;
pub mod botocore;
mod credentials;
mod dialect;
mod expiry;
mod kind;
mod locations;
mod problem;
mod profile;
mod profiles;
pub mod region;
pub mod signing;

/// The longest name of a profile or region that is taken for one, in bytes. What is exported has to leave room for
/// everything else: with a variable of more than 128 KiB, Linux starts no program any more.
pub const LONGEST_NAME: usize = 256;

pub use api_key::ApiKey;
pub use credentials::Credentials;
pub use kind::Kind;
pub use locations::{FileKind, locate};
pub use problem::{At, Problem, ProblemKind};
pub use profile::Profile;
pub use profiles::{AwsFile, Profiles};
