//! However it ends, the terminal is left as it was.

use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;

use skydeck::runtime::panic;
use skydeck::runtime::terminal::Terminal;

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
