//! Varied records, the same for the same seed on every machine.

use serde_json::{Value, json};

/// How many records share a value of `team`.
pub const TEAM_SIZE: u64 = 20;

const CITIES: [&str; 12] = [
    "Lagos",
    "Lima",
    "Oslo",
    "Zürich",
    "Kraków",
    "Osaka",
    "Perth",
    "Denver",
    "São Paulo",
    "Hanoi",
    "Cairo",
    "Tallinn",
];
const NAMES: [&str; 12] =
    ["Ada", "Björn", "Chidi", "Dana", "Elif", "Farid", "Grace", "Hiro", "Inês", "Jomo", "Kim", "Łucja"];
const WORDS: [&str; 16] = [
    "river", "copper", "quiet", "lantern", "orbit", "saddle", "violet", "harbour", "ninety", "thread",
    "maple", "echo", "granite", "window", "early", "cinnamon",
];

/// What records look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A dozen attributes, most with values of their own.
    Varied,
    /// A key and two attributes.
    Narrow,
}

impl Shape {
    /// The record of that number.
    pub fn record(self, seed: u64, number: u64) -> Value {
        match self {
            Shape::Varied => record(seed, number),
            Shape::Narrow => {
                let mut numbers = Numbers::new(seed ^ number);
                json!({"id": key(number), "name": numbers.pick(&NAMES), "visits": numbers.below(10_000)})
            }
        }
    }
}

/// A small generator of pseudo-random numbers (SplitMix64): records must not change with a crate's version.
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// Numbers from a seed.
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed)
    }

    /// The next number.
    pub fn next_number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_number() % bound.max(1)
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// The primary key of a record: always of the same length.
pub fn key(number: u64) -> String {
    format!("r{number:08}")
}

/// The team of a record.
pub fn team(number: u64) -> String {
    format!("team-{:05}", number / TEAM_SIZE)
}

/// The record of that number. Members come and go, texts differ in length and script, some values are nested.
pub fn record(seed: u64, number: u64) -> Value {
    let mut numbers = Numbers::new(seed ^ number.wrapping_mul(0xa076_1d64_78bd_642f));
    let name = numbers.pick(&NAMES);
    let mut record = json!({
        "id": key(number),
        "name": format!("{name} {}", numbers.pick(&WORDS)),
        "team": team(number),
        "city": numbers.pick(&CITIES),
        "age": age(&mut numbers),
        "score": numbers.below(1_000_000) as f64 / 1000.0,
        "active": numbers.below(3) != 0,
        "visits": numbers.below(10_000),
        "joined": format!("20{:02}-{:02}-{:02}T08:30:00.000Z", numbers.below(25), 1 + numbers.below(12), 1 + numbers.below(28)),
        "tags": (0..numbers.below(4)).map(|_| numbers.pick(&WORDS)).collect::<Vec<_>>(),
        "address": {
            "street": format!("{} {}", numbers.pick(&WORDS), 1 + numbers.below(400)),
            "location": [numbers.below(180_000) as f64 / 1000.0 - 90.0, numbers.below(360_000) as f64 / 1000.0 - 180.0],
        },
        "bio": text(&mut numbers),
    });
    if numbers.below(4) == 0 {
        record["note"] = json!(text(&mut numbers));
    }
    if numbers.below(8) == 0 {
        record["manager"] = Value::Null;
    }
    record
}

fn age(numbers: &mut Numbers) -> u64 {
    18 + numbers.below(60)
}

fn text(numbers: &mut Numbers) -> String {
    let words: Vec<&str> = (0..4 + numbers.below(16)).map(|_| numbers.pick(&WORDS)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_depend_on_the_seed_only() {
        assert_eq!(record(1, 7), record(1, 7));
        assert_ne!(record(1, 7), record(2, 7));
        assert_eq!(record(1, 45)["team"], "team-00002");
        assert_eq!(record(1, 45)["id"], "r00000045");
    }
}
