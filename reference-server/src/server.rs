//! A running instance: its configuration, its data, its users.

use crate::access::{Access, Caller};
use crate::analytics;
use crate::analytics::meters::Meters;
use crate::certificates::Certificates;
use crate::components::Components;
use crate::config::{Config, ConfigFile, Given, load};
use crate::error::OperationError;
use crate::jobs::{self, Jobs};
use crate::logs::{self, Log};
use crate::operations::nosql::KeyNumbers;
use crate::operations::{Outcome, ReplyForm, pipeline};
use crate::replication::Replication;
use crate::store::{SYSTEM_DATABASE, Store, StoreOptions};
use crate::system::job;
use crate::system::restart::Restarts;
use crate::system::status::Statuses;
use crate::value::Value;
use anyhow::Context;
use std::sync::Arc;

/// A running instance.
pub struct Server {
    /// How it is configured.
    pub config: Config,
    /// The file its configuration is kept in.
    pub config_file: Arc<ConfigFile>,
    /// Its databases.
    pub store: Store,
    /// Its users and roles.
    pub access: Access,
    /// Its certificates.
    pub certificates: Certificates,
    /// Its components.
    pub components: Arc<Components>,
    /// What its requests did.
    pub meters: Meters,
    /// The wishes for a restart.
    pub restarts: Restarts,
    /// What its operators say of it.
    pub statuses: Statuses,
    /// The numbers given to records without a key.
    pub key_numbers: Arc<KeyNumbers>,
    /// The jobs that run.
    pub jobs: Jobs,
    /// Its log.
    pub log: Arc<Log>,
    /// What it shares with other nodes.
    pub replication: Replication,
}

impl Server {
    /// Opens the instance under the configuration's root folder, making it at the first start.
    ///
    /// # Errors
    /// When the folder cannot be used or its data cannot be read.
    pub async fn open(config: Config) -> anyhow::Result<Arc<Server>> {
        Server::open_after(config, Vec::new()).await
    }

    /// As [`Server::open`], after a restart that ends the jobs with these ids.
    ///
    /// # Errors
    /// As [`Server::open`].
    pub async fn open_after(config: Config, restarted: Vec<String>) -> anyhow::Result<Arc<Server>> {
        // Whoever made the configuration in the program has not written it yet.
        let config = if config.tree.is_empty() { load(config, &Given::default())? } else { config };
        let log = Arc::new(Log::open(&config.logging).context("cannot begin the log")?);
        logs::connect(&log);
        let folder = config.root_path.join("database");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let options = StoreOptions {
            write_async: config.write_async,
            no_sync: config.no_sync,
            history_retention: config.logging.audit_retention,
            ..StoreOptions::default()
        };
        let store = Store::open(&folder, options).context("cannot open the databases")?;
        let access = Access::open(&store, &config).await.context("cannot load users and roles")?;
        job::end(&store, restarted, None).await;
        jobs::end_interrupted(&store).await.context("cannot end the jobs of the last run")?;
        let certificates = Certificates::open(&store, &config).await.context("cannot load certificates")?;
        // Instances that are thrown away do without until somebody wants a token.
        if !config.no_sync {
            access.tokens.prepare();
        }
        let config_file = Arc::new(ConfigFile::of(&config.root_path));
        let components = Components::open(&config.components_root, &config.root_path, config_file.clone())
            .context("cannot use the components folder")?;
        let components = Arc::new(components);
        components.restore().context("cannot fetch components")?;
        let replication = Replication::open(&store, &config).await?;
        let server = Arc::new(Server {
            config,
            config_file,
            store,
            access,
            certificates,
            components,
            meters: Meters::default(),
            restarts: Restarts::default(),
            statuses: Statuses::default(),
            key_numbers: Arc::default(),
            jobs: Jobs::default(),
            log,
            replication,
        });
        if !server.config.no_sync {
            Certificates::prepare(&server);
        }
        analytics::begin(&server);
        Replication::begin(&server).await.context("cannot begin replication")?;
        Ok(server)
    }

    /// Takes up what plain writes of records to a database may have changed: users, roles, nodes. To be called after
    /// every one, before it is acknowledged.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub fn written(&self, database: &str) -> Result<(), OperationError> {
        self.access.written(&self.store, database)?;
        if database == SYSTEM_DATABASE { self.replication.link.reload(&self.store) } else { Ok(()) }
    }

    /// Answers one decoded request body.
    ///
    /// # Errors
    /// Whatever the operation fails with, as [`crate::error::OperationError`].
    pub async fn answer(self: &Arc<Self>, caller: Caller, body: Value, form: ReplyForm) -> Outcome {
        pipeline::answer(self, caller, body, form).await
    }
}
