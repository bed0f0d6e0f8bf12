//! The list behind most panels: rows that are filtered and sorted, and a cursor that stays on its row.

use std::ops::Range;

use ratatui::layout::Rect;

use super::column::Column;
use super::filter::{Field, Filter, Holds};
use super::sorter::{Keyed, Sorter};
use super::words::Words;
use crate::fleet::{Clean, Now};
use crate::input::Action;
use crate::ui::Pen;
use crate::ui::table::{self, Cursor, Head, Row, scrolled};

pub use crate::ui::table::Order;

/// Key and rows; `K` says which row is the same row after a change.
#[derive(Debug)]
pub struct List<R, K> {
    columns: Vec<Column<R>>,
    rows: Vec<R>,
    /// Rows that pass the filter. Those in `sorted` are in their places, and so are all others on the right side of
    /// them: of fifty thousand rows, one screen is looked at.
    shown: Vec<usize>,
    sorted: Range<usize>,
    /// When that was.
    sorted_at: Now,
    /// What all rows are sorted by, in their order; empty until it is asked for.
    keys: Vec<Keyed>,
    /// Their words, when somebody has typed some.
    words: Option<Words>,
    /// Which row the cursor was on when it was put there.
    at: usize,
    filter: Filter,
    sort: usize,
    order: Order,
    key: fn(&R) -> K,
    tint: fn(&R) -> Option<u8>,
    cursor: usize,
    on: Option<K>,
    first: usize,
    page: usize,
    now: Now,
}

impl<R, K: PartialEq> List<R, K> {
    pub fn new(columns: Vec<Column<R>>, key: fn(&R) -> K, tint: fn(&R) -> Option<u8>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
            shown: Vec::new(),
            sorted: 0..0,
            sorted_at: Now::default(),
            keys: Vec::new(),
            words: None,
            at: 0,
            filter: Filter::default(),
            sort: 0,
            order: Order::Ascending,
            key,
            tint,
            cursor: 0,
            on: None,
            first: 0,
            page: 1,
            now: Now::default(),
        }
    }

    /// Takes new rows for an area of this height, header included.
    pub fn refresh(&mut self, rows: Vec<R>, height: u16) {
        self.rows = rows;
        self.words = None;
        self.page = page(height);
        self.arrange_anew();
    }

    /// Gives its rows back, in the order in which they came, for `refresh` to take those again that are the same.
    pub fn take_rows(&mut self) -> Vec<R> {
        std::mem::take(&mut self.rows)
    }

    /// The rows are as they were, and so is everything that is not made of time; what is costs nothing that grows
    /// with them, unless they are sorted or filtered by it.
    pub fn keep(&mut self, height: u16) {
        self.page = page(height);
        if self.now != self.sorted_at && self.is_made_of_time() {
            return self.arrange_anew();
        }
        self.put_cursor(self.cursor);
    }

    fn is_made_of_time(&self) -> bool {
        let ages = |name: &str| self.columns.iter().any(|column| column.ages && column.name == name);
        self.columns.get(self.sort).is_some_and(|column| column.ages) || self.filter.asks_for(ages)
    }

    /// The moment of the rows that come, or that are kept.
    pub fn set_now(&mut self, now: Now) {
        self.now = now;
        self.columns.iter_mut().for_each(|column| column.now = now);
    }

    /// Changes the columns; the order stays on the column of the same name.
    pub fn set_columns(&mut self, columns: Vec<Column<R>>) {
        let name = self.columns.get(self.sort).map(|column| column.name.clone());
        self.columns = columns;
        (self.keys, self.words) = (Vec::new(), None);
        self.set_now(self.now);
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
        let narrows = filter.narrows(&self.filter);
        self.filter = filter;
        if self.words.is_none() && self.filter.words().next().is_some() {
            self.words = Some(Words::of(&self.rows, &self.columns));
        }
        if narrows {
            let mut candidates = std::mem::take(&mut self.shown);
            candidates.sort_unstable();
            self.arrange_of(candidates.into_iter());
        } else {
            self.arrange();
        }
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
            self.arrange_anew();
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

    /// Changes what rows show, and nothing that they are sorted or filtered by.
    pub fn each(&mut self, change: impl FnMut(&mut R)) {
        self.rows.iter_mut().for_each(change);
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
        self.settle();
        self.at = self.shown.get(at).copied().unwrap_or(usize::MAX);
        self.on = self.rows.get(self.at).map(self.key);
    }

    fn reorder(&mut self, action: Action) {
        let sorted_by = self.sort;
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
        if self.sort != sorted_by {
            self.keys.clear();
        }
        self.arrange();
    }

    /// What rows are sorted by is not what it was.
    fn arrange_anew(&mut self) {
        self.keys.clear();
        self.arrange();
    }

    /// Filters and sorts anew; the cursor stays on its row, or where it was when that is gone.
    fn arrange(&mut self) {
        self.arrange_of(0..self.rows.len());
    }

    /// The same when it is known that no other row passes; in their order.
    fn arrange_of(&mut self, candidates: impl Iterator<Item = usize>) {
        let (rows, columns) = (&self.rows, &self.columns);
        self.shown = if self.filter.is_empty() {
            candidates.collect()
        } else {
            let fields: Vec<Field<'_>> = columns.iter().map(Column::field).collect();
            let filter = self.filter.over(&fields);
            let found: Vec<(usize, Vec<bool>)> = match &self.words {
                Some(words) => {
                    self.filter.words().map(|(term, word)| (term, words.rows_with(word))).collect()
                }
                None => Vec::new(),
            };
            let found = |row: usize, term: usize| {
                found.iter().find(|(looked, _)| *looked == term).map(|(_, found)| found[row])
            };
            let value = |row: usize, at: usize| {
                let value = (columns[at].value)(&rows[row], &columns[at]);
                debug_assert!(
                    columns[at].holds != Holds::Numbers || !value.has_words(),
                    "{}",
                    columns[at].name
                );
                value
            };
            candidates.filter(|row| filter.passes(|at| value(*row, at), |term| found(*row, term))).collect()
        };
        self.sorted_at = self.now;
        self.know_keys();
        let sorter = self.sorter();
        let mut keyed: Vec<Keyed> = self.shown.iter().map(|row| self.keys[*row]).collect();
        let stayed = self.row_of_cursor().and_then(|row| self.shown.binary_search(&row).ok());
        let place = stayed.map(|at| {
            let own = keyed[at];
            keyed.iter().filter(|other| sorter.compare(other, &own).is_lt()).count()
        });
        let cursor = place.unwrap_or(self.cursor.min(self.shown.len().saturating_sub(1)));
        let wanted = around(self.seen(cursor), &(0..keyed.len()));
        sorter.sort_part(&mut keyed, wanted.clone());
        (self.shown, self.sorted) = (keyed.into_iter().map(|it| it.row).collect(), wanted);
        self.put_cursor(cursor);
    }

    fn know_keys(&mut self) {
        if self.keys.len() != self.rows.len() {
            self.keys = self.sorter().keyed();
        }
    }

    fn sorter(&self) -> Sorter<'_, R> {
        Sorter { rows: &self.rows, column: self.columns.get(self.sort), order: self.order }
    }

    /// Places that can be seen when the cursor is at this one.
    fn seen(&self, cursor: usize) -> Range<usize> {
        let first = scrolled(self.first, cursor, self.page, self.shown.len());
        let end = (first + self.page).min(self.shown.len());
        first.min(end)..end
    }

    /// The row that the cursor is on, wherever it stands now.
    fn row_of_cursor(&self) -> Option<usize> {
        let on = self.on.as_ref()?;
        let is_it = |row: &R| (self.key)(row) == *on;
        if self.rows.get(self.at).is_some_and(is_it) {
            return Some(self.at);
        }
        self.rows.iter().position(is_it)
    }

    /// Puts what can be seen, and some more, in order.
    fn settle(&mut self) {
        let seen = self.seen(self.cursor);
        if seen.start >= self.sorted.start && seen.end <= self.sorted.end {
            return;
        }
        // What is sorted already parts the others.
        let side = if seen.start < self.sorted.start && seen.end <= self.sorted.end {
            0..self.sorted.end
        } else if seen.start >= self.sorted.start {
            self.sorted.start..self.shown.len()
        } else {
            0..self.shown.len()
        };
        let wanted = around(seen, &side);
        self.know_keys();
        let sorter = self.sorter();
        let mut keyed: Vec<Keyed> = self.shown[side.clone()].iter().map(|row| self.keys[*row]).collect();
        sorter.sort_part(&mut keyed, wanted.start - side.start..wanted.end - side.start);
        let sorted: Vec<usize> = keyed.into_iter().map(|it| it.row).collect();
        self.shown[side].copy_from_slice(&sorted);
        self.sorted = wanted;
    }
}

/// What is sorted where this is seen.
fn around(seen: Range<usize>, side: &Range<usize>) -> Range<usize> {
    seen.start.saturating_sub(AHEAD).max(side.start)..(seen.end + AHEAD).min(side.end)
}

/// Rows before and behind those that can be seen which are sorted with them.
const AHEAD: usize = 500;

/// Rows below the header of an area.
fn page(height: u16) -> usize {
    usize::from(height.saturating_sub(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::Value;
    use proptest::prelude::*;

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
        list.shown.iter().map(|at| list.rows[*at].0).collect()
    }

    type Plain = List<(u16, u8), u16>;

    /// What is seen, against the same of a list that is sorted as a whole.
    fn seen_as_sorted(list: &Plain) {
        let sorter = list.sorter();
        let order = |a: &usize, b: &usize| sorter.compare_rows(*a, *b).then(a.cmp(b));
        let mut whole = list.shown.clone();
        whole.sort_by(order);
        let seen = list.first..(list.first + list.page).min(whole.len());
        assert_eq!(list.shown[seen.clone()], whole[seen]);
        let mut all = list.shown.clone();
        all.sort_unstable();
        whole.sort_unstable();
        assert_eq!(all, whole, "no row is lost");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn what_is_seen_of_many_rows_is_in_its_place(
            values in proptest::collection::vec(0u8..20, 0..3000),
            steps in proptest::collection::vec(0usize..10, 0..30),
        ) {
            let columns = vec![
                Column::new("number", "N", "", |row: &(u16, u8), _| Value::Number(row.0.into())),
                Column::new("value", "V", "", |row, _| Value::maybe((row.1 > 0).then_some(row.1), |it| Value::Number(it.into()))),
                Column::new("name", "W", "", |row, _| Value::text(format!("row-{}", row.0 ^ 0x55))),
            ];
            let mut list: Plain = List::new(columns, |row| row.0, |_| None);
            let rows = |skip: usize| values.iter().copied().enumerate().skip(skip).map(|(at, value)| (at as u16, value)).collect::<Vec<_>>();
            list.refresh(rows(0), 20);
            for step in steps {
                let on = list.selected().map(|row| row.0);
                let moves = [Action::Up, Action::Down, Action::PageUp, Action::PageDown, Action::Top, Action::Bottom];
                match step {
                    0..6 => drop(list.act(moves[step])),
                    6 => drop(list.act(Action::SortNext)),
                    7 => drop(list.act(Action::SortReverse)),
                    8 => list.set_filter(Filter::parse(if list.filter.is_empty() { "1" } else { "" }, &[]).unwrap()),
                    _ => list.refresh(rows(on.unwrap_or(0).into()), 20),
                }
                // On no row, when a filter lets none through, it is on the first that comes.
                if on.is_some() && matches!(step, 6 | 7 | 9) {
                    prop_assert_eq!(list.selected().map(|row| row.0), on, "the cursor stays on its row");
                }
                seen_as_sorted(&list);
            }
        }
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
