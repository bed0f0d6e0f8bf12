//! The demo fleet as its clients see it: over real HTTP on loopback. The protocol is tested on one server
//! without a scenario, the scenario by stepping its worlds, and both together on a running fleet.
#![cfg(test)]

mod living;
mod protocol;
mod scenario;
mod traffic;
mod script;
mod seam;
mod standalone;
mod wire;
mod writes;
