//! Traps that operators of fleets have fallen into, held against the gate. Others of them stand where their rule
//! stands: weights in `fleet/route`, owners in `routes`, numbers in `plans`.

use serde_json::{Value, json};
use skydeck::fleet::Kind;
use skydeck::gate::{Amount, Override, Policy};

use super::bench::{Bench, policy};
use super::routes::{endpoints, service, split, weights};
use crate::world::{deployment, meta};

fn with(objects: Vec<Value>) -> Bench {
    let mut all = vec![
        split(&json!(60), &json!(40)),
        service("web-aws"),
        endpoints("web-aws", 3),
        service("web-gcp"),
        endpoints("web-gcp", 3),
    ];
    all.extend(objects);
    Bench::new(policy(), &[("aws-east", "v1.33.5", all)])
}

#[test]
fn one_destination_gets_everything_whatever_its_weight() {
    let mut bench = with(Vec::new());
    let mut intent = weights(&bench, &["aws-east"], &[0], None);
    let skydeck::gate::Wish::Weights(wish) = &mut intent.wish else { unreachable!() };
    wish.rule = 0;
    let refusal = bench.plan(&intent).unwrap_err();
    assert!(refusal.words.contains("one destination in aws-east, which gets everything"), "{refusal}");
}

#[test]
fn weights_that_a_rollout_writes_are_its_own() {
    let rollout = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": meta("ml/llm"),
        "spec": {"strategy": {"canary": {"trafficRouting": {"istio": {"virtualService": {"name": "split"}}}}}}});
    let mut bench = with(vec![rollout]);
    let mut intent = weights(&bench, &["aws-east"], &[50, 50], None);
    let refusal = bench.plan(&intent).unwrap_err();
    assert_eq!(refusal.rule, Some(Override::Owner));
    assert!(refusal.to_string().contains("Rollout ml/llm"), "{refusal}");
    // Whoever insists types it.
    intent.overrides.insert(Override::Owner);
    let plan = bench.plan(&intent).unwrap();
    assert!(plan.confirm.phrase.starts_with("override owner "), "{}", plan.confirm.phrase);
}

#[test]
fn what_kserve_makes_is_changed_above_it() {
    let mut made = deployment("ml/llm-predictor", 4, 4, "1.0", 0);
    made["metadata"]["labels"]["component"] = json!("predictor");
    made["metadata"]["ownerReferences"] = json!([{"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "name": "llm", "uid": "u", "controller": true}]);
    let serving = json!({"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": meta("ml/llm"),
        "spec": {"predictor": {"minReplicas": 4, "maxReplicas": 8}}});
    let elsewhere = vec![deployment("ml/llm-predictor", 3, 3, "1.0", 0)];
    let mut bench = Bench::new(
        Policy::default(),
        &[("aws-east", "v1.33.5", vec![made, serving]), ("gcp-central", "v1.34.1", elsewhere)],
    );
    let intent = bench.scale(&[("aws-east", "ml/llm-predictor", Amount::Replicas(6))]);
    let plan = bench.plan(&intent).unwrap();
    assert_eq!(plan.steps[0].object.kind, Kind::InferenceService);
    assert_eq!(plan.steps[0].changes[0].label, "spec.predictor.minReplicas");
    assert!(plan.notes.iter().any(|note| note.text.contains("would put a number back")), "{:?}", plan.notes);
}
