//! Nodes and namespaces.

use bytes::Bytes;

use super::{Cx, Read, amounts, created, decode, labels, meta};
use crate::clients::kube::wire::Encoding;
use crate::clients::kube::wire::messages::core::{self, NodeCondition};
use crate::clients::kube::wire::messages::meta::{ObjectMeta, unix};
use crate::fleet::node::{Complaint, Readiness};
use crate::fleet::placement::Effect;
use crate::fleet::{Asked, Clean, Cloud, Distribution, GpuCount, Namespace, Node, Object, Place, Taint};

pub fn node(encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
    let wire: core::Node = decode(encoding, bytes)?;
    let meta = meta(wire.metadata)?;
    let spec = wire.spec.unwrap_or_default();
    let status = wire.status.unwrap_or_default();
    let allocatable = Asked::new(amounts(&status.allocatable));
    let info = status.node_info.unwrap_or_default();
    let node = Node {
        name: cx.names.intern(&meta.name),
        place: place(&meta, &spec.provider_id, cx),
        distribution: distribution(&meta, &spec.provider_id),
        instance_type: label(&meta, &["node.kubernetes.io/instance-type"], cx),
        gpu_product: label(&meta, &GPU_PRODUCT_LABELS, cx),
        gpus_allocatable: GpuCount::among(allocatable.iter()),
        allocatable: allocatable.named(|name| cx.names.intern(name)),
        labels: labels(&meta, cx),
        taints: spec.taints.iter().filter_map(|it| taint(it, cx)).collect(),
        readiness: readiness(&status.conditions),
        unschedulable: spec.unschedulable,
        complaints: status.conditions.iter().filter(|it| is_bad(it)).map(complaint).collect(),
        kubelet_version: cx.names.intern(&info.kubelet_version),
        created: created(&meta),
    };
    Ok(Read::new(&meta, cx, Some(Object::Node(Box::new(node)))))
}

pub fn namespace(encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
    let wire: core::Namespace = decode(encoding, bytes)?;
    let meta = meta(wire.metadata)?;
    let namespace = Namespace {
        name: cx.names.intern(&meta.name),
        terminating_since: unix(meta.deletion_timestamp.as_ref()),
    };
    Ok(Read::new(&meta, cx, Some(Object::Namespace(namespace))))
}

/// Only those that keep pods away.
fn taint(taint: &core::Taint, cx: &mut Cx) -> Option<Taint> {
    let effect = Effect::named(&taint.effect)?;
    Some(Taint { key: cx.names.intern(&taint.key), value: cx.names.intern(&taint.value), effect })
}

/// NVIDIA GPU feature discovery, AMD node labeller, GKE.
const GPU_PRODUCT_LABELS: [&str; 4] = [
    "nvidia.com/gpu.product",
    "amd.com/gpu.product-name",
    "beta.amd.com/gpu.product-name",
    "cloud.google.com/gke-accelerator",
];

fn place(meta: &ObjectMeta, provider_id: &str, cx: &mut Cx) -> Place {
    let provider = provider_id.split_once("://").map(|(provider, _)| provider);
    let by_label = match distribution(meta, provider_id) {
        Some(Distribution::Eks) => Some("aws"),
        Some(Distribution::Gke) => Some("gcp"),
        Some(Distribution::Aks) => Some("azure"),
        _ => None,
    };
    let regions = ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"];
    let zones = ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"];
    Place {
        cloud: provider.or(by_label).filter(|name| !name.is_empty()).map(Cloud::named),
        region: label(meta, &regions, cx),
        zone: label(meta, &zones, cx),
    }
}

fn distribution(meta: &ObjectMeta, provider_id: &str) -> Option<Distribution> {
    let has = |label: &str| meta.labels.contains_key(label);
    if has("eks.amazonaws.com/nodegroup") || has("eks.amazonaws.com/compute-type") {
        Some(Distribution::Eks)
    } else if has("cloud.google.com/gke-nodepool") {
        Some(Distribution::Gke)
    } else if has("kubernetes.azure.com/agentpool") || has("kubernetes.azure.com/cluster") {
        Some(Distribution::Aks)
    } else if provider_id.starts_with("kind://") {
        Some(Distribution::Kind)
    } else if provider_id.starts_with("k3s://") {
        Some(Distribution::K3s)
    } else {
        None
    }
}

fn label(meta: &ObjectMeta, names: &[&str], cx: &mut Cx) -> Option<Clean> {
    let value = names.iter().find_map(|name| meta.labels.get(*name))?;
    (!value.is_empty()).then(|| cx.names.intern(value))
}

fn readiness(conditions: &[NodeCondition]) -> Readiness {
    let Some(ready) = conditions.iter().find(|it| it.kind == "Ready") else {
        return Readiness::NotReported;
    };
    match &*ready.status {
        "True" => Readiness::Ready,
        "False" => Readiness::NotReady(complaint(ready)),
        _ => Readiness::Unknown(complaint(ready)),
    }
}

/// Conditions that end in Ready or Healthy are good when true (those of the EKS node monitoring agent, for
/// example); all others, such as MemoryPressure and those of the node problem detector, are bad when true.
fn is_bad(condition: &NodeCondition) -> bool {
    let good_when_true = condition.kind.ends_with("Ready") || condition.kind.ends_with("Healthy");
    match &*condition.status {
        "True" => !good_when_true,
        "False" => good_when_true && condition.kind != "Ready",
        _ => false,
    }
}

fn complaint(condition: &NodeCondition) -> Complaint {
    Complaint {
        condition: Clean::new(&condition.kind),
        reason: Clean::new(&condition.reason),
        message: Clean::new(&condition.message),
        since: unix(condition.last_transition_time.as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_cx;
    use super::*;

    fn read(json: &str) -> Node {
        let read = node(Encoding::Json, &Bytes::copy_from_slice(json.as_bytes()), &mut test_cx());
        match read.unwrap().object {
            Some(Object::Node(node)) => *node,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn cloud_region_and_maker_are_found_out() {
        let eks = read(
            r#"{"metadata":{"name":"n","labels":{"eks.amazonaws.com/nodegroup":"gpu",
               "topology.kubernetes.io/region":"us-east-1","topology.kubernetes.io/zone":"us-east-1a",
               "nvidia.com/gpu.product":"A100"}},
               "spec":{"providerID":"aws:///us-east-1a/i-1"},
               "status":{"allocatable":{"nvidia.com/gpu":8,"cpu":"96"}}}"#,
        );
        assert_eq!(eks.place.cloud, Some(Cloud::Aws));
        assert_eq!(eks.place.region, Some("us-east-1".into()));
        assert_eq!(eks.distribution, Some(Distribution::Eks));
        assert_eq!(eks.gpus_allocatable.whole, 8, "numbers are quantities too");
        assert_eq!(eks.readiness, Readiness::NotReported);
        let gke = read(r#"{"metadata":{"name":"n","labels":{"cloud.google.com/gke-nodepool":"p"}}}"#);
        assert_eq!(gke.place.cloud, Some(Cloud::Gcp), "the label tells when there is no provider ID");
        let kind = read(r#"{"metadata":{"name":"n"},"spec":{"providerID":"kind://docker/x/y"}}"#);
        assert_eq!(kind.place.cloud, Some(Cloud::Other("kind".into())));
    }

    #[test]
    fn what_a_node_gives_and_whom_it_keeps_away() {
        let node = read(
            r#"{"metadata":{"name":"n","labels":{"b":"2","a":"1"}},"spec":{"taints":[
                 {"key":"gpu","value":"a100","effect":"NoSchedule"},{"key":"soft","effect":"PreferNoSchedule"},
                 {"key":"out","effect":"NoExecute"}]},
               "status":{"allocatable":{"cpu":"95500m","memory":"1Ki","pods":"110","nvidia.com/gpu":"8"}}}"#,
        );
        let allocatable =
            ["cpu", "memory", "pods", "nvidia.com/gpu", "none"].map(|name| node.allocatable.get(name));
        assert_eq!(allocatable, [95_500, 1024, 110, 8, 0]);
        assert_eq!(node.taints.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(), ["gpu", "out"]);
        assert_eq!(node.labels.get("b"), Some(&"2".into()));
    }

    #[test]
    fn good_and_bad_conditions() {
        let node = read(
            r#"{"metadata":{"name":"n"},"status":{"conditions":[
                {"type":"Ready","status":"Unknown","reason":"NodeStatusUnknown","lastTransitionTime":"2026-01-01T00:00:00Z"},
                {"type":"MemoryPressure","status":"False"},
                {"type":"DiskPressure","status":"True","reason":"KubeletHasDiskPressure"},
                {"type":"AcceleratedHardwareReady","status":"False","reason":"NvidiaXID79Error"}]}}"#,
        );
        assert!(
            matches!(&node.readiness, Readiness::Unknown(it) if it.reason == "NodeStatusUnknown" && it.since.is_some())
        );
        let bad: Vec<_> = node.complaints.iter().map(|it| it.condition.as_str()).collect();
        assert_eq!(bad, ["DiskPressure", "AcceleratedHardwareReady"]);
    }
}
