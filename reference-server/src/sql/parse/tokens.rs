//! The tokens of a statement, made ready for the parser: names in brackets, JSON literals, operators that it does not
//! know, and words that are no keywords here.

use super::dialect::OperationsDialect;
use super::excerpt::{SyntaxError, place_in};
use super::words::{is_grammar, is_no_alias, is_reserved, is_uncallable};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer, Whitespace, Word};
use std::collections::HashMap;

/// `==`, for the parser.
pub(super) const DEEP_EQUAL: &str = "==";
/// `!==`, for the parser.
pub(super) const STRICT_NOT_EQUAL: &str = "!==";
/// GLOB, for the parser.
pub(super) const GLOB: &str = "GLOB";

/// The quote of names in brackets.
pub(super) const BRACKET: char = '[';

/// The tokens of a text, as they stand in it.
pub(super) fn tokenize(sql: &str) -> Result<Vec<TokenWithSpan>, SyntaxError> {
    Tokenizer::new(&OperationsDialect, sql)
        .with_unescape(false)
        .tokenize_with_location()
        .map_err(|error| SyntaxError::at(sql, &[], Some(error.location).or_else(|| place_in(&error.message))))
}

/// The first statement's tokens and whether others follow. Blanks and comments are left out.
pub(super) fn statements(tokens: &[TokenWithSpan]) -> Vec<Vec<TokenWithSpan>> {
    let mut statements = vec![Vec::new()];
    for token in tokens {
        match &token.token {
            Token::SemiColon => statements.push(Vec::new()),
            Token::Whitespace(_) | Token::EOF => {}
            _ => {
                if let Some(statement) = statements.last_mut() {
                    statement.push(token.clone());
                }
            }
        }
    }
    statements.retain(|statement| !statement.is_empty());
    statements
}

/// What a bracket or brace has opened.
#[derive(PartialEq)]
enum Open {
    Object,
    Array,
}

/// Rewrites the tokens of one statement for the parser.
///
/// # Errors
/// A bracket that is not closed.
pub(super) fn prepare(sql: &str, tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>, Option<Location>> {
    let is_insert = matches!(tokens.first(), Some(first) if is_word(&first.token, "INSERT"));
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len() + 1);
    let mut open: Vec<Open> = Vec::new();
    let brackets = brackets(sql, &tokens);
    let mut at = 0;
    while let Some(current) = tokens.get(at) {
        let next = tokens.get(at + 1);
        let (token, taken, end) = match &current.token {
            // `@{` and `@[` open literals.
            Token::AtSign
                if next.is_some_and(|next| matches!(next.token, Token::LBrace | Token::LBracket)) =>
            {
                let token = next.map_or(Token::LBracket, |next| next.token.clone());
                open.push(if token == Token::LBrace { Open::Object } else { Open::Array });
                (token, 2, next.map_or(current.span.end, |next| next.span.end))
            }
            Token::LBrace => {
                open.push(Open::Object);
                (Token::LBrace, 1, current.span.end)
            }
            Token::LBracket if !open.is_empty() => {
                open.push(Open::Array);
                (Token::LBracket, 1, current.span.end)
            }
            Token::RBrace | Token::RBracket => {
                open.pop();
                (current.token.clone(), 1, current.span.end)
            }
            Token::LBracket => bracketed(sql, &brackets, &tokens, at)?,
            Token::DoubleEq => match next {
                Some(next) if next.token == Token::Eq && adjacent(current, next) => {
                    (Token::Eq, 2, next.span.end)
                }
                _ => (Token::CustomBinaryOperator(DEEP_EQUAL.to_owned()), 1, current.span.end),
            },
            Token::Neq => match next {
                Some(next) if next.token == Token::Eq && adjacent(current, next) => {
                    (Token::CustomBinaryOperator(STRICT_NOT_EQUAL.to_owned()), 2, next.span.end)
                }
                _ => (Token::Neq, 1, current.span.end),
            },
            Token::SingleQuotedString(text)
            | Token::DoubleQuotedString(text)
            | Token::NationalStringLiteral(text) => {
                let quote = if matches!(current.token, Token::DoubleQuotedString(_)) { '"' } else { '\'' };
                (Token::SingleQuotedString(unescaped(text, quote)), 1, current.span.end)
            }
            Token::Word(word) if word.quote_style.is_none() => {
                let is_key = !open.is_empty() && next.is_some_and(|next| next.token == Token::Colon);
                let keyword = if is_key {
                    Keyword::NoKeyword
                } else {
                    keyword_of(word, &tokens[at + 1..], out.last(), is_insert)
                };
                let token = match word.value.as_str() {
                    name if is_name_after(name, out.last()) => Token::Word(Word {
                        value: name.to_owned(),
                        quote_style: Some(BRACKET),
                        keyword: Keyword::NoKeyword,
                    }),
                    name if !is_key
                        && name.eq_ignore_ascii_case(GLOB)
                        && (name == GLOB || !fault!("sql-keywords-in-capitals")) =>
                    {
                        Token::CustomBinaryOperator(GLOB.to_owned())
                    }
                    name => Token::Word(Word { value: name.to_owned(), quote_style: None, keyword }),
                };
                (token, 1, current.span.end)
            }
            // Forms of other dialects.
            Token::HexStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::Placeholder(_)
            | Token::DollarQuotedString(_)
            | Token::AtSign => return Err(Some(current.span.start)),
            other => (other.clone(), 1, current.span.end),
        };
        if is_word(&token, "OUTER") && !out.last().is_some_and(|last| is_side(&last.token)) {
            // OUTER JOIN alone is the full one.
            out.push(TokenWithSpan { token: keyword("FULL", Keyword::FULL), span: current.span });
        }
        out.push(TokenWithSpan { token, span: Span { start: current.span.start, end } });
        at += taken;
    }
    Ok(out)
}

/// The keyword a word is for the parser.
fn keyword_of(
    word: &Word,
    rest: &[TokenWithSpan],
    previous: Option<&TokenWithSpan>,
    is_insert: bool,
) -> Keyword {
    if is_insert && word.keyword == Keyword::VALUE {
        return Keyword::VALUES;
    }
    // NULLS FIRST and NULLS LAST; each word is a name otherwise.
    let is =
        |token: Option<&TokenWithSpan>, name: &str| token.is_some_and(|token| is_word(&token.token, name));
    let next = rest.first();
    match word.keyword {
        Keyword::NULLS if is(next, "FIRST") || is(next, "LAST") => Keyword::NULLS,
        Keyword::FIRST | Keyword::LAST if is(previous, "NULLS") => word.keyword,
        // Before a list they are read as functions, which take any number of members.
        Keyword::ANY | Keyword::ALL | Keyword::SOME
            if previous.is_some_and(is_comparison) && !is(rest.get(1), "SELECT") =>
        {
            Keyword::NoKeyword
        }
        // Otherwise it is the name of a function as any other.
        Keyword::TRIM if trims_characters(rest) => Keyword::TRIM,
        keyword if is_grammar(keyword) => keyword,
        _ => Keyword::NoKeyword,
    }
}

pub(super) fn is_word(token: &Token, name: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(name))
}

fn is_comparison(token: &TokenWithSpan) -> bool {
    match &token.token {
        Token::Eq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq => true,
        Token::CustomBinaryOperator(name) => name != GLOB,
        _ => false,
    }
}

/// Whether a name is one without quotes only because no clause of that name can begin where it stands.
fn is_name_after(name: &str, previous: Option<&TokenWithSpan>) -> bool {
    ["GO", "LIMIT"].iter().any(|known| name.eq_ignore_ascii_case(known))
        && previous.is_some_and(|previous| wants_operand(&previous.token) || is_word(&previous.token, "NOT"))
}

/// Whether a name or a value has to follow.
fn wants_operand(token: &Token) -> bool {
    const BEFORE: [&str; 20] = [
        "AND", "AS", "BETWEEN", "BY", "CASE", "DISTINCT", "ELSE", "FROM", "HAVING", "ILIKE", "INTO", "JOIN",
        "LIKE", "ON", "OR", "SET", "THEN", "UPDATE", "WHEN", "WHERE",
    ];
    match token {
        Token::Comma | Token::Period | Token::LParen | Token::DoubleEq => true,
        Token::Eq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq => true,
        Token::Plus | Token::Minus | Token::Div | Token::Mod | Token::Caret => true,
        Token::Ampersand | Token::Pipe | Token::StringConcat | Token::CustomBinaryOperator(_) => true,
        other => BEFORE.iter().any(|word| is_word(other, word)),
    }
}

/// The first reserved word that stands where a name or a value has to. The parser takes some for names and stumbles
/// later.
pub(super) fn misplaced_word(tokens: &[TokenWithSpan]) -> Option<Location> {
    // What a value can begin with.
    const BEGINNING: [&str; 16] = [
        "ALL",
        "ANY",
        "CASE",
        "CAST",
        "CONVERT",
        "CURRENT_DATE",
        "CURRENT_TIMESTAMP",
        "DISTINCT",
        "EXISTS",
        "FALSE",
        "NEW",
        "NOT",
        "NULL",
        "SELECT",
        "SOME",
        "TRUE",
    ];
    for (at, pair) in tokens.windows(2).enumerate() {
        let [before, token @ TokenWithSpan { token: Token::Word(word), .. }] = pair else { continue };
        if !wants_operand(&before.token) {
            continue;
        }
        let called = tokens.get(at + 2).is_some_and(|next| next.token == Token::LParen);
        let alias = is_word(&before.token, "AS") && !is_no_alias(&word.value);
        let fits = BEGINNING.iter().any(|known| is_word(&token.token, known))
            || is_name_after(&word.value, Some(before))
            || alias
            || called && !is_uncallable(&word.value);
        if needs_quotes(&word.value, word.quote_style) && !fits {
            return Some(token.span.start);
        }
    }
    None
}

/// Whether what follows TRIM are characters, FROM and the text that is freed of them.
fn trims_characters(rest: &[TokenWithSpan]) -> bool {
    let mut depth = 0_usize;
    for token in rest {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth <= 1 => return false,
            Token::RParen => depth -= 1,
            other if depth == 1 && is_word(other, "FROM") => return true,
            _ if depth == 0 => return false,
            _ => {}
        }
    }
    false
}

fn is_side(token: &Token) -> bool {
    ["LEFT", "RIGHT", "FULL"].iter().any(|side| is_word(token, side))
}

fn keyword(text: &str, keyword: Keyword) -> Token {
    Token::Word(Word { value: text.to_owned(), quote_style: None, keyword })
}

fn adjacent(first: &TokenWithSpan, second: &TokenWithSpan) -> bool {
    first.span.end == second.span.start
}

/// The bytes at which brackets lie, by line and column.
type Brackets = HashMap<(u64, u64), usize>;

/// Finds all brackets in one walk over the text.
fn brackets(sql: &str, tokens: &[TokenWithSpan]) -> Brackets {
    let is_bracket = |token: &&TokenWithSpan| matches!(token.token, Token::LBracket | Token::RBracket);
    let mut wanted =
        tokens.iter().filter(is_bracket).map(|token| (token.span.start.line, token.span.start.column));
    let mut next = wanted.next();
    let mut found = Brackets::new();
    let (mut line, mut column) = (1, 1);
    for (offset, character) in sql.char_indices() {
        let Some(place) = next else { break };
        if (line, column) == place {
            found.insert(place, offset);
            next = wanted.next();
        }
        if character == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    found
}

/// A name between brackets: everything up to the next closing one, as it stands in the text. A list of texts is none.
fn bracketed(
    sql: &str,
    brackets: &Brackets,
    tokens: &[TokenWithSpan],
    at: usize,
) -> Result<(Token, usize, Location), Option<Location>> {
    let opening = tokens[at].span;
    let rest = tokens.get(at + 1..).unwrap_or_default();
    let length = rest.iter().position(|token| token.token == Token::RBracket).ok_or(None)?;
    let closing = rest[length].span;
    let place = |place: Location| brackets.get(&(place.line, place.column)).copied();
    let inner = place(opening.start).map(|start| start + 1).zip(place(closing.start));
    let name = inner.and_then(|(start, end)| sql.get(start..end)).filter(|name| !name.is_empty());
    let name = name.ok_or(Some(closing.start))?;
    if name.contains('\'') {
        return Err(Some(opening.start));
    }
    let word = Word { value: name.to_owned(), quote_style: Some(BRACKET), keyword: Keyword::NoKeyword };
    Ok((Token::Word(word), length + 2, closing.end))
}

/// A string's text. Only quotes are escaped, by a backslash or by another quote; other backslashes stand for
/// themselves.
fn unescaped(raw: &str, quote: char) -> String {
    let escaped = ['\\', quote].iter().collect::<String>();
    let doubled = [quote, quote].iter().collect::<String>();
    let single = quote.to_string();
    let text = if raw.contains(&escaped) { raw.replace(&escaped, &single) } else { raw.to_owned() };
    if text.contains(&doubled) && !fault!("sql-quotes-not-doubled") {
        text.replace(&doubled, &single)
    } else {
        text
    }
}

/// The word a statement begins with.
pub(super) fn first_word(tokens: &[TokenWithSpan]) -> Option<&str> {
    match tokens.first().map(|token| &token.token) {
        Some(Token::Word(word)) if word.quote_style.is_none() => Some(&word.value),
        _ => None,
    }
}

/// The operators in a statement, which bound the depth of its tree.
pub(super) fn operators(tokens: &[TokenWithSpan]) -> usize {
    let is_operator = |token: &Token| match token {
        Token::Word(word) => matches!(word.keyword, Keyword::AND | Keyword::OR | Keyword::NOT | Keyword::IS),
        Token::Comma | Token::Number(..) | Token::SingleQuotedString(_) | Token::Period => false,
        Token::LParen | Token::RParen | Token::Whitespace(Whitespace::Space) => false,
        _ => true,
    };
    tokens.iter().filter(|token| is_operator(&token.token)).count()
}

/// Whether a word stands for a name that has to be quoted.
pub(super) fn needs_quotes(value: &str, quote_style: Option<char>) -> bool {
    quote_style.is_none() && is_reserved(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_quotes_are_escaped() {
        assert_eq!(unescaped(r"O''Neil\'s \n \\", '\''), r"O'Neil's \n \\");
        assert_eq!(unescaped(r#"say \"hi\" ''"#, '"'), r#"say "hi" ''"#);
    }
}
