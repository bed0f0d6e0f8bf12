//! What a resource is: everything the server needs to know to route to it, describe it in discovery, select
//! in it and print it. `table` holds the rows; nothing else in the server names a kind to serve it.

mod crd;
mod table;

use std::fmt::Write as _;

use serde_json::Value;

use super::{json, print::Printer};

pub use crd::definition;
pub use table::{KINDS, Kind};

#[derive(Debug)]
pub struct Resource {
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    pub plural: &'static str,
    pub singular: &'static str,
    pub short: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub namespaced: bool,
    pub status: bool,
    pub scale: Option<Scale>,
    pub log: bool,
    /// Does the server count changes of the spec in `metadata.generation`?
    pub generation: bool,
    pub verbs: Verbs,
    /// Field selectors beyond `metadata.name` and `metadata.namespace`.
    pub fields: &'static [&'static str],
    pub printer: Printer,
    /// Defined by a CustomResourceDefinition.
    pub custom: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbs {
    All,
    /// All but deleting a whole collection.
    Single,
    /// A question put by `create` and answered in the status, kept nowhere.
    Review,
}

/// Where `/scale` finds its numbers; `.spec.replicas` is the wish everywhere.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    pub replicas: &'static str,
    /// A pointer to the selector as a string; empty: `.spec.selector` is a LabelSelector.
    pub selector: &'static str,
}

impl Verbs {
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Verbs::All => {
                &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
            }
            Verbs::Single => &["create", "delete", "get", "list", "patch", "update", "watch"],
            Verbs::Review => &["create"],
        }
    }
}

impl Resource {
    /// `deployments.apps`, as error messages name resources.
    pub fn qualified(&self) -> String {
        self.with_group(self.plural)
    }

    pub fn with_group(&self, name: &str) -> String {
        if self.group.is_empty() { name.to_owned() } else { format!("{name}.{}", self.group) }
    }

    /// `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// How every stored object of the kind begins, so that a list of a built-in kind can leave it out.
    pub fn preamble(&self) -> String {
        format!(r#"{{"kind":"{}","apiVersion":"{}","#, self.kind, self.api_version())
    }

    /// The values of the selectable fields of one object, in the order of `fields`.
    pub fn selectable(&self, object: &Value) -> Box<[Box<str>]> {
        self.fields.iter().map(|field| selectable(object, field)).collect()
    }

    /// The selector of `/scale`, as a string.
    pub fn scale_selector(&self, scale: Scale, object: &Value) -> String {
        if scale.selector.is_empty() {
            selector_text(&object["spec"]["selector"])
        } else {
            json::text(object, scale.selector).to_owned()
        }
    }
}

impl Kind {
    pub fn find(group: &str, version: &str, plural: &str) -> Option<Kind> {
        KINDS.iter().copied().find(|kind| {
            let row = kind.row();
            row.group == group && row.version == version && row.plural == plural
        })
    }

    /// The kind that an ownerReference or a scaleTargetRef means; the version does not matter there.
    pub fn named(api_version: &str, name: &str) -> Option<Kind> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        KINDS.iter().copied().find(|kind| kind.row().group == group && kind.row().kind == name)
    }
}

fn selectable(object: &Value, field: &str) -> Box<str> {
    let value = field.split('.').try_fold(object, |place, step| place.get(step));
    match value {
        Some(Value::String(text)) => text.as_str().into(),
        Some(Value::Null) | None => "".into(),
        Some(other) => other.to_string().into(),
    }
}

/// A LabelSelector as `kubectl get -o wide` shows it: `app=web,tier in (a,b)`.
pub fn selector_text(selector: &Value) -> String {
    let mut parts: Vec<String> =
        json::pairs(selector, "/matchLabels").map(|(key, value)| format!("{key}={value}")).collect();
    parts.sort();
    for rule in json::list(selector, "/matchExpressions") {
        let key = json::text(rule, "/key");
        let mut values: Vec<&str> = json::list(rule, "/values").iter().filter_map(Value::as_str).collect();
        values.sort_unstable();
        let mut part = String::new();
        let _ = match json::text(rule, "/operator") {
            "In" => write!(part, "{key} in ({})", values.join(",")),
            "NotIn" => write!(part, "{key} notin ({})", values.join(",")),
            "Exists" => write!(part, "{key}"),
            _ => write!(part, "!{key}"),
        };
        parts.push(part);
    }
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_complete_and_unique() {
        for (index, kind) in KINDS.iter().enumerate() {
            let row = kind.row();
            assert_eq!(*kind as usize, index);
            assert!(!row.kind.is_empty() && !row.plural.is_empty() && !row.singular.is_empty(), "{row:?}");
            assert_eq!(row.singular, row.kind.to_lowercase());
            assert_eq!(Kind::find(row.group, row.version, row.plural), Some(*kind));
            assert_eq!(Kind::named(&row.api_version(), row.kind), Some(*kind));
            assert!(row.scale.is_none() || row.generation, "{} scales, so its spec is counted", row.kind);
        }
    }

    #[test]
    fn selectors_read_as_kubectl_prints_them() {
        let selector = serde_json::json!({
            "matchLabels": {"b": "2", "a": "1"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["y", "x"]},
                {"key": "old", "operator": "DoesNotExist"},
            ],
        });
        assert_eq!(selector_text(&selector), "a=1,b=2,tier in (x,y),!old");
    }
}
