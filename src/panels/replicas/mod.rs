//! Replicas: workload × cluster. The unit is the service, not the pod.

mod columns;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use ratatui::layout::Rect;

use super::{Filter, List, Order, Panel, PanelId, Request, Scene, Target};
use crate::fleet::{Clean, ClusterId, Subject};
use crate::gate::Place;
use crate::input::Action;
use crate::state::select::replicas::{self, Group, NoCell};
use crate::state::select::settled::workloads_are_told;
use crate::ui::theme::Meaning;
use crate::ui::{Glyphs, Pen};

pub use columns::{ClusterHead, GroupRow, cell_cell};

/// Cells that the name and the total of a workload need; the rest is for clusters, and what is left of that
/// for the other columns.
const NAME_WIDTH: u16 = 42;

pub struct Replicas {
    list: List<GroupRow, Clean>,
    /// Where the rows of the list come from.
    taken: Option<Arc<[Arc<Group>]>>,
    clusters: Vec<ClusterHead>,
    /// The cluster that the cursor is in; the first when none was chosen.
    column: usize,
    /// The first cluster that is drawn.
    first: usize,
    drawn: usize,
    empty: &'static str,
    /// Cells that are marked, for an action on all of them.
    marked: BTreeSet<Place>,
}

impl Default for Replicas {
    fn default() -> Self {
        Self {
            list: List::new(columns::fixed(), |row| row.group.name.clone(), |_| None),
            taken: None,
            clusters: Vec::new(),
            column: 0,
            first: 0,
            drawn: 1,
            empty: "",
            marked: BTreeSet::new(),
        }
    }
}

impl Panel for Replicas {
    fn id(&self) -> PanelId {
        PanelId::Replicas
    }

    fn refresh(&mut self, Scene { state, .. }: Scene<'_>, area: Rect) {
        let clusters: Vec<ClusterHead> = state
            .counted_clusters()
            .map(|cluster| ClusterHead {
                id: cluster.id,
                name: cluster.spec.name.clone(),
                tint: cluster.tint(),
                none: replicas::no_cell(state, cluster),
            })
            .collect();
        let groups = replicas::groups(state);
        if self.taken.as_ref().is_some_and(|taken| Arc::ptr_eq(taken, &groups)) && self.clusters == clusters {
            self.list.keep(area.height);
        } else {
            self.forget_gone(&groups);
            let mut known = self.list.take_rows();
            if self.taken.is_none() || self.clusters != clusters {
                self.list.set_columns(columns::all(&clusters));
                known.clear();
            }
            let rows = self.rows_of(&groups, &clusters, known);
            self.list.refresh(rows, area.height);
            (self.clusters, self.taken) = (clusters, Some(groups));
        }
        self.column = self.column.min(self.clusters.len().saturating_sub(1));
        self.drawn = fitting(&self.clusters, area.width.saturating_sub(NAME_WIDTH));
        self.follow_column();
        self.empty = match self.list.counts() {
            (0, 0) if workloads_are_told(state) => "no workloads",
            (0, 0) => "no workloads yet: not every cluster has told its workloads",
            (0, _) => "no workload passes the filter",
            _ => "",
        };
    }

    /// ```text
    ///   WORKLOAD                  VERSION   SCALING   GPUS  TOTAL    aws-east   gcp-central  azure-eastus
    /// › ml-platform/ml-inference  1.4.2     HPA 3–20     1  10+?/13  6/6        4/4          ?/3
    ///   ml-platform/llm-serve     ≠ 2                    8  15/16    8/8        7/8 ↻        –
    /// ```
    fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        if !self.empty.is_empty() {
            pen.put(area, format!("  {}", self.empty), Meaning::Muted);
            return;
        }
        let fixed = columns::FIXED;
        let shown = self.first..(self.first + self.drawn).min(self.clusters.len());
        let mut columns: Vec<usize> = (0..fixed).collect();
        columns.extend(shown.clone().map(|at| fixed + at));
        let column = self.clusters.get(self.column).map(|_| fixed + self.column - self.first);
        let more = self.clusters.len() - shown.len();
        self.list.view(pen, area, &columns, column);
        if more > 0 {
            let note = some_clusters(&shown, self.clusters.len(), pen.cx.glyphs);
            let last = crate::ui::pen::line(area, area.height.saturating_sub(1));
            pen.put_right(last, note, Meaning::Muted);
        }
    }

    fn act(&mut self, action: Action) -> Option<Request> {
        match action {
            Action::Left => self.move_column(self.column.saturating_sub(1)),
            Action::Right => self.move_column(self.column + 1),
            Action::Open => return self.target().map(Request::Inspect),
            Action::Logs => return self.target().map(Request::Logs),
            Action::Yaml => return self.target().map(Request::Yaml),
            Action::Mark => self.mark(),
            Action::Scale => return Some(Request::Scale(self.chosen())),
            Action::Restart => return Some(Request::Restart(self.chosen())),
            Action::Unlock => return Some(Request::Unlock(self.chosen_clusters())),
            Action::Copy => return Some(Request::Copy(self.list.selected()?.group.name.clone())),
            other => drop(self.list.act(other)),
        }
        None
    }

    fn click(&mut self, area: Rect, _: u16, y: u16) -> bool {
        self.list.click(area, y)
    }

    /// The workload in the cluster that the cursor is in, else the first cluster that has it.
    fn target(&self) -> Option<Target> {
        let group = &self.list.selected()?.group;
        let here = self.clusters.get(self.column).map(|head| head.id);
        let cell = here.and_then(|id| Some((id, group.cells.get(id)?)));
        let (cluster, id) = match cell {
            Some((cluster, cell)) => (cluster, cell.workloads.first()?),
            None => group.first()?,
        };
        Some(Target { cluster: Some(cluster), subject: Subject::Workload(id.clone()) })
    }

    fn select(&mut self, target: &Target) {
        let Subject::Workload(id) = &target.subject else { return };
        let holds = |group: &Group, cluster: Option<ClusterId>| {
            let mut cells = group.cells.iter().filter(|(at, _)| cluster.is_none_or(|it| it == *at));
            cells.any(|(_, cell)| cell.workloads.contains(id))
        };
        self.list.select(|row| holds(&row.group, target.cluster));
        if let Some(at) = self.clusters.iter().position(|head| Some(head.id) == target.cluster) {
            self.move_column(at);
        }
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
        "workloads"
    }

    fn own(&self) -> &'static [Action] {
        &[Action::Logs, Action::Yaml, Action::Mark, Action::Scale, Action::Restart, Action::Unlock]
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::Open,
            Action::Scale,
            Action::Restart,
            Action::Mark,
            Action::Logs,
            Action::Filter,
            Action::SortNext,
        ]
    }
}

impl Replicas {
    /// The workloads in the cell that the cursor is in; none where the cell is empty.
    fn here(&self) -> Vec<Place> {
        let cell = self
            .clusters
            .get(self.column)
            .and_then(|head| Some((head.id, self.list.selected()?.group.cells.get(head.id)?)));
        let Some((cluster, cell)) = cell else { return Vec::new() };
        cell.workloads.iter().map(|id| Place { cluster, object: id.clone() }).collect()
    }

    /// What is marked; without marks, what the cursor is in. Nothing never means everything.
    fn chosen(&self) -> Vec<Place> {
        if self.marked.is_empty() { self.here() } else { self.marked.iter().cloned().collect() }
    }

    fn chosen_clusters(&self) -> Vec<ClusterId> {
        let clusters: BTreeSet<ClusterId> = self.chosen().into_iter().map(|place| place.cluster).collect();
        let here = self.clusters.get(self.column).map(|head| head.id);
        if clusters.is_empty() { here.into_iter().collect() } else { clusters.into_iter().collect() }
    }

    fn mark(&mut self) {
        let here = self.here();
        let all = here.iter().all(|place| self.marked.contains(place));
        for place in here {
            if all {
                self.marked.remove(&place);
            } else {
                self.marked.insert(place);
            }
        }
        let marked = &self.marked;
        self.list.each(|row| row.mark(marked));
    }

    /// A row for each group; that of a group which did not change is taken again.
    fn rows_of(
        &self,
        groups: &[Arc<Group>],
        clusters: &[ClusterHead],
        known: Vec<GroupRow>,
    ) -> Vec<GroupRow> {
        let mut known = known.into_iter().peekable();
        let row = |group: &Arc<Group>| {
            while known.next_if(|row| row.group.name < group.name).is_some() {}
            let same = known.next_if(|row| Arc::ptr_eq(&row.group, group));
            same.unwrap_or_else(|| GroupRow::new(group, clusters, &self.marked))
        };
        groups.iter().map(row).collect()
    }

    /// A mark on something that is gone would come back with another object of its name.
    fn forget_gone(&mut self, groups: &[Arc<Group>]) {
        self.marked.retain(|place| {
            let mut cells = groups.iter().filter_map(|group| group.cells.get(place.cluster));
            cells.any(|cell| cell.workloads.contains(&place.object))
        });
    }

    fn move_column(&mut self, to: usize) {
        self.column = to.min(self.clusters.len().saturating_sub(1));
        self.follow_column();
    }

    fn follow_column(&mut self) {
        let total = self.clusters.len();
        self.first = crate::ui::table::scrolled(self.first, self.column, self.drawn, total);
    }
}

/// How many clusters fit side by side, at least one.
fn fitting(clusters: &[ClusterHead], room: u16) -> usize {
    let mut used = 0;
    let widths = clusters.iter().map(|head| crate::ui::text::width(&head.name).clamp(8, 14) as u16 + 2);
    let fit = widths.take_while(|width| {
        used += width;
        used <= room
    });
    fit.count().max(1)
}

/// `clusters 1–3 of 5`: what has room beside each other.
pub fn some_clusters(shown: &Range<usize>, all: usize, glyphs: &Glyphs) -> String {
    format!("clusters {}{}{} of {all}", shown.start + 1, glyphs.dash, shown.end)
}

/// What to show where a group has no cell.
pub fn none_cell(none: &NoCell, glyphs: &Glyphs) -> crate::ui::Cell {
    match none {
        NoCell::Absent => crate::ui::Cell::new(glyphs.absent, Meaning::Faint),
        NoCell::Unknown => crate::ui::Cell::unknown(glyphs),
    }
}
