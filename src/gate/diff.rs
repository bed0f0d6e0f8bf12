//! A plan as text: what is confirmed is what is read. The same lines on the screen, on the command line and in the
//! journal.

use super::operation::{Checked, Operation, StepState};
use super::plan::{Plan, shown};
use crate::fleet::Clean;

/// One line, and what kind of thing it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub tone: Tone,
    pub text: Clean,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Step,
    Change,
    Good,
    Busy,
    Warning,
    Bad,
    Note,
}

/// `01JD… · scale ml/web to 6 · 2 steps`.
pub fn title(plan: &Plan) -> Clean {
    let steps = plan.steps.len();
    let plural = if steps == 1 { "step" } else { "steps" };
    Clean::from(format!("{} · {} · {steps} {plural}", plan.id, plan.title))
}

/// Every step with its changes, what the servers said of it and how it stands; then notes and the way back.
pub fn lines(operation: &Operation) -> Vec<Line> {
    let plan = &operation.plan;
    let mut lines = Vec::new();
    for (number, step) in plan.steps.iter().enumerate() {
        let version = step.generation.map_or_else(
            || format!("version {}", step.resource_version),
            |generation| format!("generation {generation}"),
        );
        let version = if step.follows.is_some() { "after the step before it".into() } else { version };
        let head = format!("{}  {}  {}  {version}", number + 1, step.cluster.name, step.object);
        lines.push(Line::new(Tone::Step, head));
        if step.wait.0 > 0 {
            lines.push(Line::new(Tone::Note, format!("     {} after the step before", step.wait)));
        }
        for change in step.changes.iter().filter(|change| change.before != change.after) {
            let text = format!("     {}  {} → {}", change.label, shown(&change.before), shown(&change.after));
            lines.push(Line::new(Tone::Change, text));
        }
        lines.extend(standing(operation, number));
    }
    for note in &plan.notes {
        let tone = if note.is_warning { Tone::Warning } else { Tone::Note };
        lines.push(Line::new(tone, note.text.to_string()));
    }
    lines.push(Line::new(Tone::Note, format!("undo   {}", plan.way_back)));
    if !plan.reason.is_empty() {
        lines.push(Line::new(Tone::Note, format!("reason {}", plan.reason)));
    }
    lines
}

/// What the server said of a step, and how far it is.
fn standing(operation: &Operation, number: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let progress = &operation.steps[number];
    let is_target = operation.plan.steps[number].follows.is_none();
    match &operation.checks[number] {
        _ if progress.state != StepState::Pending || operation.opened.is_some() => {}
        Checked::Asked if is_target => lines.push(Line::new(Tone::Busy, "     asking the server")),
        Checked::Asked => {}
        Checked::Accepted(report) => {
            lines.push(Line::new(Tone::Good, "     dry run: accepted by the server"));
            for words in report.warnings.iter().chain(&report.unannounced).chain(&report.untold) {
                lines.push(Line::new(Tone::Warning, format!("     {words}")));
            }
        }
        Checked::Rejected(rejection) => {
            lines.push(Line::new(Tone::Bad, format!("     refused: {}", rejection.words)));
            for it in &rejection.differs {
                let text = format!("     {}  was shown as {}  is now {}", it.label, it.shown, it.now);
                lines.push(Line::new(Tone::Bad, text));
            }
        }
    }
    if operation.opened.is_some() {
        let tone = match progress.state {
            StepState::Verified => Tone::Good,
            StepState::Pending | StepState::Skipped => Tone::Note,
            StepState::Logged | StepState::Sent | StepState::Confirmed => Tone::Busy,
            StepState::Unknown => Tone::Warning,
            StepState::Refused | StepState::Drifted => Tone::Bad,
        };
        let words = if progress.words.is_empty() { String::new() } else { format!(": {}", progress.words) };
        lines.push(Line::new(tone, format!("     {}{words}", progress.state.name())));
    }
    lines
}

impl Line {
    pub fn new(tone: Tone, text: impl Into<Clean>) -> Self {
        Self { tone, text: text.into() }
    }
}
