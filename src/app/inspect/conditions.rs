//! The conditions of an object, as its controller wrote them.

use serde_json::Value;

use super::{Line, Object};
use crate::fleet::{Clean, Unix};
use crate::state::State;
use crate::ui::{Cell, Meaning};

pub fn lines(state: &State, object: &Object) -> Vec<Line> {
    let object = match object {
        Object::Got(object) => object,
        Object::Asked => return vec![Line::words("reading…", Meaning::Muted)],
        Object::Failed(fault) => return vec![Line::words(fault.to_string(), Meaning::Bad)],
        Object::None => return Vec::new(),
    };
    let conditions: Vec<&Value> = object["status"]["conditions"].as_array().into_iter().flatten().collect();
    if conditions.is_empty() {
        return vec![Line::words("it has no conditions", Meaning::Muted)];
    }
    let mut lines = Vec::new();
    for condition in conditions {
        lines.push(first_line(state, condition));
        let message = condition["message"].as_str().unwrap_or("");
        if !message.is_empty() {
            lines.push(Line { cell: Cell::muted(format!("    {message}")), target: None });
        }
    }
    lines
}

/// `Available  True   MinimumReplicasAvailable  2h`
fn first_line(state: &State, condition: &Value) -> Line {
    let text = |field: &str| Clean::new(condition[field].as_str().unwrap_or(""));
    let status = text("status");
    let since = condition["lastTransitionTime"].as_str().and_then(Unix::parse);
    let age = since.map(|since| state.now.age_of(since).to_string()).unwrap_or_default();
    let meaning = match &*status {
        "True" => Meaning::Text,
        "False" => Meaning::Muted,
        _ => Meaning::Unknown,
    };
    let cell = Cell::new(format!("{:<28} ", text("type")), Meaning::Key)
        .and(format!("{status:<8} "), meaning)
        .and(format!("{age:>6}  "), Meaning::Muted)
        .and(text("reason"), Meaning::Text);
    Line { cell, target: None }
}
