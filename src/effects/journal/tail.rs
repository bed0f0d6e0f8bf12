//! Reading on from where one was: line by line, so that the length of the file costs time and no memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use super::file::Identity;
use super::line::{self, Damage, LONGEST_LINE, Link};
use crate::gate::Record;

/// How far a file was read, and the end of the chain there.
#[derive(Debug, Default)]
pub struct Tail {
    of: Option<Identity>,
    /// Where the next line begins.
    pub offset: u64,
    lines: u64,
    pub link: Link,
    /// The line before could not be read, so nobody knows what the next one stands behind.
    blind: bool,
    /// The first line that is not what it should be; nothing is written behind one.
    pub damaged: Option<(u64, Damage)>,
}

/// A whole line.
#[derive(Debug)]
pub struct Line<'a> {
    pub text: &'a str,
    pub record: Record,
}

/// What reading to the end of the file met.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// Lines that are not what they should be, by number.
    pub damaged: Vec<(u64, Damage)>,
    /// Bytes at the end that are no whole line: whoever wrote them was ended meanwhile.
    pub torn: Option<u64>,
    /// The file is not the one that was read before, so everything was read again.
    pub anew: bool,
}

impl Tail {
    /// Reads what was added. What is torn stays to be read again, for it may be a line that is being written.
    pub fn advance(&mut self, file: &File, each: &mut dyn FnMut(Line<'_>)) -> io::Result<Met> {
        let mut met = Met { anew: !self.fits(file)?, ..Met::default() };
        if met.anew {
            *self = Self { of: Some(Identity::of(file)?), ..Self::default() };
        }
        let mut reader = BufReader::with_capacity(64 << 10, file);
        reader.seek(SeekFrom::Start(self.offset))?;
        let (mut bytes, mut unfit) = (Vec::new(), 0);
        loop {
            let length = next_line(&mut reader, &mut bytes)?;
            if length == 0 {
                break;
            }
            let whole = bytes.strip_suffix(b"\n");
            let read = whole.ok_or(Damage::Sum).and_then(|it| Ok((it, line::read(it)?)));
            if let Ok((text, (record, link, prev))) = read {
                self.pass_unfit(&mut unfit, &mut met);
                self.take(length, (link, &prev), &mut met);
                each(Line { text: std::str::from_utf8(text).unwrap_or_default(), record });
                continue;
            }
            self.pass_unfit(&mut unfit, &mut met);
            match read {
                // Only what stands at the very end can be half a line.
                Err(Damage::Sum) => unfit = length,
                Err(damage) => self.skip(length, damage, &mut met),
                Ok(_) => {}
            }
        }
        met.torn = (unfit > 0).then_some(unfit);
        Ok(met)
    }

    /// A line of our own was written.
    pub fn wrote(&mut self, length: u64, link: Link) {
        self.offset += length;
        self.lines += 1;
        self.link = link;
    }

    /// Whether it is the file that was read before, with the same line at the end.
    fn fits(&self, file: &File) -> io::Result<bool> {
        if self.of != Some(Identity::of(file)?) {
            return Ok(false);
        }
        if self.offset == 0 || self.damaged.is_some() {
            return Ok(file.metadata()?.len() >= self.offset);
        }
        let ending = line::ending(&self.link);
        let mut found = vec![0; ending.len()];
        let at = self.offset.saturating_sub(ending.len() as u64);
        match file.read_exact_at(&mut found, at) {
            Ok(()) => Ok(found == ending.as_bytes()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn take(&mut self, length: u64, (link, prev): (Link, &str), met: &mut Met) {
        self.lines += 1;
        self.offset += length;
        let known = !std::mem::take(&mut self.blind);
        if known && (prev != self.link.sum || link.seq != self.link.seq + 1) {
            self.note(Damage::Chain, met);
        }
        self.link = link;
    }

    fn skip(&mut self, length: u64, damage: Damage, met: &mut Met) {
        self.lines += 1;
        self.offset += length;
        self.blind = true;
        self.note(damage, met);
    }

    /// What did not fit was not the end after all.
    fn pass_unfit(&mut self, unfit: &mut u64, met: &mut Met) {
        if *unfit > 0 {
            self.skip(std::mem::take(unfit), Damage::Sum, met);
        }
    }

    fn note(&mut self, damage: Damage, met: &mut Met) {
        met.damaged.push((self.lines, damage));
        self.damaged.get_or_insert((self.lines, damage));
    }
}

/// The next line with its end, and its length; of one that is too long only the beginning is kept.
fn next_line(reader: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<u64> {
    bytes.clear();
    let mut length = reader.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', bytes)? as u64;
    while length >= LONGEST_LINE as u64 && bytes.last() != Some(&b'\n') {
        bytes.clear();
        bytes.push(0);
        let more = reader.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', bytes)?;
        length += more as u64;
        if more == 0 {
            break;
        }
    }
    Ok(length)
}
