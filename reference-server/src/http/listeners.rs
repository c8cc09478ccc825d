//! The sockets that an instance listens on, apart from who serves them: at a restart the next instance takes them over,
//! so that nobody is refused meanwhile.

use crate::config::Config;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The sockets of an instance, each with what the configuration asked for.
#[derive(Debug, Default)]
pub struct Listeners {
    /// Of plain HTTP: host and port asked for, and the socket.
    pub plain: Option<(Address, TcpListener)>,
    /// Of HTTPS.
    pub secure: Option<(Address, TcpListener)>,
    /// The unix domain socket.
    pub socket: Option<(PathBuf, UnixListener)>,
    /// For other nodes, without TLS.
    pub replication: Option<(Address, TcpListener)>,
    /// For other nodes, with TLS.
    pub replication_secure: Option<(Address, TcpListener)>,
}

/// A host and a port; port 0 stands for whichever was free.
pub type Address = (String, u16);

impl Listeners {
    /// Opens what a configuration asks for. What `earlier` has of it is shared, not opened again.
    ///
    /// # Errors
    /// When an address is taken or cannot be used.
    pub fn open(config: &Config, earlier: &Listeners) -> io::Result<Listeners> {
        let network = &config.network;
        let tcp = |port: Option<u16>, earlier: &Option<(Address, TcpListener)>| {
            let Some(port) = port else { return Ok(None) };
            let asked = (network.host.clone(), port);
            let listener = match earlier {
                Some((address, listener)) if *address == asked => listener.try_clone()?,
                _ => TcpListener::bind((network.host.as_str(), port))?,
            };
            listener.set_nonblocking(true)?;
            Ok::<_, io::Error>(Some((asked, listener)))
        };
        let settings = &config.replication;
        let replicates = settings.is_configured() || config.clustering.enabled;
        Ok(Listeners {
            replication: tcp(settings.port, &earlier.replication)?,
            replication_secure: tcp(
                settings.listening_secure_port().filter(|_| replicates),
                &earlier.replication_secure,
            )?,
            plain: tcp(network.port, &earlier.plain)?,
            secure: tcp(network.secure_port, &earlier.secure)?,
            socket: match &network.domain_socket {
                None => None,
                Some(path) => open_socket(path, earlier)?,
            },
        })
    }

    /// Where plain HTTP is spoken.
    pub fn plain_address(&self) -> Option<SocketAddr> {
        self.plain.as_ref().and_then(|(_, listener)| listener.local_addr().ok())
    }

    /// Where HTTPS is spoken.
    pub fn secure_address(&self) -> Option<SocketAddr> {
        self.secure.as_ref().and_then(|(_, listener)| listener.local_addr().ok())
    }

    /// The path of the unix domain socket.
    pub fn socket_path(&self) -> Option<&Path> {
        self.socket.as_ref().map(|(path, _)| path.as_path())
    }

    /// The sockets in a fixed order: plain, secure, those for other nodes, unix domain.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let tcp = [&self.plain, &self.secure, &self.replication, &self.replication_secure]
            .into_iter()
            .flatten()
            .map(|(_, listener)| listener.as_fd());
        tcp.chain(self.socket.as_ref().map(|(_, listener)| listener.as_fd())).collect()
    }
}

fn open_socket(path: &Path, earlier: &Listeners) -> io::Result<Option<(PathBuf, UnixListener)>> {
    let opened = match &earlier.socket {
        // Somebody may have removed the file; then nobody finds the old one any more.
        Some((before, listener)) if before == path && is_socket(path) => listener.try_clone(),
        _ => bind_socket(path),
    };
    match opened {
        Ok(listener) => {
            listener.set_nonblocking(true)?;
            Ok(Some((path.to_owned(), listener)))
        }
        // Deep folders make names longer than the system allows; the other listeners still serve.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            tracing::warn!("{}: {error}; there is no domain socket", path.display());
            Ok(None)
        }
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// Binds the domain socket, in place of one that a dead server left behind.
fn bind_socket(path: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if is_socket(path) {
        if UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens here"));
        }
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    // Whoever may connect acts as the super user, so only the owner may.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}
