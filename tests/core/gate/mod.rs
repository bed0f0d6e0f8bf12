//! The gate, from wish to undo, against a model of servers: plans as text, faults at every place, a console that dies
//! at every boundary.

pub mod bench;
mod crashes;
mod dialogs;
mod faults;
mod kinds;
mod plans;
mod reach;
mod resumes;
mod routes;
mod second_look;
mod traps;
