//! The verbs that change something: the same gate as on the screen, with words for hands and eyes.
//!
//! Each verb finds what is meant, reads it, and gives a wish; from there on all go one way (`carry`): plan, ask every
//! server, confirm, one step after the other, record. It refuses to guess which object or cluster is meant, to take a
//! flag for what must be typed, and to say *done* of what was not read again.

mod answer;
mod carry;
pub mod document;
mod find;
mod interrupts;
mod journal;
mod named;
mod progress;
mod prompt;
mod restart;
mod route;
mod scale;
mod session;
mod traffic;
mod watch;

use std::path::PathBuf;

use color_eyre::eyre::Result;

use crate::cli::status::write;
use crate::config::args::{
    ChangeOptions, JournalChange, JournalResume, JournalUndo, Restart, Scale, TrafficDrain, TrafficRamp,
    TrafficSet,
};
use crate::fleet::Clean;
use crate::gate::{Intent, Refusal, Sight};
use crate::runtime::reload::Setup;
use document::Report;
use session::Session;

pub use answer::{Answer, Given, answer};
pub use find::{Found, Search, Target};
pub use named::operation_named;
pub use route::{destinations, kept_alike, only_rule};

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub enum Asked<'a> {
    Scale(&'a Scale),
    Restart(&'a Restart),
    Set(&'a TrafficSet),
    Drain(&'a TrafficDrain),
    Ramp(&'a TrafficRamp),
    Undo(&'a JournalUndo),
    Resume(&'a JournalResume),
}

/// What a verb makes of its arguments: what is wanted, and what it was made from.
pub struct Wanted {
    pub intent: Intent,
    pub sight: Sight,
    /// What the operator should be told before the plan.
    pub said: Vec<String>,
    /// Clusters that hold it too and are left as they are: when all is done, it is done in part.
    pub left_out: bool,
}

/// Why nothing is changed, and the exit code for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct No {
    pub code: u8,
    pub refusal: Refusal,
}

/// Runs a verb; gives its exit code.
pub async fn run(asked: Asked<'_>, setup: Setup, journal: Option<PathBuf>) -> Result<u8> {
    let options = asked.options();
    let mut session = Session::start(setup, journal, options).await;
    if !matches!(asked, Asked::Undo(_) | Asked::Resume(_)) {
        session.tell_open();
    }
    let report = match asked {
        Asked::Resume(args) => journal::resume(args, &mut session).await,
        _ => match wanted(asked, &mut session).await {
            Ok(wanted) => carry::out(&mut session, asked.verb(), wanted).await,
            Err(no) => Report::refused(asked.verb(), options, no),
        },
    };
    session.end(report.is_hurried).await;
    write(&report.text(options.output)?)?;
    Ok(report.code)
}

async fn wanted(asked: Asked<'_>, session: &mut Session) -> std::result::Result<Wanted, No> {
    let mut wanted = match asked {
        Asked::Scale(args) => scale::wanted(args, session).await,
        Asked::Restart(args) => restart::wanted(args, session).await,
        Asked::Set(args) => traffic::set(args, session).await,
        Asked::Drain(args) => traffic::drain(args, session).await,
        Asked::Ramp(args) => traffic::ramp(args, session).await,
        Asked::Undo(args) => journal::undo(args, session).await,
        Asked::Resume(_) => Err(No::usage("resume plans nothing", "")),
    }?;
    let options = asked.options();
    wanted.intent.reason = Clean::new(options.reason.trim());
    wanted.intent.overrides.extend(&options.overrides);
    Ok(wanted)
}

impl<'a> Asked<'a> {
    pub const fn of_journal(verb: &'a JournalChange) -> Self {
        match verb {
            JournalChange::Undo(args) => Self::Undo(args),
            JournalChange::Resume(args) => Self::Resume(args),
        }
    }

    fn options(&self) -> &ChangeOptions {
        match self {
            Self::Scale(args) => &args.options,
            Self::Restart(args) => &args.options,
            Self::Set(args) => &args.options,
            Self::Drain(args) => &args.options,
            Self::Ramp(args) => &args.options,
            Self::Undo(args) => &args.options,
            Self::Resume(args) => &args.options,
        }
    }

    const fn verb(&self) -> &'static str {
        match self {
            Self::Scale(_) => "scale",
            Self::Restart(_) => "restart",
            Self::Set(_) | Self::Drain(_) | Self::Ramp(_) => "traffic",
            Self::Undo(_) => "undo",
            Self::Resume(_) => "resume",
        }
    }
}

impl No {
    /// The world does not allow it, or it is not known whether it does.
    pub fn refused(words: impl Into<Clean>, hint: impl Into<Clean>) -> Self {
        Self { code: 1, refusal: Refusal::new(words, hint) }
    }

    /// The command is wrong, whatever the world is like.
    pub fn usage(words: impl Into<Clean>, hint: impl Into<Clean>) -> Self {
        Self { code: 2, refusal: Refusal::new(words, hint) }
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        let code = match (refusal.is_already, refusal.is_conflict) {
            (true, _) => 0,
            (_, true) => 3,
            _ => 1,
        };
        Self { code, refusal }
    }
}
