//! Certificates for tests. Their keys are of a kind that is made at once.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SerialNumber, date_time_ymd};

fn params(name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, "Shop, Inc.");
    params.serial_number = Some(SerialNumber::from_slice(&[0x0a, 0x0b, 0x0c]));
    params.not_before = date_time_ymd(2024, 1, 2);
    params.not_after = date_time_ymd(2094, 8, 27);
    params
}

/// The PEM texts of a certificate that signs itself and of its key.
pub(crate) fn signed(name: &str, hosts: &[&str]) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = params(name, hosts).self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}
