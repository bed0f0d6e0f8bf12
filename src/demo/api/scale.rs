//! The `/scale` subresource: replicas of any kind that has them, behind one small object with a version.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::options::{Options, Unknown};
use super::patch::Patch;
use super::route::{Call, Params};
use super::{Server, body};
use crate::demo::{
    admit, json,
    refusal::{Outcome, Refusal},
    store::{Mode, Part},
};

pub fn get(server: &Server, call: &Call) -> Outcome<Response> {
    let found = server.store.get(call.kind, &call.key());
    let object =
        found.ok_or_else(|| Refusal::not_found(call.kind, call.name.as_deref().unwrap_or_default()))?;
    Ok(body::json(200, &scale_of(call, &object.value())))
}

pub async fn change(
    server: &Arc<Server>,
    call: &Call,
    params: &Params,
    request: Request,
) -> Outcome<Response> {
    let options = Options::of(call, params, &request)?;
    let mode = Mode { part: Part::Main, dry_run: options.dry_run };
    let put = request.method() == Method::PUT;
    let (media, bytes) = body::read(request).await?;
    let patch = if put { Patch::Replace(whole(call, &bytes)?) } else { Patch::parse(&media, &bytes)? };
    let writer = Some(options.writer());
    let changed = server.store.update_by(call.kind, &call.key(), (mode, writer), |object| {
        let mut scale = scale_of(call, object);
        patch.apply(&mut scale)?;
        let unknown = odd(&scale);
        if options.unknown == Unknown::Refused && !unknown.is_empty() {
            let fields: Vec<String> = unknown.iter().map(|it| format!("unknown field {it:?}")).collect();
            return Err(cannot(&format!("strict decoding error: {}", fields.join(", "))));
        }
        let replicas = wanted(call, &scale)?;
        same_uid(call, put, object, &scale)?;
        let seen = json::text(&scale, "/metadata/resourceVersion");
        if !seen.is_empty() {
            json::put(object, "/metadata/resourceVersion", seen.into());
        }
        json::put(object, "/spec/replicas", json!(replicas));
        Ok(())
    })?;
    Ok(body::json(200, &scale_of(call, &changed.value())))
}

fn cannot(why: &str) -> Refusal {
    Refusal::bad_request(format!("Scale in version \"v1\" cannot be handled as a Scale: {why}"))
}

/// The Scale in the body of a PUT.
fn whole(call: &Call, bytes: &Bytes) -> Outcome<Value> {
    let scale: Value = serde_json::from_slice(bytes).map_err(|error| {
        Refusal::bad_request(format!(
            "the object provided is unrecognized (must be of type Scale): couldn't get version/kind; json parse error: {error}"
        ))
    })?;
    let (kind, version) = (json::text(&scale, "/kind"), json::text(&scale, "/apiVersion"));
    if !["", "Scale"].contains(&kind) {
        let short = version.rsplit('/').next().unwrap_or_default();
        return Err(Refusal::bad_request(format!(
            "{kind} in version {short:?} cannot be handled as a Scale: converting ({short}.{kind}) to (autoscaling.Scale): \
             unknown conversion"
        )));
    }
    let name = call.name.as_deref().unwrap_or_default();
    match json::text(&scale, "/metadata/name") {
        "" => Err(Refusal::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        ))),
        _ => Ok(scale),
    }
}

/// The fields that no Scale has.
fn odd(scale: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    for (place, known) in [
        ("", &["kind", "apiVersion", "metadata", "spec", "status"][..]),
        ("spec", &["replicas"][..]),
        ("status", &["replicas", "selector"][..]),
    ] {
        let pointer = if place.is_empty() { String::new() } else { format!("/{place}") };
        if let Some(Value::Object(map)) = scale.pointer(&pointer) {
            let odd = map.keys().filter(|field| !known.contains(&field.as_str()));
            unknown.extend(odd.map(|field| format!("{place}.{field}").trim_start_matches('.').to_owned()));
        }
    }
    unknown
}

fn same_uid(call: &Call, put: bool, object: &Value, scale: &Value) -> Outcome<()> {
    let (own, believed) = (json::text(object, "/metadata/uid"), json::text(scale, "/metadata/uid"));
    if believed.is_empty() || believed == own {
        return Ok(());
    }
    let key = call.key();
    Err(if put {
        Refusal::other_uid(call.kind, (&key.namespace, &key.name), believed, own)
    } else {
        Refusal::other_uid_of_scale(call.kind, &key.name, believed, own)
    })
}

fn scale_of(call: &Call, object: &Value) -> Value {
    let row = call.kind.row();
    let meta = &object["metadata"];
    let (replicas, selector) = row.scale.map_or((0, String::new()), |scale| {
        (json::int(object, scale.replicas), row.scale_selector(scale, object))
    });
    let mut spec = json!({});
    if json::int(object, "/spec/replicas") != 0 {
        spec["replicas"] = object["spec"]["replicas"].clone();
    }
    let mut status = json!({"replicas": replicas});
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"], "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": spec,
        "status": status,
    })
}

/// The wish in a Scale; absent means zero, as it is left out when it is zero.
fn wanted(call: &Call, scale: &Value) -> Outcome<i64> {
    let name = call.name.as_deref().unwrap_or_default();
    let replicas = match scale.pointer("/spec/replicas") {
        None | Some(Value::Null) => 0,
        Some(value) => value.as_i64().filter(|count| i32::try_from(*count).is_ok()).ok_or_else(|| {
            let found =
                if value.is_number() { format!("number {value}") } else { admit::type_of(value).to_owned() };
            cannot(&format!(
                "json: cannot unmarshal {found} into Go struct field ScaleSpec.spec.replicas of type int32"
            ))
        })?,
    };
    if replicas < 0 {
        return Err(Refusal::invalid_scale(call.kind, name, replicas));
    }
    let given = json::text(scale, "/metadata/name");
    if !given.is_empty() && given != name {
        let message = format!("the name of the object ({given}) does not match the name on the URL ({name})");
        return Err(Refusal::bad_request(message));
    }
    Ok(replicas)
}
