//! The key pair that tokens are signed with.
//!
//! It is made once and kept in files that only the owner may read. Making it takes a noticeable moment, so that it
//! happens beside everything else; who needs it earlier waits for it.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use parking_lot::Mutex;
use rsa::RsaPrivateKey;
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs8::pkcs5::pbes2::Parameters;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding, PrivateKeyInfo};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

const PRIVATE_KEY: &str = ".jwtPrivate.key";
const PUBLIC_KEY: &str = ".jwtPublic.key";
const PASSPHRASE: &str = ".jwtPass";

const BITS: usize = 2048;

/// How often the passphrase is hashed to encrypt the private key. It is random and long, so that little is enough.
const ITERATIONS: u32 = 4096;

/// A key pair, ready for use.
pub(super) struct Keys {
    pub signing: EncodingKey,
    pub verifying: DecodingKey,
    /// The public key as others can read it.
    pub public_pem: String,
}

impl Keys {
    fn of(pair: &RsaPrivateKey) -> anyhow::Result<Keys> {
        let public = pair.to_public_key();
        Ok(Keys {
            signing: EncodingKey::from_rsa_der(pair.to_pkcs1_der()?.as_bytes()),
            verifying: DecodingKey::from_rsa_der(public.to_pkcs1_der()?.as_bytes()),
            public_pem: public.to_public_key_pem(LineEnding::LF)?,
        })
    }
}

/// The key pair of an instance, made when it is first wanted.
pub(super) struct KeyRing {
    place: Arc<Place>,
    /// Held by the one who waits; the others wait for their turn without taking up a thread.
    turn: tokio::sync::Mutex<()>,
}

struct Place {
    folder: PathBuf,
    keys: OnceLock<Arc<Keys>>,
    /// Held while the files are read or written.
    working: Mutex<()>,
    begun: AtomicBool,
}

impl KeyRing {
    /// The pair kept in a folder.
    pub(super) fn new(folder: PathBuf) -> KeyRing {
        let place =
            Place { folder, keys: OnceLock::new(), working: Mutex::new(()), begun: AtomicBool::new(false) };
        KeyRing { place: Arc::new(place), turn: tokio::sync::Mutex::new(()) }
    }

    /// Begins to make or read the pair on a thread of its own, which does not keep the program from ending.
    pub(super) fn prepare(&self) {
        let place = Arc::clone(&self.place);
        place.begun.store(true, Ordering::Relaxed);
        let work = move || {
            if let Err(error) = place.obtain() {
                tracing::error!("there are no keys for tokens: {error:#}");
            }
        };
        if let Err(error) = std::thread::Builder::new().name("token-keys".to_owned()).spawn(work) {
            tracing::warn!("the keys for tokens will be made when they are needed: {error}");
        }
    }

    /// The pair, made if there is none yet.
    ///
    /// # Errors
    /// When the files cannot be read or written.
    pub(super) async fn get(&self) -> anyhow::Result<Arc<Keys>> {
        if let Some(keys) = self.place.keys.get() {
            return Ok(Arc::clone(keys));
        }
        let _turn = self.turn.lock().await;
        let place = Arc::clone(&self.place);
        tokio::task::spawn_blocking(move || place.obtain()).await?
    }

    /// The pair, unless there is none yet: then there are no tokens either.
    pub(super) async fn existing(&self) -> Option<anyhow::Result<Arc<Keys>>> {
        let place = &self.place;
        let exists = place.keys.get().is_some()
            || place.begun.load(Ordering::Relaxed)
            || place.folder.join(PRIVATE_KEY).exists();
        if exists { Some(self.get().await) } else { None }
    }
}

impl Place {
    fn obtain(&self) -> anyhow::Result<Arc<Keys>> {
        let _working = self.working.lock();
        if let Some(keys) = self.keys.get() {
            return Ok(Arc::clone(keys));
        }
        let keys = Arc::new(match read(&self.folder)? {
            Some(keys) => keys,
            None => {
                let pair = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, BITS)?;
                let keys = Keys::of(&pair)?;
                write(&self.folder, &pair, &keys)?;
                keys
            }
        });
        Ok(Arc::clone(self.keys.get_or_init(|| keys)))
    }
}

/// Reads the pair; `None` when it has not been made.
fn read(folder: &Path) -> anyhow::Result<Option<Keys>> {
    let path = folder.join(PRIVATE_KEY);
    let pem = match fs::read_to_string(&path) {
        Ok(pem) => pem,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let passphrase_path = folder.join(PASSPHRASE);
    let passphrase =
        fs::read_to_string(&passphrase_path).with_context(|| passphrase_path.display().to_string())?;
    let pair = RsaPrivateKey::from_pkcs8_encrypted_pem(&pem, passphrase.trim_end())
        .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    Keys::of(&pair).map(Some)
}

/// Writes the files; the private key comes last, so that there is a whole pair when there is one.
fn write(folder: &Path, pair: &RsaPrivateKey, keys: &Keys) -> anyhow::Result<()> {
    if !folder.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let passphrase = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    write_private(folder, PASSPHRASE, &passphrase)?;
    write_private(folder, PUBLIC_KEY, &keys.public_pem)?;
    write_private(folder, PRIVATE_KEY, &encrypted(pair, &passphrase)?)
}

fn encrypted(pair: &RsaPrivateKey, passphrase: &str) -> anyhow::Result<String> {
    let plain = pair.to_pkcs8_der()?;
    let (salt, iv) = (rand::random::<[u8; 16]>(), rand::random::<[u8; 16]>());
    let parameters = Parameters::pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, &iv)
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let document = PrivateKeyInfo::try_from(plain.as_bytes())?.encrypt_with_params(parameters, passphrase)?;
    Ok(document.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)?.to_string())
}

/// Writes a whole file that only the owner may read.
fn write_private(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(name);
    let unfinished = folder.join(format!("{name}.new"));
    put_in_place(&unfinished, &path, text).with_context(|| path.display().to_string())
}

fn put_in_place(unfinished: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    // What a start that was cut short left behind may have other permissions.
    match fs::remove_file(unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

/// A pair that all tests share, because making one takes a while. It is small for the same reason.
#[cfg(test)]
fn sample_pair() -> &'static RsaPrivateKey {
    static PAIR: OnceLock<RsaPrivateKey> = OnceLock::new();
    PAIR.get_or_init(|| RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1024).unwrap())
}

/// A pair for tests.
#[cfg(test)]
pub(super) fn sample() -> Keys {
    Keys::of(sample_pair()).unwrap()
}

/// Gives the instance under a root folder a pair without having it made.
#[cfg(test)]
pub(crate) fn keep_sample(root: &Path) {
    write(&root.join("keys"), sample_pair(), &sample()).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn a_pair_is_kept() {
        let root = tempfile::tempdir().unwrap();
        keep_sample(root.path());
        let folder = root.path().join("keys");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        assert_eq!(names.len(), 3);
        assert!(names.iter().all(|path| mode(path) == 0o600));
        let private = fs::read_to_string(folder.join(PRIVATE_KEY)).unwrap();
        assert!(private.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
        let public = fs::read_to_string(folder.join(PUBLIC_KEY)).unwrap();
        assert!(public.starts_with("-----BEGIN PUBLIC KEY-----\n"));

        let ring = KeyRing::new(folder);
        let keys = ring.existing().await.unwrap().unwrap();
        assert_eq!(keys.public_pem, sample().public_pem);
        assert!(Arc::ptr_eq(&keys, &ring.get().await.unwrap()));
    }

    #[tokio::test]
    async fn broken_files_are_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        keep_sample(root.path());
        let folder = root.path().join("keys");
        fs::write(folder.join(PASSPHRASE), "another").unwrap();
        let ring = KeyRing::new(folder.clone());
        assert!(ring.get().await.is_err());
        fs::remove_file(folder.join(PASSPHRASE)).unwrap();
        assert!(ring.get().await.is_err());
        assert!(folder.join(PRIVATE_KEY).exists());
    }

    #[tokio::test]
    async fn nothing_is_made_to_check_a_token() {
        let root = tempfile::tempdir().unwrap();
        let ring = KeyRing::new(root.path().join("keys"));
        assert!(ring.existing().await.is_none());
        assert!(!root.path().join("keys").exists());
    }
}
