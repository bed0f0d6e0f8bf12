//! Step after step: written down, sent once, answered; and how it stops.

use std::sync::Arc;

use super::{Answered, Command, Ended, World, Written, telling};
use crate::fleet::{Age, Clean};
use crate::gate::approved::Approved;
use crate::gate::operation::{Awaits, Operation, Outcome, Phase, StepState, Version, Why};
use crate::gate::plan::traffic;
use crate::gate::record::Entry;

/// Between a lost answer and the first look, and between two looks.
pub(super) const LOOK_EVERY: Age = Age(2);

/// The server did not take it.
pub(super) struct Refused {
    pub words: Clean,
    pub conflict: bool,
    /// The same could be taken later.
    pub may_pass: bool,
}

impl Operation {
    /// A record is on the disk, or is not: then nothing is sent.
    pub(super) fn journaled(
        &mut self,
        of: Written,
        outcome: Result<(), Clean>,
        world: World<'_>,
    ) -> Vec<Command> {
        match (self.awaits, of, outcome) {
            (Awaits::Opening, Written::Opening, Ok(())) => self.announce(world),
            (Awaits::Resuming, Written::Resuming, Ok(())) => self.resumed(world),
            (Awaits::Resuming, Written::Resuming, Err(words)) => self.not_resumed(words),
            (Awaits::Intent(step), Written::Sending(written), Ok(())) if step == written => {
                self.send(step, world)
            }
            (Awaits::Opening, Written::Opening, Err(words)) => {
                // Nobody knows of it but this screen, and nothing was sent.
                self.awaits = Awaits::Nothing;
                self.phase = Phase::Ended(Outcome::Failed);
                self.steps[0].words = Clean::from(format!("the journal cannot be written: {words}"));
                Vec::new()
            }
            (Awaits::Intent(step), Written::Sending(written), Err(words)) if step == written => {
                self.awaits = Awaits::Nothing;
                self.phase = Phase::Paused(Why::Journal(words));
                self.withdraw(None, world)
            }
            // Records of what has happened already are waited for by nobody; the next intent finds out.
            _ => Vec::new(),
        }
    }

    pub(super) fn announce(&mut self, world: World<'_>) -> Vec<Command> {
        self.awaits = Awaits::Announcement;
        vec![Command::Announce { plan: Arc::clone(&self.plan), targets: self.targets(world) }]
    }

    pub(super) fn announced(&mut self, outcome: Result<(), Clean>, world: World<'_>) -> Vec<Command> {
        if self.awaits != Awaits::Announcement {
            return Vec::new();
        }
        self.awaits = Awaits::Nothing;
        match outcome {
            Ok(()) => self.advance(world),
            Err(words) => self.hold(Why::Held(words), world),
        }
    }

    /// The next step, if it is time and the world allows it.
    pub(super) fn advance(&mut self, world: World<'_>) -> Vec<Command> {
        if self.phase == Phase::Stopping {
            return self.hold_as_asked(world);
        }
        if self.phase != Phase::Running || self.awaits != Awaits::Nothing || world.now.mono < self.not_before
        {
            return Vec::new();
        }
        // Gone on with after a restart: what was sent before is looked at first.
        if self.count(|it| it == StepState::Confirmed || it.is_unknown()) > 0 {
            return Vec::new();
        }
        let Some(step) = self.next() else { return self.finish(world) };
        if let Some(words) = self.obstacle(step, world) {
            return self.hold(Why::NotReady(words), world);
        }
        self.awaits = Awaits::Intent(step);
        let attempt = self.steps[step].attempts + 1;
        vec![self.record(Entry::Sending { step, attempt }, world)]
    }

    /// What must be so at the moment of sending, judged by the newest that is known.
    fn obstacle(&self, step: usize, world: World<'_>) -> Option<Clean> {
        let planned = &self.plan.steps[step];
        match planned.cluster.find(world.state) {
            Some(cluster) if cluster.spec.read_only => {
                Some(Clean::from(format!("{} is never to be changed from here", planned.cluster.name)))
            }
            Some(cluster) if !world.unlocks.is_open(cluster.id, world.now, world.policy) => {
                Some(Clean::from(format!("{} is read-only: unlock it first", planned.cluster.name)))
            }
            Some(cluster) => traffic::shortage(world.state, cluster.id, &self.plan, planned),
            None => Some(Clean::from(format!("{} is not there any more", planned.cluster.name))),
        }
    }

    fn send(&mut self, step: usize, world: World<'_>) -> Vec<Command> {
        let Some(cluster) = self.cluster_of(step, world) else {
            return self.hold(Why::NotReady("the cluster is not there any more".into()), world);
        };
        self.awaits = Awaits::Answer(step);
        self.set(step, StepState::Sent, "", world);
        self.steps[step].attempts += 1;
        let builds_on = self.plan.steps[step].follows.and_then(|before| self.steps[before].version.clone());
        let approved = Approved::new(Arc::clone(&self.plan), step, cluster, self.steps[step].attempts);
        vec![Command::Send(approved.building_on(builds_on))]
    }

    pub(super) fn answered(&mut self, step: usize, answer: Answered, world: World<'_>) -> Vec<Command> {
        if self.awaits != Awaits::Answer(step) {
            return Vec::new();
        }
        self.awaits = Awaits::Nothing;
        match answer {
            Answered::Confirmed { version } => self.confirmed(step, version, world),
            Answered::Refused { words, conflict, may_pass } => {
                self.refused(step, Refused { words, conflict, may_pass }, world)
            }
            Answered::Unknown { words } => {
                self.set(step, StepState::Unknown, words.clone(), world);
                self.wait(LOOK_EVERY, world);
                vec![self.record(Entry::Lost { step, words }, world)]
            }
        }
    }

    /// It is in the cluster; now it is read again.
    pub(super) fn confirmed(&mut self, step: usize, version: Version, world: World<'_>) -> Vec<Command> {
        self.steps[step].version = Some(version.clone());
        self.set(step, StepState::Confirmed, "", world);
        let mut commands = vec![self.record(Entry::Confirmed { step, version }, world)];
        commands.extend(self.read(step, world));
        commands
    }

    /// It is not in the cluster and will not be.
    pub(super) fn refused(&mut self, step: usize, refused: Refused, world: World<'_>) -> Vec<Command> {
        let Refused { words, conflict, may_pass } = refused;
        self.set(step, StepState::Refused, words.clone(), world);
        (self.steps[step].may_pass, self.steps[step].is_conflict) = (may_pass, conflict);
        let mut commands = vec![self.record(Entry::Refused { step, words, conflict, may_pass }, world)];
        if self.applied() == 0 && self.unknown().is_empty() && self.plan.steps.len() == 1 {
            commands.extend(self.end(self.outcome(), world));
        } else {
            commands.extend(self.hold(Why::StepFailed(step), world));
        }
        commands
    }

    /// Stands still until somebody says what next. Leases are given back: others may act meanwhile.
    pub(super) fn hold(&mut self, why: Why, world: World<'_>) -> Vec<Command> {
        self.phase = Phase::Paused(why.clone());
        let mut commands = vec![self.record(Entry::Paused { why }, world)];
        commands.extend(self.withdraw(None, world));
        commands
    }

    /// It was to stop, and nothing is on the wire any more.
    pub(super) fn hold_as_asked(&mut self, world: World<'_>) -> Vec<Command> {
        let why = self.stops.take().unwrap_or(Why::Asked);
        self.hold(why, world)
    }

    pub(super) fn stop(&mut self, why: Why, world: World<'_>) -> Vec<Command> {
        match (&self.phase, self.awaits) {
            // What is only read is not on its way: it is read on while everything stands still.
            (Phase::Running, Awaits::Nothing | Awaits::Reading(_)) => self.hold(why, world),
            (Phase::Running, _) => {
                self.phase = Phase::Stopping;
                self.stops = Some(why);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn leave(&mut self, world: World<'_>) -> Vec<Command> {
        if !matches!(self.phase, Phase::Paused(_)) {
            return Vec::new();
        }
        let outcome = self.outcome();
        self.end(outcome, world)
    }

    fn finish(&mut self, world: World<'_>) -> Vec<Command> {
        let outcome = self.outcome();
        self.end(outcome, world)
    }

    /// What it comes to as it stands.
    fn outcome(&self) -> Outcome {
        let verified = self.count(|it| it == StepState::Verified);
        if !self.unknown().is_empty() || self.count(|it| it == StepState::Confirmed) > 0 {
            Outcome::Unknown
        } else if self.count(|it| it == StepState::Drifted) > 0 {
            Outcome::Drifted
        } else if verified == self.steps.len() {
            Outcome::Done
        } else if verified == 0 && self.steps.iter().any(|it| it.is_conflict) {
            Outcome::Conflict
        } else if verified == 0 {
            Outcome::Failed
        } else {
            Outcome::Partial
        }
    }

    pub(super) fn end(&mut self, outcome: Outcome, world: World<'_>) -> Vec<Command> {
        self.phase = Phase::Ended(outcome);
        self.ended = Some(world.now.unix);
        self.awaits = Awaits::Nothing;
        let mut commands = vec![self.record(Entry::Ended { outcome }, world)];
        commands.extend(self.withdraw(Some(outcome), world));
        commands
    }

    fn withdraw(&self, outcome: Option<Outcome>, world: World<'_>) -> Vec<Command> {
        let ended =
            outcome.map(|outcome| Ended { outcome, at: world.now.unix, changed: telling::changed(self) });
        vec![Command::Withdraw { plan: Arc::clone(&self.plan), targets: self.targets(world), ended }]
    }
}
