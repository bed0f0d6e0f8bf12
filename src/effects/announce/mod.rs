//! Telling other consoles and colleagues: a Lease on every target while a plan runs, an Event when it ended.
//!
//! The lease is how two consoles never drive one target; the event is for people who look at the object later. Neither is
//! evidence: that is the API server's audit log. Where the account may write neither, the plan says so and goes on.

mod event;
mod lease;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::clients::kube::{Access, Door};
use crate::fleet::{ChangeId, Clean, ClusterId, Step as At};
use crate::gate::machine::{Ended, Event, Rejection, Report};
use crate::gate::operation::{Actor, Why};
use crate::gate::plan::Plan;
use crate::sources::kube::Details;
use lease::{Held, Lease, NotTaken};

/// How often a lease is renewed; it runs out after three times as long.
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// Before the operator is asked: whether another console holds the target, and what cannot be announced.
pub async fn look(door: &Door, plan: &Plan, step: usize) -> Result<Report, Rejection> {
    let held = Lease::of(plan, step).look(door).await.map_err(|fault| {
        Rejection::new(format!("whether another console drives it cannot be told: {fault}"))
    })?;
    if let Some(words) = held.foreign(plan) {
        return Err(Rejection::new(words));
    }
    let mut report = Report::default();
    let namespace = &plan.steps[step].object.key.namespace;
    let may = async |verb: &'static str, group: &str, resource: &str| {
        let access = Access { verb, group, resource, namespace: Some(namespace), ..Access::default() };
        matches!(door.may(&access).await, Ok(true))
    };
    if !may("create", "coordination.k8s.io", "leases").await {
        let words = format!("may not write leases in {namespace}: another console would not see this one");
        report.unannounced = Some(words.into());
    }
    if !may("create", "", "events").await {
        report.untold =
            Some(Clean::from(format!("may not write events in {namespace}: none will tell colleagues")));
    }
    Ok(report)
}

/// The leases that this process holds, with the tasks that renew them.
#[derive(Clone, Default)]
pub struct Announcer {
    renewing: Arc<Mutex<HashMap<ChangeId, AbortHandle>>>,
}

impl Announcer {
    /// Takes a lease on every target and keeps it; when one is somebody else's, or nobody can tell whose it is, gives
    /// back what it took.
    pub async fn hold(
        &self,
        details: &Details,
        plan: &Arc<Plan>,
        targets: &[(usize, ClusterId)],
        who: (&Actor, Sender<(ChangeId, Event)>),
    ) -> Result<(), Clean> {
        let (actor, events) = who;
        let mut taken = Vec::new();
        for (step, cluster) in targets {
            let lease = Lease::of(plan, *step);
            let took = match details.open_door(*cluster, At::Announce) {
                Ok(door) => lease.take(&door, plan, actor).await.map(|took| took.then_some(door)),
                Err(fault) => Err(NotTaken::Failed(fault)),
            };
            match took {
                Ok(Some(door)) => taken.push((lease, door)),
                // It may not be written, which the plan has said.
                Ok(None) => {}
                Err(why) => {
                    for (lease, door) in &taken {
                        lease.give_back(door, plan).await;
                    }
                    return Err(why.words(&plan.steps[*step].cluster.name));
                }
            }
        }
        if !taken.is_empty() {
            let (plan, actor) = (Arc::clone(plan), actor.clone());
            let id = plan.id.clone();
            let task = tokio::spawn(async move { renew(&taken, &plan, &actor, events).await });
            self.renewing.lock().unwrap_or_else(PoisonError::into_inner).insert(id, task.abort_handle());
        }
        Ok(())
    }

    /// Gives the leases back; when the operation ended, leaves an event at each target that was changed.
    pub async fn withdraw(
        &self,
        details: &Details,
        plan: &Arc<Plan>,
        targets: &[(usize, ClusterId)],
        ended: (&Actor, Option<&Ended>),
    ) {
        let task = self.renewing.lock().unwrap_or_else(PoisonError::into_inner).remove(&plan.id);
        if let Some(task) = task {
            task.abort();
        }
        let (actor, ended) = ended;
        for (step, cluster) in targets {
            let Ok((door, resource)) = details.way(*cluster, plan.steps[*step].object.kind, At::Announce)
            else {
                continue;
            };
            Lease::of(plan, *step).give_back(&door, plan).await;
            if let Some(ended) = ended {
                event::leave(&door, &resource, (plan, *step), (actor, ended)).await;
            }
        }
    }
}

async fn renew(taken: &[(Lease, Door)], plan: &Plan, actor: &Actor, events: Sender<(ChangeId, Event)>) {
    loop {
        sleep(RENEW_EVERY).await;
        for (lease, door) in taken {
            // A lease that cannot be renewed now may be the next time; one that somebody else took is lost.
            if let Err(NotTaken::Foreign(words)) = lease.take(door, plan, actor).await {
                let _ = events.send((plan.id.clone(), Event::Pause(Why::Held(words)))).await;
                return;
            }
        }
    }
}

impl NotTaken {
    fn words(self, cluster: &Clean) -> Clean {
        match self {
            Self::Foreign(words) => words,
            Self::Failed(fault) => Clean::from(format!("it could not be announced in {cluster}: {fault}")),
        }
    }
}

impl Held {
    /// In words, when it is another operation's and still runs. What this process itself drove until now, its own way
    /// back may take over: it need not wait until the server has heard that it was given back.
    fn foreign(&self, plan: &Plan) -> Option<Clean> {
        let Self::By { change, holder, age, .. } = self else { return None };
        let is = |id: &ChangeId| change.as_str() == id.as_clean().as_str();
        let is_way_back =
            plan.undoes.as_ref().is_some_and(is) && holder.as_str() == lease::holder(&super::hand::actor());
        if is(&plan.id) || is_way_back {
            return None;
        }
        Some(Clean::from(format!("{holder} drives it now (change {change}, heard {age} ago)")))
    }
}
