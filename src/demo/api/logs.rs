//! `GET …/pods/NAME/log`: the lines that a container's program wrote, and with `follow` those it will write.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use futures::stream;
use serde_json::Value;
use tokio::time::sleep;

use super::route::{Call, Params};
use super::{Server, body};
use crate::demo::{
    clock, json,
    programs::Log,
    refusal::{Outcome, Refusal},
    resource::Kind,
    store::Key,
};

const LOOK_EVERY: Duration = Duration::from_millis(500);

pub fn answer(server: &Arc<Server>, call: &Call, params: &Params) -> Outcome<Response> {
    let name = call.name.as_deref().unwrap_or_default();
    let object =
        server.store.get(Kind::Pods, &call.key()).ok_or_else(|| Refusal::not_found(Kind::Pods, name))?;
    let pod = object.value();
    let container = container(&pod, name, params.get("container"))?;
    if json::text(&pod, "/spec/nodeName").is_empty() {
        return Ok(body::text(200, ""));
    }
    let log = run(&pod, container, params.flag("previous"))?;
    let now = server.store.clock().now();
    let wish = Wish::of(params, now)?;
    let mut lines = log.between(wish.since, now);
    if let Some(tail) = wish.tail {
        lines.drain(..lines.len().saturating_sub(tail));
    }
    let mut text = wish.write(&lines);
    if let Some(limit) = wish.limit {
        text.truncate(text.floor_char_boundary(limit));
    }
    if !params.flag("follow") || params.flag("previous") {
        return Ok(body::typed(200, "text/plain", Body::from(text)));
    }
    let follow = Follow {
        server: server.clone(),
        pod: call.key(),
        container: json::text(container, "/name").to_owned(),
        uid: object.uid.to_string(),
        log,
        wish,
        told: now,
    };
    let rest = stream::unfold((Some(text), follow), |(first, mut follow)| async move {
        let text = match first {
            Some(text) => text,
            None => follow.next().await?,
        };
        Some((Ok::<_, std::io::Error>(Bytes::from(text)), (None, follow)))
    });
    Ok(body::typed(200, "text/plain", Body::from_stream(rest)))
}

/// The container that is meant.
fn container<'a>(pod: &'a Value, name: &str, wanted: &str) -> Outcome<&'a Value> {
    let containers = json::list(pod, "/spec/containers");
    match (wanted, containers) {
        ("", [only]) => Ok(only),
        ("", _) => {
            let names: Vec<&str> =
                containers.iter().map(|container| json::text(container, "/name")).collect();
            let message = format!(
                "a container name must be specified for pod {name}, choose one of: [{}]",
                names.join(" ")
            );
            Err(Refusal::bad_request(message))
        }
        _ => containers
            .iter()
            .find(|container| json::text(container, "/name") == wanted)
            .ok_or_else(|| Refusal::bad_request(format!("container {wanted} is not valid for pod {name}"))),
    }
}

/// The run of the container that the log is of: the last one, or the one before it.
fn run(pod: &Value, container: &Value, previous: bool) -> Outcome<Log> {
    let (pod_name, name) = (json::text(pod, "/metadata/name"), json::text(container, "/name"));
    let statuses = json::list(pod, "/status/containerStatuses");
    let status = statuses.iter().find(|status| json::text(status, "/name") == name).unwrap_or(&Value::Null);
    let ended = |state: &Value| {
        let start = clock::parse(json::text(state, "/terminated/startedAt"))?;
        Some((start, clock::parse(json::text(state, "/terminated/finishedAt"))))
    };
    let last = ended(&status["lastState"]);
    if previous {
        let (start, end) = last.ok_or_else(|| {
            Refusal::bad_request(format!(
                "previous terminated container {name:?} in pod {pod_name:?} not found"
            ))
        })?;
        return Ok(Log::new(pod, container, start, end));
    }
    let running = clock::parse(json::text(status, "/state/running/startedAt")).map(|start| (start, None));
    let (start, end) = running.or_else(|| ended(&status["state"])).or(last).ok_or_else(|| {
        let why = match json::text(status, "/state/waiting/reason") {
            "" => "ContainerCreating".to_owned(),
            "ErrImagePull" => "image can't be pulled".to_owned(),
            "ImagePullBackOff" => "trying and failing to pull image".to_owned(),
            reason => reason.to_owned(),
        };
        Refusal::bad_request(format!("container {name:?} in pod {pod_name:?} is waiting to start: {why}"))
    })?;
    Ok(Log::new(pod, container, start, end))
}

/// How much is asked for, and how it is to look.
struct Wish {
    since: Option<DateTime<Utc>>,
    tail: Option<usize>,
    limit: Option<usize>,
    timestamps: bool,
}

impl Wish {
    fn of(params: &Params, now: DateTime<Utc>) -> Outcome<Wish> {
        let positive = |name: &str| -> Outcome<Option<usize>> {
            let number = params.int(name)?;
            number.map(usize::try_from).transpose().map_err(|_| {
                Refusal::bad_request(format!("{name}: Invalid value: must be greater than or equal to 0"))
            })
        };
        let since = match (params.int("sinceSeconds")?, params.get("sinceTime")) {
            (Some(seconds), _) => {
                TimeDelta::try_seconds(seconds.max(0)).and_then(|back| now.checked_sub_signed(back))
            }
            (None, "") => None,
            (None, time) => {
                let refusal = || Refusal::bad_request(format!("sinceTime: Invalid value: {time:?}"));
                Some(clock::parse(time).ok_or_else(refusal)?)
            }
        };
        let timestamps = params.flag("timestamps");
        Ok(Wish { since, tail: positive("tailLines")?, limit: positive("limitBytes")?, timestamps })
    }

    fn write(&self, lines: &[(DateTime<Utc>, String)]) -> String {
        let mut text = String::new();
        for (time, line) in lines {
            if self.timestamps {
                text.push_str(&time.to_rfc3339_opts(SecondsFormat::Nanos, true));
                text.push(' ');
            }
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// A log that is followed, until the container ends or the pod goes.
struct Follow {
    server: Arc<Server>,
    pod: Key,
    container: String,
    uid: String,
    log: Log,
    wish: Wish,
    told: DateTime<Utc>,
}

impl Follow {
    async fn next(&mut self) -> Option<String> {
        loop {
            let now = self.server.store.clock().now();
            let lines = self.log.between(Some(self.told), now);
            self.told = now;
            if !lines.is_empty() {
                return Some(self.wish.write(&lines));
            }
            if self.has_ended() {
                return None;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn has_ended(&self) -> bool {
        let Some(pod) = self.server.store.get(Kind::Pods, &self.pod) else { return true };
        let value = pod.value();
        let statuses = json::list(&value, "/status/containerStatuses");
        let status = statuses.iter().find(|status| json::text(status, "/name") == self.container);
        let started = status.and_then(|status| clock::parse(json::text(status, "/state/running/startedAt")));
        started != Some(self.log.start()) || *pod.uid != *self.uid
    }
}
