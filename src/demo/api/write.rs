//! Creating, replacing and patching objects.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::admission::{Admission, Came};
use super::options::{Options, warned};
use super::patch::Patch;
use super::route::{Call, Params, Sub};
use super::{Server, body};
use crate::demo::{
    admit, json,
    refusal::{Cause, Outcome, Refusal},
    resource::Kind,
    store::{Mode, Object, Part},
};

pub async fn create(server: &Server, call: &Call, params: &Params, request: Request) -> Outcome<Response> {
    let options = Options::of(call, params, &request)?;
    let (media, bytes) = body::read(request).await?;
    if call.kind.row().namespaced && call.namespace.is_none() {
        return Err(Refusal::method_not_allowed());
    }
    let (created, warnings) = add(server, call, &options, decode(call, &media, &bytes)?)?;
    Ok(warned(body::bytes(201, created.body()), &warnings))
}

fn add(
    server: &Server,
    call: &Call,
    options: &Options,
    mut object: Value,
) -> Outcome<(Arc<Object>, Vec<String>)> {
    let kind = call.kind;
    let admission = Admission::of(server, call, options);
    let warnings = admission.decode(&mut object, Came::Whole)?;
    json::remove(&mut object, "/metadata/resourceVersion");
    if kind.row().status && kind.row().custom {
        json::remove(&mut object, "/status");
    } else if kind.row().status {
        let status = admit::initial_status(kind, &object);
        json::put(&mut object, "/status", status);
    }
    admission.check(None, &mut object)?;
    Ok((server.store.create_by(kind, object, options.dry_run, Some(options.writer()))?, warnings))
}

/// PUT and PATCH, of the object or of its status.
pub async fn change(
    server: &Arc<Server>,
    call: &Call,
    params: &Params,
    request: Request,
) -> Outcome<Response> {
    let options = Options::of(call, params, &request)?;
    let put = request.method() == Method::PUT;
    let (media, bytes) = body::read(request).await?;
    if !put {
        let (object, warnings) = apply(server, call, &options, &Patch::parse(&media, &bytes)?)?;
        return Ok(warned(body::bytes(200, object.body()), &warnings));
    }
    let object = decode(call, &media, &bytes)?;
    same_name(call, &object)?;
    let creates = [Kind::Leases, Kind::Events].contains(&call.kind);
    if creates && server.store.get(call.kind, &call.key()).is_none() {
        let (created, warnings) = add(server, call, &options, object)?;
        return Ok(warned(body::bytes(201, created.body()), &warnings));
    }
    let replaced = apply(server, call, &options, &Patch::Replace(with_version(call, object)?));
    let (object, warnings) = replaced?;
    Ok(warned(body::bytes(200, object.body()), &warnings))
}

fn apply(
    server: &Server,
    call: &Call,
    options: &Options,
    patch: &Patch,
) -> Outcome<(Arc<Object>, Vec<String>)> {
    let kind = call.kind;
    let part = if call.sub == Sub::Status { Part::Status } else { Part::Main };
    let mode = Mode { part, dry_run: options.dry_run };
    let admission = Admission::of(server, call, options);
    let came = if matches!(patch, Patch::Replace(_)) { Came::Whole } else { Came::Patched };
    let mut warnings = Vec::new();
    let object = server.store.update_by(kind, &call.key(), (mode, Some(options.writer())), |object| {
        let old = object.clone();
        patch.apply(object)?;
        if !object.is_object() || !object["metadata"].is_object() {
            return Err(Refusal::patch_failed());
        }
        same_name(call, object)?;
        same_uid(call, came, &old, object)?;
        if part == Part::Main {
            warnings = admission.decode(object, came)?;
            admission.check(Some(&old), object)?;
        }
        Ok(())
    })?;
    Ok((object, warnings))
}

/// An object that was deleted and made again is another one.
fn same_uid(call: &Call, came: Came, old: &Value, new: &Value) -> Outcome<()> {
    let (own, believed) = (json::text(old, "/metadata/uid"), json::text(new, "/metadata/uid"));
    if believed.is_empty() || believed == own {
        return Ok(());
    }
    let name = json::text(old, "/metadata/name");
    if came == Came::Whole {
        let namespace = json::text(old, "/metadata/namespace");
        return Err(Refusal::other_uid(call.kind, (namespace, name), believed, own));
    }
    let cause = Cause::invalid("metadata.uid", &json!(believed), "field is immutable");
    // Kubernetes looks twice.
    Err(Refusal::invalid(call.kind, name, &[cause.clone(), cause]))
}

/// The object in a request's body, of the right kind and namespace.
pub fn decode(call: &Call, media: &str, bytes: &Bytes) -> Outcome<Value> {
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

/// Some kinds are replaced only by who says which version.
fn with_version(call: &Call, object: Value) -> Outcome<Value> {
    let strict = call.kind.row().custom || call.kind == Kind::Leases;
    if strict && json::text(&object, "/metadata/resourceVersion").is_empty() {
        return Err(Refusal::version_missing(call.kind, call.name.as_deref().unwrap_or_default()));
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
