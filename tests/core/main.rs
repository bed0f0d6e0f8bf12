//! The pure core, in the operator's language: objects and keys in, screens and documents out.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world has failed")]

mod config;
mod documents;
mod findings;
mod fold;
mod headroom;
mod hostile;
mod journal;
mod gate;
mod keys;
mod printed;
mod readme;
mod recording;
mod routes;
mod screens;
mod streams;
mod verbs;
mod world;
