//! Clusters: is each there, how is it, how old is what we know, what does it cost.

mod columns;

use ratatui::layout::Rect;

use super::{Filter, List, Order, Panel, PanelId, Request, Scene, Target};
use crate::fleet::{Clean, ClusterId, Subject};
use crate::input::Action;
use crate::state::select::clusters::{self, ClusterRow, Login};
use crate::ui::theme::Meaning;
use crate::ui::{Pen, pen};

pub use columns::{columns, state_cell};

/// Lines below the list for what the last column of the chosen row had to cut.
const DETAIL: u16 = 2;

pub struct Clusters {
    list: List<ClusterRow, ClusterId>,
}

impl Default for Clusters {
    fn default() -> Self {
        Self { list: List::new(columns(), |row| row.id, |row| Some(row.tint)) }
    }
}

impl Panel for Clusters {
    fn id(&self) -> PanelId {
        PanelId::Clusters
    }

    fn refresh(&mut self, Scene { state, .. }: Scene<'_>, area: Rect) {
        self.list.refresh(clusters::rows(state), area.height.saturating_sub(DETAIL));
    }

    /// ```text
    ///   CLUSTER       STATE         CLOUD  REGION     VERSION   NODES  GPUS     RTT    AGE  PROBLEM
    /// ›▌aws-east      ● live        aws    us-east-1  EKS 1.33  24/24  160/192  21 ms   1s
    ///  ▌azure-eastus  ✖ silent 2m   azure  eastus     AKS 1.33  12/12  128/128          2m  ping: no answer …
    /// ```
    fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        if self.list.counts().1 == 0 {
            pen.put(area, "  no cluster is in scope: press c to choose", Meaning::Muted);
            return;
        }
        let (list, below) = pen::above(area, DETAIL);
        self.list.view(pen, list, &self.list.drawn(), None);
        if let Some(row) = self.list.selected() {
            let below = Rect { x: below.x + 2, width: below.width.saturating_sub(3), ..below };
            pen.put_wrapped(below, &row.problem, Meaning::Muted);
        }
    }

    fn act(&mut self, action: Action) -> Option<Request> {
        if self.list.act(action) {
            return None;
        }
        match action {
            Action::Open | Action::Right => self.target().map(Request::Inspect),
            Action::Logs => {
                let row = self.list.selected()?;
                (row.login != Login::No).then_some(Request::LogIn(row.id))
            }
            Action::Copy => Some(Request::Copy(self.list.selected()?.name.clone())),
            Action::Unlock => Some(Request::Unlock(vec![self.list.selected()?.id])),
            _ => None,
        }
    }

    fn click(&mut self, area: Rect, _: u16, y: u16) -> bool {
        self.list.click(area, y)
    }

    fn target(&self) -> Option<Target> {
        let row = self.list.selected()?;
        Some(Target { cluster: Some(row.id), subject: Subject::Cluster })
    }

    fn select(&mut self, target: &Target) {
        self.list.select(|row| Some(row.id) == target.cluster);
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
        "clusters"
    }

    fn own(&self) -> &'static [Action] {
        &[Action::Logs, Action::Unlock]
    }

    fn hints(&self) -> &'static [Action] {
        &[Action::Open, Action::Unlock, Action::Filter, Action::SortNext, Action::Reconnect]
    }
}
