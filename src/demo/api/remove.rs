//! DELETE, of one object or of all that match.

use axum::extract::Request;
use axum::response::Response;
use serde_json::{Value, json};

use super::options::dry_run;
use super::route::{Call, Params};
use super::{Server, body};
use crate::demo::{
    json,
    refusal::{Cause, Outcome, Refusal},
    resource::Kind,
    store::{Deletion, Object, Policy},
};

pub async fn one(server: &Server, call: &Call, params: &Params, request: Request) -> Outcome<Response> {
    let wish = wish(params, request).await?;
    let (object, gone) = server.store.delete(call.kind, &call.key(), &wish)?;
    if gone && call.kind != Kind::Pods {
        return Ok(body::json(200, &success(&object)));
    }
    Ok(body::bytes(200, object.body()))
}

pub async fn all(server: &Server, call: &Call, params: &Params, request: Request) -> Outcome<Response> {
    let row = call.kind.row();
    let allowed = row.verbs.names().contains(&"deletecollection");
    if !allowed || row.namespaced && call.namespace.is_none() {
        return Err(Refusal::method_not_allowed());
    }
    let wish = wish(params, request).await?;
    let query = params.selection(call)?;
    let snapshot = server.store.list(call.kind, &query);
    let mut items = Vec::new();
    for object in snapshot.objects {
        match server.store.delete(call.kind, &object.key, &wish) {
            Ok((object, _)) => items.push(object.value()),
            Err(refusal) if refusal.code == 404 => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(body::json(
        200,
        &json!({
            "kind": format!("{}List", row.kind), "apiVersion": row.api_version(),
            "metadata": {"resourceVersion": server.store.version().to_string()}, "items": items,
        }),
    ))
}

/// `DeleteOptions` from the body, or from the query if there is no body; never both: a body makes the
/// API server ignore the query, `dryRun` included.
async fn wish(params: &Params, request: Request) -> Outcome<Deletion> {
    let (media, bytes) = body::read(request).await?;
    if bytes.is_empty() {
        let grace_seconds = params.int("gracePeriodSeconds")?;
        let policy = policy(params.get("propagationPolicy"), params.flag("orphanDependents"))?;
        return Ok(Deletion {
            grace_seconds,
            policy,
            dry_run: dry_run(params, "DeleteOptions")?,
            ..Deletion::default()
        });
    }
    if !["", "application/json"].contains(&media.as_str()) {
        return Err(Refusal::unsupported_media(&["application/json"]));
    }
    let options: Value = serde_json::from_slice(&bytes).map_err(|error| {
        Refusal::bad_request(format!("couldn't get version/kind; json parse error: {error}"))
    })?;
    let dry_run = match json::list(&options, "/dryRun") {
        [] => false,
        [Value::String(all)] if all == "All" => true,
        other => {
            let cause = Cause::unsupported("dryRun", &json!(other), &["All"]);
            return Err(Refusal::invalid_options("DeleteOptions", &cause));
        }
    };
    let text = |pointer: &str| options.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Ok(Deletion {
        grace_seconds: options["gracePeriodSeconds"].as_i64(),
        policy: policy(
            json::text(&options, "/propagationPolicy"),
            json::flag(&options, "/orphanDependents"),
        )?,
        uid: text("/preconditions/uid"),
        version: text("/preconditions/resourceVersion"),
        dry_run,
    })
}

fn policy(name: &str, orphan: bool) -> Outcome<Option<Policy>> {
    match name {
        "" => Ok(orphan.then_some(Policy::Orphan)),
        "Background" => Ok(Some(Policy::Background)),
        "Foreground" => Ok(Some(Policy::Foreground)),
        "Orphan" => Ok(Some(Policy::Orphan)),
        other => Err(Refusal::bad_request(format!(
            "invalid propagationPolicy: Unsupported value: {other:?}: supported values: \"Foreground\", \
             \"Background\", \"Orphan\""
        ))),
    }
}

fn success(object: &Object) -> Value {
    let row = object.kind.row();
    let mut details = json!({"name": &*object.key.name});
    if !row.group.is_empty() {
        details["group"] = row.group.into();
    }
    details["kind"] = row.plural.into();
    details["uid"] = (*object.uid).into();
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}
