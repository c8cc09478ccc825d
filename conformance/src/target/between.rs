//! Somebody between the suite and its target, who may pass on something else than was sent or answered.

use super::{Exchange, Request, Target};
use futures_util::future::BoxFuture;
use std::fmt::Debug;

/// How a request goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// On a pooled HTTP/1.1 connection.
    Pooled,
    /// Over HTTP/2.
    Http2,
    /// On a fresh connection, with exactly the headers given.
    Plain,
}

/// Takes the exchanges of a target into its own hands. Bytes sent as they are go past it.
pub trait Between: Debug + Send + Sync {
    /// Makes one exchange; [`Target::send_directly`] makes an honest one.
    fn exchange<'a>(&'a self, target: &'a Target, means: Means, request: Request) -> BoxFuture<'a, Exchange>;
}
