//! Rules about routes: weights that cannot be meant, requests that lead nowhere, copies that differ.

use super::{Found, finding};
use crate::fleet::{Age, Clean, ClusterId, Finding, Rule, Severity, Subject, Unix};
use crate::state::select::routes::hosts::Hosts;
use crate::state::select::routes::{Cell, Drift, Group, groups, notes};
use crate::state::{Cluster, State};

pub(super) fn routes(state: &State, found: &mut Found) {
    let groups = groups(state);
    if groups.is_empty() {
        return;
    }
    let hosts = Hosts::new(state);
    for group in groups.iter() {
        for (id, cell) in group.live() {
            let Some(cluster) = state.cluster(id) else { continue };
            invalid(cluster, cell, found);
            dry(cluster, cell, found);
            conflict(&hosts, cluster, cell, found);
        }
        differs(state, group, found);
    }
}

/// Such a rule is refused by a proxy, or answers every request with an error.
fn invalid(cluster: &Cluster, cell: &Cell, found: &mut Found) {
    let rules = cell.route.rules.iter().zip(1..);
    let wrong = rules.filter_map(|(rule, number)| {
        let why = rule.invalid.as_ref()?;
        Some(format!("{}: {why}", rule.label(number)))
    });
    let wrong: Vec<String> = wrong.collect();
    if wrong.is_empty() {
        return;
    }
    let subject = Subject::Route(cell.route.id());
    let mut it = finding(Rule::RouteInvalid, Severity::Critical, cluster, subject);
    it.cause = wrong.join("; ").into();
    found.add(it);
}

/// A weight on something without endpoints is an error for that part of the requests: Istio sends it nowhere
/// else (istio/istio#27092).
fn dry(cluster: &Cluster, cell: &Cell, found: &mut Found) {
    let led = cell.dry().map(|(rule, at)| {
        let destination = &cell.route.rules[rule].destinations()[at];
        let share = (cell.share(rule, at).unwrap_or(0.0) * 100.0).round().max(1.0);
        let of = cell.route.rules[rule].protocol.share_of();
        let note = &cell.rules[rule].reach[at].note;
        let why = if note.is_empty() { String::new() } else { format!(" ({note})") };
        let label = cell.route.rules[rule].label(rule + 1);
        format!("{label}: {share}% of {of} go to {}, where nothing is ready{why}", destination.name())
    });
    let led: Vec<String> = led.collect();
    if led.is_empty() {
        return;
    }
    let subject = Subject::Route(cell.route.id());
    let mut it = finding(Rule::RouteDry, Severity::Critical, cluster, subject);
    it.cause = led.join("; ").into();
    found.add(it);
}

fn conflict(hosts: &Hosts<'_>, cluster: &Cluster, cell: &Cell, found: &mut Found) {
    let Some((host, other)) = notes::conflict(hosts, cluster, &cell.route) else { return };
    // Told once: of the first of the two.
    if other.key < cell.route.key {
        return;
    }
    let subject = Subject::Route(cell.route.id());
    let mut it = finding(Rule::RouteConflict, Severity::Warning, cluster, subject);
    it.cause = format!("{} routes {host} too: which one holds is not defined", other.key).into();
    found.add(it);
}

/// Nobody keeps the copies of a route in step; requests of one cloud may go elsewhere than those of another.
fn differs(state: &State, group: &Group, found: &mut Found) {
    if group.drift == Drift::None {
        return;
    }
    let name = |id: ClusterId| state.cluster(id).map_or("", |cluster| cluster.spec.name.as_str());
    let told: Vec<String> = match group.drift {
        Drift::Weights => group.live().map(|(id, cell)| format!("{} {}", name(id), weights(cell))).collect(),
        _ => group.live().map(|(id, _)| name(id).to_owned()).collect(),
    };
    let finding = Finding {
        rule: Rule::RouteDrift,
        severity: Severity::Warning,
        cluster: None,
        subject: Subject::Route(group.id.clone()),
        cause: Clean::from(format!("{}: {}", group.drift.words(), told.join(", "))),
        since: written(group),
    };
    // A shift goes through the clusters one after the other; what lasts is drift.
    found.add_after(Age(5 * 60), finding);
}

/// When the last of the copies was written, if every one tells.
fn written(group: &Group) -> Option<Unix> {
    let written = group.live().map(|(_, cell)| {
        let managers = cell.route.marks.managers.iter().filter(|manager| manager.of_spec);
        managers.filter_map(|manager| manager.at).max()
    });
    written.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// `60/40` of the rules that split.
fn weights(cell: &Cell) -> String {
    let split = cell.route.rules.iter().filter(|rule| rule.destinations().len() > 1);
    let told = split.map(|rule| {
        let weights =
            rule.destinations().iter().map(|it| it.weight.map_or("–".into(), |it| it.to_string()));
        weights.collect::<Vec<String>>().join("/")
    });
    told.collect::<Vec<_>>().join(" ")
}
