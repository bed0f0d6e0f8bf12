//! What colleagues are told who look at the objects later: what was changed in each, from before the first step on it to
//! after the last.

use serde_json::Value;

use crate::fleet::Clean;
use crate::gate::operation::Operation;
use crate::gate::plan::{Change, shown};

/// Targets that were changed, or may have been, and how. Of what was not touched nothing is said.
pub(super) fn changed(operation: &Operation) -> Vec<(usize, Clean)> {
    let targets = operation.plan.targets().into_iter();
    targets.filter_map(|target| Some((target, words(operation, target)?))).collect()
}

fn words(operation: &Operation, target: usize) -> Option<Clean> {
    let of = &operation.plan.steps[target];
    let touched = operation.plan.steps.iter().zip(&operation.steps).filter(|(step, at)| {
        step.object == of.object
            && step.cluster == of.cluster
            && (at.state.is_applied() || at.state.is_unknown())
    });
    let mut values: Vec<(&Change, &Value)> = Vec::new();
    for change in touched.flat_map(|(step, _)| &step.changes) {
        match values.iter_mut().find(|(first, _)| first.pointer == change.pointer) {
            Some((_, last)) => *last = &change.after,
            None => values.push((change, &change.after)),
        }
    }
    let moved = values.iter().filter(|(first, last)| first.before != **last);
    let words: Vec<_> = moved
        .map(|(first, last)| format!("{} {} → {}", first.label, shown(&first.before), shown(last)))
        .collect();
    (!words.is_empty()).then(|| words.join(", ").into())
}
