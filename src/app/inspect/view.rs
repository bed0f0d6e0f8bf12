//! How an object is shown.

use ratatui::layout::Rect;

use super::{Inspect, Line, Tab};
use crate::fleet::Clean;
use crate::ui::pen::{self, Pen};
use crate::ui::table::scrolled;
use crate::ui::{Align, Cell, Meaning, dialog, text};

impl Inspect {
    /// Takes the size of its place, so that paging and following know the page.
    pub fn resize(&mut self, area: Rect) {
        self.page = usize::from(area.height.saturating_sub(4)).max(1);
        if self.shows_logs() && self.logs.pinned {
            self.first = self.logs.len().saturating_sub(self.page);
        }
    }

    /// ```text
    /// ╭ Deployment ml-platform/ml-inference in aws-east ────────────────────────── esc closes ╮
    /// │ Overview  Pods  Conditions  Events  YAML  Logs                                          │
    /// │ replicas       5 ready of 6; 6 updated, 5 available                                      │
    /// ╰──────────────────────────────────────────────────────────────────────────────────────────╯
    /// ```
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let note = match self.current() {
            Tab::Logs => self.logs.status(),
            _ if self.lines.len() == 1 => "1 line".to_owned(),
            _ => format!("{} lines", self.lines.len()),
        };
        let inside = dialog::open(pen, area, &self.title, &note.into());
        self.tab_line(pen, pen::line(inside, 0));
        let body = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside };
        if self.shows_logs() {
            self.log_lines(pen, body);
        } else {
            self.text_lines(pen, body);
        }
        if let Some(line) = &self.typing {
            let bottom = pen::line(area, area.height.saturating_sub(1));
            let place = Rect { x: bottom.x + 2, width: bottom.width.saturating_sub(4), ..bottom };
            pen.clear(place);
            let used = pen.put(place, "search: ", Meaning::Key);
            line.draw(pen, Rect { x: place.x + used, width: place.width.saturating_sub(used), ..place });
        }
    }

    fn tab_line(&self, pen: &mut Pen<'_>, line: Rect) {
        let mut x = line.x;
        for (at, tab) in self.tabs.iter().enumerate() {
            let meaning = if at == self.tab { Meaning::TabActive } else { Meaning::Tab };
            let room = (line.x + line.width).saturating_sub(x);
            let used = pen.put(Rect { x, width: room, ..line }, format!(" {} ", tab.title()), meaning);
            x += used + 1;
        }
    }

    fn text_lines(&self, pen: &mut Pen<'_>, body: Rect) {
        let height = usize::from(body.height);
        let first = if self.has_cursor() {
            scrolled(0, self.cursor, height, self.lines.len())
        } else {
            self.first.min(self.lines.len().saturating_sub(1))
        };
        let mut row = 0;
        for (at, line) in self.lines.iter().enumerate().skip(first) {
            for part in self.broken(line, body.width) {
                let place = pen::line(body, row);
                if place.is_empty() {
                    return;
                }
                pen.put_cell(place, &part, Align::Left);
                self.mark_matches(pen, place, &part);
                if self.has_cursor() && at == self.cursor && line.target.is_some() {
                    pen.tone(place, Meaning::Cursor);
                }
                row += 1;
            }
        }
    }

    /// Long values go on in the next line; lists and YAML keep one line each.
    fn broken(&self, line: &Line, width: u16) -> Vec<Cell> {
        let wraps = matches!(self.current(), Tab::Overview | Tab::Conditions | Tab::Events);
        if !wraps || line.cell.width() <= width.into() {
            return vec![line.cell.clone()];
        }
        let Some(((last, meaning), front)) = line.cell.parts.split_last() else { return Vec::new() };
        let used: usize = front.iter().map(|(words, _)| text::width(words)).sum();
        let indent = last.len() - last.trim_start().len() + used;
        let room = usize::from(width).saturating_sub(indent).max(8);
        let mut cells = Vec::new();
        for (at, piece) in text::wrap(&Clean::from(last.trim_start()), room).into_iter().enumerate() {
            let mut cell = if at == 0 {
                let mut cell = Cell { parts: front.to_vec() };
                cell.parts.push((Clean::from(" ".repeat(indent - used)), *meaning));
                cell
            } else {
                Cell::text(" ".repeat(indent))
            };
            cell.parts.push((piece, *meaning));
            cells.push(cell);
        }
        cells
    }

    fn log_lines(&self, pen: &mut Pen<'_>, body: Rect) {
        if self.logs.len() == 0 {
            let meaning = if self.logs.fault().is_some() { Meaning::Bad } else { Meaning::Muted };
            pen.put(body, self.logs.nothing(), meaning);
            return;
        }
        let height = usize::from(body.height);
        let last = self.logs.len().saturating_sub(height);
        let first = if self.logs.pinned { last } else { self.first.min(self.logs.len() - 1) };
        for (place, at) in pen::lines(body).zip(first..) {
            let Some((line, many)) = self.logs.line(at) else { break };
            let mut cell = Cell::default();
            if many {
                let short = line.pod.rsplit('-').next().unwrap_or_default();
                cell = Cell::new(format!("{short:<6} "), Meaning::Tint(hash(&line.pod)));
            }
            let cell = cell.and(&line.text, Meaning::Text);
            pen.put_cell(place, &cell, Align::Left);
            self.mark_matches(pen, place, &cell);
        }
    }

    /// Tones the searched text where it stands.
    fn mark_matches(&self, pen: &mut Pen<'_>, place: Rect, cell: &Cell) {
        if self.search.is_empty() {
            return;
        }
        let (plain, wanted) = (cell.plain().to_lowercase(), self.search.to_lowercase());
        let mut from = 0;
        while let Some(at) = plain[from..].find(&wanted).map(|at| at + from) {
            let x = text::width(&plain[..at]) as u16;
            let width = text::width(&wanted) as u16;
            if x >= place.width {
                break;
            }
            pen.tone(Rect { x: place.x + x, width: width.min(place.width - x), ..place }, Meaning::Match);
            from = at + wanted.len().max(1);
        }
    }
}

/// A number for a name, to give each pod a tint of its own.
fn hash(name: &str) -> u8 {
    name.bytes().fold(7u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte))
}
