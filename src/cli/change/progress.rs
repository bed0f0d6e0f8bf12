//! How far it is, on standard error: a line whenever a step comes into another state, and on a terminal below it one that
//! lives. It says what the operation says, and knows nothing of its own.

use std::io::{Write, stderr};

use super::session::is_watched;
use crate::fleet::{Age, Now};
use crate::gate::operation::{Operation, Phase, Progress as Step, StepState};

/// Columns of a line that must not wrap, since it is written over.
const WIDTH: usize = 78;
const OVER: &str = "\r\x1b[K";

pub struct Progress {
    is_live: bool,
    /// A line is there that will be written over.
    is_open: bool,
    seen: Vec<StepState>,
    /// The step whose wait was told to whoever has no living line.
    waits_for: Option<usize>,
    living: String,
}

impl Progress {
    pub fn new() -> Self {
        Self {
            is_live: is_watched(),
            is_open: false,
            seen: Vec::new(),
            waits_for: None,
            living: String::new(),
        }
    }

    pub fn show(&mut self, operation: &Operation, now: Now) {
        self.seen.resize(operation.steps.len(), StepState::Pending);
        for (number, step) in operation.steps.iter().enumerate() {
            if self.seen[number] != step.state {
                self.seen[number] = step.state;
                // What goes out next is not news; what became of it is.
                if step.state != StepState::Logged {
                    self.say(&line(operation, number, step));
                }
            }
        }
        if self.is_live {
            self.live(living(operation, now));
        } else if let Some((next, left)) = waiting(operation, now)
            && self.waits_for.replace(next) != Some(next)
        {
            let cluster = &operation.plan.steps[next].cluster.name;
            self.say(&format!("{}  {cluster}  goes out in {left}", place(operation, next)));
        }
    }

    pub fn say(&mut self, words: &str) {
        let over = if std::mem::take(&mut self.is_open) { OVER } else { "" };
        self.living.clear();
        let _ = writeln!(stderr(), "{over}{words}");
    }

    fn live(&mut self, words: Option<String>) {
        let words: String = words.unwrap_or_default().chars().take(WIDTH).collect();
        if words == self.living {
            return;
        }
        let mut out = stderr();
        let _ = write!(out, "{OVER}{words}").and_then(|()| out.flush());
        self.is_open = !words.is_empty();
        self.living = words;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.live(None);
    }
}

/// `step 1/3  aws-east  Deployment ml/web  verified`.
fn line(operation: &Operation, number: usize, step: &Step) -> String {
    let planned = &operation.plan.steps[number];
    let words = if step.words.is_empty() { String::new() } else { format!(": {}", step.words) };
    let state = step.state.name();
    format!("{}  {}  {}  {state}{words}", place(operation, number), planned.cluster.name, planned.object)
}

fn place(operation: &Operation, number: usize) -> String {
    format!("step {}/{}", number + 1, operation.steps.len())
}

/// What is waited for at this moment.
fn living(operation: &Operation, now: Now) -> Option<String> {
    let Some(number) = busy(operation) else {
        let (next, left) = waiting(operation, now)?;
        return Some(format!("{}  in {left}", place(operation, next)));
    };
    let step = &operation.steps[number];
    let age = now.since(step.since);
    let cluster = &operation.plan.steps[number].cluster.name;
    let words = match step.state {
        StepState::Confirmed if step.words.is_empty() => "reading it again",
        StepState::Confirmed => step.words.as_str(),
        StepState::Unknown => "the answer was lost, reading it back",
        _ => "asked",
    };
    Some(format!("{}  {cluster}  {words}  {age}", place(operation, number)))
}

/// The step that something is to become of.
fn busy(operation: &Operation) -> Option<usize> {
    operation.steps.iter().position(|it| it.state == StepState::Confirmed || it.state.is_unknown())
}

/// The step that goes out when the time after the one before it is over, and how long that is.
fn waiting(operation: &Operation, now: Now) -> Option<(usize, Age)> {
    if operation.phase != Phase::Running || busy(operation).is_some() {
        return None;
    }
    let next = operation.next()?;
    let before = operation.steps.get(next.checked_sub(1)?)?;
    let left = operation.plan.steps[next].wait.0.checked_sub(now.since(before.since).0)?;
    (left > 0).then_some((next, Age(left)))
}
