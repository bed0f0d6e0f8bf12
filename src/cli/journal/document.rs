//! The documents of `skydeck journal -o json`.

use serde::Serialize;
use serde_json::Value;

use crate::cli::status::document::API_VERSION;
use crate::fleet::{Age, ChangeId, Clean, Unix};
use crate::gate::operation::{Actor, Operation, Phase};
use crate::gate::timeline::moments;
use crate::gate::{Outcome, Record};

/// A list of changes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeList {
    pub api_version: &'static str,
    pub kind: &'static str,
    pub generated_at: String,
    pub items: Vec<ChangeItem>,
}

/// One change, as every list has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeItem {
    pub id: ChangeId,
    /// As people read it: `done`, `PARTIAL 2/3`, `UNKNOWN`, `elsewhere 1/3`.
    pub state: String,
    /// Not at its end.
    pub open: bool,
    /// Another process on this machine drives it now.
    pub driven_elsewhere: bool,
    /// `null` while it is open.
    pub outcome: Option<Outcome>,
    pub verb: &'static str,
    pub title: Clean,
    pub confirmed_at: Option<String>,
    pub ended_at: Option<String>,
    pub actor: Actor,
    pub clusters: Vec<Clean>,
    pub reason: Option<Clean>,
    /// The change that this one takes back.
    pub undoes: Option<ChangeId>,
}

/// One change with everything that was written down.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeDocument {
    pub api_version: &'static str,
    pub kind: &'static str,
    #[serde(flatten)]
    pub change: ChangeItem,
    pub steps: Vec<StepItem>,
    pub timeline: Vec<TimelineItem>,
    pub warnings: Vec<Clean>,
    pub way_back: Clean,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepItem {
    pub cluster: Clean,
    /// `Deployment ml/web`.
    pub target: String,
    pub state: &'static str,
    /// What the server or the verification said.
    pub words: Option<Clean>,
    pub attempts: u32,
    pub changes: Vec<ChangeOfValue>,
}

#[derive(Debug, Serialize)]
pub struct ChangeOfValue {
    pub field: Clean,
    /// `null`: it was not there.
    pub before: Value,
    pub after: Value,
}

#[derive(Debug, Serialize)]
pub struct TimelineItem {
    pub at: String,
    pub text: Clean,
}

pub fn list<'a>(operations: impl Iterator<Item = &'a Operation>, now: Unix) -> ChangeList {
    ChangeList {
        api_version: API_VERSION,
        kind: "ChangeList",
        generated_at: now.rfc3339(),
        items: operations.map(item).collect(),
    }
}

pub fn item(operation: &Operation) -> ChangeItem {
    let plan = &operation.plan;
    ChangeItem {
        id: plan.id.clone(),
        state: operation.words(),
        open: operation.is_open(),
        driven_elsewhere: operation.is_elsewhere,
        outcome: match operation.phase {
            Phase::Ended(outcome) => Some(outcome),
            _ => None,
        },
        verb: plan.verb.name(),
        title: plan.title.clone(),
        confirmed_at: operation.opened.map(Unix::rfc3339),
        ended_at: operation.ended.map(Unix::rfc3339),
        actor: operation.actor.clone(),
        clusters: plan.clusters().into_iter().map(|it| it.name.clone()).collect(),
        reason: some(&plan.reason),
        undoes: plan.undoes.clone(),
    }
}

pub fn whole(operation: &Operation, records: &[Record]) -> ChangeDocument {
    let plan = &operation.plan;
    let steps = plan.steps.iter().zip(&operation.steps).map(|(step, progress)| StepItem {
        cluster: step.cluster.name.clone(),
        target: step.object.to_string(),
        state: progress.state.name(),
        words: some(&progress.words),
        attempts: progress.attempts,
        changes: step
            .changes
            .iter()
            .filter(|it| it.before != it.after)
            .map(|it| ChangeOfValue {
                field: it.label.clone(),
                before: it.before.clone(),
                after: it.after.clone(),
            })
            .collect(),
    });
    let timeline = moments(plan, records);
    ChangeDocument {
        api_version: API_VERSION,
        kind: "Change",
        change: item(operation),
        steps: steps.collect(),
        timeline: timeline
            .into_iter()
            .map(|it| TimelineItem { at: it.at.rfc3339(), text: it.line.text })
            .collect(),
        warnings: plan.notes.iter().filter(|it| it.is_warning).map(|it| it.text.clone()).collect(),
        way_back: plan.way_back.clone(),
    }
}

/// How long it took, of one that is at its end.
pub fn took(operation: &Operation) -> Option<Age> {
    Some(operation.opened?.until(operation.ended?))
}

fn some(text: &Clean) -> Option<Clean> {
    (!text.is_empty()).then(|| text.clone())
}
