//! The soak: clusters whose objects change all the time and whose servers and wires fail all the time. After a while
//! nothing may have grown: no memory, no descriptors, no tasks. Time is virtual, so an hour takes a minute.
//!
//! One of the clusters is watched by a whole console too, which draws and keeps a recording. It runs in a process of its
//! own, so that what grows is its own; memory is counted by the byte, so that what a change leaves behind is seen.
//! `tests/bench/soak HOURS` runs it for longer.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use peak_alloc::PeakAlloc;
use serde_json::json;
use skydeck::config::Config;
use skydeck::demo::resource::Kind;
use skydeck::demo::store::Query;
use skydeck::panels::PanelId;
use skydeck::runtime::unattended::Unattended;
use skydeck::sources::inventory;
use tokio::runtime::Handle;

use crate::cluster::places;
use crate::day::{Day, virtually};
use crate::luck::{change, mishap};
use crate::unattended::unattended;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Hours of virtual time; tells the process that it is the one that runs.
const HOURS: &str = "SKYDECK_SOAK_HOURS";
const SAMPLES: usize = 12;
/// What was new at the beginning is filled by then: histories of servers, buffers, rings.
const WARM: usize = 3;
/// Bytes that all changes together may leave behind. What comes and goes makes a sample 2 MiB more or less than the one
/// before it, however long the soak is: in a quarter of an hour a change that leaves 80 bytes is seen, in a day one of 1.
const LEFT_BEHIND: f64 = 1024.0 * 1024.0;
/// glibc raises this after every large piece that is freed, up to 32 MiB, and keeps what is smaller on its heap: faults have
/// bodies of 64 MiB, and one of them looked like growth (`mallopt(3)`, M_MMAP_THRESHOLD). Said, it stays as it is.
const LARGE_IS_GIVEN_BACK: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "131072");
/// What comes and goes with connections of a moment, and is no growth.
const SPARE: Sample =
    Sample { bytes: usize::MAX, kibibytes: 10 * 1024, descriptors: 24, tasks: 24, threads: 4 };

#[derive(Debug, Clone, Copy)]
struct Sample {
    /// Allocated, and not given back.
    bytes: usize,
    /// Of the whole process, as the system counts them.
    kibibytes: usize,
    descriptors: usize,
    tasks: usize,
    threads: usize,
}

impl Sample {
    fn take() -> Sample {
        let bytes = ALLOCATED.current_usage();
        let count = |folder: &str| std::fs::read_dir(folder).map_or(0, Iterator::count);
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let resident: usize = resident.split_whitespace().next().unwrap().parse().unwrap();
        Sample {
            bytes,
            kibibytes: resident,
            descriptors: count("/proc/self/fd"),
            tasks: Handle::current().metrics().num_alive_tasks(),
            threads: count("/proc/self/task"),
        }
    }

    fn parts(self) -> [(&'static str, usize); 4] {
        let Sample { kibibytes, descriptors, tasks, threads, .. } = self;
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
    let folder = tempfile::tempdir().unwrap();
    let mut screen = screen(days[0].proxy.address, folder.path());
    let rounds = (hours * 3_600.0 / SAMPLES as f64 / 30.0).ceil() as usize;
    let began = tokio::time::Instant::now();
    let (mut samples, mut changes, mut mishaps) = (Vec::new(), 0, 0);
    println!("   hours  changes  mishaps      bytes       KiB  descriptors  tasks  threads");
    for _ in 0..SAMPLES {
        for _ in 0..rounds {
            for day in &mut days {
                for _ in 0..6 {
                    let _ = mishap(day, &mut random);
                    mishaps += 1;
                    changes += churn(day, &mut random, changes);
                    beside(&mut screen, day.pass(Duration::from_secs(2))).await;
                }
                beside(&mut screen, day.recover()).await;
                day.api.seam().forget();
            }
        }
        for day in &mut days {
            // Connections that nobody uses any more are given up meanwhile.
            beside(&mut screen, day.pass(Duration::from_mins(2))).await;
        }
        let sample = Sample::take();
        let Sample { bytes, kibibytes, descriptors, tasks, threads } = sample;
        let hours = began.elapsed().as_secs_f64() / 3_600.0;
        println!(
            "{hours:8.2} {changes:8} {mishaps:8} {bytes:10} {kibibytes:9} {descriptors:12} {tasks:6} {threads:8}"
        );
        samples.push((changes, sample));
    }
    assert_eq!(screen.trouble(), None, "it is recorded to the end");
    let shown = screen.app.state.clusters().next().unwrap().objects.pods.len();
    assert_eq!(
        shown,
        days[0].api.store.list(Kind::Pods, &Query::all()).objects.len(),
        "it was looked at to the end"
    );
    judge(&samples);
}

/// A console that draws and keeps a recording, of the cluster at this address.
fn screen(address: std::net::SocketAddr, folder: &Path) -> Unattended {
    let config = Config::default();
    let inventory = inventory::find(&config, &places(address, folder), &[]).unwrap();
    let mut screen = unattended(&config, inventory, Some(&folder.join("recording.jsonl")));
    screen.app.go_to(PanelId::Replicas);
    screen
}

/// The console lives on while something else goes on.
async fn beside<T>(screen: &mut Unattended, what: impl Future<Output = T>) -> T {
    tokio::select! {
        done = what => done,
        () = screen.live(Duration::from_hours(24)) => panic!("it takes a whole day"),
    }
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

/// The second half against the first, without the warming up; and of memory what each change leaves behind.
fn judge(samples: &[(usize, Sample)]) {
    let warm = &samples[WARM..];
    let (early, late) = warm.split_at(warm.len() / 2);
    let most =
        |of: &[(usize, Sample)], part: usize| of.iter().map(|(_, it)| it.parts()[part].1).max().unwrap();
    for (part, (name, spare)) in SPARE.parts().into_iter().enumerate() {
        let (before, after) = (most(early, part), most(late, part));
        assert!(after <= before + spare, "{name} grow: {before}, then {after}");
    }
    let (left, changes) = (slope(warm), warm[warm.len() - 1].0 - warm[0].0);
    println!("a change leaves {left:.1} bytes behind");
    let most = LEFT_BEHIND / changes as f64;
    assert!(left < most, "memory grows: a change leaves {left:.1} bytes behind, may be {most:.1}");
}

/// Bytes a change: the median of what lies between any two samples, which one that is high for a moment does not move.
fn slope(samples: &[(usize, Sample)]) -> f64 {
    let mut slopes = Vec::new();
    for (at, (changes, sample)) in samples.iter().enumerate() {
        for (later, after) in &samples[at + 1..] {
            slopes.push((after.bytes as f64 - sample.bytes as f64) / (later - changes) as f64);
        }
    }
    slopes.sort_unstable_by(f64::total_cmp);
    slopes[slopes.len() / 2]
}
