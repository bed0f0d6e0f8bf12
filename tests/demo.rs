//! The demo fleet as its clients see it: over real HTTP on loopback. The protocol is tested on one server
//! without a scenario, the scenario by stepping its worlds, and both together on a running fleet.
#![cfg(test)]

#[path = "demo/living.rs"]
mod living;
#[path = "demo/protocol.rs"]
mod protocol;
#[path = "demo/scenario.rs"]
mod scenario;
#[path = "demo/wire.rs"]
mod wire;
#[path = "demo/writes.rs"]
mod writes;

use std::time::{Duration, Instant};

use skydeck::demo::{Fleet, Options};

/// For looking at the fleet with one's own eyes:
/// `DEMO=3x100 SECONDS=600 cargo test --release --test demo look -- --ignored --nocapture`
#[test]
#[ignore = "serves until its time is over, for people"]
#[expect(clippy::disallowed_methods, reason = "it tells how long the start took")]
fn look() {
    let scale = std::env::var("DEMO").unwrap_or_else(|_| "3x100".to_owned());
    let (clusters, pods) = scale.split_once('x').expect("CLUSTERSxPODS");
    let options =
        Options { clusters: clusters.parse().unwrap(), pods: pods.parse().unwrap(), ..Options::default() };
    let begin = Instant::now();
    let fleet = Fleet::start(&options).unwrap();
    println!("bound after {:?}", begin.elapsed());
    for member in fleet.clusters() {
        let answer = wire::Client::new(&member.url).get("/api/v1/pods?limit=1");
        println!("{} answers {} after {:?}", member.name, answer.code, begin.elapsed());
    }
    let place = std::env::temp_dir().join("skydeck-demo.kubeconfig");
    std::fs::write(&place, fleet.kubeconfig()).unwrap();
    println!("export KUBECONFIG={}", place.display());
    let seconds = std::env::var("SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(600);
    std::thread::sleep(Duration::from_secs(seconds));
}
