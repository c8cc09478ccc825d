//! Who asks: the `Authorization` header, the session's cookie, the unix domain socket, `authorizeLocal`.

use super::{Certified, Peer, Site, auth_events, cookies};
use crate::access::sessions::find_session;
use crate::access::tokens::Bearer;
use crate::access::{AuthError, Caller, User};
use crate::error::OperationError;
use crate::value::{Object, Value};
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use std::sync::Arc;

/// What the head of a request says of its sender.
pub(super) enum Standing {
    /// Somebody, or nobody when the caller has no user; then the caller knows what is wrong with the credentials.
    Known(Caller),
    /// Somebody who may do nothing but exchange this token for another one.
    Refresher { caller: Caller, token: String },
    /// Refused before anything else of the request is looked at.
    Refused(OperationError),
}

impl Standing {
    /// The caller, if everything but operations without credentials is to be refused to nobody.
    pub(super) fn require(self) -> Result<Caller, OperationError> {
        match self {
            Standing::Known(caller) => {
                caller.known()?;
                Ok(caller)
            }
            Standing::Refresher { .. } => Err(AuthError::InvalidToken.into()),
            Standing::Refused(error) => Err(error),
        }
    }

    /// The caller of an operation. One that needs no credentials is `open_to_all`; one that takes a token from the
    /// header finds it in the request, in place of what was sent there.
    pub(super) fn caller_of(
        self,
        operation: Option<&spec::Operation>,
        request: &mut Object,
    ) -> Result<Caller, OperationError> {
        let open_to_all = operation.is_some_and(|operation| operation.access.role == spec::AccessRole::None);
        match self {
            Standing::Refresher { caller, token } => match operation.and_then(token_field) {
                Some(field) => {
                    request.insert(field.to_owned(), Value::String(token));
                    Ok(caller)
                }
                None if open_to_all => {
                    Ok(Caller { user: None, refused: Some(AuthError::InvalidToken), ..caller })
                }
                None => Err(AuthError::InvalidToken.into()),
            },
            Standing::Known(caller) if open_to_all => Ok(caller),
            standing => standing.require(),
        }
    }
}

/// The field of an operation that a Bearer token may stand for.
fn token_field(operation: &spec::Operation) -> Option<&str> {
    let fields = operation.request.get("properties")?.as_object()?;
    let from_header = |schema: &serde_json::Value| {
        schema.get("x-header").and_then(serde_json::Value::as_str) == Some("Authorization: Bearer")
    };
    fields.iter().find(|(_, schema)| from_header(schema)).map(|(name, _)| name.as_str())
}

/// Judges the credentials of a request, and logs what came of it where that is wanted.
pub(super) async fn judge(site: &Site, peer: &Peer, head: &Parts) -> Standing {
    let standing = weigh(site, peer, head).await;
    let logging = &site.server.config.logging;
    if logging.log_failed || logging.log_successful {
        auth_events::log(logging, peer, head, &standing);
    }
    standing
}

async fn weigh(site: &Site, peer: &Peer, head: &Parts) -> Standing {
    match certified(peer) {
        Certified::Nothing => {}
        Certified::User(_)
            if fault!("header-beats-certificate") && head.headers.contains_key(AUTHORIZATION) => {}
        Certified::Revoked => return Standing::Refused(AuthError::Revoked.into()),
        Certified::User(username) => {
            let user = site.server.access.user_or_gone(username);
            return match user.active || fault!("certificates-of-inactive-users") {
                true => Standing::Known(Caller::of(Some(user))),
                false => Standing::Refused(AuthError::Inactive.into()),
            };
        }
    }
    let caller = match session_caller(site, head) {
        Ok(caller) => caller,
        Err(error) => return Standing::Refused(error),
    };
    let header =
        head.headers.get(AUTHORIZATION).map(|value| value.as_bytes().trim_ascii()).unwrap_or_default();
    if header.is_empty() {
        return Standing::Known(if caller.user.is_some() || caller.refused.is_some() {
            caller
        } else {
            Caller { user: implied_user(site, peer), by_place: true, ..caller }
        });
    }
    let access = &site.server.access;
    // A header says who asks whatever the session says.
    let as_user = |user: Arc<User>, caller: Caller| Caller { user: Some(user), refused: None, ..caller };
    let nobody = |refused: Option<AuthError>, caller: Caller| Caller { user: None, refused, ..caller };
    match Scheme::of(header) {
        Scheme::None if fault!("unknown-schemes-refused") => Standing::Refused(AuthError::LoginFailed.into()),
        Scheme::None => Standing::Known(nobody(None, caller)),
        Scheme::Basic(value) => match access.verify_basic(value).await {
            Ok(user) => Standing::Known(as_user(user, caller)),
            Err(_) if fault!("wrong-credentials-anonymous") => Standing::Known(nobody(None, caller)),
            Err(AuthError::MustLogin) => Standing::Known(nobody(None, caller)),
            Err(error) => Standing::Refused(error.into()),
        },
        Scheme::Bearer("") => Standing::Known(nobody(Some(AuthError::InvalidToken), caller)),
        Scheme::Bearer(token) => match access.verify_bearer(token).await {
            Ok(Bearer::Operation(user)) => Standing::Known(as_user(user, caller)),
            Ok(Bearer::Refresh(user)) => {
                Standing::Refresher { caller: as_user(user, caller), token: token.to_owned() }
            }
            // Operations that need no credentials do not mind a token that was good once.
            Err(AuthError::TokenExpired) => Standing::Known(nobody(Some(AuthError::TokenExpired), caller)),
            Err(error) => Standing::Refused(error.into()),
        },
    }
}

/// The caller as the session's cookie tells it.
fn session_caller(site: &Site, head: &Parts) -> Result<Caller, OperationError> {
    let server = &site.server;
    let presented = cookies::presented(head)
        .filter(|_| !fault!("cookies-ignored") && server.config.authentication.enable_sessions);
    let Some(id) = presented else { return Ok(Caller::default()) };
    let Some(session) = find_session(&server.store, id)? else { return Ok(Caller::default()) };
    let user = session.username.map(|username| server.access.user_or_gone(&username));
    let is_inactive = user.as_ref().is_some_and(|user| !user.active);
    Ok(Caller {
        user: user.filter(|_| !is_inactive),
        session: Some(id.into()),
        refused: is_inactive.then_some(AuthError::Inactive),
        ..Caller::default()
    })
}

/// What the client's certificate proves; that beats all other credentials.
fn certified(peer: &Peer) -> &Certified {
    match peer {
        Peer::Network { certified, .. } => certified,
        Peer::Socket => &Certified::Nothing,
    }
}

/// The user a request without credentials acts as, by the place it comes from.
fn implied_user(site: &Site, peer: &Peer) -> Option<Arc<User>> {
    let trusted = match peer {
        Peer::Socket => !fault!("socket-not-trusted"),
        Peer::Network { address, .. } => {
            (site.server.config.authentication.authorize_local || fault!("local-always-trusted"))
                && address.to_canonical().is_loopback()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_operation_takes_its_token_from_the_header() {
        let all = spec::registry().operations();
        let taking: Vec<_> = all.iter().filter(|operation| token_field(operation).is_some()).collect();
        assert_eq!(taking.len(), 1);
        assert_eq!(taking[0].name, "refresh_operation_token");
        assert_eq!(token_field(taking[0]), Some("refresh_token"));
    }

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
