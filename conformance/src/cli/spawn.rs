//! `--spawn`: the target that the harness starts itself.

use clap::Args;
use conformance::durability::KILLS;
use conformance::spawn::{Order, Spawned};
use conformance::{Credentials, Reach};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct SpawnArgs {
    /// Start the target by this command of `sh`, in the foreground, and also check that what it acknowledged outlives it:
    /// it is killed at random moments and started again. In CMD and in the address {port} stands for a free port (the
    /// address is http://127.0.0.1:{port} unless given) and {root} for an empty folder; both stay the same at every
    /// start. HDB_ADMIN_USERNAME and HDB_ADMIN_PASSWORD are set to the user's. Ready is when user_info is answered.
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
    /// Starts the target, if one is to be started.
    pub(super) async fn start(
        &self,
        url: Option<&str>,
        admin: Credentials,
        reach: Reach,
    ) -> anyhow::Result<Option<Arc<Spawned>>> {
        let Some(command) = &self.spawn else { return Ok(None) };
        let order = Order {
            command: command.clone(),
            url: url.map(str::to_owned),
            kill: self.kill.clone(),
            patience: Duration::from_secs(self.ready_within),
        };
        Ok(Some(Arc::new(Spawned::start(&order, admin, reach).await?)))
    }
}
