//! The gate without a screen: the same desk, the same machine, the same hand; somebody else decides what to confirm.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout_at};

use super::headless::Headless;
use crate::config::Config;
use crate::effects::hand::{self, Hand, Told};
use crate::effects::journal::{Clerk, News};
use crate::fleet::{Age, ChangeId, Clean, Fault};
use crate::gate::machine::{Command, Event};
use crate::gate::operation::{Operation, Phase};
use crate::gate::{Desk, Intent, Place, Plan, Refusal, Seen, Sight, Wish};
use crate::sources::inventory::Inventory;

/// How often time passes for operations.
const TICK: Duration = Duration::from_millis(250);

pub struct Driver {
    pub session: Headless,
    pub desk: Desk,
    /// What the journal has to say about itself.
    pub notes: Vec<Clean>,
    hand: Hand,
    told: Receiver<Told>,
    news: Receiver<News>,
    /// Kept, so that much news does not keep time from passing.
    ticks: Interval,
}

impl Driver {
    pub fn start(config: &Config, inventory: Inventory, journal: Option<PathBuf>) -> Self {
        let session = Headless::start(config, inventory);
        let (clerk, news) = Clerk::start(journal);
        let desk = Desk::new(config.change.clone(), hand::actor());
        let (hand, told) = Hand::new(session.session.details.clone(), clerk, desk.actor.clone());
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { session, desk, notes: Vec::new(), hand, told, news, ticks }
    }

    /// Takes what the journal tells first: everything that earlier sessions left.
    pub async fn remember(&mut self) {
        if let Some(news) = self.news.recv().await {
            self.take_news(news);
        }
    }

    /// Reads what a wish is about, as it is now.
    pub async fn look(&mut self, wish: &Wish) -> Result<Sight, Clean> {
        let places = self.desk.wanted(wish, &self.session.state);
        if places.is_empty() {
            return Err("there is nothing here to change".into());
        }
        Sight::from_answers(self.look_at(places).await).enough_for(wish)
    }

    /// Reads each of these, whatever becomes of the others.
    pub async fn look_at(&mut self, places: Vec<Place>) -> Vec<Result<Seen, (Place, Fault)>> {
        self.session.tick();
        let seen = self.hand.look(places, self.session.state.now.mono).await;
        self.session.tick();
        seen
    }

    pub fn plan(&self, intent: &Intent, sight: &Sight) -> Result<Plan, Refusal> {
        let now = self.session.state.now;
        let id = hand::change_id(u64::try_from(now.unix.0).unwrap_or(0) * 1000 + now.mono.0 % 1000);
        self.desk.plan(&id, intent, sight, &self.session.state)
    }

    /// Has every target asked; returns when all have answered.
    pub async fn check(&mut self, plan: Plan, preapproved: bool) -> ChangeId {
        let id = plan.id.clone();
        let state = &self.session.state;
        let commands =
            if preapproved { self.desk.begin_preapproved(plan, state) } else { self.desk.begin(plan, state) };
        self.perform(commands);
        while self.desk.operation(&id).is_some_and(|it| it.phase == Phase::Checking && !it.is_answered()) {
            self.turn().await;
        }
        id
    }

    /// The clusters of an operation become writable for this command.
    pub fn unlock(&mut self, id: &ChangeId) {
        let Some(operation) = self.desk.operation(id) else { return };
        let state = &self.session.state;
        let clusters: Vec<_> =
            operation.plan.steps.iter().filter_map(|step| Some(step.cluster.find(state)?.id)).collect();
        for cluster in clusters {
            self.desk.unlocks.open(cluster, state.now);
        }
    }

    /// Says yes, if these words are enough; else why not.
    pub fn confirm(&mut self, id: &ChangeId, words: &str) -> Result<(), Clean> {
        let world = self.desk.world_of(&self.session.state);
        let objection = self.desk.operation(id).and_then(|it| it.objection(words, world));
        if let Some(objection) = objection {
            return Err(objection);
        }
        self.on(id, Event::Confirm { words: words.into() });
        Ok(())
    }

    pub fn on(&mut self, id: &ChangeId, event: Event) {
        let commands = self.desk.on(id, event, &self.session.state);
        self.perform(commands);
    }

    /// Waits for whatever comes next, and takes it.
    pub async fn turn(&mut self) {
        tokio::select! {
            Some((id, event)) = self.told.recv() => {
                self.session.tick();
                self.on(&id, event);
            }
            Some(news) = self.news.recv() => self.take_news(news),
            () = self.session.fold() => {}
            _ = self.ticks.tick() => self.pass(),
        }
    }

    /// Lets what was given back be given back, for a little while.
    pub async fn finish(mut self, at_most: Age) {
        self.rest(at_most).await;
    }

    /// Waits until nothing is being asked, sent or given back.
    pub async fn rest(&mut self, at_most: Age) {
        let deadline = Instant::now() + Duration::from_secs(at_most.0);
        while self.hand.is_busy() && timeout_at(deadline, self.turn()).await.is_ok() {}
    }

    pub fn operation(&self, id: &ChangeId) -> Option<&Operation> {
        self.desk.operation(id)
    }

    fn pass(&mut self) {
        self.session.tick();
        let commands = self.desk.tick(&self.session.state);
        self.perform(commands);
    }

    fn perform(&mut self, commands: Vec<Command>) {
        for command in commands {
            self.hand.take(command);
        }
    }

    fn take_news(&mut self, news: News) {
        self.desk.remember(news.operations);
        self.notes.extend(news.notes);
    }
}
