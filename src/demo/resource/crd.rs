//! The CustomResourceDefinition of a custom row: derived, so that it cannot say something else than the
//! server does.

use serde_json::{Value, json};

use super::{Resource, Scale};
use crate::demo::print::Printer;

/// The CustomResourceDefinition that would make a real API server serve this row.
pub fn definition(row: &Resource) -> Value {
    let name = row.qualified();
    let names = json!({
        "plural": row.plural, "singular": row.singular, "kind": row.kind, "listKind": format!("{}List", row.kind),
        "shortNames": row.short,
    });
    let mut subresources = json!({"status": {}});
    if let Some(scale) = row.scale {
        subresources["scale"] = scale_paths(scale);
    }
    let version = json!({
        "name": row.version, "served": true, "storage": true,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
        "subresources": subresources,
        "additionalPrinterColumns": columns(row),
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {
            "group": row.group,
            "names": names,
            "scope": if row.namespaced { "Namespaced" } else { "Cluster" },
            "conversion": {"strategy": "None"},
            "versions": [version],
        },
        "status": {
            "acceptedNames": names,
            "conditions": [
                {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found"},
                {"type": "Established", "status": "True", "reason": "InitialNamesAccepted",
                 "message": "the initial names have been accepted"},
            ],
            "storedVersions": [row.version],
        },
    })
}

fn scale_paths(scale: Scale) -> Value {
    json!({
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": scale.replicas.replace('/', "."),
        "labelSelectorPath": scale.selector.replace('/', "."),
    })
}

fn columns(row: &Resource) -> Vec<Value> {
    let Printer::Paths(columns) = row.printer else { return Vec::new() };
    columns
        .iter()
        .map(|column| json!({"name": column.name, "type": column.kind, "jsonPath": column.path}))
        .collect()
}
