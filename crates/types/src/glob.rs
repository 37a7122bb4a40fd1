//! Glob-style patterns as KEYS, SCAN, CONFIG GET and pattern subscriptions understand them.
//!
//! `*` any run, `?` one byte, `[abc]`, `[^abc]`, `[a-z]` classes, `\x` the byte x itself. Bytes,
//! not characters. The work is bounded by the product of both lengths: on a mismatch only the last
//! star is tried again (an earlier one could not do better), so no pattern is exponential
//! (CVE-2022-36021 and CVE-2024-31228 name that class).

/// Whether the whole `text` matches `pattern`; with `ignore_case`, ASCII case does not count.
#[must_use]
pub fn matches(pattern: &[u8], text: &[u8], ignore_case: bool) -> bool {
    let (mut pattern_at, mut text_at) = (0, 0);
    // Where to go on when the match after the last star fails.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let rest = pattern.get(pattern_at..).unwrap_or_default();
        if rest.first() == Some(&b'*') {
            pattern_at += 1;
            retry = Some((pattern_at, text_at));
            continue;
        }
        let step = match (rest.is_empty(), text.get(text_at)) {
            (true, None) => return true,
            (false, Some(byte)) => one(rest, *byte, ignore_case),
            (true, Some(_)) => None,
            (false, None) => return false,
        };
        match (step, retry) {
            (Some(taken), _) => {
                pattern_at += taken;
                text_at += 1;
            }
            (None, Some((after_star, from))) => {
                pattern_at = after_star;
                text_at = from + 1;
                retry = Some((after_star, text_at));
            }
            (None, None) => return false,
        }
    }
}

/// Matches one byte against the first element of a non-empty `pattern`; how many pattern bytes
/// that element takes, or `None` when it does not match.
fn one(pattern: &[u8], byte: u8, ignore_case: bool) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'[', class @ ..] => {
            let (hit, taken) = in_class(class, byte, ignore_case);
            hit.then_some(taken + 1)
        }
        [b'\\', literal, ..] => same(*literal, byte, ignore_case).then_some(2),
        [literal, ..] => same(*literal, byte, ignore_case).then_some(1),
        [] => None,
    }
}

/// Whether `byte` is in the class whose text follows `[`, and how many bytes the class takes. A
/// class that never closes ends with the pattern, as in Redis.
fn in_class(class: &[u8], byte: u8, ignore_case: bool) -> (bool, usize) {
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut hit = false;
    loop {
        match class.get(at..).unwrap_or_default() {
            [] => return (hit != negated, at),
            [b']', ..] => return (hit != negated, at + 1),
            [b'\\', literal, ..] => {
                hit |= same(*literal, byte, ignore_case);
                at += 2;
            }
            [low, b'-', high, ..] => {
                hit |= within(*low, *high, byte, ignore_case);
                at += 3;
            }
            [literal, ..] => {
                hit |= same(*literal, byte, ignore_case);
                at += 1;
            }
        }
    }
}

fn same(left: u8, right: u8, ignore_case: bool) -> bool {
    if ignore_case { left.eq_ignore_ascii_case(&right) } else { left == right }
}

fn within(low: u8, high: u8, byte: u8, ignore_case: bool) -> bool {
    let fold = |b: u8| if ignore_case { b.to_ascii_lowercase() } else { b };
    let (low, high) = (fold(low.min(high)), fold(low.max(high)));
    (low.min(high)..=low.max(high)).contains(&fold(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a", "", false),
            ("", "a", false),
            ("h?llo", "hello", true),
            ("h*llo", "heeeello", true),
            ("h*llo", "heeeellx", false),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hallo", true),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h\\*llo", "h*llo", true),
            ("h\\*llo", "hello", false),
            ("[abc", "b", true),
            ("[\\]]", "]", true),
            ("*a*b*c*", "xxaxxbxxcxx", true),
            ("*a*b*c*", "xxaxxcxxbxx", false),
            ("a\\", "a\\", true),
            ("[", "[", false),
            ("[^", "x", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes(), false), expected, "{pattern}");
        }
        assert!(matches(b"MAX*", b"maxmemory", true));
        assert!(!matches(b"MAX*", b"maxmemory", false));
        assert!(matches(b"[A-Z]x", b"bX", true));
    }

    #[test]
    fn many_stars_do_not_explode() {
        let pattern = b"*a".repeat(2000);
        let text = b"a".repeat(1999);
        assert!(!matches(&pattern, &text, false));
    }
}
