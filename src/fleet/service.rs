//! A Service and the endpoints behind it: what a host of the cluster leads to, and how much of that is ready.

use serde::{Deserialize, Serialize};

use super::{Clean, Labels, ObjectKey};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    pub key: ObjectKey,
    /// `ClusterIP`, `ExternalName`, `LoadBalancer`, `NodePort`.
    pub service_type: Clean,
    /// Labels of its pods; empty when somebody else says what its endpoints are.
    pub selector: Labels,
    pub ports: Box<[u32]>,
    /// Where an `ExternalName` leads.
    pub external_name: Option<Clean>,
}

/// One EndpointSlice, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    pub key: ObjectKey,
    /// The Service, in its own namespace; `None` for a slice that belongs to none.
    pub service: Option<Clean>,
    pub address_type: AddressType,
    /// They take new requests.
    pub ready: u32,
    /// They answer, also while they are being ended.
    pub serving: u32,
    pub total: u32,
}

/// A pod with two addresses stands in two slices, and is one endpoint all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AddressType {
    Ip4,
    Ip6,
    Name,
}
