//! What the parser is told of the language.

use super::tokens::{DEEP_EQUAL, GLOB, STRICT_NOT_EQUAL};
use sqlparser::dialect::Dialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// The language of the operation `sql`.
#[derive(Debug)]
pub(super) struct OperationsDialect;

const PATH: u8 = 55;
const EQUALITY: u8 = 20;
const PATTERN: u8 = 19;

impl Dialect for OperationsDialect {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    fn supports_dictionary_syntax(&self) -> bool {
        true
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        false
    }

    fn supports_boolean_literals(&self) -> bool {
        true
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        let precedence = match &parser.peek_token_ref().token {
            Token::Arrow => PATH,
            // Binds before multiplication.
            Token::Caret => PATH - 1,
            Token::CustomBinaryOperator(name) if [DEEP_EQUAL, STRICT_NOT_EQUAL].contains(&name.as_str()) => {
                EQUALITY
            }
            Token::CustomBinaryOperator(name) if name == GLOB => PATTERN,
            // Operators of other dialects are none here.
            Token::Colon
            | Token::DoubleColon
            | Token::LBracket
            | Token::ExclamationMark
            | Token::Tilde
            | Token::TildeAsterisk
            | Token::ExclamationMarkTilde
            | Token::ExclamationMarkTildeAsterisk
            | Token::DoubleTilde
            | Token::DoubleTildeAsterisk
            | Token::ExclamationMarkDoubleTilde
            | Token::ExclamationMarkDoubleTildeAsterisk
            | Token::Spaceship
            | Token::Assignment
            | Token::Sharp
            | Token::LongArrow
            | Token::HashArrow
            | Token::HashLongArrow
            | Token::AtArrow
            | Token::ArrowAt
            | Token::HashMinus
            | Token::AtQuestion
            | Token::AtAt
            | Token::AtSign
            | Token::Question
            | Token::QuestionAnd
            | Token::QuestionPipe
            | Token::Overlap
            | Token::CaretAt
            | Token::DuckIntDiv
            | Token::CustomBinaryOperator(_) => 0,
            _ => return None,
        };
        Some(Ok(precedence))
    }
}
