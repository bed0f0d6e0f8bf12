//! The columns of the Replicas panel: a few about the service, then one for each cluster.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::fleet::{Clean, ClusterId, GpuCount, Rollout};
use crate::gate::Place;
use crate::panels::{Column, Value};
use crate::state::select::Tally;
use crate::state::select::replicas::{Cell as Replicas, Group, NoCell, Range};
use crate::ui::{Cell, Glyphs, Meaning, ViewCx};

type C = Column<GroupRow>;

/// How many columns stand before those of the clusters.
pub const FIXED: usize = 5;

/// A cluster of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterHead {
    pub id: ClusterId,
    pub name: Clean,
    pub tint: u8,
    pub none: NoCell,
}

/// A group with what its columns show, worked out once.
#[derive(Debug, Clone)]
pub struct GroupRow {
    pub group: Arc<Group>,
    /// The group's, which is sorted by and looked into with every key.
    name: Clean,
    pub ready: Tally,
    pub desired: Tally,
    versions: Vec<Clean>,
    /// The version, where there is one; that of most rows is looked at here when they are sorted.
    version: Option<Clean>,
    drifts: bool,
    scaling: Option<Range>,
    gpus: GpuCount,
    /// Why there is no cell, for each cluster that has none.
    none: Vec<(ClusterId, NoCell)>,
    clusters: Vec<Clean>,
    /// Clusters in which its cell is marked.
    marked: Vec<ClusterId>,
}

impl GroupRow {
    pub fn new(group: &Arc<Group>, clusters: &[ClusterHead], marked: &BTreeSet<Place>) -> Self {
        let (mut ready, mut desired) = (Tally::default(), Tally::default());
        for head in clusters {
            match group.cells.get(head.id) {
                Some(cell) => {
                    let whole = cell.freshness.is_whole();
                    ready.add(whole.then_some(cell.ready.into()));
                    desired.add(whole.then_some(cell.desired.into()));
                }
                None if head.none == NoCell::Unknown => {
                    ready.add(None);
                    desired.add(None);
                }
                None => {
                    ready.add(Some(0));
                    desired.add(Some(0));
                }
            }
        }
        let named = |id: ClusterId| clusters.iter().find(|head| head.id == id).map(|head| head.name.clone());
        let none = clusters.iter().filter(|head| group.cells.get(head.id).is_none());
        let versions: Vec<Clean> = group.versions().into_iter().cloned().collect();
        let mut row = Self {
            marked: Vec::new(),
            ready,
            desired,
            version: if let [only] = &versions[..] { Some(only.clone()) } else { None },
            versions,
            drifts: group.drifts(),
            scaling: group.cells.values().find_map(|cell| cell.scaling.clone()),
            gpus: group.cells.values().fold(GpuCount::NONE, |most, cell| most.max(cell.gpus_per_replica)),
            none: none.map(|head| (head.id, head.none.clone())).collect(),
            name: group.name.clone(),
            clusters: group.cells.clusters().filter_map(named).collect(),
            group: Arc::clone(group),
        };
        row.mark(marked);
        row
    }

    pub fn mark(&mut self, marked: &BTreeSet<Place>) {
        let is_marked = |(cluster, cell): &(ClusterId, &Arc<Replicas>)| {
            let mut workloads = cell.workloads.iter();
            workloads.any(|id| marked.contains(&Place { cluster: *cluster, object: id.clone() }))
        };
        self.marked = self.group.cells.iter().filter(is_marked).map(|(cluster, _)| cluster).collect();
    }
}

pub fn fixed() -> Vec<C> {
    vec![
        C::new("workload", "WORKLOAD", "Namespace and name", |row, _| Value::text(&row.name))
            .cell(|row, _, _| name_cell(row))
            .flexible(24, 60),
        C::new("version", "VERSION", "Version, or how many differ", |row, _| {
            row.version.as_ref().map_or(Value::Texts(&row.versions), Value::text)
        })
        .cell(|row, _, cx| version_cell(row, cx.glyphs))
        .drop(4),
        C::new("scaling", "SCALING", "Range of the autoscaler", |row, _| {
            Value::maybe(row.scaling.as_ref(), |range| {
                Value::Several(vec![range.by.into(), (&range.note).into()])
            })
        })
        .cell(|row, _, cx| scaling_cell(row.scaling.as_ref(), cx.glyphs))
        .drop(2),
        C::new("gpus", "GPUS", "GPUs of one replica", |row, _| Value::Number(row.gpus.whole.into()))
            .cell(
                |row, _, _| {
                    if row.gpus.is_none() { Cell::default() } else { Cell::text(row.gpus.to_string()) }
                },
            )
            .numbers()
            .right()
            .drop(2),
        C::new("total", "TOTAL", "Replicas ready in all clusters", |row, _| {
            Value::Number(row.ready.known as f64)
        })
        .cell(|row, _, _| total_cell(row))
        .numbers()
        .right()
        .drop(3),
    ]
}

/// The fixed columns, one for each cluster, and those that are only for filters.
pub fn all(clusters: &[ClusterHead]) -> Vec<C> {
    let mut columns = fixed();
    columns.extend(clusters.iter().map(|head| {
        C {
            number: head.id.0,
            ..C::new(&head.name, &head.name, "Replicas ready in this cluster", ready_here)
                .cell(|row, column, cx| here_cell(row, ClusterId(column.number), cx))
                .numbers()
                .widest(14)
        }
    }));
    columns.extend([
        C::hidden("cluster", "Clusters that have it", |row, _| Value::Texts(&row.clusters)),
        C::hidden("kind", "Kind", |row, _| Value::each(row.group.kinds.iter().map(|kind| kind.name()))),
        C::hidden("rollout", "complete, progressing, stuck, paused", rollouts),
        C::hidden("missing", "Replicas that are not ready", |row, _| {
            Value::Number(row.desired.known.saturating_sub(row.ready.known) as f64)
        })
        .numbers(),
    ]);
    columns
}

fn name_cell(row: &GroupRow) -> Cell {
    let Some((namespace, name)) = row.group.name.split_once('/') else {
        return Cell::text(&row.group.name);
    };
    Cell::muted(format!("{namespace}/")).and(name, Meaning::Text)
}

fn version_cell(row: &GroupRow, glyphs: &Glyphs) -> Cell {
    match &row.versions[..] {
        [] => Cell::default(),
        [only] => Cell::text(only),
        several if row.drifts => {
            Cell::new(format!("{} {} differ", glyphs.differs, several.len()), Meaning::Warning)
        }
        several => Cell::new(format!("{} {}", glyphs.progress, several.len()), Meaning::Progress),
    }
}

fn scaling_cell(range: Option<&Range>, glyphs: &Glyphs) -> Cell {
    let Some(range) = range else { return Cell::default() };
    let meaning = if range.note.is_empty() { Meaning::Muted } else { Meaning::Warning };
    Cell::new(format!("{} {}{}{}", range.by, range.min, glyphs.dash, range.max), meaning)
}

fn total_cell(row: &GroupRow) -> Cell {
    let short = row.ready.known < row.desired.known;
    let meaning = if short { Meaning::Warning } else { Meaning::Muted };
    Cell::new(format!("{}/{}", row.ready, row.desired), meaning)
}

fn ready_here<'a>(row: &'a GroupRow, column: &'a C) -> Value<'a> {
    let cell = row.group.cells.get(ClusterId(column.number));
    Value::maybe(cell, |cell| Value::Number(cell.ready.into()))
}

fn here_cell(row: &GroupRow, cluster: ClusterId, cx: ViewCx<'_>) -> Cell {
    if let Some(cell) = row.group.cells.get(cluster) {
        let drawn = cell_cell(cell, cx.glyphs);
        if row.marked.contains(&cluster) {
            return Cell::new(format!("{} ", cx.glyphs.marked), Meaning::Marked)
                .and(drawn.plain(), Meaning::Marked);
        }
        return drawn;
    }
    let none = row.none.iter().find(|(id, _)| *id == cluster).map(|(_, none)| none);
    super::none_cell(none.unwrap_or(&NoCell::Unknown), cx.glyphs)
}

/// `6/6`, `7/8 ↻`, `2/4 ✖`, `?/3`: ready of desired, and what the rollout does.
pub fn cell_cell(cell: &Replicas, glyphs: &Glyphs) -> Cell {
    if !cell.freshness.is_whole() {
        // What was last asked for still stands in all likelihood; what is ready nobody knows.
        return Cell::new(format!("{}/{}", glyphs.unknown, cell.desired), Meaning::Unknown);
    }
    let counts = format!("{}/{}", cell.ready, cell.desired);
    let (mark, meaning) = match &cell.rollout {
        Rollout::Stuck(_) => (glyphs.bad, Meaning::Bad),
        Rollout::Progressing(_) => (glyphs.progress, Meaning::Progress),
        Rollout::Paused(_) => (glyphs.paused, Meaning::Progress),
        Rollout::Complete if cell.is_short() => (glyphs.warning, Meaning::Warning),
        Rollout::Complete => ("", Meaning::Text),
    };
    let of_counts = if cell.is_short() && meaning != Meaning::Bad { Meaning::Warning } else { Meaning::Text };
    if mark.is_empty() {
        return Cell::new(counts, of_counts);
    }
    Cell::new(counts, of_counts).and(format!(" {mark}"), meaning)
}

fn rollouts<'a>(row: &'a GroupRow, _: &'a C) -> Value<'a> {
    let words = row.group.cells.values().map(|cell| match cell.rollout {
        Rollout::Complete => "complete",
        Rollout::Progressing(_) => "progressing",
        Rollout::Stuck(_) => "stuck",
        Rollout::Paused(_) => "paused",
    });
    Value::each(words)
}
