//! One cluster's life: from its entry in the configuration to a door, and from there to its sources, again whenever
//! the way to it changes, until the configuration takes it away.
//!
//! What is known of the cluster outlives its connections: a credential that is renewed on disk takes no row away. That
//! it is still the same cluster is not taken for granted: a new connection is asked who it is before it is believed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::kinds;
use super::plan::delay;
use super::supervisor::{Kept, Shared, Supervisor};
use super::turn::Turns;
use super::{Details, Nudge, changed};
use crate::clients::kube::connect::{Connector, Target};
use crate::clients::kube::{Door, certificate};
use crate::fleet::{ClusterFact, ClusterId, Fault, Unix};
use crate::sources::{Out, Wanted};

/// What cannot be used is looked at again so often: files that it names may come back.
const AGAIN: Duration = Duration::from_secs(30);
/// How often the certificate is looked at again.
const CERTIFICATE: Duration = Duration::from_hours(6);

/// What a cluster needs to be watched.
pub struct Assignment {
    pub cluster: ClusterId,
    /// How to reach it. Each change is another connection.
    pub target: watch::Receiver<Result<Target, Fault>>,
    /// Only these namespaces, by configuration.
    pub namespaces: Vec<String>,
    /// The namespace of the context, to fall back on when the whole cluster may not be read.
    pub home_namespace: watch::Receiver<Option<String>>,
    pub wanted: Wanted,
    /// Makes the doors of all clusters.
    pub connector: Connector,
    /// Whose pods are on their way, over all clusters.
    pub turns: Turns,
}

/// Runs until it is aborted.
pub async fn run(mut assignment: Assignment, out: Out, nudge: Nudge, details: Details) {
    let cluster = assignment.cluster;
    let mut target = assignment.target.clone();
    let mut kept = Kept::default();
    loop {
        let now = target.borrow_and_update().clone();
        let door = tokio::select! {
            door = connect_at_last(&assignment, now, &out, &nudge) => door,
            () = changed(&mut target) => continue,
        };
        details.open(cluster, door.clone(), kinds::built_in());
        let cx = Shared { out: &out, nudge: &nudge, details: &details };
        let mut supervisor = Supervisor::new(&mut assignment, &door, cx, kept);
        tokio::select! {
            () = certificates(cluster, &door, &out) => {}
            () = supervisor.run() => {}
            () = changed(&mut target) => {}
        }
        // Whoever acts through the old door would act as somebody who is not meant any more.
        details.close(cluster);
        kept = supervisor.end().await;
    }
}

/// Tells when certificates end, for ever.
async fn certificates(cluster: ClusterId, door: &Door, out: &Out) {
    loop {
        let (server_expires, client_expires) = expiries(door).await;
        let fact = ClusterFact::Certificates { server_expires, client_expires };
        out.cluster(cluster, fact).await;
        sleep(if server_expires.is_some() { CERTIFICATE } else { AGAIN }).await;
    }
}

/// The ends of the server's certificate, and of the user's as the kubeconfig gives it.
async fn expiries(door: &Door) -> (Option<Unix>, Option<Unix>) {
    let server = match door.way().config().await {
        Ok(config) => certificate::of_server(&config).await.ok().flatten(),
        Err(_) => None,
    };
    let material = Arc::clone(door.way().material());
    let client = tokio::task::spawn_blocking(move || certificate::of_client(&material)).await;
    (server, client.ok().flatten())
}

/// Tries until there is a credential.
async fn connect_at_last(
    assignment: &Assignment,
    target: Result<Target, Fault>,
    out: &Out,
    nudge: &Nudge,
) -> Door {
    let mut nudges = nudge.listen();
    let cluster = assignment.cluster;
    let connected = loop {
        match target.as_ref().map_err(Clone::clone).and_then(|it| assignment.connector.connect(it)) {
            Ok(connected) => break connected,
            Err(fault) => {
                out.cluster(cluster, ClusterFact::Unusable(fault)).await;
                tokio::select! {
                    () = sleep(AGAIN) => {}
                    () = changed(&mut nudges) => {}
                }
            }
        }
    };
    out.cluster(cluster, ClusterFact::Client(connected.connection)).await;
    let mut attempt = 0;
    loop {
        let (fact, pause) = match connected.door.way().ready().await {
            Ok(()) => return connected.door,
            Err(fault) if fault.may_pass() => {
                attempt += 1;
                let pause = delay(attempt).mul_f64(0.5 + fastrand::f64() / 2.0);
                (ClusterFact::Unanswered(fault), pause)
            }
            Err(fault) => (ClusterFact::Unusable(fault), AGAIN),
        };
        out.cluster(cluster, fact).await;
        tokio::select! {
            () = sleep(pause) => {}
            () = changed(&mut nudges) => {}
        }
    }
}
