//! Questions to the register in SQL, for schedules and reference tables.
//!
//! To a query a register is a table of its name: the record's id, its fields, and `_revision` and `_changed_ms`. It is
//! planned before anything runs ([`RegisterQuery::plan`]) against empty tables of just these columns, so a name that
//! is not there is told at load. It only reads, and it does not ask for the time: the day that counts is a
//! parameter ([`PARAMETERS`]), so that a tick that is run later gives what it would have given then.
//!
//! The records lie in the store as JSON. A query is run with its registers in front of it as common table
//! expressions; SQLite takes out of the records only the fields that are asked for. Amounts are numbers in
//! double precision here: exact up to 15 digits.
//!
//! It cannot do harm either: the connection only reads, knows no other file and no extension, and stops a query that never
//! comes to its end, makes a huge value or answers with more than [`MOST_BYTES`].

use std::fmt::Write;

use arrow::datatypes::{DataType, Schema};
use huiliu_pipeline::ports::StoreError;
use huiliu_stage::json::write_text;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Statement};

use crate::SqliteStore;
use crate::error::{Error, Result};

/// What a query may name with a colon: the day in the pipeline's time zone (`2026-11-24`), the time there
/// (`2026-11-24 08:00`).
pub const PARAMETERS: [&str; 2] = [":today", ":now"];

/// Words that reach out of the database; SQLite would refuse them only when it is asked.
const FORBIDDEN: [&str; 3] = ["load_extension", "readfile", "writefile"];
/// Words that ask for what differs from run to run.
const FLEETING: [&str; 5] = ["current_date", "current_time", "current_timestamp", "random", "randomblob"];
/// Most bytes that a query may answer with.
const MOST_BYTES: usize = 256 << 20;
/// What gives the time, blanks taken out.
const CLOCKS: [&str; 6] = ["'now'", "date()", "time()", "datetime()", "julianday()", "unixepoch()"];

/// A register as queries see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterShape {
    /// The name that queries use, and the name of the register.
    pub name: String,
    /// The register's own name, where `name` is another word for it.
    pub register: String,
    /// Column that holds the record's id.
    pub id: String,
    /// The fields of its records, without the id.
    pub fields: Vec<String>,
}

/// Why a query cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// There is no such register; those there are.
    NoRegister(String, Vec<String>),
    /// There is no such column; those there are.
    NoColumn(String, Vec<String>),
    /// Anything else, in words.
    Wrong(String),
}

/// A query that was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterQuery {
    sql: String,
    columns: Vec<String>,
    registers: Vec<String>,
}

impl RegisterQuery {
    /// Plans a query over registers.
    ///
    /// # Errors
    /// It is no single `SELECT`, names what is not there, or asks for the time.
    pub fn plan(query: &str, registers: &[RegisterShape]) -> Result<Self, QueryError> {
        let wrong = |why: &str| QueryError::Wrong(why.to_owned());
        let query = query.trim().trim_end_matches(';').trim_end();
        let words = words(query);
        let first = words.first().map(String::as_str).unwrap_or_default();
        if first != "select" && first != "with" {
            return Err(wrong("a query begins with SELECT; it only reads"));
        }
        if let Some(word) =
            words.iter().find(|word| word.starts_with("sqlite_") || word.starts_with("pragma_"))
        {
            return Err(QueryError::Wrong(format!("`{word}` is no register; a query asks registers alone")));
        }
        if let Some(word) = FORBIDDEN.into_iter().find(|&word| words.iter().any(|w| w == word)) {
            return Err(QueryError::Wrong(format!("`{word}` is not allowed in a query; it only reads")));
        }
        let squeezed: String = query.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
        let clock = CLOCKS.into_iter().find(|clock| squeezed.contains(clock));
        if let Some(word) =
            clock.or_else(|| FLEETING.into_iter().find(|&word| words.iter().any(|w| w == word)))
        {
            let text =
                format!("`{word}` differs from run to run; the day that counts is `:today`, the time `:now`");
            return Err(QueryError::Wrong(text));
        }
        let named: Vec<&RegisterShape> = registers.iter().filter(|r| mentions(query, &r.name)).collect();
        let columns = try_out(query, &named, registers)?;
        let mut parts: Vec<&str> = named.iter().map(|shape| &*shape.register).collect();
        parts.sort_unstable();
        parts.dedup();
        let sql = in_front(query, first, &named);
        as_it_is_run(&sql)?;
        Ok(Self { sql, columns, registers: parts.into_iter().map(str::to_owned).collect() })
    }

    /// Names of the columns that it gives.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The registers that it reads.
    pub fn registers(&self) -> &[String] {
        &self.registers
    }

    /// The rows as JSON Lines, each value as a column of `schema` wants it. `today` and `now` are what
    /// [`PARAMETERS`] stand for.
    ///
    /// # Errors
    /// The store failed, or a value could not be computed.
    pub fn rows(
        &self,
        store: &SqliteStore,
        schema: &Schema,
        today: &str,
        now: &str,
    ) -> Result<Vec<u8>, StoreError> {
        let kinds: Vec<Option<&DataType>> = self
            .columns
            .iter()
            .map(|name| schema.field_with_name(name).ok().map(|f| f.data_type()))
            .collect();
        let mut lines = String::new();
        let read = |connection: &Connection| -> Result<()> {
            let mut statement = connection.prepare(&self.sql)?;
            bind(&mut statement, today, now)?;
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                let mut before = '{';
                for (at, (name, kind)) in self.columns.iter().zip(&kinds).enumerate() {
                    lines.push(before);
                    write_text(&mut lines, name);
                    lines.push(':');
                    write_json(&mut lines, row.get_ref(at)?, *kind);
                    before = ',';
                }
                lines.push_str("}\n");
                if lines.len() > MOST_BYTES {
                    return Err(too_much());
                }
            }
            Ok(())
        };
        store.ask(read)?;
        Ok(lines.into_bytes())
    }

    /// The rows as texts, for a reference table.
    ///
    /// # Errors
    /// As for [`rows`](Self::rows).
    pub fn texts(
        &self,
        store: &SqliteStore,
        today: &str,
        now: &str,
    ) -> Result<Vec<Vec<Option<String>>>, StoreError> {
        let mut columns = vec![Vec::new(); self.columns.len()];
        let mut bytes = 0;
        let read = |connection: &Connection| -> Result<()> {
            let mut statement = connection.prepare(&self.sql)?;
            bind(&mut statement, today, now)?;
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                for (at, column) in columns.iter_mut().enumerate() {
                    column.push(match row.get_ref(at)? {
                        ValueRef::Null | ValueRef::Blob(_) => None,
                        ValueRef::Integer(number) => Some(number.to_string()),
                        ValueRef::Real(number) => Some(number.to_string()),
                        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                    });
                    bytes += column.last().map_or(0, |cell| cell.as_ref().map_or(8, |text| 24 + text.len()));
                }
                if bytes > MOST_BYTES {
                    return Err(too_much());
                }
            }
            Ok(())
        };
        store.ask(read)?;
        Ok(columns)
    }
}

fn too_much() -> Error {
    Error::failed(format!("the query answers with more than {} MB; ask for less", MOST_BYTES >> 20))
}

fn bind(statement: &mut Statement<'_>, today: &str, now: &str) -> Result<()> {
    for (name, value) in PARAMETERS.into_iter().zip([today, now]) {
        if let Some(at) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(at, value)?;
        }
    }
    Ok(())
}

/// The words of a query in lower case, texts in quotes taken as one word each.
fn words(query: &str) -> Vec<String> {
    let joined = |c: char| c.is_alphanumeric() || c == '_';
    query.split(|c| !joined(c)).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// Whether a name stands in a query as a word of its own.
fn mentions(query: &str, name: &str) -> bool {
    let joined = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let (query, name) = (query.to_lowercase(), name.to_lowercase());
    query.match_indices(&name).any(|(at, found)| {
        let (before, after) = (query.get(..at), query.get(at + found.len()..));
        let quoted = after.is_some_and(|text| text.starts_with('"'));
        !joined(before.and_then(|text| text.chars().next_back()))
            && (quoted || !joined(after.and_then(|text| text.chars().next())))
    })
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Prepares the query on empty tables; gives its columns.
fn try_out(query: &str, named: &[&RegisterShape], all: &[RegisterShape]) -> Result<Vec<String>, QueryError> {
    let failed = |error: rusqlite::Error| explain(&error, named, all);
    let connection = Connection::open_in_memory().map_err(failed)?;
    // Else a misspelt name in double quotes would be taken for a text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false).map_err(failed)?;
    for shape in named {
        let columns: Vec<String> = column_names(shape).map(|name| quoted(&name)).collect();
        let text = format!("CREATE TABLE {} ({})", quoted(&shape.name), columns.join(", "));
        connection.execute_batch(&text).map_err(failed)?;
    }
    let statement = connection.prepare(query).map_err(failed)?;
    if !statement.readonly() {
        return Err(QueryError::Wrong("a query only reads".to_owned()));
    }
    for at in 1..=statement.parameter_count() {
        let name = statement.parameter_name(at).unwrap_or("?");
        if !PARAMETERS.contains(&name) {
            let text = format!("`{name}` stands for nothing; there are `{}`", PARAMETERS.join("` and `"));
            return Err(QueryError::Wrong(text));
        }
    }
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    for (at, column) in columns.iter().enumerate() {
        if columns.iter().take(at).any(|other| other == column) {
            return Err(QueryError::Wrong(format!("two columns are named `{column}`; rename one with AS")));
        }
    }
    Ok(columns)
}

/// Prepares the query as it will be run, on an empty store: what only then goes wrong (a name given twice) is told at load too.
fn as_it_is_run(sql: &str) -> Result<(), QueryError> {
    let tables =
        "CREATE TABLE register (no, name); CREATE TABLE record (id, register, data, revision, at_ms)";
    let tried = Connection::open_in_memory().and_then(|connection| {
        connection.execute_batch(tables)?;
        connection.prepare(sql).map(drop)
    });
    tried.map_err(|error| explain(&error, &[], &[]))
}

fn column_names(shape: &RegisterShape) -> impl Iterator<Item = String> + '_ {
    let own = ["_revision", "_changed_ms"].map(str::to_owned);
    std::iter::once(shape.id.clone()).chain(shape.fields.iter().cloned()).chain(own)
}

/// SQLite's complaint in our words.
fn explain(error: &rusqlite::Error, named: &[&RegisterShape], all: &[RegisterShape]) -> QueryError {
    let text = match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        rusqlite::Error::MultipleStatement => "one query is needed, these are several".to_owned(),
        other => other.to_string(),
    };
    if let Some(table) = text.strip_prefix("no such table: ") {
        let table = table.strip_prefix("main.").unwrap_or(table);
        return QueryError::NoRegister(
            table.to_owned(),
            all.iter().map(|shape| shape.name.clone()).collect(),
        );
    }
    if let Some(column) = text.strip_prefix("no such column: ") {
        let column = column.split(" - ").next().unwrap_or(column);
        let column = column.rsplit('.').next().unwrap_or(column).trim_matches('"');
        let there = named.iter().flat_map(|shape| column_names(shape)).collect();
        return QueryError::NoColumn(column.to_owned(), there);
    }
    QueryError::Wrong(format!("this is no query: {text}"))
}

/// The query with its registers in front of it.
fn in_front(query: &str, first: &str, named: &[&RegisterShape]) -> String {
    let mut sql = String::new();
    for shape in named {
        let register = shape.register.replace('\'', "''");
        let id = quoted(&shape.id);
        let _ = write!(sql, "{} AS (SELECT id AS {id}", quoted(&shape.name));
        for field in &shape.fields {
            let path = format!("$.\"{}\"", field.replace('"', "\\\"")).replace('\'', "''");
            let _ = write!(sql, ", json_extract(data, '{path}') AS {}", quoted(field));
        }
        let _ = write!(
            sql,
            ", revision AS \"_revision\", at_ms AS \"_changed_ms\" FROM main.record \
             WHERE register = (SELECT no FROM main.register WHERE name = '{register}')), "
        );
    }
    let sql = sql.trim_end_matches(", ");
    match first {
        _ if named.is_empty() => query.to_owned(),
        "with" => {
            let rest = query.get("with".len()..).unwrap_or_default().trim_start();
            match rest.get(.."recursive".len()) {
                Some(word) if word.eq_ignore_ascii_case("recursive") => {
                    format!("WITH RECURSIVE {sql}, {}", rest.get("recursive".len()..).unwrap_or_default())
                }
                _ => format!("WITH {sql}, {rest}"),
            }
        }
        _ => format!("WITH {sql} {query}"),
    }
}

/// A value of SQLite as a column of `kind` reads it: it knows neither booleans nor lists.
fn write_json(out: &mut String, value: ValueRef<'_>, kind: Option<&DataType>) {
    match (value, kind) {
        (ValueRef::Null | ValueRef::Blob(_), _) => out.push_str("null"),
        (ValueRef::Integer(number), Some(DataType::Boolean)) => {
            out.push_str(if number == 0 { "false" } else { "true" });
        }
        (ValueRef::Integer(number), _) => drop(write!(out, "{number}")),
        (ValueRef::Real(number), Some(DataType::Int64)) if number.fract() == 0.0 => {
            let _ = write!(out, "{number:.0}");
        }
        (ValueRef::Real(number), _) if number.is_finite() => drop(write!(out, "{number}")),
        (ValueRef::Real(_), _) => out.push_str("null"),
        (ValueRef::Text(text), Some(DataType::List(_)))
            if serde_json::from_slice::<Vec<Option<String>>>(text).is_ok() =>
        {
            out.push_str(&String::from_utf8_lossy(text));
        }
        (ValueRef::Text(text), _) => write_text(out, &String::from_utf8_lossy(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes() -> Vec<RegisterShape> {
        let shape = |name: &str, fields: &[&str]| RegisterShape {
            name: name.into(),
            register: name.into(),
            id: "record_id".into(),
            fields: fields.iter().map(|&field| field.to_owned()).collect(),
        };
        vec![shape("projects", &["project_name", "ytd_investment"]), shape("credit-list", &["uscc"])]
    }

    #[test]
    fn a_query_reads_what_the_register_holds_with_its_types() {
        use arrow::datatypes::Field;
        use huiliu_pipeline::ports::{Sink, Stream};
        let (_folder, store) = crate::testing::store();
        let cells: [(&str, &[&str]); 3] = [
            ("record_id", &["r1", "r2"]),
            ("project_name", &["甲", "乙"]),
            ("due", &["2026-11-23", "2026-11-25"]),
        ];
        let records = crate::testing::batch(&cells, 2);
        crate::testing::commit(&store, "a", &[(Stream::Records, records)]).unwrap();
        let options = crate::RegisterOptions::new("projects");
        let mut sink = store.register_sink(crate::testing::PIPELINE, "register", options);
        let entry = store.next_after(crate::testing::PIPELINE, 0).unwrap().unwrap();
        sink.deliver(&entry, &mut store.read_log(entry.seq, Stream::Records).unwrap()).unwrap();

        let shape = RegisterShape {
            name: "register".into(),
            register: "projects".into(),
            id: "record_id".into(),
            fields: vec!["project_name".into(), "due".into(), "absent".into()],
        };
        let query = "SELECT record_id, project_name, due < :today AS late, absent, _revision FROM register";
        let plan = RegisterQuery::plan(query, &[shape]).unwrap();
        let schema = Schema::new(vec![Field::new("late", DataType::Boolean, true)]);
        let rows = plan.rows(&store, &schema, "2026-11-24", "2026-11-24 08:00").unwrap();
        assert_eq!(
            String::from_utf8(rows).unwrap(),
            "{\"record_id\":\"r1\",\"project_name\":\"甲\",\"late\":true,\"absent\":null,\"_revision\":1}\n\
             {\"record_id\":\"r2\",\"project_name\":\"乙\",\"late\":false,\"absent\":null,\"_revision\":1}\n"
        );
        let texts = plan.texts(&store, "2026-11-24", "").unwrap();
        assert_eq!(texts[1], [Some("甲".to_owned()), Some("乙".to_owned())]);
    }

    #[test]
    fn a_query_that_never_ends_or_answers_with_too_much_is_stopped() {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::database::bound(&mut connection, 1_000_000).unwrap();
        for sql in [
            "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
            "SELECT length(hex(zeroblob(100000000)))",
        ] {
            let asked = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
            assert!(asked.is_err(), "{sql}");
        }
        // What is within bounds is not touched.
        let sum = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000) SELECT sum(x) FROM c";
        let mut connection = Connection::open_in_memory().unwrap();
        crate::database::bound(&mut connection, 1_000_000).unwrap();
        assert_eq!(connection.query_row(sum, [], |row| row.get::<_, i64>(0)).unwrap(), 500_500);

        let (_folder, store) = crate::testing::store();
        let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) \
                       SELECT x, printf('%.*c', 10000000, 'a') AS text FROM c";
        let plan = RegisterQuery::plan(endless, &[]).unwrap();
        let told = plan.texts(&store, "", "").unwrap_err().to_string();
        assert!(told.contains("more than 256 MB"), "{told}");
    }

    #[test]
    fn a_query_is_planned_against_the_registers_there_are() {
        let columns = |query: &str| RegisterQuery::plan(query, &shapes()).map(|plan| plan.columns().to_vec());
        let names = |names: &[&str]| Ok(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(columns("SELECT project_name FROM projects;"), names(&["project_name"]));
        assert_eq!(
            columns("with a as (select record_id as id from projects) select id, :today as day from a"),
            names(&["id", "day"])
        );
        assert_eq!(columns("SELECT uscc FROM \"credit-list\" ORDER BY 1"), names(&["uscc"]));
        let plan = RegisterQuery::plan("SELECT p._revision FROM projects p", &shapes()).unwrap();
        assert_eq!(plan.registers(), ["projects"]);
        let told = |query: &str| columns(query).unwrap_err();
        assert!(matches!(told("SELECT name FROM projects"), QueryError::NoColumn(name, _) if name == "name"));
        assert!(
            matches!(told("SELECT p.nam FROM projects p"), QueryError::NoColumn(name, _) if name == "nam")
        );
        assert!(
            matches!(told("SELECT 1 FROM project"), QueryError::NoRegister(name, _) if name == "project")
        );
        // The store's own tables are no registers.
        assert!(matches!(told("SELECT * FROM delivery"), QueryError::NoRegister(..)));
        for query in [
            "",
            "DELETE FROM projects",
            "SELECT 1; SELECT 2",
            "PRAGMA user_version",
            "ATTACH 'x' AS y",
            "WITH a AS (SELECT 1) DELETE FROM projects",
            "SELECT date('now')",
            "SELECT datetime ( )",
            "SELECT CURRENT_DATE",
            "SELECT :tomorrow",
            "SELECT ?",
            "SELECT 1 AS a, 2 AS a",
            "SELECT FROM projects",
            "SELECT load_extension('x')",
            "SELECT name FROM sqlite_master",
            "SELECT * FROM pragma_database_list",
            "WITH projects AS (SELECT 1 AS a) SELECT a FROM projects",
        ] {
            assert!(matches!(told(query), QueryError::Wrong(_)), "{query}");
        }
    }
}
