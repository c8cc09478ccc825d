//! Figures of a database's file.

use super::changes::Tree;
use super::database::Database;
use super::error::StoreError;
use heed::{AnyTls, RoTxn};

/// Figures of a database's file and of the trees in it.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// The bytes of the memory map.
    pub map_size: usize,
    /// The number of the last page in use.
    pub last_page: usize,
    /// The number of the last transaction.
    pub last_transaction: usize,
    /// How many read transactions there can be at a time.
    pub max_readers: u32,
    /// How many there have been at a time.
    pub readers: u32,
    /// The records.
    pub records: TreeStatistics,
    /// The history.
    pub history: TreeStatistics,
}

/// Figures of one tree.
#[derive(Clone, Copy, Debug)]
pub struct TreeStatistics {
    /// Bytes of a page.
    pub page_size: u32,
    /// Levels.
    pub depth: u32,
    /// Inner pages.
    pub branch_pages: usize,
    /// Pages with entries.
    pub leaf_pages: usize,
    /// Pages of entries that are larger than a page.
    pub overflow_pages: usize,
    /// Entries.
    pub entries: usize,
}

impl Database {
    /// Figures of the file as it is now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn statistics(&self) -> Result<Statistics, StoreError> {
        let environment = &self.environment;
        let reading = environment.read()?;
        let info = environment.info();
        Ok(Statistics {
            map_size: info.map_size,
            last_page: info.last_page_number,
            last_transaction: info.last_txn_id,
            max_readers: info.maximum_number_of_readers,
            readers: info.number_of_readers,
            records: of_tree(&reading.txn, &environment.trees.records)?,
            history: of_tree(&reading.txn, &environment.trees.history)?,
        })
    }
}

fn of_tree(txn: &RoTxn<'_, AnyTls>, tree: &Tree) -> Result<TreeStatistics, StoreError> {
    let stat = tree.stat(txn)?;
    Ok(TreeStatistics {
        page_size: stat.page_size,
        depth: stat.depth,
        branch_pages: stat.branch_pages,
        leaf_pages: stat.leaf_pages,
        overflow_pages: stat.overflow_pages,
        entries: stat.entries,
    })
}
