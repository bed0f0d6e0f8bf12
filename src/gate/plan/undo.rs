//! Undo: the values from before, as a new plan made of what is there now, through the whole gate again.
//!
//! Only values that are still as the operation left them are taken back; anything else is shown and refused.

use std::collections::BTreeMap;

use serde_json::Value;

use super::scale::patched;
use super::{Change, Cx, Expect, Note, Plan, Refusal, Step, Verb, Write, shown, traffic};
use crate::fleet::{ChangeId, Clean, ObjectId};
use crate::gate::confirm::{Reasons, Strength};
use crate::gate::{Intent, Operation, Place, Seen};
use crate::state::{Cluster, State};

/// What an operation made of one object.
struct Done<'a> {
    step: &'a Step,
    /// Values before the first step on it and after the last, by pointer.
    changes: BTreeMap<&'a str, (&'a Change, &'a Value)>,
}

/// The objects that an operation changed, as far as their clusters are there.
pub(super) fn places(undone: &ChangeId, state: &State, operations: &[Operation]) -> Vec<Place> {
    let Some(operation) = operations.iter().find(|it| it.id() == undone) else { return Vec::new() };
    let done = done(operation);
    let place = |done: &Done<'_>| {
        let cluster = done.step.cluster.find(state)?.id;
        Some(Place { cluster, object: done.step.object.clone() })
    };
    done.iter().filter_map(place).collect()
}

pub(super) fn plan(id: &ChangeId, intent: &Intent, undone: &ChangeId, cx: Cx<'_>) -> Result<Plan, Refusal> {
    let operation = cx.operations.iter().find(|it| it.id() == undone);
    let operation = operation.ok_or_else(|| Refusal::new(format!("there is no operation {undone}"), ""))?;
    if operation.is_open() && (operation.is_elsewhere || operation.is_moving()) {
        let words = "the operation is still on its way";
        return Err(Refusal::new(words, "stop it where it is driven, or wait until it has ended"));
    }
    if !operation.unknown().is_empty() {
        let words = "what the operation did is not known yet";
        return Err(Refusal::new(words, "wait until it has been read back"));
    }
    if operation.plan.verb == Verb::Restart {
        return Err(Refusal::new("a restart cannot be taken back", "the same template runs as before"));
    }
    let (mut steps, mut reasons) = (Vec::new(), Reasons::default());
    let mut away: Vec<(Clean, Refusal)> = Vec::new();
    // The last that was changed is taken back first.
    for done in done(operation).into_iter().rev() {
        let (cluster, seen) = match within_reach(&done, cx) {
            Ok(found) => found,
            Err(refusal) => {
                away.push((done.step.cluster.name.clone(), refusal));
                continue;
            }
        };
        let step = one((id, intent), steps.len(), (&done, cluster, seen), cx, &mut reasons)?;
        steps.extend(step.map(|step| Step {
            wait: if steps.is_empty() { crate::fleet::Age::default() } else { cx.policy.bake },
            ..step
        }));
    }
    if steps.is_empty() {
        let nothing = Refusal::new("nothing to take back: it is as it was before", "");
        return Err(away.into_iter().next().map_or(nothing, |(_, refusal)| refusal));
    }
    let mut notes = vec![Note::info(format!("takes back {undone}, as far as it is still as that left it"))];
    notes.extend(away.iter().map(|(name, why)| {
        Note::warning(format!("{name} keeps what it has: {}; take the rest back when it is there", why.words))
    }));
    let clusters = super::several(&steps, cx, &mut reasons);
    let name = super::common(steps.iter().map(|step| step.object.key.name.as_str()), "objects");
    let overrides: Vec<_> = intent.overrides.iter().copied().collect();
    Ok(Plan {
        id: id.clone(),
        verb: Verb::Undo,
        title: Clean::from(format!("undo {}: {}", undone, operation.plan.title)),
        made: cx.now.unix,
        way_back: super::way_back(&steps),
        confirm: reasons.confirm(&clusters, &name, "undo", &overrides),
        notes,
        steps,
        undoes: Some(undone.clone()),
        left_out: away.into_iter().map(|(name, _)| name).collect(),
        ramp: None,
        reason: intent.reason.clone(),
        overrides,
    })
}

fn done(operation: &Operation) -> Vec<Done<'_>> {
    let mut all: Vec<Done<'_>> = Vec::new();
    let applied = operation.plan.steps.iter().zip(&operation.steps).filter(|(_, it)| it.state.is_applied());
    for (step, _) in applied {
        let same =
            |done: &&mut Done<'_>| done.step.object == step.object && done.step.cluster == step.cluster;
        let changes = step.changes.iter();
        match all.iter_mut().find(same) {
            Some(done) => {
                for change in changes {
                    let entry = done.changes.entry(&change.pointer).or_insert((change, &change.after));
                    entry.1 = &change.after;
                }
            }
            None => all.push(Done {
                step,
                changes: changes.map(|change| (change.pointer.as_str(), (change, &change.after))).collect(),
            }),
        }
    }
    all
}

/// The cluster and the object as it is there now. One that is away keeps nobody from taking back what was done in others.
fn within_reach<'a>(done: &Done<'_>, cx: Cx<'a>) -> Result<(&'a Cluster, &'a Seen), Refusal> {
    let name = &done.step.cluster.name;
    let found = done.step.cluster.find(cx.state).ok_or_else(|| {
        Refusal::new(format!("{name} is not there, or is another cluster now"), "bring it back first")
    })?;
    let place = Place { cluster: found.id, object: done.step.object.clone() };
    if let Some((_, words)) = cx.sight.unread.iter().find(|(unread, _)| *unread == place) {
        return Err(Refusal::new(words.clone(), "try again when it is there"));
    }
    let cluster = cx.cluster(found.id)?;
    Ok((cluster, cx.seen(&place)?))
}

fn one(
    (id, intent): (&ChangeId, &Intent),
    number: usize,
    (done, cluster, seen): (&Done<'_>, &Cluster, &Seen),
    cx: Cx<'_>,
    reasons: &mut Reasons,
) -> Result<Option<Step>, Refusal> {
    let name = &done.step.cluster.name;
    if seen.uid().as_ref() != Some(&done.step.uid) {
        let words = format!("{} in {name} was deleted and made anew since", done.step.object);
        return Err(Refusal::new(words, "there is nothing of ours to take back").conflict());
    }
    let changes = reversed(done, seen)?;
    if changes.iter().all(|change| change.before == change.after) {
        return Ok(None);
    }
    if seen.place.object.kind.is_route() {
        traffic::judge_undo(cx, intent, cluster, (seen, &changes))?;
    }
    cx.weigh_production(cluster, seen, reasons);
    let mark = format!("{id}-{}", number + 1);
    step(cluster, seen, changes, (&done.step.write, &mark), reasons).map(Some)
}

/// The values from before, where those that the operation left still stand.
fn reversed(done: &Done<'_>, seen: &Seen) -> Result<Vec<Change>, Refusal> {
    let mut changes = Vec::new();
    for (pointer, (change, after)) in &done.changes {
        let now = seen.value.pointer(pointer).unwrap_or(&Value::Null);
        if *now != change.before && now != *after {
            let name = &done.step.cluster.name;
            let (now, after, before) = (shown(now), shown(after), shown(&change.before));
            let words = format!("{} in {name} was changed since: it is {now}, not {after}", change.label);
            let hint = format!("it was {before} before; set it by hand if that is still right");
            return Err(Refusal::new(words, hint).conflict());
        }
        changes.push(Change {
            pointer: (*pointer).to_owned(),
            label: change.label.clone(),
            before: now.clone(),
            after: change.before.clone(),
        });
    }
    Ok(changes)
}

fn step(
    cluster: &Cluster,
    seen: &Seen,
    changes: Vec<Change>,
    how: (&Write, &str),
    reasons: &mut Reasons,
) -> Result<Step, Refusal> {
    let (write, mark) = how;
    match write {
        Write::Patch(_) => patched(cluster, seen, changes, mark),
        Write::Scale { .. } => {
            let replicas = changes
                .iter()
                .find(|it| it.before != it.after)
                .and_then(|change| change.after.as_u64())
                .and_then(|it| u32::try_from(it).ok());
            let replicas = replicas.ok_or_else(|| {
                Refusal::new(
                    format!("how many {} had before is not known", seen.place.object),
                    "scale it by hand",
                )
            })?;
            if replicas == 0 {
                reasons.add(Strength::Full, "to zero");
            }
            let mut step = Step::on(cluster, seen, Write::Scale { replicas })?;
            step.changes = changes;
            step.expect = Expect::Rollout { workload: workload(seen) };
            Ok(step)
        }
    }
}

fn workload(seen: &Seen) -> ObjectId {
    seen.place.object.clone()
}
