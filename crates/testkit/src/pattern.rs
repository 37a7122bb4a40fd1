//! What a transcript expects of a reply, and whether a reply is that.
//!
//! ```text
//! +OK   -ERR text   :1   "bulk"   nil ($-1)   nil* (*-1)   null (_)   ,1.5   #t   (123   =txt:"a"
//! ["a", :1]   ["a", ...]   {"k": :1}   ~["a"] (any order)   >["push"]   |{"k": :1} "attributed"
//! ?               any reply
//! :?   ,?         any integer, any double
//! :5..10          an integer from 5 to 10
//! :$name          any integer, kept for later requests as $name
//! glob "a*"       a bulk, simple or verbatim string; `-glob "ERR*"` is an error
//! unordered [..]  the same items in any order; `unordered {..}` pairs in any order
//! has [..]        every listed item is among the reply's; `has {..}` every listed pair, also in
//!                 the flat array that stands for a map in RESP2
//! oneof [..]      one of these
//! (closed)        the server closes the connection
//! (none)          no reply comes
//! (later)         the reply is read by a later step, whenever it comes
//! ```
//!
//! `+` and `-` take the rest of the line at the top, and a quoted text anywhere.

use core::cmp::Ordering;
use std::collections::BTreeMap;

use crate::quote;
use crate::value::Value;

/// An expected reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// `?`
    Any,
    /// A scalar, exactly.
    Exactly(Value),
    /// `:?`
    AnyInt,
    /// `,?`
    AnyDouble,
    /// `:5..10`, both included
    IntRange(i64, i64),
    /// `:$name`
    CaptureInt(String),
    /// `glob "a*"`
    Glob(Vec<u8>),
    /// `-glob "ERR*"`
    ErrorGlob(Vec<u8>),
    /// `[..]`
    Array(Items),
    /// `>[..]`
    Push(Items),
    /// `~[..]`, any order
    Set(Vec<Pattern>),
    /// `{..}`
    Map(Vec<(Pattern, Pattern)>),
    /// `|{..} value`
    Attributed(Vec<(Pattern, Pattern)>, Box<Pattern>),
    /// `unordered [..]`
    Unordered(Vec<Pattern>),
    /// `unordered {..}`
    UnorderedMap(Vec<(Pattern, Pattern)>),
    /// `has [..]`
    Has(Vec<Pattern>),
    /// `has {..}`
    HasPairs(Vec<(Pattern, Pattern)>),
    /// `oneof [..]`
    OneOf(Vec<Pattern>),
    /// `(closed)`
    Closed,
    /// `(none)`
    Silence,
    /// `(later)`
    Later,
    /// In a draft: matches nothing, so that what comes is reported.
    Record,
}

/// The items of an ordered aggregate.
#[derive(Clone, Debug, PartialEq)]
pub struct Items {
    /// What is listed.
    pub listed: Vec<Pattern>,
    /// Ended by `...`: more may follow.
    pub open: bool,
}

/// Integers that replies bound to names.
pub type Captures = BTreeMap<String, i64>;

/// Why a text is no pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BadPattern {
    /// A bracket is still open: the next line belongs to it.
    Incomplete,
    /// Wrong, and why.
    Wrong(String),
}

impl Pattern {
    /// Reads a whole expectation.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        match text.trim() {
            "(closed)" => return Ok(Self::Closed),
            "(none)" => return Ok(Self::Silence),
            "(later)" => return Ok(Self::Later),
            crate::transcript::RECORD => return Ok(Self::Record),
            line => {
                if let Some(whole) = whole_line(line) {
                    return Ok(whole);
                }
            }
        }
        let mut reader = Reader { rest: text.as_bytes() };
        let pattern = reader.pattern(0)?;
        reader.skip_space();
        if reader.rest.is_empty() {
            Ok(pattern)
        } else {
            wrong(format!("unexpected text after the reply: {}", shown(reader.rest)))
        }
    }

    /// Whether `value` is the expected reply; named integers are put into `captures`.
    #[must_use]
    pub fn matches(&self, value: &Value, captures: &mut Captures) -> bool {
        match (self, value) {
            (Self::Any, _)
            | (Self::AnyInt, Value::Int(_))
            | (Self::AnyDouble, Value::Double(_)) => true,
            (Self::Exactly(expected), value) => expected == value,
            (Self::IntRange(low, high), Value::Int(n)) => (low..=high).contains(&n),
            (Self::CaptureInt(name), Value::Int(n)) => {
                captures.insert(name.clone(), *n);
                true
            }
            (Self::Glob(glob), value) => value.text().is_some_and(|text| glob_matches(glob, text)),
            (Self::ErrorGlob(glob), Value::Error(text)) => glob_matches(glob, text),
            (Self::Array(items), Value::Array(values))
            | (Self::Push(items), Value::Push(values)) => items.matches(values, captures),
            (Self::Set(items), Value::Set(values)) => permuted(items, values, captures),
            (Self::Unordered(items), value) => {
                value.items().is_some_and(|values| permuted(items, values, captures))
            }
            (Self::Map(pairs), Value::Map(values)) => {
                pairs.len() == values.len()
                    && pairs.iter().zip(values).all(|((pk, pv), (k, v))| {
                        pk.matches(k, captures) && pv.matches(v, captures)
                    })
            }
            (Self::UnorderedMap(pairs), value) => value.pairs().is_some_and(|values| {
                pairs.len() == values.len() && has_pairs(pairs, &values, captures)
            }),
            (Self::Has(items), value) => value.items().is_some_and(|values| {
                items.iter().all(|item| values.iter().any(|v| item.matches(v, captures)))
            }),
            (Self::HasPairs(pairs), value) => {
                value.pairs().is_some_and(|values| has_pairs(pairs, &values, captures))
            }
            (Self::Attributed(pairs, inner), Value::Attributed { attribute, value }) => {
                let attribute: Vec<_> = attribute.iter().map(|(k, v)| (k, v)).collect();
                has_pairs(pairs, &attribute, captures) && inner.matches(value, captures)
            }
            (Self::OneOf(choices), value) => choices.iter().any(|c| c.matches(value, captures)),
            _ => false,
        }
    }
}

impl Items {
    fn matches(&self, values: &[Value], captures: &mut Captures) -> bool {
        let long_enough = match values.len().cmp(&self.listed.len()) {
            Ordering::Less => false,
            Ordering::Equal => true,
            Ordering::Greater => self.open,
        };
        long_enough && self.listed.iter().zip(values).all(|(p, v)| p.matches(v, captures))
    }
}

fn has_pairs(
    pairs: &[(Pattern, Pattern)],
    values: &[(&Value, &Value)],
    captures: &mut Captures,
) -> bool {
    pairs.iter().all(|(pk, pv)| {
        values.iter().any(|(k, v)| pk.matches(k, captures) && pv.matches(v, captures))
    })
}

/// Greedy: patterns that overlap should be listed from narrow to wide.
fn permuted(items: &[Pattern], values: &[Value], captures: &mut Captures) -> bool {
    let mut left: Vec<&Value> = values.iter().collect();
    items.len() == values.len()
        && items.iter().all(|item| {
            let found = left.iter().position(|value| item.matches(value, captures));
            found.map(|at| left.swap_remove(at)).is_some()
        })
}

/// `*` any bytes, `?` one byte, `\` takes the next byte literally.
#[must_use]
pub fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut glob, mut text) = (glob, text);
    // Where to go on after a mismatch: behind the last `*`, one byte further in the text.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        let step = match (glob, text) {
            ([b'*', after @ ..], _) => {
                retry = Some((after, text));
                Some((after, text))
            }
            ([], []) => return true,
            ([b'\\', want, after @ ..], [have, rest @ ..]) if want == have => Some((after, rest)),
            ([b'\\', _, ..], _) => None,
            ([b'?', after @ ..], [_, rest @ ..]) => Some((after, rest)),
            ([want, after @ ..], [have, rest @ ..]) if want == have => Some((after, rest)),
            _ => None,
        };
        (glob, text) = match (step, retry) {
            (Some(next), _) => next,
            (None, Some((after, [_, rest @ ..]))) => {
                retry = Some((after, rest));
                (after, rest)
            }
            (None, _) => return false,
        };
    }
}

fn wrong<T>(why: impl Into<String>) -> Result<T, BadPattern> {
    Err(BadPattern::Wrong(why.into()))
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(60).collect()
}

/// `+text` and `-text` that take the whole line.
fn whole_line(line: &str) -> Option<Pattern> {
    let (sign, text) = line.split_at_checked(1)?;
    if text.starts_with('"') || text.starts_with("glob ") {
        return None;
    }
    let bytes = text.as_bytes().to_vec();
    match sign {
        "+" => Some(Pattern::Exactly(Value::Simple(bytes))),
        "-" => Some(Pattern::Exactly(Value::Error(bytes))),
        _ => None,
    }
}

/// Deeper literals are refused: the reader recurses.
const DEPTH_MAX: usize = 32;

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn take(&mut self, prefix: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(prefix.as_bytes()) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, prefix: &str) -> Result<(), BadPattern> {
        if self.take(prefix) {
            return Ok(());
        }
        if self.rest.is_empty() {
            return Err(BadPattern::Incomplete);
        }
        wrong(format!("expected {prefix} before: {}", shown(self.rest)))
    }

    fn pattern(&mut self, depth: usize) -> Result<Pattern, BadPattern> {
        if depth > DEPTH_MAX {
            return wrong("nested too deeply");
        }
        self.skip_space();
        let Some(&first) = self.rest.first() else { return Err(BadPattern::Incomplete) };
        match first {
            b'"' => Ok(Pattern::Exactly(Value::Bulk(self.quoted()?))),
            b'+' => {
                self.expect("+")?;
                Ok(Pattern::Exactly(Value::Simple(self.quoted()?)))
            }
            b'-' => self.error(),
            b':' => self.integer(),
            b'[' => Ok(Pattern::Array(self.items(depth)?)),
            b'{' => Ok(Pattern::Map(self.pairs(depth)?)),
            b'~' => {
                self.expect("~")?;
                Ok(Pattern::Set(self.closed_items(depth)?))
            }
            b'>' => {
                self.expect(">")?;
                Ok(Pattern::Push(self.items(depth)?))
            }
            b'|' => {
                self.expect("|")?;
                let pairs = self.pairs(depth)?;
                Ok(Pattern::Attributed(pairs, Box::new(self.pattern(depth + 1)?)))
            }
            b'=' => self.verbatim(),
            _ => self.word(depth),
        }
    }

    fn quoted(&mut self) -> Result<Vec<u8>, BadPattern> {
        if self.rest.first() != Some(&b'"') {
            return wrong(format!("expected a quoted text before: {}", shown(self.rest)));
        }
        let (bytes, rest) = quote::quoted(self.rest).map_err(BadPattern::Wrong)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn error(&mut self) -> Result<Pattern, BadPattern> {
        self.expect("-")?;
        if self.take("glob") {
            self.skip_space();
            return Ok(Pattern::ErrorGlob(self.quoted()?));
        }
        Ok(Pattern::Exactly(Value::Error(self.quoted()?)))
    }

    /// Bytes up to a delimiter of the notation.
    fn bare(&mut self) -> String {
        let stops = |b: &u8| b.is_ascii_whitespace() || b",]}:".contains(b);
        let end = self.rest.iter().position(stops).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        String::from_utf8_lossy(word).into_owned()
    }

    fn integer(&mut self) -> Result<Pattern, BadPattern> {
        self.expect(":")?;
        let text = self.bare();
        if text == "?" {
            return Ok(Pattern::AnyInt);
        }
        if let Some(name) = text.strip_prefix('$') {
            return Ok(Pattern::CaptureInt(name.to_owned()));
        }
        let parse =
            |digits: &str| digits.parse().or_else(|_| wrong(format!("not an integer: {digits:?}")));
        match text.split_once("..") {
            Some((low, high)) => Ok(Pattern::IntRange(parse(low)?, parse(high)?)),
            None => Ok(Pattern::Exactly(Value::Int(parse(&text)?))),
        }
    }

    fn verbatim(&mut self) -> Result<Pattern, BadPattern> {
        self.expect("=")?;
        let format = self.bare();
        self.expect(":")?;
        if self.take("glob") {
            self.skip_space();
            return Ok(Pattern::Glob(self.quoted()?));
        }
        Ok(Pattern::Exactly(Value::Verbatim { format, text: self.quoted()? }))
    }

    fn word(&mut self, depth: usize) -> Result<Pattern, BadPattern> {
        if self.take(",") {
            let text = self.bare();
            return Ok(match text.as_str() {
                "?" => Pattern::AnyDouble,
                _ => Pattern::Exactly(Value::Double(text)),
            });
        }
        if self.take("(") {
            let digits = self.bare();
            if digits.is_empty()
                || !digits.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit())
            {
                return wrong(format!("not a big number: {digits:?}"));
            }
            return Ok(Pattern::Exactly(Value::BigNumber(digits)));
        }
        let word = self.bare();
        match word.as_str() {
            "?" => Ok(Pattern::Any),
            "nil" => Ok(Pattern::Exactly(Value::NilBulk)),
            "nil*" => Ok(Pattern::Exactly(Value::NilArray)),
            "null" => Ok(Pattern::Exactly(Value::Null)),
            "#t" => Ok(Pattern::Exactly(Value::Bool(true))),
            "#f" => Ok(Pattern::Exactly(Value::Bool(false))),
            "glob" => {
                self.skip_space();
                Ok(Pattern::Glob(self.quoted()?))
            }
            "unordered" if self.at_map() => Ok(Pattern::UnorderedMap(self.pairs(depth)?)),
            "unordered" => Ok(Pattern::Unordered(self.closed_items(depth)?)),
            "has" if self.at_map() => Ok(Pattern::HasPairs(self.pairs(depth)?)),
            "has" => Ok(Pattern::Has(self.closed_items(depth)?)),
            "oneof" => Ok(Pattern::OneOf(self.closed_items(depth)?)),
            _ => wrong(format!("no such reply: {word}{}", shown(self.rest))),
        }
    }

    fn at_map(&mut self) -> bool {
        self.skip_space();
        self.rest.first() == Some(&b'{')
    }

    fn closed_items(&mut self, depth: usize) -> Result<Vec<Pattern>, BadPattern> {
        let items = self.items(depth)?;
        if items.open { wrong("... has no meaning here") } else { Ok(items.listed) }
    }

    fn items(&mut self, depth: usize) -> Result<Items, BadPattern> {
        self.expect("[")?;
        let mut listed = Vec::new();
        loop {
            if self.take("]") {
                return Ok(Items { listed, open: false });
            }
            if self.take("...") {
                self.expect("]")?;
                return Ok(Items { listed, open: true });
            }
            listed.push(self.pattern(depth + 1)?);
            if !self.take(",") {
                self.expect("]")?;
                return Ok(Items { listed, open: false });
            }
        }
    }

    fn pairs(&mut self, depth: usize) -> Result<Vec<(Pattern, Pattern)>, BadPattern> {
        self.expect("{")?;
        let mut pairs = Vec::new();
        loop {
            if self.take("}") {
                return Ok(pairs);
            }
            let key = self.pattern(depth + 1)?;
            self.expect(":")?;
            pairs.push((key, self.pattern(depth + 1)?));
            if !self.take(",") {
                self.expect("}")?;
                return Ok(pairs);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, bytes: &str) -> bool {
        let pattern = Pattern::parse(pattern).unwrap();
        let (value, _) = Value::decode(bytes.as_bytes()).unwrap().unwrap();
        pattern.matches(&value, &mut Captures::new())
    }

    #[test]
    fn what_a_value_prints_is_a_pattern_of_that_value_alone() {
        let replies = [
            "+OK\r\n",
            "+\r\n",
            "-ERR it's, [odd]: {text}\r\n",
            ":-9223372036854775808\r\n",
            "$4\r\n\x00\r\n\"\r\n",
            "$-1\r\n",
            "*-1\r\n",
            "_\r\n",
            ",1e400\r\n",
            "#f\r\n",
            "(99999999999999999999\r\n",
            "=7\r\ntxt:a b\r\n",
            "*0\r\n",
            "*2\r\n+a\r\n*2\r\n-ERR b\r\n:1\r\n",
            "%1\r\n$1\r\na\r\n%0\r\n",
            "~2\r\n:1\r\n:2\r\n",
            ">1\r\n$1\r\na\r\n",
            "|1\r\n+k\r\n:1\r\n:2\r\n",
        ];
        for (at, expected) in replies.iter().enumerate() {
            let (value, _) = Value::decode(expected.as_bytes()).unwrap().unwrap();
            for (other, bytes) in replies.iter().enumerate() {
                assert_eq!(fits(&value.to_string(), bytes), at == other, "{value} on {bytes:?}");
                assert_eq!(fits(&format!("{value:#}"), bytes), at == other);
            }
        }
    }

    #[test]
    fn loose_patterns_take_what_they_say() {
        let array = "*2\r\n$1\r\na\r\n:5\r\n";
        for yes in [
            "?",
            "[\"a\", :?]",
            "[\"a\", ...]",
            "[\"a\", :5..5]",
            "unordered [:5, \"a\"]",
            "has [:5]",
            "has {\"a\": :5}",
            "unordered {\"a\": :1..9}",
            "oneof [nil, [\"a\", :5]]",
            "[\n  glob \"?\",\n  :$n,\n]",
        ] {
            assert!(fits(yes, array), "{yes}");
        }
        for no in ["[...]", "[\"a\"]", "[\"a\", :6..9]", "unordered [:5]", "has [:6]", ":?"] {
            assert_eq!(fits(no, array), no == "[...]", "{no}");
        }
        assert!(fits("-glob \"ERR *\"", "-ERR a\r\n") && !fits("glob \"*\"", "-ERR a\r\n"));
        assert!(fits("=txt:glob \"a*\"", "=6\r\ntxt:ab\r\n"));
        assert!(fits("~[:2, :1]", "~2\r\n:1\r\n:2\r\n"));
    }

    #[test]
    fn an_open_bracket_asks_for_the_next_line_and_nonsense_is_named() {
        for open in ["[", "[\"a\",", "{\"a\":", "{\"a\": [", "unordered", "|{}"] {
            assert_eq!(Pattern::parse(open), Err(BadPattern::Incomplete), "{open}");
        }
        for bad in
            [":x", "[\"a\" \"b\"]", "nope", "\"a\" :1", "unordered [...]", "\"a", ":1..x", "(no"]
        {
            assert!(matches!(Pattern::parse(bad), Err(BadPattern::Wrong(_))), "{bad}");
        }
    }

    #[test]
    fn globs_backtrack_to_the_last_star() {
        for (glob, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-c-", false),
            ("\\*?", "*x", true),
            ("\\*?", "ax", false),
            ("*ab", "aab", true),
        ] {
            assert_eq!(glob_matches(glob.as_bytes(), text.as_bytes()), expected, "{glob} {text}");
        }
    }
}
