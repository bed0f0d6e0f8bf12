//! An operation on its way: what happens to it, what an operator can do about it, how it is told.

use super::Looking;
use super::plan_view;
use crate::app::msg::Effect;
use crate::app::{App, Layer};
use crate::fleet::{ChangeId, Clean, ClusterId};
use crate::gate::machine::{Command, Event};
use crate::gate::operation::Why;
use crate::gate::{Intent, Operation, Record, Sight, Wish};
use crate::input::{Action, Context};
use crate::panels::{PanelId, Request};
use crate::ui::Meaning;

/// A second wish to quit counts for so long.
const QUIT_AGAIN_SECS: u64 = 5;

impl App {
    /// A ramp that stopped goes back to the weights before it, as its plan said.
    pub(in crate::app) fn return_stopped(&mut self) -> Vec<Effect> {
        if self.looking.is_some() {
            return Vec::new();
        }
        let Some(id) = self.desk.to_be_returned() else { return Vec::new() };
        let intent = self.desk.way_back(&id);
        let (ticket, effect) = self.look(self.desk.wanted(&intent.wish, &self.state));
        self.looking = Some(Looking { ticket, intent, preapproved: true });
        vec![effect]
    }

    pub(in crate::app) fn begin_return(
        &mut self,
        id: &ChangeId,
        intent: &Intent,
        sight: &Sight,
    ) -> Vec<Effect> {
        match self.desk.plan(id, intent, sight, &self.state) {
            Ok(plan) => {
                let commands = self.desk.begin_preapproved(plan, &self.state);
                self.show_plan(id.clone());
                commands.into_iter().map(Effect::Gate).collect()
            }
            Err(refusal) => {
                self.notify(
                    format!("the ramp stopped and cannot go back by itself: {refusal}"),
                    Meaning::Bad,
                );
                if let Wish::Undo(stopped) = &intent.wish {
                    // It is not tried again and again; the operator decides.
                    self.desk.give_up_return(stopped);
                }
                Vec::new()
            }
        }
    }

    /// An event for an operation: the machine says what follows.
    pub(in crate::app) fn happened(&mut self, id: &ChangeId, event: Event) -> Vec<Effect> {
        let was_written = matches!(event, Event::Journaled { .. });
        let commands = self.desk.on(id, event, &self.state);
        self.dirty = true;
        self.outdated = true;
        self.tell_ends();
        for layer in &mut self.layers {
            if let Layer::Plan(view) = layer {
                view.follow(&self.desk, self.state.now.mono);
            }
        }
        let mut effects: Vec<Effect> = commands.into_iter().map(Effect::Gate).collect();
        if was_written && self.shows(id) {
            effects.push(Effect::ReadTimeline(id.clone()));
        }
        effects
    }

    fn shows(&self, id: &ChangeId) -> bool {
        self.layers.iter().any(|it| matches!(it, Layer::Plan(view) if view.id == *id))
    }

    /// What the journal has of an operation that is shown.
    pub(in crate::app) fn timeline_read(&mut self, id: &ChangeId, outcome: &Result<Vec<Record>, Clean>) {
        let Some(operation) = self.desk.operation(id) else { return };
        for layer in &mut self.layers {
            if let Layer::Plan(view) = layer
                && view.id == *id
            {
                view.take_timeline(operation, outcome);
            }
        }
        self.dirty = true;
    }

    /// What earlier sessions and other processes left. What stands still there is said before anything else.
    pub(in crate::app) fn journal_tells(
        &mut self,
        operations: Vec<Operation>,
        notes: &[Clean],
    ) -> Vec<Effect> {
        let before = self.left_behind();
        let shown = operations.iter().map(Operation::id).filter(|id| self.shows(id));
        let effects = shown.map(|id| Effect::ReadTimeline(id.clone())).collect();
        self.desk.remember(operations);
        self.desk.journal_says(notes);
        self.outdated = true;
        let left = self.left_behind();
        let standing = left.len();
        // At the start it is the first thing that is shown; later somebody is in the middle of something.
        let first = !std::mem::replace(&mut self.journal_read, true);
        if standing > 0 && first && self.layers.is_empty() {
            self.go_to(PanelId::Journal);
        }
        // What was said is not said again because something else was written down.
        if left.iter().any(|id| !before.contains(id)) {
            let plural = if standing == 1 { "change stands" } else { "changes stand" };
            let hint = if self.panel_id() == PanelId::Journal {
                "nothing goes on by itself"
            } else {
                "0 shows the journal"
            };
            self.notify(format!("{standing} {plural} still since an earlier session: {hint}"), Meaning::Bad);
        }
        if let Some(words) = notes.first() {
            self.notify(words.clone(), Meaning::Bad);
        }
        effects
    }

    /// Operations that stand still and that no console drives any more.
    fn left_behind(&self) -> Vec<ChangeId> {
        let left = self.desk.open_operations().filter(|it| !it.is_ours && !it.is_elsewhere);
        left.map(|it| it.id().clone()).collect()
    }

    /// Time passes for operations too.
    pub(in crate::app) fn tick_changes(&mut self) -> Vec<Effect> {
        let commands: Vec<Command> = self.desk.tick(&self.state);
        if !commands.is_empty() {
            self.outdated = true;
        }
        self.dirty |= self.desk.is_busy();
        self.tell_ends();
        let mut effects: Vec<Effect> = commands.into_iter().map(Effect::Gate).collect();
        effects.extend(self.return_stopped());
        effects
    }

    /// Says how an operation stands that nobody is looking at.
    fn tell_ends(&mut self) {
        let stands: Vec<_> = self
            .desk
            .operations()
            .iter()
            .filter(|it| it.is_ours && it.opened.is_some())
            .map(|it| (it.id().clone(), it.words(), it.is_moving(), it.plan.title.clone()))
            .collect();
        for (id, words, moving, title) in stands {
            let was = self.moving.contains(&id);
            if moving {
                self.moving.insert(id);
            } else if was {
                self.moving.remove(&id);
                if !self.shows(&id) {
                    let bad = words != "done";
                    let meaning = if bad { Meaning::Bad } else { Meaning::Good };
                    self.notify(format!("{title}: {words}"), meaning);
                }
            }
        }
    }

    /// A layer that goes away: a plan that was not confirmed is given up.
    pub(in crate::app) fn given_up(&mut self, layer: &Layer) -> Vec<Effect> {
        let Layer::Plan(view) = layer else { return Vec::new() };
        let id = view.id.clone();
        let Some(operation) = self.desk.operation(&id) else { return Vec::new() };
        if operation.opened.is_none() {
            return self.happened(&id, Event::Cancel);
        }
        if operation.is_moving() {
            self.notify("the change goes on; the Journal shows it", Meaning::Notice);
        }
        Vec::new()
    }

    /// What a key means in a plan that is shown.
    pub(in crate::app) fn act_on_plan(&mut self, action: Action) -> Vec<Effect> {
        let Some(Layer::Plan(view)) = self.layers.last_mut() else { return Vec::new() };
        if view.is_deaf(self.state.now.mono) {
            return Vec::new();
        }
        let id = view.id.clone();
        let reads =
            matches!(action, Action::CopyPlan | Action::Open) || action.row().context != Context::Plan;
        if !reads && self.is_only_shown() {
            return Vec::new();
        }
        match action {
            Action::Apply => self.confirm(&id, ""),
            Action::StopChange => self.happened(&id, Event::Stop),
            Action::AbortChange => self.happened(&id, Event::Pause(Why::Stopped("aborted by you".into()))),
            Action::ContinueChange => self.go_on(&id),
            Action::LeaveChange => self.happened(&id, Event::Leave),
            Action::UndoDone => self.change(Request::Undo(id)),
            Action::CopyPlan => {
                let lines = self.desk.operation(&id).map(plan_view::plain).unwrap_or_default();
                self.notify("copied the plan", Meaning::Notice);
                vec![Effect::CopyLines(lines)]
            }
            // The default is to do nothing.
            Action::Open => self.close_top(),
            other => {
                let Some(Layer::Plan(view)) = self.layers.last_mut() else { return Vec::new() };
                view.scroll(other);
                Vec::new()
            }
        }
    }

    /// Goes on with an operation that stands still, here and in its clusters' locks.
    fn go_on(&mut self, id: &ChangeId) -> Vec<Effect> {
        let steps = self.desk.operation(id).map(|it| &it.plan.steps[..]).unwrap_or_default();
        let clusters: Vec<ClusterId> =
            steps.iter().filter_map(|step| Some(step.cluster.find(&self.state)?.id)).collect();
        if self.opened(&clusters, Request::Resume(id.clone())).is_none() {
            return Vec::new();
        }
        let actor = self.desk.actor.clone();
        self.happened(id, Event::Continue { actor })
    }

    pub(in crate::app) fn confirm(&mut self, id: &ChangeId, words: &str) -> Vec<Effect> {
        if self.is_only_shown() {
            return Vec::new();
        }
        let world = self.desk.world_of(&self.state);
        let objection = self.desk.operation(id).and_then(|it| it.objection(words, world));
        if let Some(Layer::Plan(view)) = self.layers.last_mut() {
            view.objection.clone_from(&objection);
        }
        if objection.is_some() {
            return Vec::new();
        }
        // What was asked for is on its way; the form below would only ask again.
        self.layers.retain(|layer| !matches!(layer, Layer::Scale(_) | Layer::Weights(_)));
        self.happened(id, Event::Confirm { words: words.into() })
    }

    pub(in crate::app) fn close_top(&mut self) -> Vec<Effect> {
        match self.layers.pop() {
            Some(layer) => self.given_up(&layer),
            None => Vec::new(),
        }
    }

    /// A change on its way is not left by a slip of the finger.
    pub(in crate::app) fn quit(&mut self) -> Vec<Effect> {
        let now = self.state.now;
        let again = self.quit_asked.is_some_and(|asked| now.since(asked).0 < QUIT_AGAIN_SECS);
        if self.desk.is_busy() && !again {
            self.quit_asked = Some(now.mono);
            self.notify(
                "a change is on its way: quit again to leave it paused after the step on the wire",
                Meaning::Bad,
            );
            return Vec::new();
        }
        vec![Effect::Remember(self.prefs()), Effect::Quit]
    }
}
