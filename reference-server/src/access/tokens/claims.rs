//! What tokens say.

use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a token says; the order of the members is the order in the payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    /// Whom it was made for.
    pub username: String,
    /// Whether that was a super user then. It grants nothing.
    pub super_user: bool,
    /// A role of an application. Tokens with one are not for this API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// When it was made, in seconds.
    pub iat: i64,
    /// When its time is over, in seconds.
    pub exp: i64,
    /// What it is for.
    pub sub: Purpose,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Purpose {
    /// Any operation.
    Operation,
    /// Getting a new operation token, and nothing else.
    Refresh,
}

/// How long a token is good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Life {
    milliseconds: f64,
}

/// The largest whole number that every reader of JSON gets right.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

impl Life {
    /// A life of that many milliseconds; those that are not above zero are over at once.
    pub fn milliseconds(milliseconds: f64) -> Life {
        Life { milliseconds }
    }

    /// A life of that many seconds.
    pub fn seconds(seconds: f64) -> Life {
        Life { milliseconds: seconds * 1000.0 }
    }

    pub(super) fn of(duration: Duration) -> Life {
        Life::seconds(duration.as_secs_f64())
    }

    /// The second at which it is over when it begins at `start`.
    pub(super) fn end(self, start: i64) -> i64 {
        // Both ends are whole numbers that fit.
        (start as f64 + self.milliseconds / 1000.0).floor().clamp(-MAX_SAFE, MAX_SAFE) as i64
    }
}

/// The present second.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_end_at_whole_seconds() {
        assert_eq!(Life::milliseconds(60.0).end(1000), 1000);
        assert_eq!(Life::milliseconds(1999.0).end(1000), 1001);
        assert_eq!(Life::seconds(-5.0).end(1000), 995);
        assert_eq!(Life::seconds(1e300).end(1000), 9_007_199_254_740_991);
    }

    #[test]
    fn the_payload_keeps_its_order() {
        let mut claims = Claims {
            username: "kim".to_owned(),
            super_user: false,
            role: None,
            iat: 1,
            exp: 2,
            sub: Purpose::Operation,
        };
        let text = serde_json::to_string(&claims).unwrap();
        assert_eq!(text, r#"{"username":"kim","super_user":false,"iat":1,"exp":2,"sub":"operation"}"#);
        claims.role = Some("app".to_owned());
        claims.sub = Purpose::Refresh;
        let text = serde_json::to_string(&claims).unwrap();
        assert_eq!(
            text,
            r#"{"username":"kim","super_user":false,"role":"app","iat":1,"exp":2,"sub":"refresh"}"#
        );
        assert_eq!(serde_json::from_str::<Claims>(&text).unwrap(), claims);
    }
}
