//! A day of a server, watched in virtual time: what was true when, and whether anything was ever shown as live that
//! was not true any more.
//!
//! Console, servers and the wire between them run on one thread whose clock leaps when everybody waits. What one side
//! sends over loopback is there before the other side looks, so a leap overtakes nothing.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use skydeck::demo::resource;
use skydeck::demo::store::{Key, Query};
use skydeck::fleet::Kind;
use skydeck::state::Freshness;
use skydeck::state::select::clusters::{Liveness, rows};
use tokio::time::{Instant, timeout};

use crate::cluster::{Api, Console};
use crate::proxy::{Mode, Proxy};

/// P1: what is shown as live was so at most so long ago.
const MARKED: Duration = Duration::from_secs(50);
/// P2: after a fault the picture is the server's within so long.
const MENDED: Duration = Duration::from_secs(30);
/// What was dropped within a watch that goes on leaves no trace. So long it may look live, on a server that answers:
/// five minutes to the next look at the most, two watches until it is judged, and what answers take.
pub const NOTICED: Duration = Duration::from_secs(300 + 2 * WATCH.as_secs() + 3);
/// The longest of watches.
const WATCH: Duration = Duration::from_secs(21);
const STEP: Duration = Duration::from_secs(1);

/// Runs in virtual time, with the same dice every time.
pub fn virtually<F: Future>(seed: u64, future: F) -> F::Output {
    fastrand::seed(seed);
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap().block_on(future)
}

/// Does something with each, as many at once as there are cores; every one that fails is told at the end.
pub fn each<T: Sync>(items: &[T], name: impl Fn(&T) -> String + Sync, act: impl Fn(&T) + Sync) {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(why) = catch_unwind(AssertUnwindSafe(|| act(item))) {
                        failed.lock().unwrap().push(format!("{}: {}", name(item), words(&*why)));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), items.len(), failed.join("\n"));
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|it| (*it).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// What is in a cluster, as far as these tests look: Deployments with their replicas, and Nodes.
type Picture = BTreeMap<(Kind, String), u32>;

pub struct Day {
    /// The server that stands at the address now.
    pub api: Api,
    /// Those that stood there before; they live on.
    before: Vec<Api>,
    pub proxy: Proxy,
    pub console: Console,
    /// What was there, since when.
    truth: Vec<(Instant, Picture)>,
    /// So long something may look live that is not so any more.
    marked: Duration,
    /// Events are dropped within watches that go on.
    drops: bool,
    /// How often everything was mended.
    mended: u32,
    replaced: u32,
    /// Something on the way knows only JSON, whoever stands at the address.
    only_json: bool,
    /// So many changes are not in a copy. Should as many happen before the console is back, nobody can tell.
    pub copies_are_older_by: u64,
}

impl Day {
    /// A cluster with some objects and a console that looks at it through a proxy.
    pub async fn start(prepare: impl FnOnce(&Api, &Proxy)) -> Day {
        Day::of(false, prepare).await
    }

    /// The same behind a gateway that knows only JSON.
    pub async fn in_json() -> Day {
        Day::of(true, |_, _| {}).await
    }

    async fn of(only_json: bool, prepare: impl FnOnce(&Api, &Proxy)) -> Day {
        let api = populated("c0", 300);
        api.seam().only_json(only_json);
        let proxy = Proxy::start(api.address).await;
        prepare(&api, &proxy);
        let console = Console::at(proxy.address, "");
        let mut day = Day {
            api,
            before: Vec::new(),
            proxy,
            console,
            truth: Vec::new(),
            marked: MARKED,
            drops: false,
            mended: 0,
            replaced: 0,
            only_json,
            copies_are_older_by: 150,
        };
        day.note();
        day
    }

    pub fn deployment(&mut self, number: u8, replicas: u32) {
        self.api.deployment(&named(&self.api, number), replicas);
        self.note();
    }

    pub fn node(&mut self, number: u8) {
        node(&self.api, number);
        self.note();
    }

    pub fn delete(&mut self, number: u8) {
        let key = Key::new("a", &named(&self.api, number));
        self.api.store.remove(resource::Kind::Deployments, &key);
        self.note();
    }

    pub fn delete_node(&mut self, number: u8) {
        let key = Key::new("", &named(&self.api, number));
        self.api.store.remove(resource::Kind::Nodes, &key);
        self.note();
    }

    /// From now on bytes are lost.
    pub fn swallow(&mut self) {
        self.proxy.set(Mode::Swallow);
    }

    /// Events may be dropped within watches that go on; so long that may look live.
    pub fn drop_events(&mut self, noticed: Duration) {
        (self.marked, self.drops) = (noticed, true);
    }

    /// From now on another cluster stands at the address.
    pub fn replace(&mut self, changes: u64) {
        self.replaced += 1;
        let uid = format!("c{}", self.replaced);
        self.stand(populated(&uid, changes));
    }

    /// The same cluster as it was some changes ago: restored from a copy. What was made last is not in it.
    pub fn restore(&mut self) {
        let Some(changes) = self.api.store.version().checked_sub(self.copies_are_older_by) else { return };
        let restored = Api::start(&self.api.uid, None);
        restored.age(changes);
        for kind in [resource::Kind::Deployments, resource::Kind::Nodes] {
            let objects = self.api.store.list(kind, &Query::all()).objects;
            for object in objects.iter().skip(1) {
                let mut value = object.value();
                for field in ["uid", "resourceVersion"] {
                    value["metadata"].as_object_mut().unwrap().remove(field);
                }
                restored.store.put(kind, value);
            }
        }
        self.stand(restored);
    }

    fn stand(&mut self, api: Api) {
        api.seam().only_json(self.only_json);
        self.proxy.lead_to(api.address);
        self.before.push(std::mem::replace(&mut self.api, api));
        self.note();
    }

    /// Time goes by; every look is checked.
    pub async fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.look(STEP.min(end - Instant::now())).await;
        }
    }

    /// Everything is mended, and something changes; the picture must be the server's in time.
    pub async fn recover(&mut self) {
        for api in self.before.iter().chain([&self.api]) {
            api.seam().mend();
            api.seam().resume();
        }
        self.proxy.set(Mode::Pass);
        self.mended += 1;
        self.deployment(7, 10 + self.mended);
        let now = Instant::now();
        // A watch that drops events may go on for as long as it was asked to.
        let dropping = if self.drops { now + WATCH + NOTICED } else { now };
        let deadline = (now + MENDED).max(dropping);
        while !self.equals() {
            assert!(Instant::now() < deadline, "not equal in time: {}", self.told());
            self.look(STEP).await;
        }
        for api in self.before.drain(..) {
            api.end().await;
        }
    }

    /// The picture is the server's, and all of it is live.
    pub fn equals(&self) -> bool {
        self.console.liveness() == Liveness::Live && self.console.shows(&self.api)
    }

    /// What is on the screen, for those who read of a failure.
    pub fn told(&self) -> String {
        let sources = self.console.cluster().sources.iter();
        let states: BTreeSet<_> = sources.map(|(_, source)| format!("{:?}", source.state)).collect();
        let row = rows(&self.console.session.state).remove(0);
        let (shown, truth) = (self.shown(), &self.truth.last().unwrap().1);
        format!("{:?} ({}): shows {shown:?}, is {truth:?}; {states:?}", row.liveness, row.problem)
    }

    async fn look(&mut self, at_most: Duration) {
        let _ = timeout(at_most, self.console.session.fold()).await;
        self.console.session.tick();
        self.check();
    }

    /// Whatever is said to be live was so within the time of P1, and nothing is of two clusters.
    fn check(&self) {
        let (shown, state) = (self.shown(), self.console.state());
        let clusters: BTreeSet<_> = shown.keys().map(|(_, name)| name.split('.').next().unwrap()).collect();
        assert!(clusters.len() < 2, "of two clusters at once: {}", self.told());
        let horizon = Instant::now().checked_sub(self.marked);
        let begin = horizon.and_then(|it| self.truth.iter().rposition(|(since, _)| *since <= it));
        let begin = begin.unwrap_or(0);
        let lately = &self.truth[begin..];
        for kind in [Kind::Deployment, Kind::Node] {
            let fresh = self.console.cluster().freshness(kind, state.now, state.settings.stale_after);
            if fresh != Freshness::Live {
                continue;
            }
            let known = lately.iter().flat_map(|(_, picture)| picture.keys()).chain(shown.keys());
            for key in known.filter(|(of, _)| *of == kind) {
                let own = shown.get(key);
                assert!(
                    lately.iter().any(|(_, picture)| picture.get(key) == own),
                    "{key:?} is shown as {own:?} and live, and was not so for {:?}: {}",
                    self.marked,
                    self.told()
                );
            }
        }
    }

    fn shown(&self) -> Picture {
        let objects = &self.console.cluster().objects;
        let workloads = objects.workloads.values();
        let workloads = workloads.map(|it| ((Kind::Deployment, it.key.name.to_string()), it.desired));
        let nodes = objects.nodes.values().map(|it| ((Kind::Node, it.name.to_string()), 0));
        workloads.chain(nodes).collect()
    }

    /// Remembers what is there now; after every single change.
    fn note(&mut self) {
        let mut picture = Picture::new();
        for (kind, of) in
            [(Kind::Deployment, resource::Kind::Deployments), (Kind::Node, resource::Kind::Nodes)]
        {
            for object in self.api.store.list(of, &Query::all()).objects {
                let value = object.value();
                let name = value["metadata"]["name"].as_str().unwrap().to_owned();
                let replicas = value["spec"]["replicas"].as_u64().unwrap_or_default() as u32;
                picture.insert((kind, name), replicas);
            }
        }
        // What was longer ago than anybody asks is forgotten.
        let old = self.truth.iter().take_while(|(since, _)| since.elapsed() > self.marked).count();
        self.truth.drain(..old.saturating_sub(1));
        self.truth.push((Instant::now(), picture));
    }
}

fn named(api: &Api, number: u8) -> String {
    format!("{}.{number}", api.uid)
}

fn node(api: &Api, number: u8) {
    api.store.put(resource::Kind::Nodes, json!({"metadata": {"name": named(api, number)}}));
}

fn populated(uid: &str, changes: u64) -> Api {
    let api = Api::start(uid, None);
    api.age(changes);
    for number in 0..5 {
        api.deployment(&named(&api, number), number.into());
    }
    node(&api, 0);
    node(&api, 1);
    api
}
