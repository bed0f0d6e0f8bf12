//! What was written down, as the command line prints it and the console shows it.

use std::path::PathBuf;

use clap::Parser;
use serde_json::{Value, json};
use skydeck::app::{Answer, Effect, Msg};
use skydeck::cli::journal::{Answered, answer};
use skydeck::config::Arguments;
use skydeck::config::args::Verb;
use skydeck::config::args::journal::AnyVerb;
use skydeck::effects::journal::Journal;
use skydeck::fleet::{ChangeId, Unix};
use skydeck::gate::operation::{Actor, Outcome, Version, Why};
use skydeck::gate::record::{Entry, replay};
use skydeck::gate::{Desk, Intent, Operation, Phase, Plan, Record, Sight, Wish};
use skydeck::panels::PanelId;
use skydeck::ui::theme::Depth;

use crate::world::{NOW, Screen, fleet};

/// The id of the change that was confirmed so long before now.
fn id(seconds_ago: i64) -> ChangeId {
    let at = (NOW.unix.0 - seconds_ago) as u64 * 1000;
    ChangeId::new(at, u128::from(at) << 40)
}

fn plan(seconds_ago: i64, verb: &str, title: &str, steps: &[(&str, u32, u32)]) -> Plan {
    let step = |(cluster, before, after): &(&str, u32, u32)| {
        json!({"cluster": {"name": cluster, "uid": format!("uid-of-{cluster}"), "server": "https://x"},
            "object": {"kind": "Deployment", "key": {"namespace": "ml", "name": "web"}}, "uid": "u",
            "resource_version": "7", "generation": 17, "write": {"scale": {"replicas": after}},
            "changes": [{"pointer": "/spec/replicas", "label": "spec.replicas", "before": before, "after": after}],
            "expect": "values", "wait": 0, "follows": null, "needs": [], "own_mark": null})
    };
    let steps: Vec<Value> = steps.iter().map(step).collect();
    let plan = json!({"id": id(seconds_ago), "verb": verb, "title": title, "made": NOW.unix.0 - seconds_ago - 5,
        "steps": steps, "notes": [{"is_warning": true, "text": "room for 2 | more pods"},
            {"is_warning": false, "text": "no autoscaler"}],
        "confirm": {"strength": "name", "phrase": "web", "because": ["production"], "is_production": true},
        "way_back": "spec.replicas 4 in aws-east, as a new plan", "undoes": null, "ramp": null,
        "reason": if seconds_ago > 86_400 { "" } else { "load *test* <b>" }, "overrides": []});
    serde_json::from_value(plan).unwrap()
}

/// One that is done, one that is partial and stands still, one of which nobody knows, one from days ago.
fn records() -> Vec<Record> {
    let actor = || Actor { user: "ada".into(), host: "ops-1".into(), process: 4711 };
    let opened = |plan: Plan| Entry::Opened { plan: plan.into(), actor: actor() };
    let version = |generation| Version { resource: "8".into(), generation: Some(generation) };
    let sending = |step| Entry::Sending { step, attempt: 1 };
    let mut records = Vec::new();
    let mut tell = |ago: i64, entries: Vec<Entry>| {
        let at = |number: usize| Unix(NOW.unix.0 - ago + 2 * number as i64);
        let entries = entries.into_iter().enumerate();
        records.extend(entries.map(|(number, entry)| Record { at: at(number), change: id(ago), entry }));
    };
    tell(
        3 * 86_400,
        vec![
            opened(plan(3 * 86_400, "restart", "restart ml/web", &[("azure-eastus", 0, 1)])),
            sending(0),
            Entry::Confirmed { step: 0, version: version(18) },
            Entry::Drifted { step: 0, words: "not ready after 10m: 3/4 ready".into() },
            Entry::Ended { outcome: Outcome::Drifted },
        ],
    );
    tell(
        7_200,
        vec![
            opened(plan(7_200, "scale", "scale ml/web to 6", &[("aws-east", 4, 6)])),
            sending(0),
            Entry::Confirmed { step: 0, version: version(18) },
            Entry::Verified { step: 0 },
            Entry::Ended { outcome: Outcome::Done },
        ],
    );
    let three = [("aws-east", 6, 8), ("gcp-central", 4, 8), ("azure-eastus", 2, 8)];
    tell(
        900,
        vec![
            opened(plan(900, "scale", "scale ml/web to 8", &three)),
            sending(0),
            Entry::Confirmed { step: 0, version: version(19) },
            Entry::Verified { step: 0 },
            sending(1),
            Entry::Refused {
                step: 1,
                words: "409 Conflict: the object has been modified".into(),
                conflict: true,
                may_pass: false,
            },
            Entry::Paused { why: Why::StepFailed(1) },
        ],
    );
    tell(
        60,
        vec![
            opened(plan(60, "traffic", "shift traffic of ml/web", &[("gcp-central", 60, 50)])),
            sending(0),
            Entry::Lost { step: 0, words: "no answer within 10s".into() },
        ],
    );
    records
}

struct Place {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn written() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let mut journal = Journal::at(&path);
    for record in records() {
        journal.append(&record).unwrap();
    }
    Place { path, _folder: folder }
}

impl Place {
    /// What a command line prints, without `skydeck journal`.
    fn run(&self, line: &str) -> Answered {
        let words = ["skydeck", "journal"].into_iter().chain(line.split_whitespace());
        let arguments = Arguments::try_parse_from(words).unwrap();
        let Some(Verb::Journal(args)) = arguments.verb else { panic!("another verb") };
        let AnyVerb::Look(verb) = args.verb else { panic!("another verb") };
        answer(&Journal::at(&self.path), &verb, NOW.unix).unwrap()
    }

    /// The titles that a list with these options names.
    fn titles(&self, options: &str) -> Vec<String> {
        let list: Value = serde_json::from_str(&self.run(&format!("list -o json {options}")).text).unwrap();
        assert_eq!((&list["apiVersion"], &list["kind"]), (&json!("skydeck/v1"), &json!("ChangeList")));
        let items = list["items"].as_array().unwrap();
        items.iter().map(|it| it["title"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn the_list_is_newest_first_and_says_how_each_stands() {
    let place = written();
    insta::assert_snapshot!("journal_list", place.run("list").text);
    insta::assert_snapshot!("journal_list_markdown", place.run("list --open -o markdown").text);
    let list: Value = serde_json::from_str(&place.run("list -o json").text).unwrap();
    assert_eq!(list["items"][0]["state"], "UNKNOWN");
    assert_eq!(list["items"][0]["outcome"], Value::Null);
    assert_eq!(list["items"][2]["outcome"], "done");
    assert!(place.run("list -o yaml").text.contains("kind: ChangeList"));
}

#[test]
fn filters_narrow_the_list_and_are_joined_by_and() {
    let place = written();
    let (traffic, eight, six, restart) =
        ("shift traffic of ml/web", "scale ml/web to 8", "scale ml/web to 6", "restart ml/web");
    assert_eq!(place.titles(""), [traffic, eight, six, restart]);
    assert_eq!(place.titles("--open"), [traffic, eight]);
    assert_eq!(place.titles("--cluster aws-east"), [eight, six]);
    assert_eq!(place.titles("--cluster aws-east --cluster gcp-central --verb traffic"), [traffic]);
    assert_eq!(place.titles("--verb scale --verb restart --since 2d"), [eight, six]);
    assert_eq!(place.titles("--since 7d --open --cluster azure-eastus"), [eight]);
    assert!(place.titles("--cluster aws").is_empty(), "a name is a whole name");
    let nothing = Place { path: place.path.with_file_name("nothing"), ..written() };
    assert_eq!(nothing.run("list").text, "no changes\n");
}

#[test]
fn one_change_is_shown_with_its_steps_and_its_times() {
    let place = written();
    let partial = place.run(&format!("show {}", id(900)));
    insta::assert_snapshot!("journal_show", partial.text);
    insta::assert_snapshot!(
        "journal_show_markdown",
        place.run(&format!("show {} -o markdown", id(900))).text
    );
    let change: Value = serde_json::from_str(&place.run(&format!("show {} -o json", id(60))).text).unwrap();
    assert_eq!((&change["kind"], &change["state"]), (&json!("Change"), &json!("UNKNOWN")));
    assert_eq!(
        change["steps"][0]["changes"][0],
        json!({"field": "spec.replicas", "before": 60, "after": 50})
    );
    assert_eq!(change["timeline"][1]["text"], "step 1, gcp-central: goes out");
}

#[test]
fn the_beginning_of_an_id_is_enough_when_it_fits_one() {
    let place = written();
    let short = &id(7_200).to_string()[..10];
    assert!(place.run(&format!("show {}", short.to_lowercase())).text.contains("scale ml/web to 6"));
    for (given, told) in [("0", "0 fits 4 changes: "), ("7ZZZ", "there is no change 7ZZZ in the journal")] {
        let refused = place.run(&format!("show {given}"));
        assert_eq!((refused.code, refused.text.as_str()), (1, ""));
        assert!(refused.complaints[0].contains(told), "{:?}", refused.complaints);
    }
    assert_eq!(place.run("export 7ZZZ").code, 1);
}

#[test]
fn what_is_exported_is_what_stands_in_the_file() {
    let place = written();
    let file = std::fs::read_to_string(&place.path).unwrap();
    assert_eq!((place.run("export").text, place.run("export").code), (file.clone(), 0));
    let own = place.run(&format!("export {} -o jsonl", id(7_200))).text;
    let of_it = id(7_200).to_string();
    let lines: Vec<&str> = file.lines().filter(|line| line.contains(&of_it)).collect();
    assert_eq!((lines.len(), own.lines().collect::<Vec<_>>()), (5, lines));
    let all = place.run("export -o markdown").text;
    assert_eq!((all.matches("\n---\n").count(), all.matches("# ").count()), (3, 4 + 4 * 4));
    assert!(!all.contains("<b>") && all.contains("\\<b\\>"), "a reason is no markup");
}

#[test]
fn what_is_damaged_is_told_and_the_rest_is_shown() {
    let place = written();
    let damaged = std::fs::read_to_string(&place.path).unwrap().replacen("\"step\":0", "\"step\":9", 1);
    std::fs::write(&place.path, damaged).unwrap();
    let shown = place.run("list");
    assert_eq!(shown.code, 5);
    assert!(shown.complaints[0].contains("line 2 of") && shown.text.contains("scale ml/web to 8"));
}

#[test]
fn what_another_process_drives_is_not_called_paused() {
    let place = written();
    let claim = Journal::at(&place.path).claim(&id(900)).unwrap();
    let item = |place: &Place| {
        let list: Value = serde_json::from_str(&place.run("list -o json --verb scale").text).unwrap();
        list["items"][0].clone()
    };
    assert_eq!(
        (&item(&place)["state"], &item(&place)["drivenElsewhere"]),
        (&json!("elsewhere 1/3"), &json!(true))
    );
    drop(claim);
    assert_eq!(item(&place)["state"], "PARTIAL 1/3");
}

/// What the journal tells the console.
fn told(operations: Vec<Operation>) -> Msg {
    Msg::Answer(Answer::Journal { operations, notes: Vec::new() })
}

fn screen(size: (u16, u16)) -> Screen {
    let mut screen = Screen::new(fleet(), size);
    screen.send(told(replay(&records())));
    screen
}

#[test]
fn what_stands_still_is_the_first_thing_that_is_shown() {
    for size in [(80, 24), (120, 36), (200, 60)] {
        let mut screen = screen(size);
        assert_eq!(screen.app.panel_id(), PanelId::Journal);
        insta::assert_snapshot!(format!("journal_at_start_{}x{}", size.0, size.1), screen.text());
        screen.keys("1");
        insta::assert_snapshot!(format!("fleet_with_changes_{}x{}", size.0, size.1), screen.text());
    }
}

#[test]
fn a_journal_in_which_nothing_is_open_disturbs_nobody() {
    let mut screen = Screen::new(fleet(), (80, 24));
    let before = screen.text();
    let ended = replay(&records()).into_iter().filter(|it| !it.is_open()).collect();
    screen.send(told(ended));
    assert_eq!(screen.text(), before);
}

#[test]
fn what_stands_still_is_said_once() {
    let mut screen = screen((120, 36));
    let words = "2 changes stand still since an earlier session";
    assert!(screen.text().contains(words));
    let mut later = screen.app.state.now;
    later.mono = later.mono.plus_secs(3_600);
    screen.send(Msg::Tick { now: later, slept: false });
    assert!(!screen.text().contains(words));
    screen.keys("4");
    screen.send(told(replay(&records())));
    assert!(!screen.text().contains(words) && screen.app.panel_id() == PanelId::Jobs);
}

#[test]
fn a_change_is_opened_with_its_plan_and_its_timeline() {
    let mut screen = screen((120, 36));
    screen.keys("down enter");
    assert_eq!(screen.effects.pop(), Some(Effect::ReadTimeline(id(900))));
    let own: Vec<Record> = records().into_iter().filter(|it| it.change == id(900)).collect();
    screen.send(Msg::Answer(Answer::Timeline { id: id(900), outcome: Ok(own) }));
    insta::assert_snapshot!("journal_change", screen.text());
    screen.send(told(replay(&records())));
    assert_eq!(screen.effects.pop(), Some(Effect::ReadTimeline(id(900))), "news of it are read");
    screen.send(Msg::Answer(Answer::Timeline { id: id(900), outcome: Err("it belongs to somebody".into()) }));
    assert!(screen.text().contains("the journal cannot be read: it belongs to somebody"));
    screen.keys("esc x");
    assert_eq!(screen.effects.pop(), Some(Effect::Export(id(900))));
}

#[test]
fn changes_are_filtered_by_what_they_are() {
    let mut screen = screen((120, 36));
    for (filter, shown) in [
        ("state:unknown", vec!["shift traffic"]),
        ("state:partial", vec!["to 8"]),
        ("verb:scale", vec!["to 8", "to 6"]),
        ("cluster:azure", vec!["to 8", "restart ml/web"]),
        ("actor:ada age>2d", vec!["restart ml/web"]),
        ("reason:load !verb:scale", vec!["shift traffic"]),
    ] {
        screen.keys(&format!("esc / \"{filter}\" enter"));
        let text = screen.text();
        let list: Vec<&str> = text.lines().filter(|line| line.contains("ada@ops-1")).collect();
        assert_eq!(list.len(), shown.len(), "{filter}\n{text}");
        for (line, words) in list.iter().zip(shown) {
            assert!(line.contains(words), "{filter}: {line}");
        }
    }
}

#[test]
fn what_another_process_drives_is_shown_as_its_own() {
    let mut operations = replay(&records());
    for operation in operations.iter_mut().filter(|it| it.is_open()) {
        operation.is_elsewhere = true;
    }
    let mut screen = Screen::new(fleet(), (120, 36));
    screen.send(told(operations));
    assert_eq!(screen.app.panel_id(), PanelId::Fleet, "nobody is needed");
    assert!(!screen.text().contains("stand still"));
    screen.keys("0");
    let text = screen.text();
    assert!(text.contains("↻ elsewhere 1/3") && !text.contains("the console that drove it ended"), "{text}");
    screen.keys("down enter");
    let text = screen.text();
    assert!(!text.contains("continue") && !text.contains("leave"), "whoever drives it decides: {text}");
    // Its console ends.
    screen.keys("esc");
    screen.send(told(replay(&records())));
    assert!(screen.text().contains("✖ PARTIAL 1/3"));
}

#[test]
fn a_journal_that_is_not_read_is_not_an_empty_one() {
    let mut screen = Screen::new(fleet(), (80, 24));
    screen.keys("0");
    assert!(screen.text().contains("the journal is being read"));
    let notes = vec!["/x/journal.jsonl can be written by others: look at it, then: chmod 600".into()];
    screen.send(Msg::Answer(Answer::Journal { operations: Vec::new(), notes }));
    let text = screen.text();
    assert!(text.contains("nothing could be read") && text.matches("chmod 600").count() == 2, "{text}");
    let mut screen = Screen::new(fleet(), (80, 24));
    screen.send(told(Vec::new()));
    screen.keys("0");
    assert!(screen.text().contains("nothing was changed from this machine yet"));
}

#[test]
fn every_state_has_its_shape_in_ascii_too() {
    let mut screen = Screen::with_theme(fleet(), (120, 36), "plain", Depth::Mono, false);
    screen.send(told(replay(&records())));
    for keys in ["down", "enter"] {
        screen.keys(keys);
        let text = screen.text();
        assert!(text.is_ascii(), "{:?}", text.chars().find(|it| !it.is_ascii()));
    }
    screen.keys("esc");
    let text = screen.text();
    for state in ["? UNKNOWN", "x PARTIAL 1/3", "* done", "! drifted", "spec.replicas 6 > 8"] {
        assert!(text.contains(state), "{state}\n{text}");
    }
}

#[test]
fn what_stood_still_here_and_went_on_elsewhere_is_shown_as_it_is_there() {
    let own = |phase: Phase| {
        let mut operation = replay(&records()).into_iter().find(|it| *it.id() == id(900)).unwrap();
        (operation.is_ours, operation.phase) = (true, phase);
        operation
    };
    let elsewhere = || {
        let mut operation = own(Phase::Paused(Why::Restarted));
        (operation.is_ours, operation.is_elsewhere) = (false, true);
        operation
    };
    let mut screen = Screen::new(fleet(), (120, 36));
    screen.send(told(vec![own(Phase::Paused(Why::Asked))]));
    screen.send(told(vec![replay(&records()).remove(2)]));
    screen.keys("0 enter");
    assert!(screen.text().contains("stopped by you"), "the journal knows less than this console");
    screen.send(told(vec![elsewhere()]));
    assert!(screen.text().contains("elsewhere 1/3"));
    let mut screen = Screen::new(fleet(), (120, 36));
    screen.send(told(vec![own(Phase::Running)]));
    screen.send(told(vec![elsewhere()]));
    screen.keys("0");
    assert!(screen.text().contains("running 1/3"), "what this console drives nobody tells it");
}

#[test]
fn what_is_still_on_its_way_is_not_taken_back() {
    let world = fleet();
    let mut desk = Desk::default();
    let mut operation = replay(&records()).into_iter().find(|it| *it.id() == id(900)).unwrap();
    operation.is_elsewhere = true;
    desk.remember(vec![operation]);
    let intent = Intent::new(Wish::Undo(id(900)));
    let refused = desk.plan(&id(1), &intent, &Sight::default(), &world.state).unwrap_err();
    assert!(refused.words.contains("still on its way"), "{refused}");
}

/// Written by the first version that wrote one. It is never written anew: what is in it must stay readable.
const FIRST: &str = include_str!("journal/first.jsonl");

#[test]
fn the_journal_of_the_first_version_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    skydeck::effects::desk::write_private(&path, FIRST).unwrap();
    let reading = Journal::at(&path).read().unwrap();
    assert!(reading.notes.is_empty(), "a field that came since has no default: {:?}", reading.notes);
    assert_eq!(reading.records.len(), FIRST.lines().count());
    let stand: Vec<_> = replay(&reading.records).iter().map(Operation::words).collect();
    assert_eq!(stand, ["partial 1/3", "UNKNOWN", "paused 0/2"]);
    Journal::at(&path).append(&records()[0]).unwrap();
}
