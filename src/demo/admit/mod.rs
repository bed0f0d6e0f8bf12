//! What happens to an object at the door: values that were left out are filled in as Kubernetes fills them,
//! and what cannot be is refused. Pure functions over one object; nothing here reads the store.

mod defaults;
mod validate;

pub use defaults::{apply_defaults, initial_status};
pub use validate::validate;
