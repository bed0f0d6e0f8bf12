//! The cron job controller: a job at every named minute, and not too many old ones.

use serde_json::{Value, json};

use super::events::Involved;
use super::job::is_finished;
use super::schedule::Schedule;
use super::{World, is_terminating, json, owned_by, uid};
use crate::demo::clock::{self, TICK_MS, seconds};
use crate::demo::resource::Kind;
use crate::demo::store::Key;

/// Of the past only this much is played: older jobs would have been cleaned up anyway.
const PLAYED: i64 = seconds(3_000);

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(cron) = world.get(Kind::CronJobs, key).filter(|object| !is_terminating(object)) else {
        return;
    };
    let Some(schedule) = Schedule::parse(json::text(&cron, "/spec/schedule")) else { return };
    let jobs: Vec<Value> =
        world.store.owned(uid(&cron), Kind::Jobs).iter().map(|object| object.value()).collect();
    let mut status = cron["status"].clone();
    let last = ["/status/lastScheduleTime", "/metadata/creationTimestamp"];
    let last =
        last.into_iter().find_map(|pointer| clock::parse(json::text(&cron, pointer))).unwrap_or(world.now());
    let due = schedule.next(last.max(world.now() - chrono::TimeDelta::minutes(2)));
    let running = jobs.iter().any(|job| !is_finished(job));
    let held_back = running && json::text(&cron, "/spec/concurrencyPolicy") == "Forbid";
    if let Some(time) = due.filter(|time| *time <= world.now())
        && !json::flag(&cron, "/spec/suspend")
        && !held_back
    {
        create(world, &cron, time.timestamp() / 60);
        json::put(&mut status, "/lastScheduleTime", clock::stamp(time).into());
    }
    clean_up(world, &cron, &jobs);
    report(world, &cron, &mut status);
    world.set_status(Kind::CronJobs, key, status);
    if let Some(next) = schedule.next(world.now()) {
        let ticks = (next - world.now()).num_milliseconds() / TICK_MS;
        world.wake_at((world.tick + ticks + 1).max(-PLAYED), Kind::CronJobs, key);
    }
}

fn create(world: &mut World, cron: &Value, minute: i64) {
    let name = format!("{}-{minute}", json::text(cron, "/metadata/name"));
    let template = &cron["spec"]["jobTemplate"];
    let job = json!({
        "metadata": {
            "name": name, "namespace": cron["metadata"]["namespace"], "labels": template["metadata"]["labels"],
            "ownerReferences": owned_by(Kind::CronJobs, cron),
        },
        "spec": template["spec"],
    });
    if world.create(Kind::Jobs, job).is_ok() {
        let about = Involved { kind: Kind::CronJobs, object: cron, component: "cronjob-controller" };
        world.normal(about, "SuccessfulCreate", &format!("Created job {name}"));
    }
}

fn clean_up(world: &mut World, cron: &Value, jobs: &[Value]) {
    for (condition, limit) in
        [("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")]
    {
        let mut ended: Vec<&Value> = jobs.iter().filter(|job| json::is_true(job, condition)).collect();
        ended.sort_by_key(|job| json::text(job, "/metadata/creationTimestamp"));
        let limit = json::int_or(&cron["spec"], &format!("/{limit}"), 3).max(0) as usize;
        for job in &ended[..ended.len().saturating_sub(limit)] {
            world.delete(Kind::Jobs, &Key::of(job));
        }
    }
}

fn report(world: &World, cron: &Value, status: &mut Value) {
    let jobs: Vec<Value> =
        world.store.owned(uid(cron), Kind::Jobs).iter().map(|object| object.value()).collect();
    let active: Vec<Value> = jobs
        .iter()
        .filter(|job| !is_finished(job))
        .map(|job| {
            json!({
                "apiVersion": "batch/v1", "kind": "Job", "name": job["metadata"]["name"],
                "namespace": job["metadata"]["namespace"], "uid": job["metadata"]["uid"],
            })
        })
        .collect();
    if active.is_empty() {
        json::remove(status, "/active");
    } else {
        json::put(status, "/active", active.into());
    }
    let ends = jobs.iter().map(|job| json::text(job, "/status/completionTime")).max().unwrap_or_default();
    if !ends.is_empty() {
        json::put(status, "/lastSuccessfulTime", ends.into());
    }
}
