//! What every verb begins and ends with: the clusters are heard, the journal is read, and at the end what was announced is
//! taken back.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write, stderr};
use std::path::PathBuf;

use crate::cli::{complain, status};
use crate::config::args::ChangeOptions;
use crate::fleet::{Age, Clean};
use crate::gate::{Operation, Policy};
use crate::runtime::driver::Driver;
use crate::runtime::reload::Setup;

/// A cluster that does not answer keeps nobody from changing another.
const SETTLE: Age = Age(15);
/// Longer than a lost answer can land.
const SLACK: Age = Age(30);
/// So long the servers may take to take back what was announced.
const FAREWELL: Age = Age(5);

pub struct Session {
    pub driver: Driver,
    /// Namespaces of the contexts, by cluster.
    pub homes: BTreeMap<Clean, Clean>,
    pub options: ChangeOptions,
    /// How long an answer that was lost is read back.
    pub patience: Age,
}

impl Session {
    pub async fn start(setup: Setup, journal: Option<PathBuf>, options: &ChangeOptions) -> Self {
        for reason in &setup.inventory.broken {
            complain(reason);
        }
        let home = |it: &crate::sources::inventory::Member| {
            Some((it.spec.name.clone(), Clean::new(it.home_namespace.as_deref()?)))
        };
        let homes = setup.inventory.members.iter().filter_map(home).collect();
        let mut driver = Driver::start(&setup.config, setup.inventory, journal);
        driver.remember().await;
        for note in driver.notes.drain(..) {
            complain(&note);
        }
        status::settle(&mut driver.session, SETTLE).await;
        let patience = options.timeout.unwrap_or(Age(driver.desk.policy.settle.0 + SLACK.0));
        Self { driver, homes, options: options.clone(), patience }
    }

    pub async fn end(self, is_hurried: bool) {
        if !is_hurried {
            self.driver.finish(FAREWELL).await;
        }
    }

    pub fn policy(&self) -> &Policy {
        &self.driver.desk.policy
    }

    /// What was left half done is said before anything else.
    pub fn tell_open(&self) {
        let standing = |it: &&Operation| !it.is_ours && !it.is_elsewhere;
        for operation in self.driver.desk.open_operations().filter(standing) {
            let (id, title, words) = (operation.id(), &operation.plan.title, operation.words());
            complain(&format!(
                "{title} stands still since an earlier session ({words}): skydeck journal resume {id}"
            ));
        }
    }
}

/// A line for whoever looks on; that nobody does is no reason to stop.
pub fn say(words: &str) {
    let _ = writeln!(stderr(), "{words}");
}

pub fn is_watched() -> bool {
    stderr().is_terminal()
}
