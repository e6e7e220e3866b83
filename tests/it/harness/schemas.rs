//! Holds what commands print with `--json` to the schemas in `docs/schemas/`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use boon::{Compiler, Schemas};
use serde_json::Value;

fn schema_of(command: &str) -> PathBuf {
    let name = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas").join(command);
    name.with_extension("json")
}

/// Every report of a command that has a schema, in every test.
#[track_caller]
pub fn assert_documented(arguments: &[OsString], stdout: &[u8]) {
    let Some(command) = arguments.first().and_then(|word| word.to_str()) else { return };
    if !arguments.iter().any(|word| word == OsStr::new("--json")) || stdout.is_empty() {
        return;
    }
    let report: Value = serde_json::from_slice(stdout).expect("`--json` prints JSON");
    if let Err(why) = validate(command, &report) {
        panic!("{command} --json is not as in docs/schemas: {why}\n{report:#}");
    }
}

fn validate(command: &str, report: &Value) -> Result<(), String> {
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.enable_format_assertions();
    let file = schema_of(command);
    let index = compiler.compile(file.to_str().expect("it is UTF-8"), &mut schemas);
    let index = index.map_err(|error| format!("{}: {error:#}", file.display()))?;
    schemas.validate(report, index).map_err(|error| error.to_string())
}

#[test]
fn a_report_with_another_field_or_word_is_not_as_documented() {
    let list = |profiles: &str| {
        let text = format!(r#"{{"schema": 1, "profiles": [{profiles}], "notices": []}}"#);
        validate("list", &serde_json::from_str(&text).expect("it is JSON"))
    };
    assert_eq!(list(""), Ok(()));
    list(r#"{"name": "bedrock", "kind": "static"}"#).expect_err("most fields are missing");
    list("7").expect_err("not an object");
    validate("status", &serde_json::json!({"schema": 2})).expect_err("nothing else is there");
    validate("lst", &Value::Null).expect_err("there is no such schema");
}
