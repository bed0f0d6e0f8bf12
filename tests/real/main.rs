//! Against real servers: whole Kubernetes clusters on loopback, from `tests/testbed`. Where they are not
//! installed each test says that it was skipped; `.ci/run` installs them, and there nothing is skipped.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "real servers take real time, and it is measured")]

mod agrees;
mod bed;
mod census;
#[expect(dead_code, reason = "what only the tests of the terminal need")]
#[path = "../terminal/console.rs"]
mod console;
mod gate;
mod imitation;
mod headroom;
mod kinds;
mod protobuf;
#[expect(dead_code, reason = "what only the tests of the wire need")]
#[path = "../wire/proxy.rs"]
mod proxy;
mod routes;
#[path = "../demo/script.rs"]
mod script;
mod session;
mod silence;
#[path = "../wire/gate/sitting.rs"]
mod sitting;
mod troubles;
#[expect(dead_code, reason = "what only the tests of the demo need")]
#[path = "../demo/wire.rs"]
mod wire;
