//! `ReplicaList`: one item a service, with a cell for each cluster that has it.

use serde::Serialize;

use super::{Document, Worth, document, some};
use crate::cli::status::table::Table;
use crate::fleet::{Clean, GpuCount, Kind, Rollout, Workload};
use crate::state::select::replicas::{self, Cell, Range};
use crate::state::{Cluster, State};

/// One row of the Replicas panel.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaItem {
    pub name: Clean,
    pub kinds: Vec<Kind>,
    /// Whether live clusters run different versions although no rollout is on its way.
    pub version_differs: bool,
    pub cells: Vec<CellItem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CellItem {
    pub cluster: Clean,
    /// `live`, `stale`, …: what these numbers are worth.
    pub state: &'static str,
    pub age_seconds: Option<u64>,
    pub ready: u32,
    pub desired: u32,
    pub autoscaler: Option<Range>,
    pub workloads: Vec<WorkloadItem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadItem {
    pub kind: Kind,
    pub namespace: Clean,
    pub name: Clean,
    pub uid: Clean,
    pub desired: u32,
    pub ready: u32,
    pub updated: u32,
    pub available: u32,
    pub version: Option<Clean>,
    /// How the version is known: `label …`, `image tag`, `image digest`.
    pub version_from: Option<Clean>,
    pub images: Vec<Clean>,
    /// `complete`, `progressing`, `stuck`, `paused`.
    pub rollout: &'static str,
    pub rollout_message: Option<Clean>,
    pub gpus_per_replica: GpuCount,
    pub created: String,
}

pub fn replicas(state: &State) -> Document<ReplicaItem> {
    let groups = replicas::groups(state);
    let items = groups.iter().map(|group| ReplicaItem {
        version_differs: group.drifts(),
        cells: group
            .cells
            .iter()
            .filter_map(|(id, cell)| cell_item(state, state.cluster(id)?, cell))
            .collect(),
        name: group.name.clone(),
        kinds: group.kinds.clone(),
    });
    document(state, "ReplicaList", items.collect())
}

/// A column a cluster: `6/6`, `7/8 progressing`, `?/3` where the cluster is not heard, `-` where it has none.
pub fn table(document: &Document<ReplicaItem>) -> Table {
    let mut table = Table::new(&["WORKLOAD", "VERSION", "SCALING"], "no workloads");
    table.headings.extend(document.clusters.iter().map(|cluster| cluster.name.to_string()));
    for item in &document.items {
        let mut row = vec![item.name.to_string(), versions(item), scaling(item)];
        row.extend(document.clusters.iter().map(|cluster| cell(item, cluster)));
        table.rows.push(row);
    }
    table
}

fn versions(item: &ReplicaItem) -> String {
    let workloads = item.cells.iter().filter(|cell| cell.state == "live").flat_map(|cell| &cell.workloads);
    let mut versions: Vec<_> = workloads.filter_map(|it| it.version.clone()).collect();
    versions.sort_unstable();
    versions.dedup();
    versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

fn scaling(item: &ReplicaItem) -> String {
    let ranges = item.cells.iter().filter_map(|cell| cell.autoscaler.as_ref());
    let mut ranges: Vec<_> = ranges.map(|it| format!("{} {}-{}", it.by, it.min, it.max)).collect();
    ranges.sort_unstable();
    ranges.dedup();
    ranges.join(" | ")
}

fn cell(item: &ReplicaItem, cluster: &Worth) -> String {
    let Some(cell) = item.cells.iter().find(|cell| cell.cluster == cluster.name) else {
        let told = ["live", "partial"].contains(&cluster.state);
        return if told { "-" } else { "?" }.to_owned();
    };
    if cell.state != "live" {
        return format!("?/{}", cell.desired);
    }
    let on_its_way = cell.workloads.iter().find(|workload| workload.rollout != "complete");
    let rollout = on_its_way.map(|workload| format!(" {}", workload.rollout)).unwrap_or_default();
    format!("{}/{}{rollout}", cell.ready, cell.desired)
}

fn cell_item(state: &State, cluster: &Cluster, cell: &Cell) -> Option<CellItem> {
    let workloads = cell.workloads.iter().filter_map(|id| cluster.objects.workloads.get(id));
    let workloads: Vec<_> = workloads.map(workload_item).collect();
    let kind = cell.workloads.first()?.kind;
    let heard = cluster.sources.iter().find(|((known, _), _)| *known == kind)?.1.heard;
    Some(CellItem {
        cluster: cluster.spec.name.clone(),
        state: cell.freshness.word(),
        age_seconds: heard.map(|heard| state.now.since(heard).0),
        ready: cell.ready,
        desired: cell.desired,
        autoscaler: cell.scaling.clone(),
        workloads,
    })
}

fn workload_item(workload: &Workload) -> WorkloadItem {
    WorkloadItem {
        kind: workload.kind,
        namespace: workload.key.namespace.clone(),
        name: workload.key.name.clone(),
        uid: workload.uid.clone(),
        desired: workload.desired,
        ready: workload.ready,
        updated: workload.updated,
        available: workload.available,
        version: some(workload.version.name.clone()),
        version_from: some(workload.version.from.clone()),
        images: workload.images.to_vec(),
        rollout: match workload.rollout {
            Rollout::Complete => "complete",
            Rollout::Progressing(_) => "progressing",
            Rollout::Stuck(_) => "stuck",
            Rollout::Paused(_) => "paused",
        },
        rollout_message: some(workload.rollout.words().into()),
        gpus_per_replica: workload.gpus_per_replica,
        created: workload.created.rfc3339(),
    }
}
