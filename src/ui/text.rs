//! Text in cells: widths, cutting, numbers with their units.

use std::collections::BTreeSet;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::fleet::Clean;

/// How many cells a text takes: those of its graphemes, since each is drawn by itself. Some scripts are
/// narrower as a whole.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(UnicodeWidthStr::width).sum() }
}

/// The beginning of a text that fits, with an ellipsis of one cell where something was cut.
pub fn fit(text: &Clean, cells: usize, ellipsis: &str) -> Clean {
    if width(text) <= cells {
        return text.clone();
    }
    if cells == 0 {
        return Clean::default();
    }
    let (mut kept, mut used) = (String::new(), 0);
    for grapheme in text.graphemes(true) {
        let next = used + width(grapheme);
        if next > cells - 1 {
            break;
        }
        kept.push_str(grapheme);
        used = next;
    }
    kept.push_str(ellipsis);
    kept.into()
}

/// Lines of at most so many cells, broken between words where possible. Only a character that is wider by
/// itself makes a line longer.
pub fn wrap(text: &Clean, cells: usize) -> Vec<Clean> {
    let cells = cells.max(1);
    let word_begins: BTreeSet<usize> = text.split_word_bound_indices().map(|(at, _)| at).collect();
    let (mut lines, mut begin, mut used, mut word) = (Vec::new(), 0, 0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        if word_begins.contains(&at) {
            word = at;
        }
        while used + width(grapheme) > cells && used > 0 {
            let end = if word > begin { word } else { at };
            let line = text[begin..end].trim_end();
            lines.push(text.part(begin..begin + line.len()));
            begin = end + text[end..at].len() - text[end..at].trim_start().len();
            used = width(&text[begin..at]);
        }
        if used == 0 && !lines.is_empty() && grapheme == " " {
            begin = at + 1;
            continue;
        }
        used += width(grapheme);
    }
    if begin < text.len() || lines.is_empty() {
        lines.push(text.part(begin..text.len()));
    }
    lines
}

/// `512 B`, `1.7 MiB`: binary units, two significant digits below ten.
pub fn bytes(count: u64) -> Clean {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (count as f64, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && value < 10.0);
    Clean::from(format!("{value:.digits$} {}", UNITS[unit]))
}

/// `0 %` to `100 %`; what is not whole is never rounded to `100 %`, nor something to `0 %`.
pub fn percent(share: f64) -> Clean {
    let percent = share * 100.0;
    let whole = percent.round();
    let shown = if percent < 100.0 && whole >= 100.0 {
        99.0
    } else if percent > 0.0 && whole < 1.0 {
        1.0
    } else {
        whole
    };
    Clean::from(format!("{shown:.0}%"))
}

/// A measured value, short: `4644`, `12.5`, `0.2531`, `3.2e-5`.
pub fn number(value: f64) -> Clean {
    let size = value.abs();
    let text = match size {
        _ if size != 0.0 && !(1e-4..1e9).contains(&size) => return Clean::from(format!("{value:.1e}")),
        100.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    };
    Clean::from(text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_cut_says_so() {
        let name: Clean = "ml-inference".into();
        assert_eq!(fit(&name, 20, "…"), name);
        assert_eq!(fit(&name, 12, "…"), name);
        assert_eq!(fit(&name, 6, "…"), "ml-in…");
        assert_eq!(fit(&name, 1, "…"), "…");
        assert_eq!(fit(&name, 0, "…"), "");
        assert_eq!(fit(&"日本語".into(), 4, "…"), "日…");
    }

    #[test]
    fn lines_break_between_words() {
        let lines = wrap(&"0/14 nodes are available: 14 Insufficient nvidia.com/gpu.".into(), 20);
        assert_eq!(lines, ["0/14 nodes are", "available: 14", "Insufficient", "nvidia.com/gpu."]);
        assert_eq!(wrap(&"abcdef".into(), 4), ["abcd", "ef"]);
        assert_eq!(wrap(&"".into(), 4), [""]);
    }

    #[test]
    fn numbers_have_units() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1_782_579), "1.7 MiB");
        assert_eq!(bytes(31_457_280), "30 MiB");
        assert_eq!(percent(0.999), "99%");
        assert_eq!(percent(0.001), "1%");
        assert_eq!(percent(1.0), "100%");
        assert_eq!(percent(0.0), "0%");
        for (value, shown) in
            [(4644.0, "4644"), (12.5, "12.5"), (0.25314, "0.2531"), (0.0, "0"), (3.2e-5, "3.2e-5")]
        {
            assert_eq!(number(value), shown);
        }
    }

    proptest! {
        #[test]
        fn a_fitted_text_fits(text in any::<String>(), cells in 0usize..30) {
            prop_assert!(width(&fit(&Clean::from(text.clone()), cells, "…")) <= cells);
            for line in wrap(&Clean::from(text), cells.max(2)) {
                let one_cluster = line.graphemes(true).count() == 1;
                prop_assert!(one_cluster || width(&line) <= cells.max(2));
            }
        }
    }
}
