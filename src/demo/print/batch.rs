//! Cells of jobs and cron jobs.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Column, age, clock, containers, json, name, number, or_none, since, text, wide};
use crate::demo::resource::selector_text;

pub const JOB: &[Column] = &[
    text("Name"),
    text("Status"),
    text("Completions"),
    text("Duration"),
    text("Age"),
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];
pub const CRON_JOB: &[Column] = &[
    text("Name"),
    text("Schedule"),
    text("Timezone"),
    Column { name: "Suspend", kind: "boolean", wide: false },
    number("Active"),
    text("Last Schedule"),
    text("Age"),
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];

pub fn job(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    let [names, images] = containers(object, "/spec/template/spec/containers");
    vec![
        name(object),
        job_state(object).into(),
        completions(object).into(),
        duration(object, now).into(),
        age(object, now),
        names,
        images,
        selector_text(&object["spec"]["selector"]).into(),
    ]
}

fn job_state(job: &Value) -> &'static str {
    if json::is_true(job, "Complete") {
        "Complete"
    } else if json::is_true(job, "Failed") {
        "Failed"
    } else if job["metadata"].get("deletionTimestamp").is_some() {
        "Terminating"
    } else if json::is_true(job, "Suspended") {
        "Suspended"
    } else if json::is_true(job, "FailureTarget") {
        "FailureTarget"
    } else if json::is_true(job, "SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

fn completions(job: &Value) -> String {
    let done = json::int(job, "/status/succeeded");
    match (job["spec"]["completions"].as_i64(), json::int_or(job, "/spec/parallelism", 1)) {
        (Some(wanted), _) => format!("{done}/{wanted}"),
        (None, parallel) if parallel > 1 => format!("{done}/1 of {parallel}"),
        _ => format!("{done}/1"),
    }
}

/// Empty before it starts; from start to completion or to now (a failed job counts on: so does Kubernetes).
fn duration(job: &Value, now: DateTime<Utc>) -> String {
    let Some(start) = clock::parse(json::text(job, "/status/startTime")) else {
        return String::new();
    };
    let end = clock::parse(json::text(job, "/status/completionTime"));
    clock::age(start, end.unwrap_or(now))
}

pub fn cron_job(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    let [names, images] = containers(object, "/spec/jobTemplate/spec/template/spec/containers");
    let suspended = if json::flag(object, "/spec/suspend") { "True" } else { "False" };
    let last = match json::text(object, "/status/lastScheduleTime") {
        "" => "<none>".into(),
        _ => since(object, "/status/lastScheduleTime", now),
    };
    vec![
        name(object),
        object["spec"]["schedule"].clone(),
        or_none(json::text(object, "/spec/timeZone").to_owned()),
        suspended.into(),
        json::list(object, "/status/active").len().into(),
        last,
        age(object, now),
        names,
        images,
        "<none>".into(),
    ]
}
