//! Messages, closed by where they come from; and effects, which are data.
//!
//! A new panel, source or noun adds no variant to either.

use serde_json::Value;

use super::{Configuration, Prefs};
use crate::fleet::{Clean, ClusterId, Fact, Fault, LogLine, LogRequest, Now, ObjectId};
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    pub kind: MouseKind,
    pub x: u16,
    pub y: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseKind {
    Click,
    WheelUp,
    WheelDown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub text: Clean,
    pub is_bad: bool,
}

/// What an effect brought.
#[derive(Debug, Clone)]
pub enum Answer {
    Object { cluster: ClusterId, id: ObjectId, outcome: Result<Box<Value>, Fault> },
    Lines { stream: u64, lines: Vec<LogLine> },
    LogsEnded { stream: u64, outcome: Result<(), Fault> },
    ProgramLog(Result<Vec<Clean>, Clean>),
}

/// What the shell must do. Those that ask for something are answered by an [`Answer`].
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Quit,
    Suspend,
    Redraw,
    CaptureMouse(bool),
    Copy(Clean),
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
}
