//! A column: what it is called, what stands in it, how that looks. One definition serves drawing, sorting,
//! filtering and the tables of the command line.

use super::filter::{Field, Holds};
use super::value::Value;
use crate::fleet::{Clean, Now};
use crate::ui::{Align, Cell, ViewCx};

#[derive(Debug, Clone)]
pub struct Column<R> {
    /// The name in filters and in what is remembered.
    pub name: Clean,
    /// Empty for one that is only there for filters.
    pub title: Clean,
    pub doc: &'static str,
    pub align: Align,
    pub widest: u16,
    /// Cells that it needs to be of use; by default all it wants.
    pub least: u16,
    /// The smaller, the sooner it is left out where there is no room; 0 is never left out.
    pub drop: u8,
    /// For columns that are alike, such as one a cluster: which it is.
    pub number: u16,
    /// The moment of the picture, for columns that tell how long something has been so.
    pub now: Now,
    /// Its values change by themselves as time passes.
    pub ages: bool,
    pub holds: Holds,
    pub value: for<'a> fn(&'a R, &'a Self) -> Value<'a>,
    pub cell: fn(&R, &Self, ViewCx<'_>) -> Cell,
}

impl<R> Column<R> {
    /// A column that shows its values as words.
    pub fn new(
        name: &str,
        title: &str,
        doc: &'static str,
        value: for<'a> fn(&'a R, &'a Self) -> Value<'a>,
    ) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            doc,
            align: Align::Left,
            widest: 32,
            least: u16::MAX,
            drop: 0,
            number: 0,
            now: Now::default(),
            ages: false,
            holds: Holds::Words,
            value,
            cell: |row, column, _| Cell::text((column.value)(row, column).words()),
        }
    }

    /// A column that is only there for filters.
    pub fn hidden(name: &str, doc: &'static str, value: for<'a> fn(&'a R, &'a Self) -> Value<'a>) -> Self {
        Self::new(name, "", doc, value)
    }

    #[must_use]
    pub fn cell(self, cell: fn(&R, &Self, ViewCx<'_>) -> Cell) -> Self {
        Self { cell, ..self }
    }

    #[must_use]
    pub fn muted(self) -> Self {
        self.cell(|row, column, _| Cell::muted((column.value)(row, column).words()))
    }

    /// One that tells how long something has been so.
    #[must_use]
    pub fn ages(self) -> Self {
        Self { ages: true, ..self.numbers() }
    }

    /// One without words: who types a word does not look for it here.
    #[must_use]
    pub fn numbers(self) -> Self {
        Self { holds: Holds::Numbers, ..self }
    }

    /// One whose words stand in another column too.
    #[must_use]
    pub fn again(self) -> Self {
        Self { holds: Holds::Again, ..self }
    }

    pub fn field(&self) -> Field<'_> {
        Field { name: &self.name, holds: self.holds }
    }

    #[must_use]
    pub fn right(self) -> Self {
        Self { align: Align::Right, ..self }
    }

    #[must_use]
    pub fn drop(self, drop: u8) -> Self {
        Self { drop, ..self }
    }

    #[must_use]
    pub fn widest(self, widest: u16) -> Self {
        Self { widest, ..self }
    }

    /// Gives way to others when there is little room.
    #[must_use]
    pub fn flexible(self, least: u16, widest: u16) -> Self {
        Self { widest, least, ..self }
    }
}
