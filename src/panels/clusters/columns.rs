//! The columns of the Clusters panel.

use crate::fleet::{Age, Clean};
use crate::panels::{Column, Value};
use crate::state::Freshness;
use crate::state::select::clusters::{ClusterRow, Liveness, Login};
use crate::ui::{Cell, Glyphs, Meaning, text};

type C = Column<ClusterRow>;

pub fn columns() -> Vec<C> {
    vec![
        C::new("cluster", "CLUSTER", "Name", |row, _| Value::text(&row.name)).flexible(14, 40),
        C::new("state", "STATE", "live, loading, partial, stale, silent, unusable", |row, _| {
            Value::Ranked(row.liveness.rank().into(), row.liveness.word().into())
        })
        .cell(|row, _, cx| state_cell(&row.liveness, cx.glyphs)),
        C::new("cloud", "CLOUD", "Cloud", |row, _| {
            Value::maybe(row.cloud.as_ref(), |cloud| Value::text(cloud.name()))
        })
        .muted()
        .drop(3),
        C::new("region", "REGION", "Region", |row, _| maybe(row.region.as_ref())).muted().drop(2),
        C::new("env", "ENV", "Environment", |row, _| maybe(row.environment.as_ref())).muted().drop(2),
        C::new("version", "VERSION", "Distribution and version", |row, _| Value::text(&row.version))
            .muted()
            .drop(4),
        C::new("nodes", "NODES", "Nodes ready and in all", nodes).cell(nodes_cell).right().drop(6),
        C::new("gpus", "GPUS", "GPUs requested and allocatable", gpus).cell(gpus_cell).right().drop(6),
        C::new("rtt", "RTT", "Round trip to the API server, in milliseconds", |row, _| {
            Value::maybe(row.round_trip_ms, |ms| Value::Number(ms.into()))
        })
        .cell(|row, _, _| rtt_cell(row))
        .right()
        .drop(3),
        C::new("age", "AGE", "Age of the oldest data", |row, _| Value::maybe(row.oldest, Value::Age))
            .cell(|row, _, _| age_cell(row))
            .right()
            .drop(5),
        C::new("requests", "REQS", "Requests that this console has sent", |row, _| {
            Value::Number(row.requests as f64)
        })
        .muted()
        .right()
        .drop(1),
        C::new("load", "REQ/S", "Requests a second that this console sends now", |row, _| {
            Value::maybe(row.load, |load| Value::Number(load.requests))
        })
        .cell(|row, _, _| {
            row.load.map_or_else(Cell::default, |load| Cell::muted(format!("{:.1}", load.requests)))
        })
        .right()
        .drop(1),
        C::new("read", "READ", "What this console has read, decompressed", |row, _| {
            Value::Number(row.received_bytes as f64)
        })
        .cell(|row, _, _| Cell::muted(text::bytes(row.received_bytes)))
        .right()
        .drop(1),
        C::new("problem", "PROBLEM", "What is wrong", |row, _| maybe(some(&row.problem)))
            .cell(|row, _, _| problem_cell(row))
            .flexible(16, 200)
            .drop(7),
    ]
}

/// `● live`, `↻ loading 7/11`, `▲ stale 2m`, `✖ silent 2m14s`.
pub fn state_cell(liveness: &Liveness, glyphs: &Glyphs) -> Cell {
    let (glyph, meaning) = match liveness {
        Liveness::Live => (glyphs.good, Meaning::Good),
        Liveness::Partial => (glyphs.good, Meaning::Warning),
        Liveness::Loading(..) | Liveness::Connecting => (glyphs.progress, Meaning::Progress),
        Liveness::Stale(_) => (glyphs.warning, Meaning::Warning),
        Liveness::Silent(_) | Liveness::Unusable => (glyphs.bad, Meaning::Bad),
    };
    let word = liveness.word();
    let words = match liveness {
        Liveness::Loading(done, of) => format!("{glyph} {word} {done}/{of}"),
        Liveness::Stale(age) | Liveness::Silent(Some(age)) => format!("{glyph} {word} {age}"),
        _ => format!("{glyph} {word}"),
    };
    Cell::new(words, meaning)
}

fn maybe(text: Option<&Clean>) -> Value<'_> {
    Value::maybe(text, Value::text)
}

fn some(text: &Clean) -> Option<&Clean> {
    (!text.is_empty()).then_some(text)
}

fn nodes<'a>(row: &'a ClusterRow, _: &'a C) -> Value<'a> {
    if row.nodes.is_known() { Value::Number(row.nodes_total.into()) } else { Value::None }
}

fn gpus<'a>(row: &'a ClusterRow, _: &'a C) -> Value<'a> {
    if row.nodes.is_known() { Value::Number(row.gpus_allocatable.whole.into()) } else { Value::None }
}

fn nodes_cell(row: &ClusterRow, _: &C, cx: crate::ui::ViewCx<'_>) -> Cell {
    if !row.nodes.is_known() {
        return Cell::unknown(cx.glyphs);
    }
    let short = row.nodes_ready < row.nodes_total;
    let meaning = if short { Meaning::Warning } else { Meaning::Text };
    worth(Cell::new(format!("{}/{}", row.nodes_ready, row.nodes_total), meaning), &row.nodes)
}

fn gpus_cell(row: &ClusterRow, _: &C, cx: crate::ui::ViewCx<'_>) -> Cell {
    let told = |count: u32, of: &Freshness| {
        if of.is_known() { count.to_string() } else { cx.glyphs.unknown.to_owned() }
    };
    let requested = told(row.gpus_requested.whole, &row.pods);
    let allocatable = told(row.gpus_allocatable.whole, &row.nodes);
    worth(Cell::text(format!("{requested}/{allocatable}")), &row.gpus())
}

/// A value that is not as of now does not look as if it were.
fn worth(cell: Cell, freshness: &Freshness) -> Cell {
    if freshness.is_whole() { cell } else { cell.stale() }
}

fn rtt_cell(row: &ClusterRow) -> Cell {
    let cell = row.round_trip_ms.map_or_else(Cell::default, |ms| Cell::muted(format!("{ms} ms")));
    if matches!(row.liveness, Liveness::Silent(_)) { cell.stale() } else { cell }
}

fn age_cell(row: &ClusterRow) -> Cell {
    match row.oldest {
        None => Cell::default(),
        Some(age) if age > Age(45) => Cell::new(age.to_string(), Meaning::Warning),
        Some(age) => Cell::muted(age.to_string()),
    }
}

/// `INSECURE`, `needs login: press L`, then the problem.
fn problem_cell(row: &ClusterRow) -> Cell {
    let meaning = if row.liveness.is_live() { Meaning::Muted } else { Meaning::Text };
    let mut cell = Cell::default();
    if row.insecure {
        cell = cell.and("INSECURE", Meaning::BadBadge).and(" ", Meaning::Text);
    }
    if row.login == Login::Needed {
        cell = cell.and("needs login: press L", Meaning::BadBadge).and(" ", Meaning::Text);
    }
    if row.insecure && row.problem.is_empty() {
        return cell.and("the server's certificate is not checked", Meaning::Text);
    }
    cell.and(&row.problem, meaning)
}
