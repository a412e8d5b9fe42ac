//! A new version of the program that runs without a service manager is not trusted before it serves: this version stands
//! by in a process of its own, with the same sockets open. When the new one says that it is ready, the process ends; when
//! it ends or says nothing, this version serves again. Where there is a service manager it starts the gateway again, and
//! keeps the sockets if it is systemd. Only Linux still has a program whose file was replaced.

use gateway_base::env::Env;

use crate::handover::{HandOver, Inherited};
use crate::lifecycle::Program;

/// Says which process is to serve, to the one that stands by.
const STANDBY: &str = "CLAWDBOT_STANDBY";
/// Names the socket where that process says that it is ready; the value is that of `NOTIFY_SOCKET` too.
const SOCKET: &str = "CLAWDBOT_STANDBY_SOCKET";
const NOTIFY: &str = "NOTIFY_SOCKET";

/// What the process that stands by does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it does not stand by, or this is its time to serve; a reason says why.
    Serve(Option<String>),
    /// It ends.
    End,
}

/// The variables for the next image of the program, those of a stand-by before it taken out. With a new program and no
/// service manager, one is posted.
#[must_use]
pub fn post(program: &Program, sockets: &HandOver, env: &Env) -> Vec<(&'static str, Option<String>)> {
    let is_own = env.get(NOTIFY).is_some_and(|socket| env.get(SOCKET) == Some(socket));
    let mut variables = vec![(SOCKET, None)];
    if is_own {
        variables.push((NOTIFY, None));
    }
    #[cfg(target_os = "linux")]
    if linux::is_new(program) && !is_managed(env, is_own) {
        match linux::post(program, sockets) {
            Ok(socket) => variables = vec![(SOCKET, Some(socket.clone())), (NOTIFY, Some(socket))],
            Err(error) => {
                tracing::warn!(subsystem = "gateway", %error, "nobody stands by for the new version")
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (program, sockets);
    variables
}

/// Stands by if that is what this process is for.
#[must_use]
pub fn wait(program: &Program, env: &mut Env, inherited: &mut Inherited) -> Verdict {
    let Some(order) = env.get(STANDBY).map(str::to_owned) else { return Verdict::Serve(None) };
    env.remove(STANDBY);
    #[cfg(target_os = "linux")]
    {
        linux::wait(program, &order, inherited)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (program, order, inherited);
        Verdict::End
    }
}

/// Whether somebody starts the gateway again when it ends.
#[cfg(target_os = "linux")]
fn is_managed(env: &Env, is_own: bool) -> bool {
    let notifies = env.get(NOTIFY).is_some() && !is_own;
    let named = ["INVOCATION_ID", "CLAWDBOT_SERVICE_MARKER"].iter().any(|name| env.get(name).is_some());
    notifies || named || crate::supervise::is_supervised(env)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixDatagram;
    use std::os::unix::process::CommandExt;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::time::{Duration, Instant};

    use gateway_base::process::{self, Handle, Signal};

    use super::{STANDBY, Verdict};
    use crate::handover::{HandOver, Inherited, READY};
    use crate::lifecycle::Program;

    /// The program that runs, whatever lies under its name meanwhile.
    const OWN: &str = "/proc/self/exe";
    /// How long the new version may take to serve. Whoever watches it may be less patient and end it.
    const LIMIT: Duration = Duration::from_secs(120);
    /// How often it is looked whether the other process runs.
    const LOOK: Duration = Duration::from_millis(20);
    /// How long it may take to end.
    const END: Duration = Duration::from_secs(5);

    /// Whether the file of the program is another one than that which runs.
    pub(super) fn is_new(program: &Program) -> bool {
        let file = |path: &Path| std::fs::metadata(path).map(|about| (about.dev(), about.ino())).ok();
        file(Path::new(OWN)).is_some_and(|own| file(&program.file) != Some(own))
    }

    /// Starts the process that stands by for this one, and returns where it listens for the word that all is well.
    pub(super) fn post(program: &Program, sockets: &HandOver) -> io::Result<String> {
        let path = std::env::temp_dir().join(format!("gatewayd-{}.sock", gateway_base::id::uuid()));
        let ready = UnixDatagram::bind(&path)?;
        let place = path.to_str().map(str::to_owned).ok_or(io::ErrorKind::InvalidFilename)?;
        // The first process ends at once, so that the one that stays is nobody's child.
        let mut first = stand_in(program, sockets, &ready, &format!("{} first", std::process::id()))?;
        let status = first.spawn()?.wait()?;
        if status.success() { Ok(place) } else { Err(io::Error::other(format!("it ended with {status}"))) }
    }

    /// This program once more, with the sockets and an order.
    fn stand_in(
        program: &Program,
        sockets: &HandOver,
        ready: &UnixDatagram,
        order: &str,
    ) -> io::Result<Command> {
        let mut command = Command::new(OWN);
        command.args(program.arguments_again()).current_dir(&program.working_folder);
        if let Some(name) = program.arguments.first() {
            command.arg0(name);
        }
        let mut all = sockets.twice();
        all.add(READY, ready);
        all.pass_to_any(&mut command)?;
        command.env(STANDBY, order);
        Ok(command)
    }

    pub(super) fn wait(program: &Program, order: &str, inherited: &mut Inherited) -> Verdict {
        let Some(ready) = inherited.ready.take() else { return Verdict::End };
        let mut words = order.split(' ');
        let Some(pid) = words.next().and_then(|pid| pid.parse::<u32>().ok()) else { return Verdict::End };
        if words.next() == Some("first") {
            let sockets = HandOver::again(inherited);
            let second = stand_in(program, &sockets, &ready, &pid.to_string());
            // It is not waited for: this process ends, and the other one stays.
            let _ = second.and_then(|mut command| command.spawn());
            return Verdict::End;
        }
        let why = why_not(pid, &ready);
        remove(&ready);
        why.map_or(Verdict::End, |why| Verdict::Serve(Some(why)))
    }

    /// Waits until the other process serves, or says why it does not. It has ended then.
    fn why_not(pid: u32, ready: &UnixDatagram) -> Option<String> {
        let end = Instant::now() + LIMIT;
        ready.set_read_timeout(Some(LOOK)).ok()?;
        let mut said = [0; 1024];
        loop {
            if let Ok(length) = ready.recv(&mut said) {
                let text = String::from_utf8_lossy(said.get(..length).unwrap_or_default());
                if text.lines().any(|line| line == "READY=1") {
                    return None;
                }
            } else if !process::runs(pid) {
                return Some("it ended before it served".to_owned());
            }
            if Instant::now() >= end {
                finish(pid, ready);
                return Some(format!("it did not serve within {} s", LIMIT.as_secs()));
            }
        }
    }

    /// Ends the other process. What it says meanwhile does not count any more.
    fn finish(pid: u32, ready: &UnixDatagram) {
        for signal in [Signal::Terminate, Signal::Kill] {
            let Ok(handle) = Handle::open(pid) else { return };
            if !process::runs(pid) || handle.signal(signal).is_err() {
                return;
            }
            let end = Instant::now() + END;
            while process::runs(pid) && Instant::now() < end {
                let _ = ready.recv(&mut [0]);
            }
        }
    }

    fn remove(ready: &UnixDatagram) {
        let path = ready.local_addr().ok().and_then(|address| address.as_pathname().map(PathBuf::from));
        if let Some(path) = path {
            // A socket that is left behind in the folder for temporary files harms nobody.
            let _ = std::fs::remove_file(path);
        }
    }
}
