//! Conditions of a status: set by type, with a transition time that moves only when the status does.

use serde_json::{Value, json};

use super::json;

/// One condition, as its controller wishes it.
#[derive(Debug, Clone, Copy)]
pub struct Condition<'a> {
    pub kind: &'a str,
    pub status: bool,
    pub reason: &'a str,
    pub message: &'a str,
}

/// Sets it in the list at `/status/conditions` of the object.
pub fn set(object: &mut Value, condition: Condition<'_>, now: &str) {
    let status = if condition.status { "True" } else { "False" };
    let mut list = json::list(object, "/status/conditions").to_vec();
    let old = list.iter_mut().find(|old| old["type"] == condition.kind);
    let since = match &old {
        Some(old) if old["status"] == status => old["lastTransitionTime"].clone(),
        _ => now.into(),
    };
    let new = json!({
        "type": condition.kind, "status": status, "lastTransitionTime": since,
        "reason": condition.reason, "message": condition.message,
    });
    match old {
        // What else the kind keeps in its conditions (lastUpdateTime, lastProbeTime) stays.
        Some(Value::Object(old)) => {
            for (field, value) in new.as_object().into_iter().flatten() {
                old.insert(field.clone(), value.clone());
            }
        }
        _ => list.push(new),
    }
    json::put(object, "/status/conditions", list.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_time_moves_with_the_status_only() {
        let mut object = json!({});
        let ready = Condition { kind: "Ready", status: true, reason: "A", message: "" };
        set(&mut object, ready, "t1");
        set(&mut object, Condition { reason: "B", ..ready }, "t2");
        assert_eq!(json::condition(&object, "Ready").unwrap()["lastTransitionTime"], "t1");
        assert_eq!(json::condition(&object, "Ready").unwrap()["reason"], "B");
        set(&mut object, Condition { status: false, ..ready }, "t3");
        assert_eq!(json::condition(&object, "Ready").unwrap()["lastTransitionTime"], "t3");
        assert_eq!(json::list(&object, "/status/conditions").len(), 1);
    }
}
