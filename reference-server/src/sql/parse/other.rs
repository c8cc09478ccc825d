//! Statements that nobody runs here: they are read only to be refused by their name.

use super::dialect::OperationsDialect;
use super::expr::expr;
use super::tokens::{first_word, is_word, prepare};
use super::{DEEPEST, Parsing, Place, fault_of, parsed, statement_within};
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Reads a statement that begins with `word`, in small letters.
///
/// # Errors
/// The place of the first token that does not fit.
pub(super) fn other(sql: &str, word: &str, tokens: Vec<TokenWithSpan>, depth: usize) -> Parsing<()> {
    let rest = tokens.get(1..).unwrap_or_default();
    match word {
        "break" | "continue" => place_of(rest).map_or(Ok(()), |place| Err(Some(place))),
        "help" if rest.is_empty() => Ok(()),
        "help" | "source" | "echo" => values(sql, rest, 1),
        "assert" => values(sql, rest, 2),
        "print" if first_word(rest).is_some_and(|first| first.eq_ignore_ascii_case("select")) => {
            statement_within(sql, rest.to_vec(), depth).map(drop)
        }
        "print" => values(sql, rest, usize::MAX),
        "if" | "while" => conditional(sql, rest, word == "if", depth),
        "declare" if rest.first().is_some_and(|first| first.token == Token::AtSign) => variables(rest),
        _ => parsed(Parser::new(&GenericDialect).with_tokens_with_locations(tokens)).map(drop),
    }
}

fn place_of(tokens: &[TokenWithSpan]) -> Option<sqlparser::tokenizer::Location> {
    tokens.first().map(|token| token.span.start)
}

/// One value or several up to a number, between commas.
fn values(sql: &str, rest: &[TokenWithSpan], most: usize) -> Parsing<()> {
    let mut parser = parser_of(prepare(sql, rest.to_vec())?);
    let found = parser.parse_comma_separated(Parser::parse_expr).map_err(|error| fault_of(&parser, error))?;
    at_end(&parser)?;
    if found.len() > most {
        return Err(place_of(rest));
    }
    found.into_iter().try_for_each(|value| expr(value).map(drop))
}

/// A condition and a statement, which may be left out; then perhaps ELSE and another.
fn conditional(sql: &str, rest: &[TokenWithSpan], may_else: bool, depth: usize) -> Parsing<()> {
    let prepared = prepare(sql, rest.to_vec())?;
    let mut parser = parser_of(prepared.clone());
    let condition = parser.parse_expr().map_err(|error| fault_of(&parser, error))?;
    expr(condition)?;
    let next: Place = prepared.get(parser.index()).map(|token| token.span.start);
    let begin = rest.iter().position(|token| Some(token.span.start) == next).unwrap_or(rest.len());
    let (first, second) = at_else(rest.get(begin..).unwrap_or_default(), may_else);
    for statement in [first, second] {
        if !statement.is_empty() {
            statement_within(sql, statement.to_vec(), depth)?;
        }
    }
    Ok(())
}

/// What stands before and after an ELSE that is of no CASE.
fn at_else(tokens: &[TokenWithSpan], may_else: bool) -> (&[TokenWithSpan], &[TokenWithSpan]) {
    let mut cases = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        if is_word(&token.token, "CASE") {
            cases += 1;
        } else if is_word(&token.token, "END") {
            cases = cases.saturating_sub(1);
        } else if may_else && cases == 0 && is_word(&token.token, "ELSE") {
            let (first, second) = tokens.split_at(at);
            return (first, second.get(1..).unwrap_or_default());
        }
    }
    (tokens, &[])
}

/// `@name [AS] type [= value], …`.
fn variables(rest: &[TokenWithSpan]) -> Parsing<()> {
    let mut parser = parser_of(rest.to_vec());
    let variable = |parser: &mut Parser<'_>| {
        parser.expect_token(&Token::AtSign)?;
        parser.parse_identifier()?;
        let _ = parser.parse_keyword(Keyword::AS);
        parser.parse_data_type()?;
        if parser.consume_token(&Token::Eq) {
            parser.parse_expr()?;
        }
        Ok(())
    };
    parser.parse_comma_separated(variable).map_err(|error| fault_of(&parser, error))?;
    at_end(&parser)
}

fn parser_of(tokens: Vec<TokenWithSpan>) -> Parser<'static> {
    Parser::new(&OperationsDialect).with_recursion_limit(DEEPEST).with_tokens_with_locations(tokens)
}

fn at_end(parser: &Parser<'_>) -> Parsing<()> {
    let rest = parser.peek_token();
    if rest.token == Token::EOF { Ok(()) } else { Err(Some(rest.span.start)) }
}
