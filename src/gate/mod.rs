//! What we may change, and how: intent → plan → check → confirm → journal → apply → verify → record → undo.
//!
//! Pure: no request leaves from here and nothing is written. [`plan`](plan::plan) turns a wish and what was just
//! read into a finished, readable plan or refuses; [`check`](check::check) judges the finished plan by rules
//! written apart from the planner; [`machine`] drives an [`Operation`] from event to command. An [`Approved`] step can
//! be made only in [`machine`], and `effects::apply` sends nothing else. It refuses to guess: what is not known is
//! a reason to refuse, and an answer that was lost is a state of its own.

pub mod approved;
pub mod check;
pub mod confirm;
pub mod desk;
pub mod diff;
pub mod intent;
pub mod machine;
pub mod operation;
pub mod patch;
pub mod plan;
pub mod policy;
pub mod record;
pub mod report;
pub mod settle;
pub mod sight;
pub mod timeline;
pub mod unlock;

pub use approved::Approved;
pub use confirm::{Confirm, Strength};
pub use desk::Desk;
pub use intent::{Amount, Intent, Override, Place, ScaleTo, Wish};
pub use machine::{Command, Event};
pub use operation::{Operation, Outcome, Phase, StepState};
pub use plan::{Plan, Refusal, Step};
pub use policy::Policy;
pub use record::Record;
pub use sight::{Seen, Sight};
pub use unlock::Unlocks;
