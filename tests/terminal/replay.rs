//! A session is recorded and shown again: the same screens, without the servers, the kubeconfig and the operator.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use rustix::process::Signal;
use skydeck::app::{Themes, view};
use skydeck::demo::{Fleet, Options};
use skydeck::runtime::record::read::Recording;
use skydeck::runtime::replay::Replay;
use skydeck::ui::glyphs::UNICODE;
use skydeck::ui::theme::Depth;

use crate::console::{Console, home, trimmed};

const SKYDECK: &str = env!("CARGO_BIN_EXE_skydeck");

fn fleet_at_home() -> (Fleet, tempfile::TempDir) {
    let options = Options { clusters: 2, outages: false, ..Options::default() };
    let (fleet, home) = (Fleet::start(&options).unwrap(), tempfile::tempdir().unwrap());
    std::fs::create_dir(home.path().join(".kube")).unwrap();
    std::fs::write(home.path().join(".kube/config"), fleet.kubeconfig()).unwrap();
    (fleet, home)
}

/// With a home that leads nowhere.
fn replayed(arguments: &[&str]) -> Output {
    let nowhere = tempfile::tempdir().unwrap();
    let mut command = Command::new(SKYDECK);
    command.args(arguments).env_clear().env("HOME", nowhere.path()).env("LANG", "C.UTF-8").output().unwrap()
}

/// Every picture of a recording with its moment, folded once from its beginning to its end.
fn pictures(path: &Path) -> Vec<(u64, String)> {
    let recording = Recording::open(path).unwrap();
    let themes = Themes::new("dark", BTreeMap::new(), Depth::Ansi256).0;
    let mut replay = Replay::start(&recording, themes, &UNICODE).unwrap();
    let mut pictures = Vec::new();
    for (line, at) in recording.frames() {
        replay.up_to_line(line).unwrap();
        let (width, height) = replay.size;
        let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, width, height));
        view(&replay.app, &mut buffer);
        let lines = buffer.content.chunks(width.into()).map(|cells| {
            let mut hidden = 0;
            let shown = cells.iter().filter(|cell| {
                let is_shown = hidden == 0;
                hidden = if is_shown {
                    unicode_width::UnicodeWidthStr::width(cell.symbol()) - 1
                } else {
                    hidden - 1
                };
                is_shown
            });
            shown.map(ratatui::buffer::Cell::symbol).collect::<String>()
        });
        pictures.push((at, trimmed(&lines.collect::<Vec<_>>().join("\n"))));
    }
    pictures
}

/// Each screen that was seen is a picture of the recording, and they come in their order.
fn holds(pictures: &[(u64, String)], seen: &[String]) -> Vec<u64> {
    let mut from = 0;
    let mut moments = Vec::new();
    for screen in seen {
        let found = pictures[from..].iter().position(|(_, picture)| picture == screen);
        let found = found.unwrap_or_else(|| {
            let nearest = pictures.iter().max_by_key(|(_, it)| {
                it.lines().zip(screen.lines()).filter(|(one, other)| one == other).count()
            });
            panic!(
                "this was seen and is not in the recording:\n{screen}\nthe nearest is\n{}",
                nearest.unwrap().1
            )
        });
        from += found;
        moments.push(pictures[from].0);
    }
    moments
}

#[test]
fn a_session_with_servers_that_hang_break_and_die_is_shown_again_to_the_same_screens() {
    let (fleet, home) = fleet_at_home();
    let file = home.path().join("session.jsonl");
    let arguments = ["--record", file.to_str().unwrap()];
    let mut console = Console::in_home(home, Path::new(SKYDECK), (110, 34), (&arguments, &[]));
    let mut seen = Vec::new();
    console.shows("clusters 2/2 live");
    seen.push(console.still());
    console.press("5/").press("ml-inference").press("\r").shows("filter ml-inference");
    seen.push(console.still());
    console.press("\r").shows("ml-platform/ml-inference in ").shows("room ");
    seen.push(console.still());
    console
        .press("\x1b")
        .shows("WORKLOAD↑")
        .press("\x1b")
        .hides("filter ml-inference")
        .press("2jj")
        .shows("CLUSTER↑");
    fleet.clusters()[0].pause();
    console.shows("clusters 1/2 live").shows("✖ silent");
    seen.push(console.still());
    fleet.clusters()[0].resume();
    console.shows("clusters 2/2 live");
    fleet.clusters()[1].server().seam().cut();
    console.resize(90, 30);
    console.press("1").shows("Needs attention");
    seen.push(console.still());
    drop(fleet);
    console.shows("clusters 0/2 live").press("2").shows("refused");
    seen.push(console.still());
    console.press("q");
    assert!(console.ended().success());
    console.shows(&format!("skydeck --replay {}", file.display()));

    let pictures = pictures(&file);
    let moments = holds(&pictures, &seen);
    assert!(moments.windows(2).all(|two| two[0] < two[1]), "{moments:?}");
    // The program itself shows the same, at the second in which it was so.
    let (at, last) = pictures.iter().rev().find(|(at, _)| *at % 1000 < 900).unwrap();
    let shown = replayed(&["--replay", file.to_str().unwrap(), "--snapshot", "text", "--size", "90x30"]);
    assert!(shown.status.success(), "{shown:?}");
    let shown = trimmed(&String::from_utf8(shown.stdout).unwrap());
    assert_eq!(shown, pictures.last().unwrap().1, "{at}: {last}");
    for moment in moments {
        let at = format!("{}.{:03}s", moment / 1000, moment % 1000);
        let then = pictures.iter().rev().find(|(at, _)| *at <= moment).unwrap();
        let shown = replayed(&["--replay", file.to_str().unwrap(), "--snapshot", "text", "--at", &at]);
        assert_eq!(trimmed(&String::from_utf8(shown.stdout).unwrap()), then.1, "at {at}");
    }
}

#[test]
fn whoever_looks_holds_it_goes_step_by_step_looks_around_and_changes_nothing() {
    let (fleet, home) = fleet_at_home();
    let file = home.path().join("session.jsonl");
    let path = file.to_str().unwrap();
    let mut console = Console::in_home(home, Path::new(SKYDECK), (110, 34), (&["--record", path], &[]));
    console.shows("clusters 2/2 live").press("4").shows("PHASE↑").press("q");
    assert!(console.ended().success());
    drop(fleet);
    // Somebody else, elsewhere: no kubeconfig, no servers.
    let nowhere = tempfile::tempdir().unwrap();
    let arguments = ["--replay", path, "--step"];
    let mut other = Console::in_home(nowhere, Path::new(SKYDECK), (120, 36), (&arguments, &[]));
    other.shows("REPLAY 0s of ").shows("held");
    other.press(".").shows("held: ").press("}").shows("REPLAY").press("}}").shows("the recording ends here");
    other.shows("clusters 2/2 live").shows("PHASE↑").shows(" end ");
    other.press("2u").shows("a replay changes nothing");
    other
        .press("5")
        .shows("WORKLOAD↑")
        .press("\r")
        .shows("in aws")
        .press("\t\t\t\t")
        .shows("a replay asks nobody");
    other
        .press("\x1b")
        .shows("WORKLOAD↑")
        .press("?")
        .shows("In a recording")
        .press("\x1b")
        .hides("In a recording");
    other.press("q");
    assert!(other.ended().success());
    other.is_restored();
    let left: Vec<_> = walk(other.home());
    assert!(left.is_empty(), "a replay leaves nothing behind: {left:?}");
}

fn walk(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| entry.path().display().to_string()).collect()
}

#[test]
fn a_console_that_was_killed_leaves_a_recording_that_can_be_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session.jsonl");
    let path = file.to_str().unwrap();
    let mut console = Console::with(100, 30, &["--record", path], &[]);
    console.shows("clusters 2/2 live").press("4").shows("PHASE↑");
    let seen = console.still();
    console.signal(Signal::KILL);
    console.ended();
    holds(&pictures(&file), &[seen]);
    let shown = replayed(&["--replay", path, "--snapshot", "svg"]);
    assert!(shown.status.success() && shown.stdout.starts_with(b"<svg "), "{shown:?}");
}

#[test]
fn a_recording_is_never_written_over_and_belongs_to_the_console_alone() {
    let home = home();
    let file = home.path().join("mine.txt");
    std::fs::write(&file, "mine").unwrap();
    let mut console =
        Console::in_home(home, Path::new(SKYDECK), (100, 30), (&["--record", file.to_str().unwrap()], &[]));
    console.shows("is there already: name a new file for the recording");
    assert_eq!(console.ended().code(), Some(2));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    for arguments in [&["status", "--record", "x"][..], &["--record", "x", "status"]] {
        assert_eq!(replayed(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn without_a_file_of_its_own_a_recording_is_in_the_state_folder() {
    let mut console = Console::with(100, 30, &["--record"], &[]);
    console.shows("clusters 2/2 live").press("q");
    assert!(console.ended().success());
    let folder = console.home().join(".local/state/skydeck/recordings");
    let files = walk(&folder);
    assert!(files.len() == 1 && files[0].ends_with("Z.jsonl"), "{files:?}");
    assert!(Recording::open(Path::new(&files[0])).is_ok());
}
