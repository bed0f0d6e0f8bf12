//! `skydeck journal undo` and `resume`: what was done or left, again through the gate.

use super::carry::{carried, exit_code, permission, show_plan};
use super::document::Report;
use super::named::operation_named;
use super::session::Session;
use super::{No, Wanted};
use crate::config::args::{JournalResume, JournalUndo};
use crate::fleet::ChangeId;
use crate::gate::machine::Event;
use crate::gate::operation::{Operation, Phase};
use crate::gate::{Intent, Wish};

pub async fn undo(args: &JournalUndo, session: &mut Session) -> Result<Wanted, No> {
    let id = named(session, &args.id)?;
    if let Some(operation) = session.driver.operation(&id)
        && operation.is_elsewhere
    {
        return Err(elsewhere(operation));
    }
    read_back(session, &id).await;
    let wish = Wish::Undo(id);
    let sight = session.driver.look(&wish).await;
    let sight = sight.map_err(|words| No::refused(words, "only what was applied can be taken back"))?;
    Ok(Wanted { intent: Intent::new(wish), sight, said: Vec::new(), left_out: false })
}

pub async fn resume(args: &JournalResume, session: &mut Session) -> Report {
    match resumed(args, session).await {
        Ok(report) => report,
        Err(no) => Report::refused("resume", &session.options, no),
    }
}

async fn resumed(args: &JournalResume, session: &mut Session) -> Result<Report, No> {
    let id = named(session, &args.id)?;
    let operation = session.driver.operation(&id).ok_or_else(|| No::refused("it is gone (a bug)", ""))?;
    if operation.is_elsewhere {
        return Err(elsewhere(operation));
    }
    if let Phase::Ended(outcome) = operation.phase {
        let words = format!("{id} is at its end: {}", outcome.name());
        return Err(No::refused(words, "what it did can be taken back: skydeck journal undo"));
    }
    read_back(session, &id).await;
    if args.leave {
        if !session.options.dry_run {
            session.driver.on(&id, Event::Leave);
        }
        return report(session, &id);
    }
    let unknown = |it: &Operation| !it.unknown().is_empty();
    if session.driver.operation(&id).is_some_and(unknown) {
        return report(session, &id);
    }
    if session.options.dry_run {
        return report(session, &id).map(Report::as_a_look);
    }
    session.driver.operation(&id).into_iter().for_each(show_plan);
    let (_, mut interrupts) = permission(session, &id).await?;
    session.driver.unlock(&id);
    let actor = session.driver.desk.actor.clone();
    session.driver.on(&id, Event::Continue { actor });
    Ok(carried(session, &id, &mut interrupts).await)
}

fn report(session: &Session, id: &ChangeId) -> Result<Report, No> {
    let operation = session.driver.operation(id).ok_or_else(|| No::refused("it is gone (a bug)", ""))?;
    Ok(Report::of(operation, exit_code(operation), session.options.dry_run))
}

fn named(session: &Session, text: &str) -> Result<ChangeId, No> {
    let operation = operation_named(session.driver.desk.operations(), text);
    operation.map(|it| it.id().clone()).map_err(|words| No::refused(words, ""))
}

fn elsewhere(operation: &Operation) -> No {
    let words = format!("another skydeck on this machine drives {}", operation.id());
    No::refused(words, format!("{}: stop it there first", operation.actor))
}

/// Steps of which nobody knows are read until they are known, or nobody waits any longer.
async fn read_back(session: &mut Session, id: &ChangeId) {
    let begun = session.driver.session.state.now;
    let unknown = |it: &Operation| it.is_open() && !it.unknown().is_empty();
    while session.driver.operation(id).is_some_and(unknown)
        && session.driver.session.state.now.since(begun.mono) <= session.patience
    {
        session.driver.turn().await;
    }
}
