//! Who knows which host: an index over the objects of the mesh, made once for a whole answer.

use std::collections::{BTreeMap, HashMap};

use crate::fleet::{ClusterId, HostPolicy, Kind, Route, ServiceEntry};
use crate::state::{Cluster, State};

/// The hosts of every cluster, also of those out of scope: requests go there all the same.
pub struct Hosts<'a> {
    clusters: BTreeMap<ClusterId, OfCluster<'a>>,
    /// Weighted DNS records of all clusters, by name and type in words.
    records: HashMap<&'a str, Vec<(&'a Cluster, &'a Route, usize)>>,
}

#[derive(Default)]
struct OfCluster<'a> {
    policies: HashMap<&'a str, Vec<&'a HostPolicy>>,
    entries: HashMap<&'a str, Vec<&'a ServiceEntry>>,
    /// Those with a host that begins with `*`.
    wild: Vec<&'a ServiceEntry>,
    /// VirtualServices of the mesh by the hosts that they route.
    routed: HashMap<&'a str, Vec<&'a Route>>,
    /// VirtualServices by those that they delegate to, in words.
    delegating: HashMap<String, &'a Route>,
}

impl<'a> Hosts<'a> {
    pub fn new(state: &'a State) -> Self {
        let clusters = state.clusters().map(|cluster| (cluster.id, OfCluster::new(cluster)));
        let mut hosts = Self { clusters: clusters.collect(), records: HashMap::new() };
        for cluster in state.clusters().filter(|cluster| cluster.same_as.is_none()) {
            for route in routes(cluster, Kind::DnsEndpoint) {
                for (at, rule) in route.rules.iter().enumerate() {
                    let Some(record) = rule.matches.first() else { continue };
                    hosts.records.entry(record.as_str()).or_default().push((cluster, route, at));
                }
            }
        }
        hosts
    }

    pub fn policies(&self, cluster: ClusterId, host: &str) -> &[&'a HostPolicy] {
        let of = self.clusters.get(&cluster).and_then(|it| it.policies.get(host));
        of.map_or(&[], Vec::as_slice)
    }

    pub fn entry(&self, cluster: ClusterId, host: &str) -> Option<&'a ServiceEntry> {
        let of = self.clusters.get(&cluster)?;
        let exact = of.entries.get(host).and_then(|entries| entries.first());
        exact.or_else(|| of.wild.iter().find(|entry| entry.has(host))).copied()
    }

    /// VirtualServices of the mesh that route a host.
    pub fn routed(&self, cluster: ClusterId, host: &str) -> &[&'a Route] {
        self.clusters.get(&cluster).and_then(|it| it.routed.get(host)).map_or(&[], Vec::as_slice)
    }

    /// The VirtualService that has a rule for this one.
    pub fn delegating(&self, cluster: ClusterId, to: &Route) -> Option<&'a Route> {
        self.clusters.get(&cluster)?.delegating.get(&to.key.to_string()).copied()
    }

    /// Every rule about a DNS name and type.
    pub fn records(&self, record: &str) -> &[(&'a Cluster, &'a Route, usize)] {
        self.records.get(record).map_or(&[], Vec::as_slice)
    }
}

impl<'a> OfCluster<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        let mut of = Self::default();
        for policy in cluster.objects.host_policies.values() {
            of.policies.entry(policy.host.as_str()).or_default().push(policy);
        }
        for policies in of.policies.values_mut() {
            policies.sort_by(|a, b| a.key.cmp(&b.key));
        }
        let mut entries: Vec<_> = cluster.objects.service_entries.values().collect();
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        for entry in entries {
            for host in &entry.hosts {
                if host.starts_with('*') {
                    of.wild.push(entry);
                } else {
                    of.entries.entry(host.as_str()).or_default().push(entry);
                }
            }
        }
        for route in routes(cluster, Kind::VirtualService) {
            of.add_route(route);
        }
        of
    }

    fn add_route(&mut self, route: &'a Route) {
        if route.parents.iter().any(|parent| parent == "mesh") {
            for host in &route.hosts {
                self.routed.entry(host.as_str()).or_default().push(route);
            }
        }
        for rule in &route.rules {
            if let crate::fleet::route::Shape::Delegate(to) = &rule.shape {
                self.delegating.entry(to.to_string()).or_insert(route);
            }
        }
    }
}

/// Of one kind, by name: tables have no order, and who is first is told.
fn routes(cluster: &Cluster, kind: Kind) -> Vec<&Route> {
    let routes = cluster.objects.routes.values().filter(|it| it.kind == kind);
    let mut routes: Vec<_> = routes.map(|it| &**it).collect();
    routes.sort_by(|a, b| a.key.cmp(&b.key));
    routes
}
