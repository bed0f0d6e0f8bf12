//! The small pictures below the findings: one strip a cluster where there is little room, else a tile of
//! every panel.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use ratatui::layout::Rect;

use crate::fleet::{JobPhase, Rollout};
use crate::panels::clusters::state_cell;
use crate::panels::jobs::phase_cell;
use crate::panels::replicas::{ClusterHead, GroupRow, cell_cell, none_cell, some_clusters};
use crate::panels::traffic::{destination_cell, share_cell};
use crate::state::State;
use crate::state::select::clusters::{self, ClusterRow};
use crate::state::select::jobs::{self, JobRow};
use crate::state::select::replicas::{self, Group};
use crate::state::select::routes::rows::{self as routes, RouteRow};
use crate::state::select::settled::{jobs_are_told, workloads_are_told};
use crate::ui::theme::Meaning;
use crate::ui::{Align, Cell, Glyphs, Pen, meter, pen, text};

/// From this width on there are tiles.
const TILES_FROM: u16 = 100;
/// From this width on a job's row says its cluster in words too.
const CLUSTER_NAMES_FROM: u16 = 70;
/// Rows of jobs and replicas that are kept for the tiles, at most.
const MOST_ROWS: usize = 60;
/// Cells of the bar of a cluster's GPUs.
const BAR: usize = 5;

#[derive(Default)]
pub struct Tiles {
    clusters: Vec<ClusterRow>,
    jobs: Vec<Arc<JobRow>>,
    heads: Vec<ClusterHead>,
    groups: Vec<GroupRow>,
    /// Destinations of rules that split.
    routes: Vec<Arc<RouteRow>>,
    /// What the rows come from: while it is the same, so are they.
    all_jobs: Option<Arc<[Arc<JobRow>]>>,
    all_groups: Option<Arc<[Arc<Group>]>>,
    /// Jobs by phase, with those that are not shown.
    phases: Vec<(JobPhase, usize)>,
    /// What to say where there are no jobs and no workloads.
    no_jobs: &'static str,
    no_workloads: &'static str,
}

impl Tiles {
    pub fn refresh(&mut self, state: &State) {
        self.clusters = clusters::rows(state);
        self.refresh_jobs(jobs::rows(state));
        let heads = state.counted_clusters().map(|cluster| ClusterHead {
            id: cluster.id,
            name: cluster.spec.name.clone(),
            tint: cluster.tint(),
            none: replicas::no_cell(state, cluster),
        });
        self.refresh_groups(replicas::groups(state), heads.collect());
        let routes = routes::rows(state);
        let splitting = routes.iter().filter(|row| row.rule().destinations().len() > 1);
        self.routes = splitting.take(MOST_ROWS).cloned().collect();
        self.no_jobs = if jobs_are_told(state) { "no jobs" } else { "no jobs so far" };
        self.no_workloads = if workloads_are_told(state) { "no workloads" } else { "no workloads so far" };
    }

    fn refresh_jobs(&mut self, rows: Arc<[Arc<JobRow>]>) {
        if self.all_jobs.as_ref().is_some_and(|all| Arc::ptr_eq(all, &rows)) {
            return;
        }
        self.phases = JobPhase::ALL
            .into_iter()
            .map(|phase| (phase, rows.iter().filter(|row| row.phase == phase).count()))
            .filter(|(_, count)| *count > 0)
            .collect();
        let order = |a: &&Arc<JobRow>, b: &&Arc<JobRow>| (a.phase, &a.job.key).cmp(&(b.phase, &b.job.key));
        self.jobs = first(&rows, order);
        self.all_jobs = Some(rows);
    }

    fn refresh_groups(&mut self, groups: Arc<[Arc<Group>]>, heads: Vec<ClusterHead>) {
        if self.all_groups.as_ref().is_some_and(|all| Arc::ptr_eq(all, &groups)) && self.heads == heads {
            return;
        }
        let ranked: Vec<_> = groups.iter().map(|group| (group_rank(group), Arc::clone(group))).collect();
        let order = |a: &&(u8, Arc<Group>), b: &&(u8, Arc<Group>)| (a.0, &a.1.name).cmp(&(b.0, &b.1.name));
        let shown = first(&ranked, order).into_iter();
        self.groups = shown.map(|(_, group)| GroupRow::new(&group, &heads, &BTreeSet::new())).collect();
        (self.all_groups, self.heads) = (Some(groups), heads);
    }

    /// The place of the findings, and what is left for the tiles.
    pub fn split(&self, area: Rect, found: u16) -> (Rect, Rect) {
        let strips = (self.clusters.len() as u16).min(area.height / 3);
        let below = if area.width < TILES_FROM { strips + 2 } else { (area.height * 3 / 5).max(strips + 2) };
        let wanted = (found.max(1) + super::FRAME + super::CAUSE).clamp(5, 200);
        let below = below.max(area.height.saturating_sub(wanted));
        let top = area.height.saturating_sub(below).max(area.height.min(4));
        let rest = Rect { y: area.y + top, height: area.height - top, ..area };
        (Rect { height: top, ..area }, rest)
    }

    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        if area.height < 3 {
            return;
        }
        if area.width < TILES_FROM {
            let strips = (self.clusters.len() as u16 + 2).min(area.height);
            self.cluster_tile(pen, Rect { height: strips, ..area });
            let rest = Rect { y: area.y + strips, height: area.height - strips, ..area };
            if rest.height >= 4 {
                self.replicas_tile(pen, rest);
            }
            return;
        }
        let cluster_height = (self.clusters.len() as u16 + 2).min(area.height / 2).max(3);
        self.cluster_tile(pen, Rect { height: cluster_height, ..area });
        let below = Rect { y: area.y + cluster_height, height: area.height - cluster_height, ..area };
        let left = Rect { width: below.width / 2, ..below };
        self.jobs_tile(pen, left);
        let right = Rect { x: below.x + left.width, width: below.width - left.width, ..below };
        let (replicas, traffic) = self.share(right);
        self.replicas_tile(pen, replicas);
        self.traffic_tile(pen, traffic);
    }

    /// The place of the replicas, and that of the routes below them, where there are any and room for both.
    fn share(&self, area: Rect) -> (Rect, Rect) {
        const LEAST: u16 = 9;
        if self.routes.is_empty() || area.height < LEAST {
            return (area, Rect { height: 0, ..area });
        }
        let height = (self.routes.len() as u16 + 2).min(area.height / 2);
        let top = area.height - height;
        (Rect { height: top, ..area }, Rect { y: area.y + top, height, ..area })
    }

    /// `ml-inference-multicloud  ml-inference-aws  ██████░░  60%`
    fn traffic_tile(&self, pen: &mut Pen<'_>, area: Rect) {
        if area.height < 3 {
            return;
        }
        let inside = pen.frame(area, &"Traffic".into(), &"6".into());
        let name_width = usize::from(inside.width / 3);
        let to_width = usize::from(inside.width / 3);
        for (at, (line, row)) in pen::lines(inside).zip(&self.routes).enumerate() {
            let above = at.checked_sub(1).map(|above| &self.routes[above]);
            let told =
                above.is_some_and(|it| it.id == row.id && it.rule == row.rule && it.clusters == row.clusters);
            if !told {
                pen.put(Rect { width: name_width as u16 - 1, ..line }, &row.id.key.name, Meaning::Text);
            }
            let to = Rect { x: line.x + name_width as u16, width: to_width as u16 - 1, ..line };
            pen.put_cell(to, &traffic_cell(row, destination_cell(row)), Align::Left);
            let used = (name_width + to_width) as u16;
            let share = Rect { x: line.x + used, width: line.width.saturating_sub(used), ..line };
            pen.put_cell(share, &traffic_cell(row, share_cell(row, 8, pen.cx)), Align::Left);
        }
    }

    /// `▌aws-east  EKS 1.33  nodes 24/24  ● live  ████░░ GPUs 160/192  1s`
    fn cluster_tile(&self, pen: &mut Pen<'_>, area: Rect) {
        let inside = pen.frame(area, &"Clusters".into(), &"2".into());
        let widest = |of: fn(&ClusterRow) -> usize| self.clusters.iter().map(of).max().unwrap_or(0);
        let (name, version) = (widest(|row| text::width(&row.name)), widest(|row| text::width(&row.version)));
        let states: Vec<Cell> =
            self.clusters.iter().map(|row| state_cell(&row.liveness, pen.cx.glyphs)).collect();
        let state_width = states.iter().map(Cell::width).max().unwrap_or(0) + 2;
        let shown = usize::from(inside.height);
        for (line, (row, state)) in pen::lines(inside).zip(self.clusters.iter().zip(states)) {
            let glyphs = pen.cx.glyphs;
            let mut cell = Cell::new(glyphs.tint, Meaning::Tint(row.tint))
                .and(format!("{:<name$}  ", row.name), Meaning::Text);
            let pad = state_width - state.width();
            cell.parts.extend(state.parts);
            cell = cell
                .and(" ".repeat(pad), Meaning::Text)
                .and(format!("{:<version$}  ", row.version), Meaning::Muted);
            cell.parts.extend(Self::numbers(row, glyphs).parts);
            pen.put_cell(line, &cell, Align::Left);
            if let Some(age) = row.oldest {
                let room = usize::from(line.width).saturating_sub(cell.width());
                if room > 5 {
                    pen.put_right(line, age.to_string(), Meaning::Muted);
                }
            }
        }
        if self.clusters.len() > shown {
            let more = self.clusters.len() - shown;
            pen.put_below(area, &format!("{more} more"));
        }
    }

    fn numbers(row: &ClusterRow, glyphs: &Glyphs) -> Cell {
        let live = row.liveness.is_live();
        if !row.nodes.is_known() {
            return Cell::new(glyphs.unknown, Meaning::Unknown);
        }
        let short = row.nodes_ready < row.nodes_total;
        let nodes = if short { Meaning::Warning } else { Meaning::Muted };
        let mut cell = Cell::new(format!("nodes {}/{}  ", row.nodes_ready, row.nodes_total), nodes);
        if row.gpus_allocatable.whole > 0 {
            let (bar, requested) = if row.pods.is_known() {
                let requested = row.gpus_requested.whole;
                let share = f64::from(requested) / f64::from(row.gpus_allocatable.whole);
                (meter::bar(share, BAR, glyphs, Meaning::Progress), requested.to_string())
            } else {
                // An empty one would say that nothing is used.
                (Cell::text(" ".repeat(BAR)), glyphs.unknown.to_owned())
            };
            cell.parts.extend(bar.parts);
            cell = cell.and(format!(" GPUs {requested}/{}", row.gpus_allocatable.whole), Meaning::Text);
        }
        if live { cell } else { cell.stale() }
    }

    /// `▌● Running    bert-finetune-7  aws-east  58%`
    fn jobs_tile(&self, pen: &mut Pen<'_>, area: Rect) {
        if area.height < 3 {
            return;
        }
        let open = self.phases.iter().filter(|(phase, _)| *phase != JobPhase::Succeeded);
        let counts: Vec<_> =
            open.map(|(phase, count)| format!("{count} {}", phase.name().to_lowercase())).collect();
        // What there is no room for is told by the panel.
        let room = usize::from(area.width).saturating_sub(12);
        let fitting = (0..=counts.len()).rev().map(|count| counts[..count].join(", "));
        let note = fitting.into_iter().find(|note| text::width(note) <= room).unwrap_or_default();
        let inside = pen.frame(area, &"Jobs".into(), &note.into());
        if self.jobs.is_empty() {
            pen.put(inside, self.no_jobs, Meaning::Muted);
        }
        for (line, row) in pen::lines(inside).zip(&self.jobs) {
            let cell = job_cell(row, pen.cx.glyphs, inside.width >= CLUSTER_NAMES_FROM);
            pen.put_cell(line, &cell, Align::Left);
        }
    }

    /// ```text
    ///                 aws-east   gcp-cent…  azure-ea…
    /// ml-inference    6/6        4/4        ?/3
    /// ```
    fn replicas_tile(&self, pen: &mut Pen<'_>, area: Rect) {
        let inside = pen.frame(area, &"Replicas ready/desired".into(), &"5".into());
        if inside.height < 2 {
            return;
        }
        let heads = self.heads.len().max(1) as u16;
        let head = self.heads.iter().map(|it| text::width(&it.name) as u16 + 1).max().unwrap_or(0);
        let name_width = inside.width.saturating_sub(heads * head).clamp(16, 34).min(inside.width / 2);
        let column = ((inside.width - name_width) / heads).clamp(10, 18);
        let fitting = usize::from((inside.width - name_width) / column);
        let place = |line: Rect, at: usize| Rect {
            x: line.x + name_width + at as u16 * column,
            width: column.min(inside.width.saturating_sub(name_width + at as u16 * column)).saturating_sub(1),
            ..line
        };
        let mut lines = pen::lines(inside);
        let Some(head) = lines.next() else { return };
        for (at, cluster) in self.heads.iter().take(fitting).enumerate() {
            pen.put(place(head, at), &cluster.name, Meaning::Header);
        }
        if self.heads.len() > fitting {
            let shown = some_clusters(&(0..fitting), self.heads.len(), pen.cx.glyphs);
            pen.put_below(area, &shown);
        }
        if self.groups.is_empty() {
            pen.put(pen::line(inside, 1), self.no_workloads, Meaning::Muted);
        }
        for (line, row) in lines.zip(&self.groups) {
            let name = row.group.name.rsplit('/').next().unwrap_or_default();
            pen.put(Rect { width: name_width - 1, ..line }, name, Meaning::Text);
            for (at, cluster) in self.heads.iter().take(fitting).enumerate() {
                let cell = row.group.cells.get(cluster.id);
                let cell = cell.map_or_else(
                    || none_cell(&cluster.none, pen.cx.glyphs),
                    |it| cell_cell(it, pen.cx.glyphs),
                );
                pen.put_cell(place(line, at), &cell, Align::Left);
            }
        }
    }
}

/// What is not as of now does not look as if it were.
fn traffic_cell(row: &RouteRow, cell: Cell) -> Cell {
    if row.freshness.is_whole() { cell } else { cell.stale() }
}

fn job_cell(row: &JobRow, glyphs: &Glyphs, with_cluster: bool) -> Cell {
    let phase = phase_cell(row.phase, glyphs);
    let pad = 13usize.saturating_sub(phase.width());
    let mut cell = Cell::new(glyphs.tint, Meaning::Tint(row.tint));
    cell.parts.extend(phase.parts);
    cell = cell.and(" ".repeat(pad), Meaning::Text).and(&row.job.key.name, Meaning::Text);
    if with_cluster {
        cell = cell.and(format!("  {}", row.cluster_name), Meaning::Muted);
    }
    if let Some(progress) = row.job.progress.filter(|_| !row.phase.has_ended()) {
        cell = cell.and(format!("  {}", text::percent(progress)), Meaning::Progress);
    } else if !row.message.is_empty() && row.phase != JobPhase::Succeeded {
        cell = cell.and(format!("  {}", row.message), Meaning::Muted);
    }
    if row.freshness.is_whole() { cell } else { cell.stale() }
}

/// The first rows in an order; the others are not sorted.
fn first<T: Clone>(rows: &[T], order: impl Fn(&&T, &&T) -> Ordering) -> Vec<T> {
    let mut rows: Vec<&T> = rows.iter().collect();
    if rows.len() > MOST_ROWS {
        rows.select_nth_unstable_by(MOST_ROWS, &order);
        rows.truncate(MOST_ROWS);
    }
    rows.sort_by(order);
    rows.into_iter().cloned().collect()
}

/// What is not as it should be stands first.
fn group_rank(group: &Group) -> u8 {
    let rank = |cell: &replicas::Cell| match &cell.rollout {
        _ if !cell.freshness.is_whole() => 3,
        Rollout::Stuck(_) => 0,
        _ if cell.is_short() => 1,
        Rollout::Progressing(_) | Rollout::Paused(_) => 2,
        Rollout::Complete => 3,
    };
    group.cells.values().map(|cell| rank(cell)).min().unwrap_or(3)
}
