//! When two replies to the same request count as the same.

use core::mem::discriminant;

use crate::value::Value;

/// Two servers read their clocks at different moments: times may differ by this much.
const TIME_DIFFERENCE_MS_MAX: i64 = 10_000;

/// Whether `ours` and `reference` are the same answer to `command`.
///
/// They are if equal, but for what no two servers share: the order of the keyspace, the clock,
/// chance, and sizes in memory.
#[must_use]
pub fn agree(command: &[Vec<u8>], ours: &Value, reference: &Value) -> bool {
    if ours == reference {
        return true;
    }
    let name = |at: usize| command.get(at).map(|word| word.to_ascii_uppercase());
    let (name, sub) = (name(0).unwrap_or_default(), name(1).unwrap_or_default());
    match (name.as_slice(), sub.as_slice()) {
        (b"KEYS" | b"SMEMBERS" | b"SINTER" | b"SUNION" | b"SDIFF" | b"SPOP", _) => {
            same_members(ours, reference)
        }
        (b"HKEYS" | b"HVALS", _) => same_members(ours, reference),
        (b"HGETALL", _) => same_pairs(ours, reference),
        (b"HSCAN" | b"ZSCAN", _) => match (ours.items(), reference.items()) {
            (Some([c1, fields1]), Some([c2, fields2])) => c1 == c2 && same_pairs(fields1, fields2),
            _ => false,
        },
        (b"SORT" | b"SORT_RO", _) => {
            // The reference takes an overflow in an earlier command for one of its own.
            let refused = b"ERR One or more scores can't be converted into double";
            ours.items().is_some() && reference.error() == Some(refused.as_slice())
        }
        (b"SRANDMEMBER" | b"HRANDFIELD" | b"ZRANDMEMBER", _) => same_draw(ours, reference),
        (b"SCAN" | b"SSCAN", _) => match (ours.items(), reference.items()) {
            (Some([c1, keys1]), Some([c2, keys2])) => c1 == c2 && same_members(keys1, keys2),
            _ => false,
        },
        (b"TTL" | b"EXPIRETIME", _) => near(ours, reference, TIME_DIFFERENCE_MS_MAX / 1000),
        (b"PTTL" | b"PEXPIRETIME", _) => near(ours, reference, TIME_DIFFERENCE_MS_MAX),
        (b"OBJECT", b"REFCOUNT" | b"IDLETIME" | b"FREQ") | (b"MEMORY", b"USAGE") => {
            ours.int().is_some() && reference.int().is_some()
        }
        (b"OBJECT", b"ENCODING") => {
            // Small sets of texts, and small lists, are listpacks since 7.2.
            let large: [&[u8]; 2] = [b"hashtable", b"quicklist"];
            ours.text() == Some(b"listpack")
                && reference.text().is_some_and(|name| large.contains(&name))
        }
        // Since 7.2 the arguments are looked at first, even if there is no key or no string.
        (b"BITCOUNT" | b"BITPOS", _) => {
            let is_unread = reference.int().is_some_and(|value| matches!(value, 0 | -1))
                || reference.error().is_some_and(|text| text.starts_with(b"WRONGTYPE "));
            let about_arguments: [&[u8]; 2] =
                [b"ERR syntax error", b"ERR value is not an integer or out of range"];
            is_unread && ours.error().is_some_and(|text| about_arguments.contains(&text))
        }
        // Since 7.2 a fourth argument may be WITHSCORE.
        (b"ZRANK" | b"ZREVRANK", _) => {
            let is_arity = |text: &[u8]| text.starts_with(b"ERR wrong number of arguments ");
            ours.error() == Some(b"ERR syntax error") && reference.error().is_some_and(is_arity)
        }
        // The reference takes a time to live beyond all times for one in the far past.
        (b"RESTORE", _) => {
            let is_beyond =
                command.get(2).is_some_and(|ttl| ttl == i64::MAX.to_string().as_bytes());
            is_beyond && ours.error() == Some(b"ERR Invalid TTL value, must be >= 0")
        }
        (b"XGROUP", b"CREATECONSUMER") => ours.int().is_some() && reference.int().is_some(),
        (b"XINFO" | b"XPENDING", _) => scrubbed(ours) == scrubbed(reference),
        (b"XREAD" | b"XREADGROUP", _) => {
            let is_unbalanced = |value: &Value| {
                value.error().is_some_and(|text| text.starts_with(b"ERR Unbalanced "))
            };
            is_unbalanced(ours) && is_unbalanced(reference)
        }
        ([b'Z', ..], _) => same_scores(ours, reference),
        (b"RANDOMKEY", _) => ours.text().is_some() && reference.text().is_some(),
        _ => false,
    }
}

fn near(ours: &Value, reference: &Value, difference_max: i64) -> bool {
    match (ours.int(), reference.int()) {
        // -1 and -2 are no times.
        (Some(a), Some(b)) => a >= 0 && b >= 0 && a.abs_diff(b) <= difference_max.unsigned_abs(),
        _ => false,
    }
}

/// What XINFO and XPENDING tell, without times, what only one of two implementations has, and
/// consumers: since 7.2 one comes into being by asking, even if it gets nothing.
fn scrubbed(value: &Value) -> String {
    const VARYING: [&[u8]; 2] = [b"radix-tree-nodes", b"consumers"];
    /// Replies hold no other numbers as large as milliseconds since 1970, and no other array has
    /// four items of which the second is a text and the third a number but one of XPENDING.
    const TIME_MS_MIN: i64 = 1_000_000_000_000;
    let is_varying = |name: &Value| name.text().is_some_and(|name| VARYING.contains(&name));
    if let Value::Map(pairs) = value {
        let pairs = pairs.iter().filter(|(name, _)| !is_varying(name));
        let shown = pairs.map(|(name, value)| format!("{name}: {}", scrubbed(value)));
        return format!("{{{}}}", shown.collect::<Vec<_>>().join(", "));
    }
    if let Value::Array(items) = value {
        let follows_name =
            |at: usize| at.checked_sub(1).and_then(|at| items.get(at)).is_some_and(is_varying);
        let items = items.iter().enumerate().filter(|(at, _)| !follows_name(*at));
        let mut shown: Vec<String> = items.map(|(_, item)| scrubbed(item)).collect();
        if let [_, consumer, idle, _] = shown.as_mut_slice()
            && consumer.starts_with('"')
            && idle.starts_with(':')
        {
            "idle".clone_into(idle);
        }
        return format!("[{}]", shown.join(", "));
    }
    match value.int() {
        Some(number) if number >= TIME_MS_MIN => "time".to_owned(),
        Some(_) | None => value.to_string(),
    }
}

/// Whether both are the same but for how scores are written: since 7.2 in their shortest form,
/// before with 17 digits.
fn same_scores(ours: &Value, reference: &Value) -> bool {
    /// Shorter texts of numbers are the same in both forms, or names of members.
    const LONG: usize = 16;
    let score = |value: &Value| {
        let text = if let Value::Double(text) = value {
            text.as_str()
        } else {
            str::from_utf8(value.text()?).ok()?
        };
        text.parse::<f64>().ok().filter(|_| text.len() >= LONG)
    };
    match (ours.items(), reference.items()) {
        (Some(ours), Some(reference)) => {
            ours.len() == reference.len()
                && ours.iter().zip(reference).all(|(ours, other)| same_scores(ours, other))
        }
        _ => ours == reference || score(reference).is_some_and(|both| score(ours) == Some(both)),
    }
}

/// Whether as many elements were drawn, one by one or together.
fn same_draw(ours: &Value, reference: &Value) -> bool {
    match (ours, reference) {
        (Value::Bulk(_), Value::Bulk(_)) => true,
        (Value::Array(ours), Value::Array(reference)) => ours.len() == reference.len(),
        _ => false,
    }
}

/// Whether both are of the same kind and have the same items, in whatever order.
fn same_members(ours: &Value, reference: &Value) -> bool {
    if discriminant(ours) != discriminant(reference) {
        return false;
    }
    let sorted = |value: &Value| {
        let mut items: Vec<String> = value.items()?.iter().map(Value::to_string).collect();
        items.sort();
        Some(items)
    };
    sorted(ours).is_some_and(|ours| Some(ours) == sorted(reference))
}

/// Whether both are of the same kind and have the same pairs, in whatever order.
fn same_pairs(ours: &Value, reference: &Value) -> bool {
    let sorted = |value: &Value| {
        let pairs = value.pairs()?;
        let mut pairs: Vec<String> = pairs.iter().map(|(k, v)| format!("{k} {v}")).collect();
        pairs.sort();
        Some(pairs)
    };
    discriminant(ours) == discriminant(reference)
        && sorted(ours).is_some_and(|ours| Some(ours) == sorted(reference))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees(command: &str, ours: &str, reference: &str) -> bool {
        let decoded = |bytes: &str| Value::decode(bytes.as_bytes()).unwrap().unwrap().0;
        let command: Vec<Vec<u8>> =
            command.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        agree(&command, &decoded(ours), &decoded(reference))
    }

    #[test]
    fn only_what_two_servers_cannot_share_may_differ() {
        assert!(agrees("GET k", "$1\r\na\r\n", "$1\r\na\r\n"));
        assert!(!agrees("GET k", "$-1\r\n", "_\r\n"));
        assert!(agrees("keys *", "*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n"));
        assert!(!agrees("KEYS *", "*2\r\n:1\r\n:1\r\n", "*2\r\n:2\r\n:1\r\n"));
        assert!(!agrees("MGET a b", "*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n"));
        assert!(agrees("TTL k", ":100\r\n", ":99\r\n"));
        assert!(!agrees("TTL k", ":-1\r\n", ":-2\r\n"));
        assert!(!agrees("TTL k", ":0\r\n", ":-1\r\n"));
        assert!(!agrees("TTL k", ":100\r\n", ":200\r\n"));
        assert!(agrees("OBJECT refcount k", ":1\r\n", ":2147483647\r\n"));
        assert!(!agrees("OBJECT encoding k", "$3\r\nint\r\n", "$3\r\nraw\r\n"));
        assert!(!agrees("MEMORY USAGE k", ":1\r\n", "$-1\r\n"));
        assert!(agrees("BITCOUNT k 0", "-ERR syntax error\r\n", ":0\r\n"));
        assert!(!agrees("BITCOUNT k 0", "-ERR syntax error\r\n", ":1\r\n"));
        assert!(!agrees("BITCOUNT k", ":0\r\n", "-WRONGTYPE x\r\n"));
        assert!(agrees("SINTER a b", "~2\r\n:1\r\n:2\r\n", "~2\r\n:2\r\n:1\r\n"));
        assert!(!agrees("SINTER a b", "*1\r\n:1\r\n", "~1\r\n:1\r\n"));
        assert!(agrees(
            "HGETALL k",
            "%2\r\n:1\r\n:2\r\n:3\r\n:4\r\n",
            "%2\r\n:3\r\n:4\r\n:1\r\n:2\r\n"
        ));
        assert!(agrees(
            "HGETALL k",
            "*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n",
            "*4\r\n:3\r\n:4\r\n:1\r\n:2\r\n"
        ));
        assert!(!agrees(
            "HGETALL k",
            "*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n",
            "*4\r\n:2\r\n:1\r\n:3\r\n:4\r\n"
        ));
        assert!(agrees("SRANDMEMBER k 1", "*1\r\n:1\r\n", "*1\r\n:2\r\n"));
        assert!(!agrees("SRANDMEMBER k 1", "*1\r\n:1\r\n", "*0\r\n"));
        assert!(!agrees("SRANDMEMBER k", "$-1\r\n", "$1\r\na\r\n"));
        assert!(agrees(
            "ZRANGE k 0 -1 WITHSCORES",
            "*2\r\n$1\r\na\r\n$17\r\n47970391854334180\r\n",
            "*2\r\n$1\r\na\r\n$17\r\n47970391854334176\r\n"
        ));
        assert!(!agrees("ZRANGE k 0 -1", "*1\r\n$2\r\n01\r\n", "*1\r\n$1\r\n1\r\n"));
        assert!(agrees("OBJECT ENCODING k", "$8\r\nlistpack\r\n", "$9\r\nhashtable\r\n"));
        assert!(!agrees("OBJECT ENCODING k", "$9\r\nhashtable\r\n", "$8\r\nlistpack\r\n"));
    }
}
