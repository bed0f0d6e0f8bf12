//! Has the watch told everything? A server, gateway or proxy that drops an event drops it without a trace: the watch
//! goes on, its bookmarks come, and what was deleted would stand there for ever.
//!
//! So every few minutes the server is asked how many objects of a kind it holds, and at which versions if they are
//! few. That is held against what list and watch have told **up to the same version**, so that no change on its way
//! looks like a loss. What cannot be judged is not judged: versions that are no numbers, objects without a name,
//! answers that do not say how many there are. Nothing is asked for twice because of a doubt; the next look is due
//! when it is due. Of a kind with more objects than one page holds only the number is compared: a change that was
//! dropped there, and not an object, shows when the object changes again.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use crate::clients::kube::wire::messages::meta::ListMeta;
use crate::fleet::{Fault, FaultKind, ObjectKey, Step};

/// How often it is looked, at most; a look then waits for the watch to come as far, which bookmarks tell.
const EVERY: Duration = Duration::from_mins(5);
/// Watches are renewed more often than this: a look so long overdue was not possible, and nor was it for others. They
/// need not all be made at once.
const OVERDUE: Duration = Duration::from_mins(1);
/// So many objects come with their versions in one answer.
pub const PAGE: usize = 500;
/// A number that is wrong again just after a list is not to be relied on: it is looked at ever less often, by so many
/// doublings.
const MOST_DOUBLINGS: u32 = 3;

/// What list and watch of one source have told so far.
#[derive(Debug)]
pub struct Census {
    keys: RandomState,
    /// Object → version, both as hashes.
    known: HashMap<u64, u64>,
    /// Of all versions.
    sum: u64,
    /// Everything up to this version was told.
    reached: u64,
    /// Every object of the last list and since could be counted.
    is_whole: bool,
    look: Look,
    due: Option<Instant>,
    /// Looks in a row that found a difference.
    differed: u32,
    found: Option<Fault>,
}

#[derive(Debug)]
enum Look {
    No,
    /// Asked for, with what was known at each version since then.
    Asked(Vec<(u64, Tally)>),
    /// Answered; the watch is not there yet.
    Answered(Counted),
}

/// How many there are, and all their versions as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tally {
    count: usize,
    sum: u64,
}

/// What the server holds at a version.
#[derive(Debug, Clone, Copy)]
struct Counted {
    version: u64,
    count: usize,
    /// `None`: more than were told.
    sum: Option<u64>,
}

impl Default for Census {
    fn default() -> Self {
        Self {
            keys: RandomState::new(),
            known: HashMap::new(),
            sum: 0,
            reached: 0,
            is_whole: false,
            look: Look::No,
            due: None,
            differed: 0,
            found: None,
        }
    }
}

impl Census {
    /// A list begins: it will tell everything anew.
    pub fn begin(&mut self) {
        self.known.clear();
        (self.sum, self.reached, self.is_whole) = (0, 0, true);
        (self.look, self.found) = (Look::No, None);
    }

    /// An object of a list, or news of one.
    pub fn holds(&mut self, key: &ObjectKey, version: &str) {
        let Some(number) = self.comes(version) else { return };
        let mark = self.mark(key, version);
        let before = self.known.insert(self.keys.hash_one(key), mark);
        self.sum = self.sum.wrapping_sub(before.unwrap_or(0)).wrapping_add(mark);
        self.reach(number);
    }

    pub fn lost(&mut self, key: &ObjectKey, version: &str) {
        let Some(number) = self.comes(version) else { return };
        let before = self.known.remove(&self.keys.hash_one(key));
        self.sum = self.sum.wrapping_sub(before.unwrap_or(0));
        self.reach(number);
    }

    /// Something came that has no name: from now on, until the next list, nothing can be said.
    pub fn lost_count(&mut self) {
        self.is_whole = false;
        self.look = Look::No;
    }

    /// The list is complete, at this version.
    pub fn listed(&mut self, version: &str, now: Instant) {
        let Ok(version) = version.parse() else { return self.lost_count() };
        // Objects of a list stand in any order.
        self.reached = version;
        self.due = Some(match self.differed {
            // Whether the list has mended it is known at once.
            1 => now,
            _ if self.due.is_none() => now + EVERY.mul_f64(0.2 + 0.8 * fastrand::f64()),
            _ => now + self.interval(),
        });
    }

    /// Everything up to this version was told.
    pub fn told_all(&mut self, version: &str) {
        let Ok(version) = version.parse() else { return self.lost_count() };
        self.reach(version);
        if let Look::Answered(counted) = self.look
            && counted.version <= version
        {
            self.judge(counted, self.tally());
        }
    }

    /// A watch begins: whether it is time to look, and then how many objects the answer should hold. One that must
    /// first tell what was missed is busy enough.
    pub fn ask(&mut self, follows: bool, now: Instant) -> Option<usize> {
        if matches!(self.look, Look::Asked(_)) {
            // The watch before ended sooner.
            self.look = Look::No;
        }
        let due = self.due.filter(|due| follows && self.is_whole && *due <= now)?;
        if now.duration_since(due) > OVERDUE {
            self.due = Some(now + EVERY.mul_f64(fastrand::f64()));
            return None;
        }
        let trail = vec![(self.reached, self.tally())];
        let unanswered = std::mem::replace(&mut self.look, Look::Asked(trail));
        if let Look::Answered(counted) = unanswered
            && !counted.is(self.tally())
        {
            // Nothing came since, not even a bookmark; so it is no change on its way.
            self.differs(counted, self.tally());
            return None;
        }
        Some(if self.known.len() <= PAGE { PAGE } else { 1 })
    }

    /// What the server answered; `None` when it did not.
    pub fn answered(&mut self, page: Option<Page>, now: Instant) {
        // Who had other troubles is asked again sooner.
        let wait = if page.is_some() { self.interval() } else { self.interval() / 4 };
        self.due = Some(now + wait);
        let Look::Asked(trail) = std::mem::replace(&mut self.look, Look::No) else { return };
        let Some(counted) = page.and_then(|page| self.counted(&page)) else { return };
        // A server that is behind says nothing about now.
        if trail.first().is_none_or(|(version, _)| counted.version < *version) {
            return;
        }
        if self.reached < counted.version {
            self.look = Look::Answered(counted);
        } else if let Some((_, then)) = trail.iter().rfind(|(version, _)| *version <= counted.version) {
            self.judge(counted, *then);
        }
    }

    /// What was found, once.
    pub fn difference(&mut self) -> Option<Fault> {
        self.found.take()
    }

    fn tally(&self) -> Tally {
        Tally { count: self.known.len(), sum: self.sum }
    }

    fn mark(&self, key: &ObjectKey, version: &str) -> u64 {
        self.keys.hash_one((key, version))
    }

    /// An event of this version is about to be taken. If it is the first beyond what the server had counted, now is
    /// the moment to compare.
    fn comes(&mut self, version: &str) -> Option<u64> {
        let Ok(number) = version.parse() else {
            self.lost_count();
            return None;
        };
        if let Look::Answered(counted) = self.look
            && counted.version < number
        {
            self.judge(counted, self.tally());
        }
        Some(number)
    }

    fn reach(&mut self, version: u64) {
        self.reached = self.reached.max(version);
        let now = (self.reached, self.tally());
        if let Look::Asked(trail) = &mut self.look {
            trail.push(now);
        }
    }

    fn counted(&self, page: &Page) -> Option<Counted> {
        let version = page.meta.resource_version.parse().ok()?;
        let told = page.items.len();
        if page.meta.next_page.is_empty() {
            let marks = page.items.iter().map(|(key, version)| self.mark(key, version));
            let sum = marks.fold(0, u64::wrapping_add);
            return Some(Counted { version, count: told, sum: Some(sum) });
        }
        let more = usize::try_from(page.meta.remaining_item_count?).ok().filter(|more| *more > 0)?;
        Some(Counted { version, count: told + more, sum: None })
    }

    fn judge(&mut self, counted: Counted, known: Tally) {
        self.look = Look::No;
        if counted.is(known) {
            self.differed = 0;
        } else {
            self.differs(counted, known);
        }
    }

    fn differs(&mut self, counted: Counted, known: Tally) {
        self.look = Look::No;
        self.differed += 1;
        let words = if counted.count == known.count {
            format!("not all of {} are as the server holds them", known.count)
        } else {
            format!("the server holds {}, the watch told of {}", counted.count, known.count)
        };
        self.found = Some(Fault::new(Step::Watch, FaultKind::Missed, words));
    }

    fn interval(&self) -> Duration {
        let doublings = self.differed.saturating_sub(1).min(MOST_DOUBLINGS);
        EVERY.mul_f64(0.8 + 0.2 * fastrand::f64()) * 2u32.pow(doublings)
    }
}

impl Counted {
    fn is(self, tally: Tally) -> bool {
        self.count == tally.count && self.sum.is_none_or(|sum| sum == tally.sum)
    }
}

/// An answer: the objects by name and version, as many as were asked for.
#[derive(Debug)]
pub struct Page {
    pub meta: ListMeta,
    pub items: Vec<(ObjectKey, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, VecDeque};

    fn key(number: usize) -> ObjectKey {
        ObjectKey::new("a", &format!("o{number}"))
    }

    /// A census of a list of so many objects, each at the version of its number.
    fn listed(count: usize, version: u64) -> (Census, Instant) {
        let (mut census, now) = (Census::default(), Instant::now());
        census.begin();
        for number in 0..count {
            census.holds(&key(number), &number.to_string());
        }
        census.listed(&version.to_string(), now);
        let due = census.due.unwrap();
        assert!(due >= now + EVERY / 5 && due <= now + EVERY);
        (census, due)
    }

    fn page(version: u64, items: &[(usize, u64)]) -> Page {
        let meta = ListMeta { resource_version: version.to_string(), ..ListMeta::default() };
        let items = items.iter().map(|(number, version)| (key(*number), version.to_string()));
        Page { meta, items: items.collect() }
    }

    fn part(version: u64, remaining: Option<i64>) -> Page {
        let next_page = "more".to_owned();
        let meta =
            ListMeta { resource_version: version.to_string(), next_page, remaining_item_count: remaining };
        Page { meta, items: vec![(key(0), "0".into())] }
    }

    const THREE: [(usize, u64); 3] = [(0, 0), (1, 1), (2, 2)];

    #[test]
    fn what_is_the_same_is_looked_at_again_when_it_is_due() {
        let (mut census, due) = listed(3, 10);
        assert_eq!(census.ask(true, due - Duration::from_secs(1)), None);
        assert_eq!(census.ask(false, due), None, "a watch that must first tell what was missed");
        assert_eq!(census.ask(true, due), Some(PAGE));
        census.answered(Some(page(10, &THREE)), due);
        assert_eq!((census.difference(), census.differed), (None, 0));
        let again = census.due.unwrap() - due;
        assert!(again > EVERY / 2 && again <= EVERY, "{again:?}");
    }

    #[test]
    fn a_delete_an_add_and_a_change_that_were_not_told_are_found_where_the_server_counted() {
        let two: Vec<_> = THREE[..2].to_vec();
        let four = [&THREE[..], &[(3, 11)]].concat();
        let changed = [&THREE[..2], &[(2, 11)]].concat();
        for (items, words) in [
            (two, "the server holds 2, the watch told of 3"),
            (four, "the server holds 4, the watch told of 3"),
            (changed, "not all of 3 are as the server holds them"),
        ] {
            let (mut census, due) = listed(3, 10);
            census.ask(true, due);
            census.answered(Some(page(12, &items)), due);
            assert_eq!(census.difference(), None, "it may be on its way");
            census.told_all("11");
            assert_eq!(census.difference(), None, "it may still be on its way");
            census.told_all("12");
            let found = census.difference().unwrap();
            assert_eq!((found.kind, found.detail.as_str()), (FaultKind::Missed, words));
            assert_eq!(census.difference(), None, "told once");
        }
    }

    #[test]
    fn news_beyond_what_was_counted_is_as_good_as_a_bookmark() {
        let (mut census, due) = listed(3, 10);
        census.ask(true, due);
        census.answered(Some(page(12, &THREE[..2])), due);
        census.holds(&key(3), "11");
        assert_eq!(census.difference(), None);
        census.holds(&key(4), "13");
        assert!(census.difference().unwrap().detail.contains("holds 2, the watch told of 4"));
        // The same, with nothing missing.
        let (mut census, due) = listed(3, 10);
        census.ask(true, due);
        census.answered(Some(page(12, &[(0, 0), (1, 1), (3, 12)])), due);
        census.lost(&key(2), "11");
        census.holds(&key(3), "12");
        census.lost(&key(0), "13");
        assert_eq!((census.difference(), census.differed), (None, 0));
    }

    #[test]
    fn what_happens_while_the_answer_is_on_its_way_is_no_difference() {
        let (mut census, due) = listed(3, 10);
        census.ask(true, due);
        census.lost(&key(2), "11");
        census.holds(&key(3), "12");
        census.holds(&key(4), "13");
        census.answered(Some(page(11, &THREE[..2])), due);
        assert_eq!((census.difference(), census.differed), (None, 0));
        // As of 11 it should have been gone.
        let (mut census, due) = listed(3, 10);
        census.ask(true, due);
        census.holds(&key(3), "12");
        census.answered(Some(page(11, &THREE[..2])), due);
        assert!(census.difference().is_some());
    }

    #[test]
    fn what_cannot_be_judged_is_not() {
        let judged = |change: fn(&mut Census), page: Option<Page>| {
            let (mut census, due) = listed(3, 10);
            change(&mut census);
            let asked = census.ask(true, due).is_some();
            census.answered(page, due);
            census.told_all("99");
            let found = census.difference().is_some();
            (asked, found)
        };
        let wrong = || Some(page(12, &[]));
        assert_eq!(judged(|_| {}, wrong()), (true, true));
        assert_eq!(judged(|_| {}, None), (true, false), "no answer");
        assert_eq!(judged(|_| {}, Some(page(9, &[]))), (true, false), "a server that is behind");
        assert_eq!(judged(|_| {}, Some(part(12, None))), (true, false), "no number");
        assert_eq!(judged(|_| {}, Some(part(12, Some(-5)))), (true, false), "no such number");
        let opaque = ListMeta { resource_version: "b3".into(), ..ListMeta::default() };
        let opaque = Page { meta: opaque, items: Vec::new() };
        assert_eq!(judged(|_| {}, Some(opaque)), (true, false), "a version that is no number");
        assert_eq!(judged(Census::lost_count, wrong()), (false, false), "an object without a name");
        assert_eq!(judged(|it| it.holds(&key(1), ""), wrong()), (false, false), "news without a version");
        assert_eq!(judged(|it| it.told_all("b3"), wrong()), (false, false), "a bookmark that is no number");
    }

    #[test]
    fn of_many_only_the_number_is_asked_for() {
        let (mut census, due) = listed(PAGE + 1, 1_000);
        assert_eq!(census.ask(true, due), Some(1));
        census.answered(Some(part(1_000, Some(PAGE as i64))), due);
        assert_eq!(census.difference(), None);
        let due = census.due.unwrap();
        assert_eq!(census.ask(true, due), Some(1));
        census.answered(Some(part(1_000, Some(PAGE as i64 - 1))), due);
        assert_eq!(
            census.difference().unwrap().detail.as_str(),
            "the server holds 500, the watch told of 501"
        );
    }

    #[test]
    fn a_number_that_no_list_makes_right_is_looked_at_ever_less_often() {
        let (mut census, mut now) = listed(3, 10);
        now = census.due.unwrap().max(now);
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert!(census.ask(true, now).is_some());
            census.answered(Some(page(10, &[])), now);
            assert!(census.difference().is_some());
            census.begin();
            for (number, version) in THREE {
                census.holds(&key(number), &version.to_string());
            }
            census.listed("10", now);
            waits.push(census.due.unwrap() - now);
            now = census.due.unwrap();
        }
        assert_eq!(waits[0], Duration::ZERO, "whether the list has mended it is known at once");
        assert!(waits[1] >= EVERY && waits[1] <= EVERY * 2, "{waits:?}");
        assert!(waits[7] >= EVERY * 6 && waits[7] <= EVERY * 8, "{waits:?}");
        // It agrees at last.
        census.ask(true, now);
        census.answered(Some(page(10, &THREE)), now);
        assert_eq!(census.differed, 0);
    }

    #[test]
    fn a_watch_that_never_comes_as_far_is_believed_not_to_come_when_the_next_look_is_due() {
        let (mut census, due) = listed(3, 10);
        census.ask(true, due);
        census.answered(Some(page(500, &THREE[..2])), due);
        let due = census.due.unwrap();
        assert_eq!(census.ask(true, due), None);
        assert!(census.difference().is_some());
        let (mut census, due) = listed(3, 10);
        census.ask(true, due);
        census.answered(Some(page(500, &THREE)), due);
        assert_eq!(census.ask(true, census.due.unwrap()), Some(PAGE), "nothing was different");
        assert_eq!(census.difference(), None);
    }

    #[test]
    fn after_a_long_absence_not_all_look_at_once() {
        let mut waits = Vec::new();
        for _ in 0..40 {
            let (mut census, due) = listed(3, 10);
            let now = due + Duration::from_hours(1);
            assert_eq!(census.ask(true, now), None);
            waits.push((census.due.unwrap() - now).as_secs() / 60);
        }
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.len() > 3, "{waits:?}");
    }

    #[derive(Debug, Clone)]
    enum Turn {
        Put(usize),
        Delete(usize),
        Hear(usize),
        Bookmark,
        Ask,
        Answer,
    }

    fn turn() -> impl Strategy<Value = Turn> {
        prop_oneof![
            4 => (0..6usize).prop_map(Turn::Put),
            3 => (0..6usize).prop_map(Turn::Delete),
            6 => (1..4usize).prop_map(Turn::Hear),
            1 => Just(Turn::Bookmark),
            2 => Just(Turn::Ask),
            2 => Just(Turn::Answer),
        ]
    }

    /// A server, the events that are on their way from it, and a census of what arrives.
    struct Play {
        census: Census,
        server: BTreeMap<usize, u64>,
        version: u64,
        events: VecDeque<(usize, u64, bool)>,
        answer: Option<Page>,
        heard: usize,
        /// This event never arrives.
        dropped: Option<usize>,
    }

    impl Play {
        fn page(&self) -> Page {
            let items: Vec<_> = self.server.iter().map(|(key, at)| (*key, *at)).collect();
            page(self.version, &items)
        }

        fn hear(&mut self) {
            let Some((number, at, holds)) = self.events.pop_front() else { return };
            self.heard += 1;
            match holds {
                _ if self.dropped == Some(self.heard) => {}
                true => self.census.holds(&key(number), &at.to_string()),
                false => self.census.lost(&key(number), &at.to_string()),
            }
        }

        fn take(&mut self, turn: &Turn) {
            let now = Instant::now();
            match turn {
                Turn::Put(number) => {
                    self.version += 1;
                    self.server.insert(*number, self.version);
                    self.events.push_back((*number, self.version, true));
                }
                Turn::Delete(number) => {
                    if self.server.remove(number).is_some() {
                        self.version += 1;
                        self.events.push_back((*number, self.version, false));
                    }
                }
                Turn::Hear(most) => (0..*most).for_each(|_| self.hear()),
                Turn::Bookmark if self.events.is_empty() => self.census.told_all(&self.version.to_string()),
                Turn::Bookmark => {}
                Turn::Ask => {
                    if matches!(self.census.look, Look::Answered(_)) {
                        // Minutes later nothing is on its way any more.
                        self.take(&Turn::Hear(200));
                    }
                    self.census.due = Some(now);
                    self.answer = self.census.ask(true, now).map(|_| self.page());
                }
                Turn::Answer => {
                    if let Some(answer) = self.answer.take() {
                        self.census.answered(Some(answer), now);
                    }
                }
            }
        }
    }

    proptest! {
        /// However the events, the bookmarks, the looks and their answers fall between each other.
        #[test]
        fn a_watch_that_tells_everything_is_never_doubted_and_one_that_does_not_is_found_out(
            turns in proptest::collection::vec(turn(), 1..120),
            dropped in proptest::option::of(1..20usize),
        ) {
            let (events, answer) = (VecDeque::new(), None);
            let census = listed(0, 1).0;
            let mut play =
                Play { census, server: BTreeMap::new(), version: 1, events, answer, heard: 0, dropped };
            let end = [Turn::Hear(200), Turn::Bookmark, Turn::Ask, Turn::Answer, Turn::Bookmark];
            for turn in turns.iter().chain(&end) {
                play.take(turn);
                if let Some(found) = play.census.difference() {
                    prop_assert!(dropped.is_some_and(|it| it <= play.heard), "{found}, and nothing was dropped");
                    return Ok(());
                }
            }
            let held = play.census.counted(&play.page()).unwrap();
            prop_assert!(held.is(play.census.tally()), "not found: {held:?}, {:?}", play.census);
        }
    }
}
