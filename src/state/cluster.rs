//! One cluster: what its sources have told, and how old that is.
//!
//! Facts of a cluster that turns out to be another one (a new UID at the old address) are never merged with
//! those of the old: everything known is dropped first.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::freshness::{Freshness, Source, is_silence};
use super::objects::Objects;
use super::table::{Stamp, Take};
use crate::fleet::cluster::Distribution;
use crate::fleet::fact::Connection;
use crate::fleet::{
    Age, Clean, Cloud, ClusterFact, ClusterId, Fault, Kind, Mono, Now, Slot, SourceFact, SourceId,
    SourceState, Unix,
};

/// The kinds that make up what a cluster is; it is live when all of them are. Services and their endpoints are
/// served everywhere too, but who may not read them loses only what stands behind routes.
pub const CORE_KINDS: [Kind; 11] = [
    Kind::Node,
    Kind::Namespace,
    Kind::Pod,
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::ReplicaSet,
    Kind::HorizontalPodAutoscaler,
    Kind::PodDisruptionBudget,
    Kind::Job,
    Kind::CronJob,
    Kind::Event,
];

/// What the configuration says about a cluster; the rest is found out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterSpec {
    pub name: Clean,
    pub cloud: Option<Clean>,
    pub region: Option<Clean>,
    pub environment: Option<Clean>,
    /// Its place in the palette of cluster tints; by order when not given.
    pub tint: Option<u8>,
    pub read_only: bool,
}

#[derive(Debug)]
pub struct Cluster {
    pub id: ClusterId,
    pub spec: ClusterSpec,
    pub connection: Option<Connection>,
    pub api: Api,
    pub identity: Identity,
    /// Another entry that leads to the same cluster, and is counted instead of this one.
    pub same_as: Option<ClusterId>,
    /// When a different cluster was found at this address, and the UID of the one before.
    pub replaced: Option<(Unix, Clean)>,
    /// How often everything that was known was forgotten, since it might be of another cluster.
    pub(super) lives: u32,
    pub certificates: Certificates,
    pub cost: Cost,
    /// What it costs now; `None` until it was told for a while.
    pub load: Option<Load>,
    /// From when the next load is reckoned.
    load_since: Option<Cost>,
    /// The kinds with a CRD that it serves; `None` until discovery has answered.
    pub served: Option<Vec<Kind>>,
    /// Empty: the whole cluster is read. Else only these namespaces.
    pub namespaces_read: Vec<Clean>,
    pub sources: BTreeMap<(Kind, Slot), Source>,
    pub objects: Objects,
}

/// The API server as a whole.
#[derive(Debug, Default)]
pub struct Api {
    pub answered: Option<Mono>,
    pub round_trip_ms: Option<u32>,
    pub git_version: Option<Clean>,
    /// The last question was not answered, since when.
    pub fault: Option<(Mono, Fault)>,
    /// No client can be made; nothing will be tried until the configuration changes.
    pub unusable: Option<Fault>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Identity {
    #[default]
    Unknown,
    /// UID of the namespace `kube-system`.
    Uid(Clean),
    /// The account may not read it.
    Withheld,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Certificates {
    pub server_expires: Option<Unix>,
    pub client_expires: Option<Unix>,
}

/// What reading has cost the server so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    pub requests: u64,
    pub received_bytes: u64,
    pub at: Mono,
}

/// What reading costs the server by the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    pub requests: f64,
    pub received_bytes: f64,
}

/// Of a shorter time no rate is told: a list more or less would make it another.
const SHORTEST_LOAD_MS: u64 = 5_000;

impl Load {
    /// Nothing while too little time has passed.
    fn between(before: Cost, now: Cost) -> Option<Self> {
        let passed = now.at.0.checked_sub(before.at.0).filter(|it| *it >= SHORTEST_LOAD_MS)?;
        let seconds = passed as f64 / 1000.0;
        let rate = |before: u64, now: u64| now.saturating_sub(before) as f64 / seconds;
        Some(Self {
            requests: rate(before.requests, now.requests),
            received_bytes: rate(before.received_bytes, now.received_bytes),
        })
    }
}

impl Cluster {
    pub fn new(id: ClusterId, spec: ClusterSpec) -> Self {
        Self {
            id,
            spec,
            connection: None,
            api: Api::default(),
            identity: Identity::default(),
            same_as: None,
            replaced: None,
            lives: 0,
            certificates: Certificates::default(),
            cost: Cost::default(),
            load: None,
            load_since: None,
            served: None,
            namespaces_read: Vec::new(),
            sources: BTreeMap::new(),
            objects: Objects::default(),
        }
    }

    /// The configured cloud, else the one that most nodes name.
    pub fn cloud(&self) -> Option<Cloud> {
        let configured = self.spec.cloud.as_ref().map(|name| Cloud::named(name));
        configured.or_else(|| self.objects.usage.census.cloud().cloned())
    }

    /// Its number in the palette of cluster tints.
    pub fn tint(&self) -> u8 {
        self.spec.tint.unwrap_or((self.id.0 % 256) as u8)
    }

    pub fn region(&self) -> Option<Clean> {
        self.spec.region.clone().or_else(|| self.objects.usage.census.region().cloned())
    }

    pub fn distribution(&self) -> Option<Distribution> {
        let by_version = Distribution::of_version(self.api.git_version.as_ref()?);
        if by_version != Distribution::Plain {
            return Some(by_version);
        }
        self.objects.usage.census.distribution().or(Some(by_version))
    }

    /// When the API server answered last, or was first asked in vain, if it does not answer.
    pub fn silent_since(&self) -> Option<Mono> {
        let (since, _) = self.api.fault.as_ref()?;
        Some(self.api.answered.unwrap_or(*since))
    }

    /// Whether it has not answered for so long that nothing of it is as of now, whatever its watches said last.
    pub fn is_silent(&self, now: Now, stale_after: Age) -> bool {
        self.silent_for(now).is_some_and(|age| is_silence(age, stale_after))
    }

    /// How long the API server has not answered, if it does not.
    pub fn silent_for(&self, now: Now) -> Option<Age> {
        self.silent_since().map(|since| now.since(since))
    }

    /// What the numbers of a kind are worth: its worst source.
    pub fn freshness(&self, kind: Kind, now: Now, stale_after: Age) -> Freshness {
        if let Some(fault) = &self.api.unusable {
            return Freshness::Never(fault.clone());
        }
        let silent = self.silent_since();
        let sources = self.sources.range((kind, Slot(0))..=(kind, Slot(u8::MAX)));
        let worst =
            sources.map(|(_, source)| source.freshness(now, stale_after, silent)).reduce(Freshness::worse);
        let optional = !kind.is_built_in();
        worst.unwrap_or_else(|| match (&self.api.fault, &self.served) {
            (_, Some(served)) if optional && !served.contains(&kind) => Freshness::Absent,
            (Some((_, fault)), _) => Freshness::Never(fault.clone()),
            (None, _) => Freshness::Loading,
        })
    }

    /// The same for several kinds at once; a kind that this cluster does not serve says nothing.
    pub fn freshness_of(&self, kinds: &[Kind], now: Now, stale_after: Age) -> Freshness {
        kinds
            .iter()
            .map(|kind| self.freshness(*kind, now, stale_after))
            .reduce(Freshness::worse)
            .unwrap_or(Freshness::Absent)
    }

    pub(super) fn apply(&mut self, at: Mono, unix: Unix, fact: ClusterFact) {
        match fact {
            ClusterFact::Client(connection) => {
                self.connection = Some(connection);
                self.api.unusable = None;
            }
            ClusterFact::Unusable(fault) => self.api.unusable = Some(fault),
            ClusterFact::Answered { round_trip_ms, git_version } => {
                self.api.answered = Some(at);
                self.api.round_trip_ms = Some(round_trip_ms);
                self.api.git_version = Some(git_version);
                (self.api.fault, self.api.unusable) = (None, None);
            }
            ClusterFact::Unanswered(fault) => {
                let since = self.api.fault.as_ref().map_or(at, |(since, _)| *since);
                self.api.fault = Some((since, fault));
                self.api.unusable = None;
            }
            ClusterFact::Identity(uid) => self.identify(uid, unix),
            ClusterFact::Served(kinds) => self.serves(at, kinds),
            ClusterFact::Certificates { server_expires, client_expires } => {
                self.certificates = Certificates { server_expires, client_expires };
            }
            ClusterFact::Cost { requests, received_bytes } => {
                self.cost = Cost { requests, received_bytes, at };
                let before = *self.load_since.get_or_insert(self.cost);
                if let Some(load) = Load::between(before, self.cost) {
                    (self.load, self.load_since) = (Some(load), Some(self.cost));
                }
            }
            ClusterFact::Namespaces(namespaces) => self.read_only_these(namespaces),
        }
    }

    /// Whether anything is another now than its age, which is looked at each second. Watches are renewed several times a
    /// second, and most of what changes in a server changes nothing here: nothing that grows with the fleet is made anew
    /// for that.
    pub(super) fn apply_source(&mut self, id: SourceId, at: Mono, unix: Unix, fact: SourceFact) -> bool {
        let changes = self.objects.changes(id.kind);
        let source = self.sources.entry((id.kind, id.slot)).or_insert_with(|| Source::new(at));
        let is_news = source.is_changed_by(&fact);
        source.apply(at, &fact);
        let stamp = Stamp { kind: id.kind, slot: id.slot, generation: source.generation };
        match fact {
            SourceFact::Item(object) => self.objects.upsert(object, stamp, unix),
            SourceFact::Gone(key) => self.objects.remove(id.kind, &key),
            SourceFact::Complete => self.objects.take(Take::Older(stamp)),
            SourceFact::State(SourceState::Denied(_) | SourceState::Absent) => {
                self.objects.take(Take::All(stamp));
            }
            SourceFact::Begin | SourceFact::Heard | SourceFact::Undecodable { .. } | SourceFact::State(_) => {
            }
        }
        is_news || self.objects.changes(id.kind) != changes
    }

    pub(super) fn forget_hearing(&mut self) {
        self.api.answered = None;
        for source in self.sources.values_mut() {
            source.heard = None;
        }
    }

    fn identify(&mut self, uid: Option<Clean>, unix: Unix) {
        let identity = uid.map_or(Identity::Withheld, Identity::Uid);
        if self.identity != Identity::Unknown && self.identity != identity {
            let replaced = match (&self.identity, &identity) {
                (Identity::Uid(old), Identity::Uid(_)) => Some((unix, old.clone())),
                // It cannot be told whether it is another one; so it is not said, and nothing is kept.
                _ => self.replaced.clone(),
            };
            let fresh = Self::new(self.id, self.spec.clone());
            let before = std::mem::replace(self, fresh);
            self.connection = before.connection;
            self.replaced = replaced;
            self.lives = before.lives + 1;
        }
        self.identity = identity;
    }

    fn serves(&mut self, at: Mono, kinds: Vec<Kind>) {
        // Served again after it was gone: its source will tell more.
        for ((kind, _), source) in &mut self.sources {
            if kinds.contains(kind) && source.state == SourceState::Absent {
                *source = Source::new(at);
            }
        }
        self.served = Some(kinds);
    }

    fn read_only_these(&mut self, namespaces: Vec<Clean>) {
        // The sources of the whole cluster end; those of the namespaces tell anew.
        let ended: Vec<_> = self.sources.keys().filter(|(kind, _)| kind.namespaced()).copied().collect();
        for (kind, slot) in ended {
            self.objects.take(Take::All(Stamp { kind, slot, generation: 0 }));
            self.sources.remove(&(kind, slot));
        }
        self.namespaces_read = namespaces;
    }
}
