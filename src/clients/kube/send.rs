//! One request, sent once. Which verb it has is decided by whoever makes it: for everything that changes something
//! that is `effects` alone (`tests/architecture.rs`).
//!
//! Nothing here tries again: a lost answer is told as such, and what it means is the caller's business.

use std::sync::atomic::Ordering;

use http::{HeaderMap, Request, header};
use kube::client::Body;
use serde_json::Value;

use super::wire::list;
use super::{ACCEPT_JSON, Answer, Door, PROMPT, faults};
use crate::fleet::scrub::scrub;
use crate::fleet::{Clean, Fault, FaultKind, Step, Unix};

/// An answer below 400.
#[derive(Debug, Clone)]
pub struct Told {
    pub body: Value,
    /// What the server warns of (RFC 7234 `Warning: 299`), as `kubectl` prints it.
    pub warnings: Vec<Clean>,
    /// The server's clock.
    pub date: Option<Unix>,
}

impl Door {
    /// Sends a request with a JSON body or none, within the budget of the cluster, and reads the whole answer.
    pub async fn send(&self, step: Step, request: Request<Vec<u8>>) -> Result<Told, Fault> {
        self.ledger.budget.admit().await;
        self.ledger.meter.requests.fetch_add(1, Ordering::Relaxed);
        let (mut parts, body) = request.into_parts();
        parts.headers.insert(header::ACCEPT, header::HeaderValue::from_static(ACCEPT_JSON));
        parts.extensions.insert(PROMPT);
        let request = Request::from_parts(parts, Body::from(body));
        let response = self.way.send(step, request).await?;
        let status = response.status();
        let (parts, body) = response.into_parts();
        if !status.is_success() {
            return Err(faults::of_status(step, status, &parts.headers, body).await);
        }
        let (warnings, date) = (warnings(&parts.headers), date(&parts.headers));
        let body = Answer::of(step, parts.headers, body).whole().await?;
        let body = serde_json::from_slice(&body)
            .map_err(|error| Fault::new(step, FaultKind::Malformed, list::place(&error)))?;
        Ok(Told { body, warnings, date })
    }
}

fn date(headers: &HeaderMap) -> Option<Unix> {
    Unix::parse_http(headers.get(header::DATE)?.to_str().ok()?)
}

/// `299 - "text"`: only the text, without what looks like a credential.
fn warnings(headers: &HeaderMap) -> Vec<Clean> {
    let all = headers.get_all(header::WARNING).iter().filter_map(|value| value.to_str().ok());
    let text = |value: &str| {
        let text = value.split_once('"')?.1;
        Some(text.strip_suffix('"').unwrap_or(text).replace("\\\"", "\""))
    };
    all.filter_map(text).map(|text| Clean::from(scrub(text).into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_told_without_the_credentials_in_them() {
        let mut headers = HeaderMap::new();
        for value in [
            r#"299 - "spec.x: is \"old\"""#,
            r#"299 - "webhook https://me:canary@hooks.example.com/x?token=canary did not answer""#,
            "no text",
        ] {
            headers.append(header::WARNING, value.parse().unwrap());
        }
        let told = warnings(&headers);
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[0].as_str(), r#"spec.x: is "old""#);
        assert!(told[1].starts_with("webhook https://") && told[1].ends_with("did not answer"), "{told:?}");
        assert!(!told[1].contains("canary"), "{told:?}");
    }
}
