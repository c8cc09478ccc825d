//! Whether the certificate of a client proves who it is (mTLS).

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};
use std::sync::Arc;

/// The members of a verifier that has a `provider`: signatures are checked as that one does.
macro_rules! of_provider {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let algorithms = &self.provider.signature_verification_algorithms;
            rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let algorithms = &self.provider.signature_verification_algorithms;
            rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.provider.signature_verification_algorithms.supported_schemes()
        }
    };
}
pub(crate) use of_provider;

/// Checks clients' certificates against the authorities of the table.
///
/// Unless certificates are required, one that is not accepted does not end the connection: it proves nothing, and the
/// client can still show other credentials.
#[derive(Debug)]
pub struct Verifier {
    /// `None` without authorities: then no certificate is accepted.
    checks: Option<Arc<dyn ClientCertVerifier>>,
    required: bool,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// A verifier that trusts these authorities.
    pub fn new(
        authorities: &[CertificateDer<'static>],
        required: bool,
        provider: Arc<CryptoProvider>,
    ) -> Verifier {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities.iter().cloned());
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        Verifier { checks: builder.build().ok(), required, provider }
    }

    /// Whether the certificate that a client showed is one of a trusted authority, and valid now.
    pub fn accepts(&self, chain: &[CertificateDer<'_>]) -> bool {
        let Some((own, others)) = chain.split_first() else { return false };
        let Some(checks) = &self.checks else { return false };
        checks.verify_client_cert(own, others, UnixTime::now()).is_ok()
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.checks.as_ref().map_or(&[], |checks| checks.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let checked = match &self.checks {
            Some(checks) => checks.verify_client_cert(own, others, now),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        };
        if self.required { checked } else { Ok(ClientCertVerified::assertion()) }
    }

    of_provider!();
}
