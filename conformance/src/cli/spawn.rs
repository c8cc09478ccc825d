//! `--spawn`: the target that the harness starts itself.

use clap::Args;
use conformance::durability::KILLS;
use conformance::services::{self, Services};
use conformance::spawn::{Order, Spawned};
use conformance::{Credentials, Options, Reach};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct SpawnArgs {
    /// Start the target by this command of `sh`, in the foreground, and also check that what it acknowledged outlives it:
    /// it is killed at random moments and started again. In CMD and in the address {port} stands for a free port (the
    /// address is http://127.0.0.1:{port} unless given) and {root} for an empty folder; both stay the same at every
    /// start. In CMD {s3} stands for the address of a store of objects that the suite serves, as for
    /// AWS_ENDPOINT_URL_S3: without it nothing is tried that needs one. HDB_ADMIN_USERNAME and HDB_ADMIN_PASSWORD are
    /// set to the user's. Ready is when user_info is answered.
    #[arg(long, value_name = "CMD")]
    pub(super) spawn: Option<String>,
    /// How often the target is killed.
    #[arg(long, value_name = "N", default_value_t = KILLS, requires = "spawn")]
    pub(super) kills: usize,
    /// What ends the target at once where a SIGKILL to all that CMD started does not, as for a container.
    #[arg(long, value_name = "CMD", requires = "spawn")]
    kill: Option<String>,
    /// How long, in seconds, the target may take to be ready after each start.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "spawn")]
    ready_within: u64,
}

impl SpawnArgs {
    /// Starts the target, if one is to be started, and says to the suite what can be done with it.
    pub(super) async fn start(
        &self,
        url: Option<&str>,
        admin: Credentials,
        reach: Reach,
        options: &mut Options,
    ) -> anyhow::Result<Option<Arc<Spawned>>> {
        const PLACE_OF_STORE: &str = "{s3}";
        let Some(command) = &self.spawn else { return Ok(None) };
        let mut command = command.clone();
        if command.contains(PLACE_OF_STORE) {
            let host = options.reachable.clone().unwrap_or_else(|| Ipv4Addr::LOCALHOST.to_string());
            let services = Services::start(&host, options.store_port.unwrap_or(0)).await?;
            command = command.replace(PLACE_OF_STORE, &services.store());
            options.services = Some(Arc::new(services));
            options.with.push(services::STORE.to_owned());
        }
        let order = Order {
            command,
            url: url.map(str::to_owned),
            kill: self.kill.clone(),
            patience: Duration::from_secs(self.ready_within),
        };
        Ok(Some(Arc::new(Spawned::start(&order, admin, reach).await?)))
    }
}
