//! What every object that is written passes: decoding as strict as was asked for, defaults, validation. Kinds
//! with a CustomResourceDefinition are held to its schema; the others to what is known of them here.

use std::sync::Arc;

use serde_json::Value;

use super::Server;
use super::options::{Options, Unknown};
use super::route::Call;
use crate::demo::admit;
use crate::demo::refusal::{Outcome, Refusal};
use crate::demo::resource::Kind;
use crate::demo::store::Key;

pub struct Admission {
    kind: Kind,
    unknown: Unknown,
    definition: Option<Arc<Value>>,
}

/// How an object came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It stood in a body.
    Whole,
    /// A patch led to it.
    Patched,
}

impl Admission {
    /// Looks at the store: not to be made while it is locked.
    pub fn of(server: &Server, call: &Call, options: &Options) -> Admission {
        let row = call.kind.row();
        let key = Key::new("", &row.qualified());
        let found = row.custom.then(|| server.store.get(Kind::CustomResourceDefinitions, &key)).flatten();
        let definition = found.map(|object| server.store.value(&object));
        Admission { kind: call.kind, unknown: options.unknown, definition }
    }

    fn schema(&self) -> Option<&Value> {
        admit::schema_of(self.definition.as_deref()?, self.kind.row().version)
    }

    /// Drops the fields that nobody knows, or refuses them; gives their paths if somebody wants to be warned.
    pub fn decode(&self, object: &mut Value, came: Came) -> Outcome<Vec<String>> {
        let row = self.kind.row();
        let before = object.clone();
        let (typed, unknown) = match self.schema() {
            Some(schema) => (Ok(()), admit::prune(schema, object)),
            None if row.custom => (Ok(()), Vec::new()),
            None => (admit::has_types(self.kind, object), admit::prune_known(self.kind, object)),
        };
        let strict = || {
            let fields: Vec<String> =
                unknown.iter().map(|field| format!("unknown field {field:?}")).collect();
            format!("strict decoding error: {}", fields.join(", "))
        };
        let why = match typed {
            Err(why) => why,
            Ok(()) if self.unknown == Unknown::Refused && !unknown.is_empty() => strict(),
            Ok(()) => return Ok(if self.unknown == Unknown::Warned { unknown } else { Vec::new() }),
        };
        Err(match came {
            Came::Patched => Refusal::patched_badly(&before, &why),
            Came::Whole => Refusal::bad_request(format!(
                "{} in version {:?} cannot be handled as a {}: {why}",
                row.kind, row.version, row.kind
            )),
        })
    }

    /// Fills in what was left out and refuses what cannot be.
    pub fn check(&self, old: Option<&Value>, object: &mut Value) -> Outcome<()> {
        admit::apply_defaults(self.kind, object);
        if let Some(schema) = self.schema() {
            admit::apply_schema(schema, object);
            let mut causes = Vec::new();
            admit::validate_schema(schema, object, &mut causes);
            if !causes.is_empty() {
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                return Err(Refusal::invalid(self.kind, name, &causes));
            }
        }
        admit::validate(self.kind, old, object)
    }
}
