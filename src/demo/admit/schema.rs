//! Custom resources against the schema of their definition: defaults are filled in, unknown fields dropped,
//! mistakes told in the words of Kubernetes. Rules in CEL are not run: what only they refuse is let in here.

use regex::Regex;
use serde_json::{Value, json};

use crate::demo::refusal::Cause;

/// What `$` of a structural schema may say about a value it does not list.
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";

/// The schema of a version in a CustomResourceDefinition.
pub fn of<'a>(definition: &'a Value, version: &str) -> Option<&'a Value> {
    let versions = definition.pointer("/spec/versions")?.as_array()?;
    versions.iter().find(|it| it["name"] == version)?.pointer("/schema/openAPIV3Schema")
}

/// Fills in what was left out; a `null` that may not be one counts as left out.
pub fn apply_defaults(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|name, value| {
                !value.is_null()
                    || below(schema, name)
                        .is_none_or(|below| below.get("type").is_none() || is_nullable(below))
            });
            for (name, below) in properties(schema) {
                if let Some(default) = below.get("default")
                    && !map.contains_key(name)
                {
                    map.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in map.iter_mut() {
                if let Some(below) = below(schema, name) {
                    apply_defaults(below, value);
                }
            }
        }
        Value::Array(items) => {
            let below = &schema["items"];
            for item in items {
                apply_defaults(below, item);
            }
        }
        _ => {}
    }
}

/// Takes what the schema does not know out of the object; gives the paths.
pub fn prune(schema: &Value, object: &mut Value) -> Vec<String> {
    let mut unknown = Vec::new();
    let Value::Object(map) = object else { return unknown };
    let preserves = schema[PRESERVE] == true;
    map.retain(|name, value| {
        if ["kind", "apiVersion", "metadata"].contains(&name.as_str()) {
            return true;
        }
        match below(schema, name) {
            Some(below) => drop_unknown(below, value, name, &mut unknown),
            None if !preserves => {
                unknown.push(name.clone());
                return false;
            }
            None => {}
        }
        true
    });
    unknown
}

fn drop_unknown(schema: &Value, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let preserves = schema[PRESERVE] == true;
            let embedded = schema[EMBEDDED] == true;
            map.retain(|name, value| {
                let path = format!("{path}.{name}");
                if embedded && ["kind", "apiVersion", "metadata"].contains(&name.as_str()) {
                    return true;
                }
                match below(schema, name) {
                    Some(below) => drop_unknown(below, value, &path, unknown),
                    None if !preserves => {
                        unknown.push(path);
                        return false;
                    }
                    None => {}
                }
                true
            });
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                drop_unknown(&schema["items"], item, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

/// The mistakes in an object.
pub fn validate(schema: &Value, object: &Value, causes: &mut Vec<Cause>) {
    for (name, below) in properties(schema) {
        if name == "metadata" {
            continue;
        }
        if let Some(value) = object.get(name) {
            check(below, value, name, causes);
        }
    }
    required(schema, object, "", causes);
    if !causes.is_empty() && has_rules(schema) {
        let why = "some validation rules were not checked because the object was invalid; correct the existing \
                   errors to complete validation";
        causes.push(Cause::invalid("<nil>", &Value::Null, why));
    }
}

fn check(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    if value.is_null() && is_nullable(schema) || !has_type(schema, value, path, causes) {
        return;
    }
    for cause in [
        listed(schema, value, path),
        bounds(schema, value, path),
        text(schema, value, path),
        count(schema, value, path),
    ] {
        causes.extend(cause);
    }
    match value {
        Value::Object(map) => {
            required(schema, value, path, causes);
            for (name, value) in map {
                if let Some(below) = below(schema, name) {
                    check(below, value, &format!("{path}.{name}"), causes);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check(&schema["items"], item, &format!("{path}[{index}]"), causes);
            }
        }
        _ => {}
    }
    combined(schema, value, path, causes);
}

/// `oneOf`, `anyOf`, `allOf` and `not`.
fn combined(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    if schema[INT_OR_STRING] == true {
        return;
    }
    let fits = |schema: &Value| {
        let mut found = Vec::new();
        check(schema, value, path, &mut found);
        found.is_empty()
    };
    let fitting = |name: &str| {
        let list = schema[name].as_array().map_or(&[][..], Vec::as_slice);
        (list.len(), list.iter().filter(|it| fits(it)).count())
    };
    let mut wrong =
        |why: String| causes.push(Cause::invalid("<nil>", &json!(""), &format!("{path:?} must {why}")));
    match fitting("oneOf") {
        (0, _) | (_, 1) => {}
        (_, 0) => wrong("validate one and only one schema (oneOf). Found none valid".to_owned()),
        (_, many) => {
            wrong(format!("validate one and only one schema (oneOf). Found {many} valid alternatives"));
        }
    }
    if let (1.., 0) = fitting("anyOf") {
        wrong("validate at least one schema (anyOf)".to_owned());
    }
    let (all, fit) = fitting("allOf");
    if all != fit {
        wrong("validate all the schemas (allOf)".to_owned());
    }
    if schema.get("not").is_some_and(fits) {
        wrong("not validate the schema (not)".to_owned());
    }
}

fn has_type(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) -> bool {
    let wrong = |wanted: &str, found: &str, causes: &mut Vec<Cause>| {
        let why = format!("{path} in body must be of type {wanted}: {found:?}");
        let cause = Cause::invalid(path, &json!(found), &why);
        causes.push(Cause { reason: "FieldValueTypeInvalid", ..cause });
        false
    };
    if schema[INT_OR_STRING] == true {
        let fits = value.is_string() || value.is_i64();
        return fits || wrong("integer,string", &name_of(value), causes);
    }
    let Some(wanted) = schema["type"].as_str() else { return true };
    let fits = match wanted {
        "integer" => value.is_i64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    let format = schema["format"].as_str().filter(|_| wanted == "integer" && value.is_f64());
    if fits {
        causes.extend(narrow(schema, value, path));
        return true;
    }
    wrong(format.unwrap_or(wanted), &name_of(value), causes)
}

/// Integers of a format that has bounds of its own.
fn narrow(schema: &Value, value: &Value, path: &str) -> Option<Cause> {
    let format = schema["format"].as_str()?;
    let bounds = match format {
        "int32" => i64::from(i32::MIN)..=i64::from(i32::MAX),
        "uint32" => 0..=i64::from(u32::MAX),
        _ => return None,
    };
    let why = format!("Checked value must be of type integer with format {format} in {path}");
    (!bounds.contains(&value.as_i64()?)).then(|| Cause::invalid("<nil>", &json!(""), &why))
}

fn required(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for name in names.filter(|name| value.get(*name).is_none()) {
        let field = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        causes.push(Cause::required(&field, ""));
    }
}

fn listed(schema: &Value, value: &Value, path: &str) -> Option<Cause> {
    let known = schema["enum"].as_array()?;
    if known.contains(value) {
        return None;
    }
    let known: Vec<&str> = known.iter().filter_map(Value::as_str).collect();
    Some(Cause::unsupported(path, value, &known))
}

fn bounds(schema: &Value, value: &Value, path: &str) -> Option<Cause> {
    let number = value.as_f64()?;
    let wrong = |how: &str, bound: &Value| {
        let why = format!("{path} in body should be {how} {bound}");
        Some(Cause::invalid(path, value, &why))
    };
    let (least, most) = (&schema["minimum"], &schema["maximum"]);
    if let Some(bound) = least.as_f64() {
        let open = schema["exclusiveMinimum"] == true;
        if number < bound || open && number <= bound {
            return wrong(if open { "greater than" } else { "greater than or equal to" }, least);
        }
    }
    if let Some(bound) = most.as_f64() {
        let open = schema["exclusiveMaximum"] == true;
        if number > bound || open && number >= bound {
            return wrong(if open { "less than" } else { "less than or equal to" }, most);
        }
    }
    None
}

fn text(schema: &Value, value: &Value, path: &str) -> Option<Cause> {
    let text = value.as_str()?;
    let length = text.chars().count() as u64;
    if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
        let message = format!("Too long: may not be more than {most} bytes");
        return Some(Cause { reason: "FieldValueTooLong", field: path.to_owned(), message });
    }
    if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
        let why = format!("{path} in body should be at least {least} chars long");
        return Some(Cause::invalid(path, value, &why));
    }
    let pattern = schema["pattern"].as_str()?;
    // What this engine cannot read is no reason to refuse.
    let fits = Regex::new(pattern).map_or(true, |pattern| pattern.is_match(text));
    let why = format!("{path} in body should match '{pattern}'");
    (!fits).then(|| Cause::invalid(path, value, &why))
}

fn count(schema: &Value, value: &Value, path: &str) -> Option<Cause> {
    let (count, most, least, what) = match value {
        Value::Array(items) => (items.len() as u64, "maxItems", "minItems", "items"),
        Value::Object(map) => (map.len() as u64, "maxProperties", "minProperties", "properties"),
        _ => return None,
    };
    if let Some(most) = schema[most].as_u64().filter(|most| count > *most) {
        let message = format!("Too many: {count}: must have at most {most} items");
        return Some(Cause { reason: "FieldValueTooMany", field: path.to_owned(), message });
    }
    let least = schema[least].as_u64().filter(|least| count < *least)?;
    let why = format!("{path} in body should have at least {least} {what}");
    Some(Cause::invalid(path, &json!(count), &why))
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// The schema of a field: its own, or that of every value of a map.
fn below<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let more = &schema["additionalProperties"];
    schema["properties"].get(name).or_else(|| (more.is_object() || more == true).then_some(more))
}

fn is_nullable(schema: &Value) -> bool {
    schema["nullable"] == true
}

fn has_rules(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => map.contains_key("x-kubernetes-validations") || map.values().any(has_rules),
        Value::Array(items) => items.iter().any(has_rules),
        _ => false,
    }
}

/// How Go calls the type of a decoded value.
fn name_of(value: &Value) -> String {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As much of a route's schema as makes each rule speak; the words are those a real server was heard saying.
    fn schema() -> Value {
        let weight =
            json!({"type": "integer", "format": "int32", "default": 1, "minimum": 0, "maximum": 1_000_000});
        let matches = json!({"type": "object", "properties": {"exact": {"type": "string"}, "prefix": {"type": "string"}},
            "oneOf": [{"not": {"anyOf": [{"required": ["exact"]}, {"required": ["prefix"]}]}},
                {"required": ["exact"]}, {"required": ["prefix"]}]});
        let backend = json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 9}, "weight": weight, "uri": matches,
            "host": {"type": "string", "pattern": "^[a-z]+$"}, "port": {INT_OR_STRING: true},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        }});
        json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "rules": {"type": "array", "maxItems": 2, "items": backend},
            "free": {"type": "object", PRESERVE: true},
        }}}})
    }

    fn route(backend: &Value) -> Value {
        json!({"kind": "Route", "metadata": {"name": "r"}, "spec": {"rules": [backend]}})
    }

    #[test]
    fn defaults_are_filled_in_and_a_null_is_nothing() {
        let mut object = route(&json!({"name": "a", "weight": null, "host": null}));
        apply_defaults(&schema(), &mut object);
        assert_eq!(object["spec"]["rules"][0], json!({"name": "a", "weight": 1}));
    }

    #[test]
    fn unknown_fields_are_named_by_their_path() {
        let mut object = route(&json!({"name": "a", "wight": 5, "labels": {"x": "y"}}));
        object["spec"]["free"] = json!({"anything": {"goes": 1}});
        object["foo"] = 1.into();
        assert_eq!(prune(&schema(), &mut object), ["spec.rules[0].wight", "foo"]);
        assert_eq!(object["spec"]["rules"][0], json!({"name": "a", "labels": {"x": "y"}}));
        assert_eq!(object["spec"]["free"]["anything"]["goes"], 1);
    }

    #[test]
    fn mistakes_are_told_in_the_words_of_a_real_server() {
        let table = [
            (
                json!({"name": "a", "weight": 2_000_000}),
                "spec.rules[0].weight: Invalid value: 2000000: spec.rules[0].weight in body should be less than or equal to 1000000",
            ),
            (
                json!({"name": "a", "weight": -1}),
                "spec.rules[0].weight: Invalid value: -1: spec.rules[0].weight in body should be greater than or equal to 0",
            ),
            (
                json!({"name": "a", "weight": "x"}),
                "spec.rules[0].weight: Invalid value: \"string\": spec.rules[0].weight in body must be of type integer: \"string\"",
            ),
            (
                json!({"name": "a", "weight": 1.5}),
                "spec.rules[0].weight: Invalid value: \"float64\": spec.rules[0].weight in body must be of type int32: \"float64\"",
            ),
            (
                json!({"name": "a", "weight": 5_000_000_000_i64}),
                "<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in spec.rules[0].weight",
            ),
            (json!({"weight": 1}), "spec.rules[0].name: Required value"),
            (
                json!({"name": ""}),
                "spec.rules[0].name: Invalid value: \"\": spec.rules[0].name in body should be at least 1 chars long",
            ),
            (
                json!({"name": "long-and-longer"}),
                "spec.rules[0].name: Too long: may not be more than 9 bytes",
            ),
            (
                json!({"name": "a", "host": "A_"}),
                "spec.rules[0].host: Invalid value: \"A_\": spec.rules[0].host in body should match '^[a-z]+$'",
            ),
            (
                json!({"name": "a", "uri": {"exact": "a", "prefix": "b"}}),
                "<nil>: Invalid value: \"\": \"spec.rules[0].uri\" must validate one and only one schema (oneOf). Found 2 valid alternatives",
            ),
        ];
        for (backend, words) in table {
            let mut causes = Vec::new();
            validate(&schema(), &route(&backend), &mut causes);
            let told = causes.first().map(|cause| format!("{}: {}", cause.field, cause.message));
            assert_eq!(told.as_deref(), Some(words), "{backend}");
        }
        for fine in [
            json!({"name": "a", "port": 80}),
            json!({"name": "a", "port": "http", "uri": {"exact": "x"}}),
            json!({"name": "a", "uri": {}}),
        ] {
            let mut causes = Vec::new();
            validate(&schema(), &route(&fine), &mut causes);
            assert!(causes.is_empty(), "{fine}: {causes:?}");
        }
        let mut causes = Vec::new();
        let mut many = route(&json!({"name": "a"}));
        many["spec"]["rules"] = json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]);
        validate(&schema(), &many, &mut causes);
        assert_eq!(causes[0].message, "Too many: 3: must have at most 2 items");
    }
}
