//! Certificates made for a trial, by an authority made for it.

use super::inept;
use crate::laws::Refusal;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SerialNumber, date_time_ymd,
};

/// An authority.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate.
    pub(super) pem: String,
}

/// A certificate with its key.
pub(super) struct Signed {
    /// The certificate as text.
    pub(super) pem: String,
    /// The certificate as it is shown in handshakes.
    pub(super) der: Vec<u8>,
    /// The key as text.
    pub(super) key: String,
}

impl Authority {
    pub(super) fn new(name: &str) -> Result<Authority, Refusal> {
        let mut params = params(name, &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(inept)?;
        let pem = params.self_signed(&key).map_err(inept)?.pem();
        Ok(Authority { issuer: Issuer::new(params, key), pem })
    }

    /// A certificate for a server of these names.
    pub(super) fn server(&self, hosts: &[&str]) -> Result<Signed, Refusal> {
        self.sign(params(hosts.first().copied().unwrap_or_default(), hosts)?)
    }

    /// A certificate that says who a client is.
    pub(super) fn client(&self, name: &str) -> Result<Signed, Refusal> {
        self.sign(params(name, &[])?)
    }

    /// The same with a number, and the place of a list that tells whether it was revoked.
    pub(super) fn revocable(&self, name: &str, number: u8, list: &str) -> Result<Signed, Refusal> {
        let mut params = params(name, &[])?;
        params.serial_number = Some(SerialNumber::from_slice(&[number]));
        params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![list.to_owned()] }];
        self.sign(params)
    }

    /// A list by which a number is revoked.
    pub(super) fn list(&self, number: u8) -> Result<Vec<u8>, Refusal> {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from_slice(&[number]),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(2094, 1, 1),
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(params.signed_by(&self.issuer).map_err(inept)?.der().to_vec())
    }

    fn sign(&self, params: CertificateParams) -> Result<Signed, Refusal> {
        let key = KeyPair::generate().map_err(inept)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(inept)?;
        Ok(Signed { pem: certificate.pem(), der: certificate.der().to_vec(), key: key.serialize_pem() })
    }
}

fn params(name: &str, hosts: &[&str]) -> Result<CertificateParams, Refusal> {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).map_err(inept)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = date_time_ymd(2024, 1, 2);
    params.not_after = date_time_ymd(2094, 8, 27);
    Ok(params)
}
