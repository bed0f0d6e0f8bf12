//! The soak: clusters whose objects change all the time and whose servers and wires fail all the time. After a while
//! nothing may have grown: no memory, no descriptors, no tasks. Time is virtual, so an hour takes a minute.
//!
//! It runs in a process of its own, so that what grows is its own. `tests/bench/soak HOURS` runs it for longer.

use std::process::Command;
use std::time::Duration;

use serde_json::json;
use skydeck::demo::resource::Kind;
use skydeck::demo::store::Query;
use tokio::runtime::Handle;

use crate::day::{Day, virtually};
use crate::luck::{change, mishap};

/// Hours of virtual time; tells the process that it is the one that runs.
const HOURS: &str = "SKYDECK_SOAK_HOURS";
const SAMPLES: usize = 12;
/// glibc raises this after every large piece that is freed, up to 32 MiB, and keeps what is smaller on its heap: faults have
/// bodies of 64 MiB, and one of them looked like growth (`mallopt(3)`, M_MMAP_THRESHOLD). Said, it stays as it is.
const LARGE_IS_GIVEN_BACK: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "131072");
/// What comes and goes with connections of a moment, and is no growth.
const SPARE: Sample = Sample { kibibytes: 10 * 1024, descriptors: 24, tasks: 24, threads: 4 };

#[derive(Debug, Clone, Copy)]
struct Sample {
    kibibytes: usize,
    descriptors: usize,
    tasks: usize,
    threads: usize,
}

impl Sample {
    fn take() -> Sample {
        let count = |folder: &str| std::fs::read_dir(folder).map_or(0, Iterator::count);
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let resident: usize = resident.split_whitespace().next().unwrap().parse().unwrap();
        Sample {
            kibibytes: resident,
            descriptors: count("/proc/self/fd"),
            tasks: Handle::current().metrics().num_alive_tasks(),
            threads: count("/proc/self/task"),
        }
    }

    fn parts(self) -> [(&'static str, usize); 4] {
        let Sample { kibibytes, descriptors, tasks, threads } = self;
        [("KiB", kibibytes), ("descriptors", descriptors), ("tasks", tasks), ("threads", threads)]
    }
}

#[test]
fn nothing_grows() {
    if let Ok(hours) = std::env::var(HOURS) {
        return virtually(1, soak(hours.parse().unwrap()));
    }
    let mut alone = Command::new(std::env::current_exe().unwrap());
    let hours = std::env::var("SKYDECK_SOAK").unwrap_or_else(|_| "0.25".into());
    alone.args(["soak::nothing_grows", "--exact", "--nocapture"]).env(HOURS, hours);
    let output = alone.env(LARGE_IS_GIVEN_BACK.0, LARGE_IS_GIVEN_BACK.1).output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

async fn soak(hours: f64) {
    let mut random = fastrand::Rng::with_seed(1);
    let mut days = [Day::start(|_, _| {}).await, Day::start(|_, _| {}).await];
    for day in &mut days {
        // So much changes that a copy is overtaken at once.
        day.copies_are_older_by = u64::MAX;
    }
    let rounds = (hours * 3_600.0 / SAMPLES as f64 / 30.0).ceil() as usize;
    let began = tokio::time::Instant::now();
    let (mut samples, mut changes, mut mishaps) = (Vec::new(), 0, 0);
    println!("   hours  changes  mishaps       KiB  descriptors  tasks  threads");
    for _ in 0..SAMPLES {
        for _ in 0..rounds {
            for day in &mut days {
                for _ in 0..6 {
                    let _ = mishap(day, &mut random);
                    mishaps += 1;
                    changes += churn(day, &mut random, changes);
                    day.pass(Duration::from_secs(2)).await;
                }
                day.recover().await;
                day.api.seam().forget();
            }
        }
        for day in &mut days {
            // Connections that nobody uses any more are given up meanwhile.
            day.pass(Duration::from_mins(2)).await;
        }
        let sample = Sample::take();
        let Sample { kibibytes, descriptors, tasks, threads } = sample;
        let hours = began.elapsed().as_secs_f64() / 3_600.0;
        println!("{hours:8.2} {changes:8} {mishaps:8} {kibibytes:9} {descriptors:12} {tasks:6} {threads:8}");
        samples.push(sample);
    }
    judge(&samples);
}

/// Pods that nobody has heard of before come and go, and what is there changes.
fn churn(day: &mut Day, random: &mut fastrand::Rng, number: usize) -> usize {
    for pod in day.api.store.list(Kind::Pods, &Query::all()).objects {
        day.api.store.remove(Kind::Pods, &pod.key);
    }
    for count in 0..20 {
        let name = format!("{}.pod-{number}-{count}", day.api.uid);
        day.api.store.put(Kind::Pods, json!({
            "metadata": {"name": name, "namespace": "a", "labels": {"unique": name}},
            "spec": {"nodeName": format!("{}.0", day.api.uid), "containers": [{"name": "c", "image": format!("r/{name}:1")}]},
            "status": {"phase": "Running"},
        }));
    }
    let _ = change(day, random);
    let _ = change(day, random);
    42
}

/// The second half against the first, without the warming up.
fn judge(samples: &[Sample]) {
    let (early, late) = samples[2..].split_at((samples.len() - 2) / 2);
    let most = |of: &[Sample], part: usize| of.iter().map(|it| it.parts()[part].1).max().unwrap();
    for (part, (name, spare)) in SPARE.parts().into_iter().enumerate() {
        let (before, after) = (most(early, part), most(late, part));
        assert!(after <= before + spare, "{name} grow: {before}, then {after}");
    }
}
