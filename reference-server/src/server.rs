//! A running instance: its configuration, its data, its users.

use crate::access::{Access, Caller};
use crate::certificates::Certificates;
use crate::components::Components;
use crate::config::{Config, ConfigFile};
use crate::jobs::{self, Jobs};
use crate::logs::{self, Log};
use crate::operations::nosql::KeyNumbers;
use crate::operations::{Outcome, ReplyForm, pipeline};
use crate::store::{Store, StoreOptions};
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
    pub components: Components,
    /// The numbers given to records without a key.
    pub key_numbers: Arc<KeyNumbers>,
    /// The jobs that run.
    pub jobs: Jobs,
    /// Its log.
    pub log: Arc<Log>,
}

impl Server {
    /// Opens the instance under the configuration's root folder, making it at the first start.
    ///
    /// # Errors
    /// When the folder cannot be used or its data cannot be read.
    pub async fn open(config: Config) -> anyhow::Result<Arc<Server>> {
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
        jobs::end_interrupted(&store).await.context("cannot end the jobs of the last run")?;
        let certificates = Certificates::open(&store, &config).await.context("cannot load certificates")?;
        // Instances that are thrown away do without until somebody wants a token.
        if !config.no_sync {
            access.tokens.prepare();
        }
        let config_file = Arc::new(ConfigFile::of(&config.root_path));
        let folder = config.root_path.join("components");
        let components = Components::open(&folder, &config.root_path, config_file.clone())
            .context("cannot use the components folder")?;
        let (key_numbers, jobs) = (Arc::default(), Jobs::default());
        let server =
            Server { config, config_file, store, access, certificates, components, key_numbers, jobs, log };
        let server = Arc::new(server);
        if !server.config.no_sync {
            Certificates::prepare(&server);
        }
        Ok(server)
    }

    /// Answers one decoded request body.
    ///
    /// # Errors
    /// Whatever the operation fails with, as [`crate::error::OperationError`].
    pub async fn answer(self: &Arc<Self>, caller: Caller, body: Value, form: ReplyForm) -> Outcome {
        pipeline::answer(self, caller, body, form).await
    }
}
