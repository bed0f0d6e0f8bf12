//! Large worlds for benches: fleets of any number of rows.

use serde_json::{Value, json};

use crate::world::{World, crashing, deployment, destination, failed, job, node, pod, time, virtual_service};

/// Clusters of a fleet; its rows are spread over them.
pub const CLUSTERS: usize = 5;
/// Nodes of each of them.
pub const NODES: usize = 100;

/// A fleet with so many workloads, as many jobs, a pod of each, and a route for every hundredth of them.
///
/// One workload of a thousand is in a crash loop and one job of a hundred has failed, so that there is something to
/// find.
pub fn fleet(rows: usize) -> World {
    let mut world = World::new();
    for cluster in 0..CLUSTERS {
        let objects = objects(cluster, rows / CLUSTERS);
        world.cluster(&format!("cluster-{cluster}"), "v1.33.5", 1, &objects);
    }
    world
}

fn objects(cluster: usize, rows: usize) -> Vec<Value> {
    let mut objects: Vec<Value> =
        (0..NODES).map(|at| node(&node_name(at), "aws", "us-east-1", 8, true)).collect();
    for row in 0..rows {
        let place = format!("team-{}", row % 5);
        let service = format!("{place}/service-{cluster}-{row:05}");
        let version = format!("1.{}.0", row % 9);
        let sick = row % 1000 == 7;
        objects.push(deployment(&service, u32::from(!sick), 1, &version, 1));
        let replica = pod(&service, "a", &node_name(row % NODES), 1);
        objects.push(if sick { crashing(replica) } else { replica });
        objects.push(job(&format!("{place}/train-{cluster}-{row:05}"), &job_status(row)));
        if row % 100 == 0 {
            let split = [destination("a", 60), destination("b", 40)];
            objects.push(virtual_service(&service, &json!([{"route": split}])));
        }
    }
    objects
}

pub fn node_name(at: usize) -> String {
    format!("node-{at}")
}

fn job_status(row: usize) -> Value {
    match row % 100 {
        3 => failed(),
        at if at < 50 => json!({"startTime": time(600), "active": 1, "ready": 1}),
        _ => json!({"startTime": time(7200), "completionTime": time(3600), "succeeded": 1,
            "conditions": [{"type": "Complete", "status": "True"}]}),
    }
}
