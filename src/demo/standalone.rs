//! One cluster by itself, for tests: at an address that stays, with objects that the test decides, and with
//! controllers if it is to live. It can fall silent, be restarted, and be replaced by another cluster.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::api::{Identity, Seam, Server};
use super::clock::{Clock, TICK_MS, wall};
use super::fleet::kubeconfig;
use super::resource::Kind;
use super::store::Store;
use super::world::World;

/// After a sleep of the machine the cluster catches up in strides of so many ticks.
const STRIDE: i64 = 20;
const HISTORY: usize = 4_096;

pub struct Standalone {
    identity: Identity,
    listener: TcpListener,
    address: SocketAddr,
    living: bool,
    server: Arc<Server>,
    serving: JoinHandle<()>,
    life: Option<JoinHandle<()>>,
    runtime: Option<Runtime>,
}

impl Standalone {
    /// A server whose objects change only when somebody writes. The uid is that of `kube-system`: who the
    /// cluster is.
    pub fn start(uid: &str) -> io::Result<Standalone> {
        Standalone::with(uid, false)
    }

    /// The same with controllers, scheduler and kubelets; what runs needs a Node, which the test puts there.
    pub fn living(uid: &str) -> io::Result<Standalone> {
        Standalone::with(uid, true)
    }

    fn with(uid: &str, living: bool) -> io::Result<Standalone> {
        let identity = Identity { git_version: "v1.34.0".to_owned(), token: "secret".to_owned() };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("standalone").enable_all().build()?;
        let server = Server::new(store(uid, living), identity.clone());
        let serving = serve(&runtime, &server, &listener)?;
        let life = living.then(|| live(&runtime, &server));
        Ok(Standalone { identity, listener, address, living, server, serving, life, runtime: Some(runtime) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn store(&self) -> &Arc<Store> {
        self.server.store()
    }

    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// Faults, records, interventions; another one after every restart.
    pub fn seam(&self) -> &Arc<Seam> {
        self.server.seam()
    }

    pub fn pause(&self) {
        self.seam().pause();
    }

    pub fn resume(&self) {
        self.seam().resume();
    }

    /// The server process ends and begins again with the same objects: every connection is reset.
    pub fn restart(&mut self) -> io::Result<()> {
        self.replace(self.server.store().clone())
    }

    /// From now on another cluster answers at this address; it has a namespace `a` and nothing else.
    pub fn restart_as(&mut self, uid: &str) -> io::Result<()> {
        self.replace(store(uid, self.living))
    }

    fn replace(&mut self, store: Arc<Store>) -> io::Result<()> {
        let Some(runtime) = &self.runtime else { return Ok(()) };
        let same = Arc::ptr_eq(&store, self.server.store());
        self.serving.abort();
        if let Some(life) = self.life.take_if(|_| !same) {
            life.abort();
        }
        while !self.serving.is_finished() {
            std::thread::yield_now();
        }
        // What was held back must not answer for the one that comes.
        self.seam().hang_up();
        self.server = Server::new(store, self.identity.clone());
        self.serving = serve(runtime, &self.server, &self.listener)?;
        if self.living && !same {
            self.life = Some(live(runtime, &self.server));
        }
        Ok(())
    }

    /// A kubeconfig with one context of that name, for the account that may do everything.
    pub fn kubeconfig(&self, name: &str) -> String {
        kubeconfig(&[(name, &self.url())], ("admin", &self.identity.token))
    }

    /// The same for the account that may read and nothing more.
    pub fn viewer_kubeconfig(&self, name: &str) -> String {
        kubeconfig(&[(name, &self.url())], ("viewer", &self.identity.viewer_token()))
    }
}

impl Drop for Standalone {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A test may drop it where it must not wait.
            runtime.shutdown_background();
        }
    }
}

fn store(uid: &str, living: bool) -> Arc<Store> {
    let clock = if living { Clock::logical(wall()) } else { Clock::wall() };
    let store = Arc::new(Store::with_history(Arc::new(clock), 1, HISTORY));
    for (name, uid) in [("kube-system", uid), ("a", "a")] {
        store.put(
            Kind::Namespaces,
            json!({"metadata": {"name": name, "uid": uid}, "status": {"phase": "Active"}}),
        );
    }
    store
}

fn serve(runtime: &Runtime, server: &Arc<Server>, listener: &TcpListener) -> io::Result<JoinHandle<()>> {
    let (server, listener) = (server.clone(), listener.try_clone()?);
    Ok(runtime.spawn(async move {
        // It ends with an error only if its listener breaks; then the cluster is simply gone.
        let _ = server.serve(listener).await;
    }))
}

fn live(runtime: &Runtime, server: &Arc<Server>) -> JoinHandle<()> {
    let mut world = World::new(server.store().clone(), 1, 0);
    runtime.spawn(async move {
        let mut ticks = interval(Duration::from_millis(TICK_MS.unsigned_abs()));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let due = world.store().clock().due();
            for _ in 0..STRIDE.min(due - world.tick()) {
                world.advance(world.tick() + 1);
            }
        }
    })
}
