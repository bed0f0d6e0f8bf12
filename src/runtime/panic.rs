//! What happens to a panic: nothing is printed over the picture.
//!
//! While the console has the terminal, a report is kept. A panic of the loop unwinds, the terminal is given
//! back, and then the report is printed. A panic of a task is told on the screen by whoever waits for the
//! task, and its report is printed when the program ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use color_eyre::config::HookBuilder;

static ON_SCREEN: AtomicBool = AtomicBool::new(false);
static REPORTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Reports that are kept; a task that panics again and again must not fill the memory.
const MOST_REPORTS: usize = 8;

/// Installs the hooks; once, before anything else.
pub fn install() -> color_eyre::Result<()> {
    // Environment sections would print variables, which hold secrets.
    let hooks = HookBuilder::default().display_env_section(false).display_location_section(true);
    let (panic_hook, eyre_hook) = hooks.into_hooks();
    eyre_hook.install()?;
    std::panic::set_hook(Box::new(move |info| {
        let report = panic_hook.panic_report(info).to_string();
        // Where, and not what: the words of a panic may hold anything.
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a task of this program failed");
        if ON_SCREEN.load(Ordering::Acquire) {
            let mut reports = REPORTS.lock().unwrap_or_else(PoisonError::into_inner);
            if reports.len() < MOST_REPORTS {
                reports.push(report);
            }
        } else {
            print(&report);
        }
    }));
    Ok(())
}

/// Runs the program. A panic ends it; its report is printed after everything that it held was given back.
pub fn guarded<T>(run: impl FnOnce() -> T) -> Option<T> {
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    print_kept();
    ended.ok()
}

/// Says whether the console has the terminal.
pub fn on_screen(on: bool) {
    ON_SCREEN.store(on, Ordering::Release);
}

fn print_kept() {
    for report in REPORTS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        print(&report);
    }
}

#[expect(clippy::print_stderr, reason = "a panic report has nowhere else to go")]
fn print(report: &str) {
    eprintln!("{report}");
}
