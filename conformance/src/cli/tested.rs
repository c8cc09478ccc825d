//! What a run tests: an endpoint that is there, one that the harness starts, or the built-in server.

use super::{RunArgs, embedded};
use conformance::{Options, Target};

/// The target, and what must live as long as it.
pub(super) struct Tested {
    pub(super) target: Target,
    _server: Option<embedded::Server>,
}

impl Tested {
    /// The target that the arguments name; what is known of it is said to the suite.
    pub(super) async fn start(args: &RunArgs, options: &mut Options) -> anyhow::Result<Self> {
        let mut server = None;
        let (address, admin) = match (args.url.as_deref(), &args.spawn.spawn) {
            (Some(url), _) => args.reach.split(url).map(|(address, admin)| (Some(address), admin))?,
            (None, Some(_)) => (None, args.reach.split("")?.1),
            (None, None) => {
                let started = server.insert(embedded::Server::start().await?);
                started.offer(options);
                (Some(started.url()), started.credentials())
            }
        };
        let reach = args.reach.reach();
        if let Some(spawned) = args.spawn.start(address.as_deref(), admin.clone(), reach, options).await? {
            let target = spawned.target().clone();
            options.spawned = Some(spawned);
            return Ok(Tested { target, _server: server });
        }
        let target = Target::new(&address.unwrap_or_default(), admin, reach)?;
        Ok(Tested { target, _server: server })
    }
}
