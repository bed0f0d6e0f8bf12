//! Which clusters there are: the configured ones, else every cluster that the kubeconfig leads to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kube::config::Kubeconfig;

use crate::clients::kube::connect::Target;
use crate::clients::kube::contexts::{self, Loaded};
use crate::config::{ClusterEntry, Config};
use crate::fleet::{Clean, Fault, FaultKind, Step};
use crate::state::ClusterSpec;

/// A cluster to watch, and how to reach it.
pub struct Member {
    pub spec: ClusterSpec,
    pub target: Result<Target, Fault>,
    /// The contexts that lead to it as well, when nothing says which of them is meant.
    pub others: Vec<String>,
    pub namespaces: Vec<String>,
    pub home_namespace: Option<String>,
}

/// The members, and what should be said about how they were found.
#[derive(Default)]
pub struct Inventory {
    pub members: Vec<Member>,
    /// Kubeconfigs that cannot be read, and why.
    pub broken: Vec<String>,
    pub notices: Vec<String>,
}

impl Inventory {
    /// A session stays with the contexts that it is in, as long as they lead to the same servers: that somebody made
    /// another one current, in another window, changes neither the account nor the names on the screen.
    pub fn stay_in(&mut self, used: &[&Target]) {
        let mut renamed = false;
        for member in self.members.iter_mut().filter(|it| !it.others.is_empty()) {
            let Ok(target) = &mut member.target else { continue };
            let led = |own: &&&Target| member.others.contains(&own.context) && own.is_at(target);
            let is_used = used.iter().any(|own| own.context == target.context && own.is_at(target));
            let Some(own) = used.iter().find(led).filter(|_| !is_used) else { continue };
            target.context.clone_from(&own.context);
            member.home_namespace = namespace(&target.kubeconfig, &own.context);
            renamed = true;
        }
        if renamed {
            name_by_contexts(&mut self.members);
        }
    }
}

/// Nothing to connect to, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoClusters(pub String);

impl std::fmt::Display for NoClusters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoClusters {}

/// Where kubeconfigs are looked for, taken from the environment once.
#[derive(Debug, Clone, Default)]
pub struct Places {
    pub kubeconfig_files: Vec<PathBuf>,
}

impl Places {
    pub fn of_environment() -> Self {
        let home = directories::BaseDirs::new().map(|folders| folders.home_dir().to_owned());
        let variable = std::env::var_os("KUBECONFIG");
        Self { kubeconfig_files: contexts::paths(variable.as_deref(), home.as_deref()) }
    }
}

/// Every kubeconfig that the members come from.
pub fn files(config: &Config, places: &Places) -> Vec<PathBuf> {
    let own = config.clusters.iter().filter_map(|entry| entry.kubeconfig.clone());
    places.kubeconfig_files.iter().cloned().chain(own).collect()
}

/// Finds the members. `only` narrows them to contexts named on the command line.
pub fn find(config: &Config, places: &Places, only: &[String]) -> Result<Inventory, NoClusters> {
    let loaded = contexts::load(&places.kubeconfig_files);
    let broken = loaded.broken.iter().map(|(file, reason)| format!("{}: {reason}", file.display()));
    let mut inventory = Inventory { broken: broken.collect(), ..Inventory::default() };
    if config.clusters.is_empty() {
        from_contexts(&loaded, only, &mut inventory);
    } else {
        let mut files = BTreeMap::new();
        for entry in &config.clusters {
            inventory.members.push(configured(entry, &loaded, &mut files));
        }
        inventory.members.retain(|member| {
            only.is_empty()
                || only.iter().any(|name| context_of(member) == Some(name) || *name == *member.spec.name)
        });
    }
    if inventory.members.is_empty() {
        return Err(nothing_found(places, &loaded, only));
    }
    if config.file.is_none() {
        let count = inventory.members.len();
        let noun = if count == 1 { "cluster" } else { "clusters" };
        inventory
            .notices
            .push(format!("no configuration file: {count} {noun} from the kubeconfig, read-only"));
    }
    Ok(inventory)
}

fn context_of(member: &Member) -> Option<&String> {
    member.target.as_ref().ok().map(|target| &target.context)
}

fn from_contexts(loaded: &Loaded, only: &[String], inventory: &mut Inventory) {
    let kubeconfig = Arc::new(loaded.kubeconfig.clone());
    for found in contexts::clusters(&kubeconfig) {
        let mut meant = found.contexts.into_iter().filter(|it| only.is_empty() || only.contains(it));
        let Some(context) = meant.next() else { continue };
        let home = namespace(&kubeconfig, &context);
        inventory.members.push(Member {
            spec: ClusterSpec::default(),
            target: Ok(Target { kubeconfig: Arc::clone(&kubeconfig), context }),
            others: meant.collect(),
            namespaces: Vec::new(),
            home_namespace: home,
        });
    }
    name_by_contexts(&mut inventory.members);
}

fn configured(
    entry: &ClusterEntry,
    loaded: &Loaded,
    files: &mut BTreeMap<PathBuf, Result<Arc<Kubeconfig>, String>>,
) -> Member {
    let kubeconfig = match &entry.kubeconfig {
        None => Ok(Arc::new(loaded.kubeconfig.clone())),
        Some(path) => files.entry(path.clone()).or_insert_with(|| one_file(path)).clone(),
    };
    let target = kubeconfig.and_then(|kubeconfig| {
        let names: Vec<_> = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
        if names.contains(&entry.context) {
            Ok(Target { kubeconfig, context: entry.context.clone() })
        } else {
            Err(format!("the kubeconfig has no context `{}` (it has {})", entry.context, listed(&names)))
        }
    });
    let home = target.as_ref().ok().and_then(|it| namespace(&it.kubeconfig, &it.context));
    Member {
        spec: entry.spec.clone(),
        target: target.map_err(|words| Fault::new(Step::Configure, FaultKind::Configuration, words)),
        others: Vec::new(),
        namespaces: entry.namespaces.clone(),
        home_namespace: home,
    }
}

fn one_file(path: &Path) -> Result<Arc<Kubeconfig>, String> {
    if !path.exists() {
        return Err(format!("{} is not there", path.display()));
    }
    let loaded = contexts::load(&[path.to_owned()]);
    match loaded.broken.first() {
        Some((file, reason)) => Err(format!("{}: {reason}", file.display())),
        None => Ok(Arc::new(loaded.kubeconfig)),
    }
}

fn namespace(kubeconfig: &Kubeconfig, context: &str) -> Option<String> {
    let named = kubeconfig.contexts.iter().find(|named| named.name == context)?;
    named.context.as_ref()?.namespace.clone().filter(|name| !name.is_empty())
}

/// The last part of names that clouds give: `arn:aws:eks:us-east-1:1234:cluster/ml` is `ml`, and
/// `gke_project_us-central1_ml` is `ml`.
fn short_name(context: &str) -> &str {
    if context.starts_with("arn:")
        && let Some((_, name)) = context.rsplit_once('/')
    {
        return name;
    }
    let gke = context.strip_prefix("gke_").and_then(|rest| rest.splitn(3, '_').nth(2));
    gke.unwrap_or(context)
}

/// Clusters are called by the last part of their context; two that would be called the same by the whole of it.
fn name_by_contexts(members: &mut [Member]) {
    let short = |member: &Member| context_of(member).map(|context| Clean::new(short_name(context)));
    let names: Vec<_> = members.iter().map(short).collect();
    for (member, name) in members.iter_mut().zip(&names) {
        let alone = names.iter().filter(|other| *other == name).count() == 1;
        let whole = context_of(member).map(|context| Clean::new(context));
        let name = if alone { name.clone() } else { whole };
        member.spec.name = name.unwrap_or_default();
    }
}

fn nothing_found(places: &Places, loaded: &Loaded, only: &[String]) -> NoClusters {
    let mut words = match (only, &loaded.broken[..], &loaded.files[..]) {
        ([], [], []) => {
            let looked = places.kubeconfig_files.iter().map(|path| path.display().to_string());
            format!("no kubeconfig: there is nothing at {}", looked.collect::<Vec<_>>().join(", "))
        }
        ([], broken, []) => {
            let broken = broken.iter().map(|(file, reason)| format!("{}: {reason}", file.display()));
            format!("no kubeconfig can be read\n{}", broken.collect::<Vec<_>>().join("\n"))
        }
        ([], _, files) => {
            let files = files.iter().map(|path| path.display().to_string());
            format!("the kubeconfig has no contexts: {}", files.collect::<Vec<_>>().join(", "))
        }
        (only, ..) => {
            let names: Vec<_> = loaded.kubeconfig.contexts.iter().map(|it| it.name.clone()).collect();
            format!("no context is called {} (there are {})", only.join(", "), listed(&names))
        }
    };
    words.push_str(
        "\n\nTo see Skydeck at work without a cluster:\n    skydeck --demo\n\
         To use your clusters, set KUBECONFIG to your kubeconfig files, or let your cloud write one:\n    \
         aws eks update-kubeconfig --name NAME\n    \
         gcloud container clusters get-credentials NAME\n    \
         az aks get-credentials --name NAME --resource-group GROUP",
    );
    NoClusters(words)
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "none".into(),
        names if names.len() <= 8 => names.join(", "),
        names => format!("{} and {} more", names[..8].join(", "), names.len() - 8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(yaml: &str) -> (tempfile::TempDir, Places) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, yaml).unwrap();
        (folder, Places { kubeconfig_files: vec![file] })
    }

    const TWO: &str = "
clusters:
- {name: a, cluster: {server: 'https://a', certificate-authority-data: QQ==}}
- {name: b, cluster: {server: 'https://b'}}
contexts:
- {name: 'arn:aws:eks:us-east-1:1:cluster/ml', context: {cluster: a, user: u, namespace: team}}
- {name: a-viewer, context: {cluster: a, user: v}}
- {name: gke_proj_us-central1_ml, context: {cluster: b, user: u}}
";

    #[test]
    fn without_a_configuration_every_cluster_of_the_kubeconfig_is_a_member() {
        let (_folder, places) = places(TWO);
        let found = find(&Config::default(), &places, &[]).unwrap();
        let names: Vec<_> = found.members.iter().map(|it| it.spec.name.as_str()).collect();
        assert_eq!(names, ["arn:aws:eks:us-east-1:1:cluster/ml", "gke_proj_us-central1_ml"]);
        assert_eq!(found.members[0].home_namespace.as_deref(), Some("team"));
        assert_eq!(found.notices, ["no configuration file: 2 clusters from the kubeconfig, read-only"]);
        let one = find(&Config::default(), &places, &["a-viewer".into()]).unwrap();
        assert_eq!(one.members.len(), 1);
        assert_eq!(context_of(&one.members[0]), Some(&"a-viewer".to_owned()));
    }

    #[test]
    fn clouds_long_names_are_shortened() {
        assert_eq!(short_name("arn:aws:eks:us-east-1:1:cluster/ml"), "ml");
        assert_eq!(short_name("gke_proj_us-central1_ml_big"), "ml_big");
        assert_eq!(short_name("kind-x"), "kind-x");
    }

    #[test]
    fn a_wrong_entry_is_a_member_with_a_fault_and_hurts_no_other() {
        let (_folder, places) = places(TWO);
        let text = "[[cluster]]\nname='good'\ncontext='a-viewer'\n[[cluster]]\nname='bad'\n[[cluster]]\nname='worse'\nkubeconfig='/nowhere/x'";
        let config = Config::parse(Path::new("c.toml"), text).unwrap();
        let found = find(&config, &places, &[]).unwrap();
        assert!(found.members[0].target.is_ok());
        let fault = found.members[1].target.as_ref().err().unwrap().to_string();
        assert!(fault.contains("no context `bad`") && fault.contains("a-viewer"), "{fault}");
        let fault = found.members[2].target.as_ref().err().unwrap().to_string();
        assert!(fault.contains("/nowhere/x is not there"), "{fault}");
        assert!(found.notices.is_empty());
    }

    #[test]
    fn nothing_to_connect_to_says_what_to_do() {
        let places = Places { kubeconfig_files: vec!["/nowhere/config".into()] };
        let words = find(&Config::default(), &places, &[]).err().unwrap().to_string();
        assert!(words.contains("/nowhere/config") && words.contains("skydeck --demo"), "{words}");
        let (_folder, there) = self::places(TWO);
        let words = find(&Config::default(), &there, &["nope".into()]).err().unwrap().to_string();
        assert!(words.contains("no context is called nope") && words.contains("a-viewer"), "{words}");
    }
}
