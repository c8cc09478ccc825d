//! Names that are the run's own, so that scenarios run side by side and against instances that others use too.

use super::{Scenario, Step};
use base64::Engine as _;
use serde_json::Value;

/// The suffix that marks the names of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    run: String,
}

/// How many characters name a run.
const RUN_LENGTH: usize = 4;

impl Names {
    /// A run named by random letters and digits.
    pub fn random() -> Self {
        let run = (0..RUN_LENGTH).map(|_| char::from(DIGITS[rand::random_range(0..DIGITS.len())])).collect();
        Names { run }
    }

    /// A run with a given name, for tests and repetition.
    pub fn named(run: &str) -> Self {
        Names { run: run.to_owned() }
    }

    /// The run's name.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The suffix of the names of one unit of the run: `_` and the run's name, `x`, and the unit's number.
    pub fn suffix(&self, unit: usize) -> String {
        let (mut digits, mut rest) = (Vec::new(), unit);
        while rest > 0 || digits.is_empty() {
            digits.push(char::from(DIGITS[rest % DIGITS.len()]));
            rest /= DIGITS.len();
        }
        digits.reverse();
        format!("_{}x{}", self.run, digits.into_iter().collect::<String>())
    }

    /// The unit whose name this is, when it is a name of this run.
    pub fn unit_of(&self, name: &str) -> Option<usize> {
        let mark = format!("_{}x", self.run);
        let digits = &name[name.rfind(&mark)? + mark.len()..];
        (!digits.is_empty()).then_some(())?;
        digits.bytes().try_fold(0_usize, |sum, digit| {
            let value = DIGITS.iter().position(|d| *d == digit)?;
            sum.checked_mul(DIGITS.len())?.checked_add(value)
        })
    }
}

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The scenario with its names changed to those of one run, everywhere: in requests, statements and expectations.
pub fn rename(scenario: &Scenario, suffix: &str) -> Scenario {
    let renames = Renames::new(&scenario.names, suffix);
    let mut scenario = scenario.clone();
    if renames.pairs.is_empty() {
        return scenario;
    }
    for user in scenario.users.values_mut() {
        user.username = renames.text(&user.username);
    }
    for step in scenario.setup.iter_mut().chain(&mut scenario.steps).chain(&mut scenario.teardown) {
        renames.step(step);
    }
    scenario
}

struct Renames {
    /// Longest first, so that a name is never taken for the start of a longer one.
    pairs: Vec<(String, String)>,
}

impl Renames {
    fn new(names: &[String], suffix: &str) -> Self {
        let mut pairs: Vec<_> = names.iter().map(|name| (name.clone(), format!("{name}{suffix}"))).collect();
        pairs.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Renames { pairs }
    }

    fn step(&self, step: &mut Step) {
        if let Some(request) = &mut step.request {
            *request = self.value(request);
        }
        if let Some(http) = &mut step.http {
            http.path = self.text(&http.path);
            for value in http.headers.values_mut().flatten() {
                *value = self.header(value);
            }
            http.body = http.body.as_deref().map(|body| self.text(body));
            http.body_value = http.body_value.as_ref().map(|body| self.value(body));
        }
        if let Some(wire) = &mut step.wire {
            wire.send = self.text(&wire.send);
        }
        for values in step.until.values_mut() {
            values.iter_mut().for_each(|value| *value = self.value(value));
        }
        if let Some(expected) = &mut step.response {
            expected.body = expected.body.as_ref().map(|body| self.value(body));
            expected.text = expected.text.as_deref().map(|text| self.text(text));
            for value in expected.headers.values_mut().flatten() {
                *value = self.text(value);
            }
        }
        for pointers in [&mut step.compare.ignore, &mut step.compare.unordered] {
            pointers.iter_mut().for_each(|pointer| *pointer = self.text(pointer));
        }
        step.save.values_mut().for_each(|pointer| *pointer = self.text(pointer));
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(elements) => elements.iter().map(|element| self.value(element)).collect(),
            Value::Object(members) => {
                members.iter().map(|(name, member)| (self.text(name), self.value(member))).collect()
            }
            other => other.clone(),
        }
    }

    /// A header; the name inside Basic credentials is changed too, whatever bytes the password is made of.
    fn header(&self, value: &str) -> String {
        let engine = base64::engine::general_purpose::STANDARD;
        let Some(bytes) = value.strip_prefix("Basic ").and_then(|encoded| engine.decode(encoded).ok()) else {
            return self.text(value);
        };
        let end = bytes.iter().position(|byte| *byte == b':').unwrap_or(bytes.len());
        match std::str::from_utf8(&bytes[..end]).map(|name| (name, self.text(name))) {
            Ok((name, renamed)) if name != renamed => {
                let renamed = [renamed.as_bytes(), &bytes[end..]].concat();
                format!("Basic {}", engine.encode(renamed))
            }
            _ => value.to_owned(),
        }
    }

    /// A text: names are changed where they stand as whole words.
    fn text(&self, text: &str) -> String {
        if !self.pairs.iter().any(|(name, _)| text.contains(name.as_str())) {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len() + 16);
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let found = self.pairs.iter().find(|(name, _)| {
                text[at..].starts_with(name.as_str())
                    && !(is_word(text[..at].chars().next_back()) && is_word(name.chars().next()))
                    && !(is_word(text[at + name.len()..].chars().next()) && is_word(name.chars().next_back()))
            });
            match found {
                Some((name, renamed)) => {
                    out.push_str(renamed);
                    at += name.len();
                }
                None => {
                    out.push(c);
                    at += c.len_utf8();
                }
            }
        }
        out
    }
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_change_as_whole_words_everywhere() {
        let renames = Renames::new(&["shop".into(), "shop_two".into(), "q'uote".into()], "_k3x9x1");
        assert_eq!(
            renames.value(&json!({"sql": "SELECT * FROM shop.t, `shop_two`.t WHERE a = 'workshop'", "shop": ["shop_too"]})),
            json!({"sql": "SELECT * FROM shop_k3x9x1.t, `shop_two_k3x9x1`.t WHERE a = 'workshop'", "shop_k3x9x1": ["shop_too"]})
        );
        assert_eq!(
            renames.text("database 'q'uote' and \tshop"),
            "database 'q'uote_k3x9x1' and \tshop_k3x9x1"
        );
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("shop:pw"));
        let renamed = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("shop_k3x9x1:pw"));
        assert_eq!(renames.header(&basic), renamed);
    }

    #[test]
    fn a_name_tells_its_unit() {
        let names = Names::named("k3x9");
        for unit in [0, 7, 36, 453, 1_000_000] {
            assert_eq!(names.unit_of(&format!("shop{}", names.suffix(unit))), Some(unit));
        }
        assert_eq!(names.unit_of("shop_zzzzx1"), None);
        assert_eq!(names.unit_of("shop_k3x9x"), None);
        assert_eq!(Names::random().run().len(), RUN_LENGTH);
    }
}
