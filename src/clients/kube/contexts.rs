//! Which clusters a kubeconfig leads to.
//!
//! Contexts that differ only in account or namespace lead to one cluster: one address with one certificate
//! authority. The current context speaks for it, else the first.

use std::path::{Path, PathBuf};

use kube::config::{Context, Kubeconfig};

use super::address::Address;

/// A kubeconfig of one or more files, and what could not be read of it.
#[derive(Debug, Default)]
pub struct Loaded {
    pub kubeconfig: Kubeconfig,
    pub files: Vec<PathBuf>,
    /// File and reason; never its contents.
    pub broken: Vec<(PathBuf, String)>,
}

/// One cluster and the contexts that lead to it, the one to use first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub contexts: Vec<String>,
    pub namespace: Option<String>,
}

/// The files that `KUBECONFIG` names, else the default one. Files that are not there are left out, as
/// kubectl does.
pub fn paths(variable: Option<&std::ffi::OsStr>, home: Option<&Path>) -> Vec<PathBuf> {
    let named = variable.map(|list| std::env::split_paths(list).collect::<Vec<_>>());
    let named = named.unwrap_or_default().into_iter().filter(|path| !path.as_os_str().is_empty());
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        return home.map(|home| home.join(".kube").join("config")).into_iter().collect();
    }
    named
}

/// Reads and merges; one broken file does not lose the others.
pub fn load(paths: &[PathBuf]) -> Loaded {
    let mut loaded = Loaded::default();
    for path in paths.iter().filter(|path| path.exists()) {
        let read = Kubeconfig::read_from(path).map_err(|error| reason(&error));
        let merged =
            read.and_then(|next| loaded.kubeconfig.clone().merge(next).map_err(|error| reason(&error)));
        match merged {
            Ok(kubeconfig) => {
                loaded.kubeconfig = kubeconfig;
                loaded.files.push(path.clone());
            }
            Err(reason) => loaded.broken.push((path.clone(), reason)),
        }
    }
    loaded
}

/// The clusters in the order in which the contexts name them.
pub fn clusters(kubeconfig: &Kubeconfig) -> Vec<Found> {
    let mut found: Vec<(Option<Place>, Found)> = Vec::new();
    for named in &kubeconfig.contexts {
        let Some(context) = &named.context else { continue };
        let place = Place::of(kubeconfig, context);
        let mut known = found.iter_mut().filter_map(|(known, cluster)| Some((known.as_mut()?, cluster)));
        let same = place.as_ref().and_then(|place| known.find(|(known, _)| known.may_be(place)));
        let is_current = kubeconfig.current_context.as_ref() == Some(&named.name);
        match (same, place) {
            (Some((known, cluster)), Some(place)) => {
                known.address.learn(place.address);
                if is_current {
                    cluster.contexts.insert(0, named.name.clone());
                    cluster.namespace.clone_from(&context.namespace);
                } else {
                    cluster.contexts.push(named.name.clone());
                }
            }
            (_, place) => found.push((
                place,
                Found { contexts: vec![named.name.clone()], namespace: context.namespace.clone() },
            )),
        }
    }
    found.into_iter().map(|(_, cluster)| cluster).collect()
}

/// At one address may be several servers, each with its own certificate authority.
struct Place {
    address: Address,
    authority: Option<String>,
}

impl Place {
    fn of(kubeconfig: &Kubeconfig, context: &Context) -> Option<Self> {
        let named = kubeconfig.clusters.iter().find(|named| named.name == context.cluster)?;
        let cluster = named.cluster.as_ref()?;
        let user = kubeconfig.auth_infos.iter().find(|named| Some(&named.name) == context.user.as_ref());
        let address = Address::of(cluster, user.and_then(|named| named.auth_info.as_ref()))?;
        let authority = cluster.certificate_authority_data.clone();
        Some(Self { address, authority: authority.or_else(|| cluster.certificate_authority.clone()) })
    }

    fn may_be(&self, other: &Self) -> bool {
        self.address.may_be(&other.address) && self.authority == other.authority
    }
}

/// Errors of the parser quote the file, which holds credentials; only the place is told.
fn reason(error: &kube::config::KubeconfigError) -> String {
    use kube::config::KubeconfigError as E;
    match error {
        E::ReadConfig(cause, _) => cause.kind().to_string(),
        E::Parse(error) => error.location().map_or_else(
            || "it is not a kubeconfig".to_owned(),
            |at| format!("it is not a kubeconfig: line {}, column {}", at.line(), at.column()),
        ),
        E::KindMismatch | E::ApiVersionMismatch => {
            "its kind or apiVersion differs from the file before".into()
        }
        _ => "it cannot be read as a kubeconfig".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig(yaml: &str) -> Kubeconfig {
        Kubeconfig::from_yaml(yaml).unwrap()
    }

    #[test]
    fn contexts_of_one_server_and_authority_are_one_cluster() {
        let config = kubeconfig(
            "
clusters:
- {name: a, cluster: {server: 'https://One:6443/', certificate-authority-data: QQ==}}
- {name: a-again, cluster: {server: 'https://one:6443', certificate-authority-data: QQ==}}
- {name: other-ca, cluster: {server: 'https://one:6443', certificate-authority-data: Qg==}}
- {name: other-name, cluster: {server: 'https://one:6443', certificate-authority-data: QQ==, tls-server-name: b}}
contexts:
- {name: view, context: {cluster: a, user: v}}
- {name: admin, context: {cluster: a-again, user: a, namespace: team}}
- {name: other, context: {cluster: other-ca, user: a}}
- {name: behind-it, context: {cluster: other-name, user: a}}
- {name: dangling, context: {cluster: nowhere, user: a}}
- {name: dangling-too, context: {cluster: nowhere, user: a}}
current-context: admin
",
        );
        let found = clusters(&config);
        let names: Vec<_> = found.iter().map(|cluster| cluster.contexts.join(" ")).collect();
        assert_eq!(names, ["admin view", "other", "behind-it", "dangling", "dangling-too"]);
        assert_eq!(found[0].namespace.as_deref(), Some("team"));
    }

    /// As `tsh kube login` writes it: one address for all clusters.
    #[test]
    fn clusters_behind_one_proxy_are_told_apart_by_what_its_plugin_is_told() {
        let config = kubeconfig(
            "
clusters:
- {name: proxy, cluster: {server: 'https://proxy:443', certificate-authority-data: QQ==}}
users:
- {name: u-token, user: {token: t}}
- {name: u-ml, user: {exec: {apiVersion: v1, command: tsh, args: [kube, credentials, --kube-cluster=ml]}}}
- {name: u-web, user: {exec: {apiVersion: v1, command: tsh, args: [kube, credentials, --kube-cluster=web]}}}
contexts:
- {name: by-hand, context: {cluster: proxy, user: u-token}}
- {name: proxy-ml, context: {cluster: proxy, user: u-ml}}
- {name: proxy-web, context: {cluster: proxy, user: u-web}}
- {name: proxy-web-team, context: {cluster: proxy, user: u-web, namespace: team}}
",
        );
        let names: Vec<_> = clusters(&config).iter().map(|cluster| cluster.contexts.join(" ")).collect();
        assert_eq!(names, ["by-hand proxy-ml", "proxy-web proxy-web-team"]);
    }

    #[test]
    fn the_variable_is_a_list_and_empty_means_the_default() {
        let home = Path::new("/home/me");
        let named = |list: &str| paths(Some(list.as_ref()), Some(home));
        assert_eq!(named("/a:/b"), [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert_eq!(named(""), [home.join(".kube/config")]);
        assert_eq!(paths(None, Some(home)), [home.join(".kube/config")]);
        assert_eq!(paths(None, None), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_broken_file_does_not_lose_the_others_and_tells_no_contents() {
        let folder = tempfile::tempdir().unwrap();
        let good = folder.path().join("good");
        let bad = folder.path().join("bad");
        std::fs::write(&good, "contexts: [{name: c, context: {cluster: x, user: y}}]").unwrap();
        std::fs::write(&bad, "users:\n- name: [canary-token\n").unwrap();
        let loaded = load(&[folder.path().join("missing"), bad.clone(), good.clone()]);
        assert_eq!(loaded.files, [good]);
        assert_eq!(loaded.broken.len(), 1);
        assert_eq!(loaded.broken[0].0, bad);
        assert!(!loaded.broken[0].1.contains("canary"), "{}", loaded.broken[0].1);
        assert!(loaded.broken[0].1.contains("line"), "{}", loaded.broken[0].1);
    }
}
