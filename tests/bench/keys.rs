//! From a key to the frame that shows it, at 50,000 rows: filters typed letter by letter, orders, the cursor.
//!
//! `cargo bench --bench keys` prints the spread of times for each kind of key, and ends with an error when one in a
//! hundred takes longer than the promise (16 ms). It counts the time that its own thread worked: what others do on the
//! machine is not what is measured. A run without an argument of its own, as `cargo test --benches` makes it, uses a
//! small fleet and judges nothing.

#![expect(clippy::unwrap_used, reason = "a bench that cannot set up its world has failed")]
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod large;
#[expect(dead_code, reason = "the worlds of the tests, of which benches need a part")]
#[path = "../core/world.rs"]
mod world;

use std::process::ExitCode;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustix::time::{ClockId, clock_gettime};
use skydeck::app::{Msg, update, view};
use skydeck::input::{Chord, Key};
use world::Screen;

const ROWS: usize = 50_000;
const FEW_ROWS: usize = 500;
const PROMISE: Duration = Duration::from_millis(16);
const SIZE: (u16, u16) = (120, 36);

/// What is pressed, over and over; a text is typed letter by letter.
const SCRIPTS: [(&str, &[&str]); 4] = [
    ("a filter by a word is typed and taken back", &["/", "\"service-3-0471\"", "esc"]),
    ("a filter by fields is typed and taken back", &["/", "\"phase:failed age>1h train\"", "esc"]),
    ("the order changes", &["o", "O", "o", "o", "O", "o", "<", "<", "<", "<"]),
    ("the cursor moves", &["down", "pagedown", "end", "up", "pageup", "home"]),
];

fn main() -> ExitCode {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let (rows, times) = if measured { (ROWS, 400) } else { (FEW_ROWS, 20) };
    let mut kept = true;
    for panel in ["4", "5"] {
        let mut screen = Screen::new(large::fleet(rows), SIZE);
        screen.keys(panel);
        let name = if panel == "4" { "jobs" } else { "workloads" };
        for (what, keys) in SCRIPTS {
            let mut spread = measure(&mut screen, &keys_of(keys), times);
            spread.sort_unstable();
            let at = |part: f64| spread[((spread.len() - 1) as f64 * part) as usize];
            println!(
                "{rows} {name:<9}  {what:<42}  p50 {:>7.2?}  p99 {:>7.2?}  longest {:>7.2?}",
                at(0.5),
                at(0.99),
                at(1.0)
            );
            kept &= at(0.99) <= PROMISE;
        }
    }
    if measured && !kept {
        println!("one key in a hundred takes longer than {PROMISE:?}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn keys_of(script: &[&str]) -> Vec<Key> {
    let keys = script.iter().flat_map(|word| match word.strip_prefix('"') {
        Some(typed) => typed.trim_end_matches('"').chars().map(Key::char).collect::<Vec<_>>(),
        None => word.parse::<Chord>().unwrap().0,
    });
    keys.collect()
}

/// Times from the key to the drawn frame.
fn measure(screen: &mut Screen, keys: &[Key], times: usize) -> Vec<Duration> {
    let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width: SIZE.0, height: SIZE.1 });
    let pressed = keys.iter().cycle().take(times.next_multiple_of(keys.len()));
    pressed
        .map(|key| {
            let began = worked();
            update(&mut screen.app, Msg::Key(*key));
            screen.app.needs_frame();
            view(&screen.app, &mut buffer);
            worked().saturating_sub(began)
        })
        .collect()
}

/// How long this thread has worked.
fn worked() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}
