//! A file that its owner alone may read, from the moment it is there.

use std::fs::{File, OpenOptions, remove_file, rename};
use std::io::{self, ErrorKind, Write as _};

/// Writes `text` to a new file; with `replace` to one that may be there, which is whole at every moment.
///
/// # Errors
/// If the file is there, or cannot be written.
pub fn write(file: &str, text: &str, replace: bool) -> Result<(), String> {
    let fault = |error: io::Error| match error.kind() {
        ErrorKind::AlreadyExists => {
            format!("{file} is there already: name another with --out, or replace it with --force")
        }
        _ => format!("{file}: {error}"),
    };
    if !replace {
        return create(file, text).map_err(fault);
    }
    // The mode of a file that is there would stay, so another takes its place.
    let mut number = [0; 8];
    getrandom::fill(&mut number).map_err(|error| format!("no randomness: {error}"))?;
    let new = format!("{file}.{:016x}", u64::from_ne_bytes(number));
    let written = create(&new, text).and_then(|()| rename(&new, file));
    written.map_err(|error| {
        // It may not have come so far that there is one.
        let _ = remove_file(&new);
        fault(error)
    })
}

fn create(file: &str, text: &str) -> io::Result<()> {
    let mut file = create_private(file)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn create_private(file: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}
