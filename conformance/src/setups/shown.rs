//! Which certificate is shown to whom: the one for the name asked for, from the moment it is added until it is removed.

use super::authority::{Authority, Signed};
use super::door::{Door, Knock};
use super::{Stage, Trial};
use crate::laws::{Fault, Law, Refusal, Tried, blocked, must, should};
use crate::runner::{FRESH, Run};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

pub(super) const LAWS: &[(Law, Trial)] = &[
    (
        should(
            "self-made-at-first",
            "without a configured certificate the server has an authority and a certificate of its own, and shows it",
            "list_certificates",
            &["CERT-TLS-003"],
        ),
        |stage| Box::pin(self_made(stage)),
    ),
    (
        must(
            "added-is-shown",
            "an added certificate is shown at once to who asks for its name",
            "add_certificate",
            &["CERT-ADD-CERTIFICATE-004"],
        ),
        |stage| Box::pin(added(stage)),
    ),
    (
        must(
            "hosts-decide",
            "a certificate that was added with hosts is shown to who asks for these",
            "add_certificate",
            &["CERT-ADD-CERTIFICATE-008"],
        ),
        |stage| Box::pin(with_hosts(stage)),
    ),
    (
        must(
            "the-best-is-shown",
            "of certificates that fit, those for this API come first and self-made ones last; the best of all where none fits",
            "add_certificate",
            &["CERT-TLS-002"],
        ),
        |stage| Box::pin(best(stage)),
    ),
    (
        must(
            "removed-is-not-shown",
            "a removed certificate is not shown any more",
            "remove_certificate",
            &["CERT-REMOVE-CERTIFICATE-005"],
        ),
        |stage| Box::pin(removed(stage)),
    ),
];

/// What is added is shown to other clients too: only a throw-away target is asked to.
pub(super) fn may_be_tried(run: &Run) -> Result<(), String> {
    for need in ["tls", FRESH] {
        if !run.offers(need) {
            return Err(run.why_not(need));
        }
    }
    Ok(())
}

/// The secure port of a story's server, and certificates for it.
struct Counter<'s> {
    stage: &'s Stage<'s>,
    door: Door,
    authority: Authority,
}

impl<'s> Counter<'s> {
    async fn open(stage: &'s Stage<'s>) -> Result<Counter<'s>, Refusal> {
        let door = Door::of(&stage.target.address()).await?;
        Ok(Counter { stage, door, authority: Authority::new("Conformance Suite")? })
    }

    /// Makes a certificate and adds it.
    async fn add(&self, name: &str, hosts: &[&str], more: Value) -> Result<Signed, Refusal> {
        let signed = self.authority.server(hosts)?;
        let mut request = json!({"operation": "add_certificate", "name": name, "certificate": signed.pem,
            "private_key": signed.key, "is_authority": false});
        if let (Value::Object(request), Value::Object(more)) = (&mut request, more) {
            request.extend(more);
        }
        self.stage.ask(request).await?;
        Ok(signed)
    }

    async fn remove(&self, name: &str) -> Result<(), Refusal> {
        self.stage.ask(json!({"operation": "remove_certificate", "name": name})).await.map(drop)
    }

    async fn shown(&self, name: Option<&str>) -> Result<Vec<u8>, Refusal> {
        let heard =
            self.door.ask(Knock { name, ..Knock::default() }, &json!({"operation": "user_info"})).await?;
        heard.map(|heard| heard.shown).map_err(|reason| blocked(format!("no handshake: {reason}")))
    }

    /// A fault unless who asks for a name is shown a certificate.
    async fn unless_shown(&self, name: &str, wanted: &Signed, whose: &str) -> Result<Fault, Refusal> {
        let shown = self.shown(Some(name)).await?;
        let sentence = || format!("who asks for {name} is shown another certificate than {whose}");
        Ok((shown != wanted.der).then(|| (sentence(), None)))
    }
}

async fn self_made(stage: &Stage<'_>) -> Tried {
    let counter = Counter::open(stage).await?;
    let listed = stage.ask(json!({"operation": "list_certificates"})).await?;
    let own = |authority: bool| {
        let all = listed.as_array().into_iter().flatten();
        all.filter(|one| one["is_self_signed"] == true).find(|one| one["is_authority"] == authority)
    };
    if own(true).is_none() {
        return Ok(Some(("no authority of its own is listed".to_owned(), None)));
    }
    let Some(pem) = own(false).and_then(|one| one["certificate"].as_str()) else {
        return Ok(Some(("no certificate of its own is listed".to_owned(), None)));
    };
    let listed = CertificateDer::from_pem_slice(pem.as_bytes()).map(|der| der.to_vec());
    let shown = counter.shown(None).await?;
    let sentence = "the certificate that is shown is not the self-made one of the list";
    Ok((listed.ok().as_ref() != Some(&shown)).then(|| (sentence.to_owned(), None)))
}

async fn added(stage: &Stage<'_>) -> Tried {
    const HOST: &str = "added.suite.example";
    let counter = Counter::open(stage).await?;
    // What is there is known by now to who keeps it.
    counter.shown(Some(HOST)).await?;
    let added = counter.add("suite-added", &[HOST], Value::Null).await?;
    let fault = counter.unless_shown(HOST, &added, "the one that was just added for it").await?;
    counter.remove("suite-added").await?;
    Ok(fault)
}

async fn with_hosts(stage: &Stage<'_>) -> Tried {
    const HOST: &str = "hosts.suite.example";
    let counter = Counter::open(stage).await?;
    let hosts = json!({"hosts": [HOST]});
    let named = counter.add("suite-hosts", &["another.suite.example"], hosts).await?;
    // What would come first where no name decides.
    let first = json!({"uses": ["operations-api"]});
    counter.add("suite-first", &["first.suite.example"], first).await?;
    let mut fault =
        counter.unless_shown(HOST, &named, "the one that was added with it among its hosts").await?;
    let listed = stage.ask(json!({"operation": "list_certificates"})).await?;
    let entry = listed.as_array().into_iter().flatten().find(|one| one["name"] == "suite-hosts");
    let hosts = entry.map(|entry| entry["hostnames"].clone()).unwrap_or_default();
    if fault.is_none() && hosts != json!([HOST]) {
        fault = Some((format!("list_certificates shows {hosts} as its hostnames"), None));
    }
    counter.remove("suite-hosts").await?;
    counter.remove("suite-first").await?;
    Ok(fault)
}

async fn best(stage: &Stage<'_>) -> Tried {
    const HOST: &str = "best.suite.example";
    let counter = Counter::open(stage).await?;
    // Now the server's own certificates are there, one of which is for this machine.
    stage.ask(json!({"operation": "list_certificates"})).await?;
    let uses = |text: &str| json!({"uses": [text]});
    let local = counter.add("suite-local", &["localhost"], uses("operations-api")).await?;
    let mut fault = counter.unless_shown("localhost", &local, "the one that is not self-made").await?;
    counter.remove("suite-local").await?;
    counter.add("suite-a-general", &[HOST], uses("https")).await?;
    let own = counter.add("suite-m-own", &[HOST], uses("operations-api")).await?;
    counter.add("suite-z-other", &[HOST], uses("mqtt")).await?;
    if fault.is_none() {
        fault = counter.unless_shown(HOST, &own, "the one whose uses name this API").await?;
    }
    if fault.is_none() {
        fault = counter.unless_shown("nobody.suite.example", &own, "the best of all").await?;
    }
    for name in ["suite-a-general", "suite-m-own", "suite-z-other"] {
        counter.remove(name).await?;
    }
    Ok(fault)
}

async fn removed(stage: &Stage<'_>) -> Tried {
    const HOST: &str = "removed.suite.example";
    let counter = Counter::open(stage).await?;
    let added = counter.add("suite-removed", &[HOST], Value::Null).await?;
    let before = counter.unless_shown(HOST, &added, "the one that was added for it").await?;
    counter.remove("suite-removed").await?;
    if let Some((sentence, _)) = before {
        return Err(blocked(sentence));
    }
    let shown = counter.shown(Some(HOST)).await?;
    let sentence = "a certificate is still shown after its removal";
    Ok((shown == added.der).then(|| (sentence.to_owned(), None)))
}
