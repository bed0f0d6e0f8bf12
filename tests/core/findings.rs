//! What needs attention: each trouble is found, with its cause in words, and goes when it is mended.

use serde_json::{Value, json};
use skydeck::fleet::{
    ClusterFact, ClusterId, Fault, FaultKind, Kind, Rule, SourceFact, SourceState, Step, Unix,
};
use skydeck::state::Settings;

use crate::world::{
    NOW, World, ago, crashing, deployment, failed, fleet, job, meta, node, pod, source, time, training_job,
    unschedulable,
};

/// The findings of one cluster with these objects, `after` seconds later; everything stays heard.
fn found(objects: &[Value], after: u64) -> Vec<String> {
    let (world, _) = later(objects, after);
    world.causes()
}

fn later(objects: &[Value], after: u64) -> (World, ClusterId) {
    let mut world = World::new();
    let id = world.cluster("aws", "v1.33.0", 0, objects);
    world.later(1);
    // Judged once before the time passes, as the console does every second.
    pass(&mut world, id, after);
    (world, id)
}

fn pass(world: &mut World, id: ClusterId, seconds: u64) {
    let now = world.state.now;
    world.state.at(skydeck::fleet::Now {
        mono: now.mono.plus_secs(seconds),
        unix: Unix(now.unix.0 + seconds as i64),
    });
    world.heard(id);
    world.later(1);
}

fn only(objects: &[Value], after: u64) -> String {
    let mut found = found(objects, after);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[test]
fn a_calm_cluster_has_none() {
    let calm = [node("n", "aws", "r", 8, true), deployment("ml/a", 2, 2, "1", 0), pod("ml/a", "x", "n", 0)];
    assert_eq!(found(&calm, 600), Vec::<String>::new());
}

#[test]
fn a_crash_loop_is_told_once_for_its_workload() {
    let objects = [
        deployment("ml/a", 1, 3, "1", 0),
        crashing(pod("ml/a", "x", "n", 0)),
        crashing(pod("ml/a", "y", "n", 0)),
        pod("ml/a", "z", "n", 0),
    ];
    assert_eq!(
        only(&objects, 300),
        "critical aws ml/a: 2 of 3 pods in CrashLoopBackOff, 7 restarts: server: OOMKilled, exit 137"
    );
}

#[test]
fn an_image_that_cannot_be_pulled_is_named() {
    let mut broken = pod("ml/a", "x", "n", 0);
    broken["status"] = json!({"phase": "Pending", "containerStatuses": [{"name": "server",
        "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}}]});
    let told = only(&[deployment("ml/a", 0, 1, "1", 0), broken], 300);
    assert_eq!(
        told,
        "critical aws ml/a: ImagePullBackOff: server: Back-off pulling image (registry.example.com/ml/server:1)"
    );
}

#[test]
fn a_failed_job_says_why_and_is_forgotten_after_a_day() {
    let told = only(&[job("ml/bert", &failed())], 0);
    assert_eq!(
        told,
        "critical aws ml/bert: failed: BackoffLimitExceeded: Job has reached the specified backoff limit"
    );
    assert!(found(&[job("ml/bert", &failed())], 86_400).is_empty());
}

#[test]
fn a_job_that_no_node_takes_says_what_the_scheduler_said() {
    let mut homeless = unschedulable(pod("ml/train", "x", "", 64), 30);
    homeless["metadata"]["labels"] = json!({});
    homeless["metadata"]["ownerReferences"] = json!([{"kind": "Job", "name": "train", "controller": true}]);
    let objects = [job("ml/train", &json!({"startTime": time(30), "active": 1, "ready": 0})), homeless];
    assert!(found(&objects, 10).is_empty(), "a node may be on its way");
    assert_eq!(
        only(&objects, 120),
        "warning aws ml/train: no node takes it: 0/4 nodes are available: 4 Insufficient nvidia.com/gpu."
    );
}

#[test]
fn what_the_pods_of_a_jobs_jobs_suffer_from_is_told_of_the_job_at_the_top() {
    let mut set = meta("ml/sweep");
    set["creationTimestamp"] = json!(time(600));
    let set = json!({"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": set,
        "spec": {"replicatedJobs": [{"name": "workers", "replicas": 1, "template": {"spec": {}}}]}});
    let mut child = job("ml/sweep-workers-0", &json!({"startTime": time(600), "active": 1, "ready": 0}));
    child["metadata"]["ownerReferences"] = json!([{"kind": "JobSet", "name": "sweep", "controller": true}]);
    let mut homeless = unschedulable(pod("ml/x", "x", "", 64), 300);
    homeless["metadata"]["labels"] = json!({});
    homeless["metadata"]["ownerReferences"] =
        json!([{"kind": "Job", "name": "sweep-workers-0", "controller": true}]);
    let told = only(&[set, child, homeless], 0);
    assert_eq!(
        told,
        "warning aws ml/sweep: no node takes it: 0/4 nodes are available: 4 Insufficient nvidia.com/gpu."
    );
}

#[test]
fn a_failed_job_that_does_not_say_why_is_explained_by_its_pods() {
    let mut lost = pod("ml/x", "x", "n", 8);
    lost["metadata"]["labels"] = json!({});
    lost["metadata"]["ownerReferences"] =
        json!([{"kind": "TrainingJob", "name": "lora", "controller": true}]);
    lost["status"] = json!({"phase": "Failed", "containerStatuses": [{"name": "trainer",
        "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]});
    let told = only(&[training_job("ml/lora", "Failed", 0.2), lost], 0);
    assert_eq!(told, "critical aws ml/lora: failed: trainer: OOMKilled, exit 137");
}

#[test]
fn pods_of_a_service_that_no_node_takes() {
    let objects = [deployment("ml/a", 1, 1, "1", 8), unschedulable(pod("ml/a", "x", "", 8), 30)];
    let told = only(&objects, 120);
    assert!(told.starts_with("warning aws ml/a: Unschedulable: 0/4 nodes are available"), "{told}");
}

#[test]
fn a_stuck_rollout_says_what_its_pods_say() {
    let mut stuck = deployment("ml/a", 0, 2, "1", 0);
    stuck["status"]["conditions"] = json!([{"type": "Progressing", "status": "False",
        "reason": "ProgressDeadlineExceeded", "message": "ReplicaSet has timed out", "lastUpdateTime": time(60)}]);
    assert_eq!(
        only(&[stuck.clone()], 0),
        "critical aws ml/a: rollout stuck, 0/2 ready: progress deadline exceeded: ReplicaSet has timed out"
    );
    let told = found(&[stuck, unschedulable(pod("ml/a", "x", "", 8), 5)], 0);
    assert!(told[0].contains("rollout stuck, 0/2 ready: Unschedulable: 0/4 nodes"), "{told:?}");
}

#[test]
fn missing_replicas_count_after_a_while() {
    let objects = [deployment("ml/a", 5, 6, "1", 0)];
    assert!(found(&objects, 30).is_empty());
    assert_eq!(only(&objects, 61), "warning aws ml/a: 5 of 6 ready: 5 of 6 updated replicas available");
    assert!(only(&[deployment("ml/a", 0, 6, "1", 0)], 61).starts_with("critical"));
}

#[test]
fn nodes_one_by_one_and_together() {
    let told = only(&[node("n1", "aws", "r", 8, false), node("n2", "aws", "r", 8, true)], 0);
    assert_eq!(told, "critical aws node n1: not ready: KubeletNotReady: container runtime is down");
    let many: Vec<_> = (0..40).map(|at| node(&format!("n{at:02}"), "aws", "r", 8, at > 6)).collect();
    let told = only(&many, 0);
    assert_eq!(told, "warning aws cluster: 7 of 40 nodes not ready: n00, n01, n02 and 4 more");
    let mut complaining = node("n", "aws", "r", 8, true);
    complaining["status"]["conditions"].as_array_mut().unwrap().push(
        json!({"type": "AcceleratedHardwareReady", "status": "False", "reason": "NvidiaXID79Error", "message": "GPU fell off the bus"}),
    );
    let told = only(&[complaining], 0);
    assert_eq!(told, "warning aws node n: AcceleratedHardwareReady: NvidiaXID79Error: GPU fell off the bus");
}

#[test]
fn a_training_job_without_progress() {
    let running = [training_job("ml/sft", "Running", 0.4)];
    let (mut world, id) = later(&running, 1700);
    assert!(world.causes().is_empty());
    pass(&mut world, id, 200);
    assert_eq!(world.causes(), ["warning aws ml/sft: runs without progress, at 40 %"]);
    // It moves: the finding goes.
    let at = world.state.now.mono;
    world.item(id, at, &training_job("ml/sft", "Running", 0.41));
    world.later(1);
    assert!(world.causes().is_empty());
}

#[test]
fn versions_that_differ_once_every_rollout_has_ended() {
    let world = fleet();
    let told = world.causes();
    assert!(
        told.contains(
            &"warning fleet ml-platform/ml-inference: version differs: aws-east 1.4.2, gcp-central 1.4.1"
                .to_owned()
        ),
        "{told:#?}"
    );
    assert_eq!(skydeck::state::select::totals::totals(&world.state).drift.known, 1);
    let drift = world.state.findings().iter().find(|it| it.rule == Rule::VersionDrift).unwrap();
    let rolled_out = Unix::parse(&crate::world::time(7200));
    assert_eq!(drift.since, rolled_out, "since the last rollout, also for somebody who looks only once");
}

#[test]
fn silence_says_how_long_and_what_was_said() {
    let world = fleet();
    let told = world.causes();
    assert_eq!(
        told[0],
        "critical azure-eastus cluster: silent: ping: 401 Unauthorized (the credential is expired or wrong: log in again)"
    );
}

#[test]
fn one_kind_that_is_not_heard_although_the_server_answers() {
    let (mut world, id) = later(&[], 0);
    let fault = Fault::new(Step::Watch, FaultKind::Status(500), "etcd is unhappy");
    let at = world.state.now.mono;
    let retrying = SourceState::Retrying { fault, attempt: 4, next_ms: 4000 };
    world.source(source(id, Kind::Pod), at, SourceFact::State(retrying));
    pass(&mut world, id, 30);
    assert_eq!(world.causes(), ["warning aws cluster: Pod not live: watch: status 500: etcd is unhappy"]);
}

#[test]
fn a_task_that_panicked_is_told_and_the_others_go_on() {
    let (mut world, id) = later(&[], 0);
    let fault = Fault::new(Step::Watch, FaultKind::Panic, "index out of bounds");
    world.state.source_failed(source(id, Kind::Job), fault);
    pass(&mut world, id, 30);
    let told = world.causes();
    assert!(
        told[0].starts_with("critical aws cluster: Job not live: watch: this console's own task failed"),
        "{told:?}"
    );
}

#[test]
fn objects_that_are_not_understood_are_counted_and_named() {
    let (mut world, id) = later(&[], 0);
    for name in ["ml/x", "ml/y"] {
        let fact = SourceFact::Undecodable { name: Some(name.into()), why: "invalid type".into() };
        world.source(source(id, Kind::Pod), ago(0), fact);
    }
    world.later(1);
    assert_eq!(
        world.causes(),
        ["warning aws cluster: 2 objects not understood, such as Pod ml/x: invalid type"]
    );
}

#[test]
fn certificates_near_their_end() {
    let (mut world, id) = later(&[], 0);
    let mut expires = |at: i64| {
        let fact =
            ClusterFact::Certificates { server_expires: Some(Unix(NOW.unix.0 + at)), client_expires: None };
        world.fact(id, ago(0), fact);
        world.later(0);
        world.later(1);
        world.causes()
    };
    assert!(expires(30 * 86_400).is_empty());
    let told = expires(3 * 86_400);
    assert!(
        told[0].starts_with("warning aws cluster: the API server's certificate expires in 2d23h"),
        "{told:?}"
    );
    let told = expires(-60);
    assert!(told[0].starts_with("critical aws cluster: the API server's certificate expired"), "{told:?}");
}

#[test]
fn a_namespace_that_does_not_go() {
    let mut stuck = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": meta("old")});
    stuck["metadata"]["deletionTimestamp"] = json!(time(3600));
    assert!(only(&[stuck], 0).contains("is being deleted but does not go"));
}

#[test]
fn a_queued_job_is_not_a_stuck_one() {
    let mut suspended = job("ml/train", &json!({}));
    suspended["spec"]["suspend"] = json!(true);
    let mut workload = json!({"apiVersion": "kueue.x-k8s.io/v1beta1", "kind": "Workload", "metadata": meta("ml/w"),
        "spec": {"queueName": "team"}, "status": {"conditions": [{"type": "QuotaReserved", "status": "False",
            "message": "couldn't assign flavors"}]}});
    workload["metadata"]["ownerReferences"] = json!([{"kind": "Job", "name": "train", "controller": true}]);
    suspended["metadata"]["creationTimestamp"] = json!(time(60));
    workload["metadata"]["creationTimestamp"] = json!(time(60));
    let (world, _) = later(&[suspended, workload], 600);
    assert!(world.causes().is_empty(), "{:?}", world.causes());
    let rows = skydeck::state::select::jobs::rows(&world.state);
    assert_eq!(rows[0].phase.name(), "Queued");
    assert_eq!((&*rows[0].message, rows[0].queue.as_deref()), ("couldn't assign flavors", Some("team")));
}

#[test]
fn findings_that_are_not_wanted_are_not_told() {
    let mut world = World::with(Settings::default());
    world.state.silence(&[Rule::JobFailed]);
    world.cluster("aws", "v1.33.0", 0, &[job("ml/bert", &failed())]);
    world.later(1);
    assert!(world.causes().is_empty());
}

#[test]
fn a_connection_that_is_not_checked_is_told_whatever_else_is_well() {
    let (mut world, id) = later(&[], 1);
    assert_eq!(world.causes(), Vec::<String>::new());
    let connection =
        skydeck::fleet::fact::Connection { insecure: true, ..skydeck::fleet::fact::Connection::default() };
    world.fact(id, ago(0), ClusterFact::Client(connection));
    world.later(1);
    assert_eq!(
        world.causes(),
        ["warning aws cluster: INSECURE: the server's certificate is not checked (insecure-skip-tls-verify)"]
    );
}
