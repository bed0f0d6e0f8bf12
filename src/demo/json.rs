//! Reading JSON objects whose shape nobody guarantees: by pointer, with an answer for what is not there.
//! No types for Kubernetes' kinds: the server is generic, and a controller reads the three fields it needs.

use serde_json::Value;

/// No number that anybody means is larger.
pub const LARGEST: i64 = 1_000_000_000_000;

pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub fn int(object: &Value, pointer: &str) -> i64 {
    int_or(object, pointer, 0)
}

/// Whoever counts with it need not think of overflow: what is beyond all reason is cut.
pub fn int_or(object: &Value, pointer: &str, otherwise: i64) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(otherwise).clamp(-LARGEST, LARGEST)
}

pub fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
}

pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The pairs of a map of strings: labels, annotations, a nodeSelector.
pub fn pairs<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let map = object.pointer(pointer).and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

pub fn label<'a>(object: &'a Value, key: &str) -> &'a str {
    entry(object, "/metadata/labels", key)
}

pub fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    entry(object, "/metadata/annotations", key)
}

fn entry<'a>(object: &'a Value, pointer: &str, key: &str) -> &'a str {
    object.pointer(pointer).and_then(|map| map.get(key)).and_then(Value::as_str).unwrap_or_default()
}

/// The condition of that type, if the status has one.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, "/status/conditions").iter().find(|condition| condition["type"] == kind)
}

pub fn is_true(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition["status"] == "True")
}

/// Puts a value at a pointer and makes the maps on the way; what is in the way and is no map is replaced.
/// Lists are gone through by index, and never grow.
pub fn put(object: &mut Value, pointer: &str, value: Value) {
    let mut place = object;
    for step in pointer.split('/').skip(1) {
        let index = step.parse::<usize>().ok().filter(|index| place.get(index).is_some());
        if let Some(index) = index {
            place = &mut place[index];
            continue;
        }
        if !place.is_object() {
            *place = Value::Object(serde_json::Map::new());
        }
        place = if step.contains('~') {
            &mut place[step.replace("~1", "/").replace("~0", "~")]
        } else {
            &mut place[step]
        };
    }
    *place = value;
}

/// Takes away what is at a pointer, if anything is.
pub fn remove(object: &mut Value, pointer: &str) {
    if let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(Value::Object(map)) = object.pointer_mut(parent)
    {
        map.shift_remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn put_makes_the_way_and_remove_forgives() {
        let mut object = json!({"spec": null});
        put(&mut object, "/spec/template/metadata/annotations/example.com~1at", json!("now"));
        assert_eq!(annotation(&object["spec"]["template"], "example.com/at"), "now");
        remove(&mut object, "/spec/template/metadata");
        remove(&mut object, "/spec/nothing/here");
        assert_eq!(object, json!({"spec": {"template": {}}}));
        let mut list = json!({"items": [{"a": 1}, {"a": 2}]});
        put(&mut list, "/items/1/a", json!(3));
        assert_eq!(list, json!({"items": [{"a": 1}, {"a": 3}]}));
    }
}
