//! `check` against a stand-in for AWS on the loopback interface, which verifies signatures and fails on request
//! (`tests/clients/harness/answers.py`). Secrets must not be seen in arguments, variables or files on the way.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use backlog_aws::check::TABLE;
use serde_json::{Value, json};

use crate::documents::{assert_current, in_repository, read};
use crate::harness::{
    Invocation, KEY_IDS, Output, SECRETS, Sandbox, Session, Shell, files_below, needed,
};

const BEARER: &str = "ABSKQmVkcm9ja0FQSUtleS1leGFtcGxlOkVYQU1QTEU=";
pub const MODEL: &str = "anthropic.claude-haiku-4-5-20251001-v1:0";

/// The stand-in. It ends when this process does, because that closes its input.
struct Server {
    port: u16,
    _process: Child,
}

impl Server {
    fn start(certificate: &[PathBuf]) -> Self {
        let mut process = Command::new(needed("python3"))
            .args(["-m", "harness.answers", KEY_IDS[0], SECRETS[0], SECRETS[2], BEARER])
            .args(certificate)
            .current_dir(in_repository("tests/clients"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("it is a pipe");
        BufReader::new(output).read_line(&mut line).expect("it says its port");
        Self { port: line.trim().parse().expect("it says its port"), _process: process }
    }

    fn plain() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(|| Self::start(&[]))
    }

    /// With TLS, and a certificate that `authority` vouches for.
    fn encrypted() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(|| Self::start(&certificate()))
    }
}

pub fn plain(mode: &str) -> String {
    format!("http://127.0.0.1:{}/{mode}", Server::plain().port)
}

/// What the stand-in is to answer with an error.
pub fn fail(status: u16, code: &str, message: &str) -> String {
    let message = backlog_aws::aws::signing::percent_encoded(message, "");
    plain(&format!("fail/{status}/{code}/{message}"))
}

/// The root certificate of the tests.
fn authority() -> PathBuf {
    certificate_directory().join("ca.pem")
}

fn certificate_directory() -> &'static Path {
    static DIRECTORY: OnceLock<tempfile::TempDir> = OnceLock::new();
    DIRECTORY.get_or_init(|| tempfile::tempdir().unwrap()).path()
}

/// A certificate for 127.0.0.1 and its key, signed by an authority that nobody else trusts.
fn certificate() -> [PathBuf; 2] {
    let openssl = |arguments: &str| {
        let made = Command::new(needed("openssl"))
            .args(arguments.split(' '))
            .current_dir(certificate_directory())
            .stderr(Stdio::null())
            .status();
        assert!(made.expect("openssl starts").success(), "openssl {arguments}");
    };
    let new_key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {new_key} -days 2 -subj /CN=tests -keyout ca.key -out ca.pem"));
    openssl(&format!("req {new_key} -subj /CN=127.0.0.1 -keyout key.pem -out request.pem"));
    let directory = certificate_directory();
    fs::write(directory.join("names"), "subjectAltName = IP:127.0.0.1\n").unwrap();
    openssl(
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
    [directory.join("server.pem"), directory.join("key.pem")]
}

fn check<'home>(home: &'home Sandbox, endpoint: &str, more: &[&str]) -> Invocation<'home> {
    let words = ["check", "--profile", "bedrock"].iter().chain(more);
    home.invoke(words).env("AWS_ENDPOINT_URL", endpoint)
}

/// The failed step as JSON.
#[track_caller]
fn failure(run: Invocation<'_>) -> Value {
    let report = run.run().expect_code(1).json();
    assert_eq!(report["ok"], false);
    let mut failed = report["steps"].as_array().unwrap().iter();
    failed.find(|step| step["outcome"] == "failed").expect("a step failed").clone()
}

/// Puts a script of the name curl before the real one.
fn wrap_curl(home: &Sandbox, script: &str) {
    home.put_on_path("curl", &format!("#!/bin/sh\n{script}\n"));
}

#[test]
fn it_says_whose_the_credentials_are_and_that_bedrock_answers() {
    let home = Sandbox::documented_home();
    let output = check(&home, &plain("good"), &[]).run().expect_code(0);
    let expected = "bedrock (static, AKIA************MPLE), eu-west-1, by pin\n  \
        ok      identity  account 123456789012, arn:aws:iam::123456789012:user/toolkit (AIDACKCEVSQ6C2EXAMPLE)\n  \
        ok      models    Bedrock has 2 foundation models in eu-west-1\n\
        bedrock works in eu-west-1\n";
    assert_eq!(output.out(), expected);
    assert_eq!(output.err(), "");
}

#[test]
fn a_model_is_asked_only_when_it_is_named() {
    let home = Sandbox::documented_home();
    let profile = format!("eu.{MODEL}");
    let arn = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3d4e5f6";
    for (model, about) in [
        (MODEL, format!("{MODEL} is one of them")),
        (&profile, format!("{profile} is an inference profile of {MODEL}")),
        (arn, "they do not tell of an ARN".to_owned()),
        ("eu.nobody.knows", "eu.nobody.knows is not one of them".to_owned()),
    ] {
        let output = check(&home, &plain("good"), &["--model", model]).run().expect_code(0);
        assert!(output.out().contains(&about), "{}", output.out());
        let answers = format!("ok      converse  {model} answers; 8 tokens in, 1 out, billed\n");
        assert!(output.out().contains(&answers), "{}", output.out());
    }
}

#[test]
fn json_is_of_schema_1() {
    let home = Sandbox::documented_home();
    let run = check(&home, &plain("good"), &["--json", "--model", MODEL]);
    let report = run.run().expect_code(0).json();
    let expected = json!({
        "schema": 1, "ok": true, "profile": "bedrock", "source": "pin", "region": "eu-west-1",
        "steps": [
            {"question": "identity", "outcome": "ok",
             "message": "account 123456789012, arn:aws:iam::123456789012:user/toolkit (AIDACKCEVSQ6C2EXAMPLE)"},
            {"question": "models", "outcome": "ok",
             "message": format!("Bedrock has 2 foundation models in eu-west-1; {MODEL} is one of them")},
            {"question": "converse", "outcome": "ok",
             "message": format!("{MODEL} answers; 8 tokens in, 1 out, billed")},
        ],
    });
    assert_eq!(report, expected);
}

#[test]
fn the_answer_is_that_of_exec_with_its_refusals_and_guesses() {
    let home = Sandbox::documented_home();
    let endpoint = plain("good");
    let refusal = |command: &[&str]| {
        let run = home.invoke(command.iter().chain(&["--profile", "cc"]));
        run.env("AWS_ENDPOINT_URL", &endpoint).run().expect_code(1).err().to_owned()
    };
    assert!(refusal(&["check"]).contains("Profile 'cc' has no static credentials"));
    assert_eq!(refusal(&["check"]), refusal(&["exec", "--dry-run"]));
    // Nothing names a profile, and luxito stands first.
    let run = home.invoke(["check", "--json"]).env("AWS_ENDPOINT_URL", &endpoint);
    let output = run.env("BACKLOG_AWS_QUIET", "1").run().expect_code(1);
    assert!(output.err().contains("Auto-detected AWS profile: luxito"), "{}", output.err());
    assert_eq!(output.json()["profile"], "luxito");
}

#[test]
fn keys_that_do_not_fit_are_told_apart() {
    let home = Sandbox::documented_home();
    let (id, secret, token) = (KEY_IDS[0], SECRETS[0], SECRETS[2]);
    for (keys, code) in [
        ((KEY_IDS[1], secret, ""), "wrong-key"),
        ((id, SECRETS[1], ""), "wrong-secret"),
        ((id, secret, "another"), "wrong-key"),
        ((id, SECRETS[1], token), "wrong-secret"),
    ] {
        let (id, secret, token) = keys;
        home.write_private(
            ".aws/credentials",
            format!("[bedrock]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = {token}\n"),
        );
        let step = failure(check(&home, &plain("good"), &["--json"]));
        assert_eq!(
            (&step["question"], &step["code"]),
            (&json!("identity"), &json!(code)),
            "{step}"
        );
    }
    home.write_private(
        ".aws/credentials",
        format!("[bedrock]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = {token}\n"),
    );
    check(&home, &plain("good"), &["--model", MODEL]).run().expect_code(0);
}

#[test]
fn a_bedrock_api_key_has_no_identity_to_ask_for() {
    let home = Sandbox::documented_home();
    let with = |key: &str| {
        home.write(".backlog-toolkit-env", format!("AWS_BEARER_TOKEN_BEDROCK={key}\n"));
        let run = home.invoke(["check", "--json", "--model", MODEL]);
        run.env("AWS_ENDPOINT_URL", plain("good")).run()
    };
    let report = with(BEARER).expect_code(0).json();
    let asked: Vec<_> =
        report["steps"].as_array().unwrap().iter().map(|step| &step["question"]).collect();
    assert_eq!(asked, ["models", "converse"]);
    let report = with("ABSKbm90aGluZw==").expect_code(1).json();
    assert_eq!(report["steps"][0]["code"], "wrong-api-key");
}

/// Of Bedrock and its runtime: status, AWS's code and message, our name for it, and what stands in the remedy.
const REFUSALS: [(u16, &str, &str, &str, &str); 18] = [
    (
        403,
        "ExpiredTokenException",
        "The security token included in the request is expired",
        "expired",
        "get new ones",
    ),
    (403, "AccessDeniedException", "Bearer Token has expired", "expired", "get new ones"),
    (
        403,
        "AccessDeniedException",
        "User: arn:aws:iam::123456789012:user/u is not authorized to perform: \
      bedrock:InvokeModel",
        "access-denied",
        r#"{"Effect":"Allow","Action":["bedrock:ListFoundationModels","bedrock:InvokeModel","#,
    ),
    (
        403,
        "AccessDeniedException",
        "User: u is not authorized to perform: bedrock:InvokeModel with an explicit deny \
      in a service control policy",
        "forbidden",
        "whoever runs the account",
    ),
    (
        403,
        "AccessDeniedException",
        "You don't have access to the model with the specified model ID.",
        "model-not-enabled",
        "ask for access",
    ),
    (
        404,
        "ResourceNotFoundException",
        "Model use case details have not been submitted for this account.",
        "model-not-enabled",
        "ask for access",
    ),
    (
        403,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        "wrong-key",
        "copy all parts",
    ),
    (
        400,
        "ValidationException",
        "The provided model identifier is invalid.",
        "model-not-found",
        "compare its name",
    ),
    (
        404,
        "ResourceNotFoundException",
        "Could not resolve the foundation model from the provided model identifier.",
        "model-not-found",
        "compare its name",
    ),
    (
        404,
        "ResourceNotFoundException",
        "This model version has reached the end of its life.",
        "model-retired",
        "newer",
    ),
    (
        400,
        "ValidationException",
        "Invocation of model ID anthropic.claude-haiku-4-5-20251001-v1:0 with on-demand \
      throughput isn\u{2019}t supported. Retry your request with the ID or ARN of an inference profile that contains \
      this model.",
        "needs-inference-profile",
        "use `eu.anthropic.claude-haiku-4-5-20251001-v1:0`",
    ),
    (
        400,
        "ValidationException",
        "This action doesn't support the model that you provided.",
        "model-refuses",
        "a model for text",
    ),
    (
        429,
        "ThrottlingException",
        "Too many requests, please wait before trying again.",
        "throttled",
        "wait",
    ),
    (
        400,
        "ServiceQuotaExceededException",
        "Too many tokens per day",
        "throttled",
        "Service Quotas",
    ),
    (
        503,
        "ServiceUnavailableException",
        "Bedrock is unable to process your request.",
        "aws-trouble",
        "try again",
    ),
    (502, "none", "Bad Gateway", "aws-trouble", "try again"),
    (400, "OptInRequired", "not subscribed", "region-off", "--region"),
    (418, "TeapotException", "I am new", "unknown", "look the code up"),
];

#[test]
fn each_refusal_of_bedrock_has_its_words_and_its_remedy() {
    let home = Sandbox::documented_home();
    for (status, aws, message, code, remedy) in REFUSALS {
        let run = check(&home, &plain("good"), &["--json", "--model", MODEL])
            .env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", fail(status, aws, message));
        let step = failure(run);
        assert_eq!(step["question"], "converse");
        assert_eq!(step["code"], code, "{step}");
        assert!(step["remedy"].as_str().unwrap().contains(remedy), "{step}");
        let said = step["aws"].as_str().map(|said| said.split(": ").next().unwrap());
        assert_eq!(said, Some(aws).filter(|aws| *aws != "none"), "{step}");
    }
}

#[test]
fn each_refusal_of_sts_has_its_words_and_ends_the_questions() {
    let home = Sandbox::documented_home();
    for (aws, code) in [
        ("InvalidClientTokenId", "wrong-key"),
        ("SignatureDoesNotMatch", "wrong-secret"),
        ("ExpiredToken", "expired"),
        ("RegionDisabledException", "region-off"),
        ("Throttling", "throttled"),
        ("AccessDenied", "access-denied"),
    ] {
        let run = check(&home, &plain("good"), &["--json"])
            .env("AWS_ENDPOINT_URL_STS", fail(403, aws, "no"));
        let report = run.run().expect_code(1).json();
        let steps = report["steps"].as_array().unwrap();
        assert_eq!(steps[0]["code"], code);
        // Each action is allowed by itself.
        assert_eq!(steps.len(), if code == "access-denied" { 2 } else { 1 }, "{report}");
    }
}

#[test]
fn a_list_that_is_not_allowed_does_not_keep_the_model_from_being_asked() {
    let home = Sandbox::documented_home();
    let output = check(&home, &plain("good"), &["--model", MODEL])
        .env("AWS_ENDPOINT_URL_BEDROCK", fail(403, "AccessDeniedException", "not authorized"))
        .run()
        .expect_code(1);
    let expected = "  failed  models    these credentials may not do bedrock:ListFoundationModels\n          \
        AWS says  AccessDeniedException: not authorized\n          \
        -> add to their IAM policy: \
        {\"Effect\":\"Allow\",\"Action\":[\"bedrock:ListFoundationModels\",\"bedrock:InvokeModel\",\
        \"bedrock:InvokeModelWithResponseStream\"],\"Resource\":\"*\"}\n  \
        ok      converse";
    assert!(output.out().contains(expected), "{}", output.out());
    assert!(output.out().ends_with("bedrock works in part in eu-west-1\n"), "{}", output.out());
}

#[test]
fn a_wrong_clock_is_told_from_a_wrong_secret() {
    let home = Sandbox::documented_home();
    for ahead in [3690, -690] {
        let run = check(&home, &plain(&format!("clock/{ahead}")), &["--json"]);
        let step = failure(run);
        assert_eq!(step["code"], "clock-skew", "{step}");
    }
    let step = failure(check(&home, &plain("clock/60"), &["--json"]));
    assert_eq!(step["code"], "wrong-secret", "{step}");
}

#[test]
fn somebody_else_than_aws_is_recognized() {
    let home = Sandbox::documented_home();
    let proxys = fail(403, "none", "Blocked by policy").replace(&plain(""), "");
    for mode in ["page", "nonsense", "moved", &proxys] {
        for variable in ["_STS", "_BEDROCK", "_BEDROCK_RUNTIME"] {
            let run = check(&home, &plain("good"), &["--json", "--model", MODEL])
                .env(format!("AWS_ENDPOINT_URL{variable}"), plain(mode));
            assert_eq!(failure(run)["code"], "captive-portal", "{mode} {variable}");
        }
    }
    check(&home, &plain("interim"), &["--model", MODEL]).run().expect_code(0);
}

#[test]
fn what_aws_says_is_bounded_visible_and_without_our_secrets() {
    let home = Sandbox::documented_home();
    let token = SECRETS[2];
    home.write_private(
        ".aws/credentials",
        format!(
            "[bedrock]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {token}\n",
            KEY_IDS[0], SECRETS[0]
        ),
    );
    // The harness searches what is printed for every secret.
    for more in [&[][..], &["--json"]] {
        let run = check(&home, &plain("good"), more).env("AWS_ENDPOINT_URL_BEDROCK", plain("echo"));
        let output = run.run().expect_code(1);
        assert!(output.out().contains("The Canonical String is"), "{}", output.out());
    }
    let hostile = "\u{1b}[2J\u{202e}".repeat(100) + "\nsecond line";
    let run = check(&home, &plain("good"), &["--json"])
        .env("AWS_ENDPOINT_URL_BEDROCK", fail(400, "ValidationException", &hostile));
    let step = failure(run);
    let said = step["aws"].as_str().unwrap();
    assert!(said.len() < 250 && said.contains("\\x1b[2J\\u{202e}"), "{said}");
    assert!(!said.contains("second"), "{said}");
}

#[test]
fn with_tls_the_bundle_of_the_user_counts() {
    let home = Sandbox::documented_home();
    let endpoint = format!("https://127.0.0.1:{}/good", Server::encrypted().port);
    for variable in ["AWS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
        let run = check(&home, &endpoint, &["--model", MODEL]).env(variable, authority());
        run.run().expect_code(0);
        let run = check(&home, &endpoint, &["--json"]).env(variable, home.path("missing.pem"));
        assert_eq!(failure(run)["code"], "certificate-file", "{variable}");
    }
    let step = failure(check(&home, &endpoint, &["--json"]));
    assert_eq!(step["code"], "certificate", "{step}");
    assert!(step["remedy"].as_str().unwrap().contains("AWS_CA_BUNDLE"), "{step}");
    // The plain server knows nothing of TLS.
    let step = failure(check(&home, &plain("good").replace("http:", "https:"), &["--json"]));
    assert_eq!(step["code"], "tls", "{step}");
}

#[test]
fn a_network_that_does_not_work_is_told_by_how() {
    let home = Sandbox::documented_home();
    let closed = "http://127.0.0.1:9";
    let proxy = format!("http://127.0.0.1:{}", Server::plain().port);
    let aws = "https://bedrock.test.invalid";
    let code = |endpoint: &str, variables: &[(&str, &str)]| {
        let mut run = check(&home, endpoint, &["--json"]);
        for (name, value) in variables {
            run = run.env(*name, *value);
        }
        failure(run)["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code("http://test.invalid", &[]), "no-network");
    let moved = [("AWS_ENDPOINT_URL_BEDROCK", aws)];
    assert_eq!(code(&plain("good"), &moved), "no-bedrock");
    assert_eq!(code(closed, &[]), "no-connection");
    assert_eq!(code(aws, &[("https_proxy", "http://proxy.test.invalid")]), "proxy");
    assert_eq!(code(aws, &[("https_proxy", closed)]), "no-connection");
    assert_eq!(code(aws, &[("HTTPS_PROXY", &proxy)]), "broken-off");
    let step = failure(check(&home, "http://user:pass@127.0.0.1:9", &["--json"]));
    assert_eq!(step["message"], "no connection to 127.0.0.1:9, or to the proxy");
    assert_eq!(step["aws"], Value::Null);
    let output = check(&home, closed, &[]).run().expect_code(1);
    assert!(
        output.out().ends_with("bedrock was not found to work in eu-west-1\n"),
        "{}",
        output.out()
    );
    assert_eq!(code("gopher://127.0.0.1:9", &[]), "old-curl");
}

/// What curl ends with when nobody waits ten seconds for it, and what cannot be brought about here.
#[test]
fn each_end_of_curl_has_its_words() {
    let home = Sandbox::documented_home();
    for (status, code) in [(28, "timed-out"), (2, "old-curl"), (56, "broken-off"), (99, "unknown")]
    {
        wrap_curl(&home, &format!("cat >\"$HOME/asked\"; exit {status}"));
        let step = failure(check(&home, &plain("good"), &["--json"]));
        assert_eq!(step["code"], code, "{step}");
    }
    let asked = fs::read_to_string(home.path("asked")).unwrap();
    assert!(asked.contains("max-time = 10\n"), "{asked}");
    let run = check(&home, &plain("good"), &["--json"]).env("PATH", "/nowhere");
    assert_eq!(failure(run)["code"], "no-curl");
}

#[test]
fn no_value_can_add_a_line_to_what_curl_is_told() {
    let home = Sandbox::documented_home();
    wrap_curl(&home, "cat >>\"$HOME/asked\"; exit 28");
    let quoted = "http://127.0.0.1:9/a\"b\\c";
    check(&home, quoted, &[]).run().expect_code(1);
    let asked = fs::read_to_string(home.path("asked")).unwrap();
    assert!(asked.contains("\nurl = \"http://127.0.0.1:9/a\\\"b\\\\c/\"\n"), "{asked}");
    home.remove("asked");
    let run = check(&home, "http://127.0.0.1:9/\noutput = \"stolen\"", &["--json"]);
    assert_eq!(failure(run)["code"], "unsendable");
    home.write_private(
        ".aws/credentials",
        format!(
            "[bedrock]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = a\n  b: c\n",
            KEY_IDS[0], SECRETS[0]
        ),
    );
    assert_eq!(failure(check(&home, &plain("good"), &["--json"]))["code"], "unsendable");
    assert!(!home.path("asked").exists(), "curl was started all the same");
}

/// strace writes each program's arguments and variables, and each file that is made.
#[test]
#[cfg(target_os = "linux")]
fn no_secret_is_in_arguments_variables_or_files() {
    let home = Sandbox::documented_home();
    home.write_private(
        ".aws/credentials",
        format!(
            "[bedrock]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            KEY_IDS[0], SECRETS[0]
        ),
    );
    // What a user's own settings of curl could do.
    home.write(".curlrc", "trace-ascii = traced\n");
    let log = home.home().with_file_name("calls");
    let calls = "trace=execve,openat,creat,memfd_create";
    let options = ["-f", "-v", "-s", "100000", "-e", calls, "-e", "inject=prctl:retval=0"];
    let mut command = home.strace(&options, &log);
    command
        .arg(Sandbox::built_binary())
        .args(["check", "--profile", "bedrock", "--model", MODEL])
        .env("AWS_ENDPOINT_URL", plain("good"))
        // Another identity, in the variables that the program itself was started with.
        .env("AWS_SECRET_ACCESS_KEY", SECRETS[1])
        .env("AWS_BEARER_TOKEN_BEDROCK", BEARER);
    Output::from(command.output().expect("strace starts")).expect_code(0);
    let log = fs::read_to_string(log).unwrap();
    let curls: Vec<&str> = log.lines().filter(|line| line.contains("[\"curl\"")).collect();
    let started = |line: &&&str| line.ends_with("= 0");
    assert_eq!(curls.iter().filter(started).count(), 3, "{log}");
    for line in curls {
        assert!(line.contains("[\"curl\", \"-q\", \"--config\", \"-\"], ["), "{line}");
        for secret in SECRETS.iter().chain(&[BEARER, "AWS4-HMAC"]) {
            assert!(!line.contains(secret), "{line}");
        }
    }
    let made = |line: &&str| {
        ["O_CREAT", "O_WRONLY", "O_RDWR", "creat(", "memfd_create("]
            .iter()
            .any(|way| line.contains(way))
    };
    let made: Vec<&str> =
        log.lines().filter(made).filter(|line| !line.contains("\"/dev/null\"")).collect();
    assert_eq!(made, [""; 0]);
    assert!(!files_below(&home.home()).contains(&home.path("traced")));
}

/// What `ps` shows of curl, and of the program that waits for it.
#[test]
#[cfg(target_os = "linux")]
fn no_secret_is_in_what_ps_shows() {
    let home = Sandbox::documented_home();
    let curl = needed("curl");
    let processes = "/proc/$$/cmdline /proc/$$/environ /proc/$PPID/cmdline";
    wrap_curl(&home, &format!("cat {processes} >>\"$HOME/seen\"; exec {} \"$@\"", curl.display()));
    check(&home, &plain("good"), &["--model", MODEL]).run().expect_code(0);
    let seen = fs::read(home.path("seen")).unwrap();
    let seen = String::from_utf8_lossy(&seen);
    assert_eq!(seen.matches("-q\0--config\0-\0").count(), 3, "{seen}");
    assert_eq!(seen.matches("check\0--profile\0bedrock\0").count(), 3, "{seen}");
    for secret in SECRETS.iter().chain(&["AWS4-HMAC"]) {
        assert!(!seen.contains(secret), "{seen}");
    }
}

#[test]
fn wrong_use_is_said_in_one_line() {
    let home = Sandbox::documented_home();
    let long = "a".repeat(3000);
    for (words, why) in [
        (&["check", "--model", ""][..], "cannot be a model"),
        (&["check", "--model", "../../x"], "cannot be a model"),
        (&["check", "--model", "a b"], "cannot be a model"),
        (&["check", "--model", &long], "cannot be a model"),
        (&["check", "--region", "a b"], "cannot be a region"),
        (&["check", "extra"], "unexpected argument"),
    ] {
        let output = home.run(words).expect_code(2);
        assert!(
            output.err().contains(why) && output.err().lines().count() == 1,
            "{}",
            output.err()
        );
    }
    let run = check(&home, &plain("good"), &[]).env("BACKLOG_AWS_REGION", "evil.example.com/");
    let output = run.run().expect_code(1);
    assert!(output.err().contains("cannot be a region"), "{}", output.err());
}

#[test]
fn on_a_terminal_progress_gives_way_to_the_answer() {
    let home = Sandbox::documented_home();
    let mut session = Session::start(&home, Shell::Bash);
    session.export("AWS_ENDPOINT_URL", plain("good"));
    session.line("backlog-aws check --profile bedrock");
    let screen = session.screen();
    assert!(screen.contains("bedrock works in eu-west-1") && !screen.contains('…'), "{screen}");
    // One that nobody answers, and Ctrl-C.
    wrap_curl(&home, "exec sleep 1000");
    session.send("backlog-aws check --profile bedrock\n");
    session.wait_for("…       identity");
    session.interrupt();
    assert_eq!(session.status_of_last(), 130);
}

const MARKS: [&str; 2] = ["<!-- failures:begin -->\n", "<!-- failures:end -->"];

#[test]
fn docs_have_the_table_of_failures() {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    let mut table = "| code | what it says | what to do |\n|---|---|---|\n".to_owned();
    for row in rows {
        let columns: Vec<&str> = row.split(" | ").collect();
        assert_eq!(columns.len(), 4, "{row}");
        writeln!(table, "| `{}` | {} | {} |", columns[0], columns[2], columns[3]).unwrap();
    }
    let page = read("docs/check.md");
    let (before, rest) = page.split_once(MARKS[0]).expect("docs/check.md has a place for it");
    let (_, after) = rest.split_once(MARKS[1]).expect("the place ends");
    assert_current("docs/check.md", &format!("{before}{}{table}{}{after}", MARKS[0], MARKS[1]));
}

/// Every place in braces is filled, whatever failed.
#[test]
fn no_words_have_a_place_left_open() {
    let known = ["host", "region", "model", "action", "area", "code"];
    for word in
        TABLE.lines().filter(|line| !line.starts_with('#')).flat_map(|line| line.split('{').skip(1))
    {
        let place = word.split('}').next().unwrap();
        assert!(place.starts_with('"') || known.contains(&place), "{place}");
    }
}
