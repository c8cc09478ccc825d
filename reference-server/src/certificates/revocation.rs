//! Whether a client's certificate was revoked, by the lists that its authority publishes or, where those do not tell, by
//! what the authority's responder answers (OCSP).
//!
//! Both are fetched over HTTP from where the certificate says, kept for a while, and believed when the authority has
//! signed them. A certificate that names no place at all cannot be revoked.

use super::ocsp::{Answer, Question};
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
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
use x509_parser::prelude::{CertificateRevocationList, FromDer};

/// The longest list that is read.
const LONGEST: usize = 16 * 1024 * 1024;
/// The longest answer of a responder that is read.
const LONGEST_ANSWER: usize = 64 * 1024;
/// How many lists are kept.
const KEPT: usize = 64;
/// How many answers of responders are kept.
const KEPT_ANSWERS: usize = 4096;

/// Lists of revoked certificates, and answers about single ones.
pub struct Revocation {
    settings: Verification,
    provider: Arc<CryptoProvider>,
    kept: Mutex<HashMap<String, (Instant, CertificateRevocationListDer<'static>)>>,
    answers: Mutex<Answers>,
}

/// By certificate and responder: what it answered, and the end of its use here.
type Answers = HashMap<(Vec<u8>, String), (Standing, Instant)>;

/// What is said of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    Revoked,
    Unknown,
}

impl Revocation {
    /// With no list fetched yet.
    pub fn new(settings: Verification, provider: Arc<CryptoProvider>) -> Revocation {
        Revocation { settings, provider, kept: Mutex::default(), answers: Mutex::default() }
    }

    /// Whether a certificate that an authority has signed may be used.
    pub async fn accepts(
        &self,
        chain: &[CertificateDer<'_>],
        authorities: &[CertificateDer<'static>],
    ) -> bool {
        let Some((own, others)) = chain.split_first() else { return false };
        let Verification { crl, ocsp } = &self.settings;
        let Some(places) = Places::of(own) else { return crl.fail_open && ocsp.fail_open };
        let (lists, responders) =
            (crl.enabled && !places.lists.is_empty(), ocsp.enabled && !places.ocsp.is_empty());
        let mut accepted_unchecked = true;
        if lists {
            match self.by_lists(own, others, authorities, &places.lists).await {
                Standing::Unknown => accepted_unchecked = crl.fail_open,
                known => return known == Standing::Good,
            }
        }
        if responders {
            match self.by_responders(own, others, authorities, &places.ocsp).await {
                Standing::Unknown => accepted_unchecked = ocsp.fail_open,
                known => return known == Standing::Good,
            }
        }
        accepted_unchecked
    }

    async fn by_lists(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        authorities: &[CertificateDer<'static>],
        places: &[String],
    ) -> Standing {
        for place in places {
            let Some(list) = self.list(place).await else { continue };
            match self.judge(own, others, authorities, list) {
                Standing::Unknown => {}
                known => return known,
            }
        }
        Standing::Unknown
    }

    async fn by_responders(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        authorities: &[CertificateDer<'static>],
        places: &[String],
    ) -> Standing {
        let Some(question) = Question::about(own, authorities.iter().chain(others)) else {
            return Standing::Unknown;
        };
        for place in places {
            match self.answer(&question, place).await {
                Standing::Unknown => {}
                known => return known,
            }
        }
        Standing::Unknown
    }

    /// What a responder answers, or has answered a while ago at most. That it did not answer is kept for a while, too.
    async fn answer(&self, question: &Question<'_>, place: &str) -> Standing {
        let (Some(key), Some(message)) = (question.key(), question.message()) else {
            return Standing::Unknown;
        };
        let key = (key, place.to_owned());
        let kept = self.answers.lock().get(&key).copied();
        if let Some((standing, _)) = kept.filter(|(_, end)| Instant::now() < *end) {
            return standing;
        }
        let settings = &self.settings.ocsp;
        let told = ask(place, message, settings.timeout).await.and_then(|answer| {
            let believed = question.judge(&answer, SystemTime::now());
            believed.ok_or_else(|| anyhow::anyhow!("its answer cannot be believed"))
        });
        let (standing, time) = match told {
            Ok(Answer { standing: Standing::Unknown, .. }) => (Standing::Unknown, settings.error_cache_ttl),
            Ok(Answer { standing, until }) => {
                let left = until.and_then(|until| until.duration_since(SystemTime::now()).ok());
                (standing, left.unwrap_or(settings.cache_ttl).min(settings.cache_ttl))
            }
            Err(error) => {
                tracing::warn!("no word of a certificate from {place}: {error:#}");
                (Standing::Unknown, settings.error_cache_ttl)
            }
        };
        let mut answers = self.answers.lock();
        if answers.len() >= KEPT_ANSWERS {
            answers.clear();
        }
        // A time without end is a year.
        let end = Instant::now() + time.min(Duration::from_hours(24 * 365));
        answers.insert(key, (standing, end));
        standing
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
        let end = Duration::from_secs(u64::try_from(next.timestamp()).unwrap_or(0))
            + self.settings.crl.grace_period;
        UNIX_EPOCH.elapsed().is_ok_and(|now| now <= end)
    }

    /// The list at a place, as fetched a while ago at most.
    async fn list(&self, place: &str) -> Option<CertificateRevocationListDer<'static>> {
        let kept = self.kept.lock().get(place).cloned();
        if let Some((since, list)) = kept.filter(|(since, _)| since.elapsed() < self.settings.crl.cache_ttl) {
            tracing::trace!("a list of revoked certificates is {:?} old", since.elapsed());
            return Some(list);
        }
        let list = match fetch(place, self.settings.crl.timeout).await {
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
    ocsp: Vec<String>,
}

impl Places {
    fn of(certificate: &CertificateDer<'_>) -> Option<Places> {
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
        let mut places = Places { lists: Vec::new(), ocsp: Vec::new() };
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
                    let responders = access.iter().filter(|one| is_ocsp(one.access_method.to_id_string()));
                    places.ocsp.extend(responders.filter_map(|one| http(&one.access_location)));
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
    let bytes = body(client(timeout)?.get(place), LONGEST).await?;
    if bytes.starts_with(b"-----BEGIN") {
        return Ok(CertificateRevocationListDer::from_pem_slice(&bytes)?);
    }
    Ok(CertificateRevocationListDer::from(bytes))
}

async fn ask(place: &str, message: Vec<u8>, timeout: Duration) -> anyhow::Result<Vec<u8>> {
    let request =
        client(timeout)?.post(place).header("content-type", "application/ocsp-request").body(message);
    body(request, LONGEST_ANSWER).await
}

fn client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    crate::bulk::tls_ready();
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().timeout(timeout).build()
}

async fn body(request: reqwest::RequestBuilder, longest: usize) -> anyhow::Result<Vec<u8>> {
    let mut response = request.send().await?.error_for_status()?;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        anyhow::ensure!(bytes.len() + chunk.len() <= longest, "it is longer than {longest} bytes");
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
