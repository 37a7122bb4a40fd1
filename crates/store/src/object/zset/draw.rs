//! Members drawn by chance.

use super::Zset;
use alloc::collections::BTreeSet;
use vesta_ds::Element;
use vesta_types::Rng;

/// With fewer members than this for each one wanted, all are gone through.
const MEMBERS_PER_DRAW: usize = 4;

impl Zset {
    /// A member with its score, drawn fairly.
    #[must_use]
    pub fn random(&self, rng: &mut Rng) -> Option<(Element<'_>, f64)> {
        let rank = below(self.len(), rng);
        self.walk(rank..rank.saturating_add(1)).next()
    }

    /// Shows `each` so many different members with their scores, or all when there are no more.
    /// Every choice of members is as likely as every other; they come in order.
    pub fn sample<'s>(
        &'s self,
        count: usize,
        rng: &mut Rng,
        mut each: impl FnMut(Element<'s>, f64),
    ) {
        let len = self.len();
        let mut wanted = count.min(len);
        if wanted < len / MEMBERS_PER_DRAW {
            // A rank that is drawn again makes way for the last of those it is drawn from, which
            // keeps all choices equally likely (Floyd's sampling).
            let mut ranks = BTreeSet::new();
            for last in len - wanted..len {
                let rank = below(last + 1, rng);
                if !ranks.insert(rank) {
                    ranks.insert(last);
                }
            }
            let members = ranks.into_iter().flat_map(|rank| self.walk(rank..rank + 1));
            return members.for_each(|(name, score)| each(name, score));
        }
        // Each member is taken with the chance of those still wanted among those still to come.
        for (left, (name, score)) in (1..=len).rev().zip(self.iter()) {
            if wanted == 0 {
                return;
            }
            if below(left, rng) < wanted {
                wanted -= 1;
                each(name, score);
            }
        }
    }
}

fn below(bound: usize, rng: &mut Rng) -> usize {
    usize::try_from(rng.below(bound as u64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Rules};
    use alloc::format;
    use vesta_ds::{Digits, KeyHasher};

    #[test]
    fn every_member_has_the_same_chance() {
        const ROUNDS: usize = 4000;
        for (entries_max, count) in [(128, 3), (128, 10), (0, 3), (0, 10)] {
            let limits = Limits { zset_listpack_entries_max: entries_max, ..Limits::default() };
            let rules = Rules { limits, hasher: KeyHasher::new(1) };
            let mut zset = Zset::from_sorted(&[], &rules);
            for member in 0..20 {
                zset.insert(format!("{member}").as_bytes(), f64::from(member), &rules);
            }
            let (mut rng, mut singly, mut together) = (Rng::new(5), [0; 20], [0; 20]);
            for _ in 0..ROUNDS {
                let (_, score) = zset.random(&mut rng).unwrap();
                singly[score as usize] += 1;
                let (mut seen, mut before) = (0, -1.0);
                zset.sample(count, &mut rng, |name, score| {
                    assert!(name.is(format!("{score}").as_bytes()) && score > before);
                    together[score as usize] += 1;
                    (seen, before) = (seen + 1, score);
                });
                assert_eq!(seen, count);
            }
            // Six deviations from the mean, about.
            for (found, per_round) in [(singly, 1), (together, count)] {
                let mean = ROUNDS * per_round / 20;
                let off = found.iter().map(|times: &usize| times.abs_diff(mean)).max().unwrap();
                assert!(off * off < 36 * mean, "{found:?} around {mean}");
            }
        }
    }

    #[test]
    fn no_more_come_than_there_are() {
        let rules = Rules { limits: Limits::default(), hasher: KeyHasher::new(1) };
        let mut zset = Zset::from_sorted(&[], &rules);
        let mut rng = Rng::new(5);
        assert!(zset.random(&mut rng).is_none());
        zset.sample(3, &mut rng, |_, _| unreachable!("there is nothing to draw"));
        zset.insert(b"a", 1.0, &rules);
        let mut drawn = alloc::vec::Vec::new();
        zset.sample(usize::MAX, &mut rng, |name, score| {
            drawn.push((name.text(&mut Digits::new()).to_vec(), score));
        });
        assert_eq!(drawn, [(b"a".to_vec(), 1.0)]);
    }
}
