//! The two patches that work for every kind: JSON patch and merge patch. Strategic merge patch and apply
//! need schemas, which this server does not have; they are refused as custom resources refuse the former.

use axum::body::Bytes;
use serde_json::Value;

use crate::demo::admit;
use crate::demo::refusal::{Outcome, Refusal};

/// More operations than this are refused, as in Kubernetes.
const MOST_OPERATIONS: usize = 10_000;
/// A patch may not blow an object up beyond this (a `copy` can double it).
const LARGEST: usize = 3 * 1024 * 1024;

#[derive(Debug)]
pub enum Patch {
    Json(json_patch::Patch),
    Merge(Value),
    /// Not a patch: the whole object anew, by PUT.
    Replace(Value),
}

impl Patch {
    pub fn parse(media: &str, bytes: &Bytes) -> Outcome<Patch> {
        let parsed = || {
            let parsed: Result<Value, _> = serde_json::from_slice(bytes);
            parsed.map_err(|error| Refusal::bad_request(format!("error decoding patch: {error}")))
        };
        let wrong = |value: &Value, wanted: &str| {
            let found = admit::type_of(value);
            Err(Refusal::bad_request(format!(
                "error decoding patch: json: cannot unmarshal {found} into Go value of type {wanted}"
            )))
        };
        match media {
            "application/merge-patch+json" => match parsed()? {
                patch if patch.is_object() => Ok(Patch::Merge(patch)),
                other => wrong(&other, "map[string]interface {}"),
            },
            "application/json-patch+json" => match parsed()? {
                Value::Array(operations) if operations.len() > MOST_OPERATIONS => {
                    Err(Refusal::too_large(MOST_OPERATIONS))
                }
                // A list of what are no operations is a patch that does not apply.
                list if list.is_array() => {
                    serde_json::from_value(list).map(Patch::Json).map_err(|_| Refusal::patch_failed())
                }
                other => wrong(&other, "[]handlers.jsonPatchOp"),
            },
            _ => Err(Refusal::unsupported_media(&[
                "application/json-patch+json",
                "application/merge-patch+json",
            ])),
        }
    }

    pub fn apply(&self, object: &mut Value) -> Outcome<()> {
        match self {
            Patch::Merge(patch) => json_patch::merge(object, patch),
            Patch::Replace(value) => object.clone_from(value),
            Patch::Json(patch) => {
                for operation in &patch.0 {
                    if finds_nothing_as_wanted(operation, object) {
                        continue;
                    }
                    json_patch::patch(object, std::slice::from_ref(operation))
                        .map_err(|_| Refusal::patch_failed())?;
                    if matches!(operation, json_patch::PatchOperation::Copy(_))
                        && object.to_string().len() > LARGEST
                    {
                        return Err(Refusal::too_large(LARGEST));
                    }
                }
            }
        }
        Ok(())
    }
}

/// A test for `null` holds where there is nothing, in the library that Kubernetes patches with
/// (evanphx/json-patch); RFC 6902 wants something there.
fn finds_nothing_as_wanted(operation: &json_patch::PatchOperation, object: &Value) -> bool {
    let json_patch::PatchOperation::Test(test) = operation else { return false };
    let Some((parent, _)) = test.path.as_str().rsplit_once('/') else { return false };
    test.value.is_null()
        && object.pointer(test.path.as_str()).is_none()
        && object.pointer(parent).is_some_and(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(media: &str, patch: &Value) -> Result<Value, u16> {
        let mut object = json!({"spec": {"replicas": 2, "paused": true}});
        let patch = Patch::parse(media, &Bytes::from(patch.to_string())).map_err(|refusal| refusal.code)?;
        patch.apply(&mut object).map_err(|refusal| refusal.code)?;
        Ok(object)
    }

    #[test]
    fn a_test_for_null_holds_where_there_is_nothing() {
        let mut object = json!({"metadata": {"name": "a"}});
        let patch = |list: Value| {
            Patch::parse("application/json-patch+json", &Bytes::from(list.to_string())).unwrap()
        };
        let test = |path: &str| patch(json!([{"op": "test", "path": path, "value": null}]));
        assert!(test("/metadata/annotations").apply(&mut object).is_ok());
        assert!(test("/metadata/name").apply(&mut object).is_err());
        assert!(test("/nowhere/at/all").apply(&mut object).is_err());
    }

    #[test]
    fn merge_and_json_patches_apply_and_others_are_refused() {
        let merged =
            patched("application/merge-patch+json", &json!({"spec": {"replicas": 5, "paused": null}}));
        assert_eq!(merged, Ok(json!({"spec": {"replicas": 5}})));
        let media = "application/json-patch+json";
        let done = patched(
            media,
            &json!([
                {"op": "test", "path": "/spec/replicas", "value": 2},
                {"op": "replace", "path": "/spec/replicas", "value": 3},
            ]),
        );
        assert_eq!(done, Ok(json!({"spec": {"replicas": 3, "paused": true}})));
        assert_eq!(patched(media, &json!([{"op": "test", "path": "/spec/replicas", "value": 9}])), Err(422));
        assert_eq!(patched(media, &json!([{"op": "remove", "path": "/spec/nothing"}])), Err(422));
        assert_eq!(patched(media, &json!({"op": "x"})), Err(400));
        assert_eq!(patched("application/merge-patch+json", &json!([])), Err(400));
        assert_eq!(patched("application/strategic-merge-patch+json", &json!({})), Err(415));
        assert_eq!(patched("application/apply-patch+yaml", &json!({})), Err(415));
    }

    #[test]
    fn a_patch_that_doubles_and_doubles_is_stopped() {
        let copies: Vec<Value> =
            (0..64).map(|n| json!({"op": "copy", "from": "/spec", "path": format!("/spec/{n}")})).collect();
        assert_eq!(patched("application/json-patch+json", &json!(copies)), Err(413));
    }
}
