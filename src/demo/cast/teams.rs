//! Bulk: the services of many teams, for a fleet that is to be large. Nothing is wrong with them. One of them
//! is played like everything else; when it is at rest the others are made as its copies, because playing ten
//! thousand pods that all do the same is time in which nobody sees the fleet.

use std::sync::Arc;

use serde_json::{Value, json};

use super::clouds::Profile;
use super::objects::{Service, namespace};
use super::system::add;
use crate::demo::clock::seconds;
use crate::demo::json;
use crate::demo::programs::hash;
use crate::demo::resource::Kind;
use crate::demo::store::{Key, Object, Query};
use crate::demo::world::{World, template_hash};

const TEAMS: &[&str] = &["team-vision", "team-nlp", "team-recsys", "team-speech", "team-search"];
/// What a cluster has without them.
const OWN_PODS: usize = 120;
const EACH: usize = 25;
const FIRST: &str = "model-server-0000";

/// Deployments of about so many pods as are missing.
pub fn deploy(world: &mut World, profile: &Profile) {
    let nodes = world.store().list(Kind::Nodes, &Query::all()).objects;
    let missing = profile.pods.saturating_sub(OWN_PODS.max(nodes.len() * 2));
    if missing == 0 {
        return;
    }
    for team in TEAMS {
        add(world, Kind::Namespaces, namespace(team));
    }
    let image = format!("{}/model-server:v1.2.0", profile.registry());
    let service = Service::new(TEAMS[0], FIRST, image).replicas(EACH.min(missing));
    add(world, Kind::Deployments, service.size("100m", "256Mi", 0).deployment());
    world.advance(world.tick() + seconds(60));
    let Some(model) = Model::of(world) else { return };
    let general: Vec<Arc<Object>> =
        nodes.into_iter().filter(|node| node.label("nvidia.com/gpu.present").is_none()).collect();
    for (index, start) in (0..missing).step_by(EACH).enumerate().skip(1) {
        model.copy(world, index, EACH.min(missing - start), &general);
    }
}

/// A deployment at rest, its ReplicaSet and one of its pods.
struct Model {
    deployment: Value,
    set: Value,
    pod: Value,
}

impl Model {
    fn of(world: &World) -> Option<Model> {
        let store = world.store();
        let deployment = store.get(Kind::Deployments, &Key::new(TEAMS[0], FIRST))?.value();
        let set = store.owned(json::text(&deployment, "/metadata/uid"), Kind::ReplicaSets).first()?.value();
        let pod = store.owned(json::text(&set, "/metadata/uid"), Kind::Pods).first()?.value();
        Some(Model { deployment, set, pod })
    }

    fn copy(&self, world: &mut World, index: usize, replicas: usize, nodes: &[Arc<Object>]) {
        let team = TEAMS[index % TEAMS.len()];
        let name = format!("model-server-{index:04}");
        let version = ["v1.2.0", "v1.2.0", "v1.1.0"][index % 3];
        let mut deployment = self.renamed(&self.deployment, (team, &name), version);
        deployment["metadata"]["name"] = name.as_str().into();
        counts(&mut deployment, replicas);
        let revision = template_hash(&deployment["spec"]["template"]);
        let deployment = world.settle(Kind::Deployments, &mut deployment);

        let mut set = self.renamed(&self.set, (team, &name), version);
        let set_name = format!("{name}-{revision}");
        set["metadata"]["name"] = set_name.as_str().into();
        own(&mut set, &name, &deployment);
        for pointer in ["/metadata/labels", "/spec/selector/matchLabels", "/spec/template/metadata/labels"] {
            json::put(&mut set, &format!("{pointer}/pod-template-hash"), revision.as_str().into());
        }
        counts(&mut set, replicas);
        let set = world.settle(Kind::ReplicaSets, &mut set);

        let mut pod = self.renamed(&self.pod, (team, &name), version);
        own(&mut pod, &set_name, &set);
        pod["metadata"]["labels"]["pod-template-hash"] = revision.into();
        pod["metadata"]["generateName"] = format!("{set_name}-").into();
        for number in 0..replicas {
            let place = (index * EACH + number) % nodes.len().max(1);
            let Some(node) = nodes.get(place) else { continue };
            place_on(&mut pod, &format!("{set_name}-{}", world.store().suffix()), node);
            world.settle(Kind::Pods, &mut pod);
        }
    }

    /// A copy that belongs to another team and runs another version; identity is the server's to give.
    fn renamed(&self, object: &Value, (team, name): (&str, &str), version: &str) -> Value {
        let mut object = object.clone();
        object["metadata"]["namespace"] = team.into();
        let base = json::text(&self.pod, "/spec/containers/0/image");
        let image = base.rsplit_once(':').map_or(base, |(repository, _)| repository);
        let image = format!("{image}:{version}");
        for labels in ["/metadata/labels", "/spec/selector/matchLabels", "/spec/template/metadata/labels"] {
            let Some(labels) = object.pointer_mut(labels) else { continue };
            labels["app"] = name.into();
            if labels.get("app.kubernetes.io/version").is_some() {
                labels["app.kubernetes.io/name"] = name.into();
                labels["app.kubernetes.io/version"] = version.into();
            }
        }
        for containers in ["/spec/containers", "/spec/template/spec/containers", "/status/containerStatuses"]
        {
            if let Some(container) = object.pointer_mut(&format!("{containers}/0")) {
                container["name"] = name.into();
                container["image"] = image.as_str().into();
            }
        }
        object
    }
}

fn place_on(pod: &mut Value, name: &str, node: &Object) {
    let bits = hash(&[name]);
    let ip = format!("10.128.{}.{}", bits % 250 + 1, (bits >> 16) % 250 + 1);
    pod["metadata"]["name"] = name.into();
    pod["spec"]["nodeName"] = (*node.key.name).into();
    let status = &mut pod["status"];
    status["podIP"] = ip.as_str().into();
    status["podIPs"] = json!([{"ip": ip}]);
    status["containerStatuses"][0]["containerID"] = format!("containerd://{bits:032x}").into();
}

fn own(object: &mut Value, name: &str, owner: &Object) {
    object["metadata"]["ownerReferences"][0]["name"] = name.into();
    object["metadata"]["ownerReferences"][0]["uid"] = (*owner.uid).into();
}

/// Wished, there, ready: all the same number.
fn counts(object: &mut Value, replicas: usize) {
    object["spec"]["replicas"] = replicas.into();
    if let Some(status) = object["status"].as_object_mut() {
        for (field, count) in status {
            if field.ends_with("eplicas") {
                *count = replicas.into();
            }
        }
    }
}
