//! Clients that prove by certificates who they are.

use super::authority::Authority;
use super::door::{Door, Heard, Knock, unless};
use super::{Stage, Trial, inept};
use crate::laws::{Law, Refusal, Tried, blocked, must, should};
use crate::listener::Listener;
use crate::runner::Run;
use crate::scenario::Errors;
use crate::target::Answer;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::json;
use std::convert::Infallible;
use std::net::Ipv4Addr;

/// With `mtls`.
pub(super) const LAWS: &[(Law, Trial)] = &[
    (
        must(
            "certificate-authenticates",
            "a client's certificate of an authority of the table authenticates the user of its common name",
            "user_info",
            &["CERT-TLS-004"],
        ),
        |stage| Box::pin(authenticates(stage)),
    ),
    (
        must(
            "others-may-log-in",
            "who shows no certificate, or one that is not accepted, can use other credentials",
            "user_info",
            &["CERT-TLS-007"],
        ),
        |stage| Box::pin(others(stage)),
    ),
    (
        should(
            "certificate-beats-header",
            "an accepted certificate beats the Authorization header",
            "user_info",
            &["CERT-TLS-008"],
        ),
        |stage| Box::pin(beats_header(stage)),
    ),
    (
        should(
            "users-who-may-not",
            "certificates of inactive users are answered with 401, those of unknown ones with 403",
            "user_info",
            &["CERT-TLS-009"],
        ),
        |stage| Box::pin(users_who_may_not(stage)),
    ),
];

/// With `mtls.required`.
pub(super) const LAWS_WHEN_REQUIRED: &[(Law, Trial)] = &[(
    must(
        "no-certificate-no-connection",
        "connections without an accepted certificate are closed",
        "user_info",
        &["CERT-TLS-006"],
    ),
    |stage| Box::pin(required(stage)),
)];

/// With `mtls.user` null.
pub(super) const LAWS_OF_NOBODY: &[(Law, Trial)] = &[(
    must(
        "certificate-proves-nothing",
        "with a certificate of nobody other credentials are needed as well",
        "user_info",
        &["CERT-TLS-005"],
    ),
    |stage| Box::pin(of_nobody(stage)),
)];

/// With `mtls.certificateVerification`.
pub(super) const LAWS_OF_VERIFICATION: &[(Law, Trial)] = &[(
    should(
        "revoked-is-refused",
        "a certificate that its authority's list names, or that cannot be checked, is answered with 401",
        "user_info",
        &["CERT-TLS-010"],
    ),
    |stage| Box::pin(revoked(stage)),
)];

/// Who must be told that an authority is to be believed also believes it of others.
pub(super) fn never_on_others(_: &Run) -> Result<(), String> {
    Err("it needs servers that ask clients for certificates of authorities of this run: only servers that the run \
         starts itself are, as for a run without an address"
        .to_owned())
}

/// A server that asks for certificates, and an authority that it believes.
struct Club<'s> {
    stage: &'s Stage<'s>,
    door: Door,
    authority: Authority,
}

impl<'s> Club<'s> {
    async fn open(stage: &'s Stage<'s>) -> Result<Club<'s>, Refusal> {
        Club::with(stage, Authority::new("Conformance Suite of Clients")?).await
    }

    /// Makes the server believe an authority.
    async fn with(stage: &'s Stage<'s>, authority: Authority) -> Result<Club<'s>, Refusal> {
        let url = stage.instance.as_ref().and_then(|instance| instance.secure_url());
        let door = Door::of(&url.ok_or_else(|| blocked("the server has no secure port"))?).await?;
        let trust = json!({"operation": "add_certificate", "name": "suite-clients", "certificate": authority.pem,
            "is_authority": true});
        stage.ask(trust).await?;
        Ok(Club { stage, door, authority })
    }

    /// Adds a user with a role of its own, and returns the name.
    async fn member(&self, name: &str) -> Result<String, Refusal> {
        self.stage
            .ask(json!({"operation": "add_role", "role": name, "permission": {"super_user": false}}))
            .await?;
        let user = json!({"operation": "add_user", "role": name, "username": name, "password": "Harbour-7",
            "active": true});
        self.stage.ask(user).await?;
        Ok(name.to_owned())
    }

    /// Who the server takes one for.
    async fn ask(&self, knock: Knock<'_>) -> Result<Result<Heard, String>, Refusal> {
        self.door.ask(knock, &json!({"operation": "user_info"})).await
    }

    fn admin(&self) -> String {
        self.stage.target.admin.basic()
    }

    fn is_refusal(&self, answer: &Answer, text: &str) -> bool {
        let wording = self.stage.run.context.errors == Errors::Wording;
        answer.status == 401 && (!wording || answer.error() == Some(text))
    }
}

fn is(name: &str) -> impl FnOnce(&Answer) -> bool {
    move |answer| answer.status == 200 && answer.body["username"] == name
}

async fn authenticates(stage: &Stage<'_>) -> Tried {
    let club = Club::open(stage).await?;
    let name = club.member("suite-member").await?;
    let card = club.authority.client(&name)?;
    let heard = club.ask(Knock { showing: Some(&card), ..Knock::default() }).await?;
    Ok(unless(is(&name), "who shows the certificate of a user, and nothing else,", heard))
}

async fn others(stage: &Stage<'_>) -> Tried {
    let club = Club::open(stage).await?;
    let admin = club.admin();
    let stranger = Authority::new("Somebody Else")?.client(&stage.target.admin.username)?;
    let saying = Some(admin.as_str());
    let username = &stage.target.admin.username;
    let heard = club.ask(Knock { saying, ..Knock::default() }).await?;
    if let Some(fault) = unless(is(username), "who shows no certificate, but credentials,", heard) {
        return Ok(Some(fault));
    }
    let heard = club.ask(Knock { saying, showing: Some(&stranger), ..Knock::default() }).await?;
    let who = "who shows a certificate of an unknown authority, and credentials,";
    if let Some(fault) = unless(is(username), who, heard) {
        return Ok(Some(fault));
    }
    let heard = club.ask(Knock { showing: Some(&stranger), ..Knock::default() }).await?;
    let who = "who shows a certificate of an unknown authority, and nothing else,";
    Ok(unless(|answer| answer.status == 401, who, heard))
}

async fn beats_header(stage: &Stage<'_>) -> Tried {
    let club = Club::open(stage).await?;
    let name = club.member("suite-bearer").await?;
    let card = club.authority.client(&name)?;
    let admin = club.admin();
    for saying in [admin.as_str(), "Basic bm9ib2R5Ondyb25n"] {
        let heard =
            club.ask(Knock { saying: Some(saying), showing: Some(&card), ..Knock::default() }).await?;
        if let Some(fault) =
            unless(is(&name), "who shows a certificate, and credentials of somebody else,", heard)
        {
            return Ok(Some(fault));
        }
    }
    Ok(None)
}

async fn users_who_may_not(stage: &Stage<'_>) -> Tried {
    const INACTIVE: &str = "Cannot complete request: User is inactive";
    let club = Club::open(stage).await?;
    let name = club.member("suite-inactive").await?;
    stage.ask(json!({"operation": "alter_user", "username": name, "active": false})).await?;
    let card = club.authority.client(&name)?;
    let heard = club.ask(Knock { showing: Some(&card), ..Knock::default() }).await?;
    if let Some(fault) =
        unless(|answer| club.is_refusal(answer, INACTIVE), "the certificate of an inactive user", heard)
    {
        return Ok(Some(fault));
    }
    let card = club.authority.client("suite-unknown")?;
    let knock = Knock { showing: Some(&card), ..Knock::default() };
    let heard = club.door.ask(knock, &json!({"operation": "list_users"})).await?;
    Ok(unless(|answer| answer.status == 403, "the certificate of an unknown user", heard))
}

async fn required(stage: &Stage<'_>) -> Tried {
    let club = Club::open(stage).await?;
    let name = club.member("suite-known").await?;
    let card = club.authority.client(&name)?;
    let heard = club.ask(Knock { showing: Some(&card), ..Knock::default() }).await?;
    if let Some(fault) = unless(is(&name), "who shows an accepted certificate", heard) {
        return Ok(Some(fault));
    }
    let admin = club.admin();
    let stranger = Authority::new("Somebody Else")?.client(&name)?;
    for (showing, who) in
        [(None, "no certificate"), (Some(&stranger), "a certificate of an unknown authority")]
    {
        let knock = Knock { showing, saying: Some(&admin), ..Knock::default() };
        if let Ok(heard) = club.ask(knock).await? {
            let sentence = format!("who shows {who} is answered all the same");
            return Ok(Some((sentence, Some(heard.exchange))));
        }
    }
    Ok(None)
}

async fn of_nobody(stage: &Stage<'_>) -> Tried {
    let club = Club::open(stage).await?;
    let name = club.member("suite-nobody").await?;
    let card = club.authority.client(&name)?;
    let heard = club.ask(Knock { showing: Some(&card), ..Knock::default() }).await?;
    if let Some(fault) =
        unless(|answer| answer.status == 401, "who shows a certificate, and nothing else,", heard)
    {
        return Ok(Some(fault));
    }
    let admin = club.admin();
    let heard = club.ask(Knock { showing: Some(&card), saying: Some(&admin), ..Knock::default() }).await?;
    Ok(unless(is(&stage.target.admin.username), "who shows a certificate, and credentials,", heard))
}

async fn revoked(stage: &Stage<'_>) -> Tried {
    const REVOKED: &str = "Certificate revoked or verification failed";
    const NOWHERE: &str = "http://127.0.0.1:1/list";
    let club = Club::open(stage).await?;
    let name = club.member("suite-revoked").await?;
    let list = Bytes::from(club.authority.list(7)?);
    let answer = move |_: Request<Incoming>| {
        let list = list.clone();
        async move { Ok::<_, Infallible>(Response::new(Full::new(list))) }
    };
    let lists =
        Listener::start((Ipv4Addr::LOCALHOST, 0), hyper::service::service_fn(answer)).await.map_err(inept)?;
    let place = format!("{}/list", lists.url());
    let good = club.authority.revocable(&name, 8, &place)?;
    let bad = club.authority.revocable(&name, 7, &place)?;
    let unchecked = club.authority.revocable(&name, 8, NOWHERE)?;
    for (card, is_good, who) in [
        (&good, true, "a certificate that the list does not name"),
        (&bad, false, "a certificate that the list names"),
        (&unchecked, false, "a certificate whose list cannot be had"),
    ] {
        let heard = club.ask(Knock { showing: Some(card), ..Knock::default() }).await?;
        let right = |answer: &Answer| match is_good {
            true => is(&name)(answer),
            false => club.is_refusal(answer, REVOKED),
        };
        if let Some(fault) = unless(right, who, heard) {
            return Ok(Some(fault));
        }
    }
    let lenient = stage.another("mtls-verified-if-possible").await?;
    let lenient =
        Stage { run: stage.run, farm: None, target: lenient.target().clone(), instance: Some(lenient) };
    let club = Club::with(&lenient, club.authority).await?;
    club.member(&name).await?;
    let heard = club.ask(Knock { showing: Some(&unchecked), ..Knock::default() }).await?;
    let who = "with fail-open a certificate whose list cannot be had";
    if let Some(fault) = unless(is(&name), who, heard) {
        return Ok(Some(fault));
    }
    let heard = club.ask(Knock { showing: Some(&bad), ..Knock::default() }).await?;
    let who = "with fail-open a certificate that the list names";
    Ok(unless(|answer| club.is_refusal(answer, REVOKED), who, heard))
}
