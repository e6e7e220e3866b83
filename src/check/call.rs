//! One signed request, and whether AWS said yes.

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::curl::{self, Answer};
use super::endpoint::endpoint;
use crate::aws::signing::{Request, Signer};
use crate::resolve::Identity;
use crate::secret::Secret;
use crate::text::visible;
use crate::world::Environment;

/// How far a clock may be off before AWS takes no signature made by it.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// As much of AWS's own words as is shown.
const MAX_SAID: usize = 200;

/// Who asks, and where.
pub struct Caller<'a> {
    pub identity: &'a Identity,
    pub region: &'a str,
    pub env: &'a Environment,
}

/// Why there is no good answer.
#[derive(Debug)]
pub struct Refused {
    /// AWS's code, `curl N` with its exit status, or a word of ours for what has neither.
    pub code: String,
    /// AWS's own words, made fit to be shown, if it said anything.
    pub said: Option<String>,
    pub host: String,
}

impl Caller<'_> {
    /// Asks once. `read` makes sense of a good answer, if it is one of AWS's.
    pub fn call(
        &self,
        service: &str,
        path: &str,
        body: Option<&str>,
        read: impl FnOnce(&str) -> Option<String>,
    ) -> Result<String, Refused> {
        let url = format!("{}{path}", endpoint(service, self.region, self.env));
        let (host, path) = host_and_path(&url);
        let now = Timestamp::now();
        let mut headers = match self.identity {
            Identity::BearerToken(key) => {
                let bearer = Secret::new(format!("Bearer {}", key.token.reveal()));
                vec![("host", Secret::new(host.as_str())), ("authorization", bearer)]
            }
            Identity::Profile { credentials, .. } | Identity::Keys(credentials) => {
                let (region, service) = (self.region, service.trim_end_matches("-runtime"));
                let method = if body.is_some() { "POST" } else { "GET" };
                let body = body.unwrap_or_default().as_bytes();
                let request = Request { method, host: &host, path, query: &[], body };
                Signer { credentials, region, service, now }.headers(&request)
            }
        };
        if body.is_some_and(|body| body.starts_with('{')) {
            headers.push(("content-type", Secret::new("application/json")));
        }
        let (code, said) = match curl::send(&url, &headers, body, self.env) {
            Err(code) => (code, None),
            Ok(answer) => match code_of(&answer) {
                None => match read(&answer.body) {
                    Some(found) => return Ok(found),
                    None => ("foreign".to_owned(), None),
                },
                Some(code) if code.contains("Signature") && clock_is_off(&answer, now) => {
                    ("clock".to_owned(), None)
                }
                Some(code) => (code, self.said(&answer.body)),
            },
        };
        Err(Refused { code, said, host: visible(host) })
    }

    /// AWS's own words, without what they repeat of our secrets: AWS shows the text that should have been signed.
    fn said(&self, body: &str) -> Option<String> {
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        let message = json["message"].as_str().or(json["Message"].as_str());
        let mut said = message.or_else(|| element(body, "Message"))?.to_owned();
        let keys = self.identity.credentials();
        let token = keys.and_then(|keys| keys.session_token.as_ref());
        let api_key = self.identity.api_key().map(|key| &key.token);
        for secret in [keys.map(|keys| &keys.secret_access_key), token, api_key].iter().flatten() {
            said = said.replace(secret.reveal(), "********");
        }
        Some(visible(said.lines().next()?).chars().take(MAX_SAID).collect())
    }
}

/// The `Host` header for an address, and what is signed of it as the path.
fn host_and_path(url: &str) -> (String, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // A name and password in it are nobody's business.
    let host = host.rsplit('@').next().unwrap_or_default();
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    (host.strip_suffix(port).unwrap_or(host).to_lowercase(), path)
}

/// Nothing for a yes; otherwise AWS's code, or what there is in its place.
fn code_of(answer: &Answer) -> Option<String> {
    let header = answer.header("x-amzn-errortype");
    match answer.status {
        ..500 if answer.header("content-type").contains("html") => Some("html".to_owned()),
        200 => None,
        // `AccessDeniedException:http://…`
        _ if !header.is_empty() => header.split(':').next().map(str::to_owned),
        status => {
            element(&answer.body, "Code").map_or(format!("http {status}"), str::to_owned).into()
        }
    }
}

fn clock_is_off(answer: &Answer, now: Timestamp) -> bool {
    let theirs = DateTimeParser::new().parse_timestamp(answer.header("date"));
    theirs.is_ok_and(|theirs| now.duration_since(theirs).abs() > MAX_SKEW)
}

/// What stands between the first pair of tags with a name.
pub fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}
