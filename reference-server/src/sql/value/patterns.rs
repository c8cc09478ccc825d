//! LIKE, GLOB and REGEXP.

use super::Js;
use super::linear::linear;
use super::wildcards::Wildcards;
use regress::Regex;

/// A pattern made ready for many values.
#[derive(Clone, Debug)]
pub struct Pattern {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Wildcards(Wildcards),
    Regexp(Regex),
    /// A regular expression that needs no backtracking.
    Linear(regex::Regex),
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
        Pattern::of_wildcards(Wildcards::new(pattern, '%', '_', true, true, escape))
    }

    /// GLOB: the whole text, `*` any run without line breaks, `?` one unit, `[…]` classes. Letters are told apart by case.
    ///
    /// # Errors
    /// When a class is not closed.
    pub fn glob(pattern: &str) -> Result<Pattern, PatternError> {
        Pattern::of_wildcards(Wildcards::new(pattern, '*', '?', false, false, None))
    }

    fn of_wildcards(wildcards: Option<Wildcards>) -> Result<Pattern, PatternError> {
        let wildcards = wildcards.ok_or_else(|| PatternError("a class that does not end".to_owned()))?;
        Ok(Pattern { kind: Kind::Wildcards(wildcards) })
    }

    /// REGEXP: a JavaScript regular expression found anywhere in the text.
    ///
    /// # Errors
    /// When the expression or the flags are malformed.
    pub fn regexp(pattern: &str, flags: &str) -> Result<Pattern, PatternError> {
        let known = flags.chars().all(|flag| "dgimsuvy".contains(flag));
        let repeated = flags.char_indices().any(|(at, flag)| flags[..at].contains(flag));
        if !known || repeated {
            return Err(PatternError(format!("flags '{flags}'")));
        }
        let flags: String = flags.chars().filter(|flag| "imsuv".contains(*flag)).collect();
        let regex = Regex::with_flags(pattern, &*flags).map_err(|error| PatternError(error.text))?;
        let linear = if flags.is_empty() { linear(pattern) } else { None };
        Ok(Pattern { kind: linear.map_or(Kind::Regexp(regex), Kind::Linear) })
    }

    /// Whether a value's text matches. Null matches like the empty text; whether it is asked at all is the caller's.
    pub fn matches(&self, value: &Js) -> bool {
        if value.is_nullish() { self.matches_text("") } else { self.matches_text(&value.to_text()) }
    }

    /// Whether a text matches.
    pub fn matches_text(&self, text: &str) -> bool {
        match &self.kind {
            Kind::Wildcards(_) if fault!("sql-like-case-matters") && text.chars().any(char::is_uppercase) => {
                false
            }
            Kind::Wildcards(wildcards) => wildcards.match_text(text),
            Kind::Regexp(regex) => regex.find(text).is_some(),
            Kind::Linear(regex) => regex.is_match(text),
        }
    }
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
        assert!(like("a$b^c\\\\d", "A$B^C\\\\D"));
        assert!(!like("_", "\n"));
        assert!(like("__", "😀"));
        assert!(like("É%", "école"));
        assert!(Pattern::like("[a", None).is_err());
        let stars = "%a".repeat(200);
        assert!(!like(&stars, &"a".repeat(199)));
        assert!(like(&stars, &"a".repeat(5000)));
    }

    #[test]
    fn glob_and_regexp() {
        assert!(Pattern::glob("B?s*").unwrap().matches(&Js::from("Boston")));
        assert!(!Pattern::glob("b?s*").unwrap().matches(&Js::from("Boston")));
        assert!(!Pattern::glob("B*").unwrap().matches(&Js::from("boston")));
        assert!(Pattern::glob("[A-C]*").unwrap().matches(&Js::from("Boston")));
        assert!(!Pattern::glob("[A-C]*").unwrap().matches(&Js::from("boston")));
        assert!(Pattern::regexp("^B", "").unwrap().matches(&Js::from("Bo")));
        assert!(!Pattern::regexp("^b", "").unwrap().matches(&Js::from("Bo")));
        assert!(Pattern::regexp("^b", "i").unwrap().matches(&Js::from("Bo")));
        assert!(Pattern::regexp("(", "").is_err());
        assert!(Pattern::regexp("a", "x").is_err());
    }
}
