//! The protocol as a client sees it: requests out, replies in. Written apart from the server's.

/// A reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Value<'a> {
    Simple(&'a [u8]),
    Error(&'a [u8]),
    Int(i64),
    Bulk(&'a [u8]),
    Null,
    /// An array, a set, or a map as keys and values in turn.
    Array(Vec<Value<'a>>),
}

/// Reads the reply at the start of `bytes` and says how long it is: `Ok(None)` while its end is
/// missing, `Err` when it is no reply.
pub(crate) fn value(bytes: &[u8]) -> Result<Option<(Value<'_>, usize)>, String> {
    let Some(kind) = bytes.first() else { return Ok(None) };
    let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
    let line = bytes.get(1..end).unwrap_or_default();
    let after = end + 2;
    let number = || {
        let text = std::str::from_utf8(line).ok();
        text.and_then(|text| text.parse::<i64>().ok())
            .ok_or_else(|| format!("no number in {}", line.escape_ascii()))
    };
    let simple = match kind {
        b'+' | b',' => Value::Simple(line),
        b'-' => Value::Error(line),
        b':' => Value::Int(number()?),
        b'_' => Value::Null,
        b'$' | b'=' => {
            let Ok(len) = usize::try_from(number()?) else {
                return Ok(Some((Value::Null, after)));
            };
            let Some(text) = bytes.get(after..after + len) else { return Ok(None) };
            return match bytes.get(after + len..after + len + 2) {
                None => Ok(None),
                Some(b"\r\n") => Ok(Some((Value::Bulk(text), after + len + 2))),
                Some(_) => Err("a bulk string without its line end".to_owned()),
            };
        }
        b'*' | b'~' | b'%' => {
            let Ok(count) = usize::try_from(number()?) else {
                return Ok(Some((Value::Null, after)));
            };
            return items(bytes, after, if *kind == b'%' { 2 * count } else { count });
        }
        other => return Err(format!("no reply begins with {:?}", char::from(*other))),
    };
    Ok(Some((simple, after)))
}

fn items(bytes: &[u8], mut at: usize, count: usize) -> Result<Option<(Value<'_>, usize)>, String> {
    let mut all = Vec::new();
    for _ in 0..count {
        let Some((item, len)) = value(bytes.get(at..).unwrap_or_default())? else {
            return Ok(None);
        };
        all.push(item);
        at += len;
    }
    Ok(Some((Value::Array(all), at)))
}

/// Encodes a request.
pub(crate) fn encode(words: &[Vec<u8>]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Longest argument by default (`proto-max-bulk-len`).
pub(crate) const BULK_BYTES_MAX: usize = 512 * 1024 * 1024;

/// What stands at the start of a server's input.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Frame {
    /// The end is missing.
    Incomplete,
    /// Bytes that are no request but may stand between requests.
    Nothing {
        len: usize,
    },
    Request {
        words: Vec<Vec<u8>>,
        len: usize,
    },
    /// A breach of the protocol, with what the client is told.
    Broken(String),
}

/// Reads the request at the start of `input`.
pub(crate) fn frame(input: &[u8]) -> Frame {
    match input.first() {
        None => Frame::Incomplete,
        Some(b'*') => framed(input),
        Some(_) => inline(input),
    }
}

fn framed(input: &[u8]) -> Frame {
    let Some((line, mut at)) = line(input, 1) else { return Frame::Incomplete };
    let Some(count) = number(line) else {
        return Frame::Broken("invalid multibulk length".to_owned());
    };
    if count <= 0 {
        return Frame::Nothing { len: at };
    }
    let mut words = Vec::new();
    for _ in 0..count {
        let Some((line, data)) = self::line(input, at + 1) else { return Frame::Incomplete };
        match input.get(at) {
            Some(b'$') => {}
            Some(other) => {
                return Frame::Broken(format!("expected '$', got '{}'", char::from(*other)));
            }
            None => return Frame::Incomplete,
        }
        let len = number(line).and_then(|len| usize::try_from(len).ok());
        let Some(len) = len.filter(|len| *len <= BULK_BYTES_MAX) else {
            return Frame::Broken("invalid bulk length".to_owned());
        };
        let Some(word) = input.get(data..data + len) else { return Frame::Incomplete };
        if input.len() < data + len + 2 {
            return Frame::Incomplete;
        }
        words.push(word.to_vec());
        at = data + len + 2;
    }
    Frame::Request { words, len: at }
}

fn inline(input: &[u8]) -> Frame {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return Frame::Incomplete };
    let line = input.get(..end).unwrap_or_default();
    if line.iter().any(|byte| matches!(byte, b'"' | b'\'')) {
        // The only quotes that clients send here are those that never close.
        return Frame::Broken("unbalanced quotes in request".to_owned());
    }
    let words: Vec<Vec<u8>> =
        line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).map(<[u8]>::to_vec).collect();
    if words.is_empty() {
        return Frame::Nothing { len: end + 1 };
    }
    Frame::Request { words, len: end + 1 }
}

/// The line that begins at `at`, and where the next one does.
fn line(input: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = input.get(at..)?;
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    Some((rest.get(..end)?, at + end + 2))
}

fn number(line: &[u8]) -> Option<i64> {
    std::str::from_utf8(line).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_of_both_versions_are_read() {
        let read = |text: &'static [u8]| value(text).unwrap();
        assert_eq!(read(b"+OK\r\n:1\r\n"), Some((Value::Simple(b"OK"), 5)));
        assert_eq!(read(b"$-1\r\n"), Some((Value::Null, 5)));
        assert_eq!(read(b"_\r\n"), Some((Value::Null, 3)));
        let pair = Value::Array(vec![Value::Bulk(b"a"), Value::Int(2)]);
        assert_eq!(read(b"%1\r\n$1\r\na\r\n:2\r\n"), Some((pair, 15)));
        for part in [&b"$5\r\nhel"[..], b"*2\r\n:1\r\n", b"+OK\r", b""] {
            assert_eq!(value(part).unwrap(), None);
        }
        assert!(value(b"x\r\n").is_err());
    }

    #[test]
    fn requests_are_framed_and_breaches_are_named() {
        let words = vec![b"GET".to_vec(), b"k".to_vec()];
        let bytes = encode(&words);
        assert_eq!(frame(&bytes), Frame::Request { words: words.clone(), len: bytes.len() });
        for cut in 0..bytes.len() {
            assert_eq!(frame(&bytes[..cut]), Frame::Incomplete);
        }
        assert_eq!(frame(b" GET  k\r\n+"), Frame::Request { words, len: 9 });
        assert_eq!(frame(b"*0\r\n"), Frame::Nothing { len: 4 });
        assert!(matches!(frame(b"*x\r\n"), Frame::Broken(_)));
        assert!(matches!(frame(b"*1\r\n$-5\r\n"), Frame::Broken(_)));
    }
}
