//! As much of `/openapi/v3` as lets `kubectl create` find out that the server knows `fieldValidation`.
//! There are no schemas: `kubectl explain` has nothing to explain here.

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::body;
use crate::demo::resource::{KINDS, Resource, Verbs};

/// The index, or the document of `api/v1` or `apis/GROUP/VERSION`.
pub fn answer(group_version: Option<&str>) -> Response {
    let Some(wanted) = group_version else { return body::json(200, &index()) };
    let rows: Vec<&Resource> =
        KINDS.iter().map(|kind| kind.row()).filter(|row| root(row) == wanted).collect();
    if rows.is_empty() {
        return body::text(404, "404 page not found\n");
    }
    let paths: Map<String, Value> = rows.iter().flat_map(|row| paths(row)).collect();
    body::json(
        200,
        &json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "unversioned"}, "paths": paths}),
    )
}

fn root(row: &Resource) -> String {
    if row.group.is_empty() {
        format!("api/{}", row.version)
    } else {
        format!("apis/{}/{}", row.group, row.version)
    }
}

fn index() -> Value {
    let mut paths = Map::new();
    for kind in KINDS {
        let root = root(kind.row());
        let place = json!({"serverRelativeURL": format!("/openapi/v3/{root}")});
        paths.insert(root, place);
    }
    json!({"paths": paths})
}

/// The collection and the object of a row, with what may be done there.
fn paths(row: &Resource) -> Vec<(String, Value)> {
    let base = if row.namespaced {
        format!("/{}/namespaces/{{namespace}}/{}", root(row), row.plural)
    } else {
        format!("/{}/{}", root(row), row.plural)
    };
    let operation = |action: &str| {
        json!({
            "parameters": [
                {"name": "dryRun", "in": "query", "schema": {"type": "string"}},
                {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}},
            ],
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": row.group, "version": row.version, "kind": row.kind},
        })
    };
    let mut paths = vec![(base.clone(), json!({"post": operation("post")}))];
    if row.verbs != Verbs::Review {
        paths.push((
            format!("{base}/{{name}}"),
            json!({"put": operation("put"), "patch": operation("patch")}),
        ));
    }
    paths
}
