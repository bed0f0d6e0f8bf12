//! Everything that runs beside the loop: one task a cluster, and how to reach them.

use std::collections::BTreeMap;

use tokio::sync::mpsc::Receiver;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use crate::config::Config;
use crate::fleet::{ClusterFact, ClusterId, Fact, Fault, FaultKind, Step};
use crate::sources::inventory::{Inventory, Member};
use crate::sources::kube::supervisor::Assignment;
use crate::sources::kube::{self, Details, Nudge};
use crate::sources::{Clock, Out, Wanted};
use crate::state::{ClusterSpec, State};

pub struct Session {
    tasks: JoinSet<()>,
    clusters: BTreeMap<ClusterId, (AbortHandle, Nudge)>,
    next_id: u16,
    wanted: Wanted,
    out: Out,
    pub details: Details,
}

impl Session {
    pub fn new(config: &Config, clock: Clock) -> (Self, Receiver<Vec<Fact>>) {
        let (out, facts) = Out::new(clock);
        let wanted = Wanted {
            job_kinds: config.job_kinds.clone().into(),
            version_labels: config.version_labels.clone().into(),
        };
        let session = Self {
            tasks: JoinSet::new(),
            clusters: BTreeMap::new(),
            next_id: 0,
            wanted,
            out,
            details: Details::default(),
        };
        (session, facts)
    }

    /// Starts a task for each member; each is a row before anything is heard of it.
    pub fn watch(&mut self, inventory: Inventory, state: &mut State) {
        for member in inventory.members {
            let (id, spec) = self.watch_one(member);
            state.add_cluster(id, spec);
        }
    }

    fn watch_one(&mut self, member: Member) -> (ClusterId, ClusterSpec) {
        let id = ClusterId(self.next_id);
        self.next_id += 1;
        let nudge = Nudge::default();
        let assignment = Assignment {
            cluster: id,
            target: member.target,
            namespaces: member.namespaces,
            home_namespace: member.home_namespace,
            wanted: self.wanted.clone(),
        };
        let task = kube::run(assignment, self.out.clone(), nudge.clone(), self.details.clone());
        self.clusters.insert(id, (self.tasks.spawn(task), nudge));
        (id, member.spec)
    }

    /// Tries again now, instead of when the time has come.
    pub fn reconnect(&self, cluster: Option<ClusterId>) {
        for (id, (_, nudge)) in &self.clusters {
            if cluster.is_none_or(|wanted| wanted == *id) {
                nudge.nudge();
            }
        }
    }

    /// Waits for a cluster's task to end, which only a bug does; gives what is to be told about it.
    pub async fn ended(&mut self) -> Fact {
        loop {
            match self.tasks.join_next().await {
                Some(Err(error)) if error.is_panic() => return self.failed(&error),
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }

    fn failed(&self, error: &JoinError) -> Fact {
        let ended = self.clusters.iter().find(|(_, (task, _))| task.id() == error.id());
        let cluster = ended.map_or(ClusterId(u16::MAX), |(id, _)| *id);
        let fault = Fault::new(Step::Connect, FaultKind::Panic, "");
        Fact::Cluster(cluster, self.out.clock().mono(), ClusterFact::Unusable(fault))
    }
}
