//! What is not as it was shown: the tests of a step, held against the object as it is now, down to the values that
//! differ. A whole rule beside a whole rule would show everything and tell nothing.

use serde_json::{Map, Value};

use crate::fleet::Clean;
use crate::gate::machine::Difference;
use crate::gate::operation::Version;
use crate::gate::patch::{Op, escape};
use crate::gate::plan::{Change, Step, Write, shown};

/// Nothing when every precondition of the step still holds; of one that builds on another, also what that one left.
pub(super) fn differences(step: &Step, builds_on: Option<&Version>, now: &Value) -> Vec<Difference> {
    let at = |pointer: &str| now.pointer(pointer).unwrap_or(&Value::Null);
    let mut differs = Vec::new();
    for change in step.changes.iter().filter(|change| *at(&change.pointer) != change.before) {
        differs.push(Difference {
            label: change.label.clone(),
            shown: shown(&change.before).into(),
            now: shown(at(&change.pointer)).into(),
        });
    }
    let mut held = |pointer: &str, before: &Value, now: &Value| {
        compare(&step.changes, pointer, (before, now), &mut differs);
    };
    held("/metadata/uid", &Value::from(&*step.uid), at("/metadata/uid"));
    if let Some(generation) = builds_on.and_then(|version| version.generation) {
        held("/metadata/generation", &generation.into(), at("/metadata/generation"));
    }
    match &step.write {
        Write::Scale { .. } => {
            if let Some(generation) = step.generation {
                held("/metadata/generation", &generation.into(), at("/metadata/generation"));
            }
        }
        Write::Patch(ops) => {
            let tests = ops.iter().filter_map(|op| match op {
                Op::Test { path, value } if path != "/metadata/uid" => Some((path, value)),
                _ => None,
            });
            for (path, value) in tests.filter(|(path, _)| !step.changes.iter().any(|it| it.pointer == **path))
            {
                held(path, value, at(path));
            }
        }
    }
    // That the version moved says less than what moved.
    differs.sort_by_key(|it| it.label == "metadata.generation");
    if let Some(more) = differs.len().checked_sub(MOST).filter(|more| *more > 0) {
        differs.truncate(MOST);
        let (shown, now) = (Clean::from("…"), Clean::from("…"));
        differs.push(Difference { label: Clean::from(format!("and {more} more")), shown, now });
    }
    differs
}

/// More differences are counted only.
const MOST: usize = 10;

/// The values in which two differ, each by its place, without those that are told already. Lists of different lengths
/// are one value.
fn compare(told: &[Change], pointer: &str, (before, now): (&Value, &Value), differs: &mut Vec<Difference>) {
    match (before, now) {
        (Value::Object(old), Value::Object(new)) => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                compare(told, &format!("{pointer}/{}", escape(key)), (&of(old), &of(new)), differs);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (at, pair) in old.iter().zip(new).enumerate() {
                compare(told, &format!("{pointer}/{at}"), pair, differs);
            }
        }
        _ if before == now || told.iter().any(|it| it.pointer == pointer) => {}
        _ => differs.push(Difference { label: label(pointer), shown: brief(before), now: brief(now) }),
    }
}

/// `/spec/http/1/timeout` → `spec.http[1].timeout`.
fn label(pointer: &str) -> Clean {
    let mut words = String::new();
    for part in pointer.trim_start_matches('/').split('/') {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            words.push_str(&format!("[{part}]"));
        } else {
            let dot = if words.is_empty() { "" } else { "." };
            words.push_str(&format!("{dot}{part}"));
        }
    }
    words.into()
}

/// The whole of something small, the beginning of something large.
fn brief(value: &Value) -> Clean {
    const MOST: usize = 200;
    let text = shown(value);
    if text.chars().count() <= MOST {
        return text.into();
    }
    let start: String = text.chars().take(MOST).collect();
    Clean::from(format!("{start}…"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(before: &Value, now: &Value) -> Vec<String> {
        let mut differs = Vec::new();
        compare(&[], "/spec/http/1", (before, now), &mut differs);
        differs.iter().map(|it| format!("{}: {} → {}", it.label, it.shown, it.now)).collect()
    }

    #[test]
    fn of_a_large_rule_only_what_differs_is_told() {
        let rule = |timeout: &str, weight: u32| {
            json!({"route": [{"destination": {"host": "a-host-with-a-name-that-is-long".repeat(9)}, "weight": weight}],
                "retries": {"attempts": 3}, "timeout": timeout})
        };
        assert!(told(&rule("10s", 60), &rule("10s", 60)).is_empty());
        assert_eq!(
            told(&rule("10s", 60), &rule("3s", 90)),
            ["spec.http[1].route[0].weight: 60 → 90", "spec.http[1].timeout: 10s → 3s"]
        );
        let mut bare = rule("10s", 60);
        bare.as_object_mut().unwrap().remove("retries");
        assert_eq!(told(&rule("10s", 60), &bare), [r#"spec.http[1].retries: {"attempts":3} → absent"#]);
        assert_eq!(told(&json!([1, 2]), &json!([1])), ["spec.http[1]: [1,2] → [1]"]);
    }
}
