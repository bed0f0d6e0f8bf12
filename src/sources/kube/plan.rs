//! What a list-and-watch loop does next: a pure machine, so that every unhappy path can be tested.
//!
//! The rules are client-go's reflector's where they are good: the first list may come from the server's
//! cache, a later one must not be older than what was seen, and a version that the server no longer has
//! leads to a list of the newest. What kube's own watcher lacks is here: a 410 as an HTTP status and three
//! failed starts also lead to a list.

use std::time::Duration;

use crate::fleet::{Clean, Fault, FaultKind};

/// The next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    List(ListVersion),
    Watch(String),
    Wait(Wait),
}

/// How new a list must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListVersion {
    /// Whatever the server has at hand (`resourceVersion=0`).
    Any,
    NotOlderThan(String),
    /// What is stored now (no `resourceVersion`).
    Newest,
}

/// Why nothing is asked for a while, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    pub why: Why,
    pub delay: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    Retry { fault: Fault, attempt: u32 },
    Denied(Clean),
    Absent,
}

/// How a watch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchEnd {
    /// The server ended it, as it was asked to.
    Regular { version: String, told_something: bool },
    /// It never began.
    NotStarted(Fault),
    /// It broke off after it had begun.
    Broken { version: String, fault: Fault },
    /// It was given up on this side: the way to the server was interrupted, and it may be dead.
    GivenUp { version: String },
    /// The server no longer has the version.
    Expired,
    /// The server is at an earlier version than it was: it was restored from a copy.
    TurnedBack,
    /// The server holds something else than the watch has told.
    Missed(Fault),
}

/// Failed starts in a row after which the version is no longer trusted.
const STARTS_BEFORE_LIST: u32 = 3;
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(15);
/// A permission or a kind that is missing does not appear by itself soon. Should it, the picture follows in time.
const SLOW_DELAY: Duration = Duration::from_secs(25);
const LONGEST_THROTTLE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct Plan {
    next: Next,
    version: Option<String>,
    /// What to do after the wait.
    after: Option<Next>,
    failures: u32,
    /// Versions in a row that the server did not have, until a watch told something.
    expirations: u32,
    /// Watches in a row that did not begin, or broke off before they told anything.
    failed_starts: u32,
    /// The watch has told something.
    spoke: bool,
    /// Nothing was missed so far: the next watch follows on a list, or on a watch that ended in good order.
    follows: bool,
    /// Every server has this kind.
    built_in: bool,
}

impl Plan {
    pub fn new(built_in: bool) -> Self {
        Self {
            next: Next::List(ListVersion::Any),
            version: None,
            after: None,
            failures: 0,
            expirations: 0,
            failed_starts: 0,
            spoke: false,
            follows: false,
            built_in,
        }
    }

    pub fn next(&self) -> &Next {
        &self.next
    }

    /// Whether a watch that begins now continues what is known; else it must first tell what was missed.
    pub fn follows(&self) -> bool {
        self.follows
    }

    pub fn listed(&mut self, outcome: Result<String, Fault>) {
        match outcome {
            Ok(version) => {
                self.failed_starts = 0;
                self.follows = true;
                self.version = Some(version.clone());
                self.next = Next::Watch(version);
            }
            Err(fault) if self.is_version_unavailable(&fault) => {
                self.failures += 1;
                self.next = Next::List(ListVersion::Newest);
            }
            Err(fault) => {
                let again = match &self.next {
                    Next::List(version) => Next::List(version.clone()),
                    _ => self.list(),
                };
                self.wait(fault, again);
            }
        }
    }

    pub fn watched(&mut self, end: WatchEnd) {
        let spoke = std::mem::take(&mut self.spoke);
        self.follows = matches!(end, WatchEnd::Regular { told_something: true, .. });
        match end {
            WatchEnd::Regular { version, told_something } => {
                if told_something {
                    (self.failures, self.expirations, self.failed_starts) = (0, 0, 0);
                }
                self.version = Some(version.clone());
                self.next = Next::Watch(version);
                if !told_something {
                    // A server that ends watches at once must not be asked in a tight loop.
                    let words = "the watch ended at once";
                    let fault = Fault::new(crate::fleet::Step::Watch, FaultKind::Cut, words);
                    let again = self.next.clone();
                    self.wait(fault, again);
                }
            }
            WatchEnd::Broken { version, fault } => {
                self.version = Some(version);
                let again = match fault.kind {
                    // Bytes that make no sense: what was missed is unknown.
                    FaultKind::Malformed => self.list(),
                    // Silence may be of something between that holds back streams, and lets lists pass.
                    FaultKind::TimedOut(_) => self.watch_or_list(spoke),
                    _ => self.watch_or_list(true),
                };
                self.wait(fault, again);
            }
            WatchEnd::GivenUp { version } => {
                self.version = Some(version.clone());
                self.next = Next::Watch(version);
            }
            WatchEnd::TurnedBack => {
                self.version = None;
                self.list_again(Next::List(ListVersion::Newest));
            }
            WatchEnd::Expired => self.list_again(self.list()),
            // What was dropped may be missing from the server's cache too.
            WatchEnd::Missed(fault) => self.wait(fault, Next::List(ListVersion::Newest)),
            WatchEnd::NotStarted(fault) if fault.kind == FaultKind::Expired => {
                self.watched(WatchEnd::Expired);
            }
            WatchEnd::NotStarted(fault) if is_too_large(&fault) => self.watched(WatchEnd::TurnedBack),
            WatchEnd::NotStarted(fault) => {
                let again = self.watch_or_list(false);
                self.wait(fault, again);
            }
        }
    }

    /// A watch is under way and tells things: what failed before is over.
    pub fn alive(&mut self) {
        self.failures = 0;
        self.expirations = 0;
        self.failed_starts = 0;
        self.spoke = true;
    }

    /// The wait is over, or was ended because the server answers again.
    pub fn waited(&mut self) {
        if let Some(after) = self.after.take() {
            self.next = after;
        }
    }

    fn list(&self) -> Next {
        let version = self.version.clone().map_or(ListVersion::Any, ListVersion::NotOlderThan);
        Next::List(version)
    }

    /// Where it was, if the last watch had told something; a few that had not lead to a list.
    fn watch_or_list(&mut self, spoke: bool) -> Next {
        self.failed_starts = if spoke { 0 } else { self.failed_starts + 1 };
        match &self.version {
            Some(version) if self.failed_starts < STARTS_BEFORE_LIST => Next::Watch(version.clone()),
            _ => {
                self.failed_starts = 0;
                self.list()
            }
        }
    }

    /// The server has answered, so whatever failed before is over: a list helps, and at once. What leads to a list again
    /// and again must not do so in a tight loop.
    fn list_again(&mut self, list: Next) {
        self.expirations += 1;
        self.failures = self.expirations;
        if self.expirations > 1 {
            self.wait(Fault::new(crate::fleet::Step::Watch, FaultKind::Expired, ""), list);
        } else {
            self.next = list;
        }
    }

    /// `Too large resource version` (504) and `Expired` (410): only a list of the newest helps.
    fn is_version_unavailable(&self, fault: &Fault) -> bool {
        let asked_for_newest = self.next == Next::List(ListVersion::Newest);
        !asked_for_newest && (fault.kind == FaultKind::Expired || is_too_large(fault))
    }

    fn wait(&mut self, fault: Fault, then: Next) {
        self.failures += 1;
        let (why, delay, then) = match fault.kind {
            FaultKind::Forbidden => (Why::Denied(fault.detail), SLOW_DELAY, Next::List(ListVersion::Any)),
            // A gateway that has lost its server says so of everything.
            FaultKind::NotFound if !self.built_in => (Why::Absent, SLOW_DELAY, Next::List(ListVersion::Any)),
            FaultKind::Throttled(Some(seconds)) => {
                let delay = Duration::from_secs(seconds.into()).min(LONGEST_THROTTLE);
                (Why::Retry { fault, attempt: self.failures }, delay, then)
            }
            _ => {
                let attempt = self.failures;
                (Why::Retry { fault, attempt }, delay(attempt), then)
            }
        };
        self.after = Some(then);
        self.next = Next::Wait(Wait { why, delay });
    }
}

/// The server is not as far as it was when it told this version.
fn is_too_large(fault: &Fault) -> bool {
    fault.detail.contains("Too large resource version")
}

/// Twice as long each time, up to a limit; jitter is added where there is a generator.
pub fn delay(attempt: u32) -> Duration {
    FIRST_DELAY.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Step;

    fn fault(kind: FaultKind) -> Fault {
        Fault::new(Step::Watch, kind, "")
    }

    fn watching(version: &str) -> Plan {
        let mut plan = Plan::new(false);
        plan.listed(Ok(version.into()));
        plan.alive();
        plan
    }

    fn waits(plan: &mut Plan) -> (Wait, Next) {
        let Next::Wait(wait) = plan.next().clone() else { panic!("{plan:?}") };
        plan.waited();
        (wait, plan.next().clone())
    }

    #[test]
    fn the_usual_day() {
        let mut plan = Plan::new(false);
        assert_eq!(*plan.next(), Next::List(ListVersion::Any));
        plan.listed(Ok("7".into()));
        assert_eq!(*plan.next(), Next::Watch("7".into()));
        plan.watched(WatchEnd::Regular { version: "9".into(), told_something: true });
        assert_eq!(*plan.next(), Next::Watch("9".into()));
    }

    #[test]
    fn a_version_that_is_gone_leads_to_a_list_in_both_forms() {
        for end in [WatchEnd::Expired, WatchEnd::NotStarted(fault(FaultKind::Expired))] {
            let mut plan = watching("7");
            plan.watched(end);
            assert_eq!(*plan.next(), Next::List(ListVersion::NotOlderThan("7".into())));
            // The server was restored from a backup: it does not know such a late version.
            let too_large = Fault::new(Step::List, FaultKind::Status(504), "Too large resource version: 7");
            plan.listed(Err(too_large));
            assert_eq!(*plan.next(), Next::List(ListVersion::Newest));
            plan.listed(Ok("3".into()));
            assert_eq!(*plan.next(), Next::Watch("3".into()));
        }
    }

    #[test]
    fn expiring_again_and_again_slows_down() {
        let mut plan = watching("7");
        plan.watched(WatchEnd::Expired);
        plan.listed(Ok("8".into()));
        plan.watched(WatchEnd::Expired);
        let (wait, then) = waits(&mut plan);
        assert!(wait.delay >= FIRST_DELAY);
        assert_eq!(then, Next::List(ListVersion::NotOlderThan("8".into())));
    }

    /// A server that was away for long has forgotten the version when it is back; nobody waits for the list then.
    #[test]
    fn a_version_that_is_gone_after_long_trouble_leads_to_a_list_at_once() {
        let mut plan = watching("7");
        for _ in 0..8 {
            let cut = WatchEnd::Broken { version: "7".into(), fault: fault(FaultKind::Cut) };
            plan.watched(cut);
            assert_eq!(waits(&mut plan).1, Next::Watch("7".into()));
        }
        plan.watched(WatchEnd::Expired);
        assert_eq!(*plan.next(), Next::List(ListVersion::NotOlderThan("7".into())));
        plan.listed(Ok("9".into()));
        plan.watched(WatchEnd::Expired);
        assert!(waits(&mut plan).0.delay <= FIRST_DELAY * 4, "the trouble before is over");
    }

    #[test]
    fn three_failed_starts_lead_to_a_list() {
        let mut plan = watching("7");
        for round in 1..=2 {
            plan.watched(WatchEnd::NotStarted(fault(FaultKind::Status(500))));
            assert_eq!(waits(&mut plan).1, Next::Watch("7".into()), "round {round}");
        }
        plan.watched(WatchEnd::NotStarted(fault(FaultKind::Status(500))));
        assert_eq!(waits(&mut plan).1, Next::List(ListVersion::NotOlderThan("7".into())));
    }

    #[test]
    fn a_cut_watch_goes_on_where_it_was_and_nonsense_begins_anew() {
        let mut plan = watching("7");
        plan.watched(WatchEnd::Broken { version: "8".into(), fault: fault(FaultKind::Cut) });
        assert_eq!(waits(&mut plan).1, Next::Watch("8".into()));
        assert!(!plan.follows(), "what was missed must be told before it is live again");
        plan.watched(WatchEnd::Broken { version: "9".into(), fault: fault(FaultKind::Malformed) });
        assert_eq!(waits(&mut plan).1, Next::List(ListVersion::NotOlderThan("9".into())));
    }

    #[test]
    fn delays_grow_to_a_limit_and_begin_anew_after_success() {
        let mut plan = Plan::new(false);
        let mut delays = Vec::new();
        for _ in 0..8 {
            plan.listed(Err(fault(FaultKind::Refused)));
            let (wait, then) = waits(&mut plan);
            delays.push(wait.delay);
            assert_eq!(then, Next::List(ListVersion::Any));
        }
        assert!(delays.is_sorted());
        assert_eq!((delays[0], delays[7]), (FIRST_DELAY, LONGEST_DELAY));
        plan.listed(Ok("1".into()));
        plan.alive();
        plan.watched(WatchEnd::Broken { version: "1".into(), fault: fault(FaultKind::Cut) });
        assert_eq!(waits(&mut plan).0.delay, FIRST_DELAY);
    }

    #[test]
    fn what_a_person_must_change_is_told_as_a_state() {
        let mut plan = watching("7");
        plan.watched(WatchEnd::NotStarted(Fault::new(Step::Watch, FaultKind::Forbidden, "no")));
        let (wait, then) = waits(&mut plan);
        assert_eq!((wait.why, wait.delay), (Why::Denied("no".into()), SLOW_DELAY));
        assert_eq!(then, Next::List(ListVersion::Any));
        plan.listed(Err(fault(FaultKind::NotFound)));
        assert_eq!(waits(&mut plan).0.why, Why::Absent);
    }

    #[test]
    fn a_throttling_server_says_when_to_come_back() {
        let mut plan = Plan::new(false);
        plan.listed(Err(fault(FaultKind::Throttled(Some(7)))));
        assert_eq!(waits(&mut plan).0.delay, Duration::from_secs(7));
        plan.listed(Err(fault(FaultKind::Throttled(Some(86_400)))));
        assert_eq!(waits(&mut plan).0.delay, LONGEST_THROTTLE);
    }

    #[test]
    fn a_server_that_ends_watches_at_once_is_not_asked_in_a_loop() {
        let mut plan = watching("7");
        plan.watched(WatchEnd::Regular { version: "7".into(), told_something: false });
        assert!(matches!(plan.next(), Next::Wait(_)));
    }

    #[test]
    fn watches_that_break_before_they_tell_anything_lead_to_a_list() {
        let mut plan = watching("7");
        let broken = || WatchEnd::Broken { version: "7".into(), fault: fault(FaultKind::TimedOut(15)) };
        plan.watched(broken());
        for _ in 0..2 {
            assert_eq!(waits(&mut plan).1, Next::Watch("7".into()));
            plan.watched(broken());
        }
        assert_eq!(waits(&mut plan).1, Next::Watch("7".into()), "the first of them had told something");
        plan.watched(broken());
        assert_eq!(waits(&mut plan).1, Next::List(ListVersion::NotOlderThan("7".into())));
    }

    #[test]
    fn only_a_list_and_an_end_in_good_order_are_followed_without_a_gap() {
        let mut plan = Plan::new(true);
        assert!(!plan.follows());
        plan.listed(Ok("7".into()));
        assert!(plan.follows());
        plan.watched(WatchEnd::GivenUp { version: "8".into() });
        assert_eq!((plan.next(), plan.follows()), (&Next::Watch("8".into()), false));
        plan.watched(WatchEnd::Regular { version: "9".into(), told_something: true });
        assert!(plan.follows());
        plan.watched(WatchEnd::NotStarted(fault(FaultKind::Refused)));
        assert!(!plan.follows());
    }

    #[test]
    fn a_server_that_was_restored_is_listed_as_it_is_now() {
        let too_large = Fault::new(Step::Watch, FaultKind::Status(504), "Too large resource version: 700");
        let mut plan = watching("700");
        plan.watched(WatchEnd::NotStarted(too_large));
        assert_eq!(*plan.next(), Next::List(ListVersion::Newest));
        plan.listed(Ok("2".into()));
        plan.alive();
        plan.watched(WatchEnd::TurnedBack);
        assert_eq!(*plan.next(), Next::List(ListVersion::Newest));
        plan.listed(Ok("3".into()));
        plan.watched(WatchEnd::TurnedBack);
        assert!(matches!(plan.next(), Next::Wait(_)), "not in a loop");
    }

    #[test]
    fn what_a_watch_has_not_told_is_listed_as_it_is_stored() {
        let mut plan = watching("7");
        plan.watched(WatchEnd::Missed(fault(FaultKind::Missed)));
        let (wait, then) = waits(&mut plan);
        assert!(matches!(wait.why, Why::Retry { attempt: 1, .. }));
        assert_eq!(then, Next::List(ListVersion::Newest));
    }

    #[test]
    fn what_every_server_has_is_never_absent() {
        let mut plan = Plan::new(true);
        plan.listed(Err(fault(FaultKind::NotFound)));
        assert!(matches!(waits(&mut plan).0.why, Why::Retry { .. }));
    }
}
