//! The table of kinds: where each is found and how it is read. A new kind is a row here and a conversion.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::convert::{self, Cx, Read};
use crate::clients::kube::wire::Encoding;
use crate::clients::kube::{ACCEPT_BOTH, ACCEPT_BOTH_WATCH, ACCEPT_JSON, encode};
use crate::config::JobKind;
use crate::fleet::{Kind, ObjectKey};

/// How to read one kind.
#[derive(Debug, Clone)]
pub struct Resource {
    pub kind: Kind,
    /// Empty for the core group.
    pub group: String,
    /// Versions whose shape is understood, the best first.
    pub versions: Vec<String>,
    pub plural: String,
    reader: Reader,
    /// A further condition that the server applies: `fieldSelector=…`.
    pub condition: &'static str,
}

type ValueReader = fn(&Value, &mut Cx) -> Result<Read, String>;

#[derive(Debug, Clone)]
enum Reader {
    /// A built-in kind: protobuf or JSON.
    Typed(fn(Encoding, &Bytes, &mut Cx) -> Result<Read, String>),
    /// A custom resource whose shape the program knows.
    Value(ValueReader),
    /// A job kind by rules.
    Job(Kind, Arc<JobKind>),
}

/// The kinds that every cluster serves.
pub fn built_in() -> Vec<Resource> {
    let row = |kind, group: &str, plural: &str, reader| Resource {
        kind,
        group: group.to_owned(),
        versions: vec![if group == "autoscaling" { "v2" } else { "v1" }.to_owned()],
        plural: plural.to_owned(),
        reader: Reader::Typed(reader),
        condition: if kind == Kind::Event { "fieldSelector=type%3DWarning" } else { "" },
    };
    vec![
        row(Kind::Pod, "", "pods", convert::pod::pod),
        row(Kind::Node, "", "nodes", convert::node::node),
        row(Kind::Namespace, "", "namespaces", convert::node::namespace),
        row(Kind::Deployment, "apps", "deployments", convert::workload::deployment),
        row(Kind::StatefulSet, "apps", "statefulsets", convert::workload::stateful_set),
        row(Kind::Job, "batch", "jobs", convert::job::job),
        row(Kind::HorizontalPodAutoscaler, "autoscaling", "horizontalpodautoscalers", convert::scaling::hpa),
        row(Kind::CronJob, "batch", "cronjobs", convert::job::cron_job),
        row(Kind::Event, "", "events", convert::event::event),
        row(Kind::ReplicaSet, "apps", "replicasets", convert::workload::replica_set),
        row(Kind::PodDisruptionBudget, "policy", "poddisruptionbudgets", convert::scaling::budget),
        row(Kind::Service, "", "services", convert::service::service),
        row(Kind::EndpointSlice, "discovery.k8s.io", "endpointslices", convert::service::endpoint_slice),
    ]
}

/// The kinds that are there when their CRDs are.
pub fn custom(job_kinds: &[JobKind]) -> Vec<Resource> {
    let row = |kind, group: &str, versions: &[&str], plural: &str, reader: ValueReader| Resource {
        kind,
        group: group.to_owned(),
        versions: versions.iter().map(|it| (*it).to_owned()).collect(),
        plural: plural.to_owned(),
        reader: Reader::Value(reader),
        condition: "",
    };
    let mut resources = vec![
        row(Kind::Rollout, "argoproj.io", &["v1alpha1"], "rollouts", convert::custom::rollout),
        row(
            Kind::LeaderWorkerSet,
            "leaderworkerset.x-k8s.io",
            &["v1"],
            "leaderworkersets",
            convert::custom::leader_worker_set,
        ),
        row(Kind::ScaledObject, "keda.sh", &["v1alpha1"], "scaledobjects", convert::custom::scaled_object),
        row(
            Kind::QueuedWorkload,
            "kueue.x-k8s.io",
            &["v1beta2", "v1beta1"],
            "workloads",
            convert::custom::queued_workload,
        ),
        row(
            Kind::ClusterQueue,
            "kueue.x-k8s.io",
            &["v1beta2", "v1beta1"],
            "clusterqueues",
            convert::queue::cluster_queue,
        ),
        row(
            Kind::LocalQueue,
            "kueue.x-k8s.io",
            &["v1beta2", "v1beta1"],
            "localqueues",
            convert::queue::local_queue,
        ),
    ];
    resources.extend(traffic().into_iter().map(|(kind, place, reader)| {
        let (group, versions, plural) = place;
        row(kind, group, versions, plural, reader)
    }));
    let jobs = job_kinds.iter().enumerate().map(|(number, job_kind)| {
        let kind = Kind::CustomJob(u8::try_from(number).unwrap_or(u8::MAX));
        Resource {
            kind,
            group: job_kind.group.clone(),
            versions: job_kind.versions.clone(),
            plural: job_kind.plural.clone(),
            reader: Reader::Job(kind, Arc::new(job_kind.clone())),
            condition: "",
        }
    });
    resources.extend(jobs);
    resources
}

/// Group, versions and plural of a kind.
type Place = (&'static str, &'static [&'static str], &'static str);

/// Routes, and what changes their meaning or takes back what is changed in them.
fn traffic() -> [(Kind, Place, ValueReader); 11] {
    use convert::traffic as of;
    const ISTIO: &str = "networking.istio.io";
    const ISTIO_VERSIONS: &[&str] = &["v1", "v1beta1", "v1alpha3"];
    const GATEWAY: &str = "gateway.networking.k8s.io";
    [
        (Kind::VirtualService, (ISTIO, ISTIO_VERSIONS, "virtualservices"), of::virtual_service),
        (Kind::HttpRoute, (GATEWAY, &["v1", "v1beta1"], "httproutes"), of::http_route),
        (Kind::GrpcRoute, (GATEWAY, &["v1", "v1alpha2"], "grpcroutes"), of::grpc_route),
        (Kind::DnsEndpoint, ("externaldns.k8s.io", &["v1alpha1"], "dnsendpoints"), of::dns_endpoint),
        (Kind::DestinationRule, (ISTIO, ISTIO_VERSIONS, "destinationrules"), of::destination_rule),
        (Kind::ServiceEntry, (ISTIO, ISTIO_VERSIONS, "serviceentries"), of::service_entry),
        (
            Kind::InferenceService,
            ("serving.kserve.io", &["v1beta1"], "inferenceservices"),
            of::inference_service,
        ),
        (Kind::Canary, ("flagger.app", &["v1beta1"], "canaries"), of::canary),
        (Kind::Application, ("argoproj.io", &["v1alpha1"], "applications"), of::application),
        (
            Kind::Kustomization,
            ("kustomize.toolkit.fluxcd.io", &["v1", "v1beta2"], "kustomizations"),
            of::kustomization,
        ),
        (Kind::HelmRelease, ("helm.toolkit.fluxcd.io", &["v2", "v2beta2"], "helmreleases"), of::helm_release),
    ]
}

impl Resource {
    /// The same resource in the one version that a server serves.
    #[must_use]
    pub fn at_version(&self, version: &str) -> Self {
        Self { versions: vec![version.to_owned()], ..self.clone() }
    }

    /// Path of the collection, in one namespace or all.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let version = self.versions.first().map_or("v1", String::as_str);
        let root = match &*self.group {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        };
        match namespace {
            Some(namespace) => format!("{root}/namespaces/{}/{}", encode(namespace), self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    /// Path of one object.
    pub fn object_path(&self, key: &ObjectKey) -> String {
        let namespace = Some(&*key.namespace).filter(|it| !it.is_empty());
        format!("{}/{}", self.path(namespace), encode(&key.name))
    }

    pub fn accept(&self) -> &'static str {
        if self.speaks_protobuf() { ACCEPT_BOTH } else { ACCEPT_JSON }
    }

    pub fn accept_watch(&self) -> &'static str {
        if self.speaks_protobuf() { ACCEPT_BOTH_WATCH } else { ACCEPT_JSON }
    }

    pub fn speaks_protobuf(&self) -> bool {
        matches!(self.reader, Reader::Typed(_))
    }

    /// Understands one object.
    pub fn read(&self, encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
        match &self.reader {
            Reader::Typed(read) => read(encoding, bytes, cx),
            Reader::Value(read) => read(&convert::value(encoding, bytes)?, cx),
            Reader::Job(kind, rules) => {
                convert::custom_job::job(*kind, rules, &convert::value(encoding, bytes)?, cx)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_row() {
        let job_kinds = crate::config::job_kind::built_in();
        let rows: Vec<_> = built_in().into_iter().chain(custom(&job_kinds)).collect();
        for kind in Kind::ALL {
            assert_eq!(rows.iter().filter(|row| row.kind == kind).count(), 1, "{kind}");
        }
        assert_eq!(rows.len(), Kind::ALL.len() + job_kinds.len());
        assert!(built_in().iter().all(Resource::speaks_protobuf));
    }

    #[test]
    fn paths() {
        let deployments = built_in().into_iter().find(|row| row.kind == Kind::Deployment).unwrap();
        assert_eq!(deployments.path(None), "/apis/apps/v1/deployments");
        assert_eq!(deployments.path(Some("a/b")), "/apis/apps/v1/namespaces/a%2Fb/deployments");
        let nodes = built_in().into_iter().find(|row| row.kind == Kind::Node).unwrap();
        assert_eq!(nodes.object_path(&ObjectKey::new("", "n-1")), "/api/v1/nodes/n-1");
    }
}
