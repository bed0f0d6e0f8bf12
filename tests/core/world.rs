//! Worlds for tests: clusters and their objects as a server would tell them, read by the real readers.

use std::cell::RefCell;
use std::collections::BTreeMap;

use bytes::Bytes;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::{Value, json};
use skydeck::app::{App, Effect, Msg, Themes, update, view};
use skydeck::clients::kube::wire::Encoding;
use skydeck::config::job_kind;
use skydeck::fleet::fact::Connection;
use skydeck::fleet::{
    ClusterFact, ClusterId, Fact, Fault, FaultKind, Kind, Mono, Now, Object, Slot, SourceFact, SourceId,
    SourceState, Step, Unix,
};
use skydeck::input::{Chord, Key, Keymap};
use skydeck::sources::kube::convert::Cx;
use skydeck::sources::kube::kinds::{self, Resource};
use skydeck::state::{ClusterSpec, Settings, State};
use skydeck::ui::glyphs::{ASCII, UNICODE};
use skydeck::ui::theme::Depth;

/// The moment of every test: 2026-03-08T14:02:11Z, one hour after the console began.
pub const NOW: Now = Now { mono: Mono(3_600_000), unix: Unix(1_772_978_531) };

pub struct World {
    pub state: State,
    /// Everything that was told, in its order.
    pub told: Vec<Fact>,
    resources: Vec<Resource>,
    /// As a source has one: what is alike is there once.
    cx: RefCell<Cx>,
}

impl World {
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Self {
        let mut state = State::new(settings);
        state.tick(NOW);
        let resources = kinds::built_in().into_iter().chain(kinds::custom(&job_kind::built_in())).collect();
        let cx = RefCell::new(Cx::new(vec!["app.kubernetes.io/version".to_owned()].into()));
        Self { state, told: Vec::new(), resources, cx }
    }

    /// A cluster that answers, with these objects, everything heard `heard` seconds ago.
    pub fn cluster(&mut self, name: &str, version: &str, heard: u64, objects: &[Value]) -> ClusterId {
        let id = self.configured(name);
        let at = ago(heard);
        self.fact(id, at, ClusterFact::Client(connection(name)));
        self.fact(id, at, ClusterFact::Answered { round_trip_ms: 21, git_version: version.into() });
        self.fact(id, at, ClusterFact::Identity(Some(format!("uid-of-{name}").into())));
        let served: Vec<Kind> = objects.iter().map(|it| self.resource(it).kind).collect();
        let mut custom: Vec<Kind> = served.iter().copied().filter(|kind| !kind.is_built_in()).collect();
        custom.sort_unstable();
        custom.dedup();
        self.fact(id, at, ClusterFact::Served(custom.clone()));
        self.fact(id, ago(heard + 10), ClusterFact::Cost { requests: 43, received_bytes: 708_000 });
        self.fact(id, at, ClusterFact::Cost { requests: 47, received_bytes: 713_000 });
        for kind in Kind::ALL.into_iter().filter(|kind| kind.is_built_in()).chain(custom) {
            let of_kind: Vec<_> =
                objects.iter().filter(|it| self.resource(it).kind == kind).cloned().collect();
            self.list(id, kind, at, &of_kind);
        }
        self.state.tick(NOW);
        id
    }

    /// A cluster of which nothing was heard yet.
    pub fn configured(&mut self, name: &str) -> ClusterId {
        let id = ClusterId(self.state.clusters().count() as u16);
        self.state.add_cluster(id, ClusterSpec { name: name.into(), ..ClusterSpec::default() });
        id
    }

    /// The API server has not answered since it was last heard.
    pub fn silent(&mut self, cluster: ClusterId, kind: FaultKind) {
        let fault = Fault::new(Step::Ping, kind, "");
        self.fact(cluster, ago(1), ClusterFact::Unanswered(fault));
        self.state.tick(NOW);
    }

    /// One whole list of a kind.
    pub fn list(&mut self, cluster: ClusterId, kind: Kind, at: Mono, objects: &[Value]) {
        let source = source(cluster, kind);
        self.source(source, at, SourceFact::Begin);
        for object in objects {
            self.item(cluster, at, object);
        }
        self.source(source, at, SourceFact::Complete);
        self.source(source, at, SourceFact::State(SourceState::Watching));
    }

    /// One object, as a watch would tell it.
    pub fn item(&mut self, cluster: ClusterId, at: Mono, object: &Value) {
        let kind = self.resource(object).kind;
        if let Some(object) = self.read(object) {
            self.source(source(cluster, kind), at, SourceFact::Item(object));
        }
    }

    /// What the console makes of an object; `None` when it is of no interest.
    pub fn read(&self, object: &Value) -> Option<Object> {
        let bytes = Bytes::from(object.to_string());
        self.resource(object).read(Encoding::Json, &bytes, &mut self.cx.borrow_mut()).unwrap().object
    }

    pub fn source(&mut self, source: SourceId, at: Mono, fact: SourceFact) {
        self.tell(Fact::Source(source, at, fact));
    }

    pub fn fact(&mut self, cluster: ClusterId, at: Mono, fact: ClusterFact) {
        self.tell(Fact::Cluster(cluster, at, fact));
    }

    fn tell(&mut self, fact: Fact) {
        self.told.push(fact.clone());
        self.state.apply(fact);
    }

    /// So many seconds later; sources that were live then are heard again.
    pub fn later(&mut self, seconds: u64) -> Now {
        let now = Now {
            mono: self.state.now.mono.plus_secs(seconds),
            unix: Unix(self.state.now.unix.0 + seconds as i64),
        };
        self.state.tick(now);
        now
    }

    pub fn causes(&self) -> Vec<String> {
        let findings = self.state.findings().iter();
        findings
            .map(|it| {
                let cluster = it.cluster.and_then(|id| self.state.cluster(id));
                let place = cluster.map_or("fleet", |it| &it.spec.name);
                format!("{} {place} {}: {}", it.severity.name(), it.subject, it.cause)
            })
            .collect()
    }

    fn resource(&self, object: &Value) -> &Resource {
        let (version, kind) = (object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let plural = format!("{}s", kind.to_lowercase()).replace("ys", "ies");
        let found = self.resources.iter().find(|it| it.group == group && it.plural == plural);
        found.unwrap_or_else(|| panic!("no reader for {version} {kind}"))
    }
}

pub fn ago(seconds: u64) -> Mono {
    Mono(NOW.mono.0 - seconds * 1000)
}

/// RFC 3339 of a moment before now.
pub fn time(seconds_ago: i64) -> String {
    Unix(NOW.unix.0 - seconds_ago).rfc3339()
}

pub fn source(cluster: ClusterId, kind: Kind) -> SourceId {
    SourceId { cluster, kind, slot: Slot(0) }
}

fn connection(name: &str) -> Connection {
    Connection {
        server: format!("https://{name}.example.com").into(),
        context: name.into(),
        credential: "exec aws".into(),
        proxy: None,
        insecure: false,
    }
}

/// `namespace/name` as metadata.
pub fn meta(name: &str) -> Value {
    let (namespace, name) = name.split_once('/').unwrap_or(("", name));
    json!({"name": name, "namespace": namespace, "uid": format!("uid-{name}"), "generation": 3,
        "creationTimestamp": time(3 * 86_400)})
}

pub fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": meta(name)})
}

pub fn node(name: &str, provider: &str, region: &str, gpus: u32, ready: bool) -> Value {
    let mut metadata = meta(name);
    metadata["labels"] = json!({"topology.kubernetes.io/region": region, "nvidia.com/gpu.product": "A100"});
    if provider == "azure" {
        metadata["labels"]["kubernetes.azure.com/agentpool"] = "gpu".into();
    }
    let status = if ready { "True" } else { "False" };
    json!({"apiVersion": "v1", "kind": "Node", "metadata": metadata,
        "spec": {"providerID": format!("{provider}://x/{name}")},
        "status": {"allocatable": {"nvidia.com/gpu": gpus.to_string(), "pods": "110"}, "nodeInfo": {"kubeletVersion": "v1.33.5"},
            "conditions": [{"type": "Ready", "status": status, "reason": "KubeletNotReady",
                "message": "container runtime is down", "lastTransitionTime": time(600)}]}})
}

pub fn deployment(name: &str, ready: u32, desired: u32, version: &str, gpus: u32) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(name),
        "spec": {"replicas": desired, "template": {
            "metadata": {"labels": {"app": name, "app.kubernetes.io/version": version}},
            "spec": {"containers": [{"name": "server", "image": format!("registry.example.com/{name}:{version}"),
                "resources": {"limits": {"nvidia.com/gpu": gpus}}}]}}},
        "status": {"observedGeneration": 3, "replicas": desired, "updatedReplicas": desired,
            "readyReplicas": ready, "availableReplicas": ready,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                "lastUpdateTime": time(7200)}]}})
}

/// A pod of a Deployment, with the labels and owners that Kubernetes gives it.
pub fn pod(deployment: &str, suffix: &str, node: &str, gpus: u32) -> Value {
    let name = deployment.rsplit('/').next().unwrap();
    let mut metadata = meta(&format!("{deployment}-6b7f9-{suffix}"));
    metadata["labels"] = json!({"pod-template-hash": "6b7f9"});
    metadata["ownerReferences"] =
        json!([{"kind": "ReplicaSet", "name": format!("{name}-6b7f9"), "controller": true}]);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {"nodeName": node, "containers": [{"name": "server", "image": "registry.example.com/ml/server:1",
            "resources": {"requests": {"nvidia.com/gpu": gpus.to_string()}}}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "server", "ready": true, "state": {"running": {}}}]}})
}

/// The same pod in a crash loop.
pub fn crashing(mut pod: Value) -> Value {
    pod["status"] = json!({"phase": "Running", "containerStatuses": [{"name": "server", "restartCount": 7,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": time(180)}}}]});
    pod
}

/// The same pod, which no node takes.
pub fn unschedulable(mut pod: Value, since: i64) -> Value {
    pod["spec"]["nodeName"] = json!("");
    pod["status"] = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "lastTransitionTime": time(since),
        "message": "0/4 nodes are available: 4 Insufficient nvidia.com/gpu."}]});
    pod
}

pub fn job(name: &str, status: &Value) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta(name),
        "spec": {"template": {"spec": {"containers": [{"resources": {"limits": {"nvidia.com/gpu": "8"}}}]}}},
        "status": status})
}

pub fn failed() -> Value {
    json!({"startTime": time(3600), "failed": 3, "conditions": [{"type": "Failed", "status": "True",
        "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit",
        "lastTransitionTime": time(180)}]})
}

pub fn training_job(name: &str, phase: &str, progress: f64) -> Value {
    json!({"apiVersion": "ml.example.com/v1", "kind": "TrainingJob", "metadata": meta(name),
        "spec": {"framework": "pytorch", "resources": {"gpus": 8},
            "distributedTraining": {"enabled": true, "workers": 4, "strategy": "pytorch-ddp"}},
        "status": {"phase": phase, "startTime": time(15_000), "metrics": {"progress": progress, "loss": 0.4217}}})
}

pub fn hpa(target: &str, min: u32, max: u32) -> Value {
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta(target),
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": target.rsplit('/').next().unwrap()},
            "minReplicas": min, "maxReplicas": max},
        "status": {"desiredReplicas": min}})
}

/// A Service for the pods of a Deployment, and the slice of its endpoints.
pub fn service(name: &str, app: &str, ready: usize, total: usize) -> Vec<Value> {
    let short = name.rsplit('/').next().unwrap();
    let mut slice = meta(&format!("{name}-x7k2p"));
    slice["labels"] = json!({"kubernetes.io/service-name": short});
    let endpoints: Vec<Value> =
        (0..total).map(|at| json!({"conditions": {"ready": at < ready, "serving": at < ready}})).collect();
    vec![
        json!({"apiVersion": "v1", "kind": "Service", "metadata": meta(name),
            "spec": {"type": "ClusterIP", "selector": {"app": app}, "ports": [{"port": 80}]}}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": slice,
            "addressType": "IPv4", "endpoints": endpoints}),
    ]
}

pub fn destination(host: &str, weight: impl Into<Value>) -> Value {
    json!({"destination": {"host": host}, "weight": weight.into()})
}

pub fn virtual_service(name: &str, http: &Value) -> Value {
    let mut metadata = meta(name);
    metadata["generation"] = json!(17);
    metadata["resourceVersion"] = json!("4711");
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": metadata,
        "spec": {"hosts": ["ml-inference.example.com"], "http": http}})
}

pub fn service_entry(name: &str, host: &str) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": meta(name),
        "spec": {"hosts": [host], "location": "MESH_INTERNAL", "endpoints": [{"address": "192.0.2.10"}]}})
}

pub fn http_route(name: &str, rules: &Value) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": meta(name),
        "spec": {"parentRefs": [{"name": "public"}], "hostnames": ["llm.example.com"], "rules": rules}})
}

/// The route between the clouds, as each of them has it.
pub fn multicloud(aws: i64, gcp: i64) -> Value {
    let split = [destination("ml-inference-aws", aws), destination("ml-inference-gcp", gcp)];
    virtual_service(
        "ml-platform/ml-inference-multicloud",
        &json!([{"name": "canary", "match": [{"headers": {"x-canary": {"exact": "true"}}}],
                "route": [{"destination": {"host": "ml-inference-gcp"}}]},
            {"name": "default", "route": split, "timeout": "5s", "retries": {"attempts": 3, "retryOn": "5xx"}}]),
    )
}

pub fn warning(about_kind: &str, about: &str, reason: &str, message: &str) -> Value {
    let (namespace, name) = about.split_once('/').unwrap();
    json!({"apiVersion": "v1", "kind": "Event", "metadata": meta(&format!("{about}.17")), "type": "Warning",
        "involvedObject": {"kind": about_kind, "namespace": namespace, "name": name},
        "reason": reason, "message": message, "count": 12, "lastTimestamp": time(95)})
}

/// The fleet of most tests: two clusters that live, one that has been silent for 2m14s.
pub fn fleet() -> World {
    let mut world = World::new();
    let mut aws = vec![namespace("ml-platform"), namespace("ml-training")];
    aws.extend((0..4).map(|at| node(&format!("aws-node-{at}"), "aws", "us-east-1", 8, at != 3)));
    aws.push(deployment("ml-platform/ml-inference", 6, 6, "1.4.2", 1));
    aws.push(hpa("ml-platform/ml-inference", 3, 20));
    aws.push(deployment("ml-platform/llm-serve", 2, 2, "0.8.2", 8));
    aws.push(deployment("ml-platform/feature-store", 1, 3, "2.0.0", 0));
    aws.extend(["a", "b"].map(|it| crashing(pod("ml-platform/feature-store", it, "aws-node-0", 0))));
    aws.push(pod("ml-platform/feature-store", "c", "aws-node-0", 0));
    aws.extend((0..6).map(|at| pod("ml-platform/ml-inference", &format!("{at}"), "aws-node-1", 1)));
    aws.push(training_job("ml-training/llama-sft", "Running", 0.71));
    aws.push(job(
        "ml-training/nightly-eval",
        &json!({"startTime": time(7200), "completionTime": time(3600),
        "succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}),
    ));
    aws.push(warning(
        "Pod",
        "ml-platform/feature-store-6b7f9-a",
        "BackOff",
        "Back-off restarting failed container",
    ));
    let in_ml = |short: &str| format!("{short}.ml-platform.svc.cluster.local");
    aws.push(multicloud(60, 40));
    aws.extend(service("ml-platform/ml-inference-aws", "ml-inference", 6, 6));
    aws.push(service_entry("ml-platform/gcp", &in_ml("ml-inference-gcp")));
    aws.push(http_route(
        "ml-platform/llm-serve",
        &json!([{"backendRefs": [{"name": "llm-serve", "port": 80}, {"name": "llm-canary", "port": 80, "weight": 0}]}]),
    ));
    aws.extend(service("ml-platform/llm-serve", "llm-serve", 2, 2));
    aws.extend(service("ml-platform/llm-canary", "llm-canary", 0, 0));
    world.cluster("aws-east", "v1.33.5-eks-113cf36", 1, &aws);
    let mut gcp = vec![namespace("ml-platform")];
    gcp.extend((0..3).map(|at| node(&format!("gcp-node-{at}"), "gce", "us-central1", 8, true)));
    gcp.push(deployment("ml-platform/ml-inference", 4, 4, "1.4.1", 1));
    gcp.push(deployment("ml-platform/llm-serve", 7, 8, "0.8.2", 8));
    gcp.extend((0..4).map(|at| pod("ml-platform/ml-inference", &format!("{at}"), "gcp-node-1", 1)));
    gcp.push(job("ml-training/bert-finetune-7", &failed()));
    gcp.push(multicloud(60, 40));
    gcp.extend(service("ml-platform/ml-inference-gcp", "ml-inference", 4, 4));
    gcp.push(service_entry("ml-platform/aws", &in_ml("ml-inference-aws")));
    world.cluster("gcp-central", "v1.34.1-gke.1293000", 2, &gcp);
    let mut azure = vec![namespace("ml-platform")];
    azure.extend((0..2).map(|at| node(&format!("aks-node-{at}"), "azure", "eastus", 8, true)));
    azure.push(deployment("ml-platform/ml-inference", 3, 3, "1.4.2", 1));
    azure.push(multicloud(60, 40));
    let azure = world.cluster("azure-eastus", "v1.33.4", 134, &azure);
    world.silent(azure, FaultKind::Unauthorized);
    // Drift counts after a minute, so the world is looked at a minute later.
    world.state.at(Now { mono: NOW.mono.plus_secs(61), unix: Unix(NOW.unix.0 + 61) });
    world.heard(ClusterId(0));
    world.heard(ClusterId(1));
    world.later(1);
    world
}

impl World {
    /// Everything of a cluster is heard again, at this moment.
    pub fn heard(&mut self, cluster: ClusterId) {
        let at = self.state.now.mono;
        let version = self.state.cluster(cluster).unwrap().api.git_version.clone().unwrap();
        self.fact(cluster, at, ClusterFact::Answered { round_trip_ms: 21, git_version: version });
        let sources = &self.state.cluster(cluster).unwrap().sources;
        let running: Vec<_> = sources
            .iter()
            .filter(|(_, source)| matches!(source.state, SourceState::Watching | SourceState::Listing))
            .map(|(id, _)| *id)
            .collect();
        for (kind, slot) in running {
            self.source(SourceId { cluster, kind, slot }, at, SourceFact::Heard);
        }
    }
}

/// A console over a world, at a size.
pub struct Screen {
    pub app: App,
    pub size: (u16, u16),
    pub effects: Vec<Effect>,
}

impl Screen {
    pub fn new(world: World, size: (u16, u16)) -> Self {
        Self::with_theme(world, size, "dark", Depth::TrueColor, true)
    }

    pub fn with_theme(world: World, size: (u16, u16), theme: &str, depth: Depth, unicode: bool) -> Self {
        let (themes, reason) = Themes::new(theme, BTreeMap::new(), depth);
        assert_eq!(reason, None);
        let glyphs = if unicode { &UNICODE } else { &ASCII };
        let mut app = App::new(world.state, Keymap::default(), themes, glyphs);
        app.fleet_name = Some("acme-ml".into());
        app.set_screen(size.0, size.1);
        app.needs_frame();
        Self { app, size, effects: Vec::new() }
    }

    /// Presses keys as they are written in the configuration: `5 down enter`, `/ "text"` types the text.
    pub fn keys(&mut self, script: &str) -> &mut Self {
        let mut rest = script.trim();
        while !rest.is_empty() {
            if let Some(typed) = rest.strip_prefix('"') {
                let (text, after) = typed.split_once('"').unwrap();
                text.chars().for_each(|character| self.press(Key::char(character)));
                rest = after.trim_start();
                continue;
            }
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            let chord: Chord = word.parse().unwrap();
            chord.0.into_iter().for_each(|key| self.press(key));
            rest = after.trim_start();
        }
        self
    }

    pub fn press(&mut self, key: Key) {
        self.send(Msg::Key(key));
    }

    pub fn send(&mut self, msg: Msg) {
        if let Msg::Resize(width, height) = msg {
            self.size = (width, height);
        }
        self.effects.extend(update(&mut self.app, msg));
        self.app.needs_frame();
    }

    pub fn buffer(&self) -> Buffer {
        let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width: self.size.0, height: self.size.1 });
        view(&self.app, &mut buffer);
        buffer
    }

    /// The screen as text, lines without their ends.
    pub fn text(&self) -> String {
        let buffer = self.buffer();
        let lines = buffer.content.chunks(usize::from(self.size.0).max(1));
        let lines = lines.map(|cells| {
            let mut line = String::new();
            let mut skip = 0;
            for cell in cells {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                line.push_str(cell.symbol());
                skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            }
            line.trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}
