//! The columns of the Clusters panel.

use crate::fleet::{Age, Clean};
use crate::panels::{Column, Value};
use crate::state::Freshness;
use crate::state::select::clusters::{ClusterRow, Liveness};
use crate::ui::{Align, Cell, Glyphs, Meaning, text};

type C = Column<ClusterRow>;

pub fn columns() -> Vec<C> {
    vec![
        C {
            widest: 40,
            flexible: true,
            ..column("cluster", "CLUSTER", "Name", 0, |row, _| Value::text(&row.name), |row, _, _| {
                Cell::text(&row.name)
            })
        },
        column(
            "state",
            "STATE",
            "live, loading, partial, stale, silent, unusable",
            0,
            |row, _| Value::Ranked(row.liveness.rank().into(), row.liveness.word().into()),
            |row, _, cx| state_cell(&row.liveness, cx.glyphs),
        ),
        column("cloud", "CLOUD", "Cloud", 3, |row, _| cloud(row), |row, _, _| muted(&cloud(row))),
        column("region", "REGION", "Region", 2, |row, _| maybe(row.region.as_ref()), |row, _, _| {
            muted(&maybe(row.region.as_ref()))
        }),
        column(
            "env",
            "ENV",
            "Environment",
            2,
            |row, _| maybe(row.environment.as_ref()),
            |row, _, _| muted(&maybe(row.environment.as_ref())),
        ),
        column(
            "version",
            "VERSION",
            "Distribution and version",
            4,
            |row, _| Value::text(&row.version),
            |row, _, _| Cell::muted(&row.version),
        ),
        right(column("nodes", "NODES", "Nodes ready and in all", 6, nodes, |row, _, cx| nodes_cell(row, cx.glyphs))),
        right(column("gpus", "GPUS", "GPUs requested and allocatable", 6, gpus, |row, _, cx| {
            gpus_cell(row, cx.glyphs)
        })),
        right(column(
            "rtt",
            "RTT",
            "Round trip to the API server, in milliseconds",
            3,
            |row, _| Value::maybe(row.round_trip_ms, |ms| Value::Number(ms.into())),
            |row, _, _| row.round_trip_ms.map_or_else(Cell::default, |ms| Cell::muted(format!("{ms} ms"))),
        )),
        right(column(
            "age",
            "AGE",
            "Age of the oldest data",
            5,
            |row, _| Value::maybe(row.oldest, Value::Age),
            |row, _, _| age_cell(row),
        )),
        right(column(
            "requests",
            "REQS",
            "Requests that this console has sent",
            1,
            |row, _| Value::Number(row.requests as f64),
            |row, _, _| Cell::muted(row.requests.to_string()),
        )),
        right(column(
            "read",
            "READ",
            "What this console has read, decompressed",
            1,
            |row, _| Value::Number(row.received_bytes as f64),
            |row, _, _| Cell::muted(text::bytes(row.received_bytes)),
        )),
        C {
            widest: 200,
            flexible: true,
            ..column("problem", "PROBLEM", "What is wrong", 7, |row, _| problem(row), |row, _, _| problem_cell(row))
        },
    ]
}

fn column(
    name: &str,
    title: &str,
    doc: &'static str,
    drop: u8,
    value: fn(&ClusterRow, &C) -> Value,
    cell: fn(&ClusterRow, &C, crate::ui::ViewCx<'_>) -> Cell,
) -> C {
    C {
        name: name.into(),
        title: title.into(),
        doc,
        align: Align::Left,
        widest: 32,
        flexible: false,
        drop,
        number: 0,
        value,
        cell,
    }
}

fn right(column: C) -> C {
    C { align: Align::Right, ..column }
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

fn cloud(row: &ClusterRow) -> Value {
    Value::maybe(row.cloud.as_ref(), |cloud| Value::text(cloud.name()))
}

fn maybe(text: Option<&Clean>) -> Value {
    Value::maybe(text, Value::text)
}

fn muted(value: &Value) -> Cell {
    match value {
        Value::Text(text) => Cell::muted(text),
        _ => Cell::default(),
    }
}

fn nodes(row: &ClusterRow, _: &C) -> Value {
    if known(&row.nodes) { Value::Number(row.nodes_total.into()) } else { Value::None }
}

fn gpus(row: &ClusterRow, _: &C) -> Value {
    if known(&row.nodes) { Value::Number(row.gpus_allocatable.whole.into()) } else { Value::None }
}

fn nodes_cell(row: &ClusterRow, glyphs: &Glyphs) -> Cell {
    if !known(&row.nodes) {
        return Cell::unknown(glyphs);
    }
    let short = row.nodes_ready < row.nodes_total;
    let meaning = if short { Meaning::Warning } else { Meaning::Text };
    worth(Cell::new(format!("{}/{}", row.nodes_ready, row.nodes_total), meaning), &row.nodes)
}

fn gpus_cell(row: &ClusterRow, glyphs: &Glyphs) -> Cell {
    let requested = if known(&row.pods) {
        row.gpus_requested.whole.to_string()
    } else {
        glyphs.unknown.to_owned()
    };
    let allocatable = if known(&row.nodes) {
        row.gpus_allocatable.whole.to_string()
    } else {
        glyphs.unknown.to_owned()
    };
    let cell = Cell::text(format!("{requested}/{allocatable}"));
    worth(cell, &row.nodes.clone().worse(row.pods.clone()))
}

fn known(freshness: &Freshness) -> bool {
    matches!(freshness, Freshness::Live | Freshness::Stale(_))
}

/// A value that is not as of now does not look as if it were.
fn worth(cell: Cell, freshness: &Freshness) -> Cell {
    if freshness.is_whole() { cell } else { cell.stale() }
}

fn age_cell(row: &ClusterRow) -> Cell {
    match row.oldest {
        None => Cell::default(),
        Some(age) if age > Age(45) => Cell::new(age.to_string(), Meaning::Warning),
        Some(age) => Cell::muted(age.to_string()),
    }
}

fn problem(row: &ClusterRow) -> Value {
    if row.problem.is_empty() { Value::None } else { Value::text(&row.problem) }
}

fn problem_cell(row: &ClusterRow) -> Cell {
    if row.problem.is_empty() && row.insecure {
        return Cell::new("the server's certificate is not checked", Meaning::BadBadge);
    }
    let meaning = if row.liveness.is_live() { Meaning::Muted } else { Meaning::Text };
    let cell = Cell::new(&row.problem, meaning);
    if row.insecure {
        return Cell::new("insecure", Meaning::BadBadge).and(" ", Meaning::Text).and(&row.problem, meaning);
    }
    cell
}
