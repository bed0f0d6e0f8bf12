//! Server-side printing: the cells that `kubectl get` shows for an object. Built-in kinds have functions,
//! custom kinds have the columns of their CRD. Nothing here knows of HTTP or of the store.

pub mod batch;
pub mod core;
pub mod path;
pub mod scaling;
pub mod workloads;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{clock, json};

#[derive(Debug, Clone, Copy)]
pub enum Printer {
    /// Columns and the function that fills them.
    Cells(&'static [Column], fn(&Value, DateTime<Utc>) -> Vec<Value>),
    /// The `additionalPrinterColumns` of a CRD; the name comes first by itself.
    Paths(&'static [PathColumn]),
}

#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub kind: &'static str,
    /// Shown with `-o wide` only.
    pub wide: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct PathColumn {
    pub name: &'static str,
    pub kind: &'static str,
    pub path: &'static str,
}

pub const fn text(name: &'static str) -> Column {
    Column { name, kind: "string", wide: false }
}

pub const fn wide(name: &'static str) -> Column {
    Column { name, kind: "string", wide: true }
}

pub const fn number(name: &'static str) -> Column {
    Column { name, kind: "integer", wide: false }
}

pub const fn path(name: &'static str, kind: &'static str, path: &'static str) -> PathColumn {
    PathColumn { name, kind, path }
}

impl Printer {
    pub const NAME_AND_AGE: Printer = Printer::Cells(&[text("Name"), text("Age")], name_and_age);

    /// The `columnDefinitions` of a Table.
    pub fn definitions(self) -> Vec<Value> {
        match self {
            Printer::Cells(columns, _) => {
                columns.iter().map(|column| definition(column.name, column.kind, column.wide)).collect()
            }
            Printer::Paths(columns) => {
                let rest = columns.iter().map(|column| definition(column.name, column.kind, false));
                std::iter::once(definition("Name", "string", false)).chain(rest).collect()
            }
        }
    }

    /// One row's cells.
    pub fn cells(self, object: &Value, now: DateTime<Utc>) -> Vec<Value> {
        match self {
            Printer::Cells(_, print) => print(object, now),
            Printer::Paths(columns) => {
                let rest = columns.iter().map(|column| path::cell(object, column, now));
                std::iter::once(name(object)).chain(rest).collect()
            }
        }
    }
}

fn definition(name: &str, kind: &str, wide: bool) -> Value {
    let format = if name == "Name" { "name" } else { "" };
    json!({"name": name, "type": kind, "format": format, "description": "", "priority": i32::from(wide)})
}

fn name_and_age(object: &Value, now: DateTime<Utc>) -> Vec<Value> {
    vec![name(object), age(object, now)]
}

pub fn name(object: &Value) -> Value {
    object["metadata"]["name"].clone()
}

pub fn age(object: &Value, now: DateTime<Utc>) -> Value {
    since(object, "/metadata/creationTimestamp", now)
}

/// The time since a timestamp in the object; `<unknown>` if there is none.
pub fn since(object: &Value, pointer: &str, now: DateTime<Utc>) -> Value {
    match clock::parse(json::text(object, pointer)) {
        Some(then) => clock::age(then, now).into(),
        None => "<unknown>".into(),
    }
}

/// What kubectl shows for a cell that has no value.
pub fn or_none(text: String) -> Value {
    if text.is_empty() { "<none>".into() } else { text.into() }
}

/// Names and images of the containers of a pod template, as two wide cells.
pub fn containers(object: &Value, pointer: &str) -> [Value; 2] {
    let containers = json::list(object, pointer);
    ["/name", "/image"].map(|field| {
        containers.iter().map(|container| json::text(container, field)).collect::<Vec<_>>().join(",").into()
    })
}
