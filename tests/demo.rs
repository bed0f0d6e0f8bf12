//! The demo fleet as its clients see it: over real HTTP on loopback.

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
    println!("started after {:?}", begin.elapsed());
    let place = std::env::temp_dir().join("skydeck-demo.kubeconfig");
    std::fs::write(&place, fleet.kubeconfig()).unwrap();
    println!("export KUBECONFIG={}", place.display());
    let seconds = std::env::var("SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(600);
    std::thread::sleep(Duration::from_secs(seconds));
}

#[test]
fn time_it() {
    let t = Instant::now();
    let start = chrono::DateTime::parse_from_rfc3339("2026-01-01T00:00:00Z").unwrap().to_utc();
    let worlds = Fleet::rehearse(&Options::default(), start);
    println!("raise {:?}", t.elapsed());
    for mut w in worlds {
        let v = w.store().version();
        let t = Instant::now();
        for _ in 0..240 { w.step(); }
        println!("version {} 240 steps {:?} changes {}", v, t.elapsed(), w.store().version()-v);
    }
}
