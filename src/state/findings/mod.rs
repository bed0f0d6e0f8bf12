//! What needs attention: a list of named rules, each a function from what is known to findings.
//!
//! A rule never looks at the clock of the machine or at what was found before; how long a thing has been so is
//! remembered here. What is known of a silent cluster still counts, and says that it is old.

mod clusters;
mod jobs;
mod nodes;
mod pods;
mod routes;
mod workloads;

use std::collections::{HashMap, HashSet};

use super::select::settled::everything_is_told;
use super::{Cluster, State};
use crate::fleet::{Age, Clean, ClusterId, Finding, Kind, ObjectId, Rule, Severity, Subject, Unix};

/// The findings of the moment, most severe first.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    first_seen: HashMap<Identity, Unix>,
    silenced: Vec<Rule>,
    revision: u64,
    /// Everything had been told when this was judged.
    complete: bool,
}

/// Two findings are the same when these are.
type Identity = (Rule, Option<ClusterId>, Subject);

/// A rule sees everything of one cluster, or the whole fleet.
enum Scan {
    Cluster(fn(&State, &Cluster, &mut Found)),
    Fleet(fn(&State, &mut Found)),
}

/// Every rule, in an order in which a cause comes before what it explains.
const RULES: [Scan; 17] = [
    Scan::Cluster(clusters::silent),
    Scan::Cluster(clusters::silent_sources),
    Scan::Cluster(clusters::denied),
    Scan::Cluster(clusters::unknown_objects),
    Scan::Cluster(clusters::same),
    Scan::Cluster(clusters::replaced),
    Scan::Cluster(clusters::certificates),
    Scan::Cluster(clusters::insecure),
    Scan::Cluster(clusters::namespaces),
    Scan::Cluster(nodes::not_ready),
    Scan::Cluster(nodes::complaints),
    Scan::Cluster(pods::troubles),
    Scan::Cluster(workloads::stuck_rollouts),
    Scan::Cluster(workloads::short),
    Scan::Fleet(jobs::jobs),
    Scan::Fleet(workloads::version_drift),
    Scan::Fleet(routes::routes),
];

/// What the rules have found so far in this round.
#[derive(Default)]
struct Found {
    list: Vec<(Finding, Age)>,
    /// What they are about.
    subjects: HashSet<(Option<ClusterId>, Subject)>,
}

impl Found {
    fn add(&mut self, finding: Finding) {
        self.add_after(Age(0), finding);
    }

    /// A finding that only counts when it has been so for a while.
    fn add_after(&mut self, delay: Age, finding: Finding) {
        self.subjects.insert((finding.cluster, finding.subject.clone()));
        self.list.push((finding, delay));
    }

    /// Whether something was already found about this subject, which then explains more.
    fn has(&self, cluster: ClusterId, subject: &Subject) -> bool {
        self.subjects.contains(&(Some(cluster), subject.clone()))
    }
}

impl Findings {
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.list.iter()
    }

    /// Those about clusters and namespaces that the operator wants to see.
    pub fn in_scope<'a>(&'a self, state: &'a State) -> impl Iterator<Item = &'a Finding> {
        self.list.iter().filter(|finding| in_scope(state, finding))
    }

    /// Rules that nobody wants to be told of.
    pub fn silenced(&self) -> &[Rule] {
        &self.silenced
    }

    pub(super) fn silence(&mut self, rules: &[Rule]) {
        self.silenced = rules.to_vec();
    }

    /// Whether no finding means that nothing is wrong.
    pub fn are_complete(&self) -> bool {
        self.complete
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn update(&mut self, state: &State) {
        let mut found = Found::default();
        for scan in RULES {
            match scan {
                Scan::Fleet(rule) => rule(state, &mut found),
                Scan::Cluster(rule) => {
                    state.clusters().for_each(|cluster| rule(state, cluster, &mut found));
                }
            }
        }
        self.remember(state, found);
        self.revision = state.revision();
        self.complete = everything_is_told(state);
    }

    fn remember(&mut self, state: &State, found: Found) {
        let mut first_seen = HashMap::with_capacity(found.list.len());
        self.list.clear();
        for (mut finding, delay) in found.list {
            let identity = (finding.rule, finding.cluster, finding.subject.clone());
            let seen = self.first_seen.get(&identity).copied().unwrap_or(state.now.unix);
            first_seen.insert(identity, seen);
            let since = *finding.since.get_or_insert(seen);
            if state.now.age_of(since) >= delay && !self.silenced.contains(&finding.rule) {
                self.list.push(finding);
            }
        }
        self.first_seen = first_seen;
        self.list.sort_by(|a, b| {
            let order = |it: &Finding| (std::cmp::Reverse(it.severity), std::cmp::Reverse(it.since));
            order(a)
                .cmp(&order(b))
                .then_with(|| (a.rule, a.cluster, &a.subject).cmp(&(b.rule, b.cluster, &b.subject)))
        });
    }
}

fn in_scope(state: &State, finding: &Finding) -> bool {
    let namespace = match &finding.subject {
        Subject::Workload(ObjectId { key, .. })
        | Subject::Job(ObjectId { key, .. })
        | Subject::Route(ObjectId { key, .. })
        | Subject::Pod(key) => &key.namespace,
        Subject::Namespace(name) => name,
        Subject::Cluster | Subject::Node(_) => &Clean::default(),
    };
    let cluster = finding.cluster.and_then(|id| state.cluster(id));
    state.scope.has_namespace(namespace) && cluster.is_none_or(|cluster| state.scope.has_cluster(cluster))
}

/// A finding about a cluster or something in it.
fn finding(rule: Rule, severity: Severity, cluster: &Cluster, subject: Subject) -> Finding {
    Finding { rule, severity, cluster: Some(cluster.id), subject, cause: Clean::default(), since: None }
}

/// `a, b and 3 more`: names of a list that may be long.
fn names<'a>(of: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 3;
    let all: Vec<_> = of.into_iter().collect();
    let shown = all.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The name of a kind, also of one by configuration.
pub fn kind_name(cluster: &Cluster, kind: Kind) -> Clean {
    cluster.objects.jobs.kind_name(kind).cloned().unwrap_or_else(|| kind.name().into())
}
