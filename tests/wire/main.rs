//! The sources against servers that fail: real HTTP on loopback, faults at the servers' seam, and the picture
//! compared with what the servers hold. They send protobuf as real ones do; a gateway that knows only JSON is a fault
//! among the others.
#![cfg(test)]

mod budget;
mod census;
mod cluster;
mod day;
mod doctor;
mod encodings;
mod edits;
mod faults;
mod fleet;
mod follows;
mod gate;
mod large;
mod luck;
mod mishaps;
mod order;
mod pages;
mod plugins;
mod proxy;
mod routes;
mod schedules;
mod secrets;
mod silent;
mod soak;
mod traffic;
mod unattended;
mod verbs;
mod ways;
