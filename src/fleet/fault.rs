//! What went wrong between the console and a server: at which step, what it was, whether it will be tried
//! again. The only error that reaches the screen; it never carries a credential.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::scrub::scrub;
use super::{Age, Clean};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub step: Step,
    pub kind: FaultKind,
    /// What the server or the library said, if that helps; may be empty.
    pub detail: Clean,
}

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Step {
    /// Reading the kubeconfig and making a client of it.
    Configure,
    Connect,
    Discover,
    List,
    Watch,
    Get,
    Logs,
    /// The regular question whether the API server answers.
    Ping,
    /// Asking what the account may do.
    Review,
    /// Asking whether the server would take a change.
    DryRun,
    /// Sending a change.
    Apply,
    /// Telling other consoles and colleagues of a change.
    Announce,
}

impl Step {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Configure => "configuration",
            Self::Connect => "connect",
            Self::Discover => "discovery",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Get => "get",
            Self::Logs => "logs",
            Self::Ping => "ping",
            Self::Review => "access review",
            Self::DryRun => "dry run",
            Self::Apply => "apply",
            Self::Announce => "announcement",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FaultKind {
    /// The configuration of this cluster cannot be used; trying again changes nothing.
    Configuration,
    /// The credential plugin or file failed.
    Credential,
    /// A person must answer the credential plugin.
    Login,
    Refused,
    Unresolved,
    Unreachable,
    /// Nothing came within so many seconds.
    TimedOut(u32),
    /// The stream ended in the middle.
    Cut,
    /// The server's certificate is expired, for another name, or of an unknown authority.
    Certificate,
    Unauthorized,
    Forbidden,
    NotFound,
    /// The version asked for is gone from the server's history.
    Expired,
    Conflict,
    /// The server asks to come back later, in seconds if it says so.
    Throttled(Option<u32>),
    /// Any other answer of 400 and above.
    Status(u16),
    /// Bytes that are not what was asked for.
    Malformed,
    /// What a watch has told is not what the server holds: something on the way drops events.
    Missed,
    /// A bug of this program, in the task of this source.
    Panic,
}

impl Fault {
    pub fn new(step: Step, kind: FaultKind, detail: impl Into<Clean>) -> Self {
        let detail = detail.into();
        let detail = match scrub(detail.as_str()) {
            Cow::Borrowed(_) => detail,
            Cow::Owned(scrubbed) => scrubbed.into(),
        };
        Self { step, kind, detail }
    }

    /// What it is, in words, without the detail: `no answer within 10s`, `401 Unauthorized`.
    pub fn what(&self) -> String {
        match self.kind {
            FaultKind::Configuration => "the configuration cannot be used".into(),
            FaultKind::Credential => "no credential".into(),
            FaultKind::Login => "needs login".into(),
            FaultKind::Refused => "connection refused".into(),
            FaultKind::Unresolved => "the host name does not resolve".into(),
            FaultKind::Unreachable => "no connection".into(),
            FaultKind::TimedOut(seconds) => format!("no answer within {}", Age(seconds.into())),
            FaultKind::Cut => "the stream was cut".into(),
            FaultKind::Certificate => "the server's certificate is not accepted".into(),
            FaultKind::Unauthorized => "401 Unauthorized".into(),
            FaultKind::Forbidden => "403 Forbidden".into(),
            FaultKind::NotFound => "404 Not Found".into(),
            FaultKind::Expired => "410 Gone".into(),
            FaultKind::Conflict => "409 Conflict".into(),
            FaultKind::Throttled(_) => "429 Too Many Requests".into(),
            FaultKind::Status(code) => format!("status {code}"),
            FaultKind::Malformed => "the answer is not understood".into(),
            FaultKind::Missed => "not everything was told".into(),
            FaultKind::Panic => "this console's own task failed (a bug)".into(),
        }
    }

    /// What the operator can do about it; empty when waiting is all there is.
    pub const fn hint(&self) -> &'static str {
        match self.kind {
            FaultKind::Configuration => "mend the kubeconfig or the configuration file",
            FaultKind::Credential => "press L in Clusters to run the plugin before your eyes",
            FaultKind::Login => "press L in Clusters to answer it there",
            FaultKind::Refused => "is the API server up, and the port right?",
            FaultKind::Unresolved => "check the server's name, DNS and VPN",
            FaultKind::Unreachable | FaultKind::TimedOut(_) => "check network, VPN and proxy",
            FaultKind::Certificate => {
                "have the server's certificate mended, or the authority in the kubeconfig"
            }
            FaultKind::Unauthorized => "the credential is expired or wrong: log in again",
            FaultKind::Forbidden => "ask for the permission to list and watch",
            FaultKind::Panic => "please report it with the text above",
            FaultKind::Cut
            | FaultKind::NotFound
            | FaultKind::Expired
            | FaultKind::Conflict
            | FaultKind::Throttled(_)
            | FaultKind::Status(_)
            | FaultKind::Malformed
            | FaultKind::Missed => "",
        }
    }

    /// Whether the same request could succeed later without anybody doing something.
    pub const fn may_pass(&self) -> bool {
        !matches!(self.kind, FaultKind::Configuration | FaultKind::Panic)
    }
}

/// `watch: no answer within 10s`, `list: 403 Forbidden: pods is forbidden`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step.name(), self.what())?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
