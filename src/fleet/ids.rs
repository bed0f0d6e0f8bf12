//! What things are called: clusters, kinds, objects, sources.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Clean;

/// One cluster of this session. Numbers are given once and not used again, so that a late answer of a
/// cluster that was removed from the configuration cannot be taken for another's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClusterId(pub u16);

/// The kinds that are watched. What is done with each is decided in `sources` and `state`, not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    Node,
    Namespace,
    Pod,
    Deployment,
    StatefulSet,
    ReplicaSet,
    HorizontalPodAutoscaler,
    PodDisruptionBudget,
    Job,
    CronJob,
    Event,
    Rollout,
    LeaderWorkerSet,
    ScaledObject,
    /// A Kueue Workload: the place of a job in its queue.
    QueuedWorkload,
    VirtualService,
    HttpRoute,
    GrpcRoute,
    DnsEndpoint,
    DestinationRule,
    ServiceEntry,
    Service,
    EndpointSlice,
    InferenceService,
    /// Flagger's.
    Canary,
    /// Argo CD's.
    Application,
    /// Flux's.
    Kustomization,
    /// Flux's.
    HelmRelease,
    /// Kueue's quota.
    ClusterQueue,
    /// Kueue's door to it in one namespace.
    LocalQueue,
    /// A job kind by configuration: its number in the table of job kinds.
    CustomJob(u8),
}

impl Kind {
    /// Every kind but the configured job kinds, in the order in which they are read.
    pub const ALL: [Self; 30] = [
        Self::Node,
        Self::Namespace,
        Self::Deployment,
        Self::StatefulSet,
        Self::Job,
        Self::Pod,
        Self::HorizontalPodAutoscaler,
        Self::CronJob,
        Self::Event,
        Self::ReplicaSet,
        Self::PodDisruptionBudget,
        Self::Rollout,
        Self::LeaderWorkerSet,
        Self::ScaledObject,
        Self::QueuedWorkload,
        Self::VirtualService,
        Self::HttpRoute,
        Self::GrpcRoute,
        Self::DnsEndpoint,
        Self::Service,
        Self::EndpointSlice,
        Self::DestinationRule,
        Self::ServiceEntry,
        Self::InferenceService,
        Self::Canary,
        Self::Application,
        Self::Kustomization,
        Self::HelmRelease,
        Self::ClusterQueue,
        Self::LocalQueue,
    ];

    /// Kubernetes' own name of the kind. Configured job kinds have theirs in the table of job kinds.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Node => "Node",
            Self::Namespace => "Namespace",
            Self::Pod => "Pod",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::Event => "Event",
            Self::Rollout => "Rollout",
            Self::LeaderWorkerSet => "LeaderWorkerSet",
            Self::ScaledObject => "ScaledObject",
            Self::QueuedWorkload => "Workload",
            Self::VirtualService => "VirtualService",
            Self::HttpRoute => "HTTPRoute",
            Self::GrpcRoute => "GRPCRoute",
            Self::DnsEndpoint => "DNSEndpoint",
            Self::DestinationRule => "DestinationRule",
            Self::ServiceEntry => "ServiceEntry",
            Self::Service => "Service",
            Self::EndpointSlice => "EndpointSlice",
            Self::InferenceService => "InferenceService",
            Self::Canary => "Canary",
            Self::Application => "Application",
            Self::Kustomization => "Kustomization",
            Self::HelmRelease => "HelmRelease",
            Self::ClusterQueue => "ClusterQueue",
            Self::LocalQueue => "LocalQueue",
            Self::CustomJob(_) => "custom job",
        }
    }

    /// What an operator cannot see when this kind cannot be read.
    pub const fn loss(self) -> &'static str {
        match self {
            Self::Node => "node health, GPU capacity, cloud and region",
            Self::Namespace => "the list of namespaces",
            Self::Pod => "crash loops, image pulls, GPUs requested",
            Self::Deployment => "replicas of Deployments",
            Self::StatefulSet => "replicas of StatefulSets",
            Self::ReplicaSet => "revisions, ReplicaSets without a Deployment",
            Self::HorizontalPodAutoscaler => "autoscaler ranges",
            Self::PodDisruptionBudget => "disruption budgets",
            Self::Job => "jobs",
            Self::CronJob => "schedules",
            Self::Event => "warnings",
            Self::Rollout => "Argo Rollouts",
            Self::LeaderWorkerSet => "LeaderWorkerSets",
            Self::ScaledObject => "KEDA scaling",
            Self::QueuedWorkload => "queue positions",
            Self::VirtualService => "Istio routes",
            Self::HttpRoute => "Gateway API routes",
            Self::GrpcRoute => "gRPC routes",
            Self::DnsEndpoint => "DNS weights",
            Self::DestinationRule => "subsets of hosts",
            Self::ServiceEntry => "hosts of other clusters",
            Self::Service => "hosts of routes",
            Self::EndpointSlice => "ready endpoints of routes",
            Self::InferenceService => "KServe scaling",
            Self::Canary => "Flagger's routes",
            Self::Application => "word of what Argo CD would take back",
            Self::Kustomization => "word of what Flux would take back",
            Self::HelmRelease => "word of what Flux's Helm would take back",
            Self::ClusterQueue => "quota of Kueue",
            Self::LocalQueue => "quota of Kueue by namespace",
            Self::CustomJob(_) => "jobs of this kind",
        }
    }

    /// Cluster-scoped kinds cannot be read namespace by namespace.
    pub const fn namespaced(self) -> bool {
        !matches!(self, Self::Node | Self::Namespace | Self::ClusterQueue)
    }

    /// Every cluster serves it; the others are there when their CRDs are.
    pub const fn is_built_in(self) -> bool {
        matches!(
            self,
            Self::Node
                | Self::Namespace
                | Self::Pod
                | Self::Deployment
                | Self::StatefulSet
                | Self::ReplicaSet
                | Self::HorizontalPodAutoscaler
                | Self::PodDisruptionBudget
                | Self::Job
                | Self::CronJob
                | Self::Event
                | Self::Service
                | Self::EndpointSlice
        )
    }

    /// Whether it says where requests go.
    pub const fn is_route(self) -> bool {
        matches!(self, Self::VirtualService | Self::HttpRoute | Self::GrpcRoute | Self::DnsEndpoint)
    }

    /// Whether objects of this kind are rows of the Replicas panel.
    pub const fn is_workload(self) -> bool {
        matches!(
            self,
            Self::Deployment | Self::StatefulSet | Self::ReplicaSet | Self::Rollout | Self::LeaderWorkerSet
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Namespace and name; the namespace is empty for cluster-scoped objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectKey {
    pub namespace: Clean,
    pub name: Clean,
}

impl ObjectKey {
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            return f.pad(&self.name);
        }
        f.pad(&format!("{}/{}", self.namespace, self.name))
    }
}

/// Kind, namespace and name: one object of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectId {
    pub kind: Kind,
    pub key: ObjectKey,
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.kind, self.key))
    }
}

/// One operation, over all sessions and machines: 26 characters, sorted by time (ULID, <https://github.com/ulid/spec>).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeId(Clean);

impl ChangeId {
    /// What a ULID is written with: Crockford's base 32.
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// From a time and 80 random bits.
    pub fn new(unix_ms: u64, random: u128) -> Self {
        let value = (u128::from(unix_ms) << 80) | (random & ((1 << 80) - 1));
        let digit = |at: u32| Self::ALPHABET[(value >> (5 * (25 - at)) & 31) as usize] as char;
        Self(Clean::from((0..26).map(digit).collect::<String>()))
    }

    /// One that somebody typed; `None` when it is not written as one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        let written = text.len() == 26 && text.bytes().all(|byte| Self::ALPHABET.contains(&byte));
        written.then(|| Self(text.into()))
    }

    pub fn as_clean(&self) -> &Clean {
        &self.0
    }

    /// The beginning, for places where there is little room.
    pub fn short(&self) -> Clean {
        self.0.part(0..10)
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Which part of a kind a source reads: the whole cluster (0), or one of its configured namespaces (from 1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot(pub u8);

/// One loop that lists and watches: a kind in a cluster, whole or by namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceId {
    pub cluster: ClusterId,
    pub kind: Kind,
    pub slot: Slot,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_changes_are_sorted_by_time_and_can_be_typed() {
        let id = ChangeId::new(1_469_918_176_385, 0);
        assert_eq!(id.to_string(), "01ARYZ6S410000000000000000", "the time of the specification's example");
        assert!(id < ChangeId::new(1_469_918_176_386, 0));
        assert!(ChangeId::new(1, 5) != ChangeId::new(1, 6));
        assert_eq!(ChangeId::parse(" 01aryz6s410000000000000000"), Some(id));
        for wrong in ["", "01ARYZ6S41", "01ARYZ6S41000000000000000U", "../../../../../../etc/pass"] {
            assert_eq!(ChangeId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_kind_is_in_the_list_once() {
        let mut kinds = Kind::ALL.to_vec();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), Kind::ALL.len());
        // A new variant belongs into the list: this match makes the compiler ask for it.
        for kind in Kind::ALL {
            match kind {
                Kind::CustomJob(_) => panic!("configured job kinds have no fixed place"),
                Kind::Node
                | Kind::Namespace
                | Kind::Pod
                | Kind::Deployment
                | Kind::StatefulSet
                | Kind::ReplicaSet
                | Kind::HorizontalPodAutoscaler
                | Kind::PodDisruptionBudget
                | Kind::Job
                | Kind::CronJob
                | Kind::Event
                | Kind::Rollout
                | Kind::LeaderWorkerSet
                | Kind::ScaledObject
                | Kind::QueuedWorkload
                | Kind::VirtualService
                | Kind::HttpRoute
                | Kind::GrpcRoute
                | Kind::DnsEndpoint
                | Kind::DestinationRule
                | Kind::ServiceEntry
                | Kind::Service
                | Kind::EndpointSlice
                | Kind::InferenceService
                | Kind::Canary
                | Kind::Application
                | Kind::Kustomization
                | Kind::HelmRelease
                | Kind::ClusterQueue
                | Kind::LocalQueue => {}
            }
        }
    }
}
