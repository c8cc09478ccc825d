//! Credentials found right a moment ago, so that not every request pays for a password hash.
//!
//! What is remembered is a keyed hash of the header, whose user it was, and the password hash it was checked against.
//! A lookup compares that with the user as of now, so a changed password, a deactivated or a dropped user makes the
//! memory worthless at once, and a changed role is seen at once, without anything having to be emptied.
//! Reading takes no lock: the map is replaced as a whole.

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many credentials are remembered at most.
const CAPACITY: usize = 4096;

/// A header's keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeaderKey(u64, u64);

/// Credentials that were found right.
pub struct Remembered {
    /// The user they belong to.
    pub username: String,
    /// The password hash they were checked against.
    pub password: Arc<str>,
    verified: Instant,
}

/// The credentials remembered.
pub struct CredentialCache {
    entries: ArcSwap<HashMap<HeaderKey, Arc<Remembered>>>,
    /// Held while the map is replaced.
    writing: Mutex<()>,
    keys: (RandomState, RandomState),
    life: Duration,
}

impl CredentialCache {
    /// An empty cache whose entries live that long.
    pub fn new(life: Duration) -> CredentialCache {
        CredentialCache {
            entries: ArcSwap::default(),
            writing: Mutex::new(()),
            keys: (RandomState::new(), RandomState::new()),
            life,
        }
    }

    /// The key of a header's value.
    pub fn key(&self, header: &str) -> HeaderKey {
        HeaderKey(self.keys.0.hash_one(header), self.keys.1.hash_one(header))
    }

    /// What is remembered of a header, when it is not too long ago.
    pub fn get(&self, key: HeaderKey) -> Option<Arc<Remembered>> {
        let entries = self.entries.load();
        entries.get(&key).filter(|entry| entry.verified.elapsed() < self.life).cloned()
    }

    /// Remembers credentials just found right.
    pub fn remember(&self, key: HeaderKey, username: String, password: Arc<str>) {
        if self.life.is_zero() {
            return;
        }
        let _writing = self.writing.lock();
        let mut entries: HashMap<_, _> = self.entries.load().as_ref().clone();
        if entries.len() >= CAPACITY {
            entries.retain(|_, entry| entry.verified.elapsed() < self.life);
        }
        if entries.len() >= CAPACITY {
            entries.clear();
        }
        entries.insert(key, Arc::new(Remembered { username, password, verified: Instant::now() }));
        self.entries.store(Arc::new(entries));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remember(cache: &CredentialCache, header: &str) {
        cache.remember(cache.key(header), "kim".to_owned(), "$argon2id$…".into());
    }

    #[test]
    fn remembers_for_a_while() {
        let cache = CredentialCache::new(Duration::from_secs(60));
        assert!(cache.get(cache.key("a")).is_none());
        remember(&cache, "a");
        assert_eq!(cache.get(cache.key("a")).unwrap().username, "kim");
        assert!(cache.get(cache.key("b")).is_none());
    }

    #[test]
    fn a_life_of_nothing_remembers_nothing() {
        let cache = CredentialCache::new(Duration::ZERO);
        remember(&cache, "a");
        assert!(cache.get(cache.key("a")).is_none());
    }

    #[test]
    fn never_grows_beyond_its_bound() {
        let cache = CredentialCache::new(Duration::from_secs(60));
        for number in 0..CAPACITY + 10 {
            remember(&cache, &number.to_string());
            assert!(cache.entries.load().len() <= CAPACITY);
        }
    }
}
