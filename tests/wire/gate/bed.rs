//! Servers with something to change on them, and the world around it: a controller that follows, somebody else who
//! writes. All on loopback, with real sockets.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use skydeck::demo::Standalone;
use skydeck::demo::api::{Seam, Which};
use skydeck::demo::resource::Kind as Served;
use skydeck::demo::store::{Key, Mode, Part, Store, Writer};
use skydeck::fleet::{Age, Kind, ObjectId, ObjectKey};
use skydeck::gate::intent::Weights;
use skydeck::gate::{Amount, Intent, Place, Policy, ScaleTo, Wish};
use skydeck::state::State;

use super::sitting::Sitting;

/// What is changed in a test, each by another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `PUT /scale`.
    Scale,
    /// A patch of an object without a generation.
    Hpa,
    /// A patch of weights.
    Route,
}

pub const VERBS: [Verb; 3] = [Verb::Scale, Verb::Hpa, Verb::Route];

pub struct Bed {
    pub clusters: Vec<Standalone>,
    controllers: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Bed {
    fn drop(&mut self) {
        for controller in &self.controllers {
            controller.abort();
        }
    }
}

/// Nothing waits that need not.
pub fn quick() -> Policy {
    Policy { settle: Age(5), to_the_wire: Age(0), bake: Age(0), ..Policy::default() }
}

impl Bed {
    pub fn new(names: &[&str]) -> Self {
        let clusters: Vec<_> = names.iter().map(|name| Standalone::start(name).unwrap()).collect();
        for cluster in &clusters {
            furnish(cluster.store());
        }
        let controllers = clusters.iter().map(|it| tokio::spawn(follow(Arc::clone(it.store())))).collect();
        Self { clusters, controllers }
    }

    pub fn store(&self, at: usize) -> &Arc<Store> {
        self.clusters[at].store()
    }

    pub fn seam(&self, at: usize) -> &Arc<Seam> {
        self.clusters[at].seam()
    }

    /// All clusters, `c0`, `c1`, …, for the account that may do everything.
    pub fn kubeconfig(&self) -> String {
        self.kubeconfig_as("secret")
    }

    /// For the account that may only read.
    pub fn viewers_kubeconfig(&self) -> String {
        self.kubeconfig_as("secret-viewer")
    }

    fn kubeconfig_as(&self, token: &str) -> String {
        let all = || self.clusters.iter().enumerate();
        let cluster = |(at, it): (usize, &Standalone)| json!({"name": format!("c{at}"), "cluster": {"server": it.url()}});
        let context = |(at, _)| json!({"name": format!("c{at}"), "context": {"cluster": format!("c{at}"), "user": "u"}});
        json!({
            "apiVersion": "v1", "kind": "Config",
            "clusters": all().map(cluster).collect::<Vec<_>>(),
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": all().map(context).collect::<Vec<_>>(),
        })
        .to_string()
    }

    pub async fn sitting(&self) -> Sitting {
        Sitting::new(&self.kubeconfig(), quick()).await
    }

    /// How many requests that change something carry this mark, in all clusters.
    pub fn sent(&self, mark: &str) -> usize {
        let which = Which::write().of_change(mark);
        self.clusters.iter().map(|it| it.seam().count(&which)).sum()
    }

    pub fn most_writes_at_once(&self) -> usize {
        self.clusters.iter().map(|it| it.seam().most_writes_at_once()).max().unwrap_or(0)
    }
}

impl Verb {
    /// The kind and name of the object that is written.
    pub fn target(self) -> (Served, Key) {
        match self {
            Self::Scale => (Served::Deployments, Key::new("a", "web")),
            Self::Hpa => (Served::HorizontalPodAutoscalers, Key::new("a", "api")),
            Self::Route => (Served::VirtualServices, Key::new("a", "split")),
        }
    }

    /// Requests of this verb that change the object.
    pub fn write(self) -> Which {
        match self {
            Self::Scale => Which::write().method("PUT").at("/deployments/web/scale"),
            Self::Hpa => Which::write().method("PATCH").at("/horizontalpodautoscalers/api"),
            Self::Route => Which::write().method("PATCH").at("/virtualservices/split"),
        }
    }

    pub fn dry_run(self) -> Which {
        Which::dry_run().at(match self {
            Self::Scale => "/deployments/web/scale",
            Self::Hpa => "/horizontalpodautoscalers/api",
            Self::Route => "/virtualservices/split",
        })
    }

    /// 2 → 3 replicas, 2-5 → 3-6, 60/40 → 50/50; in so many clusters.
    pub fn intent(self, sitting: &Sitting, clusters: usize) -> Intent {
        self.intent_in(&sitting.driver.session.state, clusters)
    }

    pub fn intent_in(self, state: &State, clusters: usize) -> Intent {
        let place = |at: usize, kind, name: &'static str| {
            let cluster = state.cluster_named(&format!("c{at}")).unwrap().id;
            Place { cluster, object: ObjectId { kind, key: ObjectKey::new("a", name) } }
        };
        let cells = |name: &'static str, to| {
            let cell = |at| ScaleTo { place: place(at, Kind::Deployment, name), to };
            Intent::new(Wish::Scale((0..clusters).map(cell).collect()))
        };
        match self {
            Self::Scale => cells("web", Amount::Replicas(3)),
            Self::Hpa => cells("api", Amount::Range { min: 3, max: 6 }),
            Self::Route => {
                let places: Vec<_> =
                    (0..clusters).map(|at| place(at, Kind::VirtualService, "split")).collect();
                Intent::new(Wish::Weights(Weights {
                    route: places[0].object.clone(),
                    clusters: places.iter().map(|place| place.cluster).collect(),
                    left_out: Vec::new(),
                    rule: 0,
                    to: vec![50, 50],
                    ramp: None,
                }))
            }
        }
    }

    /// What stands in the place that the verb writes.
    pub fn value(self, store: &Store) -> Value {
        let (kind, key) = self.target();
        let Some(object) = store.get(kind, &key) else { return Value::Null };
        let spec = &object.value()["spec"];
        match self {
            Self::Scale => spec["replicas"].clone(),
            Self::Hpa => json!([spec["minReplicas"], spec["maxReplicas"]]),
            Self::Route => {
                json!([spec["http"][0]["route"][0]["weight"], spec["http"][0]["route"][1]["weight"]])
            }
        }
    }

    pub fn before(self) -> Value {
        match self {
            Self::Scale => json!(2),
            Self::Hpa => json!([2, 5]),
            Self::Route => json!([60, 40]),
        }
    }

    pub fn after(self) -> Value {
        match self {
            Self::Scale => json!(3),
            Self::Hpa => json!([3, 6]),
            Self::Route => json!([50, 50]),
        }
    }

    /// Somebody else writes the same values.
    pub fn somebody_elses(self, store: &Store) {
        let (kind, key) = self.target();
        edit(store, kind, &key, |object| match self {
            Self::Scale => object["spec"]["replicas"] = 9.into(),
            Self::Hpa => object["spec"]["maxReplicas"] = 9.into(),
            Self::Route => object["spec"]["http"][0]["route"][0]["weight"] = 90.into(),
        });
    }

    pub fn delete(self, store: &Store) {
        let (kind, key) = self.target();
        store.remove(kind, &key).expect("it was there");
    }

    /// Deleted, and made anew with the same spec.
    pub fn recreate(self, store: &Store) {
        let (kind, key) = self.target();
        let mut object = store.get(kind, &key).unwrap().value();
        self.delete(store);
        let meta = object["metadata"].as_object_mut().unwrap();
        meta.remove("uid");
        meta.remove("resourceVersion");
        store.put(kind, object);
    }
}

/// As kubectl does it.
pub fn edit(store: &Store, kind: Served, key: &Key, change: impl FnOnce(&mut Value)) {
    let writer = Writer { manager: "kubectl", subresource: "" };
    let mode = Mode { part: Part::Main, dry_run: false };
    store
        .update_by(kind, key, (mode, Some(writer)), |object| {
            change(object);
            Ok(())
        })
        .unwrap();
}

/// `web`, which scales itself; `api`, which an HPA scales; `split`, which sends traffic to both.
pub fn furnish(store: &Store) {
    for name in ["web", "api"] {
        store.put(Served::Deployments, deployment(name));
        store.put(
            Served::Services,
            json!({"metadata": {"name": name, "namespace": "a"}, "spec": {"selector": {"app": name}, "ports": [{"port": 80}]}}),
        );
        store.put(Served::EndpointSlices, endpoints(name, 2));
    }
    store.put(
        Served::HorizontalPodAutoscalers,
        json!({"metadata": {"name": "api", "namespace": "a"}, "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
            "minReplicas": 2, "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}],
        }}),
    );
    store.put(Served::VirtualServices, virtual_service());
}

pub fn deployment(name: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "a", "labels": {"app": name}, "generation": 1},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": format!("r.example.com/{name}:1")}]}}},
        "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2},
    })
}

pub fn endpoints(name: &str, ready: usize) -> Value {
    let endpoint =
        |at| json!({"addresses": [format!("127.65.0.{at}")], "conditions": {"ready": true, "serving": true}});
    json!({
        "metadata": {"name": format!("{name}-x"), "namespace": "a", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4", "endpoints": (1..=ready).map(endpoint).collect::<Vec<_>>(), "ports": [{"port": 80}],
    })
}

fn virtual_service() -> Value {
    let to = |name: &str, weight: u32| json!({"destination": {"host": name, "port": {"number": 80}}, "weight": weight});
    json!({
        "metadata": {"name": "split", "namespace": "a", "generation": 1},
        "spec": {"hosts": ["split.example.com"], "http": [
            {"route": [to("web", 60), to("api", 40)], "timeout": "10s", "retries": {"attempts": 3}},
            {"match": [{"uri": {"prefix": "/slow"}}], "route": [{"destination": {"host": "web"}}], "timeout": "60s"},
        ]},
    })
}

/// What the Deployment controller and the kubelets do, at once.
async fn follow(store: Arc<Store>) {
    let mode = Mode { part: Part::Status, dry_run: false };
    loop {
        for name in ["web", "api"] {
            let key = Key::new("a", name);
            let Some(object) = store.get(Served::Deployments, &key) else { continue };
            let object = object.value();
            let generation = object["metadata"]["generation"].clone();
            if object["status"]["observedGeneration"] == generation {
                continue;
            }
            let replicas = object["spec"]["replicas"].clone();
            let _ = store.update(Served::Deployments, &key, mode, |object| {
                object["status"] = json!({"observedGeneration": generation, "replicas": replicas,
                    "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas});
                Ok(())
            });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
