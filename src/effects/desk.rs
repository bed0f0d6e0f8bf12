//! Small effects on the operator's own machine: the clipboard, and what the console remembers.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use base64::Engine;

use crate::app::Prefs;

/// Terminals cut or refuse longer texts.
const LONGEST_COPY: usize = 64 << 10;

/// The bytes that put a text on the clipboard of whatever terminal is at the end of the line (OSC 52).
pub fn clipboard_sequence(text: &str) -> Vec<u8> {
    let end = (0..=LONGEST_COPY.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let encoded = base64::engine::general_purpose::STANDARD.encode(&text[..end]);
    format!("\x1b]52;c;{encoded}\x07").into_bytes()
}

/// Remembers the habits of a session.
pub fn remember(path: &Path, prefs: &Prefs) -> io::Result<()> {
    replace_private(path, &serde_json::to_string_pretty(prefs)?)
}

/// Puts a new file in the place of the old, if there is one; there is never half of it.
pub fn replace_private(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        private_folder(folder)?;
    }
    let new = path.with_extension("new");
    let mut file = private_file(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// What was remembered; nothing when there is nothing, or it cannot be read.
pub fn recall(path: &Path) -> Prefs {
    let text = fs::read_to_string(path).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        private_folder(folder)?;
    }
    private_file(path)?.write_all(text.as_bytes())
}

fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if folder.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_recalled_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/state.json");
        let prefs = Prefs { panel: Some("jobs".into()), ..Prefs::default() };
        remember(&path, &prefs).unwrap();
        assert_eq!(recall(&path), prefs);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "half a fi").unwrap();
        assert_eq!(recall(&path), Prefs::default());
        assert_eq!(recall(&folder.path().join("nowhere")), Prefs::default());
    }

    #[test]
    fn a_copied_text_cannot_end_its_own_sequence() {
        let bytes = clipboard_sequence("a\x07b\x1b]");
        assert_eq!(bytes.iter().position(|byte| *byte == 0x07), Some(bytes.len() - 1));
        assert_eq!(bytes, b"\x1b]52;c;YQdiG10=\x07");
    }
}
