//! Routes as rows: route › rule › destination. Clusters whose copies are alike share their rows; where copies
//! differ, each variation has rows of its own, so that nothing is averaged.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::reach::{self, Part};
use super::{Cell, Drift, Group, groups};
use crate::fleet::route::{Destination, Rule};
use crate::fleet::{Clean, Cloud, ClusterId, ObjectId, Route};
use crate::state::select::owner::Verdict;
use crate::state::{Freshness, State};

/// A destination of a rule, or a rule that has none.
#[derive(Debug, Clone)]
pub struct RouteRow {
    pub id: ObjectId,
    pub route: Arc<Route>,
    /// Places in the lists of the route.
    pub rule: usize,
    pub destination: Option<usize>,
    /// The clusters whose copies are like this, those that are live first.
    pub clusters: Vec<Source>,
    /// Clusters that have the route in any form.
    pub holders: usize,
    /// Clusters of which nobody knows whether they have it.
    pub unknown: usize,
    /// The best of its clusters: a row is as of now when one of them is.
    pub freshness: Freshness,
    pub share: Option<f64>,
    pub ready: Ready,
    pub clouds: Vec<Cloud>,
    /// Where its endpoints run.
    pub runs_in: Vec<ClusterId>,
    pub owner: Verdict,
    pub drift: Drift,
    pub notes: Vec<Clean>,
    /// Its place in the list of all rows, which is that of the route, the rule and the destination.
    pub order: u32,
}

/// A cluster where requests begin that follow the route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub id: ClusterId,
    pub name: Clean,
    pub tint: u8,
    pub live: bool,
}

/// Endpoints behind a destination, over the clusters of the row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ready {
    /// What is known of it.
    pub ready: u32,
    pub total: u32,
    /// Not all of it is known.
    pub open: bool,
    /// Nothing of it is known.
    pub unknown: bool,
    /// Clusters from where nothing takes the requests.
    pub dry: Vec<Clean>,
}

impl RouteRow {
    pub fn rule(&self) -> &Rule {
        &self.route.rules[self.rule]
    }

    pub fn destination(&self) -> Option<&Destination> {
        self.rule().destinations().get(self.destination?)
    }

    pub fn rule_label(&self) -> Clean {
        self.rule().label(self.rule + 1)
    }

    /// Requests go there, or should, and nothing takes them from at least one cluster.
    pub fn is_dry(&self) -> bool {
        !self.ready.dry.is_empty() && self.share.is_some_and(|share| share > 0.0)
    }
}

/// Every row in scope: routes by namespace and name, rules and destinations in their order.
pub fn rows(state: &State) -> Arc<[Arc<RouteRow>]> {
    state.kept.route_rows.answer(super::print(state), || made(state))
}

fn made(state: &State) -> Arc<[Arc<RouteRow>]> {
    let mut rows = Vec::new();
    for group in groups(state).iter() {
        for variation in variations(group) {
            of_variation(state, group, &variation, &mut rows);
        }
    }
    for (order, row) in rows.iter_mut().enumerate() {
        row.order = u32::try_from(order).unwrap_or(u32::MAX);
    }
    rows.into_iter().map(Arc::new).collect()
}

/// Cells that are alike, the live ones first; the variation of the first cluster comes first.
fn variations(group: &Group) -> Vec<Vec<(ClusterId, &Cell)>> {
    let mut variations: Vec<Vec<(ClusterId, &Cell)>> = Vec::new();
    let mut cells: Vec<_> = group.cells.iter().map(|(id, cell)| (*id, cell)).collect();
    cells.sort_by_key(|(id, cell)| (!cell.freshness.is_whole(), *id));
    for (id, cell) in cells {
        let like = variations.iter_mut().find(|it| Drift::of(&it[0].1.route, &cell.route) == Drift::None);
        match like {
            Some(variation) => variation.push((id, cell)),
            None => variations.push(vec![(id, cell)]),
        }
    }
    variations
}

fn of_variation(state: &State, group: &Group, variation: &[(ClusterId, &Cell)], rows: &mut Vec<RouteRow>) {
    let Some((_, first)) = variation.first() else { return };
    let clusters: Vec<Source> = variation
        .iter()
        .filter_map(|(id, cell)| {
            let cluster = state.cluster(*id)?;
            let live = cell.freshness.is_whole();
            Some(Source { id: *id, name: cluster.spec.name.clone(), tint: cluster.tint(), live })
        })
        .collect();
    let owner = variation.iter().map(|(_, cell)| &cell.owner).min_by_key(|it| it.kind);
    for (number, rule) in first.route.rules.iter().enumerate() {
        let places: Vec<Option<usize>> = match rule.destinations().len() {
            0 => vec![None],
            count => (0..count).map(Some).collect(),
        };
        for destination in places {
            let mut notes = Vec::new();
            add_notes(variation, number, &mut notes);
            let reached = destination.map(|at| reached(state, variation, (number, at), &mut notes));
            let Reached { ready, clouds, runs_in } = reached.unwrap_or_default();
            rows.push(RouteRow {
                id: group.id.clone(),
                route: Arc::clone(&first.route),
                rule: number,
                destination,
                clusters: clusters.clone(),
                holders: group.cells.len(),
                unknown: group.unknown.len(),
                freshness: first.freshness.clone(),
                share: destination.and_then(|at| first.share(number, at)),
                ready,
                clouds,
                runs_in,
                owner: owner.unwrap_or(&first.owner).clone(),
                drift: group.drift,
                notes,
                order: 0,
            });
        }
    }
}

/// What stands behind a destination.
#[derive(Default)]
struct Reached {
    ready: Ready,
    clouds: Vec<Cloud>,
    runs_in: Vec<ClusterId>,
}

/// What stands behind a destination, seen from every live cluster of the variation. A place that several of
/// them reach is counted once.
fn reached(
    state: &State,
    variation: &[(ClusterId, &Cell)],
    (rule, destination): (usize, usize),
    notes: &mut Vec<Clean>,
) -> Reached {
    let mut ready = Ready::default();
    let mut parts: BTreeMap<ClusterId, Part> = BTreeMap::new();
    let mut clouds = Vec::new();
    let mut seen = false;
    for (id, cell) in variation {
        let reach = &cell.rules[rule].reach[destination];
        clouds.extend(reach.clouds.iter().cloned());
        if !cell.freshness.is_whole() {
            // What it has itself is not known; what it reaches elsewhere is the same as others reach.
            let own = state.cluster(*id).is_some_and(|it| reach::is_own(it, &cell.route, rule, destination));
            if own {
                parts.insert(*id, Part::default());
            }
            continue;
        }
        seen = true;
        ready.open |= reach.open;
        parts.extend(reach.parts.iter().map(|(at, part)| (*at, *part)));
        if reach.ready() == Some(0)
            && let Some(cluster) = state.cluster(*id)
        {
            ready.dry.push(cluster.spec.name.clone());
        }
        if !reach.note.is_empty() && !notes.contains(&reach.note) {
            notes.push(reach.note.clone());
        }
    }
    for part in parts.values() {
        match part.ready {
            Some(count) => ready.ready += count,
            None => ready.open = true,
        }
        ready.total += part.total.unwrap_or(0);
    }
    ready.unknown = !seen || ready.open && parts.values().all(|part| part.ready.is_none());
    clouds.sort();
    clouds.dedup();
    Reached { ready, clouds, runs_in: parts.into_keys().collect() }
}

fn add_notes(variation: &[(ClusterId, &Cell)], rule: usize, notes: &mut Vec<Clean>) {
    for (_, cell) in variation {
        for note in cell.rules[rule].told().chain(&cell.notes) {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
    }
}
