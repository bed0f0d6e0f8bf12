//! The words of all rows in one text, for whoever types a word letter by letter.
//!
//! A row's words lie in a dozen places of the memory, and every letter asks all rows for them. Here they lie one behind
//! the other, in small letters, made when the first letter is typed and good for as long as the rows are the same.

use memchr::memmem;

use super::column::Column;
use super::filter::Holds;

#[derive(Debug)]
pub struct Words {
    text: String,
    /// Where the words of each row end.
    ends: Vec<usize>,
}

/// Between two words; no text that is drawn has it.
const BETWEEN: char = '\n';

impl Words {
    pub fn of<R>(rows: &[R], columns: &[Column<R>]) -> Self {
        let columns: Vec<_> = columns.iter().filter(|column| column.holds == Holds::Words).collect();
        let mut words = Self { text: String::new(), ends: Vec::with_capacity(rows.len()) };
        for row in rows {
            for column in &columns {
                let value = (column.value)(row, column);
                (0..).map_while(|at| value.word(at)).for_each(|word| words.push(word));
            }
            words.ends.push(words.text.len());
        }
        words
    }

    /// Whether each row holds this, which is in small letters.
    pub fn rows_with(&self, wanted: &str) -> Vec<bool> {
        let mut found = vec![false; self.ends.len()];
        let finder = memmem::Finder::new(wanted);
        let (mut at, mut row) = (0, 0);
        while let Some(next) = self.text.as_bytes().get(at..).and_then(|rest| finder.find(rest)) {
            row += self.ends[row..].partition_point(|end| *end <= at + next);
            let Some(end) = self.ends.get(row) else { break };
            found[row] = true;
            (at, row) = (*end, row + 1);
        }
        found
    }

    fn push(&mut self, word: &str) {
        if word.is_ascii() {
            let from = self.text.len();
            self.text.push_str(word);
            self.text[from..].make_ascii_lowercase();
        } else {
            self.text.push_str(&word.to_lowercase());
        }
        self.text.push(BETWEEN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Clean;
    use crate::panels::Value;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_found_in_the_text_is_what_the_rows_hold(
            rows in proptest::collection::vec(proptest::collection::vec("[abABÄ]{0,3}", 0..3), 0..8),
            wanted in "[abä]{1,2}",
        ) {
            let rows: Vec<(Vec<Clean>, u8)> =
                rows.iter().map(|it| (it.iter().map(|word| Clean::new(word)).collect(), 1)).collect();
            let columns: Vec<Column<(Vec<Clean>, u8)>> = vec![
                Column::new("words", "", "", |row, _| Value::Texts(&row.0)),
                Column::new("rank", "", "", |row: &(Vec<Clean>, u8), _| Value::Ranked(u32::from(row.1), "Bad".into())),
                Column::new("number", "", "", |row: &(Vec<Clean>, u8), _| Value::Number(row.1.into())).numbers(),
            ];
            let held = rows.iter().map(|row| columns.iter().any(|it| (it.value)(row, it).contains(&wanted)));
            prop_assert_eq!(Words::of(&rows, &columns).rows_with(&wanted), held.collect::<Vec<_>>());
        }
    }
}
