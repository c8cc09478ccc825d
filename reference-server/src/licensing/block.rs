//! The text of a licence: three base64url parts with dots between them, as in a signed token.

use super::key::PublicKey;
use crate::value::{Object, Value, parse_json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Texts that a block has.
const TEXTS: [&str; 3] = ["id", "region", "expiration"];
/// Numbers that it has.
const NUMBERS: [&str; 6] =
    ["reads", "writes", "readBytes", "writeBytes", "realTimeMessages", "realTimeBytes"];
/// Numbers that it may have.
const OPTIONAL_NUMBERS: [&str; 2] = ["cpuTime", "storage"];

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not three parts of base64url.
    Form,
    /// Something in it, which the text names.
    Content(String),
}

/// A licence that was found right.
#[derive(Clone, Debug)]
pub struct Block {
    id: String,
    members: Object,
}

impl Block {
    /// Reads a licence's text and checks its signature, when there is a key to check it with.
    ///
    /// # Errors
    /// The first fault.
    pub fn read(text: &str, key: Option<&PublicKey>) -> Result<Block, Fault> {
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Fault::Form);
        };
        let signature = decoded(signature)?;
        if let Some(key) = key {
            let signed = &text[..header.len() + 1 + payload.len()];
            if !key.has_signed(signed.as_bytes(), &signature) {
                return Err(content("its signature is wrong"));
            }
        }
        let header = members(&decoded(header)?, "header")?;
        for (name, wanted) in [("typ", "Harper-License"), ("alg", "EdDSA")] {
            if header.get(name).and_then(Value::as_str) != Some(wanted) {
                return Err(content(&format!("'{name}' of its header must be '{wanted}'")));
            }
        }
        let payload = members(&decoded(payload)?, "payload")?;
        check(&payload)?;
        let id = payload.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Block { id, members: payload })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it says.
    pub fn into_members(self) -> Object {
        self.members
    }
}

fn check(payload: &Object) -> Result<(), Fault> {
    for name in TEXTS {
        match payload.get(name) {
            Some(Value::String(text)) if !text.is_empty() => {}
            _ => return Err(content(&format!("'{name}' must be a string"))),
        }
    }
    // The documentation has a number here, issued licences have text.
    if !matches!(payload.get("level"), Some(Value::Number(_) | Value::String(_))) {
        return Err(content("'level' must be a number"));
    }
    for name in NUMBERS {
        if payload.get(name).and_then(Value::as_number).is_none() {
            return Err(content(&format!("'{name}' must be a number")));
        }
    }
    for name in OPTIONAL_NUMBERS {
        if payload.get(name).is_some_and(|value| value.as_number().is_none()) {
            return Err(content(&format!("'{name}' must be a number")));
        }
    }
    match expiration(payload) {
        Some(_) => Ok(()),
        None => Err(content("'expiration' must be an ISO date")),
    }
}

/// When a block ends, in epoch milliseconds. A date without a time ends as it begins.
pub(super) fn expiration(block: &Object) -> Option<f64> {
    let text = block.get("expiration")?.as_str()?;
    let instant = chrono::DateTime::parse_from_rfc3339(text)
        .or_else(|_| chrono::DateTime::parse_from_rfc3339(&format!("{text}T00:00:00Z")))
        .or_else(|_| chrono::DateTime::parse_from_rfc3339(&format!("{text}Z")));
    instant.ok().map(|instant| instant.timestamp_millis() as f64)
}

pub(super) fn is_expired(block: &Object, now: f64) -> bool {
    expiration(block).is_none_or(|end| end <= now)
}

fn content(fault: &str) -> Fault {
    Fault::Content(fault.to_owned())
}

/// Some tools put padding at the end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn decoded(part: &str) -> Result<Vec<u8>, Fault> {
    if part.is_empty() {
        return Err(Fault::Form);
    }
    URL_SAFE_NO_PAD.decode(part).or_else(|_| LENIENT.decode(part)).map_err(|_| Fault::Form)
}

fn members(text: &[u8], part: &str) -> Result<Object, Fault> {
    match parse_json(text) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(content(&format!("its {part} is not a JSON object"))),
    }
}
