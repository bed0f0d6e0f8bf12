//! Logs of pods: what is asked for, and lines.

use serde::{Deserialize, Serialize};

use super::{Age, Clean, ObjectKey};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRequest {
    pub pods: Vec<LogTarget>,
    pub follow: bool,
    /// The run of the container before the present one.
    pub previous: bool,
    /// `None`: the last few hundred lines.
    pub since: Option<Age>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTarget {
    pub pod: ObjectKey,
    /// `None`: the pod's default container.
    pub container: Option<Clean>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub pod: Clean,
    pub text: Clean,
}
