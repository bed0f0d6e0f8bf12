//! May this account do that? Asked as `kubectl auth can-i` asks it: a review that the server answers and keeps
//! nowhere. That it is a POST makes it no change.

use std::fmt;

use http::{Request, header};
use serde::Deserialize;
use serde_json::json;

use super::wire::list;
use super::{ACCEPT_JSON, Door, agent};
use crate::fleet::{Fault, FaultKind, Step};

const PATH: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// One thing that an account may do or not.
#[derive(Debug, Clone, Copy, Default)]
pub struct Access<'a> {
    pub verb: &'a str,
    /// Empty for the core group.
    pub group: &'a str,
    pub resource: &'a str,
    /// `scale`, `status`; empty for the resource itself.
    pub subresource: &'a str,
    /// Empty: any of them.
    pub name: &'a str,
    /// `None`: in the whole cluster.
    pub namespace: Option<&'a str>,
}

#[derive(Deserialize)]
struct Review {
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    allowed: bool,
}

impl Door {
    pub async fn may(&self, access: &Access<'_>) -> Result<bool, Fault> {
        let step = Step::Review;
        let malformed = |words: String| Fault::new(step, FaultKind::Malformed, words);
        let request = Request::post(PATH)
            .header(header::CONTENT_TYPE, ACCEPT_JSON)
            .header(header::USER_AGENT, agent())
            .body(access.review().to_string().into_bytes())
            .map_err(|error| malformed(error.to_string()))?;
        let told = self.send(step, request).await?;
        let review: Review =
            serde_json::from_value(told.body).map_err(|error| malformed(list::place(&error)))?;
        Ok(review.status.allowed)
    }
}

impl Access<'_> {
    fn review(&self) -> serde_json::Value {
        let mut attributes = json!({"verb": self.verb, "group": self.group, "resource": self.resource});
        for (key, value) in [("subresource", self.subresource), ("name", self.name)] {
            if !value.is_empty() {
                attributes[key] = value.into();
            }
        }
        if let Some(namespace) = self.namespace {
            attributes["namespace"] = namespace.into();
        }
        json!({
            "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
            "spec": {"resourceAttributes": attributes},
        })
    }
}

/// As `kubectl auth can-i` takes it: `deployments.apps in ml`, `pods/log`, `namespaces/kube-system`.
impl fmt::Display for Access<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if !self.subresource.is_empty() {
            write!(f, "/{}", self.subresource)?;
        } else if !self.name.is_empty() {
            write!(f, "/{}", self.name)?;
        }
        match self.namespace {
            Some(namespace) => write!(f, " in {namespace}"),
            None => Ok(()),
        }
    }
}
