//! What a certificate says of itself, in the words of the API.

use crate::value::{Object, Value};
use chrono::DateTime;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Name;

/// A certificate that was read.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// It and those that follow it in its text, in their binary form.
    pub chain: Vec<CertificateDer<'static>>,
    /// The public key, as certificates hold it.
    pub public_key: Vec<u8>,
    /// Its subject, in its binary form.
    pub subject: Vec<u8>,
    /// Its issuer, in its binary form.
    pub issuer: Vec<u8>,
    /// The common name of its subject.
    pub common_name: Option<String>,
    /// The hosts it is for: its alternative names, or else its common name.
    pub hosts: Vec<String>,
    /// `details` of list_certificates.
    pub details: Value,
    valid: (i64, i64),
}

impl Certificate {
    /// Reads the first certificate of a PEM text; `None` when there is none or it is malformed.
    pub fn read(pem: &str) -> Option<Certificate> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().ok()?;
        Certificate::of(chain)
    }

    /// Reads the first certificate of a chain.
    pub fn of(chain: Vec<CertificateDer<'static>>) -> Option<Certificate> {
        let (rest, parsed) = x509_parser::parse_x509_certificate(chain.first()?).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let names = alternative_names(&parsed);
        let common_name = common_name(parsed.subject());
        let hosts = match &names {
            Some(names) => names.iter().filter_map(host_of).collect(),
            None => common_name.iter().cloned().collect(),
        };
        let validity = parsed.validity();
        let mut details = Object::new();
        let mut tell = |name: &str, text: String| details.insert(name.to_owned(), Value::String(text));
        tell("issuer", name_text(parsed.issuer()));
        tell("subject", name_text(parsed.subject()));
        if let Some(names) = &names {
            tell("subject_alt_name", names.iter().map(alternative_text).collect::<Vec<_>>().join(", "));
        }
        tell("serial_number", serial_text(parsed.raw_serial()));
        tell("valid_from", time_text(validity.not_before));
        tell("valid_to", time_text(validity.not_after));
        Some(Certificate {
            public_key: parsed.public_key().raw.to_vec(),
            subject: parsed.subject().as_raw().to_vec(),
            issuer: parsed.issuer().as_raw().to_vec(),
            valid: (validity.not_before.timestamp(), validity.not_after.timestamp()),
            details: Value::Object(details),
            common_name,
            hosts,
            chain,
        })
    }

    /// Whether the certificate is valid at a time, in seconds since 1970.
    pub fn is_valid_at(&self, seconds: i64) -> bool {
        (self.valid.0..=self.valid.1).contains(&seconds)
    }
}

fn alternative_names<'c>(certificate: &'c X509Certificate<'_>) -> Option<Vec<GeneralName<'c>>> {
    let names = certificate.subject_alternative_name().ok().flatten()?;
    Some(names.value.general_names.clone())
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    name.iter_common_name().next().and_then(|value| value.as_str().ok()).map(str::to_owned)
}

/// The host an alternative name means, if it means one.
fn host_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(host) => Some((*host).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        GeneralName::DirectoryName(name) => common_name(name),
        _ => None,
    }
}

fn alternative_text(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(host) => format!("DNS:{}", quoted(host)),
        GeneralName::RFC822Name(mail) => format!("email:{}", quoted(mail)),
        GeneralName::URI(uri) => format!("URI:{}", quoted(uri)),
        GeneralName::IPAddress(bytes) => format!("IP Address:{}", address_text(bytes)),
        GeneralName::DirectoryName(name) => format!("DirName:{}", quoted(&name_text(name))),
        GeneralName::RegisteredID(oid) => format!("Registered ID:{oid}"),
        _ => "othername:<unsupported>".to_owned(),
    }
}

/// Texts that could be taken for more than one name stand in quotes.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\'', '\n', '\\']) { Value::from(text).to_json() } else { text.to_owned() }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::V4(Ipv4Addr::from(four)));
    }
    <[u8; 16]>::try_from(bytes).ok().map(|sixteen| IpAddr::V6(Ipv6Addr::from(sixteen)))
}

/// An address as certificates' tools print it: no group of zeros is left out.
fn address_text(bytes: &[u8]) -> String {
    match address(bytes) {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => address.segments().map(|group| format!("{group:X}")).join(":"),
        None => "<invalid>".to_owned(),
    }
}

/// `CN=… C=…`: the parts in their order, with blanks between them.
fn name_text(name: &X509Name<'_>) -> String {
    let mut text = String::new();
    for attribute in name.iter_attributes() {
        let kind = attribute.attr_type();
        let short = match oid2abbrev(kind, oid_registry()) {
            Ok(short) => short.to_owned(),
            Err(_) => kind.to_id_string(),
        };
        let value = attribute.as_str().unwrap_or_default().replace('\n', " ");
        let gap = if text.is_empty() { "" } else { " " };
        // Writing to a text does not fail.
        let _ = write!(text, "{gap}{short}={value}");
    }
    text
}

/// The number in capital hexadecimal digits, without the byte that only tells that it is positive.
fn serial_text(raw: &[u8]) -> String {
    let digits = match raw {
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    digits.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// `Aug 27 15:00:00 2024 GMT`.
fn time_text(time: ASN1Time) -> String {
    let time = DateTime::from_timestamp(time.timestamp(), 0);
    time.map(|time| time.format("%b %e %H:%M:%S %Y GMT").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn details_are_read() {
        let (pem, _) = sample::signed("shop.example", &["shop.example", "*.shop.example", "10.0.0.1", "::1"]);
        let certificate = Certificate::read(&pem).unwrap();
        let details = certificate.details.to_json();
        assert!(
            details.starts_with(
                r#"{"issuer":"CN=shop.example O=Shop, Inc.","subject":"CN=shop.example O=Shop, Inc.","subject_alt_name":"DNS:shop.example, DNS:*.shop.example, IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1","serial_number":"0A0B0C","#
            ),
            "{details}"
        );
        assert!(
            details.ends_with(
                r#""valid_from":"Jan  2 00:00:00 2024 GMT","valid_to":"Aug 27 00:00:00 2094 GMT"}"#
            ),
            "{details}"
        );
        assert_eq!(certificate.hosts, ["shop.example", "*.shop.example", "10.0.0.1", "::1"]);
        assert_eq!(certificate.common_name.as_deref(), Some("shop.example"));
        assert!(certificate.is_valid_at(1_800_000_000) && !certificate.is_valid_at(1_600_000_000));
    }

    #[test]
    fn without_alternative_names_the_common_name_is_the_host() {
        let (pem, _) = sample::signed("solo", &[]);
        let certificate = Certificate::read(&pem).unwrap();
        assert_eq!(certificate.hosts, ["solo"]);
        assert!(!certificate.details.to_json().contains("subject_alt_name"));
    }

    #[test]
    fn what_is_no_certificate() {
        let broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        for text in ["", "hello", broken, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"] {
            assert!(Certificate::read(text).is_none(), "{text}");
        }
        let (_, key) = sample::signed("solo", &[]);
        assert!(Certificate::read(&key).is_none());
    }
}
