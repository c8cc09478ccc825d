//! The server's own authority and the certificate of this node, made when there are none.

use super::keys::{KeyFiles, PrivateKey};
use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, SerialNumber,
};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use std::time::{Duration, SystemTime};

/// The name the key of self-made certificates gets.
const KEY_NAME: &str = "privateKey";
/// How authorities of this kind are called, before the host's name.
const AUTHORITY: &str = "HarperDB-Certificate-Authority-";
/// How long self-made certificates are valid.
const LIFE: Duration = Duration::from_hours(24 * 3650);
const BITS: usize = 2048;
/// The hosts every node has.
const LOCAL: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

/// A pair of certificates that share a key.
pub(super) struct Made {
    /// The authority's name and its PEM text.
    pub authority: (String, String),
    /// The node's name and its certificate's PEM text.
    pub node: (String, String),
    /// The name of the key.
    pub key_name: String,
}

/// Makes both certificates. The key takes a noticeable moment unless there is one already.
pub(super) fn make(files: &KeyFiles, hostname: &str) -> anyhow::Result<Made> {
    let (key_name, key) = own_key(files)?;
    let node = node_name(hostname);
    let authority_name = format!("{AUTHORITY}{node}");
    let authority = authority(&authority_name)?;
    let certificate = authority.self_signed(&key)?;
    let issuer = Issuer::from_params(&authority, &key);
    let signed = node_certificate(&node)?.signed_by(&key, &issuer)?;
    Ok(Made { authority: (authority_name, certificate.pem()), node: (node, signed.pem()), key_name })
}

/// The key kept by an earlier start, or a new one.
fn own_key(files: &KeyFiles) -> anyhow::Result<(String, KeyPair)> {
    let name = format!("{KEY_NAME}.pem");
    let kept = files.text(&name).filter(|text| PrivateKey::read(text).is_some());
    if let Some(key) = kept.and_then(|text| KeyPair::from_pem(&text).ok()) {
        return Ok((name, key));
    }
    let pair = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, BITS)?;
    let pem = pair.to_pkcs8_pem(LineEnding::LF)?;
    let key = KeyPair::from_pem_and_sign_algo(&pem, &rcgen::PKCS_RSA_SHA256)?;
    let name = files.keep(KEY_NAME, &pem).context("cannot keep the key of the server's certificate")?;
    Ok((name, key))
}

fn authority(name: &str) -> anyhow::Result<CertificateParams> {
    let mut params = lasting(name, Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn node_certificate(name: &str) -> anyhow::Result<CertificateParams> {
    let mut hosts: Vec<String> = LOCAL.map(str::to_owned).to_vec();
    if !hosts.iter().any(|host| host == name) {
        hosts.push(name.to_owned());
    }
    for_node(name, hosts)
}

fn for_node(name: &str, hosts: Vec<String>) -> anyhow::Result<CertificateParams> {
    let mut params = lasting(name, hosts)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn lasting(name: &str, hosts: Vec<String>) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, "Operations API reference server");
    // Clocks differ a little; a certificate made this second is good everywhere.
    let now = SystemTime::now();
    params.not_before = (now - Duration::from_mins(5)).into();
    params.not_after = (now + LIFE).into();
    let mut serial = rand::random::<[u8; 8]>();
    serial[0] = (serial[0] & 0x7f) | 1;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

/// A request for a certificate in a node's name.
pub(super) fn request(name: &str, key: &str) -> anyhow::Result<String> {
    let key = KeyPair::from_pem(key)?;
    // Whoever signs it decides on everything else.
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params.serialize_request(&key)?.pem()?)
}

/// A certificate in a node's name for the key of a request, whatever else the request asks for. The issuer is given by
/// its certificate and key.
pub(super) fn sign(request: &str, name: &str, authority: &str, key: &str) -> anyhow::Result<String> {
    let issuer = Issuer::from_ca_cert_pem(authority, KeyPair::from_pem(key)?)?;
    let request = CertificateSigningRequestParams::from_pem(request)?;
    let signed = for_node(name, vec![name.to_owned()])?.signed_by(&request.public_key, &issuer)?;
    Ok(signed.pem())
}

/// The node's name, in letters that certificates take.
fn node_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        "localhost".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::details::Certificate;
    use crate::certificates::sample;

    #[test]
    fn an_authority_and_a_node_with_the_kept_key() {
        let folder = tempfile::tempdir().unwrap();
        let files = KeyFiles::new(folder.path().join("keys"));
        let (_, key) = sample::signed("any", &[]);
        files.keep(KEY_NAME, &key).unwrap();
        let made = make(&files, "node-1").unwrap();
        assert_eq!(made.key_name, "privateKey.pem");
        let authority = Certificate::read(&made.authority.1).unwrap();
        let node = Certificate::read(&made.node.1).unwrap();
        assert_eq!(authority.common_name.as_deref(), Some(made.authority.0.as_str()));
        assert!(made.authority.0.starts_with("HarperDB-Certificate-Authority-"));
        assert_eq!(node.issuer, authority.subject);
        assert_eq!(node.common_name.as_deref(), Some(made.node.0.as_str()));
        for host in LOCAL {
            assert!(node.hosts.iter().any(|other| other == host), "{host}");
        }
        assert!(files.key("privateKey.pem").unwrap().belongs_to(&node));
        let (_, parsed) = x509_parser::parse_x509_certificate(&node.chain[0]).unwrap();
        let (_, parent) = x509_parser::parse_x509_certificate(&authority.chain[0]).unwrap();
        assert!(parent.is_ca() && !parsed.is_ca());
    }
}
