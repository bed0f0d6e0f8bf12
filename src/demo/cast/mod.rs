//! The cast: what the demo's clusters are, what runs in them, and what happened to them before the first
//! second. The past is not painted: it is played by the same controllers, from three weeks ago to now.

mod clouds;
mod history;
mod machines;
mod objects;
mod platform;
mod system;
mod teams;
mod traffic;
mod trainings;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::clock::Clock;
use super::store::Store;
use super::world::World;

pub use clouds::{Cloud, Profile, profiles};

/// A store for a cluster that begins to live at a moment.
pub fn store(profile: &Profile, start: DateTime<Utc>) -> Arc<Store> {
    Arc::new(Store::new(Arc::new(Clock::logical(start)), profile.seed))
}

/// Plays the cluster's past, up to tick 0.
pub fn raise(profile: &Profile, store: Arc<Store>) -> World {
    history::play(profile, store)
}
