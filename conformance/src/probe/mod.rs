//! What a run must know of its target beforehand: that it answers, that the credentials are right, how long changes
//! take to be visible, and which databases are not ours to touch.

mod hint;

use crate::event::Probed;
use crate::scenario::Names;
use crate::target::{Answer, Credentials, Fault, Request, Target};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Why a run cannot even begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// Nothing answers.
    #[error("{address} does not answer: {fault}{hint}")]
    Silent {
        /// The endpoint.
        address: String,
        /// Why.
        fault: Fault,
        /// What may help, behind a semicolon; or nothing.
        hint: String,
    },
    /// The credentials are refused.
    #[error(
        "{address} refuses the user '{username}' (status {status}); give the super user's with -u USER:PASSWORD"
    )]
    Refused {
        /// The endpoint.
        address: String,
        /// Who.
        username: String,
        /// How.
        status: u16,
    },
    /// Something else answers there.
    #[error("{address} does not speak the Operations API: user_info was answered {answer}{hint}")]
    Foreign {
        /// The endpoint.
        address: String,
        /// How: status, media type, and the beginning of the body.
        answer: String,
        /// What may help, behind a semicolon; or nothing.
        hint: String,
    },
}

/// What the probe found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// For the report.
    pub probed: Probed,
    /// Folders that the target may name in its answers.
    pub roots: Vec<String>,
    /// True when the shared database `data` is there, or may be.
    pub has_data: bool,
}

/// How long the first answer of all may take: whoever has nothing to do yet answers sooner.
pub const FIRST_ANSWER: Duration = Duration::from_secs(15);

/// How many times the visibility of a change is measured.
const ROUNDS: usize = 3;

/// A change that is not visible after this long never will be.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the target about itself.
///
/// # Errors
/// [`ProbeError`] when a run cannot begin.
pub async fn probe(target: &Target, names: &Names, settle: Option<Duration>) -> Result<Findings, ProbeError> {
    speaks(target, FIRST_ANSWER).await?;
    let mut findings = Findings { has_data: true, ..Findings::default() };
    let described = target.operate(&json!({"operation": "describe_all"})).await;
    if let Some(fault) = described.fault {
        return Err(ProbeError::Silent { address: target.address(), fault, hint: String::new() });
    }
    findings.probed.version = version(target).await;
    findings.roots = roots(target).await;
    let described = described.answer.filter(|answer| answer.status == 200).map(|answer| answer.body);
    if let Some(Value::Object(databases)) = described {
        findings.has_data = databases.contains_key("data");
        let with_tables =
            databases.into_iter().filter(|(_, tables)| tables.as_object().is_some_and(|t| !t.is_empty()));
        findings.probed.foreign = with_tables.map(|(name, _)| name).collect();
    }
    let measured = visibility(target, names).await;
    findings.probed.visibility_ms = measured.as_secs_f64() * 1000.0;
    let chosen = settle.unwrap_or_else(|| default_settle(measured));
    findings.probed.settle_ms = u64::try_from(chosen.as_millis()).unwrap_or(u64::MAX);
    Ok(findings)
}

/// Sees to it that an Operations API answers there in time, and knows the super user.
///
/// # Errors
/// [`ProbeError`] when it does not.
pub async fn speaks(target: &Target, patience: Duration) -> Result<(), ProbeError> {
    let address = target.address();
    let request = json!({"operation": "user_info"});
    let asked = tokio::time::timeout(patience, target.operate(&request)).await;
    let (answer, fault) = match asked {
        Ok(exchange) => (exchange.answer, exchange.fault),
        Err(_) => (None, Some(Fault::Timeout(patience.as_secs()))),
    };
    let Some(answer) = answer else {
        let fault = fault.unwrap_or_else(|| Fault::Broken("nothing came".to_owned()));
        let hint = hint::of_fault(target, &fault).await;
        return Err(ProbeError::Silent { address, fault, hint });
    };
    match answer.status {
        // A proxy or a web server may answer 200 to anything, or 501 to every POST.
        200 if answer.body["username"].is_string() => Ok(()),
        501 if answer.error().is_some() => Ok(()),
        status @ (401 | 403) => {
            Err(ProbeError::Refused { address, username: target.admin.username.clone(), status })
        }
        _ => {
            let hint = hint::of_answer(target, &answer).await;
            Err(ProbeError::Foreign { address, answer: hint::shown(target, &answer), hint })
        }
    }
}

/// Folders that a target may name in its answers.
pub async fn roots(target: &Target) -> Vec<String> {
    let configuration = success(target, json!({"operation": "get_configuration"})).await.unwrap_or_default();
    configuration["rootPath"].as_str().map(str::to_owned).into_iter().collect()
}

/// No wait for a target that is immediate; otherwise several times what was measured.
fn default_settle(measured: Duration) -> Duration {
    if measured.is_zero() { Duration::ZERO } else { (measured * 4).clamp(Duration::from_secs(1), PATIENCE) }
}

async fn success(target: &Target, body: Value) -> Option<Value> {
    target.operate(&body).await.answer.filter(|answer| answer.status == 200).map(|answer| answer.body)
}

/// The product's version, from whichever operation tells it.
async fn version(target: &Target) -> Option<String> {
    if let Some(info) = success(target, json!({"operation": "registration_info"})).await
        && let Some(version) = info["version"].as_str()
    {
        return Some(version.to_owned());
    }
    let asked = json!({"operation": "system_information", "attributes": ["harperdb_processes", "system"]});
    let info = success(target, asked).await?;
    ["/system/harperdb_version", "/version", "/system/version"]
        .iter()
        .find_map(|path| info.pointer(path).and_then(Value::as_str).map(str::to_owned))
}

/// How long, at most, changes took to be visible: zero when each was visible to the very next request.
async fn visibility(target: &Target, names: &Names) -> Duration {
    let database = format!("probe{}", names.suffix(0));
    let mut longest = Duration::ZERO;
    let created = target.operate(&json!({"operation": "create_database", "database": database})).await;
    if created.answer.is_none_or(|answer| answer.status != 200) {
        return longest;
    }
    let here = |answer: &Answer| answer.status == 200;
    let describe = json!({"operation": "describe_database", "database": database});
    longest = longest.max(visible(target, target.admin.basic(), &describe, &here).await);
    for round in 0..ROUNDS {
        let table = format!("t{round}");
        let create =
            json!({"operation": "create_table", "database": database, "table": table, "primary_key": "id"});
        let _ = target.operate(&create).await;
        let search = json!({"operation": "search_by_value", "database": database, "table": table,
            "attribute": "id", "value": "*", "get_attributes": ["id"]});
        longest = longest.max(visible(target, target.admin.basic(), &search, &here).await);
    }
    longest = longest.max(user_visibility(target, names).await);
    let _ = target.operate(&json!({"operation": "drop_database", "database": database})).await;
    longest.max(visible(target, target.admin.basic(), &describe, &|answer| answer.status == 404).await)
}

async fn user_visibility(target: &Target, names: &Names) -> Duration {
    let name = format!("probe{}", names.suffix(0));
    let add_role = json!({"operation": "add_role", "role": name, "permission": {"super_user": false}});
    if success(target, add_role).await.is_none() {
        return Duration::ZERO;
    }
    let user = Credentials { username: name.clone(), password: "probe".to_owned() };
    let add_user =
        json!({"operation": "add_user", "username": name, "password": "probe", "role": name, "active": true});
    let mut took = Duration::ZERO;
    if success(target, add_user).await.is_some() {
        let info = json!({"operation": "user_info"});
        took = visible(target, user.basic(), &info, &|answer| answer.status == 200).await;
        let _ = target.operate(&json!({"operation": "drop_user", "username": name})).await;
    }
    let _ = target.operate(&json!({"operation": "drop_role", "id": name})).await;
    took
}

/// How long until an answer is good several times in a row; zero when it was so from the first.
async fn visible(
    target: &Target,
    authorization: String,
    request: &Value,
    good: &(dyn Fn(&Answer) -> bool + Sync),
) -> Duration {
    const IN_A_ROW: usize = 4;
    let started = Instant::now();
    let (mut row, mut last_bad) = (0, Duration::ZERO);
    while row < IN_A_ROW && started.elapsed() < PATIENCE {
        let exchange = target.send(Request::operation(request, Some(authorization.clone()))).await;
        match exchange.answer {
            // A target that does not offer this cannot be measured by it.
            Some(answer) if answer.status == 501 => return Duration::ZERO,
            Some(answer) if good(&answer) => row += 1,
            _ => {
                row = 0;
                last_bad = started.elapsed().max(Duration::from_millis(1));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    // What never becomes visible is a fault, not a delay; the checks will say so.
    if row < IN_A_ROW { Duration::ZERO } else { last_bad }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_from_what_was_measured() {
        assert_eq!(default_settle(Duration::ZERO), Duration::ZERO);
        assert_eq!(default_settle(Duration::from_millis(20)), Duration::from_secs(1));
        assert_eq!(default_settle(Duration::from_millis(400)), Duration::from_millis(1600));
        assert_eq!(default_settle(Duration::from_secs(4)), Duration::from_secs(5));
    }
}
