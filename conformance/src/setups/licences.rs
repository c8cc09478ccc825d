//! Licence keys as they were before usage licences.

use super::{Stage, Trial};
use crate::laws::{Law, Tried, blocked, must};
use crate::runner::Run;
use crate::target::Exchange;
use serde_json::json;

pub(super) const LAWS: &[(Law, Trial)] = &[
    (
        must("old-key-is-taken", "set_license answers a text", "set_license", &["LIC-SET-LICENSE-001"]),
        |stage| Box::pin(taken(stage)),
    ),
    (
        must(
            "key-is-not-shown",
            "no operation shows the licence key",
            "set_license",
            &["LIC-SET-LICENSE-003"],
        ),
        |stage| Box::pin(not_shown(stage)),
    ),
];

/// Signed with the suite's key (scenarios/FORMAT.md).
const KEY: &str = concat!(
    "eyJ0eXAiOiJIYXJwZXItTGljZW5zZSIsImFsZyI6IkVkRFNBIn0.eyJpZCI6InN1aXRlLWtleSIsImxldmVsIjoxLCJyZWdpb24iOiJldS13ZXN0",
    "IiwicmVhZHMiOjEwMDAwMDAsIndyaXRlcyI6NTAwMDAwLCJyZWFkQnl0ZXMiOjEwMDAwMDAwMDAsIndyaXRlQnl0ZXMiOjUwMDAwMDAwMCwicmVh",
    "bFRpbWVNZXNzYWdlcyI6MTAwMDAsInJlYWxUaW1lQnl0ZXMiOjEwMDAwMDAwLCJjcHVUaW1lIjozNjAwLCJzdG9yYWdlIjoxMDAwMDAwMDAwLCJl",
    "eHBpcmF0aW9uIjoiMjk5OS0xMi0zMVQwMDowMDowMC4wMDBaIn0.",
    "ez4aXsOoN9K98Fw7YLlvA4gOpfqO0girMAHbMgXvPqc2277EqIX5Fs08ZsOPYk4v8EWwVhalVrfI7sjvYncXAA"
);

/// Which keys a product takes is undocumented: only servers that are known to take this one are asked.
pub(super) fn may_be_tried(_: &Run) -> Result<(), String> {
    Err("it needs a server that takes licence keys of the suite: only servers that the run starts itself do, as for a \
         run without an address"
        .to_owned())
}

async fn set(stage: &Stage<'_>) -> Exchange {
    stage.target.operate(&json!({"operation": "set_license", "key": KEY, "company": "Example"})).await
}

async fn taken(stage: &Stage<'_>) -> Tried {
    let exchange = set(stage).await;
    let is_right = exchange.answer.as_ref().is_some_and(|a| a.status == 200 && a.body["message"].is_string());
    Ok((!is_right).then(|| (format!("a good key was answered {}", stage.told(&exchange)), Some(exchange))))
}

/// Asks for everything that has to do with licences, and for all that is known of the server.
async fn not_shown(stage: &Stage<'_>) -> Tried {
    let exchange = set(stage).await;
    if exchange.answer.as_ref().is_none_or(|answer| answer.status != 200) {
        return Err(blocked(format!("no key could be set: {}", stage.told(&exchange))));
    }
    // The end is what only who was given the key knows.
    let secret = KEY.rsplit('.').next().unwrap_or_default();
    let mut asked = vec![exchange];
    for operation in [
        "registration_info",
        "get_usage_licenses",
        "get_fingerprint",
        "get_configuration",
        "system_information",
        "user_info",
        "describe_all",
        "read_log",
    ] {
        asked.push(stage.target.operate(&json!({"operation": operation})).await);
    }
    for table in ["hdb_license", "hdb_info"] {
        let search = json!({"operation": "search_by_conditions", "database": "system", "table": table,
            "get_attributes": ["*"], "conditions": [
                {"search_attribute": "__createdtime__", "search_type": "greater_than", "search_value": 0}]});
        asked.push(stage.target.operate(&search).await);
    }
    let shows = |exchange: &Exchange| {
        exchange.answer.as_ref().is_some_and(|answer| answer.body.to_string().contains(secret))
    };
    let shown = asked.into_iter().find(shows);
    Ok(shown.map(|exchange| ("an answer shows the licence key".to_owned(), Some(exchange))))
}
