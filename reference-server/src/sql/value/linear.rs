//! Regular expressions without backtracking, for most of what JavaScript's can say.
//!
//! The time of a backtracking search has no useful bound: `(a+)+$` takes for ever on forty letters. Whether a text
//! matches can mostly be told in time proportional to it, by an engine of another dialect. Expressions are put into that
//! dialect piece by piece; those with anything that it lacks or that is not known to be the same (assertions that look
//! ahead or back, references to groups, escapes of numbers and properties) are left to the backtracking engine.

use regex::{Regex, RegexBuilder};
use std::iter::Peekable;
use std::str::Chars;

/// The most memory that an expression may take.
const LARGEST: usize = 1 << 20;
const DIGITS: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const SPACE: &str =
    r"\t\n\x0B\x0C\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";
const LINE_ENDS: &str = r"\n\r\u{2028}\u{2029}";

/// The same expression for the other engine; `None` when that is not known to say the same. The expression is one that
/// JavaScript accepts, without flags.
pub(super) fn linear(pattern: &str) -> Option<Regex> {
    let mut translation = Translation { rest: pattern.chars().peekable(), out: String::new() };
    translation.all()?;
    RegexBuilder::new(&translation.out).size_limit(LARGEST).dfa_size_limit(LARGEST).build().ok()
}

struct Translation<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
}

impl Translation<'_> {
    fn all(&mut self) -> Option<()> {
        while let Some(letter) = self.rest.next() {
            match letter {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                '{' => self.brace(),
                ')' | '|' | '*' | '+' | '?' => self.out.push(letter),
                '^' => self.out.push_str(r"\A"),
                '$' => self.out.push_str(r"\z"),
                '.' => self.out.push_str(&format!("[^{LINE_ENDS}]")),
                _ => self.out.push_str(&literal(letter)),
            }
        }
        Some(())
    }

    fn escape(&mut self) -> Option<()> {
        let letter = self.rest.next()?;
        if letter == 'b' {
            self.out.push_str(r"(?-u:\b)");
            return Some(());
        }
        match escaped(letter)? {
            Member::One(letter) => self.out.push_str(&literal(letter)),
            Member::Set(set) => self.out.push_str(&set),
        }
        Some(())
    }

    /// Groups only group here. Names and assertions are for the other engine.
    fn group(&mut self) -> Option<()> {
        self.out.push_str("(?:");
        if self.rest.next_if_eq(&'?').is_some() {
            self.rest.next_if_eq(&':')?;
        }
        Some(())
    }

    /// A brace that does not begin a number of times is only a brace.
    fn brace(&mut self) {
        let ahead = self.rest.clone().collect::<String>();
        let times = ahead.split_once('}').map(|(times, _)| times);
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let counts = times.is_some_and(|times| match times.split_once(',') {
            Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
            None => is_number(times),
        });
        match times.filter(|_| counts) {
            Some(times) => {
                self.out.push_str(&format!("{{{times}}}"));
                self.rest.nth(times.len());
            }
            None => self.out.push_str(&literal('{')),
        }
    }

    fn class(&mut self) -> Option<()> {
        let negated = self.rest.next_if_eq(&'^').is_some();
        let mut members = Vec::new();
        loop {
            match self.rest.next()? {
                ']' => break,
                '\\' => match self.rest.next()? {
                    'b' => members.push((Member::One('\u{8}'), false)),
                    letter => members.push((escaped(letter)?, false)),
                },
                letter => members.push((Member::One(letter), letter == '-')),
            }
        }
        // Nothing, or everything.
        if members.is_empty() {
            return None;
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        let last = members.len() - 1;
        for (at, (member, is_dash)) in members.iter().enumerate() {
            match member {
                Member::One(_) if *is_dash && at > 0 && at < last => {
                    // Between two letters it makes a range; a third letter must not be taken for its beginning.
                    let around = [at - 1, at + 1].map(|at| members.get(at));
                    let one =
                        |member: &Option<&(Member, bool)>| matches!(member, Some((Member::One(_), false)));
                    let begins_anew = at < 3 || !members[at - 2].1;
                    if !around.iter().all(one) || !begins_anew {
                        return None;
                    }
                    self.out.push('-');
                }
                Member::One(letter) => self.out.push_str(&literal(*letter)),
                Member::Set(set) => self.out.push_str(set),
            }
        }
        self.out.push(']');
        Some(())
    }
}

/// What an escape stands for.
enum Member {
    One(char),
    /// A class of its own, which may also stand within one.
    Set(String),
}

fn escaped(letter: char) -> Option<Member> {
    let set = |members: &str| Member::Set(format!("[{members}]"));
    let others = |members: &str| Member::Set(format!("[^{members}]"));
    Some(match letter {
        'd' => set(DIGITS),
        'D' => others(DIGITS),
        'w' => set(WORD),
        'W' => others(WORD),
        's' => set(SPACE),
        'S' => others(SPACE),
        'n' => Member::One('\n'),
        'r' => Member::One('\r'),
        't' => Member::One('\t'),
        'v' => Member::One('\u{b}'),
        'f' => Member::One('\u{c}'),
        _ if letter.is_ascii_punctuation() => Member::One(letter),
        _ => return None,
    })
}

/// A letter that means itself, anywhere.
fn literal(letter: char) -> String {
    format!(r"\u{{{:X}}}", u32::from(letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_take_for_ever_is_told_at_once() {
        let text = "a".repeat(5000) + "!";
        for pattern in ["(a+)+$", "^(a|a)*$", "^(?:a?){30}a{30}$", "(.*)*b", r"^(\w+\s?)*$", "([a-z]+)*[0-9]"]
        {
            assert!(!linear(pattern).unwrap().is_match(&text), "{pattern}");
        }
    }

    #[test]
    fn what_is_not_the_same_is_left_alone() {
        for pattern in [
            "(?=a)b", "(?<!a)b", "(?<n>a)", r"(a)\1", r"\k<n>", r"\x41", r"\u0041", r"\cA", r"\p{L}", r"\Ba",
            r"\0", "[]", "[^]", r"[a-\d]", r"[\w-z]", "[a-c-e]", r"[\B]",
        ] {
            assert!(linear(pattern).is_none(), "{pattern}");
        }
    }

    fn pattern() -> impl Strategy<Value = String> {
        let member = prop_oneof!["[abA1_ é-]", "a-c", r"\\[dDwWsSntb.\]-]"];
        let class = (any::<bool>(), prop::collection::vec(member, 1..4)).prop_map(|(negated, members)| {
            format!("[{}{}]", if negated { "^" } else { "" }, members.concat())
        });
        let atom = prop_oneof![
            "[abcA1 _é😀/&#~]",
            Just(".".to_owned()),
            Just("^".to_owned()),
            Just("$".to_owned()),
            r"\\[dDwWsSnbt.*+?^$/|-]",
            "[{}\\]]",
            class,
        ];
        atom.prop_recursive(3, 16, 4, |inner| {
            let times = prop_oneof![
                Just(""),
                Just("*"),
                Just("+?"),
                Just("?"),
                Just("{2}"),
                Just("{1,}"),
                Just("{0,2}?")
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|parts| parts.concat()),
                (inner.clone(), times).prop_map(|(part, times)| format!("(?:{part}){times}")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}|{b})")),
                (inner, "[*+?]").prop_map(|(part, times)| format!("{part}{times}")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        /// Both engines say the same.
        #[test]
        fn both_engines_agree(pattern in pattern(), text in "[abcA1 _é😀/&#~{}\n\u{2028}\u{a0}.-]{0,8}") {
            if let (Ok(backtracking), Some(linear)) = (regress::Regex::new(&pattern), linear(&pattern)) {
                prop_assert_eq!(linear.is_match(&text), backtracking.find(&text).is_some());
            }
        }
    }
}
