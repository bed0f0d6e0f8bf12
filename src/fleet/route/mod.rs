//! A route: where requests for some hosts go, and in which shares. One noun for Istio, Gateway API and DNS.
//!
//! [`read`] is the only reader: sources use it for what they watch, and whoever changes a route for what was
//! read a moment before, so that both see the same object. It never guesses: a weight that is not a plain
//! number makes its rule invalid, by name, and a share that is not certain is `None`.

mod dns;
mod gateway;
mod istio;
mod print;
mod shares;
mod words;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::text::of_json as text;
use super::{Clean, Cloud, Kind, Marks, ObjectId, ObjectKey, Unix, marks};

pub(crate) use istio::whole_name;
pub use print::Print;
pub use shares::Weighing;

/// The domain that services of a cluster have, unless somebody changed it.
const CLUSTER_DOMAIN: &str = "svc.cluster.local";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    pub kind: Kind,
    /// As the object says: `networking.istio.io/v1`.
    pub api_version: Clean,
    pub key: ObjectKey,
    pub uid: Clean,
    pub generation: i64,
    pub resource_version: Clean,
    /// Whom requests are for; empty for a part that other routes delegate to, and for an HTTPRoute without
    /// host names, which takes every host of its parents.
    pub hosts: Box<[Clean]>,
    /// Gateways, `mesh` for requests inside of the mesh, or the parents of Gateway API.
    pub parents: Box<[Clean]>,
    /// Namespaces that see it, `.` for its own; empty for all.
    pub exports: Box<[Clean]>,
    pub rules: Box<[Rule]>,
    /// Of everything but the rules.
    pub print: Print,
    pub created: Unix,
    pub marks: Marks,
    /// Who of us changed it last: the id of the change.
    pub change: Option<Clean>,
}

/// One entry of a route: which requests, and what is done with them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub protocol: Protocol,
    /// Whose rules its weights follow.
    pub weighing: Weighing,
    /// Its place in the list of its protocol.
    pub index: u32,
    pub name: Clean,
    /// Alternatives, each in words; empty when it takes every request.
    pub matches: Box<[Clean]>,
    pub timeout: Option<Clean>,
    pub retries: Option<Clean>,
    pub shape: Shape,
    /// Copies of requests, on top of the shares.
    pub mirrors: Box<[Mirror]>,
    /// The place of an earlier rule, which takes every request, so that none is left for this one.
    pub unreachable: Option<u32>,
    /// Why the shares cannot be what was meant; then no destination has a share.
    pub invalid: Option<Clean>,
    /// What else should be known of the shares.
    pub note: Clean,
    /// Of everything in it but the weights.
    pub print: Print,
    /// JSON pointers of the parts of the object that the rule is: one, or one for each record of a DNS name.
    pub pointers: Box<[Box<str>]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Protocol {
    Http,
    Tls,
    Tcp,
    Grpc,
    /// Shares are of the answers that a name server gives, not of requests.
    Dns,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Shape {
    Destinations(Box<[Destination]>),
    /// Told to go elsewhere.
    Redirect(Clean),
    /// Answered by the proxy itself.
    DirectResponse(Clean),
    /// The rules stand in another VirtualService.
    Delegate(ObjectKey),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// The whole name: short names are resolved in the namespace of the route.
    pub host: Clean,
    /// As it is written.
    pub short: Clean,
    /// Empty for the whole host.
    pub subset: Clean,
    pub port: Option<u32>,
    /// As it is written; `None` when it is not there, or is not a number (then the rule is invalid).
    pub weight: Option<i64>,
    /// The part of the rule's requests that it gets, 0 to 1; `None` when that is not certain.
    pub share: Option<f64>,
    place: Place,
}

/// How and where the weight of a destination is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    /// A number at this pointer, which need not be there yet.
    Number(Box<str>),
    /// The text of a property at this pointer.
    Text(Box<str>),
    /// A property to be added to the list at this pointer.
    Property(Box<str>),
    /// The list of properties is not there yet.
    Properties(Box<str>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mirror {
    pub host: Clean,
    pub subset: Clean,
    /// `None` when it is not a plain number.
    pub percent: Option<f64>,
}

impl Protocol {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Tcp => "tcp",
            Self::Grpc => "grpc",
            Self::Dns => "dns",
        }
    }

    /// What a share is a share of.
    pub const fn share_of(self) -> &'static str {
        match self {
            Self::Http | Self::Grpc => "requests",
            Self::Tls | Self::Tcp => "connections",
            Self::Dns => "DNS answers",
        }
    }
}

impl Route {
    pub fn id(&self) -> ObjectId {
        ObjectId { kind: self.kind, key: self.key.clone() }
    }

    /// A VirtualService without hosts is a part that others delegate to.
    pub fn is_delegate(&self) -> bool {
        self.kind == Kind::VirtualService && self.hosts.is_empty()
    }
}

impl Rule {
    pub fn destinations(&self) -> &[Destination] {
        match &self.shape {
            Shape::Destinations(destinations) => destinations,
            _ => &[],
        }
    }

    /// `rule 3`, or with its name `rule 3 (default)`; `number` counts from 1 over all rules of the route.
    pub fn label(&self, number: usize) -> Clean {
        if self.name.is_empty() {
            format!("rule {number}").into()
        } else {
            format!("rule {number} ({})", self.name).into()
        }
    }

    /// JSON pointer of the rule in its object: `/spec/http/2`. A DNS name has several, see `pointers`.
    pub fn pointer(&self) -> &str {
        self.pointers.first().map_or("", |pointer| pointer)
    }

    /// The sum of the weights as they count; `None` when the rule is invalid.
    pub fn sum(&self) -> Option<i64> {
        if self.invalid.is_some() {
            return None;
        }
        let omitted = self.weighing.scale().omitted;
        Some(self.destinations().iter().map(|it| it.weight.unwrap_or(omitted)).sum())
    }

    /// What a weight that is not written counts as.
    pub fn default_weight(&self) -> i64 {
        self.weighing.scale().omitted
    }

    /// The largest weight that this kind of route takes.
    pub fn largest_weight(&self) -> i64 {
        self.weighing.scale().largest
    }

    /// The shares that these weights would give, in the order of the destinations, or why they cannot be.
    pub fn shares_of(&self, weights: &[i64]) -> Result<Vec<f64>, Clean> {
        let weights: Vec<_> = weights.iter().map(|weight| shares::Weight::Written(*weight)).collect();
        shares::shares(&weights, self.weighing)
    }
}

impl Destination {
    /// `host`, or `host/subset`, as it is written.
    pub fn name(&self) -> Clean {
        if self.subset.is_empty() {
            self.short.clone()
        } else {
            format!("{}/{}", self.short, self.subset).into()
        }
    }

    /// The cloud that a part of its name tells: `ml-inference-aws`, `aws.example.com`.
    pub fn cloud_by_name(&self) -> Option<Cloud> {
        let parts = self.subset.split(['-', '.', '_']).chain(self.short.split(['-', '.', '_']));
        parts.map(Cloud::named).find(|cloud| !matches!(cloud, Cloud::Other(_)))
    }

    /// JSON pointer of what says the weight: `/spec/http/2/route/0/weight`. It need not be there yet.
    pub fn pointer(&self) -> &str {
        let (Place::Number(at) | Place::Text(at) | Place::Property(at) | Place::Properties(at)) = &self.place;
        at
    }

    /// What a JSON Patch adds at [`Self::pointer`] for this weight. `add`, since an omitted weight has no
    /// place yet; where there is one, `add` replaces it.
    pub fn weight_value(&self, weight: i64) -> Value {
        let property = || json!({"name": dns::WEIGHT, "value": weight.to_string()});
        match &self.place {
            Place::Number(_) => json!(weight),
            Place::Text(_) => json!(weight.to_string()),
            Place::Property(_) => property(),
            Place::Properties(_) => json!([property()]),
        }
    }
}

/// What a route of any kind says. It fails only for what has no name or no shape of a route at all.
pub fn read(kind: Kind, object: &Value) -> Result<Route, String> {
    let meta = &object["metadata"];
    let name = text(&meta["name"]);
    if name.is_empty() {
        return Err("it has no name".into());
    }
    let key = ObjectKey::new(text(&meta["namespace"]), name);
    let spec = &object["spec"];
    if !spec.is_object() {
        return Err("it has no spec".into());
    }
    let parts = match kind {
        Kind::VirtualService => istio::virtual_service(&key, spec),
        Kind::HttpRoute => gateway::route(Protocol::Http, &key, spec),
        Kind::GrpcRoute => gateway::route(Protocol::Grpc, &key, spec),
        Kind::DnsEndpoint => dns::endpoint(spec),
        other => return Err(format!("a {other} is not a route")),
    }?;
    let annotation = &meta["annotations"][marks::CHANGE];
    Ok(Route {
        kind,
        api_version: text(&object["apiVersion"]).into(),
        key,
        uid: text(&meta["uid"]).into(),
        generation: meta["generation"].as_i64().unwrap_or(0),
        resource_version: text(&meta["resourceVersion"]).into(),
        hosts: parts.hosts,
        parents: parts.parents,
        exports: entries(&spec["exportTo"]).iter().map(|it| Clean::new(text(it))).collect(),
        rules: parts.rules.into(),
        print: Print::without(spec, parts.lists),
        created: Unix::parse(text(&meta["creationTimestamp"])).unwrap_or_default(),
        marks: Marks::read(object),
        change: annotation.as_str().map(Clean::new),
    })
}

/// What the readers of the kinds give.
struct Parts {
    hosts: Box<[Clean]>,
    parents: Box<[Clean]>,
    rules: Vec<Rule>,
    /// The lists in the spec that hold the rules.
    lists: &'static [&'static str],
}

/// The entries of a list, which may not be there; anything but a list is an error.
fn list<'a>(value: &'a Value, name: &str) -> Result<&'a [Value], String> {
    match value {
        Value::Null => Ok(&[]),
        Value::Array(entries) => Ok(entries),
        _ => Err(format!("its `{name}` is not a list")),
    }
}

/// The same where what is odd is no reason to refuse the object.
fn entries(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Places in lists are small; a list so long that this matters does not fit into an object.
fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn port(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn in_cluster(name: &str, namespace: &str) -> String {
    format!("{name}.{namespace}.{CLUSTER_DOMAIN}")
}

#[cfg(test)]
mod tests;
