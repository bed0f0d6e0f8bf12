//! Validation: the mistakes an operator makes with these kinds, refused in Kubernetes' words. It does not
//! know whole schemas: what it does not know it lets in, as a CRD with unknown fields preserved does.

use serde_json::{Value, json};

use crate::demo::{
    json,
    refusal::{Cause, Outcome, Refusal},
    resource::Kind,
    store::LabelSelector,
};

const NAME_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
     and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const NOT_NEGATIVE: &str = "must be greater than or equal to 0";

/// Refuses what cannot be; `old` is the object as it was, for fields that may not change.
pub fn validate(kind: Kind, old: Option<&Value>, new: &Value) -> Outcome<()> {
    has_types(kind, new).map_err(Refusal::bad_request)?;
    let mut causes = Vec::new();
    let name = json::text(new, "/metadata/name");
    if old.is_none() {
        if name.is_empty() && json::text(new, "/metadata/generateName").is_empty() {
            causes.push(Cause::required("metadata.name", "name or generateName is required"));
        } else if !name.is_empty() && !is_subdomain(name) {
            causes.push(Cause::invalid("metadata.name", &json!(name), NAME_RULE));
        }
    }
    match kind {
        Kind::Deployments | Kind::ReplicaSets | Kind::StatefulSets | Kind::DaemonSets => {
            workload(kind, old, new, &mut causes);
        }
        Kind::Jobs => job(old, new, &mut causes),
        Kind::CronJobs => cron_job(new, &mut causes),
        Kind::Pods => pod(old, new, &mut causes),
        Kind::HorizontalPodAutoscalers => autoscaler(new, &mut causes),
        Kind::Rollouts | Kind::LeaderWorkerSets => replicas(new, &mut causes),
        Kind::Leases => lease(new, &mut causes),
        Kind::Events => event(new, &mut causes),
        Kind::TrainingJobs => training_job(new, &mut causes),
        _ => {}
    }
    if causes.is_empty() { Ok(()) } else { Err(Refusal::invalid(kind, name, &causes)) }
}

/// What decoding in Kubernetes would say of a value that has the wrong type.
pub fn has_types(kind: Kind, object: &Value) -> Result<(), String> {
    let wrong = |field: &str, found: &Value, wanted: &str| {
        Err(format!(
            "json: cannot unmarshal {} into Go struct field {field} of type {wanted}",
            type_of(found)
        ))
    };
    for (field, pointer) in [("labels", "/metadata/labels"), ("annotations", "/metadata/annotations")] {
        match object.pointer(pointer) {
            None | Some(Value::Null) => {}
            Some(Value::Object(map)) => {
                if let Some(value) = map.values().find(|value| !value.is_string()) {
                    return wrong(&format!("ObjectMeta.metadata.{field}"), value, "string");
                }
            }
            Some(other) => {
                return wrong(&format!("ObjectMeta.metadata.{field}"), other, "map[string]string");
            }
        }
    }
    let structs = ["/metadata", "/spec", "/spec/template", "/spec/template/metadata", "/spec/template/spec"];
    for pointer in structs {
        if let Some(value) = object.pointer(pointer).filter(|value| !value.is_object() && !value.is_null()) {
            return wrong(&pointer[1..].replace('/', "."), value, "struct");
        }
    }
    for field in ["replicas", "parallelism", "completions", "backoffLimit", "minReplicas", "maxReplicas"] {
        let value = &object["spec"][field];
        if !value.is_null() && value.as_i64().is_none_or(|number| i32::try_from(number).is_err()) {
            return wrong(&format!("{}Spec.spec.{field}", kind.row().kind), value, "int32");
        }
    }
    if kind == Kind::Leases {
        for field in ["acquireTime", "renewTime"] {
            has_micro_time(json::text(&object["spec"], &format!("/{field}")))?;
        }
    }
    Ok(())
}

/// `metav1.MicroTime`: a time with exactly six digits after the second.
fn has_micro_time(text: &str) -> Result<(), String> {
    const FORM: &str = "2006-01-02T15:04:05.000000Z07:00";
    if text.is_empty() {
        return Ok(());
    }
    let cannot = |rest: &str, wanted: &str| {
        Err(format!("parsing time {text:?} as {FORM:?}: cannot parse {rest:?} as {wanted:?}"))
    };
    if chrono::DateTime::parse_from_rfc3339(text).is_err() {
        return cannot(text, "2006");
    }
    let rest = text.get(19..).unwrap_or_default();
    let digits = rest.strip_prefix('.').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    if digits == 6 { Ok(()) } else { cannot(rest, ".000000") }
}

/// How Go calls the type of a value in JSON.
pub fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_subdomain(name: &str) -> bool {
    let part = |part: &str| {
        let inner =
            part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        !part.is_empty() && inner && !part.starts_with('-') && !part.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(part)
}

fn replicas(new: &Value, causes: &mut Vec<Cause>) {
    if json::int(new, "/spec/replicas") < 0 {
        causes.push(Cause::invalid("spec.replicas", &new["spec"]["replicas"], NOT_NEGATIVE));
    }
}

fn workload(kind: Kind, old: Option<&Value>, new: &Value, causes: &mut Vec<Cause>) {
    if kind != Kind::DaemonSets {
        replicas(new, causes);
    }
    let selector = &new["spec"]["selector"];
    let labels = &new["spec"]["template"]["metadata"]["labels"];
    let parsed = LabelSelector::of(selector);
    if parsed.is_empty() {
        causes.push(Cause::required("spec.selector", ""));
    }
    if parsed.is_empty() || !parsed.matches(|key| labels.get(key).and_then(Value::as_str)) {
        let why = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels, why));
    }
    containers(new, "/spec/template/spec/containers", "spec.template.spec.containers", causes);
    if old.is_some_and(|old| old["spec"]["selector"] != *selector) {
        causes.push(Cause::invalid("spec.selector", selector, "field is immutable"));
    }
}

fn containers(object: &Value, pointer: &str, field: &str, causes: &mut Vec<Cause>) {
    let containers = json::list(object, pointer);
    if containers.is_empty() {
        causes.push(Cause::required(field, ""));
    }
    for (index, container) in containers.iter().enumerate() {
        for part in ["name", "image"] {
            if json::text(container, &format!("/{part}")).is_empty() {
                causes.push(Cause::required(&format!("{field}[{index}].{part}"), ""));
            }
        }
    }
}

fn job(old: Option<&Value>, new: &Value, causes: &mut Vec<Cause>) {
    for field in ["parallelism", "completions", "backoffLimit"] {
        if json::int(&new["spec"], &format!("/{field}")) < 0 {
            causes.push(Cause::invalid(&format!("spec.{field}"), &new["spec"][field], NOT_NEGATIVE));
        }
    }
    containers(new, "/spec/template/spec/containers", "spec.template.spec.containers", causes);
    let policy = json::text(new, "/spec/template/spec/restartPolicy");
    if !["OnFailure", "Never"].contains(&policy) {
        let field = "spec.template.spec.restartPolicy";
        causes.push(Cause::unsupported(field, &json!(policy), &["OnFailure", "Never"]));
    }
    if let Some(old) = old {
        for field in ["completions", "selector", "template", "completionMode"] {
            let elastic = field == "template" && json::flag(old, "/spec/suspend");
            if old["spec"][field] != new["spec"][field] && !elastic {
                causes.push(Cause::invalid(
                    &format!("spec.{field}"),
                    &new["spec"][field],
                    "field is immutable",
                ));
            }
        }
    }
}

fn cron_job(new: &Value, causes: &mut Vec<Cause>) {
    let schedule = json::text(new, "/spec/schedule");
    if schedule.split_whitespace().count() != 5 && !schedule.starts_with('@') {
        let why =
            format!("expected exactly 5 fields, found {}: [{schedule}]", schedule.split_whitespace().count());
        causes.push(Cause::invalid("spec.schedule", &json!(schedule), &why));
    }
}

fn pod(old: Option<&Value>, new: &Value, causes: &mut Vec<Cause>) {
    containers(new, "/spec/containers", "spec.containers", causes);
    let Some(old) = old else { return };
    let mut wished = new["spec"].clone();
    for pointer in ["/tolerations", "/activeDeadlineSeconds", "/terminationGracePeriodSeconds"] {
        match old["spec"].pointer(pointer) {
            Some(value) => json::put(&mut wished, pointer, value.clone()),
            None => json::remove(&mut wished, pointer),
        }
    }
    let images = json::list(old, "/spec/containers");
    if let Some(Value::Array(containers)) = wished.get_mut("containers") {
        for (container, old) in containers.iter_mut().zip(images) {
            json::put(container, "/image", old["image"].clone());
        }
    }
    if wished != old["spec"] {
        let message = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,\
                       `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
                       existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
                       previously negative)";
        causes.push(Cause { reason: "FieldValueForbidden", field: "spec".into(), message: message.into() });
    }
}

fn autoscaler(new: &Value, causes: &mut Vec<Cause>) {
    let (least, most) = (json::int_or(new, "/spec/minReplicas", 1), json::int(new, "/spec/maxReplicas"));
    if least < 1 {
        causes.push(Cause::invalid("spec.minReplicas", &json!(least), "must be greater than or equal to 1"));
    }
    if most < 1 {
        causes.push(Cause::required("spec.maxReplicas", "must be set and greater than 0"));
    }
    if most < least {
        let why = "must be greater than or equal to `minReplicas`";
        causes.push(Cause::invalid("spec.maxReplicas", &json!(most), why));
    }
    for field in ["kind", "name"] {
        if json::text(&new["spec"]["scaleTargetRef"], &format!("/{field}")).is_empty() {
            causes.push(Cause::required(&format!("spec.scaleTargetRef.{field}"), ""));
        }
    }
}

fn lease(new: &Value, causes: &mut Vec<Cause>) {
    let seconds = &new["spec"]["leaseDurationSeconds"];
    if seconds.as_i64().is_some_and(|seconds| seconds <= 0) {
        causes.push(Cause::invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"));
    }
}

fn event(new: &Value, causes: &mut Vec<Cause>) {
    let about = json::text(new, "/involvedObject/namespace");
    let namespace = json::text(new, "/metadata/namespace");
    // Events about what has no namespace are kept in the one called default.
    if about != namespace && !(about.is_empty() && namespace == "default") {
        let why = "does not match event.namespace";
        causes.push(Cause::invalid("involvedObject.namespace", &json!(about), why));
    }
}

/// The schema of the TrainingJob CRD.
fn training_job(new: &Value, causes: &mut Vec<Cause>) {
    let one_of = |pointer: &str, known: &[&str], causes: &mut Vec<Cause>| {
        if let Some(value) = new.pointer(pointer)
            && !known.iter().any(|known| value == known)
        {
            causes.push(Cause::unsupported(&pointer[1..].replace('/', "."), value, known));
        }
    };
    one_of("/spec/framework", &["pytorch", "tensorflow", "jax"], causes);
    one_of("/spec/distributedTraining/strategy", &["horovod", "pytorch-ddp", "tf-mirrored"], causes);
    for (pointer, least) in [("/spec/resources/gpus", 0), ("/spec/distributedTraining/workers", 1)] {
        if let Some(value) = new.pointer(pointer)
            && value.as_i64().is_none_or(|number| number < least)
        {
            let field = pointer[1..].replace('/', ".");
            let why = format!("{field} in body should be greater than or equal to {least}");
            causes.push(Cause::invalid(&field, value, &why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Value {
        json!({"metadata": {"name": "web"}, "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}},
        }})
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut object = deployment();
        json::put(&mut object, pointer, value);
        object
    }

    #[test]
    fn mistakes_are_told_as_kubernetes_tells_them() {
        assert_eq!(validate(Kind::Deployments, None, &deployment()), Ok(()));
        let message = |object: &Value| validate(Kind::Deployments, None, object).unwrap_err().message;
        assert_eq!(
            message(&with("/spec/replicas", json!(-1))),
            "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"
        );
        assert_eq!(
            message(&json!({"metadata": {}, "spec": {}})),
            "Deployment.apps \"\" is invalid: [metadata.name: Required value: name or generateName is required, \
             spec.selector: Required value, spec.template.metadata.labels: Invalid value: null: `selector` does not \
             match template `labels`, spec.template.spec.containers: Required value]"
        );
        let refused = validate(
            Kind::Deployments,
            Some(&deployment()),
            &with("/spec/selector/matchLabels/z", json!("y")),
        );
        assert_eq!(refused.unwrap_err().code, 422);
    }

    #[test]
    fn wrong_types_are_bad_requests() {
        for (pointer, value) in [
            ("/spec/replicas", json!("two")),
            ("/spec/replicas", json!(5_000_000_000_i64)),
            ("/metadata/labels", json!({"a": 1})),
            ("/metadata/labels", json!("a")),
            ("/spec/template", json!([])),
        ] {
            assert_eq!(
                validate(Kind::Deployments, None, &with(pointer, value)).unwrap_err().code,
                400,
                "{pointer}"
            );
        }
    }

    #[test]
    fn custom_resources_keep_their_schema() {
        let job = |spec: Value| json!({"metadata": {"name": "a"}, "spec": spec});
        assert_eq!(validate(Kind::TrainingJobs, None, &job(json!({"framework": "jax"}))), Ok(()));
        let refused = validate(
            Kind::TrainingJobs,
            None,
            &job(json!({"framework": "caffe", "resources": {"gpus": -1}})),
        );
        assert_eq!(refused.unwrap_err().code, 422);
    }
}
