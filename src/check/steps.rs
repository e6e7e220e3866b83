//! The questions, and what is made of the answers.

use serde::Serialize;
use serde_json::Value;

use super::call::{Caller, Refused, element};
use super::failures::{Explained, explain};
use crate::aws::signing::percent_encoded;
use crate::text::visible;

/// Something that AWS is asked, about a model where it is about one.
pub struct Question {
    pub name: &'static str,
    /// What an IAM policy calls it.
    action: &'static str,
    ask: fn(&Caller<'_>, &str) -> Result<String, Refused>,
}

/// STS `GetCallerIdentity`, whose the credentials are; Bedrock `ListFoundationModels`, whether Bedrock answers in the
/// region; Bedrock Runtime `Converse`, whether one model answers.
const QUESTIONS: [Question; 3] = [
    Question { name: "identity", action: "sts:GetCallerIdentity", ask: identity },
    Question { name: "models", action: "bedrock:ListFoundationModels", ask: models },
    Question { name: "converse", action: "bedrock:InvokeModel", ask: converse },
];

/// What became of a question. The texts hold no control characters and no secrets.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    Ok { message: String },
    Failed(Explained),
}

impl Outcome {
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    /// Whether the other questions would only bring the same failure again. Each action is allowed by itself.
    pub fn ends_it(&self) -> bool {
        let denied = ["access-denied", "forbidden"];
        matches!(self, Self::Failed(explained) if !denied.contains(&explained.code))
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
    /// What there is to ask. STS does not tell whose a Bedrock API key is.
    pub fn questions(&self, about_model: bool) -> &'static [Question] {
        &QUESTIONS[usize::from(self.identity.api_key().is_some())..2 + usize::from(about_model)]
    }

    pub fn ask(&self, question: &Question, model: &str) -> Step {
        let (region, action) = (self.region, question.action);
        let facts =
            [("region", region), ("area", area(region)), ("model", model), ("action", action)];
        let outcome = match (question.ask)(self, model) {
            Ok(message) => Outcome::Ok { message },
            Err(refused) => Outcome::Failed(explain(&refused, &facts)),
        };
        Step { question: question.name, outcome }
    }
}

fn identity(caller: &Caller<'_>, _: &str) -> Result<String, Refused> {
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    caller.call("sts", "/", Some(body), |answer| {
        let part = |name| element(answer, name).map(visible);
        let (account, arn, user_id) = (part("Account")?, part("Arn")?, part("UserId")?);
        Some(format!("account {account}, {arn} ({user_id})"))
    })
}

fn models(caller: &Caller<'_>, model: &str) -> Result<String, Refused> {
    caller.call("bedrock", "/foundation-models", None, |answer| {
        let answer: Value = serde_json::from_str(answer).ok()?;
        let listed = answer["modelSummaries"].as_array()?;
        let is_listed = |id: &str| listed.iter().any(|summary| summary["modelId"] == id);
        let about = match model.split_once('.') {
            _ if model.is_empty() => String::new(),
            _ if is_listed(model) => format!("; {model} is one of them"),
            _ if model.starts_with("arn:") => "; they do not tell of an ARN".to_owned(),
            Some((_, of)) if is_listed(of) => format!("; {model} is an inference profile of {of}"),
            _ => format!("; {model} is not one of them"),
        };
        let (count, region) = (listed.len(), caller.region);
        Some(format!("Bedrock has {count} foundation models in {region}{about}"))
    })
}

fn converse(caller: &Caller<'_>, model: &str) -> Result<String, Refused> {
    let path = format!("/model/{}/converse", percent_encoded(model, ""));
    let body = r#"{"messages":[{"role":"user","content":[{"text":"."}]}],"inferenceConfig":{"maxTokens":1}}"#;
    caller.call("bedrock-runtime", &path, Some(body), |answer| {
        let answer: Value = serde_json::from_str(answer).ok()?;
        let tokens = |name: &str| answer["usage"][name].as_u64();
        let (input, output) = (tokens("inputTokens")?, tokens("outputTokens")?);
        Some(format!("{model} answers; {input} tokens in, {output} out, billed"))
    })
}

/// What the names of inference profiles for a region begin with.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>
fn area(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("us") if region.starts_with("us-gov-") => "us-gov",
        Some("us" | "ca") => "us",
        Some("eu") => "eu",
        Some("ap") => "apac",
        _ => "global",
    }
}
