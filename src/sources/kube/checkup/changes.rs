//! What the account may change, by the verbs of the console. To be allowed nothing is no fault, many accounts are for
//! looking; to be allowed a part is told, since it would be found out in the middle of the night else.
//!
//! It asks what the gate will ask again before each change; nothing here decides whether something may be written.

use super::rights::{self, Right};
use super::{Checkup, Reach};
use crate::clients::kube::{Access, Door};
use crate::fleet::Kind;
use crate::sources::kube::kinds::Resource;

const NAME: &str = "changes";

/// The rights that changes of this kind need: verb, subresource, and what is lost without it.
const fn rights_for(kind: Kind) -> &'static [(&'static str, &'static str, &'static str)] {
    const SCALE: (&str, &str, &str) = ("update", "scale", "scaling");
    match kind {
        Kind::Deployment | Kind::StatefulSet => &[SCALE, ("patch", "", "restarts")],
        Kind::Rollout | Kind::LeaderWorkerSet => &[SCALE],
        Kind::HorizontalPodAutoscaler | Kind::ScaledObject | Kind::InferenceService => {
            &[("patch", "", "scaling of what an autoscaler decides")]
        }
        Kind::VirtualService | Kind::HttpRoute | Kind::GrpcRoute | Kind::DnsEndpoint => {
            &[("patch", "", "shifts of traffic")]
        }
        _ => &[],
    }
}

/// Leases and events: without them a change is possible, and other people do not hear of it.
const TELLING: [(&str, &str, &str, &str); 4] = [
    ("create", "coordination.k8s.io", "leases", "announcement to other consoles"),
    ("update", "coordination.k8s.io", "leases", "announcement to other consoles"),
    ("delete", "coordination.k8s.io", "leases", "announcement to other consoles"),
    ("create", "", "events", "word to colleagues of what was changed"),
];

pub(super) async fn look(checkup: &mut Checkup, door: &Door, served: &[Resource], reach: &Reach) {
    if reach.read_only {
        return checkup.good(NAME, "none, ever: read_only in the configuration");
    }
    let mut needed = Vec::new();
    for namespace in reach.within() {
        for resource in served {
            let (group, name) = (&*resource.group, &*resource.plural);
            needed.extend(rights_for(resource.kind).iter().map(|(verb, subresource, loss)| Right {
                access: Access { verb, group, resource: name, subresource, namespace, name: "" },
                loss,
            }));
        }
        needed.extend(TELLING.iter().map(|(verb, group, resource, loss)| Right {
            access: Access { verb, group, resource, namespace, ..Access::default() },
            loss,
        }));
    }
    let answers = rights::ask(door, needed).await;
    if answers.denied.len() == answers.asked {
        return checkup.good(NAME, "none: the account may only look");
    }
    answers.tell(checkup, NAME);
    answers.tell_denied(checkup, "change", ", if it is to change anything here");
}
