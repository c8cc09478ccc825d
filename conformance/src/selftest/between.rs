//! Stands between the suite and its target, and is wrong in one way.

use super::Breakage;
use crate::target::{Between, Exchange, Means, Request, Target};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A request's body and who sends it.
type Asked = (Vec<u8>, Option<String>);

/// A target that is wrong in one way.
#[derive(Debug)]
pub struct Wrong {
    breakage: Breakage,
    /// Does everything that it is asked. What the target must not do is answered by it.
    believer: Option<Target>,
    remembered: Mutex<HashMap<Asked, Exchange>>,
}

impl Wrong {
    /// Wrong as the breakage says. What is acknowledged and not done needs a second target that does it.
    pub fn new(breakage: Breakage, believer: Option<Target>) -> Self {
        Wrong { breakage, believer, remembered: Mutex::default() }
    }
}

impl Between for Wrong {
    fn exchange<'a>(&'a self, target: &'a Target, means: Means, request: Request) -> BoxFuture<'a, Exchange> {
        async move {
            match &self.breakage {
                Breakage::NotDone(operation) => {
                    let swallowed = operation_of(&request) == Some(operation.as_str());
                    let believed = match &self.believer {
                        Some(believer) => Some(believer.send_directly(means, request.clone()).await),
                        None => None,
                    };
                    match believed.filter(|_| swallowed) {
                        Some(exchange) => exchange,
                        None => target.send_directly(means, request).await,
                    }
                }
                Breakage::Forgiving => self.again_as_admin(target, means, request, 403).await,
                Breakage::Anybody => self.again_as_admin(target, means, request, 401).await,
                Breakage::Stale => self.remembered(target, means, request).await,
                _ => {
                    let asked = self.other(&request);
                    let exchange = target.send_directly(means, asked).await;
                    // Reports show what the suite sent.
                    Exchange { request, ..exchange }
                }
            }
        }
        .boxed()
    }
}

impl Wrong {
    /// What is asked instead.
    fn other(&self, request: &Request) -> Request {
        let mut asked = request.clone();
        match &self.breakage {
            Breakage::Ignored(member) => {
                let Some((operation, member)) = member.split_once('.') else { return asked };
                if operation_of(request) == Some(operation)
                    && let Some(Value::Object(mut members)) = request.json()
                {
                    let named = spec::registry().operation(operation);
                    members.retain(|name, _| {
                        name != member && named.is_none_or(|known| known.canonical_name(name) != member)
                    });
                    asked.body = Value::Object(members).to_string().into_bytes();
                }
            }
            Breakage::HeaderIgnored(name) => {
                asked.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            }
            Breakage::AlwaysJson => {
                for (name, value) in &mut asked.headers {
                    if name.eq_ignore_ascii_case("content-type") {
                        "application/json".clone_into(value);
                    }
                }
            }
            Breakage::NamesFolded => {
                if let Some(Value::Object(mut members)) = request.json() {
                    for name in ["database", "schema", "table"] {
                        if let Some(Value::String(text)) = members.get_mut(name) {
                            *text = text.to_lowercase();
                        }
                    }
                    asked.body = Value::Object(members).to_string().into_bytes();
                }
            }
            _ => {}
        }
        asked
    }

    async fn again_as_admin(&self, target: &Target, means: Means, request: Request, status: u16) -> Exchange {
        let exchange = target.send_directly(means, request.clone()).await;
        if exchange.answer.as_ref().is_none_or(|answer| answer.status != status) {
            return exchange;
        }
        let mut again = request.clone();
        again.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        again.headers.push(("Authorization".to_owned(), target.admin.basic()));
        let exchange = target.send_directly(means, again).await;
        Exchange { request, ..exchange }
    }

    async fn remembered(&self, target: &Target, means: Means, request: Request) -> Exchange {
        let reads = operation_of(&request).is_some_and(|operation| {
            ["search_", "describe_", "list_", "get_", "read_", "user_info"]
                .iter()
                .any(|prefix| operation.starts_with(prefix))
        });
        let key = (request.body.clone(), request.header("authorization").map(str::to_owned));
        let lock = || self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let before = lock().get(&key).cloned();
        match before.filter(|_| reads) {
            Some(exchange) => exchange,
            None => {
                let exchange = target.send_directly(means, request).await;
                lock().insert(key, exchange.clone());
                exchange
            }
        }
    }
}

/// The operation that a request runs, in its newest spelling.
fn operation_of(request: &Request) -> Option<&'static str> {
    let body = request.json()?;
    spec::registry().operation(body.get("operation")?.as_str()?).map(|operation| operation.name.as_str())
}
