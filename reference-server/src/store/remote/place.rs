//! Where a change belongs among those of its record, and what the record is with it.

use super::state::{State, with_key};
use super::{RemoteWrite, Source, Version, WriteKind, increment_of};
use crate::store::catalog::Table;
use crate::store::error::StoreError;
use crate::store::history::Link;
use crate::store::read::View;
use crate::store::record::{Place, Record};
use crate::store::write::WriteTxn;
use crate::value::{Object, Value, compare};
use std::cmp::Ordering;

/// The latest change of a record.
pub(super) struct Head {
    pub(super) time: f64,
    origin: Option<String>,
    pub(super) place: Place,
    /// True when the record is gone.
    pub(super) is_buried: bool,
}

impl Head {
    pub(super) fn version(&self) -> Version<'_> {
        Version { time: self.time, origin: self.origin.as_deref() }
    }

    pub(super) fn is_before(&self, source: &Source<'_>) -> bool {
        self.version().order(&source.version()) == Ordering::Less
    }
}

impl WriteTxn<'_> {
    /// The latest change of the record under a whole key, as far as it is known.
    pub(super) fn head(
        &self,
        table: &Table,
        key: &[u8],
        source: &Source<'_>,
    ) -> Result<Option<Head>, StoreError> {
        let trees = &self.environment.trees;
        let view = self.records_view();
        if let Some(bytes) = trees.records.get(&self.txn, key)? {
            let record = Record::new(bytes)?;
            let (time, place) = (record.updated(), record.last_change());
            let collected = self.ledger.is_collecting(table.id, place);
            let origin = match collected {
                true => Some(source.origin.node.to_owned()),
                false => view.origin_at(table, place)?.map(|origin| origin.unwrap_or(source.own).to_owned()),
            };
            return Ok(Some(Head { time, origin, place, is_buried: false }));
        }
        let Some(place) = trees.tombstones.get(&self.txn, key)?.and_then(Place::from_bytes) else {
            return Ok(None);
        };
        if self.ledger.is_collecting(table.id, place) {
            let origin = Some(source.origin.node.to_owned());
            return Ok(Some(Head { time: source.timestamp, origin, place, is_buried: true }));
        }
        let link = view.link(table, place)?;
        Ok(link.map(|link| {
            let version = version_of(&link, source.own);
            Head { time: version.time, origin: version.origin.map(str::to_owned), place, is_buried: true }
        }))
    }
}

/// What is found out about the place of a change.
pub(super) enum Survey {
    /// It is there already.
    Known,
    New {
        /// The next later change.
        successor: Option<Place>,
        /// The next earlier one.
        previous: Place,
        /// What the record is with the change; `None` when it makes no difference.
        state: Option<State>,
    },
}

impl Survey {
    /// Of a change that is not the latest, or the latest of a record that is gone. `from` is where the last change of
    /// the record lies, `current` the record as it is.
    pub(super) fn of(
        view: View<'_>,
        table: &Table,
        from: Place,
        current: Option<&Record<'_>>,
        source: &Source<'_>,
        write: &RemoteWrite<'_>,
    ) -> Result<Survey, StoreError> {
        let incoming = source.version();
        let (mut successor, mut previous) = (None, Place::NONE);
        let mut walk = Walk::new(view, table, write.key, source.own);
        let mut links = view.chain(table, from);
        let mut earlier = None;
        for link in links.by_ref() {
            let link = link?;
            match incoming.order(&version_of(&link, source.own)) {
                Ordering::Equal if is_of(&link, write.key) => return Ok(Survey::Known),
                Ordering::Greater => {
                    previous = link.place;
                    earlier = Some(link);
                    break;
                }
                _ => {
                    (successor, previous) = (Some(link.place), link.previous());
                    walk.meet(&link)?;
                }
            }
        }
        if write.kind == WriteKind::Delete {
            return Ok(Survey::New { successor, previous, state: None });
        }
        let current = current.map(|record| State::of_record(table, record));
        let mut making = match (earlier, current) {
            (Some(earlier), current) if walk.is_enough(&earlier, current.as_ref(), source, write) => {
                walk.over(current.filter(|_| write.kind == WriteKind::Patch))
            }
            (earlier, _) => {
                for link in earlier.into_iter().map(Ok).chain(links) {
                    walk.meet(&link?)?;
                    if walk.is_complete {
                        break;
                    }
                }
                walk.end()
            }
        };
        let shows = making.take_in(table, source, write);
        Ok(Survey::New { successor, previous, state: if shows { making.state() } else { None } })
    }
}

/// One change and what it wrote.
pub(super) struct Known {
    pub(super) time: f64,
    pub(super) origin: String,
    pub(super) kind: WriteKind,
    pub(super) state: State,
}

/// The changes that make up a record, latest first, and the state they build upon when the history does not tell
/// how that came about.
pub(super) struct Making {
    pub(super) changes: Vec<Known>,
    pub(super) base: Option<Base>,
}

/// A state that counts as written whole.
pub(super) struct Base {
    pub(super) time: f64,
    /// `None` where nobody knows any more.
    pub(super) origin: Option<String>,
    pub(super) state: State,
}

/// Going through the changes of a record, latest first.
struct Walk<'w> {
    view: View<'w>,
    table: &'w Table,
    key: &'w Value,
    own: &'w str,
    changes: Vec<Known>,
    /// The record as it was before a change: the last state known to be whole.
    before: Option<Base>,
    /// Where the change that made it so lies, until that is met.
    awaited: Option<Place>,
    /// Whether what is earlier does not count.
    is_complete: bool,
}

impl<'w> Walk<'w> {
    fn new(view: View<'w>, table: &'w Table, key: &'w Value, own: &'w str) -> Walk<'w> {
        Walk { view, table, key, own, changes: Vec::new(), before: None, awaited: None, is_complete: false }
    }

    /// Takes in the next earlier change.
    fn meet(&mut self, link: &Link<'_>) -> Result<(), StoreError> {
        if self.is_complete || !is_of(link, self.key) {
            return Ok(());
        }
        let known = Known::of(self.table, link, self.own);
        if let (Some(place), Some(base)) = (self.awaited, &self.before) {
            match known.version().order(&base.version()) {
                _ if link.place == place => self.awaited = None,
                Ordering::Greater => {}
                // The history does not have it any more, or never had: it counts as written whole.
                Ordering::Equal | Ordering::Less => {
                    self.is_complete = true;
                    return Ok(());
                }
            }
        }
        // What came late tells nothing of what was before it: a patch is bare, a deletion a stub.
        if !link.change.is_bare() && (self.awaited.is_none() || !link.change.is_stub()) {
            let before = link.change.before;
            self.before =
                before.map(|before| Base::of(self.view, self.table, &before, self.own)).transpose()?;
            self.awaited = before.map(|before| before.last_change());
        }
        if known.kind == WriteKind::Put {
            (self.before, self.awaited, self.is_complete) = (None, None, true);
        }
        self.changes.push(known);
        Ok(())
    }

    /// When all have been met that count.
    fn end(mut self) -> Making {
        if let (None, Some(base), Some(earliest)) = (self.awaited, &mut self.before, self.changes.last()) {
            (base.time, base.origin) = (earliest.time, None);
        }
        Making { changes: self.changes, base: self.before }
    }

    /// Whether a change can be put in without going on, `earlier` being the next one: chains are long where many write
    /// one record, and those who write at once write near the end. All that was met must be later than the change. It
    /// is when
    ///
    /// - no state from before the changes met hides it, nor one from before `earlier`, which is of a time before;
    /// - what is earlier does not show, or is in `current`, the record as it is, that the change and those after it can
    ///   be written over once more. Increments would count twice, and who expires takes along what was before.
    fn is_enough(
        &self,
        earlier: &Link<'_>,
        current: Option<&State>,
        source: &Source<'_>,
        write: &RemoteWrite<'_>,
    ) -> bool {
        let incoming = source.version();
        let is_below = |base: &Base| base.version().order(&incoming) == Ordering::Less;
        let goes_on = is_of(earlier, self.key) && earlier.entry.timestamp < incoming.time;
        if self.is_complete || !goes_on || !self.before.as_ref().is_none_or(is_below) {
            return false;
        }
        if write.kind == WriteKind::Put {
            return true;
        }
        let lasts = |state: &State| state.expires_at().is_none();
        let adds = |members: &Object| members.values().any(|value| increment_of(value).is_some());
        let earlier = earlier.change.after.map(|record| record.expires_at());
        current.is_some_and(lasts)
            && earlier == Some(None)
            && self.before.as_ref().is_none_or(|base| lasts(&base.state))
            && write.expires_at.is_none_or(f64::is_infinite)
            && !adds(write.record)
            && self.changes.iter().all(|known| lasts(&known.state) && !adds(&known.state.members))
    }

    /// The changes that were met, over a state that has come about before all of them.
    fn over(self, state: Option<State>) -> Making {
        let base = state.map(|state| Base { time: f64::NEG_INFINITY, origin: None, state });
        Making { changes: self.changes, base }
    }
}

impl Making {
    /// Of the record whose last change is at a place.
    pub(super) fn of(
        view: View<'_>,
        table: &Table,
        from: Place,
        key: &Value,
        own: &str,
    ) -> Result<Making, StoreError> {
        let mut walk = Walk::new(view, table, key, own);
        for link in view.chain(table, from) {
            walk.meet(&link?)?;
            if walk.is_complete {
                break;
            }
        }
        Ok(walk.end())
    }

    /// Puts a change among the others; false when they hide it.
    fn take_in(&mut self, table: &Table, source: &Source<'_>, write: &RemoteWrite<'_>) -> bool {
        let incoming = source.version();
        let is_later = |known: &Known| known.version().order(&incoming) == Ordering::Greater;
        let at = self.changes.iter().take_while(|known| is_later(known)).count();
        let is_hidden = write.kind == WriteKind::Delete
            || self.changes.iter().take(at).any(|known| known.kind == WriteKind::Put)
            || self.base.as_ref().is_some_and(|base| base.version().order(&incoming) != Ordering::Less);
        if is_hidden {
            return false;
        }
        if write.kind == WriteKind::Put {
            self.changes.truncate(at);
            self.base = None;
        }
        let state = State::of_write(write, &with_key(table, write));
        let origin = source.origin.node.to_owned();
        self.changes.insert(at, Known { time: source.timestamp, origin, kind: write.kind, state });
        true
    }

    /// What the record is; `None` when it is gone.
    fn state(self) -> Option<State> {
        if self.changes.first().is_some_and(|latest| latest.kind == WriteKind::Delete) {
            return None;
        }
        let base = self.base.map(|base| base.state);
        self.changes.into_iter().rev().fold(base, |state, change| match (change.kind, state) {
            // Something later outdoes it.
            (WriteKind::Delete, state) => state,
            (WriteKind::Patch, Some(state)) => Some(state.patched(&change.state, change.time)),
            (WriteKind::Patch, None) => Some(change.state.settled()),
            (WriteKind::Put, _) => Some(change.state),
        })
    }
}

impl Base {
    /// A record as it was.
    fn of(view: View<'_>, table: &Table, record: &Record<'_>, own: &str) -> Result<Base, StoreError> {
        let origin = view.origin_of(table, record)?.map(|origin| origin.unwrap_or(own).to_owned());
        Ok(Base { time: record.updated(), origin, state: State::of_record(table, record) })
    }

    fn version(&self) -> Version<'_> {
        Version { time: self.time, origin: self.origin.as_deref() }
    }
}

impl Known {
    fn of(table: &Table, link: &Link<'_>, own: &str) -> Known {
        let kind = match link.change.after {
            None => WriteKind::Delete,
            Some(_) if link.change.is_patch() => WriteKind::Patch,
            Some(_) => WriteKind::Put,
        };
        let state = link
            .change
            .after
            .map_or_else(State::gone, |after| State::of_attributes(table, &after, link.change.written()));
        let origin = link.entry.origin.map_or(own, |origin| origin.node).to_owned();
        Known { time: link.entry.timestamp, origin, kind, state }
    }

    fn version(&self) -> Version<'_> {
        Version { time: self.time, origin: Some(&self.origin) }
    }
}

/// Whether a change in a chain is of this key: keys too long to be stored whole may share one.
fn is_of(link: &Link<'_>, key: &Value) -> bool {
    compare(&link.change.key(), key) == Ordering::Equal
}

fn version_of<'v>(link: &Link<'v>, own: &'v str) -> Version<'v> {
    let origin = link.entry.origin.map_or(own, |origin| origin.node);
    Version { time: link.entry.timestamp, origin: Some(origin) }
}
