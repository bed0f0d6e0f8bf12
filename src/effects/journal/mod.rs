//! The journal: what was changed from this machine, written down and synced before it is sent.
//!
//! One file for every console and command line of an operator on one machine, append-only, one line a record, chained
//! ([`line`]). It is never rotated: three thousand operations on three clusters are 20 MB, read line by line in a moment; and
//! a chain that several processes write would have to be broken for it. It refuses to write behind what it cannot read, to
//! follow links, and to trust a file that others can write. It is the operator's memory, not evidence: that is the audit
//! log of the API server.
//!
//! What one version has written every later one reads: a field that comes to a record or a plan has a default.

pub mod claim;
pub mod clerk;
mod file;
mod line;
mod tail;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

pub use claim::{Claim, Unclaimed};
pub use clerk::{Clerk, News};
pub use tail::Line;

use rustix::fs::OFlags;

use crate::fleet::{ChangeId, Clean};
use crate::gate::Record;
use file::Locked;
use line::Damage;
use tail::{Met, Tail};

/// Said where there is neither a home nor a state folder.
pub const NO_PLACE: &str = "there is no folder to keep the journal in: set HOME or XDG_STATE_HOME";

#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    tail: Tail,
    /// What was repaired, to be told once.
    repaired: Vec<Clean>,
}

/// Everything in the journal that can be read, and what cannot.
#[derive(Debug, Default)]
pub struct Reading {
    pub records: Vec<Record>,
    pub notes: Vec<Clean>,
}

impl Journal {
    /// Nothing is touched before something is written or read.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), tail: Tail::default(), repaired: Vec::new() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a record behind all others and syncs it. When this fails, what it tells of must not be done.
    pub fn append(&mut self, record: &Record) -> Result<(), Clean> {
        self.append_with(record, write_and_sync)
    }

    /// The same; `put` brings the bytes onto the disk.
    fn append_with(
        &mut self,
        record: &Record,
        put: impl FnOnce(&mut File, &[u8]) -> io::Result<()>,
    ) -> Result<(), Clean> {
        let mut locked = file::to_append(&self.path)?;
        let file = &mut locked.0;
        let told = |error: io::Error| file::told(&self.path, &error);
        let met = self.tail.advance(file, &mut |_| {}).map_err(told)?;
        if let Some((number, damage)) = self.tail.damaged {
            let what = format!("is damaged in line {number} ({})", damage.words());
            let hint =
                "nothing is written behind it; look at what is open in it, then move it away to begin anew";
            return Err(file::refused(&self.path, &what, hint));
        }
        if let Some(length) = met.torn {
            let words = cut(&self.path, file, (self.tail.offset, length))?;
            self.repaired.push(words);
        }
        let (line, link) = line::write(record, &self.tail.link)?;
        let bytes = [line.as_bytes(), b"\n"].concat();
        if let Err(error) = put(file, &bytes) {
            // What is left of it would be cut later anyway; whether this works changes nothing.
            let _ = file.set_len(self.tail.offset);
            return Err(file::told(&self.path, &error));
        }
        if self.tail.offset == 0 {
            let folder = self.path.parent().filter(|it| !it.as_os_str().is_empty());
            folder.map_or(Ok(()), file::sync_folder).map_err(|error| file::told(&self.path, &error))?;
        }
        self.tail.wrote(bytes.len() as u64, link);
        Ok(())
    }

    /// Everything, from the first line on.
    pub fn read(&self) -> Result<Reading, Clean> {
        let mut records = Vec::new();
        let notes = self.each(&mut |line| records.push(line.record))?;
        Ok(Reading { records, notes })
    }

    /// What was written down of one operation.
    pub fn of(&self, id: &ChangeId) -> Result<Vec<Record>, Clean> {
        let mut records = Vec::new();
        self.each(&mut |line| {
            if line.record.change == *id {
                records.push(line.record);
            }
        })?;
        Ok(records)
    }

    /// Hands every line over; gives what is to be told about the rest.
    pub fn each(&self, take: &mut dyn FnMut(Line<'_>)) -> Result<Vec<Clean>, Clean> {
        let Some(Locked(ref file)) = file::to_read(&self.path)? else { return Ok(Vec::new()) };
        let met = Tail::default().advance(file, take).map_err(|error| file::told(&self.path, &error))?;
        Ok(notes(&self.path, &met))
    }

    /// Marks an operation as driven by this process, for as long as the claim lives or the process does.
    pub fn claim(&self, id: &ChangeId) -> Result<Claim, Unclaimed> {
        claim::claim(&self.folder(), id)
    }

    /// Whether a process drives it, this one included.
    pub fn is_claimed(&self, id: &ChangeId) -> bool {
        claim::is_claimed(&self.folder(), id)
    }

    fn folder(&self) -> PathBuf {
        self.path.with_file_name("operations")
    }
}

fn write_and_sync(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_data()
}

/// Cuts half a line off the end. Nothing was sent behind it, for it was never told to be there; its bytes are kept
/// beside the journal all the same.
fn cut(path: &Path, file: &mut File, (offset, length): (u64, u64)) -> Result<Clean, Clean> {
    let aside = path.with_extension("torn");
    let told = |error: io::Error| file::told(path, &error);
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset)).map_err(told)?;
    file.take(line::LONGEST_LINE as u64).read_to_end(&mut bytes).map_err(told)?;
    bytes.push(b'\n');
    let mut kept = file::private(&aside, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE)?;
    kept.write_all(&bytes).map_err(|error| file::told(&aside, &error))?;
    file.set_len(offset).and_then(|()| file.sync_all()).map_err(told)?;
    Ok(Clean::from(format!(
        "the last line of {} was torn ({length} bytes): cut off, and kept in {}",
        path.display(),
        aside.display()
    )))
}

/// More lines than these are counted only.
const MOST_TOLD: usize = 5;

fn notes(path: &Path, met: &Met) -> Vec<Clean> {
    let path = path.display();
    let told = |(number, damage): &(u64, Damage)| {
        Clean::from(format!("line {number} of {path} is damaged: {}", damage.words()))
    };
    let mut notes: Vec<Clean> = met.damaged.iter().take(MOST_TOLD).map(told).collect();
    if let Some(more) = met.damaged.len().checked_sub(MOST_TOLD + 1) {
        notes.push(Clean::from(format!("{} more lines of {path} are damaged", more + 1)));
    }
    if let Some(length) = met.torn {
        notes.push(Clean::from(format!(
            "the last line of {path} is torn ({length} bytes are no whole record)"
        )));
    }
    notes
}

#[cfg(test)]
mod crash;
#[cfg(test)]
mod tests;
