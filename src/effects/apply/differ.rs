//! What is not as it was shown: the tests of a step, held against the object as it is now.

use serde_json::Value;

use crate::fleet::Clean;
use crate::gate::machine::Difference;
use crate::gate::patch::Op;
use crate::gate::plan::{Step, Write, shown};

/// Nothing when every precondition of the step still holds.
pub(super) fn differences(step: &Step, now: &Value) -> Vec<Difference> {
    let at = |pointer: &str| now.pointer(pointer).unwrap_or(&Value::Null);
    let mut differs = Vec::new();
    for change in step.changes.iter().filter(|change| *at(&change.pointer) != change.before) {
        differs.push(Difference {
            label: change.label.clone(),
            shown: shown(&change.before).into(),
            now: shown(at(&change.pointer)).into(),
        });
    }
    let mut held = |label: &str, before: &Value, now: &Value| {
        if before != now {
            differs.push(Difference { label: label.into(), shown: brief(before), now: brief(now) });
        }
    };
    held("uid", &Value::from(&*step.uid), at("/metadata/uid"));
    match &step.write {
        Write::Scale { .. } => {
            if let Some(generation) = step.generation {
                held("generation", &generation.into(), at("/metadata/generation"));
            }
        }
        Write::Patch(ops) => {
            let tests = ops.iter().filter_map(|op| match op {
                Op::Test { path, value } if path != "/metadata/uid" => Some((path, value)),
                _ => None,
            });
            for (path, value) in tests.filter(|(path, _)| !step.changes.iter().any(|it| it.pointer == **path))
            {
                held(path.trim_start_matches('/'), value, at(path));
            }
        }
    }
    differs
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
