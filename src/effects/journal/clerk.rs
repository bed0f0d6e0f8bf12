//! The one who writes: a thread of its own, so that the disk never delays a key, and records stand in the order in which
//! they were handed over. It also looks once a second whether another process has added something.
//!
//! It lets only one process at a time drive an operation: what opens or resumes one claims it, a step is written down to
//! go out only under a claim, and what another process drives is not written about at all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::file::{self, Locked};
use super::tail::Tail;
use super::{Claim, Journal, NO_PLACE, notes};
use crate::fleet::{ChangeId, Clean};
use crate::gate::record::{Entry, Replay};
use crate::gate::{Operation, Record};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Operations at their end that are remembered; older ones are only in the file.
const MOST_ENDED: usize = 2_000;
/// While the file is read, so many more may gather until they are let go.
const SLACK: usize = 1_000;

/// Notes that are remembered, so that none is told twice.
const MOST_TOLD: usize = 100;

/// What the journal tells that was not told before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct News {
    /// Operations that are new or stand differently.
    pub operations: Vec<Operation>,
    pub notes: Vec<Clean>,
}

/// A way to the thread. It ends, and gives its claims back, when the last one is dropped.
#[derive(Debug, Clone)]
pub struct Clerk {
    orders: Sender<Order>,
    path: Option<PathBuf>,
}

#[derive(Debug)]
enum Order {
    Append(Box<Record>, oneshot::Sender<Result<(), Clean>>),
    Look,
}

impl Clerk {
    /// Starts the thread; the first news is everything that can be read, and comes soon.
    pub fn start(path: Option<PathBuf>) -> (Self, mpsc::Receiver<News>) {
        let (orders, received) = channel();
        let (news, receiver) = mpsc::channel(16);
        let keeper = path.clone().map(|path| Keeper::new(Journal::at(path)));
        let spawned = thread::Builder::new().name("journal".into()).spawn(move || match keeper {
            Some(keeper) => keeper.work(&received, &news),
            None => refuse(&received, &news),
        });
        // Without a thread the orders have no receiver, and every append says so.
        drop(spawned);
        (Self { orders, path }, receiver)
    }

    /// Writes and syncs. When this fails, what the record tells of must not be done.
    pub fn append(&self, record: Record) -> oneshot::Receiver<Result<(), Clean>> {
        let (told, outcome) = oneshot::channel();
        // An order that nobody takes drops its sender, which the receiver sees.
        let _ = self.orders.send(Order::Append(Box::new(record), told));
        outcome
    }

    /// Looks for news at once.
    pub fn look(&self) {
        let _ = self.orders.send(Order::Look);
    }

    /// The journal for reading, beside the thread.
    pub fn journal(&self) -> Result<Journal, Clean> {
        self.path.clone().map(Journal::at).ok_or_else(|| NO_PLACE.into())
    }
}

fn refuse(orders: &Receiver<Order>, news: &mpsc::Sender<News>) {
    let _ = news.try_send(News { notes: vec![NO_PLACE.into()], ..News::default() });
    while let Ok(order) = orders.recv() {
        if let Order::Append(_, told) = order {
            let _ = told.send(Err(NO_PLACE.into()));
        }
    }
}

/// What the thread works with.
struct Keeper {
    journal: Journal,
    /// Operations that this process drives.
    claims: BTreeMap<ChangeId, Claim>,
    tail: Tail,
    replay: Replay,
    /// Changed and not told yet.
    changed: BTreeSet<ChangeId>,
    notes: Vec<Clean>,
    /// Notes that were told.
    told: Vec<Clean>,
}

impl Keeper {
    fn new(journal: Journal) -> Self {
        Self {
            journal,
            claims: BTreeMap::new(),
            tail: Tail::default(),
            replay: Replay::default(),
            changed: BTreeSet::new(),
            notes: Vec::new(),
            told: Vec::new(),
        }
    }

    fn work(mut self, orders: &Receiver<Order>, news: &mpsc::Sender<News>) {
        self.look();
        // The first news is told even when there is nothing in it: then nothing is open.
        let _ = news.try_send(self.take_news());
        loop {
            match orders.recv_timeout(LOOK_EVERY) {
                Ok(Order::Append(record, told)) => {
                    // Whoever waits for it is told before anything else is done.
                    let _ = told.send(self.append(&record));
                }
                Ok(Order::Look) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.look();
            self.tell(news);
        }
    }

    /// What there is no room for is told with the next; what nobody listens to is not kept.
    fn tell(&mut self, news: &mpsc::Sender<News>) {
        if self.changed.is_empty() && self.notes.is_empty() {
            return;
        }
        match news.try_reserve() {
            Ok(permit) => permit.send(self.take_news()),
            Err(TrySendError::Closed(())) => drop(self.take_news()),
            Err(TrySendError::Full(())) => {}
        }
    }

    fn append(&mut self, record: &Record) -> Result<(), Clean> {
        let id = &record.change;
        let is_ours = self.claims.contains_key(id);
        if matches!(record.entry, Entry::Sending { .. }) && !is_ours {
            return Err("this console does not drive the operation any more".into());
        }
        if !is_ours {
            let claim = self.journal.claim(id).map_err(|why| Clean::from(why.to_string()))?;
            self.claims.insert(id.clone(), claim);
        }
        let outcome = self.may_write(record).and_then(|()| self.journal.append(record));
        let stays = match record.entry {
            Entry::Opened { .. } | Entry::Resumed { .. } => outcome.is_ok() || is_ours,
            Entry::Ended { .. } | Entry::Paused { .. } => outcome.is_err() && is_ours,
            _ => is_ours,
        };
        if !stays {
            self.claims.remove(id);
        }
        self.notes.append(&mut self.journal.repaired);
        outcome
    }

    /// Nobody goes on with what somebody else has changed since it was looked at.
    fn may_write(&mut self, record: &Record) -> Result<(), Clean> {
        if !matches!(record.entry, Entry::Resumed { .. }) {
            return Ok(());
        }
        self.read_on()?;
        if self.changed.contains(&record.change) {
            return Err("another skydeck went on with it meanwhile: look again".into());
        }
        Ok(())
    }

    /// Takes in what was added, and who drives what.
    fn look(&mut self) {
        if let Err(words) = self.read_on() {
            self.note(words);
        }
        let open: Vec<(ChangeId, bool)> = self
            .replay
            .operations()
            .filter(|it| it.is_open() && !self.claims.contains_key(it.id()))
            .map(|it| (it.id().clone(), it.is_elsewhere))
            .collect();
        for (id, was) in open {
            let is = self.journal.is_claimed(&id);
            if is != was
                && let Some(operation) = self.replay.get_mut(&id)
            {
                operation.is_elsewhere = is;
                self.changed.insert(id);
            }
        }
    }

    fn read_on(&mut self) -> Result<(), Clean> {
        let path = self.journal.path().to_owned();
        let Some(Locked(ref file)) = file::to_read(&path)? else { return Ok(()) };
        let (replay, changed) = (&mut self.replay, &mut self.changed);
        let mut gathered = 0;
        let met = self.tail.advance(file, &mut |line| {
            replay.take(&line.record);
            changed.insert(line.record.change);
            gathered += 1;
            if gathered % SLACK == 0 {
                replay.keep(MOST_ENDED);
            }
        });
        self.replay.keep(MOST_ENDED);
        for note in notes(&path, &met.map_err(|error| file::told(&path, &error))?) {
            self.note(note);
        }
        Ok(())
    }

    fn note(&mut self, words: Clean) {
        if !self.told.contains(&words) {
            if self.told.len() >= MOST_TOLD {
                self.told.clear();
            }
            self.told.push(words.clone());
            self.notes.push(words);
        }
    }

    fn take_news(&mut self) -> News {
        let changed = std::mem::take(&mut self.changed);
        let operations = self.replay.operations().filter(|it| changed.contains(it.id())).cloned();
        News { operations: operations.collect(), notes: std::mem::take(&mut self.notes) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{id, opened, record};
    use super::*;
    use crate::gate::operation::{Outcome, Why};

    struct Place {
        _folder: tempfile::TempDir,
        path: PathBuf,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            Self { path: folder.path().join("journal.jsonl"), _folder: folder }
        }

        fn start(&self) -> (Clerk, mpsc::Receiver<News>) {
            Clerk::start(Some(self.path.clone()))
        }
    }

    async fn write(clerk: &Clerk, number: u64, entry: Entry) -> Result<(), Clean> {
        clerk.append(record(number, 0, entry)).await.unwrap()
    }

    /// Reads news until one operation stands so.
    async fn until(news: &mut mpsc::Receiver<News>, number: u64, stands: impl Fn(&Operation) -> bool) {
        loop {
            let told = news.recv().await.unwrap();
            if told.operations.iter().any(|it| *it.id() == id(number) && stands(it)) {
                return;
            }
        }
    }

    #[tokio::test]
    async fn what_one_console_does_another_sees_and_leaves_alone() {
        let place = Place::new();
        let (one, mut own) = place.start();
        let (other, mut seen) = place.start();
        assert_eq!(own.recv().await, Some(News::default()), "nothing is open");
        assert_eq!(seen.recv().await, Some(News::default()));
        write(&one, 1, opened(1, &["aws", "gcp"])).await.unwrap();
        write(&one, 1, Entry::Sending { step: 0, attempt: 1 }).await.unwrap();
        until(&mut seen, 1, |it| it.is_elsewhere && it.logged_at.is_some()).await;
        for entry in [
            Entry::Sending { step: 1, attempt: 1 },
            Entry::Verified { step: 0 },
            Entry::Ended { outcome: Outcome::Unknown },
        ] {
            assert!(write(&other, 1, entry).await.is_err());
        }
        let resumed = Entry::Resumed { actor: crate::gate::operation::Actor::default() };
        assert_eq!(
            write(&other, 1, resumed.clone()).await.unwrap_err(),
            "another skydeck on this machine drives it"
        );
        // The console ends in the middle, whichever way: nobody drives it any more.
        drop(one);
        until(&mut seen, 1, |it| !it.is_elsewhere && it.is_open()).await;
        assert!(
            write(&other, 1, Entry::Sending { step: 1, attempt: 1 }).await.is_err(),
            "nothing is sent by one who has not taken it up"
        );
        write(&other, 1, resumed).await.unwrap();
        write(&other, 1, Entry::Sending { step: 1, attempt: 1 }).await.unwrap();
        write(&other, 1, Entry::Ended { outcome: Outcome::Partial }).await.unwrap();
        assert!(!other.journal().unwrap().is_claimed(&id(1)));
        assert!(write(&other, 1, Entry::Sending { step: 1, attempt: 2 }).await.is_err());
    }

    #[test]
    fn nobody_goes_on_with_what_he_has_not_seen() {
        let place = Place::new();
        let mut keeper = Keeper::new(Journal::at(&place.path));
        let told = |keeper: &mut Keeper| {
            keeper.look();
            keeper.take_news().operations.pop().unwrap()
        };
        keeper.append(&record(1, 0, opened(1, &["aws"]))).unwrap();
        keeper.append(&record(1, 1, Entry::Paused { why: Why::Asked })).unwrap();
        assert!(told(&mut keeper).is_open());
        // Another one goes on with it and stops again, between two looks.
        let mut other = Journal::at(&place.path);
        other.append(&record(1, 2, Entry::Skipped { step: 0 })).unwrap();
        let resumed = record(1, 3, Entry::Resumed { actor: crate::gate::operation::Actor::default() });
        assert!(keeper.append(&resumed).unwrap_err().contains("look again"));
        assert_eq!(told(&mut keeper).steps[0].state, crate::gate::StepState::Skipped);
        keeper.append(&resumed).unwrap();
        assert!(Journal::at(&place.path).is_claimed(&id(1)));
    }

    #[tokio::test]
    async fn without_a_place_nothing_is_written_and_it_is_said() {
        let (clerk, mut news) = Clerk::start(None);
        assert_eq!(write(&clerk, 1, opened(1, &["aws"])).await, Err(NO_PLACE.into()));
        assert_eq!(news.recv().await.unwrap().notes, [NO_PLACE]);
        let place = Place::new();
        std::fs::write(&place.path, "not a journal\n{}\n").unwrap();
        std::fs::set_permissions(&place.path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let (clerk, mut news) = place.start();
        let told = news.recv().await.unwrap();
        assert!(told.notes[0].contains("line 1 of"), "{told:?}");
        assert!(write(&clerk, 1, opened(1, &["aws"])).await.unwrap_err().contains("move it away"));
        assert!(!clerk.journal().unwrap().is_claimed(&id(1)), "what was not opened is not driven");
    }
}
