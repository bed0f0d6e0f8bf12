//! Two consoles on one target: leases keep them apart, whoever died holds nothing for long, and colleagues are told.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use skydeck::demo::api::{Failure, Which};
use skydeck::demo::resource::Kind as Served;
use skydeck::demo::store::{Key, Query, Store};
use skydeck::fleet::{Age, ChangeId};
use skydeck::gate::machine::Event;
use skydeck::gate::operation::{Outcome, Phase, Why};
use skydeck::gate::patch::ANNOTATION;
use skydeck::gate::{Policy, StepState};

use super::bed::{Bed, VERBS, Verb, quick};
use super::sitting::{Sitting, told};

const VERB: Verb = Verb::Route;

fn lease_key() -> Key {
    Key::new("a", "skydeck-virtualservice-split")
}

fn lease(store: &Store) -> Option<Value> {
    store.get(Served::Leases, &lease_key()).map(|it| it.value())
}

/// Two clusters with so long between them that there is time to look.
async fn slow(bed: &Bed) -> Sitting {
    Sitting::new(&bed.kubeconfig(), Policy { bake: Age(30), ..quick() }).await
}

/// Confirmed, the first cluster done, the second waits.
async fn in_the_middle(sitting: &mut Sitting) -> ChangeId {
    let intent = VERB.intent(sitting, 2);
    let id = sitting.asked(&intent).await.unwrap_or_else(|no| panic!("{}", no.words()));
    sitting.yes(&id);
    sitting.until(&id, "in the middle", |it| it.steps[0].state == StepState::Verified).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_console_is_told_who_drives_and_waits_until_it_is_given_back() {
    let bed = Bed::new(&["one", "two"]);
    let (mut one, mut two) = (slow(&bed).await, slow(&bed).await);
    let id = in_the_middle(&mut one).await;
    let held = lease(bed.store(1)).expect("the second cluster is announced before its turn");
    assert_eq!(held["metadata"]["annotations"][ANNOTATION], id.to_string());
    let intent = VERB.intent(&two, 2);
    let no = two.asked(&intent).await.unwrap_err().words();
    let actor = &one.driver.desk.actor;
    let holder = format!("{}@{}, process {} drives it now", actor.user, actor.host, actor.process);
    println!("{no}");
    assert!(no.contains(&holder) && no.contains(&id.to_string()) && no.contains("s ago"), "{no}");
    // Stopped, it gives its leases back; the other one may.
    one.driver.on(&id, Event::Stop);
    let gone = || lease(bed.store(0)).is_none() && lease(bed.store(1)).is_none();
    while !gone() {
        one.driver.turn().await;
    }
    assert_eq!(one.operation(&id).phase, Phase::Paused(Why::Asked));
    let intent = VERB.intent(&two, 2);
    let other = two.asked(&intent).await.unwrap_or_else(|no| panic!("{}", no.words()));
    two.yes(&other);
    two.until(&other, "driving", |it| it.is_moving() && it.applied() > 0).await;
    // Now the first one cannot go on.
    one.driver.on(&id, Event::Continue { actor: one.driver.desk.actor.clone() });
    one.until(&id, "held off", |it| matches!(it.phase, Phase::Paused(Why::Held(_)))).await;
    assert_eq!(bed.sent(&format!("{id}-2")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_say_yes_at_once_one_drives() {
    let bed = Bed::new(&["one", "two"]);
    let (mut one, mut two) = (bed.sitting().await, bed.sitting().await);
    let (first, second) = (VERB.intent(&one, 2), VERB.intent(&two, 2));
    let (first, second) = (one.asked(&first).await.unwrap(), two.asked(&second).await.unwrap());
    // Both have looked and found nobody before either writes.
    one.yes(&first);
    two.yes(&second);
    tokio::join!(one.rest(&first), two.rest(&second));
    let ends = [told(one.operation(&first)), told(two.operation(&second))];
    let driven = |id: &ChangeId| (1..=2).map(|step| bed.sent(&format!("{id}-{step}"))).sum::<usize>();
    println!("{ends:?}");
    let all = driven(&first) + driven(&second);
    for (it, id) in [(&one, &first), (&two, &second)] {
        let operation = it.operation(id);
        if operation.phase == Phase::Ended(Outcome::Done) {
            assert_eq!(driven(id), 2);
        } else {
            assert!(
                matches!(operation.phase, Phase::Paused(Why::Held(_) | Why::StepFailed(_))),
                "{:?}",
                operation.phase
            );
        }
    }
    assert!(all <= 3 && bed.most_writes_at_once() == 1, "{all} requests: {ends:?}");
    assert!(VERBS.contains(&VERB) && VERB.value(bed.store(0)) == VERB.after());
}

/// A lease of a console elsewhere, written so many seconds ago by the server's clock.
fn foreign(store: &Store, ago: i64) {
    let booked = skydeck::fleet::Unix(store.clock().now().timestamp() - ago).rfc3339();
    store.put(
        Served::Leases,
        json!({"metadata": {"namespace": "a", "name": lease_key().name.to_string(),
                "annotations": {ANNOTATION: "01ELSEWHERE"},
                "managedFields": [{"manager": "skydeck", "operation": "Update", "time": booked}]},
            "spec": {"holderIdentity": "bob@laptop, process 7", "leaseDurationSeconds": 30, "renewTime": "2001-01-01T00:00:00.000001Z"}}),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_has_run_out_is_taken_and_one_that_has_not_is_not() {
    let bed = Bed::new(&["one"]);
    let mut sitting = bed.sitting().await;
    foreign(bed.store(0), 20);
    let intent = VERB.intent(&sitting, 1);
    let no = sitting.asked(&intent).await.unwrap_err().words();
    assert!(no.contains("bob@laptop, process 7 drives it now (change 01ELSEWHERE, heard 2"), "{no}");
    foreign(bed.store(0), 40);
    let id = sitting.through(&intent).await.unwrap();
    assert_eq!(sitting.operation(&id).phase, Phase::Ended(Outcome::Done));
    sitting.end().await;
    assert_eq!(lease(bed.store(0)), None, "given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_lives_as_long_as_the_plan_runs_and_its_loss_stops_it() {
    let bed = Bed::new(&["one", "two"]);
    let mut sitting = slow(&bed).await;
    let id = in_the_middle(&mut sitting).await;
    let version = |it: Option<Value>| it.unwrap()["metadata"]["resourceVersion"].clone();
    let first = version(lease(bed.store(1)));
    let renewed = async {
        while version(lease(bed.store(1))) == first {
            sitting.driver.turn().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), renewed).await.expect("renewed");
    // Somebody takes it by force.
    foreign(bed.store(1), 0);
    sitting.until(&id, "stopped", |it| matches!(it.phase, Phase::Paused(Why::Held(_)))).await;
    let Phase::Paused(why) = &sitting.operation(&id).phase else { unreachable!() };
    assert!(why.words(&sitting.operation(&id).plan).contains("bob@laptop"));
    sitting.end().await;
    assert_eq!(lease(bed.store(0)), None, "its own is given back");
    assert_eq!(lease(bed.store(1)).unwrap()["spec"]["holderIdentity"], "bob@laptop, process 7");
    assert_eq!(bed.sent(&format!("{id}-2")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_tell_who_drives_nothing_is_sent() {
    for failure in [Failure::Status(503), Failure::Garbage] {
        let bed = Bed::new(&["one"]);
        let mut sitting = bed.sitting().await;
        let intent = VERB.intent(&sitting, 1);
        bed.seam(0).strike(Which::any().method("GET").at("/leases/"), 1, failure);
        let no = sitting.asked(&intent).await.map(drop).expect_err("nobody knows").words();
        assert!(no.contains("whether another console drives it"), "{no}");
        // The same when it is to be taken.
        let id = sitting.asked(&intent).await.unwrap();
        bed.seam(0).strike(Which::write().at("/leases"), 1, failure);
        sitting.yes(&id);
        sitting.rest(&id).await;
        assert!(
            matches!(&sitting.operation(&id).phase, Phase::Paused(Why::Held(words)) if words.contains("could not be announced")),
            "{:?}",
            sitting.operation(&id).phase
        );
        assert_eq!(bed.sent(&format!("{id}-1")), 0);
        // It passes: whoever says so goes on.
        sitting.driver.on(&id, Event::Continue { actor: sitting.driver.desk.actor.clone() });
        sitting.until(&id, "done", |it| it.phase == Phase::Ended(Outcome::Done)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_may_not_announce_goes_on() {
    let bed = Bed::new(&["one"]);
    let mut sitting = bed.sitting().await;
    let intent = VERB.intent(&sitting, 1);
    bed.seam(0).strike(Which::write().at("/leases"), 99, Failure::Status(403));
    bed.seam(0).strike(Which::write().at("/events"), 99, Failure::Status(403));
    let id = sitting.through(&intent).await.unwrap();
    assert_eq!(sitting.operation(&id).phase, Phase::Ended(Outcome::Done));
    sitting.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn colleagues_find_an_event_at_what_was_changed_and_at_nothing_else() {
    let bed = Bed::new(&["one", "two"]);
    let mut sitting = bed.sitting().await;
    let store = Arc::clone(bed.store(1));
    bed.seam(1).before(VERB.write(), move || VERB.somebody_elses(&store));
    let intent = VERB.intent(&sitting, 2);
    let id = sitting.through(&intent).await.unwrap();
    sitting.driver.on(&id, Event::Leave);
    assert_eq!(sitting.operation(&id).phase, Phase::Ended(Outcome::Partial));
    sitting.end().await;
    let events = |at: usize| {
        let all = bed.store(at).list(Served::Events, &Query::all()).objects;
        all.iter()
            .map(|it| it.value())
            .filter(|it| it["source"]["component"] == "skydeck")
            .collect::<Vec<_>>()
    };
    let (first, second) = (events(0), events(1));
    assert_eq!((first.len(), second.len()), (1, 0), "{second:?}");
    let event = &first[0];
    println!("{}", event["message"]);
    assert_eq!(event["involvedObject"]["name"], "split");
    assert_eq!((event["reason"].as_str(), event["type"].as_str()), (Some("TrafficShifted"), Some("Warning")));
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("http[0].route[0].weight 60 → 50") && message.contains(&id.to_string()));
}
