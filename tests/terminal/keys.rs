//! What an operator does with keys and mouse, on the real screen.

use crate::console::Console;

fn live(columns: u16, lines: u16) -> Console {
    let console = Console::start(columns, lines);
    console.shows("clusters 2/2 live");
    console
}

#[test]
fn panels_overlays_and_detail_views_open_and_close() {
    let console = live(120, 36);
    console.press("2").shows("CLUSTER↑").press("4").shows("PHASE↑").press("5").shows("WORKLOAD↑");
    console
        .press("\t")
        .shows("destinations")
        .press("\t")
        .shows("operations")
        .press("\t")
        .shows("Needs attention");
    console.press("?").shows("Go to the next panel").press("\x1b").hides("Go to the next panel");
    console.press("c").shows("Namespaces").press("\x1b").hides("[✓]");
    console.press("T").shows("contrast").press("\x1b").hides("contrast");
    console.press(" ").shows("FROZEN").press(" ").hides("FROZEN");
    console.press(":").press("replicas").press("\r").shows("WORKLOAD↑");
    console.press("4o").shows("JOB↑").press("O").shows("JOB↓").press("<").shows("PHASE↓");
}

#[test]
fn a_filter_narrows_the_rows_and_an_object_opens_with_its_tabs() {
    let console = live(120, 36);
    console.press("5/").press("ml-inference").shows("filter ml-inference  1 of ").press("\r\r");
    console.shows("ml-platform/ml-inference in aws-east").shows("elsewhere");
    console.press("\t").shows("ml-inference-").press("\t\t\t").shows("apiVersion: apps/v1");
    console.press("\x1b").shows("WORKLOAD↑");
    console.press("\x1b").hides("filter ml-inference");
    // One that has just begun has no log yet.
    console.press("4/").press("ranker phase:running").press("\rL").shows("loss");
    console.press("/").press("loss").press("\r").press("f").press("\x1b\x1b").hides("loss=");
}

#[test]
fn every_key_that_the_hint_line_offers_does_something() {
    let console = live(120, 36);
    let hints = console.text().lines().last().unwrap().to_owned();
    let key = |hint: &'_ str| hint.trim().split(' ').next().unwrap_or_default().to_owned();
    let offered: Vec<String> = hints.split("   ").map(key).filter(|key| !key.is_empty()).collect();
    assert!(offered.len() >= 7, "{hints}");
    for key in offered {
        let key = match key.as_str() {
            "↵" => "\r",
            "q" => continue,
            "space" => " ",
            other => other,
        };
        let before = console.text();
        console
            .press(key)
            .until(&format!("{key:?} does something"), |text| without_clock(text) != without_clock(&before));
        // Back to where it was.
        console.press(match key {
            " " => " ",
            "\r" => "1",
            _ => "\x1b",
        });
        console.shows("Needs attention").hides("FROZEN");
        console.until("the hints again", |text| text.lines().last() == Some(hints.as_str()));
    }
}

/// Ages and the clock move by themselves.
fn without_clock(text: &str) -> String {
    text.chars().filter(|symbol| !symbol.is_ascii_digit()).collect()
}

#[test]
fn the_mouse_chooses_and_can_be_let_go() {
    let console = live(120, 36);
    console.click("4 Jobs").shows("PHASE↑");
    let row = |text: &str| text.lines().find(|line| line.starts_with('›')).map(str::to_owned);
    let first = row(&console.text());
    console.click("gpt-pretrain").until("the row is chosen", |text| {
        row(text) != first && row(text).is_some_and(|line| line.contains("gpt-pretrain"))
    });
    console.press("M").shows("the mouse is let go");
}

#[test]
fn the_name_under_the_cursor_goes_to_the_clipboard() {
    let console = live(80, 24);
    console.press("5/").press("ml-inference").press("\r").shows("filter ml-inference").press("Y");
    // OSC 52 with `ml-platform/ml-inference` in base64.
    let wanted = b"\x1b]52;c;bWwtcGxhdGZvcm0vbWwtaW5mZXJlbmNl\x07";
    console.until("the clipboard's sequence", |_| {
        console.bytes().windows(wanted.len()).any(|window| window == wanted)
    });
}

#[test]
fn habits_are_remembered_and_the_demo_needs_nothing() {
    let mut console = Console::with(120, 36, &["--demo", "--demo-scale", "1x20"], &[]);
    console.shows("clusters 1/1 live").press("4").shows("PHASE↑").press("o").shows("JOB↑").press("q");
    assert!(console.ended().success());
    console.is_restored();
    let remembered = std::fs::read_to_string(console.state_file()).unwrap();
    assert!(remembered.contains("\"panel\": \"jobs\""), "{remembered}");
}
