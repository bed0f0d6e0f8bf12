//! The wishes of a write that stand in its query: `dryRun`, `fieldManager`, `fieldValidation`.

use axum::extract::Request;
use axum::http::header;
use axum::response::Response;
use serde_json::json;

use super::route::{Call, Params, Sub};
use crate::demo::refusal::{Cause, Outcome, Refusal};
use crate::demo::store::Writer;

/// Names of managers are no longer than this.
const LONGEST: usize = 128;

#[derive(Debug)]
pub struct Options {
    pub dry_run: bool,
    manager: String,
    subresource: &'static str,
    pub unknown: Unknown,
}

/// What becomes of fields that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// They are dropped.
    Ignored,
    /// They are dropped, and a header says so.
    Warned,
    /// The write is refused.
    Refused,
}

impl Options {
    pub fn of(call: &Call, params: &Params, request: &Request) -> Outcome<Options> {
        let name = match request.method().as_str() {
            "POST" => "CreateOptions",
            "PATCH" => "PatchOptions",
            _ => "UpdateOptions",
        };
        let dry_run = dry_run(params, name)?;
        let unknown = match params.get("fieldValidation") {
            "Ignore" => Unknown::Ignored,
            "" | "Warn" => Unknown::Warned,
            "Strict" => Unknown::Refused,
            other => {
                let known = ["", "Ignore", "Strict", "Warn"];
                let cause = Cause::unsupported("fieldValidation", &json!(other), &known);
                return Err(Refusal::invalid_options(name, &cause));
            }
        };
        let manager = params.get("fieldManager");
        if manager.len() > LONGEST {
            let message = format!("Too long: may not be more than {LONGEST} bytes");
            let cause = Cause { reason: "FieldValueTooLong", field: "fieldManager".into(), message };
            return Err(Refusal::invalid_options(name, &cause));
        }
        let manager = if manager.is_empty() { agent(request) } else { manager.to_owned() };
        let subresource = if matches!(call.sub, Sub::Status | Sub::Scale) { call.place().sub } else { "" };
        Ok(Options { dry_run, manager, subresource, unknown })
    }

    pub fn writer(&self) -> Writer<'_> {
        Writer { manager: &self.manager, subresource: self.subresource }
    }
}

/// Is it only a try?
pub fn dry_run(params: &Params, options: &str) -> Outcome<bool> {
    match params.get("dryRun") {
        "" => Ok(false),
        "All" => Ok(true),
        other => {
            let cause = Cause::unsupported("dryRun", &json!([other]), &["All"]);
            Err(Refusal::invalid_options(options, &cause))
        }
    }
}

/// Who does not say who manages is called by the first word of its user agent.
fn agent(request: &Request) -> String {
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let name = agent.and_then(|agent| agent.split('/').next()).filter(|name| !name.is_empty());
    name.unwrap_or("unknown").chars().take(LONGEST).collect()
}

/// The answer, with a warning for every field that was dropped.
pub fn warned(mut response: Response, warnings: &[String]) -> Response {
    for field in warnings {
        let text = format!("unknown field {field:?}").replace('"', "\\\"");
        if let Ok(value) = format!("299 - \"{text}\"").parse() {
            response.headers_mut().append(header::WARNING, value);
        }
    }
    response
}
