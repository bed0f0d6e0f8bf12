//! Which custom resources a cluster serves, and in which version.
//!
//! One request for all groups (aggregated discovery, Kubernetes 1.30 and later; asked for with the ETag of
//! the last answer, so that usually nothing comes back). Servers without it are asked group by group.

use std::collections::BTreeMap;

use http::header;
use serde::Deserialize;

use super::kinds::Resource;
use crate::clients::kube::wire::list;
use crate::clients::kube::{Door, Question};
use crate::fleet::{Fault, FaultKind, Step};

const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// Group → version → plurals.
type Served = BTreeMap<String, BTreeMap<String, Vec<String>>>;

#[derive(Default)]
pub struct Discovery {
    etag: Option<String>,
    served: Served,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Groups {
    kind: String,
    items: Vec<Group>,
    #[serde(rename = "groups")]
    legacy: Vec<LegacyGroup>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Group {
    metadata: Named,
    versions: Vec<Version>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Version {
    version: String,
    resources: Vec<Plural>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Plural {
    resource: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LegacyGroup {
    name: String,
    versions: Vec<LegacyVersion>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LegacyVersion {
    version: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LegacyResources {
    resources: Vec<Named>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    name: String,
}

impl Discovery {
    /// The wanted resources that are served now, each at the best of its versions.
    pub async fn find(&mut self, door: &Door, wanted: &[Resource]) -> Result<Vec<Resource>, Fault> {
        self.ask(door, wanted).await?;
        Ok(wanted.iter().filter_map(|resource| self.served_as(resource)).collect())
    }

    fn served_as(&self, wanted: &Resource) -> Option<Resource> {
        let versions = self.served.get(&wanted.group)?;
        let serves = |version: &&String| {
            versions.get(*version).is_some_and(|plurals| plurals.contains(&wanted.plural))
        };
        wanted.versions.iter().find(serves).map(|version| wanted.at_version(version))
    }

    async fn ask(&mut self, door: &Door, wanted: &[Resource]) -> Result<(), Fault> {
        let question = Question {
            accept: ACCEPT,
            known: self.etag.as_deref(),
            ..Question::json("/apis", Step::Discover)
        };
        let answer = door.ask(question).await?;
        if answer.not_modified {
            return Ok(());
        }
        let etag = answer.headers.get(header::ETAG).and_then(|etag| etag.to_str().ok());
        let etag = etag.map(str::to_owned);
        let body = answer.whole().await?;
        let groups: Groups = serde_json::from_slice(&body)
            .map_err(|error| Fault::new(Step::Discover, FaultKind::Malformed, list::place(&error)))?;
        if groups.kind == "APIGroupList" {
            self.served = legacy(door, &groups.legacy, wanted).await?;
            return Ok(());
        }
        self.etag = etag;
        self.served = aggregated(groups.items);
        Ok(())
    }
}

fn aggregated(groups: Vec<Group>) -> Served {
    let versions = |versions: Vec<Version>| {
        versions
            .into_iter()
            .map(|it| (it.version, it.resources.into_iter().map(|it| it.resource).collect()))
            .collect()
    };
    groups.into_iter().map(|group| (group.metadata.name, versions(group.versions))).collect()
}

/// Only the groups that could hold something wanted are asked.
async fn legacy(door: &Door, groups: &[LegacyGroup], wanted: &[Resource]) -> Result<Served, Fault> {
    let mut served = Served::new();
    for group in groups.iter().filter(|group| wanted.iter().any(|it| it.group == group.name)) {
        for version in &group.versions {
            let path = format!("/apis/{}/{}", group.name, version.version);
            let found: LegacyResources = match door.ask_json(Question::json(&path, Step::Discover)).await {
                Ok(found) => found,
                // An aggregated API that is down must not hide the others.
                Err(fault) if matches!(fault.kind, FaultKind::Status(503) | FaultKind::NotFound) => continue,
                Err(fault) => return Err(fault),
            };
            let plurals = found.resources.into_iter().map(|it| it.name).collect();
            served.entry(group.name.clone()).or_default().insert(version.version.clone(), plurals);
        }
    }
    Ok(served)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_served_version_is_taken() {
        let answer = r#"{"kind":"APIGroupDiscoveryList","items":[
            {"metadata":{"name":"kueue.x-k8s.io"},"versions":[
                {"version":"v1beta1","resources":[{"resource":"workloads"},{"resource":"clusterqueues"}]}]},
            {"metadata":{"name":"argoproj.io"},"versions":[{"version":"v1alpha1","resources":[{"resource":"applications"}]}]}]}"#;
        let groups: Groups = serde_json::from_str(answer).unwrap();
        let discovery = Discovery { etag: None, served: aggregated(groups.items) };
        let wanted = super::super::kinds::custom(&[]);
        let found: Vec<_> =
            wanted.iter().filter_map(|it| discovery.served_as(it)).map(|it| it.path(None)).collect();
        assert_eq!(
            found,
            [
                "/apis/kueue.x-k8s.io/v1beta1/workloads",
                "/apis/kueue.x-k8s.io/v1beta1/clusterqueues",
                "/apis/argoproj.io/v1alpha1/applications"
            ]
        );
    }
}
