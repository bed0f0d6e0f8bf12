//! Keys in, screens and effects out: what an operator does, told as an operator does it.

use std::collections::BTreeMap;

use skydeck::app::{Answer, Configuration, Effect, Mouse, MouseKind, Msg};
use skydeck::fleet::{
    ClusterId, Fault, FaultKind, Kind, LogLine, Now, ObjectId, ObjectKey, Rule, Step, Unix,
};
use skydeck::input::{Action, Keymap};
use skydeck::state::Settings;

use crate::world::{NOW, Screen, fleet};

fn screen() -> Screen {
    Screen::new(fleet(), (120, 36))
}

fn line_with(screen: &Screen, text: &str) -> String {
    let all = screen.text();
    all.lines().find(|line| line.contains(text)).unwrap_or_else(|| panic!("no `{text}` in\n{all}")).to_owned()
}

#[test]
fn a_finding_leads_to_its_cause() {
    let mut screen = screen();
    screen.keys("down enter");
    assert!(line_with(&screen, "›").contains("ml-platform/feature-store"));
    screen.keys("enter tab");
    assert!(screen.text().contains("CrashLoopBackOff"));
    screen.keys("enter");
    assert!(screen.text().contains("Pod ml-platform/feature-store-6b7f9-a in aws-east"));
    screen.keys("esc esc esc 1");
    assert!(screen.text().contains("Needs attention"));
}

#[test]
fn a_filter_works_while_it_is_typed_and_esc_takes_it_back() {
    let mut screen = screen();
    screen.keys("4 / \"phase:fail\"");
    assert!(screen.text().contains("bert-finetune-7") && !screen.text().contains("llama-sft"));
    screen.keys("enter");
    assert!(line_with(&screen, "4 Jobs").contains("filter phase:fail  1 of 3 jobs"));
    screen.keys("/ \"x\" esc");
    assert!(line_with(&screen, "4 Jobs").contains("filter phase:fail  1 of 3 jobs"));
    screen.keys("esc");
    assert!(screen.text().contains("llama-sft"));
}

#[test]
fn a_filter_that_is_not_understood_hides_nothing_and_says_why() {
    let mut screen = screen();
    screen.keys("4 / \"fase:failed\" enter");
    let text = screen.text();
    assert!(text.contains("there is no field `fase` here: phase, job"), "{text}");
    assert!(text.contains("llama-sft"));
}

#[test]
fn sorting_goes_through_the_columns_and_is_remembered() {
    let mut screen = screen();
    screen.keys("2 o");
    assert!(line_with(&screen, "CLUSTER").contains("STATE↑"));
    screen.keys("O");
    assert!(line_with(&screen, "CLUSTER").contains("STATE↓"));
    let Some(Effect::Remember(prefs)) = screen.effects.last() else { panic!("{:?}", screen.effects) };
    assert_eq!(prefs.orders["clusters"], ("state".into(), true));
    assert_eq!(prefs.panel.as_deref(), Some("clusters"));
    let mut again = Screen::new(fleet(), (120, 36));
    again.app.restore(prefs);
    again.send(Msg::Resize(120, 36));
    assert!(line_with(&again, "CLUSTER").contains("STATE↓"));
}

#[test]
fn a_frozen_picture_stands_still_and_facts_go_on() {
    let mut screen = screen();
    screen.keys("2 space");
    let frozen = screen.text();
    assert!(frozen.contains("FROZEN"));
    let later = Now { mono: NOW.mono.plus_secs(300), unix: Unix(NOW.unix.0 + 300) };
    screen.send(Msg::Tick { now: later, slept: false });
    assert_eq!(screen.text(), frozen);
    screen.keys("space");
    assert!(screen.text().contains("READ-ONLY") && screen.text() != frozen);
}

#[test]
fn a_machine_that_slept_reads_everything_anew() {
    let mut screen = screen();
    let later = Now { mono: NOW.mono.plus_secs(63), unix: Unix(NOW.unix.0 + 7200) };
    screen.send(Msg::Tick { now: later, slept: true });
    assert!(screen.effects.contains(&Effect::Reconnect));
    assert!(screen.text().contains("the machine was asleep"));
    assert!(line_with(&screen, "skydeck").contains("clusters 0/3 live"));
}

#[test]
fn logs_are_followed_searched_and_left() {
    let mut screen = screen();
    screen.keys("4 L");
    let Some(Effect::ReadLogs { cluster, request, .. }) =
        screen.effects.iter().rev().find(|it| matches!(it, Effect::ReadLogs { .. }))
    else {
        // The failed job has no pods left.
        assert!(screen.text().contains("there are no pods to read logs of"));
        screen.keys("esc 5 L");
        return logs_of_a_service(&mut screen);
    };
    panic!("{cluster:?} {request:?}");
}

fn logs_of_a_service(screen: &mut Screen) {
    let stream = |screen: &Screen| {
        let asked = screen.effects.iter().rev().find_map(|it| match it {
            Effect::ReadLogs { stream, request, .. } => Some((*stream, request.clone())),
            _ => None,
        });
        asked.unwrap()
    };
    let (number, request) = stream(screen);
    assert_eq!((request.pods.len(), request.follow, request.previous), (3, true, false));
    let line = |text: &str| LogLine { pod: "feature-store-6b7f9-a".into(), text: text.into() };
    let lines = (0..100).map(|at| line(&format!("line {at}"))).collect();
    screen.send(Msg::Answer(Answer::Lines { stream: number, lines }));
    assert!(screen.text().contains("line 99") && !screen.text().contains("line 1 "));
    screen.keys("/ \"line 42\" enter");
    assert!(screen.text().contains("line 42") && screen.text().contains("held"));
    screen.keys("G");
    assert!(screen.text().contains("line 99"));
    screen.keys("p");
    let (next, request) = stream(screen);
    assert!(next > number && request.previous && !request.follow);
    screen.send(Msg::Answer(Answer::Lines { stream: number, lines: vec![line("of the old stream")] }));
    assert!(!screen.text().contains("of the old stream"));
    let fault = Fault::new(Step::Logs, FaultKind::Status(400), "previous terminated container not found");
    screen.send(Msg::Answer(Answer::LogsEnded { stream: next, outcome: Err(fault) }));
    assert!(screen.text().contains("previous terminated container not found"));
    screen.keys("esc");
    assert_eq!(screen.effects.last(), Some(&Effect::StopLogs));
}

#[test]
fn an_object_is_asked_for_and_answers_of_others_are_dropped() {
    let mut screen = screen();
    screen.keys("5 down down enter");
    let id = ObjectId { kind: Kind::Deployment, key: ObjectKey::new("ml-platform", "ml-inference") };
    assert!(screen.effects.contains(&Effect::Fetch { cluster: ClusterId(0), id: id.clone() }));
    let other = ObjectId { key: ObjectKey::new("ml-platform", "other"), ..id.clone() };
    let fault = Fault::new(Step::Get, FaultKind::Forbidden, "");
    screen.send(Msg::Answer(Answer::Object {
        cluster: ClusterId(0),
        id: other,
        outcome: Err(fault.clone()),
    }));
    screen.keys("tab tab tab tab");
    assert!(screen.text().contains("reading…"));
    screen.send(Msg::Answer(Answer::Object { cluster: ClusterId(0), id, outcome: Err(fault) }));
    assert!(screen.text().contains("get: 403 Forbidden"));
}

#[test]
fn the_palette_finds_actions_and_objects() {
    let mut screen = screen();
    screen.keys(": \"replicas\" enter");
    assert!(line_with(&screen, "WORKLOAD").contains("VERSION"));
    screen.keys(": \"bert\" enter");
    assert!(screen.text().contains("Job ml-training/bert-finetune-7 in gcp-central"));
    screen.keys("esc : \"quit\" enter");
    assert!(screen.effects.contains(&Effect::Quit));
}

#[test]
fn scope_hides_and_shows_at_once() {
    let mut screen = screen();
    screen.keys("c G space esc");
    assert!(line_with(&screen, "skydeck").contains("scope narrowed"));
    screen.keys("4");
    assert!(!screen.text().contains("llama-sft"));
    screen.keys("c a enter");
    assert!(screen.text().contains("llama-sft"));
}

#[test]
fn themes_are_previewed_and_taken_back() {
    let mut screen = screen();
    let before = screen.buffer();
    screen.keys("T down");
    assert_ne!(screen.buffer().content[0].style(), before.content[0].style());
    screen.keys("esc");
    assert_eq!(screen.buffer(), before);
    screen.keys("T down enter");
    let Some(Effect::Remember(prefs)) = screen.effects.last() else { panic!() };
    assert_eq!(prefs.theme.as_deref(), Some("light"));
}

#[test]
fn a_paste_is_text_where_text_is_typed_and_nothing_elsewhere() {
    let mut screen = screen();
    let before = screen.text();
    screen.send(Msg::Paste("q\n5\nenter".into()));
    assert_eq!(screen.text(), before);
    assert!(screen.effects.is_empty());
    screen.keys("4 /");
    screen.send(Msg::Paste("phase:\x1b[2Jfailed\n".into()));
    assert!(screen.text().contains("phase:\\x1b[2Jfailed"));
}

#[test]
fn copying_puts_the_name_on_the_clipboard() {
    let mut screen = screen();
    screen.keys("5 Y");
    assert_eq!(screen.effects.last(), Some(&Effect::Copy("ml-platform/feature-store".into())));
    assert!(screen.text().contains("copied: ml-platform/feature-store"));
}

#[test]
fn the_mouse_goes_to_tabs_and_rows_and_opens_what_is_clicked_twice() {
    let mut screen = screen();
    let click = |x, y| Msg::Mouse(Mouse { kind: MouseKind::Click, x, y });
    let tab = screen.text().lines().nth(1).unwrap().find("5 Replicas").unwrap() as u16;
    screen.send(click(tab, 1));
    assert!(screen.text().contains("WORKLOAD"));
    screen.send(click(10, 4));
    assert!(line_with(&screen, "›").contains("llm-serve"));
    screen.send(Msg::Mouse(Mouse { kind: MouseKind::WheelUp, x: 10, y: 10 }));
    assert!(line_with(&screen, "›").contains("feature-store"));
    screen.send(click(10, 3));
    assert!(screen.text().contains("Overview"));
    screen.keys("esc M");
    assert_eq!(screen.effects.last(), Some(&Effect::CaptureMouse(false)));
}

#[test]
fn cells_of_the_matrix_are_gone_through_with_the_arrows() {
    let mut screen = screen();
    screen.keys("5 G right enter");
    assert!(screen.text().contains("Deployment ml-platform/ml-inference in gcp-central"));
    screen.keys("esc right enter");
    assert!(screen.text().contains("in azure-eastus") && screen.text().contains("as of 3m16s ago"));
}

#[test]
fn hints_offer_only_keys_that_work() {
    let mut screen = screen();
    for number in ["1", "2", "4", "5"] {
        screen.keys(number);
        let hints = screen.text().lines().last().unwrap().to_owned();
        for (key, word) in [("c", "scope"), ("space", "freeze"), (":", "command"), ("?", "help")] {
            assert!(hints.contains(&format!("{key} {word}")), "{hints}");
        }
    }
}

#[test]
fn a_configuration_that_is_read_again_changes_keys_looks_and_rules_and_keeps_habits() {
    let mut screen = screen();
    screen.keys("4 / \"phase:failed\" enter");
    let mut keymap = Keymap::default();
    keymap.rebind(Action::GoClusters, vec!["z".parse().unwrap()]).unwrap();
    let new = Configuration {
        fleet_name: Some("renamed".into()),
        keymap,
        settings: Settings::default(),
        silenced_rules: vec![Rule::JobFailed],
        theme_files: BTreeMap::from([("mine".to_owned(), "inherits = \"light\"".to_owned())]),
        scope: None,
        theme: Some("mine".into()),
        mouse: None,
    };
    screen.send(Msg::Configuration(Box::new(new.clone())));
    assert!(line_with(&screen, "skydeck").contains("renamed"));
    assert!(line_with(&screen, "4 Jobs").contains("filter phase:failed"), "the panel and its filter stay");
    screen.keys("z");
    assert!(line_with(&screen, "CLUSTER").contains("STATE"));
    let wrong = Configuration { theme: Some("nope".into()), scope: None, ..new };
    screen.send(Msg::Configuration(Box::new(wrong)));
    assert!(screen.text().contains("no theme `nope`"), "{}", screen.text());
}

/// Neither as if it were of now, nor as if it were nothing.
#[test]
fn the_numbers_of_a_cluster_say_when_they_are_not_known() {
    let mut world = fleet();
    world.configured("new");
    let mut screen = Screen::new(world, (120, 36));
    screen.keys("2 / a z u r e enter enter");
    let lines = |screen: &Screen, names: &[&str]| {
        let text = screen.text();
        let line = |name: &&str| text.lines().find(|line| line.contains(name)).unwrap_or("").to_owned();
        names.iter().map(line).collect::<Vec<_>>()
    };
    for line in lines(&screen, &["│ nodes ", "│ GPUs ", "│ pods ", "│ round trip "]) {
        assert!(line.contains("? (last known: "), "{line}\n{}", screen.text());
    }
    screen.keys("esc ctrl-x / n e w enter enter");
    for line in lines(&screen, &["│ nodes ", "│ GPUs ", "│ pods "]) {
        assert!(line.contains("? (loading)"), "{line}\n{}", screen.text());
    }
}

#[test]
fn clusters_that_have_no_room_beside_the_others_are_counted() {
    let mut world = fleet();
    for name in ["d", "e", "f", "g"] {
        world.configured(name);
    }
    let screen = Screen::new(world, (80, 36));
    assert!(screen.text().contains(" clusters 1–6 of 7 ╯"), "{}", screen.text());
}
