//! Cross-origin requests: which origins may read answers, and the preflight.

use crate::config::Config;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, HeaderMap, HeaderValue, ORIGIN, VARY,
};

/// The cross-origin rules of an instance.
pub(super) struct Cors {
    enabled: bool,
    /// `None` allows every origin.
    allowed: Option<Vec<String>>,
    allow_headers: HeaderValue,
    /// Whether browsers may send the session cookie along.
    credentials: bool,
}

impl Cors {
    pub(super) fn new(config: &Config) -> Cors {
        let list = &config.network.cors_access_list;
        let all = list.first().is_none_or(|first| first == "*");
        Cors {
            enabled: config.network.cors || fault!("cors-never-off"),
            allowed: (!all && !fault!("cors-any-origin")).then(|| list.clone()),
            allow_headers: HeaderValue::from_str(&config.network.cors_allow_headers)
                .unwrap_or_else(|_| HeaderValue::from_static("Accept, Content-Type, Authorization")),
            credentials: config.authentication.enable_sessions,
        }
    }

    /// Whether preflights are answered at all.
    pub(super) fn enabled(&self) -> bool {
        self.enabled
    }

    /// The origin of a request, when it may read the answer.
    pub(super) fn allowed_origin<'h>(&self, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
        let origin = headers.get(ORIGIN).filter(|_| self.enabled)?;
        match &self.allowed {
            None => Some(origin),
            Some(list) => {
                list.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then_some(origin)
            }
        }
    }

    /// Marks an answer for the origin that asked.
    pub(super) fn mark(&self, origin: Option<HeaderValue>, answer: &mut HeaderMap) {
        if !self.enabled {
            return;
        }
        if !fault!("vary-not-told") {
            answer.insert(VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(origin) = origin {
            let origin = if fault!("cors-star") { HeaderValue::from_static("*") } else { origin };
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            if self.credentials {
                answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            }
        }
    }

    /// Adds what only the answer to a preflight carries.
    pub(super) fn mark_preflight(&self, answer: &mut HeaderMap) {
        answer.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static(if fault!("preflight-without-methods") {
                "POST"
            } else {
                "POST, GET, PUT, DELETE, PATCH, OPTIONS"
            }),
        );
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.allow_headers.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(list: &[&str], origin: &'static str) -> bool {
        let mut config = Config::new("/nowhere");
        config.network.cors_access_list = list.iter().map(|&entry| entry.to_owned()).collect();
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_static(origin));
        Cors::new(&config).allowed_origin(&headers).is_some()
    }

    #[test]
    fn a_star_or_nothing_allows_everybody() {
        assert!(allowed(&["*"], "https://a.example"));
        assert!(allowed(&[], "null"));
        assert!(allowed(&["*", "https://b.example"], "https://a.example"));
    }

    #[test]
    fn a_list_restricts() {
        assert!(allowed(&["https://a.example"], "https://a.example"));
        assert!(!allowed(&["https://a.example"], "https://b.example"));
        assert!(!allowed(&["https://a.example", "*"], "https://b.example"));
    }
}
