//! Fields drawn by chance.

use super::{Form, Hash, is_due};
use alloc::collections::BTreeSet;
use vesta_ds::Element;
use vesta_types::Rng;

/// Fields found due in a row before the others are looked for in order.
const DUE_DRAWS_MAX: usize = 100;
/// With fewer fields than this for each one wanted, all are gone through.
const FIELDS_PER_DRAW: usize = 3;

impl Hash {
    /// A field and its value drawn fairly at `now_ms`.
    #[must_use]
    pub fn random(&self, rng: &mut Rng, now_ms: u64) -> Option<(Element<'_>, Element<'_>)> {
        match &self.0 {
            Form::Listpack(listpack) => {
                let pair = i64::try_from(rng.below(listpack.len() as u64 / 2)).ok()?;
                listpack.pairs_from(listpack.seek(pair * 2)?).next()
            }
            Form::Table(fields) => {
                for _ in 0..DUE_DRAWS_MAX {
                    let field = fields.table.random(&mut || rng.bits())?;
                    if !is_due(field, now_ms) {
                        return Some((Element::Bytes(field.name()), Element::Bytes(field.value())));
                    }
                }
                self.iter(now_ms).next()
            }
        }
    }

    /// Hands `count` distinct fields with their values to `each`, drawn fairly among those at
    /// `now_ms`; all of them when there are not so many. [`Hash::live_len`] says how many come.
    pub fn sample<'a>(
        &'a self,
        count: usize,
        rng: &mut Rng,
        now_ms: u64,
        mut each: impl FnMut(Element<'a>, Element<'a>),
    ) {
        let mut left = self.live_len(now_ms);
        let mut wanted = count.min(left);
        if let Form::Table(fields) = &self.0
            && wanted < left / FIELDS_PER_DRAW
            && left > fields.table.len() / 2
        {
            let mut drawn = BTreeSet::new();
            while drawn.len() < wanted {
                let Some(field) = fields.table.random(&mut || rng.bits()) else { return };
                if !is_due(field, now_ms) && drawn.insert(field.name()) {
                    each(Element::Bytes(field.name()), Element::Bytes(field.value()));
                }
            }
            return;
        }
        // Each field is taken with the chance of those still wanted among those still to come,
        // which makes every selection equally likely (Knuth's selection sampling).
        for (name, value) in self.iter(now_ms) {
            if wanted == 0 {
                return;
            }
            if rng.below(left as u64) < wanted as u64 {
                each(name, value);
                wanted -= 1;
            }
            left -= 1;
        }
    }
}
