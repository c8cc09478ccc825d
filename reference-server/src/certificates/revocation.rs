//! Whether a client's certificate was revoked, by the lists that its authority publishes.
//!
//! A list is fetched over HTTP from where the certificate says, kept for a while, and believed when the authority has
//! signed it. OCSP is not spoken: a certificate that can only be checked that way counts as one that cannot be
//! checked. One that names no place at all cannot be revoked.

use crate::config::Verification;
use parking_lot::Mutex;
use reqwest::redirect::Policy;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, Error, RootCertStore};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
use x509_parser::prelude::{CertificateRevocationList, FromDer};

/// The longest list that is read.
const LONGEST: usize = 16 * 1024 * 1024;
/// How many lists are kept.
const KEPT: usize = 64;

/// Lists of revoked certificates.
pub struct Revocation {
    settings: Verification,
    provider: Arc<CryptoProvider>,
    kept: Mutex<HashMap<String, (Instant, CertificateRevocationListDer<'static>)>>,
}

/// What the lists say of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Good,
    Revoked,
    Unknown,
}

impl Revocation {
    /// With no list fetched yet.
    pub fn new(settings: Verification, provider: Arc<CryptoProvider>) -> Revocation {
        Revocation { settings, provider, kept: Mutex::default() }
    }

    /// Whether a certificate that an authority has signed may be used.
    pub async fn accepts(
        &self,
        chain: &[CertificateDer<'_>],
        authorities: &[CertificateDer<'static>],
    ) -> bool {
        match self.standing(chain, authorities).await {
            Standing::Good => true,
            Standing::Revoked => false,
            Standing::Unknown => self.settings.fail_open,
        }
    }

    async fn standing(
        &self,
        chain: &[CertificateDer<'_>],
        authorities: &[CertificateDer<'static>],
    ) -> Standing {
        let Some((own, others)) = chain.split_first() else { return Standing::Unknown };
        let Some(places) = Places::of(own) else { return Standing::Unknown };
        if places.lists.is_empty() {
            return if places.ocsp { Standing::Unknown } else { Standing::Good };
        }
        for place in &places.lists {
            let Some(list) = self.list(place).await else { continue };
            match self.judge(own, others, authorities, list) {
                Standing::Unknown => {}
                known => return known,
            }
        }
        Standing::Unknown
    }

    fn judge(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        authorities: &[CertificateDer<'static>],
        list: CertificateRevocationListDer<'static>,
    ) -> Standing {
        if !self.is_current(&list) {
            return Standing::Unknown;
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities.iter().cloned());
        let builder =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider));
        let Ok(verifier) = builder.with_crls([list]).only_check_end_entity_revocation().build() else {
            return Standing::Unknown;
        };
        match verifier.verify_client_cert(own, others, UnixTime::now()) {
            Ok(_) => Standing::Good,
            Err(Error::InvalidCertificate(CertificateError::Revoked)) => Standing::Revoked,
            Err(_) => Standing::Unknown,
        }
    }

    /// Whether a list is not older than it says itself, and the grace period.
    fn is_current(&self, list: &CertificateRevocationListDer<'_>) -> bool {
        let Ok((_, read)) = CertificateRevocationList::from_der(list) else { return false };
        let Some(next) = read.next_update() else { return true };
        let end =
            Duration::from_secs(u64::try_from(next.timestamp()).unwrap_or(0)) + self.settings.grace_period;
        UNIX_EPOCH.elapsed().is_ok_and(|now| now <= end)
    }

    /// The list at a place, as fetched a while ago at most.
    async fn list(&self, place: &str) -> Option<CertificateRevocationListDer<'static>> {
        let kept = self.kept.lock().get(place).cloned();
        if let Some((since, list)) = kept.filter(|(since, _)| since.elapsed() < self.settings.cache_ttl) {
            tracing::trace!("a list of revoked certificates is {:?} old", since.elapsed());
            return Some(list);
        }
        let list = match fetch(place, self.settings.timeout).await {
            Ok(list) => list,
            Err(error) => {
                tracing::warn!("no list of revoked certificates from {place}: {error:#}");
                return None;
            }
        };
        let mut kept = self.kept.lock();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(place.to_owned(), (Instant::now(), list.clone()));
        Some(list)
    }
}

/// Where a certificate says it can be checked.
struct Places {
    lists: Vec<String>,
    ocsp: bool,
}

impl Places {
    fn of(certificate: &CertificateDer<'_>) -> Option<Places> {
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
        let mut places = Places { lists: Vec::new(), ocsp: false };
        for extension in parsed.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::CRLDistributionPoints(points) => {
                    for point in points.iter() {
                        if let Some(DistributionPointName::FullName(names)) = &point.distribution_point {
                            places.lists.extend(names.iter().filter_map(http));
                        }
                    }
                }
                ParsedExtension::AuthorityInfoAccess(access) => {
                    // The method's number is that of OCSP.
                    let is_ocsp = |kind: String| kind == "1.3.6.1.5.5.7.48.1";
                    places.ocsp |= access.iter().any(|one| is_ocsp(one.access_method.to_id_string()));
                }
                _ => {}
            }
        }
        Some(places)
    }
}

fn http(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::URI(uri) if uri.starts_with("http://") || uri.starts_with("https://") => {
            Some((*uri).to_owned())
        }
        _ => None,
    }
}

async fn fetch(place: &str, timeout: Duration) -> anyhow::Result<CertificateRevocationListDer<'static>> {
    crate::bulk::tls_ready();
    let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().timeout(timeout).build()?;
    let mut response = client.get(place).send().await?.error_for_status()?;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        anyhow::ensure!(bytes.len() + chunk.len() <= LONGEST, "it is longer than {LONGEST} bytes");
        bytes.extend_from_slice(&chunk);
    }
    if bytes.starts_with(b"-----BEGIN") {
        return Ok(CertificateRevocationListDer::from_pem_slice(&bytes)?);
    }
    Ok(CertificateRevocationListDer::from(bytes))
}
