//! The columns of CRDs: the part of Kubernetes' JSONPath that printer columns use. `.a.b`, `[0]`, `[-1:]`
//! and `[?(@.type=="Ready")]`; a path outside of it prints as empty, never as an error.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{PathColumn, clock};

/// The value of one column of one object.
pub fn cell(object: &Value, column: &PathColumn, now: DateTime<Utc>) -> Value {
    let Some(found) = find(object, column.path) else {
        return if column.kind == "date" { "<unknown>".into() } else { Value::Null };
    };
    match (column.kind, found) {
        ("date", Value::String(time)) => {
            clock::parse(time).map_or_else(|| "<invalid>".into(), |then| clock::age(then, now).into())
        }
        ("string", Value::String(_)) | ("integer" | "number" | "boolean", _) => found.clone(),
        ("string", other) => other.to_string().into(),
        _ => Value::Null,
    }
}

/// The first value at a path.
pub fn find<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut place = object;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (step, after) = inner.split_once(']')?;
            place = bracket(place, step)?;
            rest = after;
        } else {
            let step = rest.strip_prefix('.')?;
            let end = step.find(['.', '[']).unwrap_or(step.len());
            place = place.get(&step[..end])?;
            rest = &step[end..];
        }
    }
    (!place.is_null()).then_some(place)
}

/// `0`, `-1:` or `?(@.key=="value")` on a list.
fn bracket<'a>(place: &'a Value, step: &str) -> Option<&'a Value> {
    let items = place.as_array()?;
    if step == "-1:" {
        return items.last();
    }
    if let Ok(index) = step.parse::<usize>() {
        return items.get(index);
    }
    let test = step.strip_prefix("?(@.")?.strip_suffix(')')?;
    let (key, wanted) = test.split_once("==")?;
    let wanted = wanted.trim().trim_matches(['"', '\'']);
    items.iter().find(|item| item.get(key.trim()).and_then(Value::as_str) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_what_printer_columns_ask_for() {
        let object = json!({"spec": {"replicas": 3}, "status": {"conditions": [
            {"type": "Ready", "status": "True"}, {"type": "Active", "status": "False"},
        ]}});
        assert_eq!(find(&object, ".spec.replicas"), Some(&json!(3)));
        assert_eq!(find(&object, ".status.conditions[?(@.type=='Active')].status"), Some(&json!("False")));
        assert_eq!(find(&object, ".status.conditions[-1:].type"), Some(&json!("Active")));
        assert_eq!(find(&object, ".status.conditions[0].type"), Some(&json!("Ready")));
        assert_eq!(find(&object, ".status.nothing.here"), None);
        assert_eq!(find(&object, ".status.conditions[?(@.type"), None);
    }
}
