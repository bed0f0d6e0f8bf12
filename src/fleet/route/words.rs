//! Conditions and actions of rules in words. What is not known by name is shown by its key, never left out:
//! a rule must not look as if it took more than it does.

use serde_json::Value;

use super::{Protocol, entries};
use crate::fleet::Clean;
use crate::fleet::text::of_json as text;

/// `path /v2…`, `header x-canary is true, port 8080`.
pub(super) fn istio_match(block: &Value) -> Clean {
    let conditions = block.as_object().into_iter().flatten();
    let words: Vec<_> = conditions.filter_map(|(key, value)| istio_condition(key, value)).collect();
    if words.is_empty() { "everything".into() } else { words.join(", ").into() }
}

fn istio_condition(key: &str, value: &Value) -> Option<String> {
    let each = |what: &str| {
        let pairs = value.as_object().into_iter().flatten();
        pairs.map(|(name, it)| format!("{what} {name}{}", string_match(it))).collect::<Vec<_>>().join(", ")
    };
    let list = || entries(value).iter().map(text).collect::<Vec<_>>().join(" or ");
    Some(match key {
        "ignoreUriCase" if *value == true => "in any case".into(),
        "name" | "statPrefix" | "ignoreUriCase" => return None,
        "uri" => format!("path{}", string_match(value)),
        "scheme" | "method" | "authority" => format!("{key}{}", string_match(value)),
        "headers" => each("header"),
        "queryParams" => each("query"),
        "withoutHeaders" => format!("not {}", each("header")),
        "port" => format!("port {value}"),
        "sniHosts" => format!("SNI {}", list()),
        "destinationSubnets" => format!("to {}", list()),
        "gateways" => format!("through {}", list()),
        "sourceNamespace" => format!("from namespace {}", text(value)),
        "sourceLabels" => {
            let labels = value.as_object().into_iter().flatten();
            let labels = labels.map(|(key, value)| format!("{key}={}", text(value))).collect::<Vec<_>>();
            format!("from {}", labels.join(" "))
        }
        other => format!("{other} {value}"),
    })
}

/// ` is x`, ` x…`, ` like x`, or that it is there at all.
fn string_match(value: &Value) -> String {
    for (key, before, after) in [("exact", " is ", ""), ("prefix", " ", "…"), ("regex", " like ", "")] {
        if let Some(text) = value[key].as_str() {
            return format!("{before}{text}{after}");
        }
    }
    match value.as_object() {
        Some(object) if !object.is_empty() => format!(" {value}"),
        _ => " is there".to_owned(),
    }
}

pub(super) fn istio_retries(value: &Value) -> Option<Clean> {
    let attempts = &value["attempts"];
    if !value.is_object() {
        return None;
    }
    let mut words =
        format!("{} retries", if attempts.is_null() { "2".to_owned() } else { attempts.to_string() });
    if let Some(timeout) = value["perTryTimeout"].as_str() {
        words.push_str(&format!(" of {timeout}"));
    }
    if let Some(on) = value["retryOn"].as_str() {
        words.push_str(&format!(" on {on}"));
    }
    Some(words.into())
}

pub(super) fn istio_redirect(value: &Value) -> Option<Clean> {
    let redirect = value.as_object()?;
    let part =
        |key: &str| redirect.get(key).map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned));
    let code = part("redirectCode").unwrap_or_else(|| "301".into());
    let to: String = [part("scheme").map(|it| format!("{it}://")), part("authority"), part("uri")]
        .into_iter()
        .flatten()
        .collect();
    Some(format!("{code} to {to}").into())
}

pub(super) fn direct_response(value: &Value) -> Option<Clean> {
    value.is_object().then(|| format!("answers {}", value["status"]).into())
}

/// `path /v2…, header x-canary is true`; a GRPCRoute names service and method.
pub(super) fn gateway_match(block: &Value, protocol: Protocol) -> Clean {
    let mut words = Vec::new();
    for (key, value) in block.as_object().into_iter().flatten() {
        match (key.as_str(), protocol) {
            ("path", _) => words.push(format!("path{}", typed_match(value))),
            ("method", Protocol::Grpc) => {
                let parts = [text(&value["service"]), text(&value["method"])];
                let like = if value["type"] == "RegularExpression" { "like " } else { "" };
                words.push(format!(
                    "method {like}{}",
                    parts.map(|it| if it.is_empty() { "*" } else { it }).join("/")
                ));
            }
            ("method", _) => words.push(format!("method is {}", text(value))),
            ("headers", _) => {
                words.extend(
                    entries(value)
                        .iter()
                        .map(|it| format!("header {}{}", text(&it["name"]), typed_match(it))),
                );
            }
            ("queryParams", _) => {
                words.extend(
                    entries(value).iter().map(|it| format!("query {}{}", text(&it["name"]), typed_match(it))),
                );
            }
            (other, _) => words.push(format!("{other} {value}")),
        }
    }
    if words.is_empty() { "everything".into() } else { words.join(", ").into() }
}

fn typed_match(value: &Value) -> String {
    let what = value["value"].as_str().unwrap_or("/");
    match value["type"].as_str() {
        Some("RegularExpression") => format!(" like {what}"),
        Some("PathPrefix") => format!(" {what}…"),
        // A path without a type is a prefix, a header or query is exact.
        None if value.get("name").is_none() => format!(" {what}…"),
        _ => format!(" is {what}"),
    }
}

pub(super) fn gateway_retries(value: &Value) -> Option<Clean> {
    let codes = entries(&value["codes"]).iter().map(Value::to_string).collect::<Vec<_>>().join(",");
    let attempts = &value["attempts"];
    if !value.is_object() {
        return None;
    }
    let mut words = if attempts.is_null() { "retries".to_owned() } else { format!("{attempts} retries") };
    if !codes.is_empty() {
        words.push_str(&format!(" on {codes}"));
    }
    Some(words.into())
}

pub(super) fn gateway_redirect(filter: &Value) -> Option<Clean> {
    if filter["type"] != "RequestRedirect" {
        return None;
    }
    let redirect = &filter["requestRedirect"];
    let code = redirect["statusCode"].as_i64().unwrap_or(302);
    let scheme = redirect["scheme"].as_str().map(|it| format!("{it}://")).unwrap_or_default();
    let path = &redirect["path"];
    let path = path["replaceFullPath"].as_str().or(path["replacePrefixMatch"].as_str()).unwrap_or("");
    Some(format!("{code} to {scheme}{}{path}", text(&redirect["hostname"])).into())
}
