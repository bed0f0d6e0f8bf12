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
        self.budget.admit().await;
        self.meter.requests.fetch_add(1, Ordering::Relaxed);
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

/// `299 - "text"`: only the text.
fn warnings(headers: &HeaderMap) -> Vec<Clean> {
    let all = headers.get_all(header::WARNING).iter().filter_map(|value| value.to_str().ok());
    let text = |value: &str| Some(value.split_once('"')?.1.trim_end_matches('"').replace("\\\"", "\""));
    all.filter_map(text).map(Clean::from).collect()
}
