//! The changes of one record, newest first, and putting one into their middle.

use super::key;
use super::read::{HistoryChange, HistoryRecord};
use crate::store::catalog::Table;
use crate::store::error::StoreError;
use crate::store::read::View;
use crate::store::record::Place;
use crate::store::write::WriteTxn;

/// One change in the chain of a record.
#[derive(Clone, Copy)]
pub(in crate::store) struct Link<'t> {
    pub(in crate::store) place: Place,
    pub(in crate::store) entry: HistoryRecord<'t>,
    pub(in crate::store) change: HistoryChange<'t>,
}

impl Link<'_> {
    /// Where the change before lies.
    pub(in crate::store) fn previous(&self) -> Place {
        self.change.previous
    }
}

impl<'t> View<'t> {
    /// The changes of a record from a place on, newest first, as far as the history still has them.
    pub(in crate::store) fn chain(
        &self,
        table: &Table,
        from: Place,
    ) -> impl Iterator<Item = Result<Link<'t>, StoreError>> {
        let view = *self;
        let mut next = from;
        let mut seen: Option<(f64, Place)> = None;
        std::iter::from_fn(move || {
            let link = view.link(table, next).transpose()?;
            if let Ok(link) = &link {
                let time = link.entry.timestamp;
                // Damaged chains must end, too.
                if seen.is_some_and(|(last, place)| time > last || (time == last && place == link.place)) {
                    return None;
                }
                seen = Some((time, link.place));
                next = link.change.previous;
            } else {
                next = Place::NONE;
            }
            Some(link)
        })
    }

    /// The change at a place, if the history still has it.
    pub(in crate::store) fn link(&self, table: &Table, place: Place) -> Result<Option<Link<'t>>, StoreError> {
        let Some(entry) = self.entry(table, place.entry)? else { return Ok(None) };
        Ok(Some(Link { place, entry, change: entry.change_at(place.offset)? }))
    }
}

impl WriteTxn<'_> {
    /// Makes `previous` the change before the one at a place.
    pub(in crate::store) fn relink(
        &mut self,
        table: &Table,
        at: Place,
        previous: Place,
    ) -> Result<(), StoreError> {
        let missing = || StoreError::Corrupt("a history entry vanished while it was changed".to_owned());
        let trees = self.environment.trees;
        let view = self.records_view();
        let entry = view.entry(table, at.entry)?.ok_or_else(missing)?;
        let key = key(table.id, entry.timestamp, entry.number);
        let value = trees.history.get(&self.txn, &key)?.ok_or_else(missing)?;
        let start = value.len() - entry.changes_length() + at.offset as usize;
        let mut value = value.to_vec();
        let place = value.get_mut(start..start + Place::LENGTH).ok_or_else(missing)?;
        place.copy_from_slice(&previous.to_bytes());
        let put = trees.history.put(&mut self.txn, &key, &value);
        self.noted(put)
    }
}
