//! The gate on the wire: real sockets, faults at the servers' seam, consoles that are killed, consoles side by side.
//! What an operation says is held against what the servers have, and against the requests that they counted.

mod bed;
mod consoles;
mod crash;
mod faults;
mod sitting;
