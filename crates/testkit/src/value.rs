//! A reply as a value, the decoder that makes one from bytes, and its notation in transcripts.
//!
//! The three ways to say "nothing" (`$-1`, `*-1`, `_`) stay apart, and doubles keep their text,
//! because a compatible server must send the same bytes.

use core::fmt;

use crate::quote::Quoted;

/// Any RESP2 or RESP3 reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// `+text`
    Simple(Vec<u8>),
    /// `-text`, and RESP3's `!` form
    Error(Vec<u8>),
    /// `:n`
    Int(i64),
    /// `$n`
    Bulk(Vec<u8>),
    /// `$-1`
    NilBulk,
    /// `*-1`
    NilArray,
    /// `_`
    Null,
    /// `*n`
    Array(Vec<Value>),
    /// `%n`
    Map(Vec<(Value, Value)>),
    /// `~n`
    Set(Vec<Value>),
    /// `,text`
    Double(String),
    /// `#t`, `#f`
    Bool(bool),
    /// `(digits`
    BigNumber(String),
    /// `=n`
    Verbatim {
        /// Three letters: `txt` or `mkd`.
        format: String,
        /// What follows the colon.
        text: Vec<u8>,
    },
    /// `>n`
    Push(Vec<Value>),
    /// `|n` and the reply that it belongs to
    Attributed {
        /// The attribute's pairs.
        attribute: Vec<(Value, Value)>,
        /// The reply itself.
        value: Box<Value>,
    },
}

/// Bytes that are no reply: what was wrong, for the person who reads the test's output.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadReply(pub String);

impl fmt::Display for BadReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a RESP reply: {}", self.0)
    }
}

/// Replies nested deeper than this are refused: no real reply is, and the decoder recurses.
const DEPTH_MAX: usize = 64;

impl Value {
    /// Decodes the first reply in `bytes`: it and the bytes it took, `None` if more are needed.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, BadReply> {
        let mut cursor = Cursor { bytes, at: 0 };
        Ok(cursor.value(0)?.map(|value| (value, cursor.at)))
    }

    /// The items of an array, set or push.
    #[must_use]
    pub fn items(&self) -> Option<&[Self]> {
        if let Self::Array(items) | Self::Set(items) | Self::Push(items) = self {
            Some(items)
        } else {
            None
        }
    }

    /// The text of a bulk, simple or verbatim string.
    #[must_use]
    pub fn text(&self) -> Option<&[u8]> {
        if let Self::Bulk(text) | Self::Simple(text) | Self::Verbatim { text, .. } = self {
            Some(text)
        } else {
            None
        }
    }

    /// An error reply's text.
    #[must_use]
    pub fn error(&self) -> Option<&[u8]> {
        if let Self::Error(text) = self { Some(text) } else { None }
    }

    /// An integer reply.
    #[must_use]
    pub fn int(&self) -> Option<i64> {
        if let Self::Int(n) = self { Some(*n) } else { None }
    }

    /// Pairs of a map, or of the flat array that stands for one in RESP2.
    #[must_use]
    pub fn pairs(&self) -> Option<Vec<(&Self, &Self)>> {
        if let Self::Map(pairs) = self {
            return Some(pairs.iter().map(|(k, v)| (k, v)).collect());
        }
        let items = self.items()?;
        let pairs = items.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return None;
        }
        Some(pairs.filter_map(|pair| Some((pair.first()?, pair.get(1)?))).collect())
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

type Step<T> = Result<Option<T>, BadReply>;

/// `?` for a step that may need more bytes.
macro_rules! need {
    ($step:expr) => {
        match $step? {
            Some(found) => found,
            None => return Ok(None),
        }
    };
}

impl<'a> Cursor<'a> {
    fn line(&mut self) -> Step<&'a [u8]> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(end) = rest.iter().position(|&b| b == b'\n') else { return Ok(None) };
        let line = rest.get(..end).unwrap_or_default();
        let Some(line) = line.strip_suffix(b"\r") else {
            return Err(BadReply(format!("a line without CR: {}", Quoted(line))));
        };
        self.at += end + 1;
        Ok(Some(line))
    }

    fn blob(&mut self, len: usize) -> Step<&'a [u8]> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some((blob, after)) = rest.split_at_checked(len) else { return Ok(None) };
        let Some(end) = after.get(..2) else { return Ok(None) };
        if end != b"\r\n" {
            return Err(BadReply(format!("a blob of {len} bytes does not end in CRLF")));
        }
        self.at += len + 2;
        Ok(Some(blob))
    }

    fn value(&mut self, depth: usize) -> Step<Value> {
        if depth > DEPTH_MAX {
            return Err(BadReply("nested too deeply".to_owned()));
        }
        let line = need!(self.line());
        let Some((&kind, rest)) = line.split_first() else {
            return Err(BadReply("an empty line".to_owned()));
        };
        Ok(Some(match kind {
            b'+' => Value::Simple(rest.to_vec()),
            b'-' => Value::Error(rest.to_vec()),
            b':' => Value::Int(number(rest)?),
            b'_' if rest.is_empty() => Value::Null,
            b',' => Value::Double(ascii(rest)?),
            b'(' => Value::BigNumber(ascii(rest)?),
            b'#' if rest == b"t" => Value::Bool(true),
            b'#' if rest == b"f" => Value::Bool(false),
            b'$' if rest == b"-1" => Value::NilBulk,
            b'*' if rest == b"-1" => Value::NilArray,
            b'$' => Value::Bulk(need!(self.blob(length(rest)?)).to_vec()),
            b'!' => Value::Error(need!(self.blob(length(rest)?)).to_vec()),
            b'=' => verbatim(need!(self.blob(length(rest)?)))?,
            b'*' => Value::Array(need!(self.many(length(rest)?, depth))),
            b'~' => Value::Set(need!(self.many(length(rest)?, depth))),
            b'>' => Value::Push(need!(self.many(length(rest)?, depth))),
            b'%' => Value::Map(need!(self.pairs(length(rest)?, depth))),
            b'|' => {
                let attribute = need!(self.pairs(length(rest)?, depth));
                let value = Box::new(need!(self.value(depth + 1)));
                Value::Attributed { attribute, value }
            }
            _ => return Err(BadReply(format!("unknown type in {}", Quoted(line)))),
        }))
    }

    fn many(&mut self, len: usize, depth: usize) -> Step<Vec<Value>> {
        let mut items = Vec::new();
        for _ in 0..len {
            items.push(need!(self.value(depth + 1)));
        }
        Ok(Some(items))
    }

    fn pairs(&mut self, len: usize, depth: usize) -> Step<Vec<(Value, Value)>> {
        let mut pairs = Vec::new();
        for _ in 0..len {
            let key = need!(self.value(depth + 1));
            pairs.push((key, need!(self.value(depth + 1))));
        }
        Ok(Some(pairs))
    }
}

fn ascii(text: &[u8]) -> Result<String, BadReply> {
    let bad = || BadReply(format!("not text: {}", Quoted(text)));
    str::from_utf8(text).map(str::to_owned).map_err(|_| bad())
}

fn number(text: &[u8]) -> Result<i64, BadReply> {
    ascii(text)?.parse().map_err(|_| BadReply(format!("not an integer: {}", Quoted(text))))
}

fn length(text: &[u8]) -> Result<usize, BadReply> {
    ascii(text)?.parse().map_err(|_| BadReply(format!("not a length: {}", Quoted(text))))
}

fn verbatim(blob: &[u8]) -> Result<Value, BadReply> {
    match blob.split_at_checked(4) {
        Some(([format @ .., b':'], text)) => {
            Ok(Value::Verbatim { format: ascii(format)?, text: text.to_vec() })
        }
        _ => Err(BadReply(format!("a verbatim string without format: {}", Quoted(blob)))),
    }
}

/// The notation of transcripts. `{}` is one line; `{:#}` breaks what is wider than a line.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        print(self, 0, f.alternate(), &mut out);
        f.write_str(&out)
    }
}

/// Longer replies are broken into lines by the wide form of `Display`.
const LINE_WIDTH: usize = 92;

fn print(value: &Value, depth: usize, wide: bool, out: &mut String) {
    let flat = |value: &Value| {
        let mut text = String::new();
        print(value, depth, false, &mut text);
        text
    };
    let (open, close, items): (&str, &str, Vec<Vec<&Value>>) = match value {
        Value::Array(items) => ("[", "]", items.iter().map(|v| vec![v]).collect()),
        Value::Set(items) => ("~[", "]", items.iter().map(|v| vec![v]).collect()),
        Value::Push(items) => (">[", "]", items.iter().map(|v| vec![v]).collect()),
        Value::Map(pairs) => ("{", "}", pairs.iter().map(|(k, v)| vec![k, v]).collect()),
        Value::Attributed { attribute, value } => {
            out.push('|');
            print(&Value::Map(attribute.clone()), depth, wide, out);
            out.push(' ');
            return print(value, depth, wide, out);
        }
        Value::Simple(_)
        | Value::Error(_)
        | Value::Int(_)
        | Value::Bulk(_)
        | Value::NilBulk
        | Value::NilArray
        | Value::Null
        | Value::Double(_)
        | Value::Bool(_)
        | Value::BigNumber(_)
        | Value::Verbatim { .. } => return out.push_str(&scalar(value, depth)),
    };
    let broken = wide && flat(value).len() + 2 * depth > LINE_WIDTH;
    let inside = depth + 1;
    out.push_str(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(if broken { "," } else { ", " });
        }
        if broken {
            out.push('\n');
            out.push_str(&"  ".repeat(inside));
        }
        for (at, part) in item.iter().enumerate() {
            out.push_str(if at > 0 { ": " } else { "" });
            print(part, inside, wide, out);
        }
    }
    if broken {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
    out.push_str(close);
}

fn scalar(value: &Value, depth: usize) -> String {
    match value {
        Value::Simple(text) => line_or_quoted('+', text, depth),
        Value::Error(text) => line_or_quoted('-', text, depth),
        Value::Int(n) => format!(":{n}"),
        Value::Bulk(text) => Quoted(text).to_string(),
        Value::NilBulk => "nil".to_owned(),
        Value::NilArray => "nil*".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Double(text) => format!(",{text}"),
        Value::Bool(yes) => (if *yes { "#t" } else { "#f" }).to_owned(),
        Value::BigNumber(digits) => format!("({digits}"),
        Value::Verbatim { format, text } => format!("={format}:{}", Quoted(text)),
        Value::Array(_)
        | Value::Map(_)
        | Value::Set(_)
        | Value::Push(_)
        | Value::Attributed { .. } => unreachable!("an aggregate is printed by its parts"),
    }
}

/// `+text` and `-text` take the rest of the line at the top, and quotes inside an aggregate.
fn line_or_quoted(sign: char, text: &[u8], depth: usize) -> String {
    let bare = |b: &u8| matches!(b, b' '..=b'~');
    let trimmed = text.trim_ascii() == text && !text.is_empty() && text.first() != Some(&b'"');
    match str::from_utf8(text) {
        Ok(line) if depth == 0 && trimmed && text.iter().all(bare) => format!("{sign}{line}"),
        _ => format!("{sign}{}", Quoted(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::{Rng, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn decoded(bytes: &str) -> Value {
        let (value, used) = Value::decode(bytes.as_bytes()).unwrap().unwrap();
        assert_eq!(used, bytes.len());
        value
    }

    #[test]
    fn every_type_is_decoded_and_printed() {
        for (bytes, shown) in [
            ("+OK\r\n", "+OK"),
            ("-ERR no \r\n", "-\"ERR no \""),
            ("!5\r\nERR a\r\n", "-ERR a"),
            (":-12\r\n", ":-12"),
            ("$3\r\na\"b\r\n", r#""a\"b""#),
            ("$-1\r\n", "nil"),
            ("*-1\r\n", "nil*"),
            ("_\r\n", "null"),
            (",1.50\r\n", ",1.50"),
            ("#t\r\n", "#t"),
            ("(123\r\n", "(123"),
            ("=6\r\ntxt:ab\r\n", "=txt:\"ab\""),
            ("*2\r\n+a\r\n*0\r\n", "[+\"a\", []]"),
            ("%1\r\n$1\r\na\r\n:1\r\n", "{\"a\": :1}"),
            ("~1\r\n:1\r\n", "~[:1]"),
            (">1\r\n$1\r\na\r\n", ">[\"a\"]"),
            ("|1\r\n+k\r\n:1\r\n:2\r\n", "|{+\"k\": :1} :2"),
        ] {
            assert_eq!(decoded(bytes).to_string(), shown);
        }
    }

    #[test]
    fn every_prefix_needs_more_and_bad_bytes_are_an_error() {
        let whole = b"*3\r\n$2\r\nab\r\n%1\r\n+a\r\n:1\r\n=5\r\ntxt:a\r\n";
        for end in 0..whole.len() {
            assert_eq!(Value::decode(&whole[..end]), Ok(None), "{end}");
        }
        for bad in [
            &b"\r\n"[..],
            b"x\r\n",
            b":a\r\n",
            b"$-2\r\n",
            b"$1\r\nabc",
            b"+OK\n",
            b"#x\r\n",
            b"=3\r\nabc\r\n",
            b"*99999999999999999999\r\n",
        ] {
            assert!(Value::decode(bad).is_err(), "{}", Quoted(bad));
        }
        assert!(Value::decode(&b"*1\r\n".repeat(1000)).is_err());
    }

    #[test]
    fn no_bytes_make_the_decoder_panic() {
        let mut dice = Xoshiro256PlusPlus::seed_from_u64(1);
        let alphabet = b"+-:$*%~>|=!,#(_019\r\n\r\n\r\ntxt:a";
        for _ in 0..20_000 {
            let len = dice.next_u64() % 24;
            let pick = |_| alphabet[(dice.next_u64() % alphabet.len() as u64) as usize];
            let bytes: Vec<u8> = (0..len).map(pick).collect();
            if let Ok(Some((value, used))) = Value::decode(&bytes) {
                assert!(used <= bytes.len() && !value.to_string().is_empty());
            }
        }
    }

    #[test]
    fn a_wide_reply_is_broken_into_lines() {
        let long = Value::Bulk(vec![b'a'; 60]);
        let wide = Value::Array(vec![long.clone(), Value::Int(1), Value::Array(vec![long])]);
        let shown = format!("{wide:#}");
        assert_eq!(shown.lines().count(), 5, "{shown}");
        assert!(!wide.to_string().contains('\n'));
    }
}
