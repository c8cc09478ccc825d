//! The TLS side of the secure port: what it offers follows the table of certificates.

use crate::certificates::verifier::Verifier;
use crate::certificates::{Certificate, Choice};
use crate::config::{CertificateUser, Network};
use crate::server::Server;
use arc_swap::ArcSwapOption;
use rustls::crypto::CryptoProvider;
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
}

/// What clients are offered as long as the certificates stay the same.
struct Offer {
    version: u64,
    config: Arc<ServerConfig>,
    verifier: Option<Arc<Verifier>>,
}

impl SecurePort {
    pub(super) fn new(server: &Arc<Server>) -> SecurePort {
        SecurePort {
            server: Arc::clone(server),
            provider: Arc::new(rustls::crypto::ring::default_provider()),
            current: ArcSwapOption::empty(),
            making: Mutex::new(()),
        }
    }

    /// Greets a client. With the stream comes the name of the user that the client's certificate stands for.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<(TlsStream<TcpStream>, Option<Arc<str>>)> {
        let offer = self.offer().await?;
        let stream = TlsAcceptor::from(Arc::clone(&offer.config)).accept(stream).await?;
        let certified = self.certified(&offer, &stream);
        Ok((stream, certified))
    }

    /// The offer for the certificates as they are now.
    async fn offer(&self) -> io::Result<Arc<Offer>> {
        let usable = || {
            let version = self.server.certificates.version();
            self.current.load_full().filter(|offer| offer.version == version)
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
            Arc::new(Verifier::new(&choice.authorities, mtls.required, Arc::clone(&self.provider)))
        });
        let builder = match &verifier {
            None => builder.with_no_client_auth(),
            Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier) as Arc<_>),
        };
        let mut config = builder.with_cert_resolver(Arc::new(choice));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if *http2 {
            config.alpn_protocols.insert(0, b"h2".to_vec());
        }
        Ok(Offer { version, config: Arc::new(config), verifier })
    }

    fn certified(&self, offer: &Offer, stream: &TlsStream<TcpStream>) -> Option<Arc<str>> {
        let mtls = self.server.config.network.mtls.as_ref()?;
        let chain = stream.get_ref().1.peer_certificates()?;
        if !offer.verifier.as_ref()?.accepts(chain) {
            return None;
        }
        match &mtls.user {
            CertificateUser::Nobody => None,
            CertificateUser::Named(name) => Some(name.as_str().into()),
            CertificateUser::CommonName => Some(Certificate::of(chain.to_vec())?.common_name?.into()),
        }
    }
}
