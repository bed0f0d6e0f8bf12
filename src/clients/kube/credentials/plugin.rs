//! One credential plugin: run once for everybody who needs it, before its credential ends, and once more when a
//! server refuses it.
//!
//! A run goes on when whoever asked for it goes away, so that the next one finds its credential. One that failed
//! is not tried again at once: every cluster that shares it is told the same.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use super::exec::{Asks, Exec, Given, Identity};
use super::process::{self, Ran, Trouble};
use super::{wall, words};
use crate::clients::secret::Secret;
use crate::fleet::{Clean, Fault, FaultKind, Unix};

/// The longest time before the end at which a credential is made anew.
const EARLY_SECS: i64 = 60;
/// What is left of a credential that is sent.
const LAST_SECS: i64 = 5;
/// After a failure: so long first, doubled each time.
const PAUSE: Duration = Duration::from_secs(4);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// A server that refuses a new credential too does not make the plugin run for every request.
const BETWEEN_REFUSALS: Duration = Duration::from_mins(1);

pub struct Plugin {
    exec: Arc<Exec>,
    patience: Duration,
    /// Held while it runs.
    running: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Arc<Held>>,
    failure: Option<Failure>,
    refused: Option<Instant>,
}

#[derive(Clone)]
struct Failure {
    fault: Fault,
    at: Instant,
    in_a_row: u32,
}

/// A credential that a plugin gave.
pub struct Held {
    pub header: Option<HeaderValue>,
    pub identity: Option<Arc<Identity>>,
    pub expires: Option<Unix>,
    /// From then on it is made anew, while it still serves.
    renew: Option<Unix>,
}

/// What to do for somebody who needs a credential.
enum Known {
    Good(Arc<Held>),
    /// It serves, and its end is near.
    Ending(Arc<Held>),
    Fault(Fault),
    Nothing,
}

impl Plugin {
    pub fn new(exec: Arc<Exec>, patience: Duration) -> Self {
        Self { exec, patience, running: tokio::sync::Mutex::default(), state: Mutex::default() }
    }

    pub fn name(&self) -> Clean {
        self.exec.name()
    }

    /// The credential, after a run if there must be one.
    pub async fn held(self: &Arc<Self>) -> Result<Arc<Held>, Fault> {
        match self.known() {
            Known::Good(held) => Ok(held),
            Known::Fault(fault) => Err(fault),
            Known::Nothing => self.renewed(None).await,
            Known::Ending(held) => {
                if self.running.try_lock().is_ok() {
                    let (this, old) = (Arc::clone(self), Arc::clone(&held));
                    tokio::spawn(async move { this.renewed(Some(old)).await });
                }
                Ok(held)
            }
        }
    }

    /// A server refused it. True when there is another one now.
    pub async fn refused(self: &Arc<Self>, held: &Arc<Held>) -> bool {
        let (this, old) = (Arc::clone(self), Arc::clone(held));
        let renewed = tokio::spawn(async move {
            let _one = this.running.lock().await;
            if this.other_than(&old).is_some() {
                return true;
            }
            if !this.may_answer_a_refusal() {
                return false;
            }
            tracing::info!(plugin = %this.name(), "a server refused its credential");
            this.run().await.is_ok()
        });
        renewed.await.unwrap_or(false)
    }

    /// Lets the operator answer it, in the foreground. The terminal must be theirs.
    pub async fn log_in(&self) -> Result<(), Fault> {
        if self.exec.asks == Asks::Never {
            let words = "may not ask anybody: its kubeconfig says interactiveMode: Never";
            return Err(self.exec.fault(FaultKind::Credential, words));
        }
        let _one = self.running.lock().await;
        let began = Instant::now();
        let outcome = match process::in_front(&self.exec).await {
            Ok(ran) => self.judge(&ran),
            Err(trouble) => Err(self.told(trouble)),
        };
        self.keep(outcome, began).map(drop)
    }

    /// What failed may be tried again now.
    pub fn forgive(&self) {
        self.locked().failure = None;
    }

    /// What it holds now, without a run.
    pub fn holds(&self) -> Option<Arc<Held>> {
        self.locked().held.clone()
    }

    fn known(&self) -> Known {
        let (state, now) = (self.locked(), wall());
        let failure = state.failure.as_ref().filter(|failure| failure.at.elapsed() < pause(failure));
        let left = |held: &Held| held.expires.is_none_or(|end| now.0 + LAST_SECS < end.0);
        match (&state.held, failure) {
            (Some(held), failure) if left(held) => {
                let due = held.renew.is_some_and(|renew| renew <= now);
                let held = Arc::clone(held);
                if due && failure.is_none() { Known::Ending(held) } else { Known::Good(held) }
            }
            (_, Some(failure)) => Known::Fault(failure.fault.clone()),
            _ if self.exec.asks == Asks::Always => Known::Fault(self.needs_login()),
            _ => Known::Nothing,
        }
    }

    async fn renewed(self: &Arc<Self>, old: Option<Arc<Held>>) -> Result<Arc<Held>, Fault> {
        let this = Arc::clone(self);
        let run = tokio::spawn(async move {
            let _one = this.running.lock().await;
            // Whoever waited finds what the run before brought.
            match (&old, this.known()) {
                (None, Known::Good(held) | Known::Ending(held)) => Ok(held),
                (_, Known::Fault(fault)) => Err(fault),
                (Some(old), Known::Good(held)) if !Arc::ptr_eq(old, &held) => Ok(held),
                _ => this.run().await,
            }
        });
        let bug = || self.exec.fault(FaultKind::Panic, "could not be waited for");
        run.await.unwrap_or_else(|_| Err(bug()))
    }

    /// Runs it; only with the right to.
    async fn run(&self) -> Result<Arc<Held>, Fault> {
        if self.exec.asks == Asks::Always {
            return Err(self.needs_login());
        }
        let began = Instant::now();
        let outcome = match process::behind(&self.exec, self.patience).await {
            Ok(ran) => self.judge(&ran),
            Err(trouble) => Err(self.told(trouble)),
        };
        self.keep(outcome, began)
    }

    fn judge(&self, ran: &Ran) -> Result<Held, Fault> {
        let person = words::ask_for_somebody(&ran.words) || words::ask_for_somebody(&ran.output);
        if !ran.status.success() {
            if person {
                return Err(self.needs_login());
            }
            let words = format!("failed with {}", ran.status);
            return Err(self.exec.fault(FaultKind::Credential, &words));
        }
        match Given::of(&self.exec, &ran.output) {
            Ok(given) => self.accept(given),
            Err(_) if person => Err(self.needs_login()),
            Err(words) => Err(self.exec.fault(FaultKind::Credential, words)),
        }
    }

    fn accept(&self, given: Given) -> Result<Held, Fault> {
        let now = wall();
        if let Some(end) = given.expires.filter(|end| end.0 <= now.0 + LAST_SECS) {
            let words = format!("gave a credential that expired at {}: is the clock right?", end.rfc3339());
            return Err(self.exec.fault(FaultKind::Credential, &words));
        }
        let header = given.token.as_ref().map(Secret::bearer);
        if let Some(None) = header {
            return Err(self.exec.fault(FaultKind::Credential, "gave a token that cannot be sent"));
        }
        let renew = given.expires.map(|end| Unix(end.0 - LAST_SECS - EARLY_SECS.min((end.0 - now.0) / 4)));
        let identity = given.identity.map(Arc::new);
        Ok(Held { header: header.flatten(), identity, expires: given.expires, renew })
    }

    fn keep(&self, outcome: Result<Held, Fault>, began: Instant) -> Result<Arc<Held>, Fault> {
        let (name, took_ms) = (self.name(), began.elapsed().as_millis());
        let mut state = self.locked();
        match outcome {
            Ok(held) => {
                let expires = held.expires.map_or_else(|| "never".to_owned(), Unix::rfc3339);
                tracing::info!(plugin = %name, took_ms, expires, "credential given");
                let held = Arc::new(held);
                state.held = Some(Arc::clone(&held));
                state.failure = None;
                Ok(held)
            }
            Err(fault) => {
                tracing::warn!(plugin = %name, took_ms, "no credential: {}", fault.detail);
                let in_a_row = state.failure.as_ref().map_or(0, |failure| failure.in_a_row + 1);
                state.failure = Some(Failure { fault: fault.clone(), at: Instant::now(), in_a_row });
                Err(fault)
            }
        }
    }

    fn told(&self, trouble: Trouble) -> Fault {
        match trouble {
            Trouble::Untold(fault) => fault,
            Trouble::Start(error) => self.exec.cannot_start(&error),
            Trouble::Hung => self.exec.hung(self.patience),
            Trouble::Flood => self.exec.fault(FaultKind::Credential, "printed far more than a credential"),
        }
    }

    fn needs_login(&self) -> Fault {
        let words = if self.exec.asks == Asks::Never {
            "needs somebody to log in, and may not ask: its kubeconfig says interactiveMode: Never"
        } else {
            "needs somebody to answer it"
        };
        self.exec.fault(FaultKind::Login, words)
    }

    fn other_than(&self, old: &Arc<Held>) -> Option<Arc<Held>> {
        self.locked().held.clone().filter(|held| !Arc::ptr_eq(held, old))
    }

    fn may_answer_a_refusal(&self) -> bool {
        let mut state = self.locked();
        let may = state.refused.is_none_or(|last| last.elapsed() >= BETWEEN_REFUSALS);
        if may {
            state.refused = Some(Instant::now());
        }
        may
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pause(failure: &Failure) -> Duration {
    LONGEST_PAUSE.min(PAUSE.saturating_mul(1 << failure.in_a_row.min(8)))
}
