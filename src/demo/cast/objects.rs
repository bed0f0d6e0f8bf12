//! Manifests: the shapes that the cast's workloads share, as a platform team would write them.

use serde_json::{Value, json};

/// A service of the platform or of the cluster.
#[derive(Debug, Clone)]
pub struct Service {
    pub namespace: &'static str,
    pub name: &'static str,
    pub image: String,
    pub replicas: usize,
    pub cpu: &'static str,
    pub memory: &'static str,
    pub gpus: usize,
    pub part_of: &'static str,
}

impl Service {
    /// A service of the platform, small and without accelerators.
    pub fn new(namespace: &'static str, name: &'static str, image: String) -> Service {
        Service {
            namespace,
            name,
            image,
            replicas: 1,
            cpu: "500m",
            memory: "1Gi",
            gpus: 0,
            part_of: "ml-platform",
        }
    }

    pub fn replicas(self, replicas: usize) -> Service {
        Service { replicas, ..self }
    }

    pub fn size(self, cpu: &'static str, memory: &'static str, gpus: usize) -> Service {
        Service { cpu, memory, gpus, ..self }
    }

    pub fn part_of(self, part_of: &'static str) -> Service {
        Service { part_of, ..self }
    }

    pub fn version(&self) -> &str {
        self.image.rsplit_once(':').map_or("latest", |(_, tag)| tag)
    }

    /// The labels that select.
    pub fn selector(&self) -> Value {
        json!({"app": self.name})
    }

    pub fn labels(&self) -> Value {
        json!({
            "app": self.name, "app.kubernetes.io/name": self.name, "app.kubernetes.io/version": self.version(),
            "app.kubernetes.io/part-of": self.part_of,
        })
    }

    pub fn metadata(&self) -> Value {
        json!({"name": self.name, "namespace": self.namespace, "labels": self.labels()})
    }

    /// The pod template.
    pub fn template(&self) -> Value {
        json!({"metadata": {"labels": self.labels()}, "spec": {"containers": [self.container()]}})
    }

    pub fn container(&self) -> Value {
        let mut requests = json!({"cpu": self.cpu, "memory": self.memory});
        let mut limits = json!({"memory": self.memory});
        if self.gpus > 0 {
            requests["nvidia.com/gpu"] = self.gpus.to_string().into();
            limits["nvidia.com/gpu"] = self.gpus.to_string().into();
        }
        json!({
            "name": self.name, "image": self.image,
            "ports": [
                {"name": "http", "containerPort": 8080, "protocol": "TCP"},
                {"name": "metrics", "containerPort": 9090, "protocol": "TCP"},
            ],
            "env": [
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
                {"name": "MODEL_STORAGE_BACKEND",
                 "valueFrom": {"configMapKeyRef": {"name": "ml-config", "key": "storage_backend"}}},
                {"name": "LOG_LEVEL", "value": "info"},
            ],
            "resources": {"requests": requests, "limits": limits},
            "readinessProbe": {
                "httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"},
                "initialDelaySeconds": 2, "periodSeconds": 5, "timeoutSeconds": 3, "successThreshold": 1, "failureThreshold": 3,
            },
        })
    }

    pub fn deployment(&self) -> Value {
        json!({
            "metadata": self.metadata(),
            "spec": {
                "replicas": self.replicas,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "selector": {"matchLabels": self.selector()},
                "template": self.template(),
            },
        })
    }

    pub fn stateful_set(&self) -> Value {
        json!({
            "metadata": self.metadata(),
            "spec": {
                "replicas": self.replicas, "serviceName": self.name, "selector": {"matchLabels": self.selector()},
                "template": self.template(),
            },
        })
    }

    /// A daemon on every node, or on those with a label.
    pub fn daemon_set(&self, node_selector: Option<(&str, &str)>) -> Value {
        let mut template = self.template();
        if let Some((key, value)) = node_selector {
            template["spec"]["nodeSelector"] = json!({key: value});
        }
        json!({"metadata": self.metadata(), "spec": {"selector": {"matchLabels": self.selector()}, "template": template}})
    }

    /// The Service in front of it, with an address that leads nowhere.
    pub fn service(&self) -> Value {
        let bits = crate::demo::programs::hash(&[self.namespace, self.name]);
        json!({
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": {"app": self.name}},
            "spec": {
                "selector": self.selector(), "clusterIP": format!("172.20.{}.{}", bits % 250 + 1, (bits >> 16) % 250 + 1),
                "ports": [
                    {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"},
                    {"name": "metrics", "port": 9090, "targetPort": 9090, "protocol": "TCP"},
                ],
            },
        })
    }

    /// A budget that keeps all but one.
    pub fn budget(&self) -> Value {
        json!({
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": {"app": self.name}},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": self.selector()}},
        })
    }
}

pub fn namespace(name: &str) -> Value {
    json!({"metadata": {"name": name}})
}

pub fn config_map(namespace: &str, name: &str, data: &Value) -> Value {
    json!({"metadata": {"name": name, "namespace": namespace}, "data": data})
}
