//! Restart, as `kubectl rollout restart` does it: a time in the pod template, which makes a new rollout.

use serde_json::Value;

use super::scale::patched;
use super::{Change, Cx, Expect, Note, Plan, Refusal, Verb};
use crate::fleet::{ChangeId, Kind};
use crate::gate::confirm::Reasons;
use crate::gate::patch::{annotation_path, escape};
use crate::gate::{Intent, Place, Seen};

/// kubectl `pkg/polymorphichelpers/objectrestarter.go`.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

pub(super) fn plan(id: &ChangeId, intent: &Intent, places: &[Place], cx: Cx<'_>) -> Result<Plan, Refusal> {
    if places.is_empty() {
        return Err(Refusal::new("nothing is marked", "put the cursor on a workload, or mark some"));
    }
    let (mut steps, mut reasons) = (Vec::new(), Reasons::default());
    for place in places {
        let cluster = cx.cluster(place.cluster)?;
        let seen = cx.seen(place)?;
        if let Some((kind, name)) = seen.controller() {
            let words = format!("{} is made by the {kind} {name}", place.object);
            return Err(Refusal::new(words, "restart that instead"));
        }
        cx.weigh_production(cluster, seen, &mut reasons);
        let mark = format!("{id}-{}", steps.len() + 1);
        let mut step = patched(cluster, seen, changes(seen, cx)?, &mark)?;
        step.expect = Expect::Rollout { workload: place.object.clone() };
        if !steps.is_empty() {
            step.wait = cx.policy.bake;
        }
        steps.push(step);
    }
    let clusters = super::several(&steps, cx, &mut reasons);
    let name = super::common(places.iter().map(|place| place.object.key.name.as_str()), "workloads");
    let title = match places {
        [only] => format!("restart {}", only.object.key),
        _ => format!("restart {} workloads", places.len()),
    };
    Ok(Plan {
        id: id.clone(),
        verb: Verb::Restart,
        title: title.into(),
        made: cx.now.unix,
        way_back: "none: pods that were replaced do not come back; the same template runs as before".into(),
        confirm: reasons.confirm(&clusters, &name, "restart", &[]),
        steps,
        notes: vec![Note::info("pods are replaced as the strategy of the rollout says")],
        undoes: None,
        left_out: Vec::new(),
        ramp: None,
        reason: intent.reason.clone(),
        overrides: Vec::new(),
    })
}

fn changes(seen: &Seen, cx: Cx<'_>) -> Result<Vec<Change>, Refusal> {
    let now = Value::String(cx.now.unix.rfc3339());
    let change = |pointer: String, label: &str, before: Value, after: Value| Change {
        pointer,
        label: label.into(),
        before,
        after,
    };
    if seen.value["spec"]["paused"] == true {
        let words = format!("{} is paused", seen.place.object);
        return Err(Refusal::new(words, "resume its rollout first"));
    }
    match seen.place.object.kind {
        // argo-rollouts `spec.restartAt`: pods are restarted once that time has come.
        Kind::Rollout => {
            let before = seen.value.pointer("/spec/restartAt").cloned().unwrap_or(Value::Null);
            Ok(vec![change("/spec/restartAt".into(), "spec.restartAt", before, now)])
        }
        Kind::Deployment | Kind::StatefulSet => {
            let annotations = &seen.value["spec"]["template"]["metadata"]["annotations"];
            let pointer = format!("/spec/template{}", annotation_path(RESTARTED_AT));
            let label = format!("spec.template annotation {RESTARTED_AT}");
            if annotations.is_object() {
                let before = annotations.get(RESTARTED_AT).cloned().unwrap_or(Value::Null);
                return Ok(vec![change(pointer, &label, before, now)]);
            }
            let whole = serde_json::json!({ RESTARTED_AT: now });
            debug_assert!(!escape(RESTARTED_AT).contains('/'));
            let pointer = "/spec/template/metadata/annotations".to_owned();
            Ok(vec![change(pointer, &label, Value::Null, whole)])
        }
        kind => Err(Refusal::new(
            format!("a {kind} cannot be restarted"),
            "delete its pods, or change its template",
        )),
    }
}
