//! The questions, and what is made of the answers.

use serde::Serialize;
use serde_json::{Value, json};

use super::call::{Caller, Refused, element};
use super::endpoint::{BEDROCK, BEDROCK_RUNTIME, STS};
use super::failures::{Explained, explain};
use crate::aws::signing::percent_encoded;
use crate::text::visible;

/// Something that AWS is asked, about a model where it is about one.
pub struct Question {
    pub name: &'static str,
    /// What an IAM policy calls it.
    action: &'static str,
    ask: fn(&Caller<'_>, &str) -> Result<Outcome, Refused>,
}

/// STS `GetCallerIdentity`: whose the credentials are.
pub const IDENTITY: Question =
    Question { name: "identity", action: "sts:GetCallerIdentity", ask: identity };
/// Bedrock `ListFoundationModels`: whether Bedrock answers in the region.
pub const MODELS: Question =
    Question { name: "models", action: "bedrock:ListFoundationModels", ask: models };
/// Bedrock Runtime `Converse`: whether one model answers.
pub const CONVERSE: Question =
    Question { name: "converse", action: "bedrock:InvokeModel", ask: converse };

/// What became of a question. The texts hold no control characters and no secrets.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// With what was learned, for scripts.
    Ok {
        message: String,
        found: Value,
    },
    Failed {
        #[serde(flatten)]
        explained: Explained,
        /// AWS's code and its own words, if it said anything.
        aws: Option<String>,
    },
    Skipped {
        message: &'static str,
    },
}

impl Outcome {
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    /// Whether the other questions would only bring the same failure again. Each action is allowed by itself.
    pub fn ends_it(&self) -> bool {
        let denied = ["access-denied", "forbidden"];
        matches!(self, Self::Failed { explained, .. } if !denied.contains(&explained.code))
    }
}

/// A question with its answer.
#[derive(Debug, Serialize)]
pub struct Step {
    pub question: &'static str,
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Caller<'_> {
    pub fn ask(&self, question: &Question, model: &str) -> Step {
        let outcome = (question.ask)(self, model).unwrap_or_else(|refused| {
            let (region, area) = (self.region, area(self.region));
            let explained = explain(
                &refused,
                &[
                    ("region", region),
                    ("area", area),
                    ("model", model),
                    ("action", question.action),
                ],
            );
            let code = visible(&refused.code);
            Outcome::Failed { explained, aws: refused.said.map(|said| format!("{code}: {said}")) }
        });
        Step { question: question.name, outcome }
    }
}

fn identity(caller: &Caller<'_>, _: &str) -> Result<Outcome, Refused> {
    if caller.identity.api_key().is_some() {
        let message = "STS does not tell whose a Bedrock API key is";
        return Ok(Outcome::Skipped { message });
    }
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    caller.call(&STS, "/", Some(body), |answer| {
        let part = |name| element(answer, name).map(visible);
        let (account, arn, user_id) = (part("Account")?, part("Arn")?, part("UserId")?);
        let message = format!("account {account}, {arn} ({user_id})");
        let found = json!({"account": account, "arn": arn, "user_id": user_id});
        Some(Outcome::Ok { message, found })
    })
}

fn models(caller: &Caller<'_>, model: &str) -> Result<Outcome, Refused> {
    caller.call(&BEDROCK, "/foundation-models", None, |answer| {
        let answer: Value = serde_json::from_str(answer).ok()?;
        let listed = answer["modelSummaries"].as_array()?;
        let is_listed = |id: &str| listed.iter().any(|summary| summary["modelId"] == id);
        let about = match model.split_once('.') {
            _ if model.is_empty() => String::new(),
            _ if is_listed(model) => format!("; {model} is one of them"),
            _ if model.starts_with("arn:") => "; they do not tell of an ARN".to_owned(),
            Some((_, of)) if is_listed(of) => {
                format!("; {model} is an inference profile of {of}")
            }
            _ => format!("; {model} is not one of them"),
        };
        let (count, region) = (listed.len(), caller.region);
        let message = format!("Bedrock has {count} foundation models in {region}{about}");
        Some(Outcome::Ok { message, found: json!({"models": count}) })
    })
}

fn converse(caller: &Caller<'_>, model: &str) -> Result<Outcome, Refused> {
    let path = format!("/model/{}/converse", percent_encoded(model, ""));
    let body = r#"{"messages":[{"role":"user","content":[{"text":"."}]}],"inferenceConfig":{"maxTokens":1}}"#;
    caller.call(&BEDROCK_RUNTIME, &path, Some(body), |answer| {
        let answer: Value = serde_json::from_str(answer).ok()?;
        let tokens = |name: &str| answer["usage"][name].as_u64();
        let (input, output) = (tokens("inputTokens")?, tokens("outputTokens")?);
        let message = format!("{model} answers; {input} tokens in, {output} out, billed");
        let found = json!({"input_tokens": input, "output_tokens": output});
        Some(Outcome::Ok { message, found })
    })
}

/// What the names of inference profiles for a region begin with.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>
fn area(region: &str) -> &'static str {
    let areas =
        [("us-gov-", "us-gov"), ("us-", "us"), ("ca-", "us"), ("eu-", "eu"), ("ap-", "apac")];
    let area = areas.iter().find(|(start, _)| region.starts_with(start));
    area.map_or("global", |(_, area)| area)
}
