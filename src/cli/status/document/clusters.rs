//! `ClusterList`: one item a cluster, with every source it is read by.

use serde::Serialize;

use super::{CLUSTER_LIST, Document, document, some};
use crate::cli::status::table::{Table, age, given, known};
use crate::fleet::{Clean, GpuCount, Kind, SourceState, Unix};
use crate::state::freshness::Source;
use crate::state::select::clusters::{self, ClusterRow};
use crate::state::{Cluster, Identity, State};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterItem {
    pub name: Clean,
    pub state: &'static str,
    pub age_seconds: Option<u64>,
    pub problem: Option<Clean>,
    /// UID of the namespace `kube-system`; `null` when it may not be read.
    pub identity: Option<Clean>,
    pub cloud: Option<Clean>,
    pub region: Option<Clean>,
    pub environment: Option<Clean>,
    /// The API server's gitVersion.
    pub version: Option<Clean>,
    pub server: Option<Clean>,
    pub context: Option<Clean>,
    pub round_trip_ms: Option<u32>,
    pub nodes: Option<Ready>,
    pub pods: Option<u32>,
    pub gpus: Option<Gpus>,
    pub certificate_expires: Option<String>,
    /// Requests sent and bytes received (decompressed) by this console.
    pub requests: u64,
    pub received_bytes: u64,
    /// Requests by the second, lately; `null` until it was measured.
    pub requests_per_second: Option<f64>,
    pub sources: Vec<SourceItem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    pub ready: u32,
    pub total: u32,
}

/// Whole GPUs; partitions and time-sliced replicas are counted apart, since they are not devices.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gpus {
    pub allocatable: GpuCount,
    pub requested: GpuCount,
}

/// One list-and-watch loop.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceItem {
    pub kind: Clean,
    /// The namespace, when not the whole cluster is read.
    pub namespace: Option<Clean>,
    /// `live`, `stale`, `loading`, `never`, `denied`, `absent`.
    pub state: &'static str,
    pub age_seconds: Option<u64>,
    pub problem: Option<Clean>,
    /// Objects that could not be understood in the present list.
    pub undecodable: u32,
    pub relists: u32,
    /// How often its watch was found not to have told everything.
    pub missed: u32,
}

pub fn clusters(state: &State) -> Document<ClusterItem> {
    let items = clusters::rows(state).into_iter().filter_map(|row| {
        let cluster = state.cluster(row.id)?;
        Some(cluster_item(state, cluster, row))
    });
    document(state, CLUSTER_LIST, items.collect())
}

pub fn table(document: &Document<ClusterItem>) -> Table {
    let headings = [
        "NAME", "STATE", "CLOUD", "REGION", "ENV", "VERSION", "NODES", "GPUS", "PODS", "RTT", "AGE",
        "PROBLEM",
    ];
    let mut table = Table::new(&headings, "no clusters");
    table.rows.extend(document.items.iter().map(row));
    table
}

fn row(item: &ClusterItem) -> Vec<String> {
    let gpus = item.gpus.as_ref().map(|gpus| format!("{}/{}", gpus.requested.whole, gpus.allocatable.whole));
    vec![
        item.name.to_string(),
        item.state.to_owned(),
        known(item.cloud.as_ref()),
        known(item.region.as_ref()),
        given(item.environment.as_ref()),
        known(item.version.as_ref()),
        known(item.nodes.as_ref().map(|nodes| format!("{}/{}", nodes.ready, nodes.total))),
        known(gpus),
        known(item.pods),
        known(item.round_trip_ms.map(|ms| format!("{ms} ms"))),
        age(item.age_seconds),
        given(item.problem.as_ref()),
    ]
}

fn cluster_item(state: &State, cluster: &Cluster, row: ClusterRow) -> ClusterItem {
    let nodes_known = row.nodes.is_known();
    let gpus = (nodes_known && row.pods.is_known())
        .then_some(Gpus { allocatable: row.gpus_allocatable, requested: row.gpus_requested });
    let connection = cluster.connection.as_ref();
    ClusterItem {
        state: row.liveness.word(),
        age_seconds: row.oldest.map(|age| age.0),
        problem: some(row.problem),
        identity: match &cluster.identity {
            Identity::Uid(uid) => Some(uid.clone()),
            _ => None,
        },
        cloud: row.cloud.map(|cloud| Clean::new(cloud.name())),
        region: row.region,
        environment: row.environment,
        version: cluster.api.git_version.clone(),
        server: connection.map(|it| it.server.clone()),
        context: connection.map(|it| it.context.clone()),
        round_trip_ms: row.round_trip_ms,
        nodes: nodes_known.then_some(Ready { ready: row.nodes_ready, total: row.nodes_total }),
        pods: row.pods.is_known().then_some(cluster.objects.usage.pods.total),
        gpus,
        certificate_expires: cluster.certificates.server_expires.map(Unix::rfc3339),
        requests: row.requests,
        requests_per_second: row.load.map(|load| (load.requests * 10.0).round() / 10.0),
        received_bytes: row.received_bytes,
        sources: source_items(state, cluster),
        name: row.name,
    }
}

fn source_items(state: &State, cluster: &Cluster) -> Vec<SourceItem> {
    let silent = cluster.silent_since();
    let item = |kind: Kind, slot: u8, source: &Source| {
        let fresh = source.freshness(state.now, state.settings.stale_after, silent);
        let problem = match &source.state {
            SourceState::Retrying { fault, .. } | SourceState::Failed(fault) => {
                Some(Clean::from(fault.to_string()))
            }
            SourceState::Denied(words) => Some(words.clone()),
            _ => None,
        };
        let namespace = usize::from(slot).checked_sub(1).and_then(|at| cluster.namespaces_read.get(at));
        SourceItem {
            kind: crate::state::findings::kind_name(cluster, kind),
            namespace: namespace.cloned(),
            state: fresh.word(),
            age_seconds: source.heard.map(|heard| state.now.since(heard).0),
            problem,
            undecodable: source.undecodable.count(),
            relists: source.relists,
            missed: source.missed,
        }
    };
    cluster.sources.iter().map(|((kind, slot), source)| item(*kind, slot.0, source)).collect()
}
