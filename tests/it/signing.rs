//! Our signatures against those of AWS's own crate, for any request of the kind that we make.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as SdkCredentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningInstructions, SigningSettings, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use backlog_aws::aws::Credentials;
use backlog_aws::aws::signing::{Request, Signer, percent_encoded};
use backlog_aws::secret::Secret;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::Config;

/// What a request is made of, with its path not encoded yet.
#[derive(Debug)]
struct Case {
    method: &'static str,
    host: String,
    segments: Vec<String>,
    query: BTreeMap<String, String>,
    body: Vec<u8>,
    token: Option<String>,
    region: String,
    second: i64,
}

fn cases() -> impl Strategy<Value = Case> {
    let text = || "[ -~é€]{0,12}";
    (
        (prop::sample::select(&["GET", "POST"][..]), "[a-z0-9.-]{1,20}(:[1-9][0-9]{3})?"),
        // A model's name or ARN, as it stands in Bedrock's paths.
        prop::collection::vec("[a-zA-Z0-9][a-zA-Z0-9._:/ -]{0,20}", 0..4),
        prop::collection::btree_map("[a-zA-Z0-9 =&~-]{1,8}", text(), 0..5),
        prop::collection::vec(any::<u8>(), 0..60),
        prop::option::of("[a-zA-Z0-9/+=]{1,60}"),
        ("[a-z]{2}-[a-z]{4,9}-[1-9]", 0_i64..4_000_000_000),
    )
        .prop_map(|((method, host), segments, query, body, token, (region, second))| Case {
            method,
            host,
            segments,
            query,
            body,
            token,
            region,
            second,
        })
}

const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

impl Case {
    /// Signed by us: the headers and the query of a presigned address.
    fn ours(&self) -> (Vec<(String, String)>, String) {
        let credentials = Credentials {
            access_key_id: KEY_ID.into(),
            secret_access_key: Secret::new(SECRET),
            session_token: self.token.clone().map(Secret::new),
            expires_at: None,
        };
        let now = Timestamp::from_second(self.second).unwrap();
        let signer =
            Signer { credentials: &credentials, region: &self.region, service: "bedrock", now };
        let query: Vec<(&str, &str)> =
            self.query.iter().map(|(name, value)| (&**name, &**value)).collect();
        let path = self.path();
        let request = Request {
            method: self.method,
            host: &self.host,
            path: &path,
            query: &query,
            body: &self.body,
        };
        // `Host` is given to both.
        let headers = signer.headers(&request).into_iter().skip(1);
        let headers =
            headers.map(|(name, value)| (name.to_owned(), value.reveal().to_owned())).collect();
        (headers, signer.presigned_query(&request, 43_200).reveal().to_owned())
    }

    fn path(&self) -> String {
        let segments: Vec<String> =
            self.segments.iter().map(|segment| percent_encoded(segment, "")).collect();
        format!("/{}", segments.join("/"))
    }

    fn query(&self) -> String {
        let pair = |(name, value): (&String, &String)| {
            format!("{}={}", percent_encoded(name, ""), percent_encoded(value, ""))
        };
        self.query.iter().map(pair).collect::<Vec<_>>().join("&")
    }

    /// What AWS's crate adds to the same request.
    fn theirs(&self, location: SignatureLocation) -> SigningInstructions {
        let mut settings = SigningSettings::default();
        settings.signature_location = location;
        settings.expires_in =
            (location == SignatureLocation::QueryParams).then_some(Duration::from_hours(12));
        let identity =
            SdkCredentials::new(KEY_ID, SECRET, self.token.clone(), None, "a test").into();
        let second = u64::try_from(self.second).unwrap();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("bedrock")
            .time(SystemTime::UNIX_EPOCH + Duration::from_secs(second))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let address = format!("https://{}{}?{}", self.host, self.path(), self.query());
        let body = SignableBody::Bytes(&self.body);
        let headers = [("host", &*self.host)].into_iter();
        let request = SignableRequest::new(self.method, address, headers, body).unwrap();
        sign(request, &parameters).unwrap().into_parts().0
    }
}

proptest! {
    #![proptest_config(Config { cases: 500, failure_persistence: None, ..Config::default() })]

    #[test]
    fn signed_headers_are_those_of_awss_crate(case in cases()) {
        let theirs = case.theirs(SignatureLocation::Headers);
        let theirs: BTreeMap<&str, &str> = theirs.headers().collect();
        let (ours, _) = case.ours();
        let ours: BTreeMap<&str, &str> =
            ours.iter().map(|(name, value)| (&**name, &**value)).collect();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn a_presigned_query_is_that_of_awss_crate(case in cases()) {
        let theirs = case.theirs(SignatureLocation::QueryParams);
        let encode = |value: &Cow<'static, str>| percent_encoded(value, "");
        let mut theirs: Vec<String> =
            theirs.params().iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        theirs.extend(case.query().split('&').filter(|pair| !pair.is_empty()).map(str::to_owned));
        theirs.sort();
        let (_, ours) = case.ours();
        let mut ours: Vec<&str> = ours.split('&').collect();
        ours.sort_unstable();
        prop_assert_eq!(ours, theirs);
    }
}
