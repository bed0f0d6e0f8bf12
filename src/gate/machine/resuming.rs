//! Going on with what stands still: only when that is written down, so that no two processes do it; and no sooner than
//! the plan allows.

use super::{Command, World};
use crate::fleet::{Age, Clean};
use crate::gate::operation::{Actor, Awaits, Operation, Phase, StepState, Why};
use crate::gate::record::Entry;

impl Operation {
    /// Goes on with what is left; never while anything is unknown.
    pub(super) fn resume(&mut self, actor: Actor, world: World<'_>) -> Vec<Command> {
        if !matches!(self.phase, Phase::Paused(_)) || !self.unknown().is_empty() {
            return Vec::new();
        }
        self.phase = Phase::Running;
        // From here on the journal's own news of it is old.
        self.is_ours = true;
        self.awaits = Awaits::Resuming;
        vec![self.record(Entry::Resumed { actor }, world)]
    }

    /// It is written down who goes on: this process, and no other.
    pub(super) fn resumed(&mut self, world: World<'_>) -> Vec<Command> {
        let mut commands = Vec::new();
        for step in 0..self.steps.len() {
            if self.steps[step].state == StepState::Refused {
                let again = self.steps[step].may_pass;
                let (state, entry) = if again {
                    (StepState::Pending, Entry::Again { step })
                } else {
                    (StepState::Skipped, Entry::Skipped { step })
                };
                self.set(step, state, "", world);
                commands.push(self.record(entry, world));
            }
        }
        self.wait_for_next(world);
        commands.extend(self.announce(world));
        commands
    }

    /// Another process goes on with it, or the disk takes nothing: it stays as it is.
    pub(super) fn not_resumed(&mut self, words: Clean) -> Vec<Command> {
        self.awaits = Awaits::Nothing;
        self.is_ours = false;
        self.phase = Phase::Paused(Why::Journal(words));
        Vec::new()
    }

    /// The time between the last step that was applied and the next one, as the plan has it. What was left out in
    /// between shortens nothing.
    pub(super) fn wait_for_next(&mut self, world: World<'_>) {
        let Some(next) = self.next() else { return };
        let Some(last) = self.steps[..next].iter().rposition(|it| it.state.is_applied()) else { return };
        let between: u64 = self.plan.steps[last + 1..=next].iter().map(|step| step.wait.0).sum();
        let waited = self.steps[last].waited(world.now);
        self.wait(Age(between.saturating_sub(waited.0)), world);
    }
}
