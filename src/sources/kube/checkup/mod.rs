//! One look at everything between the console and a cluster, in the order in which it is needed: what is
//! broken, what is only missing, and what to do about it.
//!
//! Nothing is kept and nothing is followed. The way and the credential are looked at whatever comes of the other;
//! when one of them is broken, nothing behind it is asked for, since it would fail for the same reason.

mod changes;
mod rights;
mod server;
mod way;

use serde::Serialize;

use crate::clients::kube::connect::{Connector, Target};
use crate::config::JobKind;
use crate::fleet::{Age, Clean, Fault, FaultKind, Step, Unix};
use crate::sources::inventory::Member;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Good,
    /// It works, but not as it should, or not for long.
    Warning,
    Broken,
}

impl Verdict {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Broken => "BROKEN",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub verdict: Verdict,
    pub detail: Clean,
    /// What to do about it; empty when nothing is to be done.
    pub hint: Clean,
}

/// What was found on the way to one cluster.
#[derive(Debug, Clone, Serialize)]
pub struct Checkup {
    pub cluster: Clean,
    pub checks: Vec<Check>,
}

/// What the looks need besides their cluster.
#[derive(Clone)]
pub struct Circumstances {
    /// Shared by all, so that a plugin of many clusters runs once.
    pub connector: Connector,
    pub job_kinds: Vec<JobKind>,
    pub certificate_warning: Age,
    /// The wall clock when the look begins.
    pub now: Unix,
}

/// What the console would do with the cluster, by its configuration.
struct Reach {
    /// None: the whole cluster.
    namespaces: Vec<String>,
    /// Nothing is to be changed from here.
    read_only: bool,
}

impl Reach {
    /// Where rights are asked for; `None`: in the whole cluster.
    fn within(&self) -> Vec<Option<&str>> {
        match &*self.namespaces {
            [] => vec![None],
            some => some.iter().map(|it| Some(it.as_str())).collect(),
        }
    }
}

impl Checkup {
    pub fn worst(&self) -> Verdict {
        self.checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Good)
    }

    /// The look itself failed, which only a bug does.
    pub fn failed(cluster: Clean) -> Self {
        let mut checkup = Self { cluster, checks: Vec::new() };
        checkup.broken("doctor", &Fault::new(Step::Connect, FaultKind::Panic, ""));
        checkup
    }

    fn add(
        &mut self,
        name: &'static str,
        verdict: Verdict,
        detail: impl Into<Clean>,
        hint: impl Into<Clean>,
    ) {
        self.checks.push(Check { name, verdict, detail: detail.into(), hint: hint.into() });
    }

    fn good(&mut self, name: &'static str, detail: impl Into<Clean>) {
        self.add(name, Verdict::Good, detail, "");
    }

    fn broken(&mut self, name: &'static str, fault: &Fault) {
        self.add(name, Verdict::Broken, words(fault), fault.hint());
    }
}

fn words(fault: &Fault) -> String {
    let what = fault.what();
    if fault.detail.is_empty() { what } else { format!("{what}: {}", fault.detail) }
}

/// Looks at one cluster. Takes no longer than its deadlines allow.
pub async fn look(member: Member, with: Circumstances) -> Checkup {
    let mut checkup = Checkup { cluster: member.spec.name.clone(), checks: Vec::new() };
    let reach = Reach { namespaces: member.namespaces.clone(), read_only: member.spec.read_only };
    match member.target {
        Ok(target) => {
            path(&mut checkup, &target, &reach, &with).await;
        }
        Err(fault) => checkup.broken("configuration", &fault),
    }
    checkup
}

/// From the name of the server to the last permission.
async fn path(checkup: &mut Checkup, target: &Target, reach: &Reach, with: &Circumstances) {
    let connected = match with.connector.connect(target) {
        Ok(connected) => connected,
        Err(fault) => return checkup.broken("configuration", &fault),
    };
    checkup.good("configuration", format!("context {}", target.context));
    let reached = way::look(checkup, &connected, with).await;
    let proved = way::credential(checkup, &connected, with).await;
    if reached && proved {
        server::look(checkup, &connected.door, reach, with).await;
    }
}

fn expiry(checkup: &mut Checkup, name: &'static str, what: &str, end: Unix, with: &Circumstances) {
    let left = u64::try_from(end.0 - with.now.0).ok().map(Age);
    let date = end.rfc3339();
    match left {
        None => {
            checkup.add(name, Verdict::Broken, format!("{what}, expired at {date}"), "have a new one made");
        }
        Some(left) if left < with.certificate_warning => {
            let detail = format!("{what}, expires in {left}, at {date}");
            checkup.add(name, Verdict::Warning, detail, "have a new one made before that");
        }
        Some(left) => checkup.good(name, format!("{what}, expires in {left}")),
    }
}
