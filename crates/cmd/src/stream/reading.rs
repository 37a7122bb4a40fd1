//! The options that XREAD and XREADGROUP share.

use crate::{Cursor, ReplyError};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use vesta_resp::Request;
use vesta_types::number;

/// A request of XREAD or XREADGROUP, taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    request: Request<'a>,
    /// The most entries of each stream.
    pub(super) count: usize,
    /// Set when it may wait: for how long in milliseconds, `None` for ever.
    pub(super) block: Option<Option<u64>>,
    /// The group and the consumer.
    pub(super) group: Option<(&'a [u8], &'a [u8])>,
    /// Whether deliveries need no XACK.
    pub(super) is_unacked: bool,
    keys_at: usize,
    streams: usize,
}

impl<'a> Reading<'a> {
    /// Reads the options.
    ///
    /// # Errors
    /// For the first argument that is none, or that only XREADGROUP has.
    pub(super) fn parse(request: Request<'a>, is_group: bool) -> Result<Self, ReplyError> {
        let mut reading = Self {
            request,
            count: usize::MAX,
            block: None,
            group: None,
            is_unacked: false,
            keys_at: 0,
            streams: 0,
        };
        let mut cursor = Cursor::new(request, 1);
        while reading.streams == 0 {
            let has_more = cursor.left() > 1;
            if has_more && cursor.take("block") {
                reading.block = Some(parse_timeout(cursor.need()?)?);
            } else if has_more && cursor.take("count") {
                // Nothing and less mean no limit.
                let count = usize::try_from(cursor.need_i64()?).unwrap_or(0);
                reading.count = if count == 0 { usize::MAX } else { count };
            } else if has_more && cursor.take("streams") {
                if !cursor.left().is_multiple_of(2) {
                    return Err(unbalanced(is_group));
                }
                reading.keys_at = cursor.position();
                reading.streams = cursor.left() / 2;
            } else if cursor.left() > 2 && cursor.take("group") {
                refuse_unless(is_group, "GROUP")?;
                reading.group = Some((cursor.need()?, cursor.need()?));
            } else if cursor.take("noack") {
                refuse_unless(is_group, "NOACK")?;
                reading.is_unacked = true;
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        if is_group && reading.group.is_none() {
            return Err(ReplyError::text("Missing GROUP option for XREADGROUP"));
        }
        Ok(reading)
    }

    /// The streams: each key and the text of the id to read from.
    pub(super) fn streams(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let keys = self.request.args_from(self.keys_at).take(self.streams);
        keys.zip(self.request.args_from(self.ids_at()))
    }

    /// The keys, to wait for.
    pub(super) fn keys(&self) -> Vec<Box<[u8]>> {
        self.streams().map(|(key, _)| Box::from(key)).collect()
    }

    /// Where the ids begin.
    pub(super) fn ids_at(&self) -> usize {
        self.keys_at + self.streams
    }
}

fn refuse_unless(is_group: bool, option: &str) -> Result<(), ReplyError> {
    if is_group {
        return Ok(());
    }
    let text =
        format!("The {option} option is only supported by XREADGROUP. You called XREAD instead.");
    Err(ReplyError::Generic(text.into()))
}

/// The text is that of 7.2.
fn unbalanced(is_group: bool) -> ReplyError {
    ReplyError::text(if is_group {
        "Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be \
         specified."
    } else {
        "Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified."
    })
}

/// A timeout in milliseconds; 0 means for ever.
fn parse_timeout(text: &[u8]) -> Result<Option<u64>, ReplyError> {
    let ms = number::parse_i64(text)
        .ok_or(ReplyError::text("timeout is not an integer or out of range"))?;
    let ms = u64::try_from(ms).map_err(|_| ReplyError::text("timeout is negative"))?;
    Ok((ms > 0).then_some(ms))
}
