//! The whole screen from the whole app; nothing else draws it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::change::plan_view::PlanView;
use super::{App, Layer};
use crate::fleet::Clean;
use crate::input::{ACTIONS, Action, Resolved};
use crate::panels::ALL;
use crate::ui::frame::{self, Areas};
use crate::ui::pen::{self, Pen};
use crate::ui::{Cell, Meaning, ViewCx, dialog, text};

const READ_ONLY: &str = " READ-ONLY ";

/// Draws into the whole buffer.
///
/// ```text
///  skydeck  acme-ml   clusters 7/8 live   GPUs 412/512 requested   jobs 23 run 2 failed   READ-ONLY  14:02:11Z
///  1 Fleet  2 Clusters  4 Jobs  5 Replicas                                  filter phase:failed  2 of 41
///  … the panel, and on top of it the layers …
///  ↵ open   / filter   c scope   : command   ? help   q quit
/// ```
pub fn view(app: &App, buffer: &mut Buffer) {
    let screen = buffer.area;
    let cx = ViewCx { theme: app.themes.theme(), glyphs: app.glyphs, now: app.now() };
    let mut pen = Pen::new(cx, buffer);
    pen.clear(screen);
    let Some(areas) = frame::areas(screen, app.notice.is_some()) else {
        return frame::too_small(&mut pen, screen);
    };
    app.header(&mut pen, areas.header);
    app.tabs(&mut pen, areas.tabs);
    app.panels[app.focus].view(&mut pen, areas.body);
    for layer in &app.layers {
        app.layer(&mut pen, layer, &areas);
    }
    if let Some(notice) = &app.notice {
        let line = areas.notice;
        pen.put(
            Rect { x: line.x + 1, width: line.width.saturating_sub(1), ..line },
            &notice.text,
            notice.meaning,
        );
    }
    app.hints(&mut pen, areas.hints);
}

/// Where the tabs are, for the mouse.
pub(super) fn tab_places(line: Rect) -> Vec<Rect> {
    let mut x = line.x + 1;
    ALL.iter()
        .map(|entry| {
            let width = text::width(&tab(entry.number, entry.title, line.width)) as u16;
            let place = Rect { x, width, ..line };
            x += width + 1;
            place
        })
        .collect()
}

/// Narrow lines keep their room for what is said of the panel.
fn tab(number: u8, title: &str, line_width: u16) -> String {
    if line_width < 100 { format!("{number} {title}") } else { format!(" {number} {title} ") }
}

impl App {
    fn header(&self, pen: &mut Pen<'_>, line: Rect) {
        let totals = &self.totals;
        let partial = totals.clusters_live < totals.clusters;
        let word = |words: String, meaning: Meaning| vec![(Clean::from(words), meaning)];
        let mut parts = vec![word("skydeck".into(), Meaning::Brand)];
        if let Some(name) = &self.fleet_name {
            parts.push(word(name.to_string(), Meaning::Title));
        }
        let live = if partial { Meaning::Warning } else { Meaning::Text };
        parts.push(word(format!("clusters {}/{} live", totals.clusters_live, totals.clusters), live));
        parts.push(word(
            format!("GPUs {}/{} requested", totals.gpus_requested, totals.gpus_allocatable),
            Meaning::Text,
        ));
        let mut jobs = word(format!("jobs {} run", totals.jobs_running), Meaning::Text);
        let failed = totals.jobs_failed.known > 0;
        let failed = if failed { Meaning::Bad } else { Meaning::Muted };
        jobs.push((Clean::from(format!(" {} failed", totals.jobs_failed)), failed));
        parts.push(jobs);
        let drift = if totals.drift.known > 0 { Meaning::Warning } else { Meaning::Muted };
        parts.push(word(format!("drift {}", totals.drift), drift));
        // At the right, where nothing is dropped: sums of a part must not look like sums of the whole.
        let scope = if self.state.scope.is_everything() { "" } else { " scope narrowed " };
        let (mode, badge) = self.mode();
        let replay = self.replay.as_ref().map(|shown| Clean::from(format!(" {} ", shown.badge)));
        // A replay is read-only by its nature.
        let mode = if replay.is_some() && mode == READ_ONLY { String::new() } else { mode };
        let clock = Clean::from(format!(" {} ", self.now().unix.clock()));
        let right = Cell::new(scope, Meaning::Notice)
            .and(replay.unwrap_or_default(), Meaning::BadBadge)
            .and(mode, badge)
            .and(clock, Meaning::Muted);
        let width = right.width() as u16;
        let left = Rect { width: line.width.saturating_sub(width + 1), ..line };
        frame::strip(pen, left, &parts, 2);
        pen.put_cell(line, &right, crate::ui::Align::Right);
    }

    /// What may be done, in words: ` READ-ONLY `, ` WRITE aws-east 14m `, ` CHANGE running 1/3 `.
    fn mode(&self) -> (String, Meaning) {
        if self.frozen.is_some() {
            return (" FROZEN ".into(), Meaning::BadBadge);
        }
        if let Some(moving) = self.desk.operations().iter().find(|it| it.is_ours && it.is_moving()) {
            return (format!(" CHANGE {} ", moving.words()), Meaning::BadBadge);
        }
        let now = self.state.now;
        let open: Vec<_> = self
            .desk
            .unlocks
            .clusters()
            .filter_map(|id| Some((id, self.desk.unlocks.left(id, now, &self.desk.policy)?)))
            .collect();
        let left = open.iter().map(|(_, left)| *left).max();
        match (&open[..], left) {
            ([(id, _)], Some(left)) => {
                let name = self.state.cluster(*id).map(|it| it.spec.name.clone()).unwrap_or_default();
                (format!(" WRITE {name} {left} "), Meaning::BadBadge)
            }
            (all, Some(left)) => (format!(" WRITE {} clusters {left} ", all.len()), Meaning::BadBadge),
            (_, None) => (READ_ONLY.into(), Meaning::Badge),
        }
    }

    fn tabs(&self, pen: &mut Pen<'_>, line: Rect) {
        let mut end = line.x;
        for ((at, entry), place) in ALL.iter().enumerate().zip(tab_places(line)) {
            let meaning = if at == self.focus { Meaning::TabActive } else { Meaning::Tab };
            let room = (line.x + line.width).saturating_sub(place.x).min(place.width);
            pen.put(Rect { width: room, ..place }, tab(entry.number, entry.title, line.width), meaning);
            end = place.x + room;
        }
        let panel = &self.panels[self.focus];
        let (shown, all) = panel.counts();
        let noun = panel.noun();
        let note = if panel.filter().is_empty() {
            format!("{all} {noun} ")
        } else {
            format!("filter {}  {shown} of {all} {noun} ", panel.filter())
        };
        let rest = Rect { x: end, width: (line.x + line.width).saturating_sub(end), ..line };
        let meaning = if panel.filter().is_empty() { Meaning::Muted } else { Meaning::Notice };
        pen.put_right(rest, note, meaning);
    }

    fn layer(&self, pen: &mut Pen<'_>, layer: &Layer, areas: &Areas) {
        match layer {
            Layer::Help(help) => help.view(pen, areas.body),
            Layer::Palette(palette) => palette.view(pen, areas.body),
            Layer::Scope(picker) => picker.view(pen, areas.body, &self.state.scope),
            Layer::Inspect(inspect) => inspect.view(pen, areas.body),
            Layer::ProgramLog(log) => log.view(pen, areas.body),
            Layer::Unlock(unlock) => unlock.view(pen, areas.body),
            Layer::Scale(form) => form.view(pen, areas.body, &self.state),
            Layer::Weights(form) => form.view(pen, areas.body),
            Layer::Plan(view) => view.view(pen, areas.body, &self.desk),
            Layer::Refused(refused) => refused.view(pen, areas.body),
            Layer::Filter(filter) => {
                let line = pen::line(areas.body, areas.body.height - 1);
                let height = 1 + u16::from(filter.mistake.is_some());
                pen.clear(Rect { y: line.y + 1 - height, height, ..line });
                let used = pen.put(line, " / ", Meaning::Key);
                filter
                    .line
                    .draw(pen, Rect { x: line.x + used, width: line.width.saturating_sub(used), ..line });
                if let Some(mistake) = &filter.mistake {
                    let above = Rect { y: line.y - 1, ..line };
                    pen.put(above, format!("   {mistake}"), Meaning::Bad);
                }
            }
            Layer::Themes(picker) => {
                let names = self.themes.names();
                let place = dialog::centred(areas.body, 40, names.len() as u16 + 2);
                let inside = dialog::open(pen, place, &"Theme".into(), &"enter keeps".into());
                let entries: Vec<Cell> = names.iter().map(|name| Cell::text(name.as_str())).collect();
                dialog::list(pen, inside, &entries, picker.cursor);
            }
        }
    }

    /// What may follow a chord that has begun, else what can be done here.
    fn hints(&self, pen: &mut Pen<'_>, line: Rect) {
        if !self.pressed.is_empty()
            && let Resolved::Pending(next) = self.keymap.resolve(self.contexts(), &self.pressed)
        {
            let parts: Vec<_> =
                next.iter().map(|(chord, action)| hint(chord.to_string(), action.row().doc)).collect();
            frame::strip(pen, line, &parts, 3);
            return;
        }
        let parts: Vec<_> = match self.layers.last() {
            Some(Layer::Filter(_)) => {
                let fields = self.panels[self.focus].fields();
                let names: Vec<_> = fields.iter().map(|(name, _)| name.to_string()).collect();
                vec![
                    hint("enter".into(), "keep"),
                    hint("esc".into(), "leave"),
                    hint("fields".into(), &names.join(" ")),
                ]
            }
            Some(Layer::Palette(_)) => vec![hint("enter".into(), "go"), hint("esc".into(), "close")],
            Some(Layer::Unlock(unlock)) => {
                unlock.hints().iter().map(|(key, word)| hint((*key).into(), word)).collect()
            }
            Some(Layer::Scale(_)) => vec![
                hint("enter".into(), "preview"),
                hint("tab".into(), "reason"),
                hint("esc".into(), "cancel"),
            ],
            Some(Layer::Weights(form)) if !form.is_read() => vec![hint("esc".into(), "cancel")],
            Some(layer @ Layer::Weights(_)) => {
                let mut parts = vec![hint("enter".into(), "preview"), hint("esc".into(), "cancel")];
                let rows = ACTIONS.iter();
                let here = rows.filter(|row| layer.contexts().contains(&row.context) && !row.hint.is_empty());
                parts.extend(here.filter_map(|row| self.hint_of(row.action)));
                parts
            }
            Some(Layer::Refused(refused)) => {
                let aside = refused.refusal.rule.map(|_| hint("ctrl-o".into(), "set the rule aside"));
                std::iter::once(hint("esc".into(), "close")).chain(aside).collect()
            }
            Some(Layer::Plan(view)) => self.plan_hints(view),
            Some(layer) => {
                let mut parts = vec![hint("esc".into(), "close")];
                if matches!(layer, Layer::Inspect(inspect) if inspect.has_cursor()) {
                    parts.extend(self.hint_of(Action::Open));
                }
                parts.extend(self.offered(layer.contexts()));
                parts
            }
            None => self.panel_hints(),
        };
        frame::strip(pen, line, &parts, 3);
    }

    fn plan_hints(&self, view: &PlanView) -> Vec<Vec<(Clean, Meaning)>> {
        if view.takes_text(&self.desk) {
            return vec![
                hint("enter".into(), "apply what was typed for"),
                hint("esc".into(), "cancel (default)"),
            ];
        }
        let operation = self.desk.operation(&view.id);
        let asks = operation.is_some_and(|it| it.opened.is_none());
        let close = hint("esc".into(), if asks { "cancel (default)" } else { "close" });
        let actions = operation.map_or(&[][..], PlanView::actions);
        std::iter::once(close).chain(actions.iter().filter_map(|action| self.hint_of(*action))).collect()
    }

    fn panel_hints(&self) -> Vec<Vec<(Clean, Meaning)>> {
        let own = self.panels[self.focus].hints().iter().copied();
        let everywhere = [Action::Scope, Action::Freeze, Action::Palette, Action::Help, Action::Quit];
        if self.replay.is_some() {
            let first = [Action::ReplayHold, Action::ReplayStep, Action::ReplaySecond];
            let rest = [Action::ReplayTen, Action::ReplayFaster, Action::ReplaySlower, Action::Palette];
            let shown = first.into_iter().chain([Action::Help, Action::Quit]).chain(rest);
            return shown.filter_map(|action| self.hint_of(action)).collect();
        }
        own.chain(everywhere).filter_map(|action| self.hint_of(action)).collect()
    }

    fn offered(&self, contexts: &[crate::input::Context]) -> Vec<Vec<(Clean, Meaning)>> {
        let rows = ACTIONS.iter();
        let here = rows.filter(|row| contexts.contains(&row.context) && !row.hint.is_empty());
        let everywhere = [Action::Help, Action::Quit];
        here.map(|row| row.action).chain(everywhere).filter_map(|action| self.hint_of(action)).collect()
    }

    fn hint_of(&self, action: Action) -> Option<Vec<(Clean, Meaning)>> {
        let row = action.row();
        let chord = self.keymap.shown(action)?;
        let word = if row.hint.is_empty() { row.name } else { row.hint };
        let key = if chord.to_string() == "enter" { self.glyphs.enter.to_owned() } else { chord.to_string() };
        Some(hint(key, word))
    }
}

fn hint(key: String, word: &str) -> Vec<(Clean, Meaning)> {
    vec![(Clean::from(key), Meaning::Key), (Clean::from(format!(" {word}")), Meaning::Hint)]
}
