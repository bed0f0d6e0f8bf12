//! The columns of the list of findings.

use crate::fleet::{Age, Clean, Finding, Severity, Subject};
use crate::panels::{Column, Value};
use crate::state::State;
use crate::state::select::clusters::{self, Liveness};
use crate::ui::{Align, Cell, Meaning, ViewCx};

type C = Column<FindingRow>;

/// A finding with what its columns show.
#[derive(Debug, Clone)]
pub struct FindingRow {
    pub finding: Finding,
    /// Name of the cluster, or `fleet`.
    pub place: Clean,
    pub tint: Option<u8>,
    age: Option<Age>,
    /// The cluster is not live: the finding is as of so long ago.
    as_of: Option<Age>,
    /// The panel where it is seen.
    panel: &'static str,
}

impl FindingRow {
    pub fn new(state: &State, finding: &Finding) -> Self {
        let cluster = finding.cluster.and_then(|id| state.cluster(id));
        let as_of = cluster.and_then(|cluster| match clusters::liveness(state, cluster) {
            Liveness::Stale(age) | Liveness::Silent(Some(age)) => Some(age),
            _ => None,
        });
        Self {
            place: cluster.map_or_else(|| "fleet".into(), |cluster| cluster.spec.name.clone()),
            tint: cluster.map(|it| it.tint()),
            age: finding.since.map(|since| state.now.age_of(since)),
            as_of: as_of.filter(|_| finding.subject != Subject::Cluster),
            panel: match finding.subject {
                Subject::Cluster | Subject::Node(_) | Subject::Namespace(_) => "clusters",
                Subject::Workload(_) | Subject::Pod(_) => "replicas",
                Subject::Job(_) => "jobs",
            },
            finding: finding.clone(),
        }
    }
}

pub fn columns() -> Vec<C> {
    vec![
        column("severity", "", "critical, warning, info", 0, severity, |row, _, cx| severity_cell(row, cx)),
        column("cluster", "WHERE", "Cluster", 0, |row, _| Value::text(&row.place), |row, _, cx| {
            let (glyph, meaning) = mark(row, cx);
            Cell::new(format!("{glyph} "), meaning).and(&row.place, Meaning::Text)
        }),
        C {
            flexible: true,
            widest: 44,
            ..column("subject", "WHAT", "What it is about", 0, subject, |row, _, _| {
                Cell::text(row.finding.subject.to_string())
            })
        },
        C {
            align: Align::Right,
            ..column("since", "SINCE", "How long it has been so", 3, since, |row, _, _| {
                row.age.map_or_else(Cell::default, |age| Cell::muted(age.to_string()))
            })
        },
        C {
            flexible: true,
            widest: 200,
            ..column("cause", "WHY", "The cause", 0, |row, _| Value::text(&row.finding.cause), |row, _, _| {
                cause_cell(row)
            })
        },
        C {
            align: Align::Right,
            ..column("panel", "SEE", "Where it is seen", 1, |row, _| Value::text(row.panel), |row, _, _| {
                Cell::muted(row.panel)
            })
        },
        column("rule", "", "Name of the rule", 0, |row, _| Value::text(row.finding.rule.name()), |_, _, _| {
            Cell::default()
        }),
    ]
}

fn column(
    name: &str,
    title: &str,
    doc: &'static str,
    drop: u8,
    value: fn(&FindingRow, &C) -> Value,
    cell: fn(&FindingRow, &C, ViewCx<'_>) -> Cell,
) -> C {
    C {
        name: name.into(),
        title: title.into(),
        doc,
        align: Align::Left,
        widest: 26,
        flexible: false,
        drop,
        number: 0,
        value,
        cell,
    }
}

/// Most severe first.
fn severity(row: &FindingRow, _: &C) -> Value {
    let rank = match row.finding.severity {
        Severity::Critical => 0,
        Severity::Warning => 1,
        Severity::Info => 2,
    };
    Value::Ranked(rank, row.finding.severity.name().into())
}

fn severity_cell(row: &FindingRow, cx: ViewCx<'_>) -> Cell {
    let (glyph, meaning) = mark(row, cx);
    Cell::new(glyph, meaning)
}

fn mark(row: &FindingRow, cx: ViewCx<'_>) -> (&'static str, Meaning) {
    match row.finding.severity {
        Severity::Critical => (cx.glyphs.bad, Meaning::Bad),
        Severity::Warning => (cx.glyphs.warning, Meaning::Warning),
        Severity::Info => (cx.glyphs.info, Meaning::Info),
    }
}

fn subject(row: &FindingRow, _: &C) -> Value {
    Value::text(row.finding.subject.to_string())
}

fn since(row: &FindingRow, _: &C) -> Value {
    Value::maybe(row.age, Value::Age)
}

fn cause_cell(row: &FindingRow) -> Cell {
    match row.as_of {
        None => Cell::text(&row.finding.cause),
        Some(age) => Cell::new(format!("as of {age} ago: {}", row.finding.cause), Meaning::Stale),
    }
}
