//! Tables for people and for documents: aligned columns, or Markdown.

use crate::fleet::Age;
use crate::ui::text;

/// Headings and rows; every row has as many cells as there are headings.
#[derive(Debug, Default)]
pub struct Table {
    pub headings: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// What is said instead of a table without rows.
    pub empty: &'static str,
}

impl Table {
    pub fn new(headings: &[&str], empty: &'static str) -> Self {
        Self { headings: headings.iter().map(|it| (*it).to_owned()).collect(), rows: Vec::new(), empty }
    }

    /// Columns aligned with two spaces between them, as kubectl prints them.
    pub fn text(&self) -> String {
        if self.rows.is_empty() {
            return format!("{}\n", self.empty);
        }
        let widths = self.widths();
        let mut out = String::new();
        for row in std::iter::once(&self.headings).chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.push_str(&" ".repeat(width + 2 - text::width(cell)));
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    pub fn markdown(&self) -> String {
        if self.rows.is_empty() {
            return format!("{}\n", self.empty);
        }
        let line = |cells: &[String]| {
            // A bar in a name must not end its cell, nor a backslash before it undo that.
            let cells = cells.iter().map(|cell| cell.replace('\\', "\\\\").replace('|', "\\|"));
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let rule = vec!["---".to_owned(); self.headings.len()];
        let rows = self.rows.iter().map(|row| line(row)).collect::<String>();
        format!("{}{}{rows}", line(&self.headings), line(&rule))
    }

    fn widths(&self) -> Vec<usize> {
        let width = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            cells.chain(self.headings.get(at)).map(|cell| text::width(cell)).max().unwrap_or(0)
        };
        (0..self.headings.len()).map(width).collect()
    }
}

/// `?` for what is not known.
pub fn known<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "?".to_owned(), |value| value.to_string())
}

/// Nothing for what does not apply.
pub fn given<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

pub fn age(seconds: Option<u64>) -> String {
    known(seconds.map(Age))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "STATE"], "none");
        table.rows.push(vec!["模型".to_owned(), "live".to_owned()]);
        table.rows.push(vec!["a|b\\".to_owned(), String::new()]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_a_terminal_draws_them() {
        assert_eq!(table().text(), "NAME  STATE\n模型  live\na|b\\\n");
        assert_eq!(Table::new(&["NAME"], "no jobs").text(), "no jobs\n");
    }

    #[test]
    fn a_bar_does_not_end_a_markdown_cell() {
        assert_eq!(
            table().markdown(),
            "| NAME | STATE |\n| --- | --- |\n| 模型 | live |\n| a\\|b\\\\ |  |\n"
        );
    }
}
