//! The fields of an object that an operator asks for first, in words.

mod cluster;

use serde_json::Value;

use super::{Inspect, Line, room};
use crate::fleet::node::Readiness;
use crate::fleet::{Clean, GpuCount, Job, Kind, Node, Pod, Rollout, Subject, Unix, Workload};
use crate::state::select::{jobs, replicas};
use crate::state::{Cluster, Freshness, State};
use crate::ui::{Cell, Meaning, text};

/// `Deployment ml-platform/ml-inference in aws-east`
pub fn title(state: &State, inspect: &Inspect) -> Clean {
    let cluster = state.cluster(inspect.cluster);
    let place = cluster.map_or("a cluster that is gone", |it| &it.spec.name);
    let kind = |kind: Kind| {
        cluster.map_or_else(|| kind.name().into(), |it| crate::state::findings::kind_name(it, kind))
    };
    let what = match &inspect.subject {
        Subject::Cluster => return Clean::from(format!("Cluster {place}")),
        Subject::Node(name) => format!("Node {name}"),
        Subject::Namespace(name) => format!("Namespace {name}"),
        Subject::Workload(id) | Subject::Job(id) | Subject::Route(id) => {
            format!("{} {}", kind(id.kind), id.key)
        }
        Subject::Pod(key) => format!("Pod {key}"),
    };
    Clean::from(format!("{what} in {place}"))
}

pub fn lines(state: &State, inspect: &Inspect) -> Vec<Line> {
    let Some(cluster) = state.cluster(inspect.cluster) else {
        return vec![Line::words("the cluster is not configured any more", Meaning::Muted)];
    };
    let mut page = Page { state, lines: Vec::new() };
    let found = match &inspect.subject {
        Subject::Cluster => {
            page.cluster(cluster);
            true
        }
        Subject::Node(name) => {
            page.found(cluster.objects.nodes.values().find(|it| it.name == *name), |page, it| {
                page.node(cluster, it);
            })
        }
        Subject::Namespace(name) => {
            page.found(cluster.objects.namespaces.values().find(|it| it.name == *name), |page, it| {
                page.since("being deleted", it.terminating_since);
            })
        }
        Subject::Workload(id) => {
            let object = inspect.got();
            page.found(cluster.objects.workloads.get(id), |page, it| page.workload(cluster, it, object))
        }
        Subject::Job(id) => page.found(cluster.objects.jobs.get(id), |page, it| page.job(cluster, it)),
        Subject::Pod(key) => page.found(cluster.objects.pods.get(key), Page::pod),
        Subject::Route(id) => match super::route::lines(state, cluster.id, id) {
            Some(lines) => return lines,
            None => false,
        },
    };
    if !found {
        page.lines.push(Line::words("it is not there (any more)", Meaning::Warning));
    }
    page.lines
}

struct Page<'a> {
    state: &'a State,
    lines: Vec<Line>,
}

impl Page<'_> {
    fn found<T>(&mut self, object: Option<&T>, show: impl FnOnce(&mut Self, &T)) -> bool {
        object.inspect(|object| show(self, object)).is_some()
    }

    /// A field; nothing at all when there is nothing to say.
    fn field(&mut self, name: &str, value: impl Into<Clean>) {
        self.toned(name, value, Meaning::Text);
    }

    fn toned(&mut self, name: &str, value: impl Into<Clean>, meaning: Meaning) {
        let value = value.into();
        if !value.is_empty() {
            let cell = Cell::new(format!("{name:<14} "), Meaning::Key).and(value, meaning);
            self.lines.push(Line { cell, target: None });
        }
    }

    fn since(&mut self, name: &str, at: Option<Unix>) {
        if let Some(at) = at.filter(|at| at.0 > 0) {
            self.field(name, format!("{} ({} ago)", at.rfc3339(), self.state.now.age_of(at)));
        }
    }

    fn worth(&mut self, freshness: &Freshness) {
        match freshness {
            Freshness::Live => self.toned("data", "live", Meaning::Good),
            other if let Some(age) = other.age(self.state.now) => {
                self.toned("data", format!("as of {age} ago"), Meaning::Warning);
            }
            other => self.toned("data", other.word(), Meaning::Unknown),
        }
    }

    fn node(&mut self, cluster: &Cluster, node: &Node) {
        self.worth(&cluster.freshness(Kind::Node, self.state.now, self.state.settings.stale_after));
        match &node.readiness {
            Readiness::Ready => self.toned("state", "ready", Meaning::Good),
            Readiness::NotReported => self.toned("state", "its kubelet has not reported", Meaning::Warning),
            Readiness::NotReady(it) | Readiness::Unknown(it) => {
                self.toned("state", format!("not ready: {} {}", it.reason, it.message), Meaning::Bad);
                self.since("since", it.since);
            }
        }
        if node.unschedulable {
            self.toned("scheduling", "cordoned: takes no new pods", Meaning::Warning);
        }
        for it in &node.complaints {
            self.toned(
                "complaint",
                format!("{}: {} {}", it.condition, it.reason, it.message),
                Meaning::Warning,
            );
        }
        let place = [
            node.place.cloud.as_ref().map(|it| it.name().to_owned()),
            node.place.region.as_ref().map(ToString::to_string),
            node.place.zone.as_ref().map(ToString::to_string),
        ];
        self.field("place", place.into_iter().flatten().collect::<Vec<_>>().join(" › "));
        self.field("machine", node.instance_type.clone().unwrap_or_default());
        self.field("GPU", node.gpu_product.clone().unwrap_or_default());
        let used = cluster.objects.usage.of_node(&node.name).cloned().unwrap_or_default();
        if !node.gpus_allocatable.is_none() {
            self.field(
                "GPUs",
                format!("{} requested of {} allocatable", used.gpus_requested, node.gpus_allocatable),
            );
        }
        self.field("pods", used.pods.to_string());
        self.field("kubelet", node.kubelet_version.clone());
        self.since("created", Some(node.created));
    }

    fn workload(&mut self, cluster: &Cluster, it: &Workload, object: Option<&Value>) {
        self.worth(&cluster.freshness(it.kind, self.state.now, self.state.settings.stale_after));
        let short = it.ready < it.desired;
        let meaning = if short { Meaning::Warning } else { Meaning::Good };
        self.toned(
            "replicas",
            format!(
                "{} ready of {}; {} updated, {} available",
                it.ready, it.desired, it.updated, it.available
            ),
            meaning,
        );
        let (word, meaning) = match &it.rollout {
            Rollout::Complete => ("complete", Meaning::Good),
            Rollout::Progressing(_) => ("progressing: ", Meaning::Progress),
            Rollout::Stuck(_) => ("stuck: ", Meaning::Bad),
            Rollout::Paused(_) => ("", Meaning::Progress),
        };
        self.toned("rollout", format!("{word}{}", it.rollout.words()), meaning);
        self.since("since", it.rollout_since);
        if !it.version.name.is_empty() {
            self.field("version", format!("{} (from {})", it.version.name, it.version.from));
        }
        for image in &it.images {
            self.field("image", image.clone());
        }
        if !it.gpus_per_replica.is_none() {
            let all = it.gpus_per_replica * it.desired;
            self.field("GPUs", format!("{} a replica, {all} in all", it.gpus_per_replica));
        }
        if let Some((words, meaning)) = object.map(|object| room::words(self.state, cluster, it, object)) {
            self.toned("room", words, meaning);
        }
        self.scaling(cluster, it);
        if let Some(owner) = &it.owner {
            self.field("owner", format!("{} {}", owner.kind, owner.name));
        }
        self.field("generation", it.generation.to_string());
        self.since("created", Some(it.created));
        self.revisions(cluster, it);
        self.elsewhere(cluster, it);
    }

    fn scaling(&mut self, cluster: &Cluster, it: &Workload) {
        let scalers = cluster.objects.autoscalers.values().filter(|scaler| {
            scaler.key.namespace == it.key.namespace
                && scaler.target.name == it.key.name
                && scaler.target.kind == it.kind.name()
        });
        for scaler in scalers {
            let range = replicas::range(scaler);
            let wish = scaler.desired.map(|it| format!(", asks for {it}")).unwrap_or_default();
            let note = if range.note.is_empty() { String::new() } else { format!("; {}", range.note) };
            self.field(
                "autoscaler",
                format!("{} {}: {} to {}{wish}{note}", range.by, scaler.key.name, range.min, range.max),
            );
        }
        for budget in cluster.objects.budgets.values() {
            if budget.key.namespace == it.key.namespace && budget.covers(&it.pod_labels) {
                self.field(
                    "budget",
                    format!(
                        "{}: {} may be disrupted ({} healthy, {} wanted); it does not limit scaling",
                        budget.key.name, budget.disruptions_allowed, budget.healthy, budget.healthy_wanted
                    ),
                );
            }
        }
    }

    fn revisions(&mut self, cluster: &Cluster, it: &Workload) {
        let mut revisions: Vec<_> = cluster
            .objects
            .revisions
            .values()
            .filter(|revision| {
                revision.key.namespace == it.key.namespace
                    && revision.owner.name == it.key.name
                    && revision.owner.kind == it.kind.name()
            })
            .collect();
        revisions.sort_by_key(|revision| std::cmp::Reverse(revision.number));
        if revisions.len() > 1 {
            for it in revisions {
                let number = it.number.map_or_else(|| "?".into(), |number| number.to_string());
                self.field(
                    "revision",
                    format!(
                        "{number}: {}/{} ready, {}, {}",
                        it.ready, it.desired, it.version.name, it.key.name
                    ),
                );
            }
        }
    }

    /// The same service in other clusters.
    fn elsewhere(&mut self, cluster: &Cluster, it: &Workload) {
        let name = replicas::group_name(&self.state.settings.grouping, it);
        let groups = replicas::groups(self.state);
        let Some(group) = groups.iter().find(|group| group.name == name) else { return };
        for (id, cell) in group.cells.iter().filter(|(id, _)| *id != cluster.id) {
            let Some(other) = self.state.cluster(id) else { continue };
            let versions = cell.versions.iter().map(Clean::as_str).collect::<Vec<_>>().join(" + ");
            let ready = if cell.freshness.is_whole() { cell.ready.to_string() } else { "?".into() };
            self.field("elsewhere", format!("{}: {ready}/{} {versions}", other.spec.name, cell.desired));
        }
    }

    fn job(&mut self, cluster: &Cluster, job: &std::sync::Arc<Job>) {
        let row = jobs::one(self.state, cluster, job);
        self.worth(&row.freshness);
        let meaning = match row.phase {
            crate::fleet::JobPhase::Failed => Meaning::Bad,
            crate::fleet::JobPhase::Running => Meaning::Good,
            _ => Meaning::Text,
        };
        self.toned("phase", row.phase.name(), meaning);
        self.field("decided by", row.rule.clone());
        self.field("because", row.message.clone());
        if let Some(progress) = job.progress {
            self.field("progress", text::percent(progress));
        }
        self.since("created", Some(job.created));
        self.since("started", job.started);
        self.since("ended", job.ended);
        self.field("duration", row.duration(self.state.now).map(|it| it.to_string()).unwrap_or_default());
        let told = |count: Option<u32>, word: &str| count.map(|count| format!("{count} {word}"));
        let pods = [
            told(job.pods.wanted, "wanted"),
            told(job.pods.active, "active"),
            told(job.pods.ready, "ready"),
            told(job.pods.succeeded, "succeeded"),
            told(job.pods.failed, "failed"),
        ];
        self.field("pods", pods.into_iter().flatten().collect::<Vec<_>>().join(", "));
        let gpus = job.gpus.filter(|gpus| *gpus != GpuCount::NONE);
        self.field("GPUs", gpus.map(|gpus| gpus.to_string()).unwrap_or_default());
        self.field("queue", row.queue.unwrap_or_default());
        self.field("restarts", job.restarts.map(|it| it.to_string()).unwrap_or_default());
        if let Some(owner) = &job.owner {
            self.field("owner", format!("{} {}", owner.kind, owner.name));
        }
        for (name, value) in &job.columns {
            self.field(&name.to_lowercase(), value.clone());
        }
        for (name, value) in &job.metrics {
            self.field("metric", format!("{name} {value}"));
        }
    }

    fn pod(&mut self, pod: &Pod) {
        let meaning = if pod.trouble.is_some() { Meaning::Bad } else { Meaning::Text };
        self.toned("status", pod.status.clone(), meaning);
        self.field("ready", format!("{} of {} containers", pod.containers_ready, pod.containers));
        if let Some(trouble) = &pod.trouble {
            self.toned("trouble", format!("{} {}", trouble.reason, trouble.container), Meaning::Bad);
            self.field("message", trouble.message.clone());
            self.field("last end", trouble.last_end.clone());
            self.since("since", trouble.since);
        }
        self.field("restarts", pod.restarts.to_string());
        self.field("node", pod.node.clone().unwrap_or_else(|| "none yet".into()));
        if let Some(owner) = &pod.owner {
            self.field("owner", format!("{} {}", owner.kind, owner.name));
        }
        self.field("image", pod.image.clone());
        if !pod.gpus.is_none() {
            self.field("GPUs", pod.gpus.to_string());
        }
        self.since("created", Some(pod.created));
    }
}
