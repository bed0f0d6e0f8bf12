//! Jobs: every kind in one table with one set of phases, what failed first.

mod columns;

use std::sync::Arc;

use ratatui::layout::Rect;

use super::{Filter, List, Order, Panel, PanelId, Request, Scene, Target};
use crate::fleet::{Clean, ClusterId, ObjectId, Subject};
use crate::input::Action;
use crate::state::select::jobs::{self, JobRow};
use crate::state::select::settled::jobs_are_told;
use crate::ui::theme::Meaning;
use crate::ui::{Pen, pen};

pub use columns::{columns, phase_cell};

/// Lines below the list for what the last column of the chosen row had to cut.
const DETAIL: u16 = 2;

pub struct Jobs {
    list: List<Arc<JobRow>, (ClusterId, ObjectId)>,
    /// Where the rows of the list come from.
    taken: Option<Arc<[Arc<JobRow>]>>,
    /// What to say when there is no row.
    empty: &'static str,
}

impl Default for Jobs {
    fn default() -> Self {
        let key = |row: &Arc<JobRow>| (row.cluster, row.job.id());
        Self { list: List::new(columns(), key, |row| Some(row.tint)), taken: None, empty: "" }
    }
}

impl Panel for Jobs {
    fn id(&self) -> PanelId {
        PanelId::Jobs
    }

    fn refresh(&mut self, Scene { state, .. }: Scene<'_>, area: Rect) {
        let (rows, height) = (jobs::rows(state), area.height.saturating_sub(DETAIL));
        self.list.set_now(state.now);
        if self.taken.as_ref().is_some_and(|taken| Arc::ptr_eq(taken, &rows)) {
            self.list.keep(height);
        } else {
            self.list.refresh(rows.to_vec(), height);
            self.taken = Some(rows);
        }
        self.empty = match self.list.counts() {
            (0, 0) if jobs_are_told(state) => "no jobs",
            (0, 0) => "no jobs yet: not every cluster has told its jobs",
            (0, _) => "no job passes the filter",
            _ => "",
        };
    }

    /// ```text
    ///   PHASE       JOB                       CLUSTER      KIND         PROGRESS      GPUS  DURATION  MESSAGE
    /// ›▌✖ Failed    ml-training/bert-7        gcp-central  Job                           8  12m       BackoffLimit…
    ///  ▌● Running   ml-training/llama-sft     aws-east     TrainingJob  ██████░░ 71%    32  4h10m
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
            pen.put_wrapped(below, &row.message, Meaning::Muted);
        }
    }

    fn act(&mut self, action: Action) -> Option<Request> {
        if self.list.act(action) {
            return None;
        }
        match action {
            Action::Open | Action::Right => self.target().map(Request::Inspect),
            Action::Logs => self.target().map(Request::Logs),
            Action::Yaml => self.target().map(Request::Yaml),
            Action::Copy => Some(Request::Copy(self.list.selected()?.job.key.to_string().into())),
            _ => None,
        }
    }

    fn click(&mut self, area: Rect, _: u16, y: u16) -> bool {
        self.list.click(area, y)
    }

    fn target(&self) -> Option<Target> {
        let row = self.list.selected()?;
        Some(Target { cluster: Some(row.cluster), subject: Subject::Job(row.job.id()) })
    }

    fn select(&mut self, target: &Target) {
        let Subject::Job(id) = &target.subject else { return };
        self.list.select(|row| Some(row.cluster) == target.cluster && row.job.id() == *id);
    }

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
        "jobs"
    }

    fn own(&self) -> &'static [Action] {
        &[Action::Logs, Action::Yaml]
    }

    fn hints(&self) -> &'static [Action] {
        &[Action::Open, Action::Logs, Action::Filter, Action::SortNext]
    }
}
