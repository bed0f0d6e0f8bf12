//! Kueue's ClusterQueues and LocalQueues (kueue `apis/kueue/v1beta2/clusterqueue_types.go`, `localqueue_types.go`).

use serde_json::Value;

use super::custom::{conditions, metadata, text};
use super::{Cx, Read, key, parse_amount};
use crate::fleet::queue::{ClusterQueue, Flavor, LocalQueue, ResourceGroup, Share};
use crate::fleet::{Clean, Object};

pub fn cluster_queue(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    let meta = metadata(object)?;
    let (spec, status) = (&object["spec"], &object["status"]);
    let groups = list(&spec["resourceGroups"]).map(|group| {
        let flavors = list(&group["flavors"]).map(|flavor| self::flavor(flavor, status, cx));
        Ok(ResourceGroup { flavors: flavors.collect::<Result<_, String>>()? })
    });
    let groups = groups.collect::<Result<_, String>>()?;
    // The name of the cohort moved between v1beta1 and v1beta2.
    let cohort = [&spec["cohortName"], &spec["cohort"]].into_iter().find_map(Value::as_str);
    let queue = ClusterQueue {
        name: cx.names.intern(&meta.name),
        cohort: cohort.filter(|name| !name.is_empty()).map(|name| cx.names.intern(name)),
        groups,
        pending: status["pendingWorkloads"].as_u64().map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
        closed: closed(object),
    };
    Ok(Read::new(&meta, cx, Some(Object::ClusterQueue(Box::new(queue)))))
}

pub fn local_queue(object: &Value, cx: &mut Cx) -> Result<Read, String> {
    let meta = metadata(object)?;
    let queue = LocalQueue {
        key: key(&meta, cx),
        cluster_queue: cx.names.intern(text(&object["spec"]["clusterQueue"])),
        closed: closed(object),
    };
    Ok(Read::new(&meta, cx, Some(Object::LocalQueue(Box::new(queue)))))
}

fn flavor(flavor: &Value, status: &Value, cx: &mut Cx) -> Result<Flavor, String> {
    let name = text(&flavor["name"]);
    let reserved = list(&status["flavorsReservation"]).find(|it| text(&it["name"]) == name);
    let shares = list(&flavor["resources"]).map(|quota| {
        let resource = text(&quota["name"]);
        let told =
            list(&reserved.unwrap_or(&Value::Null)["resources"]).find(|it| text(&it["name"]) == resource);
        Ok(Share {
            resource: cx.names.intern(resource),
            nominal: amount(resource, &quota["nominalQuota"])?.ok_or("a quota has no nominalQuota")?,
            borrowing: amount(resource, &quota["borrowingLimit"])?,
            lending: amount(resource, &quota["lendingLimit"])?,
            // What is used of nothing is not written down: an absent total beside a told resource is none.
            reserved: told
                .map(|told| amount(resource, &told["total"]))
                .transpose()?
                .map(Option::unwrap_or_default),
        })
    });
    let shares = shares.collect::<Result<_, String>>()?;
    Ok(Flavor { name: cx.names.intern(name), shares })
}

/// Stopped in words of the spec, or not active in words of the controller.
fn closed(object: &Value) -> Option<Clean> {
    let policy = text(&object["spec"]["stopPolicy"]);
    if !["", "None"].contains(&policy) {
        return Some(Clean::from(format!("stopped: {policy}")));
    }
    let (_, _, condition) =
        conditions(object).find(|(kind, status, _)| *kind == "Active" && *status == "False")?;
    let (reason, message) = (text(&condition["reason"]), text(&condition["message"]));
    Some(Clean::from(format!("not active: {}", if message.is_empty() { reason } else { message })))
}

/// `None` when it is not given; a quantity that is not understood makes the whole object so.
fn amount(resource: &str, value: &Value) -> Result<Option<u64>, String> {
    let read = match value {
        Value::Null => return Ok(None),
        Value::String(text) => parse_amount(resource, text),
        Value::Number(number) => parse_amount(resource, &number.to_string()),
        _ => None,
    };
    read.map(Some).ok_or_else(|| format!("its quota of {resource} is not understood"))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::super::test_cx;
    use super::*;
    use serde_json::json;

    fn queue(object: &Value) -> ClusterQueue {
        match cluster_queue(object, &mut test_cx()).unwrap().object {
            Some(Object::ClusterQueue(queue)) => *queue,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn quota_and_what_is_reserved_of_it() {
        let object = json!({"metadata": {"name": "research"}, "spec": {"cohortName": "ml", "resourceGroups": [{
            "coveredResources": ["cpu", "nvidia.com/gpu"], "flavors": [{"name": "a100", "resources": [
                {"name": "cpu", "nominalQuota": "96", "borrowingLimit": 8},
                {"name": "nvidia.com/gpu", "nominalQuota": 16, "lendingLimit": "4"}]}]}]},
            "status": {"pendingWorkloads": 3, "flavorsReservation": [{"name": "a100", "resources": [
                {"name": "cpu", "total": "1500m"}]}]}});
        let read = queue(&object);
        assert_eq!((read.cohort, read.pending, read.closed), (Some("ml".into()), Some(3), None));
        let shares = &read.groups[0].flavors[0].shares;
        assert_eq!(
            (shares[0].nominal, shares[0].borrowing, shares[0].reserved),
            (96_000, Some(8_000), Some(1_500))
        );
        assert_eq!(
            (shares[1].nominal, shares[1].guaranteed(), shares[1].reserved),
            (16, 12, None),
            "not told is not 0"
        );
        let old = queue(&json!({"metadata": {"name": "q"}, "spec": {"cohort": "ml", "stopPolicy": "Hold"}}));
        assert_eq!((old.cohort, old.closed), (Some("ml".into()), Some("stopped: Hold".into())));
        let inactive = json!({"metadata": {"name": "q"}, "status": {"conditions": [
            {"type": "Active", "status": "False", "reason": "FlavorNotFound", "message": "no flavor a100"}]}});
        assert_eq!(queue(&inactive).closed, Some("not active: no flavor a100".into()));
    }

    #[test]
    fn a_quota_that_is_not_understood_is_an_error() {
        for nominal in [json!("much"), json!(null), json!([]), json!(-1)] {
            let object = json!({"metadata": {"name": "q"}, "spec": {"resourceGroups": [{"flavors": [
                {"name": "f", "resources": [{"name": "cpu", "nominalQuota": nominal}]}]}]}});
            assert!(cluster_queue(&object, &mut test_cx()).is_err(), "{nominal}");
        }
        assert!(
            cluster_queue(&json!({"metadata": {"name": "q"}, "spec": 7, "status": []}), &mut test_cx())
                .is_ok()
        );
        assert!(local_queue(&json!({"metadata": {"name": "q"}, "spec": []}), &mut test_cx()).is_ok());
    }
}
