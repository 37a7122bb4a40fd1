//! The notation in which a spec writes a command's arguments, and its reading.
//!
//! It is the one that command documentation uses, with names and types where those differ from
//! what the word itself says, so that COMMAND DOCS can give the arguments as a tree:
//!
//! ```text
//! key                  an argument named key, of type key (see `kind_of`)
//! increment:integer    a name and its type
//! [NX]                 an optional word (pure token)
//! *@auto-id            a word (no letter needed) with a name of its own
//! [EX seconds:integer] an optional argument behind a word
//! value...             may be repeated
//! [PATTERN p ...]      may be repeated together with its word: `token` flag `multiple_token`
//! [WEIGHTS w...]       may be repeated behind one word
//! condition=<NX | XX>  a choice with a name; [...] around it makes it optional
//! data=(key value)...  a block with a name, repeated
//! ```

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What an argument is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Bytes without further meaning.
    String,
    /// A 64-bit integer.
    Integer,
    /// A float.
    Double,
    /// The name of a key.
    Key,
    /// A glob pattern.
    Pattern,
    /// Seconds or milliseconds since 1970.
    UnixTime,
    /// The word itself is the argument.
    PureToken,
    /// One of the arguments within.
    OneOf,
    /// The arguments within, one after another.
    Block,
}

impl Kind {
    /// The name COMMAND DOCS gives.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Key => "key",
            Self::Pattern => "pattern",
            Self::UnixTime => "unix-time",
            Self::PureToken => "pure-token",
            Self::OneOf => "oneof",
            Self::Block => "block",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        const NAMED: [Kind; 6] =
            [Kind::String, Kind::Integer, Kind::Double, Kind::Key, Kind::Pattern, Kind::UnixTime];
        NAMED.into_iter().find(|kind| kind.name() == name)
    }
}

/// One argument of a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Argument {
    /// Its name in lower case.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The word that precedes it, or that it is.
    pub token: Option<String>,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether it may be repeated.
    pub multiple: bool,
    /// Whether its word is repeated with it.
    pub multiple_token: bool,
    /// The arguments of a choice or block.
    pub within: Box<[Argument]>,
}

/// A spec whose syntax line cannot be read: a mistake in our own source.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SyntaxError {
    /// What was expected, or the word that was not.
    pub at: String,
}

/// Reads a syntax line.
///
/// # Errors
/// [`SyntaxError`] when brackets do not match or a word stands where none can.
pub fn parse(line: &str) -> Result<Vec<Argument>, SyntaxError> {
    let mut words = Words { rest: line };
    let arguments = sequence(&mut words, None)?;
    Ok(arguments)
}

struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    /// The next word or bracket, left in place.
    fn peek(&self) -> Option<&'a str> {
        let rest = self.rest.trim_start();
        let first = rest.chars().next()?;
        if "[]()<>|".contains(first) {
            return rest.get(..1);
        }
        if rest.starts_with("...") {
            return rest.get(..3);
        }
        let end = rest.find(|c: char| c.is_whitespace() || "[]()<>|".contains(c));
        let word = end.map_or(rest, |end| rest.get(..end).unwrap_or(rest));
        let word = word.strip_suffix("...").unwrap_or(word);
        Some(word)
    }

    fn next(&mut self) -> Option<&'a str> {
        let word = self.peek()?;
        let rest = self.rest.trim_start();
        self.rest = rest.get(word.len()..).unwrap_or("");
        Some(word)
    }

    fn take(&mut self, wanted: &str) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    fn expect(&mut self, wanted: &str) -> Result<(), SyntaxError> {
        if self.take(wanted) { Ok(()) } else { Err(SyntaxError { at: wanted.to_string() }) }
    }
}

/// Arguments up to `close` (not taken) or the end of the line.
fn sequence(words: &mut Words<'_>, close: Option<&str>) -> Result<Vec<Argument>, SyntaxError> {
    let mut arguments = Vec::new();
    while let Some(word) = words.peek() {
        if Some(word) == close || word == "|" {
            return Ok(arguments);
        }
        arguments.push(repeated(words)?);
    }
    if close.is_some() {
        Err(SyntaxError { at: "the line's end".to_string() })
    } else {
        Ok(arguments)
    }
}

fn repeated(words: &mut Words<'_>) -> Result<Argument, SyntaxError> {
    let mut argument = one(words)?;
    if words.take("...") {
        argument.multiple = true;
    }
    Ok(argument)
}

fn one(words: &mut Words<'_>) -> Result<Argument, SyntaxError> {
    if words.take("[") {
        let mut argument = repeated(words)?;
        if words.take("...") {
            argument.multiple = true;
        }
        words.expect("]")?;
        argument.optional = true;
        return Ok(argument);
    }
    let word = words.next().ok_or_else(|| SyntaxError { at: "a word".to_string() })?;
    if let Some(name) = word.strip_suffix('=') {
        return group(words, name);
    }
    if let Some((token, name)) = word.split_once('@') {
        return Ok(Argument { token: Some(token.to_string()), ..leaf(name, Kind::PureToken) });
    }
    if !is_token(word) {
        return plain(word);
    }
    // A token stands alone or before exactly one argument.
    match words.peek() {
        Some(next) if !is_token(next) && !"[])>|...".contains(next) => {
            let mut argument = one(words)?;
            argument.token = Some(word.to_string());
            let is_alone = words.rest.starts_with("...");
            if words.take("...") {
                argument.multiple = true;
                argument.multiple_token = !is_alone;
            }
            Ok(argument)
        }
        _ => Ok(Argument {
            token: Some(word.to_string()),
            ..leaf(word.to_ascii_lowercase().as_str(), Kind::PureToken)
        }),
    }
}

fn group(words: &mut Words<'_>, name: &str) -> Result<Argument, SyntaxError> {
    if words.take("(") {
        let within = sequence(words, Some(")"))?;
        words.expect(")")?;
        return Ok(Argument { within: within.into(), ..leaf(name, Kind::Block) });
    }
    words.expect("<")?;
    let mut within = Vec::new();
    loop {
        let mut choice = sequence(words, Some(">"))?;
        match (choice.pop(), choice.is_empty()) {
            (Some(argument), true) => within.push(argument),
            _ => return Err(SyntaxError { at: "one argument for each choice".to_string() }),
        }
        if words.take(">") {
            return Ok(Argument { within: within.into(), ..leaf(name, Kind::OneOf) });
        }
        words.expect("|")?;
    }
}

fn plain(word: &str) -> Result<Argument, SyntaxError> {
    match word.split_once(':') {
        Some((name, kind)) => match Kind::from_name(kind) {
            Some(kind) => Ok(leaf(name, kind)),
            None => Err(SyntaxError { at: word.to_string() }),
        },
        None => Ok(leaf(word, kind_of(word))),
    }
}

/// The type that a name without one has: keys and patterns by their names, all others strings.
fn kind_of(name: &str) -> Kind {
    match name {
        "key" | "source" | "destination" | "newkey" => Kind::Key,
        "pattern" => Kind::Pattern,
        _ => Kind::String,
    }
}

fn is_token(word: &str) -> bool {
    word.chars().next().is_some_and(|c| c.is_ascii_uppercase() || c == '*')
}

fn leaf(name: &str, kind: Kind) -> Argument {
    Argument {
        name: name.to_string(),
        kind,
        token: None,
        optional: false,
        multiple: false,
        multiple_token: false,
        within: Box::new([]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syntax_line_becomes_a_tree() {
        let set = parse(
            "key value [condition=<NX | XX>] [GET] [expiration=<EX seconds:integer | KEEPTTL>]",
        )
        .unwrap();
        let names: Vec<_> = set.iter().map(|a| (a.name.as_str(), a.kind, a.optional)).collect();
        assert_eq!(
            names,
            [
                ("key", Kind::Key, false),
                ("value", Kind::String, false),
                ("condition", Kind::OneOf, true),
                ("get", Kind::PureToken, true),
                ("expiration", Kind::OneOf, true),
            ]
        );
        let seconds = &set[4].within[0];
        assert_eq!((seconds.token.as_deref(), seconds.kind), (Some("EX"), Kind::Integer));
        let mset = parse("data=(key value)...").unwrap();
        assert!(mset[0].multiple && mset[0].kind == Kind::Block && mset[0].within.len() == 2);
        let many = parse("key... [PATTERN pattern ...]").unwrap();
        assert!(many[0].multiple && many[1].multiple_token && many[1].optional);
        let weights = parse("[WEIGHTS weight:integer...]").unwrap();
        assert!(weights[0].multiple && !weights[0].multiple_token && weights[0].optional);
    }

    #[test]
    fn a_word_may_have_a_name_of_its_own() {
        let choice = parse("id-selector=<*@auto-id | id>").unwrap();
        let auto = &choice[0].within[0];
        assert_eq!((auto.name.as_str(), auto.token.as_deref()), ("auto-id", Some("*")));
        assert_eq!(auto.kind, Kind::PureToken);
    }

    #[test]
    fn mistakes_are_found() {
        for line in ["[key", "x=<A | >", "x=(a", "a:colour", "x=<a b>"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
