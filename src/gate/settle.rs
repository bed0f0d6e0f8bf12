//! Did it land? The rule by which a lost answer becomes known from the object as it is now.
//!
//! A write carries its mark in the object: the annotation of a patch, or the ownership of the number in
//! `managedFields` for a `PUT` of a scale, which cannot carry an annotation. A request that was lost can still be on its way, so
//! *not landed* is only said when its precondition cannot hold any more, or after the time that a server may take.

use serde_json::Value;

use super::operation::Version;
use super::patch::ANNOTATION;
use super::plan::{Step, Write};
use super::sight::owns_scale;
use crate::fleet::{Age, Clean};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    Landed(Version),
    /// It did not and will not.
    NotLanded(Clean),
    /// Nobody can say yet.
    Open,
}

/// What a step left behind, or did not. `None` for `now`: the object is gone.
pub fn settle(step: &Step, mark: &str, now: Option<&Value>, waited: Age, patience: Age) -> Settled {
    let Some(now) = now else {
        return Settled::NotLanded("the object is gone".into());
    };
    if now["metadata"]["uid"].as_str() != Some(step.uid.as_str()) {
        return Settled::NotLanded("another object has its name now".into());
    }
    if carries(step, mark, now) {
        return Settled::Landed(version(now));
    }
    if is_past(step, now) {
        return Settled::NotLanded("somebody else changed it, and that holds".into());
    }
    if waited >= patience {
        return Settled::NotLanded("the server never applied it".into());
    }
    Settled::Open
}

/// Version and generation of an object.
pub fn version(object: &Value) -> Version {
    let meta = &object["metadata"];
    Version {
        resource: Clean::new(meta["resourceVersion"].as_str().unwrap_or_default()),
        generation: meta["generation"].as_i64(),
    }
}

/// Whether the object holds every value that the step sets.
pub fn holds(step: &Step, object: &Value) -> Result<(), Clean> {
    for change in &step.changes {
        let now = object.pointer(&change.pointer).unwrap_or(&Value::Null);
        if *now != change.after {
            return Err(Clean::from(format!("{} is {now}, not {}", change.label, change.after)));
        }
    }
    Ok(())
}

fn carries(step: &Step, mark: &str, now: &Value) -> bool {
    match &step.write {
        Write::Patch(_) => now["metadata"]["annotations"][ANNOTATION] == mark,
        // The last who wrote the number owns it; of zero replicas nobody is booked as the owner.
        Write::Scale { replicas } => {
            let moved = match (now["metadata"]["generation"].as_i64(), step.generation) {
                (Some(now), Some(then)) => now > then,
                _ => false,
            };
            moved && now["spec"]["replicas"] == *replicas && (owns_scale(now) || *replicas == 0)
        }
    }
}

/// The spec has moved on from what the precondition asks for, so the request can only be refused.
fn is_past(step: &Step, now: &Value) -> bool {
    match (now["metadata"]["generation"].as_i64(), step.generation) {
        (Some(now), Some(then)) => step.follows.is_none() && now != then,
        _ => false,
    }
}
