//! OCSP (RFC 6960): the question about one certificate, and what an answer to it is worth.

use super::revocation::Standing;
use rustls::pki_types::CertificateDer;
use std::time::{Duration, SystemTime};
use x509_cert::der::asn1::{Null, ObjectIdentifier, OctetString};
use x509_cert::der::{self, Decode, Encode};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspGeneralizedTime, OcspRequest, OcspResponse,
    OcspResponseStatus, Request, SingleResponse, TbsRequest,
};
use x509_parser::prelude::{AlgorithmIdentifier, FromDer, X509Certificate};
use x509_parser::verify::verify_signature;

const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const BASIC_RESPONSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
/// How far the clock of a responder may be ahead.
const AHEAD: Duration = Duration::from_secs(300);

/// A question about a certificate.
pub(super) struct Question<'c> {
    issuer: X509Certificate<'c>,
    id: CertId,
}

/// What an answer says, and how long it may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) standing: Standing,
    pub(super) until: Option<SystemTime>,
}

impl<'c> Question<'c> {
    /// About a certificate that one of these has signed; `None` when none has.
    pub(super) fn about(
        own: &CertificateDer<'_>,
        issuers: impl Iterator<Item = &'c CertificateDer<'c>>,
    ) -> Option<Question<'c>> {
        let (_, own) = X509Certificate::from_der(own).ok()?;
        let issuer = issuers
            .filter_map(|issuer| X509Certificate::from_der(issuer).ok())
            .map(|(_, issuer)| issuer)
            .find(|issuer| is_signed_by(&own, issuer))?;
        let id = id_of(&issuer, own.raw_serial()).ok()?;
        Some(Question { issuer, id })
    }

    /// What tells the certificate apart from all others.
    pub(super) fn key(&self) -> Option<Vec<u8>> {
        self.id.to_der().ok()
    }

    /// The message to the responder.
    pub(super) fn message(&self) -> Option<Vec<u8>> {
        let request = Request { req_cert: self.id.clone(), single_request_extensions: None };
        let tbs_request = TbsRequest { request_list: vec![request], ..TbsRequest::default() };
        OcspRequest { tbs_request, optional_signature: None }.to_der().ok()
    }

    /// What an answer says; `None` when it cannot be believed, or is about something else.
    pub(super) fn judge(&self, answer: &[u8], now: SystemTime) -> Option<Answer> {
        let answer = OcspResponse::from_der(answer).ok()?;
        let bytes = answer.response_bytes.filter(|bytes| bytes.response_type == BASIC_RESPONSE)?;
        if answer.response_status != OcspResponseStatus::Successful {
            return None;
        }
        let basic = BasicOcspResponse::from_der(bytes.response.as_bytes()).ok()?;
        if !self.is_genuine(&basic) {
            return None;
        }
        let one = basic.tbs_response_data.responses.iter().find(|one| self.is_meant(&one.cert_id))?;
        let until = one.next_update.map(|time| time_of(&time));
        let is_current = time_of(&one.this_update) <= now + AHEAD && until.is_none_or(|until| now <= until);
        is_current.then(|| Answer { standing: standing(one), until })
    }

    /// A responder may leave out the empty parameters of the hash.
    fn is_meant(&self, id: &CertId) -> bool {
        id.hash_algorithm.oid == SHA1
            && (&id.issuer_name_hash, &id.issuer_key_hash, &id.serial_number)
                == (&self.id.issuer_name_hash, &self.id.issuer_key_hash, &self.id.serial_number)
    }

    /// Whether the authority has signed an answer, or one that it has made a responder.
    fn is_genuine(&self, answer: &BasicOcspResponse) -> bool {
        if is_answer_of(answer, &self.issuer) {
            return true;
        }
        answer.certs.iter().flatten().filter_map(|delegate| delegate.to_der().ok()).any(|delegate| {
            let Ok((_, delegate)) = X509Certificate::from_der(&delegate) else { return false };
            let is_responder = delegate
                .extended_key_usage()
                .is_ok_and(|usage| usage.is_some_and(|usage| usage.value.ocsp_signing));
            is_responder
                && delegate.validity().is_valid()
                && is_signed_by(&delegate, &self.issuer)
                && is_answer_of(answer, &delegate)
        })
    }
}

fn id_of(issuer: &X509Certificate<'_>, serial: &[u8]) -> der::Result<CertId> {
    let hash = |bytes: &[u8]| {
        // It identifies an authority to the responder; nothing rests on its strength.
        let hash = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
        OctetString::new(hash.as_ref())
    };
    Ok(CertId {
        hash_algorithm: AlgorithmIdentifierOwned { oid: SHA1, parameters: Some(Null.into()) },
        issuer_name_hash: hash(issuer.subject().as_raw())?,
        issuer_key_hash: hash(&issuer.public_key().subject_public_key.data)?,
        serial_number: SerialNumber::new(serial)?,
    })
}

fn is_signed_by(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    certificate.issuer().as_raw() == issuer.subject().as_raw()
        && certificate.verify_signature(Some(issuer.public_key())).is_ok()
}

fn is_answer_of(answer: &BasicOcspResponse, signer: &X509Certificate<'_>) -> bool {
    let (Ok(data), Ok(algorithm)) = (answer.tbs_response_data.to_der(), answer.signature_algorithm.to_der())
    else {
        return false;
    };
    let (Ok((_, algorithm)), Some(signature)) =
        (AlgorithmIdentifier::from_der(&algorithm), answer.signature.as_bytes())
    else {
        return false;
    };
    let signature = x509_parser::der_parser::asn1_rs::BitString::new(0, signature);
    verify_signature(signer.public_key(), &algorithm, &signature, &data).is_ok()
}

fn standing(one: &SingleResponse) -> Standing {
    match one.cert_status {
        CertStatus::Good(_) => Standing::Good,
        CertStatus::Revoked(_) => Standing::Revoked,
        CertStatus::Unknown(_) => Standing::Unknown,
    }
}

fn time_of(time: &OcspGeneralizedTime) -> SystemTime {
    SystemTime::UNIX_EPOCH + time.0.to_unix_duration()
}
