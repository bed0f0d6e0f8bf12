//! Which object is meant, and in which clusters. What fits twice is refused with the list of what fits; so is what
//! cannot be known because a cluster does not tell.

use std::collections::{BTreeMap, BTreeSet};

use super::No;
use crate::cli::kinds;
use crate::config::args::Whereabouts;
use crate::config::did_you_mean;
use crate::fleet::{Clean, ClusterId, Kind, ObjectId, Workload};
use crate::state::select::replicas::WORKLOAD_KINDS;
use crate::state::select::routes::ROUTE_KINDS;
use crate::state::{Cluster, State};

/// `[KIND/]NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub kind: Option<Kind>,
    pub name: String,
}

/// Everything that says which objects are looked for.
pub struct Search<'a> {
    state: &'a State,
    /// Namespaces of the contexts, by cluster.
    homes: &'a BTreeMap<Clean, Clean>,
    /// What it is called to people: `workload`, `route`.
    noun: &'static str,
    kinds: &'a [Kind],
    /// Objects of these kinds in a cluster.
    ids: fn(&Cluster) -> Vec<ObjectId>,
    target: Target,
    namespace: Option<&'a str>,
    /// Those that were named; all when none was.
    clusters: &'a [String],
}

/// One object, and the clusters that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub object: ObjectId,
    pub clusters: Vec<ClusterId>,
    /// Clusters of which nobody knows now whether they have it.
    pub untold: Vec<ClusterId>,
}

impl Target {
    pub fn parse(text: &str, kind_named: impl Fn(&str) -> Result<Kind, String>) -> Result<Self, No> {
        let (kind, name) = match text.split_once('/') {
            Some((kind, name)) => (Some(kind_named(kind).map_err(|words| No::usage(words, ""))?), name),
            None => (None, text),
        };
        if name.is_empty() || name.contains('/') {
            return Err(No::usage(format!("`{text}` is not [KIND/]NAME"), "for example deploy/web"));
        }
        Ok(Self { kind, name: name.to_owned() })
    }

    fn takes(&self, id: &ObjectId) -> bool {
        self.kind.is_none_or(|kind| kind == id.kind) && id.key.name.as_str() == self.name
    }
}

impl<'a> Search<'a> {
    /// For what has replicas.
    pub fn workloads(
        state: &'a State,
        homes: &'a BTreeMap<Clean, Clean>,
        named: &str,
        whereabouts: &'a Whereabouts,
    ) -> Result<Self, No> {
        let target = Target::parse(named, |kind| kinds::named(kind, &WORKLOAD_KINDS, "workload"))?;
        let ids = |cluster: &Cluster| cluster.objects.workloads.values().map(Workload::id).collect();
        let (namespace, clusters) = (whereabouts.namespace.as_deref(), &whereabouts.clusters[..]);
        Ok(Self { state, homes, noun: "workload", kinds: &WORKLOAD_KINDS, ids, target, namespace, clusters })
    }

    /// For what says where requests go.
    pub fn routes(
        state: &'a State,
        homes: &'a BTreeMap<Clean, Clean>,
        named: &str,
        whereabouts: &'a Whereabouts,
    ) -> Result<Self, No> {
        let target = Target::parse(named, |kind| kinds::named(kind, &ROUTE_KINDS, "route"))?;
        let ids = |cluster: &Cluster| cluster.objects.routes.values().map(|route| route.id()).collect();
        let (namespace, clusters) = (whereabouts.namespace.as_deref(), &whereabouts.clusters[..]);
        Ok(Self { state, homes, noun: "route", kinds: &ROUTE_KINDS, ids, target, namespace, clusters })
    }

    /// The one object that is meant. Named clusters must all have it.
    pub fn one(&self) -> Result<Found, No> {
        let clusters = self.considered()?;
        let mut objects: BTreeMap<ObjectId, Vec<ClusterId>> = BTreeMap::new();
        let mut elsewhere = BTreeSet::new();
        for cluster in &clusters {
            for id in (self.ids)(cluster).into_iter().filter(|id| self.target.takes(id)) {
                if self.is_in_namespace(cluster, &id) {
                    objects.entry(id).or_default().push(cluster.id);
                } else {
                    elsewhere.insert(id.key.namespace.clone());
                }
            }
        }
        let untold: Vec<ClusterId> = clusters.iter().filter(|it| !self.tells(it)).map(|it| it.id).collect();
        if objects.len() > 1 {
            return Err(self.ambiguous(objects.keys()));
        }
        let Some((object, having)) = objects.into_iter().next() else {
            return Err(self.nowhere(&clusters, &elsewhere, &untold));
        };
        if !self.clusters.is_empty()
            && let Some(without) = clusters.iter().find(|it| !having.contains(&it.id))
        {
            let told = if untold.contains(&without.id) { "has told no" } else { "has no" };
            let words = format!("{} {told} {object}", without.spec.name);
            return Err(No::refused(words, self.list(&having)));
        }
        Ok(Found { object, clusters: having, untold })
    }

    /// For what is changed in one cluster unless several are named: which they are must be certain.
    pub fn where_named(&self) -> Result<Found, No> {
        let found = self.one()?;
        if !self.clusters.is_empty() {
            return Ok(found);
        }
        if found.clusters.len() > 1 {
            let words = format!("several clusters have {}", found.object);
            return Err(No::refused(
                words,
                format!("name those that are meant: {}", self.list(&found.clusters)),
            ));
        }
        if !found.untold.is_empty() {
            let words =
                format!("whether {} has {} too is not known now", self.names(&found.untold), found.object);
            let hint = format!("name the cluster that is meant: {}", self.list(&found.clusters));
            return Err(No::refused(words, hint));
        }
        Ok(found)
    }

    /// `--cluster aws-east --cluster gcp-central`.
    pub fn list(&self, clusters: &[ClusterId]) -> String {
        let names = clusters.iter().filter_map(|id| self.state.cluster(*id));
        names.map(|it| format!("--cluster {}", it.spec.name)).collect::<Vec<_>>().join(" ")
    }

    pub fn names(&self, clusters: &[ClusterId]) -> String {
        let names = clusters.iter().filter_map(|id| self.state.cluster(*id));
        names.map(|it| it.spec.name.to_string()).collect::<Vec<_>>().join(", ")
    }

    fn considered(&self) -> Result<Vec<&Cluster>, No> {
        if self.clusters.is_empty() {
            return Ok(self.state.counted_clusters().collect());
        }
        let mut clusters: Vec<&Cluster> = Vec::new();
        for name in self.clusters {
            let Some(named) = self.state.cluster_named(name) else {
                let known: Vec<_> = self.state.clusters().map(|it| it.spec.name.as_str()).collect();
                return Err(No::usage(format!("there is no cluster {name}"), did_you_mean(name, &known)));
            };
            // Two names of one cluster are one cluster.
            let id = named.same_as.unwrap_or(named.id);
            if !clusters.iter().any(|it| it.id == id) {
                clusters.extend(self.state.cluster(id));
            }
        }
        Ok(clusters)
    }

    fn is_in_namespace(&self, cluster: &Cluster, id: &ObjectId) -> bool {
        match self.namespace.or(self.homes.get(&cluster.spec.name).map(Clean::as_str)) {
            Some(namespace) => id.key.namespace.as_str() == namespace,
            None => true,
        }
    }

    /// Whether what a cluster does not have is known to be not there.
    fn tells(&self, cluster: &Cluster) -> bool {
        let kinds = self.target.kind.as_ref().map_or(self.kinds, std::slice::from_ref);
        cluster.served.is_some()
            && cluster.freshness_of(kinds, self.state.now, self.state.settings.stale_after).is_whole()
    }

    fn ambiguous<'b>(&self, ids: impl Iterator<Item = &'b ObjectId>) -> No {
        let list: Vec<_> = ids
            .map(|id| format!("{}/{} -n {}", id.kind.name().to_lowercase(), id.key.name, id.key.namespace))
            .collect();
        let words = format!("{} {}s are called {}", list.len(), self.noun, self.target.name);
        No::refused(words, format!("say which: {}", list.join(", ")))
    }

    fn nowhere(&self, clusters: &[&Cluster], elsewhere: &BTreeSet<Clean>, untold: &[ClusterId]) -> No {
        let what = self.target.kind.map_or(self.noun, Kind::name);
        let place = match self.namespace {
            Some(namespace) => format!(" in the namespace {namespace}"),
            None if !elsewhere.is_empty() => " in the namespace of the context".into(),
            None => String::new(),
        };
        let words = format!("no {what} {}{place} is known", self.target.name);
        if !elsewhere.is_empty() {
            let list: Vec<_> = elsewhere.iter().map(|it| format!("-n {it}")).collect();
            return No::refused(words, format!("there is one in another: {}", list.join(", ")));
        }
        if !untold.is_empty() {
            return No::refused(words, format!("{} cannot be read now", self.names(untold)));
        }
        let all: Vec<ObjectId> = clusters.iter().flat_map(|it| (self.ids)(it)).collect();
        let names: BTreeSet<&str> = all
            .iter()
            .filter(|id| self.target.kind.is_none_or(|kind| kind == id.kind))
            .filter(|id| self.namespace.is_none_or(|namespace| *id.key.namespace == *namespace))
            .map(|id| id.key.name.as_str())
            .collect();
        No::refused(words, did_you_mean(&self.target.name, &names.into_iter().collect::<Vec<_>>()))
    }
}
