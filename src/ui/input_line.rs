//! One line of text being typed: a thin skin over the text area, which knows words, undo and the cursor.

use ratatui::layout::Rect;
use ratatui_textarea::{Input, Key as AreaKey, TextArea};

use super::pen::Pen;
use super::theme::Meaning;
use crate::fleet::Clean;
use crate::input::{Code, Key};

/// The longest line that is taken, in bytes; a paste beyond it is cut.
const LONGEST: usize = 1024;

#[derive(Debug, Clone, Default)]
pub struct InputLine {
    area: TextArea<'static>,
}

impl InputLine {
    pub fn new(text: &str) -> Self {
        let mut line = Self { area: TextArea::default() };
        line.paste(text);
        line
    }

    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// Whether the key changed the text; keys that mean something elsewhere are not taken.
    pub fn press(&mut self, key: Key) -> bool {
        let before = self.text().to_owned();
        if self.text().len() < LONGEST || matches!(key.code, Code::Backspace | Code::Delete) {
            self.area.input(area_input(key));
        }
        self.text() != before
    }

    /// Pasted text is one line of visible characters, whatever was pasted.
    pub fn paste(&mut self, text: &str) {
        let clean = Clean::new(text);
        let room = LONGEST.saturating_sub(self.text().len());
        let end = (0..=room.min(clean.len())).rev().find(|at| clean.is_char_boundary(*at));
        self.area.insert_str(&clean[..end.unwrap_or(0)]);
    }

    /// Draws the text with its cursor; the beginning gives way when it is too long.
    pub fn draw(&self, pen: &mut Pen<'_>, line: Rect) {
        let text = self.text();
        let column = self.area.cursor().1;
        let characters: Vec<char> = text.chars().collect();
        let width = usize::from(line.width);
        let first = (column + 1).saturating_sub(width);
        let shown: String = characters.iter().skip(first).take(width).collect();
        pen.put(line, shown, Meaning::Text);
        let before: String = characters.iter().take(column).skip(first).collect();
        let x = line.x + super::text::width(&before) as u16;
        if x < line.x + line.width {
            pen.tone(Rect { x, width: 1, ..line }, Meaning::Cursor);
        }
    }
}

fn area_input(key: Key) -> Input {
    let code = match key.code {
        Code::Char(character) => AreaKey::Char(character),
        Code::Backspace => AreaKey::Backspace,
        Code::Delete => AreaKey::Delete,
        Code::Left => AreaKey::Left,
        Code::Right => AreaKey::Right,
        Code::Home => AreaKey::Home,
        Code::End => AreaKey::End,
        // Everything else moves between lines or belongs to whoever asked for the text.
        _ => AreaKey::Null,
    };
    // A new line would hide the rest of what was typed.
    let code = match (code, key.ctrl) {
        (AreaKey::Char('m' | 'j'), true) => AreaKey::Null,
        (code, _) => code,
    };
    Input { key: code, ctrl: key.ctrl, alt: key.alt, shift: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_pasting_and_deleting() {
        let mut line = InputLine::new("phase:");
        for character in "failed".chars() {
            assert!(line.press(Key::char(character)));
        }
        assert_eq!(line.text(), "phase:failed");
        assert!(line.press(Key::ctrl('w')));
        assert!(!line.text().contains("failed"));
        line.paste("a\x1b[2J\nb");
        assert!(line.text().ends_with("a\\x1b[2J b"), "{}", line.text());
        assert!(!line.press(Key::plain(Code::Enter)));
        assert!(!line.press(Key::ctrl('m')));
        line.paste(&"x".repeat(5000));
        assert!(line.text().len() <= LONGEST);
    }
}
