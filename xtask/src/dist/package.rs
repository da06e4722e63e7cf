//! The Debian package: what it holds, and who may read it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::proc;
use crate::setup;
use crate::stamp;
use crate::workspace::Workspace;

use super::build::{self, Place};
use super::release::Release;

/// The architecture in Debian's words.
const ARCHITECTURE: &str = "amd64";
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];
/// Completions: the shell, and where it looks for them.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/bitpro"),
    ("zsh", "usr/share/zsh/vendor-completions/_bitpro"),
    ("fish", "usr/share/fish/vendor_completions.d/bitpro.fish"),
];
const DOCUMENTS: &str = "usr/share/doc/bitpro";
/// What an operator copies and changes: the folder of `server/packaging`, and the file.
const EXAMPLES: [(&str, &str); 5] = [
    ("proxy", "nginx.conf"),
    ("proxy", "Caddyfile"),
    ("monitoring", "prometheus.yml"),
    ("monitoring", "bitpro-alerts.yml"),
    ("monitoring", "grafana-dashboard.json"),
];
/// What the package decides for its service, in the file that it installs.
const SETTINGS: [&str; 2] = ["data_dir=/var/lib/bitpro", "admin_socket=/run/bitpro/admin.sock"];

/// Packs `program` with `lists` of what is inside into `files`, and gives the package.
///
/// # Errors
/// When the program does not print what belongs beside it, or the package cannot be made.
pub fn write(place: &Place, release: &Release, program: &Path, lists: &[PathBuf], files: &Path) -> Result<PathBuf> {
    let tree = Tree {
        place,
        root: place.folder("package")?,
        program,
    };
    tree.install(program, "usr/bin/bitpro", 0o755)?;
    let packaging = place.workspace.root.join("server/packaging/debian");
    tree.install(
        &packaging.join("bitpro.service"),
        "usr/lib/systemd/system/bitpro.service",
        0o644,
    )?;
    tree.configuration()?;
    tree.manual()?;
    for (shell, file) in COMPLETIONS {
        tree.write(file, &tree.printed(&["generate", "completions", shell])?, 0o644)?;
    }
    tree.documents(&packaging, lists)?;
    tree.control(&packaging, release)?;

    let package = files.join(name(release));
    let mut pack = proc::command(&place.workspace, "dpkg-deb");
    pack.args(["--root-owner-group", "-Zxz", "--threads-max=1", "--build"])
        .args([&tree.root, &package])
        .env("SOURCE_DATE_EPOCH", &release.epoch);
    proc::read(&mut pack)?;
    Ok(package)
}

/// What the package's file is called.
pub fn name(release: &Release) -> String {
    format!("bitpro_{}_{ARCHITECTURE}.deb", release.version)
}

/// What will be the root of the machine that the package is installed on.
struct Tree<'p> {
    place: &'p Place,
    root: PathBuf,
    program: &'p Path,
}

impl Tree<'_> {
    fn configuration(&self) -> Result<()> {
        let mut print = vec!["generate", "configuration"];
        for setting in &SETTINGS {
            print.extend(["--set", setting]);
        }
        // Nobody but the service may read it once passwords are in it; its group exists only after the installation.
        self.write("etc/bitpro/bitpro.toml", &self.printed(&print)?, 0o640)?;
        self.allow("etc/bitpro", 0o750)
    }

    fn manual(&self) -> Result<()> {
        let folder = self.root.join("usr/share/man/man1");
        let mut write = proc::command(&self.place.workspace, self.program);
        proc::run(write.args(["generate", "manual"]).arg(&folder))?;
        let pages = stamp::files_below(&folder)?;
        proc::run(
            proc::command(&self.place.workspace, "gzip")
                .args(["-9", "--no-name"])
                .args(&pages),
        )?;
        for page in stamp::files_below(&folder)? {
            set_mode(&page, 0o644)?;
        }
        Ok(())
    }

    fn documents(&self, packaging: &Path, lists: &[PathBuf]) -> Result<()> {
        let sources = &self.place.workspace.root;
        for (file, name) in [
            (packaging.join("copyright"), "copyright"),
            (sources.join("CHANGELOG.md"), "changelog"),
        ] {
            self.install(&file, &format!("{DOCUMENTS}/{name}"), 0o644)?;
        }
        for (folder, name) in EXAMPLES {
            let file = packaging.with_file_name(folder).join(name);
            self.install(&file, &format!("{DOCUMENTS}/examples/{folder}/{name}"), 0o644)?;
        }
        for list in lists {
            let name = list.file_name().unwrap_or_default().to_string_lossy();
            self.install(list, &format!("{DOCUMENTS}/{name}"), 0o644)?;
        }
        let mut compress = proc::command(&self.place.workspace, "gzip");
        proc::run(
            compress
                .args(["-9", "--no-name"])
                .arg(self.root.join(DOCUMENTS).join("changelog")),
        )
    }

    /// The package's own files. Last, because they count and sum up all others.
    fn control(&self, packaging: &Path, release: &Release) -> Result<()> {
        let files = stamp::files_below(&self.root)?;
        let mut bytes = 0;
        let mut names = Vec::new();
        for file in &files {
            bytes += fs::metadata(file)
                .map_err(|error| Failure::file("read", file, &error))?
                .len();
            names.push(file.strip_prefix(&self.root).unwrap_or(file));
        }
        let mut sums = proc::command(&self.place.workspace, "md5sum");
        let sums = proc::read(sums.args(names).current_dir(&self.root))?;
        let [major, minor] = build::glibc(&self.place.workspace, self.program)?;
        let template = packaging.join("control");
        let control = fs::read_to_string(&template).map_err(|error| Failure::file("read", &template, &error))?;
        let control = control
            .replace("@VERSION@", &release.version)
            .replace("@MAINTAINER@", &release.maintainer)
            .replace("@ARCHITECTURE@", ARCHITECTURE)
            .replace("@SIZE@", &bytes.div_ceil(1024).to_string())
            .replace("@GLIBC@", &format!("{major}.{minor}"));
        self.write("DEBIAN/control", &control, 0o644)?;
        self.write("DEBIAN/md5sums", &sums, 0o644)?;
        self.install(&packaging.join("conffiles"), "DEBIAN/conffiles", 0o644)?;
        for script in SCRIPTS {
            self.install(&packaging.join(script), &format!("DEBIAN/{script}"), 0o755)?;
        }
        Ok(())
    }

    /// What the program that is packed prints.
    fn printed(&self, arguments: &[&str]) -> Result<String> {
        proc::read(proc::command(&self.place.workspace, self.program).args(arguments))
    }

    fn install(&self, from: &Path, to: &str, mode: u32) -> Result<()> {
        let to = self.parent_of(to)?;
        fs::copy(from, &to).map_err(|error| Failure::file("copy", from, &error))?;
        set_mode(&to, mode)
    }

    fn write(&self, to: &str, text: &str, mode: u32) -> Result<()> {
        let to = self.parent_of(to)?;
        fs::write(&to, text).map_err(|error| Failure::file("write", &to, &error))?;
        set_mode(&to, mode)
    }

    fn allow(&self, folder: &str, mode: u32) -> Result<()> {
        set_mode(&self.root.join(folder), mode)
    }

    /// The file with the folders above it, which are as open as a system's, whatever the caller's umask is.
    fn parent_of(&self, file: &str) -> Result<PathBuf> {
        let file = self.root.join(file);
        let mut folder = file.parent();
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
        }
        while let Some(open) = folder.filter(|folder| folder.starts_with(&self.root)) {
            set_mode(open, 0o755)?;
            folder = open.parent();
        }
        Ok(file)
    }
}

/// Makes, in `folder`, a package of the same program that counts as an earlier version.
///
/// # Errors
/// When it cannot be made.
pub fn older(workspace: &Workspace, package: &Path, folder: &Path) -> Result<PathBuf> {
    setup::fresh_folder(folder)?;
    let tree = folder.join("tree");
    let mut unpack = proc::command(workspace, "dpkg-deb");
    proc::read(unpack.arg("--raw-extract").args([package, &tree]))?;
    let control = tree.join("DEBIAN/control");
    let text = fs::read_to_string(&control).map_err(|error| Failure::file("read", &control, &error))?;
    let lines = text.lines().map(|line| match line.strip_prefix("Version: ") {
        Some(version) => format!("Version: {version}~earlier\n"),
        None => format!("{line}\n"),
    });
    fs::write(&control, lines.collect::<String>()).map_err(|error| Failure::file("write", &control, &error))?;
    let older = folder.join("bitpro-earlier.deb");
    let mut pack = proc::command(workspace, "dpkg-deb");
    proc::read(
        pack.args(["--root-owner-group", "-Zgzip", "--build"])
            .args([&tree, &older]),
    )?;
    Ok(older)
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|error| Failure::file("change", path, &error))
}
