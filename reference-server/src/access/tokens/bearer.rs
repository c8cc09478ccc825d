//! Who may use a token, and who gets one.

use super::claims::{Claims, Life, Purpose, now};
use super::jwt;
use crate::access::system_tables::{USERS, get, put, system_database};
use crate::access::users::REFRESH_TOKEN;
use crate::access::{Access, AuthError, User};
use crate::error::OperationError;
use crate::store::{Store, WriteTxn};
use crate::value::Value;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::sha2::{Digest, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Who bears a token.
pub enum Bearer {
    /// It is good for any operation.
    Operation(Arc<User>),
    /// It is good for nothing but getting a new operation token.
    Refresh(Arc<User>),
}

/// What is wanted of new tokens beside the usual.
#[derive(Default)]
pub struct TokenWish {
    /// A role of an application, which makes the tokens useless here.
    pub role: Option<String>,
    /// The life of the operation token; the configured one without.
    pub operation_life: Option<Life>,
}

/// New tokens.
pub struct TokenPair {
    /// For operations.
    pub operation: String,
    /// For new operation tokens.
    pub refresh: String,
}

impl Access {
    /// Judges the token of a Bearer header. The signature is checked once in a while, everything else each time.
    ///
    /// # Errors
    /// Why the token does not do.
    pub async fn verify_bearer(&self, token: &str) -> Result<Bearer, AuthError> {
        let claims = self.tokens.read(token).await?;
        if claims.sub == Purpose::Refresh && !fault!("refresh-tokens-operate") {
            return self.refresher(token, &claims).map(Bearer::Refresh);
        }
        if claims.role.is_some() && !fault!("tokens-with-roles-good") {
            return Err(AuthError::InvalidToken);
        }
        let user = self.user_or_gone(&claims.username);
        if user.active || fault!("tokens-of-the-inactive") {
            Ok(Bearer::Operation(user))
        } else {
            Err(AuthError::InvalidToken)
        }
    }

    /// The user of a refresh token, which must be the one made last.
    fn refresher(&self, token: &str, claims: &Claims) -> Result<Arc<User>, AuthError> {
        let is_newest = |user: &Arc<User>| {
            let newest = user.refresh_token.as_deref().unwrap_or_default();
            newest.as_bytes().ct_eq(hash(token).as_bytes()).into()
        };
        if claims.sub != Purpose::Refresh || claims.role.is_some() {
            return Err(AuthError::InvalidToken);
        }
        let user = self
            .user(&claims.username)
            .filter(|user| user.active && (fault!("old-refresh-tokens-good") || is_newest(user)));
        user.ok_or(AuthError::InvalidToken)
    }

    /// Makes tokens for a user. They are good when this returns; the user's earlier refresh token is not any more.
    ///
    /// # Errors
    /// When there are no keys, or the user is gone.
    pub async fn issue_tokens(
        &self,
        store: &Store,
        user: &User,
        wish: TokenWish,
    ) -> Result<TokenPair, OperationError> {
        let start = now();
        let claims = |life: Life, sub: Purpose| Claims {
            username: user.username.clone(),
            super_user: user.is_super_user(),
            role: wish.role.clone(),
            iat: start,
            exp: life.end(start),
            sub,
        };
        let operation_life = wish.operation_life.unwrap_or(self.tokens.operation_life);
        let wanted =
            [claims(operation_life, Purpose::Operation), claims(self.tokens.refresh_life, Purpose::Refresh)];
        let [operation, refresh] = self.sign(wanted).await?;
        self.store_refresh_token(store, &user.username, &refresh).await?;
        Ok(TokenPair { operation, refresh })
    }

    /// Makes an operation token from a refresh token.
    ///
    /// # Errors
    /// When there are no keys, or as an [`AuthError`] why the token does not do: the caller gets to see it.
    pub async fn refresh_operation_token(
        &self,
        token: &str,
    ) -> Result<Result<String, AuthError>, OperationError> {
        let claims = match self.tokens.read(token).await {
            Ok(claims) => claims,
            Err(error) => return Ok(Err(error)),
        };
        if let Err(error) = self.refresher(token, &claims) {
            return Ok(Err(error));
        }
        let start = now();
        let exp = self.tokens.operation_life.end(start);
        let wanted = Claims { iat: start, exp, sub: Purpose::Operation, ..Claims::clone(&claims) };
        let [operation] = self.sign([wanted]).await?;
        Ok(Ok(operation))
    }

    /// Signs off the async threads: it takes milliseconds.
    async fn sign<const N: usize>(&self, wanted: [Claims; N]) -> Result<[String; N], OperationError> {
        let keys = self.tokens.keys.get().await.map_err(no_keys)?;
        let work = move || -> anyhow::Result<[String; N]> {
            let mut tokens = [const { String::new() }; N];
            for (token, claims) in tokens.iter_mut().zip(&wanted) {
                *token = jwt::encode(&keys, claims)?;
            }
            Ok(tokens)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(OperationError::internal)?
            .map_err(OperationError::internal)
    }

    async fn store_refresh_token(
        &self,
        store: &Store,
        username: &str,
        token: &str,
    ) -> Result<(), OperationError> {
        let (username, hash) = (Value::from(username), hash(token));
        let system = system_database(store)?;
        let written = system.write(move |txn: &mut WriteTxn<'_>| {
            let Some(mut record) = get(txn.view()?, USERS, &username)? else {
                return Err(OperationError::fault("unable to store refresh_token"));
            };
            record.insert(REFRESH_TOKEN.to_owned(), Value::from(hash.as_str()));
            put(txn, USERS, record)?;
            Ok(())
        });
        written.await?;
        self.reload(store)
    }
}

/// What is kept of a refresh token. Tokens cannot be guessed, so that a plain hash does.
fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}

fn no_keys(cause: anyhow::Error) -> OperationError {
    let text = "unable to generate JWT as there are no encryption keys.  please contact your administrator";
    OperationError { cause: Some(cause), ..OperationError::fault(text) }
}

#[cfg(test)]
mod tests;
