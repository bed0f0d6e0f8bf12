//! Skydeck: every Kubernetes cluster of a machine-learning platform, live, on one screen.
//!
//! The modules stand in the order of dependency: a module imports only from those before it.
//! `tests/architecture.rs` reads this list and fails when an import goes up.
//!
//! ```text
//!  THE WORLD        SHELL (async, may fail)      CORE (pure, one owner, total order)       SHELL
//!  clusters ─watch─► sources ── Fact (bounded, ─► app::update(&mut App, Msg)  ── Effect ─► runtime, effects
//!  keys ───────────► runtime ── Key    batched)     facts → state.apply          (data)      answers come
//!  clock, resize ──► runtime ── Tick                keys  → layer or panel                   back as Msg
//!                                                 app::view(&App) → cells
//! ```
//!
//! Words, each for one thing: a *fact* is what a source reports; the *state* is the fold of all facts; a
//! *selector* answers a question about it and says what the answer is worth; a *finding* is something that
//! needs attention; an *effect* is what the shell must do; a *plan* is
//! a change before it is made, an *operation* a plan on its way through the world, a *step* one request of it.

// Pure core: no async, no I/O, no clock.
pub mod fleet;
pub mod state;
pub mod gate;
pub mod input;
pub mod ui;
pub mod panels;
pub mod app;

// Shell: async, may fail.
pub mod config;
pub mod clients;
pub mod sources;
pub mod effects;
pub mod demo;
pub mod runtime;
pub mod cli;
