//! What became of a change, as one document for scripts and as a table for people. Both say the same, and neither says
//! more than is known: a value that nobody read again is not *done*.

use color_eyre::eyre::Result;
use serde::Serialize;
use serde_json::{Map, Value};

use super::No;
use crate::cli::status::document::API_VERSION;
use crate::cli::status::table::Table;
use crate::config::args::{ChangeOptions, Output};
use crate::fleet::{ChangeId, Clean, Unix};
use crate::gate::machine::{Difference, Rejection};
use crate::gate::operation::{Checked, Operation, Outcome, Phase, Progress, StepState};
use crate::gate::plan::{Change, Step, shown};
use crate::gate::{Refusal, diff};

/// What a verb ends with.
pub struct Report {
    pub code: u8,
    pub document: OperationDocument,
    /// What a person should do next.
    pub advice: Vec<String>,
    /// The plan is what was asked for.
    plan: Vec<Clean>,
    /// Somebody wants it to end at once.
    pub is_hurried: bool,
}

/// `-o json` of every verb that changes something.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationDocument {
    api_version: &'static str,
    kind: &'static str,
    /// `null` when there is no plan.
    pub id: Option<ChangeId>,
    pub verb: &'static str,
    pub title: Option<Clean>,
    /// `refused`, `unchanged`, `planned`, `cancelled`, `running`, `paused`, `ended`.
    pub state: &'static str,
    /// Of what has ended: `done`, `partial`, `failed`, `conflict`, `unknown`, `drifted`, `returned`.
    pub outcome: Option<Outcome>,
    pub reason: Option<Clean>,
    pub dry_run: bool,
    /// The change that this one takes back.
    pub undoes: Option<ChangeId>,
    /// When it was confirmed.
    pub confirmed_at: Option<String>,
    pub ended_at: Option<String>,
    pub steps: Vec<StepItem>,
    pub notes: Vec<NoteItem>,
    pub refusal: Option<RefusalItem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepItem {
    pub cluster: Clean,
    pub target: TargetItem,
    pub changes: Vec<ChangeItem>,
    /// The values that change, by the same labels as in the plan.
    pub before: Map<String, Value>,
    pub after: Map<String, Value>,
    /// `pending`, `logged`, `sent`, `unknown`, `confirmed`, `verified`, `refused`, `drifted`, `skipped`.
    pub state: StepState,
    pub message: Option<Clean>,
    /// The object after our write; `null` when that is not known.
    pub version: Option<VersionItem>,
}

#[derive(Debug, Serialize)]
pub struct TargetItem {
    pub kind: &'static str,
    pub namespace: Clean,
    pub name: Clean,
    pub uid: Clean,
}

#[derive(Debug, Serialize)]
pub struct ChangeItem {
    /// JSON pointer into the object.
    pub path: String,
    /// `null`: it was not there, or is not to be there.
    pub before: Value,
    pub after: Value,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionItem {
    pub resource_version: Clean,
    pub generation: Option<i64>,
}

#[derive(Debug, Serialize)]
pub struct NoteItem {
    pub warning: bool,
    pub message: Clean,
}

#[derive(Debug, Default, Serialize)]
pub struct RefusalItem {
    pub message: Clean,
    pub hint: Option<Clean>,
    /// The rule that can be set aside, if it can.
    pub rule: Option<&'static str>,
    /// The world is not as it was shown.
    pub conflict: bool,
    /// What is not as it was shown.
    pub differs: Vec<DifferenceItem>,
}

#[derive(Debug, Serialize)]
pub struct DifferenceItem {
    pub field: Clean,
    pub shown: Clean,
    pub now: Clean,
}

impl Report {
    /// There is no plan, and why.
    pub fn refused(verb: &'static str, options: &ChangeOptions, no: No) -> Self {
        let No { code, refusal } = no;
        let mut document = OperationDocument {
            reason: some(Clean::new(options.reason.trim())),
            dry_run: options.dry_run,
            ..OperationDocument::empty(verb)
        };
        if refusal.is_already {
            document.state = "unchanged";
            document.notes.push(NoteItem { warning: false, message: refusal.words });
        } else {
            document.refusal = Some(refusal.into());
        }
        Self { code, document, advice: Vec::new(), plan: Vec::new(), is_hurried: false }
    }

    pub fn of(operation: &Operation, code: u8, dry_run: bool) -> Self {
        let plan = if dry_run {
            diff::lines(operation).into_iter().map(|line| line.text).collect()
        } else {
            Vec::new()
        };
        let document = OperationDocument::of(operation, dry_run);
        Self { code, document, advice: Vec::new(), plan, is_hurried: false }
    }

    /// There is a plan, and it is not carried out.
    #[must_use]
    pub fn but(mut self, refusal: Refusal) -> Self {
        self.document.state = "refused";
        self.document.outcome = None;
        self.document.refusal = Some(refusal.into());
        self
    }

    /// Nothing was to be done.
    #[must_use]
    pub fn as_a_look(self) -> Self {
        Self { code: 0, ..self }
    }

    /// All that was planned is done, and something that it is about was left out of the plan.
    #[must_use]
    pub fn in_part(mut self) -> Self {
        if self.code == 0 && !self.document.dry_run {
            self.code = 5;
        }
        self
    }

    #[must_use]
    pub fn advising(mut self, advice: impl IntoIterator<Item = String>) -> Self {
        self.advice.extend(advice);
        self
    }

    pub fn text(&self, output: Output) -> Result<String> {
        Ok(match output {
            Output::Json => format!("{}\n", serde_json::to_string_pretty(&self.document)?),
            Output::Table => self.table(),
        })
    }

    fn table(&self) -> String {
        let document = &self.document;
        let mut text = String::new();
        if let (Some(id), Some(title)) = (&document.id, &document.title) {
            text.push_str(&format!("{id}  {title}: {}\n", document.standing()));
        }
        if document.dry_run {
            text.extend(self.plan.iter().map(|line| format!("{line}\n")));
        } else if document.confirmed_at.is_some() {
            text.push_str(&steps(&document.steps));
        }
        if document.state == "unchanged" {
            text.extend(document.notes.iter().map(|note| format!("{}\n", note.message)));
        }
        if let Some(refusal) = &document.refusal {
            text.push_str(&refusal.text());
        }
        text.extend(self.advice.iter().map(|line| format!("{line}\n")));
        text
    }
}

fn steps(steps: &[StepItem]) -> String {
    let mut table = Table::new(&["CLUSTER", "OBJECT", "FIELD", "BEFORE", "AFTER", "STATE", "MESSAGE"], "");
    for step in steps {
        let target = &step.target;
        for (label, before) in &step.before {
            table.rows.push(vec![
                step.cluster.to_string(),
                format!("{} {}/{}", target.kind, target.namespace, target.name),
                label.clone(),
                shown(before),
                step.after.get(label).map(shown).unwrap_or_default(),
                step.state.name().to_owned(),
                step.message.as_ref().map(ToString::to_string).unwrap_or_default(),
            ]);
        }
    }
    table.text()
}

impl OperationDocument {
    fn empty(verb: &'static str) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "Operation",
            id: None,
            verb,
            title: None,
            state: "refused",
            outcome: None,
            reason: None,
            dry_run: false,
            undoes: None,
            confirmed_at: None,
            ended_at: None,
            steps: Vec::new(),
            notes: Vec::new(),
            refusal: None,
        }
    }

    pub fn of(operation: &Operation, dry_run: bool) -> Self {
        let plan = &operation.plan;
        let steps = plan.steps.iter().zip(&operation.steps).zip(&operation.checks);
        let notes = plan.notes.iter().map(|it| NoteItem { warning: it.is_warning, message: it.text.clone() });
        let asked = operation.checks.iter().enumerate().flat_map(|(at, check)| said(&plan.steps[at], check));
        Self {
            id: Some(plan.id.clone()),
            title: Some(plan.title.clone()),
            state: state(&operation.phase),
            outcome: match &operation.phase {
                Phase::Ended(outcome) => Some(*outcome),
                _ => None,
            },
            reason: some(plan.reason.clone()),
            dry_run,
            undoes: plan.undoes.clone(),
            confirmed_at: operation.opened.map(Unix::rfc3339),
            ended_at: operation.ended.map(Unix::rfc3339),
            steps: steps.map(|((step, progress), _)| item(step, progress)).collect(),
            notes: notes.chain(asked).collect(),
            refusal: operation.rejection().map(|(_, rejection)| rejection.into()),
            ..Self::empty(plan.verb.name())
        }
    }

    fn standing(&self) -> String {
        match self.outcome {
            Some(outcome) => outcome.name().into(),
            None => self.state.into(),
        }
    }
}

fn state(phase: &Phase) -> &'static str {
    match phase {
        // Asking ends with a plan that can be confirmed, or with a server's no.
        Phase::Checking => "refused",
        Phase::Confirming => "planned",
        Phase::Running | Phase::Stopping => "running",
        Phase::Paused(_) => "paused",
        Phase::Ended(Outcome::Cancelled) => "cancelled",
        Phase::Ended(_) => "ended",
    }
}

/// What a server said when it was asked, beside yes.
fn said(step: &Step, check: &Checked) -> Vec<NoteItem> {
    let Checked::Accepted(report) = check else { return Vec::new() };
    let words = report.warnings.iter().chain(&report.unannounced).chain(&report.untold);
    words
        .map(|words| NoteItem {
            warning: true,
            message: Clean::from(format!("{}: {words}", step.cluster.name)),
        })
        .collect()
}

fn item(step: &Step, progress: &Progress) -> StepItem {
    let changed = || step.changes.iter().filter(|it| it.before != it.after);
    let values = |of: fn(&Change) -> &Value| {
        changed().map(|it| (it.label.to_string(), of(it).clone())).collect::<Map<_, _>>()
    };
    let key = &step.object.key;
    StepItem {
        cluster: step.cluster.name.clone(),
        target: TargetItem {
            kind: step.object.kind.name(),
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            uid: step.uid.clone(),
        },
        changes: changed()
            .map(|it| ChangeItem {
                path: it.pointer.clone(),
                before: it.before.clone(),
                after: it.after.clone(),
            })
            .collect(),
        before: values(|it| &it.before),
        after: values(|it| &it.after),
        state: progress.state,
        message: some(progress.words.clone()),
        version: progress
            .version
            .as_ref()
            .map(|it| VersionItem { resource_version: it.resource.clone(), generation: it.generation }),
    }
}

impl RefusalItem {
    fn text(&self) -> String {
        let mut text = format!("refused: {}\n", self.message);
        for it in &self.differs {
            text.push_str(&format!("  {}  was shown as {}  is now {}\n", it.field, it.shown, it.now));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("  → {hint}\n"));
        }
        if let Some(rule) = self.rule {
            text.push_str(&format!("  → or set the rule aside: --override {rule}\n"));
        }
        text
    }
}

impl From<Refusal> for RefusalItem {
    fn from(refusal: Refusal) -> Self {
        Self {
            message: refusal.words,
            hint: some(refusal.hint),
            rule: refusal.rule.map(crate::gate::Override::name),
            conflict: refusal.is_conflict,
            differs: Vec::new(),
        }
    }
}

impl From<&Rejection> for RefusalItem {
    fn from(rejection: &Rejection) -> Self {
        let item = |it: &Difference| DifferenceItem {
            field: it.label.clone(),
            shown: it.shown.clone(),
            now: it.now.clone(),
        };
        Self {
            message: rejection.words.clone(),
            conflict: rejection.is_conflict,
            differs: rejection.differs.iter().map(item).collect(),
            ..Self::default()
        }
    }
}

fn some(text: Clean) -> Option<Clean> {
    (!text.is_empty()).then_some(text)
}
