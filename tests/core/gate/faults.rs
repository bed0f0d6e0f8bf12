//! What servers, disks and other people do to an operation, and what it then says.

use serde_json::json;
use skydeck::fleet::{Age, Kind};
use skydeck::gate::machine::Event;
use skydeck::gate::operation::{Outcome, Phase, Why};
use skydeck::gate::{Amount, Intent, Policy, StepState, Wish};

use super::bench::{Bench, Fate, actor, policy};
use crate::world::deployment;

fn two() -> Bench {
    let of = || vec![deployment("ml/web", 4, 4, "1.0", 0)];
    Bench::new(
        Policy { bake: Age(5), ..policy() },
        &[("aws-east", "v1.33.5", of()), ("gcp-central", "v1.34.1", of())],
    )
}

fn one() -> Bench {
    Bench::new(policy(), &[("aws-east", "v1.33.5", vec![deployment("ml/web", 4, 4, "1.0", 0)])])
}

fn both(bench: &Bench) -> Intent {
    bench
        .scale(&[("aws-east", "ml/web", Amount::Replicas(6)), ("gcp-central", "ml/web", Amount::Replicas(6))])
}

#[test]
fn one_step_is_one_request_and_is_done_only_when_it_was_read_again() {
    let mut bench = one();
    let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
    let id = bench.confirmed(&intent);
    bench.run(&id, 60).unwrap();
    assert_eq!(bench.outcome(&id), Outcome::Done);
    assert_eq!(bench.sent.len(), 1);
    assert_eq!(bench.sent[0].0, format!("{id}-1"));
}

#[test]
fn between_two_clusters_it_waits() {
    let mut bench = two();
    let intent = both(&bench);
    let id = bench.confirmed(&intent);
    bench.drive().unwrap();
    for _ in 0..4 {
        bench.second();
        bench.drive().unwrap();
    }
    assert_eq!(bench.sent.len(), 1, "the second cluster bakes");
    bench.run(&id, 60).unwrap();
    assert_eq!((bench.sent.len(), bench.outcome(&id)), (2, Outcome::Done));
}

#[test]
fn a_lost_answer_is_unknown_until_it_is_read_back() {
    for applied in [true, false] {
        let mut bench = one();
        bench.fates.push_back(Fate::Lost { applied });
        let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
        let id = bench.confirmed(&intent);
        bench.drive().unwrap();
        assert_eq!(bench.operation(&id).steps[0].state, StepState::Unknown);
        assert_eq!(bench.operation(&id).words(), "UNKNOWN, reading back");
        let begun = bench.world.state.now;
        bench.run(&id, 200).unwrap();
        assert_eq!(bench.sent.len(), 1, "never sent again");
        if applied {
            assert_eq!(bench.outcome(&id), Outcome::Done);
        } else {
            assert_eq!(bench.outcome(&id), Outcome::Failed);
            let waited = bench.world.state.now.since(begun.mono);
            assert!(waited >= bench.desk.policy.settle, "not landed is only said after {waited}");
        }
    }
}

#[test]
fn an_object_that_somebody_else_changed_settles_a_lost_answer_at_once() {
    let mut bench = one();
    bench.fates.push_back(Fate::Lost { applied: false });
    let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
    let id = bench.confirmed(&intent);
    bench.drive().unwrap();
    let place = bench.place("aws-east", Kind::Deployment, "ml/web");
    bench.edit(&place, "/spec/replicas", json!(9));
    bench.run(&id, 10).unwrap();
    assert_eq!(bench.outcome(&id), Outcome::Failed);
    assert_eq!(bench.operation(&id).steps[0].words, "somebody else changed it, and that holds");
}

#[test]
fn it_stops_at_the_first_failure_and_offers_what_there_is_to_do() {
    let mut bench = two();
    bench.fates.extend([Fate::Applied, Fate::Refused { conflict: true, may_pass: false }]);
    let intent = both(&bench);
    let id = bench.confirmed(&intent);
    bench.run(&id, 60).unwrap();
    assert_eq!(bench.operation(&id).phase, Phase::Paused(Why::StepFailed(1)));
    assert_eq!(bench.operation(&id).words(), "PARTIAL 1/2");
    // Leave and record.
    bench.on(&id, Event::Leave);
    bench.drive().unwrap();
    assert_eq!(bench.outcome(&id), Outcome::Partial);
    assert_eq!(Outcome::Partial.exit_code(), 5);
}

#[test]
fn what_was_refused_for_the_moment_is_tried_again_when_somebody_says_so() {
    let mut bench = two();
    bench.fates.extend([Fate::Applied, Fate::Refused { conflict: false, may_pass: true }]);
    let intent = both(&bench);
    let id = bench.confirmed(&intent);
    bench.run(&id, 60).unwrap();
    bench.on(&id, Event::Continue { actor: actor() });
    bench.run(&id, 60).unwrap();
    assert_eq!(bench.outcome(&id), Outcome::Done);
    let marks: Vec<_> = bench.sent.iter().map(|it| it.0.clone()).collect();
    assert_eq!(
        marks,
        [format!("{id}-1"), format!("{id}-2"), format!("{id}-2.2")],
        "another sending, another mark"
    );
}

#[test]
fn the_done_ones_can_be_taken_back() {
    let mut bench = two();
    bench.fates.extend([Fate::Applied, Fate::Refused { conflict: true, may_pass: false }]);
    let intent = both(&bench);
    let id = bench.confirmed(&intent);
    bench.run(&id, 60).unwrap();
    let undo = bench.confirmed(&Intent::new(Wish::Undo(id.clone())));
    bench.run(&undo, 60).unwrap();
    assert_eq!(bench.outcome(&undo), Outcome::Done);
    bench.second();
    bench.drive().unwrap();
    assert_eq!(bench.outcome(&id), Outcome::Returned);
    let place = bench.place("aws-east", Kind::Deployment, "ml/web");
    assert_eq!(bench.object(&place)["spec"]["replicas"], 4);
}

#[test]
fn undo_shows_what_changed_since_instead_of_overwriting_it() {
    let mut bench = one();
    let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
    let id = bench.confirmed(&intent);
    bench.run(&id, 60).unwrap();
    let place = bench.place("aws-east", Kind::Deployment, "ml/web");
    bench.edit(&place, "/spec/replicas", json!(8));
    let refusal = bench.plan(&Intent::new(Wish::Undo(id))).unwrap_err();
    assert!(refusal.is_conflict);
    assert_eq!(refusal.words, "spec.replicas in aws-east was changed since: it is 8, not 6");
}

#[test]
fn a_number_that_something_else_moves_is_drift_and_never_done() {
    let mut bench = one();
    bench.slow = true;
    let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
    let id = bench.confirmed(&intent);
    bench.run(&id, 5).unwrap();
    assert_eq!(bench.operation(&id).steps[0].state, StepState::Confirmed);
    assert_eq!(bench.operation(&id).steps[0].words, "4/6 ready");
    let place = bench.place("aws-east", Kind::Deployment, "ml/web");
    bench.edit(&place, "/spec/replicas", json!(3));
    bench.run(&id, 60).unwrap();
    assert_eq!(bench.outcome(&id), Outcome::Drifted);
    assert_eq!(bench.operation(&id).steps[0].words, "something else set spec.replicas to 3");
}

#[test]
fn a_rollout_that_does_not_arrive_is_not_done() {
    let mut bench = one();
    bench.slow = true;
    let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
    let id = bench.confirmed(&intent);
    bench.run(&id, bench.desk.policy.rollout_deadline.0 + 20).unwrap();
    assert_eq!(bench.outcome(&id), Outcome::Drifted);
    assert!(bench.operation(&id).steps[0].words.starts_with("not ready after 10m: 4/6 ready"));
}

#[test]
fn a_full_disk_sends_nothing() {
    // Not even the beginning can be written down.
    let mut bench = one();
    let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
    bench.room = 0;
    let id = bench.confirmed(&intent);
    bench.run(&id, 30).unwrap();
    assert!(bench.sent.is_empty());
    assert_eq!(bench.outcome(&id), Outcome::Failed);
    // The beginning can, the step cannot.
    let mut bench = one();
    bench.room = 1;
    let id = bench.confirmed(&intent);
    bench.run(&id, 30).unwrap();
    assert!(bench.sent.is_empty());
    assert!(
        matches!(&bench.operation(&id).phase, Phase::Paused(Why::Journal(words)) if words.contains("No space"))
    );
    // With room again it goes on when somebody says so.
    bench.room = usize::MAX;
    bench.on(&id, Event::Continue { actor: actor() });
    bench.run(&id, 60).unwrap();
    assert_eq!((bench.sent.len(), bench.outcome(&id)), (1, Outcome::Done));
}

#[test]
fn an_expired_plan_or_a_locked_cluster_is_not_confirmed() {
    let mut bench = one();
    let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
    let plan = bench.plan(&intent).unwrap();
    let id = plan.id.clone();
    let commands = bench.desk.begin(plan, &bench.world.state);
    assert_eq!(commands.len(), 1);
    bench.on(&id, Event::Checked { step: 0, answer: Ok(skydeck::gate::machine::Report::default()) });
    let objection = |bench: &Bench| {
        let world = bench.desk.world_of(&bench.world.state);
        bench.operation(&id).objection("", world).map(|it| it.to_string())
    };
    assert_eq!(objection(&bench).as_deref(), Some("aws-east is read-only: unlock it first"));
    bench.unlock_all();
    assert_eq!(objection(&bench), None);
    bench.world.later(bench.desk.policy.plan_expiry.0 + 1);
    bench.unlock_all();
    assert_eq!(objection(&bench).as_deref(), Some("the plan is too old: make it again"));
    bench.on(&id, Event::Confirm { words: "".into() });
    bench.drive().unwrap();
    assert!(bench.sent.is_empty() && bench.journal.is_empty());
}

#[test]
fn stop_takes_hold_after_the_step_on_the_wire() {
    let mut bench = two();
    let intent = both(&bench);
    let id = bench.confirmed(&intent);
    bench.on(&id, Event::Stop);
    bench.run(&id, 60).unwrap();
    assert!(bench.sent.len() <= 1);
    assert!(
        matches!(bench.operation(&id).phase, Phase::Paused(Why::Asked)),
        "{:?}",
        bench.operation(&id).phase
    );
    bench.on(&id, Event::Continue { actor: actor() });
    bench.run(&id, 60).unwrap();
    assert_eq!((bench.sent.len(), bench.outcome(&id)), (2, Outcome::Done));
}
