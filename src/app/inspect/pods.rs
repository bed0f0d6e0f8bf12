//! Pods of a workload, job or node; events about an object; sources of a cluster.

use super::{Inspect, Line};
use crate::fleet::{Clean, Event, LogTarget, ObjectKey, Pod, SourceState, Subject};
use crate::panels::Target;
use crate::state::findings::kind_name;
use crate::state::select;
use crate::state::{Cluster, Freshness, State};
use crate::ui::{Cell, Meaning};

/// The pods of what is looked at, those in trouble first.
pub fn pods(state: &State, inspect: &Inspect) -> Vec<Line> {
    let Some(cluster) = state.cluster(inspect.cluster) else { return Vec::new() };
    let mut pods = of_subject(state, cluster, &inspect.subject);
    if pods.is_empty() {
        let fresh = cluster.freshness(crate::fleet::Kind::Pod, state.now, state.settings.stale_after);
        let words = if fresh.is_whole() { "no pods" } else { "its pods are not known" };
        return vec![Line::words(words, Meaning::Muted)];
    }
    pods.sort_by(|a, b| {
        let key = |pod: &Pod| (pod.trouble.is_none(), !pod.holds_resources(), pod.ready, pod.key.clone());
        key(a).cmp(&key(b))
    });
    let widest = pods.iter().map(|pod| pod.key.name.chars().count()).max().unwrap_or(0).min(56);
    pods.into_iter().map(|pod| pod_line(state, inspect, pod, widest)).collect()
}

/// The pods whose logs are read: of a pod itself, or of what owns them, running ones first.
pub fn log_targets(state: &State, inspect: &Inspect, container: Option<Clean>) -> Vec<LogTarget> {
    if let Subject::Pod(key) = &inspect.subject {
        return vec![LogTarget { pod: key.clone(), container }];
    }
    let Some(cluster) = state.cluster(inspect.cluster) else { return Vec::new() };
    let mut pods = of_subject(state, cluster, &inspect.subject);
    pods.retain(|pod| pod.node.is_some());
    pods.sort_by(|a, b| {
        let key = |pod: &Pod| (!pod.holds_resources(), std::cmp::Reverse(pod.created), pod.key.clone());
        key(a).cmp(&key(b))
    });
    pods.into_iter().take(8).map(|pod| LogTarget { pod: pod.key.clone(), container: None }).collect()
}

fn of_subject<'a>(state: &State, cluster: &'a Cluster, subject: &Subject) -> Vec<&'a Pod> {
    let keys = select::pods::of(state, cluster, subject);
    keys.iter().filter_map(|key| cluster.objects.pods.get(key)).collect()
}

/// `ml-inference-6b7f9-x2x4z  1/1  Running  0  3h  node-4`
fn pod_line(state: &State, inspect: &Inspect, pod: &Pod, widest: usize) -> Line {
    let meaning = match (&pod.trouble, pod.ready) {
        (Some(_), _) => Meaning::Bad,
        (None, true) => Meaning::Good,
        (None, false) if pod.holds_resources() => Meaning::Progress,
        (None, false) => Meaning::Muted,
    };
    let restarts = if pod.restarts == 0 { String::new() } else { format!("{} restarts", pod.restarts) };
    let node = pod.node.as_ref().map_or("-", |node| node);
    let age = state.now.age_of(pod.created).to_string();
    let cell = Cell::text(format!("{:<widest$}  ", pod.key.name))
        .and(format!("{:>5}  ", format!("{}/{}", pod.containers_ready, pod.containers)), Meaning::Text)
        .and(format!("{:<20} ", pod.status), meaning)
        .and(format!("{restarts:<13} "), Meaning::Warning)
        .and(format!("{age:>6}  {node}"), Meaning::Muted);
    let target = Target { cluster: Some(inspect.cluster), subject: Subject::Pod(pod.key.clone()) };
    Line { cell, target: Some(target) }
}

/// Warnings about the object and about its pods, the latest first.
pub fn events(state: &State, inspect: &Inspect) -> Vec<Line> {
    let Some(cluster) = state.cluster(inspect.cluster) else { return Vec::new() };
    let pods: Vec<Clean> =
        of_subject(state, cluster, &inspect.subject).iter().map(|pod| pod.key.name.clone()).collect();
    let mut events: Vec<&Event> =
        cluster.objects.events.values().filter(|event| is_about(event, &inspect.subject, &pods)).collect();
    events.sort_by_key(|event| (std::cmp::Reverse(event.last_seen), &event.key));
    if events.is_empty() {
        let fresh = cluster.freshness(crate::fleet::Kind::Event, state.now, state.settings.stale_after);
        let words = match fresh {
            Freshness::Live => "no warnings (Kubernetes keeps them for about an hour)",
            Freshness::Denied => "the account may not read events",
            _ => "its events are not known",
        };
        return vec![Line::words(words, Meaning::Muted)];
    }
    events.into_iter().take(200).flat_map(|event| event_lines(state, event)).collect()
}

fn is_about(event: &Event, subject: &Subject, pods: &[Clean]) -> bool {
    let about = |kind: &str, key: &ObjectKey| event.about_kind == kind && event.about == *key;
    match subject {
        Subject::Cluster => true,
        Subject::Node(name) => event.about_kind == "Node" && event.about.name == *name,
        Subject::Namespace(name) => event.about.namespace == *name,
        Subject::Pod(key) => about("Pod", key),
        Subject::Route(id) => about(id.kind.name(), &id.key),
        Subject::Workload(id) | Subject::Job(id) => {
            let own = event.about.namespace == id.key.namespace
                && (event.about.name == id.key.name || pods.contains(&event.about.name));
            // Revisions are called after their workload.
            own || (event.about_kind == "ReplicaSet"
                && event.about.namespace == id.key.namespace
                && event.about.name.rsplit_once('-').is_some_and(|(name, _)| name == &*id.key.name))
        }
    }
}

fn event_lines(state: &State, event: &Event) -> [Line; 2] {
    let age = state.now.age_of(event.last_seen).to_string();
    let count = if event.count > 1 { format!("{}× ", event.count) } else { String::new() };
    let first = Cell::new(format!("{age:>6}  "), Meaning::Muted)
        .and(format!("{} ", event.reason), Meaning::Warning)
        .and(count, Meaning::Text)
        .and(format!("{} {}", event.about_kind, event.about.name), Meaning::Muted);
    let second = Cell::text(format!("        {}", event.message));
    [Line { cell: first, target: None }, Line { cell: second, target: None }]
}

/// One line for each list-and-watch loop of a cluster.
pub fn sources(state: &State, inspect: &Inspect) -> Vec<Line> {
    let Some(cluster) = state.cluster(inspect.cluster) else { return Vec::new() };
    let silent = cluster.silent_since();
    let mut lines = Vec::new();
    for ((kind, slot), source) in &cluster.sources {
        let fresh = source.freshness(state.now, state.settings.stale_after, silent);
        let meaning = match &fresh {
            Freshness::Live => Meaning::Good,
            Freshness::Loading => Meaning::Progress,
            Freshness::Denied | Freshness::Absent => Meaning::Muted,
            Freshness::Stale(_) | Freshness::Never(_) => Meaning::Bad,
        };
        let heard = source.heard.map_or_else(|| "never".into(), |at| state.now.since(at).to_string());
        let note = match &source.state {
            SourceState::Retrying { fault, attempt, .. } => format!("attempt {attempt}: {fault}"),
            SourceState::Failed(fault) => fault.to_string(),
            SourceState::Denied(words) => format!("{words}; without it no {}", kind.loss()),
            _ => String::new(),
        };
        let namespace = usize::from(slot.0).checked_sub(1).and_then(|at| cluster.namespaces_read.get(at));
        let name = match namespace {
            Some(namespace) => format!("{} in {namespace}", kind_name(cluster, *kind)),
            None => kind_name(cluster, *kind).to_string(),
        };
        let mut cell = Cell::text(format!("{name:<26} "))
            .and(format!("{:<8} ", fresh.word()), meaning)
            .and(format!("heard {heard:<6} relists {:<3} ", source.relists), Meaning::Muted);
        if source.missed > 0 {
            cell = cell.and(format!("missed events {}× ", source.missed), Meaning::Warning);
        }
        if source.undecodable.count() > 0 {
            cell = cell.and(format!("{} not understood ", source.undecodable.count()), Meaning::Warning);
        }
        lines.push(Line { cell: cell.and(note, Meaning::Text), target: None });
    }
    if lines.is_empty() {
        lines.push(Line::words("no source has told anything yet", Meaning::Muted));
    }
    lines
}
