//! Getting one object and listing many, in pages that belong together.

use std::fmt::Write as _;

use axum::response::Response;
use serde_json::json;

use super::Server;
use super::accept::Wish;
use super::body::{self, IncludeObject, Listing};
use super::route::{Call, Params};
use crate::demo::{
    refusal::{Outcome, Refusal},
    store::{Key, Query, Snapshot},
};

pub fn one(server: &Server, call: &Call, wish: Wish) -> Outcome<Response> {
    let found = server.store.get(call.kind(), &call.key());
    let object =
        found.ok_or_else(|| Refusal::not_found(call.kind, call.name.as_deref().unwrap_or_default()))?;
    Ok(body::object(200, &object, wish, server.store.clock().now()))
}

pub fn answer(server: &Server, call: &Call, params: &Params, wish: Wish) -> Outcome<Response> {
    let query = params.selection(call)?;
    let include = IncludeObject::parse(params.get("includeObject"))?;
    let limit = usize::try_from(params.int("limit")?.unwrap_or(0)).unwrap_or(0);
    let Page { snapshot, after, limit } = page(server, call, params, (&query, limit))?;
    let version = snapshot.version;
    let mut objects = snapshot.objects;
    if let Some(after) = after {
        let done = objects.partition_point(|object| object.key <= after);
        objects.drain(..done);
    }
    let mut meta = json!({"resourceVersion": version.to_string()});
    if limit > 0 && objects.len() > limit {
        let remaining = objects.len() - limit;
        objects.truncate(limit);
        if let Some(last) = objects.last() {
            meta["continue"] = Token { version, last: last.key.clone() }.write().into();
        }
        if !query.is_selective() {
            meta["remainingItemCount"] = remaining.into();
        }
    }
    let now = server.store.clock().now();
    Ok(body::list(Listing { kind: call.kind, meta, objects, wish, include, now }))
}

struct Page {
    snapshot: Snapshot,
    after: Option<Key>,
    limit: usize,
}

/// Which version of the world is listed, and from where.
fn page(server: &Server, call: &Call, params: &Params, (query, limit): (&Query, usize)) -> Outcome<Page> {
    let store = &server.store;
    let asked = params.version()?;
    let token = params.get("continue");
    if !token.is_empty() {
        if asked.is_some_and(|version| version > 0) {
            let message = "specifying resource version is not allowed when using continue";
            return Err(Refusal::bad_request(message));
        }
        let token = Token::read(token)?;
        let snapshot = store.list_at(call.kind, query, token.version);
        let snapshot = snapshot.map_err(|refusal| match refusal.code {
            410 => Refusal::continue_expired(),
            _ => refusal,
        })?;
        return Ok(Page { snapshot, after: Some(token.last), limit });
    }
    let exact =
        params.get("resourceVersionMatch") == "Exact" || !params.has("resourceVersionMatch") && limit > 0;
    match asked {
        Some(version) if version > 0 && exact => {
            Ok(Page { snapshot: store.list_at(call.kind, query, version)?, after: None, limit })
        }
        Some(version) if version > store.version() => {
            Err(Refusal::version_too_large(version, store.version()))
        }
        // From the watch cache Kubernetes gives everything at once, whatever the limit says.
        Some(0) => Ok(Page { snapshot: store.list(call.kind, query), after: None, limit: 0 }),
        _ => Ok(Page { snapshot: store.list(call.kind, query), after: None, limit }),
    }
}

/// What `continue` carries: the version the first page had, and the last key it showed. Opaque to clients.
struct Token {
    version: u64,
    last: Key,
}

impl Token {
    fn write(&self) -> String {
        let text = format!("{}/{}/{}", self.version, self.last.namespace, self.last.name);
        text.bytes().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    fn read(token: &str) -> Outcome<Token> {
        let refusal = || Refusal::bad_request("invalid continue token: continue key is not valid");
        let digits = token.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
        let bytes = digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect::<Option<Vec<u8>>>();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(refusal)?;
        let mut parts = text.splitn(3, '/');
        match (parts.next().and_then(|version| version.parse().ok()), parts.next(), parts.next()) {
            (Some(version), Some(namespace), Some(name)) => {
                Ok(Token { version, last: Key::new(namespace, name) })
            }
            _ => Err(refusal()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_nonsense_is_refused() {
        let token = Token { version: 77, last: Key::new("ml-platform", "web") };
        let back = Token::read(&token.write()).unwrap();
        assert_eq!((back.version, back.last), (77, Key::new("ml-platform", "web")));
        for nonsense in ["abc", "zz", "ff", "373700", "é"] {
            assert!(Token::read(nonsense).is_err(), "{nonsense:?}");
        }
    }
}
