//! One stored object: its bytes as they go onto the wire, and a head with what selecting and owning need.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::demo::{json, resource::Kind};

/// Namespace and name; the namespace of a cluster-scoped object is empty. Ordered as etcd orders keys.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
}

#[derive(Debug)]
pub struct Object {
    pub kind: Kind,
    pub key: Key,
    pub uid: Box<str>,
    pub version: u64,
    labels: Box<[(Box<str>, Box<str>)]>,
    /// The selectable fields, in the order of the row.
    fields: Box<[Box<str>]>,
    owners: Box<[Owner]>,
    /// `{"kind":…,"apiVersion":…,"metadata":…}`
    body: Bytes,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Owner {
    pub uid: Box<str>,
    pub name: Box<str>,
    pub kind: Option<Kind>,
    pub controller: bool,
}

impl Key {
    pub fn new(namespace: &str, name: &str) -> Key {
        Key { namespace: namespace.into(), name: name.into() }
    }

    pub fn of(object: &Value) -> Key {
        Key::new(json::text(object, "/metadata/namespace"), json::text(object, "/metadata/name"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Object {
    /// Takes over a complete object; `metadata` is as the server wants it.
    pub fn new(kind: Kind, version: u64, value: &Value) -> Object {
        let labels =
            json::pairs(value, "/metadata/labels").map(|(key, text)| (key.into(), text.into())).collect();
        Object {
            kind,
            key: Key::of(value),
            uid: json::text(value, "/metadata/uid").into(),
            version,
            labels,
            fields: kind.row().selectable(value),
            owners: json::list(value, "/metadata/ownerReferences").iter().map(Owner::of).collect(),
            body: encode(kind, value),
        }
    }

    /// The whole object, parsed.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The whole object, as bytes.
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// The object as an item of a list: the items of built-in kinds carry neither kind nor apiVersion.
    pub fn item(&self) -> (&'static str, Bytes) {
        let row = self.kind.row();
        if row.custom { ("", self.body.clone()) } else { ("{", self.body.slice(row.preamble().len()..)) }
    }

    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(own, _)| &**own == key).map(|(_, value)| &**value)
    }

    /// A selectable field; `None` if the kind does not have it.
    pub fn field(&self, name: &str) -> Option<&str> {
        match name {
            "metadata.name" => Some(&self.key.name),
            "metadata.namespace" => Some(&self.key.namespace),
            _ => {
                let index = self.kind.row().fields.iter().position(|field| *field == name)?;
                self.fields.get(index).map(|text| &**text)
            }
        }
    }

    pub fn owners(&self) -> &[Owner] {
        &self.owners
    }

    /// The owner that manages the object.
    pub fn controller(&self) -> Option<&Owner> {
        self.owners.iter().find(|owner| owner.controller)
    }
}

impl Owner {
    fn of(reference: &Value) -> Owner {
        Owner {
            uid: json::text(reference, "/uid").into(),
            name: json::text(reference, "/name").into(),
            kind: Kind::named(json::text(reference, "/apiVersion"), json::text(reference, "/kind")),
            controller: json::flag(reference, "/controller"),
        }
    }
}

/// Kind and apiVersion first, then the rest in its own order.
fn encode(kind: Kind, value: &Value) -> Bytes {
    let mut text = kind.row().preamble().into_bytes();
    let mut first = true;
    for (key, part) in value.as_object().into_iter().flatten() {
        if key == "kind" || key == "apiVersion" {
            continue;
        }
        if !first {
            text.push(b',');
        }
        first = false;
        // Writing a Value into memory cannot fail: its keys are strings and the buffer grows.
        let _ = serde_json::to_writer(&mut text, key);
        text.push(b':');
        let _ = serde_json::to_writer(&mut text, part);
    }
    text.push(b'}');
    text.shrink_to_fit();
    text.into()
}
