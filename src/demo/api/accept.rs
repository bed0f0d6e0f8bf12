//! What the client wants to see: the object itself, a Table, or metadata alone; and only as JSON.

use axum::http::{HeaderMap, header};

use crate::demo::refusal::{Outcome, Refusal};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Object,
    Table,
    Metadata,
}

impl Form {
    /// The first acceptable entry of `Accept`; JSON as a second choice is a choice.
    pub fn asked(headers: &HeaderMap) -> Outcome<Form> {
        let mut asked = entries(headers).peekable();
        if asked.peek().is_none() {
            return Ok(Form::Object);
        }
        asked.find_map(|entry| form(&entry)).ok_or_else(Refusal::not_acceptable)
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

fn form(entry: &str) -> Option<Form> {
    let mut parts = entry.split(';').map(str::trim);
    if !["application/json", "application/*", "*/*"].contains(&parts.next()?) {
        return None;
    }
    let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
    let value = |name: &str| parameters.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
    match (value("as"), value("g"), value("v")) {
        (None, ..) => Some(Form::Object),
        (Some("Table"), Some("meta.k8s.io"), Some("v1")) => Some(Form::Table),
        (Some("PartialObjectMetadata" | "PartialObjectMetadataList"), Some("meta.k8s.io"), Some("v1")) => {
            Some(Form::Metadata)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(accept: &str) -> Result<Form, u16> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        Form::asked(&headers).map_err(|refusal| refusal.code)
    }

    #[test]
    fn json_is_all_there_is() {
        assert_eq!(Form::asked(&HeaderMap::new()), Ok(Form::Object));
        assert_eq!(asked("application/vnd.kubernetes.protobuf, application/json"), Ok(Form::Object));
        assert_eq!(
            asked("application/vnd.kubernetes.protobuf;stream=watch, application/json;stream=watch"),
            Ok(Form::Object)
        );
        assert_eq!(asked("application/vnd.kubernetes.protobuf"), Err(406));
        assert_eq!(asked("application/cbor"), Err(406));
        assert_eq!(asked("*/*"), Ok(Form::Object));
    }

    #[test]
    fn tables_of_the_version_we_speak() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(asked(kubectl), Ok(Form::Table));
        assert_eq!(
            asked("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"),
            Ok(Form::Object)
        );
        assert_eq!(
            asked("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
            Ok(Form::Metadata)
        );
        assert_eq!(asked("application/json;as=Table;v=v9;g=meta.k8s.io"), Err(406));
    }
}
