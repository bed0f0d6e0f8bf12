//! Slim messages: of each kind only the fields that are used, for both encodings at once.
//!
//! The field numbers are those of the published `generated.proto` of each API group. Unknown fields are
//! skipped at the speed of memory. In protobuf an absent string is an empty one, so unset and empty are one
//! here; where the difference matters (replicas, for example) the field is optional.

pub mod apps;
pub mod autoscaling;
pub mod batch;
pub mod core;
pub mod discovery;
pub mod meta;
pub mod policy;
pub mod service;

use serde::{Deserialize, Deserializer};

/// `null` where JSON should have a value: Go writes it for empty lists and maps.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
