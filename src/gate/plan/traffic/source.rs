//! The route in one source cluster: what it says now, whether it may be changed, and the step that changes it.

use serde_json::Value;

use super::ease;
use super::judge::Shift;
use crate::fleet::route::{self, Rule, Shape};
use crate::fleet::{Clean, ClusterId, Marks};
use crate::gate::confirm::Reasons;
use crate::gate::intent::Weights;
use crate::gate::patch::{self, ANNOTATION, Op};
use crate::gate::plan::{Change, Cx, Note, Refusal, Step, Write, heed};
use crate::gate::{Intent, Place, Seen};
use crate::state::Cluster;
use crate::state::select::owner;
use crate::state::select::routes;

/// The route in one source cluster, as it was read.
pub(super) struct Source<'a> {
    pub cluster: &'a Cluster,
    pub seen: &'a Seen,
    pub rule: Rule,
    /// Weights as they count now, an omitted one by its default.
    pub now: Vec<u32>,
}

impl<'a> Source<'a> {
    pub fn read(id: ClusterId, wish: &Weights, cx: Cx<'a>) -> Result<Self, Refusal> {
        let cluster = cx.cluster(id)?;
        let seen = cx.seen(&Place { cluster: id, object: wish.route.clone() })?;
        let name = &cluster.spec.name;
        let route = route::read(wish.route.kind, &seen.value).map_err(|words| {
            Refusal::new(format!("{} in {name} is not understood: {words}", wish.route), "")
        })?;
        let rule = route.rules.get(wish.rule).cloned().ok_or_else(|| {
            Refusal::new(format!("{} in {name} has no rule {}", wish.route, wish.rule + 1), "").conflict()
        })?;
        match &rule.shape {
            Shape::Destinations(all) if all.len() == 1 => {
                let words = format!(
                    "the rule has one destination in {name}, which gets everything whatever its weight"
                );
                Err(Refusal::new(words, "add a destination first"))
            }
            Shape::Destinations(all) if all.len() == wish.to.len() => {
                Ok(Self { now: counted(&rule), cluster, seen, rule })
            }
            Shape::Destinations(all) => {
                let words =
                    format!("the rule has {} destinations in {name}, not {}", all.len(), wish.to.len());
                Err(Refusal::new(words, "name the clusters one by one").conflict())
            }
            Shape::Delegate(key) => {
                let words = format!("the rule in {name} delegates to the VirtualService {key}");
                Err(Refusal::new(words, "change its weights there"))
            }
            Shape::Redirect(_) | Shape::DirectResponse(_) => {
                Err(Refusal::new(format!("the rule in {name} has no destinations"), "choose another rule"))
            }
        }
    }

    pub fn shift<'b>(&'b self, wish: &'b Weights) -> Shift<'b> {
        Shift {
            cluster: self.cluster,
            route: &wish.route,
            rule: wish.rule,
            read: &self.rule,
            from: &self.now,
            to: &wish.to,
        }
    }

    pub fn largest_move(&self, wish: &Weights) -> f64 {
        ease::largest_move(&self.now, &wish.to)
    }

    pub fn judge(
        &self,
        intent: &Intent,
        wish: &Weights,
        cx: Cx<'_>,
        told: (&mut Vec<Note>, &mut Reasons),
    ) -> Result<(), Refusal> {
        let (notes, reasons) = told;
        let name = &self.cluster.spec.name;
        let weights: Vec<i64> = wish.to.iter().map(|weight| i64::from(*weight)).collect();
        self.rule
            .shares_of(&weights)
            .map_err(|words| Refusal::new(words, "at least one weight must be above 0"))?;
        if let Some(most) = weights.iter().find(|weight| **weight > self.rule.largest_weight()) {
            let words =
                format!("{most} is more than the {} that this kind takes", self.rule.largest_weight());
            return Err(Refusal::new(words, "weights are relative: use smaller ones"));
        }
        if let Some(words) = &self.rule.invalid {
            notes.push(Note::warning(format!("{name}: the rule is invalid now: {words}")));
        }
        if let Some(earlier) = self.rule.unreachable {
            notes.push(Note::warning(format!(
                "{name}: nothing reaches this rule: rule {} takes every request",
                earlier + 1
            )));
        }
        self.tell_what_weights_mean(wish, cx, notes);
        self.judge_owner(intent, wish, cx, notes)?;
        cx.weigh_production(self.cluster, self.seen, reasons);
        notes.extend(self.shift(wish).judge(intent, cx.state)?);
        Ok(())
    }

    /// What makes of weights something else than shares: another route for the host, ejection, locality, weights further on.
    fn tell_what_weights_mean(&self, wish: &Weights, cx: Cx<'_>, notes: &mut Vec<Note>) {
        let group = routes::group(cx.state, &wish.route);
        let Some(cell) = group.as_ref().and_then(|it| it.cells.get(&self.cluster.id)) else { return };
        // Its faults were said above, of what was read just now.
        let of_rule = cell.rules.get(wish.rule).map_or(&[][..], |it| &it.notes);
        let all = cell.notes.iter().chain(of_rule);
        notes.extend(all.map(|it| Note::info(format!("{}: {it}", self.cluster.spec.name))));
    }

    /// Who would put the weights back.
    fn judge_owner(
        &self,
        intent: &Intent,
        wish: &Weights,
        cx: Cx<'_>,
        notes: &mut Vec<Note>,
    ) -> Result<(), Refusal> {
        let verdict = owner::verdict(cx.state, self.cluster.id, &Marks::read(&self.seen.value), &wish.route);
        notes.extend(heed(&verdict, &self.cluster.spec.name, intent)?);
        Ok(())
    }

    /// The weight of a DNS record is an entry that is appended to a list: where it is, is known only when it is there.
    pub fn lacks_a_weight(&self) -> bool {
        self.rule.destinations().iter().any(|it| it.pointer().ends_with("/-"))
    }

    /// The step from these weights to those, on the object as the step before left it.
    pub fn step(
        &self,
        object: &Value,
        to: &[u32],
        follows: Option<usize>,
        mark: &str,
    ) -> Result<Step, Refusal> {
        let mut ops = vec![Op::test("/metadata/uid", self.seen.value["metadata"]["uid"].clone())];
        if let (None, Some(generation)) = (follows, self.seen.generation()) {
            ops.push(Op::test("/metadata/generation", generation));
        }
        for pointer in &self.rule.pointers {
            ops.push(Op::test(pointer, object.pointer(pointer).cloned().unwrap_or(Value::Null)));
        }
        let changes = self.changes(object, to);
        ops.extend(
            changes
                .iter()
                .filter(|it| it.before != it.after)
                .map(|it| Op::add(&it.pointer, it.after.clone())),
        );
        if follows.is_some() {
            ops.push(Op::add(&patch::annotation_path(ANNOTATION), mark));
        } else {
            ops.extend(patch::annotate(&self.seen.value, ANNOTATION, mark));
        }
        let mut step = Step::on(self.cluster, self.seen, Write::Patch(ops))?;
        step.changes = changes;
        step.follows = follows;
        Ok(step)
    }

    /// Every weight of the rule, changed or not: the sum of them is what a weight means.
    fn changes(&self, object: &Value, to: &[u32]) -> Vec<Change> {
        let all = self.rule.destinations().iter().zip(to).zip(&self.now);
        all.map(|((destination, to), _)| {
            let after = destination.weight_value(i64::from(*to));
            let pointer = settled_pointer(object, destination.pointer());
            let before = object.pointer(&pointer).cloned().unwrap_or(Value::Null);
            let after = if counts_as(&before, &after, destination.weight, &self.rule, *to) {
                before.clone()
            } else {
                after
            };
            Change { label: label(&pointer), pointer, before, after }
        })
        .collect()
    }
}

/// Whether a weight that is not written counts as the wanted one already; then it stays as it is.
fn counts_as(before: &Value, after: &Value, written: Option<i64>, rule: &Rule, to: u32) -> bool {
    let by_default = before.is_null() && written.is_none() && rule.default_weight() == i64::from(to);
    by_default || before == after
}

/// `/-` appends; where that will be is known, and it can be read again there.
fn settled_pointer(object: &Value, pointer: &str) -> String {
    match pointer.strip_suffix("/-") {
        Some(list) => {
            let length = object.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
            format!("{list}/{length}")
        }
        None => pointer.to_owned(),
    }
}

/// `/spec/http/2/route/0/weight` → `http[2].route[0].weight`.
fn label(pointer: &str) -> Clean {
    let mut words = String::new();
    for part in pointer.trim_start_matches("/spec/").split('/') {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            words.push_str(&format!("[{part}]"));
        } else {
            let dot = if words.is_empty() { "" } else { "." };
            words.push_str(&format!("{dot}{part}"));
        }
    }
    words.into()
}

pub(super) fn counted(rule: &Rule) -> Vec<u32> {
    let default = rule.default_weight();
    let weight = |it: &route::Destination| u32::try_from(it.weight.unwrap_or(default)).unwrap_or(0);
    rule.destinations().iter().map(weight).collect()
}
