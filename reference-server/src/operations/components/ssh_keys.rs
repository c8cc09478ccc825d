//! The operations on SSH keys. No answer and no log line holds the text of a key.

use super::{optional, text};
use crate::components::{Host, is_project_name};
use crate::error::OperationError;
use crate::operations::databases_tables::blocking;
use crate::operations::{Call, Outcome, Reply};
use crate::value::{Value, object};

pub(super) async fn add_ssh_key(call: Call) -> Outcome {
    let (name, key) = (key_name(&call)?, text(&call, "key"));
    let (host, hostname) =
        (word(&call, "host")?.unwrap_or_default(), word(&call, "hostname")?.unwrap_or_default());
    let known_hosts = optional(&call, "known_hosts");
    let message = format!("Added ssh key: {name}");
    let components = call.server.components.clone();
    blocking(move || {
        let host = Host { host: &host, hostname: &hostname };
        components.ssh.add(&name, &key, host, known_hosts.as_deref())
    })
    .await??;
    Ok(Reply::Message(message))
}

pub(super) async fn update_ssh_key(call: Call) -> Outcome {
    let (name, key) = (key_name(&call)?, text(&call, "key"));
    let (host, hostname) = (word(&call, "host")?, word(&call, "hostname")?);
    let known_hosts = optional(&call, "known_hosts");
    let message = format!("Updated ssh key: {name}");
    let components = call.server.components.clone();
    blocking(move || {
        let keys = &components.ssh;
        keys.update(&name, &key, host.as_deref(), hostname.as_deref(), known_hosts.as_deref())
    })
    .await??;
    Ok(Reply::Message(message))
}

pub(super) async fn delete_ssh_key(call: Call) -> Outcome {
    let name = key_name(&call)?;
    let message = format!("Deleted ssh key: {name}");
    let components = call.server.components.clone();
    blocking(move || components.ssh.delete(&name)).await??;
    Ok(Reply::Message(message))
}

pub(super) async fn list_ssh_keys(call: Call) -> Outcome {
    let components = call.server.components.clone();
    let names = blocking(move || components.ssh.names()).await??;
    let keys = names
        .into_iter()
        .filter(|_| !fault!("ssh-keys-not-listed"))
        .map(|name| object([("name", Value::from(name))]));
    Ok(Reply::Value(Value::Array(keys.collect())))
}

pub(super) async fn set_ssh_known_hosts(call: Call) -> Outcome {
    let known_hosts = text(&call, "known_hosts");
    let components = call.server.components.clone();
    blocking(move || components.ssh.set_known_hosts(&known_hosts)).await??;
    Ok(Reply::Message("Known hosts successfully set".to_owned()))
}

pub(super) async fn get_ssh_known_hosts(call: Call) -> Outcome {
    let components = call.server.components.clone();
    let known_hosts = blocking(move || components.ssh.known_hosts()).await??;
    let known_hosts = known_hosts.or_else(|| fault!("unknown-hosts-empty").then(String::new));
    Ok(Reply::Value(object([("known_hosts", known_hosts.map_or(Value::Null, Value::from))])))
}

/// The key's name, which becomes a file's.
fn key_name(call: &Call) -> Result<String, OperationError> {
    let name = text(call, "name");
    // The ending `.key` must fit as well.
    if is_project_name(&name) && name.len() <= 200 {
        return Ok(name);
    }
    Err(OperationError::invalid("SSH key name can only contain alphanumeric, dash and underscore characters"))
}

/// A host's name, which becomes part of a line that others follow: it must be one word.
fn word(call: &Call, field: &str) -> Result<Option<String>, OperationError> {
    let word = optional(call, field);
    let strange = |letter: char| letter.is_whitespace() || letter.is_control() || "\"'#".contains(letter);
    if word.as_deref().is_some_and(|word| word.contains(strange) || word.is_empty()) {
        return Err(OperationError::invalid(format!("'{field}' must be the name of a host")));
    }
    Ok(word)
}
