//! Every kind that can be changed goes the same way: planned, applied, and taken back to the byte.

use proptest::prelude::*;
use serde_json::{Value, json};
use skydeck::fleet::{Age, Kind, ObjectId, ObjectKey};
use skydeck::gate::intent::{Ramp, Weights};
use skydeck::gate::operation::Outcome;
use skydeck::gate::plan::Write;
use skydeck::gate::{Amount, Intent, Override, ScaleTo, Wish};

use super::bench::{Bench, policy};
use super::routes::{endpoints, service};
use crate::world::meta;

fn route(kind: &str, api: &str, spec: &Value) -> Value {
    json!({"apiVersion": api, "kind": kind, "metadata": meta("ml/split"), "spec": spec})
}

/// The route, its rule with the weights, and where they stand.
fn routes() -> Vec<(Kind, Value, usize, [&'static str; 2])> {
    const ISTIO: &str = "networking.istio.io/v1beta1";
    const GATEWAY: &str = "gateway.networking.k8s.io/v1";
    let plain = |host: &str, weight: u32| json!({"destination": {"host": host, "port": {"number": 80}}, "weight": weight});
    let backend = |name: &str, weight: u32| json!({"name": name, "port": 80, "weight": weight, "filters": [{"type": "X"}]});
    let record = |id: &str, weight: &str| {
        json!({"dnsName": "api.example.com", "recordType": "CNAME", "targets": [format!("{id}.example.com")], "setIdentifier": id,
            "providerSpecific": [{"name": "aws/evaluate-target-health", "value": "true"}, {"name": "aws/weight", "value": weight}]})
    };
    let pair = json!([plain("web-aws", 60), plain("web-gcp", 40)]);
    vec![
        (
            Kind::VirtualService,
            route(
                "VirtualService",
                ISTIO,
                &json!({"hosts": ["db"], "tcp": [{"match": [{"port": 5432}], "route": pair}]}),
            ),
            0,
            ["/spec/tcp/0/route/0/weight", "/spec/tcp/0/route/1/weight"],
        ),
        (
            Kind::VirtualService,
            route(
                "VirtualService",
                ISTIO,
                &json!({"hosts": ["x"], "gateways": ["g"], "tls": [{"match": [{"sniHosts": ["x"]}], "route": pair}]}),
            ),
            0,
            ["/spec/tls/0/route/0/weight", "/spec/tls/0/route/1/weight"],
        ),
        (
            Kind::HttpRoute,
            route(
                "HTTPRoute",
                GATEWAY,
                &json!({"parentRefs": [{"name": "g"}], "rules": [{"matches": [{"path": {"value": "/"}}], "backendRefs": [backend("web-aws", 60), backend("web-gcp", 40)]}]}),
            ),
            0,
            ["/spec/rules/0/backendRefs/0/weight", "/spec/rules/0/backendRefs/1/weight"],
        ),
        (
            Kind::GrpcRoute,
            route(
                "GRPCRoute",
                GATEWAY,
                &json!({"parentRefs": [{"name": "g"}], "rules": [{"backendRefs": [backend("web-aws", 60), backend("web-gcp", 40)]}]}),
            ),
            0,
            ["/spec/rules/0/backendRefs/0/weight", "/spec/rules/0/backendRefs/1/weight"],
        ),
        (
            Kind::DnsEndpoint,
            route(
                "DNSEndpoint",
                "externaldns.k8s.io/v1alpha1",
                &json!({"endpoints": [record("aws", "60"), record("gcp", "40")]}),
            ),
            0,
            ["/spec/endpoints/0/providerSpecific/1/value", "/spec/endpoints/1/providerSpecific/1/value"],
        ),
    ]
}

fn bench(object: Value) -> Bench {
    let objects = vec![
        object,
        service("web-aws"),
        endpoints("web-aws", 3),
        service("web-gcp"),
        endpoints("web-gcp", 3),
    ];
    Bench::new(policy(), &[("aws-east", "v1.33.5", objects)])
}

fn shift(bench: &Bench, kind: Kind, rule: usize, to: [u32; 2], ramp: Option<Ramp>) -> Intent {
    let place = bench.place("aws-east", kind, "ml/split");
    let mut intent = Intent::new(Wish::Weights(Weights {
        route: place.object,
        clusters: vec![place.cluster],
        left_out: Vec::new(),
        rule,
        to: to.to_vec(),
        ramp,
    }));
    // Of names outside of the clusters nobody knows.
    intent.overrides.insert(Override::UnknownCapacity);
    intent
}

#[test]
fn weights_of_every_kind_there_and_back() {
    for (kind, object, rule, pointers) in routes() {
        for ramp in [None, Some(Ramp { by: 10, every: Age(60) })] {
            let mut bench = bench(object.clone());
            let place = bench.place("aws-east", kind, "ml/split");
            let before = bench.object(&place)["spec"].clone();
            let intent = shift(&bench, kind, rule, [45, 55], ramp);
            let plan = bench.plan(&intent).unwrap_or_else(|no| panic!("{pointers:?}: {no}"));
            let shown: Vec<_> = plan.steps[0].changes.iter().map(|it| it.pointer.as_str()).collect();
            assert_eq!(shown, pointers);
            let id = bench.confirmed(&intent);
            bench.run(&id, 300).unwrap();
            assert_eq!(bench.outcome(&id), Outcome::Done, "{pointers:?}");
            let mut wanted = json!({"spec": before.clone()});
            for (pointer, weight) in pointers.iter().zip([45, 55]) {
                let value = wanted.pointer_mut(pointer).unwrap();
                *value = if value.is_string() { weight.to_string().into() } else { weight.into() };
            }
            assert_eq!(bench.object(&place)["spec"], wanted["spec"], "nothing but the weights");
            let mut back = Intent::new(Wish::Undo(id));
            back.overrides.insert(Override::UnknownCapacity);
            let undo = bench.confirmed(&back);
            bench.run(&undo, 60).unwrap();
            assert_eq!(bench.outcome(&undo), Outcome::Done, "{pointers:?}");
            assert_eq!(bench.object(&place)["spec"].to_string(), before.to_string());
        }
    }
}

#[test]
fn a_dns_name_goes_to_nobody_never_and_without_weights_not_step_by_step() {
    let (kind, object, rule, _) = routes().pop().unwrap();
    let mut plain = bench(object.clone());
    let intent = shift(&plain, kind, rule, [0, 0], None);
    assert_eq!(plain.plan(&intent).unwrap_err().words, "all weights would be zero");
    let mut without = object;
    without["spec"]["endpoints"][1]["providerSpecific"].as_array_mut().unwrap().pop();
    let mut bench = bench(without);
    let ramp = Some(Ramp { by: 10, every: Age(60) });
    let mut intent = shift(&bench, kind, rule, [50, 50], ramp);
    intent.overrides.insert(Override::StepSize);
    let refusal = bench.plan(&intent).unwrap_err();
    assert_eq!(refusal.words, "a record has no weight yet, which cannot be written step by step");
}

#[test]
fn whatever_has_replicas_is_scaled_by_its_subresource() {
    for (kind, api, name) in [
        (Kind::StatefulSet, "apps/v1", "StatefulSet"),
        (Kind::Rollout, "argoproj.io/v1alpha1", "Rollout"),
        (Kind::LeaderWorkerSet, "leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet"),
    ] {
        let mut bench = bench(json!({"apiVersion": api, "kind": name, "metadata": meta("ml/db"),
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "db"}}, "template": {"metadata": {"labels": {"app": "db"}}}},
            "status": {"replicas": 2, "readyReplicas": 2, "observedGeneration": 3}}));
        let cluster = bench.world.state.cluster_named("aws-east").unwrap().id;
        let object = ObjectId { kind, key: ObjectKey::new("ml", "db") };
        let place = skydeck::gate::Place { cluster, object };
        let plan = bench
            .plan(&Intent::new(Wish::Scale(vec![ScaleTo { place: place.clone(), to: Amount::Replicas(3) }])))
            .unwrap_or_else(|no| panic!("{name}: {no}"));
        assert_eq!(
            (&plan.steps[0].write, &plan.steps[0].object),
            (&Write::Scale { replicas: 3 }, &place.object)
        );
    }
}

/// Weights as somebody wrote them: any number of destinations, some without a weight.
fn written(kind: Kind, weights: &[Option<u32>]) -> Value {
    let with = |mut it: Value, weight: &Option<u32>| {
        if let Some(weight) = weight {
            it["weight"] = (*weight).into();
        }
        it
    };
    let host = |at: usize| format!("web-{at}");
    let all = || weights.iter().enumerate();
    if kind == Kind::VirtualService {
        let route: Vec<_> =
            all().map(|(at, it)| with(json!({"destination": {"host": host(at)}}), it)).collect();
        route_of(kind, &json!({"hosts": ["x"], "http": [{"route": route}]}))
    } else {
        let refs: Vec<_> = all().map(|(at, it)| with(json!({"name": host(at), "port": 80}), it)).collect();
        route_of(kind, &json!({"rules": [{"backendRefs": refs}]}))
    }
}

fn route_of(kind: Kind, spec: &Value) -> Value {
    let api =
        if kind == Kind::VirtualService { "networking.istio.io/v1" } else { "gateway.networking.k8s.io/v1" };
    route(kind.name(), api, spec)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// What is read are the weights as they were written; written again they are the same bytes; shares are what the mesh
    /// makes of them: together everything, each in proportion.
    #[test]
    fn weights_are_read_and_written_again_as_they_were(
        kind in prop::sample::select(vec![Kind::VirtualService, Kind::HttpRoute, Kind::GrpcRoute]),
        weights in prop::collection::vec(prop::option::of(0u32..1000), 2..6),
    ) {
        let object = written(kind, &weights);
        let read = skydeck::fleet::route::read(kind, &object).unwrap();
        let rule = &read.rules[0];
        let told: Vec<_> = rule.destinations().iter().map(|it| it.weight).collect();
        let wanted: Vec<_> = weights.iter().map(|it| it.map(i64::from)).collect();
        prop_assert_eq!(told, wanted);
        let mut again = object.clone();
        for it in rule.destinations() {
            if let (Some(weight), Some(place)) = (it.weight, again.pointer_mut(it.pointer())) {
                *place = it.weight_value(weight);
            }
        }
        prop_assert_eq!(again.to_string(), object.to_string());
        // What is not written is nothing in Istio and one in the Gateway API.
        let omitted = u32::from(kind != Kind::VirtualService);
        let counted: Vec<f64> = weights.iter().map(|it| f64::from(it.unwrap_or(omitted))).collect();
        let sum: f64 = counted.iter().sum();
        prop_assume!(sum > 0.0);
        let shares: Vec<f64> = rule.destinations().iter().map(|it| it.share.unwrap()).collect();
        prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        for (share, weight) in shares.iter().zip(&counted) {
            prop_assert!((share - weight / sum).abs() < 1e-9, "{:?} {:?}", shares, counted);
        }
    }

    /// Plan → apply → undo is the identity for whatever decides the number.
    #[test]
    fn scaled_there_and_back_is_where_it_was(
        scaler in 0usize..3, now in 1u32..50, to in 1u32..50, floor in 1u32..10, room in 0u32..20,
    ) {
        let name = "ml/web";
        let mut objects = vec![crate::world::deployment(name, now, now, "1.0", 0)];
        let decider = match scaler {
            1 => Some((Kind::HorizontalPodAutoscaler, crate::world::hpa(name, floor, floor + room))),
            2 => Some((Kind::ScaledObject, json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
                "metadata": meta(name), "spec": {"scaleTargetRef": {"name": "web"}, "maxReplicaCount": floor + room}}))),
            _ => None,
        };
        objects.extend(decider.iter().map(|it| it.1.clone()));
        let mut bench = Bench::new(policy(), &[("aws-east", "v1.33.5", objects)]);
        let kind = decider.map_or(Kind::Deployment, |it| it.0);
        let place = bench.place("aws-east", kind, name);
        let before = bench.object(&place)["spec"].to_string();
        let intent = bench.scale(&[("aws-east", name, Amount::Replicas(to))]);
        if let Err(refusal) = bench.plan(&intent) {
            prop_assert!(refusal.is_already, "{}", refusal);
        } else {
            let id = bench.confirmed(&intent);
            bench.run(&id, 100).unwrap();
            prop_assert_eq!(bench.outcome(&id), Outcome::Done);
            let undo = bench.confirmed(&Intent::new(Wish::Undo(id)));
            bench.run(&undo, 100).unwrap();
            prop_assert_eq!(bench.outcome(&undo), Outcome::Done);
        }
        prop_assert_eq!(bench.object(&place)["spec"].to_string(), before);
        let pinned = &bench.object(&place)["metadata"]["annotations"]["autoscaling.keda.sh/paused-replicas"];
        prop_assert!(pinned.is_null(), "{}", pinned);
    }
}
