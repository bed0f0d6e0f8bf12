//! Messages, closed by where they come from; and effects, which are data.
//!
//! A new panel, source or noun adds no variant to either.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Configuration, Prefs};
use crate::fleet::{ChangeId, Clean, ClusterId, Fact, Fault, LogLine, LogRequest, Now, ObjectId};
use crate::gate::machine::{Command, Event};
use crate::gate::{Operation, Place, Record, Seen};
use crate::input::Key;

/// Everything that can happen.
#[derive(Debug, Clone)]
pub enum Msg {
    /// From sources.
    Facts(Vec<Fact>),
    /// From the keyboard.
    Key(Key),
    Paste(String),
    Mouse(Mouse),
    Resize(u16, u16),
    /// The clock, before a key or an answer: dialogs are deaf for parts of a second.
    Moment(Now),
    /// From the clock; `slept` when the machine was suspended since the last one.
    Tick {
        now: Now,
        slept: bool,
    },
    /// From an effect.
    Answer(Answer),
    /// From the shell, to the operator.
    Notice(Notice),
    /// From the files, when they changed.
    Configuration(Box<Configuration>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mouse {
    pub kind: MouseKind,
    pub x: u16,
    pub y: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MouseKind {
    Click,
    WheelUp,
    WheelDown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub text: Clean,
    pub is_bad: bool,
}

/// What an effect brought.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Answer {
    Object {
        cluster: ClusterId,
        id: ObjectId,
        outcome: Result<Box<Value>, Fault>,
    },
    Lines {
        stream: u64,
        lines: Vec<LogLine>,
    },
    LogsEnded {
        stream: u64,
        outcome: Result<(), Fault>,
    },
    ProgramLog(Result<Vec<Clean>, Clean>),
    Looked(Looked),
    /// Something happened to an operation of the gate.
    Gate(ChangeId, Event),
    /// Where the page is, or why there is none.
    Exported(Result<Clean, Clean>),
    /// What was written down of an operation.
    Timeline {
        id: ChangeId,
        outcome: Result<Vec<Record>, Clean>,
    },
    /// Operations as the journal tells them, and what is to be told about it.
    Journal {
        operations: Vec<Operation>,
        notes: Vec<Clean>,
    },
}

/// Objects as they are now, and a name for the change that may come of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Looked {
    pub ticket: u64,
    pub id: ChangeId,
    pub outcome: Vec<Result<Seen, (Place, Fault)>>,
}

/// What the shell must do. Those that ask for something are answered by an [`Answer`].
#[derive(Debug, PartialEq)]
pub enum Effect {
    Quit,
    Suspend,
    Redraw,
    CaptureMouse(bool),
    Copy(Clean),
    CopyLines(Vec<Clean>),
    Remember(Prefs),
    /// Try again now; all clusters.
    Reconnect,
    Fetch {
        cluster: ClusterId,
        id: ObjectId,
    },
    /// Begins a stream of lines and ends the one before.
    ReadLogs {
        stream: u64,
        cluster: ClusterId,
        request: LogRequest,
    },
    StopLogs,
    /// Gives the terminal to the cluster's credential plugin for a while.
    LogIn(ClusterId),
    /// The tail of this program's own log.
    ReadProgramLog,
    /// Read objects as they are now, for a plan.
    Look {
        ticket: u64,
        places: Vec<Place>,
    },
    /// Write a page about an operation to a file; answered by a notice.
    Export(ChangeId),
    /// What was written down of an operation, moment by moment.
    ReadTimeline(ChangeId),
    /// What the machine of the gate commands.
    Gate(Command),
}
