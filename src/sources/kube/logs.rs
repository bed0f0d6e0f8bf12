//! Logs of pods, line by line; of several pods at once when a workload is looked at.

use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc;

use crate::clients::kube::{Door, PROMPT, Patience, Question, encode};
use crate::fleet::{Clean, Fault, LogLine, LogRequest, LogTarget, ObjectKey, Step};

/// Pods of which logs are read at once; a workload of hundreds must not be a flood.
pub const MOST_PODS: usize = 8;
/// Lines of the past that are read of each pod when no time is given.
const TAIL: u32 = 500;
/// A log may rightly be silent for long.
const QUIET: Duration = Duration::from_hours(24);
/// A longer line is cut in two.
const LONGEST_LINE: usize = 64 << 10;
const TAB: &str = "    ";

/// Reads all pods of a request at once. A pod whose log cannot be read says so in a line of its own, unless
/// it is the only one.
pub(super) async fn read(
    door: &Door,
    request: &LogRequest,
    lines: mpsc::Sender<Vec<LogLine>>,
) -> Result<(), Fault> {
    let alone = request.pods.len() == 1;
    let readers = request.pods.iter().take(MOST_PODS).map(|target| {
        let lines = lines.clone();
        async move {
            let outcome = read_one(door, request, target, &lines).await;
            match outcome {
                Err(fault) if !alone => {
                    let pod = target.pod.name.clone();
                    let text = Clean::from(format!("-- {fault} --"));
                    let _ = lines.send(vec![LogLine { pod, text }]).await;
                    Ok(())
                }
                outcome => outcome,
            }
        }
    });
    join_all(readers).await.into_iter().collect()
}

async fn read_one(
    door: &Door,
    request: &LogRequest,
    target: &LogTarget,
    lines: &mpsc::Sender<Vec<LogLine>>,
) -> Result<(), Fault> {
    let path = path(request, target);
    let idle = if request.follow { QUIET } else { PROMPT.idle };
    let question = Question {
        accept: "text/plain, application/json, */*",
        patience: Patience { idle, ..PROMPT },
        ..Question::json(&path, Step::Logs)
    };
    let mut answer = door.ask(question).await?;
    let mut rest = Vec::new();
    while let Some(piece) = answer.piece().await? {
        rest.extend_from_slice(&piece);
        let batch = whole_lines(&mut rest, &target.pod.name);
        if !batch.is_empty() && lines.send(batch).await.is_err() {
            return Ok(());
        }
    }
    if !rest.is_empty() {
        let _ = lines.send(vec![line(&target.pod.name, &rest)]).await;
    }
    Ok(())
}

fn path(request: &LogRequest, target: &LogTarget) -> String {
    let ObjectKey { namespace, name } = &target.pod;
    let mut path = format!("/api/v1/namespaces/{}/pods/{}/log?", encode(namespace), encode(name));
    if let Some(container) = &target.container {
        path.push_str(&format!("container={}&", encode(container)));
    }
    if request.previous {
        path.push_str("previous=true&");
    }
    match request.since {
        Some(since) => path.push_str(&format!("sinceSeconds={}&", since.0.max(1))),
        None => path.push_str(&format!("tailLines={TAIL}&")),
    }
    path.push_str(&format!("follow={}", request.follow));
    path
}

/// Takes the whole lines off the front.
fn whole_lines(buffer: &mut Vec<u8>, pod: &Clean) -> Vec<LogLine> {
    let mut lines = Vec::new();
    let mut begin = 0;
    while let Some(length) = buffer[begin..].iter().position(|byte| *byte == b'\n') {
        lines.push(line(pod, &buffer[begin..begin + length]));
        begin += length + 1;
    }
    if buffer.len() - begin > LONGEST_LINE {
        lines.push(line(pod, &buffer[begin..]));
        begin = buffer.len();
    }
    buffer.drain(..begin);
    lines
}

fn line(pod: &Clean, bytes: &[u8]) -> LogLine {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches('\r').replace('\t', TAB);
    LogLine { pod: pod.clone(), text: Clean::from(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Age;

    #[test]
    fn lines_come_out_whole_and_clean() {
        let pod: Clean = "p".into();
        let mut buffer = b"one\r\ntwo\x1b[2J\n\tthr".to_vec();
        let lines = whole_lines(&mut buffer, &pod);
        let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["one", "two\\x1b[2J"]);
        assert_eq!(buffer, b"\tthr");
        buffer.extend_from_slice(b"ee\n");
        assert_eq!(whole_lines(&mut buffer, &pod)[0].text, "    three");
        buffer.extend(vec![b'x'; LONGEST_LINE + 1]);
        assert_eq!(whole_lines(&mut buffer, &pod).len(), 1);
        assert!(buffer.is_empty());
    }

    #[test]
    fn the_question_says_what_was_asked_for() {
        let target = LogTarget { pod: ObjectKey::new("ml", "a b"), container: Some("c".into()) };
        let mut request = LogRequest { pods: vec![], follow: true, previous: false, since: None };
        assert_eq!(
            path(&request, &target),
            "/api/v1/namespaces/ml/pods/a%20b/log?container=c&tailLines=500&follow=true"
        );
        request = LogRequest { previous: true, follow: false, since: Some(Age(60)), ..request };
        assert_eq!(
            path(&request, &target),
            "/api/v1/namespaces/ml/pods/a%20b/log?container=c&previous=true&sinceSeconds=60&follow=false"
        );
    }
}
