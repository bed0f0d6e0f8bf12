//! How many: one line for all cells that are marked, each shown with what it has and what it would get.

use ratatui::layout::Rect;

use super::form::Ear;
use crate::app::msg::Looked;
use crate::fleet::{ChangeId, Clean, Kind, Mono};
use crate::gate::plan::{PAUSED_REPLICAS, standing};
use crate::gate::{Amount, Intent, Place, ScaleTo, Sight, Wish};
use crate::input::{Code, Key};
use crate::state::State;
use crate::ui::input_line::InputLine;
use crate::ui::pen::{self, Pen};
use crate::ui::{Cell, Meaning, dialog};

pub struct ScaleForm {
    pub ticket: u64,
    places: Vec<Place>,
    /// What was read, when it was; the form is frozen on it.
    sight: Option<(ChangeId, Sight)>,
    fault: Option<String>,
    line: InputLine,
    reason: InputLine,
    on_reason: bool,
    ear: Ear,
    pub mistake: Option<String>,
}

/// What a key asks for.
pub enum Pressed {
    Nothing,
    Close,
    Preview,
}

impl ScaleForm {
    pub fn new(ticket: u64, places: Vec<Place>, now: Mono) -> Self {
        Self {
            ticket,
            places,
            sight: None,
            fault: None,
            line: InputLine::default(),
            reason: InputLine::default(),
            on_reason: false,
            ear: Ear::opened(now),
            mistake: None,
        }
    }

    /// What is there now. Only a current value that all share is prefilled; nobody knows which other is meant.
    pub fn looked(&mut self, looked: Looked, state: &State) {
        let now = state.now.mono;
        match looked.sight().whole() {
            Ok(sight) => {
                self.sight = Some((looked.id, sight));
                self.ear = Ear::opened(now);
                let mut standing: Vec<_> =
                    self.places.iter().map(|place| self.standing(place, state)).collect();
                standing.dedup();
                if let [Some(only)] = standing[..] {
                    self.line = InputLine::new(&only.to_string());
                }
            }
            Err(words) => self.fault = Some(words.to_string()),
        }
    }

    fn current(&self, place: &Place) -> Option<u32> {
        let (_, sight) = self.sight.as_ref()?;
        // The API's default where the spec says nothing is one.
        Some(sight.of(place)?.number("/spec/replicas").unwrap_or(1))
    }

    /// What is there now, in the words in which it would be given anew.
    fn standing(&self, place: &Place, state: &State) -> Option<Amount> {
        standing(place, &self.sight.as_ref()?.1, state)
    }

    fn amount(&self, place: &Place) -> Result<Amount, String> {
        let current = self.current(place).ok_or("how many there are now is not known")?;
        Amount::parse(self.line.text(), current)
    }

    pub fn press(&mut self, key: Key, now: Mono) -> Pressed {
        if self.ear.ignores(key, now) {
            return Pressed::Nothing;
        }
        match key.code {
            Code::Esc => return Pressed::Close,
            Code::Enter if self.sight.is_some() => return Pressed::Preview,
            Code::Enter => {}
            Code::Tab | Code::BackTab | Code::Up | Code::Down => self.on_reason = !self.on_reason,
            _ if self.on_reason => drop(self.reason.press(key)),
            _ => {
                self.line.press(key);
                self.mistake = None;
            }
        }
        Pressed::Nothing
    }

    /// Text for the reason may be pasted; a number is typed.
    pub fn paste(&mut self, text: &str, now: Mono) {
        self.ear.pasted(now);
        if self.on_reason {
            self.reason.paste(text);
        }
    }

    pub fn wish(&self) -> Result<(ChangeId, Intent, Sight), String> {
        let (id, sight) = self.sight.as_ref().ok_or("it is still being read")?;
        let cells: Result<Vec<_>, String> = self
            .places
            .iter()
            .map(|place| Ok(ScaleTo { place: place.clone(), to: self.amount(place)? }))
            .collect();
        let mut intent = Intent::new(Wish::Scale(cells?));
        intent.reason = Clean::new(self.reason.text().trim());
        Ok((id.clone(), intent, sight.clone()))
    }

    /// ```text
    /// ╭ Scale ──────────────────────────────────────── 2 workloads ╮
    /// │ aws-east     ml-platform/ml-inference   4 → 6               │
    /// │ gcp-central  ml-platform/ml-inference   3 → 6   KEDA        │
    /// │ replicas  6▏                       6  +2  -1  x2  3-20      │
    /// │ reason    ▏                                                 │
    /// ```
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, state: &State) {
        let place = dialog::centred(area, 88, self.places.len() as u16 + 5);
        let noun = if self.places.len() == 1 { "workload" } else { "workloads" };
        let note = format!("{} {noun}", self.places.len());
        let inside = dialog::open(pen, place, &"Scale".into(), &note.into());
        let (above, below) = pen::above(inside, 3);
        for (line, place) in pen::lines(above).zip(&self.places) {
            let cell = self.row(place, state);
            pen.put_cell(line, &cell, crate::ui::Align::Left);
        }
        let field = |row, name: &str, input: &InputLine, active: bool, pen: &mut Pen<'_>| {
            let line = pen::line(below, row);
            let used =
                pen.put(line, format!("{name:<10}"), if active { Meaning::Key } else { Meaning::Muted });
            let rest = Rect { x: line.x + used, width: line.width.saturating_sub(used), ..line };
            if active {
                input.draw(pen, rest);
            } else {
                pen.put(rest, input.text(), Meaning::Text);
            }
        };
        field(0, "replicas", &self.line, !self.on_reason, pen);
        pen.put_right(pen::line(below, 0), "6  +2  -1  x2  3-20", Meaning::Faint);
        field(1, "reason", &self.reason, self.on_reason, pen);
        let last = pen::line(below, 2);
        match (&self.mistake, &self.fault, &self.sight) {
            (Some(words), ..) | (None, Some(words), _) => drop(pen.put(last, words.as_str(), Meaning::Bad)),
            (None, None, None) => drop(pen.put(last, "reading what is there now", Meaning::Muted)),
            _ => {}
        }
    }

    fn row(&self, place: &Place, state: &State) -> Cell {
        let cluster = state.cluster(place.cluster).map(|it| it.spec.name.clone()).unwrap_or_default();
        let cell = Cell::muted(format!("{cluster:<14} "))
            .and(format!("{:<34}", place.object.key.to_string()), Meaning::Text);
        let Some(standing) = self.standing(place, state) else { return cell.and("?", Meaning::Unknown) };
        let cell = cell.and(standing.to_string(), Meaning::Text);
        let cell = match self.amount(place) {
            Ok(to) if to == standing => cell,
            Ok(to) => cell.and(format!(" → {to}"), Meaning::Progress),
            Err(_) => cell,
        };
        match self.decided_by(place) {
            Some(words) => cell.and(format!("   {words}"), Meaning::Muted),
            None => cell,
        }
    }

    /// The autoscaler that was read along.
    fn decided_by(&self, place: &Place) -> Option<String> {
        let (_, sight) = self.sight.as_ref()?;
        let others = sight.objects.iter().filter(|seen| {
            seen.place.cluster == place.cluster
                && seen.place.object.kind != place.object.kind
                && seen.place.object.key.namespace == place.object.key.namespace
        });
        let target = |seen: &&crate::gate::Seen| {
            seen.text("/spec/scaleTargetRef/name") == Some(&place.object.key.name)
                || !matches!(seen.place.object.kind, Kind::HorizontalPodAutoscaler | Kind::ScaledObject)
        };
        let seen = others.into_iter().find(target)?;
        let number = |pointer: &str| seen.number(pointer).map_or_else(|| "?".into(), |it| it.to_string());
        Some(match seen.place.object.kind {
            Kind::HorizontalPodAutoscaler => {
                format!("HPA {}-{}", number("/spec/minReplicas"), number("/spec/maxReplicas"))
            }
            Kind::ScaledObject => match seen.annotation(PAUSED_REPLICAS) {
                Some(pinned) => format!("KEDA paused at {pinned}"),
                None => {
                    format!("KEDA {}-{}", number("/spec/minReplicaCount"), number("/spec/maxReplicaCount"))
                }
            },
            kind => format!("{kind} {}", seen.place.object.key.name),
        })
    }
}
