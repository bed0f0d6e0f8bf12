//! The gate on the wire: real sockets, faults at the servers' seam, consoles that are killed, consoles side by side.
//! What an operation says is held against what the servers have, and against the requests that they counted.

pub mod bed;
mod consoles;
mod crash;
mod faults;
#[expect(dead_code, reason = "what only the tests with real clusters need")]
mod sitting;
