//! From text to syntax tree, and the names in it.
//!
//! Size is bounded before parsing: all that walks the tree later, walks it by recursion.

use std::ops::ControlFlow;

use arrow::datatypes::Schema;
use datafusion_common::DataFusionError;
use datafusion_sql::parser::DFParserBuilder;
use datafusion_sql::sqlparser::ast::{Expr, Function, Ident, visit_expressions};
use datafusion_sql::sqlparser::dialect::GenericDialect;
use datafusion_sql::sqlparser::keywords::Keyword;
use datafusion_sql::sqlparser::parser::ParserError;
use datafusion_sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::ExpressionError;
use super::functions::Functions;
use crate::diagnostic::{nearest, suggestion};

const MAX_BYTES: usize = 10_000;
/// Each operator can make the tree one deeper, and brackets are bounded by the parser.
const MAX_OPERATORS: usize = 200;
const MAX_BRACKETS: usize = 40;

const AGGREGATES: &[&str] = &[
    "count",
    "sum",
    "avg",
    "mean",
    "min",
    "max",
    "median",
    "stddev",
    "var",
    "variance",
    "array_agg",
    "string_agg",
    "bool_and",
    "bool_or",
    "first_value",
    "last_value",
    "corr",
    "approx_distinct",
    "row_number",
    "rank",
    "dense_rank",
    "lag",
    "lead",
    "ntile",
];

/// Parses one expression.
pub(super) fn parse(sql: &str) -> Result<Expr, ExpressionError> {
    if sql.trim().is_empty() {
        return Err(ExpressionError::new("the expression is empty"));
    }
    if sql.len() > MAX_BYTES {
        return Err(ExpressionError::new(format!("the expression is longer than {MAX_BYTES} bytes")));
    }
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize_with_location()
        .map_err(|error| parser_error(&ParserError::from(error)))?;
    if tokens.iter().filter(|token| is_operator(token)).count() > MAX_OPERATORS {
        let help = "use `in (…)` for many alternatives, or several rules".to_owned();
        let message = format!("the expression has more than {MAX_OPERATORS} operators");
        return Err(ExpressionError::new(message).with_help(Some(help)));
    }
    let mut parser = DFParserBuilder::new(tokens).with_recursion_limit(MAX_BRACKETS).build()?;
    let parsed = parser.parse_into_expr().map_err(|error| match error.find_root() {
        DataFusionError::SQL(error, _) => parser_error(error),
        _ => error.into(),
    })?;
    match parsed.alias {
        None => Ok(parsed.expr),
        Some(alias) => Err(ExpressionError::new(format!("`as {alias}` has no meaning here"))),
    }
}

fn is_operator(token: &TokenWithSpan) -> bool {
    match &token.token {
        Token::Word(word) => word.keyword != Keyword::NoKeyword,
        Token::Whitespace(_) | Token::Comma | Token::LParen | Token::RParen => false,
        Token::Number(..) | Token::SingleQuotedString(_) | Token::EOF => false,
        _ => true,
    }
}

fn parser_error(error: &ParserError) -> ExpressionError {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "too many brackets within brackets",
    };
    // "Expected: end of expression, found: x at Line: 1, Column: 10"
    let (text, place) = text.split_once(" at Line: ").unwrap_or((text, ""));
    let place = match place.split_once(", Column: ") {
        Some(("1", column)) => format!(" at character {column}"),
        Some((line, column)) => format!(" at line {line}, character {column}"),
        None => String::new(),
    };
    let text = text.replace("Expected: ", "expected ").replace("found: ", "found ");
    ExpressionError::new(format!("this is not an expression{place}: {text}"))
}

/// Checks that every column and function is known, and that nothing looks beyond the row.
pub(super) fn check_names(
    expr: &Expr,
    schema: &Schema,
    functions: &Functions,
) -> Result<(), ExpressionError> {
    let flow = visit_expressions(expr, |part| match check_name(part, schema, functions) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    });
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

fn check_name(part: &Expr, schema: &Schema, functions: &Functions) -> Result<(), ExpressionError> {
    match part {
        Expr::Identifier(name) => check_column(name, schema),
        Expr::CompoundIdentifier(names) => {
            let path: Vec<&str> = names.iter().map(|name| &*name.value).collect();
            let message = format!("there is no table here to take `{}` from", path.join("."));
            let help = path.last().map(|column| format!("did you mean `{column}`?"));
            Err(ExpressionError::new(message).with_help(help))
        }
        Expr::Function(function) => check_function(function, functions),
        Expr::Subquery(_)
        | Expr::Exists { .. }
        | Expr::InSubquery { .. }
        | Expr::AnyOp { .. }
        | Expr::AllOp { .. } => {
            Err(ExpressionError::new("an expression sees one row of one batch; it cannot hold a query"))
        }
        _ => Ok(()),
    }
}

fn check_column(name: &Ident, schema: &Schema) -> Result<(), ExpressionError> {
    let wanted = if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() };
    if schema.index_of(&wanted).is_ok() {
        return Ok(());
    }
    let there =
        || schema.fields.iter().map(|field| field.name().as_str()).filter(|name| !name.starts_with('_'));
    let error = ExpressionError::new(format!("there is no column `{wanted}` here"));
    let help = match name.quote_style {
        Some('"') => Some(format!("texts stand in single quotes: '{wanted}'")),
        _ => suggestion(&wanted, there().collect::<Vec<_>>().iter().copied()),
    };
    Err(error.with_help(help))
}

fn check_function(function: &Function, functions: &Functions) -> Result<(), ExpressionError> {
    let name = function.name.to_string().to_lowercase();
    if AGGREGATES.contains(&&*name) || function.over.is_some() {
        let help = match &*name {
            "min" => Some("`least(a, b)` is the least of several values of one row".to_owned()),
            "max" => Some("`greatest(a, b)` is the greatest of several values of one row".to_owned()),
            _ => None,
        };
        let message = format!("`{name}` looks at many rows; an expression sees one");
        return Err(ExpressionError::new(message).with_help(help));
    }
    if functions.has(&name) {
        return Ok(());
    }
    if Functions::left_out(&name) {
        let reason = "the same delivery must always give the same result";
        return Err(ExpressionError::new(format!("`{name}` is not offered: {reason}")));
    }
    let help = nearest(&name, functions.names()).map(|name| format!("did you mean `{name}`?"));
    Err(ExpressionError::new(format!("there is no function `{name}`")).with_help(help))
}
