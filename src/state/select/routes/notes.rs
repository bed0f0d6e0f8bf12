//! What changes the meaning of weights, in words. A note says what is, not what to do about it.

use super::hosts::Hosts;
use crate::fleet::route::{Destination, Rule, Shape};
use crate::fleet::{Clean, Kind, Route};
use crate::state::Cluster;

/// Of the whole route.
pub(super) fn of_route(hosts: &Hosts<'_>, cluster: &Cluster, route: &Route) -> Vec<Clean> {
    let mut notes = Vec::new();
    if let Some((host, other)) = conflict(hosts, cluster, route) {
        notes.push(
            format!("{} routes {host} too: which one holds is not defined (IST0109)", other.key).into(),
        );
    }
    if route.is_delegate() {
        notes.push(match hosts.delegating(cluster.id, route) {
            Some(root) => format!("a part of {}", root.key).into(),
            None => "a part that no route delegates to".into(),
        });
    }
    notes
}

/// Another VirtualService of the mesh for the same host, which both can be seen from one namespace.
pub fn conflict<'a>(hosts: &Hosts<'a>, cluster: &Cluster, route: &Route) -> Option<(Clean, &'a Route)> {
    let in_mesh = route.kind == Kind::VirtualService && route.parents.iter().any(|it| it == "mesh");
    if !in_mesh {
        return None;
    }
    let only_own = |route: &Route| route.exports.iter().all(|it| it == ".") && !route.exports.is_empty();
    route.hosts.iter().find_map(|host| {
        let others = hosts.routed(cluster.id, host).iter().filter(|other| other.key != route.key);
        let mut seen = others.filter(|other| {
            other.key.namespace == route.key.namespace || !(only_own(other) || only_own(route))
        });
        seen.next().map(|other| (host.clone(), *other))
    })
}

/// Why a rule does nothing, or not what was meant.
pub(super) fn faults(route: &Route, rule: &Rule) -> Vec<Clean> {
    let invalid = rule.invalid.as_ref().map(|why| Clean::from(format!("invalid: {why}")));
    let unreachable = rule.unreachable.map(|before| {
        let number = route.rules.iter().position(|it| it.protocol == rule.protocol && it.index == before);
        let number = number.map_or(0, |at| at + 1);
        Clean::from(format!("never reached: rule {number} takes every request"))
    });
    invalid.into_iter().chain(unreachable).collect()
}

/// Of one rule; and whether its shares are only a part of the answers.
pub(super) fn of_rule(
    hosts: &Hosts<'_>,
    cluster: &Cluster,
    route: &Route,
    rule: &Rule,
) -> (Vec<Clean>, bool) {
    let mut notes: Vec<Clean> = Vec::new();
    if !rule.note.is_empty() {
        notes.push(rule.note.clone());
    }
    if let Shape::Delegate(to) = &rule.shape
        && !is_there(cluster, to)
    {
        notes.push(format!("{to} is not there").into());
    }
    notes.extend(rule.mirrors.iter().map(|mirror| {
        let percent = mirror.percent.map_or_else(|| "?".to_owned(), |it| it.to_string());
        Clean::from(format!("{percent}% copied to {} on top", mirror.host))
    }));
    for destination in rule.destinations() {
        of_destination(hosts, cluster, destination, &mut notes);
    }
    let elsewhere = other_records(hosts, cluster, route, rule);
    let is_part = elsewhere.is_some();
    notes.extend(elsewhere);
    (notes, is_part)
}

fn is_there(cluster: &Cluster, key: &crate::fleet::ObjectKey) -> bool {
    let id = crate::fleet::ObjectId { kind: Kind::VirtualService, key: key.clone() };
    cluster.objects.routes.get(&id).is_some()
}

fn of_destination(hosts: &Hosts<'_>, cluster: &Cluster, destination: &Destination, notes: &mut Vec<Clean>) {
    let mut add = |note: String| {
        let note = Clean::from(note);
        if !notes.contains(&note) {
            notes.push(note);
        }
    };
    for policy in hosts.policies(cluster.id, &destination.host) {
        let of_subset = policy.subset(&destination.subset).is_some_and(|subset| subset.ejects);
        if policy.ejects || of_subset {
            add(format!(
                "{}: failing endpoints are ejected, and other localities take over",
                policy.key.name
            ));
        }
        if let Some(setting) = &policy.locality {
            add(format!("{}: locality {setting} moves requests between regions", policy.key.name));
        }
    }
    if let Some(entry) = hosts.entry(cluster.id, &destination.host)
        && entry.splits
    {
        add(format!("ServiceEntry {}: its endpoints have weights of their own", entry.key.name));
    }
}

/// Records of the same name and type that other objects hold under other identifiers: a share of this object
/// is then not a share of the answers.
fn other_records(hosts: &Hosts<'_>, cluster: &Cluster, route: &Route, rule: &Rule) -> Option<Clean> {
    if route.kind != Kind::DnsEndpoint {
        return None;
    }
    let own: Vec<&Clean> = rule.destinations().iter().map(|it| &it.short).collect();
    let others = hosts.records(rule.matches.first()?).iter().filter(|(at, other, number)| {
        let same = at.id == cluster.id && other.key == route.key;
        !same && other.rules[*number].destinations().iter().any(|it| !own.contains(&&it.short))
    });
    let others: Vec<_> = others.map(|(at, other, _)| format!("{} in {}", other.key, at.spec.name)).collect();
    let first = others.first()?;
    let more = if others.len() > 1 { format!(" and {} more", others.len() - 1) } else { String::new() };
    Some(format!("more records of this name: {first}{more}").into())
}
