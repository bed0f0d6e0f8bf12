//! The form of a recording: a header, then a message a line, each with its time since the recording began.
//!
//! ```text
//! {"skydeckRecording":1,"program":"0.1.0","began":{"mono":12,"unix":1772978531},"size":[120,36],"beginning":{…}}
//! {"at":0,"is":{"tick":{"now":{…},"slept":false}}}
//! {"at":31,"is":"frame"}
//! {"at":112,"is":{"facts":[…]}}
//! {"at":4711,"is":{"key":{"code":{"char":"r"},"ctrl":true,"alt":false}}}
//! ```
//!
//! A frame says where the picture was brought up to date: what a key does depends on what was seen. When a message or
//! anything in it changes its form, [`VERSION`] must go up; a recording that is kept with the tests notices.

use serde::{Deserialize, Serialize};

use crate::app::{Answer, Beginning, Configuration, Mouse, Msg, Notice};
use crate::fleet::{ClusterId, Fact, Now};
use crate::input::Key;
use crate::state::ClusterSpec;

/// What this program writes, and all that it reads.
pub const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    pub skydeck_recording: u32,
    /// The version of the program that wrote it.
    pub program: String,
    pub began: Now,
    /// Columns and lines of its terminal.
    pub size: (u16, u16),
    pub beginning: Beginning,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// Milliseconds since the recording began.
    pub at: u64,
    pub is: Entry,
}

/// What happened: the messages of the app, and the two things beside them that its screens depend on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Entry {
    Facts(Vec<Fact>),
    Key(Key),
    /// So many characters: a clipboard may hold anything.
    Pasted(usize),
    Mouse(Mouse),
    Resize(u16, u16),
    Moment(Now),
    Tick {
        now: Now,
        slept: bool,
    },
    Answer(Box<Answer>),
    Notice(Notice),
    Configuration(Box<Configuration>),
    /// The clusters that there are from now on.
    Clusters(Vec<(ClusterId, ClusterSpec)>),
    /// The picture was brought up to date.
    Frame,
}

/// Stands for a character that was pasted.
const PASTED: &str = "•";

impl Header {
    pub fn new(began: Now, size: (u16, u16), beginning: Beginning) -> Self {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        Self { skydeck_recording: VERSION, program, began, size, beginning }
    }
}

impl Entry {
    pub fn of(message: &Msg) -> Self {
        match message {
            Msg::Facts(facts) => Self::Facts(facts.clone()),
            Msg::Key(key) => Self::Key(*key),
            Msg::Paste(text) => Self::Pasted(text.chars().count()),
            Msg::Mouse(mouse) => Self::Mouse(*mouse),
            Msg::Resize(width, height) => Self::Resize(*width, *height),
            Msg::Moment(now) => Self::Moment(*now),
            Msg::Tick { now, slept } => Self::Tick { now: *now, slept: *slept },
            Msg::Answer(answer) => Self::Answer(Box::new(answer.clone())),
            Msg::Notice(notice) => Self::Notice(notice.clone()),
            Msg::Configuration(new) => Self::Configuration(new.clone()),
        }
    }

    /// The message; of the two things that are none, themselves.
    pub fn into_message(self) -> Result<Msg, Self> {
        Ok(match self {
            Self::Facts(facts) => Msg::Facts(facts),
            Self::Key(key) => Msg::Key(key),
            Self::Pasted(count) => Msg::Paste(PASTED.repeat(count)),
            Self::Mouse(mouse) => Msg::Mouse(mouse),
            Self::Resize(width, height) => Msg::Resize(width, height),
            Self::Moment(now) => Msg::Moment(now),
            Self::Tick { now, slept } => Msg::Tick { now, slept },
            Self::Answer(answer) => Msg::Answer(*answer),
            Self::Notice(notice) => Msg::Notice(notice),
            Self::Configuration(new) => Msg::Configuration(new),
            other @ (Self::Clusters(_) | Self::Frame) => return Err(other),
        })
    }

    /// Whether it is what somebody did at the terminal.
    pub fn is_by_hand(&self) -> bool {
        matches!(self, Self::Key(_) | Self::Pasted(_) | Self::Mouse(_))
    }

    /// What weighs in the memory while it waits to be written.
    pub fn weight(&self) -> usize {
        match self {
            Self::Facts(facts) => facts.len(),
            Self::Answer(_) => 16,
            _ => 1,
        }
    }

    /// In a word or two, for whoever goes step by step.
    pub fn words(&self) -> String {
        match self {
            Self::Facts(facts) if facts.len() == 1 => "1 fact".into(),
            Self::Facts(facts) => format!("{} facts", facts.len()),
            Self::Key(key) => format!("key {key}"),
            Self::Pasted(_) => "paste".into(),
            Self::Mouse(_) => "mouse".into(),
            Self::Resize(width, height) => format!("resize {width}x{height}"),
            Self::Moment(_) => "moment".into(),
            Self::Tick { slept: false, .. } => "tick".into(),
            Self::Tick { .. } => "slept".into(),
            Self::Answer(_) => "answer".into(),
            Self::Notice(_) => "notice".into(),
            Self::Configuration(_) => "configuration".into(),
            Self::Clusters(_) => "clusters".into(),
            Self::Frame => "frame".into(),
        }
    }
}
