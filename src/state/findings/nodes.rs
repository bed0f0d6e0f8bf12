//! Rules about nodes.

use super::{Found, finding, names};
use crate::fleet::node::{Complaint, Readiness};
use crate::fleet::{Age, Clean, Node, ObjectKey, Rule, Severity, Subject};
use crate::state::{Cluster, State};

/// More than so many nodes of one cluster are told as one finding.
const TOLD_ONE_BY_ONE: usize = 3;

/// A node may take so long to come up.
const STARTING: Age = Age(120);

pub(super) fn not_ready(state: &State, cluster: &Cluster, found: &mut Found) {
    let mut down: Vec<(&Node, String, Option<&Complaint>)> = Vec::new();
    for node in ailing(cluster) {
        let (words, complaint) = match &node.readiness {
            Readiness::Ready => continue,
            Readiness::NotReady(it) => (format!("not ready: {}", told(it)), Some(it)),
            Readiness::Unknown(it) => (format!("the kubelet is silent: {}", told(it)), Some(it)),
            Readiness::NotReported if state.now.age_of(node.created) < STARTING => continue,
            Readiness::NotReported => ("its kubelet never reported".into(), None),
        };
        down.push((node, words, complaint));
    }
    down.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    let most = down.len() * 4 >= cluster.objects.usage.nodes as usize;
    let severity = if most { Severity::Critical } else { Severity::Warning };
    let since = |complaint: Option<&Complaint>| complaint.and_then(|it| it.since);
    if down.len() > TOLD_ONE_BY_ONE {
        let mut it = finding(Rule::NodeNotReady, severity, cluster, Subject::Cluster);
        it.cause = Clean::from(format!(
            "{} of {} nodes not ready: {}",
            down.len(),
            cluster.objects.usage.nodes,
            names(down.iter().map(|(node, ..)| node.name.as_str()))
        ));
        it.since = down.iter().filter_map(|(.., complaint)| since(*complaint)).min();
        found.add(it);
        return;
    }
    for (node, words, complaint) in down {
        let subject = Subject::Node(node.name.clone());
        let mut it = finding(Rule::NodeNotReady, severity, cluster, subject);
        it.cause = words.into();
        it.since = since(complaint);
        found.add(it);
    }
}

pub(super) fn complaints(_: &State, cluster: &Cluster, found: &mut Found) {
    for node in ailing(cluster).filter(|node| node.is_ready()) {
        let Some(first) = node.complaints.first() else { continue };
        let all = node.complaints.iter().map(|it| it.condition.as_str());
        let subject = Subject::Node(node.name.clone());
        let mut it = finding(Rule::NodeComplaint, Severity::Warning, cluster, subject);
        it.cause = Clean::from(format!("{}: {}", names(all), told(first)));
        it.since = first.since;
        found.add(it);
    }
}

fn ailing(cluster: &Cluster) -> impl Iterator<Item = &Node> {
    let names = cluster.objects.usage.ailing_nodes();
    let key = |name: &Clean| ObjectKey { name: name.clone(), ..ObjectKey::default() };
    names.filter_map(move |name| cluster.objects.nodes.get(&key(name)))
}

fn told(complaint: &Complaint) -> String {
    match (complaint.reason.is_empty(), complaint.message.is_empty()) {
        (false, false) => format!("{}: {}", complaint.reason, complaint.message),
        (false, true) => complaint.reason.to_string(),
        (true, _) => complaint.message.to_string(),
    }
}
