//! How many more replicas would find a node: an estimate by the scheduler's own filters, node by node.
//!
//! Free amounts are never added up over nodes: a pod of 8 GPUs does not fit into 4 + 4. What is stale or only known
//! in part gives no number but the reason. This makes no promise: the scheduler decides, and others ask it too.

mod fit;
mod quota;
mod words;

use std::collections::BTreeMap;

use crate::fleet::amounts::{CPU, MEMORY};
use crate::fleet::{Amounts, Clean, ClusterId, GpuCount, Kind, PodNeeds, ReplicaNeeds, gpu};
use crate::state::{Cluster, Freshness, State};
use fit::Room;

pub use quota::{Place, Quota, quota};
pub use words::{Growth, line, words};

/// Room for more replicas of one workload in one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headroom {
    /// So many more; or why nobody knows.
    pub fits: Result<u32, Clean>,
    pub nodes: u32,
    /// Nodes with room for a pod; of unlike pods, for the largest.
    pub fitting: u32,
    /// The node with the most room, and for how many pods.
    pub best: Option<(Clean, u32)>,
    /// The nodes without room.
    pub refused: Refused,
    /// Pods that wait for a node already and ask for the same, and for what.
    pub waiting: Option<(u32, Clean)>,
    /// Whether nodes belong to groups which an autoscaler may make larger.
    pub may_grow: bool,
    /// What the number does not mean.
    pub notes: Vec<Clean>,
}

/// Why nodes have no room, in the order in which it is looked at: each node is counted once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// Labels or name are not what the pod selects.
    pub not_selected: u32,
    pub not_ready: u32,
    pub cordoned: u32,
    /// By the key of the first taint that is not tolerated.
    pub tainted: BTreeMap<Clean, u32>,
    /// Nodes that have none of a resource at all.
    pub without: BTreeMap<Clean, u32>,
    /// By the first resource of which there is too little.
    pub short: BTreeMap<Clean, Short>,
}

/// Nodes that have a resource, but too little of it free.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Short {
    pub nodes: u32,
    /// What one pod asks for.
    pub asked: u64,
    /// What is free on each, the most first.
    pub free: Vec<u64>,
}

/// Room in a cluster for replicas that need this.
pub fn headroom(state: &State, cluster: ClusterId, needs: &ReplicaNeeds) -> Headroom {
    let Some(cluster) = state.cluster(cluster) else {
        return Headroom::unknown("the cluster is not configured any more");
    };
    let mut pods: Vec<_> = needs.pods.iter().map(|(pod, count)| (pod, *count)).collect();
    pods.sort_by_key(|(pod, _)| std::cmp::Reverse(size(&pod.requests)));
    let Some((largest, _)) = pods.first() else {
        return Headroom::unknown("what its pods need is not known");
    };
    if let Err(why) = all_told(state, cluster) {
        return Headroom::unknown(why);
    }
    let mut headroom = survey(cluster, largest);
    headroom.fits = if pods.iter().any(|(pod, _)| pod.claims_devices) {
        Err("DRA: not computed".into())
    } else {
        Ok(fit::replicas(cluster, &pods))
    };
    headroom.waiting = waiting(cluster, &largest.requests);
    headroom.may_grow = cluster
        .objects
        .nodes
        .values()
        .any(|node| GROUP_LABELS.iter().any(|label| node.labels.get(label).is_some()));
    headroom.notes = notes(cluster, needs, largest);
    headroom
}

/// Labels of nodes that belong to a group which an autoscaler may make larger: Karpenter, EKS, GKE, AKS, kOps.
const GROUP_LABELS: [&str; 7] = [
    "karpenter.sh/nodepool",
    "karpenter.sh/provisioner-name",
    "eks.amazonaws.com/nodegroup",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
    "kops.k8s.io/instancegroup",
    "alpha.eksctl.io/nodegroup-name",
];

impl Headroom {
    fn unknown(why: impl Into<Clean>) -> Self {
        Self {
            fits: Err(why.into()),
            nodes: 0,
            fitting: 0,
            best: None,
            refused: Refused::default(),
            waiting: None,
            may_grow: false,
            notes: Vec::new(),
        }
    }
}

/// What makes a pod hard to place, the hardest first.
fn size(requests: &Amounts) -> (u64, u64, u64) {
    let gpus = requests.iter().filter(|(name, _)| gpu::is_gpu(name)).map(|(_, amount)| amount);
    (gpus.fold(0, u64::saturating_add), requests.get(MEMORY), requests.get(CPU))
}

/// The nodes and every pod on them, as of now; or what is missing.
fn all_told(state: &State, cluster: &Cluster) -> Result<(), Clean> {
    if !cluster.namespaces_read.is_empty() {
        return Err("only some namespaces are read, and pods of others take room too".into());
    }
    told(state, cluster, &[Kind::Node, Kind::Pod])
}

/// Whether all objects of these kinds are known as of now.
fn told(state: &State, cluster: &Cluster, kinds: &[Kind]) -> Result<(), Clean> {
    for kind in kinds {
        let name = kind.name();
        let why = match cluster.freshness(*kind, state.now, state.settings.stale_after) {
            Freshness::Live => undecodable(cluster, *kind),
            Freshness::Stale(as_of) => Some(format!("the {name}s are as of {} ago", state.now.since(as_of))),
            Freshness::Loading => Some(format!("the {name}s are not read yet")),
            Freshness::Denied => Some(format!("the account may not read {name}s")),
            Freshness::Absent => Some(format!("the cluster serves no {name}s")),
            Freshness::Never(fault) => Some(format!("the {name}s could not be read: {fault}")),
        };
        if let Some(why) = why {
            return Err(why.into());
        }
    }
    Ok(())
}

fn undecodable(cluster: &Cluster, kind: Kind) -> Option<String> {
    let sources = cluster.sources.iter().filter(|((of, _), _)| *of == kind);
    let count: u32 = sources.map(|(_, source)| source.undecodable.count()).sum();
    (count > 0).then(|| {
        let name = kind.name();
        if count == 1 {
            format!("1 {name} cannot be understood")
        } else {
            format!("{count} {name}s cannot be understood")
        }
    })
}

fn survey(cluster: &Cluster, pod: &PodNeeds) -> Headroom {
    let mut headroom = Headroom::unknown("");
    for node in cluster.objects.nodes.values() {
        headroom.nodes += 1;
        let refused = &mut headroom.refused;
        match fit::room(node, cluster.objects.usage.of_node(&node.name), pod) {
            Room::Pods(count) => {
                headroom.fitting += 1;
                // Nodes come in no order: of equals the first by name is told.
                let best = headroom.best.as_ref();
                if best.is_none_or(|(name, most)| count > *most || (count == *most && node.name < *name)) {
                    headroom.best = Some((node.name.clone(), count));
                }
            }
            Room::NotSelected => refused.not_selected += 1,
            Room::NotReady => refused.not_ready += 1,
            Room::Cordoned => refused.cordoned += 1,
            Room::Tainted(key) => *refused.tainted.entry(key).or_default() += 1,
            Room::Without(resource) => *refused.without.entry(resource).or_default() += 1,
            Room::Short { resource, asked, free } => {
                let short = refused.short.entry(resource).or_default();
                short.nodes += 1;
                short.asked = asked;
                short.free.push(free);
            }
        }
    }
    for short in headroom.refused.short.values_mut() {
        short.free.sort_unstable_by_key(|free| std::cmp::Reverse(*free));
    }
    headroom
}

/// Who waits for the scarcest of what the pod asks for; gated pods do not claim anything yet.
fn waiting(cluster: &Cluster, requests: &Amounts) -> Option<(u32, Clean)> {
    let usage = &cluster.objects.usage;
    let scarce = requests.iter().map(|(name, _)| name).filter(|name| name.contains('/'));
    let most = scarce.map(|name| (usage.waiting_for(name), name.clone())).max();
    most.or_else(|| Some((usage.pods_waiting, "a node".into()))).filter(|(count, _)| *count > 0)
}

fn notes(cluster: &Cluster, needs: &ReplicaNeeds, largest: &PodNeeds) -> Vec<Clean> {
    let mut notes: Vec<Clean> = Vec::new();
    for (resource, _) in needs.requests().iter() {
        if gpu::is_share(resource) {
            notes.push(format!("{resource} counts GPU shares, not GPUs").into());
        } else if gpu::is_slice(resource) {
            notes.push(format!("{resource} counts slices of GPUs, not GPUs").into());
        }
    }
    if GpuCount::among(largest.requests.iter().map(|(name, amount)| (name.as_str(), amount))).whole > 0 {
        let shared = |node: &&crate::fleet::Node| {
            let strategy = node.labels.get("nvidia.com/gpu.sharing-strategy");
            strategy.is_some_and(|it| !["", "none"].contains(&it.as_str()))
                && largest.placement.selects(&node.name, &node.labels)
        };
        let count = cluster.objects.nodes.values().filter(shared).count();
        if count > 0 {
            let words = "are shared: what counts as a GPU there is a share of one";
            notes.push(format!("GPUs of {} {words}", nodes(count)).into());
        }
    }
    let mut not_considered = needs.not_considered();
    if needs.pods.iter().any(|(pod, _)| pod.takes_host_ports) {
        not_considered.push("ports of nodes that other pods hold");
    }
    if !not_considered.is_empty() {
        notes.push(format!("not considered: {}", not_considered.join(", ")).into());
    }
    notes
}

/// `1 node`, `3 nodes`.
fn nodes(count: usize) -> String {
    if count == 1 { "1 node".into() } else { format!("{count} nodes") }
}
