//! Skydeck: every Kubernetes cluster of a machine-learning platform, live, on one screen.
//!
//! The modules below stand in the order of dependency: a module imports only from those before it.
//! `tests/architecture.rs` reads this list and fails when an import goes up.

// Pure core: no async, no I/O, no clock.
pub mod fleet;
pub mod state;
pub mod input;
pub mod ui;

// Shell: async, may fail.
pub mod panels;
pub mod app;
pub mod config;
pub mod clients;
pub mod sources;
pub mod effects;
pub mod demo;
pub mod runtime;
pub mod cli;
