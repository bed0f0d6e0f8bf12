//! The objects of one cluster, in tables, and the sums over them in step.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::backing::Backing;
use super::jobs::Jobs;
use super::table::{Stamp, Table, Take, Told};
use super::usage::Usage;
use crate::fleet::{
    Admission, Autoscaler, Budget, ClusterQueue, CronJob, Endpoints, Event, HostPolicy, InferenceService,
    Kind, LocalQueue, Namespace, Node, Object, ObjectId, ObjectKey, Pod, Reconciler, Revision, Route,
    Service, ServiceEntry, Unix, Workload,
};

/// Tables whose objects are of several kinds are keyed with the kind, since names may be shared.
#[derive(Debug, Default)]
pub struct Objects {
    pub nodes: Table<ObjectKey, Node>,
    pub namespaces: Table<ObjectKey, Namespace>,
    pub pods: Table<ObjectKey, Pod>,
    pub workloads: Table<ObjectId, Workload>,
    pub revisions: Table<ObjectKey, Revision>,
    pub autoscalers: Table<ObjectId, Autoscaler>,
    pub budgets: Table<ObjectKey, Budget>,
    pub jobs: Jobs,
    pub cron_jobs: Table<ObjectKey, CronJob>,
    pub events: Table<ObjectKey, Event>,
    pub admissions: Table<ObjectKey, Admission>,
    pub routes: Table<ObjectId, Arc<Route>>,
    pub services: Table<ObjectKey, Service>,
    pub endpoints: Table<ObjectKey, Endpoints>,
    pub host_policies: Table<ObjectKey, HostPolicy>,
    pub service_entries: Table<ObjectKey, ServiceEntry>,
    pub inference_services: Table<ObjectKey, InferenceService>,
    pub reconcilers: Table<ObjectId, Reconciler>,
    pub cluster_queues: Table<ObjectKey, ClusterQueue>,
    pub local_queues: Table<ObjectKey, LocalQueue>,
    pub usage: Usage,
    /// Endpoints by Service.
    pub backing: Backing,
    /// Workloads that write the weights of routes: few among many.
    steering: BTreeSet<ObjectId>,
    /// How often pods have changed that may work for a job.
    job_pods_changed: u64,
}

impl Objects {
    /// The workload that writes the weights of a route.
    pub fn steers(&self, route: &ObjectId) -> Option<&Workload> {
        let mut steering = self.steering.iter().filter_map(|id| self.workloads.get(id));
        steering.find(|workload| workload.steers.contains(route))
    }

    /// How often the objects of a kind have changed; jobs with their pods. Kinds that share a table share the number.
    pub fn changes(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Pod => self.pods.changes(),
            Kind::Node => self.nodes.changes(),
            Kind::Namespace => self.namespaces.changes(),
            Kind::ReplicaSet => self.workloads.changes() + self.revisions.changes(),
            Kind::Deployment | Kind::StatefulSet | Kind::Rollout | Kind::LeaderWorkerSet => {
                self.workloads.changes()
            }
            Kind::Job | Kind::CustomJob(_) => self.jobs.changes() + self.job_pods_changed,
            Kind::CronJob => self.cron_jobs.changes(),
            Kind::HorizontalPodAutoscaler | Kind::ScaledObject => self.autoscalers.changes(),
            Kind::PodDisruptionBudget => self.budgets.changes(),
            Kind::Event => self.events.changes(),
            Kind::QueuedWorkload => self.admissions.changes(),
            Kind::VirtualService | Kind::HttpRoute | Kind::GrpcRoute | Kind::DnsEndpoint => {
                self.routes.changes()
            }
            Kind::Service => self.services.changes(),
            Kind::EndpointSlice => self.endpoints.changes(),
            Kind::DestinationRule => self.host_policies.changes(),
            Kind::ServiceEntry => self.service_entries.changes(),
            Kind::InferenceService => self.inference_services.changes(),
            Kind::Canary | Kind::Application | Kind::Kustomization | Kind::HelmRelease => {
                self.reconcilers.changes()
            }
            Kind::ClusterQueue => self.cluster_queues.changes(),
            Kind::LocalQueue => self.local_queues.changes(),
        }
    }

    pub(super) fn upsert(&mut self, object: Object, stamp: Stamp, unix: Unix) {
        let key = object.key();
        let id = || ObjectId { kind: stamp.kind, key: key.clone() };
        match object {
            Object::Pod(pod) => self.upsert_pod(pod, stamp),
            Object::Node(node) => self.upsert_node(*node, stamp),
            Object::Job(job) => self.jobs.upsert(job, stamp, unix),
            Object::Workload(it) => {
                // It has lost its owner. Workloads of other kinds may have the same name.
                if stamp.kind == Kind::ReplicaSet {
                    self.revisions.remove(&key);
                }
                self.upsert_workload(*it, stamp);
            }
            Object::Revision(it) => {
                self.remove_workload(&id());
                self.revisions.upsert(key, *it, stamp);
            }
            Object::Autoscaler(it) => drop(self.autoscalers.upsert(id(), *it, stamp)),
            Object::Namespace(it) => drop(self.namespaces.upsert(key, it, stamp)),
            Object::Budget(it) => drop(self.budgets.upsert(key, *it, stamp)),
            Object::CronJob(it) => drop(self.cron_jobs.upsert(key, *it, stamp)),
            Object::Event(it) => drop(self.events.upsert(key, *it, stamp)),
            Object::Admission(it) => drop(self.admissions.upsert(key, *it, stamp)),
            Object::Route(it) => drop(self.routes.upsert(id(), it, stamp)),
            Object::Service(it) => drop(self.services.upsert(key, *it, stamp)),
            Object::Endpoints(it) => self.upsert_endpoints(*it, stamp),
            Object::HostPolicy(it) => drop(self.host_policies.upsert(key, *it, stamp)),
            Object::ServiceEntry(it) => drop(self.service_entries.upsert(key, *it, stamp)),
            Object::InferenceService(it) => drop(self.inference_services.upsert(key, *it, stamp)),
            Object::Reconciler(it) => drop(self.reconcilers.upsert(id(), *it, stamp)),
            Object::ClusterQueue(it) => drop(self.cluster_queues.upsert(key, *it, stamp)),
            Object::LocalQueue(it) => drop(self.local_queues.upsert(key, *it, stamp)),
        }
    }

    pub(super) fn remove(&mut self, kind: Kind, key: &ObjectKey) {
        let id = || ObjectId { kind, key: key.clone() };
        match kind {
            Kind::Pod => {
                if let Some(old) = self.pods.remove(key) {
                    self.pod_gone(&old);
                }
            }
            Kind::Node => {
                let old = self.nodes.remove(key);
                self.usage.change_node(old.as_ref(), None);
            }
            Kind::Job | Kind::CustomJob(_) => self.jobs.remove(&id()),
            Kind::ReplicaSet => {
                self.remove_workload(&id());
                self.revisions.remove(key);
            }
            Kind::Deployment | Kind::StatefulSet | Kind::Rollout | Kind::LeaderWorkerSet => {
                self.remove_workload(&id());
            }
            Kind::HorizontalPodAutoscaler | Kind::ScaledObject => {
                self.autoscalers.remove(&id());
            }
            Kind::Namespace => drop(self.namespaces.remove(key)),
            Kind::PodDisruptionBudget => drop(self.budgets.remove(key)),
            Kind::CronJob => drop(self.cron_jobs.remove(key)),
            Kind::Event => drop(self.events.remove(key)),
            Kind::QueuedWorkload => drop(self.admissions.remove(key)),
            Kind::VirtualService | Kind::HttpRoute | Kind::GrpcRoute | Kind::DnsEndpoint => {
                self.routes.remove(&id());
            }
            Kind::Service => drop(self.services.remove(key)),
            Kind::EndpointSlice => {
                let old = self.endpoints.remove(key);
                self.backing.change(old.as_ref(), None);
            }
            Kind::DestinationRule => drop(self.host_policies.remove(key)),
            Kind::ServiceEntry => drop(self.service_entries.remove(key)),
            Kind::InferenceService => drop(self.inference_services.remove(key)),
            Kind::Canary | Kind::Application | Kind::Kustomization | Kind::HelmRelease => {
                self.reconcilers.remove(&id());
            }
            Kind::ClusterQueue => drop(self.cluster_queues.remove(key)),
            Kind::LocalQueue => drop(self.local_queues.remove(key)),
        }
    }

    /// Takes rows of one source out of the tables that its kind fills.
    pub(super) fn take(&mut self, which: Take) {
        match which.kind() {
            Kind::Pod => {
                for (_, pod) in self.pods.take(which) {
                    self.pod_gone(&pod);
                }
            }
            Kind::Node => {
                for (_, node) in self.nodes.take(which) {
                    self.usage.change_node(Some(&node), None);
                }
            }
            Kind::Job | Kind::CustomJob(_) => self.jobs.take(which),
            Kind::ReplicaSet => {
                self.take_workloads(which);
                self.revisions.take(which);
            }
            Kind::Deployment | Kind::StatefulSet | Kind::Rollout | Kind::LeaderWorkerSet => {
                self.take_workloads(which);
            }
            Kind::HorizontalPodAutoscaler | Kind::ScaledObject => {
                self.autoscalers.take(which);
            }
            Kind::Namespace => drop(self.namespaces.take(which)),
            Kind::PodDisruptionBudget => drop(self.budgets.take(which)),
            Kind::CronJob => drop(self.cron_jobs.take(which)),
            Kind::Event => drop(self.events.take(which)),
            Kind::QueuedWorkload => drop(self.admissions.take(which)),
            Kind::VirtualService | Kind::HttpRoute | Kind::GrpcRoute | Kind::DnsEndpoint => {
                self.routes.take(which);
            }
            Kind::Service => drop(self.services.take(which)),
            Kind::EndpointSlice => {
                for (_, endpoints) in self.endpoints.take(which) {
                    self.backing.change(Some(&endpoints), None);
                }
            }
            Kind::DestinationRule => drop(self.host_policies.take(which)),
            Kind::ServiceEntry => drop(self.service_entries.take(which)),
            Kind::InferenceService => drop(self.inference_services.take(which)),
            Kind::Canary | Kind::Application | Kind::Kustomization | Kind::HelmRelease => {
                self.reconcilers.take(which);
            }
            Kind::ClusterQueue => drop(self.cluster_queues.take(which)),
            Kind::LocalQueue => drop(self.local_queues.take(which)),
        }
    }

    fn upsert_pod(&mut self, pod: Pod, stamp: Stamp) {
        let key = pod.key.clone();
        let told = self.pods.upsert(key.clone(), pod, stamp);
        let Some(pod) = self.pods.get(&key) else { return };
        match told {
            Told::Same => {}
            Told::New => {
                self.job_pods_changed += u64::from(may_work_for_a_job(pod));
                self.usage.change_pod(None, Some(pod));
            }
            Told::Changed(old) => {
                self.job_pods_changed += u64::from(may_work_for_a_job(&old) || may_work_for_a_job(pod));
                self.usage.change_pod(Some(&old), Some(pod));
            }
        }
    }

    fn pod_gone(&mut self, pod: &Pod) {
        self.job_pods_changed += u64::from(may_work_for_a_job(pod));
        self.usage.change_pod(Some(pod), None);
    }

    fn upsert_node(&mut self, node: Node, stamp: Stamp) {
        let key = ObjectKey { name: node.name.clone(), ..ObjectKey::default() };
        let old = match self.nodes.upsert(key.clone(), node, stamp) {
            Told::Same => return,
            Told::New => None,
            Told::Changed(old) => Some(old),
        };
        self.usage.change_node(old.as_ref(), self.nodes.get(&key));
    }

    fn upsert_workload(&mut self, workload: Workload, stamp: Stamp) {
        if workload.steers.is_empty() {
            self.steering.remove(&workload.id());
        } else {
            self.steering.insert(workload.id());
        }
        let id = workload.id();
        let old = match self.workloads.upsert(id.clone(), workload, stamp) {
            Told::Same => return,
            Told::New => None,
            Told::Changed(old) => Some(old),
        };
        self.usage.change_workload(old.as_ref(), self.workloads.get(&id));
    }

    fn remove_workload(&mut self, id: &ObjectId) {
        let old = self.workloads.remove(id);
        self.usage.change_workload(old.as_ref(), None);
        self.steering.remove(id);
    }

    fn take_workloads(&mut self, which: Take) {
        for (id, workload) in self.workloads.take(which) {
            self.usage.change_workload(Some(&workload), None);
            self.steering.remove(&id);
        }
    }

    fn upsert_endpoints(&mut self, endpoints: Endpoints, stamp: Stamp) {
        self.backing.change(self.endpoints.get(&endpoints.key), Some(&endpoints));
        self.endpoints.upsert(endpoints.key.clone(), endpoints, stamp);
    }
}

/// Most pods of a fleet serve: what happens to them is no news of jobs.
fn may_work_for_a_job(pod: &Pod) -> bool {
    let serves = |kind: &str| {
        matches!(
            kind,
            "Deployment" | "StatefulSet" | "ReplicaSet" | "DaemonSet" | "Rollout" | "LeaderWorkerSet"
        )
    };
    pod.owner.as_ref().is_some_and(|owner| !serves(&owner.kind))
}
