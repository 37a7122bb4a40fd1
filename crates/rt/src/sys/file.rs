//! Having parts of a file written to the disk.

use std::fs::File;
use std::io;
use std::ops::Range;

/// Has a part of a file written back: begins with it, or waits until that is done. It says nothing
/// about what tells where the part lies on the disk: for that a file is synced in the end.
///
/// Where the system cannot do that the whole file is synced when it is to be waited for.
#[cfg(target_os = "linux")]
pub(crate) fn write_back(file: &File, part: Range<u64>, waits: bool) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    let past = |_| io::Error::from(io::ErrorKind::FileTooLarge);
    let offset = libc::off64_t::try_from(part.start).map_err(past)?;
    let len = libc::off64_t::try_from(part.end - part.start).map_err(past)?;
    let around = libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    let flags = libc::SYNC_FILE_RANGE_WRITE | if waits { around } else { 0 };
    // SAFETY: the descriptor is open as long as `file` lives; the call touches no memory of ours.
    match unsafe { libc::sync_file_range(file.as_raw_fd(), offset, len, flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn write_back(file: &File, _part: Range<u64>, waits: bool) -> io::Result<()> {
    if waits { file.sync_data() } else { Ok(()) }
}
