//! Everything that runs beside the loop: one task a cluster, and how to reach them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use crate::clients::kube::connect::{Connector, Target};
use crate::clients::kube::credentials::Plugin;
use crate::config::Config;
use crate::fleet::{Clean, ClusterFact, ClusterId, Fact, Fault, FaultKind, Step};
use crate::sources::inventory::{Inventory, Member};
use crate::sources::kube::connection::Assignment;
use crate::sources::kube::{self, Details, Nudge, Turns};
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
    turns: Turns,
}

/// A cluster's task, and what it was told.
struct Watched {
    task: AbortHandle,
    nudge: Nudge,
    name: Clean,
    target: watch::Sender<Result<Target, Fault>>,
    namespaces: Vec<String>,
    home_namespace: watch::Sender<Option<String>>,
}

/// What reading the files again changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changed {
    pub added: usize,
    pub removed: usize,
    /// Those that stay, and are reached in another way.
    pub reconnected: usize,
}

impl fmt::Display for Changed {
    /// `: 2 clusters added, 1 removed`; nothing when the clusters are the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [(self.added, "added"), (self.removed, "removed"), (self.reconnected, "connected anew")];
        for (at, (count, what)) in counts.into_iter().filter(|(count, _)| *count > 0).enumerate() {
            match (at, count) {
                (0, 1) => write!(f, ": 1 cluster {what}")?,
                (0, _) => write!(f, ": {count} clusters {what}")?,
                _ => write!(f, ", {count} {what}")?,
            }
        }
        Ok(())
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
            turns: Turns::default(),
        };
        (session, facts)
    }

    /// A session that watches an inventory, and the state that its facts are to be folded into.
    pub fn begin(config: &Config, inventory: Inventory, clock: Clock) -> (Self, Receiver<Vec<Fact>>, State) {
        let (mut session, facts) = Self::new(config, clock);
        let mut state = State::new(config.settings.clone());
        state.scope = config.scope.clone();
        state.silence(&config.silenced_rules);
        session.watch(inventory, &mut state);
        (session, facts, state)
    }

    /// Starts a task for each member; each is a row before anything is heard of it.
    fn watch(&mut self, inventory: Inventory, state: &mut State) {
        for member in inventory.members {
            let (id, spec) = self.watch_one(member);
            state.add_cluster(id, spec);
        }
    }

    /// Ends what is not wanted any more and starts what is new. A cluster whose server stays keeps everything that is
    /// known of it; it is connected anew when the account or the way to it is another.
    pub fn rewatch(&mut self, config: &Config, mut inventory: Inventory, state: &mut State) -> Changed {
        let wanted = wanted(config);
        let mut left = std::mem::take(&mut self.clusters);
        let ended = if wanted == self.wanted { BTreeMap::new() } else { std::mem::take(&mut left) };
        self.wanted = wanted;
        let used: Vec<Target> = left.values().filter_map(|it| it.target.borrow().clone().ok()).collect();
        inventory.stay_in(&used.iter().collect::<Vec<_>>());
        let mut changed = Changed::default();
        let members = std::mem::take(&mut inventory.members);
        // One that is called as before is found before another that leads to the same server.
        let (named, others): (Vec<Member>, Vec<Member>) =
            members.into_iter().partition(|it| left.values().any(|own| own.is_called(it)));
        for member in named.into_iter().chain(others) {
            match take_same(&mut left, &member) {
                Some((id, mut watched)) => {
                    changed.reconnected += usize::from(watched.follow(&member));
                    self.out.call(id, &member.spec.name);
                    state.respecify(id, member.spec);
                    self.clusters.insert(id, watched);
                }
                None => inventory.members.push(member),
            }
        }
        left.extend(ended);
        (changed.added, changed.removed) = (inventory.members.len(), left.len());
        for (id, watched) in left {
            watched.task.abort();
            self.details.close(id);
            state.remove_cluster(id);
        }
        self.watch(inventory, state);
        changed
    }

    fn watch_one(&mut self, member: Member) -> (ClusterId, ClusterSpec) {
        let id = ClusterId(self.next_id);
        self.next_id += 1;
        let nudge = Nudge::default();
        self.out.call(id, &member.spec.name);
        let target = watch::Sender::new(member.target);
        let home_namespace = watch::Sender::new(member.home_namespace);
        let assignment = Assignment {
            cluster: id,
            target: target.subscribe(),
            namespaces: member.namespaces.clone(),
            home_namespace: home_namespace.subscribe(),
            wanted: self.wanted.clone(),
            connector: self.connector.clone(),
            turns: self.turns.clone(),
        };
        let task = kube::run(assignment, self.out.clone(), nudge.clone(), self.details.clone());
        let task = self.tasks.spawn(task);
        let (name, namespaces) = (member.spec.name.clone(), member.namespaces);
        self.clusters.insert(id, Watched { task, nudge, name, target, namespaces, home_namespace });
        (id, member.spec)
    }

    /// The plugin that a cluster's credential comes from, and the cluster's name.
    pub fn plugin(&self, cluster: ClusterId) -> Option<(Arc<Plugin>, Clean)> {
        let watched = self.clusters.get(&cluster)?;
        let target = watched.target.borrow().clone().ok()?;
        Some((self.connector.plugin(&target).ok()??, watched.name.clone()))
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
    fn is_called(&self, member: &Member) -> bool {
        self.name == member.spec.name
    }

    /// A way that cannot be read does not make another cluster: files are edited in steps.
    fn is_same(&self, member: &Member) -> bool {
        let same_place = match (&*self.target.borrow(), &member.target) {
            (Ok(own), Ok(new)) => own.is_at(new) || (self.is_called(member) && own.leads_where(new)),
            _ => self.is_called(member),
        };
        same_place && self.namespaces == member.namespaces
    }

    /// Takes what is new about it; whether it must be connected anew.
    fn follow(&mut self, member: &Member) -> bool {
        self.name.clone_from(&member.spec.name);
        let home = &member.home_namespace;
        self.home_namespace.send_if_modified(|own| {
            own != home && {
                own.clone_from(home);
                true
            }
        });
        let new = &member.target;
        self.target.send_if_modified(|own| {
            let is_other = match (&*own, new) {
                (Ok(own), Ok(new)) => !own.leads_where(new),
                (Ok(_), Err(_)) => return false,
                (Err(own), Err(new)) => own != new,
                (Err(_), Ok(_)) => true,
            };
            own.clone_from(new);
            is_other
        })
    }
}

/// The cluster that a member is already: one of its name if there is one.
fn take_same(left: &mut BTreeMap<ClusterId, Watched>, member: &Member) -> Option<(ClusterId, Watched)> {
    let same = || left.iter().filter(|(_, it)| it.is_same(member));
    let named = same().find(|(_, it)| it.is_called(member));
    let id = *named.or_else(|| same().next())?.0;
    left.remove_entry(&id)
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
        Member { spec, target, others: Vec::new(), namespaces: Vec::new(), home_namespace: None }
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
