//! A plan, read and confirmed, and then the operation on its way.

use ratatui::layout::Rect;

use super::form::Ear;
use crate::fleet::{ChangeId, Clean, Mono};
use crate::gate::diff::{self, Line, Tone};
use crate::gate::operation::{Operation, Phase};
use crate::gate::{Desk, Record, Strength, timeline};
use crate::input::{Action, Code, Key};
use crate::ui::input_line::InputLine;
use crate::ui::pen::{self, Pen};
use crate::ui::{Meaning, dialog, text};

pub struct PlanView {
    pub id: ChangeId,
    ear: Ear,
    /// Whether there was something to confirm when it was last looked at.
    confirmable: bool,
    typed: InputLine,
    first: usize,
    /// What the journal has of it.
    timeline: Vec<Line>,
    pub objection: Option<Clean>,
}

/// What a key asks for while words are typed.
pub enum Typed {
    Nothing,
    Close,
    Confirm(String),
}

impl PlanView {
    pub fn new(id: ChangeId, now: Mono) -> Self {
        Self {
            id,
            ear: Ear::opened(now),
            confirmable: false,
            typed: InputLine::default(),
            first: 0,
            timeline: Vec::new(),
            objection: None,
        }
    }

    /// Something happened to the operation: when it can be confirmed from now on, keys typed ahead must not do it.
    pub fn follow(&mut self, desk: &Desk, now: Mono) {
        let confirmable = desk.operation(&self.id).is_some_and(|it| it.phase == Phase::Confirming);
        if confirmable && !self.confirmable {
            self.ear = Ear::opened(now);
            self.typed = InputLine::default();
        }
        self.confirmable = confirmable;
    }

    pub fn take_timeline(&mut self, operation: &Operation, outcome: &Result<Vec<Record>, Clean>) {
        self.timeline = match outcome {
            Ok(records) => timeline::moments(&operation.plan, records)
                .into_iter()
                .map(|it| Line::new(it.line.tone, format!("{}  {}", it.at.rfc3339(), it.line.text)))
                .collect(),
            Err(words) => {
                vec![Line::new(Tone::Bad, format!("the journal cannot be read: {words}"))]
            }
        };
    }

    pub fn is_deaf(&self, now: Mono) -> bool {
        self.ear.is_deaf(now)
    }

    /// Whether keys are words: something must be typed to confirm.
    pub fn takes_text(&self, desk: &Desk) -> bool {
        self.confirmable
            && desk.operation(&self.id).is_some_and(|it| it.plan.confirm.strength > Strength::Key)
    }

    pub fn press(&mut self, key: Key, now: Mono) -> Typed {
        if self.ear.ignores(key, now) {
            return Typed::Nothing;
        }
        match key.code {
            Code::Esc => return Typed::Close,
            Code::Enter if self.typed.is_empty() => return Typed::Close,
            Code::Enter => return Typed::Confirm(self.typed.text().to_owned()),
            Code::Up => self.scroll(Action::Up),
            Code::Down => self.scroll(Action::Down),
            Code::PageUp => self.scroll(Action::PageUp),
            Code::PageDown => self.scroll(Action::PageDown),
            _ => {
                self.typed.press(key);
                self.objection = None;
            }
        }
        Typed::Nothing
    }

    /// A paste never confirms: it is not taken at all, and what follows it for a moment is not either.
    pub fn pasted(&mut self, now: Mono) {
        self.ear.pasted(now);
        self.objection = Some("a paste never confirms: type it".into());
    }

    pub fn scroll(&mut self, action: Action) {
        self.first = match action {
            Action::Up => self.first.saturating_sub(1),
            Action::Down => self.first + 1,
            Action::PageUp => self.first.saturating_sub(10),
            Action::PageDown => self.first + 10,
            Action::Top => 0,
            _ => self.first,
        };
    }

    /// What can be done with the operation as it stands.
    pub fn actions(operation: &Operation) -> &'static [Action] {
        match &operation.phase {
            // Whoever drives it decides.
            _ if operation.is_elsewhere => &[Action::CopyPlan],
            Phase::Confirming if operation.plan.confirm.strength == Strength::Key => {
                &[Action::Apply, Action::CopyPlan]
            }
            Phase::Running | Phase::Stopping if operation.plan.ramp.is_some() => {
                &[Action::StopChange, Action::AbortChange, Action::CopyPlan]
            }
            Phase::Running | Phase::Stopping => &[Action::StopChange, Action::CopyPlan],
            Phase::Paused(_) if operation.unknown().is_empty() => {
                &[Action::ContinueChange, Action::UndoDone, Action::LeaveChange, Action::CopyPlan]
            }
            Phase::Paused(_) => &[Action::LeaveChange, Action::CopyPlan],
            Phase::Ended(_) if operation.applied() > 0 => &[Action::UndoDone, Action::CopyPlan],
            Phase::Checking | Phase::Confirming | Phase::Ended(_) => &[Action::CopyPlan],
        }
    }

    /// ```text
    /// ╭ Plan · scale ml/web to 6 · 2 steps ─────────────────────── waits for you ╮
    /// │ 1  aws-east  Deployment ml/web  generation 17                             │
    /// │      spec.replicas  4 → 6                                                 │
    /// │      dry run: accepted by the server                                      │
    /// │ undo   spec.replicas 4 in aws-east, as a new plan                         │
    /// │ production: type  web  to apply   ▏                                       │
    /// ```
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, desk: &Desk) {
        let Some(operation) = desk.operation(&self.id) else {
            let place = dialog::centred(area, 60, 3);
            let inside = dialog::open(pen, place, &"Plan".into(), &Clean::default());
            pen.put(inside, "it was given up", Meaning::Muted);
            return;
        };
        let width = 112.min(area.width);
        let mut lines = diff::lines(operation);
        if !self.timeline.is_empty() {
            lines.push(Line::new(Tone::Note, ""));
            lines.extend_from_slice(&self.timeline);
        }
        let lines = wrapped(&lines, usize::from(width.saturating_sub(4)).max(1));
        let foot = self.foot(operation);
        let foot_lines = foot.len() as u16;
        let place = dialog::centred(area, width, (lines.len() as u16).saturating_add(2 + foot_lines));
        let title = Clean::from(format!("Plan {}", operation.plan.title));
        let inside = dialog::open(pen, place, &title, &operation.words().into());
        let (body, below) = pen::above(inside, foot_lines);
        let shown = usize::from(body.height);
        let first = self.first.min(lines.len().saturating_sub(shown));
        for (line, (words, meaning)) in pen::lines(body).zip(lines.iter().skip(first)) {
            pen.put(line, words, *meaning);
        }
        if lines.len() > shown && body.height > 0 {
            let note = format!("{}-{} of {}", first + 1, (first + shown).min(lines.len()), lines.len());
            pen.put_right(pen::line(body, body.height - 1), note, Meaning::Muted);
        }
        for (line, (words, meaning)) in pen::lines(below).zip(&foot) {
            let used = pen.put(line, words, *meaning);
            if self.takes_text(desk) && line.y + 1 == below.y + below.height {
                let rest = Rect { x: line.x + used, width: line.width.saturating_sub(used), ..line };
                self.typed.draw(pen, rest);
            }
        }
    }

    /// Why it stands still, what is objected to, and what must be typed.
    fn foot(&self, operation: &Operation) -> Vec<(Clean, Meaning)> {
        let mut lines = Vec::new();
        if let Phase::Paused(why) = &operation.phase {
            lines.push((why.words(&operation.plan), Meaning::Bad));
        }
        if let Some(words) = &self.objection {
            lines.push((words.clone(), Meaning::Bad));
        }
        if operation.phase == Phase::Confirming {
            let confirm = &operation.plan.confirm;
            let because: Vec<_> = confirm.because.iter().map(Clean::as_str).collect();
            let because = because.join(", ");
            let words = match confirm.strength {
                Strength::Key => "a applies, esc cancels (default)".to_owned(),
                _ if because.is_empty() => format!("type  {}  to apply   ", confirm.phrase),
                _ => format!("{because}: type  {}  to apply   ", confirm.phrase),
            };
            lines.push((words.into(), Meaning::Warning));
        }
        lines
    }
}

fn wrapped(lines: &[Line], width: usize) -> Vec<(Clean, Meaning)> {
    let mut all = Vec::new();
    for line in lines {
        let indent: String = line.text.chars().take_while(|c| *c == ' ').collect();
        let parts = text::wrap(&line.text, width);
        let parts = if parts.is_empty() { vec![line.text.clone()] } else { parts };
        for (number, part) in parts.into_iter().enumerate() {
            let part = if number == 0 {
                line_start(&part, &indent)
            } else {
                Clean::from(format!("{indent}  {}", part.trim_start()))
            };
            all.push((part, meaning(line.tone)));
        }
    }
    all
}

/// Wrapping drops leading spaces; the first line of a text keeps its own.
fn line_start(part: &Clean, indent: &str) -> Clean {
    if part.starts_with(' ') { part.clone() } else { Clean::from(format!("{indent}{part}")) }
}

const fn meaning(tone: Tone) -> Meaning {
    match tone {
        Tone::Step => Meaning::Title,
        Tone::Change => Meaning::Text,
        Tone::Good => Meaning::Good,
        Tone::Busy => Meaning::Progress,
        Tone::Warning => Meaning::Warning,
        Tone::Bad => Meaning::Bad,
        Tone::Note => Meaning::Muted,
    }
}

/// The whole plan as text, for the clipboard.
pub fn plain(operation: &Operation) -> Vec<Clean> {
    let lines = diff::lines(operation);
    std::iter::once(diff::title(&operation.plan)).chain(lines.into_iter().map(|line| line.text)).collect()
}
