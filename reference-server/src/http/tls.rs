//! The TLS side of the secure port: what it offers follows the table of certificates.

use super::Certified;
use crate::certificates::revocation::Revocation;
use crate::certificates::verifier::Verifier;
use crate::certificates::{Certificate, Choice};
use crate::config::{CertificateUser, Network};
use crate::server::Server;
use arc_swap::ArcSwapOption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{ConfigBuilder, ServerConfig, WantsVerifier};
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What the secure port needs to greet clients.
pub(super) struct SecurePort {
    server: Arc<Server>,
    provider: Arc<CryptoProvider>,
    current: ArcSwapOption<Offer>,
    /// Held while a new offer is made.
    making: Mutex<()>,
    revocation: Option<Revocation>,
}

/// What clients are offered as long as the certificates stay the same.
pub(super) struct Offer {
    version: u64,
    config: Arc<ServerConfig>,
    verifier: Option<Arc<Verifier>>,
    authorities: Vec<CertificateDer<'static>>,
}

impl SecurePort {
    pub(super) fn new(server: &Arc<Server>) -> SecurePort {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mtls = server.config.network.mtls.as_ref();
        let verification = mtls.and_then(|mtls| mtls.verification.clone());
        SecurePort {
            server: Arc::clone(server),
            revocation: verification.map(|settings| Revocation::new(settings, Arc::clone(&provider))),
            provider,
            current: ArcSwapOption::empty(),
            making: Mutex::new(()),
        }
    }

    /// Greets a client. With the stream comes what it was offered.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<(TlsStream<TcpStream>, Arc<Offer>)> {
        let offer = self.offer().await?;
        let stream = TlsAcceptor::from(Arc::clone(&offer.config)).accept(stream).await?;
        Ok((stream, offer))
    }

    /// The offer for the certificates as they are now.
    async fn offer(&self) -> io::Result<Arc<Offer>> {
        let usable = || {
            let version = self.server.certificates.version();
            let current = self.current.load_full();
            current.filter(|offer| offer.version == version || fault!("added-certificates-wait"))
        };
        if let Some(offer) = usable() {
            return Ok(offer);
        }
        let _making = self.making.lock().await;
        if let Some(offer) = usable() {
            return Ok(offer);
        }
        // What changes from here on makes the offer one of an older version.
        let version = self.server.certificates.version();
        let choice = self.server.certificates.choice(&self.server.store).await.map_err(io::Error::other)?;
        let offer = Arc::new(self.make(version, choice).map_err(io::Error::other)?);
        self.current.store(Some(Arc::clone(&offer)));
        Ok(offer)
    }

    fn make(&self, version: u64, choice: Choice) -> Result<Offer, rustls::Error> {
        let Network { mtls, http2, .. } = &self.server.config.network;
        let builder: ConfigBuilder<ServerConfig, WantsVerifier> =
            ServerConfig::builder_with_provider(Arc::clone(&self.provider))
                .with_safe_default_protocol_versions()?;
        let verifier = mtls.as_ref().map(|mtls| {
            let required = (mtls.required && !fault!("certificates-not-required"))
                || fault!("certificates-always-required");
            Arc::new(Verifier::new(&choice.authorities, required, Arc::clone(&self.provider)))
        });
        let authorities = choice.authorities.clone();
        let builder = match &verifier {
            None => builder.with_no_client_auth(),
            Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier) as Arc<_>),
        };
        let mut config = builder.with_cert_resolver(Arc::new(choice));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if *http2 {
            config.alpn_protocols.insert(0, b"h2".to_vec());
        }
        Ok(Offer { version, config: Arc::new(config), verifier, authorities })
    }

    /// What the certificate that a client has shown proves.
    pub(super) async fn certified(&self, offer: &Offer, stream: &TlsStream<TcpStream>) -> Certified {
        let (Some(mtls), Some(verifier)) = (&self.server.config.network.mtls, &offer.verifier) else {
            return Certified::Nothing;
        };
        let Some(chain) = stream.get_ref().1.peer_certificates().map(<[_]>::to_vec) else {
            return Certified::Nothing;
        };
        if !verifier.accepts(&chain) || fault!("certificates-prove-nothing") {
            return Certified::Nothing;
        }
        if let Some(revocation) = &self.revocation
            && !revocation.accepts(&chain, &offer.authorities).await
            && !fault!("revoked-certificates-taken")
        {
            return Certified::Revoked;
        }
        let name = match &mtls.user {
            CertificateUser::Nobody if !fault!("certificates-of-nobody-prove") => None,
            CertificateUser::Named(name) => Some(name.clone()),
            CertificateUser::CommonName | CertificateUser::Nobody => {
                Certificate::of(chain).and_then(|own| own.common_name)
            }
        };
        name.map_or(Certified::Nothing, |name| Certified::User(name.into()))
    }
}
