//! What the columns beside it say of a header: which of several fields its words mean, and that they mean none.

use huiliu_stage::FieldType;

use super::names::{self, Names, Rank, tidy};
use super::{Layout, periods};

/// Words of columns whose days and steps are still to come.
const TO_COME: [&str; 4] = ["计划", "预计", "打算", "拟"];

/// Takes their claims from columns that are of less than they say, because of what stands beside them.
pub(super) fn give_up(layout: &mut Layout, names: &Names, claims: &mut [Vec<(usize, Rank)>]) {
    let part = |at: &usize| is_part(layout, names, claims, *at);
    let parts: Vec<usize> = (0..claims.len()).filter(part).collect();
    let planned = |at: &usize| is_planned(layout, names, claims, *at);
    let planned: Vec<usize> = (0..claims.len()).filter(planned).collect();
    for column in parts.into_iter().chain(planned) {
        claims[column].clear();
        layout.columns[column].of_another = true;
    }
}

/// 其中：设备投资 behind 5月完成投资 is a part of that, and not of the whole.
fn is_part(layout: &Layout, names: &Names, claims: &[Vec<(usize, Rank)>], at: usize) -> bool {
    let leaf = |at: usize| layout.columns[at].path.last().map(|leaf| tidy(leaf)).unwrap_or_default();
    let own = leaf(at);
    if !own.starts_with("其中") {
        return false;
    }
    let whole = (0..at).rev().find(|before| !leaf(*before).starts_with("其中"));
    whole.is_some_and(|whole| {
        let is_money = |field| names.kind(field).is_some_and(|(_, kind)| kind == FieldType::Money);
        let of_whole: Vec<(usize, Rank)> =
            claims[whole].iter().filter(|(field, _)| is_money(*field)).copied().collect();
        names.is_part_of(&of_whole, own.trim_start_matches("其中"), &claims[at])
    })
}

/// 计划投产时间 beside 实际投产时间, and 5月工作计划 beside 5月进展情况: of two columns the one that tells what was is meant.
fn is_planned(layout: &Layout, names: &Names, claims: &[Vec<(usize, Rank)>], at: usize) -> bool {
    let says = |at: usize| {
        let header = tidy(&layout.columns[at].header);
        TO_COME.iter().any(|word| header.contains(word))
    };
    let firm = |at: usize| claims[at].iter().find(|(_, rank)| *rank != Rank::Weak).map(|(field, _)| *field);
    let Some(field) = firm(at).filter(|_| says(at)) else { return false };
    let kind = |field| names.kind(field).map(|(_, kind)| kind);
    let others = || (0..claims.len()).filter(|other| *other != at && !says(*other));
    match kind(field) {
        Some(FieldType::Date) => others().any(|other| firm(other) == Some(field)),
        Some(FieldType::Text) => {
            let period = periods::period(&layout.columns[at]);
            let is_text = |field| kind(field) == Some(FieldType::Text);
            period.is_some()
                && others().any(|other| {
                    firm(other).is_some_and(|of| of != field && is_text(of))
                        && periods::period(&layout.columns[other]) == period
                })
        }
        _ => false,
    }
}

/// Columns whose weak word may mean several fields, one of them of the year, and that stand beside a column of the year.
pub(super) fn decide(
    layout: &Layout,
    names: &Names,
    claims: &[Vec<(usize, Rank)>],
    taken: &[Option<usize>],
    given: &[Option<(usize, Rank)>],
) -> Vec<(usize, usize)> {
    let annual = |at: Option<usize>| {
        let beside = at.and_then(|at| Some((layout.columns.get(at)?, given.get(at)?.as_ref()?)));
        beside.is_some_and(|(column, _)| names::is_annual(&column.header))
    };
    let open = (0..claims.len()).filter(|&column| given[column].is_none());
    let of = |column: usize| {
        let mut free = claims[column].iter().filter(|(field, _)| taken[*field].is_none()).map(|c| c.0);
        let mut fit = free.clone().filter(|field| names.is_annual(*field));
        let field = fit.next().filter(|_| fit.next().is_none())?;
        let several = free.any(|other| other != field);
        let alone = alone(claims, column, field);
        (several && alone && (annual(column.checked_sub(1)) || annual(Some(column + 1))))
            .then_some((column, field))
    };
    open.filter_map(of).collect()
}

/// Whether no other column may mean `field` by a weak word.
pub(super) fn alone(claims: &[Vec<(usize, Rank)>], column: usize, field: usize) -> bool {
    let weakly = |claims: &Vec<(usize, Rank)>| claims.iter().any(|&(f, r)| f == field && r == Rank::Weak);
    !claims.iter().enumerate().any(|(other, claims)| other != column && weakly(claims))
}
