//! AWS Signature Version 4, as AWS's services other than S3 want it: in the headers of a request, or in its address.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>. `tests/it/signing.rs`
//! compares it with AWS's own crate.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::Credentials;
use crate::secret::Secret;
use crate::text::hex;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What is signed of a request.
pub struct Request<'a> {
    pub method: &'a str,
    /// The `Host` header as it is sent, with the port unless it is the usual one.
    pub host: &'a str,
    /// As it is sent: [`percent_encoded`] once, from the first slash on, without empty and dotted segments.
    pub path: &'a str,
    /// Names and values, not encoded yet.
    pub query: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

/// Who signs, for whom and when.
pub struct Signer<'a> {
    pub credentials: &'a Credentials,
    pub region: &'a str,
    /// As it is called in signatures: `sts`, `bedrock`.
    pub service: &'a str,
    pub now: Timestamp,
}

impl Signer<'_> {
    /// The headers to send, `host` first. The session token among them is as good as a password.
    pub fn headers(&self, request: &Request<'_>) -> Vec<(&'static str, Secret)> {
        let mut headers =
            vec![("host", Secret::new(request.host)), ("x-amz-date", Secret::new(self.time()))];
        let token = self.credentials.session_token.clone();
        headers.extend(token.map(|token| ("x-amz-security-token", token)));
        let (id, scope) = (&self.credentials.access_key_id, self.scope());
        let (names, signature) = self.signature(request, request.query, &headers);
        let credential = format!("Credential={id}/{scope}, SignedHeaders={names}");
        let authorization = format!("{ALGORITHM} {credential}, Signature={signature}");
        headers.push(("authorization", Secret::new(authorization)));
        headers
    }

    /// The query of an address that whoever has it can use for `seconds`. AWS takes any order; this is botocore's.
    pub fn presigned_query(&self, request: &Request<'_>, seconds: u32) -> Secret {
        let credential = format!("{}/{}", self.credentials.access_key_id, self.scope());
        let (time, seconds) = (self.time(), seconds.to_string());
        let mut query = request.query.to_vec();
        query.extend([
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &time),
            ("X-Amz-Expires", &seconds),
            ("X-Amz-SignedHeaders", "host"),
        ]);
        let token = self.credentials.session_token.as_ref();
        query.extend(token.map(|token| ("X-Amz-Security-Token", token.reveal())));
        let host = ("host", Secret::new(request.host));
        let (_, signature) = self.signature(request, &query, &[host]);
        query.push(("X-Amz-Signature", &signature));
        Secret::new(encoded_pairs(&query).join("&"))
    }

    /// The names of the headers that are signed, and the signature.
    fn signature(
        &self,
        request: &Request<'_>,
        query: &[(&str, &str)],
        headers: &[(&str, Secret)],
    ) -> (String, String) {
        let mut pairs = encoded_pairs(query);
        // By name and then by value: `=` would sort after some of the characters that names are made of.
        pairs.sort_by(|a, b| a.split('=').cmp(b.split('=')));
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.reveal()));
        let canonical = [
            request.method,
            // What is sent encoded once is signed encoded twice.
            &percent_encoded(request.path, "/"),
            &pairs.join("&"),
            &lines.collect::<String>(),
            &names,
            &hex(&Sha256::digest(request.body)),
        ];
        let digest = hex(&Sha256::digest(canonical.join("\n")));
        let (time, scope) = (self.time(), self.scope());
        let secret = Secret::new(format!("AWS4{}", self.credentials.secret_access_key.reveal()));
        let key = scope.split('/').fold(secret.reveal().as_bytes().to_vec(), mac);
        (names, hex(&mac(key, &format!("{ALGORITHM}\n{time}\n{scope}\n{digest}"))))
    }

    fn time(&self) -> String {
        self.now.strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    fn scope(&self) -> String {
        let day = self.now.strftime("%Y%m%d");
        format!("{day}/{}/{}/aws4_request", self.region, self.service)
    }
}

/// RFC 3986's unreserved characters and `kept` stay as they are.
pub fn percent_encoded(text: &str, kept: &str) -> String {
    let encoded = text.bytes().map(|byte| match char::from(byte) {
        c if c.is_ascii_alphanumeric() || "-_.~".contains(c) || kept.contains(c) => c.to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

fn encoded_pairs(query: &[(&str, &str)]) -> Vec<String> {
    let pair = |(name, value): &(&str, &str)| {
        format!("{}={}", percent_encoded(name, ""), percent_encoded(value, ""))
    };
    query.iter().map(pair).collect()
}

#[allow(clippy::needless_pass_by_value, reason = "it is folded with")]
fn mac(key: Vec<u8>, message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of HMAC may have any length");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
