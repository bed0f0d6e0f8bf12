//! The columns of the list of findings.

use crate::fleet::{Age, Clean, Finding, Severity, Subject};
use crate::panels::{Column, Value};
use crate::state::select::clusters::{self, Liveness};
use crate::state::{Cluster, State};
use crate::ui::{Cell, Meaning, ViewCx};

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
            tint: cluster.map(Cluster::tint),
            age: finding.since.map(|since| state.now.age_of(since)),
            as_of: as_of.filter(|_| finding.subject != Subject::Cluster),
            panel: match finding.subject {
                Subject::Cluster | Subject::Node(_) | Subject::Namespace(_) => "clusters",
                Subject::Workload(_) | Subject::Pod(_) => "replicas",
                Subject::Job(_) => "jobs",
                Subject::Route(_) => "traffic",
            },
            finding: finding.clone(),
        }
    }
}

pub fn columns() -> Vec<C> {
    vec![
        C::hidden("severity", "critical, warning, info", severity),
        C::new("cluster", "WHERE", "Cluster", |row, _| Value::text(&row.place)).cell(|row, _, cx| {
            let (glyph, meaning) = mark(row, cx);
            Cell::new(format!("{glyph} "), meaning).and(&row.place, Meaning::Text)
        }),
        C::new("subject", "WHAT", "What it is about", |row, _| Value::text(row.finding.subject.to_string()))
            .flexible(18, 44),
        C::new("since", "SINCE", "How long it has been so", |row, _| Value::maybe(row.age, Value::Age))
            .muted()
            .right()
            .drop(3),
        C::new("cause", "WHY", "The cause", |row, _| Value::text(&row.finding.cause))
            .cell(|row, _, _| cause_cell(row))
            .flexible(20, 200),
        C::new("panel", "SEE", "Where it is seen", |row, _| Value::text(row.panel)).muted().right().drop(1),
        C::hidden("rule", "Name of the rule", |row, _| Value::text(row.finding.rule.name())),
    ]
}

/// Most severe first.
fn severity<'a>(row: &'a FindingRow, _: &'a C) -> Value<'a> {
    let rank = match row.finding.severity {
        Severity::Critical => 0,
        Severity::Warning => 1,
        Severity::Info => 2,
    };
    Value::Ranked(rank, row.finding.severity.name().into())
}

fn mark(row: &FindingRow, cx: ViewCx<'_>) -> (&'static str, Meaning) {
    match row.finding.severity {
        Severity::Critical => (cx.glyphs.bad, Meaning::Bad),
        Severity::Warning => (cx.glyphs.warning, Meaning::Warning),
        Severity::Info => (cx.glyphs.info, Meaning::Info),
    }
}

fn cause_cell(row: &FindingRow) -> Cell {
    match row.as_of {
        None => Cell::text(&row.finding.cause),
        Some(age) => Cell::new(format!("as of {age} ago: {}", row.finding.cause), Meaning::Stale),
    }
}
