//! Clients' certificates that only a responder of their authority can tell about.

use super::authority::{Authority, serve_with};
use super::tls::{secure, told};
use rcgen::{CustomExtension, ExtendedKeyUsagePurpose, KeyPair, SerialNumber, SigningKey as _};
use reference_server::config::{Mtls, Responders, Verification};
use reqwest::Identity;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use x509_cert::der::asn1::{BitString, GeneralizedTime, Ia5String, Null, ObjectIdentifier, OctetString};
use x509_cert::der::{DateTime, Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{AccessDescription, AuthorityInfoAccessSyntax};
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_ocsp::{
    BasicOcspResponse, CertStatus, OcspGeneralizedTime, OcspRequest, OcspResponse, ResponderId, ResponseData,
    RevokedInfo, SingleResponse, Version,
};

const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");

fn year(year: u16) -> OcspGeneralizedTime {
    OcspGeneralizedTime(GeneralizedTime::from_date_time(DateTime::new(year, 1, 1, 0, 0, 0).unwrap()))
}

fn good() -> CertStatus {
    CertStatus::Good(Null)
}

fn revoked() -> CertStatus {
    CertStatus::Revoked(RevokedInfo { revocation_time: year(2024), revocation_reason: None })
}

/// The answer to a request, before it is signed.
fn data(request: &[u8], status: CertStatus, next: Option<u16>) -> ResponseData {
    let request = OcspRequest::from_der(request).unwrap();
    let one = SingleResponse {
        cert_id: request.tbs_request.request_list[0].req_cert.clone(),
        cert_status: status,
        this_update: year(2024),
        next_update: next.map(year),
        single_extensions: None,
    };
    ResponseData {
        version: Version::V1,
        responder_id: ResponderId::ByKey(OctetString::new([7; 20]).unwrap()),
        produced_at: year(2024),
        responses: vec![one],
        response_extensions: None,
    }
}

fn signed(data: ResponseData, key: &KeyPair, delegate: Option<&str>) -> Vec<u8> {
    let signature = key.sign(&data.to_der().unwrap()).unwrap();
    let basic = BasicOcspResponse {
        tbs_response_data: data,
        signature_algorithm: AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None },
        signature: BitString::from_bytes(&signature).unwrap(),
        certs: delegate.map(|pem| vec![certificate(pem)]),
    };
    OcspResponse::successful(basic).unwrap().to_der().unwrap()
}

fn certificate(pem: &str) -> x509_cert::Certificate {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    x509_cert::Certificate::from_der(&der).unwrap()
}

/// A certificate of the authority that says where it can be checked.
fn client(authority: &Authority, place: &str) -> Identity {
    let access = AuthorityInfoAccessSyntax(vec![AccessDescription {
        access_method: OCSP,
        access_location: GeneralName::UniformResourceIdentifier(Ia5String::new(place).unwrap()),
    }]);
    let (pem, key) = authority.signed_with("admin", &[], |params| {
        params.serial_number = Some(SerialNumber::from_slice(&[0x7f, 1, 2]));
        let oid = [1, 3, 6, 1, 5, 5, 7, 1, 1];
        params.custom_extensions = vec![CustomExtension::from_oid_content(&oid, access.to_der().unwrap())];
    });
    Identity::from_pem(format!("{pem}{key}").as_bytes()).unwrap()
}

/// A certificate with a key that the authority has made for something.
fn delegate(authority: &Authority, purpose: ExtendedKeyUsagePurpose) -> (String, KeyPair) {
    let (pem, key) =
        authority.signed_with("Responder", &[], |params| params.extended_key_usages = vec![purpose]);
    (pem, KeyPair::from_pem(&key).unwrap())
}

/// The status of an answer to a client whose responder answers so, where certificates that cannot be checked are
/// refused, and where they are accepted.
async fn statuses(authority: &Authority, answer: impl FnMut(&[u8]) -> Vec<u8> + Send + 'static) -> [u16; 2] {
    let place = serve_with(answer).await;
    let mut statuses = [0; 2];
    for (status, fail_open) in statuses.iter_mut().zip([false, true]) {
        let ocsp = Responders { fail_open, ..Responders::default() };
        *status = outcomes(authority, ocsp, &place, 1).await[0];
    }
    statuses
}

/// The statuses of so many requests over new connections.
async fn outcomes(authority: &Authority, ocsp: Responders, place: &str, requests: usize) -> Vec<u16> {
    let verification = Some(Verification { ocsp, ..Verification::default() });
    let instance = secure(Some(Mtls { verification, ..Mtls::default() })).await;
    let own = instance.own_authority().await;
    instance.trust(authority).await;
    let mut statuses = Vec::new();
    for _ in 0..requests {
        statuses.push(told(instance.asking(own.clone(), Some(client(authority, place)))).await.0);
    }
    statuses
}

const ACCEPTED: [u16; 2] = [200, 200];
const REFUSED: [u16; 2] = [401, 401];
const UNCHECKED: [u16; 2] = [401, 200];

#[tokio::test]
async fn the_authority_s_word_counts() {
    let authority = Arc::new(Authority::new("Test Authority"));
    for (status, next, expected) in [
        (good(), Some(2090), ACCEPTED),
        (good(), None, ACCEPTED),
        (revoked(), Some(2090), REFUSED),
        (CertStatus::Unknown(Null), Some(2090), UNCHECKED),
        (good(), Some(2025), UNCHECKED),
        (revoked(), Some(2025), UNCHECKED),
    ] {
        let signer = authority.clone();
        let answer = move |request: &[u8]| signed(data(request, status, next), &signer.key, None);
        assert_eq!(statuses(&authority, answer).await, expected, "{status:?} {next:?}");
    }
}

#[tokio::test]
async fn only_the_authority_and_its_responders_are_believed() {
    let authority = Authority::new("Test Authority");
    let (pem, key) = delegate(&authority, ExtendedKeyUsagePurpose::OcspSigning);
    let answer = move |request: &[u8]| signed(data(request, good(), None), &key, Some(&pem));
    assert_eq!(statuses(&authority, answer).await, ACCEPTED);
    let (pem, key) = delegate(&authority, ExtendedKeyUsagePurpose::ClientAuth);
    let answer = move |request: &[u8]| signed(data(request, good(), None), &key, Some(&pem));
    assert_eq!(statuses(&authority, answer).await, UNCHECKED, "that is no responder");
    let other = Authority::new("Test Authority");
    let (pem, key) = delegate(&other, ExtendedKeyUsagePurpose::OcspSigning);
    let answer = move |request: &[u8]| signed(data(request, good(), None), &key, Some(&pem));
    assert_eq!(statuses(&authority, answer).await, UNCHECKED, "that is another authority's");
    let answer = move |request: &[u8]| signed(data(request, good(), None), &other.key, None);
    assert_eq!(statuses(&authority, answer).await, UNCHECKED);
}

#[tokio::test]
async fn answers_that_say_nothing_of_the_certificate_do_not_count() {
    let authority = Arc::new(Authority::new("Test Authority"));
    let signer = authority.clone();
    let about_another = move |request: &[u8]| {
        let mut data = data(request, good(), None);
        data.responses[0].cert_id.issuer_key_hash = OctetString::new([0; 20]).unwrap();
        signed(data, &signer.key, None)
    };
    assert_eq!(statuses(&authority, about_another).await, UNCHECKED);
    assert_eq!(statuses(&authority, |_| OcspResponse::try_later().to_der().unwrap()).await, UNCHECKED);
    assert_eq!(statuses(&authority, |_| b"busy".to_vec()).await, UNCHECKED);
    assert_eq!(statuses(&authority, |_| Vec::new()).await, UNCHECKED);
}

#[tokio::test]
async fn answers_are_kept_for_their_time() {
    let authority = Arc::new(Authority::new("Test Authority"));
    let off = Responders { enabled: false, ..Responders::default() };
    let never =
        Responders { cache_ttl: Duration::ZERO, error_cache_ttl: Duration::ZERO, ..Responders::default() };
    for (settings, first, asked, expected) in [
        (Responders::default(), good(), 1, [200, 200]),
        (Responders::default(), CertStatus::Unknown(Null), 1, [401, 401]),
        (never.clone(), good(), 2, [200, 401]),
        (never, CertStatus::Unknown(Null), 2, [401, 401]),
        (off, revoked(), 0, [200, 200]),
    ] {
        let count = Arc::new(AtomicUsize::new(0));
        let (signer, counted) = (authority.clone(), count.clone());
        let mut coming = VecDeque::from([first]);
        let place = serve_with(move |request| {
            counted.fetch_add(1, Ordering::SeqCst);
            let status = coming.pop_front().unwrap_or(revoked());
            signed(data(request, status, None), &signer.key, None)
        })
        .await;
        assert_eq!(outcomes(&authority, settings, &place, 2).await, expected);
        assert_eq!(count.load(Ordering::SeqCst), asked);
    }
}
