//! The traffic editor: weights of one rule, moved against each other so that their sum stays what it is.

mod view;

use crate::app::change::form::Ear;
use crate::app::msg::Looked;
use crate::fleet::route::{self, Rule};
use crate::fleet::{Age, ChangeId, Clean, ClusterId, Marks, Mono, ObjectId};
use crate::gate::intent::{Ramp, Weights};
use crate::gate::plan::traffic::{self, ease};
use crate::gate::{Intent, Place, Policy, Sight, Wish};
use crate::input::{Action, Code, Key};
use crate::panels::Begin;
use crate::state::State;
use crate::state::select::owner;
use crate::state::select::routes::{self, Holders, reach::Reach};
use crate::ui::Meaning;

/// Steps that the key for ramps goes through, in percent of the traffic.
const RAMPS: [u32; 4] = [10, 5, 25, 1];

pub struct WeightsForm {
    pub ticket: u64,
    route: ObjectId,
    clusters: Vec<ClusterId>,
    left_out: Vec<ClusterId>,
    rule: usize,
    begin: Begin,
    read: Option<ReadRule>,
    fault: Option<String>,
    cursor: usize,
    /// A number that is being typed for the destination under the cursor.
    typed: String,
    ear: Ear,
    pub mistake: Option<String>,
}

/// The rule as it was read, and what is to become of it.
struct ReadRule {
    id: ChangeId,
    sight: Sight,
    label: Clean,
    rows: Vec<Row>,
    sum: u64,
    ramp: Option<Ramp>,
    /// What the operator should know before touching it.
    words: Vec<(Clean, Meaning)>,
}

struct Row {
    name: Clean,
    cloud: Clean,
    now: u32,
    new: u32,
    locked: bool,
    ready: Clean,
    healthy: bool,
}

/// What a key asks for.
pub enum Pressed {
    Nothing,
    Close,
    Preview,
}

impl WeightsForm {
    pub fn new(
        ticket: u64,
        route: ObjectId,
        holders: Holders,
        place: (usize, usize, Begin),
        now: Mono,
    ) -> Self {
        let (rule, cursor, begin) = place;
        Self {
            ticket,
            route,
            clusters: holders.live,
            left_out: holders.left_out,
            rule,
            begin,
            read: None,
            fault: None,
            cursor,
            typed: String::new(),
            ear: Ear::opened(now),
            mistake: None,
        }
    }

    pub fn looked(&mut self, looked: Looked, state: &State, policy: &Policy) {
        // A cluster that does not answer must not keep traffic from being moved away from it.
        let mut sight = Sight::default();
        let mut fault = None;
        for seen in looked.outcome {
            match seen {
                Ok(seen) => sight.objects.push(seen),
                Err((place, why)) => {
                    self.clusters.retain(|id| *id != place.cluster);
                    self.left_out.push(place.cluster);
                    fault = Some(format!("{} cannot be read: {why}", place.object));
                }
            }
        }
        let read = match fault {
            Some(fault) if self.clusters.is_empty() => Err(fault),
            _ => self.understand(looked.id, sight, state),
        };
        match read {
            Ok(read) => {
                self.cursor = self.cursor.min(read.rows.len().saturating_sub(1));
                self.read = Some(read);
                self.ear = Ear::opened(state.now.mono);
                match self.begin {
                    Begin::Edit => {}
                    Begin::Drain => self.drain(),
                    Begin::Ramp => self.ramp(policy),
                }
            }
            Err(words) => self.fault = Some(words),
        }
    }

    fn understand(&self, id: ChangeId, sight: Sight, state: &State) -> Result<ReadRule, String> {
        let mut rules = Vec::new();
        for cluster in &self.clusters {
            let seen = sight.of(&Place { cluster: *cluster, object: self.route.clone() });
            let seen = seen.ok_or("it was not read")?;
            let read = route::read(self.route.kind, &seen.value)?;
            let rule = read.rules.get(self.rule).ok_or("the rule is not there any more")?;
            let verdict = owner::verdict(state, *cluster, &Marks::read(&seen.value), &self.route);
            rules.push((*cluster, rule.clone(), verdict));
        }
        let (first, rule, _) = rules.first().ok_or("no cluster holds it")?;
        let reach = reach(state, *first, &self.route, self.rule);
        let rows: Vec<Row> =
            rule.destinations().iter().enumerate().map(|(at, it)| row(rule, it, reach.get(at))).collect();
        if rows.len() < 2 {
            return Err("the rule has one destination, which gets everything whatever its weight".into());
        }
        let written: u64 = rows.iter().map(|row| u64::from(row.now)).sum();
        let mut words = Vec::new();
        if rules.iter().any(|(_, other, _)| other.print != rule.print || counted(other) != counted(rule)) {
            words.push((
                "the rule differs between the clusters: the preview tells how".into(),
                Meaning::Warning,
            ));
        }
        for left_out in self.left_out.iter().filter_map(|id| state.cluster(*id)) {
            words.push((traffic::left_as_it_is(left_out), Meaning::Bad));
        }
        for (cluster, _, verdict) in &rules {
            let name = state.cluster(*cluster).map(|it| it.spec.name.clone()).unwrap_or_default();
            let text = format!("owner   {name}: {}  {}", verdict.kind.words(), verdict.words);
            let meaning =
                if verdict.kind < owner::VerdictKind::LeftAlone { Meaning::Warning } else { Meaning::Muted };
            words.push((text.into(), meaning));
        }
        let names: Vec<_> =
            rules.iter().filter_map(|it| Some(state.cluster(it.0)?.spec.name.to_string())).collect();
        words.push((format!("writes to  {}", names.join(", ")).into(), Meaning::Text));
        Ok(ReadRule {
            id,
            sight,
            label: rule.label(self.rule + 1),
            rows,
            sum: if written == 0 { 100 } else { written },
            ramp: None,
            words,
        })
    }

    /// There are weights to move.
    pub const fn is_read(&self) -> bool {
        self.read.is_some()
    }

    pub fn press(&mut self, key: Key, now: Mono) -> Pressed {
        if self.ear.ignores(key, now) {
            return Pressed::Nothing;
        }
        match key.code {
            Code::Esc => return Pressed::Close,
            Code::Enter if self.read.is_some() => return Pressed::Preview,
            Code::Char(digit) if digit.is_ascii_digit() && self.typed.len() < 7 => {
                self.typed.push(digit);
                self.take_typed();
            }
            Code::Backspace => {
                self.typed.pop();
                self.take_typed();
            }
            _ => {}
        }
        Pressed::Nothing
    }

    pub fn act(&mut self, action: Action, policy: &Policy) {
        self.typed.clear();
        self.mistake = None;
        match action {
            Action::Up => self.cursor = self.cursor.saturating_sub(1),
            Action::Down => {
                let last = self.read.as_ref().map_or(0, |read| read.rows.len().saturating_sub(1));
                self.cursor = (self.cursor + 1).min(last);
            }
            Action::Raise => self.move_by(1),
            Action::Lower => self.move_by(-1),
            Action::RaiseMore => self.move_by(5),
            Action::LowerMore => self.move_by(-5),
            Action::Lock => {
                if let Some(row) = self.read.as_mut().and_then(|read| read.rows.get_mut(self.cursor)) {
                    row.locked = !row.locked;
                }
            }
            Action::Even => self.even(),
            Action::DrainHere => self.drain(),
            Action::RampHere => self.ramp(policy),
            _ => {}
        }
    }

    fn take_typed(&mut self) {
        if let Ok(number) = self.typed.parse() {
            self.set(number);
        }
    }

    fn move_by(&mut self, by: i64) {
        let Some(row) = self.read.as_ref().and_then(|read| read.rows.get(self.cursor)) else { return };
        let to = i64::from(row.new) + by;
        self.set(u32::try_from(to.max(0)).unwrap_or(u32::MAX));
    }

    /// One weight; the others that are not locked share what is left, as they do now.
    fn set(&mut self, to: u32) {
        let Some(read) = &mut self.read else { return };
        let held: u64 =
            others(&read.rows, self.cursor).filter(|row| row.locked).map(|row| u64::from(row.new)).sum();
        let free = others(&read.rows, self.cursor).filter(|row| !row.locked).count();
        if read.rows[self.cursor].locked || free == 0 {
            self.mistake = Some("locked: l lets it move".into());
            return;
        }
        let most = read.sum.saturating_sub(held);
        let to = u64::from(to).min(most);
        let shares: Vec<f64> = {
            let parts: Vec<f64> = others(&read.rows, self.cursor)
                .filter(|row| !row.locked)
                .map(|row| f64::from(row.new))
                .collect();
            let all: f64 = parts.iter().sum();
            parts.iter().map(|part| if all == 0.0 { 1.0 / free as f64 } else { part / all }).collect()
        };
        let mut given = ease::apportion(&shares, most - to).into_iter();
        for (at, row) in read.rows.iter_mut().enumerate() {
            if at == self.cursor {
                row.new = to as u32;
            } else if !row.locked {
                row.new = given.next().unwrap_or(row.new);
            }
        }
    }

    fn even(&mut self) {
        let Some(read) = &mut self.read else { return };
        let held: u64 = read.rows.iter().filter(|row| row.locked).map(|row| u64::from(row.new)).sum();
        let free = read.rows.iter().filter(|row| !row.locked).count();
        let mut given = ease::even(free, read.sum.saturating_sub(held)).into_iter();
        for row in read.rows.iter_mut().filter(|row| !row.locked) {
            row.new = given.next().unwrap_or(row.new);
        }
    }

    fn drain(&mut self) {
        self.set(0);
    }

    /// In one step, or in steps of so many percent.
    fn ramp(&mut self, policy: &Policy) {
        let Some(read) = &mut self.read else { return };
        let every = policy.step_every.max(Age(1));
        let at = read.ramp.map(|ramp| RAMPS.iter().position(|by| *by == ramp.by));
        let next = match at {
            None => RAMPS.first(),
            Some(at) => RAMPS.get(at.map_or(0, |at| at + 1)),
        };
        read.ramp = next.map(|by| Ramp { by: *by, every });
    }

    pub fn wish(&self) -> Result<(ChangeId, Intent, Sight), String> {
        let read = self.read.as_ref().ok_or("it is still being read")?;
        let weights = Weights {
            route: self.route.clone(),
            clusters: self.clusters.clone(),
            left_out: self.left_out.clone(),
            rule: self.rule,
            to: read.rows.iter().map(|row| row.new).collect(),
            ramp: read.ramp,
        };
        Ok((read.id.clone(), Intent::new(Wish::Weights(weights)), read.sight.clone()))
    }
}

fn others(rows: &[Row], but: usize) -> impl Iterator<Item = &Row> {
    rows.iter().enumerate().filter(move |(at, _)| *at != but).map(|(_, row)| row)
}

fn counted(rule: &Rule) -> Vec<i64> {
    rule.destinations().iter().map(|it| it.weight.unwrap_or(rule.default_weight())).collect()
}

fn reach(state: &State, cluster: ClusterId, route: &ObjectId, rule: usize) -> Vec<Reach> {
    let group = routes::group(state, route);
    let cell = group.as_ref().and_then(|group| group.cells.get(&cluster));
    let cell = cell.filter(|cell| cell.freshness.is_whole());
    cell.and_then(|cell| cell.rules.get(rule)).map(|rule| rule.reach.clone()).unwrap_or_default()
}

fn row(rule: &Rule, destination: &route::Destination, reach: Option<&Reach>) -> Row {
    let now = destination.weight.unwrap_or(rule.default_weight());
    let now = u32::try_from(now).unwrap_or(0);
    let ready = reach.and_then(Reach::ready);
    let total = reach.and_then(Reach::total);
    let word = |count: Option<u32>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    let clouds: Vec<_> =
        reach.map(|it| it.clouds.iter().map(ToString::to_string).collect()).unwrap_or_default();
    Row {
        name: destination.name(),
        cloud: clouds.join("+").into(),
        now,
        new: now,
        locked: false,
        ready: Clean::from(format!("{}/{}", word(ready), word(total))),
        healthy: ready.is_some_and(|ready| ready > 0),
    }
}
