//! How launchd is reached: the domain of the user's desktop session, in which LaunchAgents live.

use crate::service::names::Names;
use crate::service::runner::Call;

/// The launchd of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manager {
    uid: u32,
}

impl Manager {
    /// That of the user with this number.
    #[must_use]
    pub const fn new(uid: u32) -> Self {
        Self { uid }
    }

    /// The domain of the user's desktop session.
    #[must_use]
    pub fn domain(&self) -> String {
        format!("gui/{}", self.uid)
    }

    /// The service in it.
    #[must_use]
    pub fn target(&self, names: &Names) -> String {
        format!("gui/{}/{}", self.uid, names.label)
    }

    /// The question how the service is.
    #[must_use]
    pub fn print(&self, names: &Names) -> Call {
        Call::new("launchctl", ["print", &self.target(names)])
    }
}
