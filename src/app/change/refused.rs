//! Why there is no plan, what to do instead, and which rule could be set aside.

use ratatui::layout::Rect;

use crate::fleet::{ChangeId, Clean};
use crate::gate::{Intent, Refusal, Sight};
use crate::ui::pen::Pen;
use crate::ui::{Meaning, dialog, text};

pub struct Refused {
    pub refusal: Refusal,
    pub id: ChangeId,
    pub intent: Intent,
    pub sight: Sight,
}

impl Refused {
    /// ```text
    /// ╭ Not planned ──────────────────────────────────────────╮
    /// │ ✖ 60.0% would move in one step of at most 25          │
    /// │   ramp it                                             │
    /// │   ctrl-o sets the rule `step-size` aside              │
    /// ```
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let words = Clean::from(format!("{} {}", pen.cx.glyphs.bad, self.refusal.words));
        let width = 84.min(area.width);
        let room = usize::from(width.saturating_sub(4)).max(1);
        let lines = |words: &Clean| text::wrap(words, room).len() as u16;
        let hint = Clean::from(&self.refusal.hint);
        let rule = self.refusal.rule.map(|rule| {
            Clean::from(format!(
                "ctrl-o sets the rule `{}` aside; the confirmation then names it",
                rule.name()
            ))
        });
        let height = 2 + lines(&words) + lines(&hint) + rule.as_ref().map_or(0, lines);
        let title = if self.refusal.is_conflict { "Changed since it was shown" } else { "Not planned" };
        let place = dialog::centred(area, width, height);
        let mut inside = dialog::open(pen, place, &title.into(), &"esc closes".into());
        let parts =
            [(Some(&words), Meaning::Bad), (Some(&hint), Meaning::Text), (rule.as_ref(), Meaning::Hint)];
        for (part, meaning) in parts {
            let Some(part) = part.filter(|part| !part.is_empty()) else { continue };
            let used = lines(part).min(inside.height);
            pen.put_wrapped(Rect { height: used, ..inside }, part, meaning);
            inside = Rect { y: inside.y + used, height: inside.height - used, ..inside };
        }
    }
}
