//! Room for more replicas: node by node as the scheduler sees it, and no number where the picture is not whole.

use proptest::prelude::*;
use serde_json::{Value, json};
use skydeck::fleet::{ClusterFact, ClusterId, FaultKind, Kind, ReplicaNeeds, SourceFact, SourceState};
use skydeck::state::select::headroom::{Growth, Headroom, headroom, line, words};

use crate::world::{World, ago, meta, node, pod, source};

/// A machine of 8 GPUs, ready.
fn machine(name: &str) -> Value {
    let mut machine = node(name, "bare", "here", 8, true);
    for (resource, amount) in [("cpu", "96"), ("memory", "1100Gi"), ("pods", "110")] {
        machine["status"]["allocatable"][resource] = amount.into();
    }
    machine["metadata"]["labels"]["pool"] = "gpu".into();
    machine
}

fn plain(name: &str) -> Value {
    let mut machine = machine(name);
    machine["status"]["allocatable"].as_object_mut().unwrap().remove("nvidia.com/gpu");
    machine
}

fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    if object.pointer(parent).is_none() {
        object = with(object, parent, json!({}));
    }
    object.pointer_mut(parent).unwrap()[key] = value;
    object
}

/// A workload whose pods ask for so many GPUs, with more in their spec.
fn workload(gpus: u32, more: &Value) -> Value {
    let mut spec =
        json!({"containers": [{"name": "server", "resources": {"limits": {"nvidia.com/gpu": gpus}}}]});
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    json!({"metadata": meta("ml/llm"), "spec": {"replicas": 1, "template": {"spec": spec}}})
}

fn asks(resources: &Value) -> Value {
    json!({"metadata": meta("ml/llm"), "spec": {"template": {"spec": {"containers": [
        {"name": "server", "resources": {"requests": resources}}]}}}})
}

fn in_world(objects: &[Value], of: &Value) -> Headroom {
    let mut world = World::new();
    let id = world.cluster("east", "v1.33.0", 1, objects);
    room(&world, id, of)
}

fn room(world: &World, id: ClusterId, of: &Value) -> Headroom {
    headroom(&world.state, id, &ReplicaNeeds::read(Kind::Deployment, of).unwrap())
}

fn said(world: &World, id: ClusterId, of: &Value, kind: Kind, to: u32) -> Vec<String> {
    let words = words(&world.state, of, Growth { cluster: id, kind, from: 1, to });
    words.iter().map(|(warning, words)| format!("{}{words}", if *warning { "! " } else { "" })).collect()
}

#[test]
fn a_pod_of_8_does_not_fit_into_4_and_4() {
    let mut world = World::new();
    let used = |suffix, node| pod("ml/a", suffix, node, 4);
    let id = world.cluster(
        "east",
        "v1.33.0",
        1,
        &[machine("a"), machine("b"), used("x", "a"), used("y", "b"), plain("c")],
    );
    let four = room(&world, id, &workload(4, &json!({})));
    assert_eq!((four.fits, four.fitting, four.best), (Ok(2), 2, Some(("a".into(), 1))));
    assert_eq!(room(&world, id, &workload(3, &json!({}))).fits, Ok(2), "not 8 / 3");
    assert_eq!(
        said(&world, id, &workload(8, &json!({})), Kind::Deployment, 3),
        [
            "! east: room for 0 more of 2 (scheduler estimate): 8 GPUs a pod, 0 nodes fit",
            "east: of 3 nodes: 2 have too little nvidia.com/gpu free (8 a pod, 4+4 free), 1 has no nvidia.com/gpu"
        ]
    );
    // What has ended holds nothing.
    let ended = with(used("x", "a"), "/status/phase", json!("Succeeded"));
    world.item(id, ago(0), &ended);
    assert_eq!(room(&world, id, &workload(8, &json!({}))).fits, Ok(1));
    assert_eq!(
        said(&world, id, &workload(8, &json!({})), Kind::Deployment, 2),
        ["east: room for 1 more, 1 asked for (scheduler estimate): 8 GPUs a pod, 1 node fits"]
    );
    assert_eq!(said(&world, id, &workload(8, &json!({})), Kind::Deployment, 1), [""; 0], "nothing grows");
}

#[test]
fn every_reason_why_a_node_takes_nothing() {
    let taint = |effect: &str| json!([{"key": "dedicated", "value": "x", "effect": effect}]);
    let tolerant = json!({"tolerations": [{"key": "dedicated", "operator": "Exists"}]});
    let cordoned = with(machine("n"), "/spec/unschedulable", json!(true));
    let cordoned_twice = with(
        cordoned.clone(),
        "/spec/taints",
        json!([{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]),
    );
    let few_pods = with(machine("n"), "/status/allocatable/pods", json!("1"));
    let crowd = pod("ml/a", "x", "n", 0);
    for (name, nodes, more, fits, reason) in [
        (
            "not ready",
            vec![with(machine("n"), "/status/conditions/0/status", json!("False"))],
            json!({}),
            0,
            "1 is not ready",
        ),
        ("cordoned", vec![cordoned.clone()], json!({}), 0, "1 is cordoned"),
        ("cordoned, with its taint", vec![cordoned_twice], json!({}), 0, "1 is cordoned"),
        ("cordon tolerated", vec![cordoned], json!({"tolerations": [{"operator": "Exists"}]}), 1, ""),
        (
            "tainted",
            vec![with(machine("n"), "/spec/taints", taint("NoSchedule"))],
            json!({}),
            0,
            "1 is tainted dedicated",
        ),
        ("taint tolerated", vec![with(machine("n"), "/spec/taints", taint("NoExecute"))], tolerant, 1, ""),
        (
            "only preferred",
            vec![with(machine("n"), "/spec/taints", taint("PreferNoSchedule"))],
            json!({}),
            1,
            "",
        ),
        ("selected", vec![machine("n")], json!({"nodeSelector": {"pool": "gpu"}}), 1, ""),
        (
            "not selected",
            vec![machine("n")],
            json!({"nodeSelector": {"pool": "cpu"}}),
            0,
            "1 is not selected",
        ),
        ("by name", vec![machine("n"), machine("m")], json!({"nodeName": "n"}), 1, "1 is not selected"),
        ("no GPUs", vec![plain("n")], json!({}), 0, "1 has no nvidia.com/gpu"),
        ("full of pods", vec![few_pods, crowd], json!({}), 0, "1 has no place for another pod"),
        (
            "ports",
            vec![machine("n")],
            json!({"hostNetwork": true, "containers": [{"ports": [{"containerPort": 80}],
            "resources": {"limits": {"nvidia.com/gpu": 1}}}]}),
            1,
            "",
        ),
    ] {
        let mut world = World::new();
        let id = world.cluster("east", "v1.33.0", 1, &nodes);
        let object = workload(8, &more);
        assert_eq!(room(&world, id, &object).fits, Ok(fits), "{name}");
        let said = said(&world, id, &object, Kind::Deployment, 9).join("\n");
        assert!(said.contains(reason), "{name}: {said}");
    }
}

#[test]
fn every_resource_counts_and_so_does_what_the_pods_of_a_node_ask_for() {
    let objects = [
        machine("a"),
        with(pod("ml/a", "x", "a", 0), "/spec/containers/0/resources/requests/cpu", json!("90")),
    ];
    for (resources, fits) in [
        (json!({"cpu": "2"}), 3),
        (json!({"cpu": "1500m", "memory": "300Gi"}), 3),
        (json!({"cpu": "6001m"}), 0),
        (json!({"memory": "1100Gi"}), 1),
        (json!({"example.com/fpga": 1}), 0),
        (json!({"example.com/fpga": 0}), 109),
        (json!({}), 109),
    ] {
        assert_eq!(in_world(&objects, &asks(&resources)).fits, Ok(fits), "{resources}");
    }
}

#[test]
fn what_is_stale_or_known_in_part_gives_no_number_but_the_reason() {
    let eight = workload(8, &json!({}));
    let reason = |world: &World, id| room(world, id, &eight).fits.unwrap_err().to_string();
    let mut world = World::new();
    let id = world.cluster("east", "v1.33.0", 90, &[machine("a")]);
    assert_eq!(reason(&world, id), "the Nodes are as of 1m30s ago");
    let said = said(&world, id, &eight, Kind::Deployment, 2);
    assert_eq!(said, ["! east: room is not known: the Nodes are as of 1m30s ago"]);
    let whole = |world: &mut World, name: &str| world.cluster(name, "v1.33.0", 1, &[machine("a")]);
    let id = whole(&mut world, "denied");
    let denied = SourceFact::State(SourceState::Denied("no".into()));
    world.source(source(id, Kind::Pod), ago(0), denied);
    assert_eq!(reason(&world, id), "the account may not read Pods");
    let id = whole(&mut world, "odd");
    let odd = SourceFact::Undecodable { name: Some("ml/x".into()), why: "?".into() };
    world.source(source(id, Kind::Pod), ago(0), odd);
    assert_eq!(reason(&world, id), "1 Pod cannot be understood");
    let id = whole(&mut world, "some");
    world.fact(id, ago(0), ClusterFact::Namespaces(vec!["ml".into()]));
    assert!(reason(&world, id).starts_with("only some namespaces are read"));
    let id = world.configured("new");
    assert_eq!(reason(&world, id), "the Nodes are not read yet");
    world.silent(id, FaultKind::Refused);
    assert!(reason(&world, id).contains("refused"), "{}", reason(&world, id));
    assert_eq!(reason(&world, ClusterId(99)), "the cluster is not configured any more");
    let elsewhere = json!({"metadata": meta("ml/r"), "spec": {"workloadRef": {"name": "d"}}});
    assert_eq!(
        super::headroom::said(&world, id, &elsewhere, Kind::Rollout, 2),
        ["! new: room is not known: what its pods need stands elsewhere"]
    );
}

#[test]
fn shares_slices_and_claims_are_called_what_they_are() {
    let shared = with(machine("a"), "/status/allocatable/nvidia.com~1gpu.shared", json!("32"));
    let sliced = with(machine("b"), "/status/allocatable/nvidia.com~1mig-1g.5gb", json!("7"));
    let renamed =
        with(machine("c"), "/metadata/labels/nvidia.com~1gpu.sharing-strategy", json!("time-slicing"));
    let mut world = World::new();
    let id = world.cluster(
        "east",
        "v1.33.0",
        1,
        &[unescaped(shared, "allocatable"), unescaped(sliced, "allocatable"), unescaped(renamed, "labels")],
    );
    let of = |object: &Value| said(&world, id, object, Kind::Deployment, 5);
    assert_eq!(
        of(&asks(&json!({"nvidia.com/gpu.shared": 4}))),
        [
            "east: room for 8 more, 4 asked for (scheduler estimate): 4 nvidia.com/gpu.shared a pod, 1 node fits",
            "east: nvidia.com/gpu.shared counts GPU shares, not GPUs"
        ]
    );
    let slices = of(&asks(&json!({"nvidia.com/mig-1g.5gb": 2})));
    assert_eq!(slices.last().unwrap(), "east: nvidia.com/mig-1g.5gb counts slices of GPUs, not GPUs");
    assert_eq!(
        of(&asks(&json!({"nvidia.com/gpu": 1})))[1],
        "east: GPUs of 1 node are shared: what counts as a GPU there is a share of one"
    );
    let claims = workload(0, &json!({"resourceClaims": [{"name": "gpu"}]}));
    assert_eq!(of(&claims)[0], "! east: room is not known: DRA: not computed");
    let spread = workload(
        1,
        &json!({"topologySpreadConstraints": [{"whenUnsatisfiable": "DoNotSchedule"}],
        "volumes": [{"persistentVolumeClaim": {"claimName": "c"}}]}),
    );
    assert!(
        of(&spread).contains(&"east: not considered: topology spread, volumes".to_owned()),
        "{:?}",
        of(&spread)
    );
}

/// `with` takes a key with a slash in it escaped, and this puts the slash back.
fn unescaped(mut node: Value, parent: &str) -> Value {
    let parent = match parent {
        "labels" => &mut node["metadata"]["labels"],
        parent => &mut node["status"][parent],
    };
    let entries = std::mem::take(parent.as_object_mut().unwrap());
    *parent =
        Value::Object(entries.into_iter().map(|(key, value)| (key.replace("~1", "/"), value)).collect());
    node
}

#[test]
fn who_waits_already_and_whether_nodes_may_come_is_said() {
    let grows = with(machine("a"), "/metadata/labels/karpenter.sh~1nodepool", json!("gpu"));
    let waits = |suffix| with(pod("ml/other", suffix, "", 8), "/status", json!({"phase": "Pending"}));
    let gated = with(
        waits("gated"),
        "/status/conditions",
        json!([{"type": "PodScheduled", "reason": "SchedulingGated"}]),
    );
    let mut world = World::new();
    let id =
        world.cluster("east", "v1.33.0", 1, &[unescaped(grows, "labels"), waits("x"), waits("y"), gated]);
    assert_eq!(
        said(&world, id, &workload(8, &json!({})), Kind::Deployment, 5),
        [
            "! east: room for 1 more of 4 (scheduler estimate): 8 GPUs a pod, 1 node fits; an autoscaler may add nodes",
            "! east: 2 pods already wait for nvidia.com/gpu"
        ]
    );
}

#[test]
fn a_group_is_all_or_nothing() {
    let template = |gpus: u32, pool: &str| json!({"spec": {"nodeSelector": {"pool": pool}, "containers": [{"resources": {"limits": {"nvidia.com/gpu": gpus}}}]}});
    let group = |leader: Option<Value>, size: u32| {
        let mut template = json!({"size": size, "workerTemplate": template(8, "gpu")});
        template["leaderTemplate"] = leader.unwrap_or_default();
        json!({"metadata": meta("ml/big"), "spec": {"leaderWorkerTemplate": template}})
    };
    let machines: Vec<_> = ["a", "b", "c", "d", "e", "f", "g"].map(machine).into();
    let mut world = World::new();
    let id = world.cluster("east", "v1.33.0", 1, &machines);
    let fits = |object: &Value| {
        headroom(&world.state, id, &ReplicaNeeds::read(Kind::LeaderWorkerSet, object).unwrap()).fits
    };
    assert_eq!(fits(&group(None, 3)), Ok(2), "7 nodes hold two groups of three");
    assert_eq!(fits(&group(None, 8)), Ok(0));
    assert_eq!(
        fits(&group(Some(template(4, "gpu")), 3)),
        Ok(2),
        "two leaders share a node, four have one each"
    );
    assert_eq!(fits(&group(Some(template(4, "gpu")), 4)), Ok(2), "six nodes of workers, one of two leaders");
    assert_eq!(fits(&group(Some(template(0, "cpu")), 2)), Ok(0), "no place for its leader");
    assert_eq!(
        said(&world, id, &group(None, 3), Kind::LeaderWorkerSet, 4),
        ["! east: room for 2 more of 3 (scheduler estimate): 24 GPUs a group of 3 pods, 7 nodes fit",]
    );
}

fn cluster_queue(name: &str, cohort: &str, quota: &Value, reserved: Option<u32>) -> Value {
    let mut resource = json!({"name": "nvidia.com/gpu", "nominalQuota": 16});
    for (key, value) in quota.as_object().unwrap() {
        resource[key] = value.clone();
    }
    let mut queue = json!({"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ClusterQueue", "metadata": meta(name),
        "spec": {"cohortName": cohort, "resourceGroups": [{"coveredResources": ["nvidia.com/gpu"],
            "flavors": [{"name": "a100", "resources": [resource]}]}]}, "status": {"pendingWorkloads": 0}});
    if let Some(reserved) = reserved {
        queue["status"]["flavorsReservation"] = json!([{"name": "a100", "resources": [{"name": "nvidia.com/gpu", "total": reserved.to_string()}]}]);
    }
    queue
}

fn local_queue(to: &str) -> Value {
    json!({"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "LocalQueue", "metadata": meta("ml/team"), "spec": {"clusterQueue": to}})
}

/// What is said of the quota when 4 more pods of 4 GPUs are asked for.
fn of_kueue(queues: &[Value]) -> String {
    let mut world = World::new();
    let objects: Vec<_> = ["a", "b", "c"].map(machine).into_iter().chain(queues.iter().cloned()).collect();
    let id = world.cluster("east", "v1.33.0", 1, &objects);
    let object =
        with(workload(4, &json!({})), "/metadata/labels", json!({"kueue.x-k8s.io/queue-name": "team"}));
    let said = said(&world, id, &object, Kind::Deployment, 5);
    said.into_iter().find(|it| it.contains("Kueue")).unwrap_or_default()
}

#[test]
fn quota_of_kueue_is_said_and_what_happens_beyond_it() {
    let own = |reserved| cluster_queue("research", "", &json!({}), reserved);
    let door = || local_queue("research");
    let gated = "; the rest would stay gated, and Kubernetes shows no error";
    for (queues, words) in [
        (vec![own(Some(0)), door()], "east: Kueue: 4 of 4 more replicas within quota of ClusterQueue research".to_owned()),
        (vec![own(Some(8)), door()], format!("! east: Kueue: 2 of 4 more replicas within quota of ClusterQueue research{gated}")),
        (vec![own(Some(99)), door()], format!("! east: Kueue: 0 of 4 more replicas within quota of ClusterQueue research{gated}")),
        (
            vec![with(own(Some(8)), "/status/pendingWorkloads", json!(3)), door()],
            format!("! east: Kueue: 2 of 4 more replicas within quota of ClusterQueue research{gated}; 3 workloads already wait there"),
        ),
        (vec![own(None), door()], "! east: Kueue: quota is not known: Kueue has not told what is reserved of nvidia.com/gpu in a100".into()),
        (
            vec![with(own(Some(0)), "/spec/stopPolicy", json!("Hold")), door()],
            format!("! east: Kueue: 0 of 4 more replicas within quota of ClusterQueue research (stopped: Hold){gated}"),
        ),
        (
            vec![own(Some(0))],
            "! east: Kueue: quota is not known: the cluster serves no LocalQueues".into(),
        ),
        (
            vec![own(Some(0)), with(door(), "/metadata/name", json!("other"))],
            format!("! east: Kueue: 0 of 4 more replicas within quota of LocalQueue team (there is no such queue in this namespace){gated}"),
        ),
        (
            vec![own(Some(0)), local_queue("gone")],
            format!("! east: Kueue: 0 of 4 more replicas within quota of ClusterQueue gone (there is no such queue){gated}"),
        ),
        (
            vec![with(own(Some(0)), "/spec/resourceGroups", json!([])), door()],
            "! east: Kueue: quota is not known: nvidia.com/gpu has no quota there: Kueue holds back what asks for it, unless it is set to leave it out".into(),
        ),
        (vec![], String::new()),
    ] {
        assert_eq!(of_kueue(&queues), words);
    }
}

#[test]
fn what_others_leave_unused_can_be_borrowed() {
    let case = |own: Value, own_reserved: u32, other: Value, other_reserved: u32| {
        let said = of_kueue(&[
            cluster_queue("research", "ml", &own, Some(own_reserved)),
            cluster_queue("serving", "ml", &other, Some(other_reserved)),
            local_queue("research"),
        ]);
        let numbers = said.split(" more replicas within quota of ClusterQueue research").collect::<Vec<_>>();
        let fits = numbers[0].rsplit("Kueue: ").next().unwrap().to_owned();
        (fits, numbers.get(1).is_some_and(|rest| rest.starts_with(", 2 of them borrowed")))
    };
    let none = || json!({});
    assert_eq!(case(none(), 8, none(), 0), ("4 of 4".into(), true));
    assert_eq!(case(none(), 8, none(), 16), ("2 of 4".into(), false));
    assert_eq!(case(json!({"borrowingLimit": 0}), 8, none(), 0), ("2 of 4".into(), false));
    assert_eq!(case(json!({"borrowingLimit": "8"}), 8, none(), 0), ("4 of 4".into(), true));
    assert_eq!(case(none(), 8, json!({"lendingLimit": 0}), 0), ("2 of 4".into(), false));
    // The other has borrowed what is this queue's own and not used.
    assert_eq!(case(none(), 0, none(), 24), ("2 of 4".into(), false));
    assert_eq!(case(json!({"lendingLimit": 0}), 0, none(), 16), ("4 of 4".into(), false));
}

#[derive(Debug, Clone)]
struct Machine {
    gpus: u32,
    cpu: u32,
    pods: u32,
    used: Vec<(u32, u32)>,
}

fn machines() -> impl Strategy<Value = Vec<Machine>> {
    let used = proptest::collection::vec((0u32..5, 0u32..5), 0..4);
    let one = (0u32..9, 0u32..17, 0u32..7, used).prop_map(|(gpus, cpu, pods, used)| Machine {
        gpus,
        cpu,
        pods,
        used,
    });
    proptest::collection::vec(one, 0..6)
}

fn objects(machines: &[Machine]) -> Vec<Value> {
    let mut objects = Vec::new();
    for (at, machine) in machines.iter().enumerate() {
        let name = format!("n{at}");
        let mut node = node(&name, "bare", "here", machine.gpus, true);
        node["status"]["allocatable"]["cpu"] = machine.cpu.to_string().into();
        node["status"]["allocatable"]["pods"] = machine.pods.to_string().into();
        objects.push(node);
        for (number, (gpus, cpu)) in machine.used.iter().enumerate() {
            let mut pod = pod("ml/used", &format!("{at}-{number}"), &name, *gpus);
            pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] = cpu.to_string().into();
            objects.push(pod);
        }
    }
    objects
}

/// Pods put onto nodes one after the other, until none takes one more.
fn placed_one_by_one(machines: &[Machine], gpus: u32, cpu: u32) -> u32 {
    let sum = |machine: &Machine, of: fn(&(u32, u32)) -> u32| machine.used.iter().map(of).sum::<u32>();
    let mut placed = 0;
    for machine in machines {
        let mut free = (
            machine.gpus.saturating_sub(sum(machine, |it| it.0)),
            machine.cpu.saturating_sub(sum(machine, |it| it.1)),
            machine.pods.saturating_sub(machine.used.len() as u32),
        );
        while free.0 >= gpus && free.1 >= cpu && free.2 >= 1 {
            free = (free.0 - gpus, free.1 - cpu, free.2 - 1);
            placed += 1;
        }
    }
    placed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]
    #[test]
    fn the_number_is_that_of_placing_pods_one_by_one(machines in machines(), gpus in 0u32..9, cpu in 0u32..9) {
        let object = asks(&json!({"nvidia.com/gpu": gpus, "cpu": cpu}));
        let fits = in_world(&objects(&machines), &object).fits.unwrap();
        prop_assert_eq!(fits, placed_one_by_one(&machines, gpus, cpu));
        let naive: u32 = machines.iter().map(|it| it.gpus).sum();
        prop_assert!(gpus == 0 || fits <= naive / gpus);
    }

    #[test]
    fn more_to_give_never_means_less_room(machines in machines(), which in 0usize..6, gpus in 1u32..5, cpu in 0u32..5) {
        let object = asks(&json!({"nvidia.com/gpu": gpus, "cpu": cpu}));
        let before = in_world(&objects(&machines), &object).fits.unwrap();
        let mut richer = machines;
        if let Some(machine) = richer.get_mut(which) {
            *machine = Machine { gpus: machine.gpus + 3, cpu: machine.cpu + 2, pods: machine.pods + 1, used: machine.used.clone() };
        }
        prop_assert!(in_world(&objects(&richer), &object).fits.unwrap() >= before);
    }

    #[test]
    fn groups_of_unlike_pods_never_take_more_than_there_is(machines in machines(), size in 2u32..4, leader in 0u32..3, worker in 1u32..5) {
        let template = |gpus: u32| json!({"spec": {"containers": [{"resources": {"requests": {"nvidia.com/gpu": gpus, "cpu": 1}}}]}});
        let object = json!({"metadata": meta("ml/g"), "spec": {"leaderWorkerTemplate": {"size": size,
            "leaderTemplate": template(leader), "workerTemplate": template(worker)}}});
        let mut world = World::new();
        let id = world.cluster("east", "v1.33.0", 1, &objects(&machines));
        let needs = ReplicaNeeds::read(Kind::LeaderWorkerSet, &object).unwrap();
        let groups = headroom(&world.state, id, &needs).fits.unwrap();
        let workers = placed_one_by_one(&machines, worker, 1);
        prop_assert!(groups <= workers / (size - 1));
        prop_assert!(groups <= placed_one_by_one(&machines, leader, 1));
        // As many groups of pods that are all as large as the largest fit certainly.
        prop_assert!(groups >= placed_one_by_one(&machines, worker.max(leader), 1) / size);
        prop_assert!(!line(&headroom(&world.state, id, &needs)).is_empty());
    }
}
