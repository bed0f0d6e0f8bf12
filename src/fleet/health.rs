//! Findings: what an operator should look at, with cause, place and time.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Clean, ClusterId, ObjectId, ObjectKey, Unix};

/// One thing that needs attention. Two findings are the same when rule, cluster and subject are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub rule: Rule,
    pub severity: Severity,
    /// `None` when it is about the same thing in several clusters.
    pub cluster: Option<ClusterId>,
    pub subject: Subject,
    /// The cause, in one line of words.
    pub cause: Clean,
    pub since: Option<Unix>,
}

/// What a finding is about, and where `Enter` leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    Cluster,
    Node(Clean),
    Namespace(Clean),
    Workload(ObjectId),
    Job(ObjectId),
    Route(ObjectId),
    /// A pod without a workload.
    Pod(ObjectKey),
}

/// The more severe is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

impl Severity {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// The rules that find; each is one function of `state::findings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rule {
    SilentCluster,
    SilentSource,
    DeniedSource,
    UnknownObjects,
    SameCluster,
    ReplacedCluster,
    CertificateExpiry,
    InsecureConnection,
    NodeNotReady,
    NodeComplaint,
    NamespaceStuck,
    StuckRollout,
    ReplicasShort,
    CrashLoop,
    ImagePull,
    CannotStart,
    Unschedulable,
    PodFailed,
    JobFailed,
    JobStuckPending,
    JobWithoutProgress,
    VersionDrift,
    RouteInvalid,
    RouteDry,
    RouteConflict,
    RouteDrift,
}

impl Rule {
    pub const ALL: [Self; 26] = [
        Self::SilentCluster,
        Self::SilentSource,
        Self::DeniedSource,
        Self::UnknownObjects,
        Self::SameCluster,
        Self::ReplacedCluster,
        Self::CertificateExpiry,
        Self::InsecureConnection,
        Self::NodeNotReady,
        Self::NodeComplaint,
        Self::NamespaceStuck,
        Self::StuckRollout,
        Self::ReplicasShort,
        Self::CrashLoop,
        Self::ImagePull,
        Self::CannotStart,
        Self::Unschedulable,
        Self::PodFailed,
        Self::JobFailed,
        Self::JobStuckPending,
        Self::JobWithoutProgress,
        Self::VersionDrift,
        Self::RouteInvalid,
        Self::RouteDry,
        Self::RouteConflict,
        Self::RouteDrift,
    ];

    /// The name in configuration, filters and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SilentCluster => "silent-cluster",
            Self::SilentSource => "silent-source",
            Self::DeniedSource => "denied-source",
            Self::UnknownObjects => "unknown-objects",
            Self::SameCluster => "same-cluster",
            Self::ReplacedCluster => "replaced-cluster",
            Self::CertificateExpiry => "certificate-expiry",
            Self::InsecureConnection => "insecure-connection",
            Self::NodeNotReady => "node-not-ready",
            Self::NodeComplaint => "node-complaint",
            Self::NamespaceStuck => "namespace-stuck",
            Self::StuckRollout => "stuck-rollout",
            Self::ReplicasShort => "replicas-short",
            Self::CrashLoop => "crash-loop",
            Self::ImagePull => "image-pull",
            Self::CannotStart => "cannot-start",
            Self::Unschedulable => "unschedulable",
            Self::PodFailed => "pod-failed",
            Self::JobFailed => "job-failed",
            Self::JobStuckPending => "job-stuck-pending",
            Self::JobWithoutProgress => "job-without-progress",
            Self::VersionDrift => "version-drift",
            Self::RouteInvalid => "route-invalid",
            Self::RouteDry => "route-without-endpoints",
            Self::RouteConflict => "route-conflict",
            Self::RouteDrift => "route-drift",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => f.write_str("cluster"),
            Self::Node(name) => write!(f, "node {name}"),
            Self::Namespace(name) => write!(f, "namespace {name}"),
            Self::Workload(id) | Self::Job(id) => write!(f, "{}", id.key),
            Self::Route(id) => write!(f, "{id}"),
            Self::Pod(key) => write!(f, "pod {key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_names_of_their_own() {
        let mut names: Vec<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Rule::ALL.len());
    }
}
