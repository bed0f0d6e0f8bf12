//! Requests follow the weights: what the clusters' routes send to a cloud is what its services have to do.
//!
//! Every cluster tells the others on a common board which part of its own requests goes to which host. A
//! service's demand grows and shrinks with what all of them together send, compared with the first day. Routes of the
//! Gateway API split what comes to one cluster, and count there alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::{World, is_terminating, json};
use crate::demo::resource::Kind;
use crate::demo::store::Key;

/// The weights of the first day, by cloud.
pub const WEIGHTS: [(&str, i64); 3] = [("aws", 50), ("gcp", 30), ("azure", 20)];
/// The route between the clouds, and the service that it leads to.
pub const ROUTE: &str = "ml-inference-multicloud";
pub const SERVICE: &str = "ml-inference";
/// However much is sent somewhere, it does not come to more than this many times the usual.
const MOST: f64 = 4.0;

/// Which part of each cluster's requests goes to which host.
#[derive(Debug, Default)]
pub struct Board {
    shares: Mutex<BTreeMap<String, BTreeMap<String, f64>>>,
}

/// A cluster's place in it.
#[derive(Default)]
pub struct Traffic {
    board: Arc<Board>,
    cluster: String,
    cloud: String,
    /// Of what comes to this cluster's gateways, by service: on the first day, and now.
    split: BTreeMap<String, (f64, f64)>,
}

impl Board {
    fn tell(&self, cluster: &str, shares: Option<BTreeMap<String, f64>>) {
        // Whoever panicked while holding it left whole entries.
        let mut all = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        match shares {
            Some(shares) => drop(all.insert(cluster.to_owned(), shares)),
            None => drop(all.remove(cluster)),
        }
    }

    /// The mean part of all clusters' requests that a host gets; `None` while nobody has a route.
    fn inbound(&self, host: &str) -> Option<f64> {
        let all = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let sum: f64 = all.values().map(|shares| shares.get(host).copied().unwrap_or(0.0)).sum();
        (!all.is_empty()).then(|| sum / all.len() as f64)
    }
}

impl Traffic {
    pub fn at(cluster: &str, cloud: &str) -> Traffic {
        Traffic { cluster: cluster.to_owned(), cloud: cloud.to_owned(), ..Traffic::default() }
    }

    pub fn join(&mut self, board: Arc<Board>) {
        self.board = board;
    }

    /// How many times its usual demand a service of this cluster has now.
    pub fn factor(&self, service: &str) -> f64 {
        if let Some((usual, now)) = self.split.get(service).filter(|(usual, _)| *usual > 0.0) {
            return (now / usual).min(MOST);
        }
        let usual: i64 =
            WEIGHTS.iter().filter(|(cloud, _)| *cloud == self.cloud).map(|(_, weight)| weight).sum();
        if service != SERVICE || usual == 0 {
            return 1.0;
        }
        let all: i64 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let inbound = self.board.inbound(&format!("{service}-{}", self.cloud));
        inbound.map_or(1.0, |inbound| (inbound * all as f64 / usual as f64).min(MOST))
    }
}

/// A route of the Gateway API: a backend whose weight is not written has 1 (Gateway API `BackendRef.weight`).
pub fn reconcile_gateway(world: &mut World, key: &Key) {
    let Some(route) = world.get(Kind::HttpRoutes, key).filter(|object| !is_terminating(object)) else {
        return;
    };
    world.traffic.divide(json::list(&route, "/spec/rules/0/backendRefs"));
}

pub fn reconcile(world: &mut World, key: &Key) {
    if &*key.name != ROUTE {
        return;
    }
    let found = world.get(Kind::VirtualServices, key).filter(|object| !is_terminating(object));
    world.traffic.board.tell(&world.traffic.cluster, found.map(|route| shares(&route)));
}

impl Traffic {
    fn divide(&mut self, backends: &[Value]) {
        let weight = |it: &Value| it["weight"].as_i64().unwrap_or(1).max(0) as f64;
        let sum: f64 = backends.iter().map(weight).sum();
        if backends.len() < 2 || sum <= 0.0 {
            return;
        }
        for it in backends {
            let share = weight(it) / sum;
            self.split.entry(json::text(it, "/name").to_owned()).or_insert((share, share)).1 = share;
        }
    }
}

/// The shares of the rule that takes what no other took. A mesh refuses what has no sense, and so goes on
/// with nothing.
fn shares(route: &Value) -> BTreeMap<String, f64> {
    let rules = json::list(route, "/spec/http").iter();
    let Some(rule) = rules.rev().find(|rule| json::list(rule, "/match").is_empty()) else {
        return BTreeMap::new();
    };
    let destinations = json::list(rule, "/route");
    let weight = |it: &Value| it["weight"].as_i64().unwrap_or(0).max(0) as f64;
    let sum: f64 = destinations.iter().map(weight).sum();
    let mut shares = BTreeMap::new();
    for it in destinations {
        let share = match (destinations.len(), sum > 0.0) {
            (1, _) => 1.0,
            (_, true) => weight(it) / sum,
            (_, false) => continue,
        };
        let host = json::text(it, "/destination/host");
        let short = host.split('.').next().unwrap_or(host);
        *shares.entry(short.to_owned()).or_default() += share;
    }
    shares
}

impl World {
    /// Which cluster of which cloud it is.
    pub fn settle_in(&mut self, cluster: &str, cloud: &str) {
        self.traffic = Traffic::at(cluster, cloud);
    }

    /// From now on requests of the other clusters on the board come here too.
    pub fn join(&mut self, board: Arc<Board>) {
        self.traffic.join(board);
        self.due_all(Kind::VirtualServices);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn route(weights: [i64; 3]) -> Value {
        let to = |(cloud, weight): (&str, i64)| json!({"destination": {"host": format!("{SERVICE}-{cloud}")}, "weight": weight});
        let split: Vec<Value> = ["aws", "gcp", "azure"].into_iter().zip(weights).map(to).collect();
        json!({"spec": {"http": [{"match": [{"uri": {"prefix": "/x"}}], "route": [to(("gcp", 1))]}, {"route": split}]}})
    }

    #[test]
    fn a_gateway_divides_what_comes_to_its_cluster() {
        let mut traffic = Traffic::at("aws-east", "aws");
        let backends = |old: i64, new: i64| {
            vec![json!({"name": "old", "weight": old}), json!({"name": "new", "weight": new})]
        };
        traffic.divide(&backends(90, 10));
        assert!((traffic.factor("old") - 1.0).abs() < 1e-9, "the first day");
        traffic.divide(&backends(45, 55));
        assert!((traffic.factor("old") - 0.5).abs() < 1e-9);
        assert!((traffic.factor("new") - MOST).abs() < 1e-9, "5.5 times as much is as much as it can be");
        traffic.divide(&[json!({"name": "old"}), json!({"name": "new"})]);
        assert!((traffic.factor("old") - 0.5 / 0.9).abs() < 1e-9, "not written is 1");
    }

    #[test]
    fn what_all_clusters_send_is_what_a_cloud_has_to_do() {
        let board = Arc::new(Board::default());
        let mut gcp = Traffic::at("gcp-central", "gcp");
        gcp.join(board.clone());
        assert!((gcp.factor(SERVICE) - 1.0).abs() < 1e-9, "nobody has told anything");
        board.tell("aws-east", Some(shares(&route([50, 30, 20]))));
        board.tell("gcp-central", Some(shares(&route([50, 30, 20]))));
        assert!((gcp.factor(SERVICE) - 1.0).abs() < 1e-9, "the first day");
        board.tell("aws-east", Some(shares(&route([20, 60, 20]))));
        assert!((gcp.factor(SERVICE) - 1.5).abs() < 1e-9, "half of the clusters send twice as much");
        assert!((gcp.factor("other") - 1.0).abs() < 1e-9);
        board.tell("aws-east", Some(shares(&route([0, 0, 0]))));
        assert!((gcp.factor(SERVICE) - 0.5).abs() < 1e-9, "what has no sense sends nothing");
        board.tell("aws-east", None);
        assert!((gcp.factor(SERVICE) - 1.0).abs() < 1e-9);
    }
}
