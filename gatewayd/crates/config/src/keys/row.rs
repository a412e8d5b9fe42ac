//! What a row can say, and the short words the section files say it with.

/// One key of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The pattern of its path.
    pub path: &'static str,
    /// What it may hold.
    pub ty: Type,
    /// What counts when it is absent: JSON where it is a plain value, else a few words; `-` for nothing.
    pub default: &'static str,
    /// What it is for, in one line.
    pub doc: &'static str,
    /// Whether the object around it must have it.
    pub required: bool,
    /// Whether its value must not be shown.
    pub secret: bool,
    /// What a change costs; without a word of its own it is as for the key above.
    pub reload: Option<Reload>,
}

/// What a key may hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Type {
    /// Anything at all.
    Any,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int(Bounds),
    /// Any number.
    Number(Bounds),
    /// A text with a least and a greatest length.
    Text(usize, usize, Check),
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A list of such items.
    List(&'static Type),
    /// An object with free names and such values.
    Map(&'static Type),
    /// An object with the fields of the rows below it.
    Object,
    /// Any one of these.
    OneOf(&'static [Type]),
    /// The same as another key.
    Like(&'static str),
}

/// The range of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Least value, if any.
    pub min: Option<f64>,
    /// Whether the least value itself is outside.
    pub above_min: bool,
    /// Greatest value, if any.
    pub max: Option<f64>,
}

/// A further rule for a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// None.
    Free,
    /// Six hexadecimal digits, `#` in front allowed.
    HexColor,
    /// A bind word or an IP address.
    Bind,
}

/// What a change of a key costs while the daemon runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// Nothing: it is read when it is needed.
    None,
    /// One part takes the new value over, or is restarted by itself.
    Hot(Part),
    /// Only a restart of the daemon brings it into effect.
    Restart,
}

/// The parts of the daemon that take over a new configuration by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// Secrets and the mode of authentication.
    Auth,
    /// The list of trusted proxies.
    Proxies,
    /// The control page and the origins it may come from.
    ControlUi,
    /// The lists of node commands.
    Nodes,
    /// Log file, levels and redaction.
    Logging,
    /// The heartbeat runner.
    Heartbeat,
    /// Webhooks.
    Hooks,
    /// The Gmail watcher.
    Gmail,
    /// The timer service.
    Cron,
    /// The browser control service.
    Browser,
    /// The chat channel named by the second segment of the path; `whatsapp` for `web`.
    Channel,
}

impl Row {
    /// A row without flags.
    pub(super) const fn new(path: &'static str, ty: Type, default: &'static str, doc: &'static str) -> Self {
        Self { path, ty, default, doc, required: false, secret: false, reload: None }
    }

    /// The object around it must have it.
    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// It must not be shown.
    pub(super) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// What a change costs, here and below.
    pub(super) const fn reload(mut self, reload: Reload) -> Self {
        self.reload = Some(reload);
        self
    }
}

/// Declares the rows of a section: `"path": type, "default", "doc", flag, flag(..);`.
macro_rules! keys {
    ($($path:literal : $ty:expr, $default:literal, $doc:literal $(, $flag:ident $(($arg:expr))?)*;)*) => {
        pub(in crate::keys) const ROWS: &[$crate::keys::Row] = &[
            $($crate::keys::Row::new($path, $ty, $default, $doc)$(.$flag($($arg)?))*),*
        ];
    };
}
pub(super) use keys;

pub(super) const ANY: Type = Type::Any;
pub(super) const BOOL: Type = Type::Bool;
pub(super) const TEXT: Type = Type::Text(0, usize::MAX, Check::Free);
pub(super) const NAME: Type = Type::Text(1, usize::MAX, Check::Free);
pub(super) const COLOR: Type = Type::Text(0, usize::MAX, Check::HexColor);
pub(super) const NUMBER: Type = Type::Number(Bounds { min: None, above_min: false, max: None });
pub(super) const NAT: Type = Type::Int(Bounds { min: Some(0.0), above_min: false, max: None });
pub(super) const POS: Type = Type::Int(Bounds { min: Some(0.0), above_min: true, max: None });
pub(super) const POS_NUMBER: Type = Type::Number(Bounds { min: Some(0.0), above_min: true, max: None });
pub(super) const NAT_NUMBER: Type = Type::Number(Bounds { min: Some(0.0), above_min: false, max: None });
pub(super) const RATIO: Type = Type::Number(Bounds { min: Some(0.0), above_min: false, max: Some(1.0) });
pub(super) const OBJECT: Type = Type::Object;
pub(super) const TEXTS: Type = Type::List(&TEXT);
pub(super) const OBJECTS: Type = Type::List(&OBJECT);
pub(super) const ID: Type = Type::OneOf(&[TEXT, NUMBER]);
pub(super) const IDS: Type = Type::List(&ID);
pub(super) const OBJECT_MAP: Type = Type::Map(&OBJECT);
pub(super) const TEXT_MAP: Type = Type::Map(&TEXT);
pub(super) const ANY_MAP: Type = Type::Map(&ANY);
pub(super) const TEXT_OR_OBJECT: Type = Type::OneOf(&[TEXT, OBJECT]);
pub(super) const BOOL_OR_AUTO: Type = Type::OneOf(&[BOOL, Type::Choice(&["auto"])]);

pub(super) const fn one(choices: &'static [&'static str]) -> Type {
    Type::Choice(choices)
}

pub(super) const fn like(path: &'static str) -> Type {
    Type::Like(path)
}

pub(super) const fn int(min: f64, max: f64) -> Type {
    Type::Int(Bounds { min: Some(min), above_min: false, max: Some(max) })
}

pub(super) const fn number(min: f64, max: f64) -> Type {
    Type::Number(Bounds { min: Some(min), above_min: false, max: Some(max) })
}

pub(super) const fn short_text(max: usize) -> Type {
    Type::Text(0, max, Check::Free)
}
