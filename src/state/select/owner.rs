//! Who would take back what is changed by hand in an object, and how soon.
//!
//! A verdict is pessimistic: *unmanaged* is only said when everything that could manage the object has been
//! read, in every cluster, because the one that does may live in another. Sources of each rule:
//! argo-rollouts `docs/features/traffic-management/istio.md`, flagger `pkg/router/istio.go`, kserve
//! `ingress_reconciler.go`, argo-cd `docs/user-guide/resource_tracking.md` and `auto_sync.md`, Flux
//! `kustomizations.md` and `helmreleases.md`, helm `pkg/action/validate.go`, Config Sync and Karmada labels.

use serde::Serialize;

use super::routes::is_told;
use crate::fleet::{Clean, ClusterId, Kind, Marks, ObjectId, ObjectKey, Reconciler};
use crate::state::{Cluster, State};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub kind: VerdictKind,
    /// Who it is: `Rollout ml-platform/llm`, `Argo CD app ml-platform`; empty when nobody is known.
    pub by: Clean,
    /// What that means, in one sentence.
    pub words: Clean,
}

/// The worst for whoever would change the object comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// A controller writes these fields itself.
    Blocked,
    WillBeReverted,
    WillBeOverwritten,
    /// Something manages it, and what it would do cannot be told.
    UnknownReconciler,
    /// Not everything that could manage it can be read.
    OwnerUnknown,
    /// Managed, but told to leave this alone.
    LeftAlone,
    Unmanaged,
}

impl VerdictKind {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Blocked => "blocked (controller-owned)",
            Self::WillBeReverted => "will be reverted",
            Self::WillBeOverwritten => "will be overwritten at next sync",
            Self::UnknownReconciler => "unknown reconciler",
            Self::OwnerUnknown => "owner unknown",
            Self::LeftAlone => "left alone",
            Self::Unmanaged => "unmanaged",
        }
    }
}

impl Verdict {
    fn new(kind: VerdictKind, by: impl Into<Clean>, words: impl Into<Clean>) -> Self {
        Self { kind, by: by.into(), words: words.into() }
    }
}

/// What would happen to a change by hand of this object in this cluster.
pub fn verdict(state: &State, cluster: ClusterId, marks: &Marks, id: &ObjectId) -> Verdict {
    controller(marks)
        .or_else(|| rollout(state, id))
        .or_else(|| canary(state, cluster, id))
        .or_else(|| gateway_plugin(marks))
        .or_else(|| argo_cd(state, marks, id))
        .or_else(|| flux(state, marks, &KUSTOMIZE))
        .or_else(|| flux(state, marks, &HELM))
        .or_else(|| declared(marks))
        .or_else(|| by_manager(marks))
        .or_else(|| instance_label(state, marks))
        .unwrap_or_else(|| unmarked(state, id.kind))
}

fn controller(marks: &Marks) -> Option<Verdict> {
    let owner = marks.controller()?;
    let words = match owner.kind.as_str() {
        "Canary" => "Flagger writes it anew at the next step of its analysis".to_owned(),
        "InferenceService" => "KServe puts it back at once; change the InferenceService".to_owned(),
        kind => format!("its controller puts it back; change the {kind}"),
    };
    Some(Verdict::new(VerdictKind::Blocked, format!("{} {}", owner.kind, owner.name), words))
}

/// A Rollout leaves no mark on the route whose weights it writes, and may live in another cluster than it.
fn rollout(state: &State, id: &ObjectId) -> Option<Verdict> {
    let mut clusters = state.clusters();
    let (cluster, rollout) = clusters.find_map(|it| Some((it, it.objects.steers(id)?)))?;
    let by = format!("Rollout {} in {}", rollout.key, cluster.spec.name);
    Some(Verdict::new(VerdictKind::Blocked, by, "Argo Rollouts sets the weights back at once"))
}

/// Flagger's objects are named like the service; the owner reference can be switched off.
fn canary(state: &State, cluster: ClusterId, id: &ObjectId) -> Option<Verdict> {
    if !id.kind.is_route() && id.kind != Kind::Service && id.kind != Kind::DestinationRule {
        return None;
    }
    let here = state.cluster(cluster)?;
    let mut canaries = here.objects.reconcilers.values().filter(|it| it.kind == Kind::Canary);
    let canary =
        canaries.find(|it| it.key.namespace == id.key.namespace && it.makes.contains(&id.key.name))?;
    let words = "Flagger writes it anew at the next step of its analysis";
    Some(Verdict::new(VerdictKind::Blocked, format!("Canary {}", canary.key), words))
}

fn gateway_plugin(marks: &Marks) -> Option<Verdict> {
    let label = marks.label("rollouts.argoproj.io/gatewayapi-canary")?;
    (label == "in-progress").then(|| {
        let words = "Argo Rollouts shifts traffic at this moment";
        Verdict::new(VerdictKind::Blocked, "Argo Rollouts, by its label", words)
    })
}

/// The annotation is that of another object when this one was copied.
fn argo_cd(state: &State, marks: &Marks, id: &ObjectId) -> Option<Verdict> {
    let tracking = marks.annotation("argocd.argoproj.io/tracking-id")?;
    let (application, object) = tracking.split_once(':')?;
    let (kind, place) = object.split_once(':')?;
    let kind = kind.rsplit('/').next()?;
    let points_here = kind == id.kind.name() && place == format!("{}/{}", id.key.namespace, id.key.name);
    points_here.then(|| application_verdict(state, application, id))
}

fn application_verdict(state: &State, name: &str, id: &ObjectId) -> Verdict {
    let by = format!("Argo CD app {name}");
    // `namespace_name` where applications may be in any namespace.
    let is_it = |it: &Reconciler| {
        it.kind == Kind::Application
            && (it.key.name == *name || format!("{}_{}", it.key.namespace, it.key.name) == name)
    };
    let mut found: Vec<_> = reconcilers(state).filter(|(_, it)| is_it(it)).collect();
    // Two hubs with an application of this name: the stricter counts.
    found.sort_by_key(|(_, it)| !it.heals);
    let Some((cluster, application)) = found.first() else {
        let where_it_is = match unread(state, &[Kind::Application]) {
            Some(unread) => format!("it is not found; {unread}"),
            None => "it is in none of these clusters".to_owned(),
        };
        return Verdict::new(VerdictKind::UnknownReconciler, by, where_it_is);
    };
    let by = format!("{by} in {}", cluster.spec.name);
    let ignored = application.ignores(id);
    let paths = ignored.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ");
    let (kind, words) = match (application.heals, ignored.is_empty(), application.leaves_ignored) {
        (true, true, _) => (VerdictKind::WillBeReverted, "self-heal is on: back in about 5 s".to_owned()),
        (false, true, _) => {
            (VerdictKind::WillBeOverwritten, "self-heal is off: the next sync overwrites it".to_owned())
        }
        (_, false, true) if covers(&ignored, id) => {
            (VerdictKind::LeftAlone, format!("it leaves {paths} alone"))
        }
        (_, false, false) if covers(&ignored, id) => (
            VerdictKind::WillBeOverwritten,
            format!("it does not compare {paths}, but the next sync overwrites it"),
        ),
        (true, false, _) => (VerdictKind::WillBeReverted, format!("self-heal is on, except for {paths}")),
        (false, false, _) => {
            (VerdictKind::WillBeOverwritten, format!("the next sync overwrites it, except for {paths}"))
        }
    };
    Verdict::new(kind, by, words)
}

/// Whether what is ignored is what an operator changes here: weights of routes, replicas of workloads.
fn covers(paths: &[&Clean], id: &ObjectId) -> bool {
    let what: &[&str] = match id.kind {
        Kind::DnsEndpoint => &["providerSpecific", "/spec/endpoints"],
        kind if kind.is_route() => &["weight"],
        _ => &["replicas"],
    };
    let whole = |path: &str| {
        matches!(
            path.trim_end_matches('/'),
            "/spec" | ".spec" | "/spec/http" | ".spec.http" | "/spec/rules" | ".spec.rules"
        )
    };
    paths.iter().any(|path| what.iter().any(|it| path.contains(it)) || (id.kind.is_route() && whole(path)))
}

/// One of Flux's controllers and the marks that it leaves.
struct Flux {
    kind: Kind,
    name: &'static str,
    namespace: &'static str,
    /// Annotation and value by which an object is left alone.
    disabled: [(&'static str, &'static str); 3],
}

static KUSTOMIZE: Flux = Flux {
    kind: Kind::Kustomization,
    name: "kustomize.toolkit.fluxcd.io/name",
    namespace: "kustomize.toolkit.fluxcd.io/namespace",
    disabled: [
        ("kustomize.toolkit.fluxcd.io/reconcile", "disabled"),
        ("kustomize.toolkit.fluxcd.io/ssa", "IfNotPresent"),
        ("kustomize.toolkit.fluxcd.io/ssa", "Ignore"),
    ],
};

static HELM: Flux = Flux {
    kind: Kind::HelmRelease,
    name: "helm.toolkit.fluxcd.io/name",
    namespace: "helm.toolkit.fluxcd.io/namespace",
    // Drift detection alone leaves it alone then; an upgrade does not.
    disabled: [("", ""), ("", ""), ("", "")],
};

fn flux(state: &State, marks: &Marks, flux: &Flux) -> Option<Verdict> {
    let name = marks.label(flux.name)?;
    let namespace = marks.label(flux.namespace).cloned().unwrap_or_default();
    let key = ObjectKey { namespace, name: name.clone() };
    let by = format!("Flux {} {key}", flux.kind);
    let off = flux.disabled.iter().find(|(key, value)| marks.annotation(key).is_some_and(|it| it == *value));
    if let Some((annotation, value)) = off {
        return Some(Verdict::new(VerdictKind::LeftAlone, by, format!("{annotation}: {value}")));
    }
    let found = reconcilers(state).find(|(_, it)| it.kind == flux.kind && it.key == key);
    let Some((cluster, it)) = found else {
        let words = match unread(state, &[flux.kind]) {
            Some(unread) => format!("it is not found; {unread}"),
            None => "it is in none of these clusters".to_owned(),
        };
        return Some(Verdict::new(VerdictKind::UnknownReconciler, by, words));
    };
    let by = format!("{by} in {}", cluster.spec.name);
    let drift_ignored =
        marks.annotation("helm.toolkit.fluxcd.io/driftDetection").is_some_and(|it| it == "disabled");
    let every = if it.every.is_empty() { String::new() } else { format!(" every {}", it.every) };
    let (kind, words) = match (it.suspended, it.heals && !drift_ignored) {
        (true, _) => {
            (VerdictKind::WillBeOverwritten, "it is suspended: overwritten when it is resumed".to_owned())
        }
        (false, true) => (VerdictKind::WillBeReverted, format!("it puts edits back{every}")),
        (false, false) => (VerdictKind::WillBeOverwritten, "the next upgrade overwrites it".to_owned()),
    };
    Some(Verdict::new(kind, by, words))
}

/// Systems that say it all on the object itself.
fn declared(marks: &Marks) -> Option<Verdict> {
    let is = |found: Option<&Clean>, value: &str| found.is_some_and(|it| it == value);
    if is(marks.annotation("configmanagement.gke.io/managed"), "enabled") {
        let words = "it always puts edits back, or refuses them";
        return Some(Verdict::new(VerdictKind::WillBeReverted, "Config Sync", words));
    }
    let work = marks.label("work.karmada.io/name").or_else(|| marks.annotation("work.karmada.io/name"));
    if is(marks.label("karmada.io/managed"), "true") || work.is_some() {
        let words = "change the template on Karmada's own API server";
        return Some(Verdict::new(VerdictKind::WillBeReverted, "Karmada", words));
    }
    let release = marks.annotation("meta.helm.sh/release-name");
    if release.is_some() || is(marks.label("app.kubernetes.io/managed-by"), "Helm") {
        let by = release.map_or_else(|| "Helm".to_owned(), |name| format!("Helm release {name}"));
        return Some(Verdict::new(VerdictKind::WillBeOverwritten, by, "the next helm upgrade overwrites it"));
    }
    None
}

/// Field managers that belong to systems which put edits back.
const MANAGERS: [(&str, &str); 8] = [
    ("argocd-controller", "Argo CD"),
    ("argocd-application-controller", "Argo CD"),
    ("kustomize-controller", "Flux"),
    ("helm-controller", "Flux"),
    ("flagger", "Flagger"),
    ("rollouts-controller", "Argo Rollouts"),
    ("Terraform", "Terraform"),
    ("pulumi-kubernetes", "Pulumi"),
];

fn by_manager(marks: &Marks) -> Option<Verdict> {
    let (manager, system) = MANAGERS.iter().find(|(manager, _)| marks.is_managed_by(manager))?;
    let words = format!("its field manager {manager} wrote the spec");
    Some(Verdict::new(VerdictKind::UnknownReconciler, *system, words))
}

/// Helm charts set this label too, so that it says something only where there is an application of that name.
fn instance_label(state: &State, marks: &Marks) -> Option<Verdict> {
    let name = marks.label("app.kubernetes.io/instance")?;
    let mut applications = reconcilers(state).filter(|(_, it)| it.kind == Kind::Application);
    applications.find(|(_, it)| it.key.name == *name).map(|(cluster, _)| {
        let by = format!("perhaps Argo CD app {name} in {}", cluster.spec.name);
        let words = "only the label app.kubernetes.io/instance says so";
        Verdict::new(VerdictKind::UnknownReconciler, by, words)
    })
}

/// Of an object that bears no mark, and that nobody names: the same for all of a kind.
fn unmarked(state: &State, kind: Kind) -> Verdict {
    let everywhere = [Kind::Application, Kind::Kustomization, Kind::HelmRelease];
    let of_routes = [Kind::Rollout, Kind::Canary];
    let kinds: Vec<Kind> =
        if kind.is_route() { everywhere.into_iter().chain(of_routes).collect() } else { everywhere.into() };
    match unread(state, &kinds) {
        Some(unread) => Verdict::new(VerdictKind::OwnerUnknown, "", unread),
        None => Verdict::new(VerdictKind::Unmanaged, "", "no controller, no GitOps found"),
    }
}

fn reconcilers(state: &State) -> impl Iterator<Item = (&Cluster, &Reconciler)> {
    state.clusters().flat_map(|cluster| cluster.objects.reconcilers.values().map(move |it| (cluster, it)))
}

/// What of these kinds is not known as of now, in words: `Application of gcp-central is not read`.
fn unread(state: &State, kinds: &[Kind]) -> Option<String> {
    let missing = |cluster: &Cluster| -> Vec<&'static str> {
        kinds.iter().filter(|kind| !is_told(state, cluster, &[**kind])).map(|kind| kind.name()).collect()
    };
    let mut clusters: Vec<(&Cluster, Vec<&str>)> = state
        .clusters()
        .map(|cluster| (cluster, missing(cluster)))
        .filter(|(_, it)| !it.is_empty())
        .collect();
    clusters.sort_by_key(|(_, missing)| missing.len());
    let (worst, missing) = clusters.last()?;
    let what =
        if missing.len() == kinds.len() { "what could manage it".to_owned() } else { missing.join(", ") };
    let more = match clusters.len() {
        1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    Some(format!("{what} is not read in {}{more}", worst.spec.name))
}
