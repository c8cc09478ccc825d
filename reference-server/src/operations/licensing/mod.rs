//! Licences and registration.

use super::{Call, Handler, Outcome, Reply};
use crate::error::OperationError;
use crate::licensing::{self, Block, Fault, PublicKey};
use crate::value::{Value, iso_text, object};

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("registration_info", |call| Box::pin(registration_info(call))),
    ("install_usage_license", |call| Box::pin(install_usage_license(call))),
    ("get_usage_licenses", |call| Box::pin(get_usage_licenses(call))),
    ("get_fingerprint", |call| Box::pin(get_fingerprint(call))),
    ("set_license", |call| Box::pin(set_license(call))),
];

/// The megabytes that every instance may use, licensed or not.
const MEMORY: f64 = 512.0;

/// What this instance is and until when it is licensed (LIC-REGISTRATION-INFO-001).
async fn registration_info(call: Call) -> Outcome {
    let until = licensing::licensed_until(&call.server.store)?;
    let date =
        until.and_then(iso_text).map(|text| text.chars().take_while(|c| *c != 'T').collect::<String>());
    Ok(Reply::Value(object([
        ("registered", Value::Bool(until.is_some())),
        ("version", Value::from(env!("CARGO_PKG_VERSION"))),
        ("ram_allocation", Value::Number(MEMORY)),
        ("license_expiration_date", date.map_or(Value::Null, Value::from)),
    ])))
}

fn read(call: &Call, field: &str) -> Result<Block, Fault> {
    let text = call.body.get(field).and_then(Value::as_str).unwrap_or_default();
    let key = call.server.config.licence_key.as_deref().map(PublicKey::read);
    Block::read(text, key.as_ref())
}

async fn install_usage_license(call: Call) -> Outcome {
    let block = read(&call, "license").map_err(|fault| {
        OperationError::invalid(match fault {
            Fault::Form => "'license' must be three base64url parts joined by dots".to_owned(),
            Fault::Content(fault) => format!("'license' is not valid: {fault}"),
        })
    })?;
    if !fault!("licences-not-kept") {
        licensing::install(&call.server.store, block, None).await?;
    }
    Ok(Reply::Message("Successfully installed usage license".to_owned()))
}

async fn get_usage_licenses(call: Call) -> Outcome {
    let region = call.body.get("region").and_then(Value::as_str);
    let blocks = licensing::installed(&call.server.store, region)?;
    Ok(Reply::Value(Value::Array(blocks.into_iter().map(Value::Object).collect())))
}

async fn get_fingerprint(call: Call) -> Outcome {
    Ok(Reply::Message(licensing::fingerprint(&call.server.store).await?))
}

/// The older way to license an instance: takes the same licences. Set again, one stays as it is.
async fn set_license(call: Call) -> Outcome {
    if fault!("old-keys-refused") {
        return Err(OperationError::invalid("'key' is not a valid license"));
    }
    let block = read(&call, "key").map_err(|_| OperationError::invalid("'key' is not a valid license"))?;
    let store = &call.server.store;
    let is_new = licensing::installed(store, None)?
        .iter()
        .all(|installed| installed.get("id").and_then(Value::as_str) != Some(block.id()));
    if is_new {
        let company = if fault!("licence-key-shown") { "key" } else { "company" };
        let company = call.body.get(company).and_then(Value::as_str).map(str::to_owned);
        licensing::install(store, block, company).await?;
    }
    Ok(Reply::Message("Successfully set license".to_owned()))
}
