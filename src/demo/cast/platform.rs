//! The serving side of the platform: model servers, what they need, and how they scale.

use serde_json::{Value, json};

use super::clouds::Profile;
use super::objects::Service;
use super::system::add;
use crate::demo::programs::previous;
use crate::demo::resource::Kind;
use crate::demo::world::World;

const HOME: &str = "ml-platform";

/// All services at the version before the current one; `history` rolls them out.
pub fn deploy(world: &mut World, profile: &Profile) {
    let service = |name: &'static str| {
        Service::new(HOME, name, format!("{}/{name}:{}", profile.registry(), previous(name)))
    };
    let deployed = [
        service("ml-inference").replicas(4).size("2", "4Gi", 1),
        service("llm-serve").replicas(2).size("8", "48Gi", 2),
        service("embedding-api").replicas(4).size("1", "2Gi", 0),
        service("feature-store").replicas(3).size("1", "4Gi", 0),
        service("model-registry").replicas(2),
        service("experiment-tracker"),
        service("batch-scorer").replicas(2).size("1", "2Gi", 0),
        service("reranker").replicas(2).size("2", "4Gi", 1),
        service("drift-monitor"),
    ];
    for service in &deployed {
        add(world, Kind::Deployments, service.deployment());
        add(world, Kind::Services, service.service());
    }
    for name in ["ml-inference", "feature-store", "model-registry"] {
        if let Some(service) = deployed.iter().find(|service| service.name == name) {
            add(world, Kind::PodDisruptionBudgets, service.budget());
        }
    }
    let redis = Service::new(HOME, "feature-store-redis", "docker.io/library/redis:8.2.1".to_owned());
    let redis = redis.replicas(3).size("500m", "4Gi", 0);
    let database = Service::new(HOME, "model-registry-db", "docker.io/library/postgres:17.6".to_owned());
    for store in [redis, database.size("1", "4Gi", 0)] {
        add(world, Kind::StatefulSets, store.stateful_set());
        add(world, Kind::Services, store.service());
    }
    gateway(world, profile);
    large_model(world, profile);
    scaling(world);
}

/// The gateway is rolled out in steps by Argo.
fn gateway(world: &mut World, profile: &Profile) {
    let name = "inference-gateway";
    let image = format!("{}/{name}:{}", profile.registry(), previous(name));
    let service = Service::new(HOME, name, image).replicas(4);
    let rollout = json!({
        "metadata": service.metadata(),
        "spec": {
            "replicas": service.replicas, "revisionHistoryLimit": 5,
            "selector": {"matchLabels": service.selector()}, "template": service.template(),
            "strategy": {"canary": {"maxSurge": "25%", "maxUnavailable": 0, "steps": [
                {"setWeight": 25}, {"pause": {"duration": "30s"}}, {"setWeight": 50}, {"pause": {"duration": "30s"}},
            ]}},
        },
    });
    add(world, Kind::Rollouts, rollout);
    add(world, Kind::Services, service.service());
}

/// A model too large for one node: a leader and a worker serve it together.
fn large_model(world: &mut World, profile: &Profile) {
    let image = format!("{}/llm-serve:{}", profile.registry(), previous("llm-serve"));
    let service = Service::new(HOME, "llm-70b", image).size("16", "128Gi", 4);
    let set = json!({
        "metadata": service.metadata(),
        "spec": {
            "replicas": 1, "startupPolicy": "LeaderCreated",
            "leaderWorkerTemplate": {
                "size": 2, "restartPolicy": "RecreateGroupOnPodRestart", "workerTemplate": service.template(),
            },
            "rolloutStrategy": {
                "type": "RollingUpdate", "rollingUpdateConfiguration": {"maxUnavailable": 1, "maxSurge": 0, "partition": 0},
            },
        },
    });
    add(world, Kind::LeaderWorkerSets, set);
}

fn scaling(world: &mut World) {
    for (name, metric, least, most) in
        [("ml-inference", resource("cpu", 70), 3, 8), ("embedding-api", resource("cpu", 60), 2, 8)]
    {
        let hpa = json!({
            "metadata": {"name": format!("{name}-hpa"), "namespace": HOME, "labels": {"app": name}},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                "minReplicas": least, "maxReplicas": most, "metrics": [metric],
            },
        });
        add(world, Kind::HorizontalPodAutoscalers, hpa);
    }
    let scaled = json!({
        "metadata": {"name": "llm-serve", "namespace": HOME, "labels": {"app": "llm-serve"}},
        "spec": {
            "scaleTargetRef": {"name": "llm-serve"}, "minReplicaCount": 1, "maxReplicaCount": 4, "pollingInterval": 30,
            "cooldownPeriod": 300,
            "triggers": [{"type": "prometheus", "metadata": {
                "serverAddress": "http://prometheus.monitoring:9090", "threshold": "8",
                "query": "sum(llm_requests_waiting)",
            }}],
        },
    });
    add(world, Kind::ScaledObjects, scaled);
}

fn resource(name: &str, percent: i64) -> Value {
    json!({"type": "Resource", "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": percent}}})
}
