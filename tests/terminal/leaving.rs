//! However it ends, the terminal is left as it was.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use rustix::process::Signal;

use skydeck::app::{App, Themes};
use skydeck::config::{Arguments, Config};
use skydeck::input::Keymap;
use skydeck::runtime::session::Session;
use skydeck::runtime::terminal::Terminal;
use skydeck::runtime::{console, panic};
use skydeck::sources::Clock;
use skydeck::state::State;
use skydeck::ui::glyphs::UNICODE;
use skydeck::ui::theme::Depth;

use crate::console::Console;

#[test]
fn signals_end_it_with_the_terminal_restored() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let mut console = Console::start(80, 24);
        console.shows("clusters").is_entered();
        console.signal(signal);
        let status = console.ended();
        assert_eq!(status.code(), Some(128 + signal.as_raw()), "{signal:?}: {:?}", status.signal());
        console.is_restored();
    }
}

#[test]
fn it_stops_and_comes_back() {
    let mut console = Console::start(80, 24);
    console.shows("clusters 2/2 live").is_entered();
    for stop in ["\x1a", ""] {
        if stop.is_empty() {
            console.signal(Signal::TSTP);
        } else {
            console.press(stop);
        }
        console.stops();
        console.is_restored();
        console.signal(Signal::CONT);
        console.is_entered();
        console.shows("clusters 2/2 live");
    }
    console.press("q");
    assert!(console.ended().success());
    console.is_restored();
}

/// A stop that nobody can prepare for: whoever had the terminal meanwhile may have left it in any state.
#[test]
fn stopped_without_a_word_it_takes_the_terminal_again() {
    let mut console = Console::start(80, 24);
    console.shows("clusters 2/2 live").is_entered();
    console.signal(Signal::STOP);
    console.stops();
    console.is_taken_by_a_shell();
    console.signal(Signal::CONT);
    console.is_entered();
    console.press("2").shows("CLUSTER↑").press("q");
    assert!(console.ended().success());
    console.is_restored();
}

#[test]
fn ctrl_c_quits() {
    let mut console = Console::start(80, 24);
    console.shows("clusters").press("\x03");
    assert!(console.ended().success());
    console.is_restored();
}

#[test]
fn a_terminal_that_nobody_reads_neither_hangs_it_nor_keeps_it_from_ending() {
    let mut console = Console::start(200, 60);
    console.shows("clusters 2/2 live");
    console.block();
    console.hold(false);
    console.press("2").shows("CLUSTER↑").shows("clusters 2/2 live");
    console.block();
    console.signal(Signal::TERM);
    assert_eq!(console.ended().code(), Some(128 + Signal::TERM.as_raw()));
    console.hold(false);
    console.is_restored();
}

#[expect(clippy::disallowed_methods, reason = "the test's framework has no other way to end with a code")]
fn leave(code: i32) -> ! {
    std::process::exit(code)
}

/// Set for the process in the pseudo-terminal, which is this very program again.
const PANICS: &str = "SKYDECK_TEST_PANICS";

#[test]
fn a_panic_gives_the_terminal_back_and_then_tells_itself() {
    if std::env::var_os(PANICS).is_some() {
        panic::install().unwrap();
        let ended = panic::guarded(|| {
            let _terminal = Terminal::enter(true).unwrap();
            panic::on_screen(true);
            // A panic of another thread while the terminal is drawn on is kept, not printed over it.
            let _ = std::thread::spawn(|| panic!("in a thread")).join();
            panic!("in the loop");
        });
        leave(if ended.is_none() { 101 } else { 0 });
    }
    let itself = std::env::current_exe().unwrap();
    let test = "leaving::a_panic_gives_the_terminal_back_and_then_tells_itself";
    let arguments = [test, "--exact", "--nocapture", "--test-threads=1"];
    let mut console = Console::of(&itself, (120, 36), &arguments, &[(PANICS, "1")]);
    assert_eq!(console.ended().code(), Some(101));
    console.is_restored();
    console.shows("in a thread").shows("in the loop");
    let all = String::from_utf8_lossy(&console.bytes()).into_owned();
    let left = all.find("\x1b[?1049l").unwrap();
    assert!(all.find("in a thread").unwrap() > left, "told only after the terminal was given back");
}

/// Says where in the console something panics; set for the process in the pseudo-terminal.
const STRIKES: &str = "SKYDECK_TEST_STRIKES";
const TEST: &str = "leaving::a_panic_in_any_part_of_the_console_is_told_when_the_terminal_is_given_back";

/// The console itself, with nothing to watch.
fn with_nothing_to_watch() -> console::Console {
    let (config, clock) = (Config::default(), Clock::start());
    let (session, facts) = Session::new(&config, clock);
    let (themes, _) = Themes::new("dark", BTreeMap::new(), Depth::Ansi256);
    let app = App::new(State::new(config.settings.clone()), Keymap::default(), themes, &UNICODE);
    console::Console {
        app,
        session,
        facts,
        clock,
        mouse: true,
        state_file: None,
        log_file: None,
        config,
        setups: tokio::sync::mpsc::channel(1).1,
        journal: None,
        notices: Vec::new(),
        recorder: None,
    }
}

/// A file of whoever looks at it, by which the two tell each other how far they are.
fn sign(name: &str) -> PathBuf {
    Path::new(&std::env::var_os("HOME").unwrap()).join(name)
}

/// Panics as soon as somebody says so.
fn strike(part: &str) {
    while !sign("strike").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("struck in the {part}");
}

/// Panics in a thread of its own, and says that it has.
fn struck_aside(part: &'static str) {
    std::thread::spawn(move || {
        let failed = std::thread::spawn(move || strike(part)).join().is_err();
        std::fs::write(sign("struck"), failed.to_string()).unwrap();
    });
}

/// Runs the console; meanwhile something panics there.
async fn struck(part: String) -> std::io::Result<u8> {
    match part.as_str() {
        "thread" => struck_aside("thread"),
        "task" => {
            tokio::spawn(async {
                let failed = tokio::spawn(async { strike("task") }).await.is_err();
                std::fs::write(sign("struck"), failed.to_string()).unwrap();
            });
        }
        _ => {
            let strike = async {
                while !sign("strike").exists() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                strike("loop");
            };
            return tokio::select! { code = console::run(with_nothing_to_watch()) => code, () = strike => Ok(0) };
        }
    }
    console::run(with_nothing_to_watch()).await
}

#[test]
fn a_panic_in_any_part_of_the_console_is_told_when_the_terminal_is_given_back() {
    if let Ok(part) = std::env::var(STRIKES) {
        if part == "program" {
            struck_aside("program");
            let _ = skydeck::cli::main(&Arguments::try_parse_from(["skydeck"]).unwrap());
            leave(0);
        }
        panic::install().unwrap();
        let ended = panic::guarded(|| tokio::runtime::Runtime::new().unwrap().block_on(struck(part)));
        leave(if ended.is_none() { 101 } else { 0 });
    }
    let itself = std::env::current_exe().unwrap();
    for (part, code) in [("thread", 0), ("task", 0), ("loop", 101), ("program", 0)] {
        let arguments = [TEST, "--exact", "--nocapture", "--test-threads=1"];
        let mut console = Console::of(&itself, (120, 36), &arguments, &[(STRIKES, part)]);
        console.shows("READ-ONLY");
        std::fs::write(console.home().join("strike"), "").unwrap();
        if part != "loop" {
            let struck = console.home().join("struck");
            console.until("it has struck", |_| struck.exists());
            // The console goes on, and nothing is printed over its picture.
            console.press("?").shows("Help").press("\x1b").hides("Help").press("q");
        }
        assert_eq!(console.ended().code(), Some(code), "{part}");
        console.is_restored();
        console.shows(&format!("struck in the {part}"));
        let all = String::from_utf8_lossy(&console.bytes()).into_owned();
        let (entered, left) = (all.find("\x1b[?1049h").unwrap(), all.find("\x1b[?1049l").unwrap());
        assert!(
            entered < left && all.find("struck in").unwrap() > left,
            "{part}: told before it was given back"
        );
    }
}
