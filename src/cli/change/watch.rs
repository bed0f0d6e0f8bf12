//! From the confirmation to where it stands: steps go on by themselves, Ctrl-C stops after the step on the wire, a lost
//! answer is read back for as long as somebody waits, and a ramp that stops goes back as its plan said.

use super::interrupts::Interrupts;
use super::progress::Progress;
use super::session::{Session, say};
use crate::fleet::{Age, ChangeId};
use crate::gate::machine::Event;
use crate::gate::operation::{Operation, Outcome, Phase, StepState};

/// The servers may take so long to give back what a ramp held, before its way back asks for the same.
const GIVEN_BACK: Age = Age(30);

/// How it was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// At its end, recorded.
    Ended,
    /// Nobody knows of a step, and nobody waits any longer.
    Unknown,
    /// Stopped by Ctrl-C; it can be gone on with.
    Stopped,
    /// Left at once by a second Ctrl-C.
    Abandoned,
}

pub async fn to_its_end(session: &mut Session, id: &ChangeId, interrupts: &mut Interrupts) -> Left {
    let left = until_it_stands(session, id, interrupts).await;
    if left != Left::Ended {
        return left;
    }
    if session.driver.desk.to_be_returned().as_ref() == Some(id) {
        let left = take_back(session, id, interrupts).await;
        if left != Left::Ended {
            return left;
        }
    }
    // What stands still is recorded as it is: nobody is here to decide otherwise.
    if let Some(operation) = session.driver.operation(id)
        && let Phase::Paused(why) = &operation.phase
    {
        say(&format!("it goes no further: {}", why.words(&operation.plan)));
    }
    session.driver.on(id, Event::Leave);
    end_undone(session, id);
    Left::Ended
}

/// What stood still and was taken back has come to its end too.
fn end_undone(session: &mut Session, id: &ChangeId) {
    let done = session.driver.operation(id).filter(|it| it.phase == Phase::Ended(Outcome::Done));
    let Some(undone) = done.and_then(|it| it.plan.undoes.clone()) else { return };
    let stands = |it: &Operation| matches!(it.phase, Phase::Paused(_)) && !it.is_elsewhere;
    if session.driver.operation(&undone).is_some_and(stands) {
        session.driver.on(&undone, Event::Returned);
    }
}

async fn until_it_stands(session: &mut Session, id: &ChangeId, interrupts: &mut Interrupts) -> Left {
    let mut progress = Progress::new();
    let mut stopped = false;
    loop {
        let now = session.driver.session.state.now;
        let Some(operation) = session.driver.operation(id) else { return Left::Ended };
        progress.show(operation, now);
        let stands = matches!(operation.phase, Phase::Paused(_));
        match &operation.phase {
            Phase::Ended(_) => return Left::Ended,
            Phase::Paused(_) if stopped => return Left::Stopped,
            Phase::Paused(_) if is_quiet(operation) => return Left::Ended,
            _ => {}
        }
        if is_out_of_patience(operation, now, session.patience) {
            if !stands {
                session.driver.on(id, Event::Stop);
            }
            return Left::Unknown;
        }
        tokio::select! {
            () = interrupts.next() => {
                if stopped {
                    return Left::Abandoned;
                }
                stopped = true;
                progress.say("stopping after the step on the wire; once more leaves at once");
                session.driver.on(id, Event::Stop);
            }
            () = session.driver.turn() => {}
        }
    }
}

/// Nothing of it is on its way any more, as far as is known.
fn is_quiet(operation: &Operation) -> bool {
    operation.unknown().is_empty() && operation.count(|state| state == StepState::Confirmed) == 0
}

fn is_out_of_patience(operation: &Operation, now: crate::fleet::Now, patience: Age) -> bool {
    let lost = operation.steps.iter().filter(|it| matches!(it.state, StepState::Unknown | StepState::Logged));
    lost.into_iter().any(|step| now.since(step.since) > patience)
}

/// A ramp that stopped by its condition: back to the weights before it, which was confirmed with it.
async fn take_back(session: &mut Session, id: &ChangeId, interrupts: &mut Interrupts) -> Left {
    let mut progress = Progress::new();
    if let Some(operation) = session.driver.operation(id)
        && let Phase::Paused(why) = &operation.phase
    {
        progress.say(&format!("{}; going back to the weights before the ramp", why.words(&operation.plan)));
    }
    // The leases of the ramp are its own: its way back must find them free.
    session.driver.rest(GIVEN_BACK).await;
    session.driver.unlock(id);
    let intent = session.driver.desk.way_back(id);
    let planned = match session.driver.look(&intent.wish).await {
        Ok(sight) => session.driver.plan(&intent, &sight).map_err(|refusal| refusal.to_string()),
        Err(words) => Err(words.to_string()),
    };
    let plan = match planned {
        Ok(plan) => plan,
        Err(words) => {
            progress.say(&format!("it cannot go back by itself: {words}"));
            session.driver.desk.give_up_return(id);
            return Left::Ended;
        }
    };
    let undo = session.driver.check(plan, true).await;
    let rejected = session.driver.operation(&undo).and_then(|it| Some(it.rejection()?.1.words.clone()));
    if let Some(words) = rejected {
        progress.say(&format!("it cannot go back by itself: {words}"));
        session.driver.on(&undo, Event::Cancel);
        session.driver.desk.give_up_return(id);
        return Left::Ended;
    }
    drop(progress);
    let left = until_it_stands(session, &undo, interrupts).await;
    if left == Left::Ended {
        session.driver.on(&undo, Event::Leave);
        end_undone(session, &undo);
    }
    left
}
