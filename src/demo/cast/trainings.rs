//! The training side: queues, trainings of all kinds and fates, and jobs that come by the clock.

use serde_json::{Value, json};

use super::clouds::Profile;
use super::system::add;
use crate::demo::resource::Kind;
use crate::demo::world::{Run, World, training_job};

const HOME: &str = "ml-training";

/// The queue in front of the accelerators.
pub fn queues(world: &mut World) {
    let queue = json!({
        "metadata": {"name": "gpu-shared"},
        "spec": {
            "cohort": "ml", "queueingStrategy": "BestEffortFIFO", "namespaceSelector": {},
            "resourceGroups": [{
                "coveredResources": ["nvidia.com/gpu"],
                "flavors": [{"name": "a100", "resources": [{"name": "nvidia.com/gpu", "nominalQuota": "6"}]}],
            }],
        },
    });
    add(world, Kind::ClusterQueues, queue);
    let local =
        json!({"metadata": {"name": "research", "namespace": HOME}, "spec": {"clusterQueue": "gpu-shared"}});
    add(world, Kind::LocalQueues, local);
}

/// Jobs that come by themselves.
pub fn schedules(world: &mut World, profile: &Profile) {
    for (name, image, schedule) in [
        ("feature-backfill", "feature-backfill:v3.1.4", "*/10 * * * *"),
        ("model-eval", "model-eval:v0.5.0", "25 * * * *"),
    ] {
        let spec =
            task(name, &format!("{}/{image}", profile.registry()), &json!({"cpu": "500m", "memory": "1Gi"}));
        let cron = json!({
            "metadata": {"name": name, "namespace": HOME, "labels": {"app.kubernetes.io/name": name}},
            "spec": {
                "schedule": schedule, "concurrencyPolicy": "Forbid",
                "jobTemplate": {"metadata": {"labels": {"app.kubernetes.io/name": name}}, "spec": spec},
            },
        });
        add(world, Kind::CronJobs, cron);
    }
}

fn task(name: &str, image: &str, requests: &Value) -> Value {
    json!({"template": {
        "metadata": {"labels": {"app.kubernetes.io/name": name}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": image, "resources": {"requests": requests}}]},
    }})
}

/// A job that ended well a day ago.
pub fn finished(world: &mut World, profile: &Profile) {
    let image = format!("{}/data-prep:v0.5.0", profile.registry());
    let job = json!({
        "metadata": {"name": "imagenet-shards", "namespace": HOME, "labels": {"app.kubernetes.io/name": "data-prep"}},
        "spec": task("data-prep", &image, &json!({"cpu": "2", "memory": "8Gi"})),
    });
    add(world, Kind::Jobs, job);
}

pub fn training(world: &mut World, profile: &Profile, run: &Run<'_>, queue: Option<&str>) {
    let image = format!("{}/{}", profile.registry(), run.image);
    let mut job = training_job(&Run { image: &image, ..*run });
    if let Some(queue) = queue {
        job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] = queue.into();
    }
    add(world, Kind::TrainingJobs, job);
}

/// More accelerators in one pod than any machine has: it will wait for ever.
pub fn impossible(world: &mut World, profile: &Profile) {
    let image = format!("{}/ml-trainer:v1.8.0", profile.registry());
    let requests = json!({"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "16"});
    let mut spec = task("ml-trainer", &image, &requests);
    spec["template"]["spec"]["containers"][0]["resources"]["limits"] = json!({"nvidia.com/gpu": "16"});
    let job = json!({
        "metadata": {"name": "dlrm-train-xl", "namespace": HOME, "labels": {"app.kubernetes.io/name": "ml-trainer"}},
        "spec": spec,
    });
    add(world, Kind::Jobs, job);
}

/// Two workers that train one model together.
pub fn pretraining(world: &mut World, profile: &Profile, name: &str) {
    let image = format!("{}/ml-trainer:v1.8.0", profile.registry());
    let worker = json!({
        "backoffLimit": 0,
        "template": {
            "metadata": {"labels": {"app.kubernetes.io/name": "ml-trainer"}},
            "spec": {"restartPolicy": "Never", "containers": [{
                "name": "trainer", "image": image,
                "env": [
                    {"name": "JOB_NAME", "value": name}, {"name": "MAX_STEPS", "value": "36000"},
                    {"name": "STEP_MILLIS", "value": "400"},
                ],
                "resources": {"requests": {"cpu": "16", "memory": "128Gi"}, "limits": {"nvidia.com/gpu": "4"}},
            }]},
        },
    });
    let set = json!({
        "metadata": {"name": name, "namespace": HOME, "labels": {"app.kubernetes.io/name": "ml-trainer"}},
        "spec": {
            "suspend": false, "failurePolicy": {"maxRestarts": 3},
            "replicatedJobs": [{"name": "worker", "replicas": 2, "template": {"spec": worker}}],
        },
    });
    add(world, Kind::JobSets, set);
}
