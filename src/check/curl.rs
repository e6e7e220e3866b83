//! One request by the system's curl, whose proxies, root certificates and name service are those of the machine.
//!
//! It is told everything through its standard input: an argument or a variable could be seen by others.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::world::Environment;

/// What every request has. Redirects are not followed: nobody else gets to see the headers. No list of models is near that
/// size.
const COMMON: &str = "max-filesize = 8388608\nsilent\ninclude\ngloboff\npath-as-is\nsuppress-connect-headers\nmax-time = 10\nhttp1.1\nproto = \"=http,https\"\n";

/// What came back.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    /// The value of a header; empty without one.
    pub fn header(&self, name: &str) -> &str {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.trim())
    }
}

/// Sends one request: a POST if there is a body, and a GET if not.
///
/// # Errors
///
/// There is no answer; the text is a code of `failures.txt`.
pub fn send(
    url: &str,
    headers: &[(&str, Secret)],
    body: Option<&str>,
    env: &Environment,
) -> Result<Answer, String> {
    let config = config(url, headers, body, env).ok_or("unsendable")?;
    // First, or ~/.curlrc is read, which could trace headers into a file.
    let mut curl = Command::new("curl");
    curl.args(["-q", "--config", "-"]);
    // They may hold the same secrets.
    for name in env.names().filter(|name| name.as_encoded_bytes().starts_with(b"AWS_")) {
        curl.env_remove(name);
    }
    curl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = curl.spawn().map_err(|_| "no curl")?;
    // A curl that ends before it has read everything says why by its exit status.
    let _ = child.stdin.take().map(|mut input| input.write_all(config.as_bytes()));
    let output = child.wait_with_output().map_err(|_| "no curl")?;
    match output.status.code() {
        Some(0) => parse(&String::from_utf8_lossy(&output.stdout)).ok_or("curl 52".to_owned()),
        status => Err(format!("curl {}", status.unwrap_or(-1))),
    }
}

/// curl's configuration. `None` when something in it has a control character, which no header can carry: a line end
/// would begin another header.
fn config(
    url: &str,
    headers: &[(&str, Secret)],
    body: Option<&str>,
    env: &Environment,
) -> Option<Zeroizing<String>> {
    // With room, so that it does not leave copies behind while it grows.
    let mut text = Zeroizing::new(String::with_capacity(64 << 10));
    text.push_str(COMMON);
    let mut option = |name: &str, value: &str| {
        let quoted = Zeroizing::new(value.replace('\\', "\\\\").replace('"', "\\\""));
        let _ = writeln!(text, "{name} = \"{}\"", *quoted);
        (!value.contains(char::is_control)).then_some(())
    };
    option("url", url)?;
    option("user-agent", concat!("backlog-aws/", env!("CARGO_PKG_VERSION")))?;
    for (name, value) in headers {
        option("header", &Zeroizing::new(format!("{name}: {}", value.reveal())))?;
    }
    if let Some(body) = body {
        option("data-raw", body)?;
    }
    if let Some(bundle) = env.non_empty("AWS_CA_BUNDLE").map(OsStr::to_string_lossy) {
        option("cacert", &bundle)?;
    }
    Some(text)
}

/// The last answer: an interim one (`100 Continue`) may come before it.
fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/")?.split(' ').nth(1)?.parse().ok()?;
    if status < 200 {
        return parse(body);
    }
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}
