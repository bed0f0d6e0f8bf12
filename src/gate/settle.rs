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

/// A request whose answer was lost.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    pub step: &'a Step,
    pub mark: &'a str,
    /// The generation that it asked for.
    pub base: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    Landed(Version),
    /// It may have landed, and somebody else's change stands there now.
    Overtaken(Clean),
    /// It did not and will not.
    NotLanded(Clean),
    /// Nobody can say yet.
    Open,
}

/// What a step left behind, or did not. `None` for `now`: the object is gone.
pub fn settle(sent: &Sent<'_>, now: Option<&Value>, waited: Age, patience: Age) -> Settled {
    let step = sent.step;
    let Some(now) = now else {
        return Settled::NotLanded("the object is gone".into());
    };
    if now["metadata"]["uid"].as_str() != Some(step.uid.as_str()) {
        return Settled::NotLanded("another object has its name now".into());
    }
    let moved = moved(sent.base, now);
    if carries(sent, moved, now) {
        return Settled::Landed(landed(sent.base, now));
    }
    // Whoever wrote the whole object anew took our mark with it.
    if moved > 1 {
        let here = holds(step, now).err().unwrap_or_else(|| "somebody else wrote the same".into());
        let words = format!("{here}: somebody else changed it; whether this was there before is not known");
        return Settled::Overtaken(words.into());
    }
    if moved > 0 {
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

/// What the request itself left: the next step must not build on what somebody else did after it.
fn landed(base: Option<i64>, now: &Value) -> Version {
    let found = version(now);
    let own = base.map(|base| base + 1);
    Version { generation: found.generation.map(|it| own.map_or(it, |own| own.min(it))), ..found }
}

fn carries(sent: &Sent<'_>, moved: i64, now: &Value) -> bool {
    match &sent.step.write {
        Write::Patch(_) => now["metadata"]["annotations"][ANNOTATION] == sent.mark,
        // The last who wrote the number owns it; of zero replicas nobody is booked as the owner.
        Write::Scale { replicas } => {
            moved > 0 && now["spec"]["replicas"] == *replicas && (owns_scale(now) || *replicas == 0)
        }
    }
}

/// How often the spec was changed since the precondition held; after that the request can only be refused.
fn moved(base: Option<i64>, now: &Value) -> i64 {
    match (now["metadata"]["generation"].as_i64(), base) {
        (Some(now), Some(base)) => now - base,
        _ => 0,
    }
}
