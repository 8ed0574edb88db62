//! Cells on their way from a file to typed columns: places in a text, not texts.
//!
//! A format fills a [`Chunk`] with some hundred rows; the assembler reads it column by column. Rows have
//! exactly `width` cells here: what a short row lacks is empty, what a long one has too much is surplus.

use huiliu_stage::Finding;

/// Where a cell's text stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

/// Marks a span into [`Chunk::side`]; so a chunk's text must be shorter than 2 GiB.
const SIDE: u32 = 1 << 31;

impl Span {
    #[inline]
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    pub(super) fn aside(start: usize, end: usize) -> Self {
        Self { start: start as u32 | SIDE, end: end as u32 }
    }

    /// The text of a span that stands in the chunk's text itself.
    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.start & !SIDE == self.end
    }

    /// Bytes of the text.
    #[inline]
    pub(super) fn len(self) -> u32 {
        self.end.saturating_sub(self.start & !SIDE)
    }
}

/// Some rows of one sheet.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Cells per row.
    pub(super) width: usize,
    /// Row by row, `width` each.
    pub(super) cells: Vec<Span>,
    /// The rows' numbers as the sender sees them.
    pub(super) numbers: Vec<u32>,
    /// Non-empty cells beyond `width`: row number, column, text; in order of rows.
    pub(super) surplus: Vec<(u32, u32, Span)>,
    /// Cells whose formula failed: row number, column, what stands there instead.
    pub(super) broken: Vec<(u32, u32, Span)>,
    /// Cells with text behind their closing quote, or a quote amid their text: row number, column.
    pub(super) stray: Vec<(u32, u32)>,
    /// Rows of which nothing could be read.
    pub(super) unread: Vec<u32>,
    /// Rows whose cells are not as many as the header's: row number, cells.
    pub(super) odd: Vec<(u32, u32)>,
    /// Texts that do not stand in the file as they are, such as those with doubled quotes.
    pub(super) side: String,
    /// What the format itself found wrong.
    pub(super) findings: Vec<Finding>,
    /// Values of fields that have no column: field, a cell for each row.
    pub(super) added: Vec<(usize, Vec<Span>)>,
}

impl Chunk {
    pub(super) fn clear(&mut self, width: usize) {
        self.width = width;
        self.cells.clear();
        self.numbers.clear();
        self.surplus.clear();
        self.broken.clear();
        self.unread.clear();
        self.stray.clear();
        self.odd.clear();
        self.side.clear();
        self.findings.clear();
        self.added.clear();
    }

    pub(super) fn rows(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn view<'a>(&'a self, text: &'a str) -> View<'a> {
        View { width: self.width, cells: &self.cells, text, side: &self.side }
    }

    /// Keeps a text that does not stand in the file.
    pub(super) fn aside(&mut self, text: &str) -> Span {
        let start = self.side.len();
        self.side.push_str(text);
        Span::aside(start, self.side.len())
    }

    /// Moves the texts of all cells aside, so that they need the text no more.
    pub(super) fn stand_alone(&mut self, text: &str) {
        let old = std::mem::take(&mut self.side);
        let mut side = String::new();
        let view = View { width: self.width, cells: &[], text, side: &old };
        let mut move_aside = |span: &mut Span| {
            let start = side.len();
            side.push_str(view.text(*span));
            *span = Span::aside(start, side.len());
        };
        self.cells.iter_mut().for_each(&mut move_aside);
        self.surplus.iter_mut().for_each(|(.., span)| move_aside(span));
        self.added.iter_mut().flat_map(|(_, cells)| cells).for_each(&mut move_aside);
        self.side = side;
    }

    /// Gives a cell a value if it has none.
    pub(super) fn fill_empty(&mut self, row: usize, column: usize, value: Span) {
        if column < self.width
            && let Some(cell) = self.cells.get_mut(row * self.width + column)
            && cell.is_empty()
        {
            *cell = value;
        }
    }

    /// The cells of a field that has no column; to be filled when no row is taken out any more.
    pub(super) fn added(&mut self, field: usize) -> &mut Vec<Span> {
        let at = self.added.iter().position(|(of, _)| *of == field).unwrap_or_else(|| {
            self.added.push((field, vec![Span::default(); self.numbers.len()]));
            self.added.len() - 1
        });
        &mut self.added[at].1
    }

    /// The added cells of a field, as a table of one column.
    pub(super) fn view_added<'a>(&'a self, field: usize, text: &'a str) -> Option<View<'a>> {
        let (_, cells) = self.added.iter().find(|(of, _)| *of == field)?;
        Some(View { width: 1, cells, text, side: &self.side })
    }

    /// Takes out the rows at the (ascending) indices `gone`.
    pub(super) fn remove(&mut self, gone: &[usize]) {
        let numbers: Vec<u32> = gone.iter().filter_map(|&row| self.numbers.get(row).copied()).collect();
        let width = self.width;
        let (mut next, mut to) = (gone.iter().peekable(), 0);
        for row in 0..self.numbers.len() {
            if next.next_if_eq(&&row).is_some() {
                continue;
            }
            self.cells.copy_within(row * width..(row + 1) * width, to * width);
            self.numbers[to] = self.numbers[row];
            to += 1;
        }
        self.cells.truncate(to * width);
        self.numbers.truncate(to);
        self.surplus.retain(|(number, ..)| numbers.binary_search(number).is_err());
        self.broken.retain(|(number, ..)| numbers.binary_search(number).is_err());
        self.stray.retain(|(number, _)| numbers.binary_search(number).is_err());
        self.unread.retain(|number| numbers.binary_search(number).is_err());
        self.odd.retain(|(number, _)| numbers.binary_search(number).is_err());
    }
}

/// The texts of a chunk's cells.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    width: usize,
    cells: &'a [Span],
    text: &'a str,
    side: &'a str,
}

impl<'a> View<'a> {
    #[inline]
    pub(super) fn text(&self, span: Span) -> &'a str {
        let (text, start) = match span.start & SIDE {
            0 => (self.text, span.start),
            _ => (self.side, span.start & !SIDE),
        };
        text.get(start as usize..span.end as usize).unwrap_or_default()
    }

    #[inline]
    pub(super) fn get(&self, row: usize, column: usize) -> &'a str {
        match self.cells.get(row * self.width + column) {
            Some(&span) if column < self.width => self.text(span),
            _ => "",
        }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.cells.len() / self.width.max(1)
    }

    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = &'a str> {
        let view = *self;
        (0..self.width).map(move |column| view.get(row, column))
    }

    /// The cells of a row that hold something, and their columns.
    pub(super) fn filled(&self, row: usize) -> Vec<(usize, &'a str)> {
        self.row(row).enumerate().filter(|(_, cell)| !cell.trim().is_empty()).collect()
    }
}
