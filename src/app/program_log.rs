//! The tail of this program's own log, to look at why something is as it is without leaving.

use ratatui::layout::Rect;

use super::msg::Effect;
use crate::fleet::Clean;
use crate::input::{Action, Code, Key};
use crate::ui::input_line::InputLine;
use crate::ui::pen::{self, Pen};
use crate::ui::{Align, Cell, Meaning, dialog, text};

#[derive(Default)]
pub struct ProgramLog {
    /// `None` until it was read.
    read: Option<Result<Vec<Clean>, Clean>>,
    first: usize,
    left: usize,
    page: usize,
    typing: Option<InputLine>,
    search: String,
}

impl ProgramLog {
    /// What was read; its end is shown.
    pub fn took(&mut self, read: Result<Vec<Clean>, Clean>) {
        self.read = Some(read);
        self.scroll(Action::Bottom);
    }

    pub fn resize(&mut self, area: Rect) {
        let page = usize::from(area.height.saturating_sub(2)).max(1);
        let at_end = self.first + self.page >= self.lines().len();
        self.page = page;
        if at_end {
            self.scroll(Action::Bottom);
        }
    }

    pub fn act(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Refresh => return vec![Effect::ReadProgramLog],
            Action::Search => self.typing = Some(InputLine::new("")),
            Action::NextMatch => self.find(true),
            Action::PreviousMatch => self.find(false),
            Action::Right => self.left += SIDESTEP,
            Action::Left => self.left = self.left.saturating_sub(SIDESTEP),
            other => self.scroll(other),
        }
        Vec::new()
    }

    pub fn is_searching(&self) -> bool {
        self.typing.is_some()
    }

    pub fn type_key(&mut self, key: Key) {
        match key.code {
            Code::Enter => {
                if let Some(line) = self.typing.take() {
                    line.text().clone_into(&mut self.search);
                    self.find(true);
                }
            }
            Code::Esc => self.typing = None,
            _ => {
                if let Some(line) = &mut self.typing {
                    line.press(key);
                }
            }
        }
    }

    pub fn paste(&mut self, pasted: &str) {
        if let Some(line) = &mut self.typing {
            line.paste(pasted);
        }
    }

    /// ```text
    /// ╭ Log of this program ───────────────────────────────────────────────────────── 212 lines ╮
    /// │ 2026-11-25T18:30:44Z  INFO cluster=aws-east answers version=v1.34.0                      │
    /// │ 2026-11-25T18:31:02Z  WARN plugin=aws took_ms=412 no credential: aws needs somebody …    │
    /// ╰──────────────────────────────────────────────────────────────────────────────────────────╯
    /// ```
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let note = match self.lines().len() {
            1 => "1 line".to_owned(),
            count => format!("{count} lines"),
        };
        let inside = dialog::open(pen, area, &"Log of this program".into(), &note.into());
        match &self.read {
            None => drop(pen.put(inside, "reading …", Meaning::Muted)),
            Some(Err(reason)) => drop(pen.put(inside, reason, Meaning::Bad)),
            Some(Ok(lines)) if lines.is_empty() => drop(pen.put(inside, "it is empty", Meaning::Muted)),
            Some(Ok(lines)) => {
                for (place, line) in pen::lines(inside).zip(lines.iter().skip(self.first)) {
                    self.line(pen, place, line);
                }
            }
        }
        if let Some(line) = &self.typing {
            let bottom = pen::line(area, area.height.saturating_sub(1));
            let place = Rect { x: bottom.x + 2, width: bottom.width.saturating_sub(4), ..bottom };
            pen.clear(place);
            let used = pen.put(place, "search: ", Meaning::Key);
            line.draw(pen, Rect { x: place.x + used, width: place.width.saturating_sub(used), ..place });
        }
    }

    fn line(&self, pen: &mut Pen<'_>, place: Rect, line: &Clean) {
        let meaning = if line.contains(" ERROR ") {
            Meaning::Bad
        } else if line.contains(" WARN ") {
            Meaning::Warning
        } else {
            Meaning::Text
        };
        let shown: String = line.chars().skip(self.left).collect();
        let cell = Cell::new(shown.as_str(), meaning);
        pen.put_cell(place, &cell, Align::Left);
        let (plain, wanted) = (shown.to_lowercase(), self.search.to_lowercase());
        if let Some(at) = plain.find(&wanted).filter(|_| !wanted.is_empty()) {
            let x = text::width(&plain[..at]) as u16;
            let width = (text::width(&wanted) as u16).min(place.width.saturating_sub(x));
            if width > 0 {
                pen.tone(Rect { x: place.x + x, width, ..place }, Meaning::Match);
            }
        }
    }

    fn lines(&self) -> &[Clean] {
        match &self.read {
            Some(Ok(lines)) => lines,
            _ => &[],
        }
    }

    fn scroll(&mut self, action: Action) {
        let bottom = self.lines().len().saturating_sub(self.page.max(1));
        self.first = match action {
            Action::Up => self.first.saturating_sub(1),
            Action::Down => (self.first + 1).min(bottom),
            Action::PageUp => self.first.saturating_sub(self.page),
            Action::PageDown => (self.first + self.page).min(bottom),
            Action::Top => 0,
            Action::Bottom => bottom,
            _ => self.first,
        };
    }

    /// Goes to the next line that holds the text.
    fn find(&mut self, forward: bool) {
        let (wanted, total) = (self.search.to_lowercase(), self.lines().len());
        if wanted.is_empty() {
            return;
        }
        let at = |step: usize| {
            if forward { (self.first + step) % total } else { (self.first + total - step) % total }
        };
        let holds = |at: &usize| self.lines()[*at].to_lowercase().contains(&wanted);
        if let Some(found) = (1..=total).map(at).find(holds) {
            self.first = found;
        }
    }
}

/// Columns that a long line is moved by.
const SIDESTEP: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_end_is_shown_and_searched() {
        let mut log = ProgramLog::default();
        log.resize(Rect { x: 0, y: 0, width: 80, height: 12 });
        log.took(Ok((0..100).map(|at| Clean::from(format!("line {at}"))).collect()));
        assert_eq!(log.first, 90);
        for key in ["L", "I", "N", "E", " ", "4", "2"] {
            log.typing.get_or_insert_with(|| InputLine::new("")).paste(key);
        }
        log.type_key(Key { code: Code::Enter, ctrl: false, alt: false });
        assert_eq!(log.first, 42);
        log.act(Action::NextMatch);
        assert_eq!(log.first, 42, "the only one is found again");
        log.act(Action::Bottom);
        assert_eq!((log.first, log.act(Action::Refresh)), (90, vec![Effect::ReadProgramLog]));
        log.took(Err("no log".into()));
        log.act(Action::PageDown);
        assert_eq!(log.first, 0);
    }
}
