//! Everything that runs beside the loop: one task a cluster, and how to reach them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc::Receiver;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use crate::clients::kube::connect::{Connector, Target};
use crate::clients::kube::credentials::Plugin;
use crate::config::Config;
use crate::fleet::{Clean, ClusterFact, ClusterId, Fact, Fault, FaultKind, Step};
use crate::sources::inventory::{Inventory, Member};
use crate::sources::kube::supervisor::Assignment;
use crate::sources::kube::{self, Details, Nudge};
use crate::sources::{Clock, Out, Wanted};
use crate::state::{ClusterSpec, State};

pub struct Session {
    tasks: JoinSet<()>,
    clusters: BTreeMap<ClusterId, Watched>,
    next_id: u16,
    wanted: Wanted,
    out: Out,
    pub details: Details,
    connector: Connector,
}

/// A cluster's task, and what it was started with.
struct Watched {
    task: AbortHandle,
    nudge: Nudge,
    name: Clean,
    target: Result<Target, Fault>,
    namespaces: Vec<String>,
}

/// What reading the files again changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changed {
    pub added: usize,
    pub removed: usize,
}

impl fmt::Display for Changed {
    /// `: 2 clusters added, 1 removed`; nothing when the clusters are the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize| if count == 1 { "cluster" } else { "clusters" };
        match (self.added, self.removed) {
            (0, 0) => Ok(()),
            (added, 0) => write!(f, ": {added} {} added", plural(added)),
            (0, removed) => write!(f, ": {removed} {} removed", plural(removed)),
            (added, removed) => write!(f, ": {added} {} added, {removed} removed", plural(added)),
        }
    }
}

impl Session {
    pub fn new(config: &Config, clock: Clock) -> (Self, Receiver<Vec<Fact>>) {
        let (out, facts) = Out::new(clock);
        let wanted = wanted(config);
        let session = Self {
            tasks: JoinSet::new(),
            clusters: BTreeMap::new(),
            next_id: 0,
            wanted,
            out,
            details: Details::default(),
            connector: Connector::of_environment(),
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

    /// Ends what is not wanted any more and starts what is new; what stays is not disturbed.
    pub fn rewatch(&mut self, config: &Config, inventory: Inventory, state: &mut State) -> Changed {
        let wanted = wanted(config);
        let same_wishes = wanted == self.wanted;
        self.wanted = wanted;
        let mut left = std::mem::take(&mut self.clusters);
        let mut new = Inventory::default();
        for member in inventory.members {
            let same = left.iter().find(|(_, it)| same_wishes && it.is_still(&member)).map(|(id, _)| *id);
            match same.and_then(|id| left.remove_entry(&id)) {
                Some((id, watched)) => {
                    state.respecify(id, member.spec);
                    self.clusters.insert(id, watched);
                }
                None => new.members.push(member),
            }
        }
        let changed = Changed { added: new.members.len(), removed: left.len() };
        for (id, watched) in left {
            watched.task.abort();
            self.details.close(id);
            state.remove_cluster(id);
        }
        self.watch(new, state);
        changed
    }

    fn watch_one(&mut self, member: Member) -> (ClusterId, ClusterSpec) {
        let id = ClusterId(self.next_id);
        self.next_id += 1;
        let nudge = Nudge::default();
        let (name, target, namespaces) =
            (member.spec.name.clone(), member.target.clone(), member.namespaces.clone());
        self.out.call(id, &name);
        let assignment = Assignment {
            cluster: id,
            target: member.target,
            namespaces: member.namespaces,
            home_namespace: member.home_namespace,
            wanted: self.wanted.clone(),
            connector: self.connector.clone(),
        };
        let task = kube::run(assignment, self.out.clone(), nudge.clone(), self.details.clone());
        let task = self.tasks.spawn(task);
        self.clusters.insert(id, Watched { task, nudge, name, target, namespaces });
        (id, member.spec)
    }

    /// The plugin that a cluster's credential comes from, and the cluster's name.
    pub fn plugin(&self, cluster: ClusterId) -> Option<(Arc<Plugin>, Clean)> {
        let watched = self.clusters.get(&cluster)?;
        let target = watched.target.as_ref().ok()?;
        Some((self.connector.plugin(target).ok()??, watched.name.clone()))
    }

    /// Tries again now, instead of when the time has come.
    pub fn reconnect(&self, cluster: Option<ClusterId>) {
        self.connector.try_again();
        for (id, watched) in &self.clusters {
            if cluster.is_none_or(|wanted| wanted == *id) {
                watched.nudge.nudge();
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
        let ended = self.clusters.iter().find(|(_, it)| it.task.id() == error.id());
        let cluster = ended.map_or(ClusterId(u16::MAX), |(id, _)| *id);
        let fault = Fault::new(Step::Connect, FaultKind::Panic, "");
        Fact::Cluster(cluster, self.out.clock().mono(), ClusterFact::Unusable(fault))
    }
}

impl Watched {
    /// A way that cannot be read any more does not end one that could: files are edited in steps.
    fn is_still(&self, member: &Member) -> bool {
        let same_way = match (&self.target, &member.target) {
            (Ok(own), Ok(new)) => own.leads_where(new),
            (Ok(_), Err(_)) => true,
            (Err(own), Err(new)) => own == new,
            (Err(_), Ok(_)) => false,
        };
        self.name == member.spec.name && same_way && self.namespaces == member.namespaces
    }
}

fn wanted(config: &Config) -> Wanted {
    Wanted {
        job_kinds: config.job_kinds.clone().into(),
        version_labels: config.version_labels.clone().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Settings;

    /// A cluster that cannot be reached: nothing leaves the program.
    fn member(name: &str, cloud: Option<&str>) -> Member {
        let spec = ClusterSpec { name: name.into(), cloud: cloud.map(Clean::new), ..ClusterSpec::default() };
        let target = Err(Fault::new(Step::Configure, FaultKind::Configuration, "no context"));
        Member { spec, target, namespaces: Vec::new(), home_namespace: None }
    }

    fn inventory(members: impl IntoIterator<Item = Member>) -> Inventory {
        Inventory { members: members.into_iter().collect(), ..Inventory::default() }
    }

    fn rows(state: &State) -> Vec<(u16, &str)> {
        state.clusters().map(|it| (it.id.0, it.spec.name.as_str())).collect()
    }

    #[tokio::test]
    async fn what_stays_is_not_disturbed_when_the_files_are_read_again() {
        let config = Config::default();
        let (mut session, _facts) = Session::new(&config, Clock::start());
        let mut state = State::new(Settings::default());
        session.watch(inventory([member("a", None), member("b", None)]), &mut state);
        let changed =
            session.rewatch(&config, inventory([member("b", Some("gcp")), member("c", None)]), &mut state);
        assert_eq!(
            (changed.to_string().as_str(), rows(&state)),
            (": 1 cluster added, 1 removed", vec![(1, "b"), (2, "c")])
        );
        assert_eq!(state.cluster_named("b").unwrap().spec.cloud.as_ref().unwrap().as_str(), "gcp");
        let same = session.rewatch(&config, inventory([member("b", None), member("c", None)]), &mut state);
        assert_eq!((same.to_string().as_str(), rows(&state)), ("", vec![(1, "b"), (2, "c")]));
        // Other job kinds are other sources: every cluster begins anew.
        let other = Config { job_kinds: Vec::new(), ..Config::default() };
        let _ = session.rewatch(&other, inventory([member("b", None)]), &mut state);
        assert_eq!(rows(&state), [(3, "b")]);
    }
}
