//! Fleet: what needs attention, ranked; below it a small picture of every other panel.

mod columns;
mod tiles;

use ratatui::layout::Rect;

use super::{Filter, List, Order, Panel, PanelId, Request, Scene, Target};
use crate::fleet::{Clean, ClusterId, Rule, Subject};
use crate::gate::{Desk, Operation};
use crate::input::Action;
use crate::panels::journal::Standing;
use crate::ui::theme::Meaning;
use crate::ui::{Pen, pen};
use tiles::Tiles;

pub use columns::FindingRow;

/// Lines that a frame and the header of the list take.
const FRAME: u16 = 3;
/// Lines below the list for the whole cause of the finding that the cursor is on.
const CAUSE: u16 = 2;

pub struct Fleet {
    list: List<FindingRow, (Rule, Option<ClusterId>, Subject)>,
    tiles: Tiles,
    calm: Calm,
    /// Changes that nobody goes on with by himself, in words.
    standing: Option<Clean>,
}

/// What an empty list means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calm {
    /// Something is there, or not everything has been heard.
    No,
    Loading,
    Yes,
}

impl Default for Fleet {
    fn default() -> Self {
        let key = |row: &FindingRow| (row.finding.rule, row.finding.cluster, row.finding.subject.clone());
        Self {
            list: List::new(columns::columns(), key, |row| row.tint),
            tiles: Tiles::default(),
            calm: Calm::No,
            standing: None,
        }
    }
}

impl Panel for Fleet {
    fn id(&self) -> PanelId {
        PanelId::Fleet
    }

    fn refresh(&mut self, Scene { state, desk }: Scene<'_>, area: Rect) {
        self.standing = standing(desk);
        let (_, area) = self.below_standing(area);
        let rows: Vec<_> = state.findings().in_scope(state).map(|it| FindingRow::new(state, it)).collect();
        self.calm = match (rows.is_empty(), state.findings().are_complete()) {
            (false, _) => Calm::No,
            (true, false) => Calm::Loading,
            (true, true) => Calm::Yes,
        };
        self.tiles.refresh(state);
        let found = rows.len() as u16;
        self.list.refresh(rows, self.tiles.split(area, found).0.height.saturating_sub(FRAME - 1 + CAUSE));
    }

    /// ```text
    ///  ▲ 2 changes stand still: UNKNOWN shift traffic of ml/web (gcp-central), and 1 more    0 journal
    /// ╭ Needs attention ──────────────────────────────────────────────────────────────── 5 ╮
    /// │   WHERE           WHAT                   SINCE  WHY                            SEE │
    /// │›▌✖ azure-eastus   cluster                2m14s  silent: ping: no answ…    clusters │
    /// │                                                                                    │
    /// │ silent: ping: no answer within 10s (check network, VPN and proxy)                  │
    /// ╰────────────────────────────────────────────────────────────────────────────────────╯
    /// ╭ Clusters ────────────────────────╮╭ Jobs ─────────────────╮╭ Replicas ─────────────╮
    /// ```
    fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let (line, area) = self.below_standing(area);
        if let Some(words) = &self.standing {
            let line = Rect { x: line.x + 1, width: line.width.saturating_sub(2), ..line };
            let key = pen.put_right(line, "0 journal", Meaning::Muted);
            let rest = Rect { width: line.width.saturating_sub(key + 2), ..line };
            pen.put(rest, format!("{} {words}", pen.cx.glyphs.warning), Meaning::Bad);
        }
        let (top, rest) = self.tiles.split(area, self.list.counts().1 as u16);
        let (shown, all) = self.list.counts();
        let count = if shown == all { all.to_string() } else { format!("{shown} of {all}") };
        let inside = pen.frame(top, &"Needs attention".into(), &count.into());
        match (self.calm, shown) {
            (Calm::Yes, _) => {
                let glyph = pen.cx.glyphs.good;
                pen.put(inside, format!("{glyph} nothing needs attention"), Meaning::Good);
            }
            (Calm::Loading, _) => {
                let glyph = pen.cx.glyphs.progress;
                pen.put(
                    inside,
                    format!("{glyph} nothing so far; not every cluster has told everything"),
                    Meaning::Progress,
                );
            }
            (Calm::No, 0) => drop(pen.put(inside, "no finding passes the filter", Meaning::Muted)),
            // The list has margins of its own.
            (Calm::No, _) => {
                let (list, below) = pen::above(inside, CAUSE);
                let list = Rect { x: list.x.saturating_sub(1), width: list.width + 1, ..list };
                self.list.view(pen, list, &self.list.drawn(), None);
                if let Some(row) = self.list.selected() {
                    pen.put_wrapped(below, &row.finding.cause, Meaning::Muted);
                }
            }
        }
        self.tiles.view(pen, rest);
    }

    fn act(&mut self, action: Action) -> Option<Request> {
        if self.list.act(action) {
            return None;
        }
        match action {
            Action::Open | Action::Right => self.open(),
            Action::Logs => self.target().map(Request::Logs),
            Action::Yaml => self.target().map(Request::Yaml),
            Action::Copy => {
                let row = self.list.selected()?;
                let text = format!("{} {}: {}", row.place, row.finding.subject, row.finding.cause);
                Some(Request::Copy(text.into()))
            }
            _ => None,
        }
    }

    fn click(&mut self, area: Rect, x: u16, y: u16) -> bool {
        let (_, area) = self.below_standing(area);
        let (top, _) = self.tiles.split(area, self.list.counts().1 as u16);
        let inside = Rect { x: top.x, y: top.y + 1, width: top.width, height: top.height.saturating_sub(2) };
        x >= inside.x && self.list.click(inside, y)
    }

    fn target(&self) -> Option<Target> {
        let finding = &self.list.selected()?.finding;
        Some(Target { cluster: finding.cluster, subject: finding.subject.clone() })
    }

    fn select(&mut self, target: &Target) {
        self.list
            .select(|row| row.finding.cluster == target.cluster && row.finding.subject == target.subject);
    }

    fn filter(&self) -> &Filter {
        self.list.filter()
    }

    fn set_filter(&mut self, filter: Filter) {
        self.list.set_filter(filter);
    }

    fn fields(&self) -> Vec<(Clean, Clean)> {
        self.list.fields()
    }

    fn order(&self) -> Option<(Clean, Order)> {
        self.list.order()
    }

    fn set_order(&mut self, column: &str, order: Order) {
        self.list.set_order(column, order);
    }

    fn counts(&self) -> (usize, usize) {
        self.list.counts()
    }

    fn noun(&self) -> &'static str {
        "findings"
    }

    fn own(&self) -> &'static [Action] {
        &[Action::Logs, Action::Yaml]
    }

    fn hints(&self) -> &'static [Action] {
        &[Action::Open, Action::Logs, Action::Filter]
    }
}

impl Fleet {
    /// The line for changes that stand still, if there are any, and what is left.
    fn below_standing(&self, area: Rect) -> (Rect, Rect) {
        let taken = u16::from(self.standing.is_some()).min(area.height);
        (Rect { height: taken, ..area }, Rect { y: area.y + taken, height: area.height - taken, ..area })
    }

    /// To the cause: the panel that shows it, with the cursor on it.
    fn open(&self) -> Option<Request> {
        let target = self.target()?;
        match &target.subject {
            Subject::Cluster => Some(Request::GoTo(PanelId::Clusters, Some(target))),
            Subject::Job(_) => Some(Request::GoTo(PanelId::Jobs, Some(target))),
            Subject::Workload(_) => Some(Request::GoTo(PanelId::Replicas, Some(target))),
            Subject::Route(_) => Some(Request::GoTo(PanelId::Traffic, Some(target))),
            Subject::Node(_) | Subject::Namespace(_) | Subject::Pod(_) => Some(Request::Inspect(target)),
        }
    }
}

/// `2 changes stand still: UNKNOWN shift traffic of ml/web (gcp-central), and 1 more`; the most urgent is named.
fn standing(desk: &Desk) -> Option<Clean> {
    let mut still: Vec<(Standing, &Operation)> = desk
        .open_operations()
        .map(|it| (Standing::of(it), it))
        .filter(|(it, _)| it.needs_somebody())
        .collect();
    still.sort_by_key(|(standing, operation)| (standing.rank(), std::cmp::Reverse(operation.opened)));
    let (_, first) = still.first()?;
    let clusters: Vec<_> = first.plan.clusters().iter().map(|it| it.name.as_str()).collect();
    let what = format!("{} {} ({})", first.words(), first.plan.title, clusters.join(", "));
    Some(Clean::from(match still.len() {
        1 => format!("a change stands still: {what}"),
        count => format!("{count} changes stand still: {what}, and {} more", count - 1),
    }))
}
