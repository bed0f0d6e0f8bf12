//! One server whose objects the test decides, and the console's sources that look at it.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use skydeck::config::Config;
use skydeck::demo::api::{Identity, Seam, Server};
use skydeck::demo::clock::Clock;
use skydeck::demo::resource::Kind;
use skydeck::demo::store::{Key, Query, Store};
use skydeck::fleet::Age;
use skydeck::runtime::headless::Headless;
use skydeck::sources::inventory::{self, Places};
use skydeck::state::select::clusters::{Liveness, rows};
use skydeck::state::{Cluster, State};

const PATIENCE: Duration = Duration::from_mins(1);
pub const TOKEN: &str = "secret";

pub struct Api {
    pub uid: String,
    pub store: Arc<Store>,
    pub server: Arc<Server>,
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Api {
    /// Something happens that no watch is told of, and nobody can watch on from where they were.
    pub fn unheard(&self, happens: impl FnOnce()) {
        self.seam().pause();
        happens();
        self.store.compact();
        self.seam().cut();
        self.seam().resume();
    }

    /// A cluster with this identity, somewhere on loopback or at the address of another that has ended.
    pub fn start(uid: &str, address: Option<SocketAddr>) -> Api {
        let store = Arc::new(Store::with_history(Arc::new(Clock::wall()), 1, 1_000));
        let namespace = |name: &str, uid: &str| json!({"metadata": {"name": name, "uid": uid}, "status": {"phase": "Active"}});
        store.put(Kind::Namespaces, namespace("kube-system", uid));
        store.put(Kind::Namespaces, namespace("a", "a"));
        let identity = Identity { git_version: "v1.34.0".to_owned(), token: TOKEN.to_owned() };
        let server = Server::new(Arc::clone(&store), identity);
        let listener = match address {
            None => TcpListener::bind("127.0.0.1:0").unwrap(),
            Some(address) => again(address),
        };
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(Arc::clone(&server).serve(listener));
        Api { uid: uid.to_owned(), store, server, address, task }
    }

    pub fn seam(&self) -> &Seam {
        self.server.seam()
    }

    pub fn deployment(&self, name: &str, replicas: u32) {
        self.store.put(Kind::Deployments, deployment(name, &json!(replicas)));
    }

    /// So many changes happen that nobody looks at.
    pub fn age(&self, changes: u64) {
        for count in 0..changes {
            let labels = json!({"count": count.to_string()});
            let meta = json!({"name": "a", "uid": "a", "labels": labels});
            self.store.put(Kind::Namespaces, json!({"metadata": meta, "status": {"phase": "Active"}}));
        }
    }

    pub fn delete(&self, kind: Kind, name: &str) {
        self.store.remove(kind, &Key::new("a", name)).expect("it was there");
    }

    /// Ends the server and everything that hangs on it.
    pub async fn end(self) -> SocketAddr {
        self.server.seam().cut();
        self.task.abort();
        let _ = self.task.await;
        self.address
    }
}

/// Sockets of the server before may still be closing.
fn again(address: SocketAddr) -> TcpListener {
    for _ in 0..500 {
        if let Ok(listener) = TcpListener::bind(address) {
            return listener;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{address} does not become free");
}

pub fn deployment(name: &str, replicas: &Value) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "a", "labels": {"app": name}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"spec": {"containers": [{"name": "c", "image": format!("r.example.com/{name}:1")}]}}},
        "status": {"replicas": replicas, "readyReplicas": replicas},
    })
}

/// The console's half: sources, facts, state.
pub struct Console {
    pub session: Headless,
    _folder: tempfile::TempDir,
}

impl Console {
    pub fn of(api: &Api) -> Console {
        Console::configured(api, "")
    }

    pub fn configured(api: &Api, text: &str) -> Console {
        Console::at(api.address, text)
    }

    pub fn at(address: SocketAddr, text: &str) -> Console {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::parse(&folder.path().join("config.toml"), text).unwrap();
        let inventory = inventory::find(&config, &places(address, folder.path()), &[]).unwrap();
        Console { session: Headless::start(&config, inventory), _folder: folder }
    }

    pub async fn settled(&mut self) {
        self.session.settle(Age(30)).await;
        assert!(self.liveness().is_live(), "{:?}", rows(&self.session.state));
    }

    pub fn state(&self) -> &State {
        &self.session.state
    }

    pub fn cluster(&self) -> &Cluster {
        self.session.state.clusters().next().unwrap()
    }

    pub fn liveness(&self) -> Liveness {
        rows(&self.session.state).remove(0).liveness
    }

    pub fn problem(&self) -> String {
        rows(&self.session.state).remove(0).problem.to_string()
    }

    pub fn causes(&self) -> Vec<String> {
        self.session.state.findings().in_scope(&self.session.state).map(|it| it.cause.to_string()).collect()
    }

    /// Folds until something is so; looks after every batch of facts.
    pub async fn until(&mut self, what: &str, so: impl Fn(&Console) -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !so(self) {
                self.session.next_change().await;
            }
        });
        if waited.await.is_err() {
            let workloads = names(self.cluster().objects.workloads.values().map(|it| &*it.key.name));
            panic!("not {what}: {:?}\n{workloads:?}\n{:?}", rows(&self.session.state), self.causes());
        }
    }

    /// Folds for so long.
    pub async fn for_a_while(&mut self, time: Duration) {
        let _ = tokio::time::timeout(time, async {
            loop {
                self.session.next_change().await;
            }
        })
        .await;
    }

    /// Live, and every object of the server is known with its replicas, and no other.
    pub fn equals(&self, api: &Api) -> bool {
        self.liveness().is_live() && self.shows(api)
    }

    /// Every object of the server is known with its replicas, and no other.
    pub fn shows(&self, api: &Api) -> bool {
        let objects = &self.cluster().objects;
        let known = objects.workloads.values().map(|it| (it.key.name.to_string(), it.desired));
        let of_server = api.store.list(Kind::Deployments, &Query::all());
        let stored = of_server.objects.iter().map(|object| {
            let value = object.value();
            let replicas = value["spec"]["replicas"].as_u64().unwrap() as u32;
            (value["metadata"]["name"].as_str().unwrap().to_owned(), replicas)
        });
        let nodes = api.store.list(Kind::Nodes, &Query::all());
        let stored_nodes =
            nodes.objects.iter().map(|it| it.value()["metadata"]["name"].as_str().unwrap().to_owned());
        known.collect::<BTreeSet<_>>() == stored.collect()
            && names(objects.nodes.values().map(|it| &*it.name)) == stored_nodes.collect()
    }
}

/// A kubeconfig in this folder that leads to the cluster at this address.
pub fn places(address: SocketAddr, folder: &Path) -> Places {
    let file = folder.join("kubeconfig");
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": format!("http://{address}")}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    std::fs::write(&file, kubeconfig.to_string()).unwrap();
    Places { kubeconfig_files: vec![file] }
}

pub fn names<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    names.map(str::to_owned).collect()
}
