//! The operator of TrainingJobs: a Job for each, and its progress in the status, from the same curve that
//! the trainer's log is written from.

use serde_json::{Value, json};

use super::{World, is_terminating, json, owned_by, uid};
use crate::demo::clock::{self, TICK_MS, seconds};
use crate::demo::programs::{Training, hash};
use crate::demo::resource::Kind;
use crate::demo::store::Key;

const REPORT_EVERY: i64 = seconds(5);
const QUEUE: &str = "kueue.x-k8s.io/queue-name";

pub fn reconcile(world: &mut World, key: &Key) {
    let Some(training) = world.get(Kind::TrainingJobs, key).filter(|object| !is_terminating(object)) else {
        return;
    };
    if ["Succeeded", "Failed"].contains(&json::text(&training, "/status/phase")) {
        return;
    }
    let jobs = world.store.owned(uid(&training), Kind::Jobs);
    let Some(job) = jobs.first().map(|object| object.value()) else {
        create(world, &training);
        return;
    };
    let mut status = training["status"].clone();
    let pods = world.pods_of(&job);
    let (phase, ended) = if json::is_true(&job, "Complete") {
        ("Succeeded", json::text(&job, "/status/completionTime"))
    } else if let Some(failed) = json::condition(&job, "Failed") {
        ("Failed", json::text(failed, "/lastTransitionTime"))
    } else if !pods.is_empty() && pods.iter().all(|pod| pod.phase == "Running" || pod.ended()) {
        ("Running", "")
    } else {
        ("Pending", "")
    };
    json::put(&mut status, "/phase", phase.into());
    if phase != "Pending" && json::text(&status, "/startTime").is_empty() {
        json::put(&mut status, "/startTime", world.stamp().into());
    }
    if !ended.is_empty() {
        json::put(&mut status, "/completionTime", ended.into());
    }
    if phase == "Running" || phase == "Succeeded" {
        json::put(&mut status, "/metrics", metrics(world, &training, &job, phase));
    }
    world.set_status(Kind::TrainingJobs, key, status);
    if phase == "Running" {
        world.rhythm(REPORT_EVERY, Kind::TrainingJobs, key);
    }
}

fn create(world: &mut World, training: &Value) {
    let meta = &training["metadata"];
    let name = json::text(meta, "/name");
    let spec = &training["spec"];
    let workers = if json::flag(spec, "/distributedTraining/enabled") {
        json::int_or(spec, "/distributedTraining/workers", 1)
    } else {
        1
    };
    let parameter =
        |key: &str, otherwise: &str| match json::text(&spec["hyperparameters"], &format!("/{key}")) {
            "" => otherwise.to_owned(),
            text => text.to_owned(),
        };
    let gpus = json::int(spec, "/resources/gpus");
    let mut resources = json!({
        "cpu": or(json::text(spec, "/resources/cpu"), "4"), "memory": or(json::text(spec, "/resources/memory"), "32Gi"),
    });
    if gpus > 0 {
        resources["nvidia.com/gpu"] = gpus.to_string().into();
    }
    let labels = json!({
        "app": "ml-training", "app.kubernetes.io/name": "ml-trainer", "training-job": name,
        "app.kubernetes.io/managed-by": "training-operator",
    });
    let step_millis = 180 + hash(&[name]) % 240;
    let env: Vec<Value> = [
        ("JOB_NAME", name.to_owned()),
        ("MODEL_TYPE", json::text(spec, "/modelType").to_owned()),
        ("DATASET_URI", json::text(spec, "/datasetUri").to_owned()),
        ("OUTPUT_URI", json::text(spec, "/outputUri").to_owned()),
        ("MAX_STEPS", parameter("max_steps", "4000")),
        ("STEP_MILLIS", parameter("step_millis", &step_millis.to_string())),
        ("WORLD_SIZE", workers.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| json!({"name": name, "value": value}))
    .collect();
    let queue = json::label(training, QUEUE);
    let mut job_labels = labels.clone();
    if !queue.is_empty() {
        job_labels[QUEUE] = queue.into();
    }
    let image = json::annotation(training, "ml.example.com/trainer-image");
    let job = json!({
        "metadata": {
            "name": format!("{name}-training"), "namespace": meta["namespace"], "labels": job_labels,
            "ownerReferences": owned_by(Kind::TrainingJobs, training),
        },
        "spec": {
            "backoffLimit": 3, "completionMode": "Indexed", "completions": workers, "parallelism": workers,
            "suspend": !queue.is_empty(),
            "template": {
                "metadata": {"labels": labels},
                "spec": {"restartPolicy": "Never", "containers": [{
                    "name": "trainer", "image": or(image, "ml-trainer:v1.8.0"), "env": env,
                    "resources": {"requests": resources, "limits": resources},
                }]},
            },
        },
    });
    // If the name is taken the job stays pending, and the next change of it tries again.
    let _ = world.create(Kind::Jobs, job);
    let status = json!({"phase": "Pending"});
    world.set_status(Kind::TrainingJobs, &Key::of(training), status);
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

fn metrics(world: &World, training: &Value, job: &Value, phase: &str) -> Value {
    let run = Training::of(&job["spec"]["template"]["spec"]["containers"][0]);
    let started = world.store.owned(uid(job), Kind::Pods).into_iter().filter_map(|pod| {
        let pod = pod.value();
        let pointer = "/status/containerStatuses/0/state/running/startedAt";
        clock::parse(json::text(&pod, pointer))
    });
    let began = started.max().or_else(|| clock::parse(json::text(training, "/status/startTime")));
    let millis = began.map_or(0, |began| (world.now() - began).num_milliseconds().max(TICK_MS));
    let step = if phase == "Succeeded" { run.steps } else { run.step_after(millis) };
    json!({
        "step": step, "total_steps": run.steps, "progress": (step * 1_000 / run.steps) as f64 / 1_000.0,
        "epoch": (step * 30 / run.steps) as f64 / 10.0, "loss": run.loss(step), "accuracy": run.accuracy(step),
        "samples_per_second": run.samples_per_second(step),
    })
}
