//! How the app looks: arguments before configuration before habit before the abilities of the terminal.

use crate::app::themes::{Themes, default_name, depth_of};
use crate::app::{App, Prefs};
use crate::config::Config;
use crate::config::args::Global;
use crate::state::State;
use crate::ui::Glyphs;
use crate::ui::glyphs::{ASCII, UNICODE};
use crate::ui::theme::Depth;

/// What can be drawn on.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    pub depth: Depth,
    pub glyphs: &'static Glyphs,
}

impl Looks {
    /// A picture, which has every colour and every character.
    pub const PICTURE: Self = Self { depth: Depth::TrueColor, glyphs: &UNICODE };

    pub fn of_environment() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let depth = depth_of(
            variable("NO_COLOR").is_some(),
            variable("COLORTERM").as_deref(),
            variable("TERM").as_deref(),
        );
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| variable(name));
        Self { depth, glyphs: Glyphs::of_locale(locale.as_deref()) }
    }
}

/// The app, and why it does not have the wanted theme.
pub fn app(
    global: &Global,
    config: &Config,
    state: State,
    remembered: &Prefs,
    looks: Looks,
) -> (App, Option<String>) {
    let (themes, glyphs, reason) = chosen(global, config, remembered, looks);
    (App::new(state, config.keymap.clone(), themes, glyphs), reason)
}

/// Theme and shapes, and why the theme is not the wanted one.
pub fn chosen(
    global: &Global,
    config: &Config,
    remembered: &Prefs,
    looks: Looks,
) -> (Themes, &'static Glyphs, Option<String>) {
    let asked = global.theme.as_ref().or(config.ui.theme.as_ref()).or(remembered.theme.as_ref());
    let wanted = asked.map_or_else(|| default_name(looks.depth), String::as_str);
    let (themes, reason) = Themes::new(wanted, config.themes.clone(), looks.depth);
    let ascii = global.ascii || config.ui.ascii == Some(true);
    (themes, if ascii { &ASCII } else { looks.glyphs }, reason)
}
