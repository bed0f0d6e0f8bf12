//! Who decides how many replicas a workload has: itself, or an object above it.
//!
//! Writing the number into a workload that something else scales lasts seconds (domain: HPA sync period 15 s), so the
//! right object is changed instead, with the reason in the plan.

use super::scale::{PAUSED_REPLICAS, component};
use super::{Cx, Refusal};
use crate::fleet::autoscaler::Maker;
use crate::fleet::{Clean, Kind, ObjectId, ObjectKey};
use crate::gate::{Amount, Intent, Override, Place, Seen, Sight};
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

/// What stands there now, in the words in which it is given: the range of an autoscaler, the number that pins it, or the
/// workload's own number.
pub fn standing(place: &Place, sight: &Sight, state: &State) -> Option<Amount> {
    let beside = |object| sight.of(&Place { cluster: place.cluster, object });
    let range = |min, max: Option<u32>| max.map_or(Amount::Replicas(min), |max| Amount::Range { min, max });
    Some(match of(state.cluster(place.cluster)?, &place.object) {
        // The API's default where the spec says nothing is one.
        Scaler::Itself => Amount::Replicas(sight.of(place)?.number("/spec/replicas").unwrap_or(1)),
        Scaler::Hpa(id) => {
            let seen = beside(id)?;
            range(seen.number("/spec/minReplicas").unwrap_or(1), seen.number("/spec/maxReplicas"))
        }
        Scaler::Keda(id) => {
            let seen = beside(id)?;
            match seen.annotation(PAUSED_REPLICAS).and_then(|it| it.parse().ok()) {
                Some(pinned) => Amount::Replicas(pinned),
                // KEDA's own defaults.
                None => range(
                    seen.number("/spec/minReplicaCount").unwrap_or(0),
                    Some(seen.number("/spec/maxReplicaCount").unwrap_or(100)),
                ),
            }
        }
        Scaler::Serving(id) => {
            let (seen, component) = (beside(id)?, component(sight.of(place)?));
            let number = |field: &str| seen.number(&format!("/spec/{component}/{field}"));
            range(number("minReplicas").unwrap_or(1), number("maxReplicas").filter(|most| *most > 0))
        }
    })
}

/// The same, when it is known for sure; an operator who knows better says so.
pub(super) fn decided(
    cx: Cx<'_>,
    intent: &Intent,
    cluster: &Cluster,
    (seen, to): (&Seen, Amount),
) -> Result<Scaler, Refusal> {
    let scaler = of(cluster, &seen.place.object);
    if intent.overrides(Override::Owner) {
        // At zero an HPA is switched off; else what decides is written, whoever has an opinion about that.
        let switches_off = matches!(scaler, Scaler::Hpa(_)) && to.most() == 0;
        return Ok(if switches_off { Scaler::Itself } else { scaler });
    }
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
