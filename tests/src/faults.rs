//! Faults that the real daemon runs into: a disk that is full, read-only, broken or slow below one folder, and a wall
//! clock that jumps. They come from a small library that is loaded before the daemon's C library (`tests/faults/faults.c`),
//! because a real full disk or a real clock needs privileges that a build machine does not give.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gateway_base::id;
use rustix::io::Errno;
use tokio::sync::OnceCell;

use crate::home::Home;

const SOURCE: &str = include_str!("../faults/faults.c");

/// Length of the control file: the error, the shift of the clock, the time of a flush and what hangs, eight bytes each.
const CONTROL: usize = 32;

static LIBRARY: OnceCell<PathBuf> = OnceCell::const_new();

/// Where the disk does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hang {
    /// When the store is opened, so that a start takes.
    Store = 1,
    /// When the gateway's lock is removed, so that the end takes.
    Lock = 2,
}

/// The faults of one daemon. At first there are none.
#[derive(Debug)]
pub struct Faults {
    control: File,
    environment: [(&'static str, String); 3],
}

impl Faults {
    /// Faults for a daemon in this home; those of the disk concern its state folder.
    pub async fn of(home: &Home) -> Result<Self> {
        let library = LIBRARY
            .get_or_try_init(|| async {
                tokio::task::spawn_blocking(compile).await.context("compiling the faults")?
            })
            .await?;
        let path = home.path().join("faults");
        fs::write(&path, [0; CONTROL])?;
        let text = |path: &Path| path.to_str().map(str::to_owned).context("the path is text");
        let environment = [
            ("LD_PRELOAD", text(library)?),
            ("FAULTS_CONTROL", text(&path)?),
            ("FAULTS_BELOW", text(&home.state())?),
        ];
        // The daemon maps the file, so it is changed in place and never replaced.
        Ok(Self { control: File::options().write(true).open(&path)?, environment })
    }

    /// What the daemon finds in its environment.
    #[must_use]
    pub fn environment(&self) -> &[(&'static str, String)] {
        &self.environment
    }

    /// From now on the disk answers `error`: `NOSPC` full, `ROFS` read-only, `ACCESS` no permission, `IO` broken.
    pub fn disk(&self, error: Errno) -> Result<()> {
        self.put(0, error.raw_os_error().into())
    }

    /// From now on the disk works.
    pub fn disk_works(&self) -> Result<()> {
        self.put(0, 0)
    }

    /// From now on the wall clock is this many seconds ahead of the real one, or behind it.
    pub fn clock(&self, seconds: i64) -> Result<()> {
        self.put(8, seconds)
    }

    /// From now on each flush takes this many milliseconds longer.
    pub fn slow_flush(&self, milliseconds: i64) -> Result<()> {
        self.put(16, milliseconds)
    }

    /// From now on the disk does not answer at this point.
    pub fn hangs(&self, at: Hang) -> Result<()> {
        self.put(24, at as i64)
    }

    fn put(&self, at: u64, value: i64) -> Result<()> {
        self.control.write_all_at(&value.to_ne_bytes(), at).context("changing the faults")
    }
}

/// Compiles the library once for each version of its source and returns where it is.
fn compile() -> Result<PathBuf> {
    let test = std::env::current_exe().context("where this test is")?;
    let folder = test.parent().context("the test lies in a folder")?;
    let version = &id::sha256_hex(SOURCE.as_bytes())[..16];
    let library = folder.join(format!("faults-{version}.so"));
    if library.exists() {
        return Ok(library);
    }
    let source = folder.join(format!("faults-{version}-{}.c", std::process::id()));
    let fresh = source.with_extension("so");
    fs::write(&source, SOURCE)?;
    let output = Command::new("cc")
        .args(["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
        .args([&fresh, &source])
        .output()
        .context("running the C compiler, which building SQLite needs too")?;
    ensure!(output.status.success(), "compiling the faults: {}", String::from_utf8_lossy(&output.stderr));
    fs::rename(&fresh, &library)?;
    fs::remove_file(&source)?;
    Ok(library)
}
