//! What the configuration says to the app when it is read again. The clusters are the shell's business.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{App, Effect};
use crate::fleet::{Clean, Rule};
use crate::input::Keymap;
use crate::state::{Scope, Settings};
use crate::ui::Meaning;

/// A habit of this session stays unless the file says something new about it: those are optional here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    pub fleet_name: Option<Clean>,
    pub keymap: Keymap,
    pub settings: Settings,
    pub silenced_rules: Vec<Rule>,
    /// How it looks is the business of whoever looks: a recording has no themes.
    #[serde(skip)]
    pub theme_files: BTreeMap<String, String>,
    pub scope: Option<Scope>,
    #[serde(skip)]
    pub theme: Option<String>,
    pub mouse: Option<bool>,
}

impl App {
    pub(super) fn configure(&mut self, new: Configuration) -> Vec<Effect> {
        self.fleet_name = new.fleet_name;
        self.keymap = new.keymap;
        self.pressed.clear();
        self.state.settings = new.settings;
        self.state.silence(&new.silenced_rules);
        if let Some(scope) = new.scope {
            self.state.scope = scope;
        }
        self.themes.set_files(new.theme_files);
        if let Some(theme) = new.theme
            && let Err(reason) = self.themes.choose(&theme)
        {
            self.notify(reason, Meaning::Bad);
        }
        self.outdated = true;
        self.dirty = true;
        let mouse = new.mouse.filter(|mouse| *mouse != self.mouse);
        mouse.into_iter().map(|mouse| self.take_mouse(mouse)).collect()
    }

    pub(super) fn take_mouse(&mut self, mouse: bool) -> Effect {
        self.mouse = mouse;
        Effect::CaptureMouse(mouse)
    }
}
