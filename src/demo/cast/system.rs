//! What every cluster has before anybody deploys anything: namespaces, agents on the nodes, controllers,
//! monitoring.

use serde_json::json;

use super::clouds::{Cloud, Profile};
use super::machines;
use super::objects::{Service, config_map, namespace};
use crate::demo::resource::{KINDS, Kind, definition};
use crate::demo::world::World;

pub const NAMESPACES: &[&str] = &[
    "default",
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "ml-platform",
    "ml-training",
    "monitoring",
    "keda",
    "kueue-system",
    "argo-rollouts",
    "lws-system",
    "jobset-system",
];

/// Namespaces, CRDs and nodes: there at once.
pub fn ground(world: &mut World, profile: &Profile) {
    for name in NAMESPACES {
        add(world, Kind::Namespaces, namespace(name));
    }
    for kind in KINDS.iter().filter(|kind| kind.row().custom) {
        add(world, Kind::CustomResourceDefinitions, definition(kind.row()));
    }
    let now = world.store().clock().now();
    for mut node in machines::nodes(profile) {
        machines::healthy(&mut node, now);
        add(world, Kind::Nodes, node);
    }
    let backend = match profile.cloud {
        Cloud::Aws => "s3",
        Cloud::Gcp => "gcs",
        Cloud::Azure => "azure-blob",
    };
    let data =
        json!({"storage_backend": backend, "storage_bucket": "ml-artifacts", "cloud": profile.cloud.name()});
    for place in ["ml-platform", "ml-training"] {
        add(world, Kind::ConfigMaps, config_map(place, "ml-config", &data));
    }
    let kubernetes = json!({
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": {"component": "apiserver"}},
        "spec": {"clusterIP": "172.20.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 443}]},
    });
    add(world, Kind::Services, kubernetes);
}

/// Agents and controllers.
pub fn agents(world: &mut World) {
    let gpu = Some(("nvidia.com/gpu.present", "true"));
    for (namespace, name, image, selector) in [
        ("kube-system", "kube-proxy", "registry.k8s.io/kube-proxy:v1.33.5", None),
        ("kube-system", "nvidia-device-plugin", "nvcr.io/nvidia/k8s-device-plugin:v0.17.4", gpu),
        ("monitoring", "node-exporter", "quay.io/prometheus/node-exporter:v1.9.1", None),
        ("monitoring", "dcgm-exporter", "nvcr.io/nvidia/k8s/dcgm-exporter:4.4.1-4.6.0", gpu),
    ] {
        let daemon =
            Service::new(namespace, name, image.to_owned()).size("50m", "64Mi", 0).part_of("cluster");
        add(world, Kind::DaemonSets, daemon.daemon_set(selector));
    }
    for (namespace, name, image, replicas) in [
        ("kube-system", "coredns", "registry.k8s.io/coredns/coredns:v1.12.3", 2),
        ("kube-system", "metrics-server", "registry.k8s.io/metrics-server/metrics-server:v0.8.0", 1),
        (
            "monitoring",
            "kube-state-metrics",
            "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.17.0",
            1,
        ),
        ("monitoring", "otel-collector", "otel/opentelemetry-collector-k8s:0.137.0", 2),
        ("keda", "keda-operator", "ghcr.io/kedacore/keda:2.18.0", 1),
        ("kueue-system", "kueue-controller-manager", "registry.k8s.io/kueue/kueue:v0.14.1", 1),
        ("argo-rollouts", "argo-rollouts", "quay.io/argoproj/argo-rollouts:v1.8.3", 1),
        ("lws-system", "lws-controller-manager", "registry.k8s.io/lws/lws:v0.7.0", 1),
        ("jobset-system", "jobset-controller-manager", "registry.k8s.io/jobset/jobset:v0.10.1", 1),
        ("ml-training", "training-operator", "ghcr.io/acme-ml/training-operator:v0.4.2", 1),
    ] {
        let service =
            Service::new(namespace, name, image.to_owned()).replicas(replicas).size("100m", "128Mi", 0);
        add(world, Kind::Deployments, service.part_of("cluster").deployment());
    }
    let prometheus =
        Service::new("monitoring", "prometheus", "quay.io/prometheus/prometheus:v3.6.0".to_owned());
    let prometheus = prometheus.size("2", "8Gi", 0).part_of("cluster");
    add(world, Kind::StatefulSets, prometheus.stateful_set());
    add(world, Kind::Services, prometheus.service());
}

/// Adds an object to a cluster that is being set up; nothing is in its way there.
pub fn add(world: &mut World, kind: Kind, object: serde_json::Value) {
    let added = world.create(kind, object);
    debug_assert!(added.is_ok(), "{:?}", added.err());
}
