//! Random streams of facts over several clusters: objects of every kind come, change, go and are listed anew; lists break
//! off; accounts lose rights, kinds their CRDs, addresses their clusters; some namespaces are read instead of all.
//!
//! What is left is held against a plain model of what was told; and every sum and index that is kept against those of a
//! state that was told nothing but the end.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use skydeck::fleet::{
    Clean, ClusterFact, ClusterId, Kind, Object, ObjectId, ObjectKey, Slot, SourceFact, SourceId,
    SourceState, Subject, Unix,
};
use skydeck::state::select::totals::totals;
use skydeck::state::select::{clusters, jobs, pods, replicas, routes};
use skydeck::state::usage::Usage;
use skydeck::state::{Cluster, Identity, State};

use crate::world::{NOW, World, ago, crashing, deployment, destination, job, node, pod, training_job};

const CLUSTERS: u16 = 3;
/// Every built-in kind, and jobs that make jobs.
const KINDS: usize = 33;
const NAMES: u8 = 4;
const NAMESPACES: [&str; 2] = ["ml", "web"];

fn kind_at(at: usize) -> Kind {
    Kind::ALL.get(at).copied().unwrap_or_else(|| Kind::CustomJob((at - Kind::ALL.len()) as u8))
}

/// Neighbours share their names, so that they belong together: `n0` and `n2` are in `ml`, the others in `web`.
fn named(name: u8) -> String {
    format!("{}/n{name}", NAMESPACES[usize::from(name % 2)])
}

/// One object of a kind; its variants differ in what sums and joins are made of.
fn object(kind: Kind, name: u8, variant: u8) -> Value {
    let full = named(name);
    let short = format!("n{name}");
    let mut value = match kind {
        Kind::Node => node(
            &short,
            ["aws", "gce", "azure"][usize::from(variant % 3)],
            "r",
            u32::from(variant),
            variant.is_multiple_of(2),
        ),
        Kind::Namespace => of("v1", "Namespace", &short),
        Kind::Pod => return pod_of(name, variant),
        Kind::Deployment => deployment(&full, variant.into(), 2, "1", 1),
        Kind::StatefulSet | Kind::ReplicaSet => {
            let mut value = of("apps/v1", kind.name(), &full);
            value["spec"] = json!({"replicas": 2, "template": {"spec": {"containers": []}}});
            value["status"] = json!({"replicas": 2, "readyReplicas": variant});
            // A ReplicaSet of its own, or a revision of the Deployment.
            if variant.is_multiple_of(2) && kind == Kind::ReplicaSet {
                value["metadata"]["ownerReferences"] = owner("Deployment", &short);
            }
            value
        }
        Kind::HorizontalPodAutoscaler => crate::world::hpa(&full, variant.into(), 9),
        Kind::PodDisruptionBudget => of("policy/v1", "PodDisruptionBudget", &full),
        Kind::Job => {
            let status = if variant == 3 { crate::world::failed() } else { json!({"active": variant}) };
            let mut value = job(&full, &status);
            match variant {
                0 => value["metadata"]["ownerReferences"] = owner("JobSet", &short),
                1 => value["metadata"]["ownerReferences"] = owner("CronJob", &short),
                _ => {}
            }
            value
        }
        Kind::CronJob => of("batch/v1", "CronJob", &full),
        Kind::Event => crate::world::warning("Pod", &full, "BackOff", &format!("number {variant}")),
        Kind::EndpointSlice => {
            let mut value = crate::world::service(&full, &short, usize::from(variant), 3).remove(1);
            value["metadata"]["name"] = short.clone().into();
            // A slice may change its service, and its family.
            if variant == 2 {
                value["metadata"]["labels"] = json!({"kubernetes.io/service-name": "n0"});
                value["addressType"] = "IPv6".into();
            }
            value
        }
        Kind::Service => crate::world::service(&full, &short, 1, 1).remove(0),
        _ => return custom(kind, name, variant),
    };
    if variant == 3 {
        value["metadata"]["labels"] =
            json!({"kustomize.toolkit.fluxcd.io/name": "n0", "kustomize.toolkit.fluxcd.io/namespace": "ml"});
    }
    value
}

fn custom(kind: Kind, name: u8, variant: u8) -> Value {
    let (full, short) = (named(name), format!("n{name}"));
    let spec = |version: &str, spec: Value| {
        let mut value = of(version, kind.name(), if kind == Kind::ClusterQueue { &short } else { &full });
        value["spec"] = spec;
        value
    };
    let steered = json!({"istio": {"virtualService": {"name": short}}});
    match kind {
        Kind::Rollout => {
            let routing = if variant.is_multiple_of(2) { steered } else { json!({}) };
            let mut value = spec(
                "argoproj.io/v1alpha1",
                json!({"replicas": 2, "template": {"spec": {"containers": []}},
                "strategy": {"canary": {"trafficRouting": routing}}}),
            );
            value["status"] =
                json!({"phase": "Healthy", "readyReplicas": variant, "observedGeneration": "3"});
            value
        }
        Kind::LeaderWorkerSet => spec(
            "leaderworkerset.x-k8s.io/v1",
            json!({"replicas": variant,
            "leaderWorkerTemplate": {"size": 2, "workerTemplate": {"spec": {"containers": []}}}}),
        ),
        Kind::ScaledObject => {
            spec("keda.sh/v1alpha1", json!({"scaleTargetRef": {"name": short}, "maxReplicaCount": variant}))
        }
        Kind::QueuedWorkload => {
            let mut value = spec("kueue.x-k8s.io/v1beta1", json!({"queueName": format!("q{variant}")}));
            value["metadata"]["ownerReferences"] = owner("Job", &short);
            value
        }
        Kind::ClusterQueue => spec("kueue.x-k8s.io/v1beta1", json!({"cohort": format!("c{variant}")})),
        Kind::LocalQueue => spec("kueue.x-k8s.io/v1beta1", json!({"clusterQueue": format!("n{variant}")})),
        Kind::CustomJob(0) => training_job(
            &full,
            ["Pending", "Running", "Failed", "Succeeded"][usize::from(variant)],
            f64::from(variant) / 10.0,
        ),
        Kind::CustomJob(1) => {
            let mut value = of("jobset.x-k8s.io/v1alpha2", "JobSet", &full);
            value["status"] = json!({"restarts": variant});
            if variant.is_multiple_of(2) {
                value["metadata"]["ownerReferences"] = owner("TrainJob", &short);
            }
            value
        }
        Kind::CustomJob(2) => {
            let mut value = of("trainer.kubeflow.org/v1alpha1", "TrainJob", &full);
            value["spec"] = json!({"suspend": variant == 0});
            value
        }
        _ => of_traffic(kind, name, variant),
    }
}

/// Routes, and what changes their meaning or takes back what is changed in them.
fn of_traffic(kind: Kind, name: u8, variant: u8) -> Value {
    let (full, short) = (named(name), format!("n{name}"));
    let spec = |version: &str, spec: Value| {
        let mut value = of(version, kind.name(), &full);
        value["spec"] = spec;
        value
    };
    let split = json!([{"route": [destination(&short, 100 - u32::from(variant)), destination("n0", u32::from(variant))]}]);
    let refs = json!([{"backendRefs": [{"name": short, "port": 80, "weight": variant}, {"name": "n0", "port": 80}]}]);
    match kind {
        Kind::VirtualService => {
            spec("networking.istio.io/v1", json!({"hosts": ["h.example.com"], "http": split}))
        }
        Kind::DestinationRule => spec(
            "networking.istio.io/v1",
            json!({"host": short,
            "subsets": [{"name": "v", "labels": {"version": variant.to_string()}}]}),
        ),
        Kind::ServiceEntry => spec(
            "networking.istio.io/v1",
            json!({"hosts": [format!("n{variant}.{}.svc.cluster.local", NAMESPACES[0])],
            "endpoints": [{"address": "192.0.2.1"}]}),
        ),
        Kind::HttpRoute => spec(
            "gateway.networking.k8s.io/v1",
            json!({"parentRefs": [{"name": "p"}], "hostnames": ["h.example.com"], "rules": refs}),
        ),
        Kind::GrpcRoute => {
            spec("gateway.networking.k8s.io/v1", json!({"parentRefs": [{"name": "p"}], "rules": refs}))
        }
        Kind::DnsEndpoint => spec(
            "externaldns.k8s.io/v1alpha1",
            json!({"endpoints": [{"dnsName": "h.example.com", "recordType": "A",
            "targets": [format!("192.0.2.{variant}")], "setIdentifier": short, "providerSpecific": [{"name": "aws/weight", "value": variant.to_string()}]}]}),
        ),
        Kind::InferenceService => {
            spec("serving.kserve.io/v1beta1", json!({"predictor": {"minReplicas": variant}}))
        }
        Kind::Canary => spec(
            "flagger.app/v1beta1",
            json!({"targetRef": {"kind": "Deployment", "name": short},
            "service": {"port": 80}, "suspend": variant == 0}),
        ),
        Kind::Application => spec(
            "argoproj.io/v1alpha1",
            json!({"syncPolicy": {"automated": {"selfHeal": variant.is_multiple_of(2)}}}),
        ),
        Kind::Kustomization => spec(
            "kustomize.toolkit.fluxcd.io/v1",
            json!({"suspend": variant == 0, "interval": format!("{variant}m")}),
        ),
        Kind::HelmRelease => spec("helm.toolkit.fluxcd.io/v2", json!({"suspend": variant == 0})),
        other => panic!("{other} has no example"),
    }
}

fn of(version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": version, "kind": kind, "metadata": crate::world::meta(name)})
}

fn owner(kind: &str, name: &str) -> Value {
    json!([{"apiVersion": "x/v1", "kind": kind, "name": name, "uid": "u", "controller": true}])
}

/// Of a Deployment, of a Job, of a JobSet or of nobody; running, crashing, waiting or ended.
fn pod_of(name: u8, variant: u8) -> Value {
    let mut value = pod(&named(name), "x", &format!("n{variant}"), variant.into());
    value["metadata"]["name"] = format!("n{name}").into();
    let owners = ["ReplicaSet", "Job", "JobSet", "Job"];
    if variant != 0 {
        value["metadata"]["ownerReferences"] = owner(owners[usize::from(variant)], &format!("n{name}"));
    }
    match variant {
        1 => crashing(value),
        2 => {
            value["spec"]["nodeName"] = "".into();
            value["status"] = json!({"phase": "Pending"});
            value
        }
        3 => {
            value["status"] = json!({"phase": "Succeeded"});
            value
        }
        _ => value,
    }
}

#[derive(Debug, Clone, Copy)]
struct Place {
    cluster: u16,
    kind: usize,
}

#[derive(Debug, Clone)]
enum Happens {
    Item(Place, u8, u8),
    Gone(Place, u8),
    /// A list of these; whether it comes to its end.
    List(Place, Vec<(u8, u8)>, bool),
    Denied(Place),
    Absent(Place),
    /// Which of the kinds with a CRD are not served.
    Served(u16, usize),
    /// Whose address it is; `None`: the account may not ask.
    Identity(u16, Option<u8>),
    /// Which namespaces are read; none: the whole cluster.
    Namespaces(u16, u8),
    Hidden(u16),
    /// Somebody looks.
    Asked,
}

fn any_stream() -> impl Strategy<Value = Vec<Happens>> {
    let place = || (0..CLUSTERS, 0..KINDS).prop_map(|(cluster, kind)| Place { cluster, kind });
    let one = prop_oneof![
        12 => (place(), 0..NAMES, 0u8..4).prop_map(|(a, b, c)| Happens::Item(a, b, c)),
        4 => (place(), 0..NAMES).prop_map(|(a, b)| Happens::Gone(a, b)),
        6 => (place(), proptest::collection::vec((0..NAMES, 0u8..4), 0..5), any::<bool>()).prop_map(|(a, b, c)| Happens::List(a, b, c)),
        1 => place().prop_map(Happens::Denied),
        1 => place().prop_map(Happens::Absent),
        1 => (0..CLUSTERS, 0..KINDS).prop_map(|(a, b)| Happens::Served(a, b)),
        1 => (0..CLUSTERS, proptest::option::of(0u8..2)).prop_map(|(a, b)| Happens::Identity(a, b)),
        1 => (0..CLUSTERS, 0u8..4).prop_map(|(a, b)| Happens::Namespaces(a, b)),
        1 => (0..CLUSTERS).prop_map(Happens::Hidden),
        4 => Just(Happens::Asked),
    ];
    proptest::collection::vec(one, 0..120)
}

/// What one source has told, plainly.
#[derive(Debug, Default, Clone)]
struct Told {
    /// With whether the list that runs, or ran last, mentioned it.
    objects: BTreeMap<ObjectKey, (Object, bool)>,
    whole: bool,
    listing: bool,
    state: Option<SourceState>,
}

/// What a cluster has told.
#[derive(Debug, Default, Clone)]
struct Model {
    sources: BTreeMap<(Kind, Slot), Told>,
    identity: Identity,
    served: Option<Vec<Kind>>,
    namespaces: Vec<&'static str>,
}

/// A world and the models of its clusters, told the same.
struct Both {
    world: World,
    models: Vec<Model>,
}

impl Both {
    fn new() -> Both {
        let mut world = World::new();
        for name in ["a", "b", "c"] {
            let id = world.configured(name);
            answers_at(&mut world, id);
        }
        Both { world, models: vec![Model::default(); usize::from(CLUSTERS)] }
    }

    fn model(&mut self, cluster: u16) -> &mut Model {
        &mut self.models[usize::from(cluster)]
    }

    /// The source that tells of an object, or nobody.
    fn slot(&self, cluster: u16, kind: Kind, name: u8) -> Option<Slot> {
        let namespaces = &self.models[usize::from(cluster)].namespaces;
        if namespaces.is_empty() || !kind.namespaced() {
            return Some(Slot(0));
        }
        let own = NAMESPACES[usize::from(name % 2)];
        namespaces.iter().position(|it| *it == own).map(|at| Slot(at as u8 + 1))
    }

    fn tell(&mut self, cluster: u16, kind: Kind, slot: Slot, fact: SourceFact) {
        self.world.source(SourceId { cluster: ClusterId(cluster), kind, slot }, ago(0), fact.clone());
        self.model(cluster).sources.entry((kind, slot)).or_default().take(fact);
    }

    fn item(&mut self, place: Place, name: u8, variant: u8) {
        let kind = kind_at(place.kind);
        let Some(slot) = self.slot(place.cluster, kind, name) else { return };
        // What may not be read, or is not served, is not watched.
        if self.model(place.cluster).sources.get(&(kind, slot)).is_some_and(Told::is_closed) {
            return;
        }
        let read = self.world.read(&object(kind, name, variant)).unwrap();
        self.tell(place.cluster, kind, slot, SourceFact::Item(read));
    }

    fn happen(&mut self, happens: &Happens) {
        match happens {
            Happens::Item(place, name, variant) => self.item(*place, *name, *variant),
            Happens::Gone(place, name) => {
                let kind = kind_at(place.kind);
                let Some(slot) = self.slot(place.cluster, kind, *name) else { return };
                let key = self.world.read(&object(kind, *name, 1)).unwrap().key();
                self.tell(place.cluster, kind, slot, SourceFact::Gone(key));
            }
            Happens::List(place, items, is_whole) => self.list(*place, items, *is_whole),
            Happens::Denied(place) => self.state(*place, &SourceState::Denied("no".into())),
            Happens::Absent(place) if !kind_at(place.kind).is_built_in() => {
                self.state(*place, &SourceState::Absent);
            }
            Happens::Absent(_) | Happens::Asked => {}
            Happens::Served(cluster, without) => {
                let kinds = (0..KINDS).filter(|at| at != without).map(kind_at).filter(|it| !it.is_built_in());
                let kinds: Vec<_> = kinds.collect();
                self.world.fact(ClusterId(*cluster), ago(0), ClusterFact::Served(kinds.clone()));
                let model = self.model(*cluster);
                for ((kind, _), told) in &mut model.sources {
                    if kinds.contains(kind) && told.state == Some(SourceState::Absent) {
                        *told = Told::default();
                    }
                }
                model.served = Some(kinds);
            }
            Happens::Identity(cluster, uid) => {
                let uid = uid.map(|uid| Clean::from(format!("uid-{uid}")));
                self.world.fact(ClusterId(*cluster), ago(0), ClusterFact::Identity(uid.clone()));
                let model = self.model(*cluster);
                let told = uid.clone().map_or(Identity::Withheld, Identity::Uid);
                if model.identity != Identity::Unknown && model.identity != told {
                    *model = Model::default();
                    answers_at(&mut self.world, ClusterId(*cluster));
                }
                self.model(*cluster).identity = told;
            }
            Happens::Namespaces(cluster, which) => {
                let read: Vec<_> =
                    (0..2).filter(|at| which >> at & 1 == 1).map(|at| NAMESPACES[at]).collect();
                let told = read.iter().map(|it| Clean::from(*it)).collect();
                self.world.fact(ClusterId(*cluster), ago(0), ClusterFact::Namespaces(told));
                let model = self.model(*cluster);
                model.sources.retain(|(kind, _), _| !kind.namespaced());
                model.namespaces = read;
            }
            Happens::Hidden(cluster) => {
                let name = Clean::from(["a", "b", "c"][usize::from(*cluster)]);
                let hidden = &mut self.world.state.scope.hidden_clusters;
                if !hidden.remove(&name) {
                    hidden.insert(name);
                }
            }
        }
    }

    /// Of each slot that the kind is read in.
    fn slots(&self, place: Place) -> BTreeSet<Slot> {
        (0..2).filter_map(|name| self.slot(place.cluster, kind_at(place.kind), name)).collect()
    }

    fn list(&mut self, place: Place, items: &[(u8, u8)], is_whole: bool) {
        let kind = kind_at(place.kind);
        for slot in self.slots(place) {
            self.tell(place.cluster, kind, slot, SourceFact::Begin);
        }
        for (name, variant) in items {
            self.item(place, *name, *variant);
        }
        for slot in self.slots(place).into_iter().filter(|_| is_whole) {
            self.tell(place.cluster, kind, slot, SourceFact::Complete);
            self.tell(place.cluster, kind, slot, SourceFact::State(SourceState::Watching));
        }
    }

    fn state(&mut self, place: Place, state: &SourceState) {
        for slot in self.slots(place) {
            self.tell(place.cluster, kind_at(place.kind), slot, SourceFact::State(state.clone()));
        }
    }

    /// A world that is told only how it ended.
    fn end(&self) -> World {
        let mut world = Both::new().world;
        world.state.scope = self.world.state.scope.clone();
        for (number, model) in (0..).zip(&self.models) {
            let id = ClusterId(number);
            match &model.identity {
                Identity::Unknown => {}
                Identity::Withheld => world.fact(id, ago(0), ClusterFact::Identity(None)),
                Identity::Uid(uid) => world.fact(id, ago(0), ClusterFact::Identity(Some(uid.clone()))),
            }
            if let Some(kinds) = &model.served {
                world.fact(id, ago(0), ClusterFact::Served(kinds.clone()));
            }
            let namespaces = model.namespaces.iter().map(|it| Clean::from(*it)).collect();
            world.fact(id, ago(0), ClusterFact::Namespaces(namespaces));
            for ((kind, slot), told) in &model.sources {
                let mut tell =
                    |fact| world.source(SourceId { cluster: id, kind: *kind, slot: *slot }, ago(0), fact);
                for fact in told.facts() {
                    tell(fact);
                }
            }
        }
        world
    }
}

fn answers_at(world: &mut World, id: ClusterId) {
    let version = "v1.33.5".into();
    world.fact(id, ago(0), ClusterFact::Answered { round_trip_ms: 21, git_version: version });
}

impl Told {
    fn take(&mut self, fact: SourceFact) {
        match fact {
            SourceFact::Begin => {
                self.listing = true;
                self.objects.values_mut().for_each(|(_, mentioned)| *mentioned = false);
                if self.is_closed() {
                    self.state = Some(SourceState::Listing);
                }
            }
            SourceFact::Item(object) => drop(self.objects.insert(object.key(), (object, true))),
            SourceFact::Gone(key) => drop(self.objects.remove(&key)),
            SourceFact::Complete => {
                (self.whole, self.listing) = (true, false);
                self.objects.retain(|_, (_, mentioned)| *mentioned);
            }
            SourceFact::State(state) => {
                if matches!(state, SourceState::Denied(_) | SourceState::Absent) {
                    self.objects.clear();
                    self.whole = false;
                }
                (self.state, self.listing) = (Some(state), false);
            }
            _ => {}
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self.state, Some(SourceState::Denied(_) | SourceState::Absent))
    }

    /// The shortest way to the same end.
    fn facts(&self) -> Vec<SourceFact> {
        let mut facts = Vec::new();
        let items = |facts: &mut Vec<SourceFact>| {
            facts.extend(self.objects.values().map(|(object, _)| SourceFact::Item(object.clone())));
        };
        if self.whole {
            facts.push(SourceFact::Begin);
            items(&mut facts);
            facts.push(SourceFact::Complete);
        }
        // One that was only heard of is there, too.
        facts.push(SourceFact::State(self.state.clone().unwrap_or(SourceState::Listing)));
        if !self.whole {
            items(&mut facts);
        }
        if self.listing {
            facts.push(SourceFact::Begin);
        }
        facts
    }
}

/// Every object that a cluster has, by its table, in words.
fn tables(cluster: &Cluster) -> BTreeSet<String> {
    let of = &cluster.objects;
    let mut all = BTreeSet::new();
    macro_rules! add {
        ($($table:ident: $of:path),*) => {
            $(all.extend(of.$table.values().map(|it| format!("{:?}", $of(it.clone().into())))));*
        };
    }
    add!(nodes: Object::Node, namespaces: Object::Namespace, pods: Object::Pod, workloads: Object::Workload,
        revisions: Object::Revision, autoscalers: Object::Autoscaler, budgets: Object::Budget, jobs: Object::Job,
        cron_jobs: Object::CronJob, events: Object::Event, admissions: Object::Admission, routes: Object::Route,
        services: Object::Service, endpoints: Object::Endpoints, host_policies: Object::HostPolicy,
        service_entries: Object::ServiceEntry, inference_services: Object::InferenceService,
        reconcilers: Object::Reconciler, cluster_queues: Object::ClusterQueue, local_queues: Object::LocalQueue);
    all
}

/// Everything that is kept beside the tables, asked for as panels ask.
fn indexes(state: &State, cluster: &Cluster) -> Vec<String> {
    let objects = &cluster.objects;
    let mut told = Vec::new();
    let mut all: Vec<_> = objects.jobs.values().collect();
    all.sort_by_key(|job| job.id());
    for job in &all {
        let maker = objects.jobs.maker(job).map(|it| it.id());
        let name = objects.jobs.kind_name(job.kind);
        told.push(format!(
            "{:?} {maker:?} {:?} {name:?} {:?}",
            job.id(),
            objects.jobs.top(job).id(),
            objects.jobs.moved(&job.id())
        ));
    }
    let mut owned: Vec<_> = objects.jobs.owned().map(|it| it.id()).collect();
    owned.sort();
    told.push(format!("{owned:?}"));
    // In no order: whoever shows them sorts them.
    let of = |subject: &Subject| pods::of(state, cluster, subject).iter().cloned().collect::<BTreeSet<_>>();
    for name in 0..NAMES {
        let key = ObjectKey::new(NAMESPACES[usize::from(name % 2)], &format!("n{name}"));
        for kind in [Kind::VirtualService, Kind::HttpRoute, Kind::GrpcRoute] {
            let id = ObjectId { kind, key: key.clone() };
            told.push(format!("{id:?} {:?}", objects.steers(&id).map(skydeck::fleet::Workload::id)));
        }
        for kind in [
            Kind::Deployment,
            Kind::StatefulSet,
            Kind::Rollout,
            Kind::Job,
            Kind::CustomJob(1),
            Kind::CustomJob(2),
        ] {
            let id = ObjectId { kind, key: key.clone() };
            let subject = if kind.is_workload() { Subject::Workload(id) } else { Subject::Job(id) };
            told.push(format!("{subject:?} {:?}", of(&subject)));
        }
        told.push(format!("{:?} {:?}", key, of(&Subject::Node(key.name.clone()))));
    }
    told
}

/// What panels ask for, in words.
fn answers(state: &State) -> Vec<String> {
    let sorted = |rows: &[std::sync::Arc<jobs::JobRow>]| {
        let mut rows: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
        rows.sort();
        rows
    };
    let mut told = vec![
        format!("{:?}", replicas::groups(state)),
        format!("{:?}", routes::groups(state)),
        format!("{:?}", routes::rows::rows(state)),
        format!("{:?}", jobs::counts(state)),
        format!("{:?}", totals(state)),
    ];
    told.extend(sorted(&jobs::rows(state)));
    told.extend(sorted(&jobs::worrying(state)));
    let liveness = state.clusters().map(|it| format!("{:?} {:?}", it.same_as, clusters::liveness(state, it)));
    told.extend(liveness);
    told
}

#[test]
fn every_kind_has_examples_that_are_read() {
    let world = World::new();
    for at in 0..KINDS {
        let kind = kind_at(at);
        for variant in 0..4 {
            let read = world.read(&object(kind, 1, variant));
            assert!(read.is_some(), "{kind} {variant}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn tables_and_sums_are_what_the_end_alone_would_give(stream in any_stream()) {
        let (both, end) = told(&stream);
        for (number, model) in (0..).zip(&both.models) {
            let cluster = both.world.state.cluster(ClusterId(number)).unwrap();
            let fresh = end.state.cluster(ClusterId(number)).unwrap();
            let told = model.sources.values().flat_map(|told| told.objects.values());
            let told: BTreeSet<_> = told.map(|(object, _)| format!("{object:?}")).collect();
            prop_assert_eq!(&tables(cluster), &told, "what cluster {} holds", number);
            prop_assert_eq!(&tables(fresh), &told);
            let objects = &cluster.objects;
            let usage = Usage::recompute(objects.pods.values(), objects.nodes.values(), objects.workloads.values());
            prop_assert_eq!(&objects.usage, &usage);
            prop_assert_eq!(&objects.usage, &fresh.objects.usage);
            prop_assert_eq!(&objects.backing, &fresh.objects.backing);
            prop_assert_eq!(indexes(&both.world.state, cluster), indexes(&end.state, fresh));
        }
    }
}

/// A world that was told the whole stream, and one that was told its end.
fn told(stream: &[Happens]) -> (Both, World) {
    let mut both = Both::new();
    for happens in stream {
        both.happen(happens);
        if matches!(happens, Happens::Asked) {
            answers(&both.world.state);
        }
    }
    let end = both.end();
    (both, end)
}

/// When a job that runs was last seen to move: what a model says that remembers nothing but that.
#[derive(Debug, Clone, Copy)]
enum Passes {
    Seen(u8, u8),
    Gone(u8),
    Seconds(u8),
}

proptest! {
    #[test]
    fn a_job_is_said_to_have_moved_when_it_did(passes in proptest::collection::vec(prop_oneof![
        3 => (0..NAMES, 0u8..4).prop_map(|(a, b)| Passes::Seen(a, b)),
        1 => (0..NAMES).prop_map(Passes::Gone),
        2 => (1u8..60).prop_map(Passes::Seconds),
    ], 0..60)) {
        let mut both = Both::new();
        let kind = Kind::ALL.len();
        let place = Place { cluster: 0, kind };
        let mut moved: BTreeMap<u8, (u8, Unix)> = BTreeMap::new();
        for passed in passes {
            match passed {
                Passes::Seen(name, variant) => {
                    both.world.later(0);
                    let now = both.world.state.now;
                    let read = both.world.read(&object(kind_at(kind), name, variant)).unwrap();
                    let source = SourceId { cluster: ClusterId(0), kind: kind_at(kind), slot: Slot(0) };
                    both.world.source(source, now.mono, SourceFact::Item(read));
                    if variant >= 2 {
                        moved.remove(&name);
                    } else if moved.get(&name).is_none_or(|(before, _)| *before != variant) {
                        moved.insert(name, (variant, now.unix));
                    }
                }
                Passes::Gone(name) => {
                    both.happen(&Happens::Gone(place, name));
                    moved.remove(&name);
                }
                Passes::Seconds(seconds) => drop(both.world.later(seconds.into())),
            }
            let jobs = &both.world.state.cluster(ClusterId(0)).unwrap().objects.jobs;
            for name in 0..NAMES {
                let key = ObjectKey::new(NAMESPACES[usize::from(name % 2)], &format!("n{name}"));
                let id = ObjectId { kind: kind_at(kind), key };
                prop_assert_eq!(jobs.moved(&id), moved.get(&name).map(|(_, at)| *at));
            }
        }
        prop_assert!(both.world.state.now.unix >= NOW.unix);
    }
}
