//! Who asks: the `Authorization` header, the unix domain socket, `authorizeLocal`.

use super::errors::must_login;
use super::{Peer, Site};
use crate::access::{Access, AuthError, Caller, User};
use crate::error::{ErrorKind, OperationError};
use hyper::header::{AUTHORIZATION, HeaderMap};
use std::sync::Arc;

/// What the headers of a request say of its sender.
pub(super) enum Standing {
    /// Somebody, or nobody when the caller has no user.
    Known(Caller),
    /// Refused before anything else of the request is looked at.
    Refused(OperationError),
    /// Refused unless the operation needs no credentials.
    RefusedLater(OperationError),
}

impl Standing {
    /// The caller, if everything but operations without credentials is to be refused to nobody.
    pub(super) fn require(self) -> Result<Caller, OperationError> {
        match self {
            Standing::Known(caller) if caller.user.is_some() => Ok(caller),
            Standing::Known(_) => Err(must_login()),
            Standing::Refused(error) | Standing::RefusedLater(error) => Err(error),
        }
    }

    /// The caller of an operation that needs no credentials.
    pub(super) fn tolerate(self) -> Caller {
        match self {
            Standing::Known(caller) => caller,
            Standing::Refused(_) | Standing::RefusedLater(_) => Caller::default(),
        }
    }
}

/// Judges the credentials of a request.
pub(super) async fn judge(site: &Site, peer: Peer, headers: &HeaderMap) -> Standing {
    let header = headers.get(AUTHORIZATION).map(|value| value.as_bytes().trim_ascii()).unwrap_or_default();
    if header.is_empty() {
        return Standing::Known(Caller { user: implied_user(site, peer) });
    }
    match Scheme::of(header) {
        Scheme::None => Standing::Known(Caller::default()),
        Scheme::Basic(value) => match site.server.access.verify_basic(value).await {
            Ok(user) => Standing::Known(Caller { user: Some(user) }),
            Err(AuthError::MustLogin) => Standing::Known(Caller::default()),
            Err(error) => Standing::Refused(error.into()),
        },
        Scheme::Bearer(token) => match verify_bearer(&site.server.access, token).await {
            Ok(user) => Standing::Known(Caller { user: Some(user) }),
            Err(error) if token.is_empty() => Standing::RefusedLater(error),
            Err(error) => Standing::Refused(error),
        },
    }
}

/// The user a request without credentials acts as, by the place it comes from.
fn implied_user(site: &Site, peer: Peer) -> Option<Arc<User>> {
    let trusted = match peer {
        Peer::Socket => true,
        Peer::Network(address) => {
            site.server.config.authentication.authorize_local && address.to_canonical().is_loopback()
        }
    };
    if trusted { site.server.access.any_super_user() } else { None }
}

/// An `Authorization` header taken apart. Schemes are case-sensitive.
#[derive(Debug, PartialEq, Eq)]
enum Scheme<'h> {
    /// Nothing that could prove anything.
    None,
    Basic(&'h str),
    Bearer(&'h str),
}

impl Scheme<'_> {
    fn of(header: &[u8]) -> Scheme<'_> {
        let end = header.iter().position(|byte| *byte == b' ').unwrap_or(header.len());
        let (scheme, value) = header.split_at(end);
        // A value that is no text is no base64 and no token either; "!" is neither.
        let value = std::str::from_utf8(value.trim_ascii()).unwrap_or("!");
        match scheme {
            // Neither user nor password (`:`) counts as no credentials.
            b"Basic" if matches!(value, "" | "Og==" | "Og") => Scheme::None,
            b"Basic" => Scheme::Basic(value),
            b"Bearer" => Scheme::Bearer(value),
            _ => Scheme::None,
        }
    }
}

async fn verify_bearer(_access: &Access, _token: &str) -> Result<Arc<User>, OperationError> {
    Err(OperationError::new(ErrorKind::Unauthenticated, "invalid token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes() {
        for (header, expected) in [
            ("Basic YTpi", Scheme::Basic("YTpi")),
            ("Basic  YTpi", Scheme::Basic("YTpi")),
            ("Basic", Scheme::None),
            ("Basic Og==", Scheme::None),
            ("basic YTpi", Scheme::None),
            ("BASIC YTpi", Scheme::None),
            ("Digest x", Scheme::None),
            ("hello", Scheme::None),
            ("Bearer a.b.c", Scheme::Bearer("a.b.c")),
            ("Bearer", Scheme::Bearer("")),
            ("bearer a", Scheme::None),
        ] {
            assert_eq!(Scheme::of(header.as_bytes()), expected, "{header}");
        }
        assert_eq!(Scheme::of(b"Basic \xff"), Scheme::Basic("!"));
    }
}
