//! One record as one line of JSON, and the chain that the lines make.
//!
//! `{"seq":7,"at":"2026-03-08T14:02:11Z","change":"01J…","entry":{…},"prev":"…","sum":"…"}`: `sum` is the SHA-256 of
//! everything in the line before it, and `prev` is the `sum` of the line before; so a line that is changed, lost or put
//! elsewhere is seen. That guards against accidents: whoever can write the file can write a whole new chain.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::fleet::{ChangeId, Clean, Unix};
use crate::gate::Record;
use crate::gate::record::Entry;

/// No plan comes near; a line beyond it is not read into memory.
pub const LONGEST_LINE: usize = 1 << 20;

const BEFORE_SUM: &str = ",\"sum\":\"";
const AFTER_SUM: &str = "\"}";
const SUM_DIGITS: usize = 64;
/// Everything behind what is summed.
pub const END: usize = BEFORE_SUM.len() + SUM_DIGITS + AFTER_SUM.len();

/// The place of a line in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub seq: u64,
    /// In hexadecimal digits.
    pub sum: String,
}

/// Why a line is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Half of it is there, or some of it was changed.
    Sum,
    /// Whole, and not understood.
    Foreign,
    /// Whole, and not behind the line that it was written behind.
    Chain,
}

#[derive(Serialize)]
struct Written<'a> {
    seq: u64,
    at: String,
    change: &'a ChangeId,
    entry: &'a Entry,
    prev: &'a str,
}

#[derive(Deserialize)]
struct Read {
    seq: u64,
    at: String,
    change: ChangeId,
    entry: Entry,
    prev: String,
}

impl Default for Link {
    /// Before the first line.
    fn default() -> Self {
        Self { seq: 0, sum: "0".repeat(SUM_DIGITS) }
    }
}

impl Damage {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Sum => "its checksum does not fit",
            Self::Foreign => "it is not understood: another version of skydeck may have written it",
            Self::Chain => "a line before it is missing or was put elsewhere",
        }
    }
}

/// The line of a record behind another, without its end, and its place. What could not be read back is not written.
pub fn write(record: &Record, behind: &Link) -> Result<(String, Link), Clean> {
    let seq = behind.seq + 1;
    let written = Written {
        seq,
        at: record.at.rfc3339(),
        change: &record.change,
        entry: &record.entry,
        prev: &behind.sum,
    };
    let unwritable = |why: String| Clean::from(format!("the record cannot be written down: {why}"));
    let mut line = serde_json::to_string(&written).map_err(|error| unwritable(error.to_string()))?;
    line.truncate(line.len() - 1);
    let sum = sum(line.as_bytes());
    line.push_str(BEFORE_SUM);
    line.push_str(&sum);
    line.push_str(AFTER_SUM);
    if line.len() >= LONGEST_LINE {
        return Err(unwritable(format!("it is longer than {LONGEST_LINE} bytes")));
    }
    match read(line.as_bytes()) {
        Ok((_, link, _)) => Ok((line, link)),
        Err(damage) => Err(unwritable(damage.words().into())),
    }
}

/// A whole line: its record, its place, and the sum of the line that it was written behind.
pub fn read(line: &[u8]) -> Result<(Record, Link, String), Damage> {
    let (body, end) = line.split_at_checked(line.len().saturating_sub(END)).ok_or(Damage::Sum)?;
    let sum = sum(body);
    let told = end.strip_prefix(BEFORE_SUM.as_bytes()).and_then(|it| it.strip_suffix(AFTER_SUM.as_bytes()));
    if told != Some(sum.as_bytes()) {
        return Err(Damage::Sum);
    }
    let read: Read = serde_json::from_slice(line).map_err(|_| Damage::Foreign)?;
    let at = Unix::parse(&read.at).ok_or(Damage::Foreign)?;
    let change = ChangeId::parse(read.change.as_clean()).ok_or(Damage::Foreign)?;
    let record = Record { at, change, entry: read.entry };
    Ok((record, Link { seq: read.seq, sum }, read.prev))
}

/// What a file ends in when its last line has this place.
pub fn ending(link: &Link) -> String {
    format!("{}{AFTER_SUM}\n", link.sum)
}

fn sum(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    let halves = digest.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
}
