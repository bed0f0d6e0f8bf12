//! The columns of the Jobs panel.

use std::sync::Arc;

use crate::fleet::{Clean, JobPhase};
use crate::panels::{Column, Value};
use crate::state::select::jobs::JobRow;
use crate::ui::{Cell, Glyphs, Meaning, ViewCx, meter, text};

type C = Column<Arc<JobRow>>;

pub fn columns() -> Vec<C> {
    vec![
        C::new("phase", "PHASE", "Phase, the same words for every kind", |row, _| {
            Value::Ranked(row.phase as u32, row.phase.name().into())
        })
        .cell(|row, _, cx| worth(row, phase_cell(row.phase, cx.glyphs))),
        C::new("job", "JOB", "Namespace and name", |row, _| Value::text(&row.name))
            .cell(|row, _, _| {
                let key = &row.job.key;
                Cell::muted(format!("{}/", key.namespace)).and(&key.name, Meaning::Text)
            })
            .flexible(30, 60),
        C::new("cluster", "CLUSTER", "Cluster", |row, _| Value::text(&row.cluster_name)).drop(8),
        C::new("kind", "KIND", "Kind", |row, _| Value::text(&row.job.kind_name)).muted().drop(4),
        C::new("progress", "PROGRESS", "Progress, from 0 to 1", |row, _| {
            Value::maybe(row.job.progress, Value::Number)
        })
        .cell(progress_cell)
        .numbers()
        .drop(5),
        C::new("pods", "PODS", "Pods ready", |row, _| Value::Number(row.pods.ready.into()))
            .cell(|row, _, _| pods_cell(row))
            .numbers()
            .right()
            .drop(3),
        C::new("gpus", "GPUS", "GPUs of all its pods", |row, _| {
            Value::maybe(row.job.gpus, |gpus| Value::Number(gpus.whole.into()))
        })
        .cell(gpus_cell)
        .numbers()
        .right()
        .drop(6),
        C::new("queue", "QUEUE", "Queue", |row, _| Value::maybe(row.queue.as_ref(), Value::text))
            .muted()
            .drop(2),
        C::new("restarts", "RESTARTS", "Restarts, or failed pods", |row, _| {
            Value::maybe(row.job.restarts, |count| Value::Number(count.into()))
        })
        .cell(|row, _, _| restarts_cell(row))
        .numbers()
        .right()
        .drop(1),
        C::new("duration", "DURATION", "How long it runs, or ran", |row, column| {
            Value::maybe(row.duration(column.now), Value::Age)
        })
        .ages()
        .right()
        .drop(4),
        C::new("age", "AGE", "Time since it was made", |row, column| Value::Age(row.age(column.now)))
            .ages()
            .muted()
            .right()
            .drop(2),
        C::new("message", "MESSAGE", "Why it is so", |row, _| Value::text(&row.message))
            .cell(|row, _, _| message_cell(row))
            .flexible(18, 200)
            .drop(5),
        C::hidden("namespace", "Namespace", |row, _| Value::text(&row.job.key.namespace)).again(),
        C::hidden("cloud", "Cloud", |row, _| Value::text(&row.cloud)),
        C::hidden("column", "Further columns of the kind, such as its framework", |row, _| {
            Value::each(row.job.columns.iter().map(|(_, value)| value))
        }),
    ]
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

fn progress_cell(row: &Arc<JobRow>, _: &C, cx: ViewCx<'_>) -> Cell {
    let Some(progress) = row.job.progress else { return Cell::default() };
    let meaning = if row.phase.has_ended() { Meaning::Muted } else { Meaning::Progress };
    let bar = meter::bar(progress, 8, cx.glyphs, meaning);
    let percent = Clean::from(format!(" {:>4}", text::percent(progress)));
    worth(row, bar.and(percent, Meaning::Text))
}

fn gpus_cell(row: &Arc<JobRow>, _: &C, cx: ViewCx<'_>) -> Cell {
    match row.job.gpus {
        None => Cell::unknown(cx.glyphs),
        Some(gpus) if gpus.is_none() => Cell::default(),
        Some(gpus) => Cell::text(gpus.to_string()),
    }
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

fn message_cell(row: &JobRow) -> Cell {
    if !row.message.is_empty() {
        let meaning = if row.phase == JobPhase::Failed { Meaning::Text } else { Meaning::Muted };
        return Cell::new(&row.message, meaning);
    }
    let metrics = row.job.metrics.iter().filter(|(name, _)| *name != "progress");
    let told = metrics.map(|(name, value)| format!("{name} {}", text::number(*value)));
    let told = told.collect::<Vec<_>>().join("  ");
    Cell::muted(told)
}
