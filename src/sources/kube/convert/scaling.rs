//! HorizontalPodAutoscalers and PodDisruptionBudgets.

use bytes::Bytes;

use super::{Cx, Read, controller, count, decode, key, meta};
use crate::clients::kube::wire::Encoding;
use crate::clients::kube::wire::messages::autoscaling;
use crate::clients::kube::wire::messages::meta::unix;
use crate::clients::kube::wire::messages::policy;
use crate::fleet::autoscaler::{Maker, ScalingState};
use crate::fleet::{Autoscaler, Budget, Clean, Kind, Labels, Object, Owner};

pub fn hpa(encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
    let wire: autoscaling::HorizontalPodAutoscaler = decode(encoding, bytes)?;
    let meta = meta(wire.metadata)?;
    let spec = wire.spec.unwrap_or_default();
    let status = wire.status;
    let target = spec.scale_target_ref.ok_or("it has no target")?;
    let owner = controller(&meta, cx).filter(|owner| owner.kind == Kind::ScaledObject.name());
    let conditions = status.as_ref().map(|it| it.conditions.as_slice()).unwrap_or_default();
    let decisive = decisive(conditions);
    let autoscaler = Autoscaler {
        key: key(&meta, cx),
        maker: owner.map_or(Maker::Hpa, |owner| Maker::HpaOfKeda(owner.name)),
        target: Owner { kind: cx.names.intern(&target.kind), name: cx.names.intern(&target.name) },
        min: count(spec.min_replicas.unwrap_or(1)),
        max: count(spec.max_replicas),
        desired: status.as_ref().map(|it| count(it.desired_replicas)),
        state: decisive.map_or(ScalingState::Active, state),
        since: decisive.and_then(|it| unix(it.last_transition_time.as_ref())),
    };
    Ok(Read::new(&meta, cx, Some(Object::Autoscaler(Box::new(autoscaler)))))
}

/// The condition that says why it does not simply scale. Resting at its minimum is how it should be.
fn decisive(conditions: &[autoscaling::Condition]) -> Option<&autoscaling::Condition> {
    let is = |kind: &str, status: &str| conditions.iter().find(|it| it.kind == kind && it.status == status);
    let limited = is("ScalingLimited", "True").filter(|it| it.reason != "TooFewReplicas");
    is("AbleToScale", "False").or_else(|| is("ScalingActive", "False")).or(limited)
}

fn state(condition: &autoscaling::Condition) -> ScalingState {
    let words = match &*condition.message {
        "" => Clean::new(&condition.reason),
        message => Clean::from(format!("{}: {message}", condition.reason)),
    };
    if condition.kind == "ScalingLimited" {
        ScalingState::Limited(words)
    } else {
        ScalingState::Inactive(words)
    }
}

pub fn budget(encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
    let wire: policy::PodDisruptionBudget = decode(encoding, bytes)?;
    let meta = meta(wire.metadata)?;
    let selector = wire.spec.unwrap_or_default().selector;
    let status = wire.status.unwrap_or_default();
    let simple = selector.filter(|selector| selector.match_expressions.is_empty());
    let selector: Option<Labels> = simple.map(|selector| {
        let pairs = selector.match_labels.iter();
        pairs.map(|(key, value)| (cx.names.intern(key), cx.names.intern(value))).collect()
    });
    let budget = Budget {
        key: key(&meta, cx),
        selector,
        disruptions_allowed: count(status.disruptions_allowed),
        healthy: count(status.current_healthy),
        healthy_wanted: count(status.desired_healthy),
    };
    Ok(Read::new(&meta, cx, Some(Object::Budget(Box::new(budget)))))
}

#[cfg(test)]
mod tests {
    use super::super::test_cx;
    use super::*;

    fn read(status: &str) -> Autoscaler {
        let json = format!(
            r#"{{"metadata":{{"name":"h","namespace":"ml"}},"spec":{{"scaleTargetRef":{{"kind":"Deployment","name":"d"}},"maxReplicas":20}},"status":{status}}}"#
        );
        let read = hpa(Encoding::Json, &Bytes::from(json), &mut test_cx()).unwrap();
        match read.object {
            Some(Object::Autoscaler(it)) => *it,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_autoscaler_says_why_it_does_not_scale() {
        let idle = read(
            r#"{"desiredReplicas":1,"currentMetrics":null,"conditions":[{"type":"ScalingLimited","status":"True","reason":"TooFewReplicas"}]}"#,
        );
        assert_eq!((idle.min, idle.max, idle.desired, &idle.state), (1, 20, Some(1), &ScalingState::Active));
        let full = read(
            r#"{"conditions":[{"type":"ScalingLimited","status":"True","reason":"TooManyReplicas","message":"at 20"}]}"#,
        );
        assert_eq!(full.state, ScalingState::Limited("TooManyReplicas: at 20".into()));
        let blind = read(
            r#"{"conditions":[{"type":"ScalingActive","status":"False","reason":"FailedGetResourceMetric"}]}"#,
        );
        assert_eq!(blind.state, ScalingState::Inactive("FailedGetResourceMetric".into()));
    }
}
