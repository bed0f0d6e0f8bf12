//! Routes of the demo fleet: endpoints follow the pods, and load follows the weights.

use serde_json::{Value, json};
use skydeck::demo::clock::{parse, seconds};
use skydeck::demo::resource::Kind;
use skydeck::demo::store::{Deletion, Key, Mode, Part, Query};
use skydeck::demo::world::World;
use skydeck::demo::{Fleet, Options};

const PLATFORM: &str = "ml-platform";

fn fleet() -> Vec<World> {
    Fleet::rehearse(&Options::default(), parse("2026-03-04T09:12:30Z").unwrap())
}

fn edit(world: &World, kind: Kind, name: &str, edit: impl FnOnce(&mut Value)) {
    let mode = Mode { part: Part::Main, dry_run: false };
    let edited = world.store().update(kind, &Key::new(PLATFORM, name), mode, |object| {
        edit(object);
        Ok(())
    });
    edited.unwrap();
}

/// The endpoints of a Service: those that are ready, and all.
fn endpoints(world: &World, service: &str) -> Option<(usize, usize)> {
    let slices = world.store().list(Kind::EndpointSlices, &Query::within(PLATFORM)).objects;
    let slice = slices
        .iter()
        .map(|slice| slice.value())
        .find(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == service)?;
    let all = slice["endpoints"].as_array()?;
    Some((all.iter().filter(|it| it["conditions"]["ready"] == true).count(), all.len()))
}

fn step_until(world: &mut World, what: &str, so: impl Fn(&World) -> bool) {
    for _ in 0..seconds(600) {
        if so(world) {
            return;
        }
        world.step();
    }
    panic!("not within ten minutes: {what}");
}

#[test]
fn endpoints_follow_the_pods() {
    let mut world = fleet().remove(0);
    assert_eq!(endpoints(&world, "feature-store"), Some((3, 3)));
    edit(&world, Kind::Deployments, "feature-store", |it| it["spec"]["replicas"] = json!(5));
    step_until(&mut world, "two more are ready", |world| endpoints(world, "feature-store") == Some((5, 5)));
    edit(&world, Kind::Deployments, "feature-store", |it| it["spec"]["replicas"] = json!(0));
    step_until(&mut world, "none is left", |world| endpoints(world, "feature-store") == Some((0, 0)));
    // Two Services for the same pods have slices of their own; that of a Service which goes, goes with it.
    assert_eq!(endpoints(&world, "ml-inference"), endpoints(&world, "ml-inference-aws"));
    let wish = Deletion::default();
    world.store().delete(Kind::Services, &Key::new(PLATFORM, "ml-inference-aws"), &wish).unwrap();
    step_until(&mut world, "its slice is gone", |world| endpoints(world, "ml-inference-aws").is_none());
    assert!(endpoints(&world, "ml-inference").is_some());
}

fn shift(worlds: &[World], weights: [i64; 3]) {
    for world in worlds {
        edit(world, Kind::VirtualServices, "ml-inference-multicloud", |route| {
            for (at, weight) in weights.iter().enumerate() {
                route["spec"]["http"][2]["route"][at]["weight"] = json!(weight);
            }
        });
    }
}

/// The replicas that each cluster's autoscaler wants after some minutes.
fn wanted(worlds: &mut [World]) -> Vec<i64> {
    for _ in 0..seconds(180) {
        worlds.iter_mut().for_each(World::step);
    }
    let wanted = |world: &World| {
        let key = Key::new(PLATFORM, "ml-inference-hpa");
        let hpa = world.store().get(Kind::HorizontalPodAutoscalers, &key).unwrap().value();
        hpa["status"]["desiredReplicas"].as_i64().unwrap()
    };
    worlds.iter().map(wanted).collect()
}

#[test]
fn load_follows_the_weights() {
    let mut usual = fleet();
    let usual = wanted(&mut usual);
    let mut worlds = fleet();
    shift(&worlds, [0, 100, 0]);
    let shifted = wanted(&mut worlds);
    assert_eq!((shifted[0], shifted[2]), (3, 3), "nothing is sent there: the least that is allowed");
    assert!(shifted[1] > usual[1], "gcp has more to do: {usual:?} → {shifted:?}");
}
