//! JSON Patch (RFC 6902) as the gate writes it: tests first, then `add`; never a list replaced.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The name under which the API server books what this console changes.
pub const FIELD_MANAGER: &str = "skydeck";
/// The annotation that carries the change's id, so that a read-back can tell whether it landed.
pub const ANNOTATION: &str = crate::fleet::marks::CHANGE;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Op {
    Test { path: String, value: Value },
    Add { path: String, value: Value },
    Remove { path: String },
}

impl Op {
    pub fn test(path: &str, value: impl Into<Value>) -> Self {
        Self::Test { path: path.to_owned(), value: value.into() }
    }

    pub fn add(path: &str, value: impl Into<Value>) -> Self {
        Self::Add { path: path.to_owned(), value: value.into() }
    }

    pub fn path(&self) -> &str {
        match self {
            Self::Test { path, .. } | Self::Add { path, .. } | Self::Remove { path } => path,
        }
    }

    pub const fn is_test(&self) -> bool {
        matches!(self, Self::Test { .. })
    }
}

/// One part of a pointer, escaped as RFC 6901 wants it.
pub fn escape(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

/// Pointer of an annotation.
pub fn annotation_path(name: &str) -> String {
    format!("/metadata/annotations/{}", escape(name))
}

/// Sets an annotation. Where there are none yet the whole map is added; a test beside it keeps that from wiping out
/// what somebody else adds meanwhile. (A test for `null` holds where there is nothing: the API server's patches are
/// those of evanphx/json-patch.)
pub fn annotate(object: &Value, name: &str, value: &str) -> Vec<Op> {
    if object["metadata"]["annotations"].is_object() {
        return vec![Op::add(&annotation_path(name), value)];
    }
    vec![
        Op::test("/metadata/annotations", Value::Null),
        Op::add("/metadata/annotations", json!({ name: value })),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_added_without_touching_others() {
        let with = json!({"metadata": {"annotations": {"a": "b"}, "resourceVersion": "7"}});
        let mark = format!("/metadata/annotations/{}", ANNOTATION.replace('/', "~1"));
        assert_eq!(annotate(&with, ANNOTATION, "x"), [Op::add(&mark, "x")]);
        let without = json!({"metadata": {"resourceVersion": "7"}});
        let ops = annotate(&without, ANNOTATION, "x");
        assert_eq!(ops[0], Op::test("/metadata/annotations", Value::Null));
        assert_eq!(ops[1], Op::add("/metadata/annotations", json!({ANNOTATION: "x"})));
        let written = serde_json::to_value(&ops[1]).unwrap();
        assert_eq!(
            written,
            json!({"op": "add", "path": "/metadata/annotations", "value": {ANNOTATION: "x"}})
        );
    }
}
