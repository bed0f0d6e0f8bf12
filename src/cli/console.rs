//! The console itself: everything it starts with.

use std::io::IsTerminal;

use color_eyre::eyre::{Result, bail};

use crate::app::themes::{Themes, default_name, depth_of};
use crate::app::{App, prefs};
use crate::config::args::Global;
use crate::config::{Config, state_path};
use crate::effects::desk;
use crate::runtime::console::{self, Console};
use crate::runtime::session::Session;
use crate::sources::Clock;
use crate::sources::inventory::Inventory;
use crate::state::State;
use crate::ui::glyphs::ASCII;
use crate::ui::{Glyphs, Meaning};

pub async fn run(global: &Global, config: Config, mut inventory: Inventory) -> Result<u8> {
    check_terminal()?;
    let clock = Clock::start();
    let notices = std::mem::take(&mut inventory.notices);
    let (mut session, facts) = Session::new(&config, clock);
    let mut state = State::new(config.settings.clone());
    state.scope = config.scope.clone();
    state.silence(&config.silenced_rules);
    session.watch(inventory, &mut state);
    let state_file = state_path();
    let remembered = state_file.as_deref().map(desk::recall).unwrap_or_default();
    let (mut app, reason) = app(global, &config, state, &remembered);
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
    Ok(console::run(Console { app, session, facts, clock, mouse, state_file }).await?)
}

/// The app with its looks: arguments before configuration before habit before the terminal's abilities.
pub fn app(
    global: &Global,
    config: &Config,
    state: State,
    remembered: &prefs::Prefs,
) -> (App, Option<String>) {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let depth = depth_of(
        variable("NO_COLOR").is_some(),
        variable("COLORTERM").as_deref(),
        variable("TERM").as_deref(),
    );
    let asked = global.theme.clone().or_else(|| config.ui.theme.clone()).or_else(|| remembered.theme.clone());
    let wanted = asked.unwrap_or_else(|| default_name(depth).to_owned());
    let (themes, reason) = Themes::new(&wanted, config.themes.clone(), depth);
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| variable(name));
    let ascii = global.ascii || config.ui.ascii == Some(true);
    let glyphs = if ascii { &ASCII } else { Glyphs::of_locale(locale.as_deref()) };
    (App::new(state, config.keymap.clone(), themes, glyphs), reason)
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
