//! The self-test: the suite against reference servers that are wrong on purpose.

use super::farm::Servers;
use anyhow::bail;
use conformance::selftest::kills::{self, Fault, Killed};
use conformance::selftest::{shared, within};
use reference_server::faults;
use reference_server::replication::has_nats_server;

/// Tries the suite under each fault, or the named ones, or lists them. 0: every fault was noticed by a check that is
/// meant to.
pub(crate) async fn self_test(names: &[String], list: bool) -> anyhow::Result<u8> {
    let known =
        faults::FAULTS.iter().filter(|fault| names.is_empty() || names.iter().any(|name| name == fault.name));
    let (several, one): (Vec<&faults::Fault>, Vec<&faults::Fault>) = known.partition(|fault| fault.is_shared);
    let (within, one): (Vec<_>, Vec<_>) = one.into_iter().partition(|fault| fault.is_within);
    let within: Vec<Fault> = within.into_iter().map(fault_of).collect();
    let several: Vec<Fault> = several.into_iter().map(fault_of).collect();
    let one: Vec<Fault> = one.into_iter().map(fault_of).collect();
    let chosen: Vec<&Fault> = one.iter().chain(&within).chain(&several).collect();
    if let Some(unknown) = names.iter().find(|name| !chosen.iter().any(|fault| fault.name == **name)) {
        bail!("there is no fault '{unknown}'; self-test --list names them");
    }
    if list {
        for fault in &chosen {
            println!("{:<36}{} ({})", fault.name, fault.wrong, fault.breaks.join(", "));
        }
        return Ok(0);
    }
    if !faults::AVAILABLE {
        bail!("this program cannot be wrong on purpose: build it with --features faults");
    }
    let choose = |name: Option<&str>| {
        // The names are those of the table.
        let _ = faults::choose(name);
    };
    let mut outcomes =
        kills::try_all(&Servers, &conformance::suite()?, &one, &choose, &|fault, killed| tell(fault, killed))
            .await;
    outcomes.extend(within::try_all(&Servers, &within, &choose, &|fault, killed| tell(fault, killed)).await);
    if has_nats_server() || several.is_empty() {
        outcomes
            .extend(shared::try_all(&Servers, &several, &choose, &|fault, killed| tell(fault, killed)).await);
    } else {
        println!("skipped: {} faults of clusters, for nats-server is missing", several.len());
    }
    let unnoticed: Vec<&str> =
        outcomes.iter().filter(|(_, killed)| killed.by.is_empty()).map(|(name, _)| name.as_str()).collect();
    println!("{} of {} faults noticed", outcomes.len() - unnoticed.len(), outcomes.len());
    if !unnoticed.is_empty() {
        println!("unnoticed: {}", unnoticed.join(", "));
    }
    Ok(u8::from(!unnoticed.is_empty()))
}

fn fault_of(fault: &faults::Fault) -> Fault {
    Fault {
        name: fault.name.to_owned(),
        wrong: fault.wrong.to_owned(),
        breaks: fault.breaks.iter().map(|id| (*id).to_owned()).collect(),
    }
}

fn tell(fault: &Fault, killed: &Killed) {
    let word = if killed.by.is_empty() { "UNNOTICED" } else { "noticed" };
    println!("{word} {}: {} ({})", fault.name, fault.wrong, fault.breaks.join(", "));
    println!(
        "    by {} of {} checks that are meant to, and by {} others",
        killed.by.len(),
        killed.meant,
        killed.also.len()
    );
    for check in killed.by.iter().take(3) {
        println!("    {check}");
    }
}
