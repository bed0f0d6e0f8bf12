//! Rows in the order of a column, as far as they can be seen.
//!
//! Of fifty thousand rows one screen is looked at: that part is sorted, and the others are only put on its right side.
//! Rows are compared by a number that holds how their values begin; where two begin alike, the values are compared.

use std::cmp::Ordering;
use std::ops::Range;

use super::column::Column;
use super::value::{Beginning, Value, alike};
use crate::ui::table::Order;

/// A row, and what it is sorted by, whichever way.
#[derive(Debug, Clone, Copy)]
pub struct Keyed {
    pub row: usize,
    begins: Beginning,
}

pub struct Sorter<'a, R> {
    pub rows: &'a [R],
    pub column: Option<&'a Column<R>>,
    pub order: Order,
}

/// Looks where words begin, and does nothing with them: the memory brings many at once then, where a pass that works on
/// each waits for each. Of the time for another order among fifty thousand jobs it takes a tenth.
fn fetch(values: &[Value<'_>]) {
    let first = |value: &Value<'_>| value.word(0).and_then(|word| word.as_bytes().first().copied());
    std::hint::black_box(values.iter().filter_map(first).map(u64::from).sum::<u64>());
}

impl<R> Sorter<'_, R> {
    /// All rows, as they come.
    pub fn keyed(&self) -> Vec<Keyed> {
        let values: Vec<Value<'_>> = (0..self.rows.len()).map(|row| self.value(row)).collect();
        fetch(&values);
        let skip = alike(&values);
        let keyed = |(row, value): (usize, &Value<'_>)| Keyed { row, begins: value.beginning(skip) };
        values.iter().enumerate().map(keyed).collect()
    }

    /// By value, and rows of one value as they came.
    pub fn compare(&self, a: &Keyed, b: &Keyed) -> Ordering {
        let begins = match (a.begins.is_known() && b.begins.is_known(), self.order) {
            (true, Order::Descending) => b.begins.cmp(&a.begins),
            // Nothing known is beyond everything.
            _ => a.begins.cmp(&b.begins),
        };
        let values = || {
            if a.begins.is_whole() { Ordering::Equal } else { self.compare_rows(a.row, b.row) }
        };
        begins.then_with(values).then(a.row.cmp(&b.row))
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
