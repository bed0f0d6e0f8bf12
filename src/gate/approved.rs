//! A step that may be sent, once. Only the machine makes it, and sending takes it by value.

use std::sync::Arc;

use super::operation::Version;
use super::plan::{Plan, Step};
use crate::fleet::{ClusterId, ObjectId};

/// Not `Clone`: what was sent cannot be sent again.
#[derive(Debug, PartialEq)]
pub struct Approved {
    plan: Arc<Plan>,
    step: usize,
    cluster: ClusterId,
    attempt: u32,
    builds_on: Option<Version>,
}

impl Approved {
    pub(super) fn new(plan: Arc<Plan>, step: usize, cluster: ClusterId, attempt: u32) -> Self {
        Self { plan, step, cluster, attempt, builds_on: None }
    }

    pub(super) fn building_on(self, builds_on: Option<Version>) -> Self {
        Self { builds_on, ..self }
    }

    pub fn step(&self) -> &Step {
        &self.plan.steps[self.step]
    }

    pub fn number(&self) -> usize {
        self.step
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn cluster(&self) -> ClusterId {
        self.cluster
    }

    pub fn object(&self) -> &ObjectId {
        &self.step().object
    }

    /// The version that an earlier step of this operation left, for a step that builds on it.
    pub fn builds_on(&self) -> Option<&Version> {
        self.builds_on.as_ref()
    }

    /// What the object and the request carry. A step that is sent again because the operator said so is another.
    pub fn mark(&self) -> String {
        mark(&self.plan, self.step, self.attempt)
    }
}

/// The id of one sending of one step.
pub(super) fn mark(plan: &Plan, step: usize, attempt: u32) -> String {
    let id = plan.step_id(step);
    if attempt > 1 { format!("{id}.{attempt}") } else { id }
}
