//! The same session without a screen: connect, fold until everything is whole or declared late.

use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, interval, timeout_at};

use super::clock::Clocks;
use super::session::Session;
use crate::config::Config;
use crate::fleet::{Age, Fact};
use crate::sources::Clock;
use crate::sources::inventory::Inventory;
use crate::state::State;
use crate::state::select::settled::is_settled;

pub struct Headless {
    pub state: State,
    pub session: Session,
    facts: Receiver<Vec<Fact>>,
    pub clocks: Clocks,
}

impl Headless {
    pub fn start(config: &Config, inventory: Inventory) -> Self {
        let clock = Clock::start();
        let (session, facts, state) = Session::begin(config, inventory, clock);
        Self { state, session, facts, clocks: Clocks::new(clock) }
    }

    /// Folds until every source is whole or has said why not, at most so long.
    pub async fn settle(&mut self, at_most: Age) {
        let deadline = Instant::now() + Duration::from_secs(at_most.0);
        while !is_settled(&self.state) {
            if timeout_at(deadline, self.fold_once()).await.is_err() {
                break;
            }
        }
        self.tick();
    }

    /// Waits for the next change, and gathers what comes with it for a moment.
    pub async fn next_change(&mut self) {
        let before = self.state.revision();
        let mut pause = interval(Duration::from_secs(1));
        pause.tick().await;
        loop {
            tokio::select! {
                () = self.fold_once() => {}
                _ = pause.tick() => {
                    self.tick();
                    if self.state.revision() != before {
                        return;
                    }
                }
            }
        }
    }

    pub fn tick(&mut self) {
        let reading = self.clocks.read();
        if reading.slept {
            self.state.slept();
            self.session.reconnect(None);
        }
        self.state.tick(reading.now);
    }

    /// Waits for facts, and folds them.
    pub async fn fold(&mut self) {
        self.fold_once().await;
    }

    async fn fold_once(&mut self) {
        let facts = tokio::select! {
            Some(facts) = self.facts.recv() => facts,
            fact = self.session.ended() => vec![fact],
        };
        self.state.at(self.clocks.read().now);
        for fact in facts {
            self.state.apply(fact);
        }
    }
}
