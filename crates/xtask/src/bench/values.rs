//! The values that commands are measured on.

use vesta_testkit::client::encode;

/// Elements sent with one request.
const BATCH: usize = 100;
/// Bytes of a string of bits.
const BITS_BYTES: usize = 10 << 20;

/// Something to be there before requests are measured.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Data {
    /// `zset:1m`: the first million members with their numbers as scores.
    SortedSet1M,
    /// `zset:100k:0` and `:1`: 100,000 members each, half of them in both.
    SortedSets100K,
    /// `set:100k:0` and `:1`: the same as sets.
    Sets100K,
    /// `numbers:100k`: a list of 100,000 numbers in no order.
    Numbers100K,
    /// `hash:1000`: 1,000 fields.
    Hash1000,
    /// `stream:1000`: 1,000 entries of one field.
    Stream1000,
    /// `bits:0` and `:1`: 10 MB of bits each, half of them set.
    Bits,
    /// `bits:zero`: 10 MB of which the last bit is set.
    Zeros,
    /// `counter:0` to `:9`: HyperLogLogs of 10,000 elements, half of which the next one has too.
    Counters,
    /// `points:100k`: 100,000 places.
    Points100K,
}

impl Data {
    /// The requests that make it.
    pub(super) fn requests(self) -> Vec<Vec<u8>> {
        let number = |number: usize| number.to_string();
        let scored = |index: usize| vec![number(index), member(index)];
        let two = |command, name: &str, element: &dyn Fn(usize) -> Vec<String>| {
            let first = filled(command, &format!("{name}:0"), 0..100_000, element);
            let second = filled(command, &format!("{name}:1"), 50_000..150_000, element);
            [first, second].concat()
        };
        match self {
            Self::SortedSet1M => filled("ZADD", "zset:1m", 0..1_000_000, &scored),
            Self::SortedSets100K => two("ZADD", "zset:100k", &scored),
            Self::Sets100K => two("SADD", "set:100k", &|index| vec![member(index)]),
            Self::Numbers100K => filled("RPUSH", "numbers:100k", 0..100_000, &|index| {
                vec![number(scattered(index, 1_000_000))]
            }),
            Self::Hash1000 => filled("HSET", "hash:1000", 0..1000, &|index| {
                vec![format!("field:{index}"), format!("value:{index:010}")]
            }),
            Self::Stream1000 => (0..1000)
                .map(|index| encode(&["XADD", "stream:1000", "*", "field", &member(index)]))
                .collect(),
            Self::Bits => [1, 2].into_iter().map(|seed| set_bits(seed - 1, &bits(seed))).collect(),
            Self::Zeros => {
                let last = number(BITS_BYTES * 8 - 1);
                vec![encode(&["SETBIT", "bits:zero", &last, "1"])]
            }
            Self::Counters => (0..10)
                .flat_map(|counter| {
                    let key = format!("counter:{counter}");
                    let elements = counter * 5000..counter * 5000 + 10_000;
                    filled("PFADD", &key, elements, &|index| vec![member(index)])
                })
                .collect(),
            Self::Points100K => filled("GEOADD", "points:100k", 0..100_000, &|index| {
                let [longitude, latitude] = point(index);
                vec![longitude, latitude, member(index)]
            }),
        }
    }
}

/// Some requests that add the elements of these numbers to `key`.
pub(super) fn filled(
    command: &str,
    key: &str,
    numbers: std::ops::Range<usize>,
    element: &dyn Fn(usize) -> Vec<String>,
) -> Vec<Vec<u8>> {
    let numbers: Vec<usize> = numbers.collect();
    let request = |numbers: &[usize]| {
        let head = [command.to_owned(), key.to_owned()];
        encode(
            &head.into_iter().chain(numbers.iter().flat_map(|n| element(*n))).collect::<Vec<_>>(),
        )
    };
    numbers.chunks(BATCH).map(request).collect()
}

/// A member of 14 bytes.
pub(super) fn member(number: usize) -> String {
    format!("member:{number:07}")
}

/// Longitude and latitude of a place in the middle of Europe, a few hundred kilometres across.
pub(super) fn point(number: usize) -> [String; 2] {
    let part = |seed: usize, span: f64| scattered(number.wrapping_add(seed), 1 << 20) as f64 * span;
    let (east, north) = (part(0, 10.0 / 1_048_576.0), part(77_777, 10.0 / 1_048_576.0));
    [format!("{:.6}", 5.0 + east), format!("{:.6}", 45.0 + north)]
}

/// A number below `below`, another one for most numbers, always the same for one.
pub(super) fn scattered(number: usize, below: usize) -> usize {
    let mixed = (number as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    usize::try_from((mixed ^ (mixed >> 32)) % below.max(1) as u64).unwrap_or(0)
}

fn bits(seed: usize) -> Vec<u8> {
    (0..BITS_BYTES / 8)
        .flat_map(|word| (scattered(word.wrapping_mul(seed), usize::MAX) as u64).to_le_bytes())
        .collect()
}

fn set_bits(number: usize, bits: &[u8]) -> Vec<u8> {
    let key = format!("bits:{number}");
    encode(&[b"SET", key.as_bytes(), bits])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scattered_numbers_cover_their_range() {
        let mut seen = vec![0; 10];
        for number in 0..10_000 {
            seen[scattered(number, 10)] += 1;
        }
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
    }

    #[test]
    fn elements_are_sent_in_batches() {
        assert_eq!(Data::Sets100K.requests().len(), 2 * 100_000 / BATCH);
        let sent = Data::Hash1000.requests().into_iter().next().unwrap();
        assert!(sent.starts_with(b"*202\r\n$4\r\nHSET\r\n$9\r\nhash:1000\r\n$7\r\nfield:0\r\n"));
    }
}
