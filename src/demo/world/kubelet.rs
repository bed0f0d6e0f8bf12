//! All kubelets of the cluster: they pull, start, probe, restart and stop what is bound to their nodes, and
//! write the status of the pods. A lost node's kubelet does nothing at all, which is the point of it.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::conditions::{self, Condition};
use super::containers::{self, Moment, Plan, Restart, State};
use super::events::Involved;
use super::{World, is_terminating, json, scheduler, uid};
use crate::demo::clock::{self, seconds};
use crate::demo::programs::{self, End, Program, hash};
use crate::demo::resource::Kind;
use crate::demo::store::Key;

#[derive(Default)]
pub struct Kubelet {
    runs: HashMap<Key, Run>,
    /// The version of the last status it wrote, which is no news to itself.
    pub wrote: u64,
}

/// A pod on its node.
struct Run {
    uid: String,
    plans: Vec<Plan>,
    /// What was last told of each container.
    told: Vec<Option<State>>,
    stops_at: Option<i64>,
}

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(pod) = world.get(Kind::Pods, key) else {
        world.kubelet.runs.remove(key);
        return;
    };
    let node = json::text(&pod, "/spec/nodeName");
    if node.is_empty() {
        if !is_terminating(&pod) {
            scheduler::place(world, key, &pod);
        }
        return;
    }
    if world.lost_nodes.contains_key(node)
        || ["Succeeded", "Failed"].contains(&json::text(&pod, "/status/phase"))
    {
        return;
    }
    if world.kubelet.runs.get(key).is_none_or(|run| run.uid != uid(&pod)) {
        let run = Run::new(world, &pod);
        world.kubelet.runs.insert(key.clone(), run);
    }
    if is_terminating(&pod) {
        stop(world, key, &pod);
    } else {
        keep_running(world, key, &pod);
    }
}

impl Run {
    /// A pod that was running before anybody looked goes on as it is.
    fn new(world: &World, pod: &Value) -> Run {
        let since = |pointer: &str| world.tick_of(json::text(pod, pointer));
        let bound = since("/status/startTime").unwrap_or(world.tick);
        let started = since("/status/containerStatuses/0/state/running/startedAt");
        let restart = match json::text(pod, "/spec/restartPolicy") {
            "Never" => Restart::Never,
            "OnFailure" => Restart::OnFailure,
            _ => Restart::Always,
        };
        let jitter = (hash(&[uid(pod)]) % 5) as i64;
        let plan = |container: &Value| {
            let program = Program::of(container, restart != Restart::Always);
            let pullable = programs::pull_error(json::text(container, "/image")).is_none();
            let plan = Plan { program, bound, jitter, pullable, restart };
            Plan { jitter: started.map_or(jitter, |tick| tick - plan.pulled()), ..plan }
        };
        let plans: Vec<Plan> = json::list(pod, "/spec/containers").iter().map(plan).collect();
        Run { uid: uid(pod).to_owned(), told: vec![None; plans.len()], plans, stops_at: None }
    }
}

/// A pod that was asked to go takes a moment, and is gone.
fn stop(world: &mut World, key: &Key, pod: &Value) {
    let grace = seconds(json::int(pod, "/metadata/deletionGracePeriodSeconds"));
    let (tick, moment) = (world.tick, 2 + (hash(&[uid(pod)]) % 5) as i64);
    let Some(run) = world.kubelet.runs.get_mut(key) else { return };
    match run.stops_at {
        None => {
            let at = tick + grace.min(moment);
            run.stops_at = Some(at);
            world.wake_at(at, Kind::Pods, key);
            for container in json::list(pod, "/spec/containers") {
                let message = format!("Stopping container {}", json::text(container, "/name"));
                world.normal(by_kubelet(pod), "Killing", &message);
            }
        }
        Some(at) if tick >= at => {
            world.store.remove(Kind::Pods, key);
        }
        Some(_) => {}
    }
}

fn keep_running(world: &mut World, key: &Key, pod: &Value) {
    let Some(run) = world.kubelet.runs.get_mut(key) else { return };
    let moments: Vec<Moment> = run.plans.iter().map(|plan| containers::at(plan, world.tick)).collect();
    let plans = run.plans.clone();
    let told = std::mem::replace(&mut run.told, moments.iter().map(|moment| Some(moment.state)).collect());
    let status = status(world, pod, &plans, &moments);
    if let Some(written) = world.set_status(Kind::Pods, key, status) {
        world.kubelet.wrote = written.version;
    }
    for (index, container) in json::list(pod, "/spec/containers").iter().enumerate() {
        if let Some(moment) = moments.get(index)
            && told.get(index) != Some(&Some(moment.state))
        {
            tell(world, pod, container, moment);
        }
    }
    if let Some(next) = moments.iter().filter_map(|moment| moment.next).min() {
        world.wake_at(next, Kind::Pods, key);
    }
}

fn status(world: &World, pod: &Value, plans: &[Plan], moments: &[Moment]) -> Value {
    let at = |tick: i64| clock::stamp(world.store.clock().at(tick));
    let specs = json::list(pod, "/spec/containers");
    let statuses: Vec<Value> = specs
        .iter()
        .zip(plans.iter().zip(moments))
        .map(|(spec, (plan, moment))| container_status(world, pod, spec, (plan, moment)))
        .collect();
    let phase = phase(plans, moments);
    let mut status = json!({
        "phase": phase, "qosClass": pod["status"]["qosClass"], "conditions": pod["status"]["conditions"],
        "startTime": plans.first().map(|plan| at(plan.bound)),
        "hostIP": address("10.0", json::text(pod, "/spec/nodeName")),
        "containerStatuses": statuses,
    });
    let started = moments.iter().any(|moment| moment.state != State::Creating);
    if started || phase != "Pending" {
        let ip = address("10.128", uid(pod));
        status["podIP"] = ip.clone().into();
        status["podIPs"] = json!([{"ip": ip}]);
    }
    let mut object = json!({"status": status});
    let bound = at(plans.first().map_or(world.tick, |plan| plan.bound));
    let ready = !moments.is_empty() && moments.iter().all(|moment| moment.ready);
    let since = at(moments.iter().map(|moment| moment.ready_since).max().unwrap_or(world.tick));
    let names: Vec<&str> = specs
        .iter()
        .zip(moments)
        .filter(|(_, moment)| !moment.ready)
        .map(|(spec, _)| json::text(spec, "/name"))
        .collect();
    let (reason, message) = match (ready, phase) {
        (true, _) => ("", String::new()),
        (false, "Succeeded") => ("PodCompleted", String::new()),
        _ => ("ContainersNotReady", format!("containers with unready status: [{}]", names.join(" "))),
    };
    let plain = |kind| Condition { kind, status: true, reason: "", message: "" };
    if started {
        conditions::set(&mut object, plain("PodReadyToStartContainers"), &bound);
    }
    conditions::set(&mut object, plain("Initialized"), &bound);
    for kind in ["Ready", "ContainersReady"] {
        conditions::set(&mut object, Condition { kind, status: ready, reason, message: &message }, &since);
    }
    conditions::set(&mut object, plain("PodScheduled"), &bound);
    tidy(&mut object);
    object["status"].take()
}

/// Pods have `lastProbeTime: null` in their conditions, and no empty texts.
fn tidy(object: &mut Value) {
    if let Some(Value::Array(conditions)) = object.pointer_mut("/status/conditions") {
        for condition in conditions {
            for field in ["reason", "message"] {
                if condition[field] == "" {
                    json::remove(condition, &format!("/{field}"));
                }
            }
            json::put(condition, "/lastProbeTime", Value::Null);
        }
    }
}

fn phase(plans: &[Plan], moments: &[Moment]) -> &'static str {
    let ended = |moment: &Moment| matches!(moment.state, State::Ended { .. });
    let failed = |plan: &Plan| matches!(plan.program.end, End::After { exit_code, .. } if exit_code != 0);
    if !moments.is_empty() && moments.iter().all(ended) {
        return if plans.iter().any(failed) { "Failed" } else { "Succeeded" };
    }
    let waits =
        |moment: &Moment| matches!(moment.state, State::Creating | State::PullError | State::PullBackOff);
    if moments.iter().any(waits) { "Pending" } else { "Running" }
}

fn container_status(world: &World, pod: &Value, spec: &Value, (plan, moment): (&Plan, &Moment)) -> Value {
    let at = |tick: i64| clock::stamp(world.store.clock().at(tick));
    let (image, name) = (json::text(spec, "/image"), json::text(spec, "/name"));
    let id =
        format!("containerd://{:016x}{:016x}", hash(&[uid(pod), name, "a"]), hash(&[uid(pod), name, "b"]));
    let terminated = |start: i64, end: i64| {
        let End::After { exit_code, reason, .. } = plan.program.end else { return json!({}) };
        json!({"terminated": {
            "exitCode": exit_code, "reason": reason, "startedAt": at(start), "finishedAt": at(end), "containerID": id,
        }})
    };
    let waiting = |reason: &str, message: &str| match message {
        "" => json!({"waiting": {"reason": reason}}),
        _ => json!({"waiting": {"reason": reason, "message": message}}),
    };
    let state = match moment.state {
        State::Creating => waiting("ContainerCreating", ""),
        State::PullError => waiting("ErrImagePull", &programs::pull_error(image).unwrap_or_default()),
        State::PullBackOff => waiting("ImagePullBackOff", &format!("Back-off pulling image \"{image}\"")),
        State::Running { start } => json!({"running": {"startedAt": at(start)}}),
        State::BackOff { delay } => waiting("CrashLoopBackOff", &back_off(pod, name, delay)),
        State::Ended { start, end } => terminated(start, end),
    };
    let started = matches!(moment.state, State::Running { .. } | State::Ended { .. } | State::BackOff { .. });
    json!({
        "name": name, "image": image, "ready": moment.ready, "restartCount": moment.restarts,
        "started": matches!(moment.state, State::Running { .. }),
        "imageID": if started { image_id(image) } else { String::new() },
        "containerID": if started { id.clone() } else { String::new() },
        "state": state,
        "lastState": moment.last.map_or_else(|| json!({}), |(start, end)| terminated(start, end)),
    })
}

fn back_off(pod: &Value, container: &str, delay: i64) -> String {
    let delay = delay * clock::TICK_MS / 1000;
    let text = if delay >= 60 { format!("{}m{}s", delay / 60, delay % 60) } else { format!("{delay}s") };
    format!("back-off {text} restarting failed container={container} pod={}", full_name(pod))
}

fn full_name(pod: &Value) -> String {
    let meta = &pod["metadata"];
    format!("{}_{}({})", json::text(meta, "/name"), json::text(meta, "/namespace"), uid(pod))
}

fn image_id(image: &str) -> String {
    let repository = image.rsplit_once(':').map_or(image, |(repository, _)| repository);
    let part = |salt: &str| hash(&[image, salt]);
    format!("{repository}@sha256:{:016x}{:016x}{:016x}{:016x}", part("a"), part("b"), part("c"), part("d"))
}

/// An address made of a name; made-up private addresses, to which nobody ever sends a packet.
fn address(prefix: &str, name: &str) -> String {
    let bits = hash(&[name]);
    format!("{prefix}.{}.{}", bits % 250 + 1, (bits >> 16) % 250 + 1)
}

fn by_kubelet(pod: &Value) -> Involved<'_> {
    Involved { kind: Kind::Pods, object: pod, component: "kubelet" }
}

/// The events of a change of state.
fn tell(world: &mut World, pod: &Value, container: &Value, moment: &Moment) {
    let (image, name) = (json::text(container, "/image"), json::text(container, "/name"));
    let about = by_kubelet(pod);
    match moment.state {
        State::Creating => world.normal(about, "Pulling", &format!("Pulling image \"{image}\"")),
        State::Running { .. } => {
            if moment.restarts == 0 {
                world.normal(about, "Pulled", &format!("Successfully pulled image \"{image}\""));
            }
            world.normal(about, "Created", &format!("Created container: {name}"));
            world.normal(about, "Started", &format!("Started container {name}"));
        }
        State::PullError => {
            let why = programs::pull_error(image).unwrap_or_default();
            world.warning(
                about,
                "Failed",
                &format!("Failed to pull image \"{image}\": rpc error: code = NotFound desc = {why}"),
            );
            world.warning(about, "Failed", "Error: ErrImagePull");
        }
        State::PullBackOff => {
            world.normal(about, "BackOff", &format!("Back-off pulling image \"{image}\""));
            world.warning(about, "Failed", "Error: ImagePullBackOff");
        }
        State::BackOff { .. } => {
            let message = format!("Back-off restarting failed container {name} in pod {}", full_name(pod));
            world.warning(about, "BackOff", &message);
        }
        State::Ended { .. } => {}
    }
}
