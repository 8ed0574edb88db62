//! Which column gets which field, by what the words of all headers claim.

use super::names::{Names, Rank};
use super::{Column, Layout, NEIGHBOUR, neighbours, periods};

/// Gives each column its field: the strongest claim wins, among equals the leftmost column.
pub(super) fn assign(layout: &mut Layout, names: &Names) {
    let claimed = |c: &mut Column| c.claims.take().unwrap_or_else(|| names.claims(&c.path));
    let mut claims: Vec<Vec<(usize, Rank)>> = layout.columns.iter_mut().map(claimed).collect();
    neighbours::give_up(layout, names, &mut claims);
    periods::settle(layout, &mut claims);
    let mut taken: Vec<Option<usize>> = vec![None; names.fields()];
    let mut given: Vec<Option<(usize, Rank)>> = layout.columns.iter().map(|_| None).collect();
    layout.twins.clear();
    let mut is_twin = vec![false; claims.len()];
    // Columns that had a field keep it: a column that comes later must not take it from them.
    for (column, held) in layout.columns.iter().enumerate() {
        if let Some(field) = held.field {
            taken[field] = Some(column);
            given[column] = claims[column].iter().copied().find(|(f, _)| *f == field);
        }
    }
    for rank in Rank::ALL {
        for column in 0..claims.len() {
            if given[column].is_some() {
                continue;
            }
            let mut free = claims[column].iter().filter(|(f, r)| *r == rank && taken[*f].is_none());
            let first = free.next().copied();
            if rank == Rank::Weak
                && (free.next().is_some() || first.is_some_and(|f| !neighbours::alone(&claims, column, f.0)))
            {
                continue;
            }
            if let Some((field, _)) = first {
                taken[field] = Some(column);
                given[column] = first;
            } else if let Some((field, _)) =
                claims[column].iter().find(|(_, r)| *r == rank && rank != Rank::Weak)
                && claims[column].iter().all(|(f, _)| taken[*f].is_some())
                && !std::mem::replace(&mut is_twin[column], true)
            {
                layout.twins.push((column, *field));
            }
        }
    }
    let beside = neighbours::decide(layout, names, &claims, &taken, &given);
    for ((column, given), claims) in layout.columns.iter_mut().zip(given).zip(&claims) {
        let others = claims.iter().map(|(field, _)| *field);
        column.others = others.filter(|field| taken.get(*field).is_some_and(Option::is_none)).collect();
        column.field = given.map(|(field, _)| field);
        column.how = given.map_or("unknown", |(_, rank)| rank.as_str());
    }
    for (column, field) in beside {
        if let Some(column) = layout.columns.get_mut(column) {
            (column.field, column.how) = (Some(field), NEIGHBOUR);
            column.others.retain(|other| *other != field);
        }
    }
    for (column, claims) in layout.columns.iter_mut().zip(claims) {
        column.claims = Some(claims);
    }
}
