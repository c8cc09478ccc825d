//! How endpoints are reached: whose credentials, and which certificates are believed.

use anyhow::Context as _;
use clap::Args;
use conformance::{Credentials, Reach, Target};

#[derive(Debug, Args)]
pub(super) struct ReachArgs {
    /// The super user's name and password, for addresses that hold none (http://user:password@host:port). By default
    /// admin:password.
    #[arg(short, long, value_name = "USER:PASSWORD", env = "CONFORMANCE_USER", hide_env_values = true)]
    user: Option<String>,
    /// Accept any TLS certificate.
    #[arg(short = 'k', long)]
    insecure: bool,
}

impl ReachArgs {
    /// The endpoint of an address.
    pub(super) fn target(&self, url: &str) -> anyhow::Result<Target> {
        let (address, admin) = self.split(url)?;
        Ok(Target::new(&address, admin, self.reach())?)
    }

    /// An address without credentials, and those to use there.
    pub(super) fn split(&self, url: &str) -> anyhow::Result<(String, Credentials)> {
        let given =
            self.user.as_deref().map(|text| Credentials::parse(text).context("-u takes USER:PASSWORD"));
        let given = given.transpose()?;
        let (address, inside) = conformance::take_credentials(url);
        Ok((address, inside.or(given).unwrap_or_else(Credentials::usual)))
    }

    pub(super) fn reach(&self) -> Reach {
        Reach { insecure: self.insecure }
    }
}
