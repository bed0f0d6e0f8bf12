//! Keys that are text: the filter, the palette, the search in a text.

use super::change::plan_view::Typed;
use super::change::scale::Pressed;
use super::change::unlock::Turn;
use super::change::weights;
use super::msg::Effect;
use super::palette::Choice;
use super::{App, Layer};
use crate::input::{Action, Code, Context, Key, Resolved};
use crate::panels::Filter;

impl App {
    pub(super) fn type_key(&mut self, key: Key) -> Vec<Effect> {
        if key == Key::ctrl('c') {
            return self.close_top();
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
            Some(
                Layer::Unlock(_) | Layer::Scale(_) | Layer::Weights(_) | Layer::Plan(_) | Layer::Refused(_),
            ) => self.type_in_dialog(key),
            _ => Vec::new(),
        }
    }

    /// Dialogs that change something: what a key means is theirs to say, what follows is done here.
    fn type_in_dialog(&mut self, key: Key) -> Vec<Effect> {
        let now = self.state.now.mono;
        match self.layers.last_mut() {
            Some(Layer::Unlock(unlock)) => match unlock.press(key, now) {
                Turn::Stay => {}
                Turn::Close => drop(self.layers.pop()),
                Turn::Open(clusters, then) => {
                    self.layers.pop();
                    return self.unlocked(&clusters, then);
                }
            },
            Some(Layer::Scale(form)) => match form.press(key, now) {
                Pressed::Nothing => {}
                Pressed::Close => drop(self.layers.pop()),
                Pressed::Preview => return self.preview(),
            },
            Some(Layer::Weights(form)) => {
                if let Resolved::Action(action) = self.keymap.resolve(&[Context::Weights], &[key])
                    && (action.row().context == Context::Weights
                        || matches!(action, Action::Up | Action::Down))
                {
                    form.act(action, &self.desk.policy);
                    return Vec::new();
                }
                match form.press(key, now) {
                    weights::Pressed::Nothing => {}
                    weights::Pressed::Close => drop(self.layers.pop()),
                    weights::Pressed::Preview => return self.preview(),
                }
            }
            Some(Layer::Plan(view)) => match view.press(key, now) {
                Typed::Nothing => {}
                Typed::Close => return self.close_top(),
                Typed::Confirm(words) => {
                    let id = view.id.clone();
                    return self.confirm(&id, &words);
                }
            },
            Some(Layer::Refused(_)) => match key.code {
                Code::Char('o') if key.ctrl => return self.set_aside(),
                Code::Esc | Code::Enter => drop(self.layers.pop()),
                _ => {}
            },
            _ => {}
        }
        Vec::new()
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
            Some(Layer::Scale(form)) => form.paste(text, self.state.now.mono),
            Some(Layer::Unlock(unlock)) => unlock.pasted(self.state.now.mono),
            Some(Layer::Plan(view)) => view.pasted(self.state.now.mono),
            // Outside of a line of text a paste means nothing: it is never taken for keys.
            _ => {}
        }
    }
}
