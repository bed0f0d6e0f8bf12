//! Services and EndpointSlices.

use bytes::Bytes;

use super::{Cx, Read, count, decode, key, meta};
use crate::clients::kube::wire::Encoding;
use crate::clients::kube::wire::messages::{discovery, service as wire};
use crate::fleet::service::AddressType;
use crate::fleet::{Endpoints, Object, Service};

/// The label by which a slice belongs to its Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

pub fn service(encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
    let wire: wire::Service = decode(encoding, bytes)?;
    let meta = meta(wire.metadata)?;
    let spec = wire.spec.unwrap_or_default();
    let selector = spec.selector.iter();
    let service = Service {
        key: key(&meta, cx),
        service_type: cx.names.intern(&spec.service_type),
        selector: selector.map(|(key, value)| (cx.names.intern(key), cx.names.intern(value))).collect(),
        ports: spec.ports.iter().map(|port| count(port.port)).collect(),
        external_name: (!spec.external_name.is_empty()).then(|| cx.names.intern(&spec.external_name)),
    };
    Ok(Read::new(&meta, cx, Some(Object::Service(Box::new(service)))))
}

pub fn endpoint_slice(encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
    let wire: discovery::EndpointSlice = decode(encoding, bytes)?;
    let meta = meta(wire.metadata)?;
    let service = meta.labels.get(SERVICE_NAME).map(|name| cx.names.intern(name));
    let conditions = || wire.endpoints.iter().map(|endpoint| endpoint.conditions.unwrap_or_default());
    let ready = |it: &discovery::Conditions| it.ready.unwrap_or(true);
    let endpoints = Endpoints {
        key: key(&meta, cx),
        service,
        address_type: match &*wire.address_type {
            "IPv6" => AddressType::Ip6,
            "FQDN" => AddressType::Name,
            _ => AddressType::Ip4,
        },
        ready: conditions().filter(ready).count() as u32,
        serving: conditions().filter(|it| it.serving.unwrap_or_else(|| ready(it))).count() as u32,
        total: wire.endpoints.len() as u32,
    };
    Ok(Read::new(&meta, cx, Some(Object::Endpoints(Box::new(endpoints)))))
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::super::test_cx;
    use super::*;

    #[test]
    fn endpoints_without_a_condition_are_ready() {
        let json = r#"{"metadata":{"name":"llm-x","namespace":"ml","labels":{"kubernetes.io/service-name":"llm"}},
            "addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"]},{"conditions":{"ready":true}},
            {"conditions":{"ready":false,"serving":true,"terminating":true}},{"conditions":{"ready":false}}]}"#;
        let read = endpoint_slice(Encoding::Json, &Bytes::from(json), &mut test_cx()).unwrap();
        let Some(Object::Endpoints(it)) = read.object else { panic!() };
        assert_eq!((it.ready, it.serving, it.total), (2, 3, 4));
        assert_eq!(it.service.as_deref(), Some("llm"));
        let none = r#"{"metadata":{"name":"alone"},"endpoints":null}"#;
        let read = endpoint_slice(Encoding::Json, &Bytes::from(none), &mut test_cx()).unwrap();
        let Some(Object::Endpoints(it)) = read.object else { panic!() };
        assert_eq!((it.service, it.total), (None, 0));
    }

    #[test]
    fn a_service_reads_the_same_in_both_encodings() {
        let json = r#"{"metadata":{"name":"llm","namespace":"ml"},"spec":{"type":"ClusterIP","selector":{"app":"llm"},
            "ports":[{"name":"http","port":8080,"targetPort":"http"}]}}"#;
        let wire: wire::Service = serde_json::from_str(json).unwrap();
        let protobuf = Bytes::from(wire.encode_to_vec());
        let of = |encoding, bytes: Bytes| service(encoding, &bytes, &mut test_cx()).unwrap().object;
        let read = of(Encoding::Json, Bytes::from(json));
        assert_eq!(read, of(Encoding::Protobuf, protobuf));
        let Some(Object::Service(it)) = read else { panic!() };
        assert_eq!((it.ports[..].to_vec(), it.selector.get("app")), (vec![8080], Some(&"llm".into())));
        assert_eq!((it.service_type.as_str(), it.external_name), ("ClusterIP", None));
    }
}
