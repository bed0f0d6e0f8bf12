//! The pods of one thing: of a workload, a job, a node, of what a route leads to.
//!
//! They are looked for among all pods of the cluster, and kept until something changes that could make it others; a
//! view that stays open over 150,000 pods does not look through them for every frame.

use std::sync::Arc;

use super::job_index::JobIndex;
use super::routes::{self, reach};
use crate::fleet::{ClusterId, Kind, ObjectId, ObjectKey, Owner, Pod, Subject, Workload};
use crate::state::kept::Print;
use crate::state::{Cluster, State};

/// Whose pods the last answer names, and what it was made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked(ClusterId, Subject, Print);

/// In no order.
pub fn of(state: &State, cluster: &Cluster, subject: &Subject) -> Arc<[ObjectKey]> {
    let kinds: Vec<Kind> = match subject {
        Subject::Cluster | Subject::Namespace(_) => Vec::new(),
        Subject::Node(_) | Subject::Workload(_) | Subject::Pod(_) => vec![Kind::Pod],
        Subject::Job(_) => vec![Kind::Pod, Kind::Job],
        Subject::Route(_) => [Kind::Pod].into_iter().chain(routes::MADE_OF).collect(),
    };
    let asked = Asked(cluster.id, subject.clone(), Print::of(state, &kinds));
    state.kept.pods.answer(asked, || found(state, cluster, subject))
}

fn found(state: &State, cluster: &Cluster, subject: &Subject) -> Arc<[ObjectKey]> {
    let keys = |is_one: &dyn Fn(&Pod) -> bool| {
        cluster.objects.pods.values().filter(|pod| is_one(pod)).map(|pod| pod.key.clone()).collect()
    };
    match subject {
        Subject::Node(name) => keys(&|pod| pod.node.as_ref() == Some(name)),
        Subject::Workload(id) => {
            let owner = Owner::of(id.kind, &id.key.name);
            keys(&|pod| is_owned(pod, id, &owner))
        }
        Subject::Job(id) => cluster.objects.jobs.get(id).map_or_else(Arc::default, |job| {
            let index = JobIndex::new(cluster);
            keys(&|pod| index.works_for(pod, job))
        }),
        Subject::Pod(key) => cluster.objects.pods.get(key).map(|pod| pod.key.clone()).into_iter().collect(),
        Subject::Route(id) => {
            let owners: Vec<_> = behind(state, cluster, id)
                .into_iter()
                .map(|id| (Owner::of(id.kind, &id.key.name), id))
                .collect();
            keys(&|pod| owners.iter().any(|(owner, id)| is_owned(pod, id, owner)))
        }
        Subject::Cluster | Subject::Namespace(_) => Arc::default(),
    }
}

/// The workloads of a cluster that a route leads to, whichever cluster has the route.
fn behind(state: &State, cluster: &Cluster, id: &ObjectId) -> Vec<ObjectId> {
    let others = state.counted_clusters().filter(|other| other.id != cluster.id);
    let mut holders = std::iter::once(cluster).chain(others);
    let route = holders.find_map(|it| it.objects.routes.get(id));
    route.map_or_else(Vec::new, |route| {
        reach::workloads(cluster, route).into_iter().map(Workload::id).collect()
    })
}

fn is_owned(pod: &Pod, id: &ObjectId, owner: &Owner) -> bool {
    pod.key.namespace == id.key.namespace && pod.owner.as_ref() == Some(owner)
}
