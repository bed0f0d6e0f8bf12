//! What an app begins with, as data: a recording carries it, so that the same messages make the same screens again.
//!
//! How it looks (theme, colours, shapes) is not part of it: that is the business of whoever looks.

use serde::{Deserialize, Serialize};

use super::{App, Prefs, Themes};
use crate::fleet::{Clean, ClusterId, Rule};
use crate::gate::operation::Actor;
use crate::gate::{Desk, Policy};
use crate::input::Keymap;
use crate::state::{ClusterSpec, Scope, Settings, State};
use crate::ui::Glyphs;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beginning {
    pub fleet_name: Option<Clean>,
    pub clusters: Vec<(ClusterId, ClusterSpec)>,
    pub settings: Settings,
    pub scope: Scope,
    pub silenced: Vec<Rule>,
    pub policy: Policy,
    pub actor: Actor,
    pub keys: Keymap,
    pub prefs: Prefs,
    pub mouse: bool,
}

impl App {
    /// What this app would begin with if it began now, but for what it was told.
    pub fn beginning(&self) -> Beginning {
        Beginning {
            fleet_name: self.fleet_name.clone(),
            clusters: self.state.clusters().map(|it| (it.id, it.spec.clone())).collect(),
            settings: self.state.settings.clone(),
            scope: self.state.scope.clone(),
            silenced: self.state.findings().silenced().to_vec(),
            policy: self.desk.policy.clone(),
            actor: self.desk.actor.clone(),
            keys: self.keymap.clone(),
            prefs: Prefs { theme: None, ..self.prefs() },
            mouse: self.mouse,
        }
    }

    pub fn begun(beginning: Beginning, themes: Themes, glyphs: &'static Glyphs) -> Self {
        let mut state = State::new(beginning.settings);
        state.scope = beginning.scope;
        state.silence(&beginning.silenced);
        for (id, spec) in beginning.clusters {
            state.add_cluster(id, spec);
        }
        let mut app = Self::new(state, beginning.keys, themes, glyphs);
        app.restore(&beginning.prefs);
        app.fleet_name = beginning.fleet_name;
        app.desk = Desk::new(beginning.policy, beginning.actor);
        app.mouse = beginning.mouse;
        app
    }

    /// The clusters that there are from now on, as the configuration has them.
    pub fn watch(&mut self, clusters: Vec<(ClusterId, ClusterSpec)>) {
        let gone: Vec<ClusterId> = self.state.clusters().map(|it| it.id).collect();
        for id in gone.into_iter().filter(|id| clusters.iter().all(|(there, _)| there != id)) {
            self.state.remove_cluster(id);
        }
        for (id, spec) in clusters {
            match self.state.cluster(id) {
                Some(_) => self.state.respecify(id, spec),
                None => self.state.add_cluster(id, spec),
            }
        }
        self.outdated = true;
    }
}
