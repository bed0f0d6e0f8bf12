//! After a step: the object is read again, and a rollout is watched until it arrives.

use std::sync::Arc;

use serde_json::Value;

use super::running::{LOOK_EVERY, Refused};
use super::{Command, World};
use crate::fleet::{Age, Clean, Fault, FaultKind, ObjectId, Rollout};
use crate::gate::approved;
use crate::gate::operation::{Awaits, Operation, Phase, StepState, Why};
use crate::gate::plan::{Expect, Step};
use crate::gate::record::Entry;
use crate::gate::settle::{self, Sent, Settled};

impl Operation {
    pub(super) fn tick(&mut self, world: World<'_>) -> Vec<Command> {
        if world.now.mono < self.not_before || self.awaits != Awaits::Nothing {
            return Vec::new();
        }
        if let Some(step) = self.unknown().first().copied()
            && self.is_open()
        {
            return self.read(step, world);
        }
        let confirmed = self.steps.iter().position(|it| it.state == StepState::Confirmed);
        match confirmed {
            Some(step) if self.is_open() => self.look_at_rollout(step, world),
            _ => self.advance(world),
        }
    }

    pub(super) fn was_read(
        &mut self,
        step: usize,
        object: Result<Option<Arc<Value>>, Fault>,
        world: World<'_>,
    ) -> Vec<Command> {
        if self.awaits != Awaits::Reading(step) {
            return Vec::new();
        }
        self.awaits = Awaits::Nothing;
        self.wait(LOOK_EVERY, world);
        let object = match object {
            Ok(object) => object,
            Err(fault) if fault.kind == FaultKind::NotFound => None,
            Err(fault) => return self.could_not_read(step, &fault, world),
        };
        match self.steps[step].state {
            StepState::Confirmed => self.compare(step, object.as_deref(), world),
            state if state.is_unknown() => self.settle(step, object.as_deref(), world),
            _ => Vec::new(),
        }
    }

    /// Nothing is known by a read that failed; it is tried again for as long as the operation is open.
    fn could_not_read(&mut self, step: usize, fault: &Fault, world: World<'_>) -> Vec<Command> {
        self.steps[step].words = Clean::from(format!("cannot be read back: {}", fault.what()));
        if self.phase == Phase::Stopping {
            return self.hold_as_asked(world);
        }
        Vec::new()
    }

    fn settle(&mut self, step: usize, object: Option<&Value>, world: World<'_>) -> Vec<Command> {
        let progress = &self.steps[step];
        let mark = approved::mark(&self.plan, step, progress.attempts.max(1));
        let planned = &self.plan.steps[step];
        let before = planned.follows.and_then(|before| self.steps[before].version.as_ref());
        let base = before.map_or(planned.generation, |version| version.generation);
        let sent = Sent { step: planned, mark: &mark, base };
        let (waited, patience) = self.since_sending(step, world);
        match settle::settle(&sent, object, waited, patience) {
            Settled::Open => Vec::new(),
            Settled::Landed(version) => self.confirmed(step, version, world),
            Settled::Overtaken(words) => self.drifted(step, words, world),
            Settled::NotLanded(words) => {
                // After a restart it stays paused: the operator says whether it goes on.
                self.refused(step, Refused { words, conflict: false, may_pass: true }, world)
            }
        }
    }

    /// How long the request has been on its way, and how long it may be. Of one that another process sent only the
    /// journal knows, which was written before it left.
    fn since_sending(&self, step: usize, world: World<'_>) -> (Age, Age) {
        let policy = world.policy;
        if self.is_ours {
            return (self.steps[step].waited(world.now), policy.settle);
        }
        let logged = self.logged_at.or(self.opened);
        let waited = logged.map_or(Age::default(), |at| world.now.age_of(at));
        (waited, Age(policy.to_the_wire.0 + policy.settle.0))
    }

    fn compare(&mut self, step: usize, object: Option<&Value>, world: World<'_>) -> Vec<Command> {
        let Some(object) = object else {
            return self.drifted(step, "the object is gone".into(), world);
        };
        let planned = Arc::clone(&self.plan);
        if let Err(words) = settle::holds(&planned.steps[step], object) {
            return self.drifted(step, words, world);
        }
        // The next step on it builds on what this one left, and on nothing that came after.
        if self.steps[step].version.as_ref().is_none_or(|version| version.generation.is_none()) {
            self.steps[step].version = Some(settle::version(object));
        }
        match planned.steps[step].expect {
            Expect::Values => self.verified(step, world),
            Expect::Rollout { .. } => self.look_at_rollout(step, world),
        }
    }

    fn look_at_rollout(&mut self, step: usize, world: World<'_>) -> Vec<Command> {
        let plan = Arc::clone(&self.plan);
        let planned = &plan.steps[step];
        let Expect::Rollout { workload } = &planned.expect else {
            // Its values could not be read again yet.
            return self.read(step, world);
        };
        match arrival(
            planned,
            workload,
            self.steps[step].version.as_ref().and_then(|it| it.generation),
            world,
        ) {
            Arrival::Unread => return self.read(step, world),
            Arrival::There => return self.verified(step, world),
            Arrival::Elsewhere(words) => return self.drifted(step, words, world),
            Arrival::OnItsWay(words) => self.steps[step].words = words,
        }
        if self.steps[step].waited(world.now) > world.policy.rollout_deadline {
            let words =
                format!("not ready after {}: {}", world.policy.rollout_deadline, self.steps[step].words);
            return self.drifted(step, words.into(), world);
        }
        self.wait(Age(1), world);
        if self.phase == Phase::Stopping {
            return self.hold_as_asked(world);
        }
        Vec::new()
    }

    fn verified(&mut self, step: usize, world: World<'_>) -> Vec<Command> {
        self.set(step, StepState::Verified, "", world);
        let mut commands = vec![self.record(Entry::Verified { step }, world)];
        if matches!(self.phase, Phase::Paused(_)) {
            return commands;
        }
        self.not_before = world.now.mono;
        if self.phase == Phase::Running {
            self.wait_for_next(world);
        }
        commands.extend(self.advance(world));
        commands
    }

    fn drifted(&mut self, step: usize, words: Clean, world: World<'_>) -> Vec<Command> {
        self.set(step, StepState::Drifted, words.clone(), world);
        let mut commands = vec![self.record(Entry::Drifted { step, words }, world)];
        if matches!(self.phase, Phase::Paused(_)) {
            return commands;
        }
        if self.next().is_none() {
            let outcome = crate::gate::operation::Outcome::Drifted;
            commands.extend(self.end(outcome, world));
        } else {
            commands.extend(self.hold(Why::StepFailed(step), world));
        }
        commands
    }
}

/// How far a workload is.
enum Arrival {
    /// What the write made of the object is not known yet.
    Unread,
    There,
    OnItsWay(Clean),
    Elsewhere(Clean),
}

fn arrival(step: &Step, workload: &ObjectId, generation: Option<i64>, world: World<'_>) -> Arrival {
    let Some(generation) = generation else { return Arrival::Unread };
    let Some(cluster) = step.cluster.find(world.state) else {
        return Arrival::OnItsWay("the cluster is not there".into());
    };
    let fresh = cluster.freshness(workload.kind, world.now, world.state.settings.stale_after);
    if !fresh.is_whole() {
        return Arrival::OnItsWay(Clean::from(format!("{} is {}", cluster.spec.name, fresh.word())));
    }
    let Some(now) = cluster.objects.workloads.get(workload) else {
        return Arrival::Elsewhere("the workload is gone".into());
    };
    if now.generation < generation {
        return Arrival::OnItsWay("not seen by the watch yet".into());
    }
    let wanted = step.changes.iter().find(|it| it.label == "spec.replicas").and_then(|it| it.after.as_u64());
    if wanted.is_some_and(|wanted| wanted != u64::from(now.desired)) {
        return Arrival::Elsewhere(Clean::from(format!(
            "something else set spec.replicas to {}",
            now.desired
        )));
    }
    match &now.rollout {
        Rollout::Complete | Rollout::Paused(_) if now.ready >= now.desired => Arrival::There,
        Rollout::Stuck(words) => Arrival::Elsewhere(Clean::from(format!("the rollout is stuck: {words}"))),
        Rollout::Complete | Rollout::Paused(_) | Rollout::Progressing(_) => {
            Arrival::OnItsWay(Clean::from(format!("{}/{} ready", now.ready, now.desired)))
        }
    }
}
