//! The demo fleet: real Kubernetes API servers on loopback, inside the process, that live.
//!
//! `store` holds what is true in one cluster, `api` serves it as Kubernetes does, `world` makes things happen
//! in it, and `cast` says what is there and what happened before. Whoever talks to the fleet uses the clients
//! that a real fleet is talked to with. It imports nothing of the rest of the program, listens on loopback
//! only, and sends no packet anywhere.

mod admit;
pub mod api;
pub mod cast;
pub mod clock;
mod fleet;
mod json;
mod outage;
mod print;
mod programs;
pub mod protobuf;
pub mod refusal;
pub mod resource;
mod standalone;
pub mod store;
pub mod world;

pub use fleet::{Fleet, Member, Options};
pub use standalone::Standalone;
