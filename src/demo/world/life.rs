//! What people do to the cluster while one looks: releases, new trainings, batches, the clearing away of old
//! runs. By the seed and the tick, through the same writes a user's client makes.

use serde_json::{Value, json};

use super::{World, json};
use crate::demo::clock::seconds;
use crate::demo::programs::{self, latest, previous};
use crate::demo::resource::Kind;
use crate::demo::store::{Key, Query};

const PLATFORM: &str = "ml-platform";
const TRAINING: &str = "ml-training";
/// So many finished trainings are kept.
const KEPT_TRAININGS: usize = 7;
/// What is released over and over; the last is a Rollout.
const RELEASED: &[&str] =
    &["embedding-api", "feature-store", "experiment-tracker", "batch-scorer", "inference-gateway"];
const MODELS: &[(&str, &str, &str)] = &[
    ("bert-finetune", "bert-large", "pytorch"),
    ("resnet50-imagenet", "resnet50", "pytorch"),
    ("vit-distill", "vit-base", "jax"),
    ("whisper-adapt", "whisper-small", "pytorch"),
    ("ranker-two-tower", "two-tower", "tensorflow"),
];

pub struct Life {
    /// Where the platform's images are; empty: nobody lives here.
    pub registry: String,
    next_release: i64,
    next_training: i64,
    next_batch: i64,
    number: usize,
}

impl Life {
    pub fn new(random: &mut fastrand::Rng) -> Life {
        Life {
            registry: String::new(),
            next_release: seconds(random.i64(15..45)),
            next_training: seconds(random.i64(25..70)),
            next_batch: seconds(random.i64(8..30)),
            number: random.usize(20..60),
        }
    }
}

/// What is done at this tick.
pub fn live(world: &mut World) {
    if world.life.registry.is_empty() {
        return;
    }
    if world.tick >= world.life.next_release {
        world.life.next_release = world.tick + seconds(world.random.i64(150..330));
        release(world);
    }
    if world.tick >= world.life.next_training {
        world.life.next_training = world.tick + seconds(world.random.i64(120..260));
        train(world);
        clear_away(world);
    }
    if world.tick >= world.life.next_batch {
        world.life.next_batch = world.tick + seconds(world.random.i64(60..150));
        batch(world);
    }
}

/// The other of the last two versions goes out.
fn release(world: &mut World) {
    let name = RELEASED[world.random.usize(..RELEASED.len())];
    let kind = if name == "inference-gateway" { Kind::Rollouts } else { Kind::Deployments };
    let key = Key::new(PLATFORM, name);
    let Some(object) = world.get(kind, &key) else { return };
    let image = json::text(&object, "/spec/template/spec/containers/0/image");
    let (_, tag) = programs::split(image);
    let version = match tag {
        tag if tag == latest(name) => previous(name),
        tag if tag == previous(name) => latest(name),
        // Somebody tries something else with it; that is not overridden.
        _ => return,
    };
    world.set_version(kind, &key, version);
}

impl World {
    /// Another version of an application, as a deployment pipeline would patch it.
    pub fn set_version(&mut self, kind: Kind, key: &Key, version: &str) {
        self.edit(kind, key, |object| {
            let image = json::text(object, "/spec/template/spec/containers/0/image").to_owned();
            let repository = image.rsplit_once(':').map_or(image.as_str(), |(repository, _)| repository);
            json::put(
                object,
                "/spec/template/spec/containers/0/image",
                format!("{repository}:{version}").into(),
            );
            for base in ["/metadata", "/spec/template/metadata"] {
                json::put(object, &format!("{base}/labels/app.kubernetes.io~1version"), version.into());
            }
        });
    }

    /// Whose images the platform's people use from now on.
    pub fn inhabit(&mut self, registry: &str) {
        registry.clone_into(&mut self.life.registry);
    }
}

fn train(world: &mut World) {
    world.life.number += 1;
    let (name, model, framework) = MODELS[world.random.usize(..MODELS.len())];
    let version = if world.random.u8(..6) == 0 { "v1.9.0-rc1" } else { "v1.8.0" };
    let workers = [1, 1, 2][world.random.usize(..3)];
    let steps = world.random.i64(8..30) * 100;
    let queued = world.random.u8(..3) == 0;
    let mut job = training_job(&Run {
        name: &format!("{name}-{}", world.life.number),
        model,
        framework,
        gpus: [1, 2][world.random.usize(..2)],
        workers,
        steps,
        image: &format!("{}/ml-trainer:{version}", world.life.registry),
    });
    if queued {
        json::put(&mut job, "/metadata/labels/kueue.x-k8s.io~1queue-name", "research".into());
    }
    // The namespace may have been deleted by whoever plays with the fleet.
    let _ = world.create(Kind::TrainingJobs, job);
}

/// What a training is asked to be.
pub struct Run<'a> {
    pub name: &'a str,
    pub model: &'a str,
    pub framework: &'a str,
    pub gpus: i64,
    pub workers: i64,
    pub steps: i64,
    pub image: &'a str,
}

/// A TrainingJob as a data scientist would write it.
pub fn training_job(run: &Run<'_>) -> Value {
    let strategy = if run.framework == "tensorflow" { "tf-mirrored" } else { "pytorch-ddp" };
    json!({
        "metadata": {
            "name": run.name, "namespace": TRAINING,
            "labels": {"app.kubernetes.io/name": "ml-trainer", "ml.example.com/model": run.model},
            "annotations": {"ml.example.com/trainer-image": run.image},
        },
        "spec": {
            "modelType": run.model, "framework": run.framework,
            "datasetUri": format!("s3://ml-datasets/{}/train", run.model),
            "outputUri": format!("s3://ml-artifacts/models/{}", run.name),
            "hyperparameters": {"max_steps": run.steps.to_string(), "learning_rate": "3e-4", "batch_size": "64"},
            "resources": {"gpus": run.gpus, "cpu": "4", "memory": "32Gi"},
            "distributedTraining": {"enabled": run.workers > 1, "workers": run.workers, "strategy": strategy},
        },
    })
}

fn batch(world: &mut World) {
    world.life.number += 1;
    let job = json!({
        "metadata": {
            "name": format!("data-prep-{}", world.life.number), "namespace": TRAINING,
            "labels": {"app.kubernetes.io/name": "data-prep"},
        },
        "spec": {
            "ttlSecondsAfterFinished": 600,
            "template": {
                "metadata": {"labels": {"app.kubernetes.io/name": "data-prep"}},
                "spec": {"restartPolicy": "Never", "containers": [{
                    "name": "prep", "image": format!("{}/data-prep:v0.5.0", world.life.registry),
                    "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}},
                }]},
            },
        },
    });
    let _ = world.create(Kind::Jobs, job);
}

/// The oldest finished trainings go, so that a long demo does not fill up.
fn clear_away(world: &mut World) {
    let all = world.store.list(Kind::TrainingJobs, &Query::within(TRAINING)).objects;
    let mut ended: Vec<(String, Key)> = all
        .iter()
        .map(|object| object.value())
        .filter(|job| ["Succeeded", "Failed"].contains(&json::text(job, "/status/phase")))
        .map(|job| (json::text(&job, "/metadata/creationTimestamp").to_owned(), Key::of(&job)))
        .collect();
    ended.sort();
    for (_, key) in &ended[..ended.len().saturating_sub(KEPT_TRAININGS)] {
        world.delete(Kind::TrainingJobs, key);
    }
}
