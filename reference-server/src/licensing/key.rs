//! The key that licences are signed with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};

/// How many bytes an Ed25519 key has.
const LENGTH: usize = 32;

/// A public key. One that cannot be read accepts no signature.
#[derive(Clone, Debug)]
pub struct PublicKey(Option<[u8; LENGTH]>);

impl PublicKey {
    /// Reads a key: PEM, or base64 of its bytes or of its SubjectPublicKeyInfo.
    pub fn read(text: &str) -> PublicKey {
        let text: String = text
            .lines()
            .filter(|line| !line.contains("-----"))
            .flat_map(|line| line.split_whitespace())
            .collect();
        let bytes = STANDARD.decode(text).unwrap_or_default();
        // In either form the key is at the end.
        let key = match bytes.len() {
            LENGTH | 44 => bytes.last_chunk::<LENGTH>().copied(),
            _ => None,
        };
        if key.is_none() {
            tracing::warn!("license.publicKey is no Ed25519 key; no licence is accepted");
        }
        PublicKey(key)
    }

    /// Whether a text was signed with it.
    pub fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        let Some(key) = &self.0 else { return false };
        UnparsedPublicKey::new(&ED25519, key).verify(text, signature).is_ok()
    }
}
