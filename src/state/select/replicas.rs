//! Workload × cluster: the same service in every cloud as one row.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::by_cluster::ByCluster;
use crate::fleet::autoscaler::Maker;
use crate::fleet::{Autoscaler, Clean, ClusterId, GpuCount, Kind, ObjectId, Owner, Rollout, Unix, Workload};
use crate::state::kept::Print;
use crate::state::{Cluster, Freshness, GroupBy, Grouping, State};

/// The kinds that make up the matrix.
pub const WORKLOAD_KINDS: [Kind; 5] =
    [Kind::Deployment, Kind::StatefulSet, Kind::ReplicaSet, Kind::Rollout, Kind::LeaderWorkerSet];

#[derive(Debug, Clone)]
pub struct Group {
    /// `namespace/name`, or what the grouping says.
    pub name: Clean,
    pub kinds: Vec<Kind>,
    pub cells: ByCluster<Arc<Cell>>,
}

/// One service in one cluster; several workloads when the grouping joins them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub workloads: Vec<ObjectId>,
    pub freshness: Freshness,
    pub ready: u32,
    pub desired: u32,
    /// The worst rollout of its workloads.
    pub rollout: Rollout,
    /// When the last rollout moved last; `None` when not every workload tells.
    pub rollout_since: Option<Unix>,
    /// Distinct versions, in order.
    pub versions: Vec<Clean>,
    pub scaling: Option<Range>,
    pub gpus_per_replica: GpuCount,
}

/// Minimum and maximum of an autoscaler.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Range {
    pub min: u32,
    pub max: u32,
    pub by: &'static str,
    /// Anything but scaling as usual, in words.
    pub note: Clean,
}

/// Why a group has no cell in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoCell {
    /// The lists are whole and it is not there.
    Absent,
    /// Nobody knows: the lists are not whole.
    Unknown,
}

/// What groups are made of.
const MADE_OF: [Kind; 7] = {
    let [a, b, c, d, e] = WORKLOAD_KINDS;
    [a, b, c, d, e, Kind::HorizontalPodAutoscaler, Kind::ScaledObject]
};

/// What one cluster has of a group.
#[derive(Debug)]
pub struct Here {
    name: Clean,
    cell: Arc<Cell>,
}

/// All groups in scope, by name. Those of which nothing changed are the same as before.
pub fn groups(state: &State) -> Arc<[Arc<Group>]> {
    state.kept.workloads.answer_from(Print::of(state, &MADE_OF), |before| {
        let each: Vec<_> = state.counted_clusters().map(|it| (it.id, of_cluster(state, it))).collect();
        let mut all: Vec<(ClusterId, &Here)> =
            each.iter().flat_map(|(id, cells)| cells.iter().map(|it| (*id, it))).collect();
        // Those of one cluster are in their order already, of which this sort makes use.
        all.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
        let mut before = Walk { rest: before.unwrap_or_default(), name: |it: &Arc<Group>| &it.name };
        all.chunk_by(|(_, a), (_, b)| a.name == b.name)
            .map(|cells| {
                let known = before.find(&cells[0].1.name).filter(|known| known.is_made_of(cells));
                known.map_or_else(|| Arc::new(Group::of(cells)), Arc::clone)
            })
            .collect()
    })
}

/// Those of them that drift.
pub fn drifting(state: &State) -> Arc<[Arc<Group>]> {
    state.kept.drifting.answer(Print::of(state, &MADE_OF), || {
        groups(state).iter().filter(|group| group.drifts()).cloned().collect()
    })
}

/// What one cluster has, by the names of the groups; kept while others change.
fn of_cluster(state: &State, cluster: &Cluster) -> Arc<[Here]> {
    let print = Print::of_one(state, cluster, &MADE_OF);
    state.kept.workloads_of.of(cluster.id).answer_from(print, |before| {
        let scaling = ranges(cluster);
        let range = |of: &Workload| {
            let key = || (of.key.namespace.clone(), Owner::of(of.kind, &of.key.name));
            if scaling.is_empty() { None } else { scaling.get(&key()).cloned() }
        };
        let workloads = cluster.objects.workloads.values().filter(|it| is_row(state, it));
        let mut named: Vec<(Clean, &Workload)> =
            workloads.map(|it| (group_name(&state.settings.grouping, it), it)).collect();
        named.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut before = Walk { rest: before.unwrap_or_default(), name: |it: &Here| &it.name };
        named
            .chunk_by(|(a, _), (b, _)| a == b)
            .filter_map(|like| {
                let cells = like.iter().map(|(_, it)| cell(state, cluster, it, range(it)));
                let cell = cells.reduce(Cell::joined)?;
                let known = before.find(&like[0].0).filter(|known| *known.cell == cell);
                Some(match known {
                    Some(Here { name, cell }) => Here { name: name.clone(), cell: Arc::clone(cell) },
                    None => Here { name: like[0].0.clone(), cell: Arc::new(cell) },
                })
            })
            .collect()
    })
}

/// Looks through what is in the order of its names, for one name after the other.
struct Walk<'a, T> {
    rest: &'a [T],
    name: fn(&T) -> &Clean,
}

impl<'a, T> Walk<'a, T> {
    fn find(&mut self, name: &Clean) -> Option<&'a T> {
        let before = self.rest.iter().take_while(|it| (self.name)(it) < name).count();
        self.rest = &self.rest[before..];
        self.rest.first().filter(|it| (self.name)(it) == name)
    }
}

pub fn no_cell(state: &State, cluster: &Cluster) -> NoCell {
    let fresh = cluster.freshness_of(&WORKLOAD_KINDS, state.now, state.settings.stale_after);
    if fresh.is_whole() { NoCell::Absent } else { NoCell::Unknown }
}

/// The name under which a workload is joined with its like in other clusters.
pub fn group_name(grouping: &Grouping, workload: &Workload) -> Clean {
    let own = strip(grouping, &workload.key.name);
    match &grouping.by {
        GroupBy::Name => own.into(),
        GroupBy::NamespaceAndName => Clean::from(format!("{}/{own}", workload.key.namespace)),
        GroupBy::Label(label) => workload
            .labels
            .get(label)
            .cloned()
            .unwrap_or_else(|| Clean::from(format!("{}/{own}", workload.key.namespace))),
    }
}

impl Group {
    fn of(cells: &[(ClusterId, &Here)]) -> Self {
        let mut kinds: Vec<Kind> =
            cells.iter().flat_map(|(_, it)| it.cell.workloads.iter().map(|id| id.kind)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        // They lie in the memory in the order in which they are looked through, and so do their names.
        let name = cells.first().map(|(_, it)| Clean::new(&it.name)).unwrap_or_default();
        Self { name, kinds, cells: cells.iter().map(|(id, it)| (*id, Arc::clone(&it.cell))).collect() }
    }

    fn is_made_of(&self, cells: &[(ClusterId, &Here)]) -> bool {
        let own = self.cells.iter();
        own.len() == cells.len()
            && cells.iter().all(|(id, it)| self.cells.get(*id).is_some_and(|own| Arc::ptr_eq(own, &it.cell)))
    }

    /// Distinct versions over the clusters that are live.
    pub fn versions(&self) -> Vec<&Clean> {
        let live = self.cells.values().filter(|cell| cell.freshness.is_whole());
        let mut versions: Vec<_> = live.flat_map(|cell| &cell.versions).collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }

    /// Whether clusters run different versions although no rollout is on its way.
    pub fn drifts(&self) -> bool {
        let settled = self.cells.values().filter(|cell| {
            cell.freshness.is_whole()
                && cell.desired > 0
                && matches!(cell.rollout, Rollout::Complete | Rollout::Paused(_))
        });
        let mut told = settled.map(|cell| &cell.versions).filter(|versions| !versions.is_empty());
        let Some(first) = told.next() else { return false };
        told.any(|versions| versions != first)
    }

    /// One object to open for the whole group.
    pub fn first(&self) -> Option<(ClusterId, &ObjectId)> {
        self.cells.iter().find_map(|(cluster, cell)| Some((cluster, cell.workloads.first()?)))
    }
}

impl Cell {
    pub fn is_short(&self) -> bool {
        self.ready < self.desired
    }

    fn joined(mut self, other: Self) -> Self {
        self.workloads.extend(other.workloads);
        self.workloads.sort_unstable();
        self.freshness = self.freshness.clone().worse(other.freshness);
        self.ready += other.ready;
        self.desired += other.desired;
        if rollout_rank(&other.rollout) > rollout_rank(&self.rollout) {
            self.rollout = other.rollout;
        }
        self.rollout_since = self.rollout_since.zip(other.rollout_since).map(|(own, other)| own.max(other));
        self.versions.extend(other.versions);
        self.versions.sort_unstable();
        self.versions.dedup();
        self.scaling = self.scaling.take().max(other.scaling);
        self.gpus_per_replica = self.gpus_per_replica.max(other.gpus_per_replica);
        self
    }
}

fn is_row(state: &State, workload: &Workload) -> bool {
    // The StatefulSets of a LeaderWorkerSet are its parts, not services of their own.
    let part = workload.owner.as_ref().is_some_and(|owner| owner.kind == Kind::LeaderWorkerSet.name());
    !part && state.scope.has_namespace(&workload.key.namespace)
}

fn cell(state: &State, cluster: &Cluster, workload: &Workload, scaling: Option<Range>) -> Cell {
    let version = &workload.version.name;
    Cell {
        workloads: vec![workload.id()],
        freshness: cluster.freshness(workload.kind, state.now, state.settings.stale_after),
        ready: workload.ready,
        desired: workload.desired,
        rollout: workload.rollout.clone(),
        rollout_since: workload.rollout_since,
        versions: if version.is_empty() { Vec::new() } else { vec![version.clone()] },
        scaling,
        gpus_per_replica: workload.gpus_per_replica,
    }
}

/// Workloads come in no order: of two that are alike the words decide, so that none flickers.
fn rollout_rank(rollout: &Rollout) -> (u8, &str) {
    let rank = match rollout {
        Rollout::Complete => 0,
        Rollout::Paused(_) => 1,
        Rollout::Progressing(_) => 2,
        Rollout::Stuck(_) => 3,
    };
    (rank, rollout.words())
}

/// Ranges by namespace and target. KEDA's own object knows more than the autoscaler that it made; of several of one sort
/// the first by name counts.
fn ranges(cluster: &Cluster) -> BTreeMap<(Clean, Owner), Range> {
    let mut best: BTreeMap<(Clean, Owner), &Autoscaler> = BTreeMap::new();
    for autoscaler in cluster.objects.autoscalers.values() {
        let target = (autoscaler.key.namespace.clone(), autoscaler.target.clone());
        let known = best.entry(target).or_insert(autoscaler);
        if scaling_rank(autoscaler) < scaling_rank(known) {
            *known = autoscaler;
        }
    }
    best.into_iter().map(|(target, autoscaler)| (target, range(autoscaler))).collect()
}

fn scaling_rank(autoscaler: &Autoscaler) -> (bool, &Clean) {
    (autoscaler.maker != Maker::Keda, &autoscaler.key.name)
}

pub fn range(autoscaler: &Autoscaler) -> Range {
    use crate::fleet::autoscaler::ScalingState as S;
    let note = match &autoscaler.state {
        S::Active => Clean::default(),
        S::Limited(words) => Clean::from(format!("limited: {words}")),
        S::Inactive(words) => Clean::from(format!("not scaling: {words}")),
        S::Paused(Some(at)) => Clean::from(format!("paused at {at}")),
        S::Paused(None) => "paused".into(),
    };
    let by = match autoscaler.maker {
        Maker::Hpa => "HPA",
        Maker::HpaOfKeda(_) | Maker::Keda => "KEDA",
    };
    Range { min: autoscaler.min, max: autoscaler.max, by, note }
}

fn strip<'a>(grouping: &Grouping, name: &'a str) -> &'a str {
    let ending = grouping.strip.iter().find_map(|ending| name.strip_suffix(ending.as_str()));
    ending.filter(|rest| !rest.is_empty()).unwrap_or(name)
}
