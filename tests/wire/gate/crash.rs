//! A console dies at every boundary of an operation over three clusters, as a process dies that gets no chance to tidy
//! up, and another one starts from its journal. What that one says must be what the servers have, and no request may
//! be lost, repeated or forgotten (P6).
//!
//! The console that dies is this test's own program, started again for one test: its loop counts the boundaries, and
//! everything below the loop is the product's.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::time::Duration;

use futures::StreamExt;
use rustix::process::{Signal, getpid, kill_process};
use skydeck::config::Config;
use skydeck::demo::api::Which;
use skydeck::effects::hand::{self, Hand};
use skydeck::effects::journal::Clerk;
use skydeck::fleet::{Age, ChangeId};
use skydeck::gate::machine::{Command, Event};
use skydeck::gate::operation::{Outcome, Phase};
use skydeck::gate::{Desk, Policy, Sight, StepState};
use skydeck::runtime::headless::Headless;
use skydeck::sources::inventory::{self, Places};
use tokio::sync::mpsc::Receiver;

use super::bed::{Bed, Verb, quick};
use super::sitting::{Sitting, rests, told};

/// In a child: boundary to die at, folder.
const CHILD: &str = "SKYDECK_TEST_DIES_AT";
/// A console that neither dies nor ends.
const LONGEST_LIFE: Duration = Duration::from_mins(1);
const VERB: Verb = Verb::Route;

fn policy() -> Policy {
    Policy { settle: Age(2), ..quick() }
}

#[test]
fn killed_at_every_boundary_the_next_console_says_the_truth_and_brings_it_to_its_end() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Ok(told) = env::var(CHILD) {
        let (boundary, folder) = told.split_once(' ').unwrap();
        let life = live(boundary.parse().unwrap(), Path::new(folder));
        return runtime.block_on(async { tokio::time::timeout(LONGEST_LIFE, life).await.unwrap() });
    }
    let own = std::thread::current().name().unwrap().to_owned();
    runtime.block_on(async {
        let count = boundaries(&own).await;
        assert!(count > 60, "an operation of three steps has more than {count} boundaries");
        let runs = (0..count).map(|boundary| die(&own, Death::Boundary(boundary)));
        let on_the_wire = (0..3).flat_map(|at| [true, false].map(|before| Death::Wire { at, before }));
        let runs = runs.chain(on_the_wire.map(|death| die(&own, death)));
        let seen: Vec<_> = futures::stream::iter(runs).buffered(20).collect().await;
        println!("| killed | the next console says | requests | after resume |\n|---|---|---|---|");
        for line in &seen {
            println!("{line}");
        }
        assert_eq!(seen.iter().filter(|it| it.starts_with("| in c")).count(), 6);
    });
}

/// Where the console dies.
#[derive(Debug, Clone, Copy)]
enum Death {
    /// Before or after a command is done or an event is taken.
    Boundary(usize),
    /// While a cluster works on its request: before it is done, or after it and before the answer.
    Wire { at: usize, before: bool },
}

impl std::fmt::Display for Death {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Boundary(number) => write!(f, "at boundary {number}"),
            Self::Wire { at, before: true } => write!(f, "in c{at}, before it was done"),
            Self::Wire { at, before: false } => write!(f, "in c{at}, after it was done"),
        }
    }
}

struct Place {
    bed: Bed,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { bed: Bed::new(&["one", "two", "three"]), folder: tempfile::tempdir().unwrap() };
        std::fs::write(place.folder.path().join("kubeconfig"), place.bed.kubeconfig()).unwrap();
        place
    }

    fn journal(&self) -> PathBuf {
        journal(self.folder.path())
    }

    fn start(&self, own: &str, boundary: usize) -> Child {
        Process::new(env::current_exe().unwrap())
            .args(["--exact", own, "--nocapture", "--test-threads=1"])
            .env(CHILD, format!("{boundary} {}", self.folder.path().display()))
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Every request of a change, with its mark.
    fn marks(&self) -> Vec<String> {
        let all = self.bed.clusters.iter().flat_map(|it| it.seam().record(&Which::write()));
        all.filter_map(|asked| asked.change().map(str::to_owned)).collect()
    }

    /// Which clusters have the new weights.
    fn applied(&self) -> [bool; 3] {
        [0, 1, 2].map(|at| VERB.value(self.bed.store(at)) == VERB.after())
    }

    /// How often each object was changed.
    fn changes(&self) -> [i64; 3] {
        let (kind, key) = VERB.target();
        [0, 1, 2].map(|at| {
            let object = self.bed.store(at).get(kind, &key).unwrap().value();
            object["metadata"]["generation"].as_i64().unwrap() - 1
        })
    }
}

fn journal(folder: &Path) -> PathBuf {
    folder.join("state/journal.jsonl")
}

/// How many there are when nobody dies.
async fn boundaries(own: &str) -> usize {
    let place = Place::new();
    let mut child = place.start(own, usize::MAX);
    let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert!(status.success());
    assert_eq!(place.applied(), [true; 3]);
    std::fs::read_to_string(place.folder.path().join("count")).unwrap().parse().unwrap()
}

async fn die(own: &str, death: Death) -> String {
    let place = Place::new();
    let boundary = if let Death::Boundary(number) = death { number } else { usize::MAX };
    let mut child = place.start(own, boundary);
    if let Death::Wire { at, before } = death {
        let id = rustix::process::Pid::from_child(&child);
        let kill = move || kill_process(id, Signal::KILL).unwrap();
        let seam = place.bed.seam(at);
        if before { seam.before(VERB.write(), kill) } else { seam.after(VERB.write(), kill) }
    }
    let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert!(!status.success(), "{death}: it was killed");
    // What was on its way when it died arrives now or never.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (words, sent, console) = tells_the_truth(&place, death).await;
    let end = match console {
        Some(console) => comes_to_its_end(&place, death, console).await,
        None => String::new(),
    };
    format!("| {death} | {words} | {sent} | {end} |")
}

/// A new console reads back what is unknown, sends nothing, and says of each step what its server has.
async fn tells_the_truth(place: &Place, death: Death) -> (String, usize, Option<(Sitting, ChangeId)>) {
    let sent = place.marks();
    let mut sitting = sit(place).await;
    let Some(id) = only(&sitting) else {
        assert!(sent.is_empty(), "{death}: forgotten: {sent:?}");
        assert_eq!(place.applied(), [false; 3]);
        return ("nothing was begun".into(), 0, None);
    };
    let was_open = sitting.operation(&id).is_open();
    // Not because it could not go on: nobody has said so.
    sitting.driver.unlock(&id);
    sitting.rest(&id).await;
    for _ in 0..3 {
        sitting.driver.turn().await;
    }
    assert_eq!(place.marks(), sent, "{death}: something went on by itself");
    let operation = sitting.operation(&id);
    assert!(!was_open || matches!(operation.phase, Phase::Paused(_)), "{death}: {:?}", operation.phase);
    for (at, applied) in place.applied().into_iter().enumerate() {
        let step = &operation.steps[at];
        assert_eq!(step.state.is_applied(), applied, "{death}: c{at} is said to be {:?}", step.state);
    }
    (told(operation), sent.len(), Some((sitting, id)))
}

/// Somebody goes on with it: every cluster gets it once.
async fn comes_to_its_end(place: &Place, death: Death, (mut sitting, id): (Sitting, ChangeId)) -> String {
    if sitting.operation(&id).is_open() {
        sitting.driver.unlock(&id);
        sitting.driver.on(&id, Event::Continue { actor: hand::actor() });
        sitting.until(&id, "at its end", |it| matches!(it.phase, Phase::Ended(_))).await;
    }
    let operation = sitting.operation(&id);
    assert_eq!(operation.phase, Phase::Ended(Outcome::Done), "{death}: {}", told(operation));
    assert_eq!((place.applied(), place.changes()), ([true; 3], [1; 3]), "{death}: each once");
    let mut marks = place.marks();
    let all = marks.len();
    marks.sort();
    marks.dedup();
    assert_eq!(marks.len(), all, "{death}: a request was sent twice: {marks:?}");
    told(operation)
}

async fn sit(place: &Place) -> Sitting {
    Sitting::with_journal(&place.bed.kubeconfig(), policy(), place.journal()).await
}

fn only(sitting: &Sitting) -> Option<ChangeId> {
    let all = sitting.driver.desk.operations();
    assert!(all.len() <= 1);
    all.first().map(|it| it.id().clone())
}

/// The console that dies.
struct Doomed {
    session: Headless,
    desk: Desk,
    hand: Hand,
    events: Receiver<(ChangeId, Event)>,
    passed: usize,
    fatal: usize,
}

impl Doomed {
    fn boundary(&mut self) {
        if self.passed == self.fatal {
            kill_process(getpid(), Signal::KILL).unwrap();
            loop {
                std::thread::park();
            }
        }
        self.passed += 1;
    }

    fn perform(&mut self, commands: Vec<Command>) {
        for command in commands {
            self.boundary();
            self.hand.take(command);
            self.boundary();
        }
    }

    fn on(&mut self, id: &ChangeId, event: Event) {
        self.boundary();
        self.session.tick();
        let commands = self.desk.on(id, event, &self.session.state);
        self.boundary();
        self.perform(commands);
    }

    async fn turn(&mut self) {
        tokio::select! {
            Some((id, event)) = self.events.recv() => self.on(&id, event),
            () = self.session.fold() => {}
            () = tokio::time::sleep(Duration::from_millis(50)) => {
                self.session.tick();
                let commands = self.desk.tick(&self.session.state);
                self.perform(commands);
            }
        }
    }
}

/// The whole operation, and death at a boundary.
async fn live(fatal: usize, folder: &Path) {
    let mut config = Config::parse(&folder.join("config.toml"), "").unwrap();
    config.change = policy();
    let places = Places { kubeconfig_files: vec![folder.join("kubeconfig")] };
    let inventory = inventory::find(&config, &places, &[]).unwrap();
    let mut session = Headless::start(&config, inventory);
    let (clerk, mut news) = Clerk::start(Some(journal(folder)));
    news.recv().await.unwrap();
    let desk = Desk::new(config.change.clone(), hand::actor());
    let (hand, events) = Hand::new(session.session.details.clone(), clerk, desk.actor.clone());
    session.settle(Age(30)).await;
    let mut console = Doomed { session, desk, hand, events, passed: 0, fatal };
    let id = begin(&mut console).await;
    while !console.desk.operation(&id).is_some_and(|it| it.phase == Phase::Confirming) {
        console.turn().await;
    }
    let state = &console.session.state;
    for cluster in state.clusters() {
        console.desk.unlocks.open(cluster.id, state.now);
    }
    let words = console.desk.operation(&id).unwrap().plan.confirm.phrase.clone();
    console.on(&id, Event::Confirm { words });
    while !console.desk.operation(&id).is_some_and(rests) || console.hand.is_busy() {
        console.turn().await;
    }
    let operation = console.desk.operation(&id).unwrap();
    assert_eq!(operation.phase, Phase::Ended(Outcome::Done));
    assert_eq!(operation.count(|it| it == StepState::Verified), 3);
    std::fs::write(folder.join("count"), console.passed.to_string()).unwrap();
}

async fn begin(console: &mut Doomed) -> ChangeId {
    let state = &console.session.state;
    let intent = VERB.intent_in(state, 3);
    let places = console.desk.wanted(&intent.wish, state);
    let looked = console.hand.look(places, state.now.mono).await;
    let sight = Sight { objects: looked.into_iter().map(Result::unwrap).collect(), ..Sight::default() };
    let id = hand::change_id(state.now.unix.0.unsigned_abs() * 1000);
    let plan = console.desk.plan(&id, &intent, &sight, state).unwrap();
    let commands = console.desk.begin(plan, state);
    console.perform(commands);
    id
}
