//! Find an action or an object by a few of its letters.

use ratatui::layout::Rect;

use crate::fleet::{Clean, Subject};
use crate::input::{ACTIONS, Action, Context, Key, Keymap};
use crate::panels::Target;
use crate::state::State;
use crate::ui::input_line::InputLine;
use crate::ui::pen::{self, Pen};
use crate::ui::{Cell, Meaning, dialog};

pub struct Palette {
    pub line: InputLine,
    entries: Vec<Entry>,
    /// Entries that match, the best first.
    found: Vec<usize>,
    cursor: usize,
}

struct Entry {
    /// What is looked through.
    text: Clean,
    /// What stands beside it.
    note: Clean,
    choice: Choice,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    Action(Action),
    Object(Target),
}

/// Entries that are shown.
const MOST: usize = 200;

impl Palette {
    pub fn new(state: &State, keymap: &Keymap, contexts: &[Context], means: impl Fn(Action) -> bool) -> Self {
        let mut entries = actions(keymap, contexts, means);
        entries.extend(objects(state));
        let mut palette = Self { line: InputLine::default(), entries, found: Vec::new(), cursor: 0 };
        palette.search();
        palette
    }

    pub fn press(&mut self, key: Key) {
        if self.line.press(key) {
            self.search();
        }
    }

    pub fn paste(&mut self, text: &str) {
        self.line.paste(text);
        self.search();
    }

    pub fn move_cursor(&mut self, down: bool) {
        let last = self.found.len().saturating_sub(1);
        self.cursor = if down { (self.cursor + 1).min(last) } else { self.cursor.saturating_sub(1) };
    }

    pub fn chosen(&self) -> Option<Choice> {
        let at = self.found.get(self.cursor)?;
        Some(self.entries[*at].choice.clone())
    }

    /// ```text
    /// ╭ Go to ───────────────────────── 3 of 412 ╮
    /// │ : repl▏                                  │
    /// │ replicas     Go to Replicas …          5 │
    /// ```
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let place = dialog::centred(area, 84, 24);
        let count = format!("{} of {}", self.found.len(), self.entries.len());
        let inside = dialog::open(pen, place, &"Go to".into(), &count.into());
        let first = pen::line(inside, 0);
        pen.put(first, ":", Meaning::Key);
        self.line.draw(pen, Rect { x: first.x + 2, width: first.width.saturating_sub(2), ..first });
        let list = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside };
        if self.found.is_empty() {
            pen.put(list, "nothing matches", Meaning::Muted);
        }
        let cells: Vec<Cell> = self.found.iter().take(MOST).map(|at| cell(&self.entries[*at])).collect();
        dialog::list(pen, list, &cells, self.cursor);
    }

    fn search(&mut self) {
        let wanted = self.line.text().trim().to_lowercase();
        let scores = self.entries.iter().enumerate();
        let mut found: Vec<(u32, usize)> =
            scores.filter_map(|(at, entry)| Some((score(&wanted, &entry.text)?, at))).collect();
        found.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
        self.found = found.into_iter().map(|(_, at)| at).collect();
        self.cursor = 0;
    }
}

fn actions(keymap: &Keymap, contexts: &[Context], means: impl Fn(Action) -> bool) -> Vec<Entry> {
    let here = |context: Context| context == Context::Everywhere || contexts.contains(&context);
    let rows =
        ACTIONS.iter().filter(|row| here(row.context) && means(row.action) && row.action != Action::Palette);
    rows.map(|row| {
        let key = keymap.shown(row.action).map(|chord| format!("  {chord}")).unwrap_or_default();
        Entry {
            text: row.name.into(),
            note: Clean::from(format!("{}{key}", row.doc)),
            choice: Choice::Action(row.action),
        }
    })
    .collect()
}

fn objects(state: &State) -> Vec<Entry> {
    let mut entries = Vec::new();
    for cluster in state.counted_clusters() {
        let name = &cluster.spec.name;
        let mut add = |text: String, kind: &str, subject: Subject| {
            let choice = Choice::Object(Target { cluster: Some(cluster.id), subject });
            entries.push(Entry { text: text.into(), note: Clean::from(format!("{kind} in {name}")), choice });
        };
        add(name.to_string(), "cluster", Subject::Cluster);
        let objects = &cluster.objects;
        for it in objects.workloads.values().filter(|it| state.scope.has_namespace(&it.key.namespace)) {
            add(it.key.to_string(), it.kind.name(), Subject::Workload(it.id()));
        }
        for it in objects.jobs.values().filter(|it| state.scope.has_namespace(&it.key.namespace)) {
            add(it.key.to_string(), &it.kind_name, Subject::Job(it.id()));
        }
        for it in objects.routes.values().filter(|it| state.scope.has_namespace(&it.key.namespace)) {
            add(it.key.to_string(), it.kind.name(), Subject::Route(it.id()));
        }
        for it in objects.nodes.values() {
            add(it.name.to_string(), "Node", Subject::Node(it.name.clone()));
        }
    }
    entries.sort_by(|a, b| (&a.text, &a.note).cmp(&(&b.text, &b.note)));
    entries
}

fn cell(entry: &Entry) -> Cell {
    Cell::text(format!("{:<32} ", entry.text)).and(&entry.note, Meaning::Muted)
}

/// Letters in their order; letters together, at the beginning of words and of the whole count more.
fn score(wanted: &str, text: &str) -> Option<u32> {
    let text = text.to_lowercase();
    if text.starts_with(wanted) {
        return Some(10_000_u32.saturating_sub(text.len() as u32));
    }
    let (mut score, mut wanted, mut together, mut word_begins) = (0, wanted.chars().peekable(), false, true);
    for character in text.chars() {
        match wanted.peek() {
            None => break,
            Some(next) if *next == character => {
                wanted.next();
                score += 1 + u32::from(together) * 4 + u32::from(word_begins) * 6;
                together = true;
            }
            Some(_) => together = false,
        }
        word_begins = !character.is_alphanumeric();
    }
    wanted.peek().is_none().then_some(score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_and_runs_of_letters_come_first() {
        let best = |wanted: &str, texts: [&'static str; 2]| {
            let [a, b] = texts.map(|text| score(wanted, text));
            if a > b { texts[0] } else { texts[1] }
        };
        assert_eq!(best("rep", ["replicas", "previous-panel"]), "replicas");
        assert_eq!(best("inf", ["ml-platform/ml-inference", "ml/in-a-profile"]), "ml-platform/ml-inference");
        assert_eq!(score("xyz", "replicas"), None);
        assert!(score("", "anything").is_some());
    }
}
