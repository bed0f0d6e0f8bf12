//! How many more replicas of a workload its cluster has room for, as one field.
//!
//! What its pods need stands in the object as the server gave it, not in what is watched: until it was read, nothing
//! is said.

use serde_json::Value;

use crate::fleet::{Clean, ReplicaNeeds, Workload};
use crate::state::select::headroom::{headroom, line};
use crate::state::{Cluster, State};
use crate::ui::Meaning;

pub fn words(state: &State, cluster: &Cluster, workload: &Workload, object: &Value) -> (Clean, Meaning) {
    match ReplicaNeeds::read(workload.kind, object) {
        Ok(needs) => {
            let headroom = headroom(state, cluster.id, &needs);
            let meaning = if headroom.fits.is_ok() { Meaning::Text } else { Meaning::Unknown };
            (line(&headroom), meaning)
        }
        Err(why) => (format!("not known: {why}").into(), Meaning::Unknown),
    }
}
