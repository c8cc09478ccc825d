//! Certificates: the records of `system.hdb_certificate`, their private keys in files, and what TLS makes of them.
//!
//! The table decides: whatever add_certificate and remove_certificate change is used from the next connection on.
//! Private keys stay in the keys folder; neither answers nor logs show them.

pub mod choice;
pub mod cluster;
pub mod details;
pub mod keys;
mod made;
mod ocsp;
pub mod records;
pub mod revocation;
#[cfg(test)]
pub(crate) mod sample;
pub mod verifier;

pub use choice::Choice;
pub use details::Certificate;
pub use keys::KeyFiles;

use crate::access::system_tables::{put, system_database};
use crate::config::{Config, Tls};
use crate::error::OperationError;
use crate::replication::identity::configured_name;
use crate::server::Server;
use crate::store::{Store, WriteTxn};
use crate::value::{Object, Value, object};
use anyhow::Context;
use made::Made;
use parking_lot::Mutex;
use records::{CERTIFICATES, flag, text};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;
use tokio::sync::{OnceCell, oneshot};

/// The certificates of an instance.
pub struct Certificates {
    files: Arc<KeyFiles>,
    /// The name of this node.
    hostname: String,
    /// Held while a key is made, so that there is one only.
    making: Arc<Mutex<()>>,
    /// Set once the server's own certificates are known to be in the table.
    own: OnceCell<()>,
    /// Counts the changes of the table, so that its readers know when to read it again.
    changes: AtomicU64,
}

impl Certificates {
    /// Takes up the certificates that the configuration names.
    ///
    /// # Errors
    /// When one of the files cannot be read or is no certificate, or its key is missing.
    pub async fn open(store: &Store, config: &Config) -> anyhow::Result<Certificates> {
        let mut files = KeyFiles::new(config.root_path.join("keys"));
        let mut configured = Vec::new();
        let own = Tls { uses: vec![choice::OWN_USE.to_owned()], ..config.operations_tls.clone() };
        let of_clients = config.network.mtls.as_ref().and_then(|mtls| mtls.certificate_authority.clone());
        let of_clients = Tls { certificate_authority: of_clients, ..Tls::default() };
        for tls in [&config.tls, &own, &of_clients].into_iter().chain(&config.tls_lists) {
            // Whoever set what cannot be used has to get in to set it right.
            match read_configured(tls, &mut files) {
                Ok(records) => configured.extend(records),
                Err(error) => tracing::error!("a configured certificate is passed over: {error:#}"),
            }
        }
        let certificates = Certificates {
            files: Arc::new(files),
            hostname: configured_name(config).unwrap_or_else(|| config.hostname.clone()),
            making: Arc::default(),
            own: OnceCell::new(),
            changes: AtomicU64::new(0),
        };
        let kept = records::read_all(store)?;
        configured.retain(|record| is_news(record, &kept));
        if !configured.is_empty() {
            certificates.put(store, configured).await?;
        }
        Ok(certificates)
    }

    /// Where private keys are.
    pub fn files(&self) -> &Arc<KeyFiles> {
        &self.files
    }

    /// A number that is another one after every change.
    pub fn version(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// To be called after every change of the table, before it is acknowledged.
    pub fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// What clients can be offered now.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn choice(&self, store: &Store) -> Result<Choice, OperationError> {
        let choose = |records: &[Object]| Choice::new(records, &self.files, seconds_now());
        let choice = choose(&records::read_all(store)?);
        if !choice.is_empty() {
            return Ok(choice);
        }
        self.make_own(store).await?;
        Ok(choose(&records::read_all(store)?))
    }

    /// Begins to make the server's own certificates beside everything else.
    pub fn prepare(server: &Arc<Server>) {
        let server = Arc::downgrade(server);
        let (Some(strong), Ok(runtime)) = (server.upgrade(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let making = strong.certificates.make(&strong.store);
        drop(strong);
        runtime.spawn(async move {
            // The instance may be gone before the key is there; it must not be kept for that.
            let made = match making {
                Making::Done => return,
                Making::Begun(made) => made.await,
            };
            let (Some(server), Ok(made)) = (server.upgrade(), made) else { return };
            if let Err(error) = server.certificates.take_up(&server.store, made).await {
                tracing::error!("the server's own certificates could not be made: {error:#}");
            }
        });
    }

    /// Makes the server's own certificates unless they are there.
    ///
    /// # Errors
    /// When they cannot be made or stored.
    pub async fn make_own(&self, store: &Store) -> Result<(), OperationError> {
        let made = self.own.get_or_try_init(|| async {
            match self.make(store) {
                Making::Done => Ok(()),
                Making::Begun(made) => {
                    let made = made.await.context("the thread that makes certificates ended")?;
                    self.store_made(store, made?).await
                }
            }
        });
        made.await.copied().map_err(OperationError::internal)
    }

    async fn take_up(&self, store: &Store, made: anyhow::Result<Made>) -> anyhow::Result<()> {
        self.own.get_or_try_init(|| async { self.store_made(store, made?).await }).await.copied()
    }

    /// Makes the certificates on a thread of its own, which does not keep the program from ending.
    fn make(&self, store: &Store) -> Making {
        if records::read_all(store).is_ok_and(|records| has_own(&records, &self.files)) {
            return Making::Done;
        }
        let (done, made) = oneshot::channel();
        let (files, making) = (Arc::clone(&self.files), Arc::clone(&self.making));
        let hostname = self.hostname.clone();
        let work = move || {
            let _making = making.lock();
            // Nobody may be waiting any more.
            let _ = done.send(made::make(&files, &hostname));
        };
        if let Err(error) = std::thread::Builder::new().name("certificates".to_owned()).spawn(work) {
            tracing::warn!("certificates will be made when they are needed: {error}");
        }
        Making::Begun(made)
    }

    async fn store_made(&self, store: &Store, made: Made) -> anyhow::Result<()> {
        let uses = |all: &[&str]| Value::Array(all.iter().map(|one| Value::from(*one)).collect());
        let record = |(name, pem): (String, String), is_authority: bool, uses: Value| {
            let details = Certificate::read(&pem).map(|certificate| certificate.details).unwrap_or_default();
            let fields = [
                ("name", Value::String(name)),
                ("uses", uses),
                ("certificate", Value::String(pem)),
                ("private_key_name", Value::from(made.key_name.as_str())),
                ("is_authority", Value::Bool(is_authority)),
                ("is_self_signed", Value::Bool(true)),
                ("details", details),
            ];
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Object>()
        };
        let authority = record(made.authority, true, uses(&["https", "wss"]));
        let node = record(made.node, false, uses(&["https", "operations", "wss"]));
        let made = if fault!("own-authority-not-kept") { vec![node] } else { vec![authority, node] };
        self.put(store, made).await
    }

    async fn put(&self, store: &Store, new: Vec<Object>) -> anyhow::Result<()> {
        let written = system_database(store)?
            .write(move |txn: &mut WriteTxn<'_>| -> Result<(), OperationError> {
                for record in &new {
                    put(txn, CERTIFICATES, record.clone())?;
                }
                Ok(())
            })
            .await;
        written.map_err(OperationError::into_cause)?;
        self.changed();
        Ok(())
    }
}

/// The server's own certificates, about to be made or made already.
enum Making {
    Done,
    Begun(oneshot::Receiver<anyhow::Result<Made>>),
}

fn seconds_now() -> i64 {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Whether an authority and a node's certificate made here are in the table with their key.
fn has_own(records: &[Object], files: &KeyFiles) -> bool {
    let usable = |record: &&Object| {
        flag(record, "is_self_signed")
            && text(record, "private_key_name").is_some_and(|name| files.key(name).is_some())
    };
    [true, false]
        .iter()
        .all(|wanted| records.iter().filter(usable).any(|record| flag(record, "is_authority") == *wanted))
}

/// The records of the files that a section of the configuration names.
fn read_configured(tls: &Tls, files: &mut KeyFiles) -> anyhow::Result<Vec<Object>> {
    let key_name = tls.private_key.as_deref().map(|path| files.configure(path));
    let mut found = Vec::new();
    if let Some(path) = &tls.certificate {
        let key_name = key_name.context("tls.certificate and tls.privateKey are only of use together")?;
        let (record, certificate) = read_file(path, false, tls)?;
        let key =
            files.key(&key_name).with_context(|| format!("the key of {} cannot be used", path.display()))?;
        if !key.belongs_to(&certificate) {
            anyhow::bail!("{}: the private key belongs to another certificate", path.display());
        }
        let mut record = record;
        record.insert("private_key_name".to_owned(), Value::String(key_name));
        found.push(record);
    }
    if let Some(path) = &tls.certificate_authority {
        found.push(read_file(path, true, tls)?.0);
    }
    Ok(found)
}

fn read_file(path: &Path, is_authority: bool, tls: &Tls) -> anyhow::Result<(Object, Certificate)> {
    let shown = || path.display().to_string();
    let pem = std::fs::read_to_string(path).with_context(shown)?;
    let certificate =
        Certificate::read(&pem).with_context(|| format!("{}: no certificate", path.display()))?;
    let given = tls.name.clone().filter(|_| !is_authority);
    let name = given.or_else(|| certificate.common_name.clone());
    let name = name.or_else(|| certificate.hosts.first().cloned());
    let name = name.with_context(|| format!("{}: no host name in the certificate", path.display()))?;
    let changed = std::fs::metadata(path).and_then(|data| data.modified()).with_context(shown)?;
    let millis = changed.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0;
    let list = |texts: &[String]| Value::Array(texts.iter().map(|text| Value::from(text.as_str())).collect());
    let fields = [
        ("name", Value::String(name)),
        ("uses", list(&tls.uses)),
        ("certificate", Value::String(pem)),
        ("is_authority", Value::Bool(is_authority)),
        ("file_timestamp", Value::Number(millis)),
        ("details", certificate.details.clone()),
    ];
    let Value::Object(mut record) = object(fields) else { anyhow::bail!("no record") };
    if !is_authority && !tls.hosts.is_empty() {
        record.insert("hostnames".to_owned(), list(&tls.hosts));
    }
    Ok((record, certificate))
}

/// Whether a configured file is newer than what the table has under its name. What is kept may have come by
/// add_certificate since the file was written, and then stays.
fn is_news(record: &Object, kept: &[Object]) -> bool {
    let number = |record: &Object, field: &str| match record.get(field) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    };
    let named = kept.iter().find(|other| text(other, "name") == text(record, "name"));
    let Some(named) = named.filter(|named| !flag(named, "is_self_signed")) else { return true };
    let known = number(named, "file_timestamp").or_else(|| number(named, crate::store::UPDATED_TIME));
    number(record, "file_timestamp") > known
}
