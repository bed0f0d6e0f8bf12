//! Everything an operator can ask for, in one table.

/// What is asked for. An action without a row in [`ACTIONS`] cannot be reached; a test walks both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Open,
    Back,
    NextPanel,
    PreviousPanel,
    GoFleet,
    GoClusters,
    GoJobs,
    GoReplicas,
    GoTraffic,
    GoJournal,
    Filter,
    ClearFilter,
    Scope,
    SortNext,
    SortPrevious,
    SortReverse,
    Freeze,
    Palette,
    Help,
    Themes,
    ProgramLog,
    Mouse,
    Copy,
    Reconnect,
    Logs,
    Yaml,
    NextTab,
    PreviousTab,
    Refresh,
    Follow,
    PreviousContainer,
    PreviousRun,
    Since,
    Search,
    NextMatch,
    PreviousMatch,
    Toggle,
    ToggleAll,
    Undo,
    Resume,
    Export,
    Mark,
    Scale,
    Restart,
    Unlock,
    EditWeights,
    Drain,
    Ramp,
    Raise,
    Lower,
    RaiseMore,
    LowerMore,
    Lock,
    Even,
    DrainHere,
    RampHere,
    Apply,
    StopChange,
    AbortChange,
    ContinueChange,
    UndoDone,
    LeaveChange,
    CopyPlan,
    ReplayHold,
    ReplayStep,
    ReplaySecond,
    ReplayTen,
    ReplayFaster,
    ReplaySlower,
    Redraw,
    Suspend,
    Quit,
}

/// Where an action can be asked for. The innermost context that knows a key decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// Wherever no text is being typed.
    Everywhere,
    /// In a panel.
    Panel,
    /// In the detail view of an object.
    Inspect,
    /// In a text that can be searched and read again.
    Text,
    /// In the detail view, on the tab with logs.
    Logs,
    /// In a list to choose from: scope, themes.
    Picker,
    /// Where a plan is read and followed.
    Plan,
    /// In the traffic editor.
    Weights,
    /// Where a recording is shown.
    Replay,
}

/// One row: everything that is known of an action.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub action: Action,
    /// The name in the configuration and the palette.
    pub name: &'static str,
    /// One line, in the imperative.
    pub doc: &'static str,
    /// A word for the hint line; empty when the line need not offer it.
    pub hint: &'static str,
    pub context: Context,
    /// Default chords, first the one that hints show.
    pub keys: &'static [&'static str],
}

const fn row(
    action: Action,
    context: Context,
    keys: &'static [&'static str],
    texts: [&'static str; 3],
) -> Row {
    Row { action, name: texts[0], doc: texts[1], hint: texts[2], context, keys }
}

use Action as A;
use Context::{Everywhere, Inspect, Logs, Panel, Picker, Plan, Replay, Text, Weights};

pub const ACTIONS: &[Row] = &[
    row(A::Up, Everywhere, &["k", "up"], ["up", "Move up", ""]),
    row(A::Down, Everywhere, &["j", "down"], ["down", "Move down", ""]),
    row(A::Left, Everywhere, &["h", "left"], ["left", "Move left, or scroll left", ""]),
    row(A::Right, Everywhere, &["l", "right"], ["right", "Move right, or scroll right", ""]),
    row(A::PageUp, Everywhere, &["ctrl-b", "pageup", "ctrl-u"], ["page-up", "Move up by a screenful", ""]),
    row(
        A::PageDown,
        Everywhere,
        &["ctrl-f", "pagedown", "ctrl-d"],
        ["page-down", "Move down by a screenful", ""],
    ),
    row(A::Top, Everywhere, &["g g", "home"], ["top", "Go to the first row", ""]),
    row(A::Bottom, Everywhere, &["G", "end"], ["bottom", "Go to the last row", ""]),
    row(A::Open, Everywhere, &["enter"], ["open", "Open what the cursor is on", "open"]),
    row(A::Back, Everywhere, &["esc"], ["back", "Close what is on top; in a panel, clear the filter", ""]),
    row(A::GoFleet, Everywhere, &["1"], ["fleet", "Go to Fleet: what needs attention", ""]),
    row(A::GoClusters, Everywhere, &["2"], ["clusters", "Go to Clusters", ""]),
    row(A::GoJobs, Everywhere, &["4"], ["jobs", "Go to Jobs", ""]),
    row(A::GoReplicas, Everywhere, &["5"], ["replicas", "Go to Replicas: workload by cluster", ""]),
    row(
        A::GoJournal,
        Everywhere,
        &["0"],
        ["journal", "Go to the Journal: what was changed, and how it stands", ""],
    ),
    row(A::Undo, Panel, &["U"], ["undo", "Plan to take the operation under the cursor back", "undo"]),
    row(
        A::Resume,
        Panel,
        &["p"],
        ["resume", "Open the operation under the cursor, to go on with it or not", "resume"],
    ),
    row(
        A::Export,
        Panel,
        &["x"],
        ["export", "Write a page about the operation to a file, for a post-mortem", "export"],
    ),
    row(A::GoTraffic, Everywhere, &["6"], ["traffic", "Go to Traffic: routes, weights and shares", ""]),
    row(A::NextPanel, Panel, &["tab"], ["next-panel", "Go to the next panel", ""]),
    row(A::PreviousPanel, Panel, &["shift-tab"], ["previous-panel", "Go to the panel before", ""]),
    row(
        A::Filter,
        Panel,
        &["/"],
        ["filter", "Show only matching rows: text, phase:failed, gpu>4, age<2h", "filter"],
    ),
    row(A::ClearFilter, Panel, &["ctrl-x"], ["clear-filter", "Show all rows again", ""]),
    row(A::SortNext, Panel, &["o", ">"], ["sort-next", "Sort by the next column", "sort"]),
    row(A::SortPrevious, Panel, &["<"], ["sort-previous", "Sort by the column before", ""]),
    row(A::SortReverse, Panel, &["O"], ["sort-reverse", "Turn the order round", ""]),
    row(
        A::Logs,
        Panel,
        &["L"],
        ["logs", "Open the logs of what the cursor is on; of a cluster: log in", "logs"],
    ),
    row(A::Yaml, Panel, &["y"], ["yaml", "Open the YAML of what the cursor is on", ""]),
    row(A::Reconnect, Panel, &["ctrl-r"], ["reconnect", "Try unreachable clusters again now", ""]),
    row(A::Mark, Panel, &["m"], ["mark", "Mark what the cursor is on, or take the mark away", "mark"]),
    row(A::Scale, Panel, &["s"], ["scale", "Scale what is marked, or what the cursor is on", "scale"]),
    row(
        A::Restart,
        Panel,
        &["R"],
        ["restart", "Restart what is marked, or what the cursor is on", "restart"],
    ),
    row(
        A::Unlock,
        Panel,
        &["u"],
        ["unlock", "Unlock the cluster under the cursor for changes, or lock it again", "unlock"],
    ),
    row(A::Apply, Plan, &["a"], ["apply", "Apply the plan", "apply"]),
    row(A::StopChange, Plan, &["x"], ["stop", "Stop after the step that is on the wire", "stop"]),
    row(
        A::ContinueChange,
        Plan,
        &["c"],
        [
            "continue",
            "Go on with what is left: what was refused is tried again if it can be, else left out",
            "continue",
        ],
    ),
    row(
        A::AbortChange,
        Plan,
        &["A"],
        ["abort", "Stop the ramp and go back to the weights before it", "abort and go back"],
    ),
    row(
        A::EditWeights,
        Panel,
        &["e"],
        ["weights", "Change the weights of the rule under the cursor", "weights"],
    ),
    row(A::Drain, Panel, &["d"], ["drain", "Take all traffic off the destination under the cursor", "drain"]),
    row(A::Ramp, Panel, &["r"], ["ramp", "Change weights in steps", "ramp"]),
    row(A::Raise, Weights, &["right"], ["raise", "Raise the weight by 1; the others give", "±1"]),
    row(A::Lower, Weights, &["left"], ["lower", "Lower the weight by 1; the others get", ""]),
    row(A::RaiseMore, Weights, &["]", "ctrl-right"], ["raise-more", "Raise the weight by 5", "±5"]),
    row(A::LowerMore, Weights, &["[", "ctrl-left"], ["lower-more", "Lower the weight by 5", ""]),
    row(A::Lock, Weights, &["l"], ["lock", "Hold the weight while others move, or let it go", "lock"]),
    row(A::Even, Weights, &["e"], ["even", "Give every destination the same that is not locked", "even"]),
    row(A::DrainHere, Weights, &["d"], ["drain-here", "Take all traffic off this destination", "drain"]),
    row(
        A::RampHere,
        Weights,
        &["r"],
        ["ramp-here", "In one step, or in steps of 10, 5, 25 or 1 percent", "ramp"],
    ),
    row(A::UndoDone, Plan, &["u"], ["undo-done", "Plan to take back what was done", "undo the done ones"]),
    row(A::LeaveChange, Plan, &["l"], ["leave", "Leave it as it is, and record that", "leave and record"]),
    row(A::CopyPlan, Plan, &["y"], ["copy-plan", "Copy the plan to the clipboard (OSC 52)", "copy"]),
    row(
        A::Scope,
        Everywhere,
        &["c"],
        ["scope", "Choose which clouds, clusters and namespaces are shown", "scope"],
    ),
    row(
        A::Freeze,
        Everywhere,
        &["space"],
        ["freeze", "Hold the picture still, or let it live again", "freeze"],
    ),
    row(A::NextTab, Inspect, &["tab"], ["next-tab", "Go to the next tab", "next tab"]),
    row(A::PreviousTab, Inspect, &["shift-tab"], ["previous-tab", "Go to the tab before", ""]),
    row(A::Refresh, Text, &["r"], ["refresh", "Read it again", "read again"]),
    row(A::Search, Text, &["/"], ["search", "Search in the text", "search"]),
    row(A::NextMatch, Text, &["n"], ["next-match", "Go to the next match", ""]),
    row(A::PreviousMatch, Text, &["N"], ["previous-match", "Go to the match before", ""]),
    row(A::Follow, Logs, &["f"], ["follow", "Follow the log, or stop following", "follow"]),
    row(
        A::PreviousRun,
        Logs,
        &["p"],
        ["previous-run", "Show the log of the container's run before", "previous run"],
    ),
    row(A::PreviousContainer, Logs, &["v"], ["container", "Show the next container of the pod", "container"]),
    row(A::Since, Logs, &["s"], ["since", "Change how far back the log begins", "since"]),
    row(A::Toggle, Picker, &["space"], ["toggle", "Show or hide the entry", "show or hide"]),
    row(A::ToggleAll, Picker, &["a"], ["toggle-all", "Show everything", "show all"]),
    row(A::ReplayHold, Replay, &["space"], ["hold", "Hold the recording, or let it run", "hold or run"]),
    row(A::ReplayStep, Replay, &["."], ["step", "Go on by one message", "a message"]),
    row(A::ReplaySecond, Replay, &["]"], ["second", "Go on by one second", "1s"]),
    row(A::ReplayTen, Replay, &["}"], ["ten-seconds", "Go on by ten seconds", "10s"]),
    row(A::ReplayFaster, Replay, &["plus"], ["faster", "Let it run twice as fast", "faster"]),
    row(A::ReplaySlower, Replay, &["minus"], ["slower", "Let it run half as fast", "slower"]),
    row(
        A::Copy,
        Everywhere,
        &["Y"],
        ["copy", "Copy the name under the cursor to the clipboard (OSC 52)", ""],
    ),
    row(A::ProgramLog, Everywhere, &[], ["log", "Show the log of this program", ""]),
    row(A::Themes, Everywhere, &["T"], ["themes", "Choose a theme, with preview", ""]),
    row(
        A::Mouse,
        Everywhere,
        &["M"],
        ["mouse", "Let the mouse go, so that text can be selected; or take it again", ""],
    ),
    row(
        A::Palette,
        Everywhere,
        &[":", "ctrl-p"],
        ["palette", "Find an action or an object by name", "command"],
    ),
    row(A::Help, Everywhere, &["?", "f1"], ["help", "Show the keys that work here", "help"]),
    row(A::Redraw, Everywhere, &["ctrl-l"], ["redraw", "Draw the whole screen anew", ""]),
    row(A::Suspend, Everywhere, &["ctrl-z"], ["suspend", "Put the console into the background", ""]),
    row(A::Quit, Everywhere, &["q", "ctrl-c"], ["quit", "Quit", "quit"]),
];

impl Action {
    pub fn row(self) -> &'static Row {
        let row = ACTIONS.iter().find(|row| row.action == self);
        // A test holds that every action has its row; the fallback keeps a hole from being a crash.
        row.unwrap_or(&ACTIONS[0])
    }

    pub fn named(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|row| row.name == name).map(|row| row.action)
    }
}

impl Context {
    pub const fn name(self) -> &'static str {
        match self {
            Everywhere => "everywhere",
            Panel => "in a panel",
            Inspect => "in a detail view",
            Text => "in a text",
            Logs => "in logs",
            Picker => "in a list to choose from",
            Plan => "in a plan",
            Weights => "in the traffic editor",
            Replay => "in a recording",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Chord;

    #[test]
    fn names_are_unique_and_every_row_is_documented() {
        let mut names: Vec<_> = ACTIONS.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ACTIONS.len());
        for row in ACTIONS {
            assert_eq!(row.action.row().name, row.name, "an action has one row");
            assert!(row.doc.chars().next().is_some_and(char::is_uppercase), "{}", row.name);
            assert!(!row.doc.ends_with('.'), "{}", row.name);
            for key in row.keys {
                assert_eq!(key.parse::<Chord>().unwrap().to_string(), *key, "{}", row.name);
            }
        }
    }
}
