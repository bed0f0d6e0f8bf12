//! Who may do what: two accounts, one that may do everything and one that may read; and the question about
//! it, which is answered and forgotten.

use axum::extract::Request;
use axum::http::{Method, header};
use axum::response::Response;
use prost::Message;
use serde_json::{Value, json};

use super::body;
use super::route::Call;
use super::write::decode;
use super::{Identity, Server};
use crate::demo::json;
use crate::demo::refusal::{Cause, Outcome, Refusal};
use crate::demo::resource::Verbs;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    Admin,
    Viewer,
}

impl Identity {
    /// The token of the account that may read and nothing more.
    pub fn viewer_token(&self) -> String {
        format!("{}-viewer", self.token)
    }

    /// A wrong token is refused. No token is let in: over plain HTTP `kubectl` never sends the one it has.
    pub(super) fn user(&self, request: &Request) -> Outcome<User> {
        let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match given.map(|given| given.strip_prefix("Bearer ").unwrap_or_default()) {
            None => Ok(User::Admin),
            Some(token) if token == self.token => Ok(User::Admin),
            Some(token) if token == self.viewer_token() => Ok(User::Viewer),
            Some(_) => Err(Refusal::unauthorized()),
        }
    }
}

impl User {
    fn may(self, verb: &str) -> bool {
        self == User::Admin || ["get", "list", "watch"].contains(&verb)
    }
}

/// Refuses what the account may not do; a dry run needs what the real thing needs.
pub fn authorize(server: &Server, call: &Call, request: &Request) -> Outcome<()> {
    let user = server.identity.user(request)?;
    let verb = call.verb(request.method().as_str(), request.uri().query().unwrap_or_default());
    if user.may(verb) || call.kind.row().verbs == Verbs::Review {
        return Ok(());
    }
    Err(Refusal::forbidden(&call.place(), "viewer", verb))
}

/// A SelfSubjectAccessReview. It may be put in protobuf, as `kubectl auth can-i` does and knows no other way.
pub async fn answer(server: &Server, call: &Call, request: Request) -> Outcome<Response> {
    if request.method() != Method::POST {
        return Err(Refusal::method_not_allowed());
    }
    let user = server.identity.user(&request)?;
    let row = call.kind.row();
    let (media, bytes) = body::read(request).await?;
    let (mut review, verb) = match bytes.strip_prefix(b"k8s\0") {
        Some(envelope) if media == PROTOBUF => {
            let empty =
                json!({"kind": row.kind, "apiVersion": row.api_version(), "metadata": {}, "spec": {}});
            (empty, binary_verb(envelope))
        }
        _ => {
            let review = question(call, decode(call, &media, &bytes)?)?;
            let verb = ["resourceAttributes", "nonResourceAttributes"]
                .map(|place| json::text(&review["spec"][place], "/verb").to_owned())
                .concat();
            (review, verb)
        }
    };
    json::put(&mut review, "/status", json!({"allowed": user.may(&verb)}));
    Ok(body::json(201, &review))
}

fn question(call: &Call, review: Value) -> Outcome<Value> {
    let asks = |field: &str| review["spec"].get(field).is_some_and(Value::is_object);
    if asks("resourceAttributes") || asks("nonResourceAttributes") {
        return Ok(review);
    }
    let why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    let cause = Cause::invalid("spec.resourceAttributes", &Value::Null, why);
    Err(Refusal::invalid_question(call.kind.row().group, &cause))
}

/// The message around every object in protobuf.
#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Review {
    #[prost(message, optional, tag = "2")]
    spec: Option<Spec>,
}

#[derive(Clone, PartialEq, Message)]
struct Spec {
    #[prost(message, optional, tag = "1")]
    resource: Option<Attributes>,
    #[prost(message, optional, tag = "2")]
    other: Option<Attributes>,
}

/// The verb has the same number in both kinds of attributes.
#[derive(Clone, PartialEq, Message)]
struct Attributes {
    #[prost(string, tag = "2")]
    verb: String,
}

fn binary_verb(envelope: &[u8]) -> String {
    let envelope = Envelope::decode(envelope).unwrap_or_default();
    let spec = Review::decode(envelope.raw.as_slice()).unwrap_or_default().spec.unwrap_or_default();
    spec.resource.or(spec.other).unwrap_or_default().verb
}
