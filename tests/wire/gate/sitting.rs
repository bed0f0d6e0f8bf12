//! A console without a screen, and the hands of whoever sits at it: look, plan, have it checked, say yes, wait.

use std::path::PathBuf;
use std::time::Duration;

use skydeck::config::Config;
use skydeck::fleet::{Age, ChangeId, Kind, ObjectId, ObjectKey};
use skydeck::gate::machine::Rejection;
use skydeck::gate::operation::{Operation, Phase};
use skydeck::gate::{Amount, Intent, Place, Plan, Policy, ScaleTo, StepState, Wish};
use skydeck::runtime::driver::Driver;
use skydeck::sources::inventory::{self, Places};

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_mins(2);

pub struct Sitting {
    pub driver: Driver,
    folder: Option<tempfile::TempDir>,
}

/// Why nothing was begun.
#[derive(Debug)]
pub enum No {
    Look(skydeck::fleet::Clean),
    Plan(skydeck::gate::Refusal),
    Check(Rejection),
}

impl No {
    pub fn words(&self) -> String {
        match self {
            Self::Look(words) => format!("look: {words}"),
            Self::Plan(refusal) => format!("plan: {refusal}"),
            Self::Check(rejection) => {
                let differs = rejection.differs.iter();
                let differs: Vec<_> =
                    differs.map(|it| format!("{} shown {} now {}", it.label, it.shown, it.now)).collect();
                format!("check: {} [{}]", rejection.words, differs.join("; "))
            }
        }
    }
}

impl Sitting {
    /// With a journal of its own, gone when the sitting is over.
    pub async fn new(kubeconfig: &str, policy: Policy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("state/journal.jsonl");
        let mut sitting = Self::with_journal(kubeconfig, policy, journal).await;
        sitting.folder = Some(folder);
        sitting
    }

    pub async fn with_journal(kubeconfig: &str, policy: Policy, journal: PathBuf) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), kubeconfig).unwrap();
        let mut config = Config::parse(&file.path().with_extension("toml"), "").unwrap();
        config.change = policy;
        let places = Places { kubeconfig_files: vec![file.path().to_owned()] };
        let inventory = inventory::find(&config, &places, &[]).unwrap();
        let mut driver = Driver::start(&config, inventory, Some(journal));
        driver.remember().await;
        driver.session.settle(Age(30)).await;
        Self { driver, folder: None }
    }

    pub fn place(&self, cluster: &str, kind: Kind, name: &str) -> Place {
        let cluster = self.driver.session.state.cluster_named(cluster).unwrap().id;
        let (namespace, name) = name.split_once('/').unwrap();
        Place { cluster, object: ObjectId { kind, key: ObjectKey::new(namespace, name) } }
    }

    pub fn scale(&self, cells: &[(&str, &str, Amount)]) -> Intent {
        let cell = |(cluster, name, to): &(&str, &str, Amount)| ScaleTo {
            place: self.place(cluster, Kind::Deployment, name),
            to: *to,
        };
        Intent::new(Wish::Scale(cells.iter().map(cell).collect()))
    }

    pub async fn plan(&mut self, intent: &Intent) -> Result<Plan, No> {
        let sight = self.driver.look(&intent.wish).await.map_err(No::Look)?;
        self.driver.plan(intent, &sight).map_err(No::Plan)
    }

    pub async fn check(&mut self, plan: Plan) -> Result<ChangeId, No> {
        let id = self.driver.check(plan, false).await;
        match self.operation(&id).rejection() {
            Some((_, rejection)) => Err(No::Check(rejection.clone())),
            None => Ok(id),
        }
    }

    /// Everything up to the question.
    pub async fn asked(&mut self, intent: &Intent) -> Result<ChangeId, No> {
        let plan = self.plan(intent).await?;
        self.check(plan).await
    }

    /// Unlocks, and types what must be typed.
    pub fn yes(&mut self, id: &ChangeId) {
        self.driver.unlock(id);
        let phrase = self.operation(id).plan.confirm.phrase.clone();
        self.driver.confirm(id, &phrase).unwrap();
    }

    pub fn operation(&self, id: &ChangeId) -> &Operation {
        self.driver.operation(id).unwrap()
    }

    pub async fn until(&mut self, id: &ChangeId, what: &str, so: impl Fn(&Operation) -> bool) {
        let wait = async {
            while !so(self.operation(id)) {
                self.driver.turn().await;
            }
        };
        let ended = tokio::time::timeout(PATIENCE, wait).await;
        assert!(ended.is_ok(), "not {what}: {:?} {:#?}", self.operation(id).phase, self.operation(id).steps);
    }

    /// Until it stands still and everything about it is known.
    pub async fn rest(&mut self, id: &ChangeId) {
        self.until(id, "at rest", rests).await;
    }

    /// The whole way; what is refused before anything is sent has no operation.
    pub async fn through(&mut self, intent: &Intent) -> Result<ChangeId, No> {
        let id = self.asked(intent).await?;
        self.yes(&id);
        self.rest(&id).await;
        Ok(id)
    }

    /// Ends as a command line does: what was taken is given back.
    pub async fn end(self) {
        self.driver.finish(Age(10)).await;
    }
}

pub fn rests(operation: &Operation) -> bool {
    match operation.phase {
        Phase::Ended(_) => true,
        Phase::Paused(_) => {
            operation.unknown().is_empty() && operation.count(|it| it == StepState::Confirmed) == 0
        }
        _ => false,
    }
}

/// `done: verified`, `failed: refused: the server …`.
pub fn told(operation: &Operation) -> String {
    let steps: Vec<_> = operation
        .steps
        .iter()
        .map(|it| format!("{}{}{}", it.state.name(), if it.words.is_empty() { "" } else { ": " }, it.words))
        .collect();
    format!("{} | {}", operation.words(), steps.join(" | "))
}
