//! V11: days of things that have happened and yet lie in the future.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Date32Type, SchemaRef};
use huiliu_stage::{Findings, Problem, StageError, Text, column_index};

use super::{CatalogueOptions, Check, Sight};
use crate::options::Options;
use crate::tell::{Kind, Note, shown};

/// The days of nodes, where the record has them (domain.md section 4).
const USUAL: [&str; 10] = [
    "sign_date",
    "filing_date",
    "review_date",
    "admit_date",
    "land_date",
    "permit_date",
    "start_date",
    "finish_date",
    "production_date",
    "commitment_date",
];

/// Columns of days that cannot lie in the future.
pub(super) struct Past(Vec<(usize, Note)>);

impl Past {
    pub(super) fn of(
        own: &CatalogueOptions,
        schema: &SchemaRef,
        options: &Options,
        problems: &mut Vec<Problem>,
    ) -> Option<Box<dyn Check>> {
        let mut columns = Vec::new();
        match &own.past {
            None => columns.extend(USUAL.iter().filter_map(|name| schema.index_of(name).ok())),
            Some(names) => {
                for (at, name) in names.iter().enumerate() {
                    match column_index(schema, name) {
                        Ok(column) => columns.push(column),
                        Err(error) => problems.push(Problem {
                            path: format!("catalogue.past[{at}]"),
                            message: error.to_string(),
                        }),
                    }
                }
            }
        }
        columns.retain(|column| schema.field(*column).data_type() == &DataType::Date32);
        let note = |column| Note::new(options, schema.field(column), Kind::Future).map(|note| (column, note));
        let all: Vec<_> = columns.into_iter().filter_map(note).collect();
        (!all.is_empty()).then(|| Box::new(Self(all)) as Box<dyn Check>)
    }
}

impl Check for Past {
    fn judge(&mut self, sight: &Sight<'_>, findings: &mut Findings) -> Result<(), StageError> {
        let today = sight.host.today();
        for (column, note) in &self.0 {
            let days = sight.batch.column(*column).as_primitive::<Date32Type>();
            let future =
                days.values().iter().enumerate().filter(|(at, day)| **day > today && days.is_valid(*at));
            for (at, _) in future {
                let title = &note.title;
                let text = Text::new(
                    format!("{title}晚于今天；尚未发生的请填到计划时间，已发生的请更正"),
                    format!("{title} lies in the future; what is planned has a column of its own"),
                );
                findings.push(note.about_value(sight.rows[at], &shown(sight.batch, *column, at), text));
            }
        }
        Ok(())
    }
}
