//! The fleet: its clusters' servers and their lives, on a runtime of their own in a thread of their own, so
//! that whatever the console does or waits for, the clusters go on.

use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::api::{Identity, Seam, Server};
use super::cast::{self, Profile};
use super::clock::{TICK_MS, wall};
use super::outage::Outages;
use super::store::Store;
use super::world::World;
use super::world::traffic::Board;

/// After a sleep of the machine the clusters catch up in strides of so many ticks.
const STRIDE: i64 = 20;

#[derive(Debug, Clone)]
pub struct Options {
    pub clusters: usize,
    /// Pods per cluster, about.
    pub pods: usize,
    pub seed: u64,
    /// Does a cluster stop answering now and then?
    pub outages: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { clusters: 3, pods: 100, seed: 2026, outages: true }
    }
}

/// The running fleet. Dropping it ends its servers and its life.
pub struct Fleet {
    members: Vec<Member>,
    token: String,
    /// Dropped to end everything.
    alive: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// One cluster of the fleet.
pub struct Member {
    pub name: String,
    pub url: String,
    /// `aws`, `gcp` or `azure`
    pub cloud: &'static str,
    pub region: String,
    server: Arc<Server>,
}

impl Member {
    /// From now on the cluster accepts and reads, and answers nothing; open streams fall silent.
    pub fn pause(&self) {
        self.server.seam().pause();
    }

    pub fn resume(&self) {
        self.server.seam().resume();
    }

    pub fn store(&self) -> &Arc<Store> {
        self.server.store()
    }

    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }
}

/// What the fleet's thread needs of one cluster.
struct Cluster {
    profile: Profile,
    board: Arc<Board>,
    server: Arc<Server>,
    listener: TcpListener,
}

impl Fleet {
    /// Binds all listeners and returns; a cluster answers as soon as its past is played.
    pub fn start(options: &Options) -> io::Result<Fleet> {
        let start = wall();
        let token = format!("demo-{:016x}", fastrand::Rng::new().u64(..));
        let mut clusters = Vec::new();
        let board = Arc::new(Board::default());
        let mut members = Vec::new();
        for profile in cast::profiles(options.clusters, options.pods, options.seed) {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let url = format!("http://{}", listener.local_addr()?);
            let identity =
                Identity { git_version: profile.cloud.git_version().to_owned(), token: token.clone() };
            let server = Server::new(cast::store(&profile, start), identity);
            members.push(Member {
                name: profile.name.clone(),
                url,
                cloud: profile.cloud.name(),
                region: profile.region.clone(),
                server: server.clone(),
            });
            clusters.push(Cluster { profile, board: board.clone(), server, listener });
        }
        let runtime =
            Builder::new_multi_thread().worker_threads(2).thread_name("demo").enable_all().build()?;
        let (alive, end) = watch::channel(());
        let outages = options.outages.then(|| Outages::new(options.seed, options.clusters));
        let life = move || live(runtime, clusters, outages, end);
        let thread = std::thread::Builder::new().name("demo-fleet".to_owned()).spawn(life)?;
        Ok(Fleet { members, token, alive: Some(alive), thread: Some(thread) })
    }

    /// The same clusters without servers, for stepping by hand: worlds at tick 0 that begin at `start`.
    pub fn rehearse(options: &Options, start: DateTime<Utc>) -> Vec<World> {
        let profiles = cast::profiles(options.clusters, options.pods, options.seed);
        let board = Arc::new(Board::default());
        let raise = |profile| {
            let mut world = cast::raise(profile, cast::store(profile, start));
            world.join(board.clone());
            world
        };
        profiles.iter().map(raise).collect()
    }

    pub fn clusters(&self) -> &[Member] {
        &self.members
    }

    /// A kubeconfig with a context per cluster, the first one current.
    pub fn kubeconfig(&self) -> String {
        kubeconfig(&self.places(), ("demo", &self.token))
    }

    /// The same for the account that may read and nothing more.
    pub fn viewer_kubeconfig(&self) -> String {
        let identity = Identity { token: self.token.clone(), ..Identity::default() };
        kubeconfig(&self.places(), ("viewer", &identity.viewer_token()))
    }

    fn places(&self) -> Vec<(&str, &str)> {
        self.members.iter().map(|member| (member.name.as_str(), member.url.as_str())).collect()
    }
}

/// A kubeconfig of contexts by name and URL, all for one user.
pub(super) fn kubeconfig(places: &[(&str, &str)], (user, token): (&str, &str)) -> String {
    let mut text = String::from("apiVersion: v1\nkind: Config\npreferences: {}\n");
    if let Some((first, _)) = places.first() {
        let _ = writeln!(text, "current-context: {first}");
    }
    text.push_str("clusters:\n");
    for (name, url) in places {
        let _ = writeln!(text, "- name: {name}\n  cluster:\n    server: {url}");
    }
    let _ = writeln!(text, "users:\n- name: {user}\n  user:\n    token: {token}");
    text.push_str("contexts:\n");
    for (name, _) in places {
        let _ = writeln!(text, "- name: {name}\n  context:\n    cluster: {name}\n    user: {user}");
    }
    text
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for member in &self.members {
            // A silent cluster holds its requests back; they must not outlive it.
            member.resume();
        }
        drop(self.alive.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

/// The thread: every cluster plays its past, then serves and lives until the end.
fn live(runtime: Runtime, clusters: Vec<Cluster>, outages: Option<Outages>, end: watch::Receiver<()>) {
    let servers: Vec<Arc<Server>> = clusters.iter().map(|cluster| cluster.server.clone()).collect();
    for cluster in clusters {
        runtime.spawn(lead(cluster));
    }
    if let (Some(outages), Some(first)) = (outages, servers.first().cloned()) {
        let seams: Vec<Arc<Seam>> = servers.iter().map(|server| server.seam().clone()).collect();
        runtime.spawn(silence(outages, first, seams));
    }
    let mut end = end;
    runtime.block_on(async move {
        // Nothing is ever sent: the wait ends when the fleet is dropped.
        let _ = end.changed().await;
    });
    // A past that is still being played is not waited for.
    runtime.shutdown_background();
}

async fn lead(cluster: Cluster) {
    let Cluster { profile, board, server, listener } = cluster;
    let store = server.store().clone();
    let raised = tokio::task::spawn_blocking(move || cast::raise(&profile, store)).await;
    let Ok(mut world) = raised else { return };
    world.join(board);
    tokio::spawn(async move {
        // It ends with an error only if its listener breaks; then the cluster is simply gone.
        let _ = server.serve(listener).await;
    });
    let mut ticks = heartbeat();
    loop {
        ticks.tick().await;
        let due = world.store().clock().due();
        for _ in 0..STRIDE.min(due - world.tick()) {
            world.step();
        }
    }
}

async fn silence(mut outages: Outages, first: Arc<Server>, seams: Vec<Arc<Seam>>) {
    let mut ticks = heartbeat();
    let mut silent = None;
    loop {
        ticks.tick().await;
        let now = outages.silent_at(first.store().clock().due());
        if now == silent {
            continue;
        }
        if let Some(seam) = silent.and_then(|index: usize| seams.get(index)) {
            seam.resume();
        }
        if let Some(seam) = now.and_then(|index| seams.get(index)) {
            seam.pause();
        }
        silent = now;
    }
}

fn heartbeat() -> tokio::time::Interval {
    let mut ticks = interval(Duration::from_millis(TICK_MS.unsigned_abs()));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
