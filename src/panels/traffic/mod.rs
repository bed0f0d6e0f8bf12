//! Traffic: route › rule › destination, with the weight as it is written and the share that it comes to.

mod columns;

use std::sync::Arc;

use ratatui::layout::Rect;

use super::{Begin, Filter, List, Order, Panel, PanelId, Request, Scene, Target};
use crate::fleet::{Clean, ClusterId, ObjectId, Subject};
use crate::input::Action;
use crate::state::select::routes::rows::{RouteRow, rows};
use crate::state::select::settled::routes_are_told;
use crate::ui::theme::Meaning;
use crate::ui::{Pen, pen};

pub use columns::{Shown, columns, destination_cell, share_cell};

/// Lines below the list: the requests of the rule, who owns it, and what changes its meaning.
const DETAIL: u16 = 3;

/// A row is the same row while these are.
type Key = (ObjectId, Option<ClusterId>, usize, Option<usize>);

pub struct Traffic {
    list: List<Shown, Key>,
    /// Where the rows of the list come from.
    taken: Option<Arc<[Arc<RouteRow>]>>,
    empty: &'static str,
}

impl Default for Traffic {
    fn default() -> Self {
        Self { list: List::new(columns(), |row| key(&row.row), tint), taken: None, empty: "" }
    }
}

fn key(row: &RouteRow) -> Key {
    (row.id.clone(), row.clusters.first().map(|it| it.id), row.rule, row.destination)
}

/// The cluster's tint where a row is of one cluster alone.
fn tint(row: &Shown) -> Option<u8> {
    match &row.row.clusters[..] {
        [only] => Some(only.tint),
        _ => None,
    }
}

impl Panel for Traffic {
    fn id(&self) -> PanelId {
        PanelId::Traffic
    }

    fn refresh(&mut self, Scene { state, .. }: Scene<'_>, area: Rect) {
        let (rows, height) = (rows(state), area.height.saturating_sub(DETAIL));
        if self.taken.as_ref().is_some_and(|taken| Arc::ptr_eq(taken, &rows)) {
            self.list.keep(height);
        } else {
            self.list.refresh(rows.iter().cloned().map(Shown::new).collect(), height);
            self.taken = Some(rows);
        }
        self.mark();
        self.empty = match self.list.counts() {
            (0, 0) if routes_are_told(state) => "no routes",
            (0, 0) => "no routes so far: not every cluster has told its routes",
            _ => "",
        };
    }

    /// ```text
    ///   ROUTE                     # RULE          DESTINATION       CLOUD  WEIGHT  SHARE          READY  OWNER
    /// › ml-platform/ml-inference  1 canary      ml-inference-gcp  gcp         –  ████████ 100%  4/4    unmanaged
    ///                             2 everything  ml-inference-aws  aws        60  ████▊░░░  60%  6/6    unmanaged
    ///                                           ml-inference-gcp  gcp        40  ███▎░░░░  40%  4/4    unmanaged
    /// ```
    fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        if self.list.counts().0 == 0 {
            let words = if self.empty.is_empty() { "no route passes the filter" } else { self.empty };
            pen.put(area, format!("  {words}"), Meaning::Muted);
            return;
        }
        let (list, below) = pen::above(area, DETAIL);
        self.list.view(pen, list, &self.list.drawn(), None);
        if let Some(row) = self.list.selected() {
            let below = Rect { x: below.x + 2, width: below.width.saturating_sub(3), ..below };
            for (line, (words, meaning)) in pen::lines(below).zip(columns::detail(row)) {
                pen.put(line, words, meaning);
            }
        }
    }

    fn act(&mut self, action: Action) -> Option<Request> {
        if self.list.act(action) {
            self.mark();
            return None;
        }
        match action {
            Action::Open | Action::Right => self.target().map(Request::Inspect),
            Action::Yaml => self.target().map(Request::Yaml),
            Action::Logs => {
                // What it leads to runs elsewhere than where the requests begin.
                let at = self.list.selected()?.row.runs_in.first().copied();
                let target = self.target()?;
                Some(Request::Logs(Target { cluster: at.or(target.cluster), ..target }))
            }
            Action::EditWeights => self.weights(Begin::Edit),
            Action::Drain => self.weights(Begin::Drain),
            Action::Ramp => self.weights(Begin::Ramp),
            Action::Unlock => {
                let row = &self.list.selected()?.row;
                Some(Request::Unlock(row.clusters.iter().map(|it| it.id).collect()))
            }
            Action::Copy => Some(Request::Copy(self.list.selected()?.row.id.key.to_string().into())),
            _ => None,
        }
    }

    fn click(&mut self, area: Rect, _: u16, y: u16) -> bool {
        let same = self.list.click(area, y);
        self.mark();
        same
    }

    fn target(&self) -> Option<Target> {
        let row = &self.list.selected()?.row;
        let cluster = row.clusters.first()?.id;
        Some(Target { cluster: Some(cluster), subject: Subject::Route(row.id.clone()) })
    }

    fn select(&mut self, target: &Target) {
        let Subject::Route(id) = &target.subject else { return };
        let of_cluster =
            |row: &RouteRow| target.cluster.is_none_or(|at| row.clusters.iter().any(|it| it.id == at));
        self.list.select(|shown| shown.row.id == *id && of_cluster(&shown.row));
        self.mark();
    }

    fn filter(&self) -> &Filter {
        self.list.filter()
    }

    fn set_filter(&mut self, filter: Filter) {
        self.list.set_filter(filter);
        self.mark();
    }

    fn fields(&self) -> Vec<(Clean, Clean)> {
        self.list.fields()
    }

    fn order(&self) -> Option<(Clean, Order)> {
        self.list.order()
    }

    fn set_order(&mut self, column: &str, order: Order) {
        self.list.set_order(column, order);
        self.mark();
    }

    fn counts(&self) -> (usize, usize) {
        self.list.counts()
    }

    fn noun(&self) -> &'static str {
        "destinations"
    }

    fn own(&self) -> &'static [Action] {
        &[Action::Logs, Action::Yaml, Action::EditWeights, Action::Drain, Action::Ramp, Action::Unlock]
    }

    fn hints(&self) -> &'static [Action] {
        &[Action::EditWeights, Action::Drain, Action::Ramp, Action::Open, Action::Logs, Action::Filter]
    }
}

impl Traffic {
    /// The editor for the rule under the cursor.
    fn weights(&self, begin: Begin) -> Option<Request> {
        let row = &self.list.selected()?.row;
        Some(Request::Weights {
            route: row.id.clone(),
            clusters: row.clusters.iter().map(|it| it.id).collect(),
            rule: row.rule,
            destination: row.destination.unwrap_or(0),
            begin,
        })
    }

    /// Names that stand in the row above are not said again.
    fn mark(&mut self) {
        self.list.mark(Shown::told_by, |row, told| row.told = told);
    }
}
