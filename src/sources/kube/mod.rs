//! The sources of one cluster: connect, find out what it serves, list and watch every kind.
//!
//! Everything about a cluster happens in tasks of its own. Nothing here waits for another cluster, and a task
//! that panics is told as a failed source and begins again while the others go on.

mod begin_again;
mod census;
pub mod checkup;
pub mod connection;
pub mod convert;
pub mod detail;
mod discovery;
mod identity;
pub mod kinds;
mod logs;
mod plan;
mod ping;
mod reflector;
mod stream;
mod supervisor;
mod turn;
mod watched;

pub use connection::run;
pub use detail::Details;
pub use turn::Turns;

use tokio::sync::watch;

/// Ends waits early and opens watches anew: the server answers again after silence, or the operator asked for it.
#[derive(Debug, Clone)]
pub struct Nudge {
    sender: watch::Sender<u64>,
}

impl Default for Nudge {
    fn default() -> Self {
        Self { sender: watch::Sender::new(0) }
    }
}

impl Nudge {
    pub fn nudge(&self) {
        self.sender.send_modify(|count| *count += 1);
    }

    /// Hears every nudge from now on.
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.sender.subscribe()
    }
}

/// Waits until there is something new; for ever when nobody is left who could tell it.
async fn changed<T>(watched: &mut watch::Receiver<T>) {
    if watched.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
