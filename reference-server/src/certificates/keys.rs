//! The private keys of certificates: files of the keys folder that only the owner may read.

use super::details::Certificate;
use rustls::sign::SigningKey;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The longest name a key's file gets; file systems allow 255 bytes.
const LONGEST_NAME: usize = 120;

/// A private key that certificates can be used with.
pub struct PrivateKey {
    der: PrivateKeyDer<'static>,
    signing: Arc<dyn SigningKey>,
}

impl PrivateKey {
    /// Reads a PEM text; `None` when it holds no key of a kind that TLS here can use.
    pub fn read(pem: &str) -> Option<PrivateKey> {
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()?;
        let signing = rustls::crypto::ring::sign::any_supported_type(&der).ok()?;
        Some(PrivateKey { der, signing })
    }

    /// Whether it is the key of a certificate.
    pub fn belongs_to(&self, certificate: &Certificate) -> bool {
        self.signing.public_key().is_some_and(|public| public.as_ref() == certificate.public_key)
    }

    /// The key as TLS uses it.
    pub fn signing(&self) -> Arc<dyn SigningKey> {
        Arc::clone(&self.signing)
    }

    /// The key in its binary form.
    pub fn der(&self) -> &PrivateKeyDer<'static> {
        &self.der
    }
}

/// Where keys are found by their names.
#[derive(Debug)]
pub struct KeyFiles {
    folder: PathBuf,
    /// Keys that the configuration names, wherever they are. They are not ours to remove.
    configured: BTreeMap<String, PathBuf>,
}

impl KeyFiles {
    /// The keys of a folder.
    pub fn new(folder: PathBuf) -> KeyFiles {
        KeyFiles { folder, configured: BTreeMap::new() }
    }

    /// Makes a configured file known, and returns the name for records, which does not show where it is.
    pub fn configure(&mut self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.folder).ok();
        let name = inside.or_else(|| path.file_name().map(Path::new)).unwrap_or(path);
        let name = name.to_string_lossy().into_owned();
        self.configured.insert(name.clone(), path.to_owned());
        name
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        if let Some(path) = self.configured.get(name) {
            return Some(path.clone());
        }
        // A name that leads elsewhere is nobody's.
        let plain = Path::new(name).file_name().is_some_and(|file| file == name);
        plain.then(|| self.folder.join(name))
    }

    /// The text of a key's file.
    pub fn text(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)?).ok()
    }

    /// A key.
    pub fn key(&self, name: &str) -> Option<PrivateKey> {
        PrivateKey::read(&self.text(name)?)
    }

    /// The names of all files that may hold keys of certificates, in order.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let files = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = files.filter(|name| !name.starts_with('.')).collect();
        names.extend(self.configured.keys().cloned());
        names.sort();
        names.dedup();
        names
    }

    /// The name of a key that belongs to a certificate.
    pub fn matching(&self, certificate: &Certificate) -> Option<String> {
        self.names().into_iter().find(|name| self.key(name).is_some_and(|key| key.belongs_to(certificate)))
    }

    /// The name of a key that is kept already.
    pub fn same(&self, text: &str) -> Option<String> {
        self.names().into_iter().find(|name| self.text(name).is_some_and(|kept| kept == text))
    }

    /// Keeps a key under a name made of `wanted`, which is not taken yet, and returns that name.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, wanted: &str, text: &str) -> io::Result<String> {
        if !self.folder.exists() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        }
        let stem: String = wanted.chars().take(LONGEST_NAME).collect();
        let mut name = format!("{stem}.pem");
        loop {
            match write_new(&self.folder.join(&name), text) {
                Ok(()) => return Ok(name),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    name = format!("{stem}-{:08x}.pem", rand::random::<u32>());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes a key's file, unless the configuration names it.
    pub fn remove(&self, name: &str) {
        if self.configured.contains_key(name) || name.starts_with('.') {
            return;
        }
        let Some(path) = self.path(name) else { return };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("the key of a removed certificate stays: {}: {error}", path.display());
            }
            _ => {}
        }
    }
}

/// Writes a file that is not there yet, whole, for the owner only.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// A name in the letters that files and answers use: letters, digits and dots, `-` for all others.
pub fn file_stem(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn names_become_files() {
        assert_eq!(file_stem("my ca/2"), "my-ca-2");
        assert_eq!(file_stem("../../etc/passwd"), "..-..-etc-passwd");
        assert_eq!(file_stem("shop.example"), "shop.example");
    }

    #[test]
    fn keys_are_kept_found_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let files = KeyFiles::new(folder.path().join("keys"));
        let (pem, key) = sample::signed("a", &[]);
        let (other_pem, other_key) = sample::signed("b", &[]);
        let certificate = Certificate::read(&pem).unwrap();
        assert_eq!(files.matching(&certificate), None);
        assert_eq!(files.keep("a", &key).unwrap(), "a.pem");
        let path = folder.path().join("keys").join("a.pem");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(files.matching(&certificate).as_deref(), Some("a.pem"));
        assert_eq!(files.matching(&Certificate::read(&other_pem).unwrap()), None);
        assert_eq!(files.same(&key).as_deref(), Some("a.pem"));
        let second = files.keep("a", &other_key).unwrap();
        assert!(second != "a.pem" && second.starts_with("a-"), "{second}");
        assert!(files.key(&second).unwrap().belongs_to(&Certificate::read(&other_pem).unwrap()));
        files.remove("a.pem");
        assert!(!path.exists());
        files.remove("a.pem");
        assert_eq!(files.keep(&"n".repeat(400), &key).unwrap().len(), LONGEST_NAME + 4);
    }

    #[test]
    fn names_lead_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside.pem");
        fs::write(&outside, "secret").unwrap();
        let mut files = KeyFiles::new(folder.path().join("keys"));
        fs::create_dir(folder.path().join("keys")).unwrap();
        assert_eq!(files.text("../outside.pem"), None);
        files.remove("../outside.pem");
        assert!(outside.exists());
        assert_eq!(files.configure(&outside), "outside.pem");
        assert_eq!(files.text("outside.pem").as_deref(), Some("secret"));
        files.remove("outside.pem");
        assert!(outside.exists());
    }
}
