//! Doors to the world: connections with deadlines, budgets and credentials, without opinions about what is
//! asked. Nothing here writes to a server; what may be written goes through `effects` alone.

pub mod kube;
pub mod secret;
