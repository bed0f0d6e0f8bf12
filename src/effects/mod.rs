//! Where changes go; the only folder that writes anywhere.
//!
//! `apply` sends what the gate approved and nothing else, `announce` tells other consoles and colleagues, `desk` is the
//! operator's own machine.

pub mod announce;
pub mod apply;
pub mod desk;
pub mod hand;
pub mod journal;
