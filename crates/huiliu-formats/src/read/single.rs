//! One text as the value of one column, read as a cell of that column would be.
//!
//! For values that people give outside of a file, such as the repair of a row in quarantine. A column that carries its
//! field of the record schema is read in that field's unit and by its name; one that a stage added goes by its type.

use arrow::datatypes::{DataType, Field as Column, TimeUnit};
use arrow::temporal_conversions::timestamp_ms_to_datetime;
use huiliu_stage::json::write_decimal;
use huiliu_stage::{Field, FieldType, Text};
use serde_json::{Number as JsonNumber, Value};

use super::value::{
    Asked, Money, Note, Number, Parsed, Unit, Words, boolean, date, integer, iso, list_items, timestamp,
    trimmed,
};

/// Reads `text` as the value of `column`; `today` (days since 1970-01-01) gives the year of dates such as `3月`.
///
/// Gives the value as JSON that Arrow's reader takes for the column (amounts as text with all their digits, days as
/// `2024-05-01`, null for an empty text) and, if the text was read with a choice, what to tell of it.
///
/// # Errors
/// What is wrong with the text and what to write instead.
pub fn value_of(text: &str, column: &Column, today: i32) -> Result<(Value, Option<Text>), Text> {
    let Some(field) = Field::of(column).or_else(|| by_type(column)) else {
        return Err(Text::new(
            format!("“{}”这一列的类型不能用文字填写", column.name()),
            format!("a value of `{}` cannot be given as text", column.name()),
        ));
    };
    // The amounts of a stage may be in any unit, those of a record are in 万元 unless it says otherwise.
    let money = field.kind == FieldType::Money && Field::of(column).is_some();
    let unit = field.unit.as_deref().or(money.then_some("万元"));
    let unit = unit.and_then(Unit::parse);
    match field.kind {
        FieldType::Text => Ok((filled(trimmed(text)), None)),
        FieldType::List => {
            let items: Vec<Value> = list_items(text).map(Value::from).collect();
            Ok((if items.is_empty() { Value::Null } else { Value::Array(items) }, None))
        }
        FieldType::Integer => of(text, integer(text), Value::from),
        FieldType::Number => of(text, Number::new(unit, None).lenient(text), |number| {
            JsonNumber::from_f64(number).map_or(Value::Null, Value::Number)
        }),
        FieldType::Money => of(text, Money::new(unit, None).lenient(text), amount),
        FieldType::Date => {
            let asked = Asked::by(&field.name, field.title());
            of(text, date(text, today, asked), |day| iso(day).map_or(Value::Null, Value::String))
        }
        FieldType::Boolean => of(text, boolean(text, false), Value::Bool),
        FieldType::Timestamp => of(text, timestamp(text, today, false), |millis| {
            timestamp_ms_to_datetime(millis)
                .map_or(Value::Null, |time| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into())
        }),
    }
}

/// A field for a column that a stage added.
fn by_type(column: &Column) -> Option<Field> {
    let kind = match column.data_type() {
        DataType::Utf8 => FieldType::Text,
        DataType::Int64 => FieldType::Integer,
        DataType::Float64 => FieldType::Number,
        DataType::Decimal128(..) => FieldType::Money,
        DataType::Date32 => FieldType::Date,
        DataType::Boolean => FieldType::Boolean,
        DataType::List(item) if item.data_type() == &DataType::Utf8 => FieldType::List,
        DataType::Timestamp(TimeUnit::Millisecond, _) => FieldType::Timestamp,
        _ => return None,
    };
    Some(Field { name: column.name().clone(), kind, ..Field::default() })
}

fn filled(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

/// A number of ten-thousandths as text, which no reader of JSON rounds.
fn amount(stored: i128) -> Value {
    let mut text = String::new();
    write_decimal(&mut text, stored, 4);
    text.into()
}

fn of<T>(text: &str, parsed: Parsed<T>, written: impl Fn(T) -> Value) -> Result<(Value, Option<Text>), Text> {
    let about = |note: Box<Note>| {
        let Words { zh, en } = &note.text;
        Text::new(format!("“{text}”{zh}"), format!("`{text}` {en}"))
    };
    match (parsed.value, parsed.note) {
        (Some(value), note) => Ok((written(value), note.map(about))),
        // 待定 and its like are the answer that there is no value yet.
        (None, Some(note)) if note.code != "placeholder" => Err(about(note)),
        (None, note) => Ok((Value::Null, note.map(about))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn column(name: &str, kind: FieldType, unit: Option<&str>) -> Column {
        Field { name: name.into(), kind, unit: unit.map(str::to_owned), ..Field::default() }.to_arrow()
    }

    #[test]
    fn a_text_becomes_the_value_that_a_cell_of_the_column_would() {
        use FieldType::{Boolean, Date, Integer, List, Money, Number, Text, Timestamp};
        for (kind, unit, text, value) in [
            (Money, None, "1.2亿元", json!("12000")),
            (Money, Some("亿元"), "1.2", json!("1.2")),
            (Money, None, "12345678901234.5678", json!("12345678901234.5678")),
            (Money, None, "待定", Value::Null),
            (Number, Some("亩"), "2公顷", json!(30.0)),
            (Integer, None, "十二人", json!(12)),
            (Date, None, "2023年3月15日", json!("2023-03-15")),
            (Date, None, "3月", json!("2023-03-01")),
            (Boolean, None, "√", json!(true)),
            (List, None, "532、两湖", json!(["532", "两湖"])),
            (Text, None, " 001 ", json!("001")),
            (Timestamp, None, "2023-03-15 08:00", json!("2023-03-15T00:00:00.000Z")),
            (Money, None, "", Value::Null),
        ] {
            let told = value_of(text, &column("x", kind, unit), 19_500);
            assert_eq!(told.map(|(value, _)| value), Ok(value), "{text}");
        }
        // The column of a stage has no field.
        let added = Column::new("score", DataType::Decimal128(18, 4), true);
        assert_eq!(value_of("85.5", &added, 0).map(|(value, _)| value), Ok(json!("85.5")));
    }

    #[test]
    fn a_choice_is_told_and_what_cannot_be_read_is_refused() {
        let (_, note) = value_of("约3亿", &column("total", FieldType::Money, None), 0).unwrap();
        assert_eq!(
            note.unwrap().en,
            "`约3亿` is qualified (about, over, nearly); the figure itself was taken"
        );
        let refused = value_of("五六个", &column("jobs", FieldType::Integer, None), 0).unwrap_err();
        assert_eq!(refused.zh, "“五六个”不是整数；请填整数，如 12");
        assert!(value_of("计划6月", &column("start_date", FieldType::Date, None), 0).is_err());
        let odd = Column::new("odd", DataType::UInt8, true);
        assert!(value_of("1", &odd, 0).unwrap_err().en.contains("`odd`"));
    }
}
