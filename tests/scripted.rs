//! `helm`, `kubectl` and `sops` that a test can make go wrong: the example `scripted`, linked into a folder beside a world.

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use substra_mtls::{cluster::simulated::SimulatedCluster, times::Clock};
use tempfile::TempDir;

/// The program, built where the test itself was: cargo builds no example for a test that is run alone.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let own = env::current_exe().unwrap();
    let profile = own.ancestors().nth(2).unwrap();
    let name = match profile.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        name => name,
    };
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--locked", "--example", "scripted", "--profile", name]);
    build.arg("--target-dir").arg(profile.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR"));
    assert!(build.status().unwrap().success());
    profile.join("examples/scripted")
});

/// A cluster in a folder.
pub(crate) struct Scripted {
    folder: TempDir,
}

impl Scripted {
    /// As that one stands now.
    pub(crate) fn of(world: &SimulatedCluster) -> Self {
        Self::made(&world.stored().to_string())
    }

    fn made(world: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("world.json"), world).unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        for name in ["helm", "kubectl", "sops"] {
            symlink(&*PROGRAM, folder.path().join("bin").join(name)).unwrap();
        }
        Self { folder }
    }

    /// Another one that stands as this one does.
    pub(crate) fn copy(&self) -> Self {
        Self::made(&fs::read_to_string(self.folder.path().join("world.json")).unwrap())
    }

    /// All of it, for throw-away files of the runs too.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder for `PATH`.
    pub(crate) fn bin(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    /// Lets one call go wrong: `kubectl create org-1 1 hang`.
    pub(crate) fn goes_wrong(&self, call: &str) {
        fs::write(self.folder.path().join("fault"), call).unwrap();
    }

    /// All go right from now on, and are counted anew.
    pub(crate) fn goes_right(&self) {
        for name in ["fault", "calls"] {
            drop(fs::remove_file(self.folder.path().join(name)));
        }
    }

    /// Every call that was made, with its number among its like: `kubectl create org-1 1`.
    pub(crate) fn calls(&self) -> Vec<String> {
        let mut counts = BTreeMap::new();
        let mut numbered = |name: &str| {
            let count = counts.entry(name.to_owned()).or_insert(0);
            *count += 1;
            format!("{name} {}", *count - 1)
        };
        fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default().lines().map(&mut numbered).collect()
    }

    /// The world as it stands now, seen from a namespace.
    pub(crate) fn world(&self, namespace: &str) -> SimulatedCluster {
        let text = fs::read_to_string(self.folder.path().join("world.json")).unwrap();
        SimulatedCluster::restored(namespace, &Clock::system(), &serde_json::from_str(&text).unwrap()).unwrap()
    }
}

/// Copies the files of a folder, links as links.
pub(crate) fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
