//! Keys that are text: the filter, the palette, the search in a text.

use super::msg::Effect;
use super::palette::Choice;
use super::{App, Layer};
use crate::input::{Code, Key};
use crate::panels::Filter;

impl App {
    pub(super) fn type_key(&mut self, key: Key) -> Vec<Effect> {
        if key == Key::ctrl('c') {
            self.layers.pop();
            return Vec::new();
        }
        match self.layers.last_mut() {
            Some(Layer::Inspect(inspect)) => {
                inspect.type_key(key);
                Vec::new()
            }
            Some(Layer::ProgramLog(log)) => {
                log.type_key(key);
                Vec::new()
            }
            Some(Layer::Filter(_)) => {
                self.type_filter(key);
                Vec::new()
            }
            Some(Layer::Palette(palette)) => {
                match key.code {
                    Code::Esc => drop(self.layers.pop()),
                    Code::Up => palette.move_cursor(false),
                    Code::Down => palette.move_cursor(true),
                    Code::Enter => return self.choose(),
                    _ => palette.press(key),
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// The filter works while it is typed; one that cannot be understood changes nothing.
    fn type_filter(&mut self, key: Key) {
        let Some(Layer::Filter(filter)) = self.layers.last_mut() else { return };
        match key.code {
            Code::Enter if filter.mistake.is_none() => drop(self.layers.pop()),
            Code::Enter => {}
            Code::Esc => {
                let before = filter.before.clone();
                self.layers.pop();
                self.apply_filter(&before);
            }
            _ => {
                filter.line.press(key);
                self.typed_filter();
            }
        }
    }

    fn typed_filter(&mut self) {
        let Some(Layer::Filter(filter)) = self.layers.last() else { return };
        let text = filter.line.text().to_owned();
        let mistake = self.apply_filter(&text);
        if let Some(Layer::Filter(filter)) = self.layers.last_mut() {
            filter.mistake = mistake;
        }
    }

    fn apply_filter(&mut self, text: &str) -> Option<String> {
        let fields = self.panel().fields();
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        match Filter::parse(text, &names) {
            Ok(filter) => {
                self.panel().set_filter(filter);
                None
            }
            Err(mistake) => {
                // A filter that is not understood hides nothing.
                self.panel().set_filter(Filter::default());
                Some(mistake)
            }
        }
    }

    fn choose(&mut self) -> Vec<Effect> {
        let Some(Layer::Palette(palette)) = self.layers.pop() else { return Vec::new() };
        match palette.chosen() {
            Some(Choice::Action(action)) => self.act(action),
            Some(Choice::Object(target)) => self.inspect(&target, None),
            None => Vec::new(),
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.dirty = true;
        match self.layers.last_mut() {
            Some(Layer::Filter(filter)) => {
                filter.line.paste(text);
                self.typed_filter();
            }
            Some(Layer::Palette(palette)) => palette.paste(text),
            Some(Layer::Inspect(inspect)) => inspect.paste(text),
            Some(Layer::ProgramLog(log)) => log.paste(text),
            // Outside of a line of text a paste means nothing: it is never taken for keys.
            _ => {}
        }
    }
}
