//! What lies on top of a panel: a stack of data. The innermost layer is offered each key first.

use super::change::plan_view::PlanView;
use super::change::refused::Refused;
use super::change::scale::ScaleForm;
use super::change::unlock::Unlock;
use super::change::weights::WeightsForm;
use super::help::Help;
use super::inspect::Inspect;
use super::palette::Palette;
use super::program_log::ProgramLog;
use super::scope::ScopePicker;
use crate::gate::Desk;
use crate::input::Context;
use crate::ui::input_line::InputLine;

pub enum Layer {
    Help(Help),
    Palette(Palette),
    Filter(FilterLine),
    Scope(ScopePicker),
    Themes(ThemePicker),
    Inspect(Box<Inspect>),
    ProgramLog(ProgramLog),
    Unlock(Unlock),
    Scale(Box<ScaleForm>),
    Weights(Box<WeightsForm>),
    Plan(Box<PlanView>),
    Refused(Box<Refused>),
}

/// The filter being typed, with what is wrong with it.
pub struct FilterLine {
    pub line: InputLine,
    pub mistake: Option<String>,
    /// The filter before, for those who change their mind.
    pub before: String,
}

/// The theme being chosen, with the one before.
pub struct ThemePicker {
    pub cursor: usize,
    pub before: String,
}

impl Layer {
    /// Whether keys are text here.
    pub fn takes_text(&self, desk: &Desk) -> bool {
        match self {
            Self::Palette(_)
            | Self::Filter(_)
            | Self::Unlock(_)
            | Self::Scale(_)
            | Self::Weights(_)
            | Self::Refused(_) => true,
            Self::Plan(view) => view.takes_text(desk),
            Self::Inspect(inspect) => inspect.is_searching(),
            Self::ProgramLog(log) => log.is_searching(),
            Self::Help(_) | Self::Scope(_) | Self::Themes(_) => false,
        }
    }

    /// The contexts whose keys hold here, the innermost first.
    pub fn contexts(&self) -> &'static [Context] {
        match self {
            Self::Inspect(inspect) if inspect.shows_logs() => {
                &[Context::Logs, Context::Inspect, Context::Text]
            }
            Self::Inspect(_) => &[Context::Inspect, Context::Text],
            Self::ProgramLog(_) => &[Context::Text],
            Self::Scope(_) | Self::Themes(_) => &[Context::Picker],
            Self::Plan(_) => &[Context::Plan],
            Self::Weights(_) => &[Context::Weights],
            Self::Palette(_)
            | Self::Filter(_)
            | Self::Help(_)
            | Self::Unlock(_)
            | Self::Scale(_)
            | Self::Refused(_) => &[],
        }
    }
}
