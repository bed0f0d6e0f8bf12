//! One cluster's life: a client, then its sources, until the configuration takes it away.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::discovery::Discovery;
use super::identity::{Found, Identity};
use super::kinds::{self, Resource};
use super::ping::Ping;
use super::plan::delay;
use super::reflector::Reflector;
use super::{Details, Nudge};
use crate::clients::kube::connect::{Connector, Target};
use crate::clients::kube::{Door, certificate};
use crate::fleet::{
    Clean, ClusterFact, ClusterId, Fault, FaultKind, Kind, Slot, SourceFact, SourceId, SourceState, Step,
    Unix,
};
use crate::sources::{Out, Wanted};

/// How often it is asked whether a CRD has come or gone.
const DISCOVERY: Duration = Duration::from_secs(30);
/// How often the certificate is looked at again.
const CERTIFICATE: Duration = Duration::from_hours(6);

/// What a cluster needs to be watched.
pub struct Assignment {
    pub cluster: ClusterId,
    pub target: Result<Target, Fault>,
    /// Only these namespaces, by configuration.
    pub namespaces: Vec<String>,
    /// The namespace of the context, to fall back on when the whole cluster may not be read.
    pub home_namespace: Option<String>,
    pub wanted: Wanted,
    /// Makes the doors of all clusters.
    pub connector: Connector,
}

/// Runs until it is aborted.
pub async fn run(assignment: Assignment, out: Out, nudge: Nudge, details: Details) {
    let target = match &assignment.target {
        Ok(target) => target.clone(),
        Err(fault) => {
            out.cluster(assignment.cluster, ClusterFact::Unusable(fault.clone())).await;
            return;
        }
    };
    let Some(door) = connect_at_last(&assignment, target, &out, &nudge).await else { return };
    let cluster = assignment.cluster;
    details.open(cluster, door.clone(), kinds::built_in());
    let certificates = async {
        loop {
            let (server_expires, client_expires) = expiries(&door).await;
            let fact = ClusterFact::Certificates { server_expires, client_expires };
            out.cluster(cluster, fact).await;
            sleep(if server_expires.is_some() { CERTIFICATE } else { DISCOVERY }).await;
        }
    };
    let cx = Shared { out: &out, nudge: &nudge, details: &details };
    let supervisor = Supervisor::new(&assignment, &door, cx);
    tokio::join!(certificates, supervisor.run());
}

/// The ends of the server's certificate, and of the user's as the kubeconfig gives it.
async fn expiries(door: &Door) -> (Option<Unix>, Option<Unix>) {
    let server = match door.way().config().await {
        Ok(config) => certificate::of_server(&config).await.ok().flatten(),
        Err(_) => None,
    };
    let material = Arc::clone(door.way().material());
    let client = tokio::task::spawn_blocking(move || certificate::of_client(&material)).await;
    (server, client.ok().flatten())
}

/// Tries until there is a credential. A configuration that cannot be used is told and waits for a nudge.
async fn connect_at_last(assignment: &Assignment, target: Target, out: &Out, nudge: &Nudge) -> Option<Door> {
    let mut nudges = nudge.listen();
    let cluster = assignment.cluster;
    let connected = loop {
        match assignment.connector.connect(&target) {
            Ok(connected) => break connected,
            Err(fault) => {
                out.cluster(cluster, ClusterFact::Unusable(fault)).await;
                nudges.changed().await.ok()?;
            }
        }
    };
    out.cluster(cluster, ClusterFact::Client(connected.connection)).await;
    for attempt in 1.. {
        match connected.door.way().ready().await {
            Ok(()) => return Some(connected.door),
            Err(fault) if fault.may_pass() => {
                out.cluster(cluster, ClusterFact::Unanswered(fault)).await;
                tokio::select! {
                    () = sleep(delay(attempt).mul_f64(0.5 + fastrand::f64() / 2.0)) => {}
                    Ok(()) = nudges.changed() => {}
                }
            }
            Err(fault) => {
                out.cluster(cluster, ClusterFact::Unusable(fault)).await;
                // Files that it names may come back: they are looked at again now and then.
                tokio::select! {
                    () = sleep(DISCOVERY) => {}
                    Ok(()) = nudges.changed() => {}
                }
            }
        }
    }
    None
}

/// What the cluster's tasks share with the rest of the program.
#[derive(Clone, Copy)]
struct Shared<'a> {
    out: &'a Out,
    nudge: &'a Nudge,
    details: &'a Details,
}

struct Supervisor<'a> {
    assignment: &'a Assignment,
    door: &'a Door,
    out: &'a Out,
    nudge: &'a Nudge,
    details: &'a Details,
    /// Loops that may not read the whole cluster.
    denials: (mpsc::Sender<SourceId>, mpsc::Receiver<SourceId>),
    identity: Arc<Identity>,
    found: mpsc::Receiver<Found>,
    /// Empty: the whole cluster.
    namespaces: Vec<String>,
    tasks: JoinSet<()>,
    running: BTreeMap<SourceId, AbortHandle>,
    discovery: Discovery,
}

impl<'a> Supervisor<'a> {
    fn new(assignment: &'a Assignment, door: &'a Door, shared: Shared<'a>) -> Self {
        let (identity, found) = Identity::new();
        Self {
            assignment,
            door,
            out: shared.out,
            nudge: shared.nudge,
            details: shared.details,
            denials: mpsc::channel(8),
            identity: Arc::new(identity),
            found,
            namespaces: assignment.namespaces.clone(),
            tasks: JoinSet::new(),
            running: BTreeMap::new(),
            discovery: Discovery::default(),
        }
    }

    async fn run(mut self) {
        if !self.namespaces.is_empty() {
            self.tell_namespaces().await;
        }
        self.start_all();
        let mut discovery = interval(DISCOVERY);
        discovery.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut nudges = self.nudge.listen();
        loop {
            tokio::select! {
                Some(found) = self.found.recv() => self.identified(found).await,
                Some(id) = self.denials.1.recv() => self.denied(id).await,
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended).await,
                _ = discovery.tick() => self.discover().await,
                Ok(()) = nudges.changed() => discovery.reset_immediately(),
            }
        }
    }

    fn start_all(&mut self) {
        let ping = Ping {
            door: self.door.clone(),
            cluster: self.assignment.cluster,
            out: self.out.clone(),
            identity: Arc::clone(&self.identity),
            nudge: self.nudge.clone(),
            nudges: self.nudge.listen(),
        };
        self.tasks.spawn(ping.run());
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
            let reflector = Reflector {
                door: self.door.clone(),
                resource: resource.clone(),
                namespace,
                id,
                out: self.out.clone(),
                identity: Arc::clone(&self.identity),
                nudges: self.nudge.listen(),
                denials: self.denials.0.clone(),
                version_labels: Arc::clone(&self.assignment.wanted.version_labels),
            };
            let task = self.tasks.spawn(reflector.run());
            self.running.insert(id, task);
        }
    }

    async fn discover(&mut self) {
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
        for id in self.stop(|kind| gone.contains(&kind)).await {
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
            match ending.iter().position(|it| *it == id) {
                Some(at) => drop(ending.swap_remove(at)),
                None => self.ended(ended).await,
            }
        }
        ids
    }

    /// The account may not read the whole cluster. If its context names a namespace, that is read instead.
    async fn denied(&mut self, id: SourceId) {
        let Some(home) = &self.assignment.home_namespace else { return };
        if id.kind != Kind::Pod || !self.namespaces.is_empty() {
            return;
        }
        self.namespaces = vec![home.clone()];
        self.stop(Kind::namespaced).await;
        self.tell_namespaces().await;
        for resource in kinds::built_in().iter().filter(|it| it.kind.namespaced()) {
            self.start(resource);
        }
        self.discover().await;
    }

    async fn identified(&mut self, found: Found) {
        let cluster = self.assignment.cluster;
        match found {
            Found::First(uid) => self.out.cluster(cluster, ClusterFact::Identity(uid)).await,
            Found::Replaced(uid) => {
                // Nothing of the old cluster may be told after this fact.
                self.tasks.shutdown().await;
                self.running.clear();
                self.discovery = Discovery::default();
                let (identity, found) = Identity::found(uid.clone());
                (self.identity, self.found) = (Arc::new(identity), found);
                self.out.cluster(cluster, ClusterFact::Identity(uid)).await;
                // What the old one denied says nothing about the new one.
                self.namespaces.clone_from(&self.assignment.namespaces);
                if !self.namespaces.is_empty() {
                    self.tell_namespaces().await;
                }
                self.start_all();
                self.discover().await;
            }
        }
    }

    /// A task ended by itself: only a panic does that. It is told, and the others go on.
    async fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let Err(error) = ended else { return };
        if error.is_cancelled() {
            return;
        }
        let task = error.id();
        let fault = Fault::new(Step::Watch, FaultKind::Panic, panic_words(error));
        let source = self.running.iter().find(|(_, running)| running.id() == task).map(|(source, _)| *source);
        match source {
            Some(source) => {
                let state = SourceState::Failed(fault);
                self.out.source(source, [SourceFact::State(state)]).await;
            }
            None => self.out.cluster(self.assignment.cluster, ClusterFact::Unanswered(fault)).await,
        }
    }

    async fn tell_namespaces(&self) {
        let names = self.namespaces.iter().map(|name| Clean::new(name)).collect();
        self.out.cluster(self.assignment.cluster, ClusterFact::Namespaces(names)).await;
    }
}

fn panic_words(error: JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else { return String::new() };
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}
