//! Pods: what `kubectl get pods` says of them, and what is wrong.

use bytes::Bytes;

use super::{Cx, Read, controller, count, created, decode, key, meta, pod_requests};
use crate::clients::kube::wire::Encoding;
use crate::clients::kube::wire::messages::core::{self, ContainerStatus, PodSpec, PodStatus, Terminated};
use crate::clients::kube::wire::messages::meta::{ObjectMeta, unix};
use crate::fleet::{Clean, GpuCount, Kind, Object, Owner, Pod, PodPhase, Trouble, TroubleKind, Unix};

pub fn pod(encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
    let wire: core::Pod = decode(encoding, bytes)?;
    let meta = meta(wire.metadata)?;
    let spec = wire.spec.unwrap_or_default();
    let status = wire.status.unwrap_or_default();
    let phase = match &*status.phase {
        "Pending" | "" => PodPhase::Pending,
        "Running" => PodPhase::Running,
        "Succeeded" => PodPhase::Succeeded,
        "Failed" => PodPhase::Failed,
        _ => PodPhase::Unknown,
    };
    let deleting = meta.deletion_timestamp.is_some();
    let seen = seen(&spec, &status);
    let requests = pod_requests(&spec);
    let pod = Pod {
        key: key(&meta, cx),
        owner: owner(&meta, cx),
        node: (!spec.node_name.is_empty()).then(|| cx.names.intern(&spec.node_name)),
        phase,
        status: cx.names.intern(&shown(&meta, &status, seen.reason, phase)),
        ready: status.conditions.iter().any(|it| it.kind == "Ready" && it.status == "True"),
        containers_ready: seen.ready,
        containers: spec.containers.len() as u16 + seen.sidecars,
        restarts: seen.restarts,
        gpus: GpuCount::among(requests.iter()),
        requests: cx.amounts.intern(&requests, &mut cx.names),
        image: cx.names.intern(spec.containers.first().map_or("", |it| it.image.as_str())),
        trouble: if deleting { None } else { trouble(&status, phase, created(&meta)) },
        created: created(&meta),
        deleting,
    };
    Ok(Read::new(&meta, cx, Some(Object::Pod(pod))))
}

/// The workload above the pod. A Deployment's ReplicaSet is named after it with the hash that the pod
/// carries as a label, so no join is needed; kinds in several layers put their name on the pod.
fn owner(meta: &ObjectMeta, cx: &mut Cx) -> Option<Owner> {
    for (label, kind) in [
        ("leaderworkerset.sigs.k8s.io/name", Kind::LeaderWorkerSet.name()),
        ("jobset.sigs.k8s.io/jobset-name", "JobSet"),
    ] {
        if let Some(name) = meta.labels.get(label) {
            return Some(Owner { kind: cx.names.intern(kind), name: cx.names.intern(name) });
        }
    }
    if meta.labels.get("ray.io/originated-from-crd").is_some_and(|kind| kind == "RayJob")
        && let Some(name) = meta.labels.get("ray.io/originated-from-cr-name")
    {
        return Some(Owner { kind: cx.names.intern("RayJob"), name: cx.names.intern(name) });
    }
    let owner = controller(meta, cx)?;
    if owner.kind != Kind::ReplicaSet.name() {
        return Some(owner);
    }
    for (label, kind) in
        [("pod-template-hash", Kind::Deployment), ("rollouts-pod-template-hash", Kind::Rollout)]
    {
        let hash = meta.labels.get(label);
        let name = hash.and_then(|hash| owner.name.strip_suffix(&**hash)?.strip_suffix('-'));
        if let Some(name) = name {
            return Some(Owner { kind: cx.names.intern(kind.name()), name: cx.names.intern(name) });
        }
    }
    Some(owner)
}

/// What the containers say together.
struct Seen {
    ready: u16,
    sidecars: u16,
    restarts: u32,
    reason: Option<String>,
}

/// READY, RESTARTS and the reason for STATUS, in the order of kubectl's printer
/// (kubernetes `pkg/printers/internalversion/printers.go`, printPod).
fn seen(spec: &PodSpec, status: &PodStatus) -> Seen {
    let is_sidecar =
        |name: &str| spec.init_containers.iter().any(|it| it.name == name && it.restart_policy == "Always");
    let sidecars = spec.init_containers.iter().filter(|it| it.restart_policy == "Always").count();
    let mut seen = Seen { ready: 0, sidecars: sidecars as u16, restarts: 0, reason: None };
    let (mut initializing, mut sidecar_restarts) = (false, 0);
    for (at, container) in status.init_container_statuses.iter().enumerate() {
        seen.restarts += count(container.restart_count);
        let sidecar = is_sidecar(&container.name);
        if sidecar {
            sidecar_restarts += count(container.restart_count);
        }
        let state = container.state.as_ref();
        let terminated = state.and_then(|it| it.terminated.as_ref());
        let waiting = state.and_then(|it| it.waiting.as_ref()).filter(|it| !it.reason.is_empty());
        if terminated.is_some_and(|it| it.exit_code == 0) {
            continue;
        }
        if sidecar && container.started {
            seen.ready += u16::from(container.ready);
            continue;
        }
        seen.reason = Some(match (terminated, waiting) {
            (Some(ended), _) => format!("Init:{}", ending(ended)),
            (None, Some(waiting)) if waiting.reason != "PodInitializing" => {
                format!("Init:{}", waiting.reason)
            }
            _ => format!("Init:{at}/{}", spec.init_containers.len()),
        });
        initializing = true;
        break;
    }
    let initialized = status.conditions.iter().any(|it| it.kind == "Initialized" && it.status == "True");
    if !initializing || initialized {
        seen.restarts = sidecar_restarts;
        main_containers(status, &mut seen);
    }
    seen
}

fn main_containers(status: &PodStatus, seen: &mut Seen) {
    let (mut running, mut error) = (false, None);
    for container in status.container_statuses.iter().rev() {
        seen.restarts += count(container.restart_count);
        let Some(state) = &container.state else { continue };
        let waiting = state.waiting.as_ref().filter(|it| !it.reason.is_empty());
        if let Some(waiting) = waiting {
            seen.reason = Some(waiting.reason.clone());
        } else if let Some(ended) = &state.terminated {
            let words = ending(ended);
            if ended.exit_code != 0 {
                error = Some(words.clone());
            }
            seen.reason = Some(words);
        } else if container.ready && state.running.is_some() {
            running = true;
            seen.ready += 1;
        }
    }
    if seen.reason.as_deref() == Some("Completed") {
        let ready = status.conditions.iter().any(|it| it.kind == "Ready" && it.status == "True");
        seen.reason = match (running, ready, error) {
            (true, true, _) => Some("Running".into()),
            (_, _, Some(error)) => Some(error),
            (true, false, None) => Some("NotReady".into()),
            (false, _, None) => Some("Completed".into()),
        };
    }
}

fn ending(ended: &Terminated) -> String {
    if !ended.reason.is_empty() {
        ended.reason.clone()
    } else if ended.signal != 0 {
        format!("Signal:{}", ended.signal)
    } else {
        format!("ExitCode:{}", ended.exit_code)
    }
}

/// The STATUS column.
fn shown(meta: &ObjectMeta, status: &PodStatus, reason: Option<String>, phase: PodPhase) -> String {
    if meta.deletion_timestamp.is_some() {
        if status.reason == "NodeLost" {
            return "Unknown".into();
        }
        if !matches!(phase, PodPhase::Succeeded | PodPhase::Failed) {
            return "Terminating".into();
        }
    }
    let gated = |it: &core::PodCondition| it.kind == "PodScheduled" && it.reason == "SchedulingGated";
    let of_pod = match (&*status.reason, status.conditions.iter().any(gated)) {
        (_, true) => "SchedulingGated",
        ("", false) if status.phase.is_empty() => "Pending",
        ("", false) => &status.phase,
        (reason, false) => reason,
    };
    reason.unwrap_or_else(|| of_pod.to_owned())
}

const IMAGE_REASONS: [&str; 6] = [
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "ErrImageNeverPull",
    "RegistryUnavailable",
    "ImageInspectError",
];
const START_REASONS: [&str; 6] = [
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "ContainerCannotRun",
    "PreStartHookError",
    "PostStartHookError",
];

fn trouble(status: &PodStatus, phase: PodPhase, created: Unix) -> Option<Box<Trouble>> {
    let containers = status.init_container_statuses.iter().chain(&status.container_statuses);
    let of_container = containers.filter_map(|it| container_trouble(it, created)).min_by_key(|it| it.kind);
    of_container.or_else(|| unschedulable(status)).or_else(|| failed(status, phase)).map(Box::new)
}

fn container_trouble(container: &ContainerStatus, created: Unix) -> Option<Trouble> {
    let state = container.state.as_ref()?;
    let last = container.last_state.as_ref().and_then(|it| it.terminated.as_ref());
    let (reason, message, ended) = match (&state.waiting, &state.terminated) {
        (Some(waiting), _) => (&waiting.reason, &waiting.message, last),
        // Between the crash and the back-off.
        (None, Some(ended)) if ended.exit_code != 0 && container.restart_count > 0 => {
            (&ended.reason, &ended.message, Some(ended))
        }
        _ => return None,
    };
    let kind = if IMAGE_REASONS.contains(&&**reason) {
        TroubleKind::ImagePull
    } else if START_REASONS.contains(&&**reason) {
        TroubleKind::CannotStart
    } else if reason == "CrashLoopBackOff" || state.terminated.is_some() {
        TroubleKind::CrashLoop
    } else {
        return None;
    };
    let since = match kind {
        TroubleKind::CrashLoop => ended.and_then(|it| unix(it.finished_at.as_ref())),
        _ => Some(created),
    };
    Some(Trouble {
        kind,
        container: Clean::new(&container.name),
        reason: Clean::new(if kind == TroubleKind::CrashLoop { "CrashLoopBackOff" } else { reason }),
        message: Clean::new(message),
        last_end: ended.map_or_else(Clean::default, last_end),
        since,
    })
}

/// `OOMKilled, exit 137`.
fn last_end(ended: &Terminated) -> Clean {
    let code = format!("exit {}", ended.exit_code);
    match &*ended.reason {
        "" | "Error" => code.into(),
        reason => Clean::from(format!("{reason}, {code}")),
    }
}

fn unschedulable(status: &PodStatus) -> Option<Trouble> {
    let condition = status
        .conditions
        .iter()
        .find(|it| it.kind == "PodScheduled" && it.status == "False" && it.reason == "Unschedulable")?;
    Some(Trouble {
        kind: TroubleKind::Unschedulable,
        container: Clean::default(),
        reason: "Unschedulable".into(),
        message: Clean::new(&condition.message),
        last_end: Clean::default(),
        since: unix(condition.last_transition_time.as_ref()),
    })
}

fn failed(status: &PodStatus, phase: PodPhase) -> Option<Trouble> {
    if phase != PodPhase::Failed {
        return None;
    }
    let ended = status.container_statuses.iter().find_map(|container| {
        let ended = container.state.as_ref()?.terminated.as_ref()?;
        (ended.exit_code != 0).then_some((container, ended))
    });
    let ready = status.conditions.iter().find(|it| it.kind == "Ready");
    Some(Trouble {
        kind: TroubleKind::Failed,
        container: ended.map_or_else(Clean::default, |(container, _)| Clean::new(&container.name)),
        reason: Clean::new(if status.reason.is_empty() { "Failed" } else { &status.reason }),
        message: Clean::new(&status.message),
        last_end: ended.map_or_else(Clean::default, |(_, ended)| last_end(ended)),
        since: ready.and_then(|it| unix(it.last_transition_time.as_ref())),
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_cx;
    use super::*;

    fn read(json: &str) -> Pod {
        let read = pod(Encoding::Json, &Bytes::copy_from_slice(json.as_bytes()), &mut test_cx());
        match read.unwrap().object {
            Some(Object::Pod(pod)) => pod,
            other => panic!("{other:?}"),
        }
    }

    fn owner_of(labels: &str, kind: &str, name: &str) -> String {
        let pod = read(&format!(
            r#"{{"metadata":{{"name":"p","namespace":"ml","labels":{{{labels}}},
               "ownerReferences":[{{"kind":"{kind}","name":"{name}","controller":true}}]}}}}"#
        ));
        pod.owner.map(|it| format!("{} {}", it.kind, it.name)).unwrap_or_default()
    }

    #[test]
    fn the_workload_above_the_replica_set_is_found_without_a_join() {
        let hash = r#""pod-template-hash":"6b7f9""#;
        assert_eq!(owner_of(hash, "ReplicaSet", "ml-inference-6b7f9"), "Deployment ml-inference");
        assert_eq!(owner_of("", "ReplicaSet", "by-hand"), "ReplicaSet by-hand");
        assert_eq!(owner_of(hash, "ReplicaSet", "other"), "ReplicaSet other");
        let rollout = r#""rollouts-pod-template-hash":"abc""#;
        assert_eq!(owner_of(rollout, "ReplicaSet", "llm-abc"), "Rollout llm");
        let group = r#""leaderworkerset.sigs.k8s.io/name":"big""#;
        assert_eq!(owner_of(group, "StatefulSet", "big-0"), "LeaderWorkerSet big");
        assert_eq!(owner_of("", "Job", "train"), "Job train");
    }

    #[test]
    fn a_crash_loop_says_how_it_ended() {
        let pod = read(
            r#"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"server","image":"i:1"}]},
               "status":{"phase":"Running","containerStatuses":[{"name":"server","restartCount":7,
                 "state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 5m0s"}},
                 "lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled","finishedAt":"2026-01-01T00:00:00Z"}}}]}}"#,
        );
        assert_eq!((pod.status.as_str(), pod.restarts, pod.ready), ("CrashLoopBackOff", 7, false));
        let trouble = pod.trouble.unwrap();
        assert_eq!(trouble.kind, TroubleKind::CrashLoop);
        assert_eq!(trouble.last_end, "OOMKilled, exit 137");
        assert_eq!(trouble.since, Unix::parse("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn the_scheduler_speaks_for_a_pod_that_no_node_takes() {
        let pod = read(
            r#"{"metadata":{"name":"p"},"status":{"phase":"Pending","conditions":[
               {"type":"PodScheduled","status":"False","reason":"Unschedulable",
                "message":"0/4 nodes are available: 4 Insufficient nvidia.com/gpu."}]}}"#,
        );
        let trouble = pod.trouble.unwrap();
        assert_eq!(trouble.kind, TroubleKind::Unschedulable);
        assert!(trouble.message.contains("Insufficient nvidia.com/gpu"));
        assert_eq!(pod.status, "Pending");
    }

    #[test]
    fn status_is_that_of_kubectl() {
        for (status, shown) in [
            ("{}", "Pending"),
            (r#"{"phase":"Running"}"#, "Running"),
            (r#"{"phase":"Failed","reason":"Evicted"}"#, "Evicted"),
            (
                r#"{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"SchedulingGated"}]}"#,
                "SchedulingGated",
            ),
            (
                r#"{"phase":"Pending","initContainerStatuses":[{"name":"a","state":{"running":{}}}]}"#,
                "Init:0/1",
            ),
            (
                r#"{"phase":"Pending","initContainerStatuses":[{"name":"a","state":{"waiting":{"reason":"ErrImagePull"}}}]}"#,
                "Init:ErrImagePull",
            ),
            (
                r#"{"phase":"Succeeded","containerStatuses":[{"name":"c","state":{"terminated":{"exitCode":0,"reason":"Completed"}}}]}"#,
                "Completed",
            ),
            (
                r#"{"phase":"Failed","containerStatuses":[{"name":"c","state":{"terminated":{"exitCode":2}}}]}"#,
                "ExitCode:2",
            ),
        ] {
            let json = format!(
                r#"{{"metadata":{{"name":"p"}},"spec":{{"initContainers":[{{"name":"a"}}],"containers":[{{"name":"c"}}]}},"status":{status}}}"#
            );
            assert_eq!(read(&json).status, shown, "{status}");
        }
        let leaving = r#"{"metadata":{"name":"p","deletionTimestamp":"2026-01-01T00:00:00Z"},"status":{"phase":"Running"}}"#;
        assert_eq!(read(leaving).status, "Terminating");
    }

    #[test]
    fn gpus_of_init_containers_and_sidecars() {
        let gpus = |init: &str, main: &str| {
            let json = format!(
                r#"{{"metadata":{{"name":"p"}},"spec":{{"initContainers":[{init}],"containers":[{main}]}}}}"#
            );
            read(&json).gpus.whole
        };
        let one = |n: u32, policy: &str| {
            format!(
                r#"{{"name":"c","restartPolicy":"{policy}","resources":{{"limits":{{"nvidia.com/gpu":"{n}"}}}}}}"#
            )
        };
        let sum = format!("{},{}", one(2, ""), one(1, ""));
        assert_eq!(gpus("", &sum), 3, "main containers run together");
        assert_eq!(gpus(&one(4, ""), &sum), 4, "an init container runs before them");
        assert_eq!(gpus(&one(1, "Always"), &sum), 4, "a sidecar runs beside them");
        let both = format!("{},{}", one(1, "Always"), one(4, ""));
        assert_eq!(gpus(&both, &sum), 5, "an init container runs beside the sidecars before it");
    }

    #[test]
    fn what_a_pod_asks_for_is_all_of_it() {
        let pod = read(
            r#"{"metadata":{"name":"p"},"spec":{"overhead":{"cpu":"250m"},
               "resources":{"requests":{"cpu":"2"},"limits":{"memory":"1Gi"}},
               "containers":[{"resources":{"requests":{"cpu":"500m","ephemeral-storage":"1Gi"},"limits":{"nvidia.com/gpu":1}}},
                             {"resources":{"requests":{"cpu":"100m"}}}]}}"#,
        );
        let requests: Vec<_> = pod.requests.iter().map(|(name, amount)| format!("{name} {amount}")).collect();
        let gib = 1u64 << 30;
        let wanted = [
            "cpu 2250".to_owned(),
            format!("ephemeral-storage {gib}"),
            format!("memory {gib}"),
            "nvidia.com/gpu 1".to_owned(),
        ];
        assert_eq!(requests, wanted);
    }

    #[test]
    fn what_cannot_be_understood_is_an_error_and_names_no_contents() {
        let bytes = Bytes::from_static(br#"{"metadata":{"name":"p"},"status":{"phase":17}}"#);
        assert!(pod(Encoding::Json, &bytes, &mut test_cx()).unwrap_err().contains("line 1"));
        assert!(pod(Encoding::Json, &Bytes::from_static(b"{}"), &mut test_cx()).is_err());
        assert!(pod(Encoding::Protobuf, &Bytes::from_static(b"\xff\xff"), &mut test_cx()).is_err());
    }
}
