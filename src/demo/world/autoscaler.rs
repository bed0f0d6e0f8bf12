//! The autoscaler: every fifteen seconds it compares demand and replicas, and moves the target.

use serde_json::{Value, json};

use super::conditions::{self, Condition};
use super::events::Involved;
use super::{World, is_terminating, json};
use crate::demo::clock::seconds;
use crate::demo::resource::Kind;
use crate::demo::store::Key;

const EVERY: i64 = seconds(15);
/// A target that grew is not made smaller for a while.
const STABLE: i64 = seconds(60);

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(hpa) = world.get(Kind::HorizontalPodAutoscalers, key).filter(|object| !is_terminating(object))
    else {
        return;
    };
    // Its own writes make it due again; it keeps its rhythm all the same.
    let last = world.synced.get(key).copied();
    if last.is_some_and(|last| world.tick - last < EVERY) {
        return;
    }
    world.synced.insert(key.clone(), world.tick);
    sync(world, key, &hpa);
    world.rhythm(EVERY, Kind::HorizontalPodAutoscalers, key);
}

fn sync(world: &mut World, key: &Key, hpa: &Value) {
    let target = &hpa["spec"]["scaleTargetRef"];
    let name = json::text(target, "/name");
    let kind = Kind::named(json::text(target, "/apiVersion"), json::text(target, "/kind"));
    let place = Key::new(&key.namespace, name);
    let found = kind.and_then(|kind| Some((kind, world.get(kind, &place)?)));
    let now = world.stamp();
    let Some((kind, target)) = found else {
        let message =
            format!("the HPA controller was unable to get the target's current scale: {name} not found");
        let condition =
            Condition { kind: "AbleToScale", status: false, reason: "FailedGetScale", message: &message };
        world.edit(Kind::HorizontalPodAutoscalers, key, |hpa| conditions::set(hpa, condition, &now));
        return;
    };
    let current = json::int_or(&target, "/spec/replicas", 1);
    let mut object = hpa.clone();
    let message = "the HPA controller was able to get the target's current scale";
    conditions::set(
        &mut object,
        Condition { kind: "AbleToScale", status: true, reason: "SucceededGetScale", message },
        &now,
    );
    let desired = if current == 0 {
        let message = "scaling is disabled since the replica count of the target is zero";
        conditions::set(
            &mut object,
            Condition { kind: "ScalingActive", status: false, reason: "ScalingDisabled", message },
            &now,
        );
        0
    } else {
        wish(world, &mut object, name, current)
    };
    json::put(&mut object, "/status/currentReplicas", json!(current));
    json::put(&mut object, "/status/desiredReplicas", json!(desired));
    if desired != current {
        json::put(&mut object, "/status/lastScaleTime", now.into());
        world.scale((kind, &place), desired, "kube-controller-manager", "scale");
        let why = if desired > current { "above" } else { "below" };
        let about = Involved {
            kind: Kind::HorizontalPodAutoscalers,
            object: hpa,
            component: "horizontal-pod-autoscaler",
        };
        let message = format!("New size: {desired}; reason: {} {why} target", metric_name(hpa));
        world.normal(about, "SuccessfulRescale", &message);
    }
    world.set_status(Kind::HorizontalPodAutoscalers, key, object["status"].take());
}

/// The replicas that the demand asks for, within the bounds; metrics and conditions go into the status.
fn wish(world: &World, hpa: &mut Value, target: &str, current: i64) -> i64 {
    let now = world.stamp();
    let (least, most) =
        (json::int_or(hpa, "/spec/minReplicas", 1), json::int_or(hpa, "/spec/maxReplicas", 1));
    let demand = world.load.demand(target, world.tick) * world.traffic.factor(target);
    // What would be needed for the metric to be on target; the most a service is asked for is a bit too much.
    let needed = 0.6 + (most as f64 * 1.05 - 0.6) * demand;
    let ratio = needed / current as f64;
    json::put(hpa, "/status/currentMetrics", metrics(hpa, ratio));
    let message =
        format!("the HPA was able to successfully calculate a replica count from {}", metric_name(hpa));
    let active =
        Condition { kind: "ScalingActive", status: true, reason: "ValidMetricFound", message: &message };
    conditions::set(hpa, active, &now);
    let raw = if (ratio - 1.0).abs() <= 0.1 { current } else { needed.ceil() as i64 };
    let bounded = raw.clamp(least, most.max(least));
    let (limited, reason, message) = match raw {
        raw if raw > bounded => {
            (true, "TooManyReplicas", "the desired replica count is more than the maximum replica count")
        }
        raw if raw < bounded => {
            (true, "TooFewReplicas", "the desired replica count is less than the minimum replica count")
        }
        _ => (false, "DesiredWithinRange", "the desired count is within the acceptable range"),
    };
    conditions::set(hpa, Condition { kind: "ScalingLimited", status: limited, reason, message }, &now);
    let last = world.tick_of(json::text(hpa, "/status/lastScaleTime"));
    let stable = last.is_some_and(|last| world.tick - last < STABLE);
    if bounded < current && current <= most && stable { current } else { bounded }
}

fn metrics(hpa: &Value, ratio: f64) -> Value {
    let current = |spec: &Value| {
        let section = match json::text(spec, "/type") {
            "Pods" => "pods",
            "External" => "external",
            _ => "resource",
        };
        let target = &spec[section]["target"];
        let value = match (target["averageUtilization"].as_i64(), json::text(target, "/averageValue")) {
            (Some(percent), _) => json!({
                "averageUtilization": (percent as f64 * ratio).round() as i64,
                "averageValue": format!("{}m", (percent as f64 * ratio * 20.0).round() as i64),
            }),
            (None, amount) => {
                let wanted = super::quantity::parse(amount) as f64;
                json!({"averageValue": format!("{}m", (wanted * ratio).round() as i64)})
            }
        };
        let mut metric = json!({"type": spec["type"], section: {"current": value}});
        for field in ["name", "metric"] {
            if let Some(name) = spec[section].get(field) {
                metric[section][field] = name.clone();
            }
        }
        metric
    };
    json::list(hpa, "/spec/metrics").iter().map(current).collect()
}

fn metric_name(hpa: &Value) -> String {
    let spec = &hpa["spec"]["metrics"][0];
    match json::text(spec, "/type") {
        "External" => format!("external metric {}", json::text(spec, "/external/metric/name")),
        "Pods" => format!("pods metric {}", json::text(spec, "/pods/metric/name")),
        _ => format!("{} resource utilization (percentage of request)", json::text(spec, "/resource/name")),
    }
}
