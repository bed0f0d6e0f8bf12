//! Before anything is written: every target is asked, then the operator.

use std::sync::Arc;

use super::{Command, Rejection, Report, World};
use crate::fleet::Clean;
use crate::gate::operation::{Awaits, Checked, Operation, Outcome, Phase};
use crate::gate::record::Entry;

impl Operation {
    pub(super) fn check_targets(&mut self, world: World<'_>) -> Vec<Command> {
        let mut commands = Vec::new();
        for step in self.plan.targets() {
            if let Some(cluster) = self.cluster_of(step, world) {
                commands.push(Command::Check { plan: Arc::clone(&self.plan), step, cluster });
            } else {
                let name = &self.plan.steps[step].cluster.name;
                let words = format!("{name} is not the cluster that it was, or is not there");
                self.checks[step] = Checked::Rejected(Rejection::new(words));
            }
        }
        commands
    }

    pub(super) fn checked(
        &mut self,
        step: usize,
        answer: Result<Report, Rejection>,
        world: World<'_>,
    ) -> Vec<Command> {
        if let (Phase::Checking, Some(check)) = (&self.phase, self.checks.get_mut(step)) {
            *check = match answer {
                Ok(report) => Checked::Accepted(report),
                Err(rejection) => Checked::Rejected(rejection),
            };
            if self.targets_accept() {
                self.phase = Phase::Confirming;
                if self.is_preapproved {
                    let words = self.plan.confirm.phrase.clone();
                    return self.confirm(&words, world);
                }
            }
        }
        Vec::new()
    }

    /// Every target was asked and would take it.
    fn targets_accept(&self) -> bool {
        self.plan.targets().into_iter().all(|step| matches!(self.checks[step], Checked::Accepted(_)))
    }

    /// The first target that would not.
    pub fn rejection(&self) -> Option<(usize, &Rejection)> {
        self.checks.iter().enumerate().find_map(|(step, check)| match check {
            Checked::Rejected(rejection) => Some((step, rejection)),
            _ => None,
        })
    }

    /// Why it cannot be confirmed with these words at this moment; `None` when it can.
    pub fn objection(&self, words: &str, world: World<'_>) -> Option<Clean> {
        if self.phase != Phase::Confirming {
            return Some("not every target has answered yet".into());
        }
        if self.plan.is_expired(world.now, world.policy) {
            return Some("the plan is too old: make it again".into());
        }
        if !self.plan.confirm.accepts(words) {
            return Some(Clean::from(format!("type exactly: {}", self.plan.confirm.phrase)));
        }
        for (step, _) in self.plan.steps.iter().enumerate() {
            let name = &self.plan.steps[step].cluster.name;
            match self.cluster_of(step, world) {
                None => return Some(Clean::from(format!("{name} is not there any more"))),
                Some(id) if !world.unlocks.is_open(id, world.now, world.policy) => {
                    return Some(Clean::from(format!("{name} is read-only: unlock it first")));
                }
                Some(_) => {}
            }
        }
        None
    }

    pub(super) fn confirm(&mut self, words: &str, world: World<'_>) -> Vec<Command> {
        if self.objection(words, world).is_some() {
            return Vec::new();
        }
        self.phase = Phase::Running;
        self.opened = Some(world.now.unix);
        self.awaits = Awaits::Opening;
        let entry = Entry::Opened { plan: Arc::clone(&self.plan), actor: self.actor.clone() };
        vec![self.record(entry, world)]
    }

    pub(super) fn cancel(&mut self) -> Vec<Command> {
        if matches!(self.phase, Phase::Checking | Phase::Confirming) {
            self.phase = Phase::Ended(Outcome::Cancelled);
        }
        Vec::new()
    }
}
