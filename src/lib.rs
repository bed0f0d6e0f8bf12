//! Skydeck: every Kubernetes cluster of a machine-learning platform, live, on one screen.
//!
//! The modules below stand in the order of dependency: a module imports only from those before it.
//! `tests/architecture.rs` reads this list and fails when an import goes up.

// Shell: async, may fail.
pub mod demo;
