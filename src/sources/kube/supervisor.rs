//! The sources of one connection: started, stopped, counted again when the account, the cluster's kinds or its identity
//! turn out to be others. What the next connection must know is handed over at the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use super::begin_again;
use super::connection::Assignment;
use super::discovery::Discovery;
use super::identity::{Found, Identity, Who};
use super::kinds::{self, Resource};
use super::ping::Ping;
use super::reflector::Reflector;
use super::turn::Turn;
use super::{Details, Nudge};
use crate::clients::kube::{Door, Question};
use crate::fleet::{Clean, ClusterFact, FaultKind, Kind, Slot, SourceFact, SourceId, SourceState, Step};
use crate::sources::Out;

/// How often it is asked whether a CRD has come or gone.
const DISCOVERY: Duration = Duration::from_secs(30);

/// What the cluster's tasks share with the rest of the program.
#[derive(Clone, Copy)]
pub struct Shared<'a> {
    pub out: &'a Out,
    pub nudge: &'a Nudge,
    pub details: &'a Details,
}

/// What one connection leaves to the next.
#[derive(Default)]
pub struct Kept {
    /// Who the cluster was told to be.
    who: Who,
    /// The namespaces that it was told to be read in; none for the whole.
    namespaces: Vec<String>,
    /// The sources of kinds that not every cluster serves.
    custom: Vec<SourceId>,
}

pub struct Supervisor<'a> {
    assignment: &'a mut Assignment,
    door: &'a Door,
    out: &'a Out,
    nudge: &'a Nudge,
    details: &'a Details,
    /// Loops that may not read the whole cluster.
    denials: (mpsc::Sender<SourceId>, mpsc::Receiver<SourceId>),
    identity: Arc<Identity>,
    turn: Arc<Turn>,
    found: mpsc::Receiver<Found>,
    told: Kept,
    /// Empty: the whole cluster.
    namespaces: Vec<String>,
    access: Access,
    tasks: JoinSet<()>,
    running: BTreeMap<SourceId, AbortHandle>,
    discovery: Discovery,
}

/// What is known of what the account may read, as far as it matters for where to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Nothing speaks against the whole cluster.
    Open,
    /// It may not read Pods of the whole cluster.
    Denied,
    /// It might not; the account may be another one since.
    Doubted,
}

impl<'a> Supervisor<'a> {
    pub fn new(assignment: &'a mut Assignment, door: &'a Door, shared: Shared<'a>, kept: Kept) -> Self {
        let (identity, found) = Identity::told(kept.who.clone());
        let fell_back = assignment.namespaces.is_empty() && !kept.namespaces.is_empty();
        let turn = assignment.turns.of_one();
        let access = if fell_back { Access::Doubted } else { Access::Open };
        let namespaces = if fell_back { &kept.namespaces } else { &assignment.namespaces }.clone();
        Self {
            assignment,
            door,
            out: shared.out,
            nudge: shared.nudge,
            details: shared.details,
            denials: mpsc::channel(8),
            identity: Arc::new(identity),
            turn: Arc::new(turn),
            found,
            told: kept,
            namespaces,
            access,
            tasks: JoinSet::new(),
            running: BTreeMap::new(),
            discovery: Discovery::default(),
        }
    }

    /// Runs until it is dropped; [`Supervisor::end`] must follow.
    pub async fn run(&mut self) {
        if self.namespaces != self.told.namespaces {
            self.tell_namespaces().await;
        }
        self.start_all();
        if self.access == Access::Doubted {
            self.fall_back().await;
        }
        let mut discovery = interval(DISCOVERY);
        discovery.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut nudges = self.nudge.listen();
        loop {
            tokio::select! {
                Some(found) = self.found.recv() => self.identified(found).await,
                Some(id) = self.denials.1.recv() => self.denied(id).await,
                Some(_) = self.tasks.join_next() => {}
                _ = discovery.tick() => self.discover().await,
                Ok(()) = self.assignment.home_namespace.changed() => self.fall_back().await,
                Ok(()) = nudges.changed() => discovery.reset_immediately(),
            }
        }
    }

    /// Ends everything; nothing of it is told after this.
    pub async fn end(mut self) -> Kept {
        self.tasks.shutdown().await;
        self.told.custom.extend(self.running.into_keys().filter(|id| !id.kind.is_built_in()));
        if self.told.who == Who::Unknown {
            self.told.who = self.identity.left();
        }
        self.told
    }

    fn start_all(&mut self) {
        let ping = self.ping();
        self.keep_ping(move |_| ping.clone().run());
        for resource in kinds::built_in() {
            self.start(&resource);
        }
    }

    /// One loop for the whole cluster, or one for each namespace.
    fn start(&mut self, resource: &Resource) {
        let whole = self.namespaces.is_empty() || !resource.kind.namespaced();
        let slots: Vec<(Slot, Option<String>)> = if whole {
            vec![(Slot(0), None)]
        } else {
            let numbered = self.namespaces.iter().zip(1u8..);
            numbered.map(|(name, number)| (Slot(number), Some(name.clone()))).collect()
        };
        for (slot, namespace) in slots {
            let id = SourceId { cluster: self.assignment.cluster, kind: resource.kind, slot };
            let reflector = self.reflector(id, resource.clone(), namespace);
            self.keep(id, move |times| Reflector { failed_before: times > 0, ..reflector.clone() }.run());
        }
    }

    fn ping(&self) -> Ping {
        Ping {
            door: self.door.clone(),
            cluster: self.assignment.cluster,
            out: self.out.clone(),
            identity: Arc::clone(&self.identity),
            nudge: self.nudge.clone(),
            nudges: self.nudge.listen(),
        }
    }

    fn reflector(&self, id: SourceId, resource: Resource, namespace: Option<String>) -> Reflector {
        Reflector {
            door: self.door.clone(),
            resource,
            namespace,
            id,
            out: self.out.clone(),
            identity: Arc::clone(&self.identity),
            nudges: self.nudge.listen(),
            denials: self.denials.0.clone(),
            turn: Arc::clone(&self.turn),
            version_labels: Arc::clone(&self.assignment.wanted.version_labels),
            failed_before: false,
        }
    }

    /// Runs a source. When it panics that is told, the others go on, and it begins again.
    fn keep<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        id: SourceId,
        begin: impl FnMut(u32) -> F + Send + 'static,
    ) {
        let out = self.out.clone();
        let tell = move |fault| {
            let out = out.clone();
            async move { out.source(id, [SourceFact::State(SourceState::Failed(fault))]).await }
        };
        let task = self.tasks.spawn(begin_again::after_panics(begin, tell, self.nudge.listen()));
        self.running.insert(id, task);
    }

    fn keep_ping<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        begin: impl FnMut(u32) -> F + Send + 'static,
    ) {
        let (out, cluster) = (self.out.clone(), self.assignment.cluster);
        let tell = move |fault| {
            let out = out.clone();
            async move { out.cluster(cluster, ClusterFact::Unanswered(fault)).await }
        };
        self.tasks.spawn(begin_again::after_panics(begin, tell, self.nudge.listen()));
    }

    async fn discover(&mut self) {
        if self.access == Access::Doubted {
            self.ask_for_the_whole().await;
        }
        let wanted = kinds::custom(&self.assignment.wanted.job_kinds);
        // A server that does not answer is told by the ping; discovery comes again.
        let Ok(served) = self.discovery.find(self.door, &wanted).await else { return };
        let resources = kinds::built_in().into_iter().chain(served.clone()).collect();
        self.details.open(self.assignment.cluster, self.door.clone(), resources);
        let served_kinds: Vec<Kind> = served.iter().map(|resource| resource.kind).collect();
        let running = |this: &Self, kind: Kind| this.running.keys().any(|id| id.kind == kind);
        let gone: Vec<Kind> = wanted
            .iter()
            .map(|resource| resource.kind)
            .filter(|kind| !served_kinds.contains(kind) && running(self, *kind))
            .collect();
        let before = std::mem::take(&mut self.told.custom);
        let before = before.into_iter().filter(|id| !served_kinds.contains(&id.kind));
        for id in self.stop(|kind| gone.contains(&kind)).await.into_iter().chain(before) {
            self.out.source(id, [SourceFact::State(SourceState::Absent)]).await;
        }
        self.out.cluster(self.assignment.cluster, ClusterFact::Served(served_kinds)).await;
        for resource in served {
            if !running(self, resource.kind) {
                self.start(&resource);
            }
        }
    }

    /// Ends loops and waits until they have ended, so that nothing of theirs is told later.
    async fn stop(&mut self, which: impl Fn(Kind) -> bool) -> Vec<SourceId> {
        let ids: Vec<_> = self.running.keys().filter(|id| which(id.kind)).copied().collect();
        let mut ending: Vec<Id> = Vec::new();
        for task in ids.iter().filter_map(|id| self.running.remove(id)) {
            task.abort();
            ending.push(task.id());
        }
        while !ending.is_empty() {
            let Some(ended) = self.tasks.join_next_with_id().await else { break };
            let id = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
            ending.retain(|it| *it != id);
        }
        ids
    }

    /// The account may not read the whole cluster.
    async fn denied(&mut self, id: SourceId) {
        if id.kind == Kind::Pod && self.namespaces.is_empty() {
            self.access = Access::Denied;
            self.fall_back().await;
        }
    }

    /// What the account may not read as a whole is read in the namespace that its context names, if it names one.
    async fn fall_back(&mut self) {
        let home = self.assignment.home_namespace.borrow_and_update().clone();
        let Some(home) = home.filter(|home| self.namespaces.first() != Some(home)) else { return };
        if self.access == Access::Open || !self.assignment.namespaces.is_empty() {
            return;
        }
        self.read(vec![home]).await;
        self.discover().await;
    }

    /// The account may be another one than the one that was denied.
    async fn ask_for_the_whole(&mut self) {
        let question = Question::json("/api/v1/pods?limit=1", Step::List);
        match self.door.ask_json::<serde::de::IgnoredAny>(question).await {
            Ok(_) => {
                self.access = Access::Open;
                self.read(Vec::new()).await;
            }
            Err(fault) if fault.kind == FaultKind::Forbidden => self.access = Access::Denied,
            // Asked again with the next discovery.
            Err(_) => {}
        }
    }

    /// Reads other namespaces from now on, or the whole cluster.
    async fn read(&mut self, namespaces: Vec<String>) {
        self.namespaces = namespaces;
        self.stop(Kind::namespaced).await;
        self.tell_namespaces().await;
        for resource in kinds::built_in().iter().filter(|it| it.kind.namespaced()) {
            self.start(resource);
        }
    }

    async fn identified(&mut self, found: Found) {
        let cluster = self.assignment.cluster;
        match found {
            Found::First(uid) => {
                self.out.cluster(cluster, ClusterFact::Identity(uid.clone())).await;
                self.told.who = Who::of(uid);
            }
            Found::Replaced(uid) => {
                // Nothing of the old cluster may be told after this fact.
                self.tasks.shutdown().await;
                self.running.clear();
                self.discovery = Discovery::default();
                let (identity, found) = Identity::found(uid.clone());
                (self.identity, self.found) = (Arc::new(identity), found);
                self.turn = Arc::new(self.assignment.turns.of_one());
                if matches!(self.told.who, Who::Unknown | Who::Doubtful) {
                    // Nobody was named yet whom this one could differ from.
                    self.out.cluster(cluster, ClusterFact::Identity(None)).await;
                }
                self.out.cluster(cluster, ClusterFact::Identity(uid.clone())).await;
                self.told = Kept { who: Who::of(uid), ..Kept::default() };
                // What the old one denied says nothing about the new one.
                self.namespaces.clone_from(&self.assignment.namespaces);
                self.access = Access::Open;
                if !self.namespaces.is_empty() {
                    self.tell_namespaces().await;
                }
                self.start_all();
                self.discover().await;
            }
        }
    }

    async fn tell_namespaces(&mut self) {
        let names = self.namespaces.iter().map(|name| Clean::new(name)).collect();
        self.out.cluster(self.assignment.cluster, ClusterFact::Namespaces(names)).await;
        self.told.namespaces.clone_from(&self.namespaces);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::watch;
    use tokio::time::{Instant, timeout};

    use super::*;
    use crate::clients::kube::connect::{Connector, Target};
    use crate::clients::kube::proxies::Proxies;
    use crate::fleet::{ClusterId, Fact, FaultKind};
    use crate::sources::kube::Turns;
    use crate::sources::{Clock, Wanted};

    /// A server that refuses every connection, so that every source has something to tell.
    fn assignment() -> Assignment {
        let text = "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n\
                    contexts: [{name: c, context: {cluster: c, user: u}}]";
        let kubeconfig = Arc::new(kube::config::Kubeconfig::from_yaml(text).unwrap());
        Assignment {
            cluster: ClusterId(0),
            target: watch::Sender::new(Ok(Target { kubeconfig, context: "c".into() })).subscribe(),
            namespaces: Vec::new(),
            home_namespace: watch::Sender::new(None).subscribe(),
            wanted: Wanted { job_kinds: Arc::default(), version_labels: Arc::default() },
            connector: Connector::new(Proxies::default(), Duration::from_secs(5)),
            turns: Turns::default(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_panics_begins_again_and_that_stays_told_until_there_is_something_else_to_tell() {
        let (out, mut facts) = Out::new(Clock::start());
        let (mut assignment, nudge, details) = (assignment(), Nudge::default(), Details::default());
        let target = assignment.target.borrow().clone().unwrap();
        let door = assignment.connector.connect(&target).unwrap().door;
        let cx = Shared { out: &out, nudge: &nudge, details: &details };
        let mut supervisor = Supervisor::new(&mut assignment, &door, cx, Kept::default());
        let pods = kinds::built_in().into_iter().find(|it| it.kind == Kind::Pod).unwrap();
        let id = SourceId { cluster: ClusterId(0), kind: Kind::Pod, slot: Slot(0) };
        let (reflector, ping) = (supervisor.reflector(id, pods, None), supervisor.ping());
        let began = Instant::now();
        supervisor.keep(id, move |times| {
            let reflector = Reflector { failed_before: times > 0, ..reflector.clone() };
            async move {
                assert!(times > 0, "struck");
                reflector.run().await;
            }
        });
        supervisor.keep_ping(move |times| {
            let ping = ping.clone();
            async move {
                assert!(times > 0, "struck");
                ping.run().await;
            }
        });
        let (mut of_source, mut of_cluster) = (Vec::new(), Vec::new());
        while of_source.len() < 2 || of_cluster.len() < 2 {
            for fact in timeout(Duration::from_mins(1), facts.recv()).await.unwrap().unwrap() {
                match fact {
                    Fact::Source(
                        _,
                        _,
                        SourceFact::State(SourceState::Failed(fault) | SourceState::Retrying { fault, .. }),
                    ) => of_source.push(fault),
                    Fact::Source(_, _, other) => panic!("{other:?}"),
                    Fact::Cluster(_, _, ClusterFact::Unanswered(fault)) => of_cluster.push(fault),
                    Fact::Cluster(..) => {}
                }
            }
        }
        assert!((1..30).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        for faults in [of_source, of_cluster] {
            assert_eq!(
                faults.iter().map(|it| it.kind).collect::<Vec<_>>()[..2],
                [FaultKind::Panic, FaultKind::Refused]
            );
            assert!(faults[0].to_string().contains("struck"), "{}", faults[0]);
        }
        // Who is stopped does not begin again.
        supervisor.keep(id, |_| async { panic!("again") });
        tokio::task::yield_now().await;
        assert_eq!(supervisor.stop(|kind| kind == Kind::Pod).await, [id]);
        supervisor.end().await;
    }
}
