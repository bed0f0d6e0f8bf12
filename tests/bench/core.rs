//! What the parts cost: reading each form of the wire, the fold, the selectors, a frame of each panel.
//!
//! `cargo bench --bench core`, or with a part of a name behind it. Times are of one thread; allocations are counted
//! beside them, since they say what grows.

#![expect(clippy::unwrap_used, reason = "a bench that cannot set up its world has failed")]

mod bodies;
mod large;
#[expect(dead_code, reason = "the worlds of the tests, of which benches need a part")]
#[path = "../core/world.rs"]
mod world;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::rc::Rc;

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value;
use skydeck::app::{Msg, update, view};
use skydeck::clients::kube::wire::Encoding;
use skydeck::clients::kube::wire::list::{ListDecoder, Part};
use skydeck::clients::kube::wire::stream::{Event, WatchDecoder};
use skydeck::config::job_kind;
use skydeck::fleet::{ClusterId, Fact, Kind, Now, SourceFact, Unix};
use skydeck::panels::{ALL, PanelId};
use skydeck::sources::kube::convert::Cx;
use skydeck::sources::kube::kinds::{self, Resource};
use skydeck::state::select::{clusters, jobs, replicas, routes, totals};
use skydeck::state::{ClusterSpec, Settings, State};
use world::{NOW, Screen, source};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

/// Rows of the fleets that are measured.
const ROWS: [usize; 3] = [1_000, 10_000, 50_000];
/// Bodies come in pieces of this size.
const PIECE: usize = 16 << 10;
const PODS: usize = 1_000;
const SIZE: (u16, u16) = (120, 36);

fn main() {
    divan::main();
}

fn resource(plural: &str) -> Resource {
    let custom = kinds::custom(&job_kind::built_in());
    kinds::built_in().into_iter().chain(custom).find(|it| it.plural == plural).unwrap()
}

fn cx() -> Cx {
    Cx::new(vec!["app.kubernetes.io/version".to_owned()].into())
}

fn read_list(resource: &Resource, encoding: Encoding, body: &[u8], cx: &mut Cx) -> Vec<SourceFact> {
    let mut decoder = ListDecoder::new(encoding);
    let (mut parts, mut facts) = (Vec::new(), Vec::new());
    let mut take = |parts: &mut Vec<Part>| {
        for part in parts.drain(..) {
            if let Part::Item(bytes) = part {
                facts.extend(resource.read(encoding, &bytes, cx).unwrap().object.map(SourceFact::Item));
            }
        }
    };
    for piece in body.chunks(PIECE) {
        decoder.feed(piece, &mut parts).unwrap();
        take(&mut parts);
    }
    decoder.finish().unwrap();
    take(&mut parts);
    facts
}

fn read_watch(encoding: Encoding, body: &[u8], cx: &mut Cx) -> usize {
    let resource = resource("pods");
    let mut decoder = WatchDecoder::new(encoding);
    let (mut events, mut read) = (Vec::new(), 0);
    for piece in body.chunks(PIECE) {
        decoder.feed(piece, &mut events).unwrap();
        for event in events.drain(..) {
            if let Event::Applied(bytes) = event {
                read += usize::from(resource.read(encoding, &bytes, cx).unwrap().object.is_some());
            }
        }
    }
    read
}

#[divan::bench_group(name = "decode_1000_objects")]
mod decode {
    use super::{
        Bencher, BytesCount, Encoding, ItemsCount, PODS, bodies, cx, read_list, read_watch, resource,
    };

    #[divan::bench]
    fn pods_list_protobuf(bencher: Bencher<'_, '_>) {
        list(bencher, "pods", Encoding::Protobuf, &bodies::protobuf_list(PODS));
    }

    #[divan::bench]
    fn pods_list_json(bencher: Bencher<'_, '_>) {
        list(bencher, "pods", Encoding::Json, &bodies::json_list(PODS));
    }

    #[divan::bench]
    fn pods_watch_protobuf(bencher: Bencher<'_, '_>) {
        watch(bencher, Encoding::Protobuf, &bodies::protobuf_watch(PODS));
    }

    #[divan::bench]
    fn pods_watch_json(bencher: Bencher<'_, '_>) {
        watch(bencher, Encoding::Json, &bodies::json_watch(PODS));
    }

    /// By the rules of a job kind: paths into JSON.
    #[divan::bench]
    fn training_jobs_list(bencher: Bencher<'_, '_>) {
        list(bencher, "trainingjobs", Encoding::Json, &bodies::training_jobs(PODS));
    }

    #[divan::bench]
    fn virtual_services_list(bencher: Bencher<'_, '_>) {
        list(bencher, "virtualservices", Encoding::Json, &bodies::virtual_services(PODS));
    }

    fn list(bencher: Bencher<'_, '_>, plural: &str, encoding: Encoding, body: &[u8]) {
        let resource = resource(plural);
        let bencher = bencher.counter(ItemsCount::new(PODS)).counter(BytesCount::new(body.len()));
        bencher.with_inputs(cx).bench_local_values(|mut cx| {
            assert_eq!(read_list(&resource, encoding, body, &mut cx).len(), PODS);
        });
    }

    fn watch(bencher: Bencher<'_, '_>, encoding: Encoding, body: &[u8]) {
        let bencher = bencher.counter(ItemsCount::new(PODS)).counter(BytesCount::new(body.len()));
        bencher.with_inputs(cx).bench_local_values(|mut cx| {
            assert_eq!(read_watch(encoding, body, &mut cx), PODS);
        });
    }
}

/// Facts of a list of so many pods.
fn facts(pods: usize) -> Vec<Fact> {
    let body = bodies::protobuf_list(pods);
    let items = read_list(&resource("pods"), Encoding::Protobuf, &body, &mut cx());
    let id = source(ClusterId(0), Kind::Pod);
    let facts = std::iter::once(SourceFact::Begin).chain(items).chain([SourceFact::Complete]);
    facts.map(|it| Fact::Source(id, NOW.mono, it)).collect()
}

fn empty() -> State {
    let mut state = State::new(Settings::default());
    state.tick(NOW);
    state.add_cluster(ClusterId(0), ClusterSpec::default());
    state
}

fn fold(state: &mut State, facts: Vec<Fact>) {
    for fact in facts {
        state.apply(fact);
    }
}

#[divan::bench_group(name = "fold_pods", sample_count = 20)]
mod folds {
    use super::{Bencher, ItemsCount, ROWS, empty, facts, fold};

    #[divan::bench(args = ROWS)]
    fn first_list(bencher: Bencher<'_, '_>, pods: usize) {
        let facts = facts(pods);
        let bencher = bencher.counter(ItemsCount::new(pods));
        bencher.with_inputs(|| (empty(), facts.clone())).bench_local_values(|(mut state, facts)| {
            fold(&mut state, facts);
            state
        });
    }

    #[divan::bench(args = ROWS)]
    fn relist_without_changes(bencher: Bencher<'_, '_>, pods: usize) {
        let facts = facts(pods);
        let mut state = empty();
        fold(&mut state, facts.clone());
        let bencher = bencher.counter(ItemsCount::new(pods));
        bencher.with_inputs(|| facts.clone()).bench_local_values(|facts| fold(&mut state, facts));
    }
}

thread_local! {
    /// Fleets are made once: that takes longer than what is measured.
    static FLEETS: RefCell<BTreeMap<usize, Rc<RefCell<Screen>>>> = const { RefCell::new(BTreeMap::new()) };
}

fn screen(rows: usize) -> Rc<RefCell<Screen>> {
    FLEETS.with(|fleets| {
        let mut fleets = fleets.borrow_mut();
        let made = fleets
            .entry(rows)
            .or_insert_with(|| Rc::new(RefCell::new(Screen::new(large::fleet(rows), SIZE))));
        Rc::clone(made)
    })
}

#[divan::bench_group(name = "selectors", sample_count = 30)]
mod selectors {
    use super::{
        Bencher, Changes, ROWS, black_box, clusters, jobs, next_second, replicas, routes, screen, totals,
    };

    #[divan::bench(args = ROWS)]
    fn header(bencher: Bencher<'_, '_>, rows: usize) {
        bencher.bench_local(|| totals::totals(black_box(&screen(rows).borrow().app.state)));
    }

    #[divan::bench(args = ROWS)]
    fn cluster_rows(bencher: Bencher<'_, '_>, rows: usize) {
        bencher.bench_local(|| clusters::rows(black_box(&screen(rows).borrow().app.state)));
    }

    #[divan::bench(args = ROWS)]
    fn job_rows(bencher: Bencher<'_, '_>, rows: usize) {
        bencher.bench_local(|| jobs::rows(black_box(&screen(rows).borrow().app.state)));
    }

    #[divan::bench(args = ROWS)]
    fn workload_groups(bencher: Bencher<'_, '_>, rows: usize) {
        bencher.bench_local(|| replicas::groups(black_box(&screen(rows).borrow().app.state)));
    }

    #[divan::bench(args = ROWS)]
    fn route_rows(bencher: Bencher<'_, '_>, rows: usize) {
        bencher.bench_local(|| routes::rows::rows(black_box(&screen(rows).borrow().app.state)));
    }

    /// A second passes, and nothing else.
    #[divan::bench(args = ROWS)]
    fn findings_of_a_quiet_second(bencher: Bencher<'_, '_>, rows: usize) {
        let screen = screen(rows);
        bencher.bench_local(|| screen.borrow_mut().app.state.tick(next_second()));
    }

    /// A pod has changed since.
    #[divan::bench(args = ROWS)]
    fn findings_after_a_change(bencher: Bencher<'_, '_>, rows: usize) {
        let (screen, mut changes) = (screen(rows), Changes::of_pod(rows));
        bencher.bench_local(|| {
            let state = &mut screen.borrow_mut().app.state;
            state.apply(changes.next());
            state.tick(next_second());
        });
    }
}

#[divan::bench_group(name = "frames", sample_count = 30)]
mod frames {
    use super::{Bencher, Case, Changes, Msg, buffer, next_second, on, panels_and_rows, update, view};

    /// A pod has changed: fold, selectors, picture.
    #[divan::bench(args = panels_and_rows())]
    fn after_a_pod_changed(bencher: Bencher<'_, '_>, Case(panel, rows): Case) {
        after(bencher, Case(panel, rows), Changes::of_pod(rows));
    }

    #[divan::bench(args = panels_and_rows())]
    fn after_a_workload_changed(bencher: Bencher<'_, '_>, Case(panel, rows): Case) {
        after(bencher, Case(panel, rows), Changes::of_workload(rows));
    }

    #[divan::bench(args = panels_and_rows())]
    fn after_a_job_changed(bencher: Bencher<'_, '_>, Case(panel, rows): Case) {
        after(bencher, Case(panel, rows), Changes::of_job(rows));
    }

    fn after(bencher: Bencher<'_, '_>, Case(panel, rows): Case, mut changes: Changes) {
        let (screen, mut buffer) = (on(panel, rows), buffer());
        bencher.bench_local(|| {
            let app = &mut screen.borrow_mut().app;
            update(app, Msg::Facts(vec![changes.next()]));
            app.needs_frame();
            view(app, &mut buffer);
        });
    }

    /// A second has passed, and nothing else.
    #[divan::bench(args = panels_and_rows())]
    fn of_a_quiet_second(bencher: Bencher<'_, '_>, Case(panel, rows): Case) {
        let (screen, mut buffer) = (on(panel, rows), buffer());
        bencher.bench_local(|| {
            let app = &mut screen.borrow_mut().app;
            update(app, Msg::Tick { now: next_second(), slept: false });
            app.needs_frame();
            view(app, &mut buffer);
        });
    }
}

fn panels_and_rows() -> Vec<Case> {
    ALL.iter().flat_map(|entry| ROWS.map(|rows| Case(entry.title, rows))).collect()
}

fn on(panel: &str, rows: usize) -> Rc<RefCell<Screen>> {
    let id: PanelId = ALL.iter().find(|entry| entry.title == panel).unwrap().id;
    let screen = screen(rows);
    screen.borrow_mut().app.go_to(id);
    screen
}

fn buffer() -> Buffer {
    Buffer::empty(Rect { x: 0, y: 0, width: SIZE.0, height: SIZE.1 })
}

/// A panel and a number of rows.
#[derive(Clone, Copy)]
struct Case(&'static str, usize);

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}

/// The seconds of all benches, one after the other, for no state may see time go back. What was heard stays fresh:
/// a hundred of them pass in one second of the console's own clock.
fn next_second() -> Now {
    thread_local! {
        static PASSED: RefCell<i64> = const { RefCell::new(100) };
    }
    PASSED.with(|passed| {
        *passed.borrow_mut() += 1;
        let passed = *passed.borrow();
        Now { mono: skydeck::fleet::Mono(NOW.mono.0 + passed as u64), unix: Unix(NOW.unix.0 + passed) }
    })
}

/// One object that falls ill and gets well again, told by its watch.
struct Changes {
    facts: [Fact; 2],
    turn: usize,
}

impl Changes {
    fn of_pod(rows: usize) -> Self {
        Self::of("pods", [true, false].map(|sick| bodies::one_pod(rows, sick)))
    }

    fn of_workload(rows: usize) -> Self {
        Self::of("deployments", [true, false].map(|sick| bodies::one_workload(rows, sick)))
    }

    fn of_job(rows: usize) -> Self {
        Self::of("jobs", [true, false].map(|sick| bodies::one_job(rows, sick)))
    }

    fn of(plural: &str, states: [Value; 2]) -> Self {
        let resource = resource(plural);
        let facts = states.map(|state| {
            let bytes = bytes::Bytes::from(state.to_string());
            let object = resource.read(Encoding::Json, &bytes, &mut cx()).unwrap().object.unwrap();
            Fact::Source(source(ClusterId(0), resource.kind), NOW.mono, SourceFact::Item(object))
        });
        Self { facts, turn: 0 }
    }

    fn next(&mut self) -> Fact {
        self.turn += 1;
        self.facts[self.turn % 2].clone()
    }
}
