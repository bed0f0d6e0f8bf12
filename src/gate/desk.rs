//! Everything of the gate that lives as long as the session: operations, unlocks, policy, and who sits here.

use super::machine::{Command, Event, World};
use super::operation::{Actor, Operation, Outcome, Phase, StepState, Why};
use super::plan::{self, Plan, Refusal, traffic};
use super::{Intent, Place, Policy, Sight, Unlocks, Wish};
use crate::fleet::{ChangeId, Clean, ClusterId, Now};
use crate::state::State;

/// Older ones are forgotten.
const MOST_NOTES: usize = 20;

#[derive(Debug, Default)]
pub struct Desk {
    pub policy: Policy,
    pub unlocks: Unlocks,
    pub actor: Actor,
    /// Before that nobody knows what earlier sessions left.
    pub is_journal_read: bool,
    /// What is wrong with the journal itself, the newest last.
    pub journal_notes: Vec<Clean>,
    /// The oldest first.
    operations: Vec<Operation>,
}

impl Desk {
    pub fn new(policy: Policy, actor: Actor) -> Self {
        Self { policy, actor, ..Self::default() }
    }

    /// What earlier sessions left and other processes do, as the journal tells it.
    pub fn remember(&mut self, operations: Vec<Operation>) {
        self.is_journal_read = true;
        for operation in operations {
            match self.operations.iter_mut().find(|it| it.id() == operation.id()) {
                Some(known) if known.is_ours && !known.was_taken_over(&operation) => {}
                Some(known) => *known = operation,
                None => self.operations.push(operation),
            }
        }
        self.operations.sort_by(|one, other| one.id().cmp(other.id()));
    }

    /// What is wrong with the journal itself.
    pub fn journal_says(&mut self, notes: &[Clean]) {
        self.journal_notes.extend_from_slice(notes);
        let beyond = self.journal_notes.len().saturating_sub(MOST_NOTES);
        self.journal_notes.drain(..beyond);
    }

    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    pub fn operation(&self, id: &ChangeId) -> Option<&Operation> {
        self.operations.iter().find(|it| it.id() == id)
    }

    /// Confirmed operations that are not at their end.
    pub fn open_operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|it| it.is_open())
    }

    /// The operation that this process drives now, if it drives one.
    pub fn is_busy(&self) -> bool {
        self.operations.iter().any(|it| it.is_ours && it.is_moving())
    }

    /// What must be read before this wish can be planned.
    pub fn wanted(&self, wish: &Wish, state: &State) -> Vec<Place> {
        plan::wanted(wish, state, &self.operations)
    }

    pub fn plan(
        &self,
        id: &ChangeId,
        intent: &Intent,
        sight: &Sight,
        state: &State,
    ) -> Result<Plan, Refusal> {
        let cx =
            plan::Cx { state, policy: &self.policy, sight, now: state.now, operations: &self.operations };
        plan::plan(id, intent, cx)
    }

    /// Takes a finished plan, and has its targets asked.
    pub fn begin(&mut self, plan: Plan, state: &State) -> Vec<Command> {
        let mut operation = Operation::new(plan, self.actor.clone());
        let commands = operation.begin(self.world(state));
        self.operations.push(operation);
        commands
    }

    /// The way back of a ramp that stopped, which was confirmed with it.
    pub fn begin_preapproved(&mut self, plan: Plan, state: &State) -> Vec<Command> {
        let mut operation = Operation::new(plan, self.actor.clone());
        operation.is_preapproved = true;
        let commands = operation.begin(self.world(state));
        self.operations.push(operation);
        commands
    }

    /// Ramps that stopped by their condition or were aborted, and whose way back has not begun.
    pub fn to_be_returned(&self) -> Option<ChangeId> {
        let stopped = |it: &&Operation| {
            it.is_ours
                && it.plan.ramp.is_some()
                && it.applied() > 0
                && matches!(it.phase, Phase::Paused(Why::Stopped(_)))
                && it.unknown().is_empty()
                && it.count(|state| state == StepState::Confirmed) == 0
                && !self.operations.iter().any(|other| other.plan.undoes.as_ref() == Some(it.id()))
        };
        self.operations.iter().find(stopped).map(|it| it.id().clone())
    }

    /// The way back of a ramp that stopped: why is written down with it, and what was set aside for the way there is for
    /// the way back.
    pub fn way_back(&self, id: &ChangeId) -> Intent {
        let mut intent = Intent::new(Wish::Undo(id.clone()));
        intent.reason = "the ramp stopped".into();
        if let Some(operation) = self.operation(id) {
            intent.overrides.extend(&operation.plan.overrides);
            if let Phase::Paused(Why::Stopped(words)) = &operation.phase {
                intent.reason = Clean::from(format!("the ramp stopped: {words}"));
            }
        }
        intent
    }

    /// The way back cannot be planned: the operation waits for the operator instead.
    pub fn give_up_return(&mut self, id: &ChangeId) {
        if let Some(operation) = self.operations.iter_mut().find(|it| it.id() == id) {
            operation.phase = Phase::Paused(Why::Asked);
        }
    }

    /// Something happened to an operation.
    pub fn on(&mut self, id: &ChangeId, event: Event, state: &State) -> Vec<Command> {
        let Some(at) = self.operations.iter().position(|it| it.id() == id) else { return Vec::new() };
        let mut operation = self.operations.swap_remove(at);
        let commands = operation.on(event, self.world(state));
        self.touch(&commands, state.now);
        // What was never confirmed is not remembered.
        let forget = operation.opened.is_none() && matches!(operation.phase, Phase::Ended(_));
        if !forget {
            self.operations.push(operation);
        }
        self.operations.sort_by(|one, other| one.id().cmp(other.id()));
        commands
    }

    /// Time passes: waits end, rollouts arrive, lost answers are read back.
    pub fn tick(&mut self, state: &State) -> Vec<Command> {
        self.keep_open(state);
        let mut operations = std::mem::take(&mut self.operations);
        let mut commands = Vec::new();
        for operation in operations.iter_mut().filter(|it| it.is_open() && !it.is_elsewhere) {
            commands.extend(operation.on(Event::Tick, self.world(state)));
        }
        self.operations = operations;
        commands.extend(self.stop_ramps(state));
        commands.extend(self.end_returned(state));
        self.touch(&commands, state.now);
        self.unlocks.expire(state.now, &self.policy);
        commands
    }

    /// The stop condition of ramps: a destination that is not ready any more, or of which Kubernetes warns.
    fn stop_ramps(&mut self, state: &State) -> Vec<Command> {
        let stops = |it: &Operation| {
            if !it.is_ours || it.plan.ramp.is_none() || it.phase != Phase::Running || it.applied() == 0 {
                return None;
            }
            let short = it.plan.steps.iter().zip(&it.steps).filter(|(_, at)| at.state.is_applied()).find_map(
                |(step, _)| {
                    let cluster = step.cluster.find(state)?;
                    traffic::fallen(state, cluster.id, step)
                },
            );
            let words = short.or_else(|| traffic::trouble_since(state, &it.plan, it.opened?))?;
            Some((it.id().clone(), words))
        };
        let stopped: Vec<_> = self.operations.iter().filter_map(stops).collect();
        stopped
            .into_iter()
            .flat_map(|(id, words)| self.on(&id, Event::Pause(Why::Stopped(words)), state))
            .collect()
    }

    /// What was taken back as a whole has come to its end.
    fn end_returned(&mut self, state: &State) -> Vec<Command> {
        let undone = |it: &&Operation| {
            let taken_back = |other: &Operation| {
                other.plan.undoes.as_ref() == Some(it.id())
                    && other.plan.left_out.is_empty()
                    && other.phase == Phase::Ended(Outcome::Done)
            };
            !it.is_elsewhere && matches!(it.phase, Phase::Paused(_)) && self.operations.iter().any(taken_back)
        };
        let ended: Vec<_> = self.operations.iter().filter(undone).map(|it| it.id().clone()).collect();
        ended.into_iter().flat_map(|id| self.on(&id, Event::Returned, state)).collect()
    }

    /// What a machine looks at, for those who ask it what it would object to.
    pub fn world_of<'a>(&'a self, state: &'a State) -> World<'a> {
        self.world(state)
    }

    fn world<'a>(&'a self, state: &'a State) -> World<'a> {
        World { state, policy: &self.policy, unlocks: &self.unlocks, now: state.now }
    }

    /// Clusters of operations that are on their way stay open until these stand still.
    fn keep_open(&mut self, state: &State) {
        let moving = self.operations.iter().filter(|it| it.is_ours && it.is_moving());
        let clusters: Vec<ClusterId> = moving
            .flat_map(|it| it.plan.clusters())
            .filter_map(|cluster| Some(cluster.find(state)?.id))
            .collect();
        for cluster in clusters {
            self.unlocks.touch(cluster, state.now, &self.policy);
        }
    }

    /// A cluster that is worked on stays open.
    fn touch(&mut self, commands: &[Command], now: Now) {
        let used: Vec<ClusterId> = commands
            .iter()
            .filter_map(|command| match command {
                Command::Send(approved) => Some(approved.cluster()),
                _ => None,
            })
            .collect();
        for cluster in used {
            self.unlocks.touch(cluster, now, &self.policy);
        }
    }
}
