//! Who decides how many replicas a workload has: itself, or an object above it.
//!
//! Writing the number into a workload that something else scales lasts seconds (domain: HPA sync period 15 s), so the
//! right object is changed instead, with the reason in the plan.

use super::{Cx, Refusal};
use crate::fleet::autoscaler::Maker;
use crate::fleet::{Clean, Kind, ObjectId, ObjectKey};
use crate::gate::{Intent, Override, Place, Seen};
use crate::state::{Cluster, State};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scaler {
    /// `spec.replicas`, through the subresource `scale`.
    Itself,
    Hpa(ObjectId),
    Keda(ObjectId),
    /// A KServe InferenceService and its component: `predictor`, `transformer`, `explainer`.
    Serving(ObjectId),
}

/// The workload, and the object that decides its number.
pub(super) fn places(place: &Place, state: &State) -> Vec<Place> {
    let decider = state.cluster(place.cluster).and_then(|cluster| match of(cluster, &place.object) {
        Scaler::Itself => None,
        Scaler::Hpa(id) | Scaler::Keda(id) | Scaler::Serving(id) => Some(id),
    });
    let decider = decider.map(|object| Place { cluster: place.cluster, object });
    std::iter::once(place.clone()).chain(decider).collect()
}

pub(super) fn of(cluster: &Cluster, workload: &ObjectId) -> Scaler {
    let namespace = &workload.key.namespace;
    let owner = cluster.objects.workloads.get(workload).and_then(|it| it.owner.as_ref());
    if let Some(owner) = owner.filter(|owner| owner.kind == Kind::InferenceService.name()) {
        return Scaler::Serving(id(Kind::InferenceService, namespace, &owner.name));
    }
    let own = cluster.objects.autoscalers.values().filter(|it| {
        it.key.namespace == *namespace
            && it.target.kind == workload.kind.name()
            && it.target.name == workload.key.name
    });
    let mut scaler = Scaler::Itself;
    for autoscaler in own {
        match &autoscaler.maker {
            Maker::Keda => return Scaler::Keda(id(Kind::ScaledObject, namespace, &autoscaler.key.name)),
            Maker::HpaOfKeda(made_for) => scaler = Scaler::Keda(id(Kind::ScaledObject, namespace, made_for)),
            Maker::Hpa if scaler == Scaler::Itself => {
                scaler = Scaler::Hpa(id(Kind::HorizontalPodAutoscaler, namespace, &autoscaler.key.name));
            }
            Maker::Hpa => {}
        }
    }
    scaler
}

/// The same, when it is known for sure; an operator who knows better says so.
pub(super) fn decided(
    cx: Cx<'_>,
    intent: &Intent,
    cluster: &Cluster,
    seen: &Seen,
) -> Result<Scaler, Refusal> {
    if intent.overrides(Override::Owner) {
        return Ok(Scaler::Itself);
    }
    let scaler = of(cluster, &seen.place.object);
    let kinds = [Kind::HorizontalPodAutoscaler, Kind::ScaledObject];
    let fresh = cluster.freshness_of(&kinds, cx.now, cx.state.settings.stale_after);
    if scaler == Scaler::Itself && !fresh.is_whole() {
        let words =
            format!("whether an autoscaler decides is not known: {} is {}", cluster.spec.name, fresh.word());
        return Err(Refusal::new(words, "wait until it is live").unless(Override::Owner));
    }
    if let Some((kind, name)) = seen.controller()
        && !matches!(scaler, Scaler::Serving(_))
    {
        let hint = match kind {
            "Deployment" | "Rollout" => "scale that instead".to_owned(),
            _ => format!("change the {kind}, or it puts the number back"),
        };
        let words = format!("{} is made by the {kind} {name}", seen.place.object);
        return Err(Refusal::new(words, hint).unless(Override::Owner));
    }
    Ok(scaler)
}

fn id(kind: Kind, namespace: &Clean, name: &Clean) -> ObjectId {
    ObjectId { kind, key: ObjectKey { namespace: namespace.clone(), name: name.clone() } }
}
