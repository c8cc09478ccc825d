//! What was found right a moment ago, so that not every request pays for a password hash or a signature.
//!
//! The text itself is not kept, only a keyed hash of it. Reading takes no lock: the map is replaced as a whole.

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How much is remembered at most.
const CAPACITY: usize = 4096;

/// A text's keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u64, u64);

struct Entry<V> {
    value: Arc<V>,
    since: Instant,
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        Entry { value: Arc::clone(&self.value), since: self.since }
    }
}

/// Values remembered for a while by the texts they belong to.
pub struct RecentCache<V> {
    entries: ArcSwap<HashMap<Key, Entry<V>>>,
    /// Held while the map is replaced.
    writing: Mutex<()>,
    keys: (RandomState, RandomState),
    life: Duration,
}

impl<V> RecentCache<V> {
    /// An empty cache whose entries live that long.
    pub fn new(life: Duration) -> RecentCache<V> {
        RecentCache {
            entries: ArcSwap::from_pointee(HashMap::new()),
            writing: Mutex::new(()),
            keys: (RandomState::new(), RandomState::new()),
            life,
        }
    }

    /// The key of a text.
    pub fn key(&self, text: &str) -> Key {
        Key(self.keys.0.hash_one(text), self.keys.1.hash_one(text))
    }

    /// What is remembered, when it is not too long ago.
    pub fn get(&self, key: Key) -> Option<Arc<V>> {
        let entries = self.entries.load();
        entries.get(&key).filter(|entry| entry.since.elapsed() < self.life).map(|entry| entry.value.clone())
    }

    /// Remembers what was just found right.
    pub fn remember(&self, key: Key, value: V) {
        if self.life.is_zero() {
            return;
        }
        let _writing = self.writing.lock();
        let mut entries: HashMap<_, _> = self.entries.load().as_ref().clone();
        if entries.len() >= CAPACITY {
            entries.retain(|_, entry| entry.since.elapsed() < self.life);
        }
        if entries.len() >= CAPACITY {
            entries.clear();
        }
        entries.insert(key, Entry { value: Arc::new(value), since: Instant::now() });
        self.entries.store(Arc::new(entries));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remember(cache: &RecentCache<String>, header: &str) {
        cache.remember(cache.key(header), "kim".to_owned());
    }

    #[test]
    fn remembers_for_a_while() {
        let cache = RecentCache::new(Duration::from_secs(60));
        assert!(cache.get(cache.key("a")).is_none());
        remember(&cache, "a");
        assert_eq!(cache.get(cache.key("a")).unwrap().as_str(), "kim");
        assert!(cache.get(cache.key("b")).is_none());
    }

    #[test]
    fn a_life_of_nothing_remembers_nothing() {
        let cache = RecentCache::new(Duration::ZERO);
        remember(&cache, "a");
        assert!(cache.get(cache.key("a")).is_none());
    }

    #[test]
    fn never_grows_beyond_its_bound() {
        let cache = RecentCache::new(Duration::from_secs(60));
        for number in 0..CAPACITY + 10 {
            remember(&cache, &number.to_string());
            assert!(cache.entries.load().len() <= CAPACITY);
        }
    }
}
