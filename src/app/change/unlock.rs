//! Unlock: what is read-only becomes writable, for this session, for a while. Production wants its name typed.

use ratatui::layout::Rect;

use super::form::Ear;
use crate::app::App;
use crate::fleet::{Age, Clean, ClusterId, Mono};
use crate::input::{Code, Key};
use crate::panels::Request;
use crate::ui::input_line::InputLine;
use crate::ui::pen::{self, Pen};
use crate::ui::{Meaning, dialog};

pub struct Unlock {
    clusters: Vec<(ClusterId, Clean, bool)>,
    then: Option<Request>,
    line: InputLine,
    ear: Ear,
    lasts: Age,
    mistake: bool,
}

/// What a key did.
pub enum Turn {
    Stay,
    Close,
    Open(Vec<ClusterId>, Option<Request>),
}

impl Unlock {
    pub fn new(clusters: &[ClusterId], then: Option<Request>, app: &App) -> Self {
        let policy = &app.desk.policy;
        let row = |id: &ClusterId| {
            let cluster = app.state.cluster(*id)?;
            Some((*id, cluster.spec.name.clone(), policy.is_production(cluster)))
        };
        Self {
            clusters: clusters.iter().filter_map(row).collect(),
            then,
            line: InputLine::default(),
            ear: Ear::opened(app.state.now.mono),
            lasts: policy.unlock_for,
            mistake: false,
        }
    }

    /// What must be typed: the names of the production clusters among them.
    fn phrase(&self) -> String {
        let names: Vec<_> = self.clusters.iter().filter(|it| it.2).map(|it| it.1.as_str()).collect();
        names.join(" ")
    }

    pub fn press(&mut self, key: Key, now: Mono) -> Turn {
        if self.ear.ignores(key, now) {
            return Turn::Stay;
        }
        let phrase = self.phrase();
        match key.code {
            Code::Esc => return Turn::Close,
            Code::Char('a') if phrase.is_empty() && !key.ctrl => return self.open(),
            // Without a name to type the default is to change nothing.
            Code::Enter if phrase.is_empty() => return Turn::Close,
            Code::Enter if self.line.text().trim() == phrase => return self.open(),
            Code::Enter => self.mistake = true,
            _ if !phrase.is_empty() => {
                self.mistake = false;
                self.line.press(key);
            }
            _ => {}
        }
        Turn::Stay
    }

    fn open(&mut self) -> Turn {
        Turn::Open(self.clusters.iter().map(|it| it.0).collect(), self.then.take())
    }

    /// A paste is not typing.
    pub fn pasted(&mut self, now: Mono) {
        self.ear.pasted(now);
    }

    pub fn hints(&self) -> [(&'static str, &'static str); 2] {
        if self.phrase().is_empty() {
            [("a", "unlock"), ("esc", "cancel (default)")]
        } else {
            [("enter", "unlock"), ("esc", "cancel")]
        }
    }

    /// ```text
    /// ╭ Unlock for changes ─────────── read-only again after 15m ╮
    /// │ aws-east      production                                 │
    /// │ type  aws-east  to unlock   ▏                            │
    /// ```
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let place = dialog::centred(area, 72, self.clusters.len() as u16 + 4);
        let note = format!("read-only again {} after the last change", self.lasts);
        let inside = dialog::open(pen, place, &"Unlock for changes".into(), &note.into());
        for (line, (_, name, production)) in pen::lines(inside).zip(&self.clusters) {
            let used = pen.put(line, format!("{name}  "), Meaning::Text);
            let (word, meaning) =
                if *production { ("production", Meaning::Bad) } else { ("not production", Meaning::Muted) };
            pen.put(Rect { x: line.x + used, width: line.width.saturating_sub(used), ..line }, word, meaning);
        }
        let line = pen::line(inside, inside.height.saturating_sub(1));
        let phrase = self.phrase();
        if phrase.is_empty() {
            pen.put(line, "a unlocks, esc leaves it read-only", Meaning::Hint);
            return;
        }
        let words = format!("type  {phrase}  to unlock   ");
        let used = pen.put(line, words, if self.mistake { Meaning::Bad } else { Meaning::Hint });
        self.line.draw(pen, Rect { x: line.x + used, width: line.width.saturating_sub(used), ..line });
    }
}
