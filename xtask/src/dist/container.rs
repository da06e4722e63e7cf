//! The images of the containers, built without a daemon from Debian's own packages, and the server tried in its own with a root that
//! nobody can write to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::proc::{self, say};
use crate::setup;
use crate::stopwatch::Stopwatch;
use crate::workspace::Workspace;

use super::clean_root;
use super::node::{self, Node};

const FOLDER: &str = "server/packaging/container";
/// Who the server is in its image.
const USER: &str = "10080";
/// The suite that the node's image is made from.
const NODE_SUITE: &str = "testing";
const PATIENCE: Duration = Duration::from_secs(60);
/// The image is the program, its libraries and its lists; much more means that something came along.
const LARGEST_BESIDE_PROGRAM: u64 = 16 * 1024 * 1024;

/// Runs the command that follows with the image as its root, unwritable but for what the compose file says.
const READ_ONLY: &str = r#"
set -e
mount --make-rprivate /
mount --bind "$IMAGE" "$IMAGE"
mount -t tmpfs -o mode=1777 tmpfs "$IMAGE/tmp"
mount -t tmpfs -o mode=0700,uid=10080,gid=10080 tmpfs "$IMAGE/run/bitpro"
mount --bind "$STATE" "$IMAGE/var/lib/bitpro"
mount -o remount,bind,ro "$IMAGE"
# The shell stays: ended with whoever started it, it takes along what it has started.
setpriv --no-new-privs chroot --userspec=10080:10080 "$IMAGE" "$@"
"#;

/// Checks the compose file, builds the images, the server's from `package`, and tries that one.
///
/// # Errors
/// When anything of that fails.
pub fn run(workspace: &Workspace, package: &Path) -> Result<()> {
    let stopwatch = Stopwatch::start();
    let recipes = workspace.root.join(FOLDER);
    reads_compose(workspace, &recipes)?;
    let images = Images {
        workspace,
        folder: workspace.target.join("dist-images"),
    };
    setup::fresh_folder(&images.folder)?;
    images.base("bitpro-debian", &clean_root::archive(workspace)?)?;
    let context = images.folder.join("context");
    setup::fresh_folder(&context)?;
    let copy = context.join(package.file_name().unwrap_or_default());
    fs::copy(package, &copy).map_err(|error| Failure::file("copy", package, &error))?;
    images.build(
        "bitpro",
        &recipes.join("Containerfile"),
        &context,
        "localhost/bitpro-debian",
    )?;
    let root = images.root("bitpro")?;
    is_small(&root)?;
    serves(workspace, &root)?;
    say("the server's image is small, runs as its own user, and needs to write nothing but its state");
    let testing = clean_root::archive_of(workspace, NODE_SUITE, "ca-certificates")?;
    images.base("bitpro-debian-testing", &testing)?;
    images.build(
        "bitpro-node",
        &recipes.join("node.Containerfile"),
        &recipes,
        "localhost/bitpro-debian-testing",
    )?;
    setup::remove_folder(&images.folder)?;
    say(&format!("the images were built and tried in {stopwatch}"));
    Ok(())
}

fn reads_compose(workspace: &Workspace, recipes: &Path) -> Result<()> {
    let mut compose = proc::command(workspace, "docker-compose");
    compose
        .arg("--file")
        .arg(recipes.join("compose.yml"))
        .args(["config", "--quiet"])
        .env("BITPRO_HOST", "pay.example")
        .env("BITPRO_NETWORK", "signet")
        .env("NODE_CHAIN", "signet");
    proc::read(&mut compose)?;
    let mut proxy = proc::command(workspace, setup::CADDY.program(workspace));
    proxy
        .args(["validate", "--adapter", "caddyfile", "--config"])
        .arg(recipes.join("Caddyfile"))
        .env("BITPRO_HOST", "pay.example")
        .env("BITPRO_UPSTREAM", "bitpro:8080");
    proc::read(&mut proxy).map(drop)
}

/// Images in a folder of their own.
struct Images<'w> {
    workspace: &'w Workspace,
    folder: PathBuf,
}

impl Images<'_> {
    /// What stands for Debian's own image, which is no package: the same system, out of its archive.
    fn base(&self, name: &str, archive: &Path) -> Result<()> {
        let container = self.read(self.buildah().args(["from", "scratch"]))?;
        self.read(self.buildah().args(["add", &container]).arg(archive).arg("/"))?;
        self.read(self.buildah().args(["commit", "--rm", &container, name]))
            .map(drop)
    }

    fn build(&self, name: &str, recipe: &Path, files: &Path, base: &str) -> Result<()> {
        say(&format!("building the image {name}"));
        let mut build = self.buildah();
        build
            .args(["build", "--isolation", "chroot", "--pull-never"])
            .args(["--build-arg", &format!("BASE={base}"), "--tag", name, "--file"])
            .arg(recipe)
            .arg(files);
        proc::run_long(self.workspace, &mut build, &format!("image-{name}"))
    }

    /// Where the files of an image lie.
    fn root(&self, name: &str) -> Result<PathBuf> {
        let container = self.read(self.buildah().args(["from", &format!("localhost/{name}")]))?;
        self.read(self.buildah().args(["mount", &container])).map(PathBuf::from)
    }

    fn buildah(&self) -> Command {
        let mut command = proc::command(self.workspace, "buildah");
        command
            .args(["--storage-driver", "vfs", "--root"])
            .arg(self.folder.join("storage"))
            .arg("--runroot")
            .arg(self.folder.join("run"));
        command
    }

    fn read(&self, command: &mut Command) -> Result<String> {
        proc::read(command).map(|text| text.trim().to_owned())
    }
}

fn is_small(root: &Path) -> Result<()> {
    let size = |file: &Path| fs::metadata(file).map(|metadata| metadata.len()).unwrap_or_default();
    let program = size(&root.join("usr/bin/bitpro"));
    let whole: u64 = crate::stamp::files_below(root)?.iter().map(|file| size(file)).sum();
    if program == 0 || root.join("bin/sh").exists() || root.join("usr/bin/sh").exists() {
        return Err(Failure::new("the image has no program, or has a shell"));
    }
    say(&format!("the image takes {} MB", whole / 1_000_000));
    if whole > program + LARGEST_BESIDE_PROGRAM {
        return Err(Failure::new(format!(
            "the image takes {whole} bytes, the program {program}"
        )));
    }
    Ok(())
}

/// The server answers, with a root that is read-only and no right but to its state.
fn serves(workspace: &Workspace, root: &Path) -> Result<()> {
    let node = Node::start(workspace, workspace.target.join("dist-node"))?;
    let state = workspace.target.join("dist-state");
    setup::fresh_folder(&state)?;
    proc::read(proc::command(workspace, "chown").args([USER, &state.display().to_string()]))?;
    let port = node::free_port()?;
    let mut serve = proc::command(workspace, "unshare");
    serve
        .args([
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
            READ_ONLY,
            "sh",
            "/usr/bin/bitpro",
            "serve",
        ])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("IMAGE", root)
        .env("STATE", &state)
        .env("BITPRO_DATA_DIR", "/var/lib/bitpro")
        .env("BITPRO_ADMIN_SOCKET", "/run/bitpro/admin.sock")
        .env("BITPRO_LISTEN", format!("127.0.0.1:{port}"))
        .envs(
            node.settings()
                .map(|(name, value)| (format!("BITPRO_{}", name.to_uppercase()), value)),
        )
        .stdout(Stdio::null());
    let process = serve
        .spawn()
        .map_err(|error| Failure::new(format!("cannot run {}: {error}", proc::shown(&serve))))?;
    let mut server = Ended(process);
    let stopwatch = Stopwatch::start();
    let url = format!("http://localhost:{port}/healthz");
    while proc::read(proc::command(workspace, "curl").args(["--silent", "--fail", &url])).is_err() {
        let ended = server.0.try_wait().ok().flatten();
        if ended.is_some() || stopwatch.elapsed() > PATIENCE {
            return Err(Failure::new(
                "the server does not answer in its image; what it said stands above",
            ));
        }
        thread::sleep(Duration::from_millis(100));
    }
    drop(server);
    setup::remove_folder(&state)
}

/// Ends a process when it is dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
