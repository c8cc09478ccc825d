//! Which product, and which version of it, an endpoint behaves like: a few questions that change nothing, and what
//! the answers speak for. The questions are data, in `probes.json`.

use crate::pointer;
use crate::target::{Answer, Fault, Request, Target};
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const PROBES: &str = include_str!("probes.json");

/// What is asked and known.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// Every product that can be told from others: its id and its name.
    pub products: BTreeMap<String, String>,
    /// The questions.
    pub probes: Vec<Probe>,
}

/// A question.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Its id.
    pub id: String,
    /// What the super user asks: an operation.
    #[serde(default)]
    pub request: Option<Value>,
    /// Or any JSON, asked by the super user.
    #[serde(default)]
    pub body: Option<Value>,
    /// The value of the `Authorization` header in place of the super user's.
    #[serde(default)]
    pub authorization: Option<String>,
    /// What answers speak for. Of signs that hold each counts.
    pub signs: Vec<Sign>,
}

/// What an answer may show.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// The status, if it matters.
    #[serde(default)]
    pub status: Option<u16>,
    /// Where to look: a JSON Pointer into the body, or `header:NAME`.
    #[serde(default)]
    pub at: Option<String>,
    /// What must be found there, as a pattern of its text; null when nothing may be there. Anything will do when left out.
    #[serde(default, deserialize_with = "some")]
    pub is: Option<Option<String>>,
    /// The products that show it.
    pub of: Vec<String>,
    /// The products of which nobody knows whether they show it.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// How much it says.
    #[serde(default = "one")]
    pub weight: u32,
    /// In words.
    pub says: String,
    /// Where that is written.
    pub source: String,
}

fn one() -> u32 {
    1
}

/// Null is something else than nothing.
fn some<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// One thing that was seen, and what it speaks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The question.
    pub probe: String,
    /// What the answer showed, in words.
    pub says: String,
    /// What was found, cut short.
    pub seen: String,
    /// The ids of the products that show it.
    pub of: Vec<String>,
    /// The ids of the products of which it is not known.
    pub unknown: Vec<String>,
    /// How much it says.
    pub weight: u32,
    /// Where that is written.
    pub source: String,
}

/// How well a product fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fit {
    /// Its id.
    pub product: String,
    /// Its name.
    pub name: String,
    /// The weight of the evidence for it.
    pub speaks_for: u32,
    /// The weight of the evidence that shows others but not it.
    pub speaks_against: u32,
}

/// What an endpoint behaves like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The product that fits best, when one does better than all others.
    pub product: Option<String>,
    /// The version that the endpoint tells of itself.
    pub told_version: Option<String>,
    /// Every product, the best first.
    pub fits: Vec<Fit>,
    /// What was seen.
    pub evidence: Vec<Evidence>,
    /// Questions whose answers said nothing.
    pub silent: Vec<String>,
}

/// The questions that come with the program.
///
/// # Errors
/// When they are malformed.
pub fn book() -> Result<Book, serde_json::Error> {
    serde_json::from_str(PROBES)
}

/// Asks an endpoint.
///
/// # Errors
/// Why it does not answer.
pub async fn ask(target: &Target, book: &Book) -> Result<BTreeMap<String, Answer>, Fault> {
    let mut answers = BTreeMap::new();
    for probe in &book.probes {
        let body = probe.request.as_ref().or(probe.body.as_ref()).cloned().unwrap_or_default();
        let authorization = probe.authorization.clone().unwrap_or_else(|| target.admin.basic());
        let exchange = target.send(Request::operation(&body, Some(authorization))).await;
        match (exchange.answer, exchange.fault) {
            (Some(answer), _) => {
                answers.insert(probe.id.clone(), answer);
            }
            // One question that breaks a connection is no reason to give up.
            (None, Some(fault)) if answers.is_empty() => return Err(fault),
            (None, _) => {}
        }
    }
    Ok(answers)
}

/// Judges the answers.
pub fn judge(book: &Book, answers: &BTreeMap<String, Answer>) -> Identity {
    let mut evidence = Vec::new();
    let mut silent = Vec::new();
    for probe in &book.probes {
        let before = evidence.len();
        for sign in answers.get(&probe.id).into_iter().flat_map(|answer| holding(probe, answer)) {
            evidence.push(sign);
        }
        if evidence.len() == before {
            silent.push(probe.id.clone());
        }
    }
    let weigh = |wanted: &dyn Fn(&Evidence) -> bool| {
        evidence.iter().filter(|seen| wanted(seen)).map(|seen| seen.weight).sum::<u32>()
    };
    let mut fits: Vec<Fit> = book
        .products
        .iter()
        .map(|(id, name)| Fit {
            product: id.clone(),
            name: name.clone(),
            speaks_for: weigh(&|seen| seen.of.contains(id)),
            speaks_against: weigh(&|seen| !seen.of.contains(id) && !seen.unknown.contains(id)),
        })
        .collect();
    fits.sort_by_key(|fit| (fit.speaks_against, std::cmp::Reverse(fit.speaks_for)));
    let product = match fits.as_slice() {
        [best, next, ..]
            if best.speaks_for > best.speaks_against && best.speaks_against < next.speaks_against =>
        {
            Some(best.product.clone())
        }
        _ => None,
    };
    let told_version =
        answers.get("version").and_then(|answer| answer.body["version"].as_str()).map(str::to_owned);
    Identity { product, told_version, fits, evidence, silent }
}

fn holding<'a>(probe: &'a Probe, answer: &'a Answer) -> impl Iterator<Item = Evidence> + 'a {
    probe.signs.iter().filter(|sign| holds(sign, answer)).map(|sign| Evidence {
        probe: probe.id.clone(),
        says: sign.says.clone(),
        seen: shown(sign, answer),
        of: sign.of.clone(),
        unknown: sign.unknown.clone(),
        weight: sign.weight,
        source: sign.source.clone(),
    })
}

fn found(sign: &Sign, answer: &Answer) -> Option<Value> {
    match sign.at.as_deref() {
        None => Some(answer.body.clone()),
        Some(at) => match at.strip_prefix("header:") {
            Some(name) => answer.header(name).map(Value::from),
            None => pointer::get(&answer.body, at).cloned(),
        },
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn holds(sign: &Sign, answer: &Answer) -> bool {
    if sign.status.is_some_and(|status| status != answer.status) {
        return false;
    }
    match (&sign.is, found(sign, answer)) {
        (Some(None), found) => found.is_none(),
        (Some(Some(pattern)), Some(value)) => {
            Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(&text_of(&value)))
        }
        (None, Some(_)) => true,
        (_, None) => false,
    }
}

fn shown(sign: &Sign, answer: &Answer) -> String {
    const LONG: usize = 80;
    let value = found(sign, answer).map_or_else(|| "nothing".to_owned(), |value| text_of(&value));
    let value = match value.char_indices().nth(LONG) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value,
    };
    match &sign.at {
        Some(at) => format!("{} {at}: {value}", answer.status),
        None => format!("{} {value}", answer.status),
    }
}

impl Identity {
    /// 0: one product fits best; 1: none does.
    pub fn exit_status(&self) -> u8 {
        u8::from(self.product.is_none())
    }

    /// For a person.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let name = |id: &str| {
            self.fits.iter().find(|fit| fit.product == id).map_or(id, |fit| fit.name.as_str()).to_owned()
        };
        let verdict = match &self.product {
            Some(product) => format!("behaves like {}", name(product)),
            None => "behaves like none of the known products more than like the others".to_owned(),
        };
        let told = self.told_version.as_ref().map(|version| format!("; says of itself that it is {version}"));
        let _ = writeln!(out, "{verdict}{}\n", told.unwrap_or_default());
        for fit in &self.fits {
            let _ = writeln!(
                out,
                "{:<40} {:>3} for, {:>3} against",
                fit.name, fit.speaks_for, fit.speaks_against
            );
        }
        out.push('\n');
        for seen in &self.evidence {
            let _ = writeln!(out, "{}: {} ({})", seen.probe, seen.says, seen.source);
            let _ = writeln!(out, "    saw {}", seen.seen);
            let names: Vec<String> = seen.of.iter().map(|id| name(id)).collect();
            let _ = writeln!(out, "    as {}", names.join(", "));
        }
        if !self.silent.is_empty() {
            let _ = writeln!(out, "\nsaid nothing: {}", self.silent.join(", "));
        }
        out
    }

    /// For a program.
    pub fn to_json(&self) -> Value {
        json!(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [&str; 6] =
        ["harper-4.0", "harper-4.4", "harper-4.6", "harper-4.7", "harper-5.0", "reference-server"];

    fn answer(status: u16, body: &Value) -> Answer {
        let headers = [("content-type", "application/json"), ("server", "HarperDB")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Answer::new(status, headers.to_vec(), body.to_string().as_bytes())
    }

    /// An answer that shows exactly what a sign asks for.
    fn showing(sign: &Sign) -> Answer {
        let text = match sign.is.clone().flatten() {
            Some(pattern) => sample(&pattern),
            None => "x".to_owned(),
        };
        let mut body = json!({});
        let mut answer = match sign.at.as_deref() {
            Some(at) if at.starts_with("header:") => answer(200, &body),
            Some(at) if sign.is != Some(None) => {
                // The last part of a pointer is the innermost member.
                for part in at.split('/').skip(1).collect::<Vec<_>>().into_iter().rev() {
                    let inner = if body == json!({}) { json!(text) } else { body };
                    body = if part == "0" { json!([inner]) } else { json!({part: inner}) };
                }
                answer(200, &body)
            }
            Some(_) => answer(200, &body),
            None => answer(200, &json!(text)),
        };
        if let (Some(name), Some(Some(_))) =
            (sign.at.as_deref().and_then(|at| at.strip_prefix("header:")), &sign.is)
        {
            answer.headers.retain(|(known, _)| known != name);
            answer.headers.push((name.to_owned(), text));
        }
        if sign.at.as_deref() == Some("header:content-type") && sign.is == Some(None) {
            answer.headers.retain(|(known, _)| known != "content-type");
        }
        answer.status = sign.status.unwrap_or(200);
        answer
    }

    /// A text that a simple pattern matches.
    fn sample(pattern: &str) -> String {
        use proptest::strategy::{Strategy as _, ValueTree as _};
        let whole = pattern.trim_start_matches('^').trim_end_matches('$');
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        proptest::string::string_regex(whole).unwrap().new_tree(&mut runner).unwrap().current()
    }

    #[test]
    fn the_questions_are_sound() {
        let book = book().unwrap();
        assert_eq!(book.products.keys().collect::<Vec<_>>(), KINDS);
        let mut ids: Vec<_> = book.probes.iter().map(|probe| &probe.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), book.probes.len());
        for probe in &book.probes {
            assert!(probe.request.is_some() != probe.body.is_some(), "{}", probe.id);
            for sign in &probe.signs {
                assert!(
                    !sign.of.is_empty() && sign.of.iter().all(|id| book.products.contains_key(id)),
                    "{}",
                    sign.says
                );
                if let Some(Some(pattern)) = &sign.is {
                    Regex::new(pattern).unwrap();
                }
            }
            if let Some(operation) = probe.request.as_ref().and_then(|request| request["operation"].as_str())
            {
                let known = spec::registry().operation(operation);
                let harmless =
                    known.is_none_or(|operation| !operation.mutates) || probe.id == "blank-statement";
                assert!(harmless, "{operation} changes something");
            }
        }
    }

    #[test]
    fn who_shows_all_signs_of_a_product_is_that_product() {
        let book = book().unwrap();
        for product in KINDS {
            let shows = |probe: &Probe| {
                let sign = probe.signs.iter().find(|sign| sign.of.iter().any(|id| id == product))?;
                let answer = showing(sign);
                assert!(holds(sign, &answer), "{}: {:?}", sign.says, answer);
                Some((probe.id.clone(), answer))
            };
            let answers = book.probes.iter().filter_map(shows).collect();
            let identity = judge(&book, &answers);
            assert_eq!(identity.product.as_deref(), Some(product), "{}", identity.to_text());
        }
    }

    #[test]
    fn somebody_else_is_nobody_known() {
        let book = book().unwrap();
        let same = |probe: &Probe| (probe.id.clone(), answer(404, &json!({"detail": "not here"})));
        let identity = judge(&book, &book.probes.iter().map(same).collect());
        assert_eq!((identity.product.clone(), identity.exit_status()), (None, 1), "{}", identity.to_text());
        let text = judge(&book, &BTreeMap::new()).to_text();
        assert!(text.contains("none of the known products") && text.contains("said nothing: "), "{text}");
    }
}
