//! The list behind most panels: rows that are filtered and sorted, and a cursor that stays on its row.

use std::cmp::Ordering;

use ratatui::layout::Rect;

use super::column::Column;
use super::filter::{Filter, Value};
use crate::fleet::Clean;
use crate::input::Action;
use crate::ui::Pen;
use crate::ui::table::{self, Cursor, Head, Row, scrolled};

pub use crate::ui::table::Order;

/// Key and rows; `K` says which row is the same row after a change.
#[derive(Debug)]
pub struct List<R, K> {
    columns: Vec<Column<R>>,
    rows: Vec<R>,
    /// Rows that pass the filter, in order.
    shown: Vec<usize>,
    filter: Filter,
    sort: usize,
    order: Order,
    key: fn(&R) -> K,
    tint: fn(&R) -> Option<u8>,
    cursor: usize,
    on: Option<K>,
    first: usize,
    page: usize,
}

impl<R, K: PartialEq> List<R, K> {
    pub fn new(columns: Vec<Column<R>>, key: fn(&R) -> K, tint: fn(&R) -> Option<u8>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
            shown: Vec::new(),
            filter: Filter::default(),
            sort: 0,
            order: Order::Ascending,
            key,
            tint,
            cursor: 0,
            on: None,
            first: 0,
            page: 1,
        }
    }

    /// Takes new rows for an area of this height, header included.
    pub fn refresh(&mut self, rows: Vec<R>, height: u16) {
        self.rows = rows;
        self.page = usize::from(height.saturating_sub(1)).max(1);
        self.arrange();
    }

    /// Changes the columns; the order stays on the column of the same name.
    pub fn set_columns(&mut self, columns: Vec<Column<R>>) {
        let name = self.columns.get(self.sort).map(|column| column.name.clone());
        self.columns = columns;
        let at = self.columns.iter().position(|column| Some(&column.name) == name.as_ref());
        self.sort = at.unwrap_or(0);
    }

    /// Moves the cursor or changes the order; false when the action is not about the list.
    pub fn act(&mut self, action: Action) -> bool {
        let last = self.shown.len().saturating_sub(1);
        let to = match action {
            Action::Up => self.cursor.saturating_sub(1),
            Action::Down => (self.cursor + 1).min(last),
            Action::PageUp => self.cursor.saturating_sub(self.page),
            Action::PageDown => (self.cursor + self.page).min(last),
            Action::Top => 0,
            Action::Bottom => last,
            Action::SortNext | Action::SortPrevious | Action::SortReverse => {
                self.reorder(action);
                return true;
            }
            _ => return false,
        };
        self.put_cursor(to);
        true
    }

    pub fn click(&mut self, area: Rect, y: u16) -> bool {
        let Some(row) = y.checked_sub(area.y + 1).map(usize::from) else { return false };
        let at = self.first + row;
        let same = at == self.cursor;
        if at < self.shown.len() {
            self.put_cursor(at);
            return same;
        }
        false
    }

    pub fn selected(&self) -> Option<&R> {
        self.rows.get(*self.shown.get(self.cursor)?)
    }

    pub fn select(&mut self, wanted: impl Fn(&R) -> bool) {
        let at = self.shown.iter().position(|row| wanted(&self.rows[*row]));
        if let Some(at) = at {
            self.put_cursor(at);
        }
    }

    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.arrange();
    }

    pub fn fields(&self) -> Vec<(Clean, Clean)> {
        self.columns.iter().map(|column| (column.name.clone(), column.doc.into())).collect()
    }

    pub fn order(&self) -> Option<(Clean, Order)> {
        Some((self.columns.get(self.sort)?.name.clone(), self.order))
    }

    pub fn set_order(&mut self, column: &str, order: Order) {
        if let Some(at) = self.columns.iter().position(|known| known.name == column) {
            (self.sort, self.order) = (at, order);
            self.arrange();
        }
    }

    /// Tells each row that is shown what stands above it; nothing stands above the first on the screen.
    pub fn mark<T>(&mut self, told: fn(&R, Option<&R>) -> T, set: fn(&mut R, T)) {
        let places = self.shown.iter().enumerate();
        let marks: Vec<T> = places
            .map(|(at, row)| {
                let above = at.checked_sub(1).filter(|_| at != self.first);
                told(&self.rows[*row], above.map(|above| &self.rows[self.shown[above]]))
            })
            .collect();
        for (row, mark) in self.shown.iter().zip(marks) {
            set(&mut self.rows[*row], mark);
        }
    }

    /// Rows shown and rows there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.shown.len(), self.rows.len())
    }

    /// Changes what rows show, without taking new ones.
    pub fn each(&mut self, change: impl FnMut(&mut R)) {
        self.rows.iter_mut().for_each(change);
    }

    /// The rows that are shown, in order.
    pub fn rows(&self) -> impl Iterator<Item = &R> {
        self.shown.iter().map(|at| &self.rows[*at])
    }

    /// Draws these of its columns; `column` is the one the cursor is in, if it is in one.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, columns: &[usize], column: Option<usize>) {
        let cx = pen.cx;
        let heads: Vec<Head> = columns.iter().map(|at| self.head(*at)).collect();
        let height = usize::from(area.height.saturating_sub(1));
        let first = scrolled(self.first, self.cursor, height, self.shown.len());
        let visible = self.shown.iter().skip(first).take(height).map(|at| &self.rows[*at]);
        let rows: Vec<Row> = visible
            .map(|row| Row {
                cells: columns
                    .iter()
                    .map(|at| (self.columns[*at].cell)(row, &self.columns[*at], cx))
                    .collect(),
                tint: (self.tint)(row),
            })
            .collect();
        let cursor = Cursor { row: Some(self.cursor.saturating_sub(first)), column };
        table::draw(pen, area, &heads, &rows, cursor);
    }

    /// Every column that is drawn, in order. One without a title is only there for filters.
    pub fn drawn(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|at| !self.columns[*at].title.is_empty()).collect()
    }

    fn head(&self, at: usize) -> Head {
        let column = &self.columns[at];
        Head {
            title: column.title.clone(),
            align: column.align,
            widest: column.widest,
            least: column.least,
            drop: column.drop,
            sorted: (at == self.sort).then_some(self.order),
        }
    }

    fn put_cursor(&mut self, at: usize) {
        self.cursor = at;
        self.first = scrolled(self.first, at, self.page, self.shown.len());
        self.on = self.shown.get(at).map(|row| (self.key)(&self.rows[*row]));
    }

    fn reorder(&mut self, action: Action) {
        let drawn = self.drawn();
        let at = drawn.iter().position(|at| *at == self.sort).unwrap_or(0);
        let next = match action {
            Action::SortNext => drawn.get((at + 1) % drawn.len().max(1)),
            Action::SortPrevious => drawn.get((at + drawn.len().max(1) - 1) % drawn.len().max(1)),
            _ => {
                self.order = self.order.reversed();
                None
            }
        };
        self.sort = next.copied().unwrap_or(self.sort);
        self.arrange();
    }

    /// Filters and sorts anew; the cursor stays on its row, or where it was when that is gone.
    fn arrange(&mut self) {
        let columns = &self.columns;
        let value = |row: &R, field: &str| {
            let column = columns.iter().find(|column| column.name == field);
            column.map_or(Value::None, |column| (column.value)(row, column))
        };
        let all = |row: &R| columns.iter().map(|column| (column.value)(row, column)).collect();
        let passing = self.rows.iter().enumerate().filter(|(_, row)| {
            self.filter.is_empty() || self.filter.passes(|field| value(row, field), || all(row))
        });
        let mut shown: Vec<usize> = passing.map(|(at, _)| at).collect();
        if let Some(column) = columns.get(self.sort) {
            let order = self.order;
            let mut keyed: Vec<(Value, usize)> =
                shown.iter().map(|at| ((column.value)(&self.rows[*at], column), *at)).collect();
            keyed.sort_by(|a, b| compare(&a.0, &b.0, order));
            shown = keyed.into_iter().map(|(_, at)| at).collect();
        }
        self.shown = shown;
        let same = |at: &usize| Some((self.key)(&self.rows[*at])) == self.on;
        let stayed = self.on.as_ref().and_then(|_| self.shown.iter().position(same));
        let last = self.shown.len().saturating_sub(1);
        self.put_cursor(stayed.unwrap_or(self.cursor.min(last)));
    }
}

/// What is not known stands at the end, whichever way the order goes.
fn compare(a: &Value, b: &Value, order: Order) -> Ordering {
    match (a, b) {
        (Value::None, Value::None) => Ordering::Equal,
        (Value::None, _) => Ordering::Greater,
        (_, Value::None) => Ordering::Less,
        _ => match order {
            Order::Ascending => a.compare(b),
            Order::Descending => b.compare(a),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Numbers = List<(&'static str, Option<f64>), &'static str>;

    fn list() -> Numbers {
        let columns = vec![
            Column::new("name", "NAME", "", |row: &(&str, Option<f64>), _| Value::text(row.0)),
            Column::new("size", "SIZE", "", |row, _| Value::maybe(row.1, Value::Number)),
        ];
        let mut list = List::new(columns, |row| row.0, |_| None);
        list.refresh(vec![("c", Some(1.0)), ("a", None), ("b", Some(7.0))], 10);
        list
    }

    fn names(list: &Numbers) -> String {
        list.rows().map(|row| row.0).collect()
    }

    #[test]
    fn unknown_values_stand_at_the_end_in_both_directions() {
        let mut list = list();
        assert_eq!(names(&list), "abc");
        list.act(Action::SortNext);
        assert_eq!(names(&list), "cba");
        list.act(Action::SortReverse);
        assert_eq!(names(&list), "bca");
        assert_eq!(list.order(), Some(("size".into(), Order::Descending)));
    }

    #[test]
    fn the_cursor_stays_on_its_row_when_rows_come_and_go() {
        let mut list = list();
        list.act(Action::Down);
        assert_eq!(list.selected().unwrap().0, "b");
        list.refresh(vec![("0", None), ("b", None), ("c", None), ("a", None)], 10);
        assert_eq!(list.selected().unwrap().0, "b");
        list.refresh(vec![("a", None)], 10);
        assert_eq!(list.selected().unwrap().0, "a");
        list.refresh(Vec::new(), 10);
        assert!(list.selected().is_none());
        for action in [Action::Up, Action::Down, Action::Bottom, Action::PageDown, Action::SortNext] {
            assert!(list.act(action));
        }
    }

    #[test]
    fn a_filter_narrows_and_clearing_it_brings_all_back() {
        let mut list = list();
        list.set_filter(Filter::parse("size>0", &["name", "size"]).unwrap());
        assert_eq!((names(&list).as_str(), list.counts()), ("bc", (2, 3)));
        list.set_filter(Filter::default());
        assert_eq!(list.counts(), (3, 3));
    }
}
