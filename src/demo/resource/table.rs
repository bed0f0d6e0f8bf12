//! The resources that every cluster of the demo fleet serves. Discovery, routing, selectors, Tables, CRDs
//! and the CRD list derive from these rows: a new resource is one row here. What belongs to something stands
//! before its owner: in this order the scenario looks at what is due.

use super::{Resource, Scale, Verbs};
use crate::demo::print::{Printer, batch, core, path, scaling, workloads};

macro_rules! resources {
    ($($id:ident => $row:expr,)*) => {
        /// A row of the table, by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($id),* }

        /// All rows, in the order of the table.
        pub const KINDS: &[Kind] = &[$(Kind::$id),*];

        static ROWS: &[Resource] = &[$($row),*];
    };
}

impl Kind {
    pub fn row(self) -> &'static Resource {
        &ROWS[self as usize]
    }
}

const PLAIN: Resource = Resource {
    group: "",
    version: "v1",
    kind: "",
    plural: "",
    singular: "",
    short: &[],
    categories: &[],
    namespaced: true,
    status: false,
    scale: None,
    log: false,
    generation: false,
    verbs: Verbs::All,
    fields: &[],
    printer: Printer::NAME_AND_AGE,
    custom: false,
};
const STATUS: Resource = Resource { status: true, ..PLAIN };
const COUNTED: Resource = Resource { status: true, generation: true, ..PLAIN };
const CUSTOM: Resource = Resource { custom: true, ..COUNTED };
const APPS: Resource = Resource { group: "apps", categories: &["all"], ..COUNTED };
const BATCH: Resource = Resource { group: "batch", categories: &["all"], ..COUNTED };
const SCALE: Option<Scale> = Some(Scale { replicas: "/status/replicas", selector: "" });
const KUEUE: Resource = Resource { group: "kueue.x-k8s.io", version: "v1beta1", ..CUSTOM };
const ISTIO: Resource = Resource { group: "networking.istio.io", ..CUSTOM };
const GATEWAY: Resource = Resource { group: "gateway.networking.k8s.io", ..CUSTOM };

const EVENT_FIELDS: &[&str] = &[
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "type",
];

resources! {
    Namespaces => Resource {
        kind: "Namespace", plural: "namespaces", singular: "namespace", short: &["ns"], namespaced: false,
        verbs: Verbs::Single,
        fields: &["status.phase"], printer: Printer::Cells(core::NAMESPACE, core::namespace), ..STATUS
    },
    Nodes => Resource {
        kind: "Node", plural: "nodes", singular: "node", short: &["no"], namespaced: false,
        fields: &["spec.unschedulable"], printer: Printer::Cells(core::NODE, core::node), ..STATUS
    },
    Pods => Resource {
        kind: "Pod", plural: "pods", singular: "pod", short: &["po"], categories: &["all"], log: true,
        generation: true,
        fields: &[
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
            "status.phase", "status.podIP", "status.nominatedNodeName",
        ],
        printer: Printer::Cells(core::POD, core::pod), ..STATUS
    },
    Services => Resource {
        kind: "Service", plural: "services", singular: "service", short: &["svc"], categories: &["all"],
        fields: &["spec.clusterIP", "spec.type"], printer: Printer::Cells(core::SERVICE, core::service), ..STATUS
    },
    Events => Resource {
        kind: "Event", plural: "events", singular: "event", short: &["ev"], fields: EVENT_FIELDS,
        printer: Printer::Cells(core::EVENT, core::event), ..PLAIN
    },
    ConfigMaps => Resource {
        kind: "ConfigMap", plural: "configmaps", singular: "configmap", short: &["cm"],
        printer: Printer::Cells(core::CONFIG_MAP, core::config_map), ..PLAIN
    },
    ReplicaSets => Resource {
        kind: "ReplicaSet", plural: "replicasets", singular: "replicaset", short: &["rs"], scale: SCALE,
        fields: &["status.replicas"],
        printer: Printer::Cells(workloads::REPLICA_SET, workloads::replica_set), ..APPS
    },
    Deployments => Resource {
        kind: "Deployment", plural: "deployments", singular: "deployment", short: &["deploy"], scale: SCALE,
        printer: Printer::Cells(workloads::DEPLOYMENT, workloads::deployment), ..APPS
    },
    StatefulSets => Resource {
        kind: "StatefulSet", plural: "statefulsets", singular: "statefulset", short: &["sts"], scale: SCALE,
        printer: Printer::Cells(workloads::STATEFUL_SET, workloads::stateful_set), ..APPS
    },
    DaemonSets => Resource {
        kind: "DaemonSet", plural: "daemonsets", singular: "daemonset", short: &["ds"],
        printer: Printer::Cells(workloads::DAEMON_SET, workloads::daemon_set), ..APPS
    },
    HorizontalPodAutoscalers => Resource {
        group: "autoscaling", version: "v2", kind: "HorizontalPodAutoscaler", plural: "horizontalpodautoscalers",
        singular: "horizontalpodautoscaler", short: &["hpa"], categories: &["all"],
        printer: Printer::Cells(scaling::AUTOSCALER, scaling::autoscaler), ..STATUS
    },
    Jobs => Resource {
        kind: "Job", plural: "jobs", singular: "job", fields: &["status.successful"],
        printer: Printer::Cells(batch::JOB, batch::job), ..BATCH
    },
    CronJobs => Resource {
        kind: "CronJob", plural: "cronjobs", singular: "cronjob", short: &["cj"],
        printer: Printer::Cells(batch::CRON_JOB, batch::cron_job), ..BATCH
    },
    PodDisruptionBudgets => Resource {
        group: "policy", kind: "PodDisruptionBudget", plural: "poddisruptionbudgets",
        singular: "poddisruptionbudget", short: &["pdb"],
        printer: Printer::Cells(scaling::BUDGET, scaling::budget), ..COUNTED
    },
    Leases => Resource {
        group: "coordination.k8s.io", kind: "Lease", plural: "leases", singular: "lease",
        printer: Printer::Cells(core::LEASE, core::lease), ..PLAIN
    },
    EndpointSlices => Resource {
        group: "discovery.k8s.io", kind: "EndpointSlice", plural: "endpointslices", singular: "endpointslice", ..PLAIN
    },
    SelfSubjectAccessReviews => Resource {
        group: "authorization.k8s.io", kind: "SelfSubjectAccessReview", plural: "selfsubjectaccessreviews",
        singular: "selfsubjectaccessreview", namespaced: false, verbs: Verbs::Review, ..PLAIN
    },
    CustomResourceDefinitions => Resource {
        group: "apiextensions.k8s.io", kind: "CustomResourceDefinition", plural: "customresourcedefinitions",
        singular: "customresourcedefinition", short: &["crd", "crds"], categories: &["api-extensions"],
        namespaced: false, printer: Printer::Cells(core::CRD, core::crd), ..COUNTED
    },
    TrainingJobs => Resource {
        group: "ml.example.com", kind: "TrainingJob", plural: "trainingjobs", singular: "trainingjob", short: &["tj"],
        printer: Printer::Paths(&[
            path("Status", "string", ".status.phase"),
            path("Age", "date", ".metadata.creationTimestamp"),
        ]),
        ..CUSTOM
    },
    ScaledObjects => Resource {
        group: "keda.sh", version: "v1alpha1", kind: "ScaledObject", plural: "scaledobjects",
        singular: "scaledobject", short: &["so"],
        printer: Printer::Paths(&[
            path("ScaleTargetKind", "string", ".status.scaleTargetKind"),
            path("ScaleTargetName", "string", ".spec.scaleTargetRef.name"),
            path("Min", "integer", ".spec.minReplicaCount"),
            path("Max", "integer", ".spec.maxReplicaCount"),
            path("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
            path("Active", "string", ".status.conditions[?(@.type==\"Active\")].status"),
            path("Fallback", "string", ".status.conditions[?(@.type==\"Fallback\")].status"),
            path("Paused", "string", ".status.conditions[?(@.type==\"Paused\")].status"),
            path("Triggers", "string", ".status.triggersTypes"),
            path("Authentications", "string", ".status.authenticationsTypes"),
            path("Age", "date", ".metadata.creationTimestamp"),
        ]),
        ..CUSTOM
    },
    InferenceServices => Resource {
        group: "serving.kserve.io", version: "v1beta1", kind: "InferenceService", plural: "inferenceservices",
        singular: "inferenceservice", short: &["isvc"],
        printer: Printer::Paths(&[
            path("URL", "string", ".status.url"),
            path("Ready", "string", ".status.conditions[?(@.type=='Ready')].status"),
            path("Age", "date", ".metadata.creationTimestamp"),
        ]),
        ..CUSTOM
    },
    Rollouts => Resource {
        group: "argoproj.io", version: "v1alpha1", kind: "Rollout", plural: "rollouts", singular: "rollout",
        short: &["ro"], scale: Some(Scale { replicas: "/status/HPAReplicas", selector: "/status/selector" }),
        printer: Printer::Paths(&[
            path("Desired", "integer", ".spec.replicas"),
            path("Current", "integer", ".status.replicas"),
            path("Up-to-date", "integer", ".status.updatedReplicas"),
            path("Available", "integer", ".status.availableReplicas"),
            path("Age", "date", ".metadata.creationTimestamp"),
        ]),
        ..CUSTOM
    },
    LeaderWorkerSets => Resource {
        group: "leaderworkerset.x-k8s.io", kind: "LeaderWorkerSet", plural: "leaderworkersets",
        singular: "leaderworkerset", short: &["lws"],
        scale: Some(Scale { replicas: "/status/replicas", selector: "/status/hpaPodSelector" }),
        printer: Printer::Paths(&[
            path("Ready", "integer", ".status.readyReplicas"),
            path("Desired", "integer", ".spec.replicas"),
            path("Up-to-date", "integer", ".status.updatedReplicas"),
            path("Age", "date", ".metadata.creationTimestamp"),
        ]),
        ..CUSTOM
    },
    JobSets => Resource {
        group: "jobset.x-k8s.io", version: "v1alpha2", kind: "JobSet", plural: "jobsets", singular: "jobset",
        printer: Printer::Paths(&[
            path("TerminalState", "string", ".status.terminalState"),
            path("Restarts", "string", ".status.restarts"),
            path("Completed", "string", ".status.conditions[?(@.type==\"Completed\")].status"),
            path("Suspended", "string", ".spec.suspend"),
            path("Age", "date", ".metadata.creationTimestamp"),
        ]),
        ..CUSTOM
    },
    Workloads => Resource {
        kind: "Workload", plural: "workloads", singular: "workload",
        short: &["kwl", "kueueworkload", "kueueworkloads"],
        printer: Printer::Paths(&[
            path("Queue", "string", ".spec.queueName"),
            path("Reserved in", "string", ".status.admission.clusterQueue"),
            path("Admitted", "string", ".status.conditions[?(@.type=='Admitted')].status"),
            path("Finished", "string", ".status.conditions[?(@.type=='Finished')].status"),
            path("Age", "date", ".metadata.creationTimestamp"),
        ]),
        ..KUEUE
    },
    ClusterQueues => Resource {
        kind: "ClusterQueue", plural: "clusterqueues", singular: "clusterqueue", short: &["cq"], namespaced: false,
        printer: Printer::Paths(&[
            path("Cohort", "string", ".spec.cohort"),
            path("Pending Workloads", "integer", ".status.pendingWorkloads"),
        ]),
        ..KUEUE
    },
    LocalQueues => Resource {
        kind: "LocalQueue", plural: "localqueues", singular: "localqueue", short: &["queue", "queues", "lq"],
        printer: Printer::Paths(&[
            path("ClusterQueue", "string", ".spec.clusterQueue"),
            path("Pending Workloads", "integer", ".status.pendingWorkloads"),
            path("Admitted Workloads", "integer", ".status.admittedWorkloads"),
        ]),
        ..KUEUE
    },
    VirtualServices => Resource {
        kind: "VirtualService", plural: "virtualservices", singular: "virtualservice", short: &["vs"],
        printer: Printer::Paths(&[
            path("Gateways", "string", ".spec.gateways"),
            path("Hosts", "string", ".spec.hosts"),
            path("Age", "date", ".metadata.creationTimestamp"),
        ]),
        ..ISTIO
    },
    DestinationRules => Resource {
        kind: "DestinationRule", plural: "destinationrules", singular: "destinationrule", short: &["dr"],
        printer: Printer::Paths(&[
            path("Host", "string", ".spec.host"),
            path("Age", "date", ".metadata.creationTimestamp"),
        ]),
        ..ISTIO
    },
    ServiceEntries => Resource {
        kind: "ServiceEntry", plural: "serviceentries", singular: "serviceentry", short: &["se"],
        printer: Printer::Paths(&[
            path("Hosts", "string", ".spec.hosts"),
            path("Location", "string", ".spec.location"),
            path("Resolution", "string", ".spec.resolution"),
            path("Age", "date", ".metadata.creationTimestamp"),
        ]),
        ..ISTIO
    },
    HttpRoutes => Resource {
        kind: "HTTPRoute", plural: "httproutes", singular: "httproute",
        printer: Printer::Paths(&[
            path("Hostnames", "string", ".spec.hostnames"),
            path("Age", "date", ".metadata.creationTimestamp"),
        ]),
        ..GATEWAY
    },
    GrpcRoutes => Resource {
        kind: "GRPCRoute", plural: "grpcroutes", singular: "grpcroute",
        printer: Printer::Paths(&[
            path("Hostnames", "string", ".spec.hostnames"),
            path("Age", "date", ".metadata.creationTimestamp"),
        ]),
        ..GATEWAY
    },
    DnsEndpoints => Resource {
        group: "externaldns.k8s.io", version: "v1alpha1", kind: "DNSEndpoint", plural: "dnsendpoints",
        singular: "dnsendpoint",
        printer: Printer::Paths(&[path("Age", "date", ".metadata.creationTimestamp")]),
        ..CUSTOM
    },
}
