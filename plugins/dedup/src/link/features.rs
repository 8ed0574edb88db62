//! What of a record is compared: its slots. How text becomes slots is in [`super::draft`], how they lie in memory in
//! [`super::store`].
//!
//! A field gives one slot or several: a name gives its text and one slot for each class of marks.

use super::config::{Config, Kind};
use super::normalise::marks::Class;

/// How a slot is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Text by equality, edits and grams.
    Text,
    /// Long text by grams.
    Description,
    /// Company by full name, core, and grams.
    Company,
    /// Code by equality and edits.
    Identifier,
    /// Amount by ratio.
    Money,
    /// Date by distance.
    Date,
    /// Address by road, number and district.
    Place,
    /// Discriminators that veto.
    Marks(Class),
    /// What is done (扩建, 迁建): speaks, but does not veto.
    Action,
    /// Numbers in a text that are no marks.
    Numbers,
}

impl Compare {
    /// All of them, in the order of their numbers: what is kept for good names them so.
    const ALL: [Self; 14] = [
        Self::Text,
        Self::Description,
        Self::Company,
        Self::Identifier,
        Self::Money,
        Self::Date,
        Self::Place,
        Self::Action,
        Self::Numbers,
        Self::Marks(Class::Phase),
        Self::Marks(Class::Lot),
        Self::Marks(Class::Quantity),
        Self::Marks(Class::Serial),
        Self::Marks(Class::Action),
    ];

    /// Its number.
    pub fn number(self) -> u8 {
        Self::ALL.iter().position(|known| *known == self).unwrap_or_default() as u8
    }

    /// From its number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// One thing that is compared.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Which field of the configuration it comes from.
    pub field: usize,
    /// How it is compared.
    pub compare: Compare,
    /// The group of evidence it belongs to.
    pub group: Option<usize>,
}

/// Slots whose levels fit into one pattern.
pub(super) const MOST_SLOTS: usize = 16;

/// How many slots a field of a kind takes.
pub(super) fn width(kind: Kind) -> usize {
    if kind == Kind::Name { 7 } else { 1 }
}

/// The slots that a configuration asks for.
pub fn slots(config: &Config) -> Vec<Slot> {
    let mut groups: Vec<&str> = Vec::new();
    let mut slots = Vec::new();
    for (field, options) in config.fields.iter().enumerate() {
        let group = options.group.as_deref().map(|name| {
            groups.iter().position(|known| *known == name).unwrap_or_else(|| {
                groups.push(name);
                groups.len() - 1
            })
        });
        let mut add = |compare, group| slots.push(Slot { field, compare, group });
        match options.kind() {
            Kind::Name => {
                add(Compare::Text, group);
                let classes = [Class::Phase, Class::Lot, Class::Quantity, Class::Serial];
                classes.into_iter().for_each(|class| add(Compare::Marks(class), None));
                add(Compare::Action, None);
                add(Compare::Numbers, None);
            }
            Kind::Text => add(Compare::Text, group),
            Kind::Description => add(Compare::Description, group),
            Kind::Company => add(Compare::Company, group),
            Kind::Identifier | Kind::CreditCode | Kind::ProjectCode => add(Compare::Identifier, group),
            Kind::Money => add(Compare::Money, group),
            Kind::Date => add(Compare::Date, group),
            Kind::Place => add(Compare::Place, group),
        }
    }
    slots.truncate(MOST_SLOTS);
    slots
}
