//! What stands behind a destination: which clusters, how many endpoints, how many of them ready.
//!
//! Only what is certain is counted. A host that leads outside, a subset whose pods cannot be told apart, a
//! cluster that is not heard: all of these are `None`, with the reason in words.

use std::collections::BTreeMap;

use super::hosts::Hosts;
use super::is_told;
use crate::fleet::route::{Destination, Rule};
use crate::fleet::{Clean, Cloud, ClusterId, Kind, Labels, ObjectKey, Rollout, Route, Service, Workload};
use crate::state::{Cluster, State};

/// The label of endpoints that names their cluster, as Istio sets it.
const CLUSTER_LABEL: &str = "topology.istio.io/cluster";

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reach {
    /// Endpoints by the cluster in which they run.
    pub parts: BTreeMap<ClusterId, Part>,
    /// It is not certain that the parts are all there is.
    pub open: bool,
    pub clouds: Vec<Cloud>,
    /// Why something is not known, or what is special; empty when nothing is.
    pub note: Clean,
}

/// Endpoints in one cluster; `None` when that is not known now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    pub ready: Option<u32>,
    pub total: Option<u32>,
}

impl Reach {
    /// Endpoints that take requests; `None` unless all of them are known.
    pub fn ready(&self) -> Option<u32> {
        self.sum(|part| part.ready)
    }

    pub fn total(&self) -> Option<u32> {
        self.sum(|part| part.total)
    }

    fn sum(&self, of: impl Fn(&Part) -> Option<u32>) -> Option<u32> {
        if self.open {
            return None;
        }
        self.parts.values().map(of).sum()
    }

    fn unknown(note: impl Into<Clean>) -> Self {
        Self { open: true, note: note.into(), ..Self::default() }
    }

    /// It leads nowhere: nothing will ever be ready.
    fn nowhere(note: impl Into<Clean>) -> Self {
        Self { note: note.into(), ..Self::default() }
    }
}

/// From where a destination is looked at: names mean something else in each cluster.
#[derive(Clone, Copy)]
pub struct From<'a> {
    pub state: &'a State,
    pub hosts: &'a Hosts<'a>,
    /// The cluster whose route it is.
    pub source: &'a Cluster,
}

impl From<'_> {
    /// What a destination of a route of this cluster leads to.
    pub fn reach(self, route: &Route, destination: &Destination) -> Reach {
        let mut reach = match route.kind {
            Kind::DnsEndpoint => Reach::unknown(""),
            _ => self.of_host(route, destination),
        };
        let places = reach.parts.keys().filter_map(|id| self.state.cluster(*id)?.cloud());
        let mut clouds: Vec<Cloud> = places.collect();
        clouds.sort();
        clouds.dedup();
        // Where endpoints run is what counts; a name is only what somebody wrote.
        reach.clouds =
            if clouds.is_empty() { destination.cloud_by_name().into_iter().collect() } else { clouds };
        reach
    }

    fn of_host(self, route: &Route, destination: &Destination) -> Reach {
        let subset = match self.subset(destination) {
            Ok(labels) => labels,
            Err(reach) => return *reach,
        };
        let Some(key) = service_of(&destination.host) else { return self.outside(destination) };
        if !self.knows(&[Kind::Service]) {
            return Reach::unknown(format!("the Services of {} are not known now", self.source.spec.name));
        }
        if let Some(name) = subset.get(CLUSTER_LABEL) {
            return match self.state.clusters().find(|it| it.spec.name == *name) {
                Some(cluster) => in_clusters(self.state, &[cluster], &key, &subset),
                None => Reach::unknown(format!("{name} is not one of these clusters")),
            };
        }
        match self.source.objects.services.get(&key) {
            Some(Service { external_name: Some(name), .. }) => Reach::unknown(format!("leads to {name}")),
            Some(_) => in_clusters(self.state, &[self.source], &key, &subset),
            None if route.kind != Kind::VirtualService => Reach::nowhere(format!("no Service {key} here")),
            None => self.elsewhere(&key, destination, &subset),
        }
    }

    /// The labels of a destination's subset; without one, none.
    fn subset(self, destination: &Destination) -> Result<Labels, Box<Reach>> {
        if destination.subset.is_empty() {
            return Ok(Labels::default());
        }
        let mut policies = self.hosts.policies(self.source.id, &destination.host).iter();
        if let Some(subset) = policies.find_map(|policy| policy.subset(&destination.subset)) {
            return Ok(subset.labels.clone());
        }
        Err(Box::new(if self.knows(&[Kind::DestinationRule]) {
            Reach::nowhere(format!("no DestinationRule has the subset {}", destination.subset))
        } else {
            Reach::unknown("the DestinationRules are not known now")
        }))
    }

    /// A host that is no Service's name.
    fn outside(self, destination: &Destination) -> Reach {
        if let Some(entry) = self.hosts.entry(self.source.id, &destination.host) {
            let place = if entry.in_mesh { "in the mesh" } else { "outside of the mesh" };
            return Reach::unknown(format!("ServiceEntry {}, {place}", entry.key.name));
        }
        if destination.host.ends_with(".clusterset.local") || destination.host.contains(' ') {
            return Reach::unknown("not a Service of one cluster");
        }
        if self.knows(&[Kind::ServiceEntry]) {
            Reach::nowhere(format!("{} knows no such host", self.source.spec.name))
        } else {
            Reach::unknown("the ServiceEntries are not known now")
        }
    }

    /// A Service that this cluster does not have: another cluster may, by a shared mesh or by federation.
    fn elsewhere(self, key: &ObjectKey, destination: &Destination, subset: &Labels) -> Reach {
        let entry = self.hosts.entry(self.source.id, &destination.host);
        let others = || self.state.clusters().filter(|it| it.id != self.source.id && it.same_as.is_none());
        let having: Vec<&Cluster> = others().filter(|it| it.objects.services.get(key).is_some()).collect();
        let through = match entry {
            Some(entry) => format!("through ServiceEntry {}", entry.key.name),
            None => format!("not in {} itself", self.source.spec.name),
        };
        if !having.is_empty() {
            let mut reach = in_clusters(self.state, &having, key, subset);
            if reach.note.is_empty() {
                reach.note = through.into();
            }
            return reach;
        }
        if entry.is_some() {
            return Reach::unknown(through);
        }
        let all_known = others().all(|it| is_told(self.state, it, &[Kind::Service]));
        if all_known && self.knows(&[Kind::ServiceEntry]) {
            return Reach::nowhere(format!("no cluster has a Service {key}"));
        }
        Reach::unknown(format!("no Service {key} here; not every cluster is read"))
    }

    fn knows(self, kinds: &[Kind]) -> bool {
        is_told(self.state, self.source, kinds)
    }
}

fn in_clusters(state: &State, clusters: &[&Cluster], key: &ObjectKey, subset: &Labels) -> Reach {
    let mut reach = Reach::default();
    for cluster in clusters {
        let part = match of_cluster(state, cluster, key, subset) {
            Ok(part) => part,
            Err(why) => {
                reach.note = why;
                Part::default()
            }
        };
        reach.parts.insert(cluster.id, part);
    }
    reach
}

/// Endpoints of a Service in one cluster, or why they are not known.
fn of_cluster(state: &State, cluster: &Cluster, key: &ObjectKey, subset: &Labels) -> Result<Part, Clean> {
    if !is_told(state, cluster, &[Kind::Service, Kind::EndpointSlice]) {
        return Err(format!("the endpoints of {} are not known now", cluster.spec.name).into());
    }
    let counts = cluster.objects.backing.of(key).unwrap_or_default();
    let labels: Vec<_> = subset.0.iter().filter(|(label, _)| label != CLUSTER_LABEL).collect();
    if labels.is_empty() {
        return Ok(Part { ready: Some(counts.ready), total: Some(counts.total) });
    }
    let Some(service) = cluster.objects.services.get(key) else {
        return Err(format!("no Service {key} in {}", cluster.spec.name).into());
    };
    of_subset(state, cluster, service, &labels, counts.ready)
}

/// Endpoints of a subset: those of the workloads whose pods bear its labels. It is only certain when these
/// workloads account for every endpoint and none is between two versions.
fn of_subset(
    state: &State,
    cluster: &Cluster,
    service: &Service,
    labels: &[&(Clean, Clean)],
    ready: u32,
) -> Result<Part, Clean> {
    const UNTOLD: &str = "the pods of this subset cannot be told apart";
    let kinds = [Kind::Deployment, Kind::StatefulSet, Kind::ReplicaSet, Kind::Rollout];
    if service.selector.0.is_empty() || !is_told(state, cluster, &kinds) {
        return Err(UNTOLD.into());
    }
    let bears =
        |workload: &Workload, label: &(Clean, Clean)| workload.pod_labels.get(&label.0) == Some(&label.1);
    let workloads = cluster.objects.workloads.values().filter(|it| selects(service, it));
    let (mut part, mut accounted) = ((0, 0), 0);
    for workload in workloads {
        let whole = matches!(workload.rollout, Rollout::Complete) && kinds.contains(&workload.kind);
        let labelled = labels.iter().all(|(key, _)| workload.pod_labels.get(key).is_some());
        if !whole || !labelled {
            return Err(UNTOLD.into());
        }
        accounted += workload.ready;
        if labels.iter().all(|label| bears(workload, label)) {
            part = (part.0 + workload.ready, part.1 + workload.desired);
        }
    }
    if accounted < ready {
        return Err(UNTOLD.into());
    }
    Ok(Part { ready: Some(part.0), total: Some(part.1) })
}

/// `name.namespace.svc.cluster.local` and whatever else a cluster calls its domain.
fn service_of(host: &str) -> Option<ObjectKey> {
    let mut parts = host.splitn(4, '.');
    let (name, namespace, svc, domain) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_service = svc == "svc" && domain != "clusterset.local" && !host.contains(' ');
    is_service.then(|| ObjectKey::new(namespace, name))
}

/// The workloads of a cluster whose pods stand behind a route: those that the Services of its destinations
/// choose there.
pub fn workloads<'a>(cluster: &'a Cluster, route: &Route) -> Vec<&'a Workload> {
    let destinations = route.rules.iter().flat_map(Rule::destinations);
    let services = destinations.filter_map(|it| cluster.objects.services.get(&service_of(&it.host)?));
    let services: Vec<&Service> = services.collect();
    let chosen = |workload: &&Workload| services.iter().any(|service| selects(service, workload));
    cluster.objects.workloads.values().filter(chosen).collect()
}

/// Whether a cluster was last seen to have the Service of a destination itself.
pub(super) fn is_own(cluster: &Cluster, route: &Route, rule: usize, destination: usize) -> bool {
    let destination = route.rules.get(rule).and_then(|rule| rule.destinations().get(destination));
    let key = destination.and_then(|it| service_of(&it.host));
    key.is_some_and(|key| cluster.objects.services.get(&key).is_some())
}

/// Whether the pods of a workload stand behind a Service; one without a selector chooses none.
fn selects(service: &Service, workload: &Workload) -> bool {
    let has = |(key, value): &(Clean, Clean)| workload.pod_labels.get(key) == Some(value);
    workload.key.namespace == service.key.namespace
        && !service.selector.0.is_empty()
        && service.selector.0.iter().all(has)
}
