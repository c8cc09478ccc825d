//! Hashing and checking of passwords.
//!
//! argon2id with parameters from OWASP's list of least ones (12 MiB, 3 passes), so that a first answer does not keep a
//! client waiting.
//! All of it runs off the async threads and under a limit: however many wrong passwords arrive at once, no more than
//! [`LIMIT`] of them are worked on. A name that does not exist costs the same work as one that does.

use crate::error::OperationError;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many passwords are hashed at a time.
pub const LIMIT: usize = 2;

/// The name of the hash function, as user records show it.
pub const HASH_FUNCTION: &str = "argon2id";

/// What new hashes are made with.
const PARAMS: Params = match Params::new(12 * 1024, 3, 1, None) {
    Ok(params) => params,
    Err(_) => Params::DEFAULT,
};

/// The most memory a stored hash may ask for, in KiB; records written by hand are not trusted with more.
const MAX_MEMORY: u32 = 64 * 1024;
/// The most passes a stored hash may ask for.
const MAX_PASSES: u32 = 16;

/// Hashes and checks passwords under a limit.
pub struct Passwords {
    permits: Arc<Semaphore>,
    /// Checked against when there is no hash to check, so that both cases take the same time.
    decoy: Arc<str>,
}

/// Leave to check one password.
pub struct Turn {
    permit: OwnedSemaphorePermit,
    decoy: Arc<str>,
}

impl Passwords {
    /// With all permits free.
    ///
    /// # Errors
    /// When the operating system has no random numbers to give.
    pub fn new() -> anyhow::Result<Passwords> {
        let mut output = [0u8; Params::DEFAULT_OUTPUT_LEN];
        rand::fill(&mut output);
        let decoy = phc_string(&random_salt(), &output, &PARAMS)?;
        Ok(Passwords { permits: Arc::new(Semaphore::new(LIMIT)), decoy: decoy.into() })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub async fn hash(&self, password: String) -> Result<String, OperationError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(OperationError::internal)?;
        let hashed = tokio::task::spawn_blocking(move || {
            let hashed = hash_now(&password);
            drop(permit);
            hashed
        });
        hashed.await.map_err(OperationError::internal)?.map_err(OperationError::internal)
    }

    /// Waits for leave to check one password.
    pub async fn turn(&self) -> Option<Turn> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        Some(Turn { permit, decoy: Arc::clone(&self.decoy) })
    }
}

impl Turn {
    /// Whether `password` is the one that `hash` was made of. Without a hash the answer is no, after the same work.
    ///
    /// The turn is over when the work is done, even if nobody waits for it any more.
    pub async fn matches(self, password: String, hash: Option<Arc<str>>) -> bool {
        let Turn { permit, decoy } = self;
        let checked = tokio::task::spawn_blocking(move || {
            let readable = hash.filter(|hash| read_hash(hash).is_some());
            let known = readable.is_some();
            let matches = matches_now(&password, &readable.unwrap_or(decoy)) && known;
            drop(permit);
            matches
        });
        match checked.await {
            Ok(matches) => matches,
            Err(error) => {
                tracing::error!(%error, "a password could not be checked");
                false
            }
        }
    }

    /// How many others may still be checked meanwhile.
    #[cfg(test)]
    fn others(&self) -> usize {
        self.permit.semaphore().available_permits()
    }
}

/// Hashes a password on this thread; for the start, when nothing else runs yet.
///
/// # Errors
/// When there is not enough memory.
pub fn hash_now(password: &str) -> anyhow::Result<String> {
    let salt = random_salt();
    let mut output = [0u8; Params::DEFAULT_OUTPUT_LEN];
    derive(password, &salt, PARAMS, &mut output)?;
    phc_string(&salt, &output, &PARAMS)
}

fn random_salt() -> [u8; 16] {
    let mut salt = [0u8; 16];
    rand::fill(&mut salt);
    salt
}

fn phc_string(salt: &[u8], output: &[u8], params: &Params) -> anyhow::Result<String> {
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(|error| anyhow::anyhow!("{error}"))?,
        salt: Some(Salt::new(salt).map_err(|error| anyhow::anyhow!("{error}"))?),
        hash: Some(Output::new(output).map_err(|error| anyhow::anyhow!("{error}"))?),
    };
    Ok(hash.to_string())
}

/// The parts of a stored hash, when it is one of ours and asks for no more than we are willing to spend.
fn read_hash(text: &str) -> Option<(Params, Vec<u8>, Vec<u8>)> {
    let hash = PasswordHash::new(text).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let ours = hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into())
        && params.m_cost() <= MAX_MEMORY
        && params.t_cost() <= MAX_PASSES
        && params.p_cost() == 1;
    let (salt, output) = (hash.salt?, hash.hash?);
    ours.then(|| (params, salt.as_ref().to_vec(), output.as_bytes().to_vec()))
}

fn matches_now(password: &str, hash: &str) -> bool {
    let Some((params, salt, expected)) = read_hash(hash) else { return false };
    let mut output = vec![0u8; expected.len()];
    match derive(password, &salt, params, &mut output) {
        Ok(()) => output.ct_eq(&expected).into(),
        Err(error) => {
            tracing::error!(%error, "a password could not be checked");
            false
        }
    }
}

/// Beyond this size the C library's allocator takes memory from the system and gives it back when freed. Smaller
/// pieces it keeps, which would double the memory of an idle server.
const RETURNED_WHEN_FREED: usize = 33 * 1024 * 1024;

fn derive(password: &str, salt: &[u8], params: Params, output: &mut [u8]) -> anyhow::Result<()> {
    let blocks = params.block_count();
    let mut memory: Vec<Block> = Vec::new();
    memory.try_reserve_exact(blocks.max(RETURNED_WHEN_FREED / Block::SIZE))?;
    memory.resize(blocks, Block::new());
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.as_bytes(), salt, output, &mut memory)
        .map_err(|error| anyhow::anyhow!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn matches(passwords: &Passwords, password: &str, hash: Option<&str>) -> bool {
        let turn = passwords.turn().await.unwrap();
        turn.matches(password.to_owned(), hash.map(Arc::from)).await
    }

    #[tokio::test]
    async fn only_the_right_password_matches() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("clé-ñ".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=12288,t=3,p=1$"), "{hash}");
        assert!(matches(&passwords, "clé-ñ", Some(&hash)).await);
        assert!(!matches(&passwords, "cle-n", Some(&hash)).await);
        assert!(!matches(&passwords, "", Some(&hash)).await);
        assert!(!matches(&passwords, "clé-ñ", None).await);
        assert_ne!(hash, passwords.hash("clé-ñ".to_owned()).await.unwrap(), "salted");
    }

    #[tokio::test]
    async fn what_is_no_hash_matches_nothing() {
        let passwords = Passwords::new().unwrap();
        for stored in ["", "secret", "$argon2id$v=19$m=4000000,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"] {
            assert!(!matches(&passwords, "secret", Some(stored)).await, "{stored}");
        }
    }

    #[tokio::test]
    async fn no_more_than_the_limit_at_a_time() {
        let passwords = Passwords::new().unwrap();
        let first = passwords.turn().await.unwrap();
        assert_eq!(first.others(), LIMIT - 1);
        let second = passwords.turn().await.unwrap();
        assert_eq!(second.others(), 0);
        drop(first);
        assert_eq!(second.others(), 1);
    }

    #[test]
    fn the_decoy_costs_what_a_hash_costs() {
        let passwords = Passwords::new().unwrap();
        let (decoy, _, _) = read_hash(&passwords.decoy).unwrap();
        let (real, _, _) = read_hash(&hash_now("x").unwrap()).unwrap();
        assert_eq!(
            (decoy.m_cost(), decoy.t_cost(), decoy.p_cost()),
            (real.m_cost(), real.t_cost(), real.p_cost())
        );
    }
}
