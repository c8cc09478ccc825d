//! Where further instances of the target come from, set up for what scenarios need. The suite does not know the server
//! that it judges, so whoever calls brings it.

use crate::services::Services;
use crate::spawn::Spawned;
use crate::target::{Credentials, Target};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use std::fmt::Debug;
use std::sync::Arc;

/// A running server that is gone when dropped.
pub trait Instance: Send + Sync {
    /// How to reach it.
    fn target(&self) -> &Target;
    /// The folder that it may name in its answers.
    fn root(&self) -> String;
    /// Where other nodes reach it, when it was started as a node.
    fn node_url(&self) -> Option<String> {
        None
    }
    /// Where it speaks TLS, when it does.
    fn secure_url(&self) -> Option<String> {
        None
    }
    /// Ends it until [`Instance::start_again`]; what it has stored stays. False when that cannot be done.
    fn stop(&self) -> BoxFuture<'_, bool> {
        ready(false).boxed()
    }
    /// Starts it again where it was, with what it had stored. False when that cannot be done.
    fn start_again(&self) -> BoxFuture<'_, bool> {
        ready(false).boxed()
    }
    /// What is served to it.
    fn services(&self) -> Option<Arc<Services>> {
        None
    }
}

/// Starts servers.
pub trait Farm: Debug + Send + Sync {
    /// Starts a server that is set up for what scenarios need: `tcp` (nothing in particular), `unix-socket`, `tls`,
    /// `http2`, `cors-off`, `cors-list`, `authorize-local`, `sessions-off`, `brief-refresh-tokens`, `fresh`,
    /// `quick-analytics`, `csv-files`, `s3`, `node` (which can be joined with others), `licences`, `long-log`,
    /// `local-off-by-variable`, `before-4-4` (with clustering as it was); reached without TLS, but with a port for it
    /// that asks for certificates, `mtls`, `mtls-required`, `mtls-of-nobody`, `mtls-verified`,
    /// `mtls-verified-if-possible`. `None` for a need it does not know.
    fn start<'a>(&'a self, need: &'a str) -> BoxFuture<'a, Option<Box<dyn Instance>>>;

    /// Starts a server that is a process of its own, so that it can be killed. `None` where that cannot be had.
    fn spawn(&self, _admin: Credentials) -> BoxFuture<'_, Option<Spawned>> {
        ready(None).boxed()
    }
}
