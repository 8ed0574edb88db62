//! Rows that belong to a header and name nothing: units above the table or below the header, numbers of columns.

use super::{Column, Grid, Layout, Names, above, declared, names};
use crate::read::value::Unit;
use huiliu_stage::FieldType;

/// The unit of all amounts: `单位：万元` above the table, in one cell or in two beside one another, at the end of its title, or
/// at the end of its header.
pub(super) fn of_sheet(grid: &Grid, layout: &Layout) -> Option<Unit> {
    let cells: Vec<&String> = above(grid, layout).collect();
    let parted = cells.windows(2).filter_map(|pair| match pair {
        [label, unit] if names::tidy(label).ends_with("单位") => names::unit_alone(unit),
        _ => None,
    });
    let whole = cells.iter().filter_map(|cell| {
        // 产值单位 is told by the other way of reading, and is none of all amounts.
        let list = || declared::declared_units(cell).into_iter().find(Unit::is_money);
        let alone = names::tidy(cell).starts_with('(');
        declared::declared_unit(cell).filter(Unit::is_money).or_else(|| alone.then(list)?)
    });
    let beside = layout.columns.iter().flat_map(|column| &column.path).filter(|cell| {
        let text = names::tidy(cell);
        ["单位:", "(单位:", "金额单位:", "(金额单位:"].iter().any(|begin| text.starts_with(begin))
    });
    let beside = beside.filter_map(|cell| declared::declared_unit(cell));
    // 重大项目表（亿元）
    let of_title = cells.iter().filter(|cell| names::tidy(cell).ends_with(')'));
    let of_title = of_title.filter_map(|cell| names::unit_of(cell));
    whole.chain(parted).chain(beside).chain(of_title).find(Unit::is_money)
}

/// Notes a unit of money that stands above the table and was not understood.
pub(super) fn unclear(grid: &Grid, layout: &mut Layout) {
    if layout.unit.is_none() {
        let unclear = above(grid, layout).find_map(|cell| declared::unclear_unit(cell));
        layout.unclear_unit = unclear;
    }
}

/// Notes that all amounts have units of their own in their headers, and others than the one above the table.
pub(super) fn unused(layout: &mut Layout, names: &Names) {
    let is_money = |column: &&Column| {
        column.field.is_some_and(|field| names.kind(field).is_some_and(|(_, kind)| kind == FieldType::Money))
    };
    let Some(unit) = &layout.unit else { return };
    let mut own = layout.columns.iter().filter(is_money).map(|column| column.unit.as_ref()).peekable();
    layout.unused_unit =
        own.peek().is_some() && own.all(|own| own.is_some_and(|own| own.is_money() && !own.is_same(unit)));
}

/// Notes the amounts whose unit nothing says, where another column's header says one that is not theirs by default: 年度计划投资
/// beside 总投资（亿元）. Those whose cells all say it need none.
pub(super) fn unsaid(grid: &Grid, layout: &mut Layout, names: &Names) {
    if layout.unit.is_some() || !layout.row_units.is_empty() {
        return;
    }
    let money = |column: &Column| {
        column.field.filter(|field| names.kind(*field).is_some_and(|(_, kind)| kind == FieldType::Money))
    };
    let usual = |field: usize| names.unit(field).cloned().or_else(|| Unit::parse("万元"));
    let said = layout.columns.iter().filter(|column| money(column).is_some()).find_map(|column| {
        let (unit, usual) = (column.unit.clone()?, usual(column.field?)?);
        (unit.is_money() && !unit.is_same(&usual)).then_some(unit)
    });
    let Some(said) = said else { return };
    let last = layout.header_rows.last().copied().unwrap_or(0);
    let is_bare = |at: usize| {
        let cells = grid.iter().filter(|(number, _)| *number > last).filter_map(|(_, cells)| cells.get(at));
        cells.map(|cell| names::tidy(cell)).any(|cell| cell.ends_with(|c: char| c.is_ascii_digit()))
    };
    let bare = layout.columns.iter().enumerate().filter(|(at, column)| column.unit.is_none() && is_bare(*at));
    let bare = bare.filter_map(|(at, column)| {
        // 万元/亩 is no amount.
        let usual = usual(money(column)?).filter(Unit::is_money)?;
        Some((at, usual.name, said.name.clone()))
    });
    layout.unsaid_units = bare.collect();
}

/// Gives the columns of areas the units that stand above the table beside that of money: `单位：亿元、公顷、万平方米`. Land is
/// counted in other units than floors.
pub(super) fn of_areas(grid: &Grid, layout: &mut Layout, names: &Names) {
    let units: Vec<Unit> = above(grid, layout).flat_map(|cell| declared::declared_units(cell)).collect();
    let is_land = |unit: &Unit| ["亩", "公顷", "平方公里", "ha"].iter().any(|end| unit.name.ends_with(end));
    for column in layout.columns.iter_mut().filter(|column| column.unit.is_none()) {
        let Some(own) = column.field.and_then(|field| names.unit(field)).filter(|own| !own.is_money()) else {
            continue;
        };
        let mut like =
            units.iter().filter(|unit| unit.factor_in(own).is_some() && is_land(unit) == is_land(own));
        if let (Some(unit), None) = (like.next(), like.next()) {
            column.unit = Some(unit.clone());
        }
    }
}

/// A row of nothing but units below the header belongs to it.
pub(super) fn below(grid: &Grid, layout: &mut Layout) {
    let last = layout.header_rows.last().copied().unwrap_or(0);
    let Some((number, cells)) = grid.iter().find(|(number, _)| *number > last) else { return };
    let filled = cells.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty());
    let mut units = Vec::new();
    // 必填 | 必填 | 选填 says nothing of a record.
    let asks = |cell: &String| {
        ["必填", "选填", "非必填"].iter().any(|word| cell.contains(word) && cell.chars().count() <= 6)
    };
    let asked = cells.iter().filter(|cell| !cell.trim().is_empty()).all(asks);
    if asked && cells.iter().filter(|cell| asks(cell)).count() > 1 {
        layout.header_rows.push(*number);
        return;
    }
    for (column, cell) in filled {
        match names::unit_alone(cell) {
            Some(unit) => units.push((column, unit)),
            None if is_kind(cell) => {}
            None => return,
        }
    }
    if units.is_empty() {
        return;
    }
    layout.header_rows.push(*number);
    for (column, unit) in units {
        if let Some(column) = layout.columns.get_mut(column) {
            column.unit = Some(unit);
        }
    }
}

/// Notes the columns that hold nothing but units of money: 万元 in one row, 亿元 in the next. They are no field's.
pub(super) fn of_rows(grid: &Grid, layout: &mut Layout) {
    let last = layout.header_rows.last().copied().unwrap_or(0);
    let mut said = Vec::new();
    for (at, column) in layout.columns.iter_mut().enumerate() {
        let named = column.path.last().is_some_and(|leaf| names::tidy(leaf).ends_with("单位"));
        let mut cells = grid
            .iter()
            .filter(|(number, _)| *number > last)
            .filter_map(|(_, cells)| cells.get(at))
            .filter(|cell| !cell.trim().is_empty())
            .peekable();
        let money = |cell: &String| names::unit_alone(cell).is_some_and(|unit| unit.is_money());
        if named && cells.peek().is_some() && cells.clone().all(money) {
            said.extend(cells.filter_map(|cell| names::unit_alone(cell)));
            (column.field, column.how) = (None, super::UNITS);
            column.others.clear();
            layout.row_units.push(at);
        }
    }
    let own = |column: &Column| column.unit.clone().filter(|unit| column.field.is_some() && unit.is_money());
    let stated: Vec<Unit> = layout.columns.iter().filter_map(own).collect();
    layout.units_differ = stated.iter().any(|own| said.iter().any(|unit| !unit.is_same(own)));
}

/// What stands in a row of units below the header of a column that has none: （文本）, 日期, 必填, `-`.
fn is_kind(cell: &str) -> bool {
    const KINDS: [&str; 12] =
        ["文本", "文字", "字符", "日期", "数字", "数值", "整数", "必填", "选填", "下拉选择", "无", "是/否"];
    let tidied = names::tidy(cell);
    let inner = tidied.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(&tidied);
    KINDS.contains(&inner) || inner.chars().all(|c| !c.is_alphanumeric())
}

/// By which columns of words are counted.
const STEMS: [&str; 8] = ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛"];

/// A row of numbers of columns below the header belongs to it: `甲|乙|1|2|3`.
pub(super) fn numbers_below(grid: &Grid, layout: &mut Layout) {
    const FEWEST: usize = 3;
    let last = layout.header_rows.last().copied().unwrap_or(0);
    let Some((number, cells)) = grid.iter().find(|(number, _)| *number > last) else { return };
    let mut filled: Vec<&str> =
        cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
    let labelled = filled.first().is_some_and(|first| ["栏次", "列次", "栏号"].contains(first));
    if labelled {
        filled.remove(0);
    }
    // A column may have been left out, and its letter or number with it.
    let stem = |cell: &&str| STEMS.iter().position(|stem| stem == cell);
    let lettered = filled.iter().map_while(stem).is_sorted_by(|a, b| a < b);
    let letters = if lettered { filled.iter().map_while(stem).count() } else { 0 };
    let numbers: Vec<Option<usize>> = filled.iter().skip(letters).map(|cell| number_of(cell)).collect();
    let step = if letters > 0 { 3 } else { 1 };
    let mut last = 0;
    let counted = numbers.into_iter().all(|number| {
        let before = std::mem::replace(&mut last, number.unwrap_or(0));
        number.is_some_and(|number| number > before && number - before <= step)
    });
    if filled.len() + usize::from(labelled) >= FEWEST && filled.len() * 2 > layout.columns.len() && counted {
        layout.header_rows.push(*number);
    }
}

/// The number of a column: 3, ③, （3）, 三, C.
fn number_of(cell: &str) -> Option<usize> {
    let word = names::tidy(cell);
    let bare = word.strip_prefix('(').and_then(|word| word.strip_suffix(')')).unwrap_or(&word);
    let mut chars = bare.chars();
    match (chars.next(), chars.next()) {
        (Some(letter @ 'a'..='z'), None) => Some(letter as usize - 'a' as usize + 1),
        (Some(han), None) if !han.is_ascii() => {
            "一二三四五六七八九十".chars().position(|known| known == han).map(|at| at + 1)
        }
        _ => bare.parse().ok(),
    }
}

/// Takes their fields from columns of numbers whose unit is not understood, or is none of their field: read in the
/// field's own unit the values may be wrong by thousands, and nobody would see it.
pub(super) fn doubt(layout: &mut Layout, names: &Names) {
    let mut strange = Vec::new();
    for (at, column) in layout.columns.iter_mut().enumerate() {
        let Some(field) = column.field else { continue };
        let number = |kind| matches!(kind, FieldType::Money | FieldType::Number | FieldType::Integer);
        if !names.kind(field).is_some_and(|(_, kind)| number(kind)) {
            continue;
        }
        // 投资情况(万元) > 完成率: the parent speaks of its other children.
        let leaf = column.path.iter().rev().find(|part| names::unit_alone(part).is_none());
        let own = |part: &str| leaf.is_some_and(|leaf| leaf == part) || column.path.len() == 1;
        let amount = names.unit(field).is_none_or(Unit::is_money);
        let unit = match &column.unit {
            Some(unit) if names.contradicts(field, unit) => {
                let said = column.path.iter().rev().find(|part| names::unit_of(part).is_some());
                let is_own = said.is_some_and(|part| own(part) || names::unit_alone(part).is_some());
                let unit = unit.name.clone();
                if !is_own {
                    column.unit = None;
                }
                is_own.then_some(unit)
            }
            Some(_) => None,
            None => {
                let mut strange = column.path.iter().rev().filter(|part| amount || own(part));
                strange.find_map(|part| names::strange_unit(part))
            }
        };
        if let Some(unit) = unit {
            (column.field, column.how) = (None, "unknown");
            strange.push((at, field, unit));
        }
    }
    layout.strange = strange;
}
