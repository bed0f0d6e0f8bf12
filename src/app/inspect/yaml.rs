//! An object as YAML: what nobody reads is folded, what nobody may read is masked.

use serde_json::Value;

use super::Line;
use crate::fleet::Clean;
use crate::ui::{Cell, Meaning};

/// Stands where something secret was.
const MASK: &str = "••••••••";

/// The object's lines. The server's bookkeeping of who set which field is one line.
pub fn lines(object: &Value) -> Vec<Line> {
    let mut object = object.clone();
    fold(&mut object);
    mask(&mut object);
    let Ok(text) = serde_saphyr::to_string(&object) else {
        return vec![Line::words("this object cannot be written as YAML", Meaning::Bad)];
    };
    text.lines().map(line).collect()
}

fn fold(object: &mut Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if let Some(fields) = metadata.get_mut("managedFields") {
        let managers: Vec<_> =
            fields.as_array().into_iter().flatten().filter_map(|it| it["manager"].as_str()).collect();
        *fields = Value::String(format!("folded, set by {}", managers.join(", ")));
    }
    let last = "kubectl.kubernetes.io/last-applied-configuration";
    if let Some(applied) = metadata.get_mut("annotations").and_then(|it| it.get_mut(last)) {
        *applied = Value::String("folded".into());
    }
}

/// Values of Secrets, and of variables and keys whose names say that they are secret.
fn mask(object: &mut Value) {
    if object["kind"] == "Secret" {
        for part in ["data", "stringData"] {
            let values = object.get_mut(part).and_then(Value::as_object_mut).into_iter().flatten();
            values.for_each(|(_, value)| *value = Value::String(MASK.into()));
        }
    }
    mask_named(object);
}

fn mask_named(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(mask_named),
        Value::Object(fields) => {
            // An environment variable: a name and a value beside it.
            let secret = fields.get("name").and_then(Value::as_str).is_some_and(is_secret_name);
            if let (true, Some(value @ Value::String(_))) = (secret, fields.get_mut("value")) {
                *value = Value::String(MASK.into());
            }
            for (name, value) in fields.iter_mut() {
                match value {
                    Value::String(_) if is_secret_name(name) => *value = Value::String(MASK.into()),
                    _ => mask_named(value),
                }
            }
        }
        Value::String(text) if has_credentials(text) => *text = MASK.into(),
        _ => {}
    }
}

/// `API_KEY`, `dbPassword`, `auth-token`; not `secretName`, which is a reference.
fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '_', '.'], "");
    let ends = [
        "password",
        "passwd",
        "token",
        "apikey",
        "secretkey",
        "accesskey",
        "privatekey",
        "credential",
        "credentials",
    ];
    ends.iter().any(|end| name.ends_with(end)) || name == "secret"
}

/// `scheme://user:password@host`, and what follows `Bearer`.
fn has_credentials(text: &str) -> bool {
    let in_url = text.split_once("://").is_some_and(|(_, rest)| {
        let authority = rest.split('/').next().unwrap_or("");
        authority.split_once('@').is_some_and(|(user, _)| user.contains(':'))
    });
    in_url || text.starts_with("Bearer ") || text.contains("PRIVATE KEY-----")
}

/// `key: value`, with the key told apart.
fn line(text: &str) -> Line {
    let text = text.replace('\t', "    ");
    let content = text.trim_start_matches([' ', '-']);
    let indent = text.len() - content.len();
    let cell = match content.split_once(':') {
        Some((key, rest))
            if !key.contains([' ', '"', '\'']) && (rest.is_empty() || rest.starts_with(' ')) =>
        {
            let front = Clean::from(format!("{}{key}:", &text[..indent]));
            Cell::new(front, Meaning::Key).and(rest, Meaning::Text)
        }
        _ => Cell::text(text),
    };
    Line { cell, target: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(object: &Value) -> String {
        lines(object).iter().map(|line| line.cell.plain()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn secrets_never_appear() {
        let shown = text(&json!({
            "kind": "Secret", "data": {"x": "canary"}, "stringData": {"y": "canary"},
        }));
        assert!(!shown.contains("canary") && shown.contains(MASK), "{shown}");
        let shown = text(&json!({"kind": "Pod", "spec": {"containers": [{"env": [
            {"name": "API_KEY", "value": "canary"},
            {"name": "DB", "value": "postgres://me:canary@host/db"},
            {"name": "MODE", "value": "fast"},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "ml-secrets", "key": "api_key"}}}]}],
            "volumes": [{"secret": {"secretName": "ml-secrets"}}], "dbPassword": "canary"}}));
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("fast") && shown.contains("ml-secrets"), "{shown}");
    }

    #[test]
    fn the_servers_bookkeeping_is_one_line() {
        let shown = text(&json!({"metadata": {"name": "x", "managedFields": [
            {"manager": "kubectl", "fieldsV1": {"f:spec": {}}}, {"manager": "argocd"}]}}));
        assert!(shown.contains("managedFields: folded, set by kubectl, argocd"), "{shown}");
        assert!(!shown.contains("f:spec"), "{shown}");
    }

    #[test]
    fn hostile_values_stay_in_their_line() {
        let shown = lines(&json!({"metadata": {"annotations": {"a": "x\u{1b}[2J\nb: forged"}}}));
        assert!(shown.iter().all(|line| !line.cell.plain().contains('\u{1b}')));
    }
}
