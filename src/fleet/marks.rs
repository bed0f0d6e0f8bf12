//! The marks that others leave on an object: owners, labels and annotations of what deploys it, and who wrote
//! its fields. What they mean is judged in `state::select::owner`.
//!
//! Only marks that mean something there are kept; annotations can hold whole objects.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::text::of_json as text;
use super::{Clean, Labels, Unix};

/// The annotation with the id of the last change that this program made.
pub const CHANGE: &str = "skydeck.dev/change";

/// Beginnings of the labels and annotations that are kept.
const KEPT: [&str; 12] = [
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "argocd.argoproj.io/",
    "configmanagement.gke.io/",
    "configsync.gke.io/",
    "helm.toolkit.fluxcd.io/",
    "karmada.io/",
    "kustomize.toolkit.fluxcd.io/",
    "meta.helm.sh/",
    "rollouts.argoproj.io/",
    "serving.kserve.io/",
    "work.karmada.io/",
];

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    pub labels: Labels,
    pub annotations: Labels,
    pub owners: Box<[OwnerMark]>,
    pub managers: Box<[Manager]>,
}

/// An owner reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerMark {
    pub api_version: Clean,
    pub kind: Clean,
    pub name: Clean,
    /// It is the one that controls the object.
    pub controls: bool,
}

/// Who wrote fields of the object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manager {
    pub name: Clean,
    /// It declares what it wants (server-side apply), and so takes back what it has.
    pub applies: bool,
    /// Fields of the spec are among them.
    pub of_spec: bool,
    pub at: Option<Unix>,
}

impl Marks {
    /// Of any object as JSON. What is odd is left out: a mark that cannot be read marks nothing.
    pub fn read(object: &Value) -> Self {
        let meta = &object["metadata"];
        let owners = meta["ownerReferences"].as_array().into_iter().flatten();
        let managers = meta["managedFields"].as_array().into_iter().flatten();
        Self {
            labels: kept(&meta["labels"]),
            annotations: kept(&meta["annotations"]),
            owners: owners.map(owner).collect(),
            managers: managers.map(manager).collect(),
        }
    }

    pub fn controller(&self) -> Option<&OwnerMark> {
        self.owners.iter().find(|owner| owner.controls)
    }

    pub fn label(&self, key: &str) -> Option<&Clean> {
        self.labels.get(key)
    }

    pub fn annotation(&self, key: &str) -> Option<&Clean> {
        self.annotations.get(key)
    }

    /// Whether this manager wrote fields of the spec.
    pub fn is_managed_by(&self, name: &str) -> bool {
        self.managers.iter().any(|manager| manager.of_spec && manager.name == name)
    }
}

/// Whether a label or annotation is one of those that mean something here.
pub fn is_kept(key: &str) -> bool {
    KEPT.iter().any(|it| key.starts_with(it))
}

fn kept(pairs: &Value) -> Labels {
    let pairs = pairs.as_object().into_iter().flatten();
    let kept = pairs.filter(|(key, _)| is_kept(key));
    kept.map(|(key, value)| (Clean::new(key), Clean::new(text(value)))).collect()
}

fn owner(value: &Value) -> OwnerMark {
    OwnerMark {
        api_version: text(&value["apiVersion"]).into(),
        kind: text(&value["kind"]).into(),
        name: text(&value["name"]).into(),
        controls: value["controller"] == true,
    }
}

fn manager(value: &Value) -> Manager {
    Manager {
        name: text(&value["manager"]).into(),
        applies: value["operation"] == "Apply",
        of_spec: value["fieldsV1"].get("f:spec").is_some(),
        at: Unix::parse(text(&value["time"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn marks_are_kept_and_the_rest_is_not() {
        let marks = Marks::read(&json!({"metadata": {
            "labels": {"app": "x", "app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{…}",
                "argocd.argoproj.io/tracking-id": "app:g/K:ns/n"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n"},
                {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "c", "controller": true}],
            "managedFields": [{"manager": "kustomize-controller", "operation": "Apply", "time": "2026-01-02T03:04:05Z",
                "fieldsV1": {"f:spec": {"f:http": {}}}}, {"manager": "pilot", "operation": "Update", "fieldsV1": {"f:status": {}}}]}}));
        assert_eq!((marks.labels.0.len(), marks.annotations.0.len()), (1, 1));
        assert_eq!(marks.controller().map(|it| it.name.as_str()), Some("c"));
        assert!(marks.is_managed_by("kustomize-controller"));
        assert!(!marks.is_managed_by("pilot"), "it only wrote the status");
    }

    #[test]
    fn odd_marks_are_none() {
        for object in [
            json!(null),
            json!({}),
            json!({"metadata": {"labels": 3, "annotations": [], "ownerReferences": "x", "managedFields": {}}}),
        ] {
            assert_eq!(Marks::read(&object), Marks::default());
        }
        let odd = json!({"metadata": {"ownerReferences": [7], "managedFields": [null], "labels": {"karmada.io/managed": true}}});
        assert_eq!(Marks::read(&odd).controller(), None);
    }
}
