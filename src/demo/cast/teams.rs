//! Bulk: the services of many teams, for a fleet that is to be large. Nothing is wrong with them.

use serde_json::Value;

use super::clouds::Profile;
use super::objects::{Service, namespace};
use super::system::add;
use crate::demo::resource::Kind;
use crate::demo::world::World;

const TEAMS: &[&str] = &["team-vision", "team-nlp", "team-recsys", "team-speech", "team-search"];
/// What a cluster has without them.
const OWN_PODS: usize = 120;
const EACH: usize = 25;

/// Deployments of about so many pods as are missing.
pub fn deploy(world: &mut World, profile: &Profile) {
    let nodes = world.store().count(Kind::Nodes);
    let missing = profile.pods.saturating_sub(OWN_PODS.max(nodes * 2));
    if missing == 0 {
        return;
    }
    for team in TEAMS {
        add(world, Kind::Namespaces, namespace(team));
    }
    for (index, start) in (0..missing).step_by(EACH).enumerate() {
        let replicas = EACH.min(missing - start);
        add(world, Kind::Deployments, deployment(profile, index, replicas));
    }
}

fn deployment(profile: &Profile, index: usize, replicas: usize) -> Value {
    let version = ["v1.2.0", "v1.2.0", "v1.1.0"][index % 3];
    let image = format!("{}/model-server:{version}", profile.registry());
    let service =
        Service::new(TEAMS[index % TEAMS.len()], "model-server", image).replicas(replicas);
    let mut object = service.size("100m", "256Mi", 0).deployment();
    let name = format!("model-server-{index:04}");
    for pointer in
        ["/metadata/labels", "/spec/selector/matchLabels", "/spec/template/metadata/labels"]
    {
        crate::demo::json::put(&mut object, &format!("{pointer}/app"), name.as_str().into());
    }
    object["metadata"]["name"] = name.into();
    object
}
