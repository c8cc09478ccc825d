//! add_certificate.

use crate::access::system_tables::{all, get, put, system_database};
use crate::certificates::keys::{PrivateKey, file_stem};
use crate::certificates::records::{CERTIFICATES, text};
use crate::certificates::{Certificate, KeyFiles};
use crate::error::OperationError;
use crate::operations::{Call, Outcome, Reply};
use crate::store::{CREATED_TIME, WriteTxn};
use crate::value::{Object, Value};
use std::sync::Arc;

pub(super) async fn add_certificate(call: Call) -> Outcome {
    let server = &call.server;
    let field = |name: &str| call.body.get(name).filter(|value| !value.is_null());
    let field_text = |name: &str| field(name).and_then(Value::as_str);
    let name = field_text("name").unwrap_or_default().to_owned();
    let is_authority = is_true(field("is_authority"));
    let pem = field_text("certificate").unwrap_or_default();
    let certificate = Certificate::read(pem)
        .ok_or_else(|| OperationError::invalid("'certificate' is not a valid certificate"))?;

    let mut record = Object::new();
    let mut set = |name: &str, value: Value| record.insert(name.to_owned(), value);
    set("name", Value::from(name.as_str()));
    set("certificate", Value::from(pem));
    set("is_authority", Value::Bool(is_authority));
    if let Some(hosts) = field("hosts") {
        set("hosts", hosts.clone());
        set("hostnames", hosts.clone());
    }
    for name in ["uses", "ciphers"] {
        if let Some(value) = field(name) {
            set(name, value.clone());
        }
    }
    set("details", certificate.details.clone());

    let files = Arc::clone(server.certificates.files());
    let given = field_text("private_key").map(str::to_owned);
    let stem = file_stem(&name);
    let key = tokio::task::spawn_blocking({
        let (files, stem) = (Arc::clone(&files), stem.clone());
        move || key_of(&files, &certificate, is_authority, &stem, given.as_deref())
    });
    let key = key.await.map_err(OperationError::internal)??;
    if let Some(key) = &key {
        record.insert("private_key_name".to_owned(), Value::from(key.name.as_str()));
    }
    match store(&call, record).await {
        Ok(unused) => unused.iter().for_each(|name| files.remove(name)),
        Err(error) => {
            if let Some(Key { name, is_new: true }) = key {
                files.remove(&name);
            }
            return Err(error);
        }
    }
    server.certificates.changed();
    Ok(Reply::Message(format!(
        "Successfully added certificate: {}",
        if fault!("certificate-name-not-shortened") { &name } else { &stem }
    )))
}

fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// A key in the keys folder.
struct Key {
    name: String,
    /// Whether this request brought it there.
    is_new: bool,
}

/// The key of a certificate: the given one, which is kept, or else one that is there. Only authorities do without.
fn key_of(
    files: &KeyFiles,
    certificate: &Certificate,
    is_authority: bool,
    stem: &str,
    given: Option<&str>,
) -> Result<Option<Key>, OperationError> {
    let Some(given) = given else {
        return match files.matching(certificate) {
            Some(name) => Ok(Some(Key { name, is_new: false })),
            None if is_authority => Ok(None),
            None => Err(OperationError::invalid("A suitable private key was not found for this certificate")),
        };
    };
    let key = PrivateKey::read(given)
        .ok_or_else(|| OperationError::invalid("'private_key' is not a valid private key"))?;
    if !key.belongs_to(certificate) {
        return Err(OperationError::invalid("'private_key' does not belong to the certificate"));
    }
    if let Some(name) = files.same(given) {
        return Ok(Some(Key { name, is_new: false }));
    }
    let name = files.keep(stem, given)?;
    Ok(Some(Key { name, is_new: true }))
}

/// Stores the record in place of one of its name, and returns the name of the key that no certificate uses any more.
async fn store(call: &Call, record: Object) -> Result<Option<String>, OperationError> {
    system_database(&call.server.store)?
        .write(move |txn: &mut WriteTxn<'_>| -> Result<Option<String>, OperationError> {
            let name = record.get("name").cloned().unwrap_or_default();
            let replaced = get(txn.view()?, CERTIFICATES, &name)?;
            let mut record = record.clone();
            if let Some(made) = replaced.as_ref().and_then(|old| old.get(CREATED_TIME)) {
                record.insert(CREATED_TIME.to_owned(), made.clone());
            }
            put(txn, CERTIFICATES, record)?;
            let Some(old_key) = replaced.as_ref().and_then(|old| text(old, "private_key_name")) else {
                return Ok(None);
            };
            let kept = all(txn.view()?, CERTIFICATES)?;
            let is_used = kept.iter().any(|other| text(other, "private_key_name") == Some(old_key));
            Ok((!is_used).then(|| old_key.to_owned()))
        })
        .await
}
