//! Certificates between nodes: the one this node shows to others, those it signs for others, and the authorities that
//! vouch for others. They are in the table with the rest, for this use only.

use super::details::Certificate;
use super::keys::{KeyFiles, PrivateKey, file_stem};
use super::records::{CERTIFICATES, flag, read_all, text, texts};
use super::{Certificates, made, seconds_now};
use crate::access::system_tables::{delete, system_database};
use crate::error::OperationError;
use crate::store::{Store, UPDATED_TIME, WriteTxn};
use crate::value::{Object, Value};
use anyhow::Context;
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use std::sync::Arc;

/// What these certificates are for, as `uses` of a record says it.
const USE: &str = "replication";

/// What this node proves its name to others by.
#[derive(Clone)]
pub struct Proof {
    /// The certificate with its key.
    pub certified: Arc<CertifiedKey>,
    /// The certificates of the authorities that vouch for this node, as PEM.
    pub authorities: Vec<String>,
    /// Whether nobody but this node itself vouches for it.
    pub is_self_made: bool,
}

/// Whether a record is for other nodes only.
pub(super) fn is_of_cluster(record: &Object) -> bool {
    texts(record, "uses") == [USE]
}

struct Usable<'r> {
    record: &'r Object,
    certificate: Certificate,
    key: PrivateKey,
}

impl Certificates {
    /// What this node proves its name by; made when there is nothing.
    ///
    /// # Errors
    /// When that cannot be made or stored.
    pub async fn proof(&self, store: &Store, name: &str) -> Result<Proof, OperationError> {
        if let Some(proof) = choose(&read_all(store)?, self.files(), name) {
            return Ok(proof);
        }
        self.make_own(store).await?;
        if let Some(proof) = choose(&read_all(store)?, self.files(), name) {
            return Ok(proof);
        }
        let request = self.request(store, name)?;
        let signed = self.sign(store, &request, name)?;
        let signed = signed.ok_or_else(|| OperationError::internal(anyhow::anyhow!("no own authority")))?;
        self.keep(store, name, &signed, true).await?;
        let proof = choose(&read_all(store)?, self.files(), name);
        proof.ok_or_else(|| OperationError::internal(anyhow::anyhow!("the own certificate cannot be used")))
    }

    /// A request for a certificate in this node's name, which another node may sign.
    ///
    /// # Errors
    /// When there is no key.
    pub fn request(&self, store: &Store, name: &str) -> Result<String, OperationError> {
        let made = || {
            let (_, key) = own_authority(&read_all(store)?, self.files()).context("there is no key")?;
            made::request(name, &key)
        };
        made().map_err(OperationError::internal)
    }

    /// Signs the request of a node called `name`; `None` when this node has no authority of its own.
    ///
    /// # Errors
    /// When the request is malformed.
    pub fn sign(&self, store: &Store, request: &str, name: &str) -> Result<Option<String>, OperationError> {
        let Some((authority, key)) = own_authority(&read_all(store)?, self.files()) else { return Ok(None) };
        made::sign(request, name, &authority, &key)
            .map(Some)
            .map_err(|_| OperationError::invalid("the certificate request is malformed"))
    }

    /// Keeps a certificate in this node's name that another node has signed, if it is one for the own key. Returns the
    /// name it is kept under.
    ///
    /// # Errors
    /// When it cannot be used or stored.
    pub async fn keep_signed(&self, store: &Store, name: &str, pem: &str) -> Result<String, OperationError> {
        self.keep(store, name, pem, false).await
    }

    async fn keep(&self, store: &Store, name: &str, pem: &str, own: bool) -> Result<String, OperationError> {
        let unusable = || OperationError::invalid("the signed certificate cannot be used");
        let certificate = Certificate::read(pem).ok_or_else(unusable)?;
        let key = self.files().matching(&certificate).ok_or_else(unusable)?;
        if certificate.common_name.as_deref() != Some(name) {
            return Err(unusable());
        }
        let kept = format!("{}-{}", file_stem(name), serial(&certificate));
        let record = record(&kept, &certificate, pem, false);
        let mut record = record;
        record.insert("private_key_name".to_owned(), Value::String(key));
        record.insert("is_self_signed".to_owned(), Value::Bool(own));
        self.put(store, vec![record]).await.map_err(OperationError::internal)?;
        Ok(kept)
    }

    /// Trusts authorities of other nodes. Returns the names they are kept under; those that are trusted anyway are not
    /// among them.
    ///
    /// # Errors
    /// When they cannot be stored. What is no certificate of an authority is left out.
    pub async fn trust(&self, store: &Store, authorities: &[String]) -> Result<Vec<String>, OperationError> {
        let kept = read_all(store)?;
        let (mut names, mut new) = (Vec::new(), Vec::new());
        for pem in authorities {
            let Some(certificate) = Certificate::read(pem).filter(is_authority) else { continue };
            let same = kept.iter().find(|record| {
                let other = text(record, "certificate").and_then(Certificate::read);
                other.is_some_and(|other| other.chain.first() == certificate.chain.first())
            });
            match same {
                Some(record) if is_of_cluster(record) => {
                    names.extend(text(record, "name").map(str::to_owned))
                }
                Some(_) => {}
                None => {
                    let subject = certificate.common_name.clone().unwrap_or_default();
                    let name = format!("{}-{}", file_stem(&subject), serial(&certificate));
                    new.push(record(&name, &certificate, pem, true));
                    names.push(name);
                }
            }
        }
        if !new.is_empty() {
            self.put(store, new).await.map_err(OperationError::internal)?;
        }
        Ok(names)
    }

    /// Removes certificates that were learned from nodes, unless they are for something else, too.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub async fn distrust(&self, store: &Store, names: Vec<String>) -> Result<(), OperationError> {
        let kept = read_all(store)?;
        let is_ours = |name: &String| {
            kept.iter().any(|record| text(record, "name") == Some(name.as_str()) && is_of_cluster(record))
        };
        let names: Vec<String> = names.into_iter().filter(is_ours).collect();
        if names.is_empty() {
            return Ok(());
        }
        let work = move |txn: &mut WriteTxn<'_>| -> Result<(), OperationError> {
            for name in &names {
                delete(txn, CERTIFICATES, &Value::from(name.as_str()))?;
            }
            Ok(())
        };
        system_database(store)?.write(work).await?;
        self.changed();
        Ok(())
    }

    /// The certificates of authorities among those kept under names, as PEM.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub fn authorities_named(&self, store: &Store, names: &[String]) -> Result<Vec<String>, OperationError> {
        let named = |record: &Object| {
            flag(record, "is_authority")
                && text(record, "name").is_some_and(|name| names.iter().any(|one| one == name))
        };
        let kept = read_all(store)?;
        Ok(kept
            .iter()
            .filter(|record| named(record))
            .filter_map(|record| text(record, "certificate"))
            .map(str::to_owned)
            .collect())
    }

    /// The certificates of all authorities that vouch for nodes.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub fn all_authorities(&self, store: &Store) -> Result<Vec<CertificateDer<'static>>, OperationError> {
        let kept = read_all(store)?;
        let authorities = kept.iter().filter(|record| flag(record, "is_authority"));
        let read = authorities.filter_map(|record| Certificate::read(text(record, "certificate")?));
        Ok(read.flat_map(|certificate| certificate.chain).collect())
    }
}

/// The best certificate in a node's name: one that was configured, or else signed by another node, or else made here.
fn choose(records: &[Object], files: &KeyFiles, name: &str) -> Option<Proof> {
    let nodes = records.iter().filter(|record| !flag(record, "is_authority"));
    let usable = nodes.filter_map(|record| {
        let certificate = Certificate::read(text(record, "certificate")?)?;
        let is_named = certificate.common_name.as_deref() == Some(name)
            || (!flag(record, "is_self_signed") && certificate.hosts.iter().any(|host| host == name));
        let key = files.key(text(record, "private_key_name")?)?;
        let fits = is_named && key.belongs_to(&certificate) && certificate.is_valid_at(seconds_now());
        fits.then_some(Usable { record, certificate, key })
    });
    let rank =
        |usable: &Usable<'_>| match (flag(usable.record, "is_self_signed"), is_of_cluster(usable.record)) {
            (false, false) => 2,
            (false, true) => 1,
            (true, _) => 0,
        };
    let since =
        |usable: &Usable<'_>| usable.record.get(UPDATED_TIME).and_then(Value::as_number).unwrap_or_default();
    // Of several of a kind the one that came last.
    let best =
        usable.max_by(|one, other| rank(one).cmp(&rank(other)).then(since(one).total_cmp(&since(other))))?;
    let pems = records.iter().filter(|record| flag(record, "is_authority") && !is_of_cluster(record));
    let authorities: Vec<(String, Certificate)> = pems
        .filter_map(|record| {
            let pem = text(record, "certificate")?;
            Some((pem.to_owned(), Certificate::read(pem)?))
        })
        .collect();
    let mut chain = best.certificate.chain.clone();
    let issuer = authorities.iter().find(|(_, authority)| authority.subject == best.certificate.issuer);
    if let (1, Some((_, issuer))) = (chain.len(), issuer) {
        chain.extend(issuer.chain.first().cloned());
    }
    Some(Proof {
        is_self_made: flag(best.record, "is_self_signed"),
        certified: Arc::new(CertifiedKey::new(chain, best.key.signing())),
        authorities: authorities.into_iter().map(|(pem, _)| pem).collect(),
    })
}

/// The authority of this node with its key, both as PEM.
fn own_authority(records: &[Object], files: &KeyFiles) -> Option<(String, String)> {
    let own = records.iter().filter(|record| flag(record, "is_authority") && flag(record, "is_self_signed"));
    own.filter_map(|record| {
        let pem = text(record, "certificate")?;
        let key = files.text(text(record, "private_key_name")?)?;
        PrivateKey::read(&key)?.belongs_to(&Certificate::read(pem)?).then(|| (pem.to_owned(), key))
    })
    .next()
}

fn is_authority(certificate: &Certificate) -> bool {
    let der = certificate.chain.first();
    der.is_some_and(|der| x509_parser::parse_x509_certificate(der).is_ok_and(|(_, parsed)| parsed.is_ca()))
}

fn serial(certificate: &Certificate) -> String {
    certificate.details.get("serial_number").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn record(name: &str, certificate: &Certificate, pem: &str, is_authority: bool) -> Object {
    let members = [
        ("name", Value::from(name)),
        ("uses", Value::Array(vec![Value::from(USE)])),
        ("certificate", Value::from(pem)),
        ("is_authority", Value::Bool(is_authority)),
        ("details", certificate.details.clone()),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::sample;
    use crate::operations::testing::Instance;

    /// An instance whose key is of a kind that is made at once.
    async fn instance() -> Instance {
        let instance = Instance::new().await;
        let (_, key) = sample::signed("any", &[]);
        instance.server.certificates.files().keep("privateKey", &key).unwrap();
        instance
    }

    fn name_of(proof: &Proof) -> Option<String> {
        Certificate::of(proof.certified.cert.clone()).unwrap().common_name
    }

    #[tokio::test]
    async fn nodes_vouch_for_each_other() {
        let (one, two) = (instance().await, instance().await);
        let (one, two) = (&one.server, &two.server);
        let made = one.certificates.proof(&one.store, "node-1").await.unwrap();
        assert!(made.is_self_made && name_of(&made).as_deref() == Some("node-1"));
        two.certificates.proof(&two.store, "node-2").await.unwrap();
        let request = one.certificates.request(&one.store, "node-1").unwrap();
        let signed = two.certificates.sign(&two.store, &request, "node-1").unwrap().unwrap();
        let kept = one.certificates.keep_signed(&one.store, "node-1", &signed).await.unwrap();
        let proof = one.certificates.proof(&one.store, "node-1").await.unwrap();
        assert!(!proof.is_self_made);
        let theirs = two.certificates.proof(&two.store, "node-2").await.unwrap().authorities;
        let trusted = one.certificates.trust(&one.store, &theirs).await.unwrap();
        assert_eq!(trusted.len(), 1);
        assert_eq!(one.certificates.trust(&one.store, &theirs).await.unwrap(), trusted);
        assert_eq!(one.certificates.all_authorities(&one.store).unwrap().len(), 2);
        assert_eq!(one.certificates.authorities_named(&one.store, &trusted).unwrap(), theirs);
        // The operations API has nothing to do with them.
        assert_eq!(one.certificates.choice(&one.store).await.unwrap().authorities.len(), 1);
        one.certificates.distrust(&one.store, vec![kept, trusted[0].clone()]).await.unwrap();
        assert_eq!(one.certificates.all_authorities(&one.store).unwrap().len(), 1);
        assert!(one.certificates.proof(&one.store, "node-1").await.unwrap().is_self_made);
    }

    #[tokio::test]
    async fn what_is_no_authority_is_not_trusted() {
        let instance = instance().await;
        let (pem, _) = sample::signed("a", &[]);
        let certificates = &instance.server.certificates;
        let store = &instance.server.store;
        assert!(certificates.trust(store, &[pem.clone(), "hello".to_owned()]).await.unwrap().is_empty());
        assert!(certificates.keep_signed(store, "a", &pem).await.is_err());
        certificates.proof(store, "b").await.unwrap();
        assert!(certificates.sign(store, "hello", "a").is_err());
    }
}
