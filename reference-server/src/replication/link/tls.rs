//! TLS between nodes: both ends show certificates, and names are what counts, not hosts.

use super::identify::{Shown, is_revoked, plain_serial};
use crate::certificates::Certificate;
use crate::certificates::cluster::Proof;
use crate::certificates::revocation::Revocation;
use crate::certificates::verifier::{Verifier, of_provider};
use crate::error::OperationError;
use crate::server::Server;
use crate::value::Value;
use arc_swap::ArcSwapOption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::SingleCertAndKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use std::sync::{Arc, OnceLock};
use tokio::sync::Mutex;

/// What this node shows and trusts, as of now.
#[derive(Default)]
pub(super) struct Tls {
    current: ArcSwapOption<Offer>,
    /// Held while a new offer is made.
    making: Mutex<()>,
    revocation: OnceLock<Option<Revocation>>,
}

/// What is shown and trusted as long as the certificates stay the same.
pub(super) struct Offer {
    version: u64,
    name: String,
    provider: Arc<CryptoProvider>,
    pub(super) proof: Proof,
    /// For connections of others.
    pub(super) accepting: Arc<ServerConfig>,
    verifier: Arc<Verifier>,
    roots: Arc<RootCertStore>,
    authorities: Vec<CertificateDer<'static>>,
}

impl Tls {
    /// The offer for the certificates as they are now.
    pub(super) async fn offer(&self, server: &Arc<Server>) -> Result<Arc<Offer>, OperationError> {
        let name = server.replication.link.identity.name();
        let usable = || {
            let version = server.certificates.version();
            self.current.load_full().filter(|offer| offer.version == version && offer.name == name)
        };
        if let Some(offer) = usable() {
            return Ok(offer);
        }
        let _making = self.making.lock().await;
        if let Some(offer) = usable() {
            return Ok(offer);
        }
        let proof = server.certificates.proof(&server.store, &name).await?;
        // What changes from here on makes the offer one of an older version.
        let version = server.certificates.version();
        let mut authorities = server.certificates.all_authorities(&server.store)?;
        if server.config.replication.enable_root_cas {
            authorities.extend(public_authorities().iter().cloned());
        }
        let offer = make(version, name, proof, authorities).map_err(OperationError::internal)?;
        let offer = Arc::new(offer);
        self.current.store(Some(Arc::clone(&offer)));
        Ok(offer)
    }

    /// What the certificate of another node says.
    pub(super) async fn judge(
        &self,
        server: &Arc<Server>,
        offer: &Offer,
        chain: Vec<CertificateDer<'static>>,
    ) -> Option<Shown> {
        let is_trusted = offer.verifier.accepts(&chain) && self.stands(server, offer, &chain).await;
        let certificate = Certificate::of(chain)?;
        Some(Shown { serial: serial_of(&certificate), names: names_of(&certificate), is_trusted })
    }

    /// Whether a certificate that an authority has signed was not revoked, as far as that is to be looked up.
    pub(super) async fn stands(
        &self,
        server: &Arc<Server>,
        offer: &Offer,
        chain: &[CertificateDer<'static>],
    ) -> bool {
        let settings = &server.config.replication.verification;
        let revocation = self.revocation.get_or_init(|| {
            settings.clone().map(|settings| Revocation::new(settings, Arc::clone(&offer.provider)))
        });
        match revocation {
            Some(revocation) => revocation.accepts(chain, &offer.authorities).await,
            None => true,
        }
    }
}

impl Offer {
    /// For a connection to a node. Without `verify` any certificate will do.
    pub(super) fn connecting(
        &self,
        server: &Arc<Server>,
        name: &str,
        verify: bool,
    ) -> Result<ClientConfig, Error> {
        let nodes = server.replication.link.nodes.current();
        let verifier = NodeVerifier {
            provider: Arc::clone(&self.provider),
            roots: Arc::clone(&self.roots),
            name: name.to_owned(),
            verify,
            others: nodes.iter().map(|node| node.name.clone()).filter(|other| other != name).collect(),
            server: Arc::downgrade(server),
        };
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let own = SingleCertAndKey::from(Arc::clone(&self.proof.certified));
        Ok(config.with_client_cert_resolver(Arc::new(own)))
    }
}

/// The serial number of a certificate, in the form in which they are compared.
pub(super) fn serial_of(certificate: &Certificate) -> String {
    plain_serial(certificate.details.get("serial_number").and_then(Value::as_str).unwrap_or_default())
}

fn names_of(certificate: &Certificate) -> Vec<String> {
    let others = certificate.hosts.iter().filter(|host| Some(*host) != certificate.common_name.as_ref());
    certificate.common_name.iter().chain(others).cloned().collect()
}

fn make(
    version: u64,
    name: String,
    proof: Proof,
    authorities: Vec<CertificateDer<'static>>,
) -> Result<Offer, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Verifier::new(&authorities, false, Arc::clone(&provider)));
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities.iter().cloned());
    let own = SingleCertAndKey::from(Arc::clone(&proof.certified));
    let accepting = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::clone(&verifier) as Arc<_>)
        .with_cert_resolver(Arc::new(own));
    let (accepting, roots) = (Arc::new(accepting), Arc::new(roots));
    Ok(Offer { version, name, provider, proof, accepting, verifier, roots, authorities })
}

/// The authorities that this machine trusts.
fn public_authorities() -> &'static [CertificateDer<'static>] {
    static FOUND: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    FOUND.get_or_init(|| rustls_native_certs::load_native_certs().certs)
}

/// Checks the certificate of a node that is connected to: a trusted authority has to vouch for the node's name.
#[derive(Debug)]
struct NodeVerifier {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    name: String,
    verify: bool,
    /// The other nodes, whose certificates may be for the same hosts.
    others: Vec<String>,
    server: std::sync::Weak<Server>,
}

impl NodeVerifier {
    fn is_for_node(&self, own: &CertificateDer<'_>, parsed: &ParsedCertificate<'_>) -> bool {
        let Some(certificate) = Certificate::of(vec![own.clone().into_owned()]) else { return false };
        let names = names_of(&certificate);
        let is_named = |name: &String| name.eq_ignore_ascii_case(&self.name);
        if names.first().is_some_and(is_named) {
            return true;
        }
        let is_another = names.first().is_some_and(|name| self.others.contains(name));
        let by_host = || {
            ServerName::try_from(self.name.as_str())
                .is_ok_and(|name| verify_server_name(parsed, &name).is_ok())
        };
        !is_another && (names.iter().any(is_named) || by_host())
    }
}

impl ServerCertVerifier for NodeVerifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let serial =
            Certificate::of(vec![own.clone().into_owned()]).map(|certificate| serial_of(&certificate));
        let server = self.server.upgrade();
        if let (Some(serial), Some(server)) = (serial, server)
            && is_revoked(&server, &serial)
        {
            return Err(Error::InvalidCertificate(CertificateError::Revoked));
        }
        if !self.verify {
            return Ok(ServerCertVerified::assertion());
        }
        let parsed = ParsedCertificate::try_from(own)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, others, now, algorithms)?;
        if self.is_for_node(own, &parsed) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::NotValidForName))
        }
    }

    of_provider!();
}
