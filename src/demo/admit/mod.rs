//! What happens to an object at the door: values that were left out are filled in as Kubernetes fills them,
//! fields that nobody knows are dropped, and what cannot be is refused. Pure functions over one object; nothing here reads the store.

mod defaults;
mod known;
mod schema;
mod validate;

pub use defaults::{apply_defaults, initial_status};
pub use known::prune as prune_known;
pub use schema::of as schema_of;
pub use schema::{apply_defaults as apply_schema, prune, validate as validate_schema};
pub use validate::{has_types, type_of, validate};
