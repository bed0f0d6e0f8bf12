//! `skydeck status`: connect to all clusters, print what is known, with ages and errors in the data.

pub mod document;
mod print;
pub mod table;

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};

use color_eyre::eyre::Result;

use crate::cli::complain;
use crate::config::args::{Format, Status};
use crate::fleet::Age;
use crate::runtime::headless::Headless;
use crate::runtime::reload::Setup;
use crate::state::State;
use crate::state::select::settled::unsettled;

/// So long nobody wonders what is going on.
const PATIENCE: Age = Age(2);
/// Cursor home, and everything below it erased.
const FROM_THE_TOP: &str = "\x1b[H\x1b[J";

pub use print::{Form, print};

pub async fn run(args: &Status, setup: Setup) -> Result<u8> {
    let broken = setup.inventory.broken.clone();
    for reason in &broken {
        complain(reason);
    }
    let mut session = Headless::start(&setup.config, setup.inventory);
    settle(&mut session, args.timeout).await;
    let on_terminal = stdout().is_terminal();
    let mut last = None;
    loop {
        let printed = print(args.what, args.output, args.watch, &session.state)?;
        // People see ages grow; a program that reads is told what happened.
        let changed = on_terminal || last.as_ref() != Some(&printed.essence);
        let text = match (args.watch && on_terminal, args.output) {
            (true, Format::Table) => format!("{FROM_THE_TOP}{}", printed.text),
            (_, Format::Table | Format::Markdown) if last.is_some() => format!("\n{}", printed.text),
            _ => printed.text,
        };
        if changed && !write(&text)? {
            return Ok(0);
        }
        if !args.watch {
            return Ok(exit_code(&session.state, broken.is_empty()));
        }
        last = Some(printed.essence);
        session.next_change().await;
    }
}

/// 0 when every cluster could be read, 5 when some could, 1 when none could. A kubeconfig that is broken may
/// have led to more of them.
pub fn exit_code(state: &State, whole: bool) -> u8 {
    let (readable, all) = document::readable(state);
    match (readable, all) {
        (readable, all) if readable == all && whole => 0,
        (0, _) => 1,
        _ => 5,
    }
}

/// Waits until everything is told or the time is up; says for whom when somebody watches.
pub async fn settle(session: &mut Headless, timeout: Age) {
    let patience = PATIENCE.min(timeout);
    session.settle(patience).await;
    let waits_for = unsettled(&session.state);
    if waits_for.is_empty() || !stderr().is_terminal() {
        return session.settle(Age(timeout.0 - patience.0)).await;
    }
    let names: Vec<_> = waits_for.iter().map(ToString::to_string).collect();
    let most = Age(timeout.0 - patience.0);
    // Nobody is there to be told that it cannot be told.
    let _ = write!(stderr(), "waiting for {}, at most {most}", names.join(", "));
    session.settle(most).await;
    let _ = write!(stderr(), "\r\x1b[K");
}

/// Gives `false` when the reader has gone, as `head` does.
pub fn write(text: &str) -> Result<bool> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}
