//! What happened before the first second, in order: three weeks of it, played by the controllers.

use std::sync::Arc;

use super::clouds::Profile;
use super::{machines, platform, system, teams, traffic, trainings};
use crate::demo::clock::seconds;
use crate::demo::programs::{latest, previous};
use crate::demo::resource::Kind;
use crate::demo::store::{Key, Store};
use crate::demo::world::{Run, World};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// What is wrong with a cluster, by its place in the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// A job that fits nowhere and a training that failed.
    Jobs,
    /// A release that crashes, and one under way.
    Releases,
    /// A lost node, an image that was never replicated, a version behind the others.
    Nodes,
}

pub fn play(profile: &Profile, store: Arc<Store>) -> World {
    let trouble = [Trouble::Jobs, Trouble::Releases, Trouble::Nodes][profile.index % 3];
    let mut world = World::new(store, profile.seed, -seconds(21 * DAY));
    world.settle_in(&profile.name, profile.cloud.name());
    foundation(&mut world, profile);
    releases(&mut world, profile, trouble);
    today(&mut world, profile, trouble);
    world.inhabit(&profile.registry());
    // Nobody watches yet: what led here needs no memory.
    world.store().compact();
    world
}

fn foundation(world: &mut World, profile: &Profile) {
    system::ground(world, profile);
    system::agents(world);
    world.advance(-seconds(12 * DAY));
    platform::deploy(world, profile);
    traffic::routes(world, profile);
    trainings::queues(world);
    world.advance(-seconds(9 * DAY));
    teams::deploy(world, profile);
}

/// The current versions go out, one after the other.
fn releases(world: &mut World, profile: &Profile, trouble: Trouble) {
    let apps = [
        ("model-registry", 6 * DAY),
        ("feature-store", 5 * DAY + 7 * HOUR),
        ("experiment-tracker", 4 * DAY),
        ("ml-inference", 3 * DAY + 2 * HOUR),
        ("llm-serve", 2 * DAY + 5 * HOUR),
        ("batch-scorer", 31 * HOUR),
        ("embedding-api", 26 * HOUR),
    ];
    for (name, ago) in apps {
        world.advance(-seconds(ago));
        let behind = name == "ml-inference" && trouble == Trouble::Nodes;
        let version = if behind { previous(name) } else { latest(name) };
        world.set_version(Kind::Deployments, &platform(name), version);
    }
    world.advance(-seconds(25 * HOUR));
    trainings::finished(world, profile);
    trainings::schedules(world, profile);
    world.advance(-seconds(22 * HOUR));
    world.set_version(Kind::Rollouts, &platform("inference-gateway"), latest("inference-gateway"));
}

/// The trainings of today: each team works where it has its accelerators.
struct Trainings {
    done: (&'static str, &'static str),
    running: (&'static str, &'static str),
    queued: (&'static str, &'static str),
    pretraining: &'static str,
}

fn trainings_of(profile: &Profile) -> Trainings {
    match profile.index % 3 {
        0 => Trainings {
            done: ("resnet50-imagenet-12", "resnet50"),
            running: ("bert-finetune-7", "bert-large"),
            queued: ("vit-ablation-4", "vit-base"),
            pretraining: "gpt-pretrain",
        },
        1 => Trainings {
            done: ("whisper-adapt-3", "whisper-small"),
            running: ("ranker-two-tower-9", "two-tower"),
            queued: ("t5-distill-2", "t5-base"),
            pretraining: "code-llm-pretrain",
        },
        _ => Trainings {
            done: ("fraud-gnn-21", "gnn"),
            running: ("clip-finetune-5", "clip-vit"),
            queued: ("diffusion-lora-8", "sdxl"),
            pretraining: "embed-pretrain",
        },
    }
}

fn today(world: &mut World, profile: &Profile, trouble: Trouble) {
    let trainings = trainings_of(profile);
    let run = |name, steps, workers| Run {
        name,
        model: "resnet50",
        framework: "pytorch",
        gpus: 1,
        workers,
        steps,
        image: "ml-trainer:v1.8.0",
    };
    world.advance(-seconds(9 * HOUR));
    let done = Run { model: trainings.done.1, ..run(trainings.done.0, 9_000, 2) };
    trainings::training(world, profile, &done, None);
    world.advance(-seconds(5 * HOUR));
    let reaches_all = trouble != Trouble::Nodes;
    if reaches_all {
        world.set_version(Kind::Deployments, &platform("drift-monitor"), "v0.9.3");
    } else {
        // The new tag was pushed everywhere but to this registry; the pod was moved, and now it cannot start.
        world.edit(Kind::Deployments, &platform("drift-monitor"), |object| {
            object["spec"]["strategy"] = serde_json::json!({"type": "Recreate"});
        });
        world.set_version(Kind::Deployments, &platform("drift-monitor"), "v0.9.3");
    }
    world.advance(-seconds(3 * HOUR + 4 * MINUTE));
    match trouble {
        Trouble::Releases => world.set_version(Kind::Deployments, &platform("reranker"), "v0.7.0"),
        Trouble::Jobs => {
            let failed =
                Run { model: "llama-7b", image: "ml-trainer:v1.9.0-rc1", ..run("llama-lora-3", 5_000, 1) };
            trainings::training(world, profile, &failed, None);
        }
        Trouble::Nodes => {}
    }
    world.advance(-seconds(94 * MINUTE));
    if trouble == Trouble::Jobs {
        trainings::impossible(world, profile);
    }
    world.advance(-seconds(42 * MINUTE));
    trainings::pretraining(world, profile, trainings.pretraining);
    world.advance(-seconds(23 * MINUTE));
    if trouble == Trouble::Nodes {
        world.lose_node(&machines::lost_node(profile));
    }
    world.advance(-seconds(14 * MINUTE));
    let running = Run { model: trainings.running.1, gpus: 2, ..run(trainings.running.0, 8_000, 2) };
    trainings::training(world, profile, &running, Some("research"));
    world.advance(-seconds(11 * MINUTE));
    let (name, model) = trainings.queued;
    let queued = Run { model, framework: "jax", gpus: 2, ..run(name, 3_000, 2) };
    trainings::training(world, profile, &queued, Some("research"));
    world.advance(-seconds(8));
    if trouble == Trouble::Releases {
        world.set_version(Kind::Deployments, &platform("embedding-api"), previous("embedding-api"));
    }
    world.advance(0);
}

fn platform(name: &str) -> Key {
    Key::new("ml-platform", name)
}
