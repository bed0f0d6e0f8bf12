//! Warnings.

use bytes::Bytes;

use super::{Cx, Read, count, created, decode, key, meta};
use crate::clients::kube::wire::Encoding;
use crate::clients::kube::wire::messages::core;
use crate::clients::kube::wire::messages::meta::unix;
use crate::fleet::{Clean, Event, Object, ObjectKey};

/// The server filters by type already; older ones of other sources may still slip through.
pub fn event(encoding: Encoding, bytes: &Bytes, cx: &mut Cx) -> Result<Read, String> {
    let wire: core::Event = decode(encoding, bytes)?;
    let meta = meta(wire.metadata)?;
    if wire.kind != "Warning" {
        return Ok(Read::new(&meta, cx, None));
    }
    let about = wire.involved_object.unwrap_or_default();
    let series = wire.series.unwrap_or_default();
    // Three generations of the API keep the time in three places.
    let times = [series.last_observed_time, wire.last_timestamp, wire.event_time];
    let last_seen = times.iter().filter_map(|time| unix(time.as_ref())).max();
    let event = Event {
        key: key(&meta, cx),
        about_kind: cx.names.intern(&about.kind),
        about: ObjectKey { namespace: cx.names.intern(&about.namespace), name: cx.names.intern(&about.name) },
        reason: cx.names.intern(&wire.reason),
        message: Clean::new(&wire.message),
        count: count(wire.count).max(count(series.count)).max(1),
        last_seen: last_seen.unwrap_or_else(|| created(&meta)),
    };
    Ok(Read::new(&meta, cx, Some(Object::Event(Box::new(event)))))
}

#[cfg(test)]
mod tests {
    use super::super::test_cx;
    use super::*;

    #[test]
    fn the_latest_of_three_times_counts() {
        let json = r#"{"metadata":{"name":"e","creationTimestamp":"2026-01-01T00:00:00Z"},"type":"Warning","reason":"BackOff",
            "involvedObject":{"kind":"Pod","namespace":"ml","name":"p"},"message":"Back-off","count":3,
            "lastTimestamp":"2026-01-01T01:00:00Z","eventTime":"2026-01-01T00:30:00.123456Z","series":null}"#;
        let read = event(Encoding::Json, &Bytes::from(json), &mut test_cx()).unwrap();
        let Some(Object::Event(it)) = read.object else { panic!() };
        assert_eq!((it.last_seen.rfc3339(), it.count), ("2026-01-01T01:00:00Z".into(), 3));
        let normal = json.replace("Warning", "Normal");
        assert_eq!(event(Encoding::Json, &Bytes::from(normal), &mut test_cx()).unwrap().object, None);
    }
}
