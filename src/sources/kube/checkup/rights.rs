//! Each right asked for by itself, and what is lost without it. What was answered counts, whatever becomes of the other
//! questions; what was not answered is told as not known and never as denied.

use super::{Checkup, Verdict};
use crate::clients::kube::{Access, Door};
use crate::fleet::Fault;

/// A server that fails so often is not asked on: each question may take as long as its deadline.
const MOST_FAULTS: usize = 3;

/// One thing that is needed.
pub(super) struct Right<'a> {
    pub access: Access<'a>,
    /// What there is not without it.
    pub loss: &'static str,
}

/// What became of all the questions.
pub(super) struct Answers<'a> {
    pub asked: usize,
    pub allowed: usize,
    pub denied: Vec<Right<'a>>,
    /// Questions without an answer.
    pub open: usize,
    /// The first that went wrong.
    fault: Option<Fault>,
}

pub(super) async fn ask<'a>(door: &Door, needed: Vec<Right<'a>>) -> Answers<'a> {
    let mut answers = Answers { asked: needed.len(), allowed: 0, denied: Vec::new(), open: 0, fault: None };
    for right in needed {
        if answers.open >= MOST_FAULTS {
            answers.open += 1;
            continue;
        }
        match door.may(&right.access).await {
            Ok(true) => answers.allowed += 1,
            Ok(false) => answers.denied.push(right),
            Err(fault) => {
                answers.open += 1;
                answers.fault.get_or_insert(fault);
            }
        }
    }
    answers
}

impl Answers<'_> {
    /// How many are there, and whether that is all that can be said.
    pub fn tell(&self, checkup: &mut Checkup, name: &'static str) {
        let Self { asked, allowed, open, .. } = self;
        if allowed == asked {
            checkup.good(name, format!("all {asked} that are needed"));
        } else {
            checkup.good(name, format!("{allowed} of {asked} that are needed"));
        }
        if let Some(fault) = &self.fault {
            let words = format!("{open} of {asked} are not known: {}", super::words(fault));
            checkup.add(name, Verdict::Broken, words, fault.hint());
        }
    }

    /// What is denied, a line for each loss.
    pub fn tell_denied(&self, checkup: &mut Checkup, name: &'static str, why: &str) {
        let mut losses: Vec<&str> = Vec::new();
        for right in &self.denied {
            if !losses.contains(&right.loss) {
                losses.push(right.loss);
            }
        }
        for loss in losses {
            let what = self.without(loss);
            let hint = format!("have the account allowed to {what}{why}");
            checkup.add(name, Verdict::Warning, format!("may not {what}: without it no {loss}"), hint);
        }
    }

    /// `list and watch pods, get pods/log in ml`: what is denied of that which one loss comes of.
    fn without(&self, loss: &str) -> String {
        let mut places: Vec<(String, Vec<&str>)> = Vec::new();
        for Right { access, .. } in self.denied.iter().filter(|it| it.loss == loss) {
            let place = access.to_string();
            match places.iter_mut().find(|(known, _)| *known == place) {
                Some((_, verbs)) => verbs.push(access.verb),
                None => places.push((place, vec![access.verb])),
            }
        }
        let mut parts: Vec<(String, Vec<String>)> = Vec::new();
        for (place, verbs) in places {
            let verbs = verbs.join(" and ");
            match parts.last_mut() {
                Some((known, places)) if *known == verbs => places.push(place),
                _ => parts.push((verbs, vec![place])),
            }
        }
        let parts = parts.into_iter().map(|(verbs, places)| format!("{verbs} {}", places.join(", ")));
        parts.collect::<Vec<_>>().join(", ")
    }
}
