//! From a wish and what was just read to a finished plan, or a refusal that says what to do instead.
//!
//! A plan is complete, immutable and readable: execution chooses nothing. Planning looks at no object that the
//! operator did not see, and writes nothing into a step that is not also in its text.

mod refusal;
mod restart;
mod scale;
mod scaler;
pub mod traffic;
mod undo;

pub use refusal::Refusal;
pub use scale::PAUSED_REPLICAS;
pub use scaler::standing;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::patch::Op;
use super::{Confirm, Intent, Override, Place, Policy, Seen, Sight, Wish};
use crate::fleet::{Age, ChangeId, Clean, ClusterId, Now, ObjectId, Unix};
use crate::gate::confirm::Reasons;
use crate::gate::intent::Ramp;
use crate::state::select::owner::{Verdict, VerdictKind};
use crate::state::{Cluster, Identity, State};

/// A finished plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub id: ChangeId,
    pub verb: Verb,
    /// What it is about, in a few words: `scale ml-platform/ml-inference`.
    pub title: Clean,
    pub made: Unix,
    pub steps: Vec<Step>,
    /// What the operator should know before saying yes.
    pub notes: Vec<Note>,
    pub confirm: Confirm,
    /// How it would be taken back, in words.
    pub way_back: Clean,
    /// The operation that this one takes back.
    pub undoes: Option<ChangeId>,
    /// Clusters that what is taken back changed too, and that keep what they have: they cannot be reached now.
    #[serde(default)]
    pub left_out: Vec<Clean>,
    pub ramp: Option<Ramp>,
    pub reason: Clean,
    pub overrides: Vec<Override>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    Scale,
    Restart,
    Traffic,
    Undo,
}

/// A remark about a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub is_warning: bool,
    pub text: Clean,
}

/// One request to one object in one cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub cluster: ClusterRef,
    pub object: ObjectId,
    pub uid: Clean,
    /// As it was when it was shown.
    pub resource_version: Clean,
    pub generation: Option<i64>,
    pub write: Write,
    pub changes: Vec<Change>,
    pub expect: Expect,
    /// Time between the step before and this one.
    pub wait: Age,
    /// An earlier step on the same object, whose outcome tells the version that this one builds on.
    pub follows: Option<usize>,
    /// What must be ready at the moment of sending.
    pub needs: Vec<Need>,
}

/// A cluster beyond this session: found again by identity, or by name where that is withheld.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRef {
    pub name: Clean,
    /// UID of the namespace `kube-system`.
    pub uid: Option<Clean>,
    pub server: Clean,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    /// `PUT` of the subresource `scale`, with the version.
    Scale { replicas: u32 },
    /// `PATCH` with a JSON Patch.
    Patch(Vec<Op>),
}

/// One value that a step changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// JSON pointer into the object.
    pub pointer: String,
    /// The same as people write it: `spec.replicas`, `http[2].route[0].weight`.
    pub label: Clean,
    /// `Null`: it was not there.
    pub before: Value,
    pub after: Value,
}

/// When a step is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Expect {
    /// The object holds the new values when it is read again.
    Values,
    /// That, and the workload becomes ready with as many replicas as it asks for.
    Rollout { workload: ObjectId },
}

/// A destination that must have ready endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Rule and destination by their places in the route.
    pub rule: usize,
    pub destination: usize,
    pub name: Clean,
    pub at_least: u32,
}

impl Verb {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scale => "scale",
            Self::Restart => "restart",
            Self::Traffic => "traffic",
            Self::Undo => "undo",
        }
    }
}

/// What a planner works with.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    pub state: &'a State,
    pub policy: &'a Policy,
    pub sight: &'a Sight,
    pub now: Now,
    /// For undo: what was done, with the states of its steps.
    pub operations: &'a [super::Operation],
}

/// Makes the plan and has it checked.
pub fn plan(id: &ChangeId, intent: &Intent, cx: Cx<'_>) -> Result<Plan, Refusal> {
    let plan = match &intent.wish {
        Wish::Scale(cells) => scale::plan(id, intent, cells, cx),
        Wish::Restart(places) => restart::plan(id, intent, places, cx),
        Wish::Weights(weights) => traffic::plan(id, intent, weights, cx),
        Wish::Undo(undone) => undo::plan(id, intent, undone, cx),
    }?;
    super::check::check(&plan, cx.policy).map_err(|words| {
        Refusal::new(format!("the finished plan breaks a rule: {words}"), "please report this: it is a bug")
    })?;
    Ok(plan)
}

/// The objects that must be read before a plan can be made.
pub fn wanted(wish: &Wish, state: &State, operations: &[super::Operation]) -> Vec<Place> {
    let mut places = match wish {
        Wish::Scale(cells) => {
            cells.iter().flat_map(|cell| scaler::places(&cell.place, state)).collect::<Vec<_>>()
        }
        Wish::Restart(places) => places.clone(),
        Wish::Weights(weights) => {
            let place = |cluster: &ClusterId| Place { cluster: *cluster, object: weights.route.clone() };
            weights.clusters.iter().map(place).collect()
        }
        Wish::Undo(undone) => undo::places(undone, state, operations),
    };
    let mut known = std::collections::BTreeSet::new();
    places.retain(|place| known.insert(place.clone()));
    places
}

impl<'a> Cx<'a> {
    /// The cluster, if anything may be changed in it at all.
    fn cluster(self, id: ClusterId) -> Result<&'a Cluster, Refusal> {
        let cluster = self.state.cluster(id).ok_or_else(|| {
            Refusal::new("the cluster is not in the configuration any more", "open the dialog again")
        })?;
        let name = &cluster.spec.name;
        if cluster.spec.read_only {
            let words = format!("{name} is never to be changed from here");
            return Err(Refusal::new(words, "`read_only` says so in the configuration"));
        }
        if cluster.connection.as_ref().is_some_and(|it| it.insecure) && !self.policy.allow_insecure {
            let words = format!("the certificate of {name} is not checked");
            return Err(Refusal::new(words, "mend the kubeconfig, or allow it with `allow_insecure`"));
        }
        Ok(cluster)
    }

    /// Whether the cluster or the object is production; then its name must be typed.
    fn weigh_production(self, cluster: &Cluster, seen: &Seen, reasons: &mut Reasons) {
        if self.policy.is_production(cluster) {
            reasons.production(format!("{} is production", cluster.spec.name));
        } else if self.policy.marks_production(&scale::labels_at(&seen.value["metadata"]["labels"])) {
            reasons.production(format!("{} is labelled production", seen.place.object.key));
        }
    }

    fn seen(self, place: &Place) -> Result<&'a Seen, Refusal> {
        let seen = self.sight.of(place);
        let seen = seen.ok_or_else(|| Refusal::new(format!("{} was not read", place.object), "try again"))?;
        if self.now.since(seen.at) > self.policy.plan_expiry {
            let words = format!("{} was read {} ago", place.object, self.now.since(seen.at));
            return Err(Refusal::new(words, "open the dialog again"));
        }
        Ok(seen)
    }
}

/// What becomes of the word of whoever manages an object: a refusal, something that the operator should know, or nothing.
fn heed(verdict: &Verdict, about: impl std::fmt::Display, intent: &Intent) -> Result<Option<Note>, Refusal> {
    let words = format!("{about}: {}: {}", verdict.kind.words(), verdict.words);
    match verdict.kind {
        VerdictKind::Blocked | VerdictKind::WillBeReverted if !intent.overrides(Override::Owner) => {
            let by = &verdict.by;
            let hint = if by.is_empty() { String::new() } else { format!("change {by} instead") };
            Err(Refusal::new(words, hint).unless(Override::Owner))
        }
        VerdictKind::Unmanaged | VerdictKind::LeftAlone => Ok(None),
        _ => Ok(Some(Note::warning(words))),
    }
}

impl Step {
    /// A step on an object as it was seen; the planner fills in the rest.
    pub fn on(cluster: &Cluster, seen: &Seen, write: Write) -> Result<Self, Refusal> {
        let object = &seen.place.object;
        let nameless =
            || Refusal::new(format!("{object} has no uid or version"), "it cannot be changed safely");
        Ok(Self {
            cluster: ClusterRef::of(cluster),
            object: object.clone(),
            uid: seen.uid().ok_or_else(nameless)?,
            resource_version: seen.resource_version().map(Clean::new).ok_or_else(nameless)?,
            generation: seen.generation(),
            write,
            changes: Vec::new(),
            expect: Expect::Values,
            wait: Age::default(),
            follows: None,
            needs: Vec::new(),
        })
    }
}

impl ClusterRef {
    pub fn of(cluster: &Cluster) -> Self {
        let uid = match &cluster.identity {
            Identity::Uid(uid) => Some(uid.clone()),
            Identity::Unknown | Identity::Withheld => None,
        };
        let server = cluster.connection.as_ref().map(|it| it.server.clone()).unwrap_or_default();
        Self { name: cluster.spec.name.clone(), uid, server }
    }

    /// The cluster of this session that it is; never another one at the same address or of the same name.
    pub fn find<'a>(&self, state: &'a State) -> Option<&'a Cluster> {
        let known = |cluster: &Cluster| match (&self.uid, &cluster.identity) {
            (Some(own), Identity::Uid(uid)) => own == uid,
            (None, Identity::Withheld | Identity::Unknown) | (Some(_), Identity::Withheld) => {
                cluster.spec.name == self.name
            }
            _ => false,
        };
        let mut found: Vec<_> = state.clusters().filter(|cluster| known(cluster)).collect();
        found.sort_by_key(|cluster| (cluster.same_as.is_some(), cluster.spec.name != self.name));
        found.into_iter().next()
    }
}

impl Note {
    pub fn warning(text: impl Into<Clean>) -> Self {
        Self { is_warning: true, text: text.into() }
    }

    pub fn info(text: impl Into<Clean>) -> Self {
        Self { is_warning: false, text: text.into() }
    }
}

impl Plan {
    /// The clusters it touches, each once, in order.
    pub fn clusters(&self) -> Vec<&ClusterRef> {
        let mut clusters: Vec<&ClusterRef> = Vec::new();
        for step in &self.steps {
            if !clusters.contains(&&step.cluster) {
                clusters.push(&step.cluster);
            }
        }
        clusters
    }

    /// The objects it touches, each once: the first step on each.
    pub fn targets(&self) -> Vec<usize> {
        (0..self.steps.len()).filter(|at| self.steps[*at].follows.is_none()).collect()
    }

    /// The id of one step, unique over all operations; the object carries it.
    pub fn step_id(&self, step: usize) -> String {
        format!("{}-{}", self.id, step + 1)
    }

    /// Too old to be said yes to.
    pub fn is_expired(&self, now: Now, policy: &Policy) -> bool {
        now.age_of(self.made) > policy.plan_expiry
    }
}

/// How the clusters are called in the confirmation; that there are several is a reason for more words.
fn several(steps: &[Step], cx: Cx<'_>, reasons: &mut Reasons) -> String {
    use super::Strength;
    let mut clusters: Vec<&Cluster> = Vec::new();
    for found in steps.iter().filter_map(|step| step.cluster.find(cx.state)) {
        if !clusters.iter().any(|it| it.id == found.id) {
            clusters.push(found);
        }
    }
    let mut clouds: Vec<_> = clusters.iter().filter_map(|cluster| cluster.cloud()).collect();
    clouds.sort_unstable();
    clouds.dedup();
    if clusters.len() > 1 {
        reasons.several(Strength::Name, format!("{} clusters", clusters.len()));
    }
    if clouds.len() > 1 {
        reasons.several(Strength::Full, format!("{} clouds", clouds.len()));
    }
    match &clusters[..] {
        [only] => only.spec.name.to_string(),
        all => format!("{} clusters", all.len()),
    }
}

/// The one word that all have, or how many there are.
fn common<T: AsRef<str>>(words: impl Iterator<Item = T>, noun: &str) -> String {
    let mut words: Vec<String> = words.map(|word| word.as_ref().to_owned()).collect();
    words.sort_unstable();
    words.dedup();
    match &words[..] {
        [only] => only.clone(),
        all => format!("{} {noun}", all.len()),
    }
}

/// The values from before, in words; objects are named where there are several.
fn way_back(steps: &[Step]) -> Clean {
    let first = steps.first().map(|step| &step.object.key);
    let several = steps.iter().any(|step| Some(&step.object.key) != first);
    let mut parts = Vec::new();
    for step in steps.iter().filter(|step| step.follows.is_none()) {
        let moved = step.changes.iter().filter(|it| it.before != it.after);
        let values: Vec<_> = moved.map(|it| format!("{} {}", it.label, shown(&it.before))).collect();
        let of = if several { format!(" of {}", step.object.key.name) } else { String::new() };
        parts.push(format!("{}{of} in {}", values.join(", "), step.cluster.name));
    }
    Clean::from(format!("{}, as a new plan", parts.join("; ")))
}

/// A value in a text: `6`, `absent`.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "absent".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
