//! Cells of autoscalers and disruption budgets.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Column, age, json, name, number, text};

pub const AUTOSCALER: &[Column] = &[
    text("Name"),
    text("Reference"),
    text("Targets"),
    text("MinPods"),
    text("MaxPods"),
    text("Replicas"),
    text("Age"),
];
pub const BUDGET: &[Column] = &[
    text("Name"),
    text("Min Available"),
    text("Max Unavailable"),
    number("Allowed Disruptions"),
    text("Age"),
];

pub fn autoscaler(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    let target = &object["spec"]["scaleTargetRef"];
    vec![
        name(object),
        format!("{}/{}", json::text(target, "/kind"), json::text(target, "/name")).into(),
        targets(object).into(),
        object["spec"]["minReplicas"]
            .as_i64()
            .map_or_else(|| "<unset>".into(), |least| least.to_string().into()),
        json::int(object, "/spec/maxReplicas").into(),
        json::int(object, "/status/currentReplicas").into(),
        age(object, now),
    ]
}

/// `cpu: 43%/70%, inference_queue_length: 4/10`; what is not measured yet is `<unknown>`.
fn targets(object: &Value) -> String {
    let specs = json::list(object, "/spec/metrics");
    let shown: Vec<String> = specs
        .iter()
        .enumerate()
        .map(|(index, spec)| {
            let section = match json::text(spec, "/type") {
                "Pods" => "pods",
                "External" => "external",
                "Object" => "object",
                _ => "resource",
            };
            let current = &object["status"]["currentMetrics"][index][section]["current"];
            metric(&spec[section], current, section)
        })
        .collect();
    if shown.is_empty() { "<none>".to_owned() } else { shown.join(", ") }
}

fn metric(spec: &Value, current: &Value, section: &str) -> String {
    let name = if section == "resource" { format!("{}: ", json::text(spec, "/name")) } else { String::new() };
    let target = &spec["target"];
    if let Some(wanted) = target["averageUtilization"].as_i64() {
        let now = current["averageUtilization"].as_i64();
        return format!(
            "{name}{}/{wanted}%",
            now.map_or_else(|| "<unknown>".to_owned(), |now| format!("{now}%"))
        );
    }
    let suffix = if section == "external" && target.get("averageValue").is_some() { " (avg)" } else { "" };
    let wanted =
        ["averageValue", "value"].into_iter().find_map(|field| target[field].as_str()).unwrap_or("<auto>");
    let now = ["averageValue", "value"]
        .into_iter()
        .find_map(|field| current[field].as_str())
        .unwrap_or("<unknown>");
    format!("{name}{now}/{wanted}{suffix}")
}

pub fn budget(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    let bound = |field: &str| match &object["spec"][field] {
        Value::Null => "N/A".into(),
        Value::String(share) => Value::from(share.as_str()),
        count => count.to_string().into(),
    };
    vec![
        name(object),
        bound("minAvailable"),
        bound("maxUnavailable"),
        json::int(object, "/status/disruptionsAllowed").into(),
        age(object, now),
    ]
}
