//! Traffic: new weights for one rule of a route, in every cluster that holds it, at once or in steps.
//!
//! Weights work where traffic originates, so one shift is one edit in each source cluster (istio/istio#17418). Only weights
//! are written, each with a test of the whole rule as it was shown, so that retries, timeouts and matches survive.

pub mod ease;
mod judge;
mod source;

use serde_json::{Value, json};

pub use judge::{fallen, shortage, trouble_since};

use super::{Change, Cx, Note, Plan, Refusal, Step, Verb};
use crate::fleet::route;
use crate::fleet::{Age, ChangeId, Clean, Kind};
use crate::gate::confirm::{Reasons, Strength};
use crate::gate::intent::Weights;
use crate::gate::{Intent, Override, Seen};
use crate::state::Cluster;
use judge::Shift;
use source::{Source, counted};

pub(super) fn plan(id: &ChangeId, intent: &Intent, wish: &Weights, cx: Cx<'_>) -> Result<Plan, Refusal> {
    if wish.clusters.is_empty() {
        return Err(Refusal::new("no cluster was named", "a route is changed where traffic originates"));
    }
    // Of Istio and Gateway API the reader of routes says so, and knows where a single destination may have 0.
    if wish.route.kind == Kind::DnsEndpoint && wish.to.iter().all(|weight| *weight == 0) {
        return Err(Refusal::new("all weights would be zero", "traffic must go somewhere"));
    }
    let mut notes = Vec::new();
    let mut reasons = Reasons::default();
    let mut sources = Vec::new();
    for cluster in &wish.clusters {
        sources.push(Source::read(*cluster, wish, cx)?);
    }
    for left_out in wish.left_out.iter().filter_map(|id| cx.state.cluster(*id)) {
        notes.push(Note::warning(left_as_it_is(left_out)));
    }
    alike(&sources, &mut notes)?;
    for source in &sources {
        source.judge(intent, wish, cx, (&mut notes, &mut reasons))?;
    }
    let largest = sources.iter().map(|source| source.largest_move(wish)).fold(0.0, f64::max);
    if largest > f64::from(cx.policy.largest_step) {
        reasons.add(Strength::Full, format!("{largest:.0}% of the traffic moves"));
    }
    let stages = stages(intent, wish, &sources, cx)?;
    let steps = steps(id, &sources, &stages, wish, cx)?;
    if steps.is_empty() {
        return Err(Refusal::already("nothing to change: the weights are so already"));
    }
    let clusters = super::several(&steps, cx, &mut reasons);
    let key = &wish.route.key;
    let number = wish.to.iter().map(ToString::to_string).collect::<Vec<_>>().join("/");
    let overrides: Vec<_> = intent.overrides.iter().copied().collect();
    let way_back = way_back(&sources, wish.ramp.is_some());
    Ok(Plan {
        id: id.clone(),
        verb: Verb::Traffic,
        title: Clean::from(format!("shift traffic of {key} to {number}")),
        made: cx.now.unix,
        way_back,
        confirm: reasons.confirm(&clusters, &key.name, &number, &overrides),
        steps,
        notes,
        undoes: None,
        left_out: Vec::new(),
        ramp: wish.ramp,
        reason: intent.reason.clone(),
        overrides,
    })
}

/// Of a cluster that holds the route too and is not written.
pub fn left_as_it_is(cluster: &Cluster) -> Clean {
    format!("{} holds it too and is not heard or not shown: it keeps its weights", cluster.spec.name).into()
}

/// Whether going back to the weights from before would lose requests.
pub(super) fn judge_undo(
    cx: Cx<'_>,
    intent: &Intent,
    cluster: &Cluster,
    (seen, changes): (&Seen, &[Change]),
) -> Result<Vec<Note>, Refusal> {
    let mut back = (*seen.value).clone();
    for change in changes.iter().filter(|change| change.before != change.after) {
        set(&mut back, &change.pointer, &change.after);
    }
    let object = &seen.place.object;
    let read = |value: &Value| {
        let told = |words| Refusal::new(format!("{object} is not understood: {words}"), "set it by hand");
        route::read(object.kind, value).map_err(told)
    };
    let (now, back) = (read(&seen.value)?, read(&back)?);
    let mut notes = Vec::new();
    for (number, (rule, back)) in now.rules.iter().zip(&back.rules).enumerate() {
        let (from, to) = (counted(rule), counted(back));
        if from == to || from.len() != to.len() {
            continue;
        }
        let shift = Shift { cluster, route: object, rule: number, read: rule, from: &from, to: &to };
        notes.extend(shift.judge(intent, cx.state)?);
    }
    Ok(notes)
}

/// The same destinations everywhere, in the same order; weights that differ are told.
fn alike(sources: &[Source<'_>], notes: &mut Vec<Note>) -> Result<(), Refusal> {
    let Some((first, others)) = sources.split_first() else { return Ok(()) };
    let names = |source: &Source<'_>| {
        source.rule.destinations().iter().map(route::Destination::name).collect::<Vec<_>>()
    };
    for other in others {
        let (one, two) = (&first.cluster.spec.name, &other.cluster.spec.name);
        if names(first) != names(other) {
            let words = format!("the rule has other destinations in {two} than in {one}");
            return Err(Refusal::new(words, "change them one cluster at a time"));
        }
        if first.now != other.now {
            let joined = |source: &Source<'_>| ease::joined(&source.now);
            let words = format!("drift: {one} has {}, {two} has {}", joined(first), joined(other));
            notes.push(Note::warning(words));
        }
        if first.rule.print != other.rule.print {
            notes.push(Note::warning(format!(
                "drift: the rule differs between {one} and {two} in more than weights"
            )));
        }
    }
    Ok(())
}

/// The weights after each stage, for each source.
fn stages(
    intent: &Intent,
    wish: &Weights,
    sources: &[Source<'_>],
    cx: Cx<'_>,
) -> Result<Vec<Vec<Vec<u32>>>, Refusal> {
    let policy = cx.policy;
    let free = intent.overrides(Override::StepSize);
    let largest = sources.iter().map(|source| source.largest_move(wish)).fold(0.0, f64::max);
    let Some(ramp) = wish.ramp else {
        if !free && largest > f64::from(policy.largest_step) + 0.5 {
            let words = format!(
                "{largest:.1}% of the traffic would move in one step of at most {}%",
                policy.largest_step
            );
            let hint = format!("ramp it: at most {}% every {}", policy.largest_step, policy.step_every);
            return Err(Refusal::new(words, hint).unless(Override::StepSize));
        }
        return Ok(vec![sources.iter().map(|_| wish.to.clone()).collect()]);
    };
    if ramp.by == 0 || !free && ramp.by > policy.largest_step {
        let words = format!("steps of {}% are not between 1% and {}%", ramp.by, policy.largest_step);
        return Err(
            Refusal::new(words, "`largest_step` stands in the configuration").unless(Override::StepSize)
        );
    }
    if ramp.every < policy.step_every {
        let words = format!("{} between two steps is less than {}", ramp.every, policy.step_every);
        return Err(Refusal::new(words, "`step_every` stands in the configuration"));
    }
    let count = (largest / f64::from(ramp.by)).ceil().max(1.0) as u32;
    // Whole numbers can make a step a little larger than its part: then there are more of them.
    let fits = |count: &u32| {
        let each: Vec<_> = sources.iter().map(|source| ease::stages(&source.now, &wish.to, *count)).collect();
        let largest = sources.iter().zip(&each).map(|(source, all)| ease::largest_stage(&source.now, all));
        (largest.fold(0.0, f64::max) <= f64::from(ramp.by) + 0.5).then_some(each)
    };
    let each = (count..=count * 2 + 2).find_map(|count| fits(&count)).ok_or_else(|| {
        let words = format!("weights of this size cannot move in steps of {}%", ramp.by);
        Refusal::new(words, "give larger numbers in the same proportions")
    })?;
    let count = each.first().map_or(0, Vec::len);
    if count > 1 && sources.iter().any(Source::lacks_a_weight) {
        return Err(Refusal::new(
            "a record has no weight yet, which cannot be written step by step",
            "give every record a weight first, then ramp",
        ));
    }
    Ok((0..count).map(|stage| each.iter().map(|all| all[stage].clone()).collect()).collect())
}

fn steps(
    id: &ChangeId,
    sources: &[Source<'_>],
    stages: &[Vec<Vec<u32>>],
    wish: &Weights,
    cx: Cx<'_>,
) -> Result<Vec<Step>, Refusal> {
    let mut steps: Vec<Step> = Vec::new();
    let mut objects: Vec<(Value, Option<usize>)> =
        sources.iter().map(|source| ((*source.seen.value).clone(), None)).collect();
    for (stage, weights) in stages.iter().enumerate() {
        let mut between =
            if stage == 0 { Age::default() } else { wish.ramp.map_or(cx.policy.bake, |it| it.every) };
        for ((source, to), (object, last)) in sources.iter().zip(weights).zip(&mut objects) {
            let mark = format!("{id}-{}", steps.len() + 1);
            let mut step = source.step(object, to, *last, &mark)?;
            if step.changes.iter().all(|it| it.before == it.after) {
                continue;
            }
            for change in step.changes.iter().filter(|it| it.before != it.after) {
                set(object, &change.pointer, &change.after);
            }
            step.needs = source.shift(wish).needs();
            step.wait = between;
            between = cx.policy.bake;
            *last = Some(steps.len());
            steps.push(step);
        }
    }
    if let Some(first) = steps.first_mut() {
        first.wait = Age::default();
    }
    Ok(steps)
}

/// Puts a value where a patch would.
pub(super) fn set(object: &mut Value, pointer: &str, value: &Value) {
    let op = json!([{"op": "add", "path": pointer, "value": value}]);
    if let Ok(patch) = serde_json::from_value::<json_patch::Patch>(op) {
        // A pointer that leads nowhere is refused by the server's dry run, with its own words.
        let _ = json_patch::patch(object, &patch);
    }
}

fn way_back(sources: &[Source<'_>], is_ramp: bool) -> Clean {
    let each: Vec<_> =
        sources.iter().map(|it| format!("{} in {}", ease::joined(&it.now), it.cluster.spec.name)).collect();
    let stop = if is_ramp {
        "; the ramp stops and goes back there by itself when a destination loses its readiness or its events warn"
    } else {
        ""
    };
    Clean::from(format!("{}, as a new plan{stop}", each.join(", ")))
}
