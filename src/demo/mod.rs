//! The demo fleet.
mod admit;
pub mod api;
pub mod clock;
mod json;
mod print;
pub mod refusal;
pub mod resource;
pub mod store;
