//! Which clouds, clusters and namespaces are shown.

use ratatui::layout::Rect;

use crate::fleet::Clean;
use crate::input::Action;
use crate::state::{Scope, State};
use crate::ui::pen::Pen;
use crate::ui::{Cell, Glyphs, Meaning, dialog};

pub struct ScopePicker {
    entries: Vec<Entry>,
    cursor: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Title(&'static str),
    Cloud(Clean),
    Cluster(Clean),
    Namespace(Clean),
}

impl ScopePicker {
    pub fn new(state: &State) -> Self {
        let mut clouds: Vec<Clean> =
            state.clusters().filter_map(|it| Some(Clean::new(it.cloud()?.name()))).collect();
        clouds.sort_unstable();
        clouds.dedup();
        let of_objects =
            state.clusters().flat_map(|it| it.objects.namespaces.values().map(|it| it.name.clone()));
        let mut namespaces: Vec<Clean> =
            of_objects.chain(state.scope.hidden_namespaces.iter().cloned()).collect();
        namespaces.sort_unstable();
        namespaces.dedup();
        let mut entries = vec![Entry::Title("Clouds")];
        entries.extend(clouds.into_iter().map(Entry::Cloud));
        entries.push(Entry::Title("Clusters"));
        entries.extend(state.clusters().map(|it| Entry::Cluster(it.spec.name.clone())));
        entries.push(Entry::Title("Namespaces"));
        entries.extend(namespaces.into_iter().map(Entry::Namespace));
        Self { entries, cursor: 1 }
    }

    /// Moves, shows or hides; true when the scope changed.
    pub fn act(&mut self, action: Action, scope: &mut Scope) -> bool {
        let last = self.entries.len().saturating_sub(1);
        let (to, down) = match action {
            Action::Up => (self.cursor.saturating_sub(1), false),
            Action::Down => ((self.cursor + 1).min(last), true),
            Action::PageUp => (self.cursor.saturating_sub(10), false),
            Action::PageDown => ((self.cursor + 10).min(last), true),
            Action::Top => (0, true),
            Action::Bottom => (last, false),
            Action::Toggle => {
                match &self.entries[self.cursor] {
                    Entry::Title(_) => return false,
                    Entry::Cloud(name) => Scope::toggle(&mut scope.hidden_clouds, name),
                    Entry::Cluster(name) => Scope::toggle(&mut scope.hidden_clusters, name),
                    Entry::Namespace(name) => Scope::toggle(&mut scope.hidden_namespaces, name),
                }
                return true;
            }
            Action::ToggleAll => {
                *scope = Scope::default();
                return true;
            }
            _ => return false,
        };
        self.cursor = self.beside_titles(to, down);
        false
    }

    /// ```text
    /// ╭ Scope ────────── space shows or hides ╮
    /// │ Clusters                              │
    /// │   [✓] aws-east                        │
    /// │   [ ] gcp-central                     │
    /// ```
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scope: &Scope) {
        let place = dialog::centred(area, 56, self.entries.len() as u16 + 2);
        let inside = dialog::open(pen, place, &"Scope".into(), &"space shows or hides, a shows all".into());
        let glyphs = pen.cx.glyphs;
        let entries: Vec<Cell> = self.entries.iter().map(|entry| cell(entry, scope, glyphs)).collect();
        dialog::list(pen, inside, &entries, self.cursor);
    }

    /// Titles are not stopped at.
    fn beside_titles(&self, at: usize, down: bool) -> usize {
        if !matches!(self.entries.get(at), Some(Entry::Title(_))) {
            return at;
        }
        let is_entry = |at: &usize| !matches!(self.entries[*at], Entry::Title(_));
        let found = if down || at == 0 {
            (at..self.entries.len()).find(is_entry)
        } else {
            (0..at).rev().find(is_entry)
        };
        found.unwrap_or(self.cursor)
    }
}

fn cell(entry: &Entry, scope: &Scope, glyphs: &Glyphs) -> Cell {
    let boxed = |name: &Clean, hidden: bool| {
        let mark = if hidden { glyphs.unchecked } else { glyphs.checked };
        let meaning = if hidden { Meaning::Muted } else { Meaning::Text };
        Cell::new(format!("  {mark} {name}"), meaning)
    };
    match entry {
        Entry::Title(title) => Cell::new(*title, Meaning::Title),
        Entry::Cloud(name) => boxed(name, scope.hidden_clouds.contains(name)),
        Entry::Cluster(name) => boxed(name, scope.hidden_clusters.contains(name)),
        Entry::Namespace(name) => boxed(name, scope.hidden_namespaces.contains(name)),
    }
}
