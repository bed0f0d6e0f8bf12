//! Sums over pods and nodes, kept up to date change by change.
//!
//! A cluster may have 150,000 pods; adding them up for every frame would cost more than everything else. A
//! change takes the old contribution away and adds the new one. [`Usage::recompute`] is the definition that a
//! test holds the running sums against.

use std::collections::{BTreeSet, HashMap};

use super::census::Census;
use crate::fleet::{
    Amounts, Clean, GpuCount, Node, ObjectId, ObjectKey, Owner, Pod, PodPhase, Rollout, Workload,
};

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub nodes: u32,
    pub nodes_ready: u32,
    /// Where they are, and who made them.
    pub census: Census,
    pub gpus_allocatable: GpuCount,
    /// Reserved by pods that are bound to a node and have not ended.
    pub gpus_requested: GpuCount,
    /// Asked for by pods that no node has taken yet.
    pub gpus_waiting: GpuCount,
    /// Pods that no node has taken yet, and which no gate holds back, by each resource they ask for.
    waiting: HashMap<Clean, u32>,
    pub pods_waiting: u32,
    pub pods: PodCounts,
    by_owner: HashMap<OwnerKey, PodCounts>,
    by_node: HashMap<Clean, NodeUse>,
    troubled: BTreeSet<ObjectKey>,
    /// Nodes that are not ready, or complain.
    ailing_nodes: BTreeSet<Clean>,
    /// Workloads that lack replicas, or whose rollout is stuck.
    ailing_workloads: BTreeSet<ObjectId>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PodCounts {
    pub total: u32,
    pub ready: u32,
    pub pending: u32,
    pub ended: u32,
    pub troubled: u32,
}

impl std::ops::AddAssign for PodCounts {
    fn add_assign(&mut self, other: Self) {
        self.total += other.total;
        self.ready += other.ready;
        self.pending += other.pending;
        self.ended += other.ended;
        self.troubled += other.troubled;
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeUse {
    pub pods: u32,
    pub gpus_requested: GpuCount,
    pub requested: Amounts,
}

/// An owner within its cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerKey {
    pub namespace: Clean,
    pub owner: Owner,
}

impl Usage {
    pub fn change_pod(&mut self, old: Option<&Pod>, new: Option<&Pod>) {
        if let Some(pod) = old {
            self.count_pod(pod, LESS);
            self.troubled.remove(&pod.key);
        }
        if let Some(pod) = new {
            self.count_pod(pod, MORE);
            if pod.trouble.is_some() {
                self.troubled.insert(pod.key.clone());
            }
        }
        if let Some(pod) = old {
            self.forget_empty(pod);
        }
    }

    pub fn change_node(&mut self, old: Option<&Node>, new: Option<&Node>) {
        self.census.change(old, new);
        if let Some(node) = old {
            self.nodes -= 1;
            self.nodes_ready -= u32::from(node.is_ready());
            self.gpus_allocatable -= node.gpus_allocatable;
            self.ailing_nodes.remove(&node.name);
        }
        if let Some(node) = new {
            self.nodes += 1;
            self.nodes_ready += u32::from(node.is_ready());
            self.gpus_allocatable += node.gpus_allocatable;
            if !node.is_ready() || !node.complaints.is_empty() {
                self.ailing_nodes.insert(node.name.clone());
            }
        }
    }

    pub fn change_workload(&mut self, old: Option<&Workload>, new: Option<&Workload>) {
        if let Some(workload) = old {
            self.ailing_workloads.remove(&workload.id());
        }
        if let Some(workload) = new
            && (workload.ready < workload.desired || matches!(workload.rollout, Rollout::Stuck(_)))
        {
            self.ailing_workloads.insert(workload.id());
        }
    }

    /// The same sums from nothing.
    pub fn recompute<'a>(
        pods: impl Iterator<Item = &'a Pod>,
        nodes: impl Iterator<Item = &'a Node>,
        workloads: impl Iterator<Item = &'a Workload>,
    ) -> Self {
        let mut usage = Self::default();
        pods.for_each(|pod| usage.change_pod(None, Some(pod)));
        nodes.for_each(|node| usage.change_node(None, Some(node)));
        workloads.for_each(|workload| usage.change_workload(None, Some(workload)));
        usage
    }

    /// Pods of one workload or job.
    pub fn of_owner(&self, key: &OwnerKey) -> PodCounts {
        self.by_owner.get(key).copied().unwrap_or_default()
    }

    /// `None` when no pod is there.
    pub fn of_node(&self, name: &Clean) -> Option<&NodeUse> {
        self.by_node.get(name)
    }

    /// Pods that wait for a node and ask for this resource.
    pub fn waiting_for(&self, resource: &str) -> u32 {
        self.waiting.get(resource).copied().unwrap_or_default()
    }

    /// Pods that have a trouble, in order.
    pub fn troubled(&self) -> impl Iterator<Item = &ObjectKey> {
        self.troubled.iter()
    }

    /// Nodes that something is to be said about, in order.
    pub fn ailing_nodes(&self) -> impl Iterator<Item = &Clean> {
        self.ailing_nodes.iter()
    }

    /// Workloads that something is to be said about, in order.
    pub fn ailing_workloads(&self) -> impl Iterator<Item = &ObjectId> {
        self.ailing_workloads.iter()
    }

    fn count_pod(&mut self, pod: &Pod, by: By) {
        let add = |counts: &mut PodCounts| {
            (by.count)(&mut counts.total, 1);
            (by.count)(&mut counts.ready, u32::from(pod.ready));
            (by.count)(&mut counts.pending, u32::from(pod.phase == PodPhase::Pending));
            (by.count)(&mut counts.ended, u32::from(!pod.holds_resources()));
            (by.count)(&mut counts.troubled, u32::from(pod.trouble.is_some()));
        };
        add(&mut self.pods);
        if let Some(key) = owner_key(pod) {
            add(self.by_owner.entry(key).or_default());
        }
        if !pod.holds_resources() {
            return;
        }
        let Some(node) = &pod.node else { return self.count_waiting(pod, by) };
        (by.gpus)(&mut self.gpus_requested, pod.gpus);
        let on_node = self.by_node.entry(node.clone()).or_default();
        (by.count)(&mut on_node.pods, 1);
        (by.gpus)(&mut on_node.gpus_requested, pod.gpus);
        (by.amounts)(&mut on_node.requested, &pod.requests);
    }

    fn count_waiting(&mut self, pod: &Pod, by: By) {
        (by.gpus)(&mut self.gpus_waiting, pod.gpus);
        if pod.is_gated() {
            return;
        }
        (by.count)(&mut self.pods_waiting, 1);
        for (resource, _) in pod.requests.iter() {
            (by.count)(self.waiting.entry(resource.clone()).or_default(), 1);
        }
    }

    fn forget_empty(&mut self, pod: &Pod) {
        if let Some(key) = owner_key(pod)
            && self.by_owner.get(&key).is_some_and(|counts| counts.total == 0)
        {
            self.by_owner.remove(&key);
        }
        match &pod.node {
            Some(node) if self.by_node.get(node).is_some_and(|used| used.pods == 0) => {
                self.by_node.remove(node);
            }
            Some(_) => {}
            None => {
                for (resource, _) in pod.requests.iter() {
                    if self.waiting.get(resource) == Some(&0) {
                        self.waiting.remove(resource);
                    }
                }
            }
        }
    }
}

/// How a contribution changes the sums.
#[derive(Clone, Copy)]
struct By {
    count: fn(&mut u32, u32),
    gpus: fn(&mut GpuCount, GpuCount),
    amounts: fn(&mut Amounts, &Amounts),
}

const MORE: By = By { count: |count, by| *count += by, gpus: |gpus, by| *gpus += by, amounts: Amounts::add };
const LESS: By =
    By { count: |count, by| *count -= by, gpus: |gpus, by| *gpus -= by, amounts: Amounts::subtract };

fn owner_key(pod: &Pod) -> Option<OwnerKey> {
    let owner = pod.owner.clone()?;
    Some(OwnerKey { namespace: pod.key.namespace.clone(), owner })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::pod::{Trouble, TroubleKind};
    use crate::fleet::{Asked, Unix};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn trouble() -> Trouble {
        Trouble {
            kind: TroubleKind::CrashLoop,
            container: "c".into(),
            reason: "CrashLoopBackOff".into(),
            message: "".into(),
            last_end: "".into(),
            since: None,
        }
    }

    prop_compose! {
        fn any_pod()(name in 0u8..12, owner in 0u8..4, node in 0u8..4, phase in 0u8..4, gpus in 0u32..9,
                     cpu in 0u64..3, ready in any::<bool>(), troubled in any::<bool>(), gated in any::<bool>()) -> Pod {
            let requests = Asked::new([("cpu", cpu * 500), ("nvidia.com/gpu", u64::from(gpus))].into_iter()).named(Clean::new);
            Pod {
                key: ObjectKey::new("ml", &format!("pod-{name}")),
                owner: (owner > 0).then(|| Owner { kind: "Deployment".into(), name: Clean::from(format!("d{owner}")) }),
                node: (node > 0).then(|| Clean::from(format!("n{node}"))),
                phase: [PodPhase::Pending, PodPhase::Running, PodPhase::Succeeded, PodPhase::Failed][usize::from(phase)],
                status: if gated { "SchedulingGated".into() } else { "Running".into() },
                ready,
                containers_ready: 1,
                containers: 1,
                restarts: 0,
                gpus: GpuCount { whole: gpus, slices: gpus / 2, shared: 0 },
                requests: Arc::new(requests),
                image: "i".into(),
                trouble: troubled.then(|| Box::new(trouble())),
                created: Unix(0),
                deleting: false,
            }
        }
    }

    proptest! {
        #[test]
        fn running_sums_equal_the_definition(changes in proptest::collection::vec((any::<bool>(), any_pod()), 0..200)) {
            let mut pods: HashMap<ObjectKey, Pod> = HashMap::new();
            let mut running = Usage::default();
            for (present, pod) in changes {
                let key = pod.key.clone();
                let new = present.then_some(pod);
                let old = match new.clone() {
                    Some(pod) => pods.insert(key, pod),
                    None => pods.remove(&key),
                };
                running.change_pod(old.as_ref(), new.as_ref());
                prop_assert_eq!(&running, &Usage::recompute(pods.values(), std::iter::empty(), std::iter::empty()));
            }
        }
    }
}
