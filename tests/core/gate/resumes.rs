//! Stops, locks, restarts and going on: what is kept, what is asked for again, and how long is waited.

use serde_json::json;
use skydeck::fleet::{Age, Kind};
use skydeck::gate::intent::Ramp;
use skydeck::gate::machine::Event;
use skydeck::gate::operation::{Outcome, Phase, Why};
use skydeck::gate::record::Entry;
use skydeck::gate::{Amount, Intent, Policy, StepState, Wish};

use super::bench::{Bench, Fate, actor, policy};
use super::routes::{weights, with_ready, written};
use crate::world::deployment;

const NAMES: [&str; 3] = ["aws-east", "gcp-central", "azure-eastus"];

fn three() -> Bench {
    let of = || vec![deployment("ml/web", 4, 4, "1.0", 0)];
    Bench::new(
        Policy { bake: Age(5), ..policy() },
        &[(NAMES[0], "v1.33.5", of()), (NAMES[1], "v1.34.1", of()), (NAMES[2], "v1.33.4", of())],
    )
}

fn all(bench: &Bench) -> Intent {
    bench.scale(&NAMES.map(|name| (name, "ml/web", Amount::Replicas(6))))
}

fn go_on(bench: &mut Bench, id: &skydeck::fleet::ChangeId) {
    bench.on(id, Event::Continue { actor: actor() });
}

const MAY_PASS: Fate = Fate::Refused { conflict: false, may_pass: true };

#[test]
fn what_could_be_taken_later_is_sent_again_after_a_restart_too() {
    let mut bench = three();
    bench.fates.extend([Fate::Applied, MAY_PASS]);
    let intent = all(&bench);
    let id = bench.confirmed(&intent);
    bench.run(&id, 60).unwrap();
    bench.restart();
    assert_eq!(bench.operation(&id).words(), "PARTIAL 1/3");
    bench.unlock_all();
    go_on(&mut bench, &id);
    bench.run(&id, 120).unwrap();
    assert_eq!(bench.outcome(&id), Outcome::Done);
    assert_eq!(bench.sent.iter().filter(|it| it.1).count(), 3);
}

#[test]
fn of_a_first_step_that_failed_nothing_is_called_partial() {
    let mut bench = three();
    bench.fates.push_back(Fate::Refused { conflict: true, may_pass: false });
    let intent = all(&bench);
    let id = bench.confirmed(&intent);
    bench.run(&id, 60).unwrap();
    assert_eq!(bench.operation(&id).words(), "FAILED 0/3");
    bench.on(&id, Event::Leave);
    assert_eq!(bench.outcome(&id), Outcome::Conflict, "not only failed: the world has changed");
}

#[test]
fn nobody_goes_on_who_could_not_write_that_down() {
    let mut bench = three();
    bench.fates.extend([Fate::Applied, MAY_PASS]);
    let intent = all(&bench);
    let id = bench.confirmed(&intent);
    bench.run(&id, 60).unwrap();
    let (sent, written) = (bench.sent.len(), bench.journal.len());
    bench.room = 0;
    go_on(&mut bench, &id);
    bench.run(&id, 60).unwrap();
    assert!(matches!(bench.operation(&id).phase, Phase::Paused(Why::Journal(_))));
    assert_eq!((bench.sent.len(), bench.journal.len()), (sent, written));
    assert_eq!(bench.operation(&id).steps[1].state, StepState::Refused, "nothing moved");
    bench.room = usize::MAX;
    go_on(&mut bench, &id);
    bench.run(&id, 120).unwrap();
    assert_eq!(bench.outcome(&id), Outcome::Done);
}

#[test]
fn what_was_gone_on_with_and_killed_does_not_say_what_it_stood_still_for_before() {
    let mut bench = three();
    bench.fates.extend([Fate::Applied, MAY_PASS]);
    let intent = all(&bench);
    let id = bench.confirmed(&intent);
    bench.run(&id, 60).unwrap();
    go_on(&mut bench, &id);
    // It dies behind the record that the step is to be sent again.
    bench.dies_after = Some(3);
    bench.drive().unwrap_err();
    assert!(matches!(bench.journal.last().unwrap().entry, Entry::Again { .. }));
    bench.restart();
    assert_eq!(bench.operation(&id).phase, Phase::Paused(Why::Restarted));
    assert_eq!(bench.operation(&id).words(), "paused 1/3");
}

#[test]
fn a_cluster_that_was_locked_gets_nothing_more() {
    let mut bench = three();
    let intent = all(&bench);
    let id = bench.confirmed(&intent);
    bench.drive().unwrap();
    let second = bench.world.state.cluster_named(NAMES[1]).unwrap().id;
    bench.desk.unlocks.close(second);
    bench.run(&id, 60).unwrap();
    assert_eq!(bench.sent.len(), 1);
    assert_eq!(
        bench.operation(&id).phase,
        Phase::Paused(Why::NotReady("gcp-central is read-only: unlock it first".into()))
    );
    // Nor does a new console send anything before it is unlocked.
    bench.restart();
    go_on(&mut bench, &id);
    bench.run(&id, 60).unwrap();
    assert_eq!(bench.sent.len(), 1);
    bench.unlock_all();
    go_on(&mut bench, &id);
    bench.run(&id, 120).unwrap();
    assert_eq!((bench.outcome(&id), bench.sent.len()), (Outcome::Done, 3));
}

#[test]
fn a_cluster_stays_open_for_as_long_as_its_operation_is_on_its_way() {
    let mut bench = with_ready(3, 3);
    bench.desk.policy.unlock_for = Age(60);
    let ramp = Ramp { by: 25, every: Age(300) };
    let id = bench.confirmed(&weights(&bench, &["aws-east"], &[0, 100], Some(ramp)));
    bench.run(&id, 2000).unwrap();
    assert_eq!(bench.outcome(&id), Outcome::Done);
    let cluster = bench.world.state.cluster_named("aws-east").unwrap().id;
    for _ in 0..61 {
        bench.second();
    }
    assert!(!bench.desk.unlocks.is_open(cluster, bench.world.state.now, &bench.desk.policy));
}

/// Seconds from going on until the next request.
fn until_next(bench: &mut Bench, id: &skydeck::fleet::ChangeId) -> u64 {
    let (sent, begun) = (bench.sent.len(), bench.world.state.now.mono);
    go_on(bench, id);
    for _ in 0..1000 {
        bench.drive().unwrap();
        if bench.sent.len() > sent {
            return bench.world.state.now.since(begun).0;
        }
        bench.second();
    }
    panic!("nothing was sent: {:?}", bench.operation(id).phase);
}

#[test]
fn a_ramp_keeps_its_distance_whatever_comes_between() {
    let ramp = || Some(Ramp { by: 25, every: Age(60) });
    // Stopped while a step was on the wire, and gone on with at once.
    let mut bench = with_ready(3, 3);
    bench.fates.push_back(Fate::Lost { applied: true });
    let id = bench.confirmed(&weights(&bench, &["aws-east"], &[0, 100], ramp()));
    bench.drive().unwrap();
    bench.on(&id, Event::Stop);
    bench.run(&id, 5).unwrap();
    assert_eq!((bench.sent.len(), &bench.operation(&id).phase), (1, &Phase::Paused(Why::Asked)));
    let waited = until_next(&mut bench, &id);
    assert!((55..=61).contains(&waited), "{waited}");
    // The console died in between.
    bench.run(&id, 3).unwrap();
    bench.restart();
    bench.unlock_all();
    let waited = until_next(&mut bench, &id);
    assert!((50..=61).contains(&waited), "{waited}");
}

#[test]
fn what_was_left_out_shortens_no_wait() {
    let mut bench = with_ready(3, 3);
    let refused = Fate::Refused { conflict: true, may_pass: false };
    bench.fates.extend([Fate::Applied, Fate::Applied, refused]);
    let ramp = Ramp { by: 25, every: Age(60) };
    let both = ["aws-east", "gcp-central"];
    let id = bench.confirmed(&weights(&bench, &both, &[0, 100], Some(ramp)));
    // The second cluster's first step, and then its second, at least a minute apart.
    let mut at = Vec::new();
    for _ in 0..400 {
        bench.drive().unwrap();
        while at.len() < bench.sent.len() {
            at.push(bench.world.state.now.mono);
        }
        if matches!(bench.operation(&id).phase, Phase::Paused(_)) && at.len() == 3 {
            go_on(&mut bench, &id);
        }
        bench.second();
    }
    let between = skydeck::fleet::Now { mono: at[3], ..bench.world.state.now }.since(at[1]);
    assert!(between >= Age(60), "{between}");
}

#[test]
fn a_step_builds_on_what_the_one_before_left_and_not_on_what_came_after_that() {
    let mut bench = with_ready(3, 3);
    bench.fates.push_back(Fate::Lost { applied: true });
    let ramp = Ramp { by: 25, every: Age(60) };
    let id = bench.confirmed(&weights(&bench, &["aws-east"], &[0, 100], Some(ramp)));
    bench.drive().unwrap();
    // Its answer is lost, it landed, and then somebody changes another rule.
    let place = bench.place("aws-east", Kind::VirtualService, "ml/split");
    bench.edit(&place, "/spec/http/0/fault/abort/httpStatus", json!(500));
    bench.run(&id, 200).unwrap();
    let operation = bench.operation(&id);
    assert_eq!(operation.steps[0].state, StepState::Verified);
    assert_eq!(operation.steps[1].state, StepState::Refused, "{operation:#?}");
    assert_eq!(written(&bench, "aws-east")["http"][1]["route"][0]["weight"], 40);
}

#[test]
fn a_number_that_was_overwritten_before_anybody_looked_is_not_called_refused() {
    for (applied, outcome) in [(true, Outcome::Drifted), (false, Outcome::Failed)] {
        let mut bench = three();
        bench.fates.push_back(Fate::Lost { applied });
        let intent = bench.scale(&[(NAMES[0], "ml/web", Amount::Replicas(6))]);
        let id = bench.confirmed(&intent);
        bench.drive().unwrap();
        let place = bench.place(NAMES[0], Kind::Deployment, "ml/web");
        bench.edit(&place, "/spec/replicas", json!(9));
        if applied {
            bench.edit(&place, "/metadata/managedFields", json!([]));
        }
        bench.run(&id, 100).unwrap();
        assert_eq!(bench.outcome(&id), outcome, "{:?}", bench.operation(&id).steps[0]);
    }
}

#[test]
fn what_was_taken_back_by_another_console_is_returned() {
    let mut bench = three();
    bench.fates.extend([Fate::Applied, Fate::Refused { conflict: true, may_pass: false }]);
    let intent = all(&bench);
    let id = bench.confirmed(&intent);
    bench.run(&id, 60).unwrap();
    bench.restart();
    let undo = bench.confirmed(&Intent::new(Wish::Undo(id.clone())));
    bench.run(&undo, 60).unwrap();
    bench.second();
    bench.drive().unwrap();
    assert_eq!((bench.outcome(&undo), bench.outcome(&id)), (Outcome::Done, Outcome::Returned));
}

#[test]
fn a_rollout_that_another_console_began_has_its_time_from_then() {
    let mut bench = three();
    bench.slow = true;
    let intent = bench.scale(&[(NAMES[0], "ml/web", Amount::Replicas(6))]);
    let id = bench.confirmed(&intent);
    bench.run(&id, 5).unwrap();
    bench.restart();
    bench.run(&id, 30).unwrap();
    assert_eq!(bench.operation(&id).steps[0].state, StepState::Confirmed, "{:?}", bench.operation(&id));
    bench.run(&id, bench.desk.policy.rollout_deadline.0).unwrap();
    assert_eq!(bench.operation(&id).steps[0].state, StepState::Drifted);
}

#[test]
fn a_request_of_a_dead_console_has_all_the_time_it_may_need() {
    let mut bench = three();
    bench.fates.push_back(Fate::Lost { applied: false });
    let intent = bench.scale(&[(NAMES[0], "ml/web", Amount::Replicas(6))]);
    let id = bench.confirmed(&intent);
    bench.drive().unwrap();
    let begun = bench.world.state.now;
    bench.restart();
    bench.run(&id, 300).unwrap();
    let waited = bench.world.state.now.since(begun.mono);
    let policy = &bench.desk.policy;
    // A kube-apiserver works on a request for a minute; before that it may have waited for a credential.
    assert!(policy.settle > Age(60) && policy.to_the_wire >= Age(40));
    assert!(waited.0 >= policy.settle.0 + policy.to_the_wire.0, "{waited}");
    assert_eq!(bench.outcome(&id), Outcome::Failed);
}

#[test]
fn what_another_console_drives_is_shown_as_that_console_has_it() {
    let mut bench = three();
    bench.fates.extend([Fate::Applied, MAY_PASS]);
    let intent = all(&bench);
    let id = bench.confirmed(&intent);
    bench.run(&id, 60).unwrap();
    let mut theirs = skydeck::gate::record::replay(&bench.journal).remove(0);
    theirs.is_elsewhere = true;
    bench.desk.remember(vec![theirs.clone()]);
    assert_eq!(bench.operation(&id).words(), "elsewhere 1/3");
    theirs.is_elsewhere = false;
    theirs.phase = Phase::Ended(Outcome::Partial);
    bench.desk.remember(vec![theirs]);
    assert_eq!(bench.operation(&id).words(), "partial 1/3");
}

#[test]
fn what_was_sent_before_a_restart_is_verified_before_the_next_step_goes_out() {
    let mut bench = three();
    bench.slow = true;
    let intent = all(&bench);
    let id = bench.confirmed(&intent);
    bench.run(&id, 5).unwrap();
    bench.restart();
    bench.unlock_all();
    go_on(&mut bench, &id);
    for _ in 0..30 {
        bench.drive().unwrap();
        bench.second();
    }
    assert_eq!(bench.sent.len(), 1, "the first cluster is not ready");
    assert_eq!(bench.operation(&id).words(), "running 0/3");
    // The same where there is no next step: it does not end before it is verified.
    let mut bench = three();
    bench.slow = true;
    let intent = bench.scale(&[(NAMES[0], "ml/web", Amount::Replicas(6))]);
    let id = bench.confirmed(&intent);
    bench.run(&id, 5).unwrap();
    bench.restart();
    bench.unlock_all();
    go_on(&mut bench, &id);
    bench.run(&id, 5).unwrap();
    assert_eq!(bench.operation(&id).words(), "running 0/1");
}
