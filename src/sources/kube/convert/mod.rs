//! From wire to fact: pure, one file a family of kinds.
//!
//! A conversion never fails for what is merely missing; it fails, with a reason, for what cannot be
//! understood. Such an object is counted and named, and its kind goes on.

pub mod custom;
pub mod custom_job;
pub mod event;
pub mod job;
pub mod node;
pub mod pod;
pub mod queue;
pub mod scaling;
pub mod service;
pub mod traffic;
pub mod workload;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::clients::kube::wire::messages::core::{PodSpec, PodTemplateSpec, ResourceRequirements};
use crate::clients::kube::wire::messages::meta::{ObjectMeta, Quantity, unix};
use crate::clients::kube::wire::{Encoding, list};
use crate::fleet::amounts::parse as parse_amount;
use crate::fleet::workload::image_version;
use crate::fleet::{
    AmountsInterner, Asked, Clean, GpuCount, Interner, Labels, Object, ObjectKey, Owner, PodSum, Unix,
    Version,
};

/// What a conversion works with.
pub struct Cx {
    pub names: Interner,
    pub amounts: AmountsInterner,
    /// Labels that tell a version, the first that is there.
    pub version_labels: Arc<[String]>,
}

/// One object, understood.
#[derive(Debug, PartialEq)]
pub struct Read {
    pub key: ObjectKey,
    pub resource_version: String,
    /// `None` for objects that are of no interest, such as the empty ReplicaSets of old revisions.
    pub object: Option<Object>,
}

impl Cx {
    pub fn new(version_labels: Arc<[String]>) -> Self {
        Self { names: Interner::default(), amounts: AmountsInterner::default(), version_labels }
    }
}

impl Read {
    fn new(meta: &ObjectMeta, cx: &mut Cx, object: Option<Object>) -> Self {
        Self { key: key(meta, cx), resource_version: meta.resource_version.clone(), object }
    }
}

/// Decodes a typed message in either encoding.
pub fn decode<M: prost::Message + Default + DeserializeOwned>(
    encoding: Encoding,
    bytes: &Bytes,
) -> Result<M, String> {
    match encoding {
        Encoding::Protobuf => M::decode(bytes.clone()).map_err(|error| error.to_string()),
        Encoding::Json => serde_json::from_slice(bytes).map_err(|error| json_reason(&error)),
    }
}

/// Any object as JSON.
pub fn value(encoding: Encoding, bytes: &Bytes) -> Result<Value, String> {
    match encoding {
        Encoding::Json => serde_json::from_slice(bytes).map_err(|error| json_reason(&error)),
        Encoding::Protobuf => Err("a custom resource cannot be protobuf".into()),
    }
}

/// Name, place and version of an object, also of one of which nothing else can be understood.
pub fn name_of(encoding: Encoding, bytes: &Bytes) -> Option<(ObjectKey, String)> {
    #[derive(Clone, PartialEq, prost::Message, serde::Deserialize)]
    struct Named {
        #[prost(message, optional, tag = "1")]
        metadata: Option<Meta>,
    }
    #[derive(Clone, PartialEq, prost::Message, serde::Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Meta {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(string, tag = "3")]
        namespace: String,
        #[prost(string, tag = "6")]
        resource_version: String,
    }
    let named: Named = decode(encoding, bytes).ok()?;
    let meta = named.metadata.filter(|meta| !meta.name.is_empty())?;
    Some((ObjectKey::new(&meta.namespace, &meta.name), meta.resource_version))
}

/// Type and place of the error, without the value that it quotes: that may be a secret, or a trap.
fn json_reason(error: &serde_json::Error) -> String {
    let words = error.to_string();
    // Its own words come last.
    let words = words.rsplit_once(" at line ").map_or(&*words, |(words, _)| words);
    format!("{}, {}", without_value(words), list::place(error))
}

/// Complaints of fields by names of the program's own.
const OWN: [&str; 2] = ["missing field", "duplicate field"];

/// `invalid type: string "hunter2", expected u32` is `invalid type: string, expected u32`.
fn without_value(words: &str) -> String {
    let quoted = words.split_once(": ").or_else(|| words.split_once(" `"));
    let Some((complaint, rest)) = quoted.filter(|_| !OWN.iter().any(|own| words.starts_with(own))) else {
        return words.to_owned();
    };
    // What is expected is in the program's own words, and behind whatever the value says.
    let (value, expected) = match rest.rsplit_once(", expected ") {
        Some((value, expected)) => (value, format!(", expected {expected}")),
        None => (rest, String::new()),
    };
    let kinds = [
        "string",
        "integer",
        "floating point",
        "boolean",
        "character",
        "map",
        "sequence",
        "null",
        "byte array",
    ];
    let kind =
        kinds.iter().find(|kind| value.starts_with(**kind)).map_or(String::new(), |kind| format!(": {kind}"));
    format!("{complaint}{kind}{expected}")
}

fn meta(metadata: Option<ObjectMeta>) -> Result<ObjectMeta, String> {
    metadata.filter(|meta| !meta.name.is_empty()).ok_or_else(|| "it has no name".to_owned())
}

fn key(meta: &ObjectMeta, cx: &mut Cx) -> ObjectKey {
    ObjectKey { namespace: cx.names.intern(&meta.namespace), name: cx.names.intern(&meta.name) }
}

fn created(meta: &ObjectMeta) -> Unix {
    unix(meta.creation_timestamp.as_ref()).unwrap_or_default()
}

/// The owner that controls an object.
fn controller(meta: &ObjectMeta, cx: &mut Cx) -> Option<Owner> {
    let owner = meta.owner_references.iter().find(|owner| owner.controller)?;
    Some(Owner { kind: cx.names.intern(&owner.kind), name: cx.names.intern(&owner.name) })
}

fn labels(meta: &ObjectMeta, cx: &mut Cx) -> Labels {
    meta.labels.iter().map(|(key, value)| (cx.names.intern(key), cx.names.intern(value))).collect()
}

/// The version that labels of the pods tell, else labels of the workload, else the first image.
fn version(workload: &ObjectMeta, template: &PodTemplateSpec, cx: &mut Cx) -> Version {
    let pod_meta = template.metadata.as_ref();
    for label in Arc::clone(&cx.version_labels).iter() {
        let of_pod = pod_meta.and_then(|meta| meta.labels.get(label));
        if let Some(value) = of_pod.or_else(|| workload.labels.get(label))
            && !value.is_empty()
        {
            let from = cx.names.intern(&format!("label {label}"));
            return Version { name: cx.names.intern(value), from };
        }
    }
    let containers = template.spec.iter().flat_map(|spec| &spec.containers);
    let mut versions = containers.filter_map(|container| image_version(&container.image));
    versions.next().unwrap_or_default()
}

fn images(template: &PodTemplateSpec, cx: &mut Cx) -> Box<[Clean]> {
    let containers = template.spec.iter().flat_map(|spec| &spec.containers);
    containers.map(|container| cx.names.intern(&container.image)).collect()
}

/// What the scheduler reserves for a pod.
fn pod_requests(spec: &PodSpec) -> Asked<'_> {
    let mut sum = PodSum::default();
    for container in &spec.containers {
        sum.container(&requests(container.resources.as_ref()));
    }
    for container in &spec.init_containers {
        sum.init_container(requests(container.resources.as_ref()), container.restart_policy == "Always");
    }
    let whole = spec.resources.as_ref();
    let own = whole.map_or_else(Asked::default, |it| Asked::new(amounts(&it.requests)));
    let limits = whole.map_or_else(Asked::default, |it| Asked::new(amounts(&it.limits)));
    sum.total(&own, &limits, &Asked::new(amounts(&spec.overhead)))
}

fn requests(resources: Option<&ResourceRequirements>) -> Asked<'_> {
    let Some(resources) = resources else { return Asked::default() };
    Asked::new(amounts(&resources.requests)).or_limits(amounts(&resources.limits))
}

/// The server has checked that they are quantities.
fn amounts(list: &BTreeMap<String, Quantity>) -> impl Iterator<Item = (&str, u64)> {
    list.iter().filter_map(|(name, it)| Some((name.as_str(), parse_amount(name, &it.text)?)))
}

fn template_gpus(template: &PodTemplateSpec) -> GpuCount {
    template.spec.as_ref().map_or(GpuCount::NONE, |spec| GpuCount::among(pod_requests(spec).iter()))
}

/// Counts of Kubernetes are never negative; one that is counts as none.
fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

#[cfg(test)]
pub(crate) fn test_cx() -> Cx {
    Cx::new(vec!["app.kubernetes.io/version".to_owned()].into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_an_object_that_is_not_understood_quotes_no_value_of_it() {
        #[derive(serde::Deserialize)]
        enum Word {
            Known,
        }
        let count = |text: &str| json_reason(&serde_json::from_str::<u32>(text).unwrap_err());
        for (text, told) in [
            (r#""canary""#, "invalid type: string, expected u32, line 1, column 8"),
            (
                r#""canary, expected nothing at line 7""#,
                "invalid type: string, expected u32, line 1, column 36",
            ),
            (r#""canary: \" at line 9 column 9""#, "invalid type: string, expected u32, line 1, column 31"),
            ("-7", "invalid value: integer, expected u32, line 1, column 2"),
            ("7.25", "invalid type: floating point, expected u32, line 1, column 4"),
            ("{}", "invalid type: map, expected u32, line 1, column 0"),
            ("[", "invalid type: sequence, expected u32, line 1, column 0"),
            ("x", "expected value, line 1, column 1"),
        ] {
            assert_eq!(count(text), told, "{text}");
        }
        let word = json_reason(&serde_json::from_str::<Word>(r#""canary""#).err().unwrap());
        assert_eq!(word, "unknown variant, expected `Known`, line 1, column 8");
        let own = without_value("a quantity: canary");
        assert_eq!(own, "a quantity");
    }
}
