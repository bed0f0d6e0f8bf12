//! A step as a request: `PUT` of a scale with its version, or `PATCH` with tests in front.

use http::{Method, Request, header};
use serde_json::{Value, json};

use crate::clients::kube::agent;
use crate::fleet::{Clean, Fault, FaultKind, Step as At};
use crate::gate::operation::Version;
use crate::gate::patch::{ANNOTATION, FIELD_MANAGER, Op, annotation_path};
use crate::gate::plan::{Step, Write};
use crate::sources::kube::kinds::Resource;

pub(super) struct Ask<'a> {
    pub step: &'a Step,
    /// What request and object carry.
    pub mark: &'a str,
    pub preconditions: &'a Preconditions,
    pub dry_run: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Preconditions {
    /// What an earlier step of the operation left.
    pub builds_on: Option<Version>,
    pub scale_version: Option<Clean>,
}

pub(super) fn of(ask: &Ask<'_>, resource: &Resource) -> Result<Request<Vec<u8>>, Fault> {
    let key = &ask.step.object.key;
    let object = resource.object_path(key);
    let mut query = format!("fieldManager={FIELD_MANAGER}");
    if ask.dry_run {
        query.push_str("&dryRun=All");
    }
    let (method, path, content_type, body) = match &ask.step.write {
        Write::Scale { replicas } => {
            let body = json!({
                "apiVersion": "autoscaling/v1", "kind": "Scale",
                "metadata": {
                    "name": &*key.name, "namespace": &*key.namespace, "uid": &*ask.step.uid,
                    "resourceVersion": ask.preconditions.scale_version.as_deref().unwrap_or(&ask.step.resource_version),
                },
                "spec": {"replicas": replicas},
            });
            (Method::PUT, format!("{object}/scale?{query}"), "application/json", body)
        }
        Write::Patch(ops) => {
            let ops = patch(ops, ask);
            let path = format!("{object}?{query}&fieldValidation=Strict");
            (Method::PATCH, path, "application/json-patch+json", ops)
        }
    };
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, content_type)
        .header(header::USER_AGENT, format!("{} change/{}", agent(), ask.mark))
        .body(body.to_string().into_bytes())
        .map_err(|_| Fault::new(At::Apply, FaultKind::Malformed, "not a path that can be asked for"))
}

/// The operations of the plan, with the mark of this very sending, and with the version that the step before left.
fn patch(ops: &[Op], ask: &Ask<'_>) -> Value {
    let mark = annotation_path(ANNOTATION);
    let ops = ops.iter().map(|op| match op {
        Op::Add { path, .. } if *path == mark => Op::add(path, ask.mark),
        Op::Add { path, value: Value::Object(map) } if map.contains_key(ANNOTATION) => {
            Op::add(path, json!({ANNOTATION: ask.mark}))
        }
        other => other.clone(),
    });
    let mut ops: Vec<Op> = ops.collect();
    if let Some(generation) = ask.preconditions.builds_on.as_ref().and_then(|version| version.generation) {
        ops.insert(1.min(ops.len()), Op::test("/metadata/generation", generation));
    }
    json!(ops)
}
