//! The first tab of a route: every rule with its requests and destinations, as one cluster has them.

use super::Line;
use crate::fleet::route::{Rule, Shape};
use crate::fleet::{Clean, ClusterId, ObjectId};
use crate::state::State;
use crate::state::select::routes::{self, Cell as RouteCell, Drift, Group};
use crate::ui::{Cell, Meaning, text};

/// `None` when the route is not there.
pub fn lines(state: &State, cluster: ClusterId, id: &ObjectId) -> Option<Vec<Line>> {
    let group = routes::group(state, id)?;
    let cell = group.cells.get(&cluster)?;
    let mut lines = head(state, &group, cell);
    for (at, rule) in cell.route.rules.iter().enumerate() {
        lines.push(Line::words("", Meaning::Text));
        of_rule(cell, at, rule, &mut lines);
    }
    Some(lines)
}

fn field(lines: &mut Vec<Line>, name: &str, value: impl Into<Clean>, meaning: Meaning) {
    let value = value.into();
    if !value.is_empty() {
        let cell = Cell::new(format!("{name:<14} "), Meaning::Key).and(value, meaning);
        lines.push(Line { cell, target: None });
    }
}

fn head(state: &State, group: &Group, cell: &RouteCell) -> Vec<Line> {
    let route = &cell.route;
    let joined = |texts: &[Clean]| texts.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
    let name = |id: &ClusterId| state.cluster(*id).map_or("", |it| it.spec.name.as_str()).to_owned();
    let clusters: Vec<String> = group.cells.keys().map(name).collect();
    let mut lines = Vec::new();
    let fresh = &cell.freshness;
    let meaning = if fresh.is_whole() { Meaning::Good } else { Meaning::Warning };
    field(&mut lines, "data", fresh.word(), meaning);
    field(
        &mut lines,
        "hosts",
        if route.hosts.is_empty() { "any".into() } else { joined(&route.hosts) },
        Meaning::Text,
    );
    field(&mut lines, "through", joined(&route.parents), Meaning::Text);
    let owner = &cell.owner;
    let by = if owner.by.is_empty() { String::new() } else { format!(" by {}", owner.by) };
    field(&mut lines, "owner", format!("{}{by}: {}", owner.kind.words(), owner.words), Meaning::Text);
    field(&mut lines, "clusters", clusters.join(", "), Meaning::Text);
    if group.drift != Drift::None {
        field(&mut lines, "drift", group.drift.words(), Meaning::Warning);
    }
    let unknown: Vec<String> = group.unknown.iter().map(name).collect();
    field(&mut lines, "not known in", unknown.join(", "), Meaning::Unknown);
    field(&mut lines, "last change", route.change.clone().unwrap_or_default(), Meaning::Text);
    for note in &cell.notes {
        field(&mut lines, "note", note.clone(), Meaning::Warning);
    }
    lines
}

fn of_rule(cell: &RouteCell, at: usize, rule: &Rule, lines: &mut Vec<Line>) {
    let matches = match &rule.matches[..] {
        [] => "everything".to_owned(),
        some => some.iter().map(Clean::as_str).collect::<Vec<_>>().join(" or "),
    };
    let title = Cell::new(format!("{} ", rule.label(at + 1)), Meaning::Key).and(matches, Meaning::Text);
    lines.push(Line { cell: title, target: None });
    field(lines, "  timeout", rule.timeout.clone().unwrap_or_default(), Meaning::Text);
    field(lines, "  retries", rule.retries.clone().unwrap_or_default(), Meaning::Text);
    match &rule.shape {
        Shape::Redirect(to) => field(lines, "  redirect", to.clone(), Meaning::Text),
        Shape::DirectResponse(words) => field(lines, "  answer", words.clone(), Meaning::Text),
        Shape::Delegate(to) => field(lines, "  delegates to", to.to_string(), Meaning::Text),
        Shape::Destinations(destinations) => {
            let widest = destinations.iter().map(|it| text::width(&it.name())).max().unwrap_or(0);
            for (place, it) in destinations.iter().enumerate() {
                let reach = &cell.rules[at].reach[place];
                let weight = it.weight.map_or_else(|| "not set".to_owned(), |it| it.to_string());
                let share = cell.share(at, place).map_or_else(|| "?".into(), text::percent);
                let ready = match (reach.ready(), reach.total()) {
                    (Some(ready), Some(total)) => format!("{ready}/{total} ready"),
                    _ => "? ready".to_owned(),
                };
                let name = it.name();
                let pad = " ".repeat(widest.saturating_sub(text::width(&name)));
                let line = Cell::text(format!("  {name}{pad}  "))
                    .and(format!("weight {weight:>7}  "), Meaning::Text)
                    .and(format!("{share:>5} of {}  ", rule.protocol.share_of()), Meaning::Progress)
                    .and(ready, Meaning::Text)
                    .and(format!("  {}", reach.note), Meaning::Muted);
                lines.push(Line { cell: line, target: None });
            }
        }
    }
    for note in cell.rules[at].told() {
        field(lines, "  note", note.clone(), Meaning::Warning);
    }
}
