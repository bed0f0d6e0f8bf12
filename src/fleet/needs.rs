//! What one more replica of a workload needs of a cluster, read from its pod template.
//!
//! What cannot be understood is an error and never "needs nothing": a number made of half a template would be
//! wrong in the dangerous direction. What the scheduler considers and this does not is named.

use serde_json::Value;

use super::amounts::{self, PodSum};
use super::placement::{Effect, Holds, Operator, Placement, Requirement, Term, Toleration};
use super::{Amounts, Asked, Clean, Kind};

/// The label by which Kueue takes a workload into its care.
const QUEUE: &str = "kueue.x-k8s.io/queue-name";

/// One pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodNeeds {
    pub requests: Amounts,
    pub placement: Placement,
    /// Ports of the node: two such pods cannot share one.
    pub takes_host_ports: bool,
    /// Devices by claims (DRA), which are in no node's allocatable amounts.
    pub claims_devices: bool,
    /// What else the scheduler looks at.
    pub not_considered: Vec<&'static str>,
}

/// One replica: a pod, or a group of pods of which all must find room or none is of use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplicaNeeds {
    /// Unlike pods, and how many of each.
    pub pods: Vec<(PodNeeds, u32)>,
    /// The Kueue queue that it stands in.
    pub queue: Option<Clean>,
}

impl ReplicaNeeds {
    /// Of a whole workload object.
    pub fn read(kind: Kind, object: &Value) -> Result<Self, Clean> {
        let spec = &object["spec"];
        let groups = &spec["leaderWorkerTemplate"];
        let (template, pods) = match kind {
            Kind::LeaderWorkerSet => (&groups["workerTemplate"], group(groups)?),
            _ if spec["template"].is_null() => return Err("what its pods need stands elsewhere".into()),
            _ => (&spec["template"], vec![(PodNeeds::read(&spec["template"])?, 1)]),
        };
        let queue = [&object["metadata"], &template["metadata"]]
            .into_iter()
            .find_map(|metadata| metadata["labels"][QUEUE].as_str().filter(|name| !name.is_empty()));
        Ok(Self { pods, queue: queue.map(Clean::new) })
    }

    /// Pods of one replica.
    pub fn size(&self) -> u32 {
        self.pods.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// All that one replica asks for.
    pub fn requests(&self) -> Amounts {
        let mut sum = Amounts::default();
        for (pod, count) in &self.pods {
            sum.add(&pod.requests.times(u64::from(*count)));
        }
        sum
    }

    /// Without repetition, in order.
    pub fn not_considered(&self) -> Vec<&'static str> {
        let mut all: Vec<_> =
            self.pods.iter().flat_map(|(pod, _)| pod.not_considered.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// A leader and its workers (lws `api/leaderworkerset/v1`): without a template of its own the leader is as they are.
fn group(groups: &Value) -> Result<Vec<(PodNeeds, u32)>, Clean> {
    let size = match &groups["size"] {
        Value::Null => 1,
        size => size
            .as_u64()
            .and_then(|size| u32::try_from(size).ok())
            .filter(|size| *size > 0)
            .ok_or("its group size is not understood")?,
    };
    let worker = PodNeeds::read(&groups["workerTemplate"])?;
    if groups["leaderTemplate"].is_null() {
        return Ok(vec![(worker, size)]);
    }
    let leader = PodNeeds::read(&groups["leaderTemplate"])?;
    if leader == worker || size == 1 {
        return Ok(vec![(leader, size)]);
    }
    Ok(vec![(leader, 1), (worker, size - 1)])
}

impl PodNeeds {
    /// Of a pod template: `metadata` and `spec`.
    pub fn read(template: &Value) -> Result<Self, Clean> {
        let spec = &template["spec"];
        let containers = spec["containers"].as_array().filter(|it| !it.is_empty());
        let containers = containers.ok_or("its pod template has no containers")?;
        Ok(Self {
            requests: requests(spec, containers)?.named(Clean::new),
            placement: placement(spec)?,
            takes_host_ports: containers.iter().any(|it| takes_host_port(it, spec)),
            claims_devices: is_filled(&spec["resourceClaims"]),
            not_considered: not_considered(spec),
        })
    }
}

fn requests<'a>(spec: &'a Value, containers: &'a [Value]) -> Result<Asked<'a>, Clean> {
    let mut sum = PodSum::default();
    for container in containers {
        sum.container(&asked(&container["resources"])?);
    }
    for container in list(&spec["initContainers"], "init containers")? {
        sum.init_container(asked(&container["resources"])?, container["restartPolicy"] == "Always");
    }
    let whole = &spec["resources"];
    let own = Asked::new(resources(&whole["requests"])?.into_iter());
    let limits = Asked::new(resources(&whole["limits"])?.into_iter());
    Ok(sum.total(&own, &limits, &Asked::new(resources(&spec["overhead"])?.into_iter())))
}

fn asked(of: &Value) -> Result<Asked<'_>, Clean> {
    let requests = Asked::new(resources(&of["requests"])?.into_iter());
    Ok(requests.or_limits(resources(&of["limits"])?.into_iter()))
}

fn resources(list: &Value) -> Result<Vec<(&str, u64)>, Clean> {
    entries(list, "resources")?
        .map(|(name, amount)| {
            let read = match amount {
                Value::String(text) => amounts::parse(name, text),
                Value::Number(number) => amounts::parse(name, &number.to_string()),
                _ => None,
            };
            read.map(|read| (name.as_str(), read))
                .ok_or_else(|| format!("its request of {name} is not understood").into())
        })
        .collect()
}

fn placement(spec: &Value) -> Result<Placement, Clean> {
    let labels = entries(&spec["nodeSelector"], "node selector")?
        .map(|(key, value)| Ok((Clean::new(key), text(value, "node selector")?)))
        .collect::<Result<_, Clean>>()?;
    let required = &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let terms = match required {
        Value::Null => None,
        required => Some(
            list(&required["nodeSelectorTerms"], "node affinity")?
                .iter()
                .map(term)
                .collect::<Result<_, _>>()?,
        ),
    };
    let tolerations =
        list(&spec["tolerations"], "tolerations")?.iter().filter_map(|it| toleration(it).transpose());
    let tolerations = tolerations.collect::<Result<_, _>>()?;
    let node = spec["nodeName"].as_str().filter(|name| !name.is_empty()).map(Clean::new);
    Ok(Placement { labels, terms, tolerations, node })
}

fn term(term: &Value) -> Result<Term, Clean> {
    let all = |of: &Value| list(of, "node affinity")?.iter().map(requirement).collect::<Result<Vec<_>, _>>();
    let (labels, names) = (all(&term["matchExpressions"])?, all(&term["matchFields"])?);
    if names.iter().any(|it| it.key != "metadata.name") {
        return Err("its node affinity asks for a field that is not known".into());
    }
    Ok(Term { labels, names })
}

fn requirement(of: &Value) -> Result<Requirement, Clean> {
    let operator = match of["operator"].as_str() {
        Some("In") => Operator::In,
        Some("NotIn") => Operator::NotIn,
        Some("Exists") => Operator::Exists,
        Some("DoesNotExist") => Operator::DoesNotExist,
        Some("Gt") => Operator::Greater,
        Some("Lt") => Operator::Less,
        _ => return Err("an operator of its node affinity is not known".into()),
    };
    let values = list(&of["values"], "node affinity")?
        .iter()
        .map(|it| text(it, "node affinity"))
        .collect::<Result<_, _>>()?;
    Ok(Requirement { key: text(&of["key"], "node affinity")?, operator, values })
}

/// `None` for one of a taint that only prefers: it changes nothing.
fn toleration(of: &Value) -> Result<Option<Toleration>, Clean> {
    let holds = match of["operator"].as_str().unwrap_or_default() {
        "" | "Equal" => Holds::Equal,
        "Exists" => Holds::Exists,
        "Lt" => Holds::Less,
        "Gt" => Holds::Greater,
        _ => return Err("an operator of its tolerations is not known".into()),
    };
    let words = |value: &Value| value.as_str().map(Clean::new).unwrap_or_default();
    let effect = match of["effect"].as_str().unwrap_or_default() {
        "" => None,
        "PreferNoSchedule" => return Ok(None),
        name => Some(Effect::named(name).ok_or("an effect of its tolerations is not known")?),
    };
    Ok(Some(Toleration { key: words(&of["key"]), holds, value: words(&of["value"]), effect }))
}

fn takes_host_port(container: &Value, spec: &Value) -> bool {
    let mut ports = container["ports"].as_array().into_iter().flatten();
    let on_host = spec["hostNetwork"] == true;
    ports.any(|port| {
        port["hostPort"].as_u64().is_some_and(|port| port > 0) || (on_host && port["containerPort"].is_u64())
    })
}

/// What the scheduler looks at and this does not, if the pod has it.
fn not_considered(spec: &Value) -> Vec<&'static str> {
    let mut found = Vec::new();
    let affinity = &spec["affinity"];
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let mut volumes = spec["volumes"].as_array().into_iter().flatten();
    let mut spreads = spec["topologySpreadConstraints"].as_array().into_iter().flatten();
    for (is_there, words) in [
        (spreads.any(|it| it["whenUnsatisfiable"] != "ScheduleAnyway"), "topology spread"),
        (is_filled(&affinity["podAntiAffinity"][required]), "pod anti-affinity"),
        (is_filled(&affinity["podAffinity"][required]), "pod affinity"),
        (volumes.any(|it| it["persistentVolumeClaim"].is_object() || it["ephemeral"].is_object()), "volumes"),
        (spec["runtimeClassName"].is_string() && spec["overhead"].is_null(), "overhead of the runtime class"),
        (
            spec["schedulerName"].as_str().is_some_and(|it| !["", "default-scheduler"].contains(&it)),
            "a scheduler of its own",
        ),
        (is_filled(&spec["schedulingGates"]), "scheduling gates"),
    ] {
        if is_there {
            found.push(words);
        }
    }
    found
}

fn is_filled(list: &Value) -> bool {
    list.as_array().is_some_and(|list| !list.is_empty())
}

/// Nothing is an empty list; anything but a list is not understood.
fn list<'a>(value: &'a Value, what: &str) -> Result<&'a [Value], Clean> {
    match value {
        Value::Null => Ok(&[]),
        Value::Array(list) => Ok(list),
        _ => Err(Clean::from(format!("its {what} cannot be understood"))),
    }
}

fn entries<'a>(value: &'a Value, what: &str) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, Clean> {
    let entries = match value {
        Value::Null => None,
        Value::Object(entries) => Some(entries),
        _ => return Err(Clean::from(format!("its {what} cannot be understood"))),
    };
    Ok(entries.into_iter().flatten())
}

fn text(value: &Value, what: &str) -> Result<Clean, Clean> {
    value.as_str().map(Clean::new).ok_or_else(|| Clean::from(format!("its {what} cannot be understood")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn template(spec: &Value) -> Value {
        let mut whole = json!({"spec": {"containers": [{"name": "c", "resources": {"limits": {"nvidia.com/gpu": 8},
            "requests": {"cpu": "1500m"}}}]}});
        for (key, value) in spec.as_object().unwrap() {
            whole["spec"][key] = value.clone();
        }
        whole
    }

    #[test]
    fn a_template_is_read() {
        let needs = PodNeeds::read(&template(&json!({
            "initContainers": [{"name": "i", "resources": {"requests": {"cpu": "4"}}},
                {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}],
            "overhead": {"memory": "64Mi"},
            "nodeSelector": {"pool": "gpu"},
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}],
                 "matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["bad"]}]}]}}},
            "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}, {"key": "k", "effect": "PreferNoSchedule"}],
            "resourceClaims": [{"name": "gpu"}],
            "topologySpreadConstraints": [{"whenUnsatisfiable": "DoNotSchedule"}],
        })))
        .unwrap();
        let requests: Vec<_> =
            needs.requests.iter().map(|(name, amount)| format!("{name} {amount}")).collect();
        assert_eq!(requests, ["cpu 4000", "memory 1140850688", "nvidia.com/gpu 8"]);
        assert!(needs.claims_devices && !needs.takes_host_ports);
        assert_eq!(needs.not_considered, ["topology spread"]);
        let placement = needs.placement;
        assert_eq!(placement.labels.get("pool"), Some(&"gpu".into()));
        assert_eq!(placement.terms.map(|terms| (terms[0].labels.len(), terms[0].names.len())), Some((1, 1)));
        assert_eq!(placement.tolerations.len(), 1);
    }

    #[test]
    fn what_is_not_understood_is_said_and_not_left_out() {
        let affinity = |terms: Value| json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}});
        for (spec, words) in [
            (json!({"containers": []}), "no containers"),
            (
                json!({"containers": [{"resources": {"requests": {"nvidia.com/gpu": "eight"}}}]}),
                "request of nvidia.com/gpu",
            ),
            (json!({"containers": [{"resources": {"requests": {"cpu": null}}}]}), "request of cpu"),
            (json!({"containers": [{"resources": {"limits": [1]}}]}), "resources"),
            (json!({"nodeSelector": {"a": 1}}), "node selector"),
            (json!({"tolerations": {"a": 1}}), "tolerations"),
            (json!({"tolerations": [{"operator": "Like"}]}), "operator of its tolerations"),
            (json!({"tolerations": [{"effect": "NoThing"}]}), "effect"),
            (
                affinity(
                    json!({"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Near"}]}]}),
                ),
                "operator",
            ),
            (
                affinity(
                    json!({"nodeSelectorTerms": [{"matchFields": [{"key": "spec.x", "operator": "In", "values": ["a"]}]}]}),
                ),
                "field",
            ),
            (affinity(json!({"nodeSelectorTerms": "all"})), "node affinity"),
        ] {
            let error = PodNeeds::read(&template(&spec)).unwrap_err();
            assert!(error.contains(words), "{spec}: {error}");
        }
        let rollout = json!({"spec": {"workloadRef": {"name": "d"}}});
        assert_eq!(
            ReplicaNeeds::read(Kind::Rollout, &rollout).unwrap_err(),
            "what its pods need stands elsewhere"
        );
    }

    #[test]
    fn a_group_is_a_leader_and_its_workers() {
        let of = |size: Value, leader: Option<Value>| {
            let mut groups = json!({"size": size, "workerTemplate": template(&json!({}))});
            if let Some(leader) = leader {
                groups["leaderTemplate"] = leader;
            }
            ReplicaNeeds::read(
                Kind::LeaderWorkerSet,
                &json!({"metadata": {"labels": {QUEUE: "research"}},
                "spec": {"leaderWorkerTemplate": groups}}),
            )
        };
        let alike = of(json!(4), None).unwrap();
        assert_eq!((alike.pods.len(), alike.size(), alike.requests().get("nvidia.com/gpu")), (1, 4, 32));
        assert_eq!(alike.queue, Some("research".into()));
        let leader = json!({"spec": {"containers": [{"resources": {"requests": {"cpu": "1"}}}]}});
        let unlike = of(json!(4), Some(leader)).unwrap();
        assert_eq!((unlike.pods.len(), unlike.size(), unlike.requests().get("nvidia.com/gpu")), (2, 4, 24));
        assert_eq!(of(json!(4), Some(template(&json!({})))).unwrap().pods.len(), 1);
        assert_eq!(of(json!(null), None).unwrap().size(), 1);
        for wrong in [json!(0), json!(-1), json!("4"), json!(9e99)] {
            assert!(of(wrong, None).is_err());
        }
        assert!(of(json!(4_294_967_295u32), None).unwrap().requests().get("nvidia.com/gpu") > 4_294_967_295);
    }

    #[test]
    fn two_pods_cannot_share_a_port_of_the_node() {
        let of = |spec: Value| PodNeeds::read(&json!({"spec": spec})).unwrap().takes_host_ports;
        assert!(of(json!({"containers": [{"ports": [{"containerPort": 80, "hostPort": 80}]}]})));
        assert!(of(json!({"hostNetwork": true, "containers": [{"ports": [{"containerPort": 80}]}]})));
        assert!(!of(json!({"containers": [{"ports": [{"containerPort": 80}]}]})));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[0-9.eEKmi+-]{0,6}|Exists|In|Always|\\PC{0,4}".prop_map(Value::from),
        ];
        let keys = "containers|initContainers|resources|requests|limits|cpu|nodeSelector|tolerations|operator|effect|affinity\
            |nodeAffinity|requiredDuringSchedulingIgnoredDuringExecution|nodeSelectorTerms|matchExpressions|key|values|spec\
            |template|metadata|labels|leaderWorkerTemplate|workerTemplate|leaderTemplate|size|ports|volumes";
        leaf.prop_recursive(6, 48, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(keys, inner, 0..5)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn hostile_templates_never_panic(value in any_json()) {
            let _ = PodNeeds::read(&value);
            let _ = PodNeeds::read(&json!({"spec": value}));
            let _ = PodNeeds::read(&json!({"spec": {"containers": [value]}}));
            for kind in [Kind::Deployment, Kind::LeaderWorkerSet] {
                let _ = ReplicaNeeds::read(kind, &value);
                let _ = ReplicaNeeds::read(kind, &json!({"spec": {"leaderWorkerTemplate": value}}));
            }
        }
    }
}
