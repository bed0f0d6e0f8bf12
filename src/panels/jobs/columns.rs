//! The columns of the Jobs panel.

use crate::fleet::{Clean, JobPhase};
use crate::panels::{Column, Value};
use crate::state::select::jobs::JobRow;
use crate::ui::{Align, Cell, Glyphs, Meaning, ViewCx, meter, text};

type C = Column<JobRow>;

pub fn columns() -> Vec<C> {
    vec![
        column(
            "phase",
            "PHASE",
            "Phase, the same words for every kind",
            0,
            |row, _| Value::Ranked(row.phase as u32, row.phase.name().into()),
            |row, _, cx| worth(row, phase_cell(row.phase, cx.glyphs)),
        ),
        C {
            flexible: true,
            widest: 60,
            ..column("job", "JOB", "Namespace and name", 0, |row, _| Value::text(row.job.key.to_string()), |row, _, _| {
                Cell::muted(format!("{}/", row.job.key.namespace)).and(&row.job.key.name, Meaning::Text)
            })
        },
        column("cluster", "CLUSTER", "Cluster", 8, |row, _| Value::text(&row.cluster_name), |row, _, _| {
            Cell::text(&row.cluster_name)
        }),
        column("kind", "KIND", "Kind", 4, |row, _| Value::text(&row.job.kind_name), |row, _, _| {
            Cell::muted(&row.job.kind_name)
        }),
        column(
            "progress",
            "PROGRESS",
            "Progress, from 0 to 1",
            5,
            |row, _| Value::maybe(row.job.progress, Value::Number),
            progress_cell,
        ),
        right(column("pods", "PODS", "Pods ready", 3, pods, |row, _, _| pods_cell(row))),
        right(column(
            "gpus",
            "GPUS",
            "GPUs of all its pods",
            6,
            |row, _| Value::maybe(row.job.gpus, |gpus| Value::Number(gpus.whole.into())),
            |row, _, cx| match row.job.gpus {
                None => Cell::unknown(cx.glyphs),
                Some(gpus) if gpus.is_none() => Cell::default(),
                Some(gpus) => Cell::text(gpus.to_string()),
            },
        )),
        column("queue", "QUEUE", "Queue", 2, |row, _| Value::maybe(row.queue.as_ref(), Value::text), |row, _, _| {
            row.queue.as_ref().map_or_else(Cell::default, Cell::muted)
        }),
        right(column(
            "restarts",
            "RESTARTS",
            "Restarts, or failed pods",
            1,
            |row, _| Value::maybe(row.job.restarts, |count| Value::Number(count.into())),
            |row, _, _| restarts_cell(row),
        )),
        right(column(
            "duration",
            "DURATION",
            "How long it runs, or ran",
            4,
            |row, _| Value::maybe(row.duration, Value::Age),
            |row, _, _| row.duration.map_or_else(Cell::default, |age| Cell::text(age.to_string())),
        )),
        right(column(
            "age",
            "AGE",
            "Time since it was made",
            2,
            |row, _| Value::Age(row.age),
            |row, _, _| Cell::muted(row.age.to_string()),
        )),
        C {
            flexible: true,
            widest: 200,
            ..column("message", "MESSAGE", "Why it is so", 5, |row, _| Value::text(&row.message), |row, _, _| {
                message_cell(row)
            })
        },
        // Only for filters.
        column("namespace", "", "Namespace", 0, |row, _| Value::text(&row.job.key.namespace), |_, _, _| {
            Cell::default()
        }),
        column("cloud", "", "Cloud", 0, |row, _| Value::text(&row.cloud), |_, _, _| Cell::default()),
        column("column", "", "Further columns of the kind, such as its framework", 0, extra, |_, _, _| {
            Cell::default()
        }),
    ]
}

fn column(
    name: &str,
    title: &str,
    doc: &'static str,
    drop: u8,
    value: fn(&JobRow, &C) -> Value,
    cell: fn(&JobRow, &C, ViewCx<'_>) -> Cell,
) -> C {
    C {
        name: name.into(),
        title: title.into(),
        doc,
        align: Align::Left,
        widest: 28,
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

pub fn phase_cell(phase: JobPhase, glyphs: &Glyphs) -> Cell {
    let (glyph, meaning) = match phase {
        JobPhase::Failed => (glyphs.bad, Meaning::Bad),
        JobPhase::Restarting => (glyphs.warning, Meaning::Warning),
        JobPhase::Pending => (glyphs.progress, Meaning::Warning),
        JobPhase::Running => (glyphs.good, Meaning::Good),
        JobPhase::Queued => (glyphs.paused, Meaning::Progress),
        JobPhase::Suspended => (glyphs.paused, Meaning::Muted),
        JobPhase::Unknown => (glyphs.unknown, Meaning::Unknown),
        JobPhase::Cancelled => (glyphs.absent, Meaning::Muted),
        JobPhase::Succeeded => (glyphs.info, Meaning::Muted),
    };
    Cell::new(format!("{glyph} {phase}"), meaning)
}

/// What is not as of now does not look as if it were.
fn worth(row: &JobRow, cell: Cell) -> Cell {
    if row.freshness.is_whole() { cell } else { cell.stale() }
}

fn progress_cell(row: &JobRow, _: &C, cx: ViewCx<'_>) -> Cell {
    let Some(progress) = row.job.progress else { return Cell::default() };
    let meaning = if row.phase.has_ended() { Meaning::Muted } else { Meaning::Progress };
    let bar = meter::bar(progress, 8, cx.glyphs, meaning);
    let percent = Clean::from(format!(" {:>4}", text::percent(progress)));
    worth(row, bar.and(percent, Meaning::Text))
}

fn pods(row: &JobRow, _: &C) -> Value {
    Value::Number(row.pods.ready.into())
}

/// Ready pods of those that are meant to run at once; nothing when all have ended.
fn pods_cell(row: &JobRow) -> Cell {
    if row.phase.has_ended() || row.pods.total == 0 {
        return Cell::default();
    }
    let open = row.pods.total - row.pods.ended;
    worth(row, Cell::text(format!("{}/{open}", row.pods.ready)))
}

fn restarts_cell(row: &JobRow) -> Cell {
    match row.job.restarts {
        None | Some(0) => Cell::default(),
        Some(count) => Cell::new(count.to_string(), Meaning::Warning),
    }
}

fn extra(row: &JobRow, _: &C) -> Value {
    Value::Texts(row.job.columns.iter().map(|(_, value)| value.clone()).collect())
}

fn message_cell(row: &JobRow) -> Cell {
    if !row.message.is_empty() {
        let meaning = if row.phase == JobPhase::Failed { Meaning::Text } else { Meaning::Muted };
        return Cell::new(&row.message, meaning);
    }
    let metrics = row.job.metrics.iter().filter(|(name, _)| name != &"progress");
    let told = metrics.map(|(name, value)| format!("{name} {value:.4}")).collect::<Vec<_>>().join("  ");
    Cell::muted(told)
}
