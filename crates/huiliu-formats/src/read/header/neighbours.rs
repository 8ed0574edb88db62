//! What the columns beside it say of a header whose words may mean several fields.

use super::Layout;
use super::names::{self, Names, Rank};

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
