//! Which certificate a client gets: the best one for the name it asks for.

use super::cluster::is_of_cluster;
use super::details::Certificate;
use super::keys::KeyFiles;
use super::records::{flag, text, texts};
use crate::value::Object;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use std::fmt;
use std::sync::Arc;

/// What certificates for this API are meant for, as `uses` of a record says it.
pub(super) const OWN_USE: &str = "operations-api";
const OWN_USES: [&str; 2] = [OWN_USE, "operations"];
/// A use that was said of certificates for everything.
const GENERAL_USE: &str = "https";

/// The certificates of the table that can be used, the best one first.
#[derive(Clone, Default)]
pub struct Choice {
    offers: Vec<Offer>,
    /// The certificates of authorities.
    pub authorities: Vec<CertificateDer<'static>>,
}

#[derive(Clone)]
struct Offer {
    name: String,
    hosts: Vec<String>,
    quality: f64,
    certified: Arc<CertifiedKey>,
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.offers.iter().map(|offer| &offer.name)).finish()
    }
}

impl Choice {
    /// The choice that the records of the table give, at a time in seconds since 1970.
    pub fn new(records: &[Object], files: &KeyFiles, now: i64) -> Choice {
        let read = |record: &Object| Certificate::read(text(record, "certificate")?);
        // Authorities of other nodes vouch for nodes only.
        let vouches = |record: &&Object| flag(record, "is_authority") && !is_of_cluster(record);
        let authorities: Vec<Certificate> = records.iter().filter(vouches).filter_map(read).collect();
        let nodes = records.iter().filter(|record| !flag(record, "is_authority") && !is_of_cluster(record));
        let mut offers: Vec<Offer> =
            nodes.filter_map(|record| offer(record, read(record)?, &authorities, files, now)).collect();
        // The sort is stable: of equals the first by name stays first.
        if !fault!("certificates-not-ranked") {
            offers.sort_by(|a, b| b.quality.total_cmp(&a.quality));
        }
        let authorities = authorities.into_iter().flat_map(|authority| authority.chain).collect();
        Choice { offers, authorities }
    }

    /// Whether there is no certificate at all.
    pub fn is_empty(&self) -> bool {
        self.offers.is_empty()
    }

    /// The certificates for a host, the best one first; those for other hosts come last.
    fn for_host<'c>(&'c self, host: Option<&str>) -> impl Iterator<Item = &'c Offer> {
        let host = host.map(str::to_ascii_lowercase);
        let fits = move |offer: &&Offer| {
            host.as_ref().is_some_and(|host| offer.hosts.iter().any(|pattern| covers(pattern, host)))
        };
        let others = self.offers.iter();
        self.offers.iter().filter(fits).chain(others)
    }
}

impl ResolvesServerCert for Choice {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let schemes = hello.signature_schemes();
        let usable = |offer: &&Offer| offer.certified.key.choose_scheme(schemes).is_some();
        self.for_host(hello.server_name()).find(usable).map(|offer| Arc::clone(&offer.certified))
    }
}

fn offer(
    record: &Object,
    certificate: Certificate,
    authorities: &[Certificate],
    files: &KeyFiles,
    now: i64,
) -> Option<Offer> {
    let name = text(record, "name")?.to_owned();
    let key = text(record, "private_key_name").and_then(|key| files.key(key));
    let Some(key) = key.filter(|key| key.belongs_to(&certificate)) else {
        tracing::warn!("the certificate '{name}' is not used: its private key is missing");
        return None;
    };
    let hosts = match texts(record, "hostnames") {
        given if given.is_empty() || fault!("hosts-not-looked-at") => certificate.hosts.clone(),
        given => given,
    };
    let mut chain = certificate.chain.clone();
    let issuer = authorities.iter().find(|authority| authority.subject == certificate.issuer);
    if let (1, Some(issuer)) = (chain.len(), issuer) {
        chain.extend(issuer.chain.first().cloned());
    }
    Some(Offer {
        quality: quality(record, &certificate, now),
        hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
        certified: Arc::new(CertifiedKey::new(chain, key.signing())),
        name,
    })
}

/// Certificates meant for this API come before those for everything, those before the ones for something else, and
/// self-made ones last. Outdated ones are only better than none.
fn quality(record: &Object, certificate: &Certificate, now: i64) -> f64 {
    let uses = texts(record, "uses");
    let is_for = |wanted: &[&str]| uses.iter().any(|one| wanted.contains(&one.as_str()));
    let origin = if flag(record, "is_self_signed") { 1.0 } else { 3.0 };
    let purpose = if is_for(&OWN_USES) {
        3.0
    } else if is_for(&[GENERAL_USE]) {
        0.5
    } else if uses.is_empty() {
        0.0
    } else {
        -0.5
    };
    let age = if certificate.is_valid_at(now) { 0.0 } else { -10.0 };
    origin + purpose + age
}

/// Whether a certificate's host, which may begin with `*`, covers a name. Both are in small letters.
fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        None => pattern == host,
        Some(suffix) => host
            .strip_suffix(suffix)
            .is_some_and(|label| suffix.starts_with('.') && !label.is_empty() && !label.contains('.')),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::value::{Value, object};

    const NOW: i64 = 1_800_000_000;

    struct Case {
        folder: tempfile::TempDir,
        records: Vec<Object>,
    }

    impl Case {
        fn new() -> Case {
            Case { folder: tempfile::tempdir().unwrap(), records: Vec::new() }
        }

        fn files(&self) -> KeyFiles {
            KeyFiles::new(self.folder.path().to_owned())
        }

        fn add(&mut self, name: &str, hosts: &[&str], more: &[(&str, Value)]) {
            let (pem, key) = sample::signed(name, hosts);
            let key_name = self.files().keep(name, &key).unwrap();
            let fields = [
                ("name", Value::from(name)),
                ("certificate", Value::from(pem.as_str())),
                ("is_authority", Value::Bool(false)),
                ("private_key_name", Value::from(key_name.as_str())),
            ];
            let Value::Object(mut record) = object(fields) else { return };
            record.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            self.records.push(record);
        }

        fn chosen(&self, host: Option<&str>) -> String {
            let choice = Choice::new(&self.records, &self.files(), NOW);
            choice.for_host(host).next().map(|offer| offer.name.clone()).unwrap_or_default()
        }
    }

    fn list(texts: &[&str]) -> Value {
        Value::Array(texts.iter().map(|text| Value::from(*text)).collect())
    }

    #[test]
    fn the_host_asked_for_decides() {
        let mut case = Case::new();
        case.add("a", &["a.example", "*.a.example"], &[("uses", list(&["operations-api"]))]);
        case.add("b", &["b.example"], &[]);
        case.add("c", &["other"], &[("hostnames", list(&["C.example"]))]);
        assert_eq!(case.chosen(Some("a.example")), "a");
        assert_eq!(case.chosen(Some("B.Example")), "b");
        assert_eq!(case.chosen(Some("x.a.example")), "a");
        assert_eq!(case.chosen(Some("c.example")), "c");
        assert_eq!(case.chosen(Some("unknown.example")), "a");
        assert_eq!(case.chosen(None), "a");
    }

    #[test]
    fn better_certificates_come_first() {
        let mut case = Case::new();
        let own = [("is_self_signed", Value::Bool(true)), ("uses", list(&["https", "operations", "wss"]))];
        case.add("own", &["h"], &own);
        assert_eq!(case.chosen(Some("h")), "own");
        case.add("elsewhere", &["h"], &[("uses", list(&["mqtt"]))]);
        assert_eq!(case.chosen(Some("h")), "own");
        case.add("plain", &["i"], &[]);
        case.add("api", &["i"], &[("uses", list(&["operations-api"]))]);
        assert_eq!(case.chosen(Some("i")), "api");
        assert_eq!(case.chosen(None), "api");
    }

    #[test]
    fn certificates_without_their_key_are_not_used() {
        let mut case = Case::new();
        case.add("a", &["h"], &[("private_key_name", Value::from("missing.pem"))]);
        assert!(Choice::new(&case.records, &case.files(), NOW).is_empty());
        case.add("b", &["h"], &[]);
        case.add("c", &["h"], &[("private_key_name", Value::from("b.pem"))]);
        assert_eq!(Choice::new(&case.records, &case.files(), NOW).offers.len(), 1);
    }

    #[test]
    fn stars_stand_for_one_label() {
        assert!(covers("*.a.b", "x.a.b") && covers("a.b", "a.b"));
        assert!(!covers("*.a.b", "a.b") && !covers("*.a.b", "y.x.a.b") && !covers("*", "a"));
    }
}
