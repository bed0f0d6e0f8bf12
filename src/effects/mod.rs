//! Where changes go; the only folder that writes anywhere.
//!
//! In this release nothing is written to a cluster: there is no gate yet, so there is no function that could.

pub mod desk;
