//! Expressions.

use super::tokens::{DEEP_EQUAL, GLOB, STRICT_NOT_EQUAL, needs_quotes};
use super::words::is_uncallable;
use super::{Parsing, Place};
use crate::sql::ast::{Aggregate, ColumnName, Expr, Is, Match, Operator, Sign, Step, TypeName};
use crate::sql::functions::TRIM_FROM;
use sqlparser::ast as parsed;
use sqlparser::ast::{BinaryOperator, Spanned, UnaryOperator};

/// Functions of many rows.
const AGGREGATES: &[&str] = &[
    "ARRAY",
    "AVG",
    "COUNT",
    "FIRST",
    "GROUP_CONCAT",
    "LAST",
    "MAD",
    "MAX",
    "MEAN",
    "MEDIAN",
    "MIN",
    "MODE",
    "PROD",
    "QUART",
    "QUART2",
    "QUART3",
    "STD",
    "STDDEV",
    "STDEV",
    "STDEVP",
    "SUM",
    "TOTAL",
    "VAR",
    "VARP",
];

/// Names of functions that may be written without parentheses.
const WITHOUT_PARENTHESES: &[&str] = &["CURRENT_DATE", "CURRENT_TIMESTAMP"];

/// A name; reserved words need quotes.
pub(super) fn identifier(name: parsed::Ident) -> Parsing<String> {
    let quoted_as_text = matches!(name.quote_style, Some('\'' | '"'));
    if quoted_as_text || needs_quotes(&name.value, name.quote_style) {
        return Err(Some(name.span.start));
    }
    Ok(name.value)
}

pub(super) fn expr(value: parsed::Expr) -> Parsing<Expr> {
    let place = match &value {
        // The span of a long chain is the work of a walk over it.
        parsed::Expr::BinaryOp { .. } => None,
        other => Some(other.span().start),
    };
    Ok(match value {
        parsed::Expr::BinaryOp { .. } => return chain(value),
        parsed::Expr::Identifier(name) => {
            let bare = WITHOUT_PARENTHESES.iter().any(|known| name.value.eq_ignore_ascii_case(known));
            if bare && name.quote_style.is_none() {
                return Ok(Expr::Function {
                    name: name.value.to_ascii_uppercase(),
                    arguments: Vec::new(),
                    parens: false,
                });
            }
            Expr::Column(ColumnName { qualifiers: Vec::new(), name: identifier(name)? })
        }
        parsed::Expr::CompoundIdentifier(names) => {
            let mut qualifiers = names.into_iter().map(identifier).collect::<Parsing<Vec<_>>>()?;
            let name = qualifiers.pop().ok_or(place)?;
            Expr::Column(ColumnName { qualifiers, name })
        }
        parsed::Expr::Value(value) => literal(value)?,
        parsed::Expr::Nested(inner) => Expr::Paren(Box::new(expr(*inner)?)),
        parsed::Expr::UnaryOp { op, expr: inner } => {
            let inner = Box::new(expr(*inner)?);
            match op {
                UnaryOperator::Minus => Expr::Unary(Sign::Minus, inner),
                UnaryOperator::Plus => Expr::Unary(Sign::Plus, inner),
                UnaryOperator::BitwiseNot => Expr::Unary(Sign::Invert, inner),
                UnaryOperator::Not => Expr::Not(inner),
                _ => return Err(place),
            }
        }
        parsed::Expr::IsNull(inner) => is(*inner, Is::Null, false)?,
        parsed::Expr::IsNotNull(inner) => is(*inner, Is::Null, true)?,
        parsed::Expr::IsTrue(inner) => is(*inner, Is::True, false)?,
        parsed::Expr::IsNotTrue(inner) => is(*inner, Is::True, true)?,
        parsed::Expr::IsFalse(inner) => is(*inner, Is::False, false)?,
        parsed::Expr::IsNotFalse(inner) => is(*inner, Is::False, true)?,
        parsed::Expr::Between { expr: inner, negated, low, high } => Expr::Between {
            expr: Box::new(expr(*inner)?),
            low: Box::new(expr(*low)?),
            high: Box::new(expr(*high)?),
            negated,
        },
        parsed::Expr::InList { expr: inner, list, negated } => {
            Expr::In { expr: Box::new(expr(*inner)?), list: exprs(list)?, negated }
        }
        parsed::Expr::InSubquery { expr: inner, negated, .. } => {
            Expr::In { expr: Box::new(expr(*inner)?), list: vec![Expr::Subquery], negated }
        }
        parsed::Expr::Exists { .. } | parsed::Expr::Subquery(_) => Expr::Subquery,
        parsed::Expr::Like { negated, any: false, expr, pattern, escape_char }
        | parsed::Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
            let escape = boxed(escape_char)?;
            if escape.as_ref().is_some_and(|escape| !matches!(**escape, Expr::Text(_))) {
                return Err(place);
            }
            matched(Match::Like, *expr, *pattern, escape, negated)?
        }
        parsed::Expr::AnyOp { left, compare_op, right, .. } => of_subquery(*left, compare_op, &right, false)?,
        parsed::Expr::AllOp { left, compare_op, right } => of_subquery(*left, compare_op, &right, true)?,
        parsed::Expr::Trim {
            expr: text,
            trim_where: None,
            trim_what: Some(characters),
            trim_characters: None,
        } => Expr::Function {
            name: TRIM_FROM.to_owned(),
            arguments: vec![expr(*characters)?, expr(*text)?],
            parens: true,
        },
        // NOT REGEXP is no form of the language.
        parsed::Expr::RLike { negated: false, expr, pattern, regexp: true } => {
            matched(Match::Regexp, *expr, *pattern, None, false)?
        }
        parsed::Expr::Collate { expr: inner, .. } => expr(*inner)?,
        parsed::Expr::Case { operand, conditions, else_result, .. } => Expr::Case {
            operand: boxed(operand)?,
            branches: conditions
                .into_iter()
                .map(|branch| Ok((expr(branch.condition)?, expr(branch.result)?)))
                .collect::<Parsing<_>>()?,
            otherwise: boxed(else_result)?,
        },
        parsed::Expr::Cast { kind: parsed::CastKind::Cast, expr: inner, data_type, format: None } => {
            Expr::Cast {
                expr: Box::new(expr(*inner)?),
                to: type_name(data_type, place)?,
                style: None,
                convert: false,
            }
        }
        parsed::Expr::Dictionary(fields) => Expr::Object(
            fields
                .into_iter()
                .map(|field| Ok((field.key.value, expr(*field.value)?)))
                .collect::<Parsing<_>>()?,
        ),
        parsed::Expr::Array(array) => Expr::Array(exprs(array.elem)?),
        parsed::Expr::Function(function) => return call(function, place),
        _ => return Err(place),
    })
}

fn exprs(values: Vec<parsed::Expr>) -> Parsing<Vec<Expr>> {
    values.into_iter().map(expr).collect()
}

fn boxed(value: Option<Box<parsed::Expr>>) -> Parsing<Option<Box<Expr>>> {
    value.map(|value| expr(*value).map(Box::new)).transpose()
}

fn is(inner: parsed::Expr, what: Is, negated: bool) -> Parsing<Expr> {
    Ok(Expr::Is { expr: Box::new(expr(inner)?), what, negated })
}

fn matched(
    kind: Match,
    inner: parsed::Expr,
    pattern: parsed::Expr,
    escape: Option<Box<Expr>>,
    negated: bool,
) -> Parsing<Expr> {
    Ok(Expr::Match { kind, expr: Box::new(expr(inner)?), pattern: Box::new(expr(pattern)?), escape, negated })
}

/// A comparison with ANY, SOME or ALL of a sub-select.
fn of_subquery(
    left: parsed::Expr,
    operator: BinaryOperator,
    right: &parsed::Expr,
    all: bool,
) -> Parsing<Expr> {
    let place = Some(right.span().start);
    let parsed::Expr::Subquery(_) = right else { return Err(place) };
    let (operator, list) = (operator_of(operator, place)?, vec![Expr::Subquery]);
    Ok(Expr::Quantified { expr: Box::new(expr(left)?), operator, all, list })
}

fn literal(value: parsed::ValueWithSpan) -> Parsing<Expr> {
    let place = Some(value.span.start);
    Ok(match value.value {
        parsed::Value::Number(text, _) => Expr::Number(text.parse().map_err(|_| place)?),
        parsed::Value::SingleQuotedString(text) => Expr::Text(text),
        parsed::Value::Boolean(flag) => Expr::Bool(flag),
        parsed::Value::Null => Expr::Null,
        _ => return Err(place),
    })
}

/// Left-associative operators: the parser's tree leans to the left as deep as the chain is long, so it is walked
/// down before anything is made of it.
fn chain(value: parsed::Expr) -> Parsing<Expr> {
    let mut links = Vec::new();
    let mut left = value;
    while let parsed::Expr::BinaryOp { left: inner, op, right } = left {
        links.push((op, *right));
        left = *inner;
    }
    let mut whole = expr(left)?;
    for (operator, right) in links.into_iter().rev() {
        let place = Some(right.span().start);
        if operator == BinaryOperator::Arrow {
            let step = step(right, place)?;
            whole = match whole {
                Expr::Path(root, mut steps) => {
                    steps.push(step);
                    Expr::Path(root, steps)
                }
                root => Expr::Path(Box::new(root), vec![step]),
            };
            continue;
        }
        if let Some((all, list)) = quantifier(&right) {
            let (list, operator) = (quantified(list)?, operator_of(operator, place)?);
            whole = Expr::Quantified { expr: Box::new(whole), operator, all, list };
            continue;
        }
        let right = expr(right)?;
        whole = joined(whole, operator, right, place)?;
    }
    Ok(whole)
}

/// ANY, SOME (false) or ALL (true) and the list behind it.
fn quantifier(value: &parsed::Expr) -> Option<(bool, &parsed::FunctionArguments)> {
    let parsed::Expr::Function(function) = value else { return None };
    let [parsed::ObjectNamePart::Identifier(name)] = function.name.0.as_slice() else { return None };
    if name.quote_style.is_some() {
        return None;
    }
    let all = match name.value.to_ascii_uppercase().as_str() {
        "ALL" => true,
        "ANY" | "SOME" => false,
        _ => return None,
    };
    Some((all, &function.args))
}

fn quantified(arguments_of: &parsed::FunctionArguments) -> Parsing<Vec<Expr>> {
    match arguments_of {
        parsed::FunctionArguments::List(list) => arguments(list.args.clone(), None),
        _ => Ok(vec![Expr::Subquery]),
    }
}

fn joined(left: Expr, operator: BinaryOperator, right: Expr, place: Place) -> Parsing<Expr> {
    Ok(match (operator, left) {
        (BinaryOperator::And, Expr::All(mut members)) => {
            members.push(right);
            Expr::All(members)
        }
        (BinaryOperator::And, left) => Expr::All(vec![left, right]),
        (BinaryOperator::Or, Expr::Any(mut members)) => {
            members.push(right);
            Expr::Any(members)
        }
        (BinaryOperator::Or, left) => Expr::Any(vec![left, right]),
        (BinaryOperator::Custom(name), left) if name == GLOB => {
            let (expr, pattern) = (Box::new(left), Box::new(right));
            Expr::Match { kind: Match::Glob, expr, pattern, escape: None, negated: false }
        }
        (operator, Expr::Chain(first, mut rest)) => {
            rest.push((operator_of(operator, place)?, right));
            Expr::Chain(first, rest)
        }
        (operator, left) => Expr::Chain(Box::new(left), vec![(operator_of(operator, place)?, right)]),
    })
}

fn operator_of(operator: BinaryOperator, place: Place) -> Parsing<Operator> {
    Ok(match operator {
        BinaryOperator::Plus => Operator::Add,
        BinaryOperator::Minus => Operator::Subtract,
        BinaryOperator::Multiply => Operator::Multiply,
        BinaryOperator::Divide => Operator::Divide,
        BinaryOperator::Modulo => Operator::Remainder,
        BinaryOperator::StringConcat => Operator::Concatenate,
        BinaryOperator::BitwiseAnd => Operator::BitAnd,
        BinaryOperator::BitwiseOr => Operator::BitOr,
        BinaryOperator::BitwiseXor => Operator::BitXor,
        BinaryOperator::PGBitwiseShiftLeft => Operator::ShiftLeft,
        BinaryOperator::PGBitwiseShiftRight => Operator::ShiftRight,
        BinaryOperator::Eq => Operator::Equal,
        BinaryOperator::NotEq => Operator::NotEqual,
        BinaryOperator::Lt => Operator::Less,
        BinaryOperator::LtEq => Operator::LessEqual,
        BinaryOperator::Gt => Operator::Greater,
        BinaryOperator::GtEq => Operator::GreaterEqual,
        BinaryOperator::Custom(name) if name == DEEP_EQUAL => Operator::DeepEqual,
        BinaryOperator::Custom(name) if name == STRICT_NOT_EQUAL => Operator::NotDeepEqual,
        _ => return Err(place),
    })
}

fn step(value: parsed::Expr, place: Place) -> Parsing<Step> {
    match value {
        parsed::Expr::Identifier(name) => Ok(Step::Member(name.value)),
        parsed::Expr::Value(value) => match value.value {
            parsed::Value::Number(text, _) => text.parse().map(Step::Element).map_err(|_| place),
            parsed::Value::SingleQuotedString(text) => Ok(Step::Member(text)),
            _ => Err(place),
        },
        _ => Err(place),
    }
}

fn type_name(data_type: parsed::DataType, place: Place) -> Parsing<TypeName> {
    match data_type {
        parsed::DataType::Custom(name, sizes) => {
            let name = name.0.last().and_then(|part| part.as_ident()).map(|part| part.value.clone());
            let sizes =
                sizes.iter().map(|size| size.trim().parse()).collect::<Result<_, _>>().map_err(|_| place)?;
            Ok(TypeName { name: name.ok_or(place)?, sizes })
        }
        _ => Err(place),
    }
}

fn call(function: parsed::Function, place: Place) -> Parsing<Expr> {
    let plain = function.over.is_none()
        && function.filter.is_none()
        && function.null_treatment.is_none()
        && function.within_group.is_empty()
        && matches!(function.parameters, parsed::FunctionArguments::None);
    let mut parts = function.name.0.into_iter();
    let (Some(parsed::ObjectNamePart::Identifier(name)), None, true) = (parts.next(), parts.next(), plain)
    else {
        return Err(place);
    };
    let upper = name.value.to_ascii_uppercase();
    if name.quote_style.is_none() && is_uncallable(&name.value) && upper != "CONVERT" {
        let bare = WITHOUT_PARENTHESES.contains(&upper.as_str());
        return Err(Some(if bare { name.span.end } else { name.span.start }));
    }
    let list = match function.args {
        parsed::FunctionArguments::List(list) if list.clauses.is_empty() => list,
        parsed::FunctionArguments::Subquery(_) => return Ok(Expr::Subquery),
        _ => return Err(place),
    };
    let distinct = list.duplicate_treatment == Some(parsed::DuplicateTreatment::Distinct);
    if upper == "CONVERT" && !distinct {
        return convert(list.args, place);
    }
    let star =
        matches!(list.args.as_slice(), [parsed::FunctionArg::Unnamed(parsed::FunctionArgExpr::Wildcard)]);
    if star {
        if upper == "COUNT" && !distinct {
            return Ok(Expr::Aggregate(Aggregate { name: upper, distinct, argument: None }));
        }
        return Err(place);
    }
    let mut arguments = arguments(list.args, place)?;
    // MAX and MIN of several arguments look at one row.
    if AGGREGATES.contains(&upper.as_str()) && arguments.len() == 1 {
        let argument = arguments.pop().map(Box::new);
        return Ok(Expr::Aggregate(Aggregate { name: upper, distinct, argument }));
    }
    if distinct {
        return Err(place);
    }
    Ok(Expr::Function { name: name.value, arguments, parens: true })
}

fn arguments(list: Vec<parsed::FunctionArg>, place: Place) -> Parsing<Vec<Expr>> {
    list.into_iter()
        .map(|argument| match argument {
            parsed::FunctionArg::Unnamed(parsed::FunctionArgExpr::Expr(value)) => expr(value),
            _ => Err(place),
        })
        .collect()
}

/// CONVERT(type, value[, style]).
fn convert(list: Vec<parsed::FunctionArg>, place: Place) -> Parsing<Expr> {
    let mut values = list.into_iter().map(|argument| match argument {
        parsed::FunctionArg::Unnamed(parsed::FunctionArgExpr::Expr(value)) => Ok(value),
        _ => Err(place),
    });
    let (to, value, style) = (values.next(), values.next(), values.next());
    let (Some(to), Some(value), None) = (to, value, values.next()) else { return Err(place) };
    let to = match to? {
        parsed::Expr::Identifier(name) => TypeName { name: name.value, sizes: Vec::new() },
        parsed::Expr::Function(function) => {
            let name = function.name.0.last().and_then(|part| part.as_ident()).map(|part| part.value.clone());
            let parsed::FunctionArguments::List(list) = function.args else { return Err(place) };
            let size = |size: Expr| match size {
                Expr::Number(size) => Ok(size as u32),
                _ => Err(place),
            };
            let sizes = arguments(list.args, place)?.into_iter().map(size).collect::<Parsing<_>>()?;
            TypeName { name: name.ok_or(place)?, sizes }
        }
        _ => return Err(place),
    };
    let style = style.transpose()?.map(|style| expr(style).map(Box::new)).transpose()?;
    Ok(Expr::Cast { expr: Box::new(expr(value?)?), to, style, convert: true })
}
