//! The one way of every change: plan, ask the servers, confirm, carry out, record; and the exit code that says how it
//! stands.

use super::answer::{Answer, Given, answer};
use super::document::Report;
use super::interrupts::Interrupts;
use super::prompt::{self, Prompt};
use super::session::{Session, say};
use super::watch::{self, Left};
use super::{No, Wanted};
use crate::fleet::ChangeId;
use crate::gate::machine::Event;
use crate::gate::operation::{Operation, Outcome, Phase, StepState};
use crate::gate::{Refusal, diff};

pub async fn out(session: &mut Session, verb: &'static str, wanted: Wanted) -> Report {
    for words in &wanted.said {
        say(words);
    }
    let plan = match session.driver.plan(&wanted.intent, &wanted.sight) {
        Ok(plan) => plan,
        Err(refusal) => return Report::refused(verb, &session.options, No::from(refusal)),
    };
    let id = session.driver.check(plan, false).await;
    let Some(operation) = session.driver.operation(&id) else {
        return Report::refused(verb, &session.options, No::refused("the plan is gone (a bug)", ""));
    };
    let dry_run = session.options.dry_run;
    if let Some((_, rejection)) = operation.rejection() {
        let code = if rejection.is_conflict { 3 } else { 1 };
        let report = Report::of(operation, code, dry_run);
        session.driver.on(&id, Event::Cancel);
        return report;
    }
    if dry_run {
        let report = Report::of(operation, 0, true);
        session.driver.on(&id, Event::Cancel);
        return report;
    }
    show_plan(operation);
    let report = match confirmed(session, &id).await {
        Ok(mut interrupts) => carried(session, &id, &mut interrupts).await,
        Err(report) => *report,
    };
    if wanted.left_out { report.in_part() } else { report }
}

pub fn show_plan(operation: &Operation) {
    say(&diff::title(&operation.plan));
    for line in diff::lines(operation) {
        say(&line.text);
    }
}

/// Asks, if what stands on the command line is not a yes already, and opens the clusters for this one change.
pub async fn confirmed(session: &mut Session, id: &ChangeId) -> Result<Interrupts, Box<Report>> {
    let words = permission(session, id).await;
    let no = match words {
        Ok((words, interrupts)) => {
            session.driver.unlock(id);
            match session.driver.confirm(id, &words) {
                Ok(()) => return Ok(interrupts),
                Err(objection) => Refusal::new(objection, ""),
            }
        }
        Err(refusal) => refusal,
    };
    let report = session.driver.operation(id).map(|it| Report::of(it, 1, false).but(no.clone()));
    session.driver.on(id, Event::Cancel);
    Err(Box::new(report.unwrap_or_else(|| Report::refused("", &session.options, No::from(no)))))
}

/// The words that the machine is told, from the command line or from whoever sits there.
pub async fn permission(session: &mut Session, id: &ChangeId) -> Result<(String, Interrupts), Refusal> {
    let gone = || Refusal::new("the plan is gone (a bug)", "");
    let confirm = session.driver.operation(id).ok_or_else(gone)?.plan.confirm.clone();
    let terminal = Prompt::open();
    let (yes, words) = (session.options.yes, session.options.confirm.clone());
    let given = Given { yes, words: words.as_deref(), can_ask: terminal.is_some() };
    let deaf = |error: std::io::Error| Refusal::new(format!("signals cannot be heard: {error}"), "");
    let mut interrupts = Interrupts::listen().map_err(deaf)?;
    match (answer(&confirm, given), terminal) {
        (Answer::Yes, _) => Ok((confirm.phrase.to_string(), interrupts)),
        (Answer::No(refusal), _) => Err(refusal),
        (Answer::Ask, None) => Err(Refusal::new("there is no terminal to ask on", "")),
        (Answer::Ask, Some(terminal)) => {
            let mut asked = tokio::task::spawn_blocking(move || terminal.ask(&confirm));
            let said = loop {
                tokio::select! {
                    said = &mut asked => break said.unwrap_or_default(),
                    () = interrupts.next() => {
                        prompt::give_up();
                        break None;
                    }
                    // The world goes on meanwhile, and is judged as it is then.
                    () = session.driver.turn() => {}
                }
            };
            let said = said.ok_or_else(|| Refusal::new("it was not confirmed", "nothing was changed"))?;
            Ok((said, interrupts))
        }
    }
}

/// Lets it run to where it stands, and says how that is.
pub async fn carried(session: &mut Session, id: &ChangeId, interrupts: &mut Interrupts) -> Report {
    let left = watch::to_its_end(session, id, interrupts).await;
    let Some(operation) = session.driver.operation(id) else {
        return Report::refused("", &session.options, No::refused("the operation is gone (a bug)", ""));
    };
    let mut report = Report::of(operation, exit_code(operation), false).advising(advice(operation, left));
    report.is_hurried = left == Left::Abandoned;
    report
}

/// Of what has ended the code of its outcome; of what stands still what it would be.
pub fn exit_code(operation: &Operation) -> u8 {
    match &operation.phase {
        Phase::Ended(outcome) => outcome.exit_code(),
        _ if !operation.unknown().is_empty() => 4,
        _ if operation.count(|state| state == StepState::Confirmed) > 0 => 4,
        _ if operation.applied() > 0 => 5,
        _ => 1,
    }
}

/// What can be done about it.
fn advice(operation: &Operation, left: Left) -> Vec<String> {
    let id = operation.id();
    let mut advice = Vec::new();
    if let Phase::Paused(why) = &operation.phase {
        advice.push(format!("it stands still: {}", why.words(&operation.plan)));
    }
    match left {
        Left::Unknown => {
            advice.push("nobody knows of a step: its answer was lost, and it could not be read back".into());
        }
        Left::Abandoned => advice.push("left at once: the journal holds every step that was sent".into()),
        Left::Ended | Left::Stopped => {}
    }
    let can_be_undone = operation.applied() > 0 && operation.plan.verb != crate::gate::plan::Verb::Restart;
    match &operation.phase {
        Phase::Ended(Outcome::Returned) => {}
        Phase::Ended(_) if can_be_undone => {
            advice.push(format!("to take it back: skydeck journal undo {id}"));
        }
        Phase::Ended(_) => {}
        _ => {
            advice.push(format!("to read it back and go on: skydeck journal resume {id}"));
            advice.push(format!("to record it as it stands: skydeck journal resume {id} --leave"));
        }
    }
    advice
}
