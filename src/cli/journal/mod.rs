//! `skydeck journal`: what was changed from this machine. It asks no cluster.

mod document;
mod export;
mod list;
mod show;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write, stdout};

use color_eyre::eyre::{Result, eyre};

use super::change::operation_named;
use super::complain;
use crate::config::args::journal::Verb;
use crate::config::journal_path;
use crate::effects::journal::{Journal, NO_PLACE};
use crate::fleet::{ChangeId, Unix};
use crate::gate::Operation;
use crate::gate::record::Replay;
use crate::runtime::clock::Clocks;
use crate::sources::Clock;

/// The exit code when there is no such operation.
const REFUSED: u8 = 1;
/// When some of the journal cannot be read.
const PARTIAL: u8 = 5;

pub fn run(verb: &Verb) -> Result<u8> {
    let path = journal_path().ok_or_else(|| eyre!(NO_PLACE))?;
    let now = Clocks::new(Clock::start()).read().now.unix;
    let answered = answer(&Journal::at(path), verb, now)?;
    for words in &answered.complaints {
        complain(words);
    }
    write(&answered.text)?;
    Ok(answered.code)
}

/// What a verb prints, what it has to complain about, and how it ends.
#[derive(Debug, Default)]
pub struct Answered {
    pub text: String,
    pub complaints: Vec<String>,
    pub code: u8,
}

pub fn answer(journal: &Journal, verb: &Verb, now: Unix) -> Result<Answered> {
    match verb {
        Verb::List(args) => {
            let (operations, complaints) = operations(journal)?;
            Ok(printed(list::print(&operations, args, now)?, complaints))
        }
        Verb::Show(args) => {
            let (operations, complaints) = operations(journal)?;
            let found = match operation_named(operations.values(), &args.id) {
                Ok(found) => found,
                Err(words) => return Ok(refused(words, complaints)),
            };
            let records = journal.of(found.id()).map_err(|words| eyre!("{words}"))?;
            Ok(printed(show::print(found, &records, args.output)?, complaints))
        }
        Verb::Export(args) => {
            let (operations, complaints) = operations(journal)?;
            let id = args
                .id
                .as_ref()
                .map(|text| operation_named(operations.values(), text).map(|it| it.id().clone()));
            match id.transpose() {
                Ok(id) => {
                    Ok(printed(export::print(journal, &operations, id.as_ref(), args.output)?, complaints))
                }
                Err(words) => Ok(refused(words, complaints)),
            }
        }
    }
}

fn printed(text: String, complaints: Vec<String>) -> Answered {
    let code = if complaints.is_empty() { 0 } else { PARTIAL };
    Answered { text, complaints, code }
}

fn refused(words: String, mut complaints: Vec<String>) -> Answered {
    complaints.push(words);
    Answered { complaints, code: REFUSED, ..Answered::default() }
}

/// Every operation, the oldest first, with what another process drives now marked so.
fn operations(journal: &Journal) -> Result<(BTreeMap<ChangeId, Operation>, Vec<String>)> {
    let mut replay = Replay::default();
    let notes = journal.each(&mut |line| replay.take(&line.record)).map_err(|words| eyre!("{words}"))?;
    let mut operations: BTreeMap<ChangeId, Operation> =
        replay.operations().map(|it| (it.id().clone(), it.clone())).collect();
    for operation in operations.values_mut().filter(|it| it.is_open()) {
        operation.is_elsewhere = journal.is_claimed(&operation.plan.id);
    }
    Ok((operations, notes.iter().map(ToString::to_string).collect()))
}

/// Who does not read to the end, as `head`, is no failure.
fn write(text: &str) -> Result<()> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
