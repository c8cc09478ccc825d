//! Where servers for the self-test come from. The suite does not know the server that it judges, so whoever calls
//! brings it.

use crate::target::Target;
use futures_util::future::BoxFuture;

/// A running server that is gone when dropped.
pub trait Instance: Send {
    /// How to reach it.
    fn target(&self) -> &Target;
    /// The folder that it may name in its answers.
    fn root(&self) -> String;
}

/// Starts servers.
pub trait Farm: Send + Sync {
    /// Starts a server that is set up for what scenarios need: `tcp` (nothing in particular), `unix-socket`, `tls`,
    /// `http2`, `cors-off`, `cors-list`, `authorize-local`. `None` for a need it does not know.
    fn start<'a>(&'a self, need: &'a str) -> BoxFuture<'a, Option<Box<dyn Instance>>>;
}
