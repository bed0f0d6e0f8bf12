//! How old knowledge is. A badge that lies is worse than none, so the rules are few:
//! live means heard lately from that very watch, on a server that answers; everything else says what it is.

use std::collections::BTreeMap;

use crate::fleet::{Age, Clean, Fault, FaultKind, Mono, Now, ObjectKey, SourceFact, SourceState};

/// What is known of one list-and-watch loop.
#[derive(Debug)]
pub struct Source {
    pub state: SourceState,
    /// When `state` last changed its nature.
    pub state_since: Mono,
    /// A complete list was received, so what is shown is whole as of `heard`.
    pub synced: bool,
    /// The last byte of this very source.
    pub heard: Option<Mono>,
    pub relists: u32,
    /// How often its watch was found not to have told everything.
    pub missed: u32,
    pub undecodable: Undecodable,
    /// A list has begun and is not complete.
    listing: bool,
    /// It is known that something was not told; only a list makes that good.
    is_doubted: bool,
    pub(super) generation: u32,
}

/// Objects that could not be understood, until they can be, are gone, or are listed anew.
#[derive(Debug, Default)]
pub struct Undecodable {
    /// By name, with the reason; so many are remembered.
    named: BTreeMap<Clean, Clean>,
    /// Those beyond, and those whose name could not be read either; only a new list forgets them.
    others: u32,
}

impl Undecodable {
    const REMEMBERED: usize = 1_000;

    pub fn count(&self) -> u32 {
        self.named.len() as u32 + self.others
    }

    /// One of them, and why.
    pub fn example(&self) -> Option<(&Clean, &Clean)> {
        self.named.iter().next()
    }

    fn add(&mut self, name: Option<&Clean>, why: &Clean) {
        match name {
            Some(name) if self.named.len() < Self::REMEMBERED || self.named.contains_key(name) => {
                self.named.insert(name.clone(), why.clone());
            }
            _ => self.others += 1,
        }
    }

    fn forget(&mut self, key: &ObjectKey) {
        if !self.named.is_empty() {
            self.named.remove(key.to_string().as_str());
        }
    }
}

/// What the numbers of a kind in a cluster are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freshness {
    Live,
    /// Whole, but as of this moment. How long ago that is changes by itself; what is made of it does not.
    Stale(Mono),
    /// Nothing whole yet; the list is on its way.
    Loading,
    /// Nothing whole yet, and why.
    Never(Fault),
    /// The account may not read it.
    Denied,
    /// The cluster does not serve this kind.
    Absent,
}

impl Freshness {
    /// Whether numbers may be added up without a mark.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Live | Self::Absent)
    }

    /// Whether there are whole numbers at all, of now or of a while ago.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Live | Self::Stale(_))
    }

    /// How old the numbers are, when they are not of now.
    pub fn age(&self, now: Now) -> Option<Age> {
        if let Self::Stale(as_of) = self { Some(now.since(*as_of)) } else { None }
    }

    pub const fn word(&self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Stale(_) => "stale",
            Self::Loading => "loading",
            Self::Never(_) => "never",
            Self::Denied => "denied",
            Self::Absent => "absent",
        }
    }

    /// The worse of two, for a whole that consists of parts.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    fn rank(&self) -> (u8, u64) {
        match self {
            Self::Absent => (0, 0),
            Self::Live => (1, 0),
            Self::Stale(as_of) => (2, u64::MAX - as_of.0),
            Self::Loading => (3, 0),
            Self::Denied => (4, 0),
            Self::Never(_) => (5, 0),
        }
    }
}

impl Source {
    pub fn new(at: Mono) -> Self {
        Self {
            state: SourceState::Listing,
            state_since: at,
            synced: false,
            heard: None,
            relists: 0,
            missed: 0,
            undecodable: Undecodable::default(),
            listing: false,
            is_doubted: false,
            generation: 0,
        }
    }

    /// What the fact says about the source itself; objects are the cluster's business.
    pub(super) fn apply(&mut self, at: Mono, fact: &SourceFact) {
        match fact {
            SourceFact::State(state) => {
                if std::mem::discriminant(state) != std::mem::discriminant(&self.state) {
                    self.state_since = at;
                }
                if matches!(state, SourceState::Absent | SourceState::Denied(_)) {
                    self.synced = false;
                }
                if matches!(state, SourceState::Retrying { fault, .. } if fault.kind == FaultKind::Missed) {
                    self.missed += 1;
                    self.is_doubted = true;
                }
                self.state = state.clone();
                self.listing = false;
                return;
            }
            SourceFact::Begin => {
                self.listing = true;
                if matches!(self.state, SourceState::Absent | SourceState::Denied(_)) {
                    (self.state, self.state_since) = (SourceState::Listing, at);
                }
                self.generation += 1;
                self.undecodable = Undecodable::default();
            }
            SourceFact::Complete => {
                self.relists += u32::from(self.synced);
                (self.synced, self.listing, self.is_doubted) = (true, false, false);
            }
            SourceFact::Undecodable { name, why } => {
                self.undecodable.add(name.as_ref(), why);
            }
            SourceFact::Item(object) => self.undecodable.forget(&object.key()),
            SourceFact::Gone(key) => self.undecodable.forget(key),
            SourceFact::Heard => {}
        }
        if !self.synced || self.is_told_all(fact) {
            self.heard = Some(at);
        }
    }

    /// Whether what is known is as of now when this was told. Of a list only its end says so; and news of a watch do,
    /// unless it has yet to tell what was missed before it.
    fn is_told_all(&self, fact: &SourceFact) -> bool {
        matches!(fact, SourceFact::Complete | SourceFact::Heard) || self.flows()
    }

    /// Whether the fact makes anything of the source another but when it was heard. Objects are the cluster's business.
    pub(super) fn is_changed_by(&self, fact: &SourceFact) -> bool {
        match fact {
            SourceFact::Heard | SourceFact::State(SourceState::Watching) => !self.flows(),
            SourceFact::Item(_) | SourceFact::Gone(_) => !self.flows() || self.undecodable.count() > 0,
            _ => true,
        }
    }

    /// What it tells is told as it happens.
    fn flows(&self) -> bool {
        !self.listing && self.heard.is_some() && self.state == SourceState::Watching
    }

    /// `silent_since` is when the API server answered last, if it does not.
    pub fn freshness(&self, now: Now, stale_after: Age, silent_since: Option<Mono>) -> Freshness {
        let heard = self.heard.unwrap_or_default();
        let silent_since = silent_since.filter(|since| is_silence(now.since(*since), stale_after));
        match &self.state {
            SourceState::Absent => Freshness::Absent,
            SourceState::Denied(_) => Freshness::Denied,
            SourceState::Failed(_) if self.synced => Freshness::Stale(heard),
            SourceState::Failed(fault) => Freshness::Never(fault.clone()),
            SourceState::Retrying { fault, .. } if !self.synced => Freshness::Never(fault.clone()),
            _ if !self.synced => Freshness::Loading,
            _ if self.heard.is_none() || self.is_doubted || now.since(heard) > stale_after => {
                Freshness::Stale(heard)
            }
            _ => silent_since.map_or(Freshness::Live, |since| Freshness::Stale(heard.min(since))),
        }
    }
}

/// Whether a server that has not answered for so long makes old what its watches said last.
pub(super) fn is_silence(unanswered: Age, stale_after: Age) -> bool {
    unanswered.0 > stale_after.0 / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Step;

    fn at(seconds: u64) -> Now {
        Now { mono: Mono(seconds * 1000), ..Now::default() }
    }

    fn synced_at(seconds: u64) -> Source {
        let mut source = Source::new(Mono(0));
        source.apply(at(seconds).mono, &SourceFact::Begin);
        source.apply(at(seconds).mono, &SourceFact::Complete);
        source.apply(at(seconds).mono, &SourceFact::State(SourceState::Watching));
        source
    }

    const LIMIT: Age = Age(45);

    #[test]
    fn silence_makes_stale_within_the_promise() {
        let source = synced_at(10);
        assert_eq!(source.freshness(at(55), LIMIT, None), Freshness::Live);
        assert_eq!(source.freshness(at(56), LIMIT, None), Freshness::Stale(Mono(10_000)));
        // A server that does not answer at all is noticed sooner than a quiet watch.
        assert_eq!(source.freshness(at(30), LIMIT, Some(Mono(20_000))), Freshness::Live);
        assert_eq!(source.freshness(at(33), LIMIT, Some(Mono(10_000))), Freshness::Stale(Mono(10_000)));
    }

    #[test]
    fn what_was_missed_must_be_told_before_it_is_live_again() {
        let news = SourceFact::Gone(ObjectKey::new("a", "b"));
        let mut source = synced_at(10);
        source.apply(at(40).mono, &news);
        assert_eq!(source.freshness(at(80), LIMIT, None), Freshness::Live, "news of a watch that goes on");
        let fault = Fault::new(Step::Watch, FaultKind::Cut, "");
        let retrying = SourceState::Retrying { fault, attempt: 1, next_ms: 500 };
        source.apply(at(90).mono, &SourceFact::State(retrying));
        source.apply(at(91).mono, &news);
        assert_eq!(
            source.freshness(at(91), LIMIT, None),
            Freshness::Stale(Mono(40_000)),
            "the first of many news"
        );
        source.apply(at(92).mono, &SourceFact::Begin);
        source.apply(at(92).mono, &news);
        assert_eq!(source.freshness(at(92), LIMIT, None), Freshness::Stale(Mono(40_000)), "half a list");
        source.apply(at(93).mono, &SourceFact::Complete);
        assert_eq!(source.freshness(at(93), LIMIT, None), Freshness::Live);
    }

    #[test]
    fn what_is_known_to_be_wrong_is_not_live_until_it_was_listed() {
        let mut source = synced_at(10);
        for kind in [FaultKind::Missed, FaultKind::Refused] {
            let fault = Fault::new(Step::Watch, kind, "");
            let retrying = SourceState::Retrying { fault, attempt: 1, next_ms: 500 };
            source.apply(at(11).mono, &SourceFact::State(retrying));
            assert_eq!(source.freshness(at(11), LIMIT, None), Freshness::Stale(Mono(10_000)), "{kind:?}");
        }
        source.apply(at(12).mono, &SourceFact::Begin);
        source.apply(at(12).mono, &SourceFact::Complete);
        assert_eq!((source.freshness(at(12), LIMIT, None), source.missed), (Freshness::Live, 1));
    }

    #[test]
    fn nothing_whole_is_never_called_stale() {
        let mut source = Source::new(Mono(0));
        assert_eq!(source.freshness(at(5), LIMIT, None), Freshness::Loading);
        source.apply(Mono(0), &SourceFact::Begin);
        assert_eq!(source.freshness(at(5), LIMIT, None), Freshness::Loading);
        let fault = Fault::new(Step::List, FaultKind::Refused, "");
        let retrying = SourceState::Retrying { fault: fault.clone(), attempt: 1, next_ms: 500 };
        source.apply(Mono(0), &SourceFact::State(retrying));
        assert_eq!(source.freshness(at(5), LIMIT, None), Freshness::Never(fault));
    }

    #[test]
    fn losing_the_permission_or_the_kind_loses_the_rows() {
        for (state, freshness) in
            [(SourceState::Denied("no".into()), Freshness::Denied), (SourceState::Absent, Freshness::Absent)]
        {
            let mut source = synced_at(1);
            source.apply(at(2).mono, &SourceFact::State(state));
            assert!(!source.synced);
            assert_eq!(source.freshness(at(2), LIMIT, None), freshness);
        }
    }

    #[test]
    fn the_worst_part_speaks_for_the_whole() {
        let worst =
            [Freshness::Live, Freshness::Stale(Mono(50)), Freshness::Stale(Mono(10)), Freshness::Absent]
                .into_iter()
                .fold(Freshness::Absent, Freshness::worse);
        assert_eq!(worst, Freshness::Stale(Mono(10)));
    }
}
