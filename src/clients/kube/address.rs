//! Where a cluster is asked: its server, and which of several behind it is meant.
//!
//! A name in the handshake may say so, or the credential: an access proxy shows every cluster at one address, and gives
//! out credentials for one of them, whose name its plugin is told (`tsh kube credentials --kube-cluster=…`).

use kube::config::{AuthInfo, Cluster};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    server: String,
    /// The name that is asked for in the handshake.
    name: Option<String>,
    /// What the credential plugin is told of clusters; nothing without one.
    told: Vec<String>,
}

impl Address {
    pub fn of(cluster: &Cluster, user: Option<&AuthInfo>) -> Option<Self> {
        let server = normal(cluster.server.as_ref()?);
        let name = cluster.tls_server_name.clone().filter(|name| !name.is_empty());
        let arguments = user.and_then(|user| user.exec.as_ref()?.args.as_deref()).unwrap_or_default();
        Some(Self { server, name, told: told_of_clusters(arguments) })
    }

    /// Whether nothing tells the two apart. An account whose credential tells of no cluster, such as a token, leaves open
    /// which one is meant.
    pub fn may_be(&self, other: &Self) -> bool {
        let alike = self.told == other.told || self.told.is_empty() || other.told.is_empty();
        alike && (&self.server, &self.name) == (&other.server, &other.name)
    }

    /// Takes over what another account on the same cluster says about which one it is.
    pub fn learn(&mut self, other: Self) {
        if self.told.is_empty() {
            self.told = other.told;
        }
    }
}

/// One server may be written in several ways.
fn normal(server: &str) -> String {
    server.trim_end_matches('/').to_ascii_lowercase()
}

/// The options that name a cluster, as `--kube-cluster=ml` or `--cluster-name ml`: each with its value.
fn told_of_clusters(arguments: &[String]) -> Vec<String> {
    let mut told = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let option = argument.split_once('=').map_or(&**argument, |(option, _)| option);
        if option.starts_with('-') && option.contains("cluster") {
            let value = if option == argument { rest.next() } else { None };
            told.push(value.map_or_else(|| argument.clone(), |value| format!("{argument}={value}")));
        }
    }
    told.sort_unstable();
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(arguments: &[&str]) -> Address {
        let user: AuthInfo =
            serde_json::from_value(serde_json::json!({"exec": {"command": "x", "args": arguments}})).unwrap();
        let cluster = Cluster { server: Some("https://Proxy:443/".into()), ..Cluster::default() };
        Address::of(&cluster, Some(&user)).unwrap()
    }

    #[test]
    fn what_a_plugin_is_told_of_clusters_tells_them_apart_and_nothing_else_does() {
        let ml = address(&["kube", "credentials", "--kube-cluster=ml", "--proxy=p"]);
        assert!(!ml.may_be(&address(&["kube", "credentials", "--kube-cluster=web", "--proxy=p"])));
        assert!(ml.may_be(&address(&["--proxy=q", "--kube-cluster", "ml"])), "written in another way");
        let eks = address(&["eks", "get-token", "--cluster-name", "ml", "--role", "admin"]);
        assert!(eks.may_be(&address(&["eks", "get-token", "--cluster-name", "ml", "--role", "viewer"])));
        assert!(!eks.may_be(&address(&["eks", "get-token", "--cluster-name"])));
        assert!(eks.may_be(&address(&["--role", "cluster-admin"])), "of which it is not said");
    }
}
