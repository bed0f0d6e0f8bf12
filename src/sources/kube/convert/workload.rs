//! Deployments, StatefulSets and ReplicaSets.

use bytes::Bytes;

use super::{
    Cx, Read, controller, count, created, decode, images, key, labels, meta, template_gpus, version,
};
use crate::clients::kube::wire::Encoding;
use crate::clients::kube::wire::messages::apps;
use crate::clients::kube::wire::messages::core::PodTemplateSpec;
use crate::clients::kube::wire::messages::meta::{ObjectMeta, unix};
use crate::fleet::rollout::{Counts, Partition, Revisions};
use crate::fleet::{Kind, Object, Owner, Revision, Rollout, Unix, Workload};

pub fn deployment(encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
    let wire: apps::Deployment = decode(encoding, bytes)?;
    let meta = meta(wire.metadata)?;
    let spec = wire.spec.unwrap_or_default();
    let status = wire.status.unwrap_or_default();
    let counts = Counts {
        generation: meta.generation,
        observed_generation: status.observed_generation,
        desired: spec.replicas.unwrap_or(1),
        total: status.replicas,
        ready: status.ready_replicas,
        updated: status.updated_replicas,
        available: status.available_replicas,
    };
    let progressing = status.conditions.iter().find(|it| it.kind == "Progressing");
    let late = progressing.filter(|it| it.reason == "ProgressDeadlineExceeded");
    let rollout = Rollout::of_deployment(counts, spec.paused, late.map(|it| it.message.as_str()));
    let since = progressing.and_then(|it| unix(it.last_update_time.as_ref()));
    let template = spec.template.unwrap_or_default();
    let made = Made { kind: Kind::Deployment, counts, rollout, since };
    Ok(workload(&meta, &template, made, cx))
}

pub fn stateful_set(encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
    let wire: apps::StatefulSet = decode(encoding, bytes)?;
    let meta = meta(wire.metadata)?;
    let spec = wire.spec.unwrap_or_default();
    let status = wire.status.unwrap_or_default();
    let counts = Counts {
        generation: meta.generation,
        observed_generation: status.observed_generation,
        desired: spec.replicas.unwrap_or(1),
        total: status.replicas,
        ready: status.ready_replicas,
        updated: status.updated_replicas,
        available: status.available_replicas,
    };
    let update = spec.update_strategy.unwrap_or_default();
    let strategy = (update.kind != "OnDelete")
        .then(|| Partition(update.rolling_update.map(|rolling| rolling.partition.unwrap_or(0))));
    let same = status.current_revision == status.update_revision;
    let revisions = if same { Revisions::Same } else { Revisions::Differ };
    let rollout = Rollout::of_stateful_set(counts, strategy, revisions);
    let template = spec.template.unwrap_or_default();
    let made = Made { kind: Kind::StatefulSet, counts, rollout, since: None };
    Ok(workload(&meta, &template, made, cx))
}

/// A ReplicaSet is a revision of the Deployment or Rollout that made it, or a workload of its own. The empty
/// ones that are kept for rolling back are of no interest.
pub fn replica_set(encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
    let wire: apps::ReplicaSet = decode(encoding, bytes)?;
    let meta = meta(wire.metadata)?;
    let spec = wire.spec.unwrap_or_default();
    let status = wire.status.unwrap_or_default();
    let template = spec.template.unwrap_or_default();
    let desired = spec.replicas.unwrap_or(1);
    let Some(owner) = controller(&meta, cx) else {
        let counts = Counts {
            desired,
            total: status.replicas,
            ready: status.ready_replicas,
            updated: status.replicas,
            available: status.available_replicas,
            ..Counts::default()
        };
        let rollout = Rollout::of_deployment(counts, false, None);
        let made = Made { kind: Kind::ReplicaSet, counts, rollout, since: None };
        return Ok(workload(&meta, &template, made, cx));
    };
    if desired == 0 && status.replicas == 0 {
        return Ok(Read::new(&meta, cx, None));
    }
    let number = ["deployment.kubernetes.io/revision", "rollout.argoproj.io/revision"]
        .iter()
        .find_map(|name| meta.annotations.get(*name)?.parse().ok());
    let revision = Revision {
        key: key(&meta, cx),
        owner,
        number,
        desired: count(desired),
        ready: count(status.ready_replicas),
        version: version(&meta, &template, cx),
        created: created(&meta),
    };
    Ok(Read::new(&meta, cx, Some(Object::Revision(Box::new(revision)))))
}

/// What differs between the kinds.
pub(super) struct Made {
    pub kind: Kind,
    pub counts: Counts,
    pub rollout: Rollout,
    pub since: Option<Unix>,
}

pub(super) fn workload(meta: &ObjectMeta, template: &PodTemplateSpec, made: Made, cx: &mut Cx) -> Read {
    let pod_meta = template.metadata.clone().unwrap_or_default();
    let workload = Workload {
        kind: made.kind,
        key: key(meta, cx),
        uid: crate::fleet::Clean::new(&meta.uid),
        generation: meta.generation,
        desired: count(made.counts.desired),
        ready: count(made.counts.ready),
        updated: count(made.counts.updated),
        available: count(made.counts.available),
        rollout: made.rollout,
        rollout_since: made.since,
        version: version(meta, template, cx),
        images: images(template, cx),
        gpus_per_replica: template_gpus(template),
        labels: labels(meta, cx),
        pod_labels: labels(&pod_meta, cx),
        steers: Box::new([]),
        owner: maker(meta, cx),
        created: created(meta),
    };
    Read::new(meta, cx, Some(Object::Workload(Box::new(workload))))
}

/// What made a workload. The workers of a LeaderWorkerSet belong to the Pod of their leader, which says less
/// than the label that both carry.
fn maker(meta: &ObjectMeta, cx: &mut Cx) -> Option<Owner> {
    let owner = controller(meta, cx)?;
    match meta.labels.get("leaderworkerset.sigs.k8s.io/name") {
        Some(set) if owner.kind == Kind::Pod.name() => {
            Some(Owner { kind: cx.names.intern(Kind::LeaderWorkerSet.name()), name: cx.names.intern(set) })
        }
        _ => Some(owner),
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_cx;
    use super::*;

    type Reader = fn(Encoding, &Bytes, &mut Cx) -> Result<Read, String>;

    fn read(reader: Reader, json: &str) -> Option<Object> {
        reader(Encoding::Json, &Bytes::copy_from_slice(json.as_bytes()), &mut test_cx()).unwrap().object
    }

    #[test]
    fn a_deployment_with_its_version_and_gpus() {
        let json = r#"{"metadata":{"name":"ml-inference","namespace":"ml","generation":3},
            "spec":{"replicas":6,"template":{"metadata":{"labels":{"app.kubernetes.io/version":"1.4.2"}},
              "spec":{"containers":[{"name":"s","image":"r/i:v9","resources":{"limits":{"nvidia.com/gpu":"2"}}}]}}},
            "status":{"observedGeneration":3,"replicas":6,"updatedReplicas":6,"readyReplicas":5,"availableReplicas":5,
              "conditions":[{"type":"Progressing","status":"True","lastUpdateTime":"2026-01-01T00:00:00Z"}]}}"#;
        let Some(Object::Workload(it)) = read(deployment, json) else { panic!() };
        assert_eq!((it.ready, it.desired, it.gpus_per_replica.whole), (5, 6, 2));
        assert_eq!((&*it.version.name, &*it.version.from), ("1.4.2", "label app.kubernetes.io/version"));
        assert_eq!(it.rollout.words(), "5 of 6 updated replicas available");
        assert_eq!(it.rollout_since, Unix::parse("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn absent_replicas_are_one_and_no_label_leaves_the_image() {
        let json =
            r#"{"metadata":{"name":"d"},"spec":{"template":{"spec":{"containers":[{"image":"r/i:v9"}]}}}}"#;
        let Some(Object::Workload(it)) = read(deployment, json) else { panic!() };
        assert_eq!((it.desired, &*it.version.name), (1, "v9"));
    }

    #[test]
    fn the_workers_of_a_leader_worker_set_are_its_parts() {
        let json = r#"{"metadata":{"name":"llm-0","labels":{"leaderworkerset.sigs.k8s.io/name":"llm"},
            "ownerReferences":[{"kind":"Pod","name":"llm-0","controller":true}]},"spec":{"replicas":1}}"#;
        let Some(Object::Workload(it)) = read(stateful_set, json) else { panic!() };
        let owner = it.owner.unwrap();
        assert_eq!((&*owner.kind, &*owner.name), ("LeaderWorkerSet", "llm"));
    }

    #[test]
    fn a_replica_set_is_a_revision_or_a_workload_or_nothing() {
        let owned = |replicas: i32| {
            format!(
                r#"{{"metadata":{{"name":"d-1","annotations":{{"deployment.kubernetes.io/revision":"17"}},
                   "ownerReferences":[{{"kind":"Deployment","name":"d","controller":true}}]}},"spec":{{"replicas":{replicas}}}}}"#
            )
        };
        let Some(Object::Revision(it)) = read(replica_set, &owned(3)) else { panic!() };
        assert_eq!((it.number, &*it.owner.name), (Some(17), "d"));
        assert_eq!(read(replica_set, &owned(0)), None);
        let alone = r#"{"metadata":{"name":"alone"},"spec":{"replicas":2}}"#;
        assert!(
            matches!(read(replica_set, alone), Some(Object::Workload(it)) if it.kind == Kind::ReplicaSet)
        );
    }
}
