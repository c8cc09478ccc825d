//! What reports must never show: credentials, tokens, passwords, private keys.

use crate::diff::Difference;
use crate::pointer;
use crate::target::{Credentials, Exchange, Request};
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

/// What stands in a report in place of a secret.
pub const MASK: &str = "[redacted]";

/// Members whose values are secret wherever they appear.
const SECRET_MEMBERS: [&str; 11] = [
    "password",
    "operation_token",
    "refresh_token",
    "token",
    "bearer_token",
    "private_key",
    "secret",
    "aws_access_key_id",
    "aws_secret_access_key",
    "secret_access_key",
    "passphrase",
];

/// Headers whose values are secret.
const SECRET_HEADERS: [&str; 5] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"];

#[expect(clippy::expect_used, reason = "the patterns are constants, tried by the tests below")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

static MEMBER: LazyLock<Regex> = LazyLock::new(|| {
    let names = SECRET_MEMBERS.join("|");
    pattern(&format!(r#"("(?:{names})"\s*:\s*)"(?:[^"\\]|\\.)*""#))
});
static JWT: LazyLock<Regex> = LazyLock::new(|| pattern(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"));
static PEM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?s)-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\z)")
});
static HEADER_LINE: LazyLock<Regex> = LazyLock::new(|| {
    let names = SECRET_HEADERS.join("|");
    pattern(&format!(r"(?im)^({names}):[^\r\n]*"))
});

/// The secrets of one run.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    words: Vec<String>,
}

impl Secrets {
    /// Knows the passwords in use. Short or ordinary words are hidden by their place only, or every text that
    /// holds them would become unreadable.
    pub fn new<'a>(passwords: impl IntoIterator<Item = &'a str>) -> Self {
        let words = passwords
            .into_iter()
            .filter(|word| word.len() >= 8 && !word.chars().all(|c| c.is_ascii_lowercase()))
            .map(str::to_owned)
            .collect();
        Secrets { words }
    }

    /// Knows a user's password, and how it is written in a header.
    pub fn of(user: &Credentials) -> Self {
        Secrets::new([user.password.as_str(), &user.encoded()])
    }

    /// Knows another user's password as well.
    pub fn learn(&mut self, user: &Credentials) {
        self.words.extend(Secrets::of(user).words);
    }

    /// A text without its secrets.
    pub fn text(&self, text: &str) -> String {
        let mut text = MEMBER.replace_all(text, format!(r#"$1"{MASK}""#)).into_owned();
        text = HEADER_LINE.replace_all(&text, format!("$1: {MASK}")).into_owned();
        text = PEM.replace_all(&text, MASK).into_owned();
        text = JWT.replace_all(&text, MASK).into_owned();
        for word in &self.words {
            text = text.replace(word.as_str(), MASK);
        }
        text
    }

    /// A value without its secrets.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| {
                    let secret = SECRET_MEMBERS.contains(&name.as_str()) && is_telling(member);
                    let member = if secret { Value::from(MASK) } else { self.value(member) };
                    (self.text(name), member)
                })
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Value::Array(elements) => elements.iter().map(|element| self.value(element)).collect(),
            Value::String(text) => Value::String(self.text(text)),
            other => other.clone(),
        }
    }

    /// A difference without its secrets.
    pub fn difference(&self, difference: &Difference) -> Difference {
        let member = pointer::parts(&difference.place).pop().unwrap_or_default();
        let secret = SECRET_MEMBERS.contains(&member.as_str());
        let hide =
            |side: &Option<Value>| {
                side.as_ref().map(|value| {
                    if secret && is_telling(value) { Value::from(MASK) } else { self.value(value) }
                })
            };
        Difference {
            place: difference.place.clone(),
            expected: hide(&difference.expected),
            actual: hide(&difference.actual),
        }
    }

    /// An exchange without its secrets.
    pub fn exchange(&self, exchange: &Exchange) -> Exchange {
        let mut clean = exchange.clone();
        self.request(&mut clean.request);
        if let Some(answer) = &mut clean.answer {
            answer.body = self.value(&answer.body);
            answer.text = answer.text.as_deref().map(|text| self.text(text));
            self.headers(&mut answer.headers);
        }
        clean
    }

    fn request(&self, request: &mut Request) {
        self.headers(&mut request.headers);
        request.wire = request.wire.as_deref().map(|text| self.text(text));
        if let Ok(text) = std::str::from_utf8(&request.body) {
            request.body = match serde_json::from_str::<Value>(text) {
                Ok(value) => self.value(&value).to_string().into_bytes(),
                Err(_) => self.text(text).into_bytes(),
            };
        }
    }

    fn headers(&self, headers: &mut [(String, String)]) {
        for (name, value) in headers {
            if SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
                *value = MASK.to_owned();
            } else {
                *value = self.text(value);
            }
        }
    }
}

/// Only texts that say something are hidden: an empty, null or numeric "password" is the point of a check.
fn is_telling(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn secrets_vanish_from_values_and_texts() {
        let secrets = Secrets::new(["Tr0ub4dor&3", "password"]);
        let value = json!({"password": "x", "operation_token": "eyJa.b.c", "note": "it was Tr0ub4dor&3", "username": "kim",
            "key": "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----"});
        let text = secrets.value(&value).to_string();
        for secret in ["Tr0ub4dor", "eyJa", "abc", "\"x\""] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert!(text.contains("kim"));
        assert_eq!(
            secrets.text("POST / HTTP/1.1\r\nAuthorization: Basic YTpi\r\nHost: x\r\n"),
            "POST / HTTP/1.1\r\nAuthorization: [redacted]\r\nHost: x\r\n"
        );
        assert_eq!(secrets.value(&json!({"password": 5, "token": ""})), json!({"password": 5, "token": ""}));
    }

    proptest! {
        #[test]
        fn hiding_twice_is_hiding_once(text in r#"(\PC|password|"password":"[a-z]{3}"|eyJ[a-z.]{1,9}|Authorization: Basic x\r\n){0,12}"#) {
            let secrets = Secrets::new(["Tr0ub4dor&3"]);
            let once = secrets.text(&text);
            prop_assert_eq!(secrets.text(&once), once.clone());
            let value = json!({"password": text.clone(), "deep": [{"text": text}]});
            let once = secrets.value(&value);
            prop_assert_eq!(secrets.value(&once), once.clone());
        }
    }
}
