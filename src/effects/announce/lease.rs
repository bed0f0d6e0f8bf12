//! One `coordination.k8s.io/v1` Lease for one target, in the target's namespace.
//!
//! How old a foreign lease is, is judged by the server's clock alone: the time at which the server booked the last write
//! against its `Date`. Clocks of other people's machines do not matter.

use http::{Method, Request, header};
use serde_json::{Value, json};

use crate::clients::kube::{Door, agent, encode};
use crate::fleet::{Age, Clean, Fault, FaultKind, Now, Step as At, Unix};
use crate::gate::operation::Actor;
use crate::gate::patch::{ANNOTATION, FIELD_MANAGER};
use crate::gate::plan::Plan;

/// After so long without a renewal nobody holds it any more.
const LASTS: Age = Age(30);

pub(super) struct Lease {
    namespace: Clean,
    name: String,
}

/// Why it is not ours.
pub(super) enum NotTaken {
    /// Somebody else holds it, in words.
    Foreign(Clean),
    /// Nobody knows.
    Failed(Fault),
}

/// What was found.
pub(super) enum Held {
    /// There is none, or it has run out, or this account may not look.
    Free {
        found: Option<Found>,
    },
    By {
        change: Clean,
        holder: Clean,
        age: Age,
        found: Found,
    },
}

/// A lease that is there: what its next writer must name.
pub(super) struct Found {
    version: Value,
    uid: Value,
}

impl Lease {
    pub(super) fn of(plan: &Plan, step: usize) -> Self {
        let object = &plan.steps[step].object;
        let mut name = format!("skydeck-{}-{}", object.kind.name().to_ascii_lowercase(), object.key.name);
        name.truncate(253);
        Self { namespace: object.key.namespace.clone(), name }
    }

    /// An error: nobody knows whether it is held, and what is not known is not free.
    pub(super) async fn look(&self, door: &Door) -> Result<Held, Fault> {
        let request = Request::get(self.path()).header(header::USER_AGENT, agent()).body(Vec::new());
        let request =
            request.map_err(|_| Fault::new(At::Announce, FaultKind::Malformed, "not a path to ask for"))?;
        match door.send(At::Announce, request).await {
            Ok(told) => Ok(held(&told.body, told.date)),
            Err(fault) if matches!(fault.kind, FaultKind::NotFound | FaultKind::Forbidden) => {
                Ok(Held::Free { found: None })
            }
            Err(fault) => Err(fault),
        }
    }

    /// Takes it, or renews it. `false`: it may not be written.
    pub(super) async fn take(&self, door: &Door, plan: &Plan, actor: &Actor) -> Result<bool, NotTaken> {
        // Somebody may be quicker: whoever that is holds it then, or has given it back at once.
        let mut tries = 2;
        loop {
            tries -= 1;
            let held = self.look(door).await.map_err(NotTaken::Failed)?;
            if let Some(words) = held.foreign(plan) {
                return Err(NotTaken::Foreign(words));
            }
            let found = match held {
                Held::Free { found } => found,
                Held::By { found, .. } => Some(found),
            };
            match self.write(door, plan, actor, found).await {
                Ok(()) => return Ok(true),
                Err(fault) if fault.kind == FaultKind::Forbidden => return Ok(false),
                Err(fault) if fault.kind == FaultKind::Conflict && tries > 0 => {}
                Err(fault) => return Err(NotTaken::Failed(fault)),
            }
        }
    }

    pub(super) async fn give_back(&self, door: &Door, plan: &Plan) {
        let Ok(Held::By { change, found, .. }) = self.look(door).await else { return };
        if change.as_str() != plan.id.as_clean().as_str() {
            return;
        }
        let body = json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "preconditions": {"uid": found.uid, "resourceVersion": found.version},
        });
        // One that cannot be given back runs out by itself.
        if let Ok(request) = request(Method::DELETE, &self.path(), &body) {
            let _ = door.send(At::Announce, request).await;
        }
    }

    async fn write(
        &self,
        door: &Door,
        plan: &Plan,
        actor: &Actor,
        found: Option<Found>,
    ) -> Result<(), Fault> {
        let mut lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {
                "name": self.name, "namespace": &*self.namespace,
                "annotations": {ANNOTATION: plan.id.as_clean(), "skydeck.dev/plan": plan.title},
                "labels": {"app.kubernetes.io/managed-by": "skydeck"},
            },
            "spec": {
                "holderIdentity": holder(actor), "leaseDurationSeconds": LASTS.0,
                // Always another text, so that the server books every renewal.
                "renewTime": micro_time(fastrand::u32(0..1_000_000), plan.made),
            },
        });
        let (method, path) = match found {
            Some(found) => {
                lease["metadata"]["resourceVersion"] = found.version;
                (Method::PUT, self.path())
            }
            None => (Method::POST, self.folder()),
        };
        let request = request(method, &path, &lease)?;
        door.send(At::Announce, request).await.map(drop)
    }

    fn folder(&self) -> String {
        format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases", encode(&self.namespace))
    }

    fn path(&self) -> String {
        format!("{}/{}", self.folder(), encode(&self.name))
    }
}

/// `ada@bastion, process 4711`.
pub(super) fn holder(actor: &Actor) -> String {
    format!("{}@{}, process {}", actor.user, actor.host, actor.process)
}

fn held(lease: &Value, now: Option<Unix>) -> Held {
    let meta = &lease["metadata"];
    let found = Found { version: meta["resourceVersion"].clone(), uid: meta["uid"].clone() };
    let text = |value: &Value| Clean::new(value.as_str().unwrap_or_default());
    let holder = text(&lease["spec"]["holderIdentity"]);
    let change = text(&meta["annotations"][ANNOTATION]);
    let written = written(meta).or_else(|| Unix::parse(lease["spec"]["renewTime"].as_str()?));
    let age = match (now, written) {
        (Some(now), Some(written)) => Now { unix: now, ..Now::default() }.age_of(written),
        // Without a clock it may be held.
        _ => Age(0),
    };
    let lasts = lease["spec"]["leaseDurationSeconds"].as_u64().map_or(LASTS, Age);
    if holder.is_empty() || age > lasts {
        return Held::Free { found: Some(found) };
    }
    Held::By { change, holder, age, found }
}

/// When the server booked the last write.
fn written(meta: &Value) -> Option<Unix> {
    let entries = meta["managedFields"].as_array()?;
    entries.iter().filter_map(|entry| Unix::parse(entry["time"].as_str()?)).max()
}

/// `MicroTime`, as the API wants it.
fn micro_time(micros: u32, at: Unix) -> String {
    at.rfc3339().replace('Z', &format!(".{micros:06}Z"))
}

pub(super) fn request(method: Method, path: &str, body: &Value) -> Result<Request<Vec<u8>>, Fault> {
    Request::builder()
        .method(method)
        .uri(format!("{path}?fieldManager={FIELD_MANAGER}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, agent())
        .body(body.to_string().into_bytes())
        .map_err(|_| Fault::new(At::Announce, FaultKind::Malformed, "not a path that can be asked for"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(booked: &str) -> Value {
        json!({
            "metadata": {"resourceVersion": "7", "uid": "u", "annotations": {ANNOTATION: "C1"},
                "managedFields": [{"manager": "skydeck", "time": booked}]},
            "spec": {"holderIdentity": "ada@host, process 1", "leaseDurationSeconds": 30, "renewTime": "2001-01-01T00:00:00.000001Z"},
        })
    }

    #[test]
    fn the_servers_clock_tells_whether_it_is_held() {
        let now = Unix::parse("2026-11-25T10:00:30Z");
        assert!(matches!(held(&lease("2026-11-25T10:00:00Z"), now), Held::By { age: Age(30), .. }));
        assert!(matches!(held(&lease("2026-11-25T09:59:59Z"), now), Held::Free { found: Some(_) }));
        assert!(
            matches!(held(&lease("2026-11-25T10:00:00Z"), None), Held::By { .. }),
            "no clock: it may be held"
        );
        let mut nobody = lease("2026-11-25T10:00:30Z");
        nobody["spec"]["holderIdentity"] = "".into();
        assert!(matches!(held(&nobody, now), Held::Free { .. }));
    }
}
