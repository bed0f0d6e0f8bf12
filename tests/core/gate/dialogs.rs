//! Keys in, dialogs and effects out: what an operator does to change something, and what can never do it by itself.

use serde_json::Value;
use skydeck::app::{Answer, Effect, Looked, Msg};
use skydeck::fleet::{ChangeId, ClusterId, Mono, Now};
use skydeck::gate::machine::{Command, Event, Report};
use skydeck::gate::{Desk, Policy, Seen};
use std::sync::Arc;

use super::bench::actor;
use crate::world::{Screen, deployment, fleet, hpa, multicloud};

fn screen() -> Screen {
    let mut screen = Screen::new(fleet(), (120, 36));
    screen.app.desk = Desk::new(Policy::default(), actor());
    screen
}

/// So many milliseconds later.
fn later(screen: &mut Screen, ms: u64) {
    let now = screen.app.state.now;
    screen.send(Msg::Moment(Now { mono: Mono(now.mono.0 + ms), ..now }));
}

/// Answers the look that was asked for last, with these objects.
fn looked(screen: &mut Screen, objects: &[Value]) -> ChangeId {
    let (ticket, places) = screen
        .effects
        .iter()
        .rev()
        .find_map(|effect| match effect {
            Effect::Look { ticket, places } => Some((*ticket, places.clone())),
            _ => None,
        })
        .unwrap();
    let id = ChangeId::new(7, u128::from(ticket));
    let at = screen.app.state.now.mono;
    let outcome = places
        .into_iter()
        .zip(objects)
        .map(|(place, value)| {
            let mut value = value.clone();
            value["metadata"]["resourceVersion"] = "100".into();
            Ok(Seen { place, value: Arc::new(value), at })
        })
        .collect();
    screen.send(Msg::Answer(Answer::Looked(Looked { ticket, id: id.clone(), outcome })));
    id
}

fn gate(screen: &Screen) -> Vec<&Command> {
    screen
        .effects
        .iter()
        .filter_map(|it| if let Effect::Gate(command) = it { Some(command) } else { None })
        .collect()
}

fn begun(screen: &Screen) -> bool {
    gate(screen).iter().any(|command| matches!(command, Command::Journal(_)))
}

/// Replicas panel, cursor on llm-serve in aws-east.
fn on_llm_serve(screen: &mut Screen) {
    screen.keys("5 / \"llm-serve\" enter");
    assert!(screen.text().contains("ml-platform/llm-serve"), "{}", screen.text());
}

#[test]
fn scale_from_the_key_to_the_wire() {
    let mut screen = screen();
    on_llm_serve(&mut screen);
    screen.keys("s");
    assert!(screen.text().contains("Unlock for changes"), "read-only until unlocked");
    later(&mut screen, 400);
    screen.keys("a");
    assert!(screen.text().contains("WRITE aws-east 15m"), "{}", screen.text());
    let id = looked(&mut screen, &[deployment("ml-platform/llm-serve", 2, 2, "0.8.2", 8)]);
    assert!(screen.text().contains("replicas  2"), "the current value is prefilled: {}", screen.text());
    later(&mut screen, 400);
    screen.keys("backspace \"+1\"");
    assert!(
        screen.text().contains("2 → 3"),
        "a relative wish is shown as the number it is: {}",
        screen.text()
    );
    screen.keys("enter");
    assert!(matches!(gate(&screen)[..], [Command::Check { .. }]));
    assert!(screen.text().contains("spec.replicas  2 → 3"), "{}", screen.text());
    screen.send(Msg::Answer(Answer::Gate(
        id.clone(),
        Event::Checked { step: 0, answer: Ok(Report::default()) },
    )));
    assert!(screen.text().contains("a applies, esc cancels (default)"), "{}", screen.text());
    later(&mut screen, 400);
    screen.keys("a");
    assert!(begun(&screen), "confirmed: the journal is first");
    assert!(screen.text().contains("CHANGE running 0/1"));
}

/// Opens the plan for llm-serve up to the question.
fn asked(screen: &mut Screen) -> ChangeId {
    on_llm_serve(screen);
    screen.app.desk.unlocks.open(ClusterId(0), screen.app.state.now);
    screen.keys("s");
    let id = looked(screen, &[deployment("ml-platform/llm-serve", 2, 2, "0.8.2", 8)]);
    later(screen, 400);
    screen.keys("backspace 3 enter");
    screen.send(Msg::Answer(Answer::Gate(
        id.clone(),
        Event::Checked { step: 0, answer: Ok(Report::default()) },
    )));
    id
}

#[test]
fn keys_that_were_typed_ahead_confirm_nothing() {
    let mut screen = screen();
    asked(&mut screen);
    screen.keys("a a a");
    later(&mut screen, 299);
    screen.keys("a");
    assert!(!begun(&screen), "the dialog is deaf for 300 ms");
    later(&mut screen, 1);
    screen.keys("a");
    assert!(begun(&screen));
}

/// Whoever opened one by mistake gets out of it at once: that decides nothing.
#[test]
fn esc_is_heard_as_soon_as_a_dialog_is_there() {
    let mut plan = screen();
    let id = asked(&mut plan);
    plan.keys("a esc");
    assert!(!begun(&plan) && plan.app.desk.operation(&id).is_none(), "it was given up");
    let mut form = screen();
    on_llm_serve(&mut form);
    let before = form.text();
    form.app.desk.unlocks.open(ClusterId(0), form.app.state.now);
    form.keys("s esc");
    assert!(!form.text().contains("╭ Scale"), "{}", form.text());
    let mut unlock = screen();
    on_llm_serve(&mut unlock);
    unlock.keys("u");
    assert_ne!(unlock.text(), before);
    unlock.keys("esc");
    assert_eq!(unlock.text(), before);
}

#[test]
fn the_default_is_to_do_nothing() {
    for key in ["enter", "esc"] {
        let mut screen = screen();
        let id = asked(&mut screen);
        later(&mut screen, 400);
        screen.keys(key);
        assert!(!begun(&screen), "{key}");
        assert!(screen.app.desk.operation(&id).is_none(), "it was given up");
    }
}

#[test]
fn a_paste_never_confirms() {
    let mut screen = screen();
    on_llm_serve(&mut screen);
    screen.app.desk.unlocks.open(ClusterId(0), screen.app.state.now);
    screen.keys("s");
    let id = looked(&mut screen, &[deployment("ml-platform/llm-serve", 2, 2, "0.8.2", 8)]);
    later(&mut screen, 400);
    screen.keys("backspace 0 enter");
    screen.send(Msg::Answer(Answer::Gate(
        id.clone(),
        Event::Checked { step: 0, answer: Ok(Report::default()) },
    )));
    let phrase = screen.app.desk.operation(&id).unwrap().plan.confirm.phrase.to_string();
    assert_eq!(phrase, "aws-east/llm-serve 0");
    later(&mut screen, 400);
    screen.send(Msg::Paste(phrase.clone()));
    screen.keys("enter");
    assert!(!begun(&screen));
    assert!(screen.text().contains("a paste never confirms: type it"), "{}", screen.text());
    later(&mut screen, 250);
    screen.keys(&format!("\"{phrase}x\" enter"));
    assert!(!begun(&screen) && screen.text().contains("type exactly:"), "{}", screen.text());
    screen.keys("backspace enter");
    assert!(begun(&screen));
}

#[test]
fn production_is_unlocked_by_its_name() {
    let mut screen = screen();
    let spec = skydeck::state::ClusterSpec {
        name: "aws-east".into(),
        environment: Some("production".into()),
        ..skydeck::state::ClusterSpec::default()
    };
    screen.app.state.respecify(ClusterId(0), spec);
    screen.keys("2 u");
    later(&mut screen, 400);
    screen.keys("a enter");
    assert!(screen.text().contains("READ-ONLY"));
    screen.keys("backspace \"aws-east\" enter");
    assert!(screen.text().contains("WRITE aws-east"), "{}", screen.text());
    // Pressed again, it is read-only again.
    screen.keys("u");
    assert!(screen.text().contains("READ-ONLY"));
}

#[test]
fn an_unlock_runs_out() {
    let mut screen = screen();
    screen.app.desk.unlocks.open(ClusterId(0), screen.app.state.now);
    let now = screen.app.state.now;
    let after = |seconds: u64| Now {
        mono: now.mono.plus_secs(seconds),
        unix: skydeck::fleet::Unix(now.unix.0 + seconds as i64),
    };
    screen.send(Msg::Tick { now: after(14 * 60), slept: false });
    assert!(screen.text().contains("WRITE aws-east 1m"), "{}", screen.text());
    screen.send(Msg::Tick { now: after(15 * 60), slept: false });
    assert!(screen.text().contains("READ-ONLY"));
}

#[test]
fn marks_choose_cells_and_differing_numbers_are_not_prefilled() {
    let mut screen = screen();
    screen.keys("5 / \"ml-inference\" enter m right m");
    assert!(screen.text().contains("◆ 6/6") && screen.text().contains("◆ 4/4"), "{}", screen.text());
    for id in [0, 1] {
        screen.app.desk.unlocks.open(ClusterId(id), screen.app.state.now);
    }
    screen.keys("s");
    let objects = [
        deployment("ml-platform/ml-inference", 6, 6, "1.4.2", 1),
        hpa("ml-platform/ml-inference", 3, 20),
        deployment("ml-platform/ml-inference", 4, 4, "1.4.1", 1),
    ];
    looked(&mut screen, &objects);
    assert!(
        !screen.text().contains("replicas  6") && screen.text().contains("HPA 3-20"),
        "{}",
        screen.text()
    );
    later(&mut screen, 400);
    screen.keys("\"x2\"");
    assert!(screen.text().contains("3-20 → 12") && screen.text().contains("4 → 8"), "{}", screen.text());
}

#[test]
fn of_an_autoscaler_the_range_is_prefilled_so_that_nothing_typed_changes_nothing() {
    let mut screen = screen();
    screen.keys("5 / \"ml-inference\" enter");
    screen.app.desk.unlocks.open(ClusterId(0), screen.app.state.now);
    screen.keys("s");
    let objects =
        [deployment("ml-platform/ml-inference", 6, 6, "1.4.2", 1), hpa("ml-platform/ml-inference", 3, 20)];
    looked(&mut screen, &objects);
    assert!(screen.text().contains("replicas  3-20"), "{}", screen.text());
    later(&mut screen, 400);
    screen.keys("enter");
    assert!(screen.text().contains("it is so already"), "{}", screen.text());
    assert!(gate(&screen).is_empty());
}

#[test]
fn a_silent_cluster_is_not_scaled_from_what_it_was() {
    let mut screen = screen();
    screen.keys("5 / \"ml-inference\" enter right right");
    screen.app.desk.unlocks.open(ClusterId(2), screen.app.state.now);
    screen.keys("s");
    looked(&mut screen, &[deployment("ml-platform/ml-inference", 3, 3, "1.4.2", 1)]);
    later(&mut screen, 400);
    screen.keys("backspace 5 enter");
    assert!(screen.text().contains("whether an autoscaler decides is not known"), "{}", screen.text());
    assert!(gate(&screen).is_empty());
}

/// The editor for a rule of the route between the clouds, counted from its first row.
fn editor(row: usize) -> Screen {
    let mut screen = screen();
    for id in [0, 1] {
        screen.app.desk.unlocks.open(ClusterId(id), screen.app.state.now);
    }
    screen.keys("6 / \"multicloud\" enter g g");
    for _ in 0..row {
        screen.keys("j");
    }
    screen.keys("e");
    looked(&mut screen, &[multicloud(60, 40), multicloud(60, 40)]);
    later(&mut screen, 400);
    screen
}

#[test]
fn a_rule_with_one_destination_says_so_and_offers_nothing_that_does_nothing() {
    let screen = editor(0);
    let text = screen.text();
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap();
    assert!(text.contains("the rule has one destination, which gets everything"), "{text}");
    assert!(text.lines().any(|line| line.contains("│ weight ")), "to its last word: {text}");
    assert!(last.contains("esc cancel") && !last.contains("drain"), "{last}");
}

#[test]
fn weights_are_evened_held_drained_and_ramped_by_keys() {
    let mut screen = editor(1);
    let has =
        |screen: &Screen, words: &str| assert!(screen.text().contains(words), "{words}: {}", screen.text());
    has(&screen, "sum 100   largest move 0.0%   in one step");
    screen.keys("e");
    has(&screen, "sum 100   largest move 10.0%   in one step");
    screen.keys("]");
    has(&screen, "largest move 5.0%");
    screen.keys("left");
    has(&screen, "largest move 6.0%");
    // What is held does not move, so nothing can.
    screen.keys("j l k ]");
    has(&screen, "largest move 6.0%");
    screen.keys("j l k d");
    has(&screen, "largest move 60.0%");
    screen.keys("r");
    has(&screen, "ramp: 10% every 1m");
    screen.keys("esc");
    assert!(gate(&screen).is_empty(), "nothing was asked of anybody");
}
