//! Taking one step: who asks, what is sent, and what came back.

use super::Run;
use crate::scenario::{Http, Missing, Scenario, Step, Vars, Wire};
use crate::services;
use crate::target::{Answer, Credentials, Exchange, Fault, Request, encode};
use base64::Engine as _;
use serde_json::Value;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The super user that the harness was given.
    Admin,
    /// Nobody in particular.
    Nobody,
    /// A user with a password.
    User(Credentials),
    /// The bearer of a token.
    Bearer(String),
}

impl Caller {
    /// Who a step acts as.
    ///
    /// # Errors
    /// [`Missing`] when the token was never saved.
    pub fn of(step: &Step, scenario: &Scenario, vars: &Vars) -> Result<Self, Missing> {
        Ok(match step.who.as_deref() {
            None | Some("admin") => Caller::Admin,
            Some("nobody") => Caller::Nobody,
            Some(who) => match (who.strip_prefix("bearer:"), scenario.users.get(who)) {
                (Some(name), _) => match vars.get(name) {
                    Some(token) => {
                        Caller::Bearer(token.as_str().map_or_else(|| token.to_string(), str::to_owned))
                    }
                    None if scenario.saves(name) => return Err(Missing(name.to_owned())),
                    // A name that nothing saves is itself the token: a wrong one.
                    None => Caller::Bearer(name.to_owned()),
                },
                (None, Some(user)) => Caller::User(Credentials {
                    username: user.username.clone(),
                    password: user.password.clone(),
                }),
                (None, None) => return Err(Missing(who.to_owned())),
            },
        })
    }

    /// The value of the `Authorization` header.
    pub fn authorization(&self, admin: &Credentials) -> Option<String> {
        match self {
            Caller::Admin => Some(admin.basic()),
            Caller::Nobody => None,
            Caller::User(credentials) => Some(credentials.basic()),
            Caller::Bearer(token) => Some(format!("Bearer {token}")),
        }
    }
}

/// What came of one step.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The last exchange.
    pub exchange: Exchange,
    /// How many answers came, for a step that asks for several.
    pub answers: usize,
    /// Whether the target closed the connection, for a step that sends bytes.
    pub closed: Option<bool>,
    /// Who asked.
    pub caller: Caller,
}

impl Taken {
    /// The answer, when there is one.
    pub fn answer(&self) -> Option<&Answer> {
        self.exchange.answer.as_ref()
    }
}

impl Run {
    /// The variables that every story begins with.
    pub fn vars(&self) -> Vars {
        let mut vars = Vars::default();
        vars.set("admin_username", Value::from(self.target.admin.username.as_str()));
        vars.set("admin_password", Value::from(self.target.admin.password.as_str()));
        vars.set("admin_basic", Value::from(self.target.admin.encoded()));
        if let Some(services) = &self.services {
            vars.set(services::FILES, Value::from(services.files()));
        }
        vars
    }

    /// Sends what a step says.
    ///
    /// # Errors
    /// [`Missing`] when it uses a value that was never saved.
    pub async fn take(&self, step: &Step, scenario: &Scenario, vars: &Vars) -> Result<Taken, Missing> {
        let caller = Caller::of(step, scenario, vars)?;
        let authorization = caller.authorization(&self.target.admin);
        let taken = if let Some(wire) = &step.wire {
            self.take_wire(wire, caller, vars).await?
        } else if let Some(http) = &step.http {
            let request = spelt_out(http, authorization, vars)?;
            let exchange = if http.http2 {
                self.target.send_http2(request).await
            } else {
                self.target.send_plain(request).await
            };
            Taken { exchange, answers: 1, closed: None, caller }
        } else {
            let body = vars.value(step.request.as_ref().unwrap_or(&Value::Null))?;
            let exchange = self.target.send(Request::operation(&body, authorization)).await;
            Taken { exchange, answers: 1, closed: None, caller }
        };
        // What bytes of a story's own making bring may well be nothing.
        let counts = step.wire.is_none() || matches!(taken.exchange.fault, Some(Fault::Connect(_)));
        if counts || taken.answers > 0 {
            self.reached(taken.exchange.fault.as_ref());
        }
        self.seen.note(&taken);
        Ok(taken)
    }

    async fn take_wire(&self, wire: &Wire, caller: Caller, vars: &Vars) -> Result<Taken, Missing> {
        let text = vars.text(&wire.send)?;
        let mut got = self.target.send_wire(text.as_bytes(), wire.answers).await;
        let answers = got.answers.len();
        let request = Request {
            method: String::new(),
            path: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
            wire: Some(shortened(&text)),
        };
        // A connection that ends without an answer is itself a result that a step may expect.
        let fault = got.fault.filter(|fault| answers == 0 || !matches!(fault, Fault::Broken(_)));
        let exchange = Exchange { request, answer: got.answers.pop(), fault, millis: got.millis };
        Ok(Taken { exchange, answers, closed: Some(got.closed), caller })
    }
}

/// Reports need not show thousands of letters of filling.
fn shortened(text: &str) -> String {
    const LONG: usize = 2000;
    match text.char_indices().nth(LONG) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
        None => text.to_owned(),
    }
}

fn spelt_out(http: &Http, authorization: Option<String>, vars: &Vars) -> Result<Request, Missing> {
    let mut headers = Vec::new();
    let names = |name: &str| http.headers.keys().any(|given| given.eq_ignore_ascii_case(name));
    if let Some(value) = authorization.filter(|_| !names("authorization")) {
        headers.push(("Authorization".to_owned(), value));
    }
    for (name, value) in &http.headers {
        if let Some(value) = value {
            headers.push((name.clone(), vars.text(value)?));
        }
    }
    let kind = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let kind = kind.map(|(_, value)| value.to_ascii_lowercase()).unwrap_or_default();
    let body = match (&http.body, &http.body_base64, &http.body_value) {
        (Some(text), _, _) => vars.text(text)?.into_bytes(),
        (_, Some(encoded), _) => {
            base64::engine::general_purpose::STANDARD.decode(encoded).unwrap_or_default()
        }
        (_, _, Some(value)) => {
            let value = vars.value(value)?;
            let codec = ["cbor", "msgpack"].into_iter().find(|codec| kind.contains(codec));
            codec.and_then(|codec| encode(codec, &value)).unwrap_or_else(|| value.to_string().into_bytes())
        }
        _ => Vec::new(),
    };
    Ok(Request { method: http.method.clone(), path: vars.text(&http.path)?, headers, body, wire: None })
}
