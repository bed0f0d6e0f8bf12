//! Creating, replacing and patching objects.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Request;
use axum::response::Response;
use serde_json::{Value, json};

use super::patch::Patch;
use super::route::{Call, Params, Sub};
use super::{Server, body};
use crate::demo::{
    admit, json,
    refusal::{Cause, Outcome, Refusal},
    store::{Mode, Object, Part},
};

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

pub async fn create(server: &Server, call: &Call, params: &Params, request: Request) -> Outcome<Response> {
    let dry_run = params.dry_run()?;
    let kind = call.kind;
    let mut object = read(call, request).await?;
    if kind.row().namespaced && call.namespace.is_none() {
        return Err(Refusal::method_not_allowed());
    }
    json::remove(&mut object, "/metadata/resourceVersion");
    admit::apply_defaults(kind, &mut object);
    if kind.row().status {
        let status = admit::initial_status(kind, &object);
        json::put(&mut object, "/status", status);
    }
    admit::validate(kind, None, &object)?;
    let created = server.store.create(kind, object, dry_run)?;
    Ok(body::bytes(201, created.body()))
}

/// PUT and PATCH, of the object or of its status.
pub async fn change(
    server: &Arc<Server>,
    call: &Call,
    params: &Params,
    request: Request,
) -> Outcome<Response> {
    let part = if call.sub == Sub::Status { Part::Status } else { Part::Main };
    let mode = Mode { part, dry_run: params.dry_run()? };
    let patch = if request.method() == axum::http::Method::PUT {
        Patch::Replace(replacement(call, read(call, request).await?)?)
    } else {
        let (media, bytes) = body::read(request).await?;
        Patch::parse(&media, &bytes)?
    };
    let object = apply(server, call, mode, &patch)?;
    Ok(body::bytes(200, object.body()))
}

fn apply(server: &Server, call: &Call, mode: Mode, patch: &Patch) -> Outcome<Arc<Object>> {
    let kind = call.kind;
    server.store.update(kind, &call.key(), mode, |object| {
        let old = object.clone();
        patch.apply(object)?;
        if !object.is_object() || !object["metadata"].is_object() {
            return Err(Refusal::patch_failed());
        }
        same_name(call, object)?;
        if mode.part == Part::Main {
            admit::apply_defaults(kind, object);
            admit::validate(kind, Some(&old), object)?;
        }
        Ok(())
    })
}

/// A question that is answered and forgotten: every access is allowed here. It may be put in protobuf, as
/// `kubectl auth can-i` does and knows no other way: the answer does not depend on it, so it stays unread.
pub async fn review(call: &Call, request: Request) -> Outcome<Response> {
    if request.method() != axum::http::Method::POST {
        return Err(Refusal::method_not_allowed());
    }
    let row = call.kind.row();
    let (media, bytes) = body::read(request).await?;
    let mut review = if media == PROTOBUF && bytes.starts_with(b"k8s\0") {
        json!({"kind": row.kind, "apiVersion": row.api_version(), "metadata": {}, "spec": {}})
    } else {
        question(call, decode(call, &media, &bytes)?)?
    };
    json::put(&mut review, "/status", json!({"allowed": true}));
    Ok(body::json(201, &review))
}

fn question(call: &Call, review: Value) -> Outcome<Value> {
    let asks = |field: &str| review["spec"].get(field).is_some_and(Value::is_object);
    if asks("resourceAttributes") || asks("nonResourceAttributes") {
        return Ok(review);
    }
    let why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    let cause = Cause::invalid("spec.resourceAttributes", &Value::Null, why);
    Err(Refusal::invalid(call.kind, "", &[cause]))
}

/// The object in a request's body, of the right kind and namespace.
async fn read(call: &Call, request: Request) -> Outcome<Value> {
    let (media, bytes) = body::read(request).await?;
    decode(call, &media, &bytes)
}

fn decode(call: &Call, media: &str, bytes: &Bytes) -> Outcome<Value> {
    if !["", "application/json"].contains(&media) {
        return Err(Refusal::unsupported_media(&["application/json"]));
    }
    let row = call.kind.row();
    let mut object: Value = serde_json::from_slice(bytes).map_err(|error| {
        Refusal::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: {error}",
            row.kind
        ))
    })?;
    if !object.is_object() || object.get("metadata").is_some_and(|meta| !meta.is_object() && !meta.is_null())
    {
        return Err(Refusal::bad_request(format!("the object provided is not of type {}", row.kind)));
    }
    for (field, wanted) in [("kind", row.kind.to_owned()), ("apiVersion", row.api_version())] {
        let given = json::text(&object, &format!("/{field}"));
        if !given.is_empty() && given != wanted {
            return Err(Refusal::bad_request(format!(
                "{} in version {:?} cannot be handled as a {}: unknown conversion",
                json::text(&object, "/kind"),
                json::text(&object, "/apiVersion"),
                row.kind
            )));
        }
        json::put(&mut object, &format!("/{field}"), wanted.into());
    }
    if let Some(namespace) = &call.namespace {
        let given = json::text(&object, "/metadata/namespace");
        if !given.is_empty() && given != namespace {
            let message =
                "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Refusal::bad_request(message));
        }
        json::put(&mut object, "/metadata/namespace", namespace.as_str().into());
    } else {
        json::remove(&mut object, "/metadata/namespace");
    }
    Ok(object)
}

fn replacement(call: &Call, object: Value) -> Outcome<Value> {
    same_name(call, &object)?;
    if call.kind.row().custom && json::text(&object, "/metadata/resourceVersion").is_empty() {
        let cause =
            Cause::invalid("metadata.resourceVersion", &json!("0x0"), "must be specified for an update");
        return Err(Refusal::invalid(call.kind, call.name.as_deref().unwrap_or_default(), &[cause]));
    }
    Ok(object)
}

fn same_name(call: &Call, object: &Value) -> Outcome<()> {
    let (given, wanted) = (json::text(object, "/metadata/name"), call.name.as_deref().unwrap_or_default());
    if given == wanted {
        return Ok(());
    }
    Err(Refusal::bad_request(format!(
        "the name of the object ({given}) does not match the name on the URL ({wanted})"
    )))
}
