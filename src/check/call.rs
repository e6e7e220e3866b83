//! One signed request, and whether AWS said yes.

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::curl::{self, Answer, proxy_variable};
use super::endpoint::{Service, endpoint};
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
#[derive(Debug, Default)]
pub struct Refused {
    /// AWS's code, `curl N` with its exit status, or a word of ours for what has neither.
    pub code: String,
    /// AWS's own words, made fit to be shown.
    pub said: String,
    pub host: String,
    /// How far the clock is off, or which variable names a proxy.
    pub detail: String,
}

impl Caller<'_> {
    /// Asks once. `read` makes sense of a good answer, if it is one of AWS's.
    pub fn call<T>(
        &self,
        service: &Service,
        path: &str,
        body: Option<&str>,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Refused> {
        let url = format!("{}{path}", endpoint(service, self.region, self.env));
        let (host, path) = host_and_path(&url);
        let now = Timestamp::now();
        let mut headers = match self.identity {
            Identity::BearerToken(key) => {
                vec![("authorization", Secret::new(format!("Bearer {}", key.token.reveal())))]
            }
            Identity::Profile { credentials, .. } | Identity::Keys(credentials) => {
                let (region, service) = (self.region, service.signs_as);
                let method = if body.is_some() { "POST" } else { "GET" };
                let body = body.unwrap_or_default().as_bytes();
                Signer { credentials, region, service, now }.headers(&Request {
                    method,
                    host: &host,
                    path,
                    query: &[],
                    body,
                })
            }
        };
        headers.push(("host", Secret::new(host.as_str())));
        if body.is_some_and(|body| body.starts_with('{')) {
            headers.push(("content-type", Secret::new("application/json")));
        }
        let mut refused = Refused { host: visible(host), ..Refused::default() };
        match curl::send(&url, &headers, body, self.env) {
            Err(code) => {
                refused.detail = proxy_variable(&url, self.env).into();
                refused.code = code;
            }
            Ok(answer) => match (code_of(&answer), skew_of(&answer, now)) {
                (None, _) => match read(&answer.body) {
                    Some(found) => return Ok(found),
                    None => refused.code = "foreign".into(),
                },
                (Some(code), Some(skew)) if code.contains("Signature") => {
                    (refused.code, refused.detail) = ("clock".to_owned(), skew);
                }
                (Some(code), _) => (refused.code, refused.said) = (code, self.said(&answer)),
            },
        }
        Err(refused)
    }

    /// AWS's own words, without what they repeat of our secrets: AWS shows the text that should have been signed.
    fn said(&self, answer: &Answer) -> String {
        let message = from_json(&answer.body, &["message", "Message"]);
        let message = message.or_else(|| element(&answer.body, "Message").map(str::to_owned));
        let mut said = message.unwrap_or_default();
        let keys = self.identity.credentials();
        let secrets = [
            keys.map(|keys| &keys.secret_access_key),
            keys.and_then(|keys| keys.session_token.as_ref()),
            self.identity.api_key().map(|key| &key.token),
        ];
        for secret in secrets.into_iter().flatten() {
            said = said.replace(secret.reveal(), "********");
        }
        visible(said.lines().next().unwrap_or_default()).chars().take(MAX_SAID).collect()
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
    if answer.status < 500 && answer.header("content-type").contains("html") {
        return Some("html".to_owned());
    }
    let header = Some(answer.header("x-amzn-errortype").to_owned());
    let code = header
        .filter(|code| !code.is_empty())
        .or_else(|| from_json(&answer.body, &["__type"]))
        .or_else(|| element(&answer.body, "Code").map(str::to_owned))
        .unwrap_or_else(|| format!("http {}", answer.status));
    // `AccessDeniedException:http://…` and `com.amazon…#AccessDeniedException`.
    let code = code.split(':').next()?.rsplit('#').next()?;
    (answer.status != 200).then(|| code.to_owned())
}

fn from_json(text: &str, names: &[&str]) -> Option<String> {
    let json: Value = serde_json::from_str(text).ok()?;
    names.iter().find_map(|name| json[name].as_str()).map(str::to_owned)
}

/// How far our clock is from AWS's, in words, when that is too far.
fn skew_of(answer: &Answer, now: Timestamp) -> Option<String> {
    let theirs = DateTimeParser::new().parse_timestamp(answer.header("date")).ok()?;
    let skew = now.duration_since(theirs);
    let direction = if skew.is_positive() { "fast" } else { "slow" };
    (skew.abs() > MAX_SKEW).then(|| format!("{} minutes {direction}", skew.abs().as_mins()))
}

/// What stands between the first pair of tags with a name.
pub fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}
