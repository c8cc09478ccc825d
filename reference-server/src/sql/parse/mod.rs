//! From text to [`Statement`]: the crate `sqlparser` reads the tokens under a dialect of ours, and its tree is turned
//! into our own. What it accepts and this language does not is refused on the way.

mod dialect;
mod excerpt;
mod expr;
mod other;
mod select;
mod tokens;
mod words;
mod write;

pub use excerpt::SyntaxError;

use super::ast::Statement;
use dialect::OperationsDialect;
use sqlparser::ast::Statement as Parsed;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

/// What every fault of syntax ends with.
pub const ADVICE: &str =
    "Please ensure your SQL is valid. Try adding backticks to reserved words and schema table references.";

/// More operators than this are refused: each can make the parser's tree one level deeper.
const MOST_OPERATORS: usize = 4000;

/// How deep parentheses, functions and the like may be nested.
const DEEPEST: usize = 40;

/// Where something does not fit; `None` at the end of the statement.
type Place = Option<Location>;

type Parsing<T> = Result<T, Place>;

/// Reads the first statement of a text. Those after it must be well-formed too.
///
/// # Errors
/// The place of the first token that does not fit.
pub fn parse(sql: &str) -> Result<Statement, SyntaxError> {
    let sql = sql.trim();
    let tokens = tokens::tokenize(sql)?;
    let mut first = None;
    for (number, statement) in tokens::statements(&tokens).into_iter().enumerate() {
        let statement = statement_of(sql, statement)
            .map_err(|place| SyntaxError::at(sql, &tokens, first_fault(&tokens, number, place)))?;
        if fault!("sql-last-statement-runs") {
            first = None;
        }
        first.get_or_insert(statement);
    }
    first.ok_or_else(|| SyntaxError::at(sql, &tokens, None))
}

/// The first of the places at which a statement goes wrong.
fn first_fault(tokens: &[TokenWithSpan], number: usize, place: Place) -> Place {
    let statements = tokens::statements(tokens);
    let statement = statements.get(number)?;
    let known = tokens::first_word(statement).is_some_and(is_known);
    let misplaced = if known { tokens::misplaced_word(statement) } else { None };
    // No place is the end.
    place.into_iter().chain(misplaced).min()
}

fn is_known(word: &str) -> bool {
    ["SELECT", "INSERT", "UPDATE", "DELETE"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn statement_of(sql: &str, tokens: Vec<TokenWithSpan>) -> Parsing<Statement> {
    statement_within(sql, tokens, DEEPEST)
}

/// A statement that may hold others, `depth` levels of them.
fn statement_within(sql: &str, tokens: Vec<TokenWithSpan>, depth: usize) -> Parsing<Statement> {
    let start = tokens.first().map(|token| token.span.start);
    let word = tokens::first_word(&tokens).ok_or(start)?.to_ascii_lowercase();
    match word.as_str() {
        "select" | "insert" | "update" | "delete" => {
            let prepared = tokens::prepare(sql, tokens)?;
            if tokens::operators(&prepared) > MOST_OPERATORS {
                return Err(prepared.get(MOST_OPERATORS).map(|token| token.span.start));
            }
            let having = place_of_word(&prepared, "HAVING");
            let offset = place_of_word(&prepared, "OFFSET");
            let limit = place_of_word(&prepared, "LIMIT");
            let parsed = parsed(Parser::new(&OperationsDialect).with_tokens_with_locations(prepared))?;
            match parsed {
                Parsed::Query(query) => {
                    let marks = select::Marks { having, offset };
                    Ok(Statement::Select(Box::new(select::select(*query, &marks)?)))
                }
                Parsed::Insert(insert) => write::insert(insert).map(Statement::Insert),
                Parsed::Update(update) => write::update(update, limit).map(Statement::Update),
                Parsed::Delete(delete) => write::delete(delete, limit).map(Statement::Delete),
                _ => Err(start),
            }
        }
        other if words::is_other_statement(other) && !fault!("sql-other-statements-malformed") => {
            if tokens::operators(&tokens) > MOST_OPERATORS {
                return Err(start);
            }
            other::other(sql, &word, tokens, depth.checked_sub(1).ok_or(start)?)?;
            Ok(Statement::Other(word))
        }
        _ => Err(start),
    }
}

/// One whole statement.
fn parsed(parser: Parser<'_>) -> Parsing<Parsed> {
    let mut parser = parser.with_recursion_limit(DEEPEST);
    let statement = parser.parse_statement().map_err(|error| fault_of(&parser, error))?;
    let rest = parser.peek_token();
    if rest.token == Token::EOF { Ok(statement) } else { Err(Some(rest.span.start)) }
}

/// The place that the parser's error is about.
fn fault_of(parser: &Parser<'_>, error: ParserError) -> Place {
    // A message without a place is about the token that comes next, unless it is about the end.
    let next = || Some(parser.peek_token().span.start).filter(|next| next.line > 0);
    match error {
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => {
            excerpt::place_in(&message).or_else(|| if message.ends_with("EOF") { None } else { next() })
        }
        ParserError::RecursionLimitExceeded => next(),
    }
}

fn place_of_word(tokens: &[TokenWithSpan], name: &str) -> Place {
    let is_word = |token: &&TokenWithSpan| matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(name));
    tokens.iter().find(is_word).map(|token| token.span.start)
}

#[cfg(test)]
mod tests;
