//! The columns of the Traffic panel.

use std::sync::Arc;

use crate::fleet::route::{Protocol, Shape};
use crate::fleet::{Clean, Cloud};
use crate::panels::{Column, Value};
use crate::state::select::owner::VerdictKind;
use crate::state::select::routes::Drift;
use crate::state::select::routes::rows::{Ready, RouteRow};
use crate::ui::{Cell, Glyphs, Meaning, ViewCx, meter, text};

type C = Column<Shown>;

/// A row, and how much of it the row above has told already.
#[derive(Debug, Clone)]
pub struct Shown {
    pub row: Arc<RouteRow>,
    pub told: Told,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    Nothing,
    Route,
    Rule,
}

impl Shown {
    pub fn new(row: Arc<RouteRow>) -> Self {
        Self { row, told: Told::Nothing }
    }

    pub fn told_by(&self, above: Option<&Self>) -> Told {
        let Some(above) = above.map(|it| &it.row) else { return Told::Nothing };
        let same_route = above.id == self.row.id && above.clusters == self.row.clusters;
        match (same_route, above.rule == self.row.rule) {
            (false, _) => Told::Nothing,
            (true, false) => Told::Route,
            (true, true) => Told::Rule,
        }
    }
}

pub fn columns() -> Vec<C> {
    let mut columns = drawn();
    columns.extend([
        C::hidden("namespace", "Namespace of the route", |it, _| Value::text(&it.row.id.key.namespace)),
        C::hidden("kind", "Kind of the route", |it, _| Value::text(it.row.id.kind.name())),
        C::hidden("host", "Hosts of the route and of the destination", hosts),
        C::hidden("protocol", "http, grpc, tls, tcp, dns", |it, _| {
            Value::text(it.row.rule().protocol.name())
        }),
        C::hidden("drift", "weights differ, rules differ", |it, _| Value::text(it.row.drift.words())),
    ]);
    columns
}

fn drawn() -> Vec<C> {
    vec![
        C::new("route", "ROUTE", "Namespace and name of the route", |it, _| {
            Value::Ranked(it.row.order, it.row.id.key.to_string().into())
        })
        .cell(|it, _, _| route_cell(it))
        .flexible(20, 48),
        C::new("number", "#", "Number of the rule", |it, _| Value::Number((it.row.rule + 1) as f64))
            .cell(|it, _, _| number_cell(it))
            .right(),
        C::new("rule", "RULE", "Name of the rule, or which requests it takes", |it, _| {
            Value::Ranked(it.row.rule as u32, rule_words(&it.row).to_string().into())
        })
        .cell(|it, _, _| rule_cell(it))
        .flexible(12, 30)
        .drop(5),
        C::new("destination", "DESTINATION", "Where requests go", |it, _| {
            Value::maybe(it.row.destination(), |it| {
                Value::Several(vec![it.name().to_string().into(), (&it.host).into()])
            })
        })
        .cell(|it, _, _| worth(&it.row, destination_cell(&it.row)))
        .flexible(16, 48),
        C::new("cloud", "CLOUD", "Cloud of the destination", |it, _| {
            Value::each(it.row.clouds.iter().map(Cloud::name))
        })
        .cell(|it, _, _| worth(&it.row, Cell::muted(clouds(&it.row.clouds))))
        .widest(14)
        .drop(2),
        C::new("weight", "WEIGHT", "Weight as it is written", |it, _| {
            let weight = it.row.destination().and_then(|it| it.weight);
            Value::maybe(weight, |weight| Value::Number(weight as f64))
        })
        .cell(|it, _, cx| worth(&it.row, weight_cell(&it.row, cx.glyphs)))
        .right(),
        C::new("share", "SHARE", "Part of the rule's requests, from 0 to 1", |it, _| {
            Value::maybe(it.row.share, Value::Number)
        })
        .cell(|it, _, cx| worth(&it.row, share_cell(&it.row, 8, cx))),
        C::new("ready", "READY", "Endpoints ready", |it, _| {
            Value::maybe((!it.row.ready.unknown).then_some(it.row.ready.ready), |it| Value::Number(it.into()))
        })
        .cell(|it, _, cx| worth(&it.row, ready_cell(&it.row, cx.glyphs)))
        .right(),
        C::new("owner", "OWNER", "Who would take back a change by hand", |it, _| {
            Value::Several(vec![it.row.owner.kind.words().into(), (&it.row.owner.by).into()])
        })
        .cell(|it, _, cx| owner_cell(it, cx.glyphs))
        .drop(4),
        C::new("cluster", "CLUSTERS", "Clusters whose requests follow it", |it, _| {
            Value::each(it.row.clusters.iter().map(|it| &it.name))
        })
        .cell(|it, _, cx| clusters_cell(it, cx.glyphs))
        .flexible(8, 40)
        .drop(3),
        C::new("note", "NOTE", "What changes the meaning of the shares", |it, _| Value::Texts(&it.row.notes))
            .cell(|it, _, cx| note_cell(&it.row, cx.glyphs))
            .flexible(12, 200)
            .drop(1),
    ]
}

/// What is not as of now does not look as if it were.
fn worth(row: &RouteRow, cell: Cell) -> Cell {
    if row.freshness.is_whole() { cell } else { cell.stale() }
}

fn hosts<'a>(it: &'a Shown, _: &'a C) -> Value<'a> {
    let destination = it.row.destination().map(|it| &it.host);
    Value::Several(it.row.route.hosts.iter().chain(destination).map(Into::into).collect())
}

fn route_cell(it: &Shown) -> Cell {
    if it.told > Told::Nothing {
        return Cell::default();
    }
    let key = &it.row.id.key;
    Cell::muted(format!("{}/", key.namespace)).and(&key.name, Meaning::Text)
}

fn rule_words(row: &RouteRow) -> Clean {
    let rule = row.rule();
    if !rule.name.is_empty() {
        rule.name.clone()
    } else if rule.matches.is_empty() {
        "everything".into()
    } else {
        rule.matches.iter().map(Clean::as_str).collect::<Vec<_>>().join(" or ").into()
    }
}

fn number_cell(it: &Shown) -> Cell {
    if it.told == Told::Rule { Cell::default() } else { Cell::muted((it.row.rule + 1).to_string()) }
}

fn rule_cell(it: &Shown) -> Cell {
    if it.told == Told::Rule { Cell::default() } else { Cell::muted(rule_words(&it.row)) }
}

/// The destination, or what a rule without destinations does.
pub fn destination_cell(row: &RouteRow) -> Cell {
    match (&row.rule().shape, row.destination()) {
        (Shape::Redirect(to), _) => Cell::muted(format!("redirect {to}")),
        (Shape::DirectResponse(words), _) => Cell::muted(words),
        (Shape::Delegate(to), _) => Cell::muted(format!("delegates to {to}")),
        (Shape::Destinations(_), None) => Cell::muted("no destination"),
        (Shape::Destinations(_), Some(it)) => Cell::text(it.name()),
    }
}

fn clouds(clouds: &[Cloud]) -> String {
    clouds.iter().map(Cloud::name).collect::<Vec<_>>().join(" ")
}

fn weight_cell(row: &RouteRow, glyphs: &Glyphs) -> Cell {
    match row.destination() {
        None => Cell::default(),
        Some(it) => match it.weight {
            Some(weight) => Cell::text(weight.to_string()),
            None => Cell::new(glyphs.absent, Meaning::Faint),
        },
    }
}

/// `████▊░░░  60%`, `invalid`, `never`, `?`.
pub fn share_cell(row: &RouteRow, width: usize, cx: ViewCx<'_>) -> Cell {
    let rule = row.rule();
    if rule.invalid.is_some() {
        return Cell::new(format!("{} invalid", cx.glyphs.bad), Meaning::Bad);
    }
    if rule.unreachable.is_some() {
        return Cell::new(format!("{} never reached", cx.glyphs.warning), Meaning::Warning);
    }
    if row.destination().is_none() {
        return Cell::default();
    }
    let Some(share) = row.share else { return Cell::unknown(cx.glyphs) };
    let meaning = if row.is_dry() { Meaning::Bad } else { Meaning::Progress };
    let of = if rule.protocol == Protocol::Dns { " DNS" } else { "" };
    let bar = meter::bar(share, width, cx.glyphs, meaning);
    bar.and(Clean::from(format!(" {:>4}", text::percent(share))), Meaning::Text).and(of, Meaning::Muted)
}

/// `6/6`, `6+?`, `0/3 ✖`, `?`.
fn ready_cell(row: &RouteRow, glyphs: &Glyphs) -> Cell {
    let Ready { ready, total, open, unknown, .. } = row.ready;
    if row.destination().is_none() {
        return Cell::default();
    }
    if unknown {
        return Cell::unknown(glyphs);
    }
    let counts = if open { format!("{ready}+{}", glyphs.unknown) } else { format!("{ready}/{total}") };
    if row.is_dry() {
        return Cell::new(counts, Meaning::Bad).and(format!(" {}", glyphs.bad), Meaning::Bad);
    }
    let meaning = if ready < total { Meaning::Warning } else { Meaning::Text };
    Cell::new(counts, if open { Meaning::Unknown } else { meaning })
}

fn owner_cell(it: &Shown, glyphs: &Glyphs) -> Cell {
    if it.told > Told::Nothing {
        return Cell::default();
    }
    let (glyph, words, meaning) = match it.row.owner.kind {
        VerdictKind::Blocked => (glyphs.bad, "blocked", Meaning::Bad),
        VerdictKind::WillBeReverted => (glyphs.warning, "reverts", Meaning::Warning),
        VerdictKind::WillBeOverwritten => (glyphs.warning, "next sync", Meaning::Warning),
        VerdictKind::UnknownReconciler => (glyphs.unknown, "reconciler", Meaning::Unknown),
        VerdictKind::OwnerUnknown => (glyphs.unknown, "unknown", Meaning::Unknown),
        VerdictKind::LeftAlone => (glyphs.info, "left alone", Meaning::Muted),
        VerdictKind::Unmanaged => (glyphs.info, "unmanaged", Meaning::Muted),
    };
    Cell::new(format!("{glyph} {words}"), meaning)
}

/// `all 3`, or the names where they differ; one that is not as of now has a mark before its name.
fn clusters_cell(it: &Shown, glyphs: &Glyphs) -> Cell {
    if it.told > Told::Nothing {
        return Cell::default();
    }
    let row = &it.row;
    let live = row.clusters.iter().all(|cluster| cluster.live);
    let more = if row.unknown > 0 { format!(" +{}", glyphs.unknown) } else { String::new() };
    if live && row.clusters.len() == row.holders && row.holders > 1 {
        return Cell::muted(format!("all {}{more}", row.holders));
    }
    let mut cell = Cell::default();
    for (at, cluster) in row.clusters.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let (mark, meaning) =
            if cluster.live { ("", Meaning::Text) } else { (glyphs.unknown, Meaning::Stale) };
        cell = cell.and(format!("{comma}{mark}{}", cluster.name), meaning);
    }
    cell.and(more, Meaning::Unknown)
}

fn note_cell(row: &RouteRow, glyphs: &Glyphs) -> Cell {
    let notes = row.notes.iter().map(Clean::as_str).collect::<Vec<_>>().join("; ");
    if row.drift == Drift::None {
        return Cell::muted(notes);
    }
    let drift = Cell::new(format!("{} {}", glyphs.differs, row.drift.words()), Meaning::Warning);
    if notes.is_empty() { drift } else { drift.and(format!("; {notes}"), Meaning::Muted) }
}

/// Which requests, who owns it, and every note.
pub fn detail(shown: &Shown) -> Vec<(Clean, Meaning)> {
    let row = &shown.row;
    let rule = row.rule();
    let matches = match &rule.matches[..] {
        [] => "everything".to_owned(),
        some => some.iter().map(Clean::as_str).collect::<Vec<_>>().join(" or "),
    };
    let mut which = format!("{} {}, {}: {matches}", row.id.kind, row.id.key, row.rule_label());
    if let Some(timeout) = &rule.timeout {
        which.push_str(&format!(", timeout {timeout}"));
    }
    if let Some(retries) = &rule.retries {
        which.push_str(&format!(", {retries}"));
    }
    let owner = &row.owner;
    let by = if owner.by.is_empty() { String::new() } else { format!("{}: ", owner.by) };
    let owner = format!("{}: {by}{}", owner.kind.words(), owner.words);
    let notes = row.notes.iter().map(Clean::as_str).collect::<Vec<_>>().join("; ");
    vec![(which.into(), Meaning::Muted), (owner.into(), Meaning::Muted), (notes.into(), Meaning::Muted)]
}
