//! The registers that the pipelines at hand fill, and what others ask of them.
//!
//! A schedule and a table may ask registers by SQL. Which columns a register has is known before anything runs: it is
//! what the pipelines that fill it give to it. So queries are checked here, when all pipelines are at hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use huiliu_pipeline::diagnostic::{Diagnostic, Span, suggestion};
use huiliu_pipeline::plan::{Plan, narrow};
use huiliu_store::{QueryError, RegisterQuery, RegisterShape, SqliteStore};

use super::tables::PlanTables;
use crate::catalog;
use crate::sinks::SinkConfig;
use crate::sinks::register::RegisterSinkConfig;

/// The word for the register in a query, where there is but one.
const REGISTER: &str = "register";

/// The register sinks of a pipeline: name of the sink, its configuration.
fn sinks(plan: &Plan) -> impl Iterator<Item = (&str, RegisterSinkConfig)> {
    plan.sinks.iter().filter_map(|sink| match SinkConfig::parse(&sink.kind, &sink.options, &plan.output) {
        Ok(SinkConfig::Register(config)) => Some((&*sink.name, config)),
        _ => None,
    })
}

/// The register that a pipeline fills or changes, and the column with the id of its records.
pub(crate) fn of(plan: &Plan) -> Option<(String, String)> {
    sinks(plan).next().map(|(_, config)| (config.name(&plan.name), config.id))
}

/// The registers that these pipelines fill, in the order of their names.
pub(crate) fn shapes(plans: &[Plan]) -> Vec<RegisterShape> {
    let mut all: BTreeMap<String, RegisterShape> = BTreeMap::new();
    // Who only changes records fills no register.
    let mut made: Vec<String> = Vec::new();
    for plan in plans {
        for (_, config) in sinks(plan) {
            let name = config.name(&plan.name);
            if config.only.is_empty() {
                made.push(name.clone());
            }
            let fields = plan.output.fields.iter().map(|field| field.name());
            let data = [&config.id, &config.origins, &config.matched];
            let fields = fields.filter(|field| !field.starts_with('_') && !data.contains(field));
            let kept = fields.filter(|field| config.only.is_empty() || config.only.contains(field));
            let empty = || RegisterShape {
                name: name.clone(),
                register: name.clone(),
                id: config.id.clone(),
                fields: Vec::new(),
            };
            let shape = all.entry(name.clone()).or_insert_with(empty);
            // The id is called as those call it who make the records.
            if config.only.is_empty() && made.iter().filter(|made| **made == name).count() == 1 {
                shape.id.clone_from(&config.id);
            }
            for field in kept {
                if !shape.fields.contains(field) {
                    shape.fields.push(field.clone());
                }
            }
        }
    }
    all.into_values().filter(|shape| made.contains(&shape.register)).collect()
}

/// The registers as a query names them: also the one that `register` stands for.
fn with_short_name(mut shapes: Vec<RegisterShape>, meant: Option<&str>) -> Vec<RegisterShape> {
    let one = match meant {
        Some(name) => shapes.iter().find(|shape| shape.register == name),
        None if shapes.len() == 1 => shapes.first(),
        None => None,
    };
    let short = one.filter(|_| shapes.iter().all(|shape| shape.name != REGISTER));
    let short = short.map(|shape| RegisterShape { name: REGISTER.to_owned(), ..shape.clone() });
    shapes.extend(short);
    shapes
}

/// The query of a pipeline's schedule, planned; `None` for other sources.
pub(crate) fn schedule_query(plan: &Plan, plans: &[Plan]) -> Option<Result<RegisterQuery, QueryError>> {
    let source = catalog::schedule_of(plan)?;
    let shapes = with_short_name(shapes(plans), source.register.as_deref());
    Some(RegisterQuery::plan(&source.query, &shapes))
}

/// The tables of a pipeline that are queries, planned.
fn table_queries(plan: &Plan, plans: &[Plan]) -> BTreeMap<String, Result<RegisterQuery, QueryError>> {
    let shapes = with_short_name(shapes(plans), None);
    let queries = plan.tables.iter().filter_map(|(name, table)| Some((name, table, table.query.as_ref()?)));
    let planned = queries.map(|(name, table, query)| {
        let planned = RegisterQuery::plan(query, &shapes);
        (name.clone(), if table.optional { or_empty(planned, query, shapes.clone()) } else { planned })
    });
    planned.collect()
}

/// A query whose registers nobody fills asks empty ones, whatever columns it names.
fn or_empty(
    mut planned: Result<RegisterQuery, QueryError>,
    query: &str,
    mut shapes: Vec<RegisterShape>,
) -> Result<RegisterQuery, QueryError> {
    let words = query.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    let mut fields: Vec<String> = words.map(str::to_lowercase).collect();
    fields.sort_unstable();
    fields.dedup();
    fields.retain(|field| field != "record_id" && !field.starts_with('_'));
    while let Err(QueryError::NoRegister(name, _)) = &planned {
        let (name, id, fields) = (name.clone(), "record_id".to_owned(), fields.clone());
        if shapes.iter().any(|shape| shape.name == name) {
            break;
        }
        shapes.push(RegisterShape { register: name.clone(), name, id, fields });
        planned = RegisterQuery::plan(query, &shapes);
    }
    planned
}

/// A pipeline's reference tables, on a store.
pub(crate) fn tables(plan: &Plan, plans: &[Plan], store: &Arc<SqliteStore>) -> PlanTables {
    let queries =
        table_queries(plan, plans).into_iter().filter_map(|(name, query)| Some((name, query.ok()?)));
    PlanTables::new(&plan.tables).on(store.clone(), queries.collect())
}

/// Names of the registers that a pipeline asks; with `optional` also those that it could do without.
fn read_by(plan: &Plan, plans: &[Plan], optional: bool) -> Vec<String> {
    let counts = |name: &String| optional || plan.tables.get(name).is_none_or(|table| !table.optional);
    let tables =
        table_queries(plan, plans).into_iter().filter(|(name, _)| counts(name)).map(|(_, query)| query);
    let queries = schedule_query(plan, plans).into_iter().chain(tables).filter_map(Result::ok);
    queries.flat_map(|query| query.registers().to_vec()).collect()
}

/// The pipelines and their sinks that fill the registers which a query asks.
pub(crate) fn writers(query: &RegisterQuery, plans: &[Plan]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for plan in plans {
        let filling = sinks(plan).filter(|(_, config)| query.registers().contains(&config.name(&plan.name)));
        all.extend(filling.map(|(sink, _)| (plan.name.clone(), sink.to_owned())));
    }
    all
}

/// The order of a single run, as places in `plans`: who asks a register runs after those who fill it, and time comes
/// after files. Pipelines of one group run side by side.
pub(crate) fn groups(plans: &[Plan]) -> Vec<Vec<usize>> {
    let filled: Vec<Vec<String>> =
        plans.iter().map(|plan| sinks(plan).map(|(_, config)| config.name(&plan.name)).collect()).collect();
    let read = |optional| plans.iter().map(|plan| read_by(plan, plans, optional)).collect::<Vec<_>>();
    let (all_read, needed) = (read(true), read(false));
    let mut left: Vec<usize> = (0..plans.len()).collect();
    let mut groups = Vec::new();
    while !left.is_empty() {
        let free = |read: &[Vec<String>]| {
            let waits = |at: usize| {
                let mut others = left.iter().filter(|&&other| other != at);
                others.any(|&other| filled[other].iter().any(|name| read[at].contains(name)))
            };
            left.iter().copied().filter(|&at| !waits(at)).collect::<Vec<_>>()
        };
        let mut group = free(&all_read);
        if group.is_empty() {
            // They wait for each other: what can do without goes first.
            group = free(&needed);
        }
        if group.is_empty() {
            // Still: files first, then the order in which they were given.
            let file = left.iter().copied().find(|&at| plans[at].source.0 != "schedule");
            group.extend(file.or(left.first().copied()));
        }
        left.retain(|at| !group.contains(at));
        groups.push(group);
    }
    groups
}

/// Everything that is wrong with what the pipelines ask of each other's registers.
pub(crate) fn check(plans: &[Plan]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for plan in plans {
        if let Some(query) = schedule_query(plan, plans) {
            let span = plan.source.1.locate("query", false);
            match query {
                Err(error) => found.push(told(&span, error)),
                Ok(query) => found.extend(unknown_fields(plan, &query, &span)),
            }
        }
        if let Some(meant) = catalog::schedule_of(plan).and_then(|source| source.register) {
            let shapes = shapes(plans);
            if shapes.iter().all(|shape| shape.register != meant) {
                let names = shapes.into_iter().map(|shape| shape.name).collect();
                let span = plan.source.1.locate("register", false);
                found.push(told(&span, QueryError::NoRegister(meant, names)));
            }
        }
        for (name, query) in table_queries(plan, plans) {
            let span = plan.tables.get(&name).and_then(|table| table.span.clone());
            if let (Err(error), Some(span)) = (query, span) {
                found.push(told(&span, error));
            }
        }
    }
    found
}

/// What a query gives that the record does not know.
fn unknown_fields(plan: &Plan, query: &RegisterQuery, span: &Span) -> Vec<Diagnostic> {
    let known: Vec<&str> = plan.record.fields.iter().map(|field| &*field.name).collect();
    let unknown = query.columns().iter().filter(|column| !known.contains(&column.as_str()));
    let told = unknown.map(|column| {
        let text = format!("the query gives `{column}`, which is no field of the record");
        Diagnostic::new(span, text).with_maybe_help(suggestion(column, known.iter().copied()))
    });
    told.collect()
}

fn told(span: &Span, error: QueryError) -> Diagnostic {
    let (message, help) = match error {
        QueryError::NoColumn(name, there) => {
            let help = suggestion(&name, there.iter().map(String::as_str));
            (format!("there is no column `{name}` in the registers that the query asks"), help)
        }
        QueryError::NoRegister(name, there) if there.is_empty() => (
            format!("there is no register `{name}`: none of these pipelines fills one"),
            Some("name the pipelines that fill it as well, such as their folder".to_owned()),
        ),
        QueryError::NoRegister(name, there) => {
            let nearest = suggestion(&name, there.iter().map(String::as_str));
            let help = nearest.or_else(|| Some(format!("these pipelines fill: {}", there.join(", "))));
            (format!("there is no register `{name}` that these pipelines fill"), help)
        }
        QueryError::Wrong(text) => (text, None),
    };
    Diagnostic::new(&narrow(span.clone(), &message), message).with_maybe_help(help)
}
