//! From a path to what it means, by the table of resources.

use axum::extract::Query;
use axum::http::Uri;

use crate::demo::refusal::{Outcome, Place, Refusal};
use crate::demo::resource::{KINDS, Kind, Resource};
use crate::demo::store::{FieldSelector, LabelSelector, Query as Selection};

#[derive(Debug, PartialEq)]
pub enum Route {
    Version,
    Health,
    Discovery(Topic),
    /// `/openapi/v3` or `/openapi/v3/apis/GROUP/VERSION`
    OpenApi(Option<String>),
    Resource(Call),
    Nowhere,
}

#[derive(Debug, PartialEq)]
pub enum Topic {
    /// `/api`
    Core,
    /// `/apis`
    Groups,
    /// `/apis/GROUP`
    Group(String),
    /// `/api/v1` or `/apis/GROUP/VERSION`
    Version(String, String),
}

/// A request for objects of one kind.
#[derive(Debug, PartialEq)]
pub struct Call {
    pub kind: Kind,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub sub: Sub,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sub {
    None,
    Status,
    Scale,
    Log,
}

impl Call {
    /// The verb of RBAC.
    pub fn verb(&self, method: &str, query: &str) -> &'static str {
        let watches = query.split('&').any(|pair| ["watch=1", "watch=true"].contains(&pair));
        match (method, &self.name) {
            ("GET", None) if watches => "watch",
            ("GET", None) => "list",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", None) => "deletecollection",
            ("DELETE", Some(_)) => "delete",
            _ => "get",
        }
    }

    pub fn place(&self) -> Place<'_> {
        Place {
            kind: self.kind,
            namespace: self.namespace.as_deref(),
            name: self.name.as_deref().unwrap_or_default(),
            sub: match self.sub {
                Sub::None => "",
                Sub::Status => "status",
                Sub::Scale => "scale",
                Sub::Log => "log",
            },
        }
    }
}

impl Route {
    pub fn parse(path: &str) -> Route {
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts.as_slice() {
            ["version"] => Route::Version,
            ["livez" | "readyz" | "healthz", ..] => Route::Health,
            ["openapi", "v3"] => Route::OpenApi(None),
            ["openapi", "v3", rest @ ..] => Route::OpenApi(Some(rest.join("/"))),
            ["api"] => Route::Discovery(Topic::Core),
            ["apis"] => Route::Discovery(Topic::Groups),
            ["api", version] => known(Topic::Version(String::new(), (*version).to_owned())),
            ["apis", group] => known(Topic::Group((*group).to_owned())),
            ["apis", group, version] => known(Topic::Version((*group).to_owned(), (*version).to_owned())),
            ["api", version, rest @ ..] => resource("", version, rest),
            ["apis", group, version, rest @ ..] => resource(group, version, rest),
            _ => Route::Nowhere,
        }
    }
}

fn known(topic: Topic) -> Route {
    let is = |row: &Resource| match &topic {
        Topic::Group(group) => row.group == group,
        Topic::Version(group, version) => row.group == group && row.version == version,
        Topic::Core | Topic::Groups => true,
    };
    if KINDS.iter().any(|kind| is(kind.row())) { Route::Discovery(topic) } else { Route::Nowhere }
}

fn resource(group: &str, version: &str, rest: &[&str]) -> Route {
    let (namespace, rest) = match rest {
        // `/namespaces/NAME` and its status are the namespace itself.
        ["namespaces", _] | ["namespaces", _, "status"] => (None, rest),
        ["namespaces", namespace, rest @ ..] => (Some((*namespace).to_owned()), rest),
        _ => (None, rest),
    };
    let (plural, name, sub) = match rest {
        [plural] => (plural, None, None),
        [plural, name] => (plural, Some((*name).to_owned()), None),
        [plural, name, sub] => (plural, Some((*name).to_owned()), Some(*sub)),
        _ => return Route::Nowhere,
    };
    let Some(kind) = Kind::find(group, version, plural) else { return Route::Nowhere };
    let row = kind.row();
    let sub = match sub {
        None => Sub::None,
        Some("status") if row.status => Sub::Status,
        Some("scale") if row.scale.is_some() => Sub::Scale,
        Some("log") if row.log => Sub::Log,
        Some(_) => return Route::Nowhere,
    };
    let misplaced =
        namespace.is_some() && !row.namespaced || namespace.is_none() && row.namespaced && name.is_some();
    if misplaced { Route::Nowhere } else { Route::Resource(Call { kind, namespace, name, sub }) }
}

/// Undoes percent-encoding in one part of a path; what is not valid stays as it is.
fn decode(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The query of a request, decoded.
#[derive(Debug, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    pub fn of(uri: &Uri) -> Outcome<Params> {
        let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
        query.map(|Query(pairs)| Params(pairs)).map_err(|error| Refusal::bad_request(error.to_string()))
    }

    /// The first value of that name; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }

    /// True for `1`, `true` and a name without a value, as Kubernetes reads booleans.
    pub fn flag(&self, name: &str) -> bool {
        self.has(name) && !["0", "false"].contains(&self.get(name).to_lowercase().as_str())
    }

    pub fn int(&self, name: &str) -> Outcome<Option<i64>> {
        let text = self.get(name);
        if text.is_empty() {
            return Ok(None);
        }
        let refusal = || Refusal::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
        text.parse().map(Some).map_err(|_| refusal())
    }

    /// `resourceVersion`, if it names one; *any* (`0`) is `Some(0)`.
    pub fn version(&self) -> Outcome<Option<u64>> {
        let text = self.get("resourceVersion");
        if text.is_empty() {
            return Ok(None);
        }
        let why = "strconv.ParseUint: parsing";
        let message = format!(
            "invalid resource version: resourceVersion: Invalid value: {text:?}: {why} {text:?}: invalid syntax"
        );
        text.parse().map(Some).map_err(|_| Refusal::bad_request(message))
    }

    /// What a list or watch selects.
    pub fn selection(&self, call: &Call) -> Outcome<Selection> {
        Ok(Selection {
            namespace: call.namespace.clone(),
            labels: LabelSelector::parse(self.get("labelSelector"))?,
            fields: FieldSelector::parse(self.get("fieldSelector"), call.kind)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(path: &str) -> Option<(Kind, Option<String>, Option<String>, Sub)> {
        match Route::parse(path) {
            Route::Resource(call) => Some((call.kind, call.namespace, call.name, call.sub)),
            _ => None,
        }
    }

    #[test]
    fn paths_name_resources() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(call("/api/v1/pods"), Some((Kind::Pods, None, None, Sub::None)));
        assert_eq!(
            call("/api/v1/namespaces/a/pods/b%2Dc/log"),
            Some((Kind::Pods, some("a"), some("b-c"), Sub::Log))
        );
        assert_eq!(call("/api/v1/namespaces/a"), Some((Kind::Namespaces, None, some("a"), Sub::None)));
        assert_eq!(
            call("/api/v1/namespaces/a/status"),
            Some((Kind::Namespaces, None, some("a"), Sub::Status))
        );
        assert_eq!(
            call("/apis/apps/v1/namespaces/a/deployments/b/scale"),
            Some((Kind::Deployments, some("a"), some("b"), Sub::Scale))
        );
        for path in [
            "/api/v1/pods/b",
            "/api/v1/namespaces/a/nodes",
            "/apis/apps/v2/deployments",
            "/api/v1/namespaces/a/pods/b/scale",
            "/api/v1/namespaces/a/pods/b/log/c",
            "/nothing",
        ] {
            assert_eq!(call(path), None, "{path}");
        }
    }

    #[test]
    fn discovery_is_about_what_there_is() {
        assert_eq!(Route::parse("/apis/apps"), Route::Discovery(Topic::Group("apps".into())));
        assert_eq!(Route::parse("/apis/nope/v1"), Route::Nowhere);
        assert_eq!(Route::parse("/api/v1"), Route::Discovery(Topic::Version(String::new(), "v1".into())));
    }
}
