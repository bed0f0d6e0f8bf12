//! Everything about one object: fields, pods, conditions, events, YAML, logs.

mod conditions;
mod logs;
mod overview;
mod pods;
mod room;
mod route;
mod yaml;

use serde_json::Value;

use super::msg::Effect;
use crate::fleet::{Clean, ClusterId, Fault, Kind, LogLine, ObjectId, ObjectKey, Subject};
use crate::input::{Action, Key};
use crate::panels::Target;
use crate::state::{Cluster, State};
use crate::ui::input_line::InputLine;
use crate::ui::{Cell, Meaning};
use logs::Logs;

/// A line of a tab, and what opening it leads to.
#[derive(Debug, Clone, Default)]
pub struct Line {
    pub cell: Cell,
    pub target: Option<Target>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Overview,
    Pods,
    Sources,
    Conditions,
    Events,
    Yaml,
    Logs,
}

impl Tab {
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Pods => "Pods",
            Self::Sources => "Sources",
            Self::Conditions => "Conditions",
            Self::Events => "Events",
            Self::Yaml => "YAML",
            Self::Logs => "Logs",
        }
    }
}

/// The object as the server gave it.
#[derive(Debug)]
enum Object {
    /// Nothing to ask for: a cluster is not an object.
    None,
    Asked,
    Got(Box<Value>),
    Failed(Fault),
}

pub struct Inspect {
    pub cluster: ClusterId,
    pub subject: Subject,
    tabs: Vec<Tab>,
    tab: usize,
    object: Object,
    yaml: Vec<Line>,
    lines: Vec<Line>,
    cursor: usize,
    first: usize,
    page: usize,
    /// The text being searched for, while it is typed.
    typing: Option<InputLine>,
    search: String,
    logs: Logs,
    title: Clean,
}

impl Inspect {
    /// `None` when there is no cluster to look into.
    pub fn new(target: &Target, state: &State, stream: u64) -> Option<(Self, Vec<Effect>)> {
        let cluster = target.cluster.or_else(|| somewhere(state, &target.subject))?;
        let mut inspect = Self {
            cluster,
            subject: target.subject.clone(),
            tabs: tabs(&target.subject),
            tab: 0,
            object: Object::None,
            yaml: Vec::new(),
            lines: Vec::new(),
            cursor: 0,
            first: 0,
            page: 10,
            typing: None,
            search: String::new(),
            logs: Logs::new(stream),
            title: Clean::default(),
        };
        let effects = inspect.fetch();
        inspect.refresh(state);
        Some((inspect, effects))
    }

    /// Goes to a tab, if this object has it.
    pub fn open_tab(&mut self, tab: Tab, state: &State) -> Vec<Effect> {
        match self.tabs.iter().position(|it| *it == tab) {
            Some(at) => self.change_tab(at, state),
            None => Vec::new(),
        }
    }

    /// Takes from the state what the tab shows.
    pub fn refresh(&mut self, state: &State) {
        self.title = overview::title(state, self);
        let lines = match self.current() {
            Tab::Overview => overview::lines(state, self),
            Tab::Pods => pods::pods(state, self),
            Tab::Sources => pods::sources(state, self),
            Tab::Conditions => conditions::lines(state, &self.object),
            Tab::Events => pods::events(state, self),
            Tab::Yaml => self.yaml_lines(),
            Tab::Logs => return,
        };
        self.lines = lines;
        self.cursor = self.cursor.min(self.lines.len().saturating_sub(1));
    }

    /// Does what it can with an action; what it opens is a target.
    pub fn act(&mut self, action: Action, state: &State) -> (Option<Target>, Vec<Effect>) {
        match action {
            Action::NextTab | Action::Right => {
                return (None, self.change_tab((self.tab + 1) % self.tabs.len(), state));
            }
            Action::PreviousTab | Action::Left => {
                return (None, self.change_tab((self.tab + self.tabs.len() - 1) % self.tabs.len(), state));
            }
            Action::Refresh => {
                let mut effects = self.fetch();
                if self.shows_logs() {
                    effects.extend(self.read_logs(state));
                }
                self.refresh(state);
                return (None, effects);
            }
            Action::Search => self.typing = Some(InputLine::new("")),
            Action::NextMatch => self.find(true),
            Action::PreviousMatch => self.find(false),
            Action::Open => return (self.opened(), Vec::new()),
            Action::Follow | Action::PreviousRun | Action::Since | Action::PreviousContainer => {
                self.logs.change(action, containers(&self.object));
                return (None, self.read_logs(state));
            }
            other => self.scroll(other),
        }
        (None, Vec::new())
    }

    pub fn is_searching(&self) -> bool {
        self.typing.is_some()
    }

    /// A key while the search is typed: `Enter` takes it, `Esc` leaves it.
    pub fn type_key(&mut self, key: Key) {
        use crate::input::Code;
        match key.code {
            Code::Enter => {
                if let Some(line) = self.typing.take() {
                    line.text().clone_into(&mut self.search);
                    self.find(true);
                }
            }
            Code::Esc => self.typing = None,
            _ => {
                if let Some(line) = &mut self.typing {
                    line.press(key);
                }
            }
        }
    }

    pub fn paste(&mut self, text: &str) {
        if let Some(line) = &mut self.typing {
            line.paste(text);
        }
    }

    pub fn shows_logs(&self) -> bool {
        self.current() == Tab::Logs
    }

    /// An answer to what was asked for; others are of an object that is not looked at any more.
    pub fn answered(
        &mut self,
        cluster: ClusterId,
        id: &ObjectId,
        outcome: &Result<Box<Value>, Fault>,
        state: &State,
    ) {
        if cluster != self.cluster || self.object_id().as_ref() != Some(id) {
            return;
        }
        match outcome {
            Ok(object) => {
                self.yaml = yaml::lines(object);
                self.object = Object::Got(object.clone());
            }
            Err(fault) => self.object = Object::Failed(fault.clone()),
        }
        self.refresh(state);
    }

    /// Whether this stream of lines is the one that is shown.
    pub fn reads(&self, stream: u64) -> bool {
        self.logs.stream() == stream
    }

    pub fn took_lines(&mut self, lines: Vec<LogLine>) {
        self.logs.take(lines);
    }

    pub fn logs_ended(&mut self, outcome: Result<(), Fault>) {
        self.logs.ended(outcome);
    }

    /// What the clipboard gets: the line under the cursor, or the name of the object.
    pub fn copied(&self) -> Clean {
        match self.current() {
            Tab::Overview => self.subject.to_string().into(),
            Tab::Logs => self.logs.text(self.first).unwrap_or_default(),
            _ => self.lines.get(self.cursor).map(|line| line.cell.plain().into()).unwrap_or_default(),
        }
    }

    fn current(&self) -> Tab {
        self.tabs[self.tab]
    }

    fn change_tab(&mut self, to: usize, state: &State) -> Vec<Effect> {
        let left_logs = self.shows_logs();
        (self.tab, self.cursor, self.first) = (to, 0, 0);
        self.refresh(state);
        match (left_logs, self.shows_logs()) {
            (false, true) => self.read_logs(state),
            (true, false) => vec![Effect::StopLogs],
            _ => Vec::new(),
        }
    }

    fn fetch(&mut self) -> Vec<Effect> {
        let Some(id) = self.object_id() else { return Vec::new() };
        if !matches!(self.object, Object::Got(_)) {
            self.object = Object::Asked;
        }
        vec![Effect::Fetch { cluster: self.cluster, id }]
    }

    fn read_logs(&mut self, state: &State) -> Vec<Effect> {
        let pods = pods::log_targets(state, self, self.logs.container());
        match self.logs.begin(pods) {
            Some(request) => {
                vec![Effect::ReadLogs { stream: self.logs.stream(), cluster: self.cluster, request }]
            }
            None => vec![Effect::StopLogs],
        }
    }

    /// The object, once it was read.
    fn got(&self) -> Option<&Value> {
        match &self.object {
            Object::Got(object) => Some(object),
            Object::None | Object::Asked | Object::Failed(_) => None,
        }
    }

    /// The object to ask the server for.
    fn object_id(&self) -> Option<ObjectId> {
        let cluster_scoped = |kind, name: &Clean| ObjectId {
            kind,
            key: ObjectKey { namespace: Clean::default(), name: name.clone() },
        };
        match &self.subject {
            Subject::Cluster => None,
            Subject::Node(name) => Some(cluster_scoped(Kind::Node, name)),
            Subject::Namespace(name) => Some(cluster_scoped(Kind::Namespace, name)),
            Subject::Workload(id) | Subject::Job(id) | Subject::Route(id) => Some(id.clone()),
            Subject::Pod(key) => Some(ObjectId { kind: Kind::Pod, key: key.clone() }),
        }
    }

    fn yaml_lines(&self) -> Vec<Line> {
        match &self.object {
            Object::Got(_) => self.yaml.clone(),
            Object::Asked => vec![Line::words("reading…", Meaning::Muted)],
            Object::Failed(fault) => vec![Line::words(fault.to_string(), Meaning::Bad)],
            Object::None => Vec::new(),
        }
    }

    fn opened(&self) -> Option<Target> {
        self.lines.get(self.cursor)?.target.clone()
    }

    /// Whether lines can be opened.
    pub fn has_cursor(&self) -> bool {
        matches!(self.current(), Tab::Pods)
    }

    fn scroll(&mut self, action: Action) {
        let total = if self.shows_logs() { self.logs.len() } else { self.lines.len() };
        let last = total.saturating_sub(1);
        let place = if self.has_cursor() { &mut self.cursor } else { &mut self.first };
        let bottom = total.saturating_sub(self.page);
        *place = match action {
            Action::Up => place.saturating_sub(1),
            Action::Down => (*place + 1).min(last),
            Action::PageUp => place.saturating_sub(self.page),
            Action::PageDown => (*place + self.page).min(last),
            Action::Top => 0,
            Action::Bottom => bottom,
            _ => return,
        };
        if self.shows_logs() {
            // Going back stops the view from running along; going to the end lets it run again.
            self.logs.pinned = action == Action::Bottom || (self.first >= bottom && self.logs.pinned);
        }
    }

    /// Goes to the next line that holds the text.
    fn find(&mut self, forward: bool) {
        if self.search.is_empty() {
            return;
        }
        let wanted = self.search.to_lowercase();
        let total = if self.shows_logs() { self.logs.len() } else { self.lines.len() };
        let holds = |at: usize| {
            let text = if self.shows_logs() {
                self.logs.text(at).map(|text| text.to_lowercase())
            } else {
                self.lines.get(at).map(|line| line.cell.plain().to_lowercase())
            };
            text.is_some_and(|text| text.contains(&wanted))
        };
        let here = if self.has_cursor() { self.cursor } else { self.first };
        let steps = (1..=total)
            .map(|step| if forward { (here + step) % total } else { (here + total - step) % total });
        if let Some(at) = steps.into_iter().find(|at| holds(*at)) {
            (self.cursor, self.first) = (at, at);
            self.logs.pinned = false;
        }
    }
}

impl Line {
    fn words(text: impl Into<Clean>, meaning: Meaning) -> Self {
        Self { cell: Cell::new(text, meaning), target: None }
    }
}

fn tabs(subject: &Subject) -> Vec<Tab> {
    use Tab::{Conditions, Events, Logs, Overview, Pods, Sources, Yaml};
    match subject {
        Subject::Cluster => vec![Overview, Sources, Events],
        Subject::Node(_) => vec![Overview, Pods, Conditions, Events, Yaml],
        Subject::Namespace(_) => vec![Overview, Events, Yaml],
        Subject::Workload(_) | Subject::Job(_) | Subject::Route(_) => {
            vec![Overview, Pods, Conditions, Events, Yaml, Logs]
        }
        Subject::Pod(_) => vec![Overview, Conditions, Events, Yaml, Logs],
    }
}

/// The first cluster that has something which is in several.
fn somewhere(state: &State, subject: &Subject) -> Option<ClusterId> {
    let has = |cluster: &&Cluster| match subject {
        Subject::Workload(id) => cluster.objects.workloads.get(id).is_some(),
        Subject::Route(id) => cluster.objects.routes.get(id).is_some(),
        _ => false,
    };
    state.counted_clusters().find(has).map(|cluster| cluster.id)
}

/// Names of the containers of a pod, main ones first.
fn containers(object: &Object) -> Vec<Clean> {
    let Object::Got(object) = object else { return Vec::new() };
    let names = |list: &str| {
        let containers = object["spec"][list].as_array().into_iter().flatten();
        containers.filter_map(|it| it["name"].as_str()).map(Clean::new).collect::<Vec<_>>()
    };
    [names("containers"), names("initContainers")].concat()
}

mod view;
