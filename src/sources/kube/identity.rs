//! Is this still the same cluster? The UID of the namespace `kube-system` says so.
//!
//! A server that was rebuilt, or an address that was given to another cluster, answers as if nothing had
//! happened. Its objects must never be mixed with those of the cluster before, so the UID is asked for
//! before anything is listed anew, and with every ping.

use std::sync::{Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;

use crate::clients::kube::{Door, Question};
use crate::fleet::{Clean, Fault, FaultKind, Step};

const PATH: &str = "/api/v1/namespaces/kube-system";

/// An answer so young is enough for a first list.
const YOUNG: Duration = Duration::from_secs(2);
/// An account that may not ask any more is not another cluster at once: a server in trouble refuses everything.
const WITHHELD: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct Identity {
    known: Mutex<Known>,
    credit: SyncMutex<Credit>,
    /// It stands where another cluster stood: it may happen again at any moment.
    in_place_of_another: bool,
    /// Tells the supervisor what was found.
    found: mpsc::Sender<Found>,
}

#[derive(Debug, Default)]
struct Known {
    who: Who,
    /// When the last question that was answered was asked.
    asked: Option<Instant>,
    /// Since when the account may not ask any more.
    withheld: Option<Instant>,
    /// It is another cluster: nobody may go on.
    replaced: bool,
}

/// The first lists of a session wait for nobody: they are believed before it is known who told them, for as long as no
/// question for it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credit {
    Open,
    /// Something was believed.
    Used,
    /// Something was believed, and then a question failed.
    Doubted,
    Over,
}

/// Who a cluster is, as far as it is known.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Who {
    #[default]
    Unknown,
    /// Lists were believed before anybody knew who told them, and then it could not be asked: whoever answers now may
    /// be another.
    Doubtful,
    /// The account may not ask.
    Withheld,
    Uid(Clean),
}

/// What a question for the identity found; `None` when the account may not ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    First(Option<Clean>),
    /// Another cluster than before, or one of which nothing says that it is the same.
    Replaced(Option<Clean>),
}

#[derive(Deserialize)]
struct Namespace {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    uid: String,
}

impl Who {
    pub fn of(uid: Option<Clean>) -> Self {
        uid.map_or(Self::Withheld, Self::Uid)
    }
}

impl Identity {
    /// That of a cluster that was found in the place of another.
    pub fn found(uid: Option<Clean>) -> (Self, mpsc::Receiver<Found>) {
        Self::of(Who::of(uid), true)
    }

    /// That of a cluster of which another account, or another way, may have told who it is: it is asked before anything
    /// is listed. Should this account not be allowed to ask, nothing says that it is the same.
    pub fn told(who: Who) -> (Self, mpsc::Receiver<Found>) {
        let (mut identity, found) = Self::of(who, false);
        identity.known.get_mut().withheld = Instant::now().checked_sub(WITHHELD);
        (identity, found)
    }

    fn of(who: Who, in_place_of_another: bool) -> (Self, mpsc::Receiver<Found>) {
        let (found, receiver) = mpsc::channel(8);
        let credit = SyncMutex::new(if who == Who::Unknown { Credit::Open } else { Credit::Over });
        let known = Mutex::new(Known { who, ..Known::default() });
        (Self { known, credit, in_place_of_another, found }, receiver)
    }

    /// What the next connection shall think of who it is, when this one has told nothing.
    pub fn left(&self) -> Who {
        let was_open = self.turn_credit(|credit| credit) == Credit::Open;
        if was_open { Who::Unknown } else { Who::Doubtful }
    }

    /// A question failed that would have told, or have led to it.
    pub fn failed(&self) {
        self.turn_credit(|credit| match credit {
            Credit::Open | Credit::Over => Credit::Over,
            Credit::Used | Credit::Doubted => Credit::Doubted,
        });
    }

    /// What becomes of the credit; what it was.
    fn turn_credit(&self, next: impl FnOnce(Credit) -> Credit) -> Credit {
        let mut credit = self.credit.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *credit;
        *credit = next(before);
        before
    }

    /// For the first list of a source, of which there are many at once: what was asked a moment ago is enough, unless
    /// clusters change places.
    pub async fn verify_first(&self, door: &Door) -> Result<(), Fault> {
        let before = self.turn_credit(|credit| if credit == Credit::Open { Credit::Used } else { credit });
        if matches!(before, Credit::Open | Credit::Used) {
            return Ok(());
        }
        let now = Instant::now();
        let since = if self.in_place_of_another { now } else { now.checked_sub(YOUNG).unwrap_or(now) };
        self.verify(door, since).await
    }

    /// Whether it is still the same, asked at or after a moment. When another cluster answers it tells the supervisor
    /// and never returns, nor does it for anybody who asks later: the supervisor ends everything that would go on with
    /// the old cluster's versions.
    pub async fn verify(&self, door: &Door, since: Instant) -> Result<(), Fault> {
        let mut known = self.known.lock().await;
        if known.replaced {
            drop(known);
            std::future::pending::<()>().await;
            return Ok(());
        }
        // Many sources come back at the same moment; one question serves them all.
        if known.asked.is_some_and(|asked| asked >= since) {
            return Ok(());
        }
        let asked = Instant::now();
        let answer: Result<Namespace, Fault> = door.ask_json_urgently(Question::json(PATH, Step::Ping)).await;
        let who = known.take(answer).inspect_err(|_| self.failed())?;
        known.asked = Some(asked);
        if self.turn_credit(|_| Credit::Over) == Credit::Doubted {
            known.who = Who::Doubtful;
        }
        let uid = match &who {
            Who::Uid(uid) => Some(uid.clone()),
            _ => None,
        };
        match std::mem::replace(&mut known.who, who.clone()) {
            before if before == who => {}
            Who::Unknown => drop(self.found.send(Found::First(uid)).await),
            // Nobody can ever tell.
            Who::Doubtful if uid.is_none() => drop(self.found.send(Found::First(uid)).await),
            _ => {
                known.replaced = true;
                drop(known);
                let _ = self.found.send(Found::Replaced(uid)).await;
                std::future::pending::<()>().await;
            }
        }
        Ok(())
    }
}

impl Known {
    /// Who it was that answered so.
    fn take(&mut self, answer: Result<Namespace, Fault>) -> Result<Who, Fault> {
        let fault = match answer {
            Ok(namespace) => {
                self.withheld = None;
                return Ok(Who::Uid(Clean::from(namespace.metadata.uid)));
            }
            Err(fault) => fault,
        };
        let is_known = matches!(self.who, Who::Uid(_));
        match fault.kind {
            FaultKind::Forbidden | FaultKind::NotFound if !is_known => Ok(Who::Withheld),
            FaultKind::Forbidden => {
                let since = *self.withheld.get_or_insert_with(Instant::now);
                if since.elapsed() >= WITHHELD { Ok(Who::Withheld) } else { Err(fault) }
            }
            // Every cluster has it; this is a gateway without one.
            FaultKind::NotFound => Err(Fault::new(fault.step, FaultKind::Status(404), fault.detail)),
            _ => Err(fault),
        }
    }
}
