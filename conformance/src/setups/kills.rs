//! A run without an address has a server of its own killed, a few times.

use crate::durability;
use crate::farm::Instance;
use crate::runner::Run;
use crate::spawn::Spawned;
use crate::target::Target;
use std::sync::Arc;

/// What the checks of [`durability`] bear on that no other checks do.
pub(super) const REQUIREMENTS: &[&str] = &["NOSQL-WRITE-011"];

/// How often it is killed; `--spawn` is for more.
const KILLS: usize = 2;

/// A server that is a process of its own.
struct Mortal(Spawned);

impl Instance for Mortal {
    fn target(&self) -> &Target {
        self.0.target()
    }

    fn root(&self) -> String {
        String::new()
    }
}

/// Has a server killed, where one can be started for that.
pub(super) async fn run(run: &Arc<Run>) {
    if run.stop.stopped() {
        return;
    }
    let Some(farm) = &run.farm else {
        let reason = "it needs a target that may be killed: one that the run starts itself (--spawn CMD)";
        return durability::not_tried(run, reason);
    };
    let Some(spawned) = farm.spawn(run.target.admin.clone()).await else {
        return durability::not_tried(run, "no server could be started that may be killed");
    };
    let mortal = Mortal(spawned);
    let mut own = run.on(&mortal, durability::CATEGORY);
    own.kills = KILLS;
    durability::run(&own, &mortal.0).await;
    mortal.0.kill().await;
}
