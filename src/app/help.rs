//! The keys that hold here, from the table of actions.

use ratatui::layout::Rect;

use crate::fleet::Clean;
use crate::input::{ACTIONS, Action, Context, Keymap, Row};
use crate::ui::pen::{Pen, lines};
use crate::ui::{Align, Cell, Meaning, dialog};

pub struct Help {
    entries: Vec<Cell>,
    first: usize,
}

impl Help {
    /// Help for contexts, the innermost first; what holds everywhere comes last. What means nothing here is left out.
    pub fn new(keymap: &Keymap, contexts: &[Context], means: impl Fn(Action) -> bool) -> Self {
        let mut entries = Vec::new();
        for context in contexts.iter().chain([&Context::Everywhere]) {
            let rows: Vec<&Row> =
                ACTIONS.iter().filter(|row| row.context == *context && means(row.action)).collect();
            let mut title = context.name().to_owned();
            title[..1].make_ascii_uppercase();
            entries.push(Cell::new(title, Meaning::Title));
            entries.extend(rows.into_iter().filter_map(|row| entry(keymap, row)));
            entries.push(Cell::default());
        }
        Self { entries, first: 0 }
    }

    pub fn act(&mut self, action: Action) {
        let last = self.entries.len().saturating_sub(1);
        self.first = match action {
            Action::Up => self.first.saturating_sub(1),
            Action::Down => (self.first + 1).min(last),
            Action::PageUp => self.first.saturating_sub(10),
            Action::PageDown => (self.first + 10).min(last),
            Action::Top => 0,
            Action::Bottom => last,
            _ => self.first,
        };
    }

    /// ```text
    /// ╭ Help ─────────────────────────── esc closes ╮
    /// │ In a panel                                  │
    /// │ /            Show only matching rows …      │
    /// ```
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let height = self.entries.len() as u16 + 2;
        let place = dialog::centred(area, 92, height.min(area.height));
        let inside = dialog::open(pen, place, &"Help".into(), &"esc closes, j and k scroll".into());
        let shown = usize::from(inside.height);
        let first = self.first.min(self.entries.len().saturating_sub(shown));
        for (line, entry) in lines(inside).zip(self.entries.iter().skip(first)) {
            pen.put_cell(line, entry, Align::Left);
        }
    }
}

fn entry(keymap: &Keymap, row: &Row) -> Option<Cell> {
    let chords: Vec<_> = keymap.all(row).iter().map(ToString::to_string).collect();
    if chords.is_empty() {
        return None;
    }
    let keys = Clean::from(format!("{:<26}", chords.join("  ")));
    Some(Cell::new(keys, Meaning::Key).and(row.doc, Meaning::Text))
}
