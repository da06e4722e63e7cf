//! The package as an operator meets it: installed in a clean Debian, configured, upgraded while a charge is open, removed, purged, and
//! brought back from a backup. The service runs under a real systemd, with everything that its unit forbids.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::proc::{self, say};
use crate::stopwatch::Stopwatch;
use crate::workspace::Workspace;

use super::clean_root::System;
use super::node::{self, Node, text_of};
use super::package;

const WALLET: &str = "wpkh(tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp/0/*)";
/// Of ten, by systemd's count; it calls everything below 2 safe enough to say so.
const WORST_EXPOSURE: &str = "20";
const KEPT_LINE: &str = "# The operator's own note.";

/// Tries the package.
///
/// # Errors
/// When anything is not as the guide says.
pub fn run(workspace: &Workspace, package: &Path) -> Result<()> {
    let stopwatch = Stopwatch::start();
    let mut ask = proc::command(workspace, "dpkg-deb");
    let version = proc::read(ask.arg("--field").arg(package).arg("Version"))?;
    let older = package::older(workspace, package, &workspace.target.join("dist-older"))?;
    let folder = workspace.target.join("dist-root");
    let node = Node::start(workspace, workspace.target.join("dist-node"))?;
    let system = System::start(workspace, &folder)?;
    let machine = Machine {
        workspace,
        system,
        port: node::free_port()?,
    };

    machine.take(&older, "bitpro-earlier.deb")?;
    machine.take(package, "bitpro.deb")?;
    machine.installs("bitpro-earlier.deb")?;
    machine.nothing_runs_by_surprise()?;
    machine.files_are_as_private_as_they_should_be()?;
    machine.unit_is_sound()?;
    machine.refuses_to_run_unconfigured()?;
    say("installed: nothing runs by surprise, the unit is sound");

    machine.configure(&node)?;
    machine.starts()?;
    let merchant = machine.adds_a_merchant()?;
    let charge = machine.follows_a_link(&merchant)?;
    machine.upgrades("bitpro.deb", version.trim())?;
    machine.gets_paid(&node, &charge)?;
    say("configured, upgraded while a charge was open, and the charge was paid");

    machine.is_backed_up()?;
    machine.removes()?;
    machine.purges()?;
    machine.comes_back(&node, &charge)?;
    say("backed up, removed, purged, and back from the backup");
    drop(machine);
    crate::setup::remove_folder(&folder)?;
    say(&format!("the package was tried in {stopwatch}"));
    Ok(())
}

/// The machine that the package is tried on.
struct Machine<'w> {
    workspace: &'w Workspace,
    system: System<'w>,
    port: u16,
}

impl Machine<'_> {
    /// What the operator downloads.
    fn take(&self, package: &Path, name: &str) -> Result<()> {
        let to = self.inside("/root").join(name);
        fs::copy(package, &to)
            .map(drop)
            .map_err(|error| Failure::file("copy", package, &error))
    }

    fn installs(&self, package: &str) -> Result<()> {
        self.read("dpkg", &["--install", &format!("/root/{package}")])?;
        same(
            "what dpkg finds changed",
            &self.read("dpkg", &["--verify", "bitpro"])?,
            "",
        )
    }

    fn nothing_runs_by_surprise(&self) -> Result<()> {
        let state = |question: &str| {
            let mut ask = self.system.command("systemctl");
            proc::read_with_code(ask.args([question, "bitpro.service"])).map(|(_, state)| state.trim().to_owned())
        };
        same("whether the service is enabled", &state("is-enabled")?, "disabled")?;
        same("whether the service is active", &state("is-active")?, "inactive")
    }

    fn files_are_as_private_as_they_should_be(&self) -> Result<()> {
        for (file, wanted) in [
            ("/etc/bitpro", "root:bitpro 750"),
            ("/etc/bitpro/bitpro.toml", "root:bitpro 640"),
            ("/var/lib/bitpro", "bitpro:bitpro 700"),
            ("/usr/bin/bitpro", "root:root 755"),
            ("/usr/share/man/man1/bitpro.1.gz", "root:root 644"),
            ("/usr/share/bash-completion/completions/bitpro", "root:root 644"),
            ("/usr/share/doc/bitpro/bitpro.cdx.json", "root:root 644"),
            ("/usr/share/doc/bitpro/examples/proxy/nginx.conf", "root:root 644"),
            (
                "/usr/share/doc/bitpro/examples/monitoring/bitpro-alerts.yml",
                "root:root 644",
            ),
        ] {
            same(file, &self.read("stat", &["-c", "%U:%G %a", file])?, wanted)?;
        }
        let shell = self.read("getent", &["passwd", "bitpro"])?;
        if shell.ends_with("nologin") {
            return Ok(());
        }
        Err(Failure::new(format!("somebody can log in as the service: {shell}")))
    }

    fn unit_is_sound(&self) -> Result<()> {
        self.read(
            "systemd-analyze",
            &["verify", "--man=no", "/usr/lib/systemd/system/bitpro.service"],
        )?;
        self.read(
            "systemd-analyze",
            &[
                "security",
                "--offline=yes",
                "--no-pager",
                &format!("--threshold={WORST_EXPOSURE}"),
                "/usr/lib/systemd/system/bitpro.service",
            ],
        )
        .map(drop)
    }

    /// It says what is missing, and does not try again and again.
    fn refuses_to_run_unconfigured(&self) -> Result<()> {
        self.read("systemctl", &["start", "bitpro.service"])?;
        self.system.wait("the service to give up", |system| {
            shows(system, "ActiveState", "failed")
        })?;
        same("how it ended", &self.shown("ExecMainStatus")?, "2")?;
        same("how often it was tried again", &self.shown("NRestarts")?, "0")?;
        self.system.wait("its reason in the log", |system| {
            let log = system.read("journalctl", &["--no-pager", "-u", "bitpro.service"]);
            log.is_ok_and(|log| log.contains("network is not set"))
        })?;
        self.read("systemctl", &["reset-failed", "bitpro.service"]).map(drop)
    }

    fn configure(&self, node: &Node<'_>) -> Result<()> {
        let file = self.inside("/etc/bitpro/bitpro.toml");
        let installed = fs::read_to_string(&file).map_err(|error| Failure::file("read", &file, &error))?;
        let mut text = format!("{KEPT_LINE}\n{installed}\nlisten = \"127.0.0.1:{}\"\n", self.port);
        for (name, value) in node.settings() {
            text.push_str(&format!("{name} = \"{value}\"\n"));
        }
        fs::write(&file, text).map_err(|error| Failure::file("write", &file, &error))?;
        let checked = self.bitpro(&["check"])?;
        if checked.contains("regtest") {
            return Ok(());
        }
        Err(Failure::new(format!("`bitpro check` finds no node: {checked}")))
    }

    fn starts(&self) -> Result<()> {
        self.read("systemctl", &["enable", "--now", "bitpro.service"])?;
        self.answers()
    }

    fn answers(&self) -> Result<()> {
        self.system
            .wait("the server to answer", |_| self.get("/healthz").is_ok())
    }

    fn adds_a_merchant(&self) -> Result<String> {
        let added = self.bitpro(&[
            "merchant",
            "add",
            "--name",
            "Corner Shop",
            "--descriptor",
            WALLET,
            "--json",
        ])?;
        text_of(&added, "id").ok_or_else(|| Failure::new(format!("no merchant was added: {added}")))
    }

    fn follows_a_link(&self, merchant: &str) -> Result<String> {
        self.get(&format!(
            "/app/checkout/{merchant}?fiat_price_cents=4200&external_order_id=1"
        ))?;
        let listed = self.bitpro(&["charge", "list", "--json"])?;
        text_of(&listed, "id").ok_or_else(|| Failure::new(format!("the link made no charge: {listed}")))
    }

    /// The service goes on by itself, with what the operator wrote.
    fn upgrades(&self, package: &str, version: &str) -> Result<()> {
        let before = self.shown("MainPID")?;
        self.installs_over(package)?;
        if self.shown("MainPID")? == before {
            return Err(Failure::new("the earlier version still runs after the upgrade"));
        }
        self.answers()?;
        same(
            "the version that is installed",
            &self.read("dpkg-query", &["-W", "-f", "${Version}", "bitpro"])?,
            version,
        )?;
        let file = self.inside("/etc/bitpro/bitpro.toml");
        let kept = fs::read_to_string(&file).is_ok_and(|text| text.starts_with(KEPT_LINE));
        if kept {
            return Ok(());
        }
        Err(Failure::new("the upgrade has replaced the operator's configuration"))
    }

    fn installs_over(&self, package: &str) -> Result<()> {
        self.read("dpkg", &["--install", &format!("/root/{package}")]).map(drop)
    }

    fn gets_paid(&self, node: &Node<'_>, charge: &str) -> Result<()> {
        let shown = self.bitpro(&["charge", "show", charge, "--json"])?;
        same("the charge's state", &state_of(&shown), "pending")?;
        let address = text_of(&shown, "address").unwrap_or_default();
        // More than enough at the fixed rate of a test network.
        node.pay(&address, "0.01")?;
        self.reaches(charge, "seen")?;
        node.mine(6)?;
        self.reaches(charge, "confirmed")
    }

    fn reaches(&self, charge: &str, state: &str) -> Result<()> {
        self.system.wait(&format!("the charge to be {state}"), |_| {
            let shown = self.bitpro(&["charge", "show", charge, "--json"]);
            shown.is_ok_and(|shown| state_of(&shown) == state)
        })
    }

    fn is_backed_up(&self) -> Result<()> {
        let file = self.inside("/etc/bitpro/passphrase");
        fs::write(&file, "eleven more letters than one\n").map_err(|error| Failure::file("write", &file, &error))?;
        self.read("install", &["-d", "-o", "bitpro", "-m", "0700", "/var/backups/bitpro"])?;
        self.bitpro(&[
            "backup",
            "/var/backups/bitpro/one",
            "--with-keys",
            "--passphrase-file",
            "/etc/bitpro/passphrase",
        ])
        .map(drop)
    }

    fn removes(&self) -> Result<()> {
        self.read("dpkg", &["--remove", "bitpro"])?;
        if self.get("/healthz").is_ok() {
            return Err(Failure::new("the server still answers after its package was removed"));
        }
        self.there_is("/usr/bin/bitpro", false)?;
        self.there_is("/etc/bitpro/bitpro.toml", true)?;
        self.there_is("/var/lib/bitpro/bitpro.db", true)
    }

    fn purges(&self) -> Result<()> {
        self.read("dpkg", &["--purge", "bitpro"])?;
        self.there_is("/etc/bitpro/bitpro.toml", false)?;
        self.there_is("/etc/systemd/system/multi-user.target.wants/bitpro.service", false)?;
        // Keys and the record of which addresses were given out cannot be made again.
        self.there_is("/var/lib/bitpro/bitpro.db", true)
    }

    /// As on a new machine: nothing of the old one but the backup.
    fn comes_back(&self, node: &Node<'_>, charge: &str) -> Result<()> {
        self.read("rm", &["-r", "/var/lib/bitpro"])?;
        self.installs("bitpro.deb")?;
        self.configure(node)?;
        self.bitpro(&[
            "restore",
            "/var/backups/bitpro/one",
            "--passphrase-file",
            "/etc/bitpro/passphrase",
        ])?;
        self.starts()?;
        self.reaches(charge, "confirmed")
    }

    /// `bitpro` as the guide says to call it: as the service's user, with the system's configuration.
    fn bitpro(&self, arguments: &[&str]) -> Result<String> {
        let mut all = vec!["-u", "bitpro", "--", "bitpro"];
        all.extend(arguments);
        self.read("runuser", &all)
    }

    fn read(&self, program: &str, arguments: &[&str]) -> Result<String> {
        self.system.read(program, arguments)
    }

    fn shown(&self, property: &str) -> Result<String> {
        self.read("systemctl", &["show", "--value", "-p", property, "bitpro.service"])
    }

    fn get(&self, path: &str) -> Result<String> {
        let mut get = proc::command(self.workspace, "curl");
        let url = format!("http://localhost:{}{path}", self.port);
        // As a browser asks when a person follows a link.
        for header in [
            "Sec-Fetch-Mode: navigate",
            "Sec-Fetch-Dest: document",
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-User: ?1",
        ] {
            get.args(["--header", header]);
        }
        proc::read(get.args(["--silent", "--show-error", "--fail", &url]))
    }

    fn inside(&self, path: &str) -> PathBuf {
        self.system.folder().join(path.trim_start_matches('/'))
    }

    fn there_is(&self, path: &str, wanted: bool) -> Result<()> {
        let found = self.inside(path).symlink_metadata().is_ok();
        if found == wanted {
            return Ok(());
        }
        let found = if found { "is there" } else { "is gone" };
        Err(Failure::new(format!("{path} {found}")))
    }
}

fn shows(system: &System<'_>, property: &str, wanted: &str) -> bool {
    let shown = system.read("systemctl", &["show", "--value", "-p", property, "bitpro.service"]);
    shown.is_ok_and(|shown| shown == wanted)
}

fn state_of(charge: &str) -> String {
    text_of(charge, "state").unwrap_or_default()
}

fn same(what: &str, found: &str, wanted: &str) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    Err(Failure::new(format!("{what}: wanted {wanted:?}, found {found:?}")))
}
