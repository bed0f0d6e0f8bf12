//! Effects that ask a server: each runs in a task of its own and is answered.

use std::path::PathBuf;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::AbortHandle;

use super::log;
use crate::app::{Answer, Looked};
use crate::effects::journal::{Journal, NO_PLACE};
use crate::effects::{desk, hand};
use crate::fleet::{ChangeId, Clean, ClusterId, Fault, FaultKind, LogRequest, Now, ObjectId, Step};
use crate::gate::{Operation, Place, Seen, report};
use crate::sources::kube::Details;

pub struct Asker {
    details: Details,
    answers: Sender<Answer>,
    logs: Option<AbortHandle>,
}

impl Asker {
    pub fn new(details: Details) -> (Self, Receiver<Answer>) {
        let (answers, receiver) = channel(64);
        (Self { details, answers, logs: None }, receiver)
    }

    pub fn fetch(&self, cluster: ClusterId, id: ObjectId) {
        let (details, answers) = (self.details.clone(), self.answers.clone());
        tokio::spawn(async move {
            let asked = {
                let (details, id) = (details, id.clone());
                tokio::spawn(async move { details.object(cluster, &id).await })
            };
            // A panic in the task is an answer too: nobody waits for ever.
            let outcome = asked.await.unwrap_or_else(|_| Err(panicked(Step::Get)));
            let _ = answers.send(Answer::Object { cluster, id, outcome: outcome.map(Box::new) }).await;
        });
    }

    /// Objects for a plan, with a name for what may come of them.
    pub fn look(
        &self,
        ticket: u64,
        seen: impl Future<Output = Vec<Result<Seen, (Place, Fault)>>> + Send + 'static,
        now: Now,
    ) {
        let answers = self.answers.clone();
        let id = hand::change_id(u64::try_from(now.unix.0).unwrap_or(0) * 1000 + now.mono.0 % 1000);
        tokio::spawn(async move {
            let outcome = seen.await;
            let _ = answers.send(Answer::Looked(Looked { ticket, id, outcome })).await;
        });
    }

    /// A page about an operation, beside the journal.
    pub fn export(&self, journal: Option<PathBuf>, operation: Operation) {
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let written = tokio::task::spawn_blocking(move || page(journal, &operation)).await;
            let outcome = written.unwrap_or_else(|_| Err("writing it failed (a bug)".into()));
            let _ = answers.send(Answer::Exported(outcome)).await;
        });
    }

    /// What the journal has of an operation.
    pub fn read_timeline(&self, journal: Option<PathBuf>, id: ChangeId) {
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let place = journal.ok_or_else(|| Clean::from(NO_PLACE));
            let wanted = id.clone();
            let read = tokio::task::spawn_blocking(move || Journal::at(place?).of(&wanted)).await;
            let outcome = read.unwrap_or_else(|_| Err("reading it failed (a bug)".into()));
            let _ = answers.send(Answer::Timeline { id, outcome }).await;
        });
    }

    /// Reads logs; the stream before ends.
    pub fn read_logs(&mut self, stream: u64, cluster: ClusterId, request: LogRequest) {
        self.stop_logs();
        let (details, answers) = (self.details.clone(), self.answers.clone());
        let task = tokio::spawn(async move {
            let (sender, mut lines) = channel(16);
            let reading = details.logs(cluster, request, sender);
            tokio::pin!(reading);
            let outcome = loop {
                tokio::select! {
                    Some(lines) = lines.recv() => {
                        let _ = answers.send(Answer::Lines { stream, lines }).await;
                    }
                    outcome = &mut reading => break outcome,
                }
            };
            while let Ok(lines) = lines.try_recv() {
                let _ = answers.send(Answer::Lines { stream, lines }).await;
            }
            let _ = answers.send(Answer::LogsEnded { stream, outcome }).await;
        });
        self.logs = Some(task.abort_handle());
    }

    pub fn read_program_log(&self, path: Option<PathBuf>) {
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let nowhere = || Err(Clean::from("this session writes no log"));
            let read =
                tokio::task::spawn_blocking(move || path.map_or_else(nowhere, |path| log::tail(&path)));
            let read = read.await.unwrap_or_else(|_| Err("it cannot be read".into()));
            let _ = answers.send(Answer::ProgramLog(read)).await;
        });
    }

    pub fn stop_logs(&mut self) {
        if let Some(task) = self.logs.take() {
            task.abort();
        }
    }
}

fn page(journal: Option<PathBuf>, operation: &Operation) -> Result<Clean, Clean> {
    let journal = journal.ok_or_else(|| Clean::from(NO_PLACE))?;
    let records = Journal::at(journal.clone()).of(operation.id())?;
    let path = journal.with_file_name("exports").join(format!("{}.md", operation.id()));
    desk::write_private(&path, &report::markdown(operation, &records))
        .map_err(|error| Clean::from(format!("{}: {error}", path.display())))?;
    Ok(Clean::from(path.display().to_string()))
}

fn panicked(step: Step) -> Fault {
    Fault::new(step, FaultKind::Panic, "")
}
