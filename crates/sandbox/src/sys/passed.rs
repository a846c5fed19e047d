//! A descriptor that came over an exec by its number.
//! Only for the hidden call, whose caller is this program itself.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, RawFd};

/// The descriptor as an owned file. Call it once for a number.
pub(crate) fn passed(number: RawFd) -> io::Result<File> {
    if number <= 2 {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: the caller of the hidden call made this descriptor for us, and nothing else of this process knows its
    // number; one that is not open gives an error at its first use.
    Ok(unsafe { File::from_raw_fd(number) })
}
