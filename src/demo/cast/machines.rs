//! The machines: nodes as the three clouds label them.

use serde_json::{Value, json};

use super::clouds::{Cloud, Profile};
use crate::demo::clock;
use crate::demo::programs::hash;

/// A kind of machine.
struct Machine {
    pool: &'static str,
    instance: &'static str,
    cpu: u32,
    memory_gi: u32,
    gpus: u32,
    product: &'static str,
    gpu_memory: &'static str,
}

const A100: &str = "NVIDIA-A100-SXM4-40GB";

fn machines(cloud: Cloud) -> [Machine; 3] {
    let large = |instance| Machine {
        pool: "gpu",
        instance,
        cpu: 96,
        memory_gi: 1_100,
        gpus: 8,
        product: A100,
        gpu_memory: "40960",
    };
    let small = |instance, product, gpu_memory| Machine {
        pool: "gpu-serving",
        instance,
        cpu: 48,
        memory_gi: 186,
        gpus: 4,
        product,
        gpu_memory,
    };
    let plain = |instance| Machine {
        pool: "general",
        instance,
        cpu: 16,
        memory_gi: 64,
        gpus: 0,
        product: "",
        gpu_memory: "",
    };
    match cloud {
        Cloud::Aws => {
            [large("p4d.24xlarge"), small("g5.12xlarge", "NVIDIA-A10G", "23028"), plain("m6i.4xlarge")]
        }
        Cloud::Gcp => {
            [large("a2-highgpu-8g"), small("g2-standard-48", "NVIDIA-L4", "23034"), plain("n2-standard-16")]
        }
        Cloud::Azure => [
            large("Standard_ND96asr_v4"),
            small("Standard_NC64as_T4_v3", "Tesla-T4", "15360"),
            plain("Standard_D16s_v5"),
        ],
    }
}

/// All nodes of a cluster: three pools, the general one larger where there is more to carry.
pub fn nodes(profile: &Profile) -> Vec<Value> {
    let (large, small, plain) = match profile.index % 3 {
        2 => (3, 3, 6),
        _ => (4, 3, 7),
    };
    let extra = profile.pods.saturating_sub(150).div_ceil(90);
    let kinds = machines(profile.cloud);
    let counts = [large, small, plain + extra];
    kinds
        .iter()
        .zip(counts)
        .flat_map(|(machine, count)| (0..count).map(move |index| (machine, index)))
        .map(|(machine, index)| node(profile, machine, index))
        .collect()
}

/// The name of a node, by its pool and number: what its cloud would call it.
fn name(profile: &Profile, pool: &str, index: usize) -> String {
    let bits = hash(&[&profile.name, pool, &index.to_string()]);
    match profile.cloud {
        Cloud::Aws => {
            format!("ip-10-{}-{}-{}.ec2.internal", bits % 64, (bits >> 8) % 250 + 1, (bits >> 16) % 250 + 1)
        }
        Cloud::Gcp => format!(
            "gke-{}-{pool}-{:08x}-{:04x}",
            profile.name,
            hash(&[&profile.name, pool]) as u32,
            bits as u16
        ),
        Cloud::Azure => {
            format!("aks-{}-{:08}-vmss{index:06}", pool.replace('-', ""), hash(&[pool]) % 100_000_000)
        }
    }
}

/// The node that is lost in this cluster: the second of the general pool.
pub fn lost_node(profile: &Profile) -> String {
    name(profile, "general", 1)
}

fn provider_id(profile: &Profile, zone: &str, name: &str) -> String {
    match profile.cloud {
        Cloud::Aws => format!("aws:///{zone}/i-{:017x}", hash(&[name])),
        Cloud::Gcp => format!("gce://acme-ml/{zone}/{name}"),
        Cloud::Azure => {
            let group = "azure:///subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/ml";
            format!("{group}/providers/Microsoft.Compute/virtualMachines/{name}")
        }
    }
}

fn node(profile: &Profile, machine: &Machine, index: usize) -> Value {
    let cloud = profile.cloud;
    let name = name(profile, machine.pool, index);
    let zone = cloud.zone(&profile.region, index);
    let mut labels = json!({
        "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        "node.kubernetes.io/instance-type": machine.instance,
        "topology.kubernetes.io/region": profile.region, "topology.kubernetes.io/zone": zone,
    });
    let own = match cloud {
        Cloud::Aws => "eks.amazonaws.com/nodegroup",
        Cloud::Gcp => "cloud.google.com/gke-nodepool",
        Cloud::Azure => "kubernetes.azure.com/agentpool",
    };
    labels[own] = machine.pool.into();
    let mut capacity = json!({
        "cpu": machine.cpu.to_string(), "memory": format!("{}Gi", machine.memory_gi), "pods": "110",
        "ephemeral-storage": "500Gi",
    });
    if machine.gpus > 0 {
        labels["nvidia.com/gpu.product"] = machine.product.into();
        labels["nvidia.com/gpu.count"] = machine.gpus.to_string().into();
        labels["nvidia.com/gpu.memory"] = machine.gpu_memory.into();
        labels["nvidia.com/gpu.present"] = "true".into();
        capacity["nvidia.com/gpu"] = machine.gpus.to_string().into();
    }
    json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {"providerID": provider_id(profile, &zone, &name)},
        "status": {
            "capacity": capacity, "allocatable": capacity,
            "addresses": [
                {"type": "InternalIP", "address": address(&name)},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": {
                "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "containerd://2.1.4",
                "kernelVersion": "6.12.46", "kubeProxyVersion": "", "kubeletVersion": cloud.kubelet_version(),
                "machineID": format!("{:032x}", hash(&[&name, "machine"])), "operatingSystem": "linux",
                "osImage": cloud.os_image(), "systemUUID": "",
            },
        },
    })
}

fn address(name: &str) -> String {
    let bits = hash(&[name]);
    format!("10.0.{}.{}", bits % 250 + 1, (bits >> 16) % 250 + 1)
}

/// The conditions of a healthy node since a moment.
pub fn healthy(node: &mut Value, since: chrono::DateTime<chrono::Utc>) {
    let since = clock::stamp(since);
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": since, "lastTransitionTime": since,
        })
    };
    node["status"]["conditions"] = json!([
        condition(
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available"
        ),
        condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ]);
}
