//! Killed at any moment of writing: the test runs itself as a child that kills itself, many times over one file.

use std::env;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use fastrand::Rng;
use rustix::process::{Signal, getpid, kill_process};

use super::tests::{id, opened, record};
use super::*;
use crate::gate::record::Entry;

/// What the child is told: the folder, its number and its seed.
const CHILD: &str = "SKYDECK_TEST_CRASHING_JOURNAL";
const ROUNDS: u64 = 60;

#[test]
fn a_process_that_is_killed_while_it_writes_loses_nothing_that_was_synced() {
    if let Ok(told) = env::var(CHILD) {
        return write_until_killed(&told);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut torn = 0;
    for round in 0..ROUNDS {
        // Every third time another one writes too.
        let children: Vec<Child> =
            (0..=u64::from(round % 3 == 0)).map(|at| start(folder.path(), round * 2 + at)).collect();
        for mut child in children {
            assert!(!child.wait().unwrap().success(), "it was killed");
        }
        torn += u32::from(examine(folder.path(), round * 2 + 1));
    }
    assert!(torn > 0, "some were killed in the middle of a line");
    let mut journal = Journal::at(folder.path().join("journal.jsonl"));
    journal.append(&record(9_999, 0, opened(9_999, &["aws"]))).unwrap();
    assert!(journal.read().unwrap().notes.is_empty(), "what was torn is cut by the next who writes");
}

fn start(folder: &Path, number: u64) -> Child {
    let own = std::thread::current().name().unwrap().to_owned();
    Command::new(env::current_exe().unwrap())
        .args(["--exact", &own, "--test-threads=1"])
        .env(CHILD, format!("{number} {}", folder.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Everything that a child was told to be written is there once, in its order; of the rest at most its last.
fn examine(folder: &Path, last: u64) -> bool {
    let journal = Journal::at(folder.join("journal.jsonl"));
    let reading = journal.read().unwrap();
    assert!(reading.notes.iter().all(|note| note.contains("is torn")), "{:?}", reading.notes);
    for number in 0..=last {
        let told = fs::read_to_string(acknowledged(folder, number)).unwrap_or_default().lines().count();
        let of = reading.records.iter().filter(|it| it.change == id(number));
        let steps: Vec<usize> = of
            .map(|it| match it.entry {
                Entry::Skipped { step } => step,
                _ => panic!("nobody wrote this"),
            })
            .collect();
        assert!(steps.iter().copied().eq(0..steps.len()), "{number}: {steps:?}");
        assert!(
            steps.len() == told || steps.len() == told + 1,
            "{number}: {told} told, {} found",
            steps.len()
        );
        assert!(!journal.is_claimed(&id(number)), "the dead hold nothing");
    }
    !reading.notes.is_empty()
}

fn acknowledged(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("told-{number}"))
}

fn write_until_killed(told: &str) {
    let (number, folder) = told.split_once(' ').unwrap();
    let (number, folder) = (number.parse().unwrap(), Path::new(folder));
    let mut rng = Rng::with_seed(number);
    let fatal = rng.usize(0..6);
    let mut journal = Journal::at(folder.join("journal.jsonl"));
    let _claim = journal.claim(&id(number)).unwrap();
    let mut acknowledged =
        OpenOptions::new().create(true).append(true).open(acknowledged(folder, number)).unwrap();
    for step in 0.. {
        let record = record(number, 0, Entry::Skipped { step });
        let point = if step == fatal { rng.u32(0..5) } else { u32::MAX };
        let cut = rng.f64();
        let written = journal.append_with(&record, |file, bytes| {
            let half = (bytes.len() as f64 * cut) as usize;
            die_at(point == 0);
            file.write_all(&bytes[..half])?;
            die_at(point == 1);
            file.write_all(&bytes[half..])?;
            die_at(point == 2);
            file.sync_data()?;
            die_at(point == 3);
            Ok(())
        });
        written.unwrap();
        acknowledged.write_all(b"written\n").unwrap();
        die_at(point == 4);
    }
}

/// As a process dies that gets no chance to tidy up.
fn die_at(here: bool) {
    if here {
        kill_process(getpid(), Signal::KILL).unwrap();
        loop {
            std::thread::park();
        }
    }
}
