//! The numbers given to records that came without a key: none is given twice, not even after a deletion.

use parking_lot::Mutex;
use std::collections::HashMap;

/// The last number given, by database and table.
#[derive(Debug, Default)]
pub struct KeyNumbers {
    last: Mutex<HashMap<(String, u32), f64>>,
}

impl KeyNumbers {
    /// The last number given in a table, 0 when there was none.
    pub(super) fn last(&self, database: &str, table: u32) -> f64 {
        self.last.lock().get(&(database.to_owned(), table)).copied().unwrap_or(0.0)
    }

    /// Forgets a database that is gone: the next one of that name begins anew.
    pub fn forget(&self, database: &str) {
        self.last.lock().retain(|(of, _), _| of != database);
    }

    /// Notes a number as given.
    pub(super) fn note(&self, database: &str, table: u32, number: f64) {
        self.last.lock().insert((database.to_owned(), table), number);
    }
}
