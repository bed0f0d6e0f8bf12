//! The hand that does what the machine commands. Each command runs in a task of its own and is answered by an event;
//! records go through one writer, in their order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};

use super::announce::Announcer;
use super::apply;
use super::journal::Clerk;
use crate::fleet::{ChangeId, Fault, FaultKind, Mono, Step};
use crate::gate::machine::{Answered, Command, Event, Rejection, Written};
use crate::gate::operation::Actor;
use crate::gate::{Place, Record, Seen};
use crate::sources::kube::Details;

/// An event for an operation.
pub type Told = (ChangeId, Event);

pub struct Hand {
    details: Details,
    announcer: Announcer,
    records: UnboundedSender<Record>,
    events: Sender<Told>,
    actor: Actor,
    /// Commands that are being done.
    doing: Arc<AtomicUsize>,
}

impl Hand {
    pub fn new(details: Details, clerk: Clerk, actor: Actor) -> (Self, Receiver<Told>) {
        let (events, receiver) = channel(64);
        let (records, queue) = unbounded_channel();
        let doing = Arc::new(AtomicUsize::new(0));
        tokio::spawn(write(clerk, queue, events.clone(), Arc::clone(&doing)));
        (Self { details, announcer: Announcer::default(), records, events, actor, doing }, receiver)
    }

    pub fn take(&self, command: Command) {
        let change = command.change().clone();
        let events = self.events.clone();
        if let Command::Journal(record) = command {
            // The writer lives as long as this hand does.
            self.doing.fetch_add(1, Ordering::Relaxed);
            let _ = self.records.send(record);
            return;
        }
        let (details, announcer, actor) = (self.details.clone(), self.announcer.clone(), self.actor.clone());
        let lost = lost(&command);
        let doing = Arc::clone(&self.doing);
        doing.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            let told = events.clone();
            let task = tokio::spawn(perform(command, details, announcer, (actor, told)));
            // A panic in the task is an answer too: of what was being sent nobody knows.
            let event = task.await.unwrap_or(lost);
            doing.fetch_sub(1, Ordering::Relaxed);
            if let Some(event) = event {
                let _ = events.send((change, event)).await;
            }
        });
    }

    /// Whether something is still being asked, sent or given back.
    pub fn is_busy(&self) -> bool {
        self.doing.load(Ordering::Relaxed) > 0
    }

    /// Reads objects as they are now, all at once.
    pub fn look(
        &self,
        places: Vec<Place>,
        at: Mono,
    ) -> impl Future<Output = Vec<Result<Seen, (Place, Fault)>>> + use<> {
        let details = self.details.clone();
        futures::future::join_all(places.into_iter().map(move |place| {
            let details = details.clone();
            async move {
                match details.object(place.cluster, &place.object).await {
                    Ok(value) => Ok(Seen { place, value: Arc::new(value), at }),
                    Err(fault) => Err((place, fault)),
                }
            }
        }))
    }
}

/// Who sits here, for the journal, leases and events.
pub fn actor() -> Actor {
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    // Services and containers often have no such variable; whom the system knows by a number is not unknown.
    let number = || format!("uid {}", rustix::process::getuid().as_raw());
    Actor { user: user.unwrap_or_else(number).into(), host: host.into(), process: std::process::id() }
}

/// A name for an operation.
pub fn change_id(unix_ms: u64) -> ChangeId {
    ChangeId::new(unix_ms, fastrand::u128(..))
}

async fn perform(
    command: Command,
    details: Details,
    announcer: Announcer,
    who: (Actor, Sender<Told>),
) -> Option<Event> {
    let (actor, events) = who;
    match command {
        Command::Check { plan, step, cluster } => {
            let answer = apply::check(&details, &plan, step, cluster).await;
            Some(Event::Checked { step, answer })
        }
        Command::Announce { plan, targets } => {
            let held = announcer.hold(&details, &plan, &targets, (&actor, events)).await;
            Some(Event::Announced(held))
        }
        Command::Send(approved) => {
            let step = approved.number();
            let answer = apply::send(&details, approved).await;
            Some(Event::Answered { step, answer })
        }
        Command::Read { plan, step, cluster } => {
            let object = apply::read(&details, &plan.steps[step], cluster).await;
            Some(Event::Read { step, object })
        }
        Command::Withdraw { plan, targets, ended } => {
            announcer.withdraw(&details, &plan, &targets, (&actor, ended.as_ref())).await;
            None
        }
        Command::Journal(_) => None,
    }
}

/// What is said when the task that did it was ended by a bug.
fn lost(command: &Command) -> Option<Event> {
    const WORDS: &str = "this console's own task failed (a bug)";
    match command {
        Command::Check { step, .. } => {
            Some(Event::Checked { step: *step, answer: Err(Rejection::new(WORDS)) })
        }
        Command::Announce { .. } => Some(Event::Announced(Err(WORDS.into()))),
        Command::Send(approved) => Some(Event::Answered {
            step: approved.number(),
            answer: Answered::Unknown { words: WORDS.into() },
        }),
        Command::Read { step, .. } => {
            Some(Event::Read { step: *step, object: Err(Fault::new(Step::Get, FaultKind::Panic, "")) })
        }
        Command::Withdraw { .. } | Command::Journal(_) => None,
    }
}

async fn write(
    clerk: Clerk,
    mut queue: UnboundedReceiver<Record>,
    events: Sender<Told>,
    doing: Arc<AtomicUsize>,
) {
    while let Some(record) = queue.recv().await {
        let (of, change) = (Written::of(&record), record.change.clone());
        let outcome = clerk.append(record).await;
        let outcome = outcome.unwrap_or_else(|_| Err("the journal's thread has ended (a bug)".into()));
        doing.fetch_sub(1, Ordering::Relaxed);
        let _ = events.send((change, Event::Journaled { of, outcome })).await;
    }
}
