//! Measurements: what requests, the process and the databases do, turned into rows of the system tables.
//!
//! [`meters::Meters`] count requests as they are answered. Every `analytics.aggregatePeriod` what was counted, what the
//! process used and how large the databases are becomes rows of `hdb_analytics` ([`aggregate`]), which
//! get_analytics reads.

pub mod aggregate;
pub mod histogram;
pub mod meters;
mod rows;

use crate::server::Server;
use std::sync::Arc;
use std::time::Duration;

/// The table of the rows.
pub const ANALYTICS: &str = "hdb_analytics";
/// The table of what the rows were made of, kept for an hour.
pub const RAW_ANALYTICS: &str = "hdb_raw_analytics";
/// The table of the names of nodes.
pub const HOSTNAMES: &str = "hdb_analytics_hostname";

/// A shorter period would measure little but the measuring.
const SHORTEST: Duration = Duration::from_millis(100);

/// The metrics that every instance has.
pub const BUILTIN: [&str; 6] = [
    "table-size",
    "database-size",
    "storage-volume",
    "main-thread-utilization",
    "resource-usage",
    "utilization",
];

/// Begins to make rows, until the instance is gone. The first ones come after half a period.
pub fn begin(server: &Arc<Server>) {
    let Some(period) = server.config.analytics_period.map(|period| period.max(SHORTEST)) else { return };
    let weak = Arc::downgrade(server);
    tokio::spawn(async move {
        let mut aggregator = aggregate::Aggregator::new();
        tokio::time::sleep(period / 2).await;
        loop {
            let Some(server) = weak.upgrade() else { return };
            if let Err(error) = aggregator.aggregate(&server).await {
                tracing::warn!("the analytics could not be written: {error}");
            }
            drop(server);
            tokio::time::sleep(period).await;
        }
    });
}

/// The number of a node, by its name.
pub fn node_id(hostname: &str) -> u32 {
    // FNV-1a: the same on every machine.
    hostname.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
