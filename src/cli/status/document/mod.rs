//! The documents of `skydeck status -o json`: what each field is, in which unit, and what absent means.
//!
//! Every document has `apiVersion` and `kind`. Within one `apiVersion` fields are only added. Times are RFC
//! 3339 in UTC, lengths of time whole seconds, counts numbers. What is not known is `null`, never 0. The
//! worth of every number is told by the `state` of its cluster or cell: only `live` (and `partial`, for
//! what may be read) is as of now; the age of everything else stands beside it.

pub mod attention;
pub mod clusters;
pub mod jobs;
pub mod replicas;
pub mod traffic;

use serde::Serialize;

use crate::fleet::Clean;
use crate::state::State;
use crate::state::select::clusters::{Liveness, rows};

pub use attention::attention;
pub use clusters::clusters;
pub use jobs::jobs;
pub use replicas::replicas;
pub use traffic::traffic;

pub const API_VERSION: &str = "skydeck/v1";
pub const CLUSTER_LIST: &str = "ClusterList";

/// The envelope of every document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<T> {
    pub api_version: &'static str,
    pub kind: &'static str,
    pub generated_at: String,
    /// What the contents of each cluster are worth.
    pub clusters: Vec<Worth>,
    pub items: Vec<T>,
}

/// The state of one cluster's data.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Worth {
    pub name: Clean,
    /// `live`, `partial`, `loading`, `connecting`, `stale`, `silent`, `unusable`.
    pub state: &'static str,
    /// Seconds since the quietest of its sources was heard; `null` when something was never read.
    pub age_seconds: Option<u64>,
    pub problem: Option<Clean>,
}

fn document<T>(state: &State, kind: &'static str, items: Vec<T>) -> Document<T> {
    let clusters = rows(state).into_iter().map(|row| Worth {
        state: row.liveness.word(),
        age_seconds: row.oldest.map(|age| age.0),
        problem: some(row.problem),
        name: row.name,
    });
    Document {
        api_version: API_VERSION,
        kind,
        generated_at: state.now.unix.rfc3339(),
        clusters: clusters.collect(),
        items,
    }
}

/// How many clusters could be read, and of how many.
pub fn readable(state: &State) -> (usize, usize) {
    let rows = rows(state);
    let read = rows.iter().filter(|row| matches!(row.liveness, Liveness::Live | Liveness::Partial));
    (read.count(), rows.len())
}

fn some(text: Clean) -> Option<Clean> {
    (!text.is_empty()).then_some(text)
}
