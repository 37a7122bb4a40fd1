//! Clients and their buffers.

use alloc::vec;
use alloc::vec::Vec;

use vesta_types::ascii::is_word;
use vesta_types::number::parse_u64;

use crate::value::{self, shown, spaced};
use crate::{Config, MemoryOrPercent, Opt, OutputLimit, Refusal};

use super::BYTES_MAX;

pub(super) const OPTIONS: &[Opt] = &[
    number!("maxclients", maxclients, 1..=0xffff_ffff).rim().works(),
    memory!("client-query-buffer-limit", client_query_buffer_limit_bytes, 1 << 20..=BYTES_MAX)
        .works(),
    OUTPUT_LIMITS.many_words().written_as(output_limit_lines).works(),
    memory!("proto-max-bulk-len", proto_max_bulk_len_bytes, 1 << 20..=BYTES_MAX).works(),
    MAXMEMORY_CLIENTS,
];

/// Words of the client classes, in the order of the array; other spellings behind the first.
const CLASSES: [&[&str]; 3] = [&["normal"], &["slave", "replica"], &["pubsub"]];

const OUTPUT_LIMITS: Opt = Opt::new("client-output-buffer-limit", set_output_limits, |config| {
    spaced(CLASSES.iter().zip(&config.client_output_buffer_limit).flat_map(|(class, limit)| {
        let [hard, soft, seconds] = limit_words(limit, shown);
        [class.first().map_or(Vec::new(), |word| word.as_bytes().to_vec()), hard, soft, seconds]
    }))
});

/// Classes that are not named keep their limits.
fn set_output_limits(config: &mut Config, words: &[&[u8]]) -> Result<(), Refusal> {
    let (quads, rest) = words.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Refusal::Rule("Wrong number of arguments in buffer limit configuration."));
    }
    for [class, hard, soft, seconds] in quads {
        let known = |spellings: &[&str]| spellings.iter().any(|word| is_word(class, word));
        let limit = CLASSES
            .iter()
            .zip(&mut config.client_output_buffer_limit)
            .find_map(|(spellings, limit)| known(spellings).then_some(limit))
            .ok_or(Refusal::Rule(
                "Invalid client class specified in buffer limit configuration.",
            ))?;
        *limit = output_limit(hard, soft, seconds).ok_or(Refusal::Rule(
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        ))?;
    }
    Ok(())
}

fn output_limit(hard: &[u8], soft: &[u8], seconds: &[u8]) -> Option<OutputLimit> {
    Some(OutputLimit {
        hard_bytes: value::parse_bytes(hard)?,
        soft_bytes: value::parse_bytes(soft)?,
        soft_seconds: parse_u64(seconds).filter(|seconds| *seconds <= BYTES_MAX)?,
    })
}

fn limit_words(limit: &OutputLimit, bytes: fn(u64) -> Vec<u8>) -> [Vec<u8>; 3] {
    [bytes(limit.hard_bytes), bytes(limit.soft_bytes), shown(limit.soft_seconds)]
}

fn output_limit_lines(config: &Config) -> Vec<Vec<Vec<u8>>> {
    let classes = CLASSES.iter().zip(&config.client_output_buffer_limit);
    classes
        .map(|(class, limit)| {
            let [hard, soft, seconds] = limit_words(limit, |bytes| value::with_unit(shown(bytes)));
            vec![
                class.last().map_or(Vec::new(), |word| word.as_bytes().to_vec()),
                hard,
                soft,
                seconds,
            ]
        })
        .collect()
}

const MAXMEMORY_CLIENTS: Opt = Opt::new(
    "maxmemory-clients",
    |config, words| {
        config.maxmemory_clients = value::memory_or_percent(words)?;
        Ok(())
    },
    |config| match config.maxmemory_clients {
        MemoryOrPercent::Bytes(bytes) => shown(bytes),
        MemoryOrPercent::Percent(percent) => alloc::format!("{percent}%").into_bytes(),
    },
)
.memory()
.works();
