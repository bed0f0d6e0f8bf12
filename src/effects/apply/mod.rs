//! Asking whether a step would be taken, and sending it, once.
//!
//! Both make the same request; only the query differs. Sending takes an [`Approved`] by value, so that nothing can be
//! sent twice, and an answer that was lost is told as that: the machine reads the object back.

mod differ;
mod request;

use std::sync::Arc;

use serde_json::Value;

use crate::clients::kube::{Access, Door, Question};
use crate::fleet::{Clean, ClusterId, Fault, FaultKind, Step as At};
use crate::gate::machine::{Answered, Rejection, Report};
use crate::gate::operation::Version;
use crate::gate::plan::{Plan, Step, Write};
use crate::gate::{Approved, settle};
use crate::sources::kube::Details;
use crate::sources::kube::kinds::Resource;
use request::{Ask, Preconditions};

/// Permission, then a dry run, then another console's lease: the order in which a no costs least.
pub async fn check(
    details: &Details,
    plan: &Arc<Plan>,
    step: usize,
    cluster: ClusterId,
) -> Result<Report, Rejection> {
    let planned = &plan.steps[step];
    let (door, resource) = way(details, planned, cluster, At::Review).map_err(|fault| told(&fault))?;
    permitted(&door, &resource, planned).await?;
    let warnings = dry_run(&door, &resource, plan, step).await?;
    let mut report = super::announce::look(&door, plan, step).await?;
    report.warnings = warnings;
    Ok(report)
}

/// Sends the step. Consumes the approval: there is no second time.
pub async fn send(details: &Details, approved: Approved) -> Answered {
    let step = approved.step();
    let way = way(details, step, approved.cluster(), At::Apply);
    let (door, resource) = match way {
        Ok(way) => way,
        Err(fault) => return not_sent(&fault),
    };
    let preconditions = match preconditions(&door, &resource, step, approved.builds_on()).await {
        Ok(preconditions) => preconditions,
        Err(rejection) => {
            let (conflict, may_pass) = (rejection.is_conflict, !rejection.is_conflict);
            return Answered::Refused { words: in_words(rejection), conflict, may_pass };
        }
    };
    let ask = Ask { step, mark: &approved.mark(), preconditions: &preconditions, dry_run: false };
    let request = match request::of(&ask, &resource) {
        Ok(request) => request,
        Err(fault) => return not_sent(&fault),
    };
    match door.send(At::Apply, request).await {
        Ok(answer) => Answered::Confirmed { version: version(step, &answer.body) },
        Err(fault) => refused_or_lost((&door, &resource), step, approved.builds_on(), &fault).await,
    }
}

/// The object of a step as it is now; `None` when it is gone.
pub async fn read(details: &Details, step: &Step, cluster: ClusterId) -> Result<Option<Arc<Value>>, Fault> {
    match details.object(cluster, &step.object).await {
        Ok(object) => Ok(Some(Arc::new(object))),
        Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn way(details: &Details, step: &Step, cluster: ClusterId, at: At) -> Result<(Door, Resource), Fault> {
    details.way(cluster, step.object.kind, at)
}

async fn permitted(door: &Door, resource: &Resource, step: &Step) -> Result<(), Rejection> {
    let key = &step.object.key;
    let (verb, subresource) = match step.write {
        Write::Scale { .. } => ("update", "scale"),
        Write::Patch(_) => ("patch", ""),
    };
    let access = Access {
        verb,
        group: &resource.group,
        resource: &resource.plural,
        subresource,
        name: &key.name,
        namespace: Some(&*key.namespace).filter(|it| !it.is_empty()),
    };
    match door.may(&access).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            let words = format!("this account may not {verb} {access}");
            Err(Rejection::new(words))
        }
        Err(fault) => Err(told(&fault)),
    }
}

async fn dry_run(
    door: &Door,
    resource: &Resource,
    plan: &Plan,
    step: usize,
) -> Result<Vec<Clean>, Rejection> {
    let planned = &plan.steps[step];
    let preconditions = preconditions(door, resource, planned, None).await?;
    let mark = plan.step_id(step);
    let ask = Ask { step: planned, mark: &mark, preconditions: &preconditions, dry_run: true };
    let request = request::of(&ask, resource).map_err(|fault| told(&fault))?;
    match door.send(At::DryRun, request).await {
        Ok(answer) => match settle::holds(planned, &as_object(planned, answer.body)) {
            Ok(()) => Ok(answer.warnings),
            Err(words) => {
                let words = format!("the server would change what it is given: {words}");
                Err(Rejection::new(words))
            }
        },
        Err(fault) => Err(rejected((door, resource), planned, None, &fault).await),
    }
}

/// A `Scale` has its number where the object has it too; of none it has no number (`omitempty`).
fn as_object(step: &Step, mut body: Value) -> Value {
    if let (Write::Scale { .. }, Some(Value::Object(spec))) = (&step.write, body.get_mut("spec")) {
        spec.entry("replicas").or_insert_with(|| 0.into());
    }
    body
}

/// The version that the request names. For a `Scale` it is read just before and only taken when nothing of the spec has
/// changed since it was shown: status moves the version all the time, and is not what the operator decided on.
async fn preconditions(
    door: &Door,
    resource: &Resource,
    step: &Step,
    builds_on: Option<&Version>,
) -> Result<Preconditions, Rejection> {
    if let Write::Patch(_) = step.write {
        return Ok(Preconditions { builds_on: builds_on.cloned(), scale_version: None });
    }
    let now = get(door, resource, step).await.map_err(|fault| match fault.kind {
        FaultKind::NotFound => gone(),
        _ => told(&fault),
    })?;
    let differs = differ::differences(step, None, &now);
    if !differs.is_empty() {
        return Err(conflict(differs));
    }
    let version = now["metadata"]["resourceVersion"].as_str().map(Clean::new);
    Ok(Preconditions { builds_on: None, scale_version: version })
}

async fn get(door: &Door, resource: &Resource, step: &Step) -> Result<Value, Fault> {
    door.ask_json(Question::json(&resource.object_path(&step.object.key), At::Get)).await
}

fn gone() -> Rejection {
    Rejection { is_conflict: true, ..Rejection::new("it is not there any more") }
}

/// With the first thing that is not as it was shown.
fn in_words(rejection: Rejection) -> Clean {
    match rejection.differs.first() {
        Some(it) => Clean::from(format!(
            "{}: {} was shown as {}, is now {}",
            rejection.words, it.label, it.shown, it.now
        )),
        None => rejection.words,
    }
}

fn conflict(differs: Vec<crate::gate::machine::Difference>) -> Rejection {
    Rejection { words: "it was changed since it was shown".into(), differs, is_conflict: true }
}

/// What a refusal means: with a look at the object, a failed test is told from a change that is not allowed.
async fn rejected(
    (door, resource): (&Door, &Resource),
    step: &Step,
    builds_on: Option<&Version>,
    fault: &Fault,
) -> Rejection {
    let may_differ = matches!(fault.kind, FaultKind::Conflict | FaultKind::Status(422) | FaultKind::NotFound);
    if may_differ {
        match get(door, resource, step).await {
            Ok(now) => {
                let differs = differ::differences(step, builds_on, &now);
                if !differs.is_empty() {
                    return conflict(differs);
                }
                if fault.kind == FaultKind::Conflict {
                    return Rejection::new(
                        "its status was written at that moment; nothing of it has changed",
                    );
                }
            }
            Err(fault) if fault.kind == FaultKind::NotFound => return gone(),
            Err(_) => {
                let is_conflict = fault.kind == FaultKind::Conflict;
                return Rejection { is_conflict, ..told(fault) };
            }
        }
    }
    told(fault)
}

async fn refused_or_lost(
    (door, resource): (&Door, &Resource),
    step: &Step,
    builds_on: Option<&Version>,
    fault: &Fault,
) -> Answered {
    match certainty(fault.kind) {
        Certainty::NotSent => not_sent(fault),
        Certainty::Unknown => Answered::Unknown { words: Clean::from(fault.to_string()) },
        Certainty::Refused { may_pass } => {
            let rejection = rejected((door, resource), step, builds_on, fault).await;
            let conflict = rejection.is_conflict;
            Answered::Refused { words: in_words(rejection), conflict, may_pass: may_pass && !conflict }
        }
    }
}

enum Certainty {
    /// The request did not leave.
    NotSent,
    /// The server answered, and did not take it.
    Refused { may_pass: bool },
    /// It may have been taken.
    Unknown,
}

fn certainty(kind: FaultKind) -> Certainty {
    match kind {
        FaultKind::Configuration
        | FaultKind::Credential
        | FaultKind::Login
        | FaultKind::Refused
        | FaultKind::Unresolved
        | FaultKind::Certificate => Certainty::NotSent,
        // After a while, a login, or a status that was written at the same moment.
        FaultKind::Throttled(_) | FaultKind::Unauthorized | FaultKind::Conflict => {
            Certainty::Refused { may_pass: true }
        }
        FaultKind::Forbidden | FaultKind::NotFound | FaultKind::Expired | FaultKind::Status(400..=499) => {
            Certainty::Refused { may_pass: false }
        }
        FaultKind::Unreachable
        | FaultKind::TimedOut(_)
        | FaultKind::Cut
        | FaultKind::Status(_)
        | FaultKind::Malformed
        | FaultKind::Missed
        | FaultKind::Panic => Certainty::Unknown,
    }
}

fn not_sent(fault: &Fault) -> Answered {
    let words = format!("not sent: {fault}");
    Answered::Refused { words: words.into(), conflict: false, may_pass: true }
}

/// Some servers quote the whole object in their words; a beginning of it is enough.
const LONGEST: usize = 400;

fn told(fault: &Fault) -> Rejection {
    let mut fault = fault.clone();
    if fault.detail.chars().count() > LONGEST {
        let start: String = fault.detail.chars().take(LONGEST).collect();
        fault.detail = Clean::from(format!("{start}…"));
    }
    // What is hinted at for a read is not what a write lacks.
    let hint = if fault.kind == FaultKind::Forbidden { "" } else { fault.hint() };
    let words = if hint.is_empty() { fault.to_string() } else { format!("{fault} ({hint})") };
    Rejection::new(words)
}

/// The answer to a `Scale` tells the version, but not the generation: reading the object again does.
fn version(step: &Step, body: &Value) -> Version {
    match step.write {
        Write::Patch(_) => settle::version(body),
        Write::Scale { .. } => Version { generation: None, ..settle::version(body) },
    }
}
