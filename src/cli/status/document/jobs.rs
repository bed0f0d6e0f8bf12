//! `JobList`: one item a job of any kind.

use serde::Serialize;

use super::{Document, document, some};
use crate::cli::status::table::{Table, age, given};
use crate::fleet::{Age, Clean, GpuCount, Now, Unix};
use crate::state::select::jobs::{self, JobRow};
use crate::state::{Freshness, State};
use crate::ui::text;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobItem {
    pub cluster: Clean,
    pub state: &'static str,
    pub age_seconds: Option<u64>,
    pub kind: Clean,
    pub namespace: Clean,
    pub name: Clean,
    pub uid: Clean,
    pub phase: &'static str,
    /// The rule that decided the phase.
    pub rule: Clean,
    pub message: Option<Clean>,
    pub created: String,
    pub started: Option<String>,
    pub ended: Option<String>,
    pub duration_seconds: Option<u64>,
    /// 0 to 1.
    pub progress: Option<f64>,
    pub gpus: Option<GpuCount>,
    pub queue: Option<Clean>,
    pub restarts: Option<u32>,
    pub pods: crate::fleet::job::JobPods,
    pub metrics: serde_json::Map<String, serde_json::Value>,
    pub columns: serde_json::Map<String, serde_json::Value>,
}

pub fn jobs(state: &State) -> Document<JobItem> {
    let mut rows = jobs::rows(state).to_vec();
    rows.sort_by(|a, b| {
        let key = |row: &JobRow| (row.phase, row.cluster, row.job.key.clone());
        key(a).cmp(&key(b))
    });
    document(state, "JobList", rows.iter().map(|row| job_item(row, state.now)).collect())
}

pub fn table(document: &Document<JobItem>) -> Table {
    let headings =
        ["PHASE", "JOB", "CLUSTER", "KIND", "PROGRESS", "GPUS", "QUEUE", "RESTARTS", "DURATION", "MESSAGE"];
    let mut table = Table::new(&headings, "no jobs");
    table.rows.extend(document.items.iter().map(row));
    table
}

fn row(item: &JobItem) -> Vec<String> {
    // What a cluster said a while ago does not look as if it said it now.
    let (phase, now) = (item.phase, item.state == "live");
    let ago = age(item.age_seconds);
    vec![
        if now { phase.to_owned() } else { format!("{phase} ({ago} ago)") },
        format!("{}/{}", item.namespace, item.name),
        item.cluster.to_string(),
        item.kind.to_string(),
        given(item.progress.map(text::percent)),
        given(item.gpus),
        given(item.queue.as_ref()),
        given(item.restarts),
        given(item.duration_seconds.map(Age)),
        given(item.message.as_ref()),
    ]
}

fn job_item(row: &JobRow, now: Now) -> JobItem {
    let job = &row.job;
    let number = |value: f64| serde_json::Number::from_f64(value).map(serde_json::Value::Number);
    JobItem {
        state: row.freshness.word(),
        age_seconds: match row.freshness {
            Freshness::Live => Some(0),
            _ => row.freshness.age(now).map(|age| age.0),
        },
        kind: job.kind_name.clone(),
        namespace: job.key.namespace.clone(),
        name: job.key.name.clone(),
        uid: job.uid.clone(),
        phase: row.phase.name(),
        rule: row.rule.clone(),
        message: some(row.message.clone()),
        created: job.created.rfc3339(),
        started: job.started.map(Unix::rfc3339),
        ended: job.ended.map(Unix::rfc3339),
        duration_seconds: row.duration(now).map(|Age(seconds)| seconds),
        progress: job.progress,
        gpus: job.gpus,
        queue: row.queue.clone(),
        restarts: job.restarts,
        pods: job.pods,
        metrics: job
            .metrics
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), number(*value)?)))
            .collect(),
        columns: job.columns.iter().map(|(name, value)| (name.to_string(), value.as_str().into())).collect(),
        cluster: row.cluster_name.clone(),
    }
}
