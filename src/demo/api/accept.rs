//! What the client wants to see: the object itself, a Table, or metadata alone; and in which bytes.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::demo::protobuf;
use crate::demo::refusal::{Outcome, Refusal};
use crate::demo::resource::Kind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Object,
    Table,
    Metadata,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Json,
    Protobuf,
}

/// One entry of `Accept`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    pub form: Form,
    pub encoding: Encoding,
}

impl Wish {
    /// The first that can be had of objects of a kind; JSON as a second choice is a choice.
    pub fn of(headers: &HeaderMap, kind: Kind) -> Outcome<Wish> {
        let mut asked = entries(headers).peekable();
        if asked.peek().is_none() {
            return Ok(Wish { form: Form::Object, encoding: Encoding::Json });
        }
        let can = |wish: &Wish| match (wish.form, wish.encoding) {
            (_, Encoding::Json) | (Form::Metadata, _) => true,
            (Form::Object, _) => protobuf::knows(kind),
            (Form::Table, _) => false,
        };
        asked.filter_map(|entry| wish(&entry)).find(can).ok_or_else(Refusal::not_acceptable)
    }
}

/// In which bytes an error is told: no other form is asked for it, and JSON is understood by all.
pub fn of_errors(headers: &HeaderMap) -> Encoding {
    let plain = entries(headers).filter_map(|entry| wish(&entry)).find(|wish| wish.form == Form::Object);
    plain.map_or(Encoding::Json, |wish| wish.encoding)
}

/// As behind a gateway that knows only JSON.
pub fn only_json(headers: &mut HeaderMap) {
    let kept: Vec<String> = entries(headers).filter(|entry| !entry.starts_with(protobuf::MEDIA)).collect();
    headers.remove(header::ACCEPT);
    if let Ok(kept) = HeaderValue::try_from(kept.join(", "))
        && !kept.is_empty()
    {
        headers.insert(header::ACCEPT, kept);
    }
}

/// Is one of the entries of `Accept` this one, whatever the order of its parameters?
pub fn asks_for(headers: &HeaderMap, wanted: &[&str]) -> bool {
    entries(headers).any(|entry| {
        let parts: Vec<&str> = entry.split(';').map(str::trim).collect();
        wanted.iter().all(|part| parts.contains(part))
    })
}

fn entries(headers: &HeaderMap) -> impl Iterator<Item = String> {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .map(|entry| entry.trim().to_owned())
        .filter(|entry| !entry.is_empty())
}

fn wish(entry: &str) -> Option<Wish> {
    let mut parts = entry.split(';').map(str::trim);
    let encoding = match parts.next()? {
        "application/json" | "application/*" | "*/*" => Encoding::Json,
        protobuf::MEDIA => Encoding::Protobuf,
        _ => return None,
    };
    let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
    let value = |name: &str| parameters.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
    let form = match (value("as"), value("g"), value("v")) {
        (None, ..) => Form::Object,
        (Some("Table"), Some("meta.k8s.io"), Some("v1")) => Form::Table,
        (Some("PartialObjectMetadata" | "PartialObjectMetadataList"), Some("meta.k8s.io"), Some("v1")) => {
            Form::Metadata
        }
        _ => return None,
    };
    Some(Wish { form, encoding })
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = "as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

    fn headers(accept: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())])
    }

    fn asked_of(kind: Kind, accept: &str) -> Result<(Form, Encoding), u16> {
        let wish = Wish::of(&headers(accept), kind).map_err(|refusal| refusal.code)?;
        Ok((wish.form, wish.encoding))
    }

    #[test]
    fn built_in_kinds_are_had_in_protobuf_and_custom_ones_only_in_json() {
        let (pods, routes) = (Kind::Pods, Kind::HttpRoutes);
        let (json, protobuf) = ((Form::Object, Encoding::Json), (Form::Object, Encoding::Protobuf));
        assert_eq!(asked_of(pods, ""), Ok(json));
        let both = "application/vnd.kubernetes.protobuf;stream=watch, application/json;stream=watch";
        assert_eq!((asked_of(pods, both), asked_of(routes, both)), (Ok(protobuf), Ok(json)));
        let alone = "application/vnd.kubernetes.protobuf";
        assert_eq!((asked_of(pods, alone), asked_of(routes, alone)), (Ok(protobuf), Err(406)));
        let metadata = format!("{alone};{METADATA}, application/json;{METADATA}, application/json");
        assert_eq!(asked_of(routes, &metadata), Ok((Form::Metadata, Encoding::Protobuf)));
        assert_eq!(asked_of(pods, "application/json, application/vnd.kubernetes.protobuf"), Ok(json));
        assert_eq!(asked_of(pods, "application/cbor"), Err(406));
        assert_eq!(asked_of(pods, "*/*"), Ok(json));
    }

    #[test]
    fn errors_come_in_what_the_plain_object_was_asked_for_in() {
        let both = headers("application/vnd.kubernetes.protobuf, application/json");
        assert_eq!(of_errors(&both), Encoding::Protobuf);
        let metadata = headers(&format!("application/vnd.kubernetes.protobuf;{METADATA}, application/json"));
        assert_eq!(of_errors(&metadata), Encoding::Json);
        assert_eq!(of_errors(&HeaderMap::new()), Encoding::Json);
    }

    #[test]
    fn behind_a_gateway_nobody_asks_for_protobuf() {
        let mut both =
            headers("application/vnd.kubernetes.protobuf;stream=watch, application/json;stream=watch");
        only_json(&mut both);
        assert_eq!(both[header::ACCEPT], "application/json;stream=watch");
        let mut alone = headers("application/vnd.kubernetes.protobuf");
        only_json(&mut alone);
        assert!(alone.is_empty());
    }

    #[test]
    fn tables_of_the_version_we_speak() {
        let form = |accept: &str| asked_of(Kind::Pods, accept).map(|(form, _)| form);
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(form(kubectl), Ok(Form::Table));
        assert_eq!(
            form("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"),
            Ok(Form::Object)
        );
        assert_eq!(
            form("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
            Ok(Form::Metadata)
        );
        assert_eq!(form("application/json;as=Table;v=v9;g=meta.k8s.io"), Err(406));
    }
}
