//! The console dies at every boundary of an operation over three clusters. What the next one says must be the truth:
//! no step lost, repeated or forgotten (P6).

use proptest::prelude::*;
use skydeck::gate::machine::Event;
use skydeck::gate::operation::{Outcome, Phase};
use skydeck::gate::{Amount, Policy, StepState};

use super::bench::{Bench, Fate, actor, policy};
use crate::world::deployment;

const NAMES: [&str; 3] = ["aws-east", "gcp-central", "azure-eastus"];

fn bench() -> Bench {
    let of = || vec![deployment("ml/web", 4, 4, "1.0", 0)];
    Bench::new(
        Policy { bake: skydeck::fleet::Age(0), ..policy() },
        &[(NAMES[0], "v1.33.5", of()), (NAMES[1], "v1.34.1", of()), (NAMES[2], "v1.33.4", of())],
    )
}

fn cells() -> Vec<(&'static str, &'static str, Amount)> {
    NAMES.iter().map(|name| (*name, "ml/web", Amount::Replicas(6))).collect()
}

/// How many boundaries an undisturbed run has.
fn boundaries(fates: &[Fate]) -> usize {
    for count in 0.. {
        if dies_at(count, fates).1 {
            return count;
        }
    }
    unreachable!()
}

/// Runs until the console dies after so many boundaries, or to the end.
fn dies_at(boundary: usize, fates: &[Fate]) -> (Bench, bool) {
    let mut bench = bench();
    bench.fates = fates.iter().copied().collect();
    let intent = bench.scale(&cells());
    let id = bench.confirmed(&intent);
    bench.dies_after = Some(boundary);
    let ended = bench.run(&id, 400).is_ok();
    (bench, ended)
}

/// What the restarted console says against what the servers have.
fn tells_the_truth(bench: &mut Bench) {
    bench.restart();
    let Some(id) = bench.desk.operations().first().map(|it| it.id().clone()) else {
        assert!(bench.sent.is_empty(), "something was sent that is not in the journal");
        return;
    };
    let open_at_first = bench.operation(&id).is_open();
    // Not because it could not: nobody has said so.
    bench.unlock_all();
    bench.run(&id, 300).unwrap();
    let operation = bench.operation(&id);
    assert!(operation.unknown().is_empty(), "{:#?}", operation.steps);
    if open_at_first {
        assert!(
            !matches!(operation.phase, Phase::Running),
            "nothing goes on by itself: {:?}",
            operation.phase
        );
    }
    for (step, name) in operation.steps.iter().zip(NAMES) {
        let place = bench.place(name, skydeck::fleet::Kind::Deployment, "ml/web");
        let applied = bench.object(&place)["spec"]["replicas"] == 6;
        assert_eq!(step.state.is_applied(), applied, "{name}: {:?}", step.state);
    }
    let mut marks: Vec<_> = bench.sent.iter().map(|it| &it.0).collect();
    marks.sort();
    let all = marks.len();
    marks.dedup();
    assert_eq!(marks.len(), all, "a request was sent twice: {:?}", bench.sent);
}

#[test]
fn at_every_boundary_the_next_start_says_the_true_state() {
    let count = boundaries(&[]);
    assert!(count > 30, "three steps have more than {count} boundaries");
    for boundary in 0..count {
        let (mut bench, ended) = dies_at(boundary, &[]);
        assert!(!ended);
        tells_the_truth(&mut bench);
        // And it can be brought to its end.
        let Some(id) = bench.desk.operations().first().map(|it| it.id().clone()) else { continue };
        bench.unlock_all();
        bench.on(&id, Event::Continue { actor: actor() });
        bench.run(&id, 400).unwrap();
        assert_eq!(bench.outcome(&id), Outcome::Done, "boundary {boundary}");
        assert!(bench.sent.iter().filter(|it| it.1).count() == 3, "{:?}", bench.sent);
    }
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Applied),
        1 => Just(Fate::Lost { applied: true }),
        1 => Just(Fate::Lost { applied: false }),
        1 => Just(Fate::Refused { conflict: true, may_pass: false }),
        1 => Just(Fate::Refused { conflict: false, may_pass: true }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn with_lost_answers_and_refusals_too(fates in proptest::collection::vec(any_fate(), 3), boundary in 0usize..120) {
        let (mut bench, _) = dies_at(boundary, &fates);
        tells_the_truth(&mut bench);
    }

    #[test]
    fn undisturbed_it_ends_with_what_the_servers_have(fates in proptest::collection::vec(any_fate(), 3)) {
        let mut bench = bench();
        bench.fates = fates.iter().copied().collect();
        let intent = bench.scale(&cells());
        let id = bench.confirmed(&intent);
        bench.run(&id, 600).unwrap();
        let operation = bench.operation(&id);
        prop_assert!(operation.unknown().is_empty());
        let all_applied = fates.iter().all(|it| matches!(it, Fate::Applied | Fate::Lost { applied: true }));
        prop_assert_eq!(operation.phase == Phase::Ended(Outcome::Done), all_applied, "{:?}", operation.phase);
        let verified = operation.count(|it| it == StepState::Verified);
        let changed = bench.sent.iter().filter(|it| it.1).count();
        prop_assert_eq!(verified, changed);
    }
}
