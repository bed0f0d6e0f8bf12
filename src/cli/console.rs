//! The console itself: everything it starts with.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use color_eyre::eyre::{Result, bail, eyre};

use super::files::Files;
use super::looks::{self, Looks};
use crate::app::{App, Notice, prefs};
use crate::config::args::Global;
use crate::config::{recordings_path, state_path};
use crate::effects::{desk, hand};
use crate::gate::Desk;
use crate::runtime::clock::Clocks;
use crate::runtime::console::{self, Console};
use crate::runtime::record::Recorder;
use crate::runtime::record::line::Header;
use crate::runtime::reload::{self, Setup};
use crate::runtime::session::Session;
use crate::runtime::terminal::Terminal;
use crate::sources::Clock;

pub async fn run(global: &Global, setup: Setup, files: Files, log_file: Option<PathBuf>) -> Result<u8> {
    check_terminal()?;
    let Setup { config, mut inventory, files: paths } = setup;
    let clock = Clock::start();
    let notices: Vec<_> = inventory.broken.drain(..).chain(inventory.notices.drain(..)).collect();
    let (session, facts, state) = Session::begin(&config, inventory, clock);
    let state_file = state_path();
    let remembered = state_file.as_deref().map(desk::recall).unwrap_or_default();
    let (mut app, reason) = looks::app(global, &config, state, &remembered, Looks::of_environment());
    app.restore(&remembered);
    if let Some(id) = global.panel.as_deref().or(config.ui.panel.as_deref()).and_then(prefs::panel_named) {
        app.go_to(id);
    }
    app.fleet_name = config.fleet_name.clone();
    app.set_mouse(config.ui.mouse);
    let mouse = config.ui.mouse;
    let said = (!notices.is_empty()).then(|| Notice { text: notices.join("; ").into(), is_bad: false });
    let wrong = reason.map(|reason| Notice { text: reason.into(), is_bad: true });
    let journal = files.journal();
    let setups = reload::follow(paths, Box::new(move || files.read_again()));
    app.desk = Desk::new(config.change.clone(), hand::actor());
    let recorder = recorder(global, &app, clock)?;
    let recorded = recorder.as_ref().map(|(path, _)| path.clone());
    let code = console::run(Console {
        app,
        session,
        facts,
        clock,
        mouse,
        state_file,
        log_file,
        config,
        setups,
        journal,
        notices: said.into_iter().chain(wrong).collect(),
        recorder: recorder.map(|(_, recorder)| recorder),
    })
    .await?;
    if let Some(path) = recorded {
        let path = path.display();
        writeln!(std::io::stdout(), "recorded to {path}\n    skydeck --replay {path}")?;
    }
    Ok(code)
}

/// The recording that was asked for, and where it is.
fn recorder(global: &Global, app: &App, clock: Clock) -> Result<Option<(PathBuf, Recorder)>> {
    let Some(asked) = &global.record else { return Ok(None) };
    let began = Clocks::new(clock).read().now;
    let path = match asked {
        Some(path) => path.clone(),
        None => recordings_path()
            .ok_or_else(|| eyre!("there is no state folder: name a file for the recording"))?
            .join(format!("{}.jsonl", began.unix.rfc3339().replace(':', "-"))),
    };
    let header = Header::new(began, Terminal::size(), app.beginning());
    let recorder = Recorder::create(&path, &header, clock).map_err(|words| eyre!(words))?;
    Ok(Some((path, recorder)))
}

pub fn check_terminal() -> Result<()> {
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    if dumb || !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        bail!(
            "the console needs a terminal; to print what is known use\n    skydeck status\nor, for a picture of the screen,\n    skydeck --snapshot text"
        );
    }
    Ok(())
}
