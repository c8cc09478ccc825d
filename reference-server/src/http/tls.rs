//! The TLS side of the secure port: its certificate and what it negotiates.

use crate::config::Config;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Makes the acceptor of the secure port.
pub(super) fn acceptor(config: &Config) -> io::Result<TlsAcceptor> {
    let (certificate, key) = files(config)?;
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(&certificate, &error))?;
    let private_key = PrivateKeyDer::from_pem_file(&key).map_err(|error| unreadable(&key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, private_key)
        .map_err(|error| unreadable(&certificate, &error))?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    if config.network.http2 {
        tls.alpn_protocols.insert(0, b"h2".to_vec());
    }
    Ok(TlsAcceptor::from(Arc::new(tls)))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}

/// The configured files, or a self-signed pair under the root that is made when it is missing.
fn files(config: &Config) -> io::Result<(PathBuf, PathBuf)> {
    match (&config.tls.certificate, &config.tls.private_key) {
        (Some(certificate), Some(key)) => return Ok((certificate.clone(), key.clone())),
        (None, None) => {}
        _ => return Err(io::Error::other("tls.certificate and tls.privateKey are only of use together")),
    }
    let folder = config.root_path.join("keys");
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("privateKey.pem"));
    if !(certificate.exists() && key.exists()) {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        fs::create_dir_all(&folder)?;
        write_private(&key, &made.signing_key.serialize_pem())?;
        fs::write(&certificate, made.cert.pem())?;
    }
    Ok((certificate, key))
}

/// Writes a file that only the owner may read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
