//! Routes and what changes their meaning: the readers of the nouns, where they enter.

use std::sync::Arc;

use serde_json::Value;

use super::custom::metadata;
use super::{Cx, Read};
use crate::fleet::{HostPolicy, InferenceService, Kind, Object, Reconciler, ServiceEntry, route};

pub fn virtual_service(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    of_route(Kind::VirtualService, object, cx)
}

pub fn http_route(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    of_route(Kind::HttpRoute, object, cx)
}

pub fn grpc_route(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    of_route(Kind::GrpcRoute, object, cx)
}

pub fn dns_endpoint(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    of_route(Kind::DnsEndpoint, object, cx)
}

pub fn destination_rule(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    read(object, cx, Object::HostPolicy(Box::new(HostPolicy::read(object)?)))
}

pub fn service_entry(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    read(object, cx, Object::ServiceEntry(Box::new(ServiceEntry::read(object)?)))
}

pub fn inference_service(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    read(object, cx, Object::InferenceService(Box::new(InferenceService::read(object)?)))
}

pub fn canary(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    reconciler(Kind::Canary, object, cx)
}

pub fn application(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    reconciler(Kind::Application, object, cx)
}

pub fn kustomization(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    reconciler(Kind::Kustomization, object, cx)
}

pub fn helm_release(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    reconciler(Kind::HelmRelease, object, cx)
}

fn of_route(kind: Kind, object: &Value, cx: &mut Cx) -> Result<Read, String> {
    read(object, cx, Object::Route(Arc::new(route::read(kind, object)?)))
}

fn reconciler(kind: Kind, object: &Value, cx: &mut Cx) -> Result<Read, String> {
    read(object, cx, Object::Reconciler(Box::new(Reconciler::read(kind, object)?)))
}

fn read(object: &Value, cx: &mut Cx, noun: Object) -> Result<Read, String> {
    Ok(Read::new(&metadata(object)?, cx, Some(noun)))
}
