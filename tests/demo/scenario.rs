//! The scenario, stepped by hand: what is there at first, what a write leads to, and that a seed is a day.

use serde_json::{Value, json};
use skydeck::demo::cast;
use skydeck::demo::clock::{parse, seconds};
use skydeck::demo::resource::{KINDS, Kind};
use skydeck::demo::store::{Deletion, Key, LabelSelector, Mode, Part, Query};
use skydeck::demo::world::World;
use skydeck::demo::{Fleet, Options};

const PLATFORM: &str = "ml-platform";

/// One cluster of the fleet, by its place.
fn cluster(index: usize) -> World {
    let options = Options::default();
    let profile = &cast::profiles(index + 1, options.pods, options.seed)[index];
    cast::raise(profile, cast::store(profile, parse("2026-03-04T09:12:30Z").unwrap()))
}

fn get(world: &World, kind: Kind, namespace: &str, name: &str) -> Value {
    let found = world.store().get(kind, &Key::new(namespace, name));
    found.unwrap_or_else(|| panic!("{kind:?} {namespace}/{name}")).value()
}

fn all(world: &World, kind: Kind) -> Vec<Value> {
    world.store().list(kind, &Query::all()).objects.iter().map(|object| object.value()).collect()
}

fn pods(world: &World, selector: &str) -> Vec<Value> {
    let labels = LabelSelector::parse(selector).unwrap();
    let query = Query { namespace: Some(PLATFORM.to_owned()), labels, ..Query::default() };
    world.store().list(Kind::Pods, &query).objects.iter().map(|object| object.value()).collect()
}

fn patch(world: &World, kind: Kind, key: &Key, edit: impl FnOnce(&mut Value)) {
    let mode = Mode { part: Part::Main, dry_run: false };
    let edited = world.store().update(kind, key, mode, |object| {
        edit(object);
        Ok(())
    });
    edited.unwrap();
}

/// Steps until something is so; the number of ticks it took.
fn until(world: &mut World, what: &str, mut so: impl FnMut(&World) -> bool) -> i64 {
    for tick in 0..seconds(600) {
        if so(world) {
            return tick;
        }
        world.step();
    }
    panic!("not within ten minutes: {what}");
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let list = object["status"]["conditions"].as_array().unwrap();
    list.iter().find(|condition| condition["type"] == kind).unwrap_or(&Value::Null)
}

/// Pods whose container waits for that reason, but for those on their way out.
fn waiting(world: &World, reason: &str) -> usize {
    let has = |pod: &&Value| {
        text(pod, "/status/containerStatuses/0/state/waiting/reason") == reason
            && pod["metadata"].get("deletionTimestamp").is_none()
    };
    all(world, Kind::Pods).iter().filter(has).count()
}

#[test]
fn the_first_second_has_everything_an_on_call_person_meets() {
    let [aws, gcp, azure] = [cluster(0), cluster(1), cluster(2)];
    let nodes: usize = [&aws, &gcp, &azure].iter().map(|world| world.store().count(Kind::Nodes)).sum();
    let pods: usize = [&aws, &gcp, &azure].iter().map(|world| world.store().count(Kind::Pods)).sum();
    assert_eq!((nodes, (270..330).contains(&pods)), (40, true), "{nodes} nodes, {pods} pods");

    let failed = get(&aws, Kind::Jobs, "ml-training", "llama-lora-3-training");
    assert_eq!(condition(&failed, "Failed")["reason"], "BackoffLimitExceeded");
    assert_eq!(get(&aws, Kind::TrainingJobs, "ml-training", "llama-lora-3")["status"]["phase"], "Failed");
    let done = get(&aws, Kind::TrainingJobs, "ml-training", "resnet50-imagenet-12");
    assert_eq!(
        (&done["status"]["phase"], &done["status"]["metrics"]["progress"]),
        (&json!("Succeeded"), &json!(1.0))
    );
    let pending = all(&aws, Kind::Pods)
        .into_iter()
        .find(|pod| text(pod, "/metadata/name").starts_with("dlrm-"))
        .unwrap();
    let why = text(condition(&pending, "PodScheduled"), "/message");
    assert!(why.starts_with("0/14 nodes are available: 14 Insufficient nvidia.com/gpu."), "{why}");
    let queued = get(&aws, Kind::Jobs, "ml-training", "vit-ablation-4-training");
    assert_eq!(condition(&queued, "Suspended")["status"], "True");

    assert_eq!(waiting(&gcp, "CrashLoopBackOff"), 1);
    let stuck = get(&gcp, Kind::Deployments, PLATFORM, "reranker");
    assert_eq!(condition(&stuck, "Progressing")["reason"], "ProgressDeadlineExceeded");
    assert_eq!(stuck["status"]["availableReplicas"], 2, "the old version still serves");
    let moving = get(&gcp, Kind::Deployments, PLATFORM, "embedding-api");
    assert_eq!(condition(&moving, "Progressing")["reason"], "ReplicaSetUpdated");

    assert_eq!(waiting(&azure, "ImagePullBackOff"), 1);
    let ready = |node: &&Value| condition(node, "Ready")["status"] == "True";
    assert_eq!(all(&azure, Kind::Nodes).iter().filter(ready).count(), 11);
    let version = |world: &World| {
        let deployment = get(world, Kind::Deployments, PLATFORM, "ml-inference");
        text(&deployment, "/metadata/labels/app.kubernetes.io~1version").to_owned()
    };
    assert_eq!(
        (version(&aws), version(&gcp), version(&azure)),
        ("v2.4.1".into(), "v2.4.1".into(), "v2.4.0".into())
    );
    for world in [&aws, &gcp, &azure] {
        for kind in
            [Kind::Rollouts, Kind::LeaderWorkerSets, Kind::JobSets, Kind::ScaledObjects, Kind::Workloads]
        {
            assert!(world.store().count(kind) > 0, "{kind:?}");
        }
        assert_eq!(get(world, Kind::LeaderWorkerSets, PLATFORM, "llm-70b")["status"]["readyReplicas"], 1);
        assert_eq!(get(world, Kind::Rollouts, PLATFORM, "inference-gateway")["status"]["phase"], "Healthy");
        let keda = get(world, Kind::HorizontalPodAutoscalers, PLATFORM, "keda-hpa-llm-serve");
        assert_eq!(keda["metadata"]["ownerReferences"][0]["kind"], "ScaledObject");
        let warnings = all(world, Kind::Events).iter().filter(|event| event["type"] == "Warning").count();
        assert!(warnings > 0);
    }
}

#[test]
fn a_seed_is_a_day() {
    let start = parse("2026-03-04T09:12:30Z").unwrap();
    let day = |seed| {
        let mut worlds = Fleet::rehearse(&Options { clusters: 2, seed, ..Options::default() }, start);
        for world in &mut worlds {
            (0..seconds(240)).for_each(|_| world.step());
        }
        let objects = |world: &World| KINDS.iter().flat_map(|kind| all(world, *kind)).collect::<Vec<Value>>();
        worlds.iter().map(objects).collect::<Vec<_>>()
    };
    let (one, same, other) = (day(7), day(7), day(8));
    for (one, same) in one.iter().flatten().zip(same.iter().flatten()) {
        assert_eq!(one, same);
    }
    assert_eq!(one[0].len(), same[0].len());
    assert_ne!(one, other);
}

#[test]
fn scaling_takes_seconds_and_ends() {
    let mut world = cluster(0);
    let key = Key::new(PLATFORM, "reranker");
    patch(&world, Kind::Deployments, &key, |object| object["spec"]["replicas"] = 5.into());
    let took = until(&mut world, "five replicas are ready", |world| {
        get(world, Kind::Deployments, PLATFORM, "reranker")["status"]["readyReplicas"] == 5
    });
    assert!((seconds(4)..seconds(40)).contains(&took), "{took} ticks");
    patch(&world, Kind::Deployments, &key, |object| object["spec"]["replicas"] = 1.into());
    until(&mut world, "one pod is left", |world| pods(world, "app=reranker").len() == 1);
    let deployment = get(&world, Kind::Deployments, PLATFORM, "reranker");
    assert_eq!(condition(&deployment, "Progressing")["reason"], "NewReplicaSetAvailable");
}

#[test]
fn a_deleted_pod_is_replaced() {
    let mut world = cluster(0);
    let before = pods(&world, "app=feature-store");
    let victim = Key::of(&before[0]);
    world.store().delete(Kind::Pods, &victim, &Deletion::default()).unwrap();
    assert!(world.store().get(Kind::Pods, &victim).is_some(), "it takes its grace");
    until(&mut world, "three others are ready", |world| {
        let now = pods(world, "app=feature-store");
        let ready = now.iter().filter(|pod| condition(pod, "Ready")["status"] == "True").count();
        world.store().get(Kind::Pods, &victim).is_none() && ready == 3
    });
}

#[test]
fn a_new_image_rolls_out_within_its_bounds() {
    let mut world = cluster(0);
    let key = Key::new(PLATFORM, "model-registry");
    let image =
        |version: &str| format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/ml/model-registry:{version}");
    patch(&world, Kind::Deployments, &key, |object| {
        object["spec"]["template"]["spec"]["containers"][0]["image"] = image("v1.11.2").into();
    });
    let took = until(&mut world, "all run the new image", |world| {
        let deployment = get(world, Kind::Deployments, PLATFORM, "model-registry");
        let available = deployment["status"]["availableReplicas"].as_i64().unwrap_or(0);
        assert!(available >= 2, "maxUnavailable is 0, available {available}");
        let live = |pod: &&Value| pod["metadata"].get("deletionTimestamp").is_none();
        assert!(pods(world, "app=model-registry").iter().filter(live).count() <= 3, "maxSurge is 1");
        let now = pods(world, "app=model-registry");
        now.len() == 2 && now.iter().all(|pod| text(pod, "/spec/containers/0/image") == image("v1.11.2"))
    });
    assert!(took > seconds(10), "{took} ticks");
    // A tag that nobody pushed stops at the first pod, and going back heals.
    patch(&world, Kind::Deployments, &key, |object| {
        object["spec"]["template"]["spec"]["containers"][0]["image"] = image("v9.9.9").into();
    });
    until(&mut world, "the image cannot be pulled", |world| waiting(world, "ImagePullBackOff") == 1);
    patch(&world, Kind::Deployments, &key, |object| {
        object["spec"]["template"]["spec"]["containers"][0]["image"] = image("v1.11.2").into();
    });
    until(&mut world, "nothing waits any more", |world| waiting(world, "ImagePullBackOff") == 0);
}

#[test]
fn a_restart_annotation_replaces_all_pods() {
    let mut world = cluster(0);
    let before: Vec<Key> = pods(&world, "app=batch-scorer").iter().map(Key::of).collect();
    patch(&world, Kind::Deployments, &Key::new(PLATFORM, "batch-scorer"), |object| {
        object["spec"]["template"]["metadata"]["annotations"] =
            json!({"kubectl.kubernetes.io/restartedAt": "now"});
    });
    until(&mut world, "all pods are others", |world| {
        let now: Vec<Key> = pods(world, "app=batch-scorer").iter().map(Key::of).collect();
        now.len() == 2 && now.iter().all(|key| !before.contains(key))
    });
}

#[test]
fn a_suspended_job_has_no_pods_and_comes_back() {
    let mut world = cluster(0);
    let key = Key::new("ml-training", "bert-finetune-7-training");
    let running = |world: &World| {
        get(world, Kind::Jobs, "ml-training", "bert-finetune-7-training")["status"]["active"].clone()
    };
    assert_eq!(running(&world), 2);
    patch(&world, Kind::Jobs, &key, |object| object["spec"]["suspend"] = true.into());
    until(&mut world, "it is suspended", |world| {
        let job = get(world, Kind::Jobs, "ml-training", "bert-finetune-7-training");
        condition(&job, "Suspended")["status"] == "True" && job["status"].get("active").is_none()
    });
    patch(&world, Kind::Jobs, &key, |object| object["spec"]["suspend"] = false.into());
    until(&mut world, "it runs again", |world| running(world) == 2);
}

#[test]
fn a_queued_job_starts_when_there_is_room() {
    let mut world = cluster(0);
    let queued = |world: &World| get(world, Kind::Jobs, "ml-training", "vit-ablation-4-training");
    assert_eq!(queued(&world)["spec"]["suspend"], true);
    world
        .store()
        .delete(Kind::TrainingJobs, &Key::new("ml-training", "bert-finetune-7"), &Deletion::default())
        .unwrap();
    until(&mut world, "it is admitted and runs", |world| queued(world)["status"]["active"] == 2);
    let workloads = all(&world, Kind::Workloads);
    assert!(workloads.iter().any(|workload| condition(workload, "Admitted")["status"] == "True"));
    let held = workloads.iter().filter(|workload| condition(workload, "Admitted")["status"] == "True");
    let held = held.filter(|workload| condition(workload, "Finished")["status"] != "True");
    let usage = held.map(|workload| {
        let usage =
            &workload["status"]["admission"]["podSetAssignments"][0]["resourceUsage"]["nvidia.com/gpu"];
        usage.as_str().unwrap().parse::<u32>().unwrap()
    });
    let queue = get(&world, Kind::ClusterQueues, "", "gpu-shared");
    let told = &queue["status"]["flavorsReservation"][0];
    assert_eq!(told["name"], "a100");
    assert_eq!(told["resources"][0]["total"], usage.sum::<u32>().to_string());
}

#[test]
fn a_paused_scaled_object_is_pinned() {
    let mut world = cluster(0);
    let key = Key::new(PLATFORM, "llm-serve");
    let hpa = Key::new(PLATFORM, "keda-hpa-llm-serve");
    let pause = "autoscaling.keda.sh/paused-replicas";
    patch(&world, Kind::ScaledObjects, &key, |object| {
        object["metadata"]["annotations"] = json!({pause: "3"});
    });
    until(&mut world, "it is pinned to three", |world| {
        get(world, Kind::Deployments, PLATFORM, "llm-serve")["spec"]["replicas"] == 3
            && world.store().get(Kind::HorizontalPodAutoscalers, &hpa).is_none()
    });
    patch(&world, Kind::ScaledObjects, &key, |object| {
        object["metadata"]["annotations"] = json!({});
    });
    until(&mut world, "its autoscaler is back", |world| {
        world.store().get(Kind::HorizontalPodAutoscalers, &hpa).is_some()
    });
}

#[test]
fn a_canary_waits_at_its_steps() {
    let mut world = cluster(0);
    let key = Key::new(PLATFORM, "inference-gateway");
    let phase = |world: &World| {
        text(&get(world, Kind::Rollouts, PLATFORM, "inference-gateway"), "/status/phase").to_owned()
    };
    patch(&world, Kind::Rollouts, &key, |object| {
        object["spec"]["template"]["metadata"]["annotations"] = json!({"restarted": "yes"});
    });
    world.step();
    until(&mut world, "it pauses at the first step", |world| phase(world) == "Paused");
    let status = get(&world, Kind::Rollouts, PLATFORM, "inference-gateway")["status"].clone();
    assert_eq!((&status["updatedReplicas"], &status["currentStepIndex"]), (&json!(1), &json!(1)));
    until(&mut world, "it is healthy again", |world| phase(world) == "Healthy");
}

#[test]
fn the_autoscaler_moves_and_life_goes_on() {
    let mut world = cluster(0);
    let mut sizes = std::collections::BTreeSet::new();
    let mut trainings = std::collections::BTreeSet::new();
    for _ in 0..seconds(900) {
        world.step();
        let hpa = get(&world, Kind::HorizontalPodAutoscalers, PLATFORM, "ml-inference-hpa");
        sizes.insert(hpa["status"]["desiredReplicas"].as_i64().unwrap());
        trainings.extend(all(&world, Kind::TrainingJobs).iter().map(Key::of));
    }
    assert!(sizes.len() >= 3 && sizes.iter().all(|size| (3..=8).contains(size)), "{sizes:?}");
    assert!(trainings.len() >= 7, "{trainings:?}");
    assert!(world.store().count(Kind::Pods) < 200, "old runs are cleared away");
    let metrics =
        get(&world, Kind::TrainingJobs, "ml-training", "bert-finetune-7")["status"]["metrics"].clone();
    assert!(metrics["step"].as_i64().unwrap() > 4_000, "{metrics}");
}

#[test]
fn nonsense_does_not_stop_the_world() {
    let mut world = cluster(0);
    let huge = i64::MAX;
    let nonsense = [
        json!("x"),
        json!([1]),
        json!({"replicas": huge, "template": "x", "selector": "y", "strategy": []}),
        json!({"replicas": huge, "template": {"metadata": {"labels": "x", "annotations": 7}, "spec": {"containers": "x"}}}),
        json!({"template": {"spec": {"containers": [7, {"image": 7, "env": "x"}], "tolerations": "x", "nodeSelector": []}}}),
        json!({"completions": huge, "parallelism": huge, "activeDeadlineSeconds": huge, "backoffLimit": huge}),
        json!({"minReplicas": huge, "maxReplicas": -1, "metrics": [7], "scaleTargetRef": {"kind": "Deployment", "name": "web"}}),
        json!({"schedule": "* * * * *", "jobTemplate": "x", "replicatedJobs": [{"replicas": huge}, "x"]}),
        json!({"triggers": "x", "leaderWorkerTemplate": {"size": huge}, "maxUnavailable": "999999999999999999%"}),
        json!({"hyperparameters": {"max_steps": huge.to_string()}, "distributedTraining": {"enabled": true, "workers": huge}}),
        json!({"containers": [{"resources": {"requests": {"cpu": "9e99", "memory": "-1Ei"}}}], "terminationGracePeriodSeconds": huge}),
    ];
    let statuses =
        [json!("x"), json!({"conditions": ["x", 7], "replicas": huge, "startTime": "0001-01-01T00:00:00Z"})];
    for kind in KINDS {
        for (number, spec) in nonsense.iter().enumerate() {
            for (other, status) in statuses.iter().enumerate() {
                let name = format!("nonsense-{number}-{other}");
                let labels = json!({"kueue.x-k8s.io/queue-name": "research"});
                let metadata = json!({"name": name, "namespace": "ml-training", "labels": labels});
                world.store().put(*kind, json!({"metadata": metadata, "spec": spec, "status": status}));
            }
        }
        for _ in 0..4 {
            world.step();
        }
        world.store().list(*kind, &Query::all()).objects.iter().for_each(|object| {
            kind.row().printer.cells(&object.value(), world.store().clock().now());
            if object.key.name.starts_with("nonsense") {
                world.store().remove(*kind, &object.key);
            }
        });
    }
    let before = world.store().version();
    (0..seconds(30)).for_each(|_| world.step());
    assert!(world.store().version() > before, "it lives on");
}

#[test]
fn an_autoscaler_obeys_its_bounds_and_overrules_who_scales_by_hand() {
    let mut world = cluster(0);
    let hpa = Key::new(PLATFORM, "ml-inference-hpa");
    let replicas = |world: &World| {
        get(world, Kind::Deployments, PLATFORM, "ml-inference")["spec"]["replicas"].as_i64().unwrap()
    };
    patch(&world, Kind::HorizontalPodAutoscalers, &hpa, |object| {
        object["spec"]["minReplicas"] = 6.into();
        object["spec"]["maxReplicas"] = 6.into();
    });
    let took = until(&mut world, "six, as its bounds say", |world| replicas(world) == 6);
    assert!(took <= seconds(15), "{took} ticks");
    let managers =
        get(&world, Kind::Deployments, PLATFORM, "ml-inference")["metadata"]["managedFields"].clone();
    let who = managers.as_array().unwrap().iter().find(|entry| entry["subresource"] == "scale").unwrap();
    assert_eq!(who["manager"], "kube-controller-manager");
    patch(&world, Kind::Deployments, &Key::new(PLATFORM, "ml-inference"), |object| {
        object["spec"]["replicas"] = 2.into();
    });
    until(&mut world, "six again", |world| replicas(world) == 6);
    // At zero by hand it stops: the way Kubernetes puts it into maintenance.
    patch(&world, Kind::Deployments, &Key::new(PLATFORM, "ml-inference"), |object| {
        object["spec"]["replicas"] = 0.into();
    });
    until(&mut world, "it says that it is disabled", |world| {
        let hpa = get(world, Kind::HorizontalPodAutoscalers, PLATFORM, "ml-inference-hpa");
        condition(&hpa, "ScalingActive")["reason"] == "ScalingDisabled"
    });
    (0..seconds(40)).for_each(|_| world.step());
    assert_eq!(replicas(&world), 0);
}

fn inference_service(autoscaler: &str, least: i64, most: i64) -> Value {
    json!({
        "metadata": {
            "name": "toxicity", "namespace": PLATFORM, "annotations": {"serving.kserve.io/autoscalerClass": autoscaler},
        },
        "spec": {"predictor": {"minReplicas": least, "maxReplicas": most, "model": {
            "modelFormat": {"name": "sklearn"}, "storageUri": "s3://models/toxicity",
        }}},
    })
}

#[test]
fn an_inference_service_overrules_who_scales_its_deployment() {
    let mut world = cluster(0);
    let key = Key::new(PLATFORM, "toxicity");
    let own = Key::new(PLATFORM, "toxicity-predictor");
    world.create(Kind::InferenceServices, inference_service("none", 2, 4)).unwrap();
    let ready = |world: &World, count: i64| {
        let found = world.store().get(Kind::Deployments, &own);
        found.is_some_and(|object| object.value()["status"]["readyReplicas"] == count)
    };
    until(&mut world, "two are ready", |world| ready(world, 2));
    assert!(world.store().get(Kind::HorizontalPodAutoscalers, &own).is_none());
    let owner = get(&world, Kind::Deployments, PLATFORM, "toxicity-predictor")["metadata"]["ownerReferences"]
        [0]
    .clone();
    assert_eq!((&owner["kind"], &owner["controller"]), (&json!("InferenceService"), &json!(true)));
    patch(&world, Kind::Deployments, &own, |object| object["spec"]["replicas"] = 7.into());
    world.step();
    let replicas = |world: &World| {
        get(world, Kind::Deployments, PLATFORM, "toxicity-predictor")["spec"]["replicas"].clone()
    };
    until(&mut world, "back at two", |world| replicas(world) == 2);
    patch(&world, Kind::InferenceServices, &key, |object| {
        object["spec"]["predictor"]["minReplicas"] = 3.into();
    });
    until(&mut world, "three are ready", |world| ready(world, 3));
    let service = get(&world, Kind::InferenceServices, PLATFORM, "toxicity");
    assert_eq!(condition(&service, "Ready")["status"], "True");
}

#[test]
fn an_inference_service_with_an_autoscaler_hands_it_its_bounds() {
    let mut world = cluster(0);
    let key = Key::new(PLATFORM, "toxicity");
    let own = Key::new(PLATFORM, "toxicity-predictor");
    world.create(Kind::InferenceServices, inference_service("hpa", 1, 3)).unwrap();
    world.step();
    let bounds = |world: &World| {
        let hpa = get(world, Kind::HorizontalPodAutoscalers, PLATFORM, "toxicity-predictor");
        (hpa["spec"]["minReplicas"].clone(), hpa["spec"]["maxReplicas"].clone())
    };
    assert_eq!(bounds(&world), (json!(1), json!(3)));
    patch(&world, Kind::InferenceServices, &key, |object| {
        object["spec"]["predictor"]["minReplicas"] = 4.into();
        object["spec"]["predictor"]["maxReplicas"] = 4.into();
    });
    until(&mut world, "four", |world| {
        get(world, Kind::Deployments, PLATFORM, "toxicity-predictor")["spec"]["replicas"] == 4
    });
    assert_eq!(bounds(&world), (json!(4), json!(4)));
    world.store().delete(Kind::InferenceServices, &key, &Deletion::default()).unwrap();
    assert!(world.store().get(Kind::Deployments, &own).is_none(), "it takes along what it owns");
}
