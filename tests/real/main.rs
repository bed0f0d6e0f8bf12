//! Against real servers: whole Kubernetes clusters on loopback, from `tests/testbed`. Where they are not
//! installed each test says that it was skipped; `.ci/run` installs them, and there nothing is skipped.
#![cfg(test)]

mod agrees;
mod bed;
mod silence;
mod troubles;
