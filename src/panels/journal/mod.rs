//! Journal: what was changed from this machine, how it stands, and what can still be done about it.

mod columns;

use ratatui::layout::Rect;

use super::{Filter, List, Order, Panel, PanelId, Request, Scene, Target};
use crate::fleet::{Age, ChangeId, Clean};
use crate::gate::{Operation, StepState};
use crate::input::Action;
use crate::ui::theme::Meaning;
use crate::ui::{Pen, pen};

pub use columns::columns;

/// Lines below the list: the steps of the operation under the cursor, and why it stands still.
const DETAIL: u16 = 6;

/// An operation as a row.
#[derive(Debug, Clone)]
pub struct OperationRow {
    pub id: ChangeId,
    /// The smaller, the more it needs somebody.
    pub rank: u32,
    pub state: Clean,
    pub meaning: Meaning,
    pub verb: Clean,
    pub title: Clean,
    pub clusters: Vec<Clean>,
    pub actor: Clean,
    pub reason: Clean,
    pub age: Age,
    steps: Vec<(Clean, Meaning)>,
}

impl OperationRow {
    fn new(scene: Scene<'_>, operation: &Operation) -> Self {
        let plan = &operation.plan;
        let (rank, meaning) = columns::urgency(operation);
        Self {
            id: operation.id().clone(),
            rank,
            state: operation.words().into(),
            meaning,
            verb: plan.verb.name().into(),
            title: plan.title.clone(),
            clusters: plan.clusters().into_iter().map(|it| it.name.clone()).collect(),
            actor: Clean::from(format!("{}@{}", operation.actor.user, operation.actor.host)),
            reason: plan.reason.clone(),
            age: operation.opened.map_or(Age::default(), |opened| scene.state.now.age_of(opened)),
            steps: steps(operation),
        }
    }
}

/// `aws-east  http[2].route[0].weight 60 → 50  verified`, one a step; first why it stands still.
fn steps(operation: &Operation) -> Vec<(Clean, Meaning)> {
    let plan = &operation.plan;
    let mut lines = Vec::new();
    if let crate::gate::Phase::Paused(why) = &operation.phase {
        lines.push((why.words(plan), Meaning::Bad));
    }
    for (step, progress) in plan.steps.iter().zip(&operation.steps) {
        let changes = step.changes.iter().filter(|change| change.before != change.after);
        let changes: Vec<_> = changes
            .map(|it| {
                let (before, after) =
                    (crate::gate::plan::shown(&it.before), crate::gate::plan::shown(&it.after));
                format!("{} {before} → {after}", it.label)
            })
            .collect();
        let meaning = match progress.state {
            StepState::Verified => Meaning::Good,
            StepState::Refused | StepState::Drifted => Meaning::Bad,
            state if state.is_unknown() => Meaning::Warning,
            _ => Meaning::Muted,
        };
        let words = format!(
            "{}  {}  {}  {}",
            step.cluster.name,
            changes.join(", "),
            progress.state.name(),
            progress.words
        );
        lines.push((words.trim_end().into(), meaning));
    }
    lines
}

pub struct Journal {
    list: List<OperationRow, ChangeId>,
    empty: &'static str,
}

impl Default for Journal {
    fn default() -> Self {
        Self { list: List::new(columns(), |row| row.id.clone(), |_| None), empty: "" }
    }
}

impl Panel for Journal {
    fn id(&self) -> PanelId {
        PanelId::Journal
    }

    fn refresh(&mut self, scene: Scene<'_>, area: Rect) {
        let confirmed = scene.desk.operations().iter().rev().filter(|it| it.opened.is_some());
        let rows = confirmed.map(|operation| OperationRow::new(scene, operation)).collect();
        self.list.refresh(rows, area.height.saturating_sub(DETAIL));
        self.empty = match self.list.counts() {
            (0, 0) => "nothing was changed from this machine yet",
            (0, _) => "no operation passes the filter",
            _ => "",
        };
    }

    /// ```text
    ///   STATE          WHEN  WHAT                          CLUSTERS               WHO          REASON
    /// › PARTIAL 2/3      3m  shift traffic of ml/web …     aws-east gcp-central   ada@bastion  drain for upgrade
    ///   done            17m  scale ml/web to 6             aws-east               ada@bastion
    /// ```
    fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        if !self.empty.is_empty() {
            pen.put(area, format!("  {}", self.empty), Meaning::Muted);
            return;
        }
        let (list, below) = pen::above(area, DETAIL);
        self.list.view(pen, list, &self.list.drawn(), None);
        if let Some(row) = self.list.selected() {
            let below = Rect { x: below.x + 2, width: below.width.saturating_sub(3), ..below };
            let mut lines = pen::lines(below);
            if let Some(line) = lines.next() {
                pen.put(line, format!("change {}", row.id), Meaning::Faint);
            }
            for (line, (words, meaning)) in lines.zip(&row.steps) {
                pen.put(line, words, *meaning);
            }
        }
    }

    fn act(&mut self, action: Action) -> Option<Request> {
        if self.list.act(action) {
            return None;
        }
        let id = self.list.selected()?.id.clone();
        match action {
            Action::Open | Action::Right | Action::Resume => Some(Request::Resume(id)),
            Action::Undo => Some(Request::Undo(id)),
            Action::Export => Some(Request::Export(id)),
            Action::Copy => Some(Request::Copy(id.as_clean().clone())),
            _ => None,
        }
    }

    fn click(&mut self, area: Rect, _: u16, y: u16) -> bool {
        self.list.click(area, y)
    }

    fn target(&self) -> Option<Target> {
        None
    }

    fn select(&mut self, _: &Target) {}

    fn filter(&self) -> &Filter {
        self.list.filter()
    }

    fn set_filter(&mut self, filter: Filter) {
        self.list.set_filter(filter);
    }

    fn fields(&self) -> Vec<(Clean, Clean)> {
        self.list.fields()
    }

    fn order(&self) -> Option<(Clean, Order)> {
        self.list.order()
    }

    fn set_order(&mut self, column: &str, order: Order) {
        self.list.set_order(column, order);
    }

    fn counts(&self) -> (usize, usize) {
        self.list.counts()
    }

    fn noun(&self) -> &'static str {
        "operations"
    }

    fn hints(&self) -> &'static [Action] {
        &[Action::Open, Action::Undo, Action::Resume, Action::Export, Action::Filter]
    }
}
