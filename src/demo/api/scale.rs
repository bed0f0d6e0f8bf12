//! The `/scale` subresource: replicas of any kind that has them, behind one small object with a version.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::patch::Patch;
use super::route::{Call, Params};
use super::{Server, body};
use crate::demo::{
    json,
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
    let mode = Mode { part: Part::Main, dry_run: params.dry_run()? };
    let put = request.method() == Method::PUT;
    let (media, bytes) = body::read(request).await?;
    let patch = if put {
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            Refusal::bad_request(format!("couldn't get version/kind; json parse error: {error}"))
        })?;
        Patch::Replace(value)
    } else {
        Patch::parse(&media, &bytes)?
    };
    let changed = server.store.update(call.kind, &call.key(), mode, |object| {
        let mut scale = scale_of(call, object);
        patch.apply(&mut scale)?;
        let replicas = wanted(call, &scale)?;
        for field in ["resourceVersion", "uid"] {
            let pointer = format!("/metadata/{field}");
            if let Some(seen) =
                scale.pointer(&pointer).and_then(Value::as_str).filter(|seen| !seen.is_empty())
            {
                json::put(object, &pointer, seen.into());
            }
        }
        json::put(object, "/spec/replicas", json!(replicas));
        Ok(())
    })?;
    Ok(body::json(200, &scale_of(call, &changed.value())))
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
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"], "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": spec,
        "status": {"replicas": replicas, "selector": selector},
    })
}

/// The wish in a Scale; absent means zero, as it is left out when it is zero.
fn wanted(call: &Call, scale: &Value) -> Outcome<i64> {
    let name = call.name.as_deref().unwrap_or_default();
    let replicas = match scale.pointer("/spec/replicas") {
        None | Some(Value::Null) => 0,
        Some(value) => value.as_i64().filter(|count| i32::try_from(*count).is_ok()).ok_or_else(|| {
            Refusal::bad_request(
                "json: cannot unmarshal into Go struct field ScaleSpec.spec.replicas of type int32",
            )
        })?,
    };
    if replicas < 0 {
        return Err(Refusal::invalid_scale(name, replicas));
    }
    let given = json::text(scale, "/metadata/name");
    if !given.is_empty() && given != name {
        let message = format!("the name of the object ({given}) does not match the name on the URL ({name})");
        return Err(Refusal::bad_request(message));
    }
    Ok(replicas)
}
