//! The kernel's out-of-memory killer.

use vesta_types::number::parse_i64;

use crate::value::{shown, spaced};
use crate::{Config, Opt, Refusal};

pub(super) const OPTIONS: &[Opt] =
    &[choice!("oom-score-adj", oom_score_adj).rim(), OOM_SCORE_ADJ_VALUES.many_words().rim()];

const OOM_SCORE_ADJ_VALUES: Opt = Opt::new("oom-score-adj-values", set_values, |config| {
    spaced(config.oom_score_adj_values.map(shown))
});

fn set_values(config: &mut Config, words: &[&[u8]]) -> Result<(), Refusal> {
    let words: &[&[u8]; 3] = words.try_into().map_err(|_| Refusal::WordCount)?;
    for (word, value) in words.iter().zip(&mut config.oom_score_adj_values) {
        *value = parse_i64(word)
            .filter(|score| (-2000..=2000).contains(score))
            .and_then(|score| i32::try_from(score).ok())
            .ok_or(Refusal::Rule(
                "Invalid oom-score-adj-values, elements must be between -2000 and 2000.",
            ))?;
    }
    Ok(())
}
