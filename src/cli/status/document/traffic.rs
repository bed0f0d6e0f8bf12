//! `TrafficList`: one item a route, with a cell for each cluster that has it, as each cluster has it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Document, document, some};
use crate::cli::status::table::{Table, known};
use crate::fleet::route::{Mirror, Rule, Shape};
use crate::fleet::{Clean, Kind};
use crate::state::State;
use crate::state::select::routes::reach::Reach;
use crate::state::select::routes::{self, Cell, Drift, Group};

/// One route over all clusters.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrafficItem {
    #[serde(rename = "kind")]
    pub kind_name: &'static str,
    pub namespace: Clean,
    pub name: Clean,
    /// How the copies of live clusters differ: `none`, `weights`, `rules`.
    pub drift: Drift,
    /// Clusters of which it is not known whether they have it.
    pub unknown_clusters: Vec<Clean>,
    pub cells: Vec<CellItem>,
    #[serde(skip)]
    pub kind: Kind,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CellItem {
    pub cluster: Clean,
    /// `live`, `stale`, …: what this copy is worth.
    pub state: &'static str,
    pub age_seconds: Option<u64>,
    pub api_version: Clean,
    pub uid: Clean,
    pub generation: i64,
    pub resource_version: Clean,
    pub hosts: Vec<Clean>,
    pub parents: Vec<Clean>,
    /// Who would take back a change by hand.
    pub owner: OwnerItem,
    /// The id of the last change that skydeck made.
    pub change: Option<Clean>,
    pub notes: Vec<Clean>,
    pub rules: Vec<RuleItem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerItem {
    /// `blocked`, `will-be-reverted`, `will-be-overwritten`, `unknown-reconciler`, `owner-unknown`, `left-alone`,
    /// `unmanaged`.
    pub verdict: crate::state::select::owner::VerdictKind,
    pub by: Option<Clean>,
    pub message: Clean,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleItem {
    /// From 1, over all rules of the route.
    pub number: usize,
    pub protocol: &'static str,
    pub name: Option<Clean>,
    /// Alternatives in words; none takes every request.
    pub matches: Vec<Clean>,
    pub timeout: Option<Clean>,
    pub retries: Option<Clean>,
    /// What it does instead of sending requests to destinations.
    pub action: Option<Clean>,
    pub reachable: bool,
    /// Why its weights cannot be what was meant.
    pub invalid: Option<Clean>,
    pub notes: Vec<Clean>,
    /// JSON pointer of the rule in its object.
    pub pointer: String,
    /// What shares are shares of: `requests`, `connections`, `DNS answers`.
    pub share_of: &'static str,
    pub destinations: Vec<DestinationItem>,
    pub mirrors: Vec<MirrorItem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DestinationItem {
    pub host: Clean,
    pub written: Clean,
    pub subset: Option<Clean>,
    pub port: Option<u32>,
    /// As it is written; `null` when it is not.
    pub weight: Option<i64>,
    /// From 0 to 1; `null` when it is not certain.
    pub share: Option<f64>,
    pub endpoints_ready: Option<u32>,
    pub endpoints_total: Option<u32>,
    pub clouds: Vec<String>,
    /// Clusters in which the endpoints run.
    pub runs_in: Vec<Clean>,
    pub note: Option<Clean>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MirrorItem {
    pub host: Clean,
    pub subset: Option<Clean>,
    pub percent: Option<f64>,
}

pub fn traffic(state: &State) -> Document<TrafficItem> {
    let groups = routes::groups(state);
    let items = groups.iter().map(|group| item(state, group));
    document(state, "TrafficList", items.collect())
}

fn item(state: &State, group: &Group) -> TrafficItem {
    let name = |id| state.cluster(id).map(|it| it.spec.name.clone());
    TrafficItem {
        kind_name: group.id.kind.name(),
        kind: group.id.kind,
        namespace: group.id.key.namespace.clone(),
        name: group.id.key.name.clone(),
        drift: group.drift,
        unknown_clusters: group.unknown.iter().filter_map(|id| name(*id)).collect(),
        cells: group.cells.iter().filter_map(|(id, cell)| Some(cell_item(state, name(*id)?, cell))).collect(),
    }
}

fn cell_item(state: &State, cluster: Clean, cell: &Cell) -> CellItem {
    let route = &cell.route;
    let rules = route.rules.iter().enumerate().map(|(at, rule)| rule_item(state, cell, at, rule));
    CellItem {
        cluster,
        state: cell.freshness.word(),
        age_seconds: cell.freshness.age(state.now).map(|age| age.0),
        api_version: route.api_version.clone(),
        uid: route.uid.clone(),
        generation: route.generation,
        resource_version: route.resource_version.clone(),
        hosts: route.hosts.to_vec(),
        parents: route.parents.to_vec(),
        owner: OwnerItem {
            verdict: cell.owner.kind,
            by: some(cell.owner.by.clone()),
            message: cell.owner.words.clone(),
        },
        change: route.change.clone(),
        notes: cell.notes.clone(),
        rules: rules.collect(),
    }
}

fn rule_item(state: &State, cell: &Cell, at: usize, rule: &Rule) -> RuleItem {
    RuleItem {
        number: at + 1,
        protocol: rule.protocol.name(),
        name: some(rule.name.clone()),
        matches: rule.matches.to_vec(),
        timeout: rule.timeout.clone(),
        retries: rule.retries.clone(),
        action: match &rule.shape {
            Shape::Destinations(_) => None,
            Shape::Redirect(to) => Some(format!("redirect {to}").into()),
            Shape::DirectResponse(words) => Some(words.clone()),
            Shape::Delegate(to) => Some(format!("delegates to {to}").into()),
        },
        reachable: rule.unreachable.is_none(),
        invalid: rule.invalid.clone(),
        notes: cell.rules[at].told().cloned().collect(),
        pointer: rule.pointer().to_owned(),
        share_of: rule.protocol.share_of(),
        destinations: (0..rule.destinations().len())
            .map(|place| destination_item(state, cell, (at, place), &cell.rules[at].reach[place]))
            .collect(),
        mirrors: rule.mirrors.iter().map(mirror_item).collect(),
    }
}

fn destination_item(
    state: &State,
    cell: &Cell,
    (rule, at): (usize, usize),
    reach: &Reach,
) -> DestinationItem {
    let it = &cell.route.rules[rule].destinations()[at];
    let name = |id| state.cluster(id).map(|it| it.spec.name.clone());
    DestinationItem {
        host: it.host.clone(),
        written: it.short.clone(),
        subset: some(it.subset.clone()),
        port: it.port,
        weight: it.weight,
        share: cell.share(rule, at),
        endpoints_ready: reach.ready(),
        endpoints_total: reach.total(),
        clouds: reach.clouds.iter().map(ToString::to_string).collect(),
        runs_in: reach.parts.keys().filter_map(|id| name(*id)).collect(),
        note: some(reach.note.clone()),
    }
}

fn mirror_item(mirror: &Mirror) -> MirrorItem {
    MirrorItem { host: mirror.host.clone(), subset: some(mirror.subset.clone()), percent: mirror.percent }
}

/// A line a destination. Clusters whose copies say the same share their lines.
pub fn table(document: &Document<TrafficItem>) -> Table {
    let headings =
        ["ROUTE", "RULE", "DESTINATION", "CLOUD", "WEIGHT", "SHARE", "READY", "OWNER", "CLUSTERS", "NOTE"];
    let mut table = Table::new(&headings, "no routes");
    if document.clusters.iter().any(|cluster| cluster.state != "live") {
        table.empty = "no routes so far";
    }
    for item in &document.items {
        let mut told: BTreeSet<usize> = BTreeSet::new();
        for (at, cell) in item.cells.iter().enumerate() {
            if told.contains(&at) {
                continue;
            }
            let alike = |other: &usize| essence(&item.cells[*other]) == essence(cell);
            let same: Vec<usize> = (at..item.cells.len()).filter(alike).collect();
            told.extend(&same);
            let cells: Vec<&CellItem> = same.iter().map(|at| &item.cells[*at]).collect();
            table.rows.extend(lines(item, &cells));
        }
    }
    table
}

/// What a line shows of a cell, so that cells with equal lines are one.
fn essence(cell: &CellItem) -> Vec<String> {
    let rules = cell.rules.iter().flat_map(|rule| {
        let own = format!("{}{:?}{:?}{:?}", rule.protocol, rule.matches, rule.action, rule.invalid);
        let destinations = rule.destinations.iter();
        let destinations = destinations.map(|it| {
            let ready = (it.endpoints_ready, it.endpoints_total);
            format!("{}{:?}{:?}{:?}{ready:?}", it.host, it.subset, it.weight, it.share)
        });
        std::iter::once(own).chain(destinations)
    });
    rules.chain([cell.owner.message.to_string()]).collect()
}

fn lines(item: &TrafficItem, cells: &[&CellItem]) -> Vec<Vec<String>> {
    let Some(first) = cells.first() else { return Vec::new() };
    let clusters = cells.iter().map(|it| match it.state {
        "live" => it.cluster.to_string(),
        state => format!("{} ({state})", it.cluster),
    });
    let clusters = clusters.collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    for rule in &first.rules {
        let rows = if rule.destinations.is_empty() {
            vec![None]
        } else {
            rule.destinations.iter().map(Some).collect()
        };
        for destination in rows {
            lines.push(line(item, first, rule, destination, &clusters));
        }
    }
    lines
}

fn line(
    item: &TrafficItem,
    cell: &CellItem,
    rule: &RuleItem,
    destination: Option<&DestinationItem>,
    clusters: &str,
) -> Vec<String> {
    let own = rule.name.as_ref().map(ToString::to_string);
    let what = own.unwrap_or_else(|| match &rule.matches[..] {
        [] => "everything".to_owned(),
        some => some.iter().map(Clean::as_str).collect::<Vec<_>>().join(" or "),
    });
    let drift = Some(item.drift.words()).filter(|words| !words.is_empty()).map(str::to_owned);
    let notes = destination.iter().filter_map(|it| it.note.as_ref()).chain(&rule.notes).chain(&cell.notes);
    let notes: Vec<String> = drift.into_iter().chain(notes.map(ToString::to_string)).collect();
    let mut line = vec![format!("{}/{}", item.namespace, item.name), format!("{} {what}", rule.number)];
    line.extend(match destination {
        None => [rule.action.as_ref().map_or_else(String::new, ToString::to_string)]
            .into_iter()
            .chain(std::iter::repeat_n(String::new(), 4))
            .collect::<Vec<_>>(),
        Some(it) => destination_cells(rule, it),
    });
    line.extend([cell.owner.verdict.words().to_owned(), clusters.to_owned(), notes.join("; ")]);
    line
}

/// Destination, cloud, weight, share, endpoints.
fn destination_cells(rule: &RuleItem, it: &DestinationItem) -> Vec<String> {
    let name = match &it.subset {
        Some(subset) => format!("{}/{subset}", it.written),
        None => it.written.to_string(),
    };
    let share = match (&rule.invalid, rule.reachable) {
        (Some(_), _) => "invalid".to_owned(),
        (None, false) => "never".to_owned(),
        (None, true) => known(it.share.map(crate::ui::text::percent)),
    };
    let ready = it.endpoints_ready.zip(it.endpoints_total).map(|(ready, total)| format!("{ready}/{total}"));
    let weight = it.weight.map_or_else(|| "-".to_owned(), |weight| weight.to_string());
    vec![name, it.clouds.join(" "), weight, share, known(ready)]
}
