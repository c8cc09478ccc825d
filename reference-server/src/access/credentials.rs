//! The users and roles of a running instance, and who proves to be one of them.

use super::basic::{BasicHeader, Credentials, read_basic};
use super::cache::{CredentialCache, HeaderKey};
use super::passwords::Passwords;
use super::system_tables::{self, FirstUser, SUPER_USER_ROLE};
use super::users::{Directory, User};
use crate::config::Config;
use crate::error::{ErrorKind, OperationError};
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
    cache: CredentialCache,
    passwords: Passwords,
}

/// Why credentials do not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There are none.
    #[error("Must login")]
    MustLogin,
    /// The name or the password is wrong; which one is not said.
    #[error("Login failed")]
    LoginFailed,
    /// The user may not do anything.
    #[error("Cannot complete request: User is inactive")]
    Inactive,
}

impl From<AuthError> for OperationError {
    fn from(error: AuthError) -> Self {
        OperationError::new(ErrorKind::Unauthenticated, error.to_string())
    }
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
            cache: CredentialCache::new(config.authentication.cache_ttl),
            passwords: Passwords::new()?,
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
        self.cache.remember(self.cache.key(&header), first.username, hash);
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

    /// All users and roles as of now.
    pub fn directory(&self) -> Arc<Directory> {
        self.directory.load_full()
    }

    /// A user.
    pub fn user(&self, username: &str) -> Option<Arc<User>> {
        self.directory.load().user(username).cloned()
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
            None => self.check_basic(key, header).await,
        }
    }

    fn remembered(&self, key: HeaderKey) -> Option<Arc<User>> {
        let remembered = self.cache.get(key)?;
        let directory = self.directory.load();
        directory
            .user(&remembered.username)
            .filter(|user| user.active && user.password == remembered.password)
            .cloned()
    }

    async fn check_basic(&self, key: HeaderKey, header: &str) -> Result<Arc<User>, AuthError> {
        let candidates = match read_basic(header) {
            BasicHeader::Empty => return Err(AuthError::MustLogin),
            BasicHeader::Unreadable => return Err(AuthError::LoginFailed),
            BasicHeader::Try(candidates) => candidates,
        };
        for candidate in candidates {
            match self.check(candidate, Some(key)).await {
                Err(AuthError::LoginFailed) => {}
                decided => return decided,
            }
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

    async fn check(&self, credentials: Credentials, key: Option<HeaderKey>) -> Result<Arc<User>, AuthError> {
        let Credentials { username, password } = credentials;
        if self.user(&username).is_some_and(|user| !user.active) {
            return Err(AuthError::Inactive);
        }
        let turn = self.passwords.turn().await.ok_or(AuthError::LoginFailed)?;
        // Somebody with the same header may have been checked while this request waited for its turn.
        if let Some(user) = key.and_then(|key| self.remembered(key)) {
            return Ok(user);
        }
        let hash = self.user(&username).map(|user| Arc::clone(&user.password));
        if !turn.matches(password, hash.clone()).await {
            return Err(AuthError::LoginFailed);
        }
        // Meanwhile the user may have been changed.
        let user = self.user(&username).filter(|user| Some(&user.password) == hash.as_ref());
        let user = user.ok_or(AuthError::LoginFailed)?;
        if !user.active {
            return Err(AuthError::Inactive);
        }
        if let Some(key) = key {
            self.cache.remember(key, username, Arc::clone(&user.password));
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
