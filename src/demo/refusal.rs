//! What the API server says when it will not: a `metav1.Status`, worded as Kubernetes words it, because
//! clients (and people) recognise the sentences.

use serde_json::{Value, json};

use super::resource::{Kind, Resource};

pub type Outcome<T> = Result<T, Refusal>;

#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    details: Value,
}

/// What a request was about.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub kind: Kind,
    pub namespace: Option<&'a str>,
    /// Empty: the collection.
    pub name: &'a str,
    /// `scale`, `status`, `log`, or nothing.
    pub sub: &'static str,
}

/// One field that is wrong, for a 422.
#[derive(Debug, Clone)]
pub struct Cause {
    pub reason: &'static str,
    pub field: String,
    pub message: String,
}

impl Cause {
    pub fn required(field: &str, why: &str) -> Cause {
        let message =
            if why.is_empty() { "Required value".to_owned() } else { format!("Required value: {why}") };
        Cause { reason: "FieldValueRequired", field: field.to_owned(), message }
    }

    pub fn invalid(field: &str, value: &Value, why: &str) -> Cause {
        let message = format!("Invalid value: {value}: {why}");
        Cause { reason: "FieldValueInvalid", field: field.to_owned(), message }
    }

    pub fn unsupported(field: &str, value: &Value, supported: &[&str]) -> Cause {
        let known: Vec<String> = supported.iter().map(|known| format!("{known:?}")).collect();
        let message = format!("Unsupported value: {value}: supported values: {}", known.join(", "));
        Cause { reason: "FieldValueNotSupported", field: field.to_owned(), message }
    }
}

impl Refusal {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, reason, message: message.into(), details: Value::Null }
    }

    fn about(mut self, row: &Resource, kind: &str, name: &str) -> Refusal {
        let mut details = serde_json::Map::new();
        for (key, value) in [("name", name), ("group", row.group), ("kind", kind)] {
            if !value.is_empty() {
                details.insert(key.to_owned(), value.into());
            }
        }
        self.details = Value::Object(details);
        self
    }

    pub fn bad_request(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "BadRequest", message)
    }

    pub fn unauthorized() -> Refusal {
        Refusal::new(401, "Unauthorized", "Unauthorized")
    }

    /// The account may not do that; worded as RBAC words it.
    pub fn forbidden(place: &Place<'_>, user: &str, verb: &str) -> Refusal {
        let row = place.kind.row();
        let what = if place.sub.is_empty() {
            row.plural.to_owned()
        } else {
            format!("{}/{}", row.plural, place.sub)
        };
        let scope = place
            .namespace
            .map_or("at the cluster scope".to_owned(), |namespace| format!("in the namespace {namespace:?}"));
        let which = if place.name.is_empty() { String::new() } else { format!(" {:?}", place.name) };
        let message = format!(
            "{}{which} is forbidden: User {user:?} cannot {verb} resource {what:?} in API group {:?} {scope}",
            row.qualified(),
            row.group
        );
        Refusal::new(403, "Forbidden", message).about(row, row.plural, place.name)
    }

    /// An admission webhook says no: with a code and words of its own.
    pub fn by_webhook(code: u16, why: &str) -> Refusal {
        let reason = match code {
            400 => "BadRequest",
            403 => "Forbidden",
            409 => "Conflict",
            422 => "Invalid",
            _ => "",
        };
        Refusal::new(
            code,
            reason,
            format!("admission webhook \"policy.example.com\" denied the request: {why}"),
        )
    }

    /// The server took longer than it allows itself; whether it did the work is another question.
    pub fn timeout() -> Refusal {
        let message = "Timeout: request did not complete within the allotted timeout";
        let mut refusal = Refusal::new(504, "Timeout", message);
        refusal.details = json!({});
        refusal
    }

    /// A failure of the server itself.
    pub fn failed(code: u16) -> Refusal {
        let (reason, message) = match code {
            429 => (
                "TooManyRequests",
                "the server has received too many requests and has asked us to try again later",
            ),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            _ => ("InternalError", "Internal error occurred: a failure that was asked for"),
        };
        Refusal::new(code, reason, message)
    }

    pub fn not_found(kind: Kind, name: &str) -> Refusal {
        let row = kind.row();
        Refusal::new(404, "NotFound", format!("{} {name:?} not found", row.qualified()))
            .about(row, row.plural, name)
    }

    /// A path that names a resource or subresource this server does not have.
    pub fn no_such_resource() -> Refusal {
        let mut refusal = Refusal::new(404, "NotFound", "the server could not find the requested resource");
        refusal.details = json!({});
        refusal
    }

    pub fn method_not_allowed() -> Refusal {
        let message = "the server does not allow this method on the requested resource";
        let mut refusal = Refusal::new(405, "MethodNotAllowed", message);
        refusal.details = json!({});
        refusal
    }

    pub fn not_acceptable() -> Refusal {
        let message =
            "only the following media types are accepted: application/json, application/json;stream=watch";
        Refusal::new(406, "NotAcceptable", message)
    }

    pub fn already_exists(kind: Kind, name: &str) -> Refusal {
        let row = kind.row();
        let message = format!("{} {name:?} already exists", row.qualified());
        Refusal::new(409, "AlreadyExists", message).about(row, row.plural, name)
    }

    pub fn conflict(kind: Kind, name: &str, why: &str) -> Refusal {
        let row = kind.row();
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", row.qualified());
        Refusal::new(409, "Conflict", message).about(row, row.plural, name)
    }

    /// The object has another resourceVersion than the writer saw.
    pub fn modified(kind: Kind, name: &str) -> Refusal {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Refusal::conflict(kind, name, why)
    }

    /// The resourceVersion lies before the history that is kept.
    pub fn expired(asked: u64, oldest: u64) -> Refusal {
        Refusal::new(410, "Expired", format!("too old resource version: {asked} ({oldest})"))
    }

    pub fn continue_expired() -> Refusal {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start a \
                       new list without the continue parameter.";
        Refusal::new(410, "Expired", message)
    }

    pub fn too_large(limit: usize) -> Refusal {
        Refusal::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {limit}"))
    }

    pub fn unsupported_media(accepted: &[&str]) -> Refusal {
        let message = "the body of the request was in an unknown format - accepted media types include: ";
        Refusal::new(415, "UnsupportedMediaType", format!("{message}{}", accepted.join(", ")))
    }

    pub fn invalid(kind: Kind, name: &str, causes: &[Cause]) -> Refusal {
        let row = kind.row();
        let mut lines: Vec<String> =
            causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        lines.dedup();
        let what = if lines.len() == 1 { lines.concat() } else { format!("[{}]", lines.join(", ")) };
        let subject = row.with_group(row.kind);
        let mut refusal = Refusal::new(422, "Invalid", format!("{subject} {name:?} is invalid: {what}"))
            .about(row, row.kind, name);
        refusal.details["causes"] = causes
            .iter()
            .map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}))
            .collect();
        refusal
    }

    /// A write that must say which version it replaces, and does not.
    pub fn version_missing(kind: Kind, name: &str) -> Refusal {
        let row = kind.row();
        let cause = Cause::invalid("metadata.resourceVersion", &json!(0), "must be specified for an update");
        let mut refusal = Refusal::invalid(kind, name, std::slice::from_ref(&cause));
        refusal.message =
            format!("{} {name:?} is invalid: {}: {}", row.qualified(), cause.field, cause.message);
        refusal.details["kind"] = row.plural.into();
        refusal
    }

    /// The uid is another one than the writer believes; told from the depth of the storage.
    pub fn other_uid(kind: Kind, key: (&str, &str), believed: &str, own: &str) -> Refusal {
        let row = kind.row();
        let group = if row.custom { format!("{}/", row.group) } else { String::new() };
        let namespace = if key.0.is_empty() { String::new() } else { format!("{}/", key.0) };
        let place = format!("/registry/{group}{}/{namespace}{}", row.plural, key.1);
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: {place}, ResourceVersion: 0, AdditionalErrorMsg: Precondition \
             failed: UID in precondition: {believed}, UID in object meta: {own}"
        );
        Refusal::conflict(kind, key.1, &why)
    }

    /// A precondition of a deletion does not hold; here the object goes by its kind.
    pub fn precondition(kind: Kind, name: &str, why: &str) -> Refusal {
        let row = kind.row();
        let subject = row.with_group(row.kind);
        let message = format!("Operation cannot be fulfilled on {subject} {name:?}: {why}");
        Refusal::new(409, "Conflict", message).about(row, row.kind, name)
    }

    /// A wish in the query that cannot be.
    pub fn invalid_options(options: &str, cause: &Cause) -> Refusal {
        let message = format!("{options}.meta.k8s.io \"\" is invalid: {}: {}", cause.field, cause.message);
        let mut refusal = Refusal::new(422, "Invalid", message);
        refusal.details = json!({
            "group": "meta.k8s.io", "kind": options,
            "causes": [{"reason": cause.reason, "message": cause.message, "field": cause.field}],
        });
        refusal
    }

    /// A review that asks nothing; Kubernetes forgets its kind when it says so.
    pub fn invalid_question(group: &str, cause: &Cause) -> Refusal {
        let message = format!(".{group} \"\" is invalid: {}: {}", cause.field, cause.message);
        let mut refusal = Refusal::new(422, "Invalid", message);
        refusal.details = json!({
            "group": group,
            "causes": [{"reason": cause.reason, "message": cause.message, "field": cause.field}],
        });
        refusal
    }

    /// The object that a patch leads to cannot be decoded.
    pub fn patched_badly(object: &Value, why: &str) -> Refusal {
        let cause = Cause::invalid("patch", &json!(object.to_string()), why);
        let mut refusal = Refusal::new(422, "Invalid", format!(" \"\" is invalid: patch: {}", cause.message));
        refusal.details =
            json!({"causes": [{"reason": cause.reason, "message": cause.message, "field": cause.field}]});
        refusal
    }

    /// A wish for fewer than no replicas, put to `/scale`. Custom kinds say it in their own name.
    pub fn invalid_scale(kind: Kind, name: &str, replicas: i64) -> Refusal {
        if kind.row().custom {
            let cause =
                Cause::invalid(".spec.replicas", &json!(replicas), "should be a non-negative integer");
            return Refusal::invalid(kind, name, &[cause]);
        }
        let why = format!("Invalid value: {replicas}: must be greater than or equal to 0");
        let message = format!("Scale.autoscaling {name:?} is invalid: spec.replicas: {why}");
        let mut refusal = Refusal::new(422, "Invalid", message);
        refusal.details = json!({
            "name": name, "group": "autoscaling", "kind": "Scale",
            "causes": [{"reason": "FieldValueInvalid", "message": why, "field": "spec.replicas"}],
        });
        refusal
    }

    /// A patch of a Scale that believes in another object.
    pub fn other_uid_of_scale(kind: Kind, name: &str, believed: &str, own: &str) -> Refusal {
        let row = kind.row();
        let subject = row.with_group(&format!("{}/scale", row.plural));
        let message = format!(
            "Operation cannot be fulfilled on {subject} {name:?}: Precondition failed: UID in precondition: {believed}, UID \
             in object meta: {own}"
        );
        Refusal::new(409, "Conflict", message).about(row, &format!("{}/scale", row.plural), name)
    }

    /// A JSON patch that parses but does not apply; Kubernetes says no more than this.
    pub fn patch_failed() -> Refusal {
        let mut refusal =
            Refusal::new(422, "Invalid", "the server rejected our request due to an error in our request");
        refusal.details = json!({});
        refusal
    }

    pub fn version_too_large(asked: u64, current: u64) -> Refusal {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let mut refusal = Refusal::new(504, "Timeout", message);
        refusal.details = json!({
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1,
        });
        refusal
    }

    /// The `metav1.Status` that carries it.
    pub fn body(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason,
        });
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status["code"] = self.code.into();
        status
    }
}
