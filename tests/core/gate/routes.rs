//! Traffic: weights in every source cluster, byte for byte nothing else; slow, never dark, never onto nothing.

use proptest::prelude::*;
use serde_json::{Value, json};
use skydeck::fleet::{Age, Kind};
use skydeck::gate::intent::{Ramp, Weights};
use skydeck::gate::operation::{Outcome, Phase, Why};
use skydeck::gate::plan::Write;
use skydeck::gate::plan::traffic::ease;
use skydeck::gate::{Intent, Override, Plan, Policy, Refusal, Strength, Wish};

use super::bench::{Bench, policy};
use crate::world::{meta, node};

/// `ml/split`: a first rule for canaries, then the one with the weights.
pub(super) fn split(aws: &Value, gcp: &Value) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": meta("ml/split"),
        "spec": {"hosts": ["ml.example.com"], "http": [
            {"match": [{"headers": {"x-canary": {"exact": "true"}}}], "route": [{"destination": {"host": "web-gcp"}}],
                "fault": {"abort": {"percentage": {"value": 0.1}, "httpStatus": 503}}},
            {"route": [
                {"destination": {"host": "web-aws", "port": {"number": 80}}, "weight": aws, "headers": {"request": {"set": {"a": "b"}}}},
                {"destination": {"host": "web-gcp", "port": {"number": 80}}, "weight": gcp}],
             "retries": {"attempts": 3, "perTryTimeout": "2s"}, "timeout": "10s",
             "mirrors": [{"destination": {"host": "shadow"}, "percentage": {"value": 5.5}}]}]}})
}

pub(super) fn service(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": meta(&format!("ml/{name}")),
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}]}})
}

pub(super) fn endpoints(name: &str, ready: usize) -> Value {
    let mut metadata = meta(&format!("ml/{name}-x1"));
    metadata["labels"] = json!({"kubernetes.io/service-name": name});
    let endpoint =
        |at| json!({"addresses": [format!("127.65.0.{at}")], "conditions": {"ready": true, "serving": true}});
    let all: Vec<Value> = (1..=ready).map(endpoint).collect();
    json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata,
        "addressType": "IPv4", "endpoints": all, "ports": [{"port": 80}]})
}

pub(super) fn with_ready(aws: usize, gcp: usize) -> Bench {
    let of = |cloud: &str| {
        vec![
            node("n-0", cloud, "r", 0, true),
            split(&json!(60), &json!(40)),
            service("web-aws"),
            endpoints("web-aws", aws),
            service("web-gcp"),
            endpoints("web-gcp", gcp),
        ]
    };
    let policy = Policy { bake: Age(1), ..policy() };
    Bench::new(
        policy,
        &[("aws-east", "v1.33.5-eks-1", of("aws")), ("gcp-central", "v1.34.1-gke.1", of("gce"))],
    )
}

pub(super) fn weights(bench: &Bench, clusters: &[&str], to: &[u32], ramp: Option<Ramp>) -> Intent {
    let clusters = clusters.iter().map(|name| bench.world.state.cluster_named(name).unwrap().id).collect();
    let route = bench.place("aws-east", Kind::VirtualService, "ml/split").object;
    Intent::new(Wish::Weights(Weights {
        route,
        clusters,
        left_out: Vec::new(),
        rule: 1,
        to: to.to_vec(),
        ramp,
    }))
}

pub(super) fn both(bench: &mut Bench, to: &[u32], ramp: Option<Ramp>) -> Result<Plan, Refusal> {
    let intent = weights(bench, &["aws-east", "gcp-central"], to, ramp);
    bench.plan(&intent)
}

pub(super) fn written(bench: &Bench, cluster: &str) -> Value {
    bench.object(&bench.place(cluster, Kind::VirtualService, "ml/split"))["spec"].clone()
}

#[test]
fn only_the_weights_change_and_undo_brings_back_every_byte() {
    let mut bench = with_ready(3, 3);
    let before = written(&bench, "aws-east");
    let id = bench.confirmed(&weights(&bench, &["aws-east", "gcp-central"], &[50, 50], None));
    bench.run(&id, 60).unwrap();
    assert_eq!(bench.outcome(&id), Outcome::Done);
    for cluster in ["aws-east", "gcp-central"] {
        let mut expected = before.clone();
        expected["http"][1]["route"][0]["weight"] = 50.into();
        expected["http"][1]["route"][1]["weight"] = 50.into();
        assert_eq!(written(&bench, cluster), expected);
    }
    let undo = bench.confirmed(&Intent::new(Wish::Undo(id)));
    bench.run(&undo, 60).unwrap();
    assert_eq!(bench.outcome(&undo), Outcome::Done);
    assert_eq!(written(&bench, "aws-east").to_string(), before.to_string());
}

#[test]
fn the_plan_tests_the_whole_rule_as_it_was_shown() {
    let mut bench = with_ready(3, 3);
    let plan = both(&mut bench, &[50, 50], None).unwrap();
    let Write::Patch(ops) = &plan.steps[0].write else { panic!("a patch") };
    let written: Vec<_> =
        ops.iter().map(|op| format!("{} {}", if op.is_test() { "test" } else { "add" }, op.path())).collect();
    assert_eq!(
        written,
        [
            "test /metadata/uid",
            "test /metadata/generation",
            "test /spec/http/1",
            "add /spec/http/1/route/0/weight",
            "add /spec/http/1/route/1/weight",
            "test /metadata/annotations",
            "add /metadata/annotations",
        ]
    );
    assert_eq!(plan.steps[0].changes[0].label, "http[1].route[0].weight");
    assert_eq!(plan.confirm.strength, Strength::Full, "two clouds");
    assert_eq!(plan.confirm.phrase, "2 clusters/split 50/50");
    assert_eq!(plan.way_back, "60/40 in aws-east, 60/40 in gcp-central, as a new plan");
}

#[test]
fn a_rule_that_somebody_else_changed_is_refused() {
    let mut bench = with_ready(3, 3);
    let intent = weights(&bench, &["aws-east"], &[50, 50], None);
    let (id, sight) = (bench.id(), bench.look(&intent.wish));
    let place = bench.place("aws-east", Kind::VirtualService, "ml/split");
    bench.edit(&place, "/spec/http/1/timeout", json!("3s"));
    let plan = bench.desk.plan(&id, &intent, &sight, &bench.world.state).unwrap();
    let commands = bench.desk.begin(plan, &bench.world.state);
    assert_eq!(commands.len(), 1);
    let id = bench.confirm_after(commands, &id);
    assert!(bench.sent.is_empty());
    let rejection = bench.operation(&id).rejection().unwrap().1;
    assert!(rejection.is_conflict);
}

#[test]
fn a_large_step_is_refused_and_a_ramp_is_not() {
    let mut bench = with_ready(3, 3);
    let refusal = both(&mut bench, &[0, 100], None).unwrap_err();
    assert_eq!(
        (refusal.rule, refusal.words.as_str()),
        (Some(Override::StepSize), "60.0% of the traffic would move in one step of at most 25%")
    );
    let ramp = Ramp { by: 25, every: Age(60) };
    let plan = both(&mut bench, &[0, 100], Some(ramp)).unwrap();
    assert_eq!(plan.steps.len(), 6, "three stages in two clusters");
    let shown: Vec<_> = plan.steps.iter().map(|it| ease::joined(&[number(it, 0), number(it, 1)])).collect();
    assert_eq!(shown, ["40/60", "40/60", "20/80", "20/80", "0/100", "0/100"]);
    assert_eq!(plan.steps.iter().map(|it| it.wait.0).collect::<Vec<_>>(), [0, 1, 60, 1, 60, 1]);
    for (ramp, words) in [
        (Ramp { by: 50, every: Age(60) }, "steps of 50% are not between 1% and 25%"),
        (Ramp { by: 0, every: Age(60) }, "steps of 0% are not between 1% and 25%"),
        (Ramp { by: 10, every: Age(5) }, "5s between two steps is less than 1m"),
    ] {
        assert_eq!(both(&mut bench, &[0, 100], Some(ramp)).unwrap_err().words, words);
    }
}

fn number(step: &skydeck::gate::Step, at: usize) -> u32 {
    u32::try_from(step.changes[at].after.as_u64().unwrap()).unwrap()
}

#[test]
fn traffic_never_goes_dark_or_onto_nothing() {
    let mut bench = with_ready(3, 3);
    assert_eq!(both(&mut bench, &[0, 0], None).unwrap_err().hint, "at least one weight must be above 0");
    let mut bench = with_ready(3, 0);
    let refusal = both(&mut bench, &[50, 50], None).unwrap_err();
    assert_eq!(
        (refusal.rule, refusal.words.as_str()),
        (None, "aws-east: web-gcp has no ready endpoint and would get more traffic")
    );
    // Away from what is broken is always allowed.
    assert!(both(&mut bench, &[80, 20], None).is_ok());
    let mut bench = with_ready(0, 3);
    let mut intent = weights(&bench, &["aws-east", "gcp-central"], &[100, 0], None);
    intent.overrides.insert(Override::StepSize);
    let refusal = bench.plan(&intent).unwrap_err();
    assert!(refusal.words.contains("web-aws has no ready endpoint"), "{refusal}");
}

#[test]
fn a_ramp_stops_when_its_destination_is_not_ready_any_more() {
    let mut bench = with_ready(3, 3);
    let ramp = Ramp { by: 25, every: Age(60) };
    let id = bench.confirmed(&weights(&bench, &["aws-east"], &[0, 100], Some(ramp)));
    for _ in 0..30 {
        bench.drive().unwrap();
        bench.second();
    }
    assert_eq!(bench.sent.len(), 1, "the next stage waits");
    let cluster = bench.world.state.cluster_named("aws-east").unwrap().id;
    let at = bench.world.state.now.mono;
    bench.world.item(cluster, at, &endpoints("web-gcp", 0));
    bench.run(&id, 10).unwrap();
    assert!(
        matches!(&bench.operation(&id).phase, Phase::Paused(Why::Stopped(words)) if *words == "web-gcp: 0 ready endpoints"),
        "{:?}",
        bench.operation(&id).phase
    );
    assert_eq!(bench.desk.to_be_returned(), Some(id.clone()));
    // The way back was confirmed with the ramp.
    let plan = bench.plan(&Intent::new(Wish::Undo(id.clone()))).unwrap();
    let back = plan.id.clone();
    let commands = bench.desk.begin_preapproved(plan, &bench.world.state);
    bench.queue(commands);
    bench.run(&back, 60).unwrap();
    bench.second();
    assert_eq!((bench.outcome(&back), bench.outcome(&id)), (Outcome::Done, Outcome::Returned));
    assert_eq!(written(&bench, "aws-east")["http"][1]["route"][0]["weight"], 60);
}

#[test]
fn a_ramp_goes_all_the_way_and_builds_each_stage_on_the_one_before() {
    let mut bench = with_ready(3, 3);
    let ramp = Ramp { by: 20, every: Age(60) };
    let id = bench.confirmed(&weights(&bench, &["aws-east", "gcp-central"], &[0, 100], Some(ramp)));
    let begun = bench.world.state.now;
    bench.run(&id, 1000).unwrap();
    assert_eq!(bench.outcome(&id), Outcome::Done);
    assert!(bench.world.state.now.since(begun.mono) >= Age(120));
    assert_eq!(written(&bench, "gcp-central")["http"][1]["route"][1]["weight"], 100);
}

#[test]
fn omitted_weights_are_nothing_in_istio_and_come_back_as_nothing() {
    let mut route = split(&json!(100), &json!(null));
    route["spec"]["http"][1]["route"][1].as_object_mut().unwrap().remove("weight");
    let objects =
        vec![route, service("web-aws"), endpoints("web-aws", 3), service("web-gcp"), endpoints("web-gcp", 3)];
    let mut bench = Bench::new(policy(), &[("aws-east", "v1.33.5", objects)]);
    let before = written(&bench, "aws-east");
    let id = bench.confirmed(&weights(&bench, &["aws-east"], &[80, 20], None));
    bench.run(&id, 60).unwrap();
    assert_eq!(bench.outcome(&id), Outcome::Done);
    let undo = bench.confirmed(&Intent::new(Wish::Undo(id)));
    bench.run(&undo, 60).unwrap();
    assert_eq!(written(&bench, "aws-east").to_string(), before.to_string());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Plan → apply → undo is the identity, and whatever is planned passes a check of its own.
    #[test]
    fn there_and_back_is_where_it_was(aws in 0u32..200, gcp in 0u32..200, to_aws in 0u32..200, to_gcp in 0u32..200, by in 5u32..=25) {
        prop_assume!(aws + gcp > 0 && to_aws + to_gcp > 0);
        let objects = vec![split(&json!(aws), &json!(gcp)), service("web-aws"), endpoints("web-aws", 3), service("web-gcp"), endpoints("web-gcp", 2)];
        let mut bench = Bench::new(policy(), &[("aws-east", "v1.33.5", objects)]);
        let before = written(&bench, "aws-east");
        let intent = weights(&bench, &["aws-east"], &[to_aws, to_gcp], Some(Ramp { by, every: Age(60) }));
        let planned = bench.plan(&intent);
        if (aws, gcp) == (to_aws, to_gcp) {
            prop_assert!(planned.is_err());
            return Ok(());
        }
        let plan = planned.unwrap();
        for step in &plan.steps {
            let (old, new) = ([&step.changes[0].before, &step.changes[1].before], [number(step, 0), number(step, 1)]);
            prop_assert!(new.iter().sum::<u32>() > 0, "never dark");
            let old = old.map(|it| u32::try_from(it.as_u64().unwrap()).unwrap());
            prop_assert!(ease::largest_move(&old, &new) <= 25.5 , "{old:?} {new:?}");
        }
        let id = bench.confirmed(&intent);
        bench.run(&id, 2000).unwrap();
        prop_assert_eq!(bench.outcome(&id), Outcome::Done);
        let undo = bench.confirmed(&Intent::new(Wish::Undo(id)));
        bench.run(&undo, 200).unwrap();
        prop_assert_eq!(bench.outcome(&undo), Outcome::Done);
        prop_assert_eq!(written(&bench, "aws-east").to_string(), before.to_string());
    }
}
