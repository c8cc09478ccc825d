//! What may be wrong where no Operations API answers, in words that help.

use crate::secrets::Secrets;
use crate::target::{Answer, Fault, Place, Reach, Target};
use serde_json::{Value, json};
use std::time::Duration;

/// How long the other way of asking may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// So much of an answer's body is shown.
const SHOWN: usize = 80;

/// An answer in a few words: its status, its media type, and how its body begins.
pub(super) fn shown(target: &Target, answer: &Answer) -> String {
    let kind = answer.content_type();
    // Some web servers answer with what they were asked, credentials included.
    let text = match Secrets::of(&target.admin).value(&answer.body) {
        Value::String(text) => text,
        body => body.to_string(),
    };
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut begin: String = text.chars().take(SHOWN).collect();
    if begin.len() < text.len() {
        begin.push('…');
    }
    match (kind.is_empty(), begin.is_empty()) {
        (true, true) => answer.status.to_string(),
        (false, true) => format!("{} ({kind})", answer.status),
        (true, false) => format!("{} with {begin}", answer.status),
        (false, false) => format!("{} ({kind}) with {begin}", answer.status),
    }
}

/// What may help where nothing was answered.
pub(super) async fn of_fault(target: &Target, fault: &Fault) -> String {
    let Place::Tcp { tls, host, port } = &target.place else { return String::new() };
    let is_certificate = matches!(fault, Fault::Connect(text) if text.contains("certificate"));
    if is_certificate {
        return "; -k accepts any certificate".to_owned();
    }
    // Where nobody listens, nobody listens for TLS either.
    match (tls, fault) {
        (false, Fault::Connect(_) | Fault::Timeout(_)) => String::new(),
        _ => otherwise(target, *tls, host, *port).await,
    }
}

/// What may help where something else answered.
pub(super) async fn of_answer(target: &Target, answer: &Answer) -> String {
    if let (300..=399, Some(location)) = (answer.status, answer.header("location")) {
        return format!("; it points to {location}");
    }
    match &target.place {
        // Some servers say so when they are spoken to without TLS.
        Place::Tcp { tls: false, host, port } if answer.status == 400 => {
            otherwise(target, false, host, *port).await
        }
        _ => String::new(),
    }
}

/// Asks with TLS where it was asked without, and the other way round.
async fn otherwise(target: &Target, tls: bool, host: &str, port: u16) -> String {
    let address = format!("{}://{host}:{port}", if tls { "http" } else { "https" });
    let Ok(other) = Target::new(&address, target.admin.clone(), Reach { insecure: true }) else {
        return String::new();
    };
    // Credentials do not go to whoever shows any certificate.
    let request = crate::target::Request::operation(&json!({"operation": "user_info"}), None);
    match tokio::time::timeout(PATIENCE, other.send(request)).await {
        Ok(exchange) if exchange.answer.is_some() => format!("; {address} answers"),
        _ => String::new(),
    }
}
