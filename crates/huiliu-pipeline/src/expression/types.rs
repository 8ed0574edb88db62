//! Which types go together, decided before DataFusion converts what it can.
//!
//! DataFusion compares a text with a number by turning one into the other, and an amount with `0.15` as
//! binary fractions. In a rule about spreadsheets the first is a mistake and the second is off by a hair
//! at the very limit the rule is about.

use arrow::datatypes::DataType;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{DFSchema, ScalarValue};
use datafusion_expr::{BinaryExpr, Expr, ExprSchemable, Operator, cast};

use super::ExpressionError;
use super::functions::declared;

/// Refuses operands that do not go together; makes decimals of numbers beside amounts, and numbers of
/// quotients.
pub(super) fn settle(expr: Expr, schema: &DFSchema) -> Result<Expr, ExpressionError> {
    let mut refused = None;
    let settled = expr.transform_up(|part| {
        if refused.is_some() {
            return Ok(Transformed::no(part));
        }
        match part {
            Expr::BinaryExpr(binary) => match check_binary(&binary, schema) {
                Ok(()) => exact(binary, schema),
                Err(error) => {
                    refused = Some(error);
                    Ok(Transformed::no(Expr::BinaryExpr(binary)))
                }
            },
            other => {
                refused = check_other(&other, schema).err();
                exact_list(other, schema)
            }
        }
    });
    match refused {
        Some(error) => Err(error),
        None => Ok(settled?.data),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Text,
    Number,
    Truth,
    Time,
    Span,
    List,
    Unknown,
}

impl Class {
    fn of(kind: &DataType) -> Self {
        match kind {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            kind if kind.is_numeric() => Self::Number,
            DataType::Boolean => Self::Truth,
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Self::Time,
            DataType::Interval(_) | DataType::Duration(_) => Self::Span,
            DataType::List(_) => Self::List,
            _ => Self::Unknown,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::Truth => "true or false",
            Self::Time => "a date",
            Self::Span => "a length of time",
            Self::List => "a list",
            Self::Unknown => "of another kind",
        }
    }
}

/// The class of a part; `Unknown` for null and for what DataFusion will complain of itself.
fn class(part: &Expr, schema: &DFSchema) -> Class {
    part.get_type(schema).map_or(Class::Unknown, |kind| Class::of(&kind))
}

fn is_literal(part: &Expr) -> bool {
    matches!(part, Expr::Literal(..))
}

/// A part as the author wrote it, or nearly.
fn shown(part: &Expr) -> String {
    match part {
        Expr::Column(column) => column.name.clone(),
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => format!("'{text}'"),
        Expr::Literal(value, _) => value.to_string(),
        other => other.human_display().to_string(),
    }
}

fn is(part: &Expr, class: Class) -> String {
    format!("`{}` is {}", shown(part), class.name())
}

/// Whether two values can be compared; a date may be written as text.
fn comparable(left: (&Expr, Class), right: (&Expr, Class)) -> bool {
    match (left, right) {
        ((_, a), (_, b)) if a == b || a == Class::Unknown || b == Class::Unknown => true,
        ((text, Class::Text), (_, Class::Time)) | ((_, Class::Time), (text, Class::Text)) => is_literal(text),
        _ => false,
    }
}

fn check_compared(left: &Expr, right: &Expr, schema: &DFSchema) -> Result<(), ExpressionError> {
    let (a, b) = (class(left, schema), class(right, schema));
    if comparable((left, a), (right, b)) {
        return Ok(());
    }
    let help = match (a, b) {
        (Class::Text, Class::Number) => Some(format!("`try_cast({} as double)` reads a number", shown(left))),
        (Class::Number, Class::Text) if !is_literal(right) => {
            Some(format!("`try_cast({} as double)` reads a number", shown(right)))
        }
        _ => None,
    };
    let message = format!("cannot be compared: {}, {}", is(left, a), is(right, b));
    Err(ExpressionError::new(message).with_help(help))
}

fn check_binary(binary: &BinaryExpr, schema: &DFSchema) -> Result<(), ExpressionError> {
    let BinaryExpr { left, op, right } = binary;
    if matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    ) {
        return check_compared(left, right, schema);
    }
    let refuse = |wanted: &str, part: &Expr, class: Class| {
        Err(ExpressionError::new(format!("`{op}` needs {wanted} on both sides: {}", is(part, class))))
    };
    for part in [left, right] {
        let class = class(part, schema);
        match op {
            Operator::And | Operator::Or if !matches!(class, Class::Truth | Class::Unknown) => {
                return refuse("a condition", part, class);
            }
            Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide | Operator::Modulo
                if matches!(class, Class::Text | Class::Truth | Class::List) =>
            {
                return refuse("a number", part, class);
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_other(part: &Expr, schema: &DFSchema) -> Result<(), ExpressionError> {
    match part {
        Expr::InList(list) => list.list.iter().try_for_each(|item| check_compared(&list.expr, item, schema)),
        Expr::Between(between) => {
            check_compared(&between.expr, &between.low, schema)?;
            check_compared(&between.expr, &between.high, schema)
        }
        Expr::Like(like) | Expr::SimilarTo(like) => match class(&like.expr, schema) {
            Class::Text | Class::Unknown => Ok(()),
            other => Err(ExpressionError::new(format!("`like` needs text: {}", is(&like.expr, other)))),
        },
        Expr::ScalarFunction(call) => match declared(&call.func) {
            Some(wanted) => check_call(call.name(), wanted, &call.args, schema),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// The daemon's functions are given what they declare: DataFusion would hand them an amount as text.
fn check_call(
    name: &str,
    wanted: &[DataType],
    given: &[Expr],
    schema: &DFSchema,
) -> Result<(), ExpressionError> {
    if wanted.len() != given.len() {
        let (wanted, given) = (wanted.len(), given.len());
        return Err(ExpressionError::new(format!("`{name}` takes {wanted} values, {given} are given")));
    }
    for (kind, part) in wanted.iter().zip(given) {
        let (due, found) = (Class::of(kind), class(part, schema));
        if !comparable((part, due), (part, found)) {
            let message = format!("`{name}` needs {} here: {}", due.name(), is(part, found));
            return Err(ExpressionError::new(message));
        }
    }
    Ok(())
}

type Rewritten = datafusion_common::Result<Transformed<Expr>>;

/// Beside an amount, a number written in the expression is taken as it is written; a quotient is a number.
fn exact(binary: BinaryExpr, schema: &DFSchema) -> Rewritten {
    let BinaryExpr { left, op, right } = binary;
    let amounts = [is_decimal(&left, schema), is_decimal(&right, schema)];
    let (left, right) = match (op, amounts) {
        (_, [false, false]) => (left, right),
        (Operator::Divide, _) => {
            let number = |part: Expr| Box::new(cast(part, DataType::Float64));
            (number(*left), number(*right))
        }
        (_, [true, false]) => (left, Box::new(as_decimal(*right))),
        (_, [false, true]) => (Box::new(as_decimal(*left)), right),
        _ => (left, right),
    };
    Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right })))
}

fn exact_list(part: Expr, schema: &DFSchema) -> Rewritten {
    Ok(match part {
        Expr::InList(mut list) if is_decimal(&list.expr, schema) => {
            list.list = list.list.into_iter().map(as_decimal).collect();
            Transformed::yes(Expr::InList(list))
        }
        Expr::Between(mut between) if is_decimal(&between.expr, schema) => {
            between.low = Box::new(as_decimal(*between.low));
            between.high = Box::new(as_decimal(*between.high));
            Transformed::yes(Expr::Between(between))
        }
        other => Transformed::no(other),
    })
}

fn is_decimal(part: &Expr, schema: &DFSchema) -> bool {
    matches!(part.get_type(schema), Ok(DataType::Decimal128(..)))
}

/// A number literal as the decimal that was written, if it has few enough digits; anything else as it is.
fn as_decimal(part: Expr) -> Expr {
    let Expr::Literal(ScalarValue::Float64(Some(number)), _) = &part else { return part };
    match decimal(*number) {
        Some(value) => Expr::Literal(value, None),
        None => part,
    }
}

fn decimal(number: f64) -> Option<ScalarValue> {
    let text = format!("{number}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = format!("{whole}{fraction}");
    let precision = digits.trim_start_matches(['-', '0']).len().max(fraction.len() + 1);
    if !number.is_finite() || precision > 15 {
        return None;
    }
    let value = digits.parse::<i128>().ok()?;
    Some(ScalarValue::Decimal128(
        Some(value),
        u8::try_from(precision).ok()?,
        i8::try_from(fraction.len()).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_becomes_the_decimal_that_was_written() {
        let table = [
            (0.15, Some((15, 2))),
            (1.5, Some((15, 1))),
            (-0.5, Some((-5, 1))),
            (300.0, Some((300, 0))),
            (0.000001, Some((1, 6))),
            (1e20, None), // Too large to be exact in either form.
            (f64::NAN, None),
        ];
        for (number, expected) in table {
            let found = match decimal(number) {
                Some(ScalarValue::Decimal128(Some(value), _, scale)) => Some((value, scale)),
                _ => None,
            };
            assert_eq!(found, expected, "{number}");
        }
    }
}
