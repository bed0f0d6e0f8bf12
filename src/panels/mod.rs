//! What is shown: one folder a panel, and the table of them.
//!
//! A panel owns its cursor, filter and order. [`Panel::refresh`] takes from the scene what it will draw, and
//! [`Panel::view`] draws that and nothing else; so a frozen picture is one that is not refreshed, and the same
//! panel over the same scene always looks the same.

pub mod clusters;
pub mod column;
pub mod filter;
pub mod fleet;
pub mod jobs;
pub mod journal;
pub mod list;
pub mod replicas;
mod sorter;
pub mod traffic;
pub mod value;
mod words;

use ratatui::layout::Rect;

pub use column::Column;
pub use filter::Filter;
pub use list::{List, Order};
pub use value::Value;

use crate::fleet::{ChangeId, Clean, ClusterId, ObjectId, Subject};
use crate::gate::{Desk, Place};
use crate::input::Action;
use crate::state::State;
use crate::ui::Pen;

/// The panels of this release, with the numbers that stay theirs when others come between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PanelId {
    Fleet,
    Clusters,
    Jobs,
    Replicas,
    Traffic,
    Journal,
}

/// A row of the table of panels.
pub struct Entry {
    pub id: PanelId,
    pub title: &'static str,
    /// The key of the tab.
    pub number: u8,
    /// What goes there.
    pub go: Action,
    make: fn() -> Box<dyn Panel>,
}

/// Every panel, in the order of the tabs. A new panel is a folder and a row here.
pub const ALL: [Entry; 6] = [
    Entry {
        id: PanelId::Fleet,
        title: "Fleet",
        number: 1,
        go: Action::GoFleet,
        make: || Box::<fleet::Fleet>::default(),
    },
    Entry {
        id: PanelId::Clusters,
        title: "Clusters",
        number: 2,
        go: Action::GoClusters,
        make: || Box::<clusters::Clusters>::default(),
    },
    Entry {
        id: PanelId::Jobs,
        title: "Jobs",
        number: 4,
        go: Action::GoJobs,
        make: || Box::<jobs::Jobs>::default(),
    },
    Entry {
        id: PanelId::Replicas,
        title: "Replicas",
        number: 5,
        go: Action::GoReplicas,
        make: || Box::<replicas::Replicas>::default(),
    },
    Entry {
        id: PanelId::Traffic,
        title: "Traffic",
        number: 6,
        go: Action::GoTraffic,
        make: || Box::<traffic::Traffic>::default(),
    },
    Entry {
        id: PanelId::Journal,
        title: "Journal",
        number: 0,
        go: Action::GoJournal,
        make: || Box::<journal::Journal>::default(),
    },
];

pub fn all() -> Vec<Box<dyn Panel>> {
    ALL.iter().map(|entry| (entry.make)()).collect()
}

/// Whether an action means something in the panel at this place: what some panels have for their own is offered there
/// alone.
pub fn knows(panels: &[Box<dyn Panel>], at: usize, action: Action) -> bool {
    let has = |panel: &dyn Panel| panel.own().contains(&action);
    panels.get(at).is_some_and(|it| has(it.as_ref())) || !panels.iter().any(|it| has(it.as_ref()))
}

/// What the cursor is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `None` for something that is in several clusters.
    pub cluster: Option<ClusterId>,
    pub subject: Subject,
}

/// What the traffic editor begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    Edit,
    Drain,
    Ramp,
}

/// What a panel asks of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Inspect(Target),
    Logs(Target),
    Yaml(Target),
    /// Go to a panel, with the cursor on this if it is there.
    GoTo(PanelId, Option<Target>),
    Copy(Clean),
    /// Let the operator answer the cluster's credential plugin.
    LogIn(ClusterId),
    Scale(Vec<Place>),
    Restart(Vec<Place>),
    /// Change the weights of a rule, beginning with this destination.
    Weights {
        route: ObjectId,
        clusters: Vec<ClusterId>,
        rule: usize,
        destination: usize,
        begin: Begin,
    },
    /// Unlock clusters for changes, or lock them again.
    Unlock(Vec<ClusterId>),
    Undo(ChangeId),
    /// Look at an operation, to go on with it or not.
    Resume(ChangeId),
    /// Write a page about it to a file.
    Export(ChangeId),
}

/// Everything that a panel may look at: what is known of the world, and what is being changed in it.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    pub state: &'a State,
    pub desk: &'a Desk,
}

pub trait Panel {
    fn id(&self) -> PanelId;

    /// Takes from the scene what will be drawn in an area of this size.
    fn refresh(&mut self, scene: Scene<'_>, area: Rect);

    /// Draws what was taken.
    fn view(&self, pen: &mut Pen<'_>, area: Rect);

    /// Does what it can with an action; `None` when it means nothing here, or nothing more is asked for.
    fn act(&mut self, action: Action) -> Option<Request>;

    /// Puts the cursor where the mouse clicked; true when it was there already, which opens it.
    fn click(&mut self, area: Rect, x: u16, y: u16) -> bool;

    /// What the cursor is on.
    fn target(&self) -> Option<Target>;

    /// Puts the cursor on something, if it is in the list.
    fn select(&mut self, target: &Target);

    fn filter(&self) -> &Filter;

    fn set_filter(&mut self, filter: Filter);

    /// Names by which rows can be filtered, with what they hold.
    fn fields(&self) -> Vec<(Clean, Clean)>;

    /// Name of the column and direction, to be remembered.
    fn order(&self) -> Option<(Clean, Order)>;

    fn set_order(&mut self, column: &str, order: Order);

    /// Rows shown and rows there are.
    fn counts(&self) -> (usize, usize);

    /// What its rows are.
    fn noun(&self) -> &'static str;

    /// Actions that mean something here and not in every panel.
    fn own(&self) -> &'static [Action];

    /// Actions worth offering in the hint line, besides those that work everywhere.
    fn hints(&self) -> &'static [Action];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_known_and_what_belongs_to_others_is_not() {
        let panels = all();
        for (at, panel) in panels.iter().enumerate() {
            for action in panel.hints().iter().chain(panel.own()) {
                assert!(knows(&panels, at, *action), "{:?} {action:?}", panel.id());
            }
        }
        let at = |id| panels.iter().position(|it| it.id() == id).unwrap();
        assert!(knows(&panels, at(PanelId::Fleet), Action::Filter));
        assert!(!knows(&panels, at(PanelId::Replicas), Action::Drain));
        assert!(!knows(&panels, at(PanelId::Journal), Action::Scale));
    }
}
