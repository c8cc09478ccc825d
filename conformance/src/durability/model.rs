//! What one writer's records must be: a pure model, which knows what was acknowledged and what may or may not have
//! come through.

use std::collections::{BTreeMap, BTreeSet};

/// The states of records by key: which request wrote them last.
pub(super) type Records = BTreeMap<String, u64>;

/// A request that writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Write {
    /// Its number among those of its writer.
    pub(super) number: u64,
    /// What it does.
    pub(super) how: How,
    /// To which records.
    pub(super) keys: Vec<String>,
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Adds records with new keys.
    Insert,
    /// Changes records that are there.
    Update,
    /// Adds or changes.
    Upsert,
    /// Takes away records that are there.
    Delete,
}

impl How {
    /// The operation's name.
    pub(super) fn operation(self) -> &'static str {
        match self {
            How::Insert => "insert",
            How::Update => "update",
            How::Upsert => "upsert",
            How::Delete => "delete",
        }
    }
}

/// What was found to be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// These records are not as the acknowledged requests left them.
    Lost(Vec<String>),
    /// Of the request without an answer, these records are there as it wrote them and the others are not.
    Half(Write, Vec<String>),
}

/// One writer's records.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    acknowledged: Records,
    open: Option<Write>,
}

impl Model {
    /// The records as the acknowledged requests left them.
    pub(super) fn records(&self) -> &Records {
        &self.acknowledged
    }

    /// A request is on its way.
    pub(super) fn begin(&mut self, write: Write) {
        self.open = Some(write);
    }

    /// The request on its way was acknowledged.
    pub(super) fn acknowledge(&mut self) {
        if let Some(write) = self.open.take() {
            apply(&mut self.acknowledged, &write);
        }
    }

    /// True while a request was neither acknowledged nor settled by looking.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Judges what is there after a restart, and goes on from it.
    pub(super) fn settle(&mut self, found: Records) -> Option<Wrong> {
        let open = self.open.take();
        let before = std::mem::replace(&mut self.acknowledged, found);
        let found = &self.acknowledged;
        if *found == before {
            return None;
        }
        let Some(write) = open else { return Some(Wrong::Lost(differing(found, &before).collect())) };
        let mut after = before.clone();
        apply(&mut after, &write);
        if *found == after {
            return None;
        }
        let neither: Vec<String> = differing(found, &before)
            .filter(|key| !write.keys.contains(key) || found.get(key) != after.get(key))
            .collect();
        if neither.is_empty() {
            let done = write.keys.iter().filter(|key| found.get(*key) == after.get(*key)).cloned().collect();
            Some(Wrong::Half(write, done))
        } else {
            Some(Wrong::Lost(neither))
        }
    }
}

fn apply(records: &mut Records, write: &Write) {
    for key in &write.keys {
        match write.how {
            How::Delete => {
                records.remove(key);
            }
            How::Insert | How::Update | How::Upsert => {
                records.insert(key.clone(), write.number);
            }
        }
    }
}

fn differing<'a>(one: &'a Records, other: &'a Records) -> impl Iterator<Item = String> {
    let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    keys.into_iter().filter(|key| one.get(*key) != other.get(*key)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(number: u64, how: How, keys: &[&str]) -> Write {
        Write { number, how, keys: keys.iter().map(|key| (*key).to_owned()).collect() }
    }

    fn records(pairs: &[(&str, u64)]) -> Records {
        pairs.iter().map(|(key, number)| ((*key).to_owned(), *number)).collect()
    }

    /// Two records are acknowledged, a third and a change of the first are on their way.
    fn killed() -> Model {
        let mut model = Model::default();
        model.begin(write(1, How::Insert, &["a", "b"]));
        model.acknowledge();
        model.begin(write(2, How::Upsert, &["a", "c"]));
        model
    }

    #[test]
    fn what_was_not_acknowledged_may_be_there_or_not() {
        assert_eq!(killed().settle(records(&[("a", 1), ("b", 1)])), None);
        assert_eq!(killed().settle(records(&[("a", 2), ("b", 1), ("c", 2)])), None);
    }

    #[test]
    fn but_not_half_of_it() {
        let half = |done: &[&str]| {
            let done = done.iter().map(|key| (*key).to_owned()).collect();
            Some(Wrong::Half(write(2, How::Upsert, &["a", "c"]), done))
        };
        assert_eq!(killed().settle(records(&[("a", 2), ("b", 1)])), half(&["a"]));
        assert_eq!(killed().settle(records(&[("a", 1), ("b", 1), ("c", 2)])), half(&["c"]));
    }

    #[test]
    fn what_was_acknowledged_must_be_there() {
        let lost = |keys: &[&str]| Some(Wrong::Lost(keys.iter().map(|key| (*key).to_owned()).collect()));
        assert_eq!(killed().settle(records(&[("a", 1)])), lost(&["b"]));
        assert_eq!(killed().settle(records(&[("a", 2), ("c", 2)])), lost(&["b"]));
        assert_eq!(killed().settle(records(&[("a", 1), ("b", 1), ("z", 9)])), lost(&["z"]));
        let mut deleted = killed();
        deleted.acknowledge();
        deleted.begin(write(3, How::Delete, &["a", "b"]));
        deleted.acknowledge();
        assert_eq!(deleted.settle(records(&[("a", 2), ("c", 2)])), lost(&["a"]));
    }

    #[test]
    fn what_was_found_is_where_it_goes_on() {
        let mut model = killed();
        assert!(model.is_open());
        let found = records(&[("b", 1)]);
        assert!(model.settle(found.clone()).is_some());
        assert!(!model.is_open());
        assert_eq!(model.settle(found), None);
    }

    proptest! {
        #[test]
        fn a_store_that_does_whole_requests_is_never_blamed(
            requests in proptest::collection::vec((0..3_u8, proptest::collection::btree_set(0..6_u8, 1..4), any::<bool>()), 1..20)
        ) {
            let (mut model, mut store) = (Model::default(), Records::new());
            for (number, (how, keys, cut_off)) in requests.into_iter().enumerate() {
                let how = [How::Upsert, How::Insert, How::Delete][usize::from(how)];
                let keys = keys.into_iter().map(|key| key.to_string()).collect();
                let write = Write { number: number as u64, how, keys };
                model.begin(write.clone());
                // Done or not is chance when there is no answer.
                if !cut_off || number % 2 == 0 {
                    apply(&mut store, &write);
                }
                if cut_off {
                    prop_assert_eq!(model.settle(store.clone()), None);
                } else {
                    model.acknowledge();
                }
            }
            prop_assert_eq!(model.settle(store), None);
        }
    }
}
