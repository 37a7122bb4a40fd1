//! Filling databases with what was written down before: no effects, no events, nothing replaced by
//! mistake.

use crate::{Entry, Store};
use vesta_types::DbIndex;

impl Store {
    /// Puts an entry into `db` unless its key is there: then it comes back.
    ///
    /// # Errors
    /// The entry, when there is one with its key.
    pub fn load(&mut self, db: DbIndex, mut entry: Entry) -> Result<(), Entry> {
        let hash = self.hash(entry.key());
        let Self { dbs, ledger, .. } = self;
        let db = dbs.get_mut(db.index()).expect("an index is below the number of databases");
        if db.table.find(hash, entry.key()).is_some() {
            return Err(entry);
        }
        ledger.learn(&mut db.expiring, db.progress.as_ref(), hash, &mut entry);
        db.table.insert_new(hash, entry);
        Ok(())
    }

    /// Makes room for `keys` keys in `db`, if it is empty.
    pub fn expect_keys(&mut self, db: DbIndex, keys: usize) {
        let db = self.dbs.get_mut(db.index()).expect("an index is below the number of databases");
        if db.table.is_empty() {
            db.table.expect(keys);
        }
    }

    /// Whether any field of a hash expires.
    #[must_use]
    pub fn has_expiring_fields(&self) -> bool {
        self.dbs.iter().any(|db| db.expiring.hashes() > 0)
    }
}
