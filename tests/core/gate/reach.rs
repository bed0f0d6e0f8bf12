//! What is away, hidden or not known: nobody is kept from taking back what can be taken back, and not to know moves nothing.

use serde_json::{Value, json};
use skydeck::fleet::{Age, Kind, SourceFact};
use skydeck::gate::intent::Ramp;
use skydeck::gate::machine::Event;
use skydeck::gate::operation::{Outcome, Phase, Why};
use skydeck::gate::settle::{Sent, Settled, settle};
use skydeck::gate::{Intent, Override, Strength, Wish};
use skydeck::state::ClusterSpec;
use skydeck::state::select::routes::holders;

use super::bench::{Bench, actor, policy};
use super::routes::{both, endpoints, service, split, weights, with_ready, written};
use crate::world::{deployment, source};

const RAMP: Ramp = Ramp { by: 10, every: Age(60) };

#[test]
fn what_is_away_keeps_nobody_from_taking_back_the_rest() {
    let mut bench = with_ready(3, 3);
    let done = bench.confirmed(&weights(&bench, &["aws-east", "gcp-central"], &[50, 50], None));
    bench.run(&done, 60).unwrap();
    let intent = Intent::new(Wish::Undo(done.clone()));
    let gcp = bench.world.state.cluster_named("gcp-central").unwrap().id;
    let mut sight = bench.look(&intent.wish);
    let (read, away): (Vec<_>, _) = sight.objects.into_iter().partition(|it| it.place.cluster != gcp);
    sight.objects = read;
    sight.unread = away.into_iter().map(|it| (it.place, "no answer within 10s".into())).collect();
    let id = bench.id();
    let plan = bench.desk.plan(&id, &intent, &sight, &bench.world.state).unwrap();
    assert_eq!((plan.steps.len(), &plan.left_out[..]), (1, &["gcp-central".into()][..]));
    let words = "gcp-central keeps what it has: no answer within 10s; take the rest back when it is there";
    assert!(plan.notes.iter().any(|it| it.is_warning && it.text == words), "{:?}", plan.notes);
    let commands = bench.desk.begin(plan, &bench.world.state);
    let undo = bench.confirm_after(commands, &id);
    bench.run(&undo, 60).unwrap();
    assert_eq!(bench.outcome(&undo), Outcome::Done);
    assert_eq!(written(&bench, "aws-east")["http"][1]["route"][0]["weight"], 60);
    assert_eq!(written(&bench, "gcp-central")["http"][1]["route"][0]["weight"], 50);
    // It is back: the rest can be taken back, and only that.
    let rest = bench.plan(&intent).unwrap();
    assert_eq!((rest.steps.len(), rest.steps[0].cluster.name.as_str()), (1, "gcp-central"));
    assert!(rest.left_out.is_empty());
    // Of what cannot be reached at all, it says why.
    sight.unread.extend(sight.objects.drain(..).map(|it| (it.place, "no answer within 10s".into())));
    let refusal = bench.desk.plan(&id, &intent, &sight, &bench.world.state).unwrap_err();
    assert_eq!(refusal.words, "no answer within 10s");
}

#[test]
fn a_cluster_that_the_scope_hides_is_left_out_in_words() {
    let mut bench = with_ready(3, 3);
    let id = |name: &str| bench.world.state.cluster_named(name).unwrap().id;
    let (aws, gcp) = (id("aws-east"), id("gcp-central"));
    let route = bench.place("aws-east", Kind::VirtualService, "ml/split").object;
    assert_eq!(holders(&bench.world.state, &route, 1, &[aws]).live, [aws, gcp]);
    bench.world.state.scope.hidden_clusters.insert("gcp-central".into());
    let found = holders(&bench.world.state, &route, 1, &[aws]);
    assert_eq!((found.live, found.left_out), (vec![aws], vec![gcp]));
}

#[test]
fn not_to_know_is_no_reason_to_move_production_back() {
    let mut bench = with_ready(3, 3);
    let id = bench.confirmed(&weights(&bench, &["aws-east"], &[40, 60], Some(RAMP)));
    for _ in 0..5 {
        bench.drive().unwrap();
        bench.second();
    }
    // Nothing is heard any more, until the next stage is due.
    for _ in 0..90 {
        bench.world.later(1);
        let commands = bench.desk.tick(&bench.world.state);
        bench.queue(commands);
        bench.drive().unwrap();
    }
    assert!(
        matches!(&bench.operation(&id).phase, Phase::Paused(Why::NotReady(_))),
        "{:?}",
        bench.operation(&id).phase
    );
    assert_eq!((bench.sent.len(), bench.desk.to_be_returned()), (1, None));
}

#[test]
fn what_a_route_said_long_ago_does_not_say_who_is_ready_now() {
    let mut bench = with_ready(3, 3);
    let aws = bench.world.state.cluster_named("aws-east").unwrap().id;
    // Only the watch of the routes is silent; services and endpoints are as of now.
    let now = bench.world.later(60).mono;
    let kinds: Vec<_> = bench.world.state.cluster(aws).unwrap().sources.keys().copied().collect();
    for (kind, _) in kinds.into_iter().filter(|(kind, _)| *kind != Kind::VirtualService) {
        bench.world.source(source(aws, kind), now, SourceFact::Heard);
    }
    let refusal = bench.plan(&weights(&bench, &["aws-east"], &[50, 50], None));
    let refusal = refusal.expect_err("traffic is moved by what was known long ago");
    assert_eq!(refusal.rule, Some(Override::UnknownCapacity), "{refusal}");
    assert!(refusal.words.contains("its endpoints are not known"), "{refusal}");
}

#[test]
fn what_became_read_only_meanwhile_gets_nothing_more() {
    let mut bench = with_ready(3, 3);
    let id = bench.confirmed(&weights(&bench, &["aws-east"], &[40, 60], Some(RAMP)));
    for _ in 0..5 {
        bench.drive().unwrap();
        bench.second();
    }
    bench.on(&id, Event::Stop);
    bench.drive().unwrap();
    let aws = bench.world.state.cluster_named("aws-east").unwrap().id;
    let spec = ClusterSpec { name: "aws-east".into(), read_only: true, ..ClusterSpec::default() };
    bench.world.state.respecify(aws, spec);
    bench.unlock_all();
    bench.on(&id, Event::Continue { actor: actor() });
    bench.run(&id, 90).unwrap();
    let Phase::Paused(Why::NotReady(words)) = &bench.operation(&id).phase else {
        panic!("{:?}", bench.operation(&id).phase)
    };
    assert_eq!((words.as_str(), bench.sent.len()), ("aws-east is never to be changed from here", 1));
}

fn warning(about: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "BackOff", "message": "restarting",
        "metadata": {"name": format!("{about}.1"), "namespace": "ml", "uid": format!("uid-{about}"), "resourceVersion": "9"},
        "involvedObject": {"kind": "Pod", "namespace": "ml", "name": about},
        "count": 1, "lastTimestamp": "2030-01-01T00:00:00Z", "firstTimestamp": "2030-01-01T00:00:00Z"})
}

#[test]
fn a_ramp_stops_for_its_own_troubles_and_not_for_those_of_a_neighbour() {
    for (about, stops) in [("web-gcp-canary-6c-x", false), ("web-gcp-7d-x", true)] {
        let mut bench = with_ready(3, 3);
        let aws = bench.world.state.cluster_named("aws-east").unwrap().id;
        let at = bench.world.state.now.mono;
        bench.world.item(aws, at, &deployment("ml/web-gcp-canary", 1, 1, "1.0", 0));
        let id = bench.confirmed(&weights(&bench, &["aws-east"], &[40, 60], Some(RAMP)));
        for _ in 0..5 {
            bench.drive().unwrap();
            bench.second();
        }
        let at = bench.world.state.now.mono;
        bench.world.item(aws, at, &warning(about));
        bench.second();
        bench.drive().unwrap();
        let stopped = matches!(bench.operation(&id).phase, Phase::Paused(Why::Stopped(_)));
        assert_eq!(stopped, stops, "{about}: {:?}", bench.operation(&id).phase);
    }
}

#[test]
fn whoever_wrote_the_object_anew_took_our_mark_with_it() {
    let mut bench = with_ready(3, 3);
    let plan = both(&mut bench, &[50, 50], None).unwrap();
    let sent = Sent { step: &plan.steps[0], mark: "x-1", base: Some(3) };
    let object = |generation: i64| json!({"metadata": {"uid": &*plan.steps[0].uid, "generation": generation}, "spec": {}});
    let told = |generation| settle(&sent, Some(&object(generation)), Age(60), Age(30));
    // One change, and not ours: it was refused. Two: ours may have been the first.
    assert!(matches!(told(4), Settled::NotLanded(_)));
    assert!(matches!(told(5), Settled::Overtaken(_)));
}

#[test]
fn the_last_destination_that_is_healthy_keeps_its_traffic_until_somebody_insists() {
    // Nobody here knows how a host outside of the clusters is: web-gcp is the last that is known to be healthy.
    let mut route = split(&json!(60), &json!(40));
    route["spec"]["http"][1]["route"][0]["destination"]["host"] = "web.example.org".into();
    let outside = crate::world::service_entry("ml/outside", "web.example.org");
    let objects = vec![route, outside, service("web-gcp"), endpoints("web-gcp", 3)];
    let mut bench = Bench::new(policy(), &[("aws-east", "v1.33.5", objects)]);
    let mut intent = weights(&bench, &["aws-east"], &[100, 0], None);
    intent.overrides.extend([Override::StepSize, Override::UnknownCapacity]);
    let refusal = bench.plan(&intent).unwrap_err();
    assert_eq!(refusal.rule, Some(Override::LastDestination), "{refusal}");
    intent.overrides.insert(Override::LastDestination);
    let plan = bench.plan(&intent).unwrap();
    assert_eq!(plan.confirm.strength, Strength::Full);
    assert!(plan.confirm.phrase.contains("last-destination"), "{}", plan.confirm.phrase);
}
