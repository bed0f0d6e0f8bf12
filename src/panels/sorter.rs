//! Rows in the order of a column, as far as they can be seen.
//!
//! Of fifty thousand rows one screen is looked at: that part is sorted, and the others are only put on its right side.
//! Rows are compared by a number that holds how their values begin; where two begin alike, the values are compared.

use std::cmp::Ordering;
use std::ops::Range;

use super::column::Column;
use super::value::{Beginning, Value, alike};
use crate::ui::table::Order;

/// A row, and what it is sorted by.
#[derive(Debug, Clone, Copy)]
pub struct Keyed {
    pub row: usize,
    /// In the order of the list; `None` stands at the end, whichever way that goes.
    key: u128,
    is_whole: bool,
}

pub struct Sorter<'a, R> {
    pub rows: &'a [R],
    pub column: Option<&'a Column<R>>,
    pub order: Order,
}

impl<R> Sorter<'_, R> {
    pub fn keyed(&self, rows: &[usize]) -> Vec<Keyed> {
        let values: Vec<Value<'_>> = rows.iter().map(|row| self.value(*row)).collect();
        let skip = alike(&values);
        let keyed = |(row, value): (&usize, &Value<'_>)| {
            let Beginning { key, is_whole } = value.beginning(skip);
            let key = match (value, self.order) {
                (Value::None, _) => u128::MAX,
                (_, Order::Ascending) => key,
                (_, Order::Descending) => !key,
            };
            Keyed { row: *row, key, is_whole }
        };
        rows.iter().zip(&values).map(keyed).collect()
    }

    /// By value, and rows of one value as they came.
    pub fn compare(&self, a: &Keyed, b: &Keyed) -> Ordering {
        let values = || {
            if a.is_whole && b.is_whole { Ordering::Equal } else { self.compare_rows(a.row, b.row) }
        };
        a.key.cmp(&b.key).then_with(values).then(a.row.cmp(&b.row))
    }

    /// What is not known stands at the end, whichever way the order goes.
    pub fn compare_rows(&self, a: usize, b: usize) -> Ordering {
        let (a, b) = (self.value(a), self.value(b));
        match (&a, &b) {
            (Value::None, Value::None) => Ordering::Equal,
            (Value::None, _) => Ordering::Greater,
            (_, Value::None) => Ordering::Less,
            _ => match self.order {
                Order::Ascending => a.compare(&b),
                Order::Descending => b.compare(&a),
            },
        }
    }

    /// Sorts a part of the whole; what belongs before it stands before it, what belongs behind it behind.
    pub fn sort_part(&self, keyed: &mut [Keyed], part: Range<usize>) {
        let by = |a: &Keyed, b: &Keyed| self.compare(a, b);
        let mut end = keyed.len();
        if part.end < end {
            keyed.select_nth_unstable_by(part.end, by);
            end = part.end;
        }
        if part.start > 0 && part.start < end {
            keyed[..end].select_nth_unstable_by(part.start, by);
        }
        keyed[part.start.min(end)..end].sort_unstable_by(by);
    }

    fn value(&self, row: usize) -> Value<'_> {
        self.column.map_or(Value::None, |column| (column.value)(&self.rows[row], column))
    }
}
