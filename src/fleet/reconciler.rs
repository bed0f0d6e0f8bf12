//! Who keeps objects as they are written elsewhere: Argo CD, Flux, Flagger. In the least that tells whether
//! a change by hand would stay.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::text::of_json as text;
use super::{Clean, Kind, ObjectId, ObjectKey};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciler {
    /// Application, Kustomization, HelmRelease or Canary.
    pub kind: Kind,
    pub key: ObjectKey,
    /// It puts back what was changed by hand, without a new version of what it deploys.
    pub heals: bool,
    /// It is told to do nothing for now.
    pub suspended: bool,
    /// How often it looks, as it is written; empty when it is not told.
    pub every: Clean,
    pub ignored: Box<[Ignored]>,
    /// What is ignored is also left alone when it syncs, not only when it compares.
    pub leaves_ignored: bool,
    /// Names in its own namespace of the objects that a Canary makes.
    pub makes: Box<[Clean]>,
}

/// Differences that it does not mind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    pub kind: Clean,
    /// Empty: every object of the kind.
    pub name: Clean,
    pub namespace: Clean,
    /// Pointers and expressions, as they are written.
    pub paths: Box<[Clean]>,
}

impl Reconciler {
    pub fn read(kind: Kind, object: &Value) -> Result<Self, String> {
        let meta = &object["metadata"];
        let name = text(&meta["name"]);
        if name.is_empty() {
            return Err("it has no name".into());
        }
        let spec = &object["spec"];
        let bare = Self {
            kind,
            key: ObjectKey::new(text(&meta["namespace"]), name),
            heals: false,
            suspended: spec["suspend"] == true,
            every: text(&spec["interval"]).into(),
            ignored: Box::new([]),
            leaves_ignored: false,
            makes: Box::new([]),
        };
        Ok(match kind {
            Kind::Application => application(spec, bare),
            // "undo kubectl edits" is what it is for: fluxcd kustomize-controller, docs/spec/v1/kustomizations.md.
            Kind::Kustomization => Self { heals: true, ..bare },
            Kind::HelmRelease => Self { heals: spec["driftDetection"]["mode"] == "enabled", ..bare },
            _ => canary(spec, bare),
        })
    }

    pub fn id(&self) -> ObjectId {
        ObjectId { kind: self.kind, key: self.key.clone() }
    }

    /// Paths at which it does not mind how this object is.
    pub fn ignores(&self, id: &ObjectId) -> Vec<&Clean> {
        let fits = |wanted: &Clean, own: &str| wanted.is_empty() || wanted == "*" || wanted == own;
        let entries = self.ignored.iter().filter(|it| {
            fits(&it.kind, id.kind.name())
                && fits(&it.name, &id.key.name)
                && fits(&it.namespace, &id.key.namespace)
        });
        entries.flat_map(|it| &it.paths).collect()
    }
}

/// argo-cd `docs/user-guide/auto_sync.md`, `diffing.md`, `sync-options.md`.
fn application(spec: &Value, bare: Reconciler) -> Reconciler {
    let policy = &spec["syncPolicy"];
    let automated = &policy["automated"];
    let options = policy["syncOptions"].as_array().into_iter().flatten();
    let ignored = spec["ignoreDifferences"].as_array().into_iter().flatten();
    Reconciler {
        heals: automated.is_object() && automated["enabled"] != false && automated["selfHeal"] == true,
        ignored: ignored.map(ignored_differences).collect(),
        leaves_ignored: options.into_iter().any(|it| it == "RespectIgnoreDifferences=true"),
        ..bare
    }
}

fn ignored_differences(value: &Value) -> Ignored {
    let paths = ["jsonPointers", "jqPathExpressions"].into_iter().filter_map(|key| value[key].as_array());
    let managers = value["managedFieldsManagers"].as_array().into_iter().flatten();
    let managers = managers.map(|it| Clean::from(format!("fields of {}", text(it))));
    Ignored {
        kind: text(&value["kind"]).into(),
        name: text(&value["name"]).into(),
        namespace: text(&value["namespace"]).into(),
        paths: paths.flatten().map(|it| Clean::new(text(it))).chain(managers).collect(),
    }
}

/// flagger `pkg/apis/flagger/v1beta1/canary.go`: the apex is named by the service, else by the target, and the
/// objects of both halves have endings.
fn canary(spec: &Value, bare: Reconciler) -> Reconciler {
    let apex = match text(&spec["service"]["name"]) {
        "" => text(&spec["targetRef"]["name"]),
        name => name,
    };
    let makes = ["", "-canary", "-primary"].map(|ending| Clean::from(format!("{apex}{ending}")));
    let every = text(&spec["analysis"]["interval"]).into();
    Reconciler {
        heals: true,
        every,
        makes: if apex.is_empty() { Box::new([]) } else { makes.into() },
        ..bare
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_application_heals_only_when_it_is_told_to() {
        let heals = |policy: Value| {
            let object =
                json!({"metadata": {"namespace": "argocd", "name": "a"}, "spec": {"syncPolicy": policy}});
            Reconciler::read(Kind::Application, &object).unwrap().heals
        };
        assert!(heals(json!({"automated": {"selfHeal": true}})));
        assert!(!heals(json!({"automated": {"selfHeal": true, "enabled": false}})));
        assert!(!heals(json!({"automated": {}})) && !heals(json!({})) && !heals(json!(null)));
    }

    #[test]
    fn an_application_says_what_it_does_not_mind() {
        let object = json!({"metadata": {"name": "a"}, "spec": {"syncPolicy": {"syncOptions": ["RespectIgnoreDifferences=true"]},
            "ignoreDifferences": [{"group": "networking.istio.io", "kind": "VirtualService", "name": "vs",
                "jqPathExpressions": [".spec.http[].route[].weight"]}, {"kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]}});
        let application = Reconciler::read(Kind::Application, &object).unwrap();
        let id = |kind, name| ObjectId { kind, key: ObjectKey::new("ml", name) };
        assert_eq!(application.ignores(&id(Kind::VirtualService, "vs")), [".spec.http[].route[].weight"]);
        assert_eq!(application.ignores(&id(Kind::Deployment, "any")), ["/spec/replicas"]);
        assert!(
            application.ignores(&id(Kind::VirtualService, "other")).is_empty() && application.leaves_ignored
        );
    }

    #[test]
    fn flux_and_flagger() {
        let read = |kind, spec: Value| {
            Reconciler::read(kind, &json!({"metadata": {"name": "x"}, "spec": spec})).unwrap()
        };
        let kustomization = read(Kind::Kustomization, json!({"interval": "10m", "suspend": true}));
        assert!(kustomization.heals && kustomization.suspended && kustomization.every == "10m");
        assert!(!read(Kind::HelmRelease, json!({"driftDetection": {"mode": "warn"}})).heals);
        assert!(read(Kind::HelmRelease, json!({"driftDetection": {"mode": "enabled"}})).heals);
        let canary =
            read(Kind::Canary, json!({"targetRef": {"name": "llm"}, "analysis": {"interval": "1m"}}));
        assert_eq!(canary.makes[..], [Clean::from("llm"), "llm-canary".into(), "llm-primary".into()]);
        assert!(Reconciler::read(Kind::Canary, &json!({"spec": {}})).is_err());
    }
}
