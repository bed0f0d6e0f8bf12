//! Facts: the closed list of what a source may report.
//!
//! A list of objects is told as `Begin`, many `Item`s, `Complete`; only then is what was not mentioned any
//! more taken away. So a reader never sees half a list, and deletions that were missed are found.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Admission, Autoscaler, Budget, ClusterId, ClusterQueue, CronJob, Endpoints, Event, Fault, HostPolicy,
    InferenceService, Job, Kind, LocalQueue, Mono, Namespace, Node, ObjectKey, Pod, Reconciler, Revision,
    Route, Service, ServiceEntry, SourceId, Unix, Workload,
};
use crate::fleet::Clean;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    Source(SourceId, Mono, SourceFact),
    Cluster(ClusterId, Mono, ClusterFact),
}

/// What one list-and-watch loop reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SourceFact {
    /// A list begins; what is known stays shown until it is complete.
    Begin,
    Item(Object),
    Gone(ObjectKey),
    /// The list is complete: what it did not mention is gone.
    Complete,
    /// The server spoke without news: a bookmark, or the regular end of a watch.
    Heard,
    /// An object that could not be understood, by name if that could be read.
    Undecodable {
        name: Option<Clean>,
        why: Clean,
    },
    State(SourceState),
}

/// What a source is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SourceState {
    /// Asked for, no answer yet.
    Listing,
    Watching,
    /// Not connected; `attempt` failed starts in a row, the next in so many milliseconds.
    Retrying {
        fault: Fault,
        attempt: u32,
        next_ms: u32,
    },
    /// The account may not read this kind, with the server's words; looked at again now and then.
    Denied(Clean),
    /// The cluster does not serve this kind.
    Absent,
    /// The source's task ended by a bug; it begins again after a pause.
    Failed(Fault),
}

/// What is reported of a cluster as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ClusterFact {
    /// A client was made; how it connects, without secrets.
    Client(Connection),
    /// No client can be made of the configuration.
    Unusable(Fault),
    /// The API server answered.
    Answered {
        round_trip_ms: u32,
        git_version: Clean,
    },
    /// The API server did not answer.
    Unanswered(Fault),
    /// The UID of the namespace `kube-system`; `None` when the account may not read it.
    Identity(Option<Clean>),
    /// The kinds with a CRD that this cluster serves now; the others of these kinds are absent.
    Served(Vec<Kind>),
    Certificates {
        server_expires: Option<Unix>,
        client_expires: Option<Unix>,
    },
    /// What reading this cluster has cost it so far.
    Cost {
        requests: u64,
        received_bytes: u64,
    },
    /// Only these namespaces are read, since the account may not read the whole cluster or by configuration.
    Namespaces(Vec<Clean>),
}

/// How a cluster is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Scheme, host and port.
    pub server: Clean,
    pub context: Clean,
    /// `exec aws`, `token`, `client certificate`, `none`.
    pub credential: Clean,
    /// Host of the proxy, without its user and password.
    pub proxy: Option<Clean>,
    /// The server's certificate is not checked.
    pub insecure: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Object {
    Node(Box<Node>),
    Namespace(Namespace),
    Pod(Pod),
    Workload(Box<Workload>),
    Revision(Box<Revision>),
    Autoscaler(Box<Autoscaler>),
    Budget(Box<Budget>),
    Job(Arc<Job>),
    CronJob(Box<CronJob>),
    Event(Box<Event>),
    Admission(Box<Admission>),
    Route(Arc<Route>),
    Service(Box<Service>),
    Endpoints(Box<Endpoints>),
    HostPolicy(Box<HostPolicy>),
    ServiceEntry(Box<ServiceEntry>),
    InferenceService(Box<InferenceService>),
    Reconciler(Box<Reconciler>),
    ClusterQueue(Box<ClusterQueue>),
    LocalQueue(Box<LocalQueue>),
}

impl Object {
    pub fn key(&self) -> ObjectKey {
        match self {
            Self::Node(node) => ObjectKey { namespace: Clean::default(), name: node.name.clone() },
            Self::Namespace(it) => ObjectKey { namespace: Clean::default(), name: it.name.clone() },
            Self::Pod(pod) => pod.key.clone(),
            Self::Workload(workload) => workload.key.clone(),
            Self::Revision(revision) => revision.key.clone(),
            Self::Autoscaler(autoscaler) => autoscaler.key.clone(),
            Self::Budget(budget) => budget.key.clone(),
            Self::Job(job) => job.key.clone(),
            Self::CronJob(cron_job) => cron_job.key.clone(),
            Self::Event(event) => event.key.clone(),
            Self::Admission(admission) => admission.key.clone(),
            Self::Route(route) => route.key.clone(),
            Self::Service(service) => service.key.clone(),
            Self::Endpoints(endpoints) => endpoints.key.clone(),
            Self::HostPolicy(policy) => policy.key.clone(),
            Self::ServiceEntry(entry) => entry.key.clone(),
            Self::InferenceService(service) => service.key.clone(),
            Self::Reconciler(reconciler) => reconciler.key.clone(),
            Self::ClusterQueue(it) => ObjectKey { namespace: Clean::default(), name: it.name.clone() },
            Self::LocalQueue(queue) => queue.key.clone(),
        }
    }
}
