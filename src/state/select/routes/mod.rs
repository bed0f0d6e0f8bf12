//! Routes over clusters: the same route of every cluster where requests begin, as one group.
//!
//! Each cluster has its own copy, which nobody keeps in step by itself: a shift between clouds is one edit in
//! each (istio/istio#33253). So a group knows where its copies differ, and every answer is by cluster first.

pub mod hosts;
pub mod notes;
pub mod reach;
pub mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::owner::{Verdict, verdict};
use crate::fleet::route::{Destination, Shape};
use crate::fleet::{Clean, ClusterId, Kind, ObjectId, Route};
use crate::state::kept::Print;
use crate::state::{Cluster, Freshness, State};
use hosts::Hosts;
use reach::Reach;

/// The kinds that are routes.
pub const ROUTE_KINDS: [Kind; 4] =
    [Kind::VirtualService, Kind::HttpRoute, Kind::GrpcRoute, Kind::DnsEndpoint];

#[derive(Debug, Clone)]
pub struct Group {
    pub id: ObjectId,
    pub cells: BTreeMap<ClusterId, Cell>,
    pub drift: Drift,
    /// Clusters in scope where nobody knows whether it is there.
    pub unknown: Vec<ClusterId>,
}

/// The route in one cluster.
#[derive(Debug, Clone)]
pub struct Cell {
    pub route: Arc<Route>,
    pub freshness: Freshness,
    pub owner: Verdict,
    /// What changes the meaning of the whole route here.
    pub notes: Vec<Clean>,
    /// In the order of the rules.
    pub rules: Vec<RuleCell>,
}

#[derive(Debug, Clone, Default)]
pub struct RuleCell {
    /// Why it does nothing, or not what was meant.
    pub faults: Vec<Clean>,
    /// What changes the meaning of its shares here.
    pub notes: Vec<Clean>,
    /// Shares are of something larger than this rule, so that they are not known.
    pub is_part: bool,
    /// In the order of the destinations.
    pub reach: Vec<Reach>,
}

impl RuleCell {
    /// Everything that should be known of it.
    pub fn told(&self) -> impl Iterator<Item = &Clean> {
        self.faults.iter().chain(&self.notes)
    }
}

/// How the copies of the clusters that are live differ; the later the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drift {
    None,
    /// Only in weights.
    Weights,
    /// In anything else.
    Rules,
}

impl Drift {
    pub const fn words(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Weights => "weights differ",
            Self::Rules => "rules differ",
        }
    }

    fn of(a: &Route, b: &Route) -> Self {
        let prints = |route: &Route| route.rules.iter().map(|rule| rule.print).collect::<Vec<_>>();
        if a.print != b.print || prints(a) != prints(b) {
            return Self::Rules;
        }
        if weights(a) == weights(b) { Self::None } else { Self::Weights }
    }
}

/// The weights as they are written; odd ones are told apart by why they are odd.
fn weights(route: &Route) -> Vec<(Option<i64>, Option<&Clean>)> {
    let rules = route.rules.iter();
    rules.flat_map(|rule| rule.destinations().iter().map(|it| (it.weight, rule.invalid.as_ref()))).collect()
}

/// What answers about routes are made of.
pub const MADE_OF: [Kind; 19] = [
    Kind::VirtualService,
    Kind::HttpRoute,
    Kind::GrpcRoute,
    Kind::DnsEndpoint,
    Kind::DestinationRule,
    Kind::ServiceEntry,
    Kind::Service,
    Kind::EndpointSlice,
    Kind::InferenceService,
    Kind::Canary,
    Kind::Application,
    Kind::Kustomization,
    Kind::HelmRelease,
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::ReplicaSet,
    Kind::Rollout,
    Kind::LeaderWorkerSet,
    Kind::ScaledObject,
];

/// Every route in scope, by namespace, name and kind.
pub fn groups(state: &State) -> Arc<[Group]> {
    state.kept.routes.answer(print(state), || made(state))
}

fn print(state: &State) -> Print {
    Print::of(state, &MADE_OF)
}

fn made(state: &State) -> Arc<[Group]> {
    let hosts = Hosts::new(state);
    let mut groups: BTreeMap<(Clean, Clean, Kind), Group> = BTreeMap::new();
    for cluster in state.counted_clusters() {
        for route in cluster.objects.routes.values() {
            if !state.scope.has_namespace(&route.key.namespace) {
                continue;
            }
            let place = (route.key.namespace.clone(), route.key.name.clone(), route.kind);
            let group = groups.entry(place).or_insert_with(|| Group {
                id: route.id(),
                cells: BTreeMap::new(),
                drift: Drift::None,
                unknown: Vec::new(),
            });
            group.cells.insert(cluster.id, cell(state, cluster, route, &hosts));
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    for group in &mut groups {
        group.drift = drift(group);
        let nobody_knows = |cluster: &&Cluster| {
            !group.cells.contains_key(&cluster.id) && !is_told(state, cluster, &[group.id.kind])
        };
        group.unknown = state.counted_clusters().filter(nobody_knows).map(|it| it.id).collect();
    }
    groups.into()
}

/// One route over all clusters.
pub fn group(state: &State, id: &ObjectId) -> Option<Group> {
    groups(state).iter().find(|group| group.id == *id).cloned()
}

/// Who holds a rule: clusters that can be read now, and others that keep what they have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders {
    pub live: Vec<ClusterId>,
    pub left_out: Vec<ClusterId>,
}

/// Every cluster that holds this rule of a route with the same destinations as these clusters do. One that the scope
/// hides is not changed behind the operator's back, and not forgotten either: it is left out.
pub fn holders(state: &State, id: &ObjectId, rule: usize, like: &[ClusterId]) -> Holders {
    let mut holders = Holders::default();
    let Some(group) = group(state, id) else { return holders };
    let names = |cell: &Cell| {
        let rule = cell.route.rules.get(rule)?;
        Some(rule.destinations().iter().map(Destination::name).collect::<Vec<_>>())
    };
    let wanted = like.iter().find_map(|id| names(group.cells.get(id)?));
    for (cluster, cell) in &group.cells {
        if wanted.is_some() && names(cell) == wanted {
            let place = if cell.freshness.is_whole() { &mut holders.live } else { &mut holders.left_out };
            place.push(*cluster);
        }
    }
    let hidden = state.clusters().filter(|it| it.same_as.is_none() && !state.scope.has_cluster(it));
    holders.left_out.extend(hidden.filter(|it| it.objects.routes.get(id).is_some()).map(|it| it.id));
    holders
}

/// Whether a cluster has told its objects of these kinds, and they are as of now.
pub fn is_told(state: &State, cluster: &Cluster, kinds: &[Kind]) -> bool {
    // A kind that was not served when it was last heard may be by now.
    let silent = cluster.is_silent(state.now, state.settings.stale_after);
    cluster.served.is_some()
        && !silent
        && cluster.freshness_of(kinds, state.now, state.settings.stale_after).is_whole()
}

fn cell(state: &State, cluster: &Cluster, route: &Arc<Route>, hosts: &Hosts<'_>) -> Cell {
    let from = reach::From { state, hosts, source: cluster };
    let rules = route.rules.iter().map(|rule| {
        let reach = rule.destinations().iter().map(|it| from.reach(route, it)).collect();
        let (notes, is_part) = notes::of_rule(hosts, cluster, route, rule);
        RuleCell { faults: notes::faults(route, rule), notes, is_part, reach }
    });
    Cell {
        freshness: cluster.freshness(route.kind, state.now, state.settings.stale_after),
        owner: verdict(state, cluster.id, &route.marks, &route.id()),
        notes: notes::of_route(hosts, cluster, route),
        rules: rules.collect(),
        route: Arc::clone(route),
    }
}

fn drift(group: &Group) -> Drift {
    let mut live = group.cells.values().filter(|cell| cell.freshness.is_whole());
    let Some(first) = live.next() else { return Drift::None };
    live.map(|cell| Drift::of(&first.route, &cell.route)).max().unwrap_or(Drift::None)
}

impl Group {
    /// The strictest verdict over the clusters.
    pub fn owner(&self) -> Option<&Verdict> {
        self.cells.values().map(|cell| &cell.owner).min_by_key(|owner| owner.kind)
    }

    /// Clusters whose copy is as of now.
    pub fn live(&self) -> impl Iterator<Item = (ClusterId, &Cell)> {
        self.cells.iter().filter(|(_, cell)| cell.freshness.is_whole()).map(|(id, cell)| (*id, cell))
    }
}

impl Cell {
    /// The share of a destination as it counts: the reader's, unless the rule is a part of something larger.
    pub fn share(&self, rule: usize, destination: usize) -> Option<f64> {
        if self.rules.get(rule)?.is_part {
            return None;
        }
        self.route.rules.get(rule)?.destinations().get(destination)?.share
    }

    /// Destinations that get requests although nothing there takes them.
    pub fn dry(&self) -> impl Iterator<Item = (usize, usize)> {
        let rules = self.rules.iter().enumerate().filter(|(at, _)| {
            let rule = &self.route.rules[*at];
            rule.unreachable.is_none() && matches!(rule.shape, Shape::Destinations(_))
        });
        rules.flat_map(move |(rule, cell)| {
            let dry = cell.reach.iter().enumerate().filter(|(_, reach)| reach.ready() == Some(0));
            dry.map(move |(at, _)| (rule, at))
                .filter(|(rule, at)| self.share(*rule, *at).is_some_and(|share| share > 0.0))
        })
    }
}
