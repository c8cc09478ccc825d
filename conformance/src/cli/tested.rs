//! What a run tests: an endpoint that is there, one that the harness starts, or the built-in server.

use super::{RunArgs, embedded};
use anyhow::Context as _;
use conformance::{Credentials, Options, Reach, Target};

/// The target, and what must live as long as it.
pub(super) struct Tested {
    pub(super) target: Target,
    _server: Option<embedded::Server>,
}

impl Tested {
    /// The target that the arguments name; what is known of it is said to the suite.
    pub(super) async fn start(args: &RunArgs, options: &mut Options) -> anyhow::Result<Self> {
        let given = match &args.user {
            Some(text) => Some(Credentials::parse(text).context("-u takes USER:PASSWORD")?),
            None => None,
        };
        let reach = Reach { insecure: args.insecure };
        let named = args.url.as_deref().map(conformance::split_credentials);
        let mut server = None;
        let (address, admin) = match (named, &args.spawn.spawn) {
            (Some((address, admin)), _) => (Some(address), admin),
            (None, Some(_)) => (None, conformance::split_credentials("").1),
            (None, None) => {
                let started = server.insert(embedded::Server::start().await?);
                started.offer(options);
                (Some(started.url()), started.credentials())
            }
        };
        let admin = match (given, &server) {
            (Some(given), None) => given,
            _ => admin,
        };
        if let Some(spawned) = args.spawn.start(address.as_deref(), admin.clone(), reach, options).await? {
            let target = spawned.target().clone();
            options.spawned = Some(spawned);
            return Ok(Tested { target, _server: server });
        }
        let target = Target::new(&address.unwrap_or_default(), admin, reach)?;
        Ok(Tested { target, _server: server })
    }
}
