//! A world whose objects can be written, and a desk whose commands are done against it, one by one.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use skydeck::fleet::{ChangeId, Clean, ClusterId, Kind, ObjectId, ObjectKey, Unix};
use skydeck::gate::machine::{Answered, Command, Event, Rejection, Report, Written};
use skydeck::gate::operation::{Actor, Operation, Outcome, Phase};
use skydeck::gate::patch::{ANNOTATION, Op};
use skydeck::gate::plan::Write;
use skydeck::gate::record::replay;
use skydeck::gate::{
    Amount, Approved, Desk, Intent, Place, Plan, Policy, Record, Refusal, ScaleTo, Seen, Sight, Wish, settle,
};
use std::sync::Arc;

use crate::world::World;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Applied,
    /// The server says no, and nothing changed.
    Refused {
        conflict: bool,
        may_pass: bool,
    },
    /// The answer is lost.
    Lost {
        applied: bool,
    },
}

pub struct Bench {
    pub world: World,
    pub desk: Desk,
    pub objects: BTreeMap<(ClusterId, ObjectId), Value>,
    pub journal: Vec<Record>,
    /// Marks of requests that reached a server, in order, and whether they changed something.
    pub sent: Vec<(String, bool)>,
    pub fates: VecDeque<Fate>,
    /// The journal takes so many records more; then the disk is full.
    pub room: usize,
    /// Pods do not become ready.
    pub slow: bool,
    /// Boundaries until the console dies: before and after each command.
    pub dies_after: Option<usize>,
    queue: VecDeque<Command>,
    next_id: u64,
}

/// The console died.
#[derive(Debug)]
pub struct Died;

pub fn actor() -> Actor {
    Actor { user: "ada".into(), host: "bastion".into(), process: 1 }
}

pub fn policy() -> Policy {
    Policy::default()
}

impl Bench {
    /// Clusters with their objects; each object gets a uid, a generation and a version.
    pub fn new(policy: Policy, clusters: &[(&str, &str, Vec<Value>)]) -> Self {
        let mut world = World::new();
        let mut objects = BTreeMap::new();
        for (name, version, of) in clusters {
            let of: Vec<Value> = of.iter().cloned().map(versioned).collect();
            let id = world.cluster(name, version, 0, &of);
            for object in of {
                objects.insert((id, object_id(&object)), object);
            }
        }
        Self {
            world,
            desk: Desk::new(policy, actor()),
            objects,
            journal: Vec::new(),
            sent: Vec::new(),
            fates: VecDeque::new(),
            room: usize::MAX,
            slow: false,
            dies_after: None,
            queue: VecDeque::new(),
            next_id: 1,
        }
    }

    pub fn id(&mut self) -> ChangeId {
        self.next_id += 1;
        ChangeId::new(self.next_id, 0)
    }

    pub fn place(&self, cluster: &str, kind: Kind, name: &str) -> Place {
        let cluster = self.world.state.cluster_named(cluster).unwrap().id;
        let (namespace, name) = name.split_once('/').unwrap();
        Place { cluster, object: ObjectId { kind, key: ObjectKey::new(namespace, name) } }
    }

    pub fn object(&self, place: &Place) -> &Value {
        &self.objects[&(place.cluster, place.object.clone())]
    }

    pub fn scale(&self, cells: &[(&str, &str, Amount)]) -> Intent {
        let cell = |(cluster, name, to): &(&str, &str, Amount)| ScaleTo {
            place: self.place(cluster, Kind::Deployment, name),
            to: *to,
        };
        Intent::new(Wish::Scale(cells.iter().map(cell).collect()))
    }

    pub fn look(&self, wish: &Wish) -> Sight {
        let at = self.world.state.now.mono;
        let seen = |place: Place| {
            let value = self.objects.get(&(place.cluster, place.object.clone()))?;
            Some(Seen { value: Arc::new(value.clone()), place, at })
        };
        let places = self.desk.wanted(wish, &self.world.state);
        Sight { objects: places.into_iter().filter_map(seen).collect(), ..Sight::default() }
    }

    pub fn plan(&mut self, intent: &Intent) -> Result<Plan, Refusal> {
        let (id, sight) = (self.id(), self.look(&intent.wish));
        self.desk.plan(&id, intent, &sight, &self.world.state)
    }

    /// Plans, has the targets asked, unlocks and confirms.
    pub fn confirmed(&mut self, intent: &Intent) -> ChangeId {
        let plan = self.plan(intent).unwrap();
        let (id, phrase) = (plan.id.clone(), plan.confirm.phrase.clone());
        let commands = self.desk.begin(plan, &self.world.state);
        self.queue.extend(commands);
        self.drive().unwrap();
        self.unlock_all();
        self.on(&id, Event::Confirm { words: phrase });
        id
    }

    /// Does what was commanded, unlocks, and says yes with the right words.
    pub fn confirm_after(&mut self, commands: Vec<Command>, id: &ChangeId) -> ChangeId {
        self.queue(commands);
        self.drive().unwrap();
        self.unlock_all();
        let phrase = self.operation(id).plan.confirm.phrase.clone();
        self.on(id, Event::Confirm { words: phrase });
        self.drive().unwrap();
        id.clone()
    }

    pub fn queue(&mut self, commands: Vec<Command>) {
        self.queue.extend(commands);
    }

    pub fn unlock_all(&mut self) {
        let clusters: Vec<_> = self.world.state.clusters().map(|it| it.id).collect();
        for cluster in clusters {
            self.desk.unlocks.open(cluster, self.world.state.now);
        }
    }

    pub fn on(&mut self, id: &ChangeId, event: Event) {
        let commands = self.desk.on(id, event, &self.world.state);
        self.queue.extend(commands);
    }

    pub fn operation(&self, id: &ChangeId) -> &Operation {
        self.desk.operation(id).unwrap()
    }

    /// Seconds pass, at most so many, until the operation stands still with nothing unknown.
    pub fn run(&mut self, id: &ChangeId, most: u64) -> Result<(), Died> {
        for _ in 0..most {
            self.drive()?;
            let operation = self.operation(id);
            let waits = matches!(operation.phase, Phase::Paused(_)) && operation.unknown().is_empty();
            let settled = operation.steps.iter().all(|it| it.state != skydeck::gate::StepState::Confirmed);
            if waits && settled || matches!(operation.phase, Phase::Ended(_)) {
                return self.drive();
            }
            self.second();
        }
        Ok(())
    }

    /// One second: everything is heard, operations go on.
    pub fn second(&mut self) {
        let clusters: Vec<_> = self.world.state.clusters().map(|it| it.id).collect();
        self.world.later(1);
        for cluster in clusters {
            self.world.heard(cluster);
        }
        let commands = self.desk.tick(&self.world.state);
        self.queue.extend(commands);
    }

    /// Does what is commanded until nothing is.
    pub fn drive(&mut self) -> Result<(), Died> {
        while let Some(command) = self.queue.pop_front() {
            self.boundary()?;
            let change = command.change().clone();
            let event = self.perform(command);
            self.boundary()?;
            if let Some(event) = event {
                self.on(&change, event);
            }
        }
        Ok(())
    }

    fn boundary(&mut self) -> Result<(), Died> {
        match &mut self.dies_after {
            Some(0) => Err(Died),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The same machine, later: a new console with nothing but the journal.
    pub fn restart(&mut self) {
        self.queue.clear();
        self.dies_after = None;
        self.desk = Desk::new(self.desk.policy.clone(), actor());
        self.desk.remember(replay(&self.journal));
    }

    fn perform(&mut self, command: Command) -> Option<Event> {
        match command {
            Command::Check { plan, step, .. } => {
                let answer = match self.differs(&plan, step) {
                    None => Ok(Report::default()),
                    Some(words) => Err(Rejection { is_conflict: true, ..Rejection::new(words) }),
                };
                Some(Event::Checked { step, answer })
            }
            Command::Journal(record) => {
                let of = Written::of(&record);
                if self.room == 0 {
                    return Some(Event::Journaled { of, outcome: Err("No space left on device".into()) });
                }
                self.room -= 1;
                self.journal.push(record);
                Some(Event::Journaled { of, outcome: Ok(()) })
            }
            Command::Announce { .. } => Some(Event::Announced(Ok(()))),
            Command::Send(approved) => {
                let step = approved.number();
                Some(Event::Answered { step, answer: self.send(&approved) })
            }
            Command::Read { plan, step, cluster } => {
                let object = self.objects.get(&(cluster, plan.steps[step].object.clone()));
                Some(Event::Read { step, object: Ok(object.cloned().map(Arc::new)) })
            }
            Command::Withdraw { .. } => None,
        }
    }

    fn differs(&self, plan: &Plan, step: usize) -> Option<Clean> {
        let planned = &plan.steps[step];
        let cluster = planned.cluster.find(&self.world.state)?.id;
        let object = self.objects.get(&(cluster, planned.object.clone()))?;
        precondition(object, &planned.write, planned.generation).err()
    }

    fn send(&mut self, approved: &Approved) -> Answered {
        let fate = self.fates.pop_front().unwrap_or(Fate::Applied);
        let key = (approved.cluster(), approved.object().clone());
        let write = with_mark(&approved.step().write, &approved.mark());
        let (refused, applies) = match fate {
            Fate::Refused { conflict, may_pass } => (Some((conflict, may_pass)), false),
            Fate::Lost { applied } => (None, applied),
            Fate::Applied => (None, true),
        };
        let object = &self.objects[&key];
        let generation = approved.builds_on().map_or(approved.step().generation, |it| it.generation);
        let builds = match (approved.builds_on(), &write) {
            (Some(_), Write::Patch(_)) if object["metadata"]["generation"].as_i64() != generation => {
                Err("testing value /metadata/generation failed".into())
            }
            _ => Ok(()),
        };
        let holds = builds.and_then(|()| precondition(object, &write, generation));
        let changed = applies && holds.is_ok();
        self.sent.push((approved.mark(), changed));
        if changed {
            let next = written(object.clone(), &write, self.world.state.now.unix, self.slow);
            self.put(key.clone(), next);
        }
        match (fate, refused, holds) {
            (Fate::Lost { .. }, ..) => Answered::Unknown { words: "no answer within 10s".into() },
            (_, Some((conflict, may_pass)), _) => {
                Answered::Refused { words: "the server says no".into(), conflict, may_pass }
            }
            (_, None, Err(words)) => Answered::Refused { words, conflict: true, may_pass: false },
            (_, None, Ok(())) => {
                let mut version = settle::version(&self.objects[&key]);
                if matches!(write, Write::Scale { .. }) {
                    version.generation = None;
                }
                Answered::Confirmed { version }
            }
        }
    }

    /// An object as the server has it now; the watch tells of it at once.
    pub fn put(&mut self, key: (ClusterId, ObjectId), object: Value) {
        let at = self.world.state.now.mono;
        self.world.item(key.0, at, &object);
        self.objects.insert(key, object);
    }

    /// Somebody else writes a value.
    pub fn edit(&mut self, place: &Place, pointer: &str, value: Value) {
        let mut object = self.object(place).clone();
        *object.pointer_mut(pointer).unwrap() = value;
        bump(&mut object, true);
        self.put((place.cluster, place.object.clone()), object);
    }

    pub fn outcome(&self, id: &ChangeId) -> Outcome {
        match &self.operation(id).phase {
            Phase::Ended(outcome) => *outcome,
            other => panic!("it has not ended: {other:?}\n{:#?}", self.operation(id).steps),
        }
    }
}

pub fn object_id(object: &Value) -> ObjectId {
    let kind = object["kind"].as_str().unwrap();
    let kind = Kind::ALL.into_iter().find(|it| it.name() == kind).unwrap();
    let meta = &object["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    ObjectId { kind, key: ObjectKey::new(&text(&meta["namespace"]), &text(&meta["name"])) }
}

fn versioned(mut object: Value) -> Value {
    object["metadata"]["resourceVersion"] = "100".into();
    object
}

fn bump(object: &mut Value, spec: bool) {
    let version: u64 = object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
    object["metadata"]["resourceVersion"] = (version + 1).to_string().into();
    let has_generation = object["kind"] != "HorizontalPodAutoscaler";
    if spec && has_generation {
        let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
        object["metadata"]["generation"] = (generation + 1).into();
        object["status"]["observedGeneration"] = (generation + 1).into();
    }
}

/// The patch as it goes out, with the mark of this sending.
fn with_mark(write: &Write, mark: &str) -> Write {
    let Write::Patch(ops) = write else { return write.clone() };
    let marked = |op: &Op| match op {
        Op::Add { path, value } if path.contains("/metadata/annotations") && path.contains("change-id") => {
            let _ = value;
            Op::add(path, mark)
        }
        Op::Add { path, value: Value::Object(map) } if map.contains_key(ANNOTATION) => {
            Op::add(path, json!({ANNOTATION: mark}))
        }
        other => other.clone(),
    };
    Write::Patch(ops.iter().map(marked).collect())
}

fn precondition(object: &Value, write: &Write, generation: Option<i64>) -> Result<(), Clean> {
    match write {
        Write::Scale { .. } if object["metadata"]["generation"].as_i64() != generation => {
            Err("the object has been modified".into())
        }
        Write::Scale { .. } => Ok(()),
        Write::Patch(ops) => {
            let failed = ops.iter().find(|op| match op {
                Op::Test { path, value } => object.pointer(path).unwrap_or(&Value::Null) != value,
                _ => false,
            });
            failed.map_or(Ok(()), |op| Err(Clean::from(format!("testing value {} failed", op.path()))))
        }
    }
}

const READY: [&str; 4] = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"];

/// The object after the write: spec, version, generation and, for a workload, pods that are ready at once.
fn written(mut object: Value, write: &Write, now: Unix, slow: bool) -> Value {
    let before = object["spec"].clone();
    match write {
        Write::Scale { replicas } => {
            object["spec"]["replicas"] = (*replicas).into();
            object["metadata"]["managedFields"] = json!([{"manager": "skydeck", "operation": "Update",
                "subresource": "scale", "time": now.rfc3339()}]);
            let ready = if slow { &[][..] } else { &READY[..] };
            for count in ready {
                object["status"][*count] = (*replicas).into();
            }
        }
        Write::Patch(ops) => {
            let changes: Vec<&Op> = ops.iter().filter(|op| !op.is_test()).collect();
            let patch: json_patch::Patch = serde_json::from_value(json!(changes)).unwrap();
            json_patch::patch(&mut object, &patch).unwrap();
        }
    }
    let changed = object["spec"] != before;
    bump(&mut object, changed);
    object
}
