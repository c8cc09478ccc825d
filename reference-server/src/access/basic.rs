//! What a Basic header says.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::fmt;

/// The base64 of browsers: padding may be left out.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A name and a password to try.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// What the part after the scheme holds.
#[derive(Debug, PartialEq, Eq)]
pub enum BasicHeader {
    /// Neither name nor password: as good as no header.
    Empty,
    /// Nothing that can be read.
    Unreadable,
    /// What to try, in this order: bytes that are not ASCII may be UTF-8 or Latin-1, and clients send both.
    Try(Vec<Credentials>),
}

/// Reads the part of a Basic header after the scheme.
pub fn read_basic(value: &str) -> BasicHeader {
    let text: String = value.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let Ok(bytes) = FORGIVING.decode(text) else { return BasicHeader::Unreadable };
    if bytes.is_empty() || bytes == b":" {
        return BasicHeader::Empty;
    }
    let utf8 = std::str::from_utf8(&bytes).ok().map(str::to_owned);
    let latin1 = (!bytes.is_ascii()).then(|| bytes.iter().map(|byte| char::from(*byte)).collect());
    BasicHeader::Try(utf8.into_iter().chain(latin1).map(|text: String| split(&text)).collect())
}

/// The first colon splits; without one everything is the name.
fn split(text: &str) -> Credentials {
    let (username, password) = text.split_once(':').unwrap_or((text, ""));
    let password = if fault!("passwords-end-at-colons") {
        password.split(':').next().unwrap_or_default()
    } else {
        password
    };
    Credentials { username: username.to_owned(), password: password.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(value: &str) -> Vec<(String, String)> {
        match read_basic(value) {
            BasicHeader::Try(all) => all.into_iter().map(|one| (one.username, one.password)).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn pair(username: &str, password: &str) -> (String, String) {
        (username.to_owned(), password.to_owned())
    }

    #[test]
    fn the_first_colon_splits() {
        assert_eq!(tried("a2ltOmE6Yjo6Yw=="), [pair("kim", "a:b::c")]);
        assert_eq!(tried("a2ltOmE6Yjo6Yw"), [pair("kim", "a:b::c")]);
        assert_eq!(tried("a2lt"), [pair("kim", "")]);
        assert_eq!(tried("OnB3"), [pair("", "pw")]);
    }

    #[test]
    fn empty_and_unreadable() {
        assert_eq!(read_basic(""), BasicHeader::Empty);
        assert_eq!(read_basic("Og=="), BasicHeader::Empty);
        assert_eq!(read_basic("!!!!"), BasicHeader::Unreadable);
    }

    #[test]
    fn both_encodings_are_tried() {
        // "u:é" in UTF-8 and in Latin-1
        assert_eq!(tried("dTrDqQ=="), [pair("u", "é"), pair("u", "Ã©")]);
        assert_eq!(tried("dTrp"), [pair("u", "é")]);
    }
}
