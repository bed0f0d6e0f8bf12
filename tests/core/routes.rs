//! Routes over clusters: what stands behind a weight, who owns it, where the copies differ.

use std::sync::Arc;

use serde_json::{Value, json};
use skydeck::cli::status::document;
use skydeck::fleet::{
    ClusterFact, ClusterId, FaultKind, Kind, Marks, ObjectId, ObjectKey, SourceFact, SourceState,
};
use skydeck::state::select::owner::{Verdict, VerdictKind, verdict};
use skydeck::state::select::routes::rows::{RouteRow, rows};
use skydeck::state::select::routes::{self, Drift};

use crate::world::{
    Screen, World, ago, deployment, destination, fleet, http_route, meta, multicloud, service, service_entry,
    source, virtual_service,
};

const VERSION: &str = "v1.34.0";

fn id(kind: Kind, namespace: &str, name: &str) -> ObjectId {
    ObjectId { kind, key: ObjectKey::new(namespace, name) }
}

fn the_route() -> ObjectId {
    id(Kind::VirtualService, "ml-platform", "ml-inference-multicloud")
}

/// `name share ready/total` of each row, with its clusters.
fn told(world: &World) -> Vec<String> {
    let row = |row: &Arc<RouteRow>| {
        let share = row.share.map_or("?".into(), |share| format!("{:.0}%", share * 100.0));
        let ready = match (row.ready.unknown, row.ready.open) {
            (true, _) => "?".to_owned(),
            (false, true) => format!("{}+?", row.ready.ready),
            (false, false) => format!("{}/{}", row.ready.ready, row.ready.total),
        };
        let name = row.destination().map_or("-".into(), |it| it.name().to_string());
        let clusters: Vec<_> = row.clusters.iter().map(|it| it.name.to_string()).collect();
        format!("{} {name} {share} {ready} in {}", row.rule + 1, clusters.join("+"))
    };
    rows(&world.state).iter().map(row).collect()
}

fn one(objects: &[Value]) -> World {
    let mut world = World::new();
    world.cluster("aws", VERSION, 0, objects);
    world
}

fn split(http: &Value) -> Value {
    virtual_service("ml/route", &json!([{"route": http}]))
}

#[test]
fn a_destination_of_another_cluster_is_counted_there() {
    let world = fleet();
    let of_route: Vec<_> = told(&world).into_iter().skip(2).collect();
    assert_eq!(
        of_route,
        [
            "1 ml-inference-gcp 100% 4/4 in aws-east+gcp-central+azure-eastus",
            "2 ml-inference-aws 60% 6/6 in aws-east+gcp-central+azure-eastus",
            "2 ml-inference-gcp 40% 4/4 in aws-east+gcp-central+azure-eastus",
        ]
    );
    let rows = rows(&world.state);
    assert_eq!(rows[3].clouds.iter().map(ToString::to_string).collect::<Vec<_>>(), ["aws"]);
    assert_eq!(rows[3].notes[..], ["through ServiceEntry aws"]);
    let live: Vec<_> = rows[3].clusters.iter().map(|it| it.live).collect();
    assert_eq!(live, [true, true, false], "what is not heard is not live");
}

#[test]
fn what_is_not_known_is_not_counted() {
    let http = json!([
        destination("here", 1),
        destination("gone", 1),
        destination("api.example.com", 1),
        destination("outside.example.com", 1)
    ]);
    let mut objects = vec![split(&http), service_entry("ml/out", "outside.example.com")];
    objects.extend(service("ml/here", "x", 2, 3));
    let mut world = one(&objects);
    let of = |world: &World| {
        told(world).into_iter().map(|it| it.split(' ').nth(3).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of(&world), ["2/3", "0/0", "0/0", "?"], "what the registry does not have takes nothing");
    // Another cluster that is not read might have it.
    world.configured("gcp");
    assert_eq!(of(&world), ["2/3", "?", "0/0", "?"]);
    let denied = SourceFact::State(SourceState::Denied("no".into()));
    world.source(source(ClusterId(0), Kind::EndpointSlice), ago(0), denied);
    assert_eq!(of(&world), ["?", "?", "0/0", "?"]);
}

#[test]
fn subsets_are_told_apart_by_the_labels_of_pods_or_by_cluster() {
    let versions = [("v1", 3), ("v2", 1)].map(|(version, ready)| {
        let mut it = deployment(&format!("ml/llm-{version}"), ready, ready, "1", 0);
        it["spec"]["template"]["metadata"]["labels"] = json!({"app": "llm", "version": version});
        it
    });
    let subset = |name: &str, labels: Value| json!({"name": name, "labels": labels});
    let rule = json!({"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": meta("ml/llm"),
        "spec": {"host": "llm", "trafficPolicy": {"outlierDetection": {}}, "subsets": [subset("v1", json!({"version": "v1"})), subset("v2", json!({"version": "v2"})),
            subset("hash", json!({"pod-hash": "x"})), subset("gcp", json!({"topology.istio.io/cluster": "gcp"}))]}});
    let to = |name: &str| json!({"destination": {"host": "llm", "subset": name}, "weight": 1});
    let mut objects = vec![split(&json!([to("v1"), to("v2"), to("hash"), to("gcp"), to("none")])), rule];
    objects.extend(versions);
    objects.extend(service("ml/llm", "llm", 4, 4));
    let mut world = one(&objects);
    let mut gcp = service("ml/llm", "llm", 7, 7);
    gcp.push(deployment("ml/llm", 7, 7, "1", 0));
    world.cluster("gcp", VERSION, 0, &gcp);
    assert_eq!(
        told(&world),
        [
            "1 llm/v1 20% 3/3 in aws",
            "1 llm/v2 20% 1/1 in aws",
            "1 llm/hash 20% ? in aws",
            "1 llm/gcp 20% 7/7 in aws",
            "1 llm/none 20% 0/0 in aws",
        ]
    );
    let rows = rows(&world.state);
    assert_eq!(rows[0].notes[..], ["llm: failing endpoints are ejected, and other localities take over"]);
    assert!(rows[4].notes.contains(&"no DestinationRule has the subset none".into()));
    // A rollout on its way has pods of both versions: their labels are not those of the template.
    let mut moving = deployment("ml/llm-v2", 1, 2, "1", 0);
    moving["spec"]["template"]["metadata"]["labels"] = json!({"app": "llm", "version": "v2"});
    moving["status"]["updatedReplicas"] = json!(1);
    world.item(ClusterId(0), ago(0), &moving);
    assert_eq!(told(&world)[0], "1 llm/v1 20% ? in aws");
}

#[test]
fn copies_that_differ_have_rows_of_their_own() {
    let mut world = World::new();
    world.cluster("aws", VERSION, 0, &[multicloud(60, 40)]);
    world.cluster("gcp", VERSION, 0, &[multicloud(50, 50)]);
    world.cluster("azure", VERSION, 0, &[multicloud(60, 40)]);
    let group = routes::group(&world.state, &the_route()).unwrap();
    assert_eq!(group.drift, Drift::Weights);
    let clusters: Vec<_> = told(&world).iter().map(|it| it.rsplit(' ').next().unwrap().to_owned()).collect();
    assert_eq!(clusters, ["aws+azure", "aws+azure", "aws+azure", "gcp", "gcp", "gcp"]);
    let mut other = multicloud(60, 40);
    other["spec"]["http"][1]["timeout"] = json!("9s");
    world.item(ClusterId(2), ago(0), &other);
    assert_eq!(routes::group(&world.state, &the_route()).unwrap().drift, Drift::Rules);
    // A copy that is not heard says nothing about now.
    world.silent(ClusterId(2), FaultKind::Refused);
    world.state.slept();
    world.heard(ClusterId(0));
    world.heard(ClusterId(1));
    assert_eq!(routes::group(&world.state, &the_route()).unwrap().drift, Drift::Weights);
}

#[test]
fn a_dns_name_in_several_objects_has_no_share_in_one() {
    let record = |name: &str, identifier: &str, weight: &str| {
        json!({"apiVersion": "externaldns.k8s.io/v1alpha1", "kind": "DNSEndpoint", "metadata": meta(name),
            "spec": {"endpoints": [{"dnsName": "api.example.com", "recordType": "CNAME", "targets": [identifier],
                "setIdentifier": identifier, "providerSpecific": [{"name": "aws/weight", "value": weight}]}]}})
    };
    let mut world = World::new();
    world.cluster("aws", VERSION, 0, &[record("ml/api", "aws", "60")]);
    assert_eq!(told(&world), ["1 aws 100% ? in aws"]);
    world.cluster("gcp", VERSION, 0, &[record("ml/other", "gcp", "40")]);
    assert_eq!(told(&world), ["1 aws ? ? in aws", "1 gcp ? ? in gcp"]);
    assert_eq!(rows(&world.state)[0].notes[..], ["more records of this name: ml/other in gcp"]);
}

#[test]
fn the_findings_of_routes() {
    let objects = |http: Value| {
        let mut objects = vec![split(&http)];
        objects.extend(service("ml/a", "x", 2, 2));
        objects.extend(service("ml/b", "y", 0, 2));
        objects
    };
    let found = |objects: &[Value]| {
        let mut world = one(objects);
        world.later(11);
        world.causes()
    };
    assert_eq!(found(&objects(json!([destination("a", 100), destination("b", 0)]))), Vec::<String>::new());
    assert_eq!(
        found(&objects(json!([destination("a", 60), destination("b", 40)]))),
        ["critical aws VirtualService ml/route: rule 1: 40% of requests go to b, where nothing is ready"]
    );
    assert_eq!(
        found(&objects(json!([destination("a", 0), destination("a", 0)]))),
        ["critical aws VirtualService ml/route: rule 1: all weights are 0"]
    );
    let mut twice = objects(json!([destination("a", 1)]));
    twice.push(virtual_service("ml/again", &json!([{"route": [destination("a", 1)]}])));
    assert_eq!(
        found(&twice),
        [
            "warning aws VirtualService ml/again: ml/route routes ml-inference.example.com too: which one holds is not defined"
        ]
    );
    let mut world = World::new();
    world.cluster("aws", VERSION, 0, &[multicloud(60, 40)]);
    world.cluster("gcp", VERSION, 0, &[multicloud(50, 50)]);
    world.later(1);
    let now = world.state.now;
    world.state.at(skydeck::fleet::Now {
        mono: now.mono.plus_secs(400),
        unix: skydeck::fleet::Unix(now.unix.0 + 400),
    });
    world.heard(ClusterId(0));
    world.heard(ClusterId(1));
    world.later(1);
    let drift: Vec<_> = world.causes().into_iter().filter(|it| it.contains("differ")).collect();
    assert_eq!(
        drift,
        [
            "warning fleet VirtualService ml-platform/ml-inference-multicloud: weights differ: aws 60/40, gcp 50/50"
        ]
    );
}

fn custom(api_version: &str, kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": meta(name), "spec": spec})
}

fn application(name: &str, spec: &Value) -> Value {
    custom("argoproj.io/v1alpha1", "Application", name, spec)
}

fn marked(metadata: &Value) -> Marks {
    Marks::read(&json!({"metadata": metadata}))
}

fn of(world: &World, marks: &Marks) -> Verdict {
    verdict(&world.state, ClusterId(0), marks, &the_route())
}

fn tracked(by: &str) -> Marks {
    marked(&json!({"annotations": {"argocd.argoproj.io/tracking-id": by}}))
}

#[test]
fn unmanaged_is_only_said_when_everything_is_read() {
    let mut world = one(&[multicloud(60, 40)]);
    assert_eq!(of(&world, &Marks::default()).kind, VerdictKind::Unmanaged);
    let hub = world.configured("hub");
    let unknown = of(&world, &Marks::default());
    assert_eq!(
        (unknown.kind, unknown.words.as_str()),
        (VerdictKind::OwnerUnknown, "what could manage it is not read in hub")
    );
    world.fact(hub, ago(0), ClusterFact::Answered { round_trip_ms: 1, git_version: VERSION.into() });
    world.fact(hub, ago(0), ClusterFact::Served(vec![Kind::Application]));
    world.source(source(hub, Kind::Application), ago(0), SourceFact::State(SourceState::Denied("no".into())));
    let denied = of(&world, &Marks::default());
    assert_eq!(
        (denied.kind, denied.words.as_str()),
        (VerdictKind::OwnerUnknown, "Application is not read in hub")
    );
    world.list(hub, Kind::Application, ago(0), &[]);
    assert_eq!(of(&world, &Marks::default()).kind, VerdictKind::Unmanaged);
    // What was known of a cluster that fell silent does not speak for now.
    world.silent(hub, FaultKind::Refused);
    let now = world.state.now;
    world.state.at(skydeck::fleet::Now { mono: now.mono.plus_secs(30), ..now });
    world.heard(ClusterId(0));
    assert_eq!(of(&world, &Marks::default()).kind, VerdictKind::OwnerUnknown);
}

#[test]
fn a_rollout_of_any_cluster_owns_the_weights_it_writes() {
    let rollout = custom(
        "argoproj.io/v1alpha1",
        "Rollout",
        "ml-platform/llm",
        &json!({"strategy": {"canary": {"trafficRouting": {
        "istio": {"virtualService": {"name": "ml-inference-multicloud"}}}}}}),
    );
    let mut world = one(&[multicloud(60, 40)]);
    world.cluster("primary", VERSION, 0, std::slice::from_ref(&rollout));
    let blocked = of(&world, &Marks::default());
    assert_eq!(
        (blocked.kind, blocked.by.as_str()),
        (VerdictKind::Blocked, "Rollout ml-platform/llm in primary")
    );
    let mut plain = rollout;
    plain["spec"]["strategy"] = json!({});
    world.item(ClusterId(1), ago(0), &plain);
    assert_eq!(of(&world, &Marks::default()).kind, VerdictKind::Unmanaged);
}

#[test]
fn controllers_and_flagger_block() {
    let world = one(&[custom(
        "flagger.app/v1beta1",
        "Canary",
        "ml-platform/c",
        &json!({"targetRef": {"name": "ml-inference-multicloud"}}),
    )]);
    assert_eq!(of(&world, &Marks::default()).by, "Canary ml-platform/c");
    let owned = marked(
        &json!({"ownerReferences": [{"kind": "InferenceService", "name": "llm", "controller": true}]}),
    );
    let verdict = of(&one(&[]), &owned);
    assert_eq!((verdict.kind, verdict.by.as_str()), (VerdictKind::Blocked, "InferenceService llm"));
    let label = marked(&json!({"labels": {"rollouts.argoproj.io/gatewayapi-canary": "in-progress"}}));
    assert_eq!(of(&one(&[]), &label).kind, VerdictKind::Blocked);
}

#[test]
fn argo_cd_as_its_application_says_wherever_that_is() {
    const OWN: &str = "ml:networking.istio.io/VirtualService:ml-platform/ml-inference-multicloud";
    let heal = json!({"automated": {"selfHeal": true}});
    let weights = json!([{"kind": "VirtualService", "jqPathExpressions": [".spec.http[].route[].weight"]}]);
    for (spec, kind, words) in [
        (json!({"syncPolicy": heal}), VerdictKind::WillBeReverted, "self-heal is on: back in about 5 s"),
        (
            json!({"syncPolicy": {"automated": {}}}),
            VerdictKind::WillBeOverwritten,
            "self-heal is off: the next sync overwrites it",
        ),
        (
            json!({"syncPolicy": heal, "ignoreDifferences": weights}),
            VerdictKind::WillBeOverwritten,
            "it does not compare .spec.http[].route[].weight, but the next sync overwrites it",
        ),
        (
            json!({"syncPolicy": {"automated": {"selfHeal": true}, "syncOptions": ["RespectIgnoreDifferences=true"]}, "ignoreDifferences": weights}),
            VerdictKind::LeftAlone,
            "it leaves .spec.http[].route[].weight alone",
        ),
    ] {
        let mut world = one(&[multicloud(60, 40)]);
        world.cluster("hub", VERSION, 0, &[application("argocd/ml", &spec)]);
        let verdict = of(&world, &tracked(OWN));
        assert_eq!(
            (verdict.kind, verdict.words.as_str(), verdict.by.as_str()),
            (kind, words, "Argo CD app ml in hub")
        );
        assert_eq!(
            of(&world, &tracked(&OWN.replace("ml:", "argocd_ml:"))).kind,
            kind,
            "named with its namespace"
        );
        // A copy of another object bears that one's annotation.
        let copied = tracked("ml:networking.istio.io/VirtualService:ml-platform/other");
        assert_eq!(of(&world, &copied).kind, VerdictKind::Unmanaged);
    }
    let nowhere = of(&one(&[]), &tracked(OWN));
    assert_eq!(
        (nowhere.kind, nowhere.words.as_str()),
        (VerdictKind::UnknownReconciler, "it is in none of these clusters")
    );
    let label = marked(&json!({"labels": {"app.kubernetes.io/instance": "ml"}}));
    assert_eq!(of(&one(&[]), &label).kind, VerdictKind::Unmanaged, "Helm charts set the label too");
    let there = of(&one(&[application("argocd/ml", &json!({}))]), &label);
    assert_eq!(
        (there.kind, there.by.as_str()),
        (VerdictKind::UnknownReconciler, "perhaps Argo CD app ml in aws")
    );
}

#[test]
fn flux_and_the_others_say_it_on_the_object() {
    let flux = |kind: &str, annotations: Value| {
        let at = format!("{kind}.toolkit.fluxcd.io");
        marked(
            &json!({"labels": {format!("{at}/name"): "apps", format!("{at}/namespace"): "flux-system"}, "annotations": annotations}),
        )
    };
    let kustomization = |spec: Value| {
        one(&[custom("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "flux-system/apps", &spec)])
    };
    let release =
        |spec: Value| one(&[custom("helm.toolkit.fluxcd.io/v2", "HelmRelease", "flux-system/apps", &spec)]);
    let none = || json!({});
    for (world, marks, kind) in [
        (kustomization(json!({"interval": "10m"})), flux("kustomize", none()), VerdictKind::WillBeReverted),
        (kustomization(json!({"suspend": true})), flux("kustomize", none()), VerdictKind::WillBeOverwritten),
        (
            kustomization(none()),
            flux("kustomize", json!({"kustomize.toolkit.fluxcd.io/reconcile": "disabled"})),
            VerdictKind::LeftAlone,
        ),
        (
            kustomization(none()),
            flux("kustomize", json!({"kustomize.toolkit.fluxcd.io/ssa": "Ignore"})),
            VerdictKind::LeftAlone,
        ),
        (one(&[]), flux("kustomize", none()), VerdictKind::UnknownReconciler),
        (release(none()), flux("helm", none()), VerdictKind::WillBeOverwritten),
        (
            release(json!({"driftDetection": {"mode": "enabled"}})),
            flux("helm", none()),
            VerdictKind::WillBeReverted,
        ),
        (
            release(json!({"driftDetection": {"mode": "warn"}})),
            flux("helm", none()),
            VerdictKind::WillBeOverwritten,
        ),
        (
            one(&[]),
            marked(&json!({"annotations": {"configmanagement.gke.io/managed": "enabled"}})),
            VerdictKind::WillBeReverted,
        ),
        (one(&[]), marked(&json!({"labels": {"karmada.io/managed": "true"}})), VerdictKind::WillBeReverted),
        (
            one(&[]),
            marked(&json!({"annotations": {"meta.helm.sh/release-name": "ml"}})),
            VerdictKind::WillBeOverwritten,
        ),
        (
            one(&[]),
            marked(&json!({"managedFields": [{"manager": "Terraform", "fieldsV1": {"f:spec": {}}}]})),
            VerdictKind::UnknownReconciler,
        ),
        (
            one(&[]),
            marked(&json!({"managedFields": [{"manager": "kubectl-edit", "fieldsV1": {"f:spec": {}}}]})),
            VerdictKind::Unmanaged,
        ),
    ] {
        assert_eq!(of(&world, &marks).kind, kind, "{marks:?}");
    }
}

#[test]
fn a_weight_that_cannot_be_is_shown_as_such() {
    let mut objects = vec![split(&json!([destination("a", Value::Null), destination("b", 40)]))];
    objects.push(http_route("ml/h", &json!([{"backendRefs": [{"name": "a", "weight": 0}]}])));
    let mut screen = Screen::new(one(&objects), (140, 24));
    screen.keys("6");
    let text = screen.text();
    assert_eq!(text.matches("✖ invalid").count(), 3, "{text}");
    assert!(text.contains("invalid: weight 1 is null"), "{text}");
}

#[test]
fn a_route_is_filtered_opened_and_followed_to_its_pods() {
    let mut screen = Screen::new(fleet(), (120, 30));
    screen.keys("6 / \"cloud:gcp host:multicloud\" enter");
    assert!(screen.text().contains("no route passes the filter"), "{}", screen.text());
    screen.keys("ctrl-x / \"cloud:gcp namespace:ml share<0.5\" enter");
    assert!(screen.text().contains("1 of 5 de"), "{}", screen.text());
    screen.keys("enter");
    let text = screen.text();
    for part in [
        "VirtualService ml-platform/ml-inference-multicloud in aws-east",
        "rule 2 (default)",
        "3 retries on 5xx",
        "4/4 ready",
        "clusters",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    screen.keys("esc y");
    assert!(screen.text().contains("YAML"), "{}", screen.text());
    let mut logs = Screen::new(fleet(), (120, 30));
    logs.keys("6 / \"cloud:gcp share<0.5\" enter L");
    assert!(
        logs.text().contains("VirtualService ml-platform/ml-inference-multicloud in gcp-central"),
        "{}",
        logs.text()
    );
}

#[test]
fn a_finding_about_a_route_leads_to_it() {
    let mut objects = vec![split(&json!([destination("a", 1), destination("b", 1)]))];
    objects.extend(service("ml/a", "x", 2, 2));
    objects.extend(service("ml/b", "y", 0, 2));
    let mut world = one(&objects);
    world.later(11);
    let mut screen = Screen::new(world, (120, 30));
    assert!(screen.text().contains("traffic"), "{}", screen.text());
    screen.keys("enter");
    assert!(screen.text().contains("2 destinations"), "{}", screen.text());
}

#[test]
fn the_document_says_what_the_panel_shows() {
    let world = fleet();
    let document = serde_json::to_value(document::traffic(&world.state)).unwrap();
    let item = &document["items"][1];
    assert_eq!(
        (item["kind"].as_str(), item["name"].as_str(), item["drift"].as_str()),
        (Some("VirtualService"), Some("ml-inference-multicloud"), Some("none"))
    );
    let states: Vec<_> =
        item["cells"].as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["live", "live", "stale"]);
    let rule = &item["cells"][0]["rules"][1];
    assert_eq!(
        (rule["number"].as_u64(), rule["pointer"].as_str(), rule["shareOf"].as_str()),
        (Some(2), Some("/spec/http/1"), Some("requests"))
    );
    let aws = &rule["destinations"][0];
    assert_eq!(
        (aws["weight"].as_i64(), aws["share"].as_f64(), aws["endpointsReady"].as_u64()),
        (Some(60), Some(0.6), Some(6))
    );
    assert!(item["cells"][0]["rules"][0]["destinations"][0]["weight"].is_null(), "not written is not zero");
    assert!(
        item["cells"][2]["rules"][1]["destinations"][0]["endpointsReady"].is_null(),
        "azure is not heard"
    );
    assert_eq!(item["cells"][0]["owner"]["verdict"], "owner-unknown");
}
