//! A watch that runs: bytes in, facts out.
//!
//! One that follows on a list is live from its first byte. One that follows on a watch that broke off is not: its
//! server first sends what was missed, and only a bookmark or an end in good order says that this was all. Until
//! then nothing is called live, however much comes.

use std::time::Duration;

use tokio::time::Instant;

use super::kinds::Resource;
use super::plan::{Plan, WatchEnd};
use super::reflector::{Memory, malformed};
use super::watched::Watched;
use crate::clients::kube::wire::Encoding;
use crate::clients::kube::wire::stream::{Event, WatchDecoder};
use crate::fleet::{Fault, FaultKind, SourceFact, SourceState, Step};

/// A watch that ended sooner was not served at all.
const SERVED: Duration = Duration::from_secs(1);

pub struct Stream<'a> {
    pub began: Instant,
    watched: Watched<'a>,
    decoder: WatchDecoder,
    events: Vec<Event>,
    /// It was asked which cluster this is, after the watch had begun.
    verified: bool,
    /// Nothing of before is missing any more.
    caught_up: bool,
}

impl<'a> Stream<'a> {
    pub fn new(resource: &'a Resource, encoding: Encoding, version: String, follows: bool) -> Self {
        Self {
            began: Instant::now(),
            watched: Watched { resource, encoding, version, facts: Vec::new(), is_whole: false },
            decoder: WatchDecoder::new(encoding),
            events: Vec::new(),
            verified: false,
            caught_up: follows,
        }
    }

    pub fn version(&self) -> String {
        self.watched.version.clone()
    }

    /// Takes bytes; what is whole waits to be told.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), WatchEnd> {
        let fed = self.decoder.feed(piece, &mut self.events);
        fed.map_err(|error| self.broken(malformed(Step::Watch, error)))
    }

    /// Whether objects wait to be told of a cluster that nobody has asked for its name since.
    pub fn is_unverified(&mut self) -> bool {
        let is_object = |event: &Event| matches!(event, Event::Applied(_) | Event::Deleted(_));
        let asks = !self.verified && self.events.iter().any(is_object);
        self.verified |= asks;
        asks
    }

    /// Takes the events that wait; gives the end of the watch when it is among them.
    pub fn take(&mut self, plan: &mut Plan, memory: &mut Memory) -> Option<WatchEnd> {
        let Self { events, watched, .. } = self;
        let told = !events.is_empty();
        let Memory { cx, census, .. } = memory;
        let end = events.drain(..).find_map(|event| watched.take(event, cx, census));
        if told && end.is_none() {
            plan.alive();
        }
        end
    }

    pub fn broken(&self, fault: Fault) -> WatchEnd {
        WatchEnd::Broken { version: self.version(), fault }
    }

    /// The server has ended it.
    pub fn ended(&mut self) -> WatchEnd {
        if !self.decoder.is_between_events() {
            return self.broken(Fault::new(Step::Watch, FaultKind::Cut, "in the middle of an event"));
        }
        let told_something = self.began.elapsed() >= SERVED;
        self.watched.is_whole |= told_something;
        WatchEnd::Regular { version: self.version(), told_something }
    }

    /// What is to be told.
    pub fn facts(&mut self) -> Vec<SourceFact> {
        let mut facts = std::mem::take(&mut self.watched.facts);
        if std::mem::take(&mut self.watched.is_whole) {
            if !std::mem::replace(&mut self.caught_up, true) {
                facts.push(SourceFact::State(SourceState::Watching));
            }
            facts.push(SourceFact::Heard);
        }
        facts
    }
}
