//! Patterns that name another value for each element: `weight_*`, `object_*->field`.

use crate::element::reply_element;
use crate::string::get::reply_value;
use alloc::vec::Vec;
use vesta_resp::Reply;
use vesta_store::{Element, Hash, Keyspace, StrRef};

/// Where to find a value that belongs to an element.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Pattern<'a> {
    /// `#`: it is the element itself.
    Element,
    /// Nowhere: the pattern has no star.
    Nowhere,
    /// At the key that is the element between two texts; with a field, in the hash there.
    Key {
        /// What stands before the star.
        before: &'a [u8],
        /// What stands behind it.
        after: &'a [u8],
        /// What stands behind an arrow behind the star.
        field: Option<&'a [u8]>,
    },
}

/// A value that was found.
pub(super) enum Found<'k> {
    /// The string at a key.
    String(StrRef<'k>),
    /// A field of a hash.
    Field(Element<'k>),
}

impl<'a> Pattern<'a> {
    /// Reads a pattern. Only the first star counts, and the first arrow behind it if anything
    /// follows.
    pub(super) fn parse(text: &'a [u8]) -> Self {
        if text == b"#" {
            return Self::Element;
        }
        let Some(star) = star_of(text) else { return Self::Nowhere };
        let (before, rest) = text.split_at(star);
        let after = rest.split_first().map_or(rest, |(_, after)| after);
        let arrow = after.windows(2).position(|pair| pair == b"->");
        let parts = arrow.and_then(|arrow| Some((after.get(..arrow)?, after.get(arrow + 2..)?)));
        match parts {
            Some((after, field)) if !field.is_empty() => {
                Self::Key { before, after, field: Some(field) }
            }
            Some(_) | None => Self::Key { before, after, field: None },
        }
    }

    /// The value for `element`, if there is one of the type that the pattern means. `name` is room
    /// for the name of its key.
    pub(super) fn find<'k>(
        &self,
        keys: &'k mut Keyspace<'_>,
        element: &[u8],
        name: &mut Vec<u8>,
    ) -> Option<Found<'k>> {
        let Self::Key { before, after, field } = self else { return None };
        name.clear();
        name.extend_from_slice(before);
        name.extend_from_slice(element);
        name.extend_from_slice(after);
        match field {
            None => keys.read_string(name).ok()?.map(Found::String),
            Some(field) => {
                let now_ms = keys.now_ms();
                keys.read_as::<Hash>(name).ok()??.get(field, now_ms).map(Found::Field)
            }
        }
    }
}

impl Found<'_> {
    /// Replies with the value.
    pub(super) fn reply(self, reply: &mut Reply<'_>) {
        match self {
            Self::String(string) => reply_value(reply, Some(string)),
            Self::Field(element) => reply_element(reply, element),
        }
    }
}

/// Whether a pattern for BY means that nothing is sorted.
pub(super) fn leaves_order(text: &[u8]) -> bool {
    star_of(text).is_none()
}

/// Where the star is; behind a zero byte there is none.
fn star_of(text: &[u8]) -> Option<usize> {
    let found = text.iter().position(|byte| matches!(byte, b'*' | 0))?;
    (text.get(found) == Some(&b'*')).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::Pattern;
    use alloc::format;
    use alloc::string::String;

    fn key(before: &str, after: &str, field: Option<&str>) -> String {
        format!("{before}|{after}|{field:?}")
    }

    #[test]
    fn a_pattern_is_a_key_around_a_star_and_perhaps_a_field() {
        for (text, expected) in [
            ("w_*", key("w_", "", None)),
            ("*", key("", "", None)),
            ("a*b*c", key("a", "b*c", None)),
            ("h_*->f", key("h_", "", Some("f"))),
            ("h_*x->f->g", key("h_", "x", Some("f->g"))),
            ("a->*->f", key("a->", "", Some("f"))),
            ("a->*", key("a->", "", None)),
            ("h_*->", key("h_", "->", None)),
        ] {
            let Pattern::Key { before, after, field } = Pattern::parse(text.as_bytes()) else {
                panic!("{text} has a star");
            };
            let text_of = |part: &[u8]| String::from_utf8(part.to_vec()).unwrap();
            let field = field.map(text_of);
            assert_eq!(key(&text_of(before), &text_of(after), field.as_deref()), expected);
        }
        assert_eq!(Pattern::parse(b"#"), Pattern::Element);
        assert_eq!(Pattern::parse(b"x->y"), Pattern::Nowhere);
        assert_eq!(Pattern::parse(b""), Pattern::Nowhere);
        assert_eq!(Pattern::parse(b"a\x00*"), Pattern::Nowhere);
    }
}
