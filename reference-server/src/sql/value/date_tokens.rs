//! The words, numbers and signs that a text of a date is made of.

use super::numbers::is_space;

/// A piece of a date's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A whole number and its length in digits. Digits beyond the ninth do not count.
    Number(i32, usize),
    /// A word and its length.
    Word(Word, usize),
    /// `+` (1) or `-` (-1).
    Sign(i32),
    /// `:`, `.` or `)`.
    Symbol(char),
    /// White space.
    Space,
    /// Anything else, also text in parentheses.
    Other,
    /// The end of the text.
    End,
}

/// What a word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A month, from 1.
    Month(i32),
    /// `am` (0) or `pm` (12).
    HalfOfDay(i32),
    /// A time zone: its offset in hours.
    Zone(i32),
    /// The `T` before a time.
    T,
    /// Nothing known.
    Unknown,
}

impl Token {
    /// Digits behind a decimal point, as milliseconds.
    pub(super) fn milliseconds(self) -> Option<i32> {
        let Token::Number(number, length) = self else {
            return None;
        };
        Some(match length {
            1 => number.saturating_mul(100),
            2 => number.saturating_mul(10),
            _ => number / 10_i32.pow(length.min(9).saturating_sub(3) as u32),
        })
    }
}

/// Cuts a text into tokens, one ahead.
#[derive(Default)]
pub(super) struct Scanner<'t> {
    rest: &'t str,
    ahead: Option<Token>,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Scanner<'t> {
        Scanner { rest: text, ahead: None }
    }

    /// The next token, which stays.
    pub(super) fn peek(&mut self) -> Token {
        let token = self.next();
        self.ahead = Some(token);
        token
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Token {
        match self.ahead.take() {
            Some(token) => token,
            None => self.scan(),
        }
    }

    /// Takes the next token when it is this one.
    pub(super) fn skip(&mut self, token: Token) -> bool {
        let found = self.peek() == token;
        if found {
            self.next();
        }
        found
    }

    fn scan(&mut self) -> Token {
        let Some(first) = self.rest.chars().next() else {
            return Token::End;
        };
        match first {
            '0'..='9' => {
                let digits = self.take_while(|c| c.is_ascii_digit());
                let significant = digits.trim_start_matches('0');
                let number = significant.get(..significant.len().min(9)).unwrap_or_default();
                return Token::Number(number.parse().unwrap_or(0), digits.len());
            }
            '(' => {
                self.skip_parentheses();
                return Token::Other;
            }
            c if is_space(c) => {
                self.take_while(is_space);
                return Token::Space;
            }
            c if c >= 'A' => {
                let word = self.take_while(|c| c >= 'A' && !is_space(c));
                return Token::Word(meaning(word), word.chars().count());
            }
            _ => {}
        }
        self.rest = &self.rest[first.len_utf8()..];
        match first {
            '+' => Token::Sign(1),
            '-' => Token::Sign(-1),
            ':' | '.' | ')' => Token::Symbol(first),
            _ => Token::Other,
        }
    }

    fn take_while(&mut self, holds: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !holds(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn skip_parentheses(&mut self) {
        let mut depth = 0;
        for (at, c) in self.rest.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.rest = &self.rest[at + 1..];
                return;
            }
        }
        self.rest = "";
    }
}

/// What a word means. Longer words than three letters are months or nothing.
fn meaning(word: &str) -> Word {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start: String = word.chars().take(3).collect::<String>().to_ascii_lowercase();
    if let Some(month) = MONTHS.iter().position(|name| *name == start) {
        return Word::Month(month as i32 + 1);
    }
    if word.chars().count() > 3 {
        return Word::Unknown;
    }
    match start.as_str() {
        "am" => Word::HalfOfDay(0),
        "pm" => Word::HalfOfDay(12),
        "ut" | "utc" | "z" | "gmt" => Word::Zone(0),
        "cdt" | "est" => Word::Zone(-5),
        "edt" => Word::Zone(-4),
        "cst" | "mdt" => Word::Zone(-6),
        "mst" | "pdt" => Word::Zone(-7),
        "pst" => Word::Zone(-8),
        "t" => Word::T,
        _ => Word::Unknown,
    }
}
