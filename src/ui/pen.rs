//! Drawing text: the only way words get into a buffer, and it takes only clean ones.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Borders, Clear, Widget};

use super::cell::{Align, Cell};
use super::theme::Meaning;
use super::{ViewCx, text};
use crate::fleet::Clean;

/// A place to draw, with the looks of the moment.
pub struct Pen<'a> {
    pub cx: ViewCx<'a>,
    buffer: &'a mut Buffer,
}

impl<'a> Pen<'a> {
    pub fn new(cx: ViewCx<'a>, buffer: &'a mut Buffer) -> Self {
        Self { cx, buffer }
    }

    /// Writes from the left of a line, cut to its width; gives the cells used.
    pub fn put(&mut self, line: Rect, words: impl Into<Clean>, meaning: Meaning) -> u16 {
        let line = line.intersection(self.buffer.area);
        if line.is_empty() {
            return 0;
        }
        let words = self.cx.glyphs.spell(words.into());
        let words = text::fit(&words, line.width.into(), self.cx.glyphs.ellipsis);
        let style = self.cx.theme.style(meaning);
        let (end, _) = self.buffer.set_stringn(line.x, line.y, &*words, line.width.into(), style);
        end - line.x
    }

    /// Writes at the right end of a line.
    pub fn put_right(&mut self, line: Rect, words: impl Into<Clean>, meaning: Meaning) -> u16 {
        let words = words.into();
        let width = text::width(&words).min(line.width.into()) as u16;
        let place = Rect { x: line.x + line.width - width, width, ..line };
        self.put(place, words, meaning)
    }

    /// Writes into the lower border of a frame, beside its right corner.
    pub fn put_below(&mut self, frame: Rect, words: &str) {
        let border = line(frame, frame.height.saturating_sub(1));
        let words = format!(" {words} ");
        self.put_right(Rect { width: border.width.saturating_sub(1), ..border }, words, Meaning::Muted);
    }

    /// Writes the parts of a cell into its place.
    pub fn put_cell(&mut self, line: Rect, cell: &Cell, align: Align) {
        let width = (cell.width().min(line.width.into())) as u16;
        let mut place = match align {
            Align::Left => line,
            Align::Right => Rect { x: line.x + line.width - width, width, ..line },
        };
        for (words, meaning) in &cell.parts {
            let used = self.put(place, words, *meaning);
            place = Rect { x: place.x + used, width: place.width - used, ..place };
            if place.width == 0 {
                break;
            }
        }
    }

    /// Writes a text over the lines of an area, broken between words.
    pub fn put_wrapped(&mut self, area: Rect, words: &Clean, meaning: Meaning) {
        for (line, words) in lines(area).zip(text::wrap(words, area.width.into())) {
            self.put(line, words, meaning);
        }
    }

    /// Gives an area a style without changing its text.
    pub fn tone(&mut self, area: Rect, meaning: Meaning) {
        let area = area.intersection(self.buffer.area);
        self.buffer.set_style(area, self.cx.theme.style(meaning));
    }

    /// Empties an area, for what is drawn on top of something.
    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        Clear.render(area, self.buffer);
        self.tone(area, Meaning::Text);
    }

    /// A frame with its title in the border, and a note at the right if there is room for both; gives the
    /// inside with one cell of padding at the sides.
    pub fn frame(&mut self, area: Rect, title: &Clean, note: &Clean) -> Rect {
        let area = area.intersection(self.buffer.area);
        if area.width < 4 || area.height < 2 {
            return Rect::default();
        }
        let border = self.cx.theme.style(Meaning::Border);
        Block::new()
            .borders(Borders::ALL)
            .border_type(BorderType::Rounded)
            .border_set(self.cx.glyphs.border)
            .border_style(border)
            .render(area, self.buffer);
        let top = Rect { x: area.x + 1, width: area.width - 2, height: 1, ..area };
        let title = if title.is_empty() { Clean::default() } else { Clean::from(format!(" {title} ")) };
        let used = self.put(top, title, Meaning::Title);
        let room = (top.width - used).saturating_sub(1);
        if !note.is_empty() && text::width(note) + 2 <= room.into() {
            self.put_right(top, Clean::from(format!(" {note} ")), Meaning::Muted);
        }
        Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
    }
}

/// The area without its last lines, and those.
pub fn above(area: Rect, lines: u16) -> (Rect, Rect) {
    let lines = lines.min(area.height);
    let height = area.height - lines;
    (Rect { height, ..area }, Rect { y: area.y + height, height: lines, ..area })
}

/// The lines of an area, from the top.
pub fn lines(area: Rect) -> impl Iterator<Item = Rect> {
    (0..area.height).map(move |row| Rect { y: area.y + row, height: 1, ..area })
}

/// One line of an area; empty when the area is not that high.
pub fn line(area: Rect, row: u16) -> Rect {
    if row < area.height { Rect { y: area.y + row, height: 1, ..area } } else { Rect::default() }
}
