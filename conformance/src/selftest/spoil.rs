//! Answers that are not what the target said.

use super::Breakage;
use crate::runner::Taken;
use crate::target::{Answer, Form};
use serde_json::{Map, Value, json};

/// What came, broken. `None` when there is nothing in it to break in this way.
pub fn spoil(taken: &Taken, breakage: &Breakage) -> Option<Taken> {
    let mut broken = taken.clone();
    match breakage {
        Breakage::ConnectionDiffers => broken.closed = Some(!taken.closed?),
        Breakage::AnswerMissing => {
            broken.answers = taken.answers.checked_sub(1).filter(|_| taken.closed.is_some())?
        }
        _ => {
            let answer = broken.exchange.answer.as_mut()?;
            change(answer, breakage)?;
            if Some(&*answer) == taken.answer() {
                return None;
            }
        }
    }
    Some(broken)
}

fn change(answer: &mut Answer, breakage: &Breakage) -> Option<()> {
    match breakage {
        Breakage::Status => {
            answer.status = match answer.status {
                200..400 => 299,
                400 => 422,
                500.. => 400,
                _ => 400,
            };
        }
        Breakage::Accepted => {
            (answer.status >= 400).then_some(())?;
            answer.status = 200;
            body(answer, |value| *value = json!({"message": "done"}));
        }
        Breakage::Refused => {
            (answer.status < 400).then_some(())?;
            answer.status = 400;
            body(answer, |value| *value = json!({"error": "refused"}));
        }
        Breakage::ContentType => header(answer, "content-type", Some("text/html")),
        Breakage::Parameters => {
            let kind = format!("{}; version=1", answer.content_type());
            header(answer, "content-type", Some(&kind));
        }
        Breakage::HeaderMissing(name) => {
            answer.header(name)?;
            header(answer, name, None);
        }
        Breakage::HeaderDiffers(name) => {
            let other = format!("not-{}", answer.header(name)?);
            header(answer, name, Some(&other));
        }
        Breakage::HeaderMore(name) => {
            if answer.header(name).is_some() {
                return None;
            }
            header(answer, name, Some("*"));
        }
        Breakage::FormDiffers => {
            answer.form = Some(match answer.form? {
                Form::Whole => Form::Sequence,
                Form::OpenEnded | Form::Sequence => Form::Whole,
            });
        }
        Breakage::BytesDiffer => {
            let text = answer.text.as_mut()?;
            text.push('~');
            if answer.body.is_string() {
                answer.body = Value::String(text.clone());
            }
        }
        Breakage::Empty => {
            answer.body = Value::String(String::new());
            answer.text = Some(String::new());
        }
        _ => {
            let mut value = answer.body.clone();
            values(&mut value, breakage);
            (value != answer.body).then_some(())?;
            body(answer, |body| *body = value);
        }
    }
    Some(())
}

fn body(answer: &mut Answer, change: impl FnOnce(&mut Value)) {
    change(&mut answer.body);
    if let Some(text) = &mut answer.text {
        *text = match &answer.body {
            Value::String(body) => body.clone(),
            body => body.to_string(),
        };
    }
}

fn header(answer: &mut Answer, name: &str, value: Option<&str>) {
    answer.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    answer.headers.extend(value.map(|value| (name.to_ascii_lowercase(), value.to_owned())));
}

/// Changes a body in one kind of value.
fn values(body: &mut Value, breakage: &Breakage) {
    match breakage {
        Breakage::Message => match body {
            Value::String(text) => text.push('~'),
            body => {
                for name in ["error", "message"] {
                    match body.get_mut(name) {
                        Some(Value::String(text)) => text.push('~'),
                        Some(value @ Value::Object(_)) => each(value, &mut texts),
                        _ => {}
                    }
                }
                for name in ["unauthorized_access", "invalid_schema_items"] {
                    if let Some(list) = body.get_mut(name) {
                        each(list, &mut texts);
                    }
                }
            }
        },
        Breakage::FirstFault => {
            if let Some((first, _)) = body["error"].as_str().and_then(|text| text.split_once(". ")) {
                body["error"] = json!(first);
            }
        }
        Breakage::MemberMissing(name) => objects(body, &mut |members| drop(members.remove(name))),
        Breakage::MemberDiffers(name) => objects(body, &mut |members| {
            if let Some(member) = members.get_mut(name) {
                *member = other(member);
            }
        }),
        Breakage::MemberMore => objects(body, &mut |members| drop(members.insert("more".into(), json!(1)))),
        Breakage::Reversed => lists(body, &mut |elements| elements.reverse()),
        Breakage::RecordMissing => lists(body, &mut |elements| drop(elements.pop())),
        Breakage::RecordTwice => lists(body, &mut |elements| elements.extend(elements.first().cloned())),
        Breakage::RecordMore => lists(body, &mut |elements| {
            let mut more = elements.first().cloned().unwrap_or_else(|| json!({"id": 0}));
            each(&mut more, &mut |value| {
                if value.is_number() || value.is_string() {
                    *value = other(value);
                }
            });
            elements.push(more);
        }),
        Breakage::NothingFound => match body {
            Value::Object(members) if !members.contains_key("error") => members.clear(),
            Value::Array(elements) => elements.clear(),
            _ => {}
        },
        Breakage::NullsMissing => objects(body, &mut |members| members.retain(|_, member| !member.is_null())),
        Breakage::NullsFilled => each(body, &mut |value| {
            if value.is_null() {
                *value = json!(0);
            }
        }),
        Breakage::NumbersDiffer => each(body, &mut |value| {
            if value.is_number() {
                *value = other(value);
            }
        }),
        Breakage::NumbersAsTexts => each(body, &mut |value| {
            if value.is_number() {
                *value = json!(value.to_string());
            }
        }),
        Breakage::TextsDiffer => each(body, &mut texts),
        Breakage::CaseLost => each(body, &mut |value| {
            if let Value::String(text) = value {
                *text = text.to_lowercase();
            }
        }),
        Breakage::BooleansFlipped => each(body, &mut |value| {
            if value.is_boolean() {
                *value = other(value);
            }
        }),
        Breakage::Flattened => objects(body, &mut |members| {
            for member in members.values_mut().filter(|member| member.is_object() || member.is_array()) {
                *member = json!(member.to_string());
            }
        }),
        _ => {}
    }
}

fn texts(value: &mut Value) {
    if value.is_string() {
        *value = other(value);
    }
}

/// Visits every value, containers after what they contain.
fn each(value: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| each(element, visit)),
        Value::Object(members) => members.values_mut().for_each(|member| each(member, visit)),
        _ => {}
    }
    visit(value);
}

fn objects(body: &mut Value, visit: &mut dyn FnMut(&mut Map<String, Value>)) {
    each(body, &mut |value| {
        if let Value::Object(members) = value {
            visit(members);
        }
    });
}

/// Visits the outermost lists: an element more in lists within lists would double what is deep at every level.
fn lists(body: &mut Value, visit: &mut dyn FnMut(&mut Vec<Value>)) {
    match body {
        Value::Array(elements) => visit(elements),
        Value::Object(members) => members.values_mut().for_each(|member| lists(member, visit)),
        _ => {}
    }
}

/// Some other value of the same kind.
fn other(value: &Value) -> Value {
    match value {
        Value::Null => json!(0),
        Value::Bool(flag) => json!(!flag),
        // Stays within what is masked as a time, unless it is set to a small number.
        Value::Number(number) => match number.as_f64() {
            Some(n) if n.abs() < 1.0e12 => json!(n * 2.0 + 1.0),
            _ => json!(1),
        },
        Value::String(text) => {
            json!(if text.is_empty() { "~".to_owned() } else { format!("~{}", &text[first(text)..]) })
        }
        Value::Array(elements) if elements.is_empty() => json!([0]),
        Value::Array(_) => json!([]),
        Value::Object(members) if members.is_empty() => json!({"more": 0}),
        Value::Object(_) => json!({}),
    }
}

/// The length of the first character.
fn first(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}
