//! A KServe InferenceService: who decides replicas and shares of what serves a model.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::text::of_json as text;
use super::{Clean, ObjectKey};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InferenceService {
    pub key: ObjectKey,
    pub components: Box<[Component]>,
    pub mode: DeploymentMode,
    /// `serving.kserve.io/autoscalerClass`; empty is `hpa`.
    pub autoscaler_class: Clean,
    pub uid: Clean,
    pub generation: i64,
}

/// Predictor, transformer or explainer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    pub name: Clean,
    /// `None` when it is not written: KServe then takes 1.
    pub min: Option<i64>,
    /// `None` when it is not written; 0 is no limit.
    pub max: Option<i64>,
    /// The newest revision's part, in per cent. It only counts where Knative runs it.
    pub canary_percent: Option<i64>,
}

/// kserve `pkg/constants/constants.go`: `Standard` was `RawDeployment`, `Knative` was `Serverless`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeploymentMode {
    Standard,
    Knative,
    Other(Clean),
    /// Neither the annotation nor the status tells: by the configuration of the cluster.
    NotTold,
}

impl InferenceService {
    /// kserve `pkg/apis/serving/v1beta1`.
    pub fn read(object: &Value) -> Result<Self, String> {
        let meta = &object["metadata"];
        let name = text(&meta["name"]);
        if name.is_empty() {
            return Err("it has no name".into());
        }
        let annotations = &meta["annotations"];
        let told = [&annotations["serving.kserve.io/deploymentMode"], &object["status"]["deploymentMode"]];
        let components = ["predictor", "transformer", "explainer"];
        let there = components.into_iter().filter(|name| object["spec"][name].is_object());
        Ok(Self {
            key: ObjectKey::new(text(&meta["namespace"]), name),
            components: there.map(|name| component(name, &object["spec"][name])).collect(),
            mode: match told.into_iter().map(text).find(|it| !it.is_empty()) {
                None => DeploymentMode::NotTold,
                Some("Standard" | "RawDeployment") => DeploymentMode::Standard,
                Some("Knative" | "Serverless") => DeploymentMode::Knative,
                Some(other) => DeploymentMode::Other(other.into()),
            },
            autoscaler_class: text(&annotations["serving.kserve.io/autoscalerClass"]).into(),
            uid: text(&meta["uid"]).into(),
            generation: meta["generation"].as_i64().unwrap_or(0),
        })
    }
}

fn component(name: &str, value: &Value) -> Component {
    Component {
        name: name.into(),
        min: value["minReplicas"].as_i64(),
        max: value["maxReplicas"].as_i64(),
        canary_percent: value["canaryTrafficPercent"].as_i64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn components_and_mode() {
        let object = json!({"metadata": {"namespace": "ml", "name": "llm", "annotations": {"serving.kserve.io/deploymentMode": "RawDeployment"}},
            "spec": {"predictor": {"minReplicas": 2, "maxReplicas": 8, "canaryTrafficPercent": 10}, "explainer": 7}});
        let service = InferenceService::read(&object).unwrap();
        assert_eq!(service.mode, DeploymentMode::Standard);
        let [predictor] = &service.components[..] else { panic!("{service:?}") };
        assert_eq!((predictor.min, predictor.max, predictor.canary_percent), (Some(2), Some(8), Some(10)));
        let bare = InferenceService::read(&json!({"metadata": {"name": "x"}})).unwrap();
        assert_eq!((bare.mode, bare.components.len()), (DeploymentMode::NotTold, 0));
    }
}
