//! A message in, effects out. The dispatcher is short on purpose: each arm hands over.

use super::help::Help;
use super::inspect::{Inspect, Tab};
use super::layers::{FilterLine, Layer, ThemePicker};
use super::msg::{Answer, Effect, Msg, Notice};
use super::palette::Palette;
use super::program_log::ProgramLog;
use super::scope::ScopePicker;
use super::{App, mouse};
use crate::fleet::{Clean, Now};
use crate::input::{Action, Context, Key, Resolved};
use crate::panels::{ALL, Filter, Request, Target};
use crate::ui::Meaning;
use crate::ui::input_line::InputLine;

pub fn update(app: &mut App, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Facts(facts) => {
            let before = app.state.revision();
            for fact in facts {
                app.state.apply(fact);
            }
            app.outdated |= app.state.revision() != before;
            Vec::new()
        }
        Msg::Key(key) => app.press(key),
        Msg::Paste(text) => {
            app.paste(&text);
            Vec::new()
        }
        Msg::Mouse(at) => mouse::act(app, at),
        Msg::Resize(width, height) => {
            app.set_screen(width, height);
            Vec::new()
        }
        Msg::Moment(now) => {
            // The seconds of the wall clock come with ticks, which judge everything anew.
            app.state.now.mono = now.mono;
            Vec::new()
        }
        Msg::Tick { now, slept } => app.tick(now, slept),
        Msg::Answer(Answer::Looked(looked)) => app.looked(looked),
        Msg::Answer(Answer::Gate(id, event)) => app.happened(&id, event),
        Msg::Answer(Answer::Exported(outcome)) => {
            let (words, is_bad) = match outcome {
                Ok(path) => (Clean::from(format!("written to {path}")), false),
                Err(words) => (words, true),
            };
            app.told(Notice { text: words, is_bad });
            Vec::new()
        }
        Msg::Answer(Answer::Journal { operations, notes }) => app.journal_tells(operations, &notes),
        Msg::Answer(Answer::Timeline { id, outcome }) => {
            app.timeline_read(&id, &outcome);
            Vec::new()
        }
        Msg::Answer(answer) => {
            app.answered(answer);
            Vec::new()
        }
        Msg::Notice(notice) => {
            app.told(notice);
            Vec::new()
        }
        Msg::Configuration(configuration) => app.configure(*configuration),
    }
}

impl App {
    fn tick(&mut self, now: Now, slept: bool) -> Vec<Effect> {
        let second_passed = now.unix != self.state.now.unix;
        self.state.tick(now);
        if self.notice.as_ref().is_some_and(|notice| now.mono > notice.until) {
            self.notice = None;
            self.dirty = true;
        }
        self.outdated |= second_passed;
        let mut effects = self.tick_changes();
        if !slept {
            return effects;
        }
        self.state.slept();
        self.desk.unlocks.close_all();
        self.notify("the machine was asleep: everything is read anew, and read-only", Meaning::Warning);
        effects.push(Effect::Reconnect);
        effects
    }

    fn press(&mut self, key: Key) -> Vec<Effect> {
        self.dirty = true;
        if self.layers.last().is_some_and(|layer| layer.takes_text(&self.desk)) {
            return self.type_key(key);
        }
        self.pressed.push(key);
        let contexts = self.contexts();
        match self.keymap.resolve(contexts, &self.pressed) {
            Resolved::Pending(_) => Vec::new(),
            Resolved::Unknown if self.pressed.len() > 1 => {
                // The chord came to nothing; its last key may mean something by itself.
                self.pressed.clear();
                self.press(key)
            }
            Resolved::Unknown => {
                self.pressed.clear();
                Vec::new()
            }
            Resolved::Action(action) => {
                self.pressed.clear();
                self.act(action)
            }
        }
    }

    pub(super) fn contexts(&self) -> &'static [Context] {
        self.layers.last().map_or(&[Context::Panel], Layer::contexts)
    }

    /// Whether an action means something in the panel that has the focus.
    fn means(&self, action: Action) -> bool {
        crate::panels::knows(&self.panels, self.focus, action)
    }

    /// What holds everywhere first, then the layer on top, then the panel.
    pub(super) fn act(&mut self, action: Action) -> Vec<Effect> {
        if let Some(effects) = self.act_everywhere(action) {
            return effects;
        }
        match self.layers.last_mut() {
            Some(Layer::Help(help)) => help.act(action),
            Some(Layer::Scope(picker)) => {
                if action == Action::Open || picker.act(action, &mut self.state.scope) {
                    self.scope_changed(action);
                }
            }
            Some(Layer::Themes(_)) => return self.choose_theme(action),
            Some(Layer::Inspect(inspect)) => {
                let (opened, effects) = inspect.act(action, &self.state);
                return match opened {
                    Some(target) => self.inspect(&target, None),
                    None => effects,
                };
            }
            Some(Layer::ProgramLog(log)) => return log.act(action),
            Some(Layer::Plan(_)) => return self.act_on_plan(action),
            Some(
                Layer::Palette(_)
                | Layer::Filter(_)
                | Layer::Unlock(_)
                | Layer::Scale(_)
                | Layer::Weights(_)
                | Layer::Refused(_),
            ) => {}
            None => return self.act_in_panel(action),
        }
        Vec::new()
    }

    fn act_everywhere(&mut self, action: Action) -> Option<Vec<Effect>> {
        match action {
            Action::Quit => return Some(self.quit()),
            Action::Suspend => return Some(vec![Effect::Suspend]),
            Action::Redraw => return Some(vec![Effect::Redraw]),
            Action::Mouse => {
                let effect = self.take_mouse(!self.mouse);
                let words = if self.mouse {
                    "the mouse is taken again"
                } else {
                    "the mouse is let go: select text as you like"
                };
                self.notify(words, Meaning::Notice);
                return Some(vec![effect]);
            }
            Action::Freeze => self.freeze(),
            Action::Back => return Some(self.back()),
            Action::Help => {
                let help = Help::new(&self.keymap, &self.offered_contexts(), |it| self.means(it));
                self.layers.push(Layer::Help(help));
            }
            Action::Palette => {
                let palette = Palette::new(&self.state, &self.keymap, self.contexts(), |it| self.means(it));
                self.layers.push(Layer::Palette(palette));
            }
            Action::Scope => self.layers.push(Layer::Scope(ScopePicker::new(&self.state))),
            Action::Themes => self.open_themes(),
            Action::ProgramLog => {
                self.layers.push(Layer::ProgramLog(ProgramLog::default()));
                return Some(vec![Effect::ReadProgramLog]);
            }
            Action::Copy => return Some(self.copy()),
            Action::GoFleet
            | Action::GoClusters
            | Action::GoJobs
            | Action::GoReplicas
            | Action::GoTraffic
            | Action::GoJournal => {
                return Some(self.go(action));
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    /// A number key goes to its panel, from wherever one is.
    fn go(&mut self, action: Action) -> Vec<Effect> {
        let left_logs =
            self.layers.iter().any(|layer| matches!(layer, Layer::Inspect(it) if it.shows_logs()));
        let mut effects = Vec::new();
        while let Some(layer) = self.layers.pop() {
            effects.extend(self.given_up(&layer));
        }
        if let Some(entry) = ALL.iter().find(|entry| entry.go == action) {
            self.go_to(entry.id);
        }
        effects.push(Effect::Remember(self.prefs()));
        if left_logs {
            effects.push(Effect::StopLogs);
        }
        effects
    }

    fn act_in_panel(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::NextPanel | Action::PreviousPanel => {
                let step = if action == Action::NextPanel { 1 } else { ALL.len() - 1 };
                self.go_to(ALL[(self.focus + step) % ALL.len()].id);
                return vec![Effect::Remember(self.prefs())];
            }
            Action::Filter => {
                let before = self.panel().filter().text().to_owned();
                let line = InputLine::new(&before);
                self.layers.push(Layer::Filter(FilterLine { line, mistake: None, before }));
            }
            Action::ClearFilter => self.panel().set_filter(Filter::default()),
            Action::Reconnect => {
                if self.is_only_shown() {
                    return Vec::new();
                }
                self.notify("trying again now", Meaning::Notice);
                return vec![Effect::Reconnect];
            }
            other => {
                if let Some(request) = self.panel().act(other) {
                    return self.requested(request);
                }
                if matches!(other, Action::SortNext | Action::SortPrevious | Action::SortReverse) {
                    return vec![Effect::Remember(self.prefs())];
                }
            }
        }
        Vec::new()
    }

    pub(super) fn requested(&mut self, request: Request) -> Vec<Effect> {
        match request {
            Request::Inspect(target) => self.inspect(&target, None),
            Request::Logs(target) => self.inspect(&target, Some(Tab::Logs)),
            Request::Yaml(target) => self.inspect(&target, Some(Tab::Yaml)),
            Request::GoTo(panel, target) => {
                self.go_to(panel);
                if let Some(target) = target {
                    self.panel().select(&target);
                }
                Vec::new()
            }
            Request::Copy(text) => self.copied(text),
            Request::LogIn(cluster) => vec![Effect::LogIn(cluster)],
            change => self.change(change),
        }
    }

    pub(super) fn inspect(&mut self, target: &Target, tab: Option<Tab>) -> Vec<Effect> {
        self.next_stream += 1_000;
        let Some((mut inspect, mut effects)) = Inspect::new(target, &self.state, self.next_stream) else {
            self.notify("it is not there any more", Meaning::Warning);
            return Vec::new();
        };
        if let Some(tab) = tab {
            effects.extend(inspect.open_tab(tab, &self.state));
        }
        self.layers.push(Layer::Inspect(Box::new(inspect)));
        effects
    }

    /// Closes what is on top; in a panel, takes the filter away.
    fn back(&mut self) -> Vec<Effect> {
        match self.layers.pop() {
            None => {
                self.panel().set_filter(Filter::default());
                Vec::new()
            }
            Some(Layer::Themes(picker)) => {
                let _ = self.themes.choose(&picker.before);
                Vec::new()
            }
            Some(Layer::Inspect(inspect)) if inspect.shows_logs() => vec![Effect::StopLogs],
            Some(layer) => self.given_up(&layer),
        }
    }

    fn freeze(&mut self) {
        self.frozen = match self.frozen {
            None => Some(self.state.now),
            Some(_) => None,
        };
        self.outdated = true;
    }

    fn copy(&mut self) -> Vec<Effect> {
        if let Some(Layer::Inspect(inspect)) = self.layers.last() {
            let text = inspect.copied();
            return self.copied(text);
        }
        match self.panel().act(Action::Copy) {
            Some(request) => self.requested(request),
            None => Vec::new(),
        }
    }

    pub(super) fn copied(&mut self, text: crate::fleet::Clean) -> Vec<Effect> {
        self.notify(format!("copied: {text}"), Meaning::Notice);
        vec![Effect::Copy(text)]
    }

    fn open_themes(&mut self) {
        let before = self.themes.chosen().to_owned();
        let cursor = self.themes.names().iter().position(|name| *name == before).unwrap_or(0);
        self.layers.push(Layer::Themes(ThemePicker { cursor, before }));
    }

    /// The theme under the cursor is shown at once; `Enter` keeps it, `Esc` brings back the one before.
    fn choose_theme(&mut self, action: Action) -> Vec<Effect> {
        let names = self.themes.names();
        let Some(Layer::Themes(picker)) = self.layers.last_mut() else { return Vec::new() };
        match action {
            Action::Up => picker.cursor = picker.cursor.saturating_sub(1),
            Action::Down => picker.cursor = (picker.cursor + 1).min(names.len() - 1),
            Action::Open => {
                self.layers.pop();
                return vec![Effect::Remember(self.prefs())];
            }
            _ => return Vec::new(),
        }
        let chosen = names[picker.cursor].clone();
        if let Err(reason) = self.themes.choose(&chosen) {
            self.notify(reason, Meaning::Bad);
        }
        Vec::new()
    }

    fn scope_changed(&mut self, action: Action) {
        if action == Action::Open {
            self.layers.pop();
        }
        self.outdated = true;
    }

    fn answered(&mut self, answer: Answer) {
        self.dirty = true;
        if let Answer::ProgramLog(read) = answer {
            let logs = self.layers.iter_mut().filter_map(|layer| match layer {
                Layer::ProgramLog(log) => Some(log),
                _ => None,
            });
            logs.for_each(|log| log.took(read.clone()));
            return;
        }
        // Whoever asked last is on top; answers that nobody waits for any more are dropped.
        let inspects = self.layers.iter_mut().rev().filter_map(|layer| match layer {
            Layer::Inspect(inspect) => Some(inspect),
            _ => None,
        });
        match answer {
            Answer::Object { cluster, id, outcome } => {
                for inspect in inspects {
                    inspect.answered(cluster, &id, &outcome, &self.state);
                }
            }
            Answer::Lines { stream, lines } => {
                let mut inspects = inspects;
                if let Some(inspect) = inspects.find(|it| it.reads(stream)) {
                    inspect.took_lines(lines);
                }
            }
            Answer::LogsEnded { stream, outcome } => {
                let mut inspects = inspects;
                if let Some(inspect) = inspects.find(|it| it.reads(stream)) {
                    inspect.logs_ended(outcome);
                }
            }
            // These may ask for more and are answered where messages are taken.
            Answer::ProgramLog(_)
            | Answer::Looked(_)
            | Answer::Gate(..)
            | Answer::Exported(_)
            | Answer::Journal { .. }
            | Answer::Timeline { .. } => {}
        }
    }
}
