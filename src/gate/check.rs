//! A second look at a finished plan, by rules of its own: it knows nothing of how plans are made.
//!
//! Whatever the planner believed, a plan that breaks one of these is not shown to anybody.

use std::collections::BTreeMap;

use serde_json::Value;

use super::patch::{ANNOTATION, Op, annotation_path};
use super::plan::{Plan, Step, Verb, Write};
use super::{Override, Policy, Strength};
use crate::fleet::Kind;

/// The first rule that is broken, in words.
pub fn check(plan: &Plan, policy: &Policy) -> Result<(), String> {
    if plan.steps.is_empty() {
        return Err("it has no steps".into());
    }
    for (number, step) in plan.steps.iter().enumerate() {
        identified(step).map_err(|words| format!("step {}: {words}", number + 1))?;
        writes_what_it_says(step).map_err(|words| format!("step {}: {words}", number + 1))?;
        follows_its_own(plan, number).map_err(|words| format!("step {}: {words}", number + 1))?;
    }
    never_dark(plan)?;
    moves_slowly(plan, policy)?;
    is_asked_strongly(plan)
}

/// It names one object, by uid, as of one version.
fn identified(step: &Step) -> Result<(), String> {
    if step.uid.is_empty() || step.resource_version.is_empty() || step.cluster.name.is_empty() {
        return Err("cluster, uid or version is missing".into());
    }
    let Write::Patch(ops) = &step.write else { return Ok(()) };
    let tests = |path: &str| ops.iter().any(|op| matches!(op, Op::Test { path: own, .. } if own == path));
    if !ops.iter().any(
        |op| matches!(op, Op::Test { path, value } if path == "/metadata/uid" && *value == step.uid.as_str()),
    ) {
        return Err("the patch does not test the uid".into());
    }
    if step.follows.is_none()
        && !tests("/metadata/generation")
        && !tests("/metadata/resourceVersion")
        && !tests("/spec")
    {
        return Err("the patch tests no version".into());
    }
    Ok(())
}

/// Its text is its effect: what is written is what is shown, and nothing beside.
fn writes_what_it_says(step: &Step) -> Result<(), String> {
    if step.changes.iter().all(|change| change.before == change.after) {
        return Err("it changes nothing".into());
    }
    let shown: BTreeMap<&str, &Value> =
        step.changes.iter().map(|change| (change.pointer.as_str(), &change.after)).collect();
    match &step.write {
        Write::Scale { replicas } => {
            let said = shown.get("/spec/replicas").and_then(|value| value.as_u64());
            (shown.len() == 1 && said == Some(u64::from(*replicas)))
                .then_some(())
                .ok_or_else(|| "the number is not the one that is shown".into())
        }
        Write::Patch(ops) => {
            let own = annotation_path(ANNOTATION);
            for op in ops.iter().filter(|op| !op.is_test()) {
                let is_mark =
                    op.path() == own || op.path() == "/metadata/annotations" && adds_only_the_mark(op);
                let says = match op {
                    Op::Add { path, value } => shown.get(path.as_str()) == Some(&value),
                    Op::Remove { path } => shown.get(path.as_str()) == Some(&&Value::Null),
                    Op::Test { .. } => true,
                };
                if !is_mark && !says {
                    return Err(format!("it writes {} without showing it", op.path()));
                }
            }
            let written = |pointer: &str| ops.iter().any(|op| !op.is_test() && op.path() == pointer);
            let silent = step.changes.iter().filter(|it| it.before != it.after);
            match silent.into_iter().find(|change| !written(&change.pointer)) {
                Some(change) => Err(format!("it shows {} without writing it", change.label)),
                None => Ok(()),
            }
        }
    }
}

fn adds_only_the_mark(op: &Op) -> bool {
    let Op::Add { value: Value::Object(map), .. } = op else { return false };
    map.keys().all(|key| key == ANNOTATION)
}

/// Two steps on one object: the later builds on the earlier.
fn follows_its_own(plan: &Plan, number: usize) -> Result<(), String> {
    let step = &plan.steps[number];
    let same = |other: &&Step| other.object == step.object && other.cluster == step.cluster;
    let before = plan.steps[..number].iter().rposition(|other| same(&other));
    if before == step.follows { Ok(()) } else { Err("it does not build on the step before it".into()) }
}

/// The weights that a step leaves: by the list of destinations that they stand in.
fn weights(step: &Step) -> BTreeMap<String, Vec<(u64, u64)>> {
    let mut lists: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    for change in &step.changes {
        let omitted = u64::from(matches!(step.object.kind, Kind::HttpRoute | Kind::GrpcRoute));
        let number = |value: &Value| {
            if value.is_null() {
                return omitted;
            }
            // Where a DNS name had no weight yet, a property or a list of one is added.
            let value = value.get(0).unwrap_or(value);
            let value = value.get("value").unwrap_or(value);
            value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok())).unwrap_or(0)
        };
        let parts: Vec<&str> = change.pointer.split('/').collect();
        // /spec/http/2/route/0/weight → /spec/http/2/route; DNS endpoints of one rule stand in one list too.
        let list = parts.iter().take(parts.len().saturating_sub(2)).copied().collect::<Vec<_>>().join("/");
        let list = if change.pointer.contains("/providerSpecific") { "/spec/endpoints".into() } else { list };
        lists.entry(list).or_default().push((number(&change.before), number(&change.after)));
    }
    lists
}

/// Traffic always goes somewhere. Steps of traffic show every weight of the rule, changed or not.
fn never_dark(plan: &Plan) -> Result<(), String> {
    if !plan.steps.iter().any(is_traffic) {
        return Ok(());
    }
    for step in plan.steps.iter().filter(|step| is_traffic(step)) {
        for list in weights(step).values() {
            if list.iter().all(|(_, after)| *after == 0) {
                return Err("all weights would be zero".into());
            }
        }
    }
    Ok(())
}

fn is_traffic(step: &Step) -> bool {
    step.changes
        .iter()
        .any(|change| change.pointer.ends_with("/weight") || change.pointer.contains("/providerSpecific"))
}

/// No more at once than the policy allows, and not sooner.
fn moves_slowly(plan: &Plan, policy: &Policy) -> Result<(), String> {
    // The way back to what was before may be as quick as it must.
    let free = plan.undoes.is_some() || plan.overrides.contains(&Override::StepSize);
    for step in plan.steps.iter().filter(|step| is_traffic(step)) {
        for list in weights(step).values() {
            if !free && largest_move(list) > f64::from(policy.largest_step) + 0.5 {
                return Err(format!(
                    "{:.1}% move in one step of at most {}",
                    largest_move(list),
                    policy.largest_step
                ));
            }
        }
    }
    for (number, step) in plan.steps.iter().enumerate() {
        let between = step
            .follows
            .map_or(0, |before| plan.steps[before + 1..=number].iter().map(|step| step.wait.0).sum());
        if step.follows.is_some() && between < policy.step_every.0 {
            return Err("steps on one object follow too quickly".into());
        }
    }
    Ok(())
}

/// The largest change of a share, in percent.
fn largest_move(list: &[(u64, u64)]) -> f64 {
    let sum = |of: fn(&(u64, u64)) -> u64| list.iter().map(of).fold(0u128, |all, it| all + u128::from(it));
    let (before, after) = (sum(|it| it.0), sum(|it| it.1));
    let share = |part: u64, of: u128| if of == 0 { 0.0 } else { part as f64 * 100.0 / of as f64 };
    list.iter().map(|(old, new)| (share(*new, after) - share(*old, before)).abs()).fold(0.0, f64::max)
}

/// What is dangerous is not confirmed by a key.
fn is_asked_strongly(plan: &Plan) -> Result<(), String> {
    let confirm = &plan.confirm;
    if confirm.strength > Strength::Key && confirm.phrase.is_empty() {
        return Err("there is nothing to type".into());
    }
    if plan.clusters().len() > 1 && confirm.strength < Strength::Name {
        return Err("several clusters are confirmed by a key".into());
    }
    if confirm.is_production && confirm.strength < Strength::Name {
        return Err("production is confirmed by a key".into());
    }
    let to_zero =
        plan.verb == Verb::Scale && plan.steps.iter().any(|step| step.write == Write::Scale { replicas: 0 });
    if to_zero && confirm.strength < Strength::Full {
        return Err("going to zero is not confirmed in full".into());
    }
    if !plan.overrides.is_empty() && confirm.strength < Strength::Full {
        return Err("a rule is set aside without words".into());
    }
    Ok(())
}
