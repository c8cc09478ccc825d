//! HTTP: listeners, media types, credentials, error bodies. The only module that knows of hyper, headers and statuses.
//!
//! [`start`] opens the listeners. A connection is served by `connection`, each of its requests by `request`, where
//! the order of the checks is written down once; `media` and `codecs` turn bodies into values and answers into
//! bodies, and `respond` puts the headers on.

mod auth_events;
mod body;
mod codecs;
mod connection;
mod cookies;
mod cors;
mod credentials;
mod enduring;
mod errors;
mod files;
mod listen;
mod listeners;
mod media;
mod pages;
mod request;
mod respond;
mod tls;
mod wakes;

pub use listen::{Running, start, start_on};
pub use listeners::{Address, Listeners};

use crate::server::Server;
use cors::Cors;
use hyper::header::HeaderValue;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto;
use std::net::IpAddr;
use std::sync::Arc;

/// What all connections of an instance share.
struct Site {
    server: Arc<Server>,
    cors: Cors,
    /// The value of `Keep-Alive`, ready to send.
    keep_alive: HeaderValue,
    protocol: auto::Builder<TokioExecutor>,
}

/// What a client's certificate proves.
#[derive(Clone, Debug)]
enum Certified {
    /// Nothing; other credentials are needed.
    Nothing,
    /// That the client is this user.
    User(Arc<str>),
    /// That it must not be used: it was revoked, or that could not be found out.
    Revoked,
}

/// Where a connection comes from.
#[derive(Clone, Debug)]
enum Peer {
    /// A TCP connection, plain or TLS.
    Network {
        /// Its other end.
        address: IpAddr,
        /// Whether it is a TLS connection.
        secure: bool,
        /// What the client's certificate proves.
        certified: Certified,
    },
    /// The unix domain socket: only those who may open the file get here, so that nobody's requests act as a super
    /// user's.
    Socket,
}
