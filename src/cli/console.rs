//! The console itself: everything it starts with.

use std::io::IsTerminal;
use std::path::PathBuf;

use color_eyre::eyre::{Result, bail};

use super::files::Files;
use super::looks::{self, Looks};
use crate::app::prefs;
use crate::config::args::Global;
use crate::config::state_path;
use crate::effects::{desk, hand};
use crate::gate::Desk;
use crate::runtime::console::{self, Console};
use crate::runtime::reload::{self, Setup};
use crate::runtime::session::Session;
use crate::sources::Clock;
use crate::state::State;
use crate::ui::Meaning;

pub async fn run(global: &Global, setup: Setup, files: Files, log_file: Option<PathBuf>) -> Result<u8> {
    check_terminal()?;
    let Setup { config, mut inventory, files: paths } = setup;
    let clock = Clock::start();
    let notices: Vec<_> = inventory.broken.drain(..).chain(inventory.notices.drain(..)).collect();
    let (mut session, facts) = Session::new(&config, clock);
    let mut state = State::new(config.settings.clone());
    state.scope = config.scope.clone();
    state.silence(&config.silenced_rules);
    session.watch(inventory, &mut state);
    let state_file = state_path();
    let remembered = state_file.as_deref().map(desk::recall).unwrap_or_default();
    let (mut app, reason) = looks::app(global, &config, state, &remembered, Looks::of_environment());
    app.restore(&remembered);
    if let Some(id) = global.panel.as_deref().or(config.ui.panel.as_deref()).and_then(prefs::panel_named) {
        app.go_to(id);
    }
    app.fleet_name = config.fleet_name.clone();
    app.set_mouse(config.ui.mouse);
    if !notices.is_empty() {
        app.notify(notices.join("; "), Meaning::Notice);
    }
    if let Some(reason) = reason {
        app.notify(reason, Meaning::Bad);
    }
    let mouse = config.ui.mouse;
    let journal = files.journal();
    let setups = reload::follow(paths, Box::new(move || files.read_again()));
    app.desk = Desk::new(config.change.clone(), hand::actor());
    Ok(console::run(Console {
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
    })
    .await?)
}

fn check_terminal() -> Result<()> {
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    if dumb || !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        bail!(
            "the console needs a terminal; to print what is known use\n    skydeck status\nor, for a picture of the screen,\n    skydeck --snapshot text"
        );
    }
    Ok(())
}
