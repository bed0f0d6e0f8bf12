//! Wishes in, plans or refusals out: the right object, the right words, the right strength.

use serde_json::{Value, json};
use skydeck::fleet::Kind;
use skydeck::gate::diff;
use skydeck::gate::plan::Write;
use skydeck::gate::{Amount, Intent, Override, Policy, Strength, Wish};
use skydeck::state::ClusterSpec;

use super::bench::{Bench, policy};
use crate::world::{deployment, hpa, meta};

fn bench(objects: Vec<Value>) -> Bench {
    let mut all = vec![deployment("ml/web", 4, 4, "1.0", 0)];
    all.extend(objects);
    // Another cluster keeps serving, so that nothing here is the last capacity.
    let elsewhere = vec![deployment("ml/web", 3, 3, "1.0", 0)];
    Bench::new(policy(), &[("aws-east", "v1.33.5", all), ("gcp-central", "v1.34.1", elsewhere)])
}

fn to(bench: &mut Bench, amount: Amount) -> Result<skydeck::gate::Plan, skydeck::gate::Refusal> {
    let intent = bench.scale(&[("aws-east", "ml/web", amount)]);
    bench.plan(&intent)
}

fn text(bench: &mut Bench, plan: skydeck::gate::Plan) -> Vec<String> {
    let id = plan.id.clone();
    let _ = bench.desk.begin(plan, &bench.world.state);
    diff::lines(bench.operation(&id)).iter().map(|line| line.text.trim_end().to_owned()).collect()
}

#[test]
fn a_plan_reads_as_what_it_does() {
    let mut bench = bench(Vec::new());
    let plan = to(&mut bench, Amount::Replicas(6)).unwrap();
    assert_eq!(plan.steps[0].write, Write::Scale { replicas: 6 });
    assert_eq!(plan.confirm.strength, Strength::Key);
    let mut shown = text(&mut bench, plan);
    assert!(
        shown[3].starts_with("aws-east: room for 0 more of 2 (scheduler estimate)"),
        "no nodes: {}",
        shown[3]
    );
    shown.remove(3);
    assert_eq!(
        shown,
        [
            "1  aws-east  Deployment ml/web  generation 3",
            "     spec.replicas  4 → 6",
            "     asking the server",
            "undo   spec.replicas 4 in aws-east, as a new plan",
        ]
    );
}

#[test]
fn an_autoscaler_is_changed_and_not_what_it_would_put_back() {
    let mut bench = bench(vec![hpa("ml/web", 3, 20)]);
    let plan = to(&mut bench, Amount::Replicas(6)).unwrap();
    assert_eq!(plan.steps[0].object.kind, Kind::HorizontalPodAutoscaler);
    let labels: Vec<_> = plan.steps[0].changes.iter().map(|it| it.label.to_string()).collect();
    assert_eq!(labels, ["spec.minReplicas"], "the maximum is enough");
    assert!(plan.notes[0].text.contains("its next sync (15s)"), "{:?}", plan.notes);
    let plan = to(&mut bench, Amount::Range { min: 2, max: 30 }).unwrap();
    assert_eq!(plan.steps[0].changes.len(), 2);
    let refusal = to(&mut bench, Amount::Replicas(0)).unwrap_err();
    assert_eq!(refusal.rule, Some(Override::Owner), "{refusal}");
    // Whoever insists on nothing at all writes the workload, which switches the autoscaler off, and is told so.
    let mut intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(0))]);
    intent.overrides.insert(Override::Owner);
    let plan = bench.plan(&intent).unwrap();
    assert_eq!(plan.steps[0].object.kind, Kind::Deployment);
    assert_eq!(plan.confirm.phrase, "override owner aws-east/web 0");
    assert!(plan.notes[0].is_warning);
    // Any other number goes to what decides, whoever has an opinion about that.
    let mut intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
    intent.overrides.insert(Override::Owner);
    assert_eq!(bench.plan(&intent).unwrap().steps[0].object.kind, Kind::HorizontalPodAutoscaler);
}

#[test]
fn keda_is_pinned_by_a_number_and_freed_by_a_range() {
    let scaled = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": meta("ml/web-scaler"),
        "spec": {"scaleTargetRef": {"name": "web"}, "minReplicaCount": 1, "maxReplicaCount": 9}});
    let mut bench = bench(vec![scaled]);
    let plan = to(&mut bench, Amount::Replicas(6)).unwrap();
    assert_eq!(plan.steps[0].object.kind, Kind::ScaledObject);
    assert_eq!(plan.steps[0].changes[0].label, "annotation autoscaling.keda.sh/paused-replicas");
    assert_eq!(plan.steps[0].changes[0].after, "6");
    let id = bench.confirmed(&bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]));
    bench.run(&id, 30).unwrap();
    let place = bench.place("aws-east", Kind::ScaledObject, "ml/web-scaler");
    assert_eq!(bench.object(&place)["metadata"]["annotations"]["autoscaling.keda.sh/paused-replicas"], "6");
    // Taken back, the annotation is gone again.
    let undo = bench.confirmed(&Intent::new(Wish::Undo(id)));
    bench.run(&undo, 30).unwrap();
    assert!(
        bench.object(&place)["metadata"]["annotations"].get("autoscaling.keda.sh/paused-replicas").is_none()
    );
    let plan = to(&mut bench, Amount::Range { min: 2, max: 12 }).unwrap();
    let labels: Vec<_> = plan.steps[0].changes.iter().map(|it| it.label.to_string()).collect();
    assert_eq!(labels, ["spec.minReplicaCount", "spec.maxReplicaCount"]);
}

#[test]
fn what_a_controller_made_is_not_scaled_behind_its_back() {
    let mut owned = deployment("ml/pred", 1, 1, "1.0", 0);
    owned["metadata"]["ownerReferences"] = json!([{"kind": "Widget", "name": "w", "controller": true}]);
    let mut bench = bench(vec![owned]);
    let intent = bench.scale(&[("aws-east", "ml/pred", Amount::Replicas(2))]);
    let refusal = bench.plan(&intent).unwrap_err();
    assert_eq!(refusal.words, "Deployment ml/pred is made by the Widget w");
    assert_eq!(refusal.rule, Some(Override::Owner));
}

#[test]
fn the_more_can_go_wrong_the_more_must_be_typed() {
    let mut bench = bench(Vec::new());
    let plan = to(&mut bench, Amount::Replicas(0)).unwrap();
    assert_eq!((plan.confirm.strength, plan.confirm.phrase.as_str()), (Strength::Full, "aws-east/web 0"));
    let several = bench.scale(&[
        ("aws-east", "ml/web", Amount::Replicas(6)),
        ("gcp-central", "ml/web", Amount::Replicas(6)),
    ]);
    let plan = bench.plan(&several).unwrap();
    assert_eq!((plan.confirm.strength, plan.confirm.phrase.as_str()), (Strength::Name, "web"));
    let id = bench.world.state.cluster_named("aws-east").unwrap().id;
    let spec = ClusterSpec {
        name: "aws-east".into(),
        environment: Some("Production".into()),
        ..ClusterSpec::default()
    };
    bench.world.state.respecify(id, spec);
    let plan = to(&mut bench, Amount::Replicas(6)).unwrap();
    assert!(plan.confirm.is_production);
    assert_eq!(plan.confirm.phrase, "web");
}

#[test]
fn a_label_makes_an_object_production_on_the_way_back_too() {
    let mut web = deployment("ml/web", 4, 4, "1.0", 0);
    web["metadata"]["labels"]["environment"] = "production".into();
    let elsewhere = vec![deployment("ml/web", 3, 3, "1.0", 0)];
    let policy = Policy { production_label: "environment".into(), ..policy() };
    let mut bench =
        Bench::new(policy, &[("aws-east", "v1.33.5", vec![web]), ("gcp-central", "v1.34.1", elsewhere)]);
    let plan = to(&mut bench, Amount::Replicas(5)).unwrap();
    assert!(plan.confirm.is_production && plan.confirm.strength == Strength::Name);
    let id = bench.confirmed(&bench.scale(&[("aws-east", "ml/web", Amount::Replicas(5))]));
    bench.run(&id, 60).unwrap();
    let back = bench.plan(&Intent::new(Wish::Undo(id))).unwrap();
    assert!(back.confirm.is_production && back.confirm.strength == Strength::Name);
}

#[test]
fn nothing_is_left_that_serves() {
    let mut bench =
        Bench::new(policy(), &[("aws-east", "v1.33.5", vec![deployment("ml/web", 4, 4, "1.0", 0)])]);
    let refusal = to(&mut bench, Amount::Replicas(0)).unwrap_err();
    assert_eq!(
        (refusal.rule, refusal.words.as_str()),
        (Some(Override::LastCapacity), "nothing of ml/web would be ready anywhere")
    );
    let mut intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(0))]);
    intent.overrides.insert(Override::LastCapacity);
    assert_eq!(bench.plan(&intent).unwrap().confirm.phrase, "override last-capacity aws-east/web 0");
}

#[test]
fn below_the_budget_and_below_the_floor() {
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta("ml/web"),
        "spec": {"selector": {"matchLabels": {"app": "ml/web"}}},
        "status": {"desiredHealthy": 3, "currentHealthy": 4, "disruptionsAllowed": 1}});
    let mut bench = bench(vec![budget]);
    let plan = to(&mut bench, Amount::Replicas(2)).unwrap();
    assert_eq!(plan.confirm.strength, Strength::Full);
    assert!(plan.notes[0].text.contains("wants 3 healthy; it guards evictions and does not hold this"));
    assert_eq!(to(&mut bench, Amount::Replicas(3)).unwrap().confirm.strength, Strength::Key);
    bench.desk.policy = Policy { floor: 2, ..policy() };
    let refusal = to(&mut bench, Amount::Replicas(1)).unwrap_err();
    assert_eq!((refusal.rule, refusal.words.as_str()), (Some(Override::Floor), "1 is below the floor of 2"));
}

#[test]
fn what_cannot_be_planned_says_why() {
    let mut bench = bench(Vec::new());
    let refusal = to(&mut bench, Amount::Replicas(4)).unwrap_err();
    assert_eq!((refusal.words.as_str(), refusal.is_already), ("nothing to change: it is so already", true));
    let refusal = to(&mut bench, Amount::Range { min: 1, max: 4 }).unwrap_err();
    assert_eq!(refusal.words, "ml/web has no autoscaler, so no range");
    let id = bench.world.state.cluster_named("aws-east").unwrap().id;
    let spec = ClusterSpec { name: "aws-east".into(), read_only: true, ..ClusterSpec::default() };
    bench.world.state.respecify(id, spec);
    assert_eq!(
        to(&mut bench, Amount::Replicas(5)).unwrap_err().words,
        "aws-east is never to be changed from here"
    );
    let empty = Intent::new(Wish::Scale(Vec::new()));
    assert_eq!(bench.plan(&empty).unwrap_err().words, "nothing is marked");
}

#[test]
fn whether_an_autoscaler_decides_must_be_known() {
    let mut bench = bench(Vec::new());
    // Nothing is heard for longer than a stale source may live.
    let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
    let sight = bench.look(&intent.wish);
    bench.world.later(120);
    let id = bench.id();
    let refusal = bench.desk.plan(&id, &intent, &sight, &bench.world.state).unwrap_err();
    assert_eq!(refusal.words, "whether an autoscaler decides is not known: aws-east is stale");
    assert_eq!(refusal.rule, Some(Override::Owner));
}

#[test]
fn what_was_read_too_long_ago_is_not_planned_with() {
    let mut bench = bench(Vec::new());
    let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
    let sight = bench.look(&intent.wish);
    // Everything is heard all the time: only what was read for the plan grows old.
    let too_long = bench.desk.policy.plan_expiry.0 + 1;
    for _ in 0..too_long {
        bench.second();
    }
    let id = bench.id();
    let refusal = bench.desk.plan(&id, &intent, &sight, &bench.world.state);
    let refusal = refusal.expect_err("it is planned with what was read long ago");
    assert_eq!(refusal.words, "Deployment ml/web was read 10m ago");
    assert!(bench.plan(&intent).is_ok(), "read again it is");
}

#[test]
fn a_restart_is_what_kubectl_does() {
    let mut bench = bench(Vec::new());
    let place = bench.place("aws-east", Kind::Deployment, "ml/web");
    let id = bench.confirmed(&Intent::new(Wish::Restart(vec![place.clone()])));
    bench.run(&id, 60).unwrap();
    let template = &bench.object(&place)["spec"]["template"]["metadata"];
    assert!(
        template["annotations"]["kubectl.kubernetes.io/restartedAt"].as_str().unwrap().starts_with("2026-")
    );
    assert_eq!(template["labels"]["app"], "ml/web", "nothing else moved");
    let refusal = bench.plan(&Intent::new(Wish::Undo(id))).unwrap_err();
    assert_eq!(refusal.words, "a restart cannot be taken back");
}
