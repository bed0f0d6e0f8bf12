//! On demand: one object as it is now, and logs of pods. Only what is looked at is asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::kinds::Resource;
use super::logs;
use crate::clients::kube::{Door, Question};
use crate::fleet::{ClusterId, Fault, FaultKind, Kind, LogLine, LogRequest, ObjectId, Step};

/// The doors of the clusters that are connected.
#[derive(Clone, Default)]
pub struct Details {
    open: Arc<Mutex<HashMap<ClusterId, Opened>>>,
}

/// A door and what is served behind it.
type Opened = (Door, Vec<Resource>);

impl Details {
    /// Makes a cluster's door and what it serves known.
    pub(super) fn open(&self, cluster: ClusterId, door: Door, resources: Vec<Resource>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(cluster, (door, resources));
    }

    pub fn close(&self, cluster: ClusterId) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&cluster);
    }

    /// One object, whole.
    pub async fn object(&self, cluster: ClusterId, id: &ObjectId) -> Result<Value, Fault> {
        let (door, resource) = self.way(cluster, id.kind, Step::Get)?;
        door.ask_json(Question::json(&resource.object_path(&id.key), Step::Get)).await
    }

    /// The door of a cluster, and how a kind is found behind it.
    pub fn way(&self, cluster: ClusterId, kind: Kind, step: Step) -> Result<(Door, Resource), Fault> {
        let (door, resources) = self.door(cluster, step)?;
        let resource = resources.into_iter().find(|resource| resource.kind == kind);
        let absent = || Fault::new(step, FaultKind::NotFound, "the cluster does not serve this kind");
        Ok((door, resource.ok_or_else(absent)?))
    }

    /// Lines of logs until they end, or for ever when they are followed.
    pub async fn logs(
        &self,
        cluster: ClusterId,
        request: LogRequest,
        lines: tokio::sync::mpsc::Sender<Vec<LogLine>>,
    ) -> Result<(), Fault> {
        let (door, _) = self.door(cluster, Step::Logs)?;
        logs::read(&door, &request, lines).await
    }

    /// The door of a cluster alone.
    pub fn open_door(&self, cluster: ClusterId, step: Step) -> Result<Door, Fault> {
        Ok(self.door(cluster, step)?.0)
    }

    fn door(&self, cluster: ClusterId, step: Step) -> Result<(Door, Vec<Resource>), Fault> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(&cluster)
            .cloned()
            .ok_or_else(|| Fault::new(step, FaultKind::Unreachable, "the cluster is not connected yet"))
    }
}
