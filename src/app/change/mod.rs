//! From a key to a change: unlock, say what is wanted, read the plan, confirm, watch.
//!
//! Dialogs ask and show; everything that decides is in `gate`. A dialog begins with what was just read and is frozen on
//! it: what moves under the cursor meanwhile changes no target.

mod follow;
pub mod form;
pub mod plan_view;
pub mod refused;
pub mod scale;
pub mod unlock;
pub mod weights;

use super::msg::{Effect, Looked};
use super::{App, Layer};
use crate::fleet::{ChangeId, ClusterId};
use crate::gate::{Intent, Place, Sight, Wish};
use crate::panels::Request;
use crate::state::select::routes;
use crate::ui::Meaning;
use plan_view::PlanView;
use refused::Refused;
use scale::ScaleForm;
use unlock::Unlock;
use weights::WeightsForm;

/// A look that nobody shows a form for: the plan is made as soon as it is answered.
#[derive(Debug, Clone)]
pub(super) struct Looking {
    ticket: u64,
    intent: Intent,
    /// The way back that was confirmed with the ramp.
    preapproved: bool,
}

impl App {
    /// What a panel asks for that would change something.
    pub(super) fn change(&mut self, request: Request) -> Vec<Effect> {
        // What was planned can be read.
        if !matches!(request, Request::Resume(_)) && self.is_only_shown() {
            return Vec::new();
        }
        let places = match &request {
            Request::Scale(places) | Request::Restart(places) => places.clone(),
            Request::Weights { .. } => return self.change_weights(request),
            Request::Unlock(clusters) => return self.turn_lock(clusters),
            Request::Undo(id) => self.desk.wanted(&Wish::Undo(id.clone()), &self.state),
            Request::Export(id) => return vec![Effect::Export(id.clone())],
            Request::Resume(id) => {
                self.show_plan(id.clone());
                return vec![Effect::ReadTimeline(id.clone())];
            }
            _ => return Vec::new(),
        };
        if places.is_empty() {
            let words = match &request {
                Request::Undo(_) => "there is nothing to take back here, or its clusters are not there",
                _ => "there is nothing here to change",
            };
            self.notify(words, Meaning::Warning);
            return Vec::new();
        }
        let clusters: Vec<ClusterId> = places.iter().map(|place| place.cluster).collect();
        let Some(request) = self.opened(&clusters, request) else { return Vec::new() };
        match request {
            Request::Scale(places) => self.open_scale(places),
            Request::Restart(places) => self.look_for(Intent::new(Wish::Restart(places))),
            Request::Undo(id) => self.look_for(Intent::new(Wish::Undo(id))),
            _ => Vec::new(),
        }
    }

    /// The editor, for every cluster that holds the route and can be read; what it begins with is what they have now.
    fn change_weights(&mut self, request: Request) -> Vec<Effect> {
        let Request::Weights { route, clusters, rule, destination, begin } = &request else {
            return Vec::new();
        };
        let holders = routes::holders(&self.state, route, *rule, clusters);
        if holders.live.is_empty() {
            self.notify("no cluster that holds it can be read now", Meaning::Bad);
            return Vec::new();
        }
        let (route, place) = (route.clone(), (*rule, *destination, *begin));
        if self.opened(&holders.live, request).is_none() {
            return Vec::new();
        }
        let places = holders.live.iter().map(|id| Place { cluster: *id, object: route.clone() }).collect();
        let (ticket, effect) = self.look(places);
        let form = WeightsForm::new(ticket, route, holders, place, self.state.now.mono);
        self.layers.push(Layer::Weights(Box::new(form)));
        vec![effect]
    }

    /// The request, if all these clusters are unlocked; else the dialog that unlocks them and goes on with it.
    fn opened(&mut self, clusters: &[ClusterId], request: Request) -> Option<Request> {
        let mut clusters = clusters.to_vec();
        clusters.sort_unstable();
        clusters.dedup();
        if let Some(words) = self.forbids(&clusters) {
            self.notify(words, Meaning::Bad);
            return None;
        }
        let locked = self.locked(&clusters);
        if locked.is_empty() {
            return Some(request);
        }
        self.layers.push(Layer::Unlock(Unlock::new(&locked, Some(request), self)));
        None
    }

    /// Clusters that the configuration never lets be changed.
    fn forbids(&self, clusters: &[ClusterId]) -> Option<String> {
        let read_only =
            clusters.iter().filter_map(|id| self.state.cluster(*id)).find(|it| it.spec.read_only)?;
        Some(format!(
            "{} is never to be changed from here: `read_only` in the configuration",
            read_only.spec.name
        ))
    }

    fn locked(&self, clusters: &[ClusterId]) -> Vec<ClusterId> {
        let open = |id: &ClusterId| self.desk.unlocks.is_open(*id, self.state.now, &self.desk.policy);
        clusters.iter().copied().filter(|id| !open(id)).collect()
    }

    /// Unlocks what is locked; if all are open, locks them again.
    fn turn_lock(&mut self, clusters: &[ClusterId]) -> Vec<Effect> {
        if clusters.is_empty() {
            self.notify("there is no cluster under the cursor", Meaning::Warning);
            return Vec::new();
        }
        if let Some(words) = self.forbids(clusters) {
            self.notify(words, Meaning::Bad);
            return Vec::new();
        }
        let locked = self.locked(clusters);
        if locked.is_empty() {
            for id in clusters {
                self.desk.unlocks.close(*id);
            }
            self.notify("read-only again", Meaning::Notice);
        } else {
            self.layers.push(Layer::Unlock(Unlock::new(&locked, None, self)));
        }
        Vec::new()
    }

    pub(super) fn unlocked(&mut self, clusters: &[ClusterId], then: Option<Request>) -> Vec<Effect> {
        for id in clusters {
            self.desk.unlocks.open(*id, self.state.now);
        }
        let minutes = self.desk.policy.unlock_for;
        self.notify(format!("unlocked until {minutes} after the last change"), Meaning::Warning);
        then.map_or_else(Vec::new, |request| self.change(request))
    }

    fn open_scale(&mut self, places: Vec<Place>) -> Vec<Effect> {
        let wish = Wish::Scale(
            places
                .iter()
                .map(|place| crate::gate::ScaleTo {
                    place: place.clone(),
                    to: crate::gate::Amount::Replicas(0),
                })
                .collect(),
        );
        let (ticket, effect) = self.look(self.desk.wanted(&wish, &self.state));
        self.layers.push(Layer::Scale(Box::new(ScaleForm::new(ticket, places, self.state.now.mono))));
        vec![effect]
    }

    /// Asks for objects as they are now.
    pub(super) fn look(&mut self, places: Vec<Place>) -> (u64, Effect) {
        self.next_ticket += 1;
        (self.next_ticket, Effect::Look { ticket: self.next_ticket, places })
    }

    fn look_for(&mut self, intent: Intent) -> Vec<Effect> {
        let (ticket, effect) = self.look(self.desk.wanted(&intent.wish, &self.state));
        self.looking = Some(Looking { ticket, intent, preapproved: false });
        self.notify("reading what is there now", Meaning::Notice);
        vec![effect]
    }

    pub(super) fn looked(&mut self, looked: Looked) -> Vec<Effect> {
        for layer in self.layers.iter_mut().rev() {
            match layer {
                Layer::Scale(form) if form.ticket == looked.ticket => {
                    form.looked(looked, &self.state);
                    return Vec::new();
                }
                Layer::Weights(form) if form.ticket == looked.ticket => {
                    form.looked(looked, &self.state, &self.desk.policy);
                    return Vec::new();
                }
                _ => {}
            }
        }
        let Some(looking) = self.looking.take_if(|it| it.ticket == looked.ticket) else { return Vec::new() };
        self.notice = None;
        match looked.sight().enough_for(&looking.intent.wish) {
            Ok(sight) if looking.preapproved => self.begin_return(&looked.id, &looking.intent, &sight),
            Ok(sight) => self.make_plan(&looked.id, looking.intent, sight),
            Err(words) => {
                self.notify(words, Meaning::Bad);
                Vec::new()
            }
        }
    }

    /// Makes the plan and shows it, or shows why there is none.
    pub(super) fn make_plan(&mut self, id: &ChangeId, intent: Intent, sight: Sight) -> Vec<Effect> {
        match self.desk.plan(id, &intent, &sight, &self.state) {
            Ok(plan) => {
                let commands = self.desk.begin(plan, &self.state);
                self.show_plan(id.clone());
                commands.into_iter().map(Effect::Gate).collect()
            }
            Err(refusal) => {
                let shown = Refused { refusal, id: id.clone(), intent, sight };
                self.layers.push(Layer::Refused(Box::new(shown)));
                Vec::new()
            }
        }
    }

    pub(super) fn show_plan(&mut self, id: ChangeId) {
        // One plan at a time; the one before is in the Journal.
        self.layers.retain(|layer| !matches!(layer, Layer::Plan(_)));
        self.layers.push(Layer::Plan(Box::new(PlanView::new(id, self.state.now.mono))));
        self.dirty = true;
    }

    /// The rule that a refusal names is set aside, and the plan made again.
    pub(super) fn set_aside(&mut self) -> Vec<Effect> {
        let Some(Layer::Refused(refused)) = self.layers.last() else { return Vec::new() };
        let Some(rule) = refused.refusal.rule else { return Vec::new() };
        let (id, mut intent, sight) = (refused.id.clone(), refused.intent.clone(), refused.sight.clone());
        self.layers.pop();
        intent.overrides.insert(rule);
        self.make_plan(&id, intent, sight)
    }

    /// What the form on top wants, planned from what it showed.
    pub(super) fn preview(&mut self) -> Vec<Effect> {
        let (wish, mistake) = match self.layers.last_mut() {
            Some(Layer::Scale(form)) => (form.wish(), &mut form.mistake),
            Some(Layer::Weights(form)) => (form.wish(), &mut form.mistake),
            _ => return Vec::new(),
        };
        let (id, intent, sight) = match wish {
            Ok(wish) => wish,
            Err(words) => {
                *mistake = Some(words);
                return Vec::new();
            }
        };
        self.make_plan(&id, intent, sight)
    }
}

impl Looked {
    pub fn sight(&self) -> Sight {
        Sight::from_answers(self.outcome.iter().cloned())
    }
}
