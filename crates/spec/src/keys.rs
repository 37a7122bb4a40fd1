//! Where the keys of a request are.
//!
//! A command describes its keys by specs, each of two steps: where the search begins (a fixed
//! position, or behind a word) and how the keys lie from there (a range, or a count that precedes
//! them). The same description answers COMMAND INFO, COMMAND GETKEYS, the access rules and the
//! routing by slot.

use crate::Spec;
use alloc::vec::Vec;

/// What a command does with the keys of one spec.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct KeyFlags(u16);

macro_rules! key_flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal $text:literal;)*) => {
        impl KeyFlags {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*
        }

        /// Every key flag with the name COMMAND INFO gives it, in the order it lists them.
        pub const KEY_FLAG_NAMES: &[(KeyFlags, &str)] = &[$((KeyFlags::$name, $text),)*];
    };
}

key_flags! {
    /// Reads the value and changes nothing.
    RO = 0 "RO";
    /// Reads and changes the value.
    RW = 1 "RW";
    /// Writes a value without regard to the old one.
    OW = 2 "OW";
    /// Removes the key.
    RM = 3 "RM";
    /// Returns, copies or compares data of the value.
    ACCESS = 4 "access";
    /// Changes data of an existing value.
    UPDATE = 5 "update";
    /// Adds data without changing what is there.
    INSERT = 6 "insert";
    /// Removes data.
    DELETE = 7 "delete";
    /// Not a key, though routed like one.
    NOT_KEY = 8 "not_key";
    /// There may be more keys than the spec finds.
    INCOMPLETE = 9 "incomplete";
    /// What happens to the key depends on the arguments.
    VARIABLE_FLAGS = 10 "variable_flags";
}

impl KeyFlags {
    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any of `other` is set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Where the search for keys begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BeginSearch {
    /// At this argument (the command's name is argument 0).
    Index(u8),
    /// Behind the word `keyword`, looked for from argument `from` on; from the end when negative.
    Keyword {
        /// The word, in upper case.
        keyword: &'static str,
        /// Where the search for the word begins.
        from: i8,
    },
    /// Behind the last option `keyword` from argument `from` on, where the arguments of other
    /// options may be the same word. COMMAND INFO tells it as unknown.
    Option {
        /// The word, in upper case.
        keyword: &'static str,
        /// Where the options begin.
        from: u8,
        /// Other options, in upper case, with how many arguments each has.
        others: &'static [(&'static str, u8)],
    },
    /// Nobody can tell from the request: the names are in the data.
    Unknown,
}

/// How keys lie from where the search begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FindKeys {
    /// Every `step`-th argument up to `last`, counted from the beginning of the search, or from
    /// the end of the request when negative (-1 is its last argument). A `limit` of two or more
    /// takes only that part of the remaining arguments.
    Range {
        /// Last argument, relative to the first or, when negative, to the end.
        last: i8,
        /// Distance between keys.
        step: u8,
        /// Divisor of how many remaining arguments are keys; 0 and 1 mean all.
        limit: u8,
    },
    /// A count at `count_at`, then so many keys from `first`, all relative to the beginning.
    Count {
        /// Where the count is.
        count_at: u8,
        /// Where the first key is.
        first: u8,
        /// Distance between keys.
        step: u8,
    },
}

/// One group of keys of a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeySpec {
    /// Where to begin.
    pub begin: BeginSearch,
    /// How to go on.
    pub find: FindKeys,
    /// What happens to these keys.
    pub flags: KeyFlags,
    /// What the flags cannot say, for people; empty when they say it all.
    pub notes: &'static str,
}

impl KeySpec {
    /// The single key at argument `index`.
    #[must_use]
    pub const fn one(index: u8, flags: KeyFlags) -> Self {
        Self::range(index, 0, 1, flags)
    }

    /// Keys from argument `index` to `last` (relative to it; negative: from the end) by `step`.
    #[must_use]
    pub const fn range(index: u8, last: i8, step: u8, flags: KeyFlags) -> Self {
        let find = FindKeys::Range { last, step, limit: 0 };
        Self { begin: BeginSearch::Index(index), find, flags, notes: "" }
    }

    /// The keys that follow their number at argument `count_at`.
    #[must_use]
    pub const fn counted(count_at: u8, flags: KeyFlags) -> Self {
        let find = FindKeys::Count { count_at: 0, first: 1, step: 1 };
        Self { begin: BeginSearch::Index(count_at), find, flags, notes: "" }
    }

    /// The same with `notes`.
    #[must_use]
    pub const fn noted(self, notes: &'static str) -> Self {
        Self { notes, ..self }
    }
}

/// A key's place in a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyPosition {
    /// Argument number.
    pub index: usize,
    /// What the command does with it.
    pub flags: KeyFlags,
}

/// Why the keys of a request cannot be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeysError {
    /// A count of keys that is no number or larger than the request.
    BadArguments,
}

/// Tells from a request of so many arguments what its command does with its keys, where that
/// depends on the options ([`KeyFlags::VARIABLE_FLAGS`]).
pub type FlagsOfRequest = for<'a> fn(usize, &dyn Fn(usize) -> &'a [u8]) -> KeyFlags;

/// The places of all keys in a request of `spec`'s command; `arg` gives argument `i` of `len`.
///
/// # Errors
/// [`KeysError`] when a count of keys does not fit the request.
pub fn positions<'a>(
    spec: &Spec,
    len: usize,
    arg: impl Fn(usize) -> &'a [u8],
) -> Result<Vec<KeyPosition>, KeysError> {
    let mut found = Vec::new();
    for keys in spec.keys {
        let Some(first) = begin(keys.begin, len, &arg) else { continue };
        let (first, last, step) = match keys.find {
            FindKeys::Range { last, step, limit } => {
                (first, last_of_range(first, len, last, limit), usize::from(step))
            }
            FindKeys::Count { count_at, first: offset, step } => {
                let count = vesta_types::number::parse_i64(arg(first + usize::from(count_at)))
                    .and_then(|count| usize::try_from(count).ok())
                    .filter(|count| *count <= len)
                    .ok_or(KeysError::BadArguments)?;
                let (from, step) = (first + usize::from(offset), usize::from(step));
                (from, (from + count * step).checked_sub(step), step)
            }
        };
        let Some(last) = last.filter(|last| *last >= first) else { continue };
        if last >= len {
            return Err(KeysError::BadArguments);
        }
        let flags = match spec.flags_of_request {
            Some(of_request) if keys.flags.has(KeyFlags::VARIABLE_FLAGS) => of_request(len, &arg),
            Some(_) | None => keys.flags,
        };
        let places = (first..=last).step_by(step.max(1));
        found.extend(places.map(|index| KeyPosition { index, flags }));
    }
    Ok(found)
}

/// The keys of a command as one range of arguments, for clients that know no specs.
/// All zero: it has none, or none in such a range.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LegacyRange {
    /// First key.
    pub first: i64,
    /// Last key; from the end of the request when negative.
    pub last: i64,
    /// Distance between keys.
    pub step: i64,
}

impl LegacyRange {
    /// The range that covers the specs: the only one, or all that follow each other one by one.
    ///
    /// Source: `COMMAND INFO` of redis-server 7.0.15 for all its commands.
    #[must_use]
    pub fn of(specs: &[KeySpec]) -> Self {
        let mut all: Option<Self> = None;
        for spec in specs {
            let (BeginSearch::Index(index), FindKeys::Range { last, step, .. }) =
                (spec.begin, spec.find)
            else {
                continue;
            };
            let (first, last) = (i64::from(index), i64::from(last));
            let last = if last >= 0 { first + last } else { last };
            all = match all {
                _ if specs.len() == 1 => Some(Self { first, last, step: i64::from(step) }),
                None if step == 1 => Some(Self { first, last, step: 1 }),
                Some(before) if step == 1 && before.last == first - 1 => {
                    Some(Self { last, ..before })
                }
                Some(_) | None => all,
            };
        }
        all.unwrap_or_default()
    }
}

fn begin<'a>(begin: BeginSearch, len: usize, arg: &impl Fn(usize) -> &'a [u8]) -> Option<usize> {
    match begin {
        BeginSearch::Index(index) => Some(usize::from(index)),
        BeginSearch::Keyword { keyword, from } => {
            let is_it = |index: &usize| arg(*index).eq_ignore_ascii_case(keyword.as_bytes());
            let found = if from >= 0 {
                (usize::from(from.unsigned_abs())..len).find(is_it)
            } else {
                let start = len.checked_sub(usize::from(from.unsigned_abs()))?;
                (1..=start).rev().find(is_it)
            };
            found.map(|index| index + 1)
        }
        BeginSearch::Option { keyword, from, others } => {
            let is = |index: usize, word: &str| arg(index).eq_ignore_ascii_case(word.as_bytes());
            let (mut index, mut found) = (usize::from(from), None);
            while index < len {
                let other = others.iter().find(|(word, _)| is(index, word));
                match other {
                    Some((_, arguments)) => index += usize::from(*arguments),
                    None if is(index, keyword) && index + 1 < len => {
                        index += 1;
                        found = Some(index);
                    }
                    None => {}
                }
                index += 1;
            }
            found
        }
        BeginSearch::Unknown => None,
    }
}

fn last_of_range(first: usize, len: usize, last: i8, limit: u8) -> Option<usize> {
    let back = usize::from(last.unsigned_abs());
    if last >= 0 {
        return Some(first + back);
    }
    if limit > 1 {
        return (first + len.checked_sub(first)? / usize::from(limit)).checked_sub(back);
    }
    len.checked_sub(back)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(keys: &'static [KeySpec], request: &str) -> Result<Vec<usize>, KeysError> {
        let words: Vec<&str> = request.split(' ').collect();
        let spec = Spec { keys, ..Spec::EMPTY };
        let arg = |index: usize| words.get(index).copied().unwrap_or("").as_bytes();
        let places = positions(&spec, words.len(), arg)?;
        Ok(places.iter().map(|place| place.index).collect())
    }

    #[test]
    fn keys_are_found_by_range_count_and_word() {
        const FLAGS: KeyFlags = KeyFlags::RO;
        const COUNTED: KeySpec = KeySpec {
            begin: BeginSearch::Index(2),
            find: FindKeys::Count { count_at: 0, first: 1, step: 1 },
            flags: FLAGS,
            notes: "",
        };
        const BEHIND: KeySpec = KeySpec {
            begin: BeginSearch::Keyword { keyword: "STREAMS", from: 1 },
            find: FindKeys::Range { last: -1, step: 1, limit: 2 },
            flags: FLAGS,
            notes: "",
        };
        assert_eq!(found(const { &[KeySpec::one(1, FLAGS)] }, "get k"), Ok(Vec::from([1])));
        assert_eq!(
            found(const { &[KeySpec::range(1, -1, 2, FLAGS)] }, "mset a 1 b 2"),
            Ok(Vec::from([1, 3]))
        );
        const OPTION: KeySpec = KeySpec {
            begin: BeginSearch::Option { keyword: "STORE", from: 2, others: &[("GET", 1)] },
            ..KeySpec::one(0, FLAGS)
        };
        for (request, keys) in [
            ("sort a store d", &[3][..]),
            ("sort a STORE d get store store e", &[7]),
            ("sort a get store", &[]),
            ("sort a store", &[]),
            ("sort a", &[]),
        ] {
            assert_eq!(found(const { &[OPTION] }, request), Ok(keys.to_vec()), "{request}");
        }
        assert_eq!(found(const { &[COUNTED] }, "eval s 2 a b c"), Ok(Vec::from([3, 4])));
        assert_eq!(found(const { &[COUNTED] }, "eval s 0 a"), Ok(Vec::new()));
        assert_eq!(found(const { &[COUNTED] }, "eval s 9 a"), Err(KeysError::BadArguments));
        assert_eq!(found(const { &[COUNTED] }, "eval s x a"), Err(KeysError::BadArguments));
        assert_eq!(found(const { &[BEHIND] }, "xread streams a b 0 0"), Ok(Vec::from([2, 3])));
        assert_eq!(
            found(const { &[KeySpec::one(3, FLAGS)] }, "get k"),
            Err(KeysError::BadArguments)
        );
    }

    #[test]
    fn the_flags_of_keys_can_depend_on_the_request() {
        const SPEC: Spec = Spec {
            keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::VARIABLE_FLAGS))],
            flags_of_request: Some(|len, arg| {
                if len > 2 && arg(2) == b"get" { KeyFlags::RW } else { KeyFlags::OW }
            }),
            ..Spec::EMPTY
        };
        for (words, flags) in
            [(&["set", "k"][..], KeyFlags::OW), (&["set", "k", "get"], KeyFlags::RW)]
        {
            let arg = |index: usize| words.get(index).copied().unwrap_or("").as_bytes();
            let places = positions(&SPEC, words.len(), arg).unwrap();
            assert_eq!(places, [KeyPosition { index: 1, flags }]);
        }
    }

    #[test]
    fn the_legacy_range_covers_what_lies_in_a_row() {
        const RO: KeyFlags = KeyFlags::RO;
        let range = |specs: &[KeySpec]| {
            let range = LegacyRange::of(specs);
            (range.first, range.last, range.step)
        };
        assert_eq!(range(&[]), (0, 0, 0));
        assert_eq!(range(&[KeySpec::one(2, RO)]), (2, 2, 1));
        assert_eq!(range(&[KeySpec::range(1, -1, 2, RO)]), (1, -1, 2));
        assert_eq!(range(&[KeySpec::one(1, RO), KeySpec::one(2, RO)]), (1, 2, 1));
        assert_eq!(range(&[KeySpec::one(1, RO), KeySpec::range(2, -1, 1, RO)]), (1, -1, 1));
        assert_eq!(range(&[KeySpec::one(1, RO), KeySpec::one(3, RO)]), (1, 1, 1));
    }
}
