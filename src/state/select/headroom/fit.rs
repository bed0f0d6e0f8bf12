//! What fits onto one node, and what fits onto all.
//!
//! The filters and their arithmetic are the scheduler's (Kubernetes `pkg/scheduler/framework/plugins`: nodeaffinity,
//! nodeunschedulable, tainttoleration, noderesources). A node that is not ready takes nothing, whatever is tolerated.

use crate::fleet::amounts::PODS;
use crate::fleet::placement::{Effect, Taint};
use crate::fleet::{Clean, Node, PodNeeds};
use crate::state::Cluster;
use crate::state::usage::NodeUse;

/// What one node has for a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Room {
    /// At least one.
    Pods(u32),
    NotSelected,
    NotReady,
    Cordoned,
    /// With the key of the taint.
    Tainted(Clean),
    /// It has none of this resource, used or free.
    Without(Clean),
    Short {
        resource: Clean,
        asked: u64,
        free: u64,
    },
}

pub fn room(node: &Node, used: Option<&NodeUse>, pod: &PodNeeds) -> Room {
    if let Some(reason) = excluded(node, pod) {
        return reason;
    }
    let mut pods = u64::MAX;
    for (resource, asked) in asked(pod) {
        let free = free(node, used, resource);
        if node.allocatable.get(resource) == 0 {
            return Room::Without(resource.into());
        }
        if free < asked {
            return Room::Short { resource: resource.into(), asked, free };
        }
        pods = pods.min(free / asked);
    }
    Room::Pods(u32::try_from(pods).unwrap_or(u32::MAX).min(most_a_node(pod)))
}

/// So many replicas find room, each of which is all of these pods, the largest first.
pub fn replicas(cluster: &Cluster, pods: &[(&PodNeeds, u32)]) -> u32 {
    let room = |pod: &PodNeeds| {
        let nodes = cluster.objects.nodes.values();
        nodes.fold(0u64, |sum, node| match room(node, cluster.objects.usage.of_node(&node.name), pod) {
            Room::Pods(count) => sum.saturating_add(u64::from(count)),
            _ => sum,
        })
    };
    let each = pods.iter().filter(|(_, count)| *count > 0).map(|(pod, count)| room(pod) / u64::from(*count));
    let most = u32::try_from(each.min().unwrap_or(0)).unwrap_or(u32::MAX);
    if pods.len() < 2 { most } else { Packing::new(cluster, pods).most(most) }
}

fn excluded(node: &Node, pod: &PodNeeds) -> Option<Room> {
    if !pod.placement.selects(&node.name, &node.labels) {
        return Some(Room::NotSelected);
    }
    if !node.is_ready() {
        return Some(Room::NotReady);
    }
    if node.unschedulable && !pod.placement.tolerates(&cordon()) {
        return Some(Room::Cordoned);
    }
    // The taint is only the other form of the cordon, which is said already.
    let taint = pod.placement.kept_away_by(&node.taints)?;
    Some(if taint.key == CORDON { Room::Cordoned } else { Room::Tainted(taint.key.clone()) })
}

const CORDON: &str = "node.kubernetes.io/unschedulable";

fn cordon() -> Taint {
    Taint { key: CORDON.into(), value: Clean::default(), effect: Effect::NoSchedule }
}

/// What a pod takes of a node: its requests, and one of the places for pods.
fn asked(pod: &PodNeeds) -> impl Iterator<Item = (&str, u64)> {
    // GPUs and their like first: they are what an operator asks about.
    let of = |scarce: bool| {
        let requests = pod.requests.iter().filter(move |(name, _)| name.contains('/') == scarce);
        requests.map(|(name, amount)| (name.as_str(), amount))
    };
    of(true).chain(of(false)).chain([(PODS, 1)])
}

fn free(node: &Node, used: Option<&NodeUse>, resource: &str) -> u64 {
    let used = match resource {
        PODS => used.map_or(0, |used| u64::from(used.pods)),
        _ => used.map_or(0, |used| used.requested.get(resource)),
    };
    node.allocatable.get(resource).saturating_sub(used)
}

fn most_a_node(pod: &PodNeeds) -> u32 {
    if pod.takes_host_ports { 1 } else { u32::MAX }
}

/// Replicas of unlike pods compete for the same nodes. The largest pods are placed first, on nodes which the
/// others cannot use as far as there are such; so the number is one that can be reached.
struct Packing {
    pods: Vec<Row>,
    nodes: Vec<Place>,
}

/// Pods that are alike.
struct Row {
    count: u64,
    /// In the order of the resources.
    asked: Vec<u64>,
    most_a_node: u64,
}

struct Place {
    free: Vec<u64>,
    /// Which pods may go here.
    takes: Vec<bool>,
}

impl Packing {
    fn new(cluster: &Cluster, pods: &[(&PodNeeds, u32)]) -> Self {
        let mut resources: Vec<&str> =
            pods.iter().flat_map(|(pod, _)| asked(pod).map(|(name, _)| name)).collect();
        resources.sort_unstable();
        resources.dedup();
        let amount = |pod: &PodNeeds, resource: &str| match resource {
            PODS => 1,
            name => pod.requests.get(name),
        };
        let rows = pods.iter().map(|(pod, count)| Row {
            count: u64::from(*count),
            asked: resources.iter().map(|resource| amount(pod, resource)).collect(),
            most_a_node: u64::from(most_a_node(pod)),
        });
        let mut nodes: Vec<_> = cluster
            .objects
            .nodes
            .values()
            .map(|node| {
                let used = cluster.objects.usage.of_node(&node.name);
                Place {
                    free: resources.iter().map(|resource| free(node, used, resource)).collect(),
                    takes: pods.iter().map(|(pod, _)| excluded(node, pod).is_none()).collect(),
                }
            })
            .filter(|place| place.takes.contains(&true))
            .collect();
        nodes.sort_by_key(|place| (place.takes.iter().filter(|takes| **takes).count(), place.free.clone()));
        Self { pods: rows.collect(), nodes }
    }

    /// The most that can be placed, at most `bound`. Fewer always fit where more do.
    fn most(&self, bound: u32) -> u32 {
        let (mut fits, mut too_many) = (0, u64::from(bound) + 1);
        while too_many - fits > 1 {
            let middle = fits + (too_many - fits) / 2;
            if self.places(middle) { fits = middle } else { too_many = middle }
        }
        u32::try_from(fits).unwrap_or(u32::MAX)
    }

    fn places(&self, replicas: u64) -> bool {
        let mut free: Vec<Vec<u64>> = self.nodes.iter().map(|place| place.free.clone()).collect();
        self.pods.iter().enumerate().all(|(number, pod)| {
            let mut left = replicas.saturating_mul(pod.count);
            for (free, place) in free.iter_mut().zip(&self.nodes).filter(|(_, place)| place.takes[number]) {
                debug_assert_eq!(free.len(), place.free.len());
                let here = pod.room(free).min(left);
                pod.take(free, here);
                left -= here;
            }
            left == 0
        })
    }
}

impl Row {
    fn room(&self, free: &[u64]) -> u64 {
        let each =
            free.iter().zip(&self.asked).filter(|(_, asked)| **asked > 0).map(|(free, asked)| free / asked);
        each.min().unwrap_or(0).min(self.most_a_node)
    }

    fn take(&self, free: &mut [u64], pods: u64) {
        for (free, asked) in free.iter_mut().zip(&self.asked) {
            *free = free.saturating_sub(asked.saturating_mul(pods));
        }
    }
}
