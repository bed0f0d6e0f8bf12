//! One row a cluster: is it there, how is it, how old is what we know.

use crate::fleet::{Age, Clean, Cloud, ClusterId, Fault, FaultKind, GpuCount, Kind, SourceState};
use crate::state::cluster::CORE_KINDS;
use crate::state::{Cluster, Freshness, Load, State};

#[derive(Debug, Clone)]
pub struct ClusterRow {
    pub id: ClusterId,
    pub name: Clean,
    pub tint: u8,
    pub environment: Option<Clean>,
    pub cloud: Option<Cloud>,
    pub region: Option<Clean>,
    /// `EKS 1.33`; empty until the server told.
    pub version: Clean,
    pub liveness: Liveness,
    /// Age of the oldest of the core kinds; `None` when something was never read.
    pub oldest: Option<Age>,
    pub nodes: Freshness,
    pub nodes_ready: u32,
    pub nodes_total: u32,
    pub pods: Freshness,
    pub gpus_allocatable: GpuCount,
    pub gpus_requested: GpuCount,
    pub round_trip_ms: Option<u32>,
    pub insecure: bool,
    /// Its credential plugin could be run before the operator's eyes, which may help.
    pub login: Login,
    pub read_only: bool,
    pub requests: u64,
    pub received_bytes: u64,
    /// The same by the second, lately.
    pub load: Option<Load>,
    /// What is wrong, in words; empty when nothing is.
    pub problem: Clean,
}

impl ClusterRow {
    /// What the numbers of GPUs are worth: nodes have them, pods ask for them.
    pub fn gpus(&self) -> Freshness {
        self.nodes.clone().worse(self.pods.clone())
    }
}

/// Whether somebody should answer the credential plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    No,
    /// It failed; before one's eyes it may do better.
    MayHelp,
    Needed,
}

/// The state of a cluster as one word; the greater is the worse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Liveness {
    Live,
    /// Lists are on their way: so many of so many kinds are whole.
    Loading(usize, usize),
    /// Live but for kinds that the account may not read, or that are counted elsewhere.
    Partial,
    Connecting,
    /// The server answers, but some kinds were not heard lately.
    Stale(Age),
    /// The server does not answer.
    Silent(Option<Age>),
    Unusable,
}

impl Liveness {
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Loading(..) => "loading",
            Self::Partial => "partial",
            Self::Connecting => "connecting",
            Self::Stale(_) => "stale",
            Self::Silent(_) => "silent",
            Self::Unusable => "unusable",
        }
    }

    /// Whether what is shown of this cluster is as of now.
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Live | Self::Partial)
    }

    pub const fn rank(&self) -> u8 {
        match self {
            Self::Live => 0,
            Self::Partial => 1,
            Self::Loading(..) => 2,
            Self::Connecting => 3,
            Self::Stale(_) => 4,
            Self::Silent(_) => 5,
            Self::Unusable => 6,
        }
    }
}

/// Every cluster in scope, in the order of the configuration.
pub fn rows(state: &State) -> Vec<ClusterRow> {
    state.clusters().filter(|cluster| state.scope.has_cluster(cluster)).map(|c| row(state, c)).collect()
}

pub fn row(state: &State, cluster: &Cluster) -> ClusterRow {
    let fresh = |kind| cluster.freshness(kind, state.now, state.settings.stale_after);
    let usage = &cluster.objects.usage;
    let liveness = liveness(state, cluster);
    ClusterRow {
        id: cluster.id,
        name: cluster.spec.name.clone(),
        tint: cluster.tint(),
        environment: cluster.spec.environment.clone(),
        cloud: cluster.cloud(),
        region: cluster.region(),
        version: version(cluster),
        oldest: oldest(state, cluster),
        nodes: fresh(Kind::Node),
        nodes_ready: usage.nodes_ready,
        nodes_total: usage.nodes,
        pods: fresh(Kind::Pod),
        gpus_allocatable: usage.gpus_allocatable,
        gpus_requested: usage.gpus_requested,
        round_trip_ms: cluster.api.round_trip_ms,
        insecure: cluster.connection.as_ref().is_some_and(|connection| connection.insecure),
        login: login(cluster),
        read_only: cluster.spec.read_only,
        requests: cluster.cost.requests,
        received_bytes: cluster.cost.received_bytes,
        load: cluster.load,
        problem: problem(state, cluster, &liveness),
        liveness,
    }
}

pub fn liveness(state: &State, cluster: &Cluster) -> Liveness {
    if cluster.api.unusable.is_some() {
        return Liveness::Unusable;
    }
    let silent = cluster.silent_for(state.now);
    if let Some(age) = silent
        && (cluster.api.answered.is_none() || cluster.is_silent(state.now, state.settings.stale_after))
    {
        return Liveness::Silent(cluster.api.answered.map(|_| age));
    }
    if cluster.api.answered.is_none() && cluster.sources.values().all(|source| source.heard.is_none()) {
        return Liveness::Connecting;
    }
    let freshness = CORE_KINDS.map(|kind| cluster.freshness(kind, state.now, state.settings.stale_after));
    let whole = freshness.iter().filter(|kind| kind.is_whole()).count();
    let denied = freshness.iter().filter(|kind| matches!(kind, Freshness::Denied)).count();
    let stale = freshness.iter().filter_map(|kind| match kind {
        Freshness::Stale(as_of) => Some(state.now.since(*as_of)),
        Freshness::Never(_) => silent.or(Some(Age(0))),
        _ => None,
    });
    if let Some(age) = stale.max() {
        return Liveness::Stale(age);
    }
    if whole + denied < CORE_KINDS.len() {
        return Liveness::Loading(whole + denied, CORE_KINDS.len());
    }
    if denied > 0 || !cluster.namespaces_read.is_empty() || cluster.same_as.is_some() {
        return Liveness::Partial;
    }
    Liveness::Live
}

fn login(cluster: &Cluster) -> Login {
    let fault = cluster.api.fault.as_ref().map(|(_, fault)| fault.kind);
    let plugin = cluster.connection.as_ref().is_some_and(|it| it.credential.starts_with("exec "));
    match fault {
        Some(FaultKind::Login) => Login::Needed,
        Some(FaultKind::Credential) if plugin => Login::MayHelp,
        _ => Login::No,
    }
}

/// `EKS 1.33` of `v1.33.5-eks-113cf36`.
fn version(cluster: &Cluster) -> Clean {
    let (Some(git), Some(distribution)) = (&cluster.api.git_version, cluster.distribution()) else {
        return Clean::default();
    };
    let mut parts = git.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or("?"), parts.next().unwrap_or("?"));
    Clean::from(format!("{} {major}.{minor}", distribution.name()))
}

fn oldest(state: &State, cluster: &Cluster) -> Option<Age> {
    let sources = cluster.sources.iter().filter(|((kind, _), source)| {
        CORE_KINDS.contains(kind) && !matches!(source.state, SourceState::Denied(_) | SourceState::Absent)
    });
    let mut oldest = None;
    for (_, source) in sources {
        let age = state.now.since(source.heard?);
        oldest = oldest.max(Some(age));
    }
    oldest
}

fn problem(state: &State, cluster: &Cluster, liveness: &Liveness) -> Clean {
    let told = |fault: &Fault| match fault.hint() {
        "" => Clean::from(fault.to_string()),
        hint => Clean::from(format!("{fault} ({hint})")),
    };
    if let Some(fault) = &cluster.api.unusable {
        return told(fault);
    }
    if let Some((_, fault)) = &cluster.api.fault
        && !liveness.is_live()
    {
        return told(fault);
    }
    if let Some(other) = cluster.same_as.and_then(|id| state.cluster(id)) {
        return Clean::from(format!("the same cluster as {}, counted there", other.spec.name));
    }
    if let Some(words) = source_problem(cluster) {
        return words;
    }
    if !cluster.namespaces_read.is_empty() {
        let names = cluster.namespaces_read.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
        return Clean::from(format!("only namespace {names}"));
    }
    Clean::default()
}

/// `Pod, Job: watch: no answer within 10s`, or what may not be read.
pub fn source_problem(cluster: &Cluster) -> Option<Clean> {
    let mut broken: Vec<&'static str> = Vec::new();
    let mut denied: Vec<&'static str> = Vec::new();
    let mut fault = None;
    for ((kind, _), source) in &cluster.sources {
        let (list, told) = match &source.state {
            SourceState::Retrying { fault, .. } | SourceState::Failed(fault) => (&mut broken, Some(fault)),
            SourceState::Denied(_) => (&mut denied, None),
            _ => continue,
        };
        if list.last() != Some(&kind.name()) {
            list.push(kind.name());
        }
        fault = fault.or(told);
    }
    if let (Some(fault), None) = (fault, cluster.silent_since()) {
        return Some(Clean::from(format!("{}: {fault}", broken.join(", "))));
    }
    (!denied.is_empty()).then(|| Clean::from(format!("may not read {}", denied.join(", "))))
}
