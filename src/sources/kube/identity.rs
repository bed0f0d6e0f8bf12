//! Is this still the same cluster? The UID of the namespace `kube-system` says so.
//!
//! A server that was rebuilt, or an address that was given to another cluster, answers as if nothing had
//! happened. Its objects must never be mixed with those of the cluster before, so the UID is asked for
//! before anything is listed anew, and with every ping.

use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;

use crate::clients::kube::{Door, Question};
use crate::fleet::{Clean, Fault, FaultKind, Step};

const PATH: &str = "/api/v1/namespaces/kube-system";

/// An answer so young need not be asked for again: many sources come back at the same moment.
const YOUNG: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Identity {
    known: Mutex<Known>,
    /// Tells the supervisor what was found.
    found: mpsc::Sender<Found>,
}

#[derive(Debug, Default)]
struct Known {
    uid: Option<Clean>,
    asked: Option<Instant>,
}

/// What a question for the identity found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    First(Clean),
    Withheld,
    /// Another cluster than before.
    Replaced(Clean),
}

#[derive(Deserialize)]
struct Namespace {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    uid: String,
}

impl Identity {
    pub fn new() -> (Self, mpsc::Receiver<Found>) {
        let (found, receiver) = mpsc::channel(8);
        (Self { known: Mutex::default(), found }, receiver)
    }

    /// Asks and compares. When another cluster answers it tells the supervisor and never returns: the
    /// supervisor ends everything that would go on with the old cluster's versions.
    pub async fn verify(&self, door: &Door) -> Result<(), Fault> {
        let mut known = self.known.lock().await;
        if known.asked.is_some_and(|asked| asked.elapsed() < YOUNG) {
            return Ok(());
        }
        let answer: Result<Namespace, Fault> = door.ask_json(Question::json(PATH, Step::Ping)).await;
        known.asked = Some(Instant::now());
        let uid = match answer {
            Ok(namespace) => Clean::from(namespace.metadata.uid),
            Err(fault) if matches!(fault.kind, FaultKind::Forbidden | FaultKind::NotFound) => {
                if known.uid.is_none() {
                    let _ = self.found.send(Found::Withheld).await;
                }
                return Ok(());
            }
            Err(fault) => {
                known.asked = None;
                return Err(fault);
            }
        };
        match known.uid.replace(uid.clone()) {
            None => drop(self.found.send(Found::First(uid)).await),
            Some(before) if before == uid => {}
            Some(_) => {
                let _ = self.found.send(Found::Replaced(uid)).await;
                drop(known);
                std::future::pending::<()>().await;
            }
        }
        Ok(())
    }
}
