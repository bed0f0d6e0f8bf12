//! Kinds as kubectl takes them: in any case, singular or plural, by their short names, with or without their group.

use crate::fleet::Kind;

/// Plural, short names and group of the kinds that can be named on the command line.
const NAMES: [(Kind, &str, &[&str], &str); 9] = [
    (Kind::Deployment, "deployments", &["deploy"], "apps"),
    (Kind::StatefulSet, "statefulsets", &["sts"], "apps"),
    (Kind::ReplicaSet, "replicasets", &["rs"], "apps"),
    (Kind::Rollout, "rollouts", &["ro"], "argoproj.io"),
    (Kind::LeaderWorkerSet, "leaderworkersets", &["lws"], "leaderworkerset.x-k8s.io"),
    (Kind::VirtualService, "virtualservices", &["vs"], "networking.istio.io"),
    (Kind::HttpRoute, "httproutes", &[], "gateway.networking.k8s.io"),
    (Kind::GrpcRoute, "grpcroutes", &[], "gateway.networking.k8s.io"),
    (Kind::DnsEndpoint, "dnsendpoints", &[], "externaldns.k8s.io"),
];

/// The kind that is called so, if it is one of these.
pub fn named(text: &str, among: &[Kind], noun: &str) -> Result<Kind, String> {
    let wanted = text.to_lowercase();
    let (name, group) =
        wanted.split_once('.').map_or((wanted.as_str(), None), |(name, group)| (name, Some(group)));
    let fits = |(kind, plural, shorts, own): &(Kind, &str, &[&str], &str)| {
        let is_called = *plural == name || kind.name().to_lowercase() == name || shorts.contains(&name);
        // `deployments.apps`, or with the version between: `deployments.v1.apps`.
        let of_group =
            |group: &str| group == *own || group.split_once('.').is_some_and(|(_, rest)| rest == *own);
        among.contains(kind) && is_called && group.is_none_or(of_group)
    };
    NAMES.iter().find(|row| fits(row)).map(|row| row.0).ok_or_else(|| {
        let known: Vec<_> = among.iter().map(|kind| kind.name().to_lowercase()).collect();
        format!("`{text}` is not a kind of {noun}: {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::select::replicas::WORKLOAD_KINDS;
    use crate::state::select::routes::ROUTE_KINDS;

    #[test]
    fn kinds_as_kubectl_takes_them() {
        for (name, kind) in [
            ("deploy", Kind::Deployment),
            ("Deployments", Kind::Deployment),
            ("deployment.apps", Kind::Deployment),
            ("deployments.v1.apps", Kind::Deployment),
            ("sts", Kind::StatefulSet),
            ("rs", Kind::ReplicaSet),
            ("rollout", Kind::Rollout),
            ("rollouts.argoproj.io", Kind::Rollout),
            ("lws", Kind::LeaderWorkerSet),
            ("leaderworkersets.leaderworkerset.x-k8s.io", Kind::LeaderWorkerSet),
        ] {
            assert_eq!(named(name, &WORKLOAD_KINDS, "workload"), Ok(kind), "{name}");
        }
        for wrong in ["", "vs", "deployments.argoproj.io", "deploys", "pod", "deployments."] {
            let words = named(wrong, &WORKLOAD_KINDS, "workload").unwrap_err();
            assert!(words.contains("is not a kind of workload: deployment, statefulset"), "{words}");
        }
        let route = named("virtualservices.v1.networking.istio.io", &ROUTE_KINDS, "route");
        assert_eq!(route, Ok(Kind::VirtualService));
    }
}
