//! The documents of `skydeck status -o json`: what each field is, in which unit, and what absent means.
//!
//! Every document has `apiVersion` and `kind`. Within one `apiVersion` fields are only added. Times are RFC
//! 3339 in UTC, lengths of time whole seconds, counts numbers. What is not known is `null`, never 0. The
//! worth of every number is told by the `state` of its cluster or cell: only `live` (and `partial`, for
//! what may be read) is as of now; the age of everything else stands beside it.

use serde::Serialize;

use crate::fleet::{
    Age, Clean, Finding, GpuCount, Kind, Rollout, SourceState, Subject, Unix, Workload,
};
use crate::state::freshness::Source;
use crate::state::select::clusters::{self, ClusterRow, Liveness};
use crate::state::select::jobs::{self, JobRow};
use crate::state::select::replicas::{self, Cell, Range};
use crate::state::{Cluster, Freshness, State};

pub const API_VERSION: &str = "skydeck/v1";

/// The envelope of every document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<T> {
    pub api_version: &'static str,
    pub kind: &'static str,
    pub generated_at: String,
    /// What the contents of each cluster are worth.
    pub clusters: Vec<Worth>,
    pub items: Vec<T>,
}

/// The state of one cluster's data.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Worth {
    pub name: Clean,
    /// `live`, `partial`, `loading`, `connecting`, `stale`, `silent`, `unusable`.
    pub state: &'static str,
    /// Seconds since the quietest of its sources was heard; `null` when something was never read.
    pub age_seconds: Option<u64>,
    pub problem: Option<Clean>,
}

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
}

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

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobItem {
    pub cluster: Clean,
    pub state: &'static str,
    pub age_seconds: Option<u64>,
    pub kind: Clean,
    pub namespace: Clean,
    pub name: Clean,
    pub uid: Clean,
    pub phase: &'static str,
    /// The rule that decided the phase.
    pub rule: Clean,
    pub message: Option<Clean>,
    pub created: String,
    pub started: Option<String>,
    pub ended: Option<String>,
    pub duration_seconds: Option<u64>,
    /// 0 to 1.
    pub progress: Option<f64>,
    pub gpus: Option<GpuCount>,
    pub queue: Option<Clean>,
    pub restarts: Option<u32>,
    pub pods: crate::fleet::job::JobPods,
    pub metrics: serde_json::Map<String, serde_json::Value>,
    pub columns: serde_json::Map<String, serde_json::Value>,
}

/// One finding.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttentionItem {
    pub rule: &'static str,
    /// `critical`, `warning`, `info`.
    pub severity: &'static str,
    /// `null` when it concerns several clusters.
    pub cluster: Option<Clean>,
    pub subject: SubjectItem,
    pub cause: Clean,
    pub since: Option<String>,
    pub age_seconds: Option<u64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectItem {
    pub kind: Clean,
    pub namespace: Option<Clean>,
    pub name: Option<Clean>,
}

pub fn clusters(state: &State) -> Document<ClusterItem> {
    let items = clusters::rows(state).into_iter().filter_map(|row| {
        let cluster = state.cluster(row.id)?;
        Some(cluster_item(state, cluster, row))
    });
    document(state, "ClusterList", items.collect())
}

pub fn replicas(state: &State) -> Document<ReplicaItem> {
    let items = replicas::groups(state).into_iter().map(|group| ReplicaItem {
        version_differs: group.drifts(),
        cells: group.cells.iter().filter_map(|(id, cell)| cell_item(state, state.cluster(*id)?, cell)).collect(),
        name: group.name,
        kinds: group.kinds,
    });
    document(state, "ReplicaList", items.collect())
}

pub fn jobs(state: &State) -> Document<JobItem> {
    let mut rows = jobs::rows(state);
    rows.sort_by(|a, b| {
        let key = |row: &JobRow| (row.phase, row.cluster, row.job.key.clone());
        key(a).cmp(&key(b))
    });
    document(state, "JobList", rows.into_iter().map(job_item).collect())
}

pub fn attention(state: &State) -> Document<AttentionItem> {
    let items = state.findings().in_scope(state).map(|finding| attention_item(state, finding));
    document(state, "AttentionList", items.collect())
}

fn document<T>(state: &State, kind: &'static str, items: Vec<T>) -> Document<T> {
    let clusters = clusters::rows(state).into_iter().map(|row| Worth {
        state: row.liveness.word(),
        age_seconds: row.oldest.map(|age| age.0),
        problem: some(row.problem),
        name: row.name,
    });
    Document {
        api_version: API_VERSION,
        kind,
        generated_at: state.now.unix.rfc3339(),
        clusters: clusters.collect(),
        items,
    }
}

fn cluster_item(state: &State, cluster: &Cluster, row: ClusterRow) -> ClusterItem {
    let known = |fresh: &Freshness| !matches!(fresh, Freshness::Loading | Freshness::Denied | Freshness::Never(_));
    let nodes_known = known(&row.nodes);
    let gpus = (nodes_known && known(&row.pods))
        .then_some(Gpus { allocatable: row.gpus_allocatable, requested: row.gpus_requested });
    let connection = cluster.connection.as_ref();
    ClusterItem {
        state: row.liveness.word(),
        age_seconds: row.oldest.map(|age| age.0),
        problem: some(row.problem),
        identity: match &cluster.identity {
            crate::state::Identity::Uid(uid) => Some(uid.clone()),
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
        pods: known(&row.pods).then_some(cluster.objects.usage.pods.total),
        gpus,
        certificate_expires: cluster.certificates.server_expires.map(Unix::rfc3339),
        requests: row.requests,
        received_bytes: row.received_bytes,
        sources: source_items(state, cluster),
        name: row.name,
    }
}

fn source_items(state: &State, cluster: &Cluster) -> Vec<SourceItem> {
    let silent = cluster.silent_for(state.now);
    let item = |kind: Kind, slot: u8, source: &Source| {
        let fresh = source.freshness(state.now, state.settings.stale_after, silent);
        let problem = match &source.state {
            SourceState::Retrying { fault, .. } | SourceState::Failed(fault) => Some(Clean::from(fault.to_string())),
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
            undecodable: source.undecodable.count,
            relists: source.relists,
        }
    };
    cluster.sources.iter().map(|((kind, slot), source)| item(*kind, slot.0, source)).collect()
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

fn job_item(row: JobRow) -> JobItem {
    let job = &row.job;
    let number = |value: f64| serde_json::Number::from_f64(value).map(serde_json::Value::Number);
    JobItem {
        state: row.freshness.word(),
        age_seconds: match row.freshness {
            Freshness::Live => Some(0),
            Freshness::Stale(age) => Some(age.0),
            _ => None,
        },
        kind: job.kind_name.clone(),
        namespace: job.key.namespace.clone(),
        name: job.key.name.clone(),
        uid: job.uid.clone(),
        phase: row.phase.name(),
        rule: row.rule,
        message: some(row.message),
        created: job.created.rfc3339(),
        started: job.started.map(Unix::rfc3339),
        ended: job.ended.map(Unix::rfc3339),
        duration_seconds: row.duration.map(|Age(seconds)| seconds),
        progress: job.progress,
        gpus: job.gpus,
        queue: row.queue,
        restarts: job.restarts,
        pods: job.pods,
        metrics: job.metrics.iter().filter_map(|(name, value)| Some((name.to_string(), number(*value)?))).collect(),
        columns: job.columns.iter().map(|(name, value)| (name.to_string(), value.as_str().into())).collect(),
        cluster: row.cluster_name,
    }
}

fn attention_item(state: &State, finding: &Finding) -> AttentionItem {
    let cluster = finding.cluster.and_then(|id| state.cluster(id));
    let (kind, key) = match &finding.subject {
        Subject::Cluster => ("Cluster".into(), None),
        Subject::Node(name) => ("Node".into(), Some((Clean::default(), name.clone()))),
        Subject::Namespace(name) => ("Namespace".into(), Some((Clean::default(), name.clone()))),
        Subject::Pod(key) => ("Pod".into(), Some((key.namespace.clone(), key.name.clone()))),
        Subject::Workload(id) | Subject::Job(id) => {
            let name = cluster.map_or_else(|| id.kind.name().into(), |it| crate::state::findings::kind_name(it, id.kind));
            (name, Some((id.key.namespace.clone(), id.key.name.clone())))
        }
    };
    let (namespace, name) = key.unzip();
    AttentionItem {
        rule: finding.rule.name(),
        severity: finding.severity.name(),
        cluster: cluster.map(|it| it.spec.name.clone()),
        subject: SubjectItem { kind, namespace: namespace.and_then(some), name },
        cause: finding.cause.clone(),
        since: finding.since.map(Unix::rfc3339),
        age_seconds: finding.since.map(|since| state.now.age_of(since).0),
    }
}

/// Whether a cluster could be read, for the exit code.
pub fn is_whole(state: &State) -> bool {
    clusters::rows(state).iter().all(|row| matches!(row.liveness, Liveness::Live | Liveness::Partial))
}

fn some(text: Clean) -> Option<Clean> {
    (!text.is_empty()).then_some(text)
}
