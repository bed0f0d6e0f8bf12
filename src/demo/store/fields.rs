//! `metadata.managedFields`: who wrote which field last, kept as the API server keeps it for writes that are
//! no server-side apply.
//!
//! A writer owns what it added or changed; whoever owned that before loses it. Which lists have keys is known
//! by their names, and everything else that is a list is one value, as in the kinds that are served here. It
//! refuses to know apply: nobody applies here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::demo::{json, resource::Kind};

/// Who writes, and through which subresource.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    pub manager: &'a str,
    /// `scale`, `status`, or nothing.
    pub subresource: &'a str,
}

/// The steps to a field, as `fieldsV1` spells them: `f:spec`, `k:{"name":"c"}`, `v:"finalizer"`.
type Path = Vec<String>;

/// Values that are one, though they are objects.
const ATOMIC: [&str; 5] = ["selector", "nodeSelector", "involvedObject", "regarding", "securityContext"];
/// Objects of built-in kinds that are maps or pointers: they are there or not, whatever is in them.
const MAPS: [&str; 7] = [
    "labels",
    "annotations",
    "rollingUpdate",
    "requests",
    "limits",
    "matchLabels",
    "persistentVolumeClaimRetentionPolicy",
];
/// The fields of the metadata that writers own.
const OWNED_METADATA: [&str; 5] = ["labels", "annotations", "finalizers", "ownerReferences", "generateName"];

/// Writes down in `after` what the writer changed. Nothing else in the object moves.
pub fn track(kind: Kind, before: &Value, after: &mut Value, writer: Writer<'_>, now: &str) {
    let (old, new) = (fields(kind, before, writer), fields(kind, after, writer));
    let taken: BTreeSet<Path> = new
        .iter()
        .filter(|(path, value)| old.get(*path) != Some(*value))
        .map(|(path, _)| path.clone())
        .collect();
    let gone: BTreeSet<Path> = old.keys().filter(|path| !new.contains_key(*path)).cloned().collect();
    // A Scale of none has no number in it; whoever wrote it owns nothing afterwards, as in Kubernetes.
    let to_zero = writer.subresource == "scale" && json::int(after, "/spec/replicas") == 0;
    let mut entries: Vec<Value> = Vec::new();
    let mut own = taken.clone();
    for mut entry in json::list(before, "/metadata/managedFields").iter().cloned() {
        let mut set = decode(&entry["fieldsV1"]);
        set.retain(|path| !taken.contains(path) && !gone.contains(path));
        if !taken.is_empty() && is_of(&entry, kind, writer) {
            own.extend(set);
        } else if !set.is_empty() {
            entry["fieldsV1"] = encode(&set);
            entries.push(entry);
        }
    }
    if !taken.is_empty() && !to_zero {
        entries.push(entry(kind, writer, &own, now));
    }
    entries.sort_by_key(|entry| {
        ["operation", "time", "manager", "apiVersion", "subresource"]
            .map(|field| entry[field].as_str().unwrap_or_default().to_owned())
    });
    if entries.is_empty() {
        json::remove(after, "/metadata/managedFields");
    } else {
        json::put(after, "/metadata/managedFields", entries.into());
    }
}

/// A write to `/scale` leaves no time, as in Kubernetes.
fn entry(kind: Kind, writer: Writer<'_>, set: &BTreeSet<Path>, now: &str) -> Value {
    let mut entry = json!({
        "manager": writer.manager, "operation": "Update", "apiVersion": kind.row().api_version(),
    });
    if writer.subresource != "scale" {
        entry["time"] = now.into();
    }
    entry["fieldsType"] = "FieldsV1".into();
    entry["fieldsV1"] = encode(set);
    if !writer.subresource.is_empty() {
        entry["subresource"] = writer.subresource.into();
    }
    entry
}

fn is_of(entry: &Value, kind: Kind, writer: Writer<'_>) -> bool {
    json::text(entry, "/manager") == writer.manager
        && json::text(entry, "/operation") == "Update"
        && json::text(entry, "/subresource") == writer.subresource
        && json::text(entry, "/apiVersion") == kind.row().api_version()
}

/// Every field that can be owned, with its value; an object that is a field itself has `null`.
fn fields(kind: Kind, object: &Value, writer: Writer<'_>) -> BTreeMap<Path, Value> {
    let mut found = BTreeMap::new();
    let custom = kind.row().custom;
    for (name, value) in object.as_object().into_iter().flatten() {
        let path = vec![format!("f:{name}")];
        match name.as_str() {
            "kind" | "apiVersion" => {}
            "metadata" => {
                for field in OWNED_METADATA {
                    if let Some(value) = value.get(field) {
                        walk(&[path.clone(), vec![format!("f:{field}")]].concat(), value, false, &mut found);
                    }
                }
            }
            "status" if kind.row().status && writer.subresource != "status" => {}
            _ => walk(&path, value, custom, &mut found),
        }
    }
    found
}

fn walk(path: &[String], value: &Value, custom: bool, found: &mut BTreeMap<Path, Value>) {
    let name = path.last().and_then(|step| step.strip_prefix("f:")).unwrap_or_default();
    let below = |step: String| [path, &[step]].concat();
    match value {
        Value::Null => {}
        Value::Object(map) if !map.is_empty() && !ATOMIC.contains(&name) => {
            if custom || name.is_empty() || MAPS.contains(&name) {
                found.insert(path.to_vec(), Value::Null);
            }
            for (key, value) in map {
                walk(&below(format!("f:{key}")), value, custom, found);
            }
        }
        Value::Array(items) if name == "finalizers" => {
            found.insert(path.to_vec(), Value::Null);
            found.extend(items.iter().map(|item| (below(format!("v:{item}")), Value::Null)));
        }
        Value::Array(items) => match keyed(name, items) {
            None => drop(found.insert(path.to_vec(), value.clone())),
            Some(keys) => {
                if custom {
                    found.insert(path.to_vec(), Value::Null);
                }
                for (key, item) in keys.into_iter().zip(items) {
                    walk(&below(key), item, custom, found);
                }
            }
        },
        _ => drop(found.insert(path.to_vec(), value.clone())),
    }
}

/// The keys of a list whose items have some; `None`: the list is one value.
fn keyed(name: &str, items: &[Value]) -> Option<Vec<String>> {
    let keys: &[&str] = match name {
        "containers" | "initContainers" | "volumes" | "env" | "imagePullSecrets" => &["name"],
        "conditions" => &["type"],
        "volumeMounts" => &["mountPath"],
        "ownerReferences" => &["uid"],
        "ports" if items.iter().all(|item| item.get("containerPort").is_some()) => {
            &["containerPort", "protocol"]
        }
        "ports" => &["port", "protocol"],
        _ => return None,
    };
    let key = |item: &Value| {
        let parts: Option<Map<String, Value>> =
            keys.iter().map(|key| Some(((*key).to_owned(), item.get(*key)?.clone()))).collect();
        parts.map(|parts| format!("k:{}", Value::Object(parts)))
    };
    if items.is_empty() { None } else { items.iter().map(key).collect() }
}

fn encode(set: &BTreeSet<Path>) -> Value {
    let mut tree = json!({});
    for path in set {
        let mut place = &mut tree;
        for step in path {
            place = &mut place[step.as_str()];
            if place.is_null() {
                *place = json!({});
            }
        }
    }
    for path in set {
        let place = path.iter().try_fold(&mut tree, |place, step| place.get_mut(step));
        if let Some(Value::Object(map)) = place
            && !map.is_empty()
        {
            map.shift_insert(0, ".".to_owned(), json!({}));
        }
    }
    tree
}

fn decode(tree: &Value) -> BTreeSet<Path> {
    fn gather(path: &[String], tree: &Value, set: &mut BTreeSet<Path>) {
        let Some(map) = tree.as_object() else { return };
        if !path.is_empty() && (map.is_empty() || map.contains_key(".")) {
            set.insert(path.to_vec());
        }
        for (step, below) in map.iter().filter(|(step, _)| *step != ".") {
            gather(&[path, std::slice::from_ref(step)].concat(), below, set);
        }
    }
    let mut set = BTreeSet::new();
    gather(&[], tree, &mut set);
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELM: Writer<'_> = Writer { manager: "helm", subresource: "" };
    const SKYDECK: Writer<'_> = Writer { manager: "skydeck", subresource: "" };
    const SCALE: Writer<'_> = Writer { manager: "skydeck", subresource: "scale" };

    fn written(kind: Kind, before: &Value, after: Value, writer: Writer<'_>) -> Value {
        let mut after = after;
        if let Some(known) = before.pointer("/metadata/managedFields") {
            json::put(&mut after, "/metadata/managedFields", known.clone());
        }
        track(kind, before, &mut after, writer, "2026-03-04T09:12:30Z");
        after
    }

    fn managed(object: &Value) -> Vec<(String, Value)> {
        let entries = json::list(object, "/metadata/managedFields").iter();
        entries.map(|entry| (json::text(entry, "/manager").to_owned(), entry["fieldsV1"].clone())).collect()
    }

    #[test]
    fn who_writes_owns_and_who_owned_loses() {
        let web = |replicas: u8, image: &str| {
            json!({"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
                "template": {"spec": {"containers": [{"name": "c", "image": image}]}},
            }})
        };
        let containers = |fields: Value| json!({"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": fields}}}});
        let one = written(Kind::Deployments, &json!({}), web(2, "i:1"), HELM);
        let mut spec = containers(json!({".": {}, "f:image": {}, "f:name": {}}));
        spec["f:replicas"] = json!({});
        spec["f:selector"] = json!({});
        let labels = json!({"f:labels": {".": {}, "f:app": {}}});
        assert_eq!(managed(&one), [("helm".into(), json!({"f:metadata": labels, "f:spec": spec}))]);
        let two = written(Kind::Deployments, &one, web(5, "i:1"), SCALE);
        spec.as_object_mut().unwrap().shift_remove("f:replicas");
        assert_eq!(
            managed(&two),
            [
                ("skydeck".into(), json!({"f:spec": {"f:replicas": {}}})),
                ("helm".into(), json!({"f:metadata": labels, "f:spec": spec})),
            ]
        );
        let scaled = &two["metadata"]["managedFields"][0];
        assert_eq!((&scaled["subresource"], scaled.get("time")), (&json!("scale"), None));
        let three = written(Kind::Deployments, &two, web(5, "i:2"), SKYDECK);
        let image = managed(&three).remove(2);
        assert_eq!(image, ("skydeck".into(), json!({"f:spec": containers(json!({"f:image": {}}))})));
    }

    #[test]
    fn a_list_of_a_custom_kind_is_one_value() {
        let route =
            |weight: u8| json!({"metadata": {}, "spec": {"rules": [{"weight": weight}], "hosts": ["a"]}});
        let one = written(Kind::TrainingJobs, &json!({}), route(60), HELM);
        assert_eq!(managed(&one)[0].1, json!({"f:spec": {".": {}, "f:hosts": {}, "f:rules": {}}}));
        let two = written(Kind::TrainingJobs, &one, route(50), SKYDECK);
        assert_eq!(managed(&two)[0].1, json!({"f:spec": {".": {}, "f:hosts": {}}}));
        assert_eq!(managed(&two)[1].1, json!({"f:spec": {"f:rules": {}}}));
        let three =
            written(Kind::TrainingJobs, &two, json!({"metadata": {}, "spec": {"hosts": ["a"]}}), HELM);
        assert_eq!(managed(&three).len(), 1, "who owns nothing any more is forgotten");
    }
}
