//! Scale: absolute numbers, on the object that decides them.

use serde_json::Value;

use super::scaler::{self, Scaler};
use super::{Change, Cx, Expect, Note, Plan, Refusal, Step, Verb, Write};
use crate::fleet::{ChangeId, Clean, Kind, Labels, Marks};
use crate::gate::confirm::{Reasons, Strength};
use crate::gate::patch::{self, Op};
use crate::gate::{Amount, Intent, Override, Place, ScaleTo, Seen};
use crate::state::Cluster;
use crate::state::select::headroom::{self, Growth};
use crate::state::select::owner;
use crate::state::select::replicas;

/// KEDA's annotation that pins a number, with or without its controller's help (KEDA `scaledobject_types.go`).
pub const PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";

pub(super) fn plan(id: &ChangeId, intent: &Intent, cells: &[ScaleTo], cx: Cx<'_>) -> Result<Plan, Refusal> {
    if cells.is_empty() {
        return Err(Refusal::new("nothing is marked", "put the cursor on a workload, or mark some"));
    }
    let mut draft = Draft { cx, intent, steps: Vec::new(), notes: Vec::new(), reasons: Reasons::default() };
    for cell in cells {
        draft.cell(id, cell)?;
    }
    draft.last_capacity(cells)?;
    if draft.steps.is_empty() {
        return Err(Refusal::already("nothing to change: it is so already"));
    }
    Ok(draft.finish(id, cells))
}

struct Draft<'a> {
    cx: Cx<'a>,
    intent: &'a Intent,
    steps: Vec<Step>,
    notes: Vec<Note>,
    reasons: Reasons,
}

impl<'a> Draft<'a> {
    fn cell(&mut self, id: &ChangeId, cell: &ScaleTo) -> Result<(), Refusal> {
        let cluster = self.cx.cluster(cell.place.cluster)?;
        let seen = self.cx.seen(&cell.place)?;
        let scaler = scaler::decided(self.cx, self.intent, cluster, (seen, cell.to))?;
        let mark = format!("{id}-{}", self.steps.len() + 1);
        let mut step = match &scaler {
            Scaler::Itself => itself(cluster, seen, cell.to)?,
            Scaler::Hpa(decider) => hpa(cluster, self.decider(cell, decider)?, cell.to, &mark)?,
            Scaler::Keda(decider) => keda(cluster, self.decider(cell, decider)?, cell.to, &mark)?,
            Scaler::Serving(decider) => {
                let component = component(seen);
                serving(cluster, self.decider(cell, decider)?, component, (cell.to, mark.as_str()))?
            }
        };
        step.changes.retain(|change| change.before != change.after);
        if step.changes.is_empty() {
            let words = format!("{} in {} is so already", cell.place.object.key, cluster.spec.name);
            self.notes.push(Note::info(words));
            return Ok(());
        }
        self.explain(&scaler, cluster, seen);
        self.judge_owner(&scaler, cell)?;
        self.room(seen, cell);
        self.weigh(cluster, seen, cell.to)?;
        if !self.steps.is_empty() {
            step.wait = self.cx.policy.bake;
        }
        self.steps.push(step);
        Ok(())
    }

    fn decider(&self, cell: &ScaleTo, object: &crate::fleet::ObjectId) -> Result<&'a Seen, Refusal> {
        self.cx.seen(&Place { cluster: cell.place.cluster, object: object.clone() })
    }

    /// What would happen if the number were written into the workload.
    fn explain(&mut self, scaler: &Scaler, cluster: &Cluster, seen: &Seen) {
        let name = &seen.place.object.key.name;
        let words = match scaler {
            Scaler::Itself => return self.explain_override(cluster, seen),
            Scaler::Hpa(id) => format!(
                "{}: HorizontalPodAutoscaler {} decides; a number in the workload would last until its next sync (15s), so its range is changed",
                cluster.spec.name, id.key.name
            ),
            Scaler::Keda(id) => format!(
                "{}: KEDA's ScaledObject {} decides; a number pins it (paused-replicas), a range 3-20 lets it scale",
                cluster.spec.name, id.key.name
            ),
            Scaler::Serving(id) => format!(
                "{}: the InferenceService {} makes {name} and would put a number back, so its range is changed",
                cluster.spec.name, id.key.name
            ),
        };
        self.notes.push(Note::info(words));
    }

    /// Room for what would be added, as the scheduler and Kueue see it.
    fn room(&mut self, seen: &Seen, cell: &ScaleTo) {
        let growth = Growth {
            cluster: cell.place.cluster,
            kind: cell.place.object.kind,
            from: seen.number("/spec/replicas").unwrap_or(1),
            to: cell.to.least(),
        };
        for (is_warning, text) in headroom::words(self.cx.state, &seen.value, growth) {
            let note = Note { is_warning, text };
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    /// Whether something would put the object back to what stands in a repository.
    fn judge_owner(&mut self, scaler: &Scaler, cell: &ScaleTo) -> Result<(), Refusal> {
        let object = match scaler {
            Scaler::Itself => &cell.place.object,
            Scaler::Hpa(id) | Scaler::Keda(id) | Scaler::Serving(id) => id,
        };
        let seen = self.decider(cell, object)?;
        let verdict = owner::verdict(self.cx.state, cell.place.cluster, &Marks::read(&seen.value), object);
        self.notes.extend(super::heed(&verdict, object, self.intent)?);
        Ok(())
    }

    fn explain_override(&mut self, cluster: &Cluster, seen: &Seen) {
        if scaler::of(cluster, &seen.place.object) != Scaler::Itself || seen.controller().is_some() {
            let words = format!("{}: something else owns this number and may put it back", cluster.spec.name);
            self.notes.push(Note::warning(words));
        }
    }

    /// How dangerous it is.
    fn weigh(&mut self, cluster: &Cluster, seen: &Seen, to: Amount) -> Result<(), Refusal> {
        let (policy, least) = (self.cx.policy, to.least());
        self.cx.weigh_production(cluster, seen, &mut self.reasons);
        if least == 0 && to.most() == 0 {
            self.reasons.add(Strength::Full, "to zero");
        }
        if least < policy.floor && !self.intent.overrides(Override::Floor) {
            let words = format!("{least} is below the floor of {}", policy.floor);
            return Err(Refusal::new(words, "`floor` stands in the configuration").unless(Override::Floor));
        }
        let key = &seen.place.object.key;
        let budgets = cluster
            .objects
            .budgets
            .values()
            .filter(|budget| budget.key.namespace == key.namespace && budget.covers(&pod_labels(seen)));
        for budget in budgets.filter(|budget| budget.healthy_wanted > to.most()) {
            let words = format!(
                "{}: the PodDisruptionBudget {} wants {} healthy; it guards evictions and does not hold this",
                cluster.spec.name, budget.key.name, budget.healthy_wanted
            );
            self.notes.push(Note::warning(words));
            self.reasons.add(Strength::Full, "below the PodDisruptionBudget");
        }
        Ok(())
    }

    /// Whether anything would still serve, in any cluster.
    fn last_capacity(&mut self, cells: &[ScaleTo]) -> Result<(), Refusal> {
        let groups = replicas::groups(self.cx.state);
        for cell in cells.iter().filter(|cell| cell.to.most() == 0) {
            let holds = |id: crate::fleet::ClusterId, at: &replicas::Cell| {
                id == cell.place.cluster && at.workloads.contains(&cell.place.object)
            };
            let group = groups.iter().find(|group| group.cells.iter().any(|(id, at)| holds(id, at)));
            let Some(group) = group else { continue };
            let stopped = |id: crate::fleet::ClusterId| {
                cells.iter().any(|other| other.place.cluster == id && other.to.most() == 0)
            };
            let left = group.cells.iter().filter(|(id, _)| !stopped(*id));
            if left.clone().any(|(_, at)| at.freshness.is_whole() && at.ready > 0) {
                continue;
            }
            if !self.intent.overrides(Override::LastCapacity) {
                let known = left.clone().all(|(_, at)| at.freshness.is_whole());
                let what = if known { "nothing" } else { "nothing that is known" };
                let words = format!("{what} of {} would be ready anywhere", group.name);
                let refusal = Refusal::new(words, "leave it running somewhere");
                return Err(refusal.unless(Override::LastCapacity));
            }
            self.reasons.add(Strength::Full, "the last capacity");
        }
        Ok(())
    }

    fn finish(mut self, id: &ChangeId, cells: &[ScaleTo]) -> Plan {
        let clusters = super::several(&self.steps, self.cx, &mut self.reasons);
        let name = super::common(cells.iter().map(|cell| cell.place.object.key.name.as_str()), "workloads");
        let number = super::common(cells.iter().map(|cell| cell.to.to_string()), "numbers");
        let overrides: Vec<_> = self.intent.overrides.iter().copied().collect();
        let title = match cells {
            [only] => format!("scale {} to {}", only.place.object.key, only.to),
            _ => format!("scale {} workloads", cells.len()),
        };
        Plan {
            id: id.clone(),
            verb: Verb::Scale,
            title: title.into(),
            made: self.cx.now.unix,
            way_back: super::way_back(&self.steps),
            confirm: self.reasons.confirm(&clusters, &name, &number, &overrides),
            steps: self.steps,
            notes: self.notes,
            undoes: None,
            left_out: Vec::new(),
            ramp: None,
            reason: self.intent.reason.clone(),
            overrides,
        }
    }
}

fn itself(cluster: &Cluster, seen: &Seen, to: Amount) -> Result<Step, Refusal> {
    let Amount::Replicas(replicas) = to else {
        let words = format!("{} has no autoscaler, so no range", seen.place.object.key);
        return Err(Refusal::new(words, "give one number"));
    };
    let mut step = Step::on(cluster, seen, Write::Scale { replicas })?;
    step.changes = vec![change(seen, "/spec/replicas", "spec.replicas", replicas)];
    step.expect = Expect::Rollout { workload: seen.place.object.clone() };
    Ok(step)
}

/// An autoscaler has no generation and its status moves every few seconds, so its whole spec is what must not have
/// changed.
fn hpa(cluster: &Cluster, seen: &Seen, to: Amount, mark: &str) -> Result<Step, Refusal> {
    let (min, max) = match to {
        Amount::Replicas(number) => (number, number.max(seen.number("/spec/maxReplicas").unwrap_or(number))),
        Amount::Range { min, max } => (min, max),
    };
    if min == 0 {
        let words =
            format!("{} cannot go to 0: it has an autoscaler with a least of 1", seen.place.object.key);
        return Err(
            Refusal::new(words, "scaling the workload to 0 turns the autoscaler off").unless(Override::Owner)
        );
    }
    let changes = vec![
        change(seen, "/spec/minReplicas", "spec.minReplicas", min),
        change(seen, "/spec/maxReplicas", "spec.maxReplicas", max),
    ];
    patched(cluster, seen, changes, mark)
}

fn keda(cluster: &Cluster, seen: &Seen, to: Amount, mark: &str) -> Result<Step, Refusal> {
    let changes = match to {
        Amount::Replicas(number) => {
            let pointer = patch::annotation_path(PAUSED_REPLICAS);
            let before = seen.value.pointer(&pointer).cloned().unwrap_or(Value::Null);
            let label = format!("annotation {PAUSED_REPLICAS}");
            vec![Change { pointer, label: label.into(), before, after: number.to_string().into() }]
        }
        Amount::Range { min, max } => vec![
            change(seen, "/spec/minReplicaCount", "spec.minReplicaCount", min),
            change(seen, "/spec/maxReplicaCount", "spec.maxReplicaCount", max),
        ],
    };
    patched(cluster, seen, changes, mark)
}

fn serving(cluster: &Cluster, seen: &Seen, component: &str, to: (Amount, &str)) -> Result<Step, Refusal> {
    let pointer = |field: &str| format!("/spec/{component}/{field}");
    let label = |field: &str| format!("spec.{component}.{field}");
    if !seen.value.pointer(&format!("/spec/{component}")).is_some_and(Value::is_object) {
        let words = format!("{} has no component {component}", seen.place.object);
        return Err(Refusal::new(words, "change the InferenceService by hand"));
    }
    let (to, mark) = to;
    let most = seen.number(&pointer("maxReplicas"));
    let (min, max) = match to {
        // No maximum, or 0, is no limit: it stays so.
        Amount::Replicas(number) => (number, most.filter(|most| *most > 0).map(|most| most.max(number))),
        Amount::Range { min, max } => (min, Some(max)),
    };
    let mut changes = vec![change(seen, &pointer("minReplicas"), &label("minReplicas"), min)];
    if let Some(max) = max {
        changes.push(change(seen, &pointer("maxReplicas"), &label("maxReplicas"), max));
    }
    patched(cluster, seen, changes, mark)
}

/// A patch that sets these values if nothing of the spec has changed since it was shown.
pub(super) fn patched(
    cluster: &Cluster,
    seen: &Seen,
    changes: Vec<Change>,
    mark: &str,
) -> Result<Step, Refusal> {
    let mut ops = vec![Op::test("/metadata/uid", seen.value["metadata"]["uid"].clone())];
    match seen.generation() {
        Some(generation) => ops.push(Op::test("/metadata/generation", generation)),
        None => ops.push(Op::test("/spec", seen.value["spec"].clone())),
    }
    let mut annotated = seen.value["metadata"]["annotations"].is_object();
    for change in changes.iter().filter(|change| change.before != change.after) {
        if change.pointer.starts_with("/metadata/annotations/") && !annotated {
            ops.push(Op::test("/metadata/annotations", Value::Null));
            ops.push(Op::add("/metadata/annotations", serde_json::json!({})));
            annotated = true;
        } else {
            ops.push(Op::test(&change.pointer, change.before.clone()));
        }
        ops.push(match &change.after {
            Value::Null => Op::Remove { path: change.pointer.clone() },
            after => Op::add(&change.pointer, after.clone()),
        });
    }
    if annotated {
        ops.push(Op::add(&patch::annotation_path(patch::ANNOTATION), mark));
    } else {
        ops.extend(patch::annotate(&seen.value, patch::ANNOTATION, mark));
    }
    let mut step = Step::on(cluster, seen, Write::Patch(ops))?;
    step.changes = changes;
    Ok(step)
}

fn change(seen: &Seen, pointer: &str, label: &str, after: u32) -> Change {
    let before = seen.value.pointer(pointer).cloned().unwrap_or(Value::Null);
    Change { pointer: pointer.to_owned(), label: label.into(), before, after: after.into() }
}

/// KServe labels what it makes with the component (`component: predictor`).
pub(super) fn component(seen: &Seen) -> &str {
    seen.text("/metadata/labels/component")
        .or_else(|| seen.text("/spec/template/metadata/labels/component"))
        .unwrap_or("predictor")
}

fn pod_labels(seen: &Seen) -> Labels {
    let template = match seen.place.object.kind {
        Kind::LeaderWorkerSet => &seen.value["spec"]["leaderWorkerTemplate"]["workerTemplate"],
        _ => &seen.value["spec"]["template"],
    };
    labels_at(&template["metadata"]["labels"])
}

pub(super) fn labels_at(labels: &Value) -> Labels {
    let pairs = labels.as_object().into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((Clean::new(key), Clean::new(value.as_str()?)))).collect()
}
