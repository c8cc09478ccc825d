//! Tokens: JSON Web Tokens signed with RS256 by a key pair of the instance.
//!
//! A token says who it was made for, until when it is good and what for; what its bearer may do is always what the
//! user may do now. `claims` holds what a token says, `jwt` its form, `keys` the key pair, `bearer` who may use it.

mod bearer;
mod claims;
mod jwt;
mod keys;

pub use bearer::{Bearer, TokenPair, TokenWish};
pub use claims::Life;
#[cfg(test)]
pub(crate) use keys::keep_sample;

use super::AuthError;
use super::cache::RecentCache;
use crate::config::Config;
use claims::{Claims, now};
use keys::KeyRing;
use std::sync::Arc;

/// The tokens of an instance.
pub struct Tokens {
    keys: KeyRing,
    /// What tokens say whose signature was found right.
    verified: RecentCache<Claims>,
    operation_life: Life,
    refresh_life: Life,
}

impl Tokens {
    /// Tokens signed with the key pair under the root folder, which is made when it is first wanted.
    pub fn new(config: &Config) -> Tokens {
        let authentication = &config.authentication;
        Tokens {
            keys: KeyRing::new(config.root_path.join("keys")),
            verified: RecentCache::new(authentication.cache_ttl),
            operation_life: Life::of(authentication.operation_token_timeout),
            refresh_life: Life::of(authentication.refresh_token_timeout),
        }
    }

    /// Has the key pair made or read on a thread of its own, so that nobody needs to wait for it.
    pub fn prepare(&self) {
        self.keys.prepare();
    }

    /// What a token says, when it is one of ours and its time is not over.
    async fn read(&self, token: &str) -> Result<Arc<Claims>, AuthError> {
        let key = self.verified.key(token);
        let claims = match self.verified.get(key) {
            Some(claims) => claims,
            None => {
                let claims = self.check(token).await.ok_or(AuthError::InvalidToken)?;
                self.verified.remember(key, claims.clone());
                Arc::new(claims)
            }
        };
        if claims.exp <= now() { Err(AuthError::TokenExpired) } else { Ok(claims) }
    }

    /// Checks the form and the signature of a token.
    async fn check(&self, token: &str) -> Option<Claims> {
        // Junk does not wait for keys.
        if !jwt::is_plausible(token) {
            return None;
        }
        let keys = match self.keys.existing().await? {
            Ok(keys) => keys,
            Err(error) => {
                tracing::error!("tokens cannot be checked: {error:#}");
                return None;
            }
        };
        jwt::decode(&keys, token)
    }
}
