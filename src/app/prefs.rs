//! What the console remembers between two sessions: habits, never configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::App;
use crate::fleet::Clean;
use crate::panels::{ALL, Order};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Prefs {
    pub panel: Option<String>,
    pub theme: Option<String>,
    /// Panel → column and whether it descends.
    pub orders: BTreeMap<String, (Clean, bool)>,
}

impl App {
    pub fn prefs(&self) -> Prefs {
        let name = |at: usize| ALL[at].title.to_lowercase();
        let orders = self.panels.iter().enumerate().filter_map(|(at, panel)| {
            let (column, order) = panel.order()?;
            Some((name(at), (column, order == Order::Descending)))
        });
        Prefs {
            panel: Some(name(self.focus)),
            theme: Some(self.themes.chosen().to_owned()),
            orders: orders.collect(),
        }
    }

    /// Takes up what was remembered; what is not there any more is left out.
    pub fn restore(&mut self, prefs: &Prefs) {
        for (entry, panel) in ALL.iter().zip(&mut self.panels) {
            if let Some((column, descending)) = prefs.orders.get(&entry.title.to_lowercase()) {
                let order = if *descending { Order::Descending } else { Order::Ascending };
                panel.set_order(column, order);
            }
        }
        let panel = prefs.panel.as_deref().and_then(panel_named);
        if let Some(id) = panel {
            self.go_to(id);
        }
    }
}

/// The panel of a name as people write it.
pub fn panel_named(name: &str) -> Option<crate::panels::PanelId> {
    ALL.iter().find(|entry| entry.title.eq_ignore_ascii_case(name)).map(|entry| entry.id)
}
