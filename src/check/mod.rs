//! Whether credentials work: three questions to AWS, each with its answer in words.
//!
//! | file | holds |
//! |---|---|
//! | `steps` | the questions, and what is made of the answers |
//! | `endpoint` | where a service is in a region |
//! | `call` | one signed request, and whether AWS said yes |
//! | `curl` | the transport |
//! | `failures` | what went wrong, in words, by the table in `failures.txt` |

mod call;
mod curl;
mod endpoint;
mod failures;
mod steps;

pub use call::Caller;
pub use failures::TABLE;
pub use steps::{Outcome, Step};
