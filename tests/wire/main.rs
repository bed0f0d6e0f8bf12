//! The sources against servers that fail: real HTTP on loopback, faults at the servers' seam, and the picture
//! compared with what the servers hold. Protobuf is the business of the tests with real servers.
#![cfg(test)]

mod budget;
mod census;
mod cluster;
mod day;
mod doctor;
mod faults;
mod fleet;
mod follows;
mod gate;
mod luck;
mod mishaps;
mod pages;
mod plugins;
mod proxy;
mod routes;
mod schedules;
mod secrets;
mod soak;
mod traffic;
mod verbs;
mod ways;
