//! The check that looks at finished plans by rules of its own: plans that break one of them are built by hand here, since
//! the planner makes none.

use serde_json::json;
use skydeck::fleet::Age;
use skydeck::gate::check::check;
use skydeck::gate::intent::Ramp;
use skydeck::gate::patch::Op;
use skydeck::gate::plan::Write;
use skydeck::gate::{Amount, Plan, Strength};

use super::bench::policy;
use super::routes::{both, with_ready};

fn ramp() -> Plan {
    let mut bench = with_ready(3, 3);
    both(&mut bench, &[40, 60], Some(Ramp { by: 10, every: Age(60) })).unwrap()
}

fn ops(plan: &mut Plan) -> &mut Vec<Op> {
    match &mut plan.steps[0].write {
        Write::Patch(ops) => ops,
        Write::Scale { .. } => panic!("a patch"),
    }
}

/// What the check says of a plan that was good and is spoiled.
fn of(plan: Plan, spoil: impl FnOnce(&mut Plan)) -> String {
    let mut plan = plan;
    check(&plan, &policy()).unwrap();
    spoil(&mut plan);
    check(&plan, &policy()).unwrap_err()
}

fn ramp_with(spoil: impl FnOnce(&mut Plan)) -> String {
    of(ramp(), spoil)
}

#[test]
fn what_is_not_safe_is_never_shown() {
    assert_eq!(ramp_with(|it| it.steps.clear()), "it has no steps");
    assert_eq!(ramp_with(|it| it.steps[0].uid = "".into()), "step 1: cluster, uid or version is missing");
    assert_eq!(
        ramp_with(|it| ops(it).retain(|op| op.path() != "/metadata/uid")),
        "step 1: the patch does not test the uid"
    );
    assert_eq!(
        ramp_with(|it| ops(it).retain(|op| op.path() != "/metadata/generation")),
        "step 1: the patch tests no version"
    );
    assert_eq!(
        ramp_with(|it| ops(it).push(Op::add("/spec/hosts", json!(["evil"])))),
        "step 1: it writes /spec/hosts without showing it"
    );
    assert_eq!(
        ramp_with(|it| ops(it).retain(|op| op.is_test() || !op.path().ends_with("route/0/weight"))),
        "step 1: it shows http[1].route[0].weight without writing it"
    );
    assert_eq!(ramp_with(|it| it.steps[2].follows = None), "step 3: the patch tests no version");
    assert_eq!(
        ramp_with(|it| it.steps[2].follows = Some(1)),
        "step 3: it does not build on the step before it"
    );
    assert_eq!(ramp_with(|it| it.steps[2].wait = Age(5)), "steps on one object follow too quickly");
    assert_eq!(
        ramp_with(|it| it.confirm.strength = Strength::Key),
        "several clusters are confirmed by a key"
    );
    assert_eq!(ramp_with(|it| it.confirm.phrase = "".into()), "there is nothing to type");
}

#[test]
fn weights_that_are_all_zero_or_move_too_far_are_never_shown() {
    let set = |to: [u32; 2]| {
        move |plan: &mut Plan| {
            for (at, to) in to.into_iter().enumerate() {
                let pointer = plan.steps[0].changes[at].pointer.clone();
                plan.steps[0].changes[at].after = to.into();
                ops(plan).retain(|op| op.is_test() || op.path() != pointer);
                ops(plan).push(Op::add(&pointer, json!(to)));
            }
        }
    };
    assert_eq!(ramp_with(set([0, 0])), "all weights would be zero");
    assert_eq!(ramp_with(set([10, 90])), "50.0% move in one step of at most 25");
}

#[test]
fn going_to_zero_is_never_a_key() {
    let mut bench = super::bench::Bench::new(
        policy(),
        &[
            ("aws-east", "v1.33.5", vec![crate::world::deployment("ml/web", 4, 4, "1.0", 0)]),
            ("gcp-central", "v1.34.1", vec![crate::world::deployment("ml/web", 4, 4, "1.0", 0)]),
        ],
    );
    let plan = bench.plan(&bench.scale(&[("aws-east", "ml/web", Amount::Replicas(0))]));
    let plan = plan.unwrap();
    assert_eq!(
        of(plan.clone(), |it| it.confirm.strength = Strength::Key),
        "going to zero is not confirmed in full"
    );
    assert_eq!(
        of(plan, |it| it.steps[0].write = Write::Scale { replicas: 1 }),
        "step 1: the number is not the one that is shown"
    );
}
