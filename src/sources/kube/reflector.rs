//! The loop that lists and watches one kind: what [`Plan`] says, done over the wire.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::OptionFuture;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::census::{Census, Page};
use super::changed;
use super::convert::{self, Cx, Read};
use super::identity::Identity;
use super::kinds::Resource;
use super::plan::{ListVersion, Next, Plan, Wait, WatchEnd, Why};
use super::stream::Stream;
use super::turn::Turn;
use super::watched::undecodable;
use crate::clients::kube::wire::list::{ListDecoder, Part};
use crate::clients::kube::wire::messages::meta::ListMeta;
use crate::clients::kube::wire::{Encoding, Framing};
use crate::clients::kube::{ACCEPT_METADATA, Answer, Door, PROMPT, Patience, Question, encode};
use crate::fleet::{Fault, FaultKind, Kind, SourceFact, SourceId, SourceState, Step};
use crate::sources::Out;

/// The server is asked to end a watch after 17 to 21 seconds. Hearing of a watch at least so often is what makes its
/// death noticeable where everything else answers: one that dies by itself is found, begun anew and proven whole
/// within 30 seconds, which is what the picture promises after any fault. It costs a server 1.6 requests a second
/// with every kind there is, and is far below the idle limits of load balancers (Azure: 240 s).
const WATCH_SECONDS: std::ops::Range<u64> = 17..22;
/// Watches that begin together, as all do at the start and after an interruption, shall not end together: the first of
/// them lasts as long as chance will have it.
const FIRST_WATCH_SECONDS: std::ops::Range<u64> = 4..22;
/// A watch that is silent for longer than it was asked to last is dead.
const WATCH_IDLE: Duration = Duration::from_secs(25);
/// A watch that follows on one that broke off is asked to end soon: its end says that everything missed was told.
const SHORT_WATCH_SECONDS: u64 = 3;
const SHORT_WATCH_IDLE: Duration = Duration::from_secs(12);
/// JSON lists come in pages; protobuf lists are decoded as they arrive and come whole.
const PAGE: u32 = 500;
/// Facts that travel together.
const BATCH: usize = 256;

/// One loop: a kind in a cluster, whole or one namespace.
#[derive(Clone)]
pub struct Reflector {
    pub door: Door,
    pub resource: Resource,
    pub namespace: Option<String>,
    pub id: SourceId,
    pub out: Out,
    pub identity: Arc<Identity>,
    pub nudges: watch::Receiver<u64>,
    /// Told when the account may not read this.
    pub denials: mpsc::Sender<SourceId>,
    pub turn: Arc<Turn>,
    pub version_labels: Arc<[String]>,
    /// It stands in for one that panicked, which stays told until this one has something to tell.
    pub failed_before: bool,
}

/// What a loop remembers from one step to the next.
pub(super) struct Memory {
    pub cx: Cx,
    pub census: Census,
    /// What the last list was written in.
    encoding: Option<Encoding>,
    /// Nothing was listed yet.
    is_first: bool,
    /// The next watch begins together with those of other kinds.
    in_step: bool,
}

impl Reflector {
    /// Runs until it is aborted.
    pub async fn run(mut self) {
        let cx = Cx::new(Arc::clone(&self.version_labels));
        let mut memory =
            Memory { cx, census: Census::default(), encoding: None, is_first: true, in_step: true };
        let mut plan = Plan::new(self.resource.kind.is_built_in());
        loop {
            match plan.next().clone() {
                Next::List(version) => {
                    if memory.is_first && !self.failed_before {
                        self.tell([SourceFact::State(SourceState::Listing)]).await;
                    }
                    if memory.is_first {
                        self.turn.comes(self.id.kind).await;
                    }
                    memory.in_step = true;
                    let outcome = self.list(&version, &mut memory).await;
                    self.turn.was_of(self.id.kind);
                    memory.is_first = false;
                    plan.listed(outcome);
                }
                Next::Watch(version) => {
                    let end = self.watch(version, &mut plan, &mut memory).await;
                    plan.watched(end);
                }
                Next::Wait(wait) => {
                    self.wait(wait).await;
                    plan.waited();
                }
            }
        }
    }

    /// Lists everything; the version to watch from.
    async fn list(&self, version: &ListVersion, memory: &mut Memory) -> Result<String, Fault> {
        // The longest list waits for none: the server works on it while the others come and go.
        let is_longest = self.id.kind == Kind::Pod && self.namespace.is_none();
        let _permit = if is_longest { None } else { Some(self.door.list_permit().await) };
        let mut next_page = String::new();
        let mut began = false;
        loop {
            let path = self.list_path(version, memory.encoding, &next_page);
            let question = Question { accept: self.resource.accept(), ..Question::json(&path, Step::List) };
            let answer = self.door.ask(question).await?;
            self.turn.answered();
            // Whoever answers now may be another cluster.
            if memory.is_first {
                self.identity.verify_first(&self.door).await?;
            } else {
                self.identity.verify(&self.door, Instant::now()).await?;
            }
            memory.encoding = Some(answer.encoding);
            if !began {
                began = true;
                memory.census.begin();
                self.tell([SourceFact::Begin]).await;
            }
            let page = self.page(answer, memory).await?;
            next_page = page.next_page;
            if next_page.is_empty() {
                memory.census.listed(&page.resource_version, Instant::now());
                self.out.cluster(self.id.cluster, self.door.cost()).await;
                self.tell([SourceFact::Complete]).await;
                return Ok(page.resource_version);
            }
        }
    }

    async fn page(&self, mut answer: Answer, memory: &mut Memory) -> Result<ListMeta, Fault> {
        let encoding = answer.encoding;
        let mut decoder = ListDecoder::new(encoding);
        let (mut parts, mut facts) = (Vec::new(), Vec::with_capacity(BATCH));
        let mut told = None;
        loop {
            let piece = answer.piece().await?;
            let ended = piece.is_none();
            match piece {
                Some(piece) => {
                    decoder.feed(&piece, &mut parts).map_err(|error| malformed(Step::List, error))?;
                }
                None => std::mem::replace(&mut decoder, ListDecoder::new(encoding))
                    .finish()
                    .map_err(|error| malformed(Step::List, error))?,
            }
            for part in parts.drain(..) {
                match part {
                    Part::Meta(meta) => told = Some(meta),
                    Part::Item(bytes) => facts.extend(self.item(encoding, &bytes, memory)),
                    Part::TooLarge => {
                        memory.census.lost_count();
                        facts.push(undecodable(None, "it is larger than any object can be".into()));
                    }
                }
                if facts.len() >= BATCH {
                    self.tell(facts.drain(..)).await;
                }
            }
            if ended {
                self.tell(facts.drain(..)).await;
                let told = told.filter(|meta| !meta.resource_version.is_empty());
                return told.ok_or_else(|| malformed(Step::List, Framing("no version".into())));
            }
        }
    }

    fn list_path(&self, version: &ListVersion, encoding: Option<Encoding>, next_page: &str) -> String {
        let mut query = Vec::new();
        if !self.resource.condition.is_empty() {
            query.push(self.resource.condition.to_owned());
        }
        // A server that speaks protobuf ignores the limit for version 0; others page.
        if encoding != Some(Encoding::Protobuf) {
            query.push(format!("limit={PAGE}"));
        }
        match version {
            // The version of a list is in its continue token.
            _ if !next_page.is_empty() => query.push(format!("continue={}", encode(next_page))),
            ListVersion::Any => query.push("resourceVersion=0".into()),
            ListVersion::NotOlderThan(version) => {
                query.push(format!("resourceVersion={}", encode(version)));
                // With a limit and without this it would be the list of just that version, however old.
                query.push("resourceVersionMatch=NotOlderThan".into());
            }
            ListVersion::Newest => {}
        }
        self.path(&query)
    }

    fn path(&self, query: &[String]) -> String {
        let path = self.resource.path(self.namespace.as_deref());
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    async fn watch(&mut self, version: String, plan: &mut Plan, memory: &mut Memory) -> WatchEnd {
        let follows = plan.follows();
        let in_step = std::mem::replace(&mut memory.in_step, !follows);
        let seconds = match (follows, in_step) {
            (false, _) => SHORT_WATCH_SECONDS,
            (true, true) => fastrand::u64(FIRST_WATCH_SECONDS),
            (true, false) => fastrand::u64(WATCH_SECONDS),
        };
        let path = self.watch_path(&version, seconds);
        let idle = if follows { WATCH_IDLE } else { SHORT_WATCH_IDLE };
        let question = Question {
            accept: self.resource.accept_watch(),
            patience: Patience { idle, ..PROMPT },
            ..Question::json(&path, Step::Watch)
        };
        let mut answer = match self.door.ask(question).await {
            Ok(answer) => answer,
            Err(fault) => return WatchEnd::NotStarted(fault),
        };
        self.nudges.mark_unchanged();
        let mut stream = Stream::new(&self.resource, answer.encoding, version, follows);
        if follows {
            self.tell([SourceFact::State(SourceState::Watching), SourceFact::Heard]).await;
        }
        let asked = memory.census.ask(follows, Instant::now());
        let mut looking = asked.is_some();
        let look = OptionFuture::from(asked.map(|most| look(self.door.clone(), self.look_path(most))));
        tokio::pin!(look);
        loop {
            if let Some(fault) = memory.census.difference() {
                return WatchEnd::Missed(fault);
            }
            let piece = tokio::select! {
                piece = answer.piece() => piece,
                page = &mut look, if looking => {
                    looking = false;
                    memory.census.answered(page.and_then(Result::ok), Instant::now());
                    continue;
                }
                () = changed(&mut self.nudges) => return self.give_up(stream.version()).await,
            };
            let end = match piece {
                Ok(Some(piece)) => {
                    let fed = stream.feed(&piece);
                    // Whoever answers now may be another cluster.
                    if stream.is_unverified()
                        && let Err(fault) = self.identity.verify(&self.door, stream.began).await
                    {
                        return stream.broken(fault);
                    }
                    fed.err().or_else(|| stream.take(plan, memory))
                }
                Ok(None) => Some(stream.ended()),
                Err(fault) => Some(stream.broken(fault)),
            };
            let facts = stream.facts();
            self.tell(facts).await;
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// The way to the server was interrupted: what is open may be dead, and is opened anew.
    async fn give_up(&self, version: String) -> WatchEnd {
        self.tell([SourceFact::State(SourceState::Listing)]).await;
        sleep(spread()).await;
        WatchEnd::GivenUp { version }
    }

    fn watch_path(&self, version: &str, seconds: u64) -> String {
        let mut query = vec![
            "watch=1".to_owned(),
            "allowWatchBookmarks=true".to_owned(),
            format!("resourceVersion={}", encode(version)),
            format!("timeoutSeconds={seconds}"),
        ];
        if !self.resource.condition.is_empty() {
            query.push(self.resource.condition.to_owned());
        }
        self.path(&query)
    }

    /// Names and versions of what there is now, at most so many.
    fn look_path(&self, most: usize) -> String {
        let condition = Some(self.resource.condition.to_owned()).filter(|it| !it.is_empty());
        self.path(&condition.into_iter().chain([format!("limit={most}")]).collect::<Vec<_>>())
    }

    fn item(&self, encoding: Encoding, bytes: &Bytes, memory: &mut Memory) -> Option<SourceFact> {
        match self.resource.read(encoding, bytes, &mut memory.cx) {
            Ok(Read { object, key, resource_version }) => {
                memory.census.holds(&key, &resource_version);
                object.map(SourceFact::Item)
            }
            Err(why) => {
                let named = convert::name_of(encoding, bytes);
                match &named {
                    Some((key, version)) => memory.census.holds(key, version),
                    None => memory.census.lost_count(),
                }
                Some(undecodable(named.as_ref(), why))
            }
        }
    }

    /// Waits with jitter; ends early when somebody knows that the server answers again.
    async fn wait(&mut self, wait: Wait) {
        let was_asked_for = matches!(
            &wait.why,
            Why::Retry { fault, .. } if matches!(fault.kind, FaultKind::Throttled(Some(_)))
        );
        let jitter = if was_asked_for { 1.0 } else { 0.5 + fastrand::f64() / 2.0 };
        let lag = if was_asked_for { Duration::ZERO } else { self.door.lag() };
        let delay = wait.delay.mul_f64(jitter) + lag;
        let state = match wait.why {
            Why::Retry { fault, attempt } => {
                SourceState::Retrying { fault, attempt, next_ms: delay.as_millis() as u32 }
            }
            Why::Denied(words) => {
                let _ = self.denials.try_send(self.id);
                SourceState::Denied(words)
            }
            Why::Absent => SourceState::Absent,
        };
        self.tell([SourceFact::State(state)]).await;
        // Time that the server asked for is not cut short because it answers something else.
        if was_asked_for {
            return sleep(delay).await;
        }
        self.nudges.mark_unchanged();
        tokio::select! {
            () = sleep(delay) => {}
            Ok(()) = self.nudges.changed() => {
                sleep(lag + spread()).await;
            }
        }
    }

    async fn tell(&self, facts: impl IntoIterator<Item = SourceFact>) {
        self.out.source(self.id, facts).await;
    }
}

/// Asks what there is, for the census.
async fn look(door: Door, path: String) -> Result<Page, Fault> {
    let question = Question { accept: ACCEPT_METADATA, ..Question::json(&path, Step::List) };
    let answer = door.ask(question).await?;
    let (encoding, body) = (answer.encoding, answer.whole().await?);
    let (mut decoder, mut parts) = (ListDecoder::new(encoding), Vec::new());
    let fed = decoder.feed(&body, &mut parts).and_then(|()| decoder.finish());
    fed.map_err(|error| malformed(Step::List, error))?;
    let (mut meta, mut items) = (ListMeta::default(), Vec::new());
    for part in parts {
        match part {
            Part::Meta(told) => meta = told,
            Part::TooLarge => return Err(malformed(Step::List, Framing("too large a name".into()))),
            Part::Item(bytes) => {
                let named = convert::name_of(encoding, &bytes);
                items.push(named.ok_or_else(|| malformed(Step::List, Framing("no name".into())))?);
            }
        }
    }
    Ok(Page { meta, items })
}

/// All sources of a cluster hear a nudge at once; they need not come back at once.
fn spread() -> Duration {
    Duration::from_millis(fastrand::u64(0..300))
}

pub(super) fn malformed(step: Step, error: Framing) -> Fault {
    Fault::new(step, FaultKind::Malformed, error.0)
}
