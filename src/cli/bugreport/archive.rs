//! A `.tar.gz` of a few texts, in the oldest form that every `tar` reads (POSIX ustar, IEEE 1003.1, pax "Interchange
//! Format"). It writes plain files with short names, and nothing else that an archive can hold.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

const BLOCK: usize = 512;

/// Writes the files, all of them private and of one moment.
pub fn write(to: impl Write, files: &[(String, Vec<u8>)], unix_secs: u64) -> io::Result<()> {
    let mut gz = GzEncoder::new(to, Compression::default());
    for (name, bytes) in files {
        gz.write_all(&header(name, bytes.len() as u64, unix_secs)?)?;
        gz.write_all(bytes)?;
        let beyond = bytes.len() % BLOCK;
        if beyond > 0 {
            gz.write_all(&vec![0; BLOCK - beyond])?;
        }
    }
    gz.write_all(&[0; 2 * BLOCK])?;
    gz.finish()?.flush()
}

fn header(name: &str, length: u64, unix_secs: u64) -> io::Result<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    if name.len() >= 100 || length >= 1 << 33 {
        return Err(io::Error::other("its name or its length does not fit into the archive"));
    }
    put(&mut block, 0, name.as_bytes());
    put(&mut block, 100, b"0000600\0");
    put(&mut block, 108, b"0000000\0");
    put(&mut block, 116, b"0000000\0");
    put(&mut block, 124, format!("{length:011o}\0").as_bytes());
    put(&mut block, 136, format!("{unix_secs:011o}\0").as_bytes());
    // The sum is taken with spaces in its own place.
    put(&mut block, 148, b"        ");
    put(&mut block, 156, b"0");
    put(&mut block, 257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    block[at..at + bytes.len()].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn every_tar_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let files =
            [0, 1, 511, 512, 513, 70_000].map(|length| (format!("x/{length}.txt"), vec![b'a'; length]));
        let path = folder.path().join("a.tar.gz");
        write(std::fs::File::create(&path).unwrap(), &files, 1_772_978_531).unwrap();
        let output = Command::new("tar").arg("-xzf").arg(&path).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        for (name, bytes) in files {
            assert_eq!(std::fs::read(folder.path().join(name)).unwrap(), bytes);
        }
        assert!(write(Vec::new(), &[("x".repeat(100), Vec::new())], 0).is_err());
    }
}
