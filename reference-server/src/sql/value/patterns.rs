//! LIKE, GLOB and REGEXP.

use super::Js;
use regress::Regex;

/// A pattern made ready for many values.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Like,
    Glob,
    Regexp,
}

/// A pattern that is no regular expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid regular expression: {0}")]
pub struct PatternError(pub String);

impl Pattern {
    /// LIKE: the whole text, `%` any run, `_` one unit (no line break), `[…]` classes, letters of either case.
    ///
    /// # Errors
    /// When a class is not closed.
    pub fn like(pattern: &str, escape: Option<char>) -> Result<Pattern, PatternError> {
        let mut out = String::from("^");
        let mut rest = pattern.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                _ if Some(c) == escape => {
                    if let Some(next) = rest.next() {
                        push_literal(&mut out, next);
                    }
                }
                '%' => out.push_str(r"[\s\S]*"),
                '_' => out.push('.'),
                _ => push_class_or_literal(&mut out, c),
            }
        }
        out.push('$');
        Pattern::compiled(&out, "i", Kind::Like)
    }

    /// GLOB: the whole text, `*` any run, `?` one character, `[…]` classes, letters of either case.
    ///
    /// # Errors
    /// When a class is not closed.
    pub fn glob(pattern: &str) -> Result<Pattern, PatternError> {
        let mut out = String::from("^");
        for c in pattern.chars() {
            match c {
                '*' => out.push_str(".*"),
                '?' => out.push('.'),
                _ => push_class_or_literal(&mut out, c),
            }
        }
        out.push('$');
        Pattern::compiled(&out.to_uppercase(), "", Kind::Glob)
    }

    /// REGEXP: a JavaScript regular expression found anywhere in the text.
    ///
    /// # Errors
    /// When the expression or the flags are malformed.
    pub fn regexp(pattern: &str, flags: &str) -> Result<Pattern, PatternError> {
        Pattern::compiled(pattern, flags, Kind::Regexp)
    }

    fn compiled(pattern: &str, flags: &str, kind: Kind) -> Result<Pattern, PatternError> {
        let known = flags.chars().all(|flag| "dgimsuvy".contains(flag));
        let repeated = flags.char_indices().any(|(at, flag)| flags[..at].contains(flag));
        if !known || repeated {
            return Err(PatternError(format!("flags '{flags}'")));
        }
        let flags: String = flags.chars().filter(|flag| "imsuv".contains(*flag)).collect();
        let regex = Regex::with_flags(pattern, &*flags).map_err(|error| PatternError(error.text))?;
        Ok(Pattern { regex, kind })
    }

    /// Whether a value's text matches. Null matches like the empty text; whether it is asked at all is the caller's.
    pub fn matches(&self, value: &Js) -> bool {
        if value.is_nullish() { self.matches_text("") } else { self.matches_text(&value.to_text()) }
    }

    /// Whether a text matches.
    pub fn matches_text(&self, text: &str) -> bool {
        match self.kind {
            Kind::Glob => self.regex.find(&text.to_uppercase()).is_some(),
            Kind::Like | Kind::Regexp => self.regex.find(text).is_some(),
        }
    }
}

fn push_class_or_literal(out: &mut String, c: char) {
    match c {
        '[' | ']' | '^' | '$' | '-' => out.push(c),
        _ => push_literal(out, c),
    }
}

fn push_literal(out: &mut String, c: char) {
    if r"/.*+?|(){}".contains(c) {
        out.push('\\');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_ignores_case_and_takes_classes() {
        let like = |pattern: &str, text: &str| Pattern::like(pattern, None).unwrap().matches(&Js::from(text));
        assert!(like("b%N", "Boston"));
        assert!(like("%", "a\nb"));
        assert!(!like("_", "ab"));
        assert!(like("[a-c]at", "Bat"));
        assert!(!like("[^b]at", "Bat"));
        assert!(like("a.c(1)", "A.C(1)"));
        assert!(!like("a.c", "abc"));
        assert!(Pattern::like("1%", None).unwrap().matches(&Js::from(12.0)));
        assert!(Pattern::like("a!%", Some('!')).unwrap().matches(&Js::from("a%")));
        assert!(Pattern::like("[a", None).is_err());
    }

    #[test]
    fn glob_and_regexp() {
        assert!(Pattern::glob("B?s*").unwrap().matches(&Js::from("Boston")));
        assert!(Pattern::regexp("^B", "").unwrap().matches(&Js::from("Bo")));
        assert!(!Pattern::regexp("^b", "").unwrap().matches(&Js::from("Bo")));
        assert!(Pattern::regexp("^b", "i").unwrap().matches(&Js::from("Bo")));
        assert!(Pattern::regexp("(", "").is_err());
        assert!(Pattern::regexp("a", "x").is_err());
    }
}
