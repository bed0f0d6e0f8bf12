//! The door to one Kubernetes API server: reading, with deadlines and a budget.
//!
//! kube 5 brings TLS, proxies and decompression. Its defaults wait for ever and repeat writes silently, so below
//! it stands a guard, and its own retry is off; what it does about credentials hurts, so they are ours
//! ([`credentials`]). What is read is asked for here and decoded in [`wire`]; nothing of kube's typed API is used.

mod access;
mod address;
mod budget;
pub mod certificate;
pub mod connect;
pub mod contexts;
pub mod credentials;
mod faults;
mod guard;
mod material;
pub mod proxies;
mod send;
mod way;
pub mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use kube::client::Body;
use tokio::time::Instant;

use crate::fleet::{ClusterFact, Fault, FaultKind, Step};
pub use access::Access;
use connect::Ledger;
pub use guard::Patience;
pub use send::Told;
pub use way::Way;
use wire::Encoding;

/// Protobuf if the server can, JSON else.
pub const ACCEPT_BOTH: &str = "application/vnd.kubernetes.protobuf, application/json";
pub const ACCEPT_BOTH_WATCH: &str =
    "application/vnd.kubernetes.protobuf;stream=watch, application/json;stream=watch";
/// Names and versions, without what they are about; a server that cannot do so gives everything.
pub const ACCEPT_METADATA: &str = concat!(
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, ",
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json"
);
/// Custom resources know no protobuf.
pub const ACCEPT_JSON: &str = "application/json";

/// What an answer that is read whole may weigh.
const LARGEST_ANSWER: usize = 32 << 20;

/// A way into one cluster; cheap to clone.
#[derive(Clone)]
pub struct Door {
    way: Arc<Way>,
    ledger: Ledger,
}

/// What reading has cost the server.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    received_bytes: AtomicU64,
}

/// One question.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// Path and query.
    pub path: &'a str,
    pub accept: &'static str,
    pub step: Step,
    pub patience: Patience,
    /// `If-None-Match`.
    pub known: Option<&'a str>,
}

/// The answer to a question: the body comes in pieces.
pub struct Answer {
    pub encoding: Encoding,
    pub headers: HeaderMap,
    pub not_modified: bool,
    step: Step,
    body: Body,
}

impl Door {
    pub fn way(&self) -> &Way {
        &self.way
    }

    /// Asks, within the budget of the cluster. An answer of 400 and above is a fault.
    pub async fn ask(&self, question: Question<'_>) -> Result<Answer, Fault> {
        self.ledger.budget.admit().await;
        self.ask_admitted(question).await
    }

    async fn ask_admitted(&self, question: Question<'_>) -> Result<Answer, Fault> {
        self.ledger.meter.requests.fetch_add(1, Ordering::Relaxed);
        let step = question.step;
        let request = request(&question)?;
        let response = self.way.send(step, request).await?;
        let status = response.status();
        let (parts, body) = response.into_parts();
        let not_modified = status == StatusCode::NOT_MODIFIED;
        if !status.is_success() && !not_modified {
            return Err(faults::of_status(step, status, &parts.headers, body).await);
        }
        Ok(Answer { not_modified, ..Answer::of(step, parts.headers, body) })
    }

    /// Asks for something small and reads it whole.
    pub async fn ask_json<T: serde::de::DeserializeOwned>(&self, question: Question<'_>) -> Result<T, Fault> {
        let step = question.step;
        read_json(step, &self.ask(question).await?.whole().await?)
    }

    /// The same, and how long the server took for it: to wait for our own budget is not its doing. Whether it answers
    /// matters most when everything else is lost and waits for a place, so this does not.
    pub async fn time_json<T: serde::de::DeserializeOwned>(
        &self,
        question: Question<'_>,
    ) -> Result<(T, Duration), Fault> {
        self.ledger.budget.admit_urgent().await;
        let (step, began) = (question.step, Instant::now());
        let read = read_json(step, &self.ask_admitted(question).await?.whole().await?)?;
        Ok((read, began.elapsed()))
    }

    /// The same for a question that an answer already waits for: it does not queue behind others.
    pub async fn ask_json_urgently<T: serde::de::DeserializeOwned>(
        &self,
        question: Question<'_>,
    ) -> Result<T, Fault> {
        self.ledger.budget.admit_urgent().await;
        let step = question.step;
        read_json(step, &self.ask_admitted(question).await?.whole().await?)
    }

    /// A place among the lists that may run at once.
    pub async fn list_permit(&self) -> tokio::sync::OwnedSemaphorePermit {
        self.ledger.budget.list_permit().await
    }

    /// How long this cluster waits before it comes back.
    pub fn lag(&self) -> Duration {
        self.ledger.budget.lag()
    }

    /// Requests sent and bytes received, decompressed.
    pub fn cost(&self) -> ClusterFact {
        let Meter { requests, received_bytes } = &*self.ledger.meter;
        ClusterFact::Cost {
            requests: requests.load(Ordering::Relaxed),
            received_bytes: received_bytes.load(Ordering::Relaxed),
        }
    }
}

impl<'a> Question<'a> {
    /// A question whose answer is small and JSON.
    pub fn json(path: &'a str, step: Step) -> Self {
        Self { path, accept: ACCEPT_JSON, step, patience: Patience::default(), known: None }
    }
}

impl Answer {
    fn of(step: Step, headers: HeaderMap, body: Body) -> Self {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let encoding = content_type.and_then(Encoding::of_content_type);
        // Plain text, as of logs, is given out as it is; whoever wants objects checks what it asked for.
        Self { encoding: encoding.unwrap_or(Encoding::Json), headers, not_modified: false, step, body }
    }

    /// The next piece; `None` at the end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            let frame = frame.map_err(|error| faults::of_body(self.step, &error))?;
            if let Ok(bytes) = frame.into_data() {
                return Ok(Some(bytes));
            }
        }
    }

    pub async fn whole(mut self) -> Result<Bytes, Fault> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.piece().await? {
            if whole.len() + piece.len() > LARGEST_ANSWER {
                return Err(Fault::new(self.step, FaultKind::Malformed, "the answer is too large"));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }
}

fn read_json<T: serde::de::DeserializeOwned>(step: Step, body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body)
        .map_err(|error| Fault::new(step, FaultKind::Malformed, wire::list::place(&error)))
}

fn request(question: &Question<'_>) -> Result<Request<Body>, Fault> {
    let mut request = Request::get(question.path).header(header::ACCEPT, question.accept);
    if let Some(known) = question.known {
        request = request.header(header::IF_NONE_MATCH, known);
    }
    let request = request.header(header::USER_AGENT, agent()).extension(question.patience);
    request
        .body(Body::empty())
        .map_err(|_| Fault::new(question.step, FaultKind::Malformed, "not a path that can be asked for"))
}

/// Who asks.
pub const fn agent() -> &'static str {
    concat!("skydeck/", env!("CARGO_PKG_VERSION"))
}

/// Part of a path or query, percent-encoded as far as needed. Names come from clusters, which are hostile.
pub fn encode(part: &str) -> String {
    let mut encoded = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// How long to wait for something small.
pub const PROMPT: Patience = Patience { headers: Duration::from_secs(10), idle: Duration::from_secs(10) };
