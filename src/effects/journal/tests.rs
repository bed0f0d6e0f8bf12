//! The file by itself: what is written is read, what is damaged is told, what is not private is refused.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::fleet::Unix;
use crate::gate::operation::{Actor, Outcome, Version, Why};
use crate::gate::record::{Entry, replay};

pub(super) fn id(number: u64) -> ChangeId {
    ChangeId::new(1_772_978_531_000 + number, u128::from(number))
}

pub(super) fn record(number: u64, at: i64, entry: Entry) -> Record {
    Record { at: Unix(1_772_978_531 + at), change: id(number), entry }
}

pub(super) fn opened(number: u64, clusters: &[&str]) -> Entry {
    let step = |name: &&str| {
        json!({"cluster": {"name": name, "uid": format!("uid-of-{name}"), "server": "https://x"},
            "object": {"kind": "Deployment", "key": {"namespace": "ml", "name": "web"}}, "uid": "u",
            "resource_version": "7", "generation": 3, "write": {"scale": {"replicas": 6}},
            "changes": [{"pointer": "/spec/replicas", "label": "spec.replicas", "before": 4, "after": 6}],
            "expect": "values", "wait": 0, "follows": null, "needs": [], "own_mark": null})
    };
    let steps: Vec<Value> = clusters.iter().map(step).collect();
    let plan = json!({"id": id(number), "verb": "scale", "title": "scale ml/web to 6", "made": 1_772_978_500,
        "steps": steps, "notes": [{"is_warning": true, "text": "no autoscaler: «ümläut» 日本語"}],
        "confirm": {"strength": "key", "phrase": "", "because": [], "is_production": false},
        "way_back": "4 in each", "undoes": null, "ramp": null, "reason": "load\u{7}test", "overrides": []});
    let actor = Actor { user: "ada".into(), host: "ops-1".into(), process: 4711 };
    Entry::Opened { plan: Arc::new(serde_json::from_value(plan).unwrap()), actor }
}

/// A whole operation, and one that stands still.
fn records() -> Vec<Record> {
    let version = Version { resource: "8".into(), generation: Some(4) };
    vec![
        record(1, 0, opened(1, &["aws", "gcp"])),
        record(1, 1, Entry::Sending { step: 0, attempt: 1 }),
        record(1, 2, Entry::Confirmed { step: 0, version }),
        record(1, 3, Entry::Verified { step: 0 }),
        record(2, 4, opened(2, &["azure"])),
        record(2, 5, Entry::Sending { step: 0, attempt: 1 }),
        record(
            1,
            6,
            Entry::Refused {
                step: 1,
                words: "409 \"conflict\" \\ \u{202e}".into(),
                conflict: true,
                may_pass: false,
            },
        ),
        record(2, 7, Entry::Lost { step: 0, words: "no answer within 10s".into() }),
        record(1, 8, Entry::Paused { why: Why::StepFailed(1) }),
        record(1, 9, Entry::Ended { outcome: Outcome::Partial }),
    ]
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/skydeck/journal.jsonl");
    (folder, path)
}

fn written(records: &[Record]) -> (tempfile::TempDir, PathBuf) {
    let (folder, path) = place();
    let mut journal = Journal::at(&path);
    for record in records {
        journal.append(record).unwrap();
    }
    (folder, path)
}

#[test]
fn what_is_written_is_read_and_private() {
    let (_folder, path) = written(&records());
    let reading = Journal::at(&path).read().unwrap();
    assert_eq!((reading.records, reading.notes), (records(), vec![]));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["at"], "2026-03-08T14:02:11Z");
    assert_eq!(lines[0]["prev"], "0".repeat(64));
    for (at, two) in lines.windows(2).enumerate() {
        assert_eq!((&two[1]["prev"], &two[1]["seq"]), (&two[0]["sum"], &json!(at + 2)));
    }
    let (_folder, path) = place();
    let nothing = Journal::at(&path).read().unwrap();
    assert!(nothing.records.is_empty() && nothing.notes.is_empty() && !path.exists());
}

#[test]
fn several_consoles_share_one_chain() {
    let (_folder, path) = place();
    let (mut one, mut other) = (Journal::at(&path), Journal::at(&path));
    for (at, record) in records().iter().enumerate() {
        if at % 3 == 0 { one.append(record).unwrap() } else { other.append(record).unwrap() }
    }
    let threads: Vec<_> = (10..14)
        .map(|number| {
            let path = path.clone();
            std::thread::spawn(move || {
                let mut journal = Journal::at(path);
                for step in 0..20 {
                    journal.append(&record(number, 0, Entry::Skipped { step })).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let reading = Journal::at(&path).read().unwrap();
    assert_eq!((reading.records.len(), reading.notes), (records().len() + 80, vec![]));
    for number in 10..14 {
        let of: Vec<_> = reading.records.iter().filter(|it| it.change == id(number)).collect();
        let expected: Vec<_> = (0..20).map(|step| Entry::Skipped { step }).collect();
        assert!(of.iter().map(|it| &it.entry).eq(&expected), "in the order of their writer");
    }
}

#[test]
fn a_torn_last_line_is_cut_and_told_and_kept_aside() {
    let whole = records();
    let (_folder, path) = written(&whole);
    let bytes = fs::read(&path).unwrap();
    let begin = bytes[..bytes.len() - 1].iter().rposition(|it| *it == b'\n').unwrap() + 1;
    for end in (begin + 1..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
        fs::write(&path, &bytes[..end]).unwrap();
        let mut journal = Journal::at(&path);
        let reading = journal.read().unwrap();
        assert_eq!(reading.records, whole[..whole.len() - 1]);
        assert!(reading.notes[0].contains("the last line of") && reading.notes.len() == 1);
        assert_eq!(fs::read(&path).unwrap().len(), end, "reading changes nothing");
        journal.append(whole.last().unwrap()).unwrap();
        assert!(journal.repaired[0].contains("was torn"), "{:?}", journal.repaired);
        assert_eq!(fs::read(&path).unwrap(), bytes);
        let kept = fs::read(path.with_extension("torn")).unwrap();
        assert!(kept.ends_with(&[&bytes[begin..end], b"\n"].concat()));
    }
}

#[test]
fn damage_is_told_by_line_and_nothing_is_written_behind_it() {
    let (_folder, path) = written(&records());
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    let changed = lines[1].replace("\"step\":0", "\"step\":1");
    lines[1] = &changed;
    let without = lines.remove(4);
    assert!(without.contains("azure"));
    let damaged = format!("{}\n", lines.join("\n"));
    fs::write(&path, &damaged).unwrap();
    let mut journal = Journal::at(&path);
    let reading = journal.read().unwrap();
    assert_eq!(reading.records.len(), records().len() - 2, "the rest is shown");
    assert!(reading.notes[0].starts_with("line 2 of") && reading.notes[0].contains("checksum"));
    assert!(reading.notes[1].starts_with("line 5 of") && reading.notes[1].contains("missing"));
    for _ in 0..2 {
        let refused = journal.append(&records()[0]).unwrap_err();
        assert!(refused.contains("line 2") && refused.contains("move it away to begin anew"), "{refused}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
    fs::rename(&path, path.with_extension("old")).unwrap();
    journal.append(&records()[0]).unwrap();
    assert_eq!(journal.read().unwrap().records, records()[..1]);
}

#[test]
fn another_file_in_its_place_is_read_anew() {
    let (_folder, path) = written(&records());
    let mut journal = Journal::at(&path);
    journal.append(&records()[0]).unwrap();
    // The same length and the same file, but not what was read.
    let (_other, other) = written(&[records(), vec![records()[4].clone()]].concat());
    let bytes = fs::read(other).unwrap();
    fs::write(&path, &bytes).unwrap();
    journal.append(&records()[1]).unwrap();
    let reading = journal.read().unwrap();
    assert_eq!((reading.records.len(), reading.notes), (records().len() + 2, vec![]));
}

#[test]
fn what_is_not_private_is_refused_with_what_to_do() {
    let (folder, path) = written(&records());
    let set = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let told = |expected: &str| {
        let mut journal = Journal::at(&path);
        let refused = journal.append(&records()[0]).unwrap_err();
        assert!(refused.contains(expected), "{refused}");
        refused
    };
    for mode in [0o620, 0o602, 0o666] {
        set(&path, mode);
        told("can be written by others: look at it, then: chmod 600 ");
        assert!(Journal::at(&path).read().is_err());
    }
    set(&path, 0o600);
    set(path.parent().unwrap(), 0o770);
    told("chmod 700 ");
    set(path.parent().unwrap(), 0o700);
    let away = folder.path().join("away");
    fs::rename(&path, &away).unwrap();
    symlink(&away, &path).unwrap();
    told("is a link");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    told("journal.jsonl");
    fs::remove_dir(&path).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    told("is not a file");
    fs::remove_file(&path).unwrap();
    fs::rename(&away, &path).unwrap();
    if std::os::unix::fs::chown(&path, Some(12_345), None).is_ok() {
        told("belongs to somebody else");
    }
    let below_a_file = Journal::at(folder.path().join("away-file/journal.jsonl"));
    fs::write(folder.path().join("away-file"), "").unwrap();
    assert!({ below_a_file }.append(&records()[0]).is_err());
}

#[test]
fn a_write_that_fails_leaves_nothing_behind() {
    let (_folder, path) = written(&records());
    let before = fs::read(&path).unwrap();
    let mut journal = Journal::at(&path);
    let full = journal.append_with(&records()[0], |file, bytes| {
        file.write_all(&bytes[..bytes.len() / 2])?;
        Err(ErrorKind::StorageFull.into())
    });
    assert!(full.unwrap_err().contains("make room on the disk"));
    assert_eq!(fs::read(&path).unwrap(), before);
    let unsynced = journal.append_with(&records()[0], |file, bytes| {
        file.write_all(bytes)?;
        Err(std::io::Error::from_raw_os_error(5))
    });
    assert!(unsynced.unwrap_err().ends_with("journal.jsonl: Input/output error"));
    assert_eq!(fs::read(&path).unwrap(), before, "what may not be on the disk is not in the file");
    journal.append(&records()[0]).unwrap();
    assert_eq!(journal.read().unwrap().records.len(), records().len() + 1);
}

#[test]
fn a_line_without_end_takes_no_memory_and_is_told() {
    let (_folder, path) = written(&records());
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend(vec![b'x'; 5 * line::LONGEST_LINE]);
    bytes.push(b'\n');
    bytes.extend(b"\xff\xfe\n{}\n\n");
    fs::write(&path, &bytes).unwrap();
    let reading = Journal::at(&path).read().unwrap();
    assert_eq!(reading.records, records());
    assert_eq!(reading.notes.len(), 4, "{:?}", reading.notes);
    let mut large = records()[0].clone();
    large.entry = Entry::Lost { step: 0, words: "x".into() };
    let plan = Arc::new(match opened(1, &vec!["aws"; 4_000][..]) {
        Entry::Opened { plan, .. } => (*plan).clone(),
        _ => unreachable!(),
    });
    large.entry = Entry::Opened { plan, actor: Actor::default() };
    let (_folder, path) = place();
    assert!(Journal::at(&path).append(&large).unwrap_err().contains("longer than"));
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn operations_come_back_no_better_than_they_were() {
    let operations = replay(&records());
    assert_eq!(
        operations.iter().map(crate::gate::Operation::words).collect::<Vec<_>>(),
        ["partial 1/2", "UNKNOWN"]
    );
}

#[test]
fn an_operation_is_claimed_once() {
    let (_folder, path) = place();
    let (one, other) = (Journal::at(&path), Journal::at(&path));
    assert!(!one.is_claimed(&id(1)));
    let claim = one.claim(&id(1)).unwrap();
    assert_eq!(other.claim(&id(1)).unwrap_err(), Unclaimed::Held);
    assert!(other.is_claimed(&id(1)) && !other.is_claimed(&id(2)));
    drop(claim);
    assert!(!one.is_claimed(&id(1)));
    // Many at once: one has it at a time, and a look keeps nobody from having it.
    let held = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (path, held) = (path.clone(), Arc::clone(&held));
            std::thread::spawn(move || {
                let (journal, mut got) = (Journal::at(path), 0);
                for _ in 0..200 {
                    journal.is_claimed(&id(1));
                    match journal.claim(&id(1)) {
                        Ok(_claim) => {
                            assert_eq!(held.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                            held.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                            got += 1;
                        }
                        Err(why) => assert_eq!(why, Unclaimed::Held),
                    }
                }
                got
            })
        })
        .collect();
    let got: u32 = threads.into_iter().map(|it| it.join().unwrap()).sum();
    assert!(got > 0);
    let alone = |_| one.is_claimed(&id(2)) || one.claim(&id(2)).is_err();
    assert!(!(0..50).any(alone), "nobody else wants it");
    let evil: ChangeId = serde_json::from_value(json!("../../escape")).unwrap();
    assert!(one.claim(&evil).is_err() && !one.is_claimed(&evil));
}

proptest! {
    #[test]
    fn any_beginning_of_the_file_is_a_beginning_of_the_records(share in 0.0f64..1.0) {
        let whole = records();
        let (_folder, path) = written(&whole);
        let bytes = fs::read(&path).unwrap();
        let end = (bytes.len() as f64 * share) as usize;
        fs::write(&path, &bytes[..end]).unwrap();
        let reading = Journal::at(&path).read().unwrap();
        let lines = String::from_utf8_lossy(&bytes[..end]).matches('\n').count();
        prop_assert_eq!(&reading.records[..], &whole[..lines]);
        let at_a_boundary = end == 0 || bytes[end - 1] == b'\n';
        prop_assert_eq!(reading.notes.is_empty(), at_a_boundary);
    }

    #[test]
    fn any_changed_bit_is_told(share in 0.0f64..1.0, bit in 0u8..8) {
        let (_folder, path) = written(&records());
        let mut bytes = fs::read(&path).unwrap();
        let at = (bytes.len() as f64 * share) as usize;
        bytes[at] ^= 1 << bit;
        fs::write(&path, &bytes).unwrap();
        let reading = Journal::at(&path).read().unwrap();
        prop_assert!(!reading.notes.is_empty());
        for record in &reading.records {
            prop_assert!(records().contains(record), "no record is another than was written");
        }
    }
}
