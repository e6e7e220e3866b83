//! The questions, and what is made of the answers.

use serde::Serialize;
use serde_json::{Value, json};

use super::call::{Caller, Refused, element};
use super::endpoint::{BEDROCK, BEDROCK_RUNTIME, STS};
use super::failures::{Explained, explain};
use crate::aws::signing::percent_encoded;
use crate::text::visible;

/// What AWS is asked, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Question {
    /// STS `GetCallerIdentity`: whose the credentials are.
    Identity,
    /// Bedrock `ListFoundationModels`: whether Bedrock answers in the region.
    Models,
    /// Bedrock Runtime `Converse`: whether one model answers.
    Converse,
}

impl Question {
    /// What an IAM policy calls it.
    fn action(self) -> &'static str {
        match self {
            Self::Identity => "sts:GetCallerIdentity",
            Self::Models => "bedrock:ListFoundationModels",
            Self::Converse => "bedrock:InvokeModel",
        }
    }
}

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
    pub question: Question,
    #[serde(flatten)]
    pub outcome: Outcome,
}

type Learned = Result<Outcome, Refused>;

impl Caller<'_> {
    /// Asks one question, about a model where it is about one.
    pub fn ask(&self, question: Question, model: &str) -> Step {
        let learned = match question {
            Question::Identity if self.identity.api_key().is_some() => {
                Ok(Outcome::Skipped { message: "STS does not tell whose a Bedrock API key is" })
            }
            Question::Identity => self.identity(),
            Question::Models => self.models(model),
            Question::Converse => self.converse(model),
        };
        let outcome = learned.unwrap_or_else(|refused| {
            let facts = [
                ("region", self.region),
                ("area", area(self.region)),
                ("model", model),
                ("action", question.action()),
            ];
            let said = Some(&refused.said).filter(|said| !said.is_empty());
            let aws = said.map(|said| format!("{}: {said}", visible(&refused.code)));
            Outcome::Failed { explained: explain(&refused, &facts), aws }
        });
        Step { question, outcome }
    }

    fn identity(&self) -> Learned {
        let body = "Action=GetCallerIdentity&Version=2011-06-15";
        self.call(&STS, "/", Some(body), |answer| {
            let part = |name| element(answer, name).map(visible);
            let (account, arn, user_id) = (part("Account")?, part("Arn")?, part("UserId")?);
            let message = format!("account {account}, {arn} ({user_id})");
            let found = json!({"account": account, "arn": arn, "user_id": user_id});
            Some(Outcome::Ok { message, found })
        })
    }

    fn models(&self, model: &str) -> Learned {
        self.call(&BEDROCK, "/foundation-models", None, |answer| {
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
            let (count, region) = (listed.len(), self.region);
            let message = format!("Bedrock has {count} foundation models in {region}{about}");
            Some(Outcome::Ok { message, found: json!({"models": count}) })
        })
    }

    fn converse(&self, model: &str) -> Learned {
        let path = format!("/model/{}/converse", percent_encoded(model, ""));
        let body = r#"{"messages":[{"role":"user","content":[{"text":"."}]}],"inferenceConfig":{"maxTokens":1}}"#;
        self.call(&BEDROCK_RUNTIME, &path, Some(body), |answer| {
            let answer: Value = serde_json::from_str(answer).ok()?;
            let tokens = |name: &str| answer["usage"][name].as_u64();
            let (input, output) = (tokens("inputTokens")?, tokens("outputTokens")?);
            let message = format!("{model} answers; {input} tokens in, {output} out, billed");
            let found = json!({"input_tokens": input, "output_tokens": output});
            Some(Outcome::Ok { message, found })
        })
    }
}

/// What the names of inference profiles for a region begin with.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>
fn area(region: &str) -> &'static str {
    let areas =
        [("us-gov-", "us-gov"), ("us-", "us"), ("ca-", "us"), ("eu-", "eu"), ("ap-", "apac")];
    let area = areas.iter().find(|(start, _)| region.starts_with(start));
    area.map_or("global", |(_, area)| area)
}
