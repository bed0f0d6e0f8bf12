//! Journal: what was changed from this machine, how it stands, and what can still be done about it.

mod columns;

use ratatui::layout::Rect;

use super::{Filter, List, Order, Panel, PanelId, Request, Scene, Target};
use crate::fleet::{Age, ChangeId, Clean, Unix};
use crate::gate::plan::shown;
use crate::gate::{Operation, Phase, StepState};
use crate::input::Action;
use crate::ui::theme::Meaning;
use crate::ui::{Pen, pen};

pub use columns::{Standing, columns};

/// Lines below the list: the steps of the operation under the cursor, and why it stands still.
const DETAIL: u16 = 6;

/// An operation as a row.
#[derive(Debug, Clone)]
pub struct OperationRow {
    pub id: ChangeId,
    pub standing: Standing,
    pub state: Clean,
    pub verb: Clean,
    pub title: Clean,
    pub clusters: Vec<Clean>,
    pub actor: Clean,
    pub reason: Clean,
    pub opened: Unix,
    pub age: Age,
    steps: Vec<(Clean, Meaning)>,
}

impl OperationRow {
    fn new(scene: Scene<'_>, operation: &Operation) -> Self {
        let plan = &operation.plan;
        Self {
            id: operation.id().clone(),
            standing: Standing::of(operation),
            state: operation.words().into(),
            verb: plan.verb.name().into(),
            title: plan.title.clone(),
            clusters: plan.clusters().into_iter().map(|it| it.name.clone()).collect(),
            actor: Clean::from(format!("{}@{}", operation.actor.user, operation.actor.host)),
            reason: plan.reason.clone(),
            opened: operation.opened.unwrap_or_default(),
            age: operation.opened.map_or(Age::default(), |opened| scene.state.now.age_of(opened)),
            steps: steps(operation),
        }
    }
}

/// `aws-east  http[2].route[0].weight 60 → 50  verified`, one a step; first why it stands still.
fn steps(operation: &Operation) -> Vec<(Clean, Meaning)> {
    let plan = &operation.plan;
    let mut lines = Vec::new();
    if let (Phase::Paused(why), false) = (&operation.phase, operation.is_elsewhere) {
        lines.push((why.words(plan), Meaning::Bad));
    }
    for (step, progress) in plan.steps.iter().zip(&operation.steps) {
        let changes = step.changes.iter().filter(|change| change.before != change.after);
        let changes: Vec<_> =
            changes.map(|it| format!("{} {} → {}", it.label, shown(&it.before), shown(&it.after))).collect();
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
    /// What is wrong with the journal itself.
    trouble: Option<Clean>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { list: List::new(columns(), |row| row.id.clone(), |_| None), empty: "", trouble: None }
    }
}

impl Panel for Journal {
    fn id(&self) -> PanelId {
        PanelId::Journal
    }

    fn refresh(&mut self, scene: Scene<'_>, area: Rect) {
        let confirmed = scene.desk.operations().iter().rev().filter(|it| it.opened.is_some());
        let rows = confirmed.map(|operation| OperationRow::new(scene, operation)).collect();
        self.trouble = scene.desk.journal_notes.last().cloned();
        let taken = DETAIL + u16::from(self.trouble.is_some());
        self.list.refresh(rows, area.height.saturating_sub(taken));
        self.empty = match self.list.counts() {
            (0, 0) if !scene.desk.is_journal_read => "the journal is being read",
            (0, 0) if self.trouble.is_some() => "nothing could be read",
            (0, 0) => "nothing was changed from this machine yet",
            (0, _) => "no operation passes the filter",
            _ => "",
        };
    }

    /// ```text
    ///   STATE          WHEN  WHAT                          CLUSTERS               WHO          REASON
    /// › ✖ PARTIAL 2/3    3m  shift traffic of ml/web …     aws-east gcp-central   ada@bastion  drain for upgrade
    ///   ● done          17m  scale ml/web to 6             aws-east               ada@bastion
    ///
    ///   change 01KK6V7BRR…
    ///   gcp-central did not take it
    ///   aws-east  spec.replicas 6 → 8  verified
    /// ```
    fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let area = match &self.trouble {
            None => area,
            Some(words) => {
                let line = Rect { x: area.x + 2, width: area.width.saturating_sub(3), ..pen::line(area, 0) };
                pen.put(line, words, Meaning::Bad);
                let height = area.height.saturating_sub(1);
                Rect { y: area.y + area.height - height, height, ..area }
            }
        };
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
            let room = usize::from(below.height.saturating_sub(1));
            let fitting = if row.steps.len() > room { room.saturating_sub(1) } else { room };
            for (line, (words, meaning)) in lines.by_ref().zip(&row.steps).take(fitting) {
                pen.put(line, words, *meaning);
            }
            if let (Some(more), true) = (row.steps.len().checked_sub(fitting + 1), room > 0) {
                let last = pen::line(below, below.height - 1);
                pen.put(
                    last,
                    format!("{} more: {} shows all", more + 1, pen.cx.glyphs.enter),
                    Meaning::Muted,
                );
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
        let taken = u16::from(self.trouble.is_some()).min(area.height);
        self.list.click(Rect { y: area.y + taken, height: area.height - taken, ..area }, y)
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

    fn own(&self) -> &'static [Action] {
        &[Action::Undo, Action::Resume, Action::Export]
    }

    fn hints(&self) -> &'static [Action] {
        &[Action::Open, Action::Undo, Action::Resume, Action::Export, Action::Filter]
    }
}
