//! The users and roles of a running instance, and who proves to be one of them.

use super::SYSTEM;
use super::basic::{BasicHeader, Credentials, read_basic};
use super::cache::{Key, RecentCache};
use super::identity::AuthError;
use super::passwords::Passwords;
use super::system_tables::{self, FirstUser, SUPER_USER_ROLE};
use super::tokens::Tokens;
use super::users::{Directory, User};
use crate::config::Config;
use crate::error::OperationError;
use crate::store::Store;
use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use std::sync::Arc;

/// The users and roles of an instance.
pub struct Access {
    directory: ArcSwap<Directory>,
    /// Held while a new snapshot is made, so that the newest one stays.
    reloading: Mutex<()>,
    cache: RecentCache<Verified>,
    refused: RecentCache<Refused>,
    passwords: Passwords,
    /// The tokens made here.
    pub tokens: Tokens,
}

/// Basic credentials that were found right.
///
/// A lookup compares them with the user as of now, so a changed password, a deactivated or a dropped user makes the
/// memory worthless at once, and a changed role is seen at once, without anything having to be emptied.
struct Verified {
    username: String,
    /// The password hash they were checked against.
    password: Arc<str>,
}

/// Basic credentials that were found wrong, so that trying them again and again costs nothing.
///
/// They are wrong as long as the user is the same as then: another password may be the one tried.
struct Refused {
    username: String,
    /// The password hash they were checked against; `None` when there was no such user.
    password: Option<Arc<str>>,
}

impl Access {
    /// Loads users and roles. At the first start the system tables are made, and the first user: the configured one,
    /// or else `admin` with a password that is told once on standard error.
    ///
    /// # Errors
    /// When the system tables cannot be made or read.
    pub async fn open(store: &Store, config: &Config) -> anyhow::Result<Access> {
        system_tables::make_tables(store).await?;
        let access = Access {
            directory: ArcSwap::from_pointee(system_tables::read_directory(store)?),
            reloading: Mutex::new(()),
            cache: RecentCache::new(config.authentication.cache_ttl),
            refused: RecentCache::new(config.authentication.cache_ttl),
            passwords: Passwords::new()?,
            tokens: Tokens::new(config),
        };
        if access.directory.load().is_empty() {
            access.make_first_user(store, config).await?;
        }
        Ok(access)
    }

    async fn make_first_user(&self, store: &Store, config: &Config) -> anyhow::Result<()> {
        let username = config.admin_username.clone().unwrap_or_else(|| "admin".to_owned());
        let password = config.admin_password.clone().unwrap_or_else(|| {
            let password = STANDARD.encode(rand::random::<[u8; 15]>()).replace(['+', '/'], "x");
            eprintln!("The password of the first user, '{username}', is {password} (told this once).");
            password
        });
        let first = FirstUser { username, password };
        let hash = system_tables::make_first_user(store, &first).await?;
        self.reload(store)?;
        // The credentials are known to be right: the first request need not wait for a check.
        let header = STANDARD.encode(format!("{}:{}", first.username, first.password));
        let verified = Verified { username: first.username, password: hash };
        self.cache.remember(self.cache.key(&header), verified);
        Ok(())
    }

    /// Takes up what has changed in the tables of users and roles. To be called after every change of them, before
    /// the change is acknowledged.
    ///
    /// # Errors
    /// When the tables cannot be read; then everything stays as it was.
    pub fn reload(&self, store: &Store) -> Result<(), OperationError> {
        let _reloading = self.reloading.lock();
        self.directory.store(Arc::new(system_tables::read_directory(store)?));
        Ok(())
    }

    /// Takes up what plain writes of records may have changed. To be called after every one, before it is
    /// acknowledged.
    ///
    /// # Errors
    /// As [`Access::reload`].
    pub fn written(&self, store: &Store, database: &str) -> Result<(), OperationError> {
        if database == SYSTEM { self.reload(store) } else { Ok(()) }
    }

    /// All users and roles as of now.
    pub fn directory(&self) -> Arc<Directory> {
        self.directory.load_full()
    }

    /// A user.
    pub fn user(&self, username: &str) -> Option<Arc<User>> {
        self.directory.load().user(username).cloned()
    }

    /// A user; somebody without a role when there is none of that name any more.
    pub fn user_or_gone(&self, username: &str) -> Arc<User> {
        self.user(username).unwrap_or_else(|| Arc::new(User::gone(username)))
    }

    /// The user that trusted local requests act as: the first whose role is the super user role.
    pub fn any_super_user(&self) -> Option<Arc<User>> {
        let directory = self.directory.load();
        let named = |user: &&Arc<User>| user.role.as_ref().is_some_and(|role| role.name == SUPER_USER_ROLE);
        directory.users().into_iter().filter(|user| user.active && user.is_super_user()).find(named).cloned()
    }

    /// Judges the part of a Basic header after the scheme. Headers found right a moment ago are not checked again.
    ///
    /// # Errors
    /// Why the header does not do.
    pub async fn verify_basic(&self, header: &str) -> Result<Arc<User>, AuthError> {
        let key = self.cache.key(header);
        match self.remembered(key) {
            Some(user) => Ok(user),
            None if self.is_known_wrong(key) => Err(AuthError::LoginFailed),
            None => self.check_basic(key, header).await,
        }
    }

    fn remembered(&self, key: Key) -> Option<Arc<User>> {
        let remembered = self.cache.get(key)?;
        let directory = self.directory.load();
        directory
            .user(&remembered.username)
            .filter(|user| {
                user.active && (user.password == remembered.password || fault!("old-passwords-remembered"))
            })
            .cloned()
    }

    fn is_known_wrong(&self, key: Key) -> bool {
        let Some(refused) = self.refused.get(key) else { return false };
        match self.user(&refused.username) {
            Some(user) => user.active && refused.password.as_ref() == Some(&user.password),
            None => refused.password.is_none(),
        }
    }

    async fn check_basic(&self, key: Key, header: &str) -> Result<Arc<User>, AuthError> {
        let candidates = match read_basic(header) {
            BasicHeader::Empty => return Err(AuthError::MustLogin),
            BasicHeader::Unreadable => return Err(AuthError::LoginFailed),
            BasicHeader::Try(candidates) => candidates,
        };
        // With two ways to read the header, both would have to be remembered.
        let only = match candidates.as_slice() {
            [one] => Some(one.username.clone()),
            _ => None,
        };
        let password = only.as_ref().and_then(|name| self.user(name)).map(|user| Arc::clone(&user.password));
        for candidate in candidates {
            match self.check(candidate, Some(key)).await {
                Err(AuthError::LoginFailed) => {}
                decided => return decided,
            }
        }
        if let Some(username) = only {
            self.refused.remember(key, Refused { username, password });
        }
        Err(AuthError::LoginFailed)
    }

    /// Judges a name and a password.
    ///
    /// # Errors
    /// Why they do not do.
    pub async fn verify_password(&self, username: &str, password: &str) -> Result<Arc<User>, AuthError> {
        let credentials = Credentials { username: username.to_owned(), password: password.to_owned() };
        self.check(credentials, None).await
    }

    async fn check(&self, credentials: Credentials, key: Option<Key>) -> Result<Arc<User>, AuthError> {
        const TRIES: usize = 3;
        let Credentials { username, password } = credentials;
        let hash = || self.user(&username).map(|user| Arc::clone(&user.password));
        let mut tries = 0;
        loop {
            tries += 1;
            let before = hash();
            let checked = self.check_once(username.clone(), password.clone(), key).await;
            // Another node may have brought another hash of the same password meanwhile.
            if checked.is_ok() || tries == TRIES || hash() == before {
                return checked;
            }
        }
    }

    async fn check_once(
        &self,
        username: String,
        password: String,
        key: Option<Key>,
    ) -> Result<Arc<User>, AuthError> {
        if self.user(&username).is_some_and(|user| !user.active) && !fault!("inactive-users-pass") {
            return Err(AuthError::Inactive);
        }
        let turn = self.passwords.turn().await.ok_or(AuthError::LoginFailed)?;
        // Somebody with the same header may have been checked while this request waited for its turn.
        if let Some(user) = key.and_then(|key| self.remembered(key)) {
            return Ok(user);
        }
        let hash = self.user(&username).map(|user| Arc::clone(&user.password));
        if !turn.matches(password, hash.clone()).await && !fault!("passwords-not-checked") {
            return Err(AuthError::LoginFailed);
        }
        // Meanwhile the user may have been changed.
        let user = self.user(&username).filter(|user| Some(&user.password) == hash.as_ref());
        let user = user.ok_or(AuthError::LoginFailed)?;
        if !user.active && !fault!("inactive-users-pass") {
            return Err(AuthError::Inactive);
        }
        if let Some(key) = key {
            self.cache.remember(key, Verified { username, password: Arc::clone(&user.password) });
        }
        Ok(user)
    }

    /// Hashes a password that is to be stored.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub async fn hash_password(&self, password: String) -> Result<String, OperationError> {
        self.passwords.hash(password).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::system_tables::{USERS, get, put, system_database, user_record};
    use crate::store::{StoreError, StoreOptions, WriteTxn};
    use crate::value::Value;
    use futures_util::FutureExt;
    use std::time::Duration;

    struct Instance {
        store: Store,
        access: Access,
        folder: tempfile::TempDir,
    }

    fn config(folder: &tempfile::TempDir) -> Config {
        let mut config = Config::new(folder.path());
        config.admin_password = Some("pässword".to_owned());
        config
    }

    async fn start(folder: tempfile::TempDir) -> Instance {
        let store = Store::open(folder.path(), StoreOptions::default()).unwrap();
        let access = Access::open(&store, &config(&folder)).await.unwrap();
        Instance { store, access, folder }
    }

    impl Instance {
        async fn basic(&self, username: &str, password: &str) -> Result<String, AuthError> {
            let header = STANDARD.encode(format!("{username}:{password}"));
            self.access.verify_basic(&header).await.map(|user| user.username.clone())
        }

        /// Writes the record of `kim`.
        async fn write_kim(&self, password: &str, active: bool) {
            let record = user_record(
                "kim",
                &self.access.hash_password(password.to_owned()).await.unwrap(),
                "none",
                active,
            );
            let written = system_database(&self.store)
                .unwrap()
                .write(move |txn: &mut WriteTxn<'_>| put(txn, USERS, record.clone()))
                .await;
            written.unwrap();
            self.access.reload(&self.store).unwrap();
        }
    }

    #[tokio::test]
    async fn the_first_user_is_made_once() {
        let instance = start(tempfile::tempdir().unwrap()).await;
        assert_eq!(instance.basic("admin", "pässword").await, Ok("admin".to_owned()));
        assert_eq!(instance.basic("admin", "wrong").await, Err(AuthError::LoginFailed));
        assert_eq!(instance.basic("Admin", "pässword").await, Err(AuthError::LoginFailed));
        let admin = instance.access.any_super_user().unwrap();
        assert!(admin.is_super_user() && admin.active);
        let stored = get(
            system_database(&instance.store).unwrap().read().unwrap().view(),
            USERS,
            &Value::from("admin"),
        );
        let stored = Value::Object(stored.unwrap().unwrap()).to_json();
        assert!(stored.contains("$argon2id$") && !stored.contains("pässword"), "{stored}");

        let Instance { store, access, folder } = instance;
        drop((access, store));
        let again = start(folder).await;
        assert_eq!(again.access.directory().users().len(), 1);
        assert_eq!(again.basic("admin", "pässword").await, Ok("admin".to_owned()));
    }

    #[tokio::test]
    async fn headers_that_prove_nothing() {
        let instance = start(tempfile::tempdir().unwrap()).await;
        for (header, expected) in [
            ("", AuthError::MustLogin),
            ("Og==", AuthError::MustLogin),
            ("!!!!", AuthError::LoginFailed),
            ("YWRtaW4=", AuthError::LoginFailed),
            ("YWRtaW46", AuthError::LoginFailed),
        ] {
            assert_eq!(instance.access.verify_basic(header).await.err(), Some(expected), "{header}");
        }
        // Latin-1 bytes of the password.
        let latin1: Vec<u8> = "admin:pässword".chars().map(|c| c as u8).collect();
        assert!(instance.access.verify_basic(&STANDARD.encode(latin1)).await.is_ok());
    }

    #[tokio::test]
    async fn changes_act_at_once_on_remembered_credentials() {
        let instance = start(tempfile::tempdir().unwrap()).await;
        instance.write_kim("one", true).await;
        assert_eq!(instance.basic("kim", "one").await, Ok("kim".to_owned()));
        assert_eq!(instance.basic("kim", "one").await, Ok("kim".to_owned()));
        instance.write_kim("two", true).await;
        assert_eq!(instance.basic("kim", "one").await, Err(AuthError::LoginFailed));
        assert_eq!(instance.basic("kim", "two").await, Ok("kim".to_owned()));
        instance.write_kim("two", false).await;
        assert_eq!(instance.basic("kim", "two").await, Err(AuthError::Inactive));
        assert_eq!(instance.basic("kim", "wrong").await, Err(AuthError::Inactive));
        let system = system_database(&instance.store).unwrap();
        let dropped = system.write(|txn: &mut WriteTxn<'_>| -> Result<bool, StoreError> {
            crate::access::system_tables::delete(txn, USERS, &Value::from("kim"))
        });
        assert!(dropped.await.unwrap());
        drop(system);
        instance.access.reload(&instance.store).unwrap();
        assert_eq!(instance.basic("kim", "two").await, Err(AuthError::LoginFailed));
        assert_eq!(instance.basic("admin", "pässword").await, Ok("admin".to_owned()));
    }

    #[tokio::test]
    async fn wrong_passwords_take_nothing_from_those_who_are_known() {
        let instance = start(tempfile::tempdir().unwrap()).await;
        let header = |name: &str, password: &str| STANDARD.encode(format!("{name}:{password}"));
        let now = |name: &str, password: &str| {
            let header = header(name, password);
            instance.access.verify_basic(&header).now_or_never().map(|result| result.map(|_| ()))
        };
        instance.write_kim("one", true).await;
        assert!(instance.basic("kim", "one").await.is_ok());
        assert_eq!(instance.basic("kim", "two").await, Err(AuthError::LoginFailed));
        assert_eq!(instance.basic("nobody", "two").await, Err(AuthError::LoginFailed));
        let mut turns = Vec::new();
        for _ in 0..crate::access::passwords::LIMIT {
            turns.push(instance.access.passwords.turn().await.unwrap());
        }
        // Nothing can be hashed now: who is known gets in, what is known to be wrong does not, others wait.
        assert_eq!(now("kim", "one"), Some(Ok(())));
        assert_eq!(now("kim", "two"), Some(Err(AuthError::LoginFailed)));
        assert_eq!(now("nobody", "two"), Some(Err(AuthError::LoginFailed)));
        assert_eq!(now("kim", "three"), None);
        drop(turns);
        // What was wrong may be right later.
        instance.write_kim("two", true).await;
        assert!(instance.basic("kim", "two").await.is_ok());
        assert_eq!(instance.basic("kim", "one").await, Err(AuthError::LoginFailed));
        instance.write_kim("two", false).await;
        assert_eq!(instance.basic("kim", "one").await, Err(AuthError::Inactive));
    }

    #[tokio::test]
    async fn many_wrong_passwords_wait_for_their_turn() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), StoreOptions::default()).unwrap();
        let mut config = config(&folder);
        config.authentication.cache_ttl = Duration::ZERO;
        let access = Arc::new(Access::open(&store, &config).await.unwrap());
        let tries = (0..6).map(|number| {
            let access = Arc::clone(&access);
            tokio::spawn(async move { access.verify_password("admin", &number.to_string()).await.err() })
        });
        for one in tries.collect::<Vec<_>>() {
            assert_eq!(one.await.unwrap(), Some(AuthError::LoginFailed));
        }
        drop((access, store));
    }
}
