//! The commands of the operator's guides, run as they are printed; only the folders of the machine lie below a scratch folder.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::{App, Scene, Setup, app, guide};
use tokio::process::Command;

const GUIDES: [&str; 2] = ["install.md", "operating.md"];
/// What the test below runs, in this order.
const RUN: [&str; 7] = [
    "ln -s /mnt/mark/bitpro.issued /var/lib/bitpro/bitpro.db.issued",
    "bitpro backup /backup/bitpro-2026-11-30",
    "bitpro backup /backup/bitpro-2026-11-30 --with-keys --passphrase-file /etc/bitpro/backup.passphrase",
    "bitpro backup /backup/before-upgrade --with-keys --passphrase-file /etc/bitpro/backup.passphrase",
    "bitpro clock accept",
    "bitpro restore /backup/bitpro-2026-11-30 --passphrase-file /etc/bitpro/backup.passphrase",
    "bitpro restore /backup/before-upgrade --replace --passphrase-file /etc/bitpro/backup.passphrase",
];
/// What it does not run, and why.
const NOT_RUN: [(&str, &str); 16] = [
    (
        "cargo xtask dist",
        "it builds a release: `cargo xtask dist --test` is its test",
    ),
    (
        "apt install ./bitpro_0.1.0_amd64.deb",
        "it changes the machine: the test of the release installs in a clean Debian",
    ),
    (
        "bitpro init",
        "it writes to /etc: tests/it/init.rs runs it on a file of its own",
    ),
    (
        "systemctl enable --now bitpro",
        "it needs systemd: the test of the release runs it",
    ),
    (
        "runuser -u bitpro -- bitpro check",
        "it needs the service's user: the test of the release runs it",
    ),
    (
        "podman build -f server/packaging/container/Containerfile -t bitpro FOLDER-WITH-THE-PACKAGE",
        "it needs an engine: `cargo xtask dist --image` builds by buildah",
    ),
    ("cd server/packaging/container", "it goes with the next command"),
    (
        "BITPRO_HOST=pay.example BITPRO_NETWORK=signet NODE_CHAIN=signet docker compose up -d",
        "it needs an engine and a name: `cargo xtask dist --image` reads the file",
    ),
    ("docker compose exec bitpro bitpro check", "it needs an engine"),
    (
        "sudo install bitpro-0.1.0-x86_64-linux-gnu /usr/local/bin/bitpro",
        "it changes the machine",
    ),
    (
        "bitpro --config bitpro.toml init",
        "tests/it/init.rs runs it, and answers its questions",
    ),
    ("bitpro --config bitpro.toml serve", "tests/it/init.rs runs it"),
    (
        "litestream replicate -config /etc/litestream.yml",
        "tests/it/litestream.rs runs it",
    ),
    (
        "litestream restore -config /etc/litestream.yml -o /var/lib/bitpro/restored.db /var/lib/bitpro/bitpro.db",
        "tests/it/litestream.rs runs it",
    ),
    (
        "bitpro restore /var/lib/bitpro/restored.db",
        "tests/it/litestream.rs runs it",
    ),
    ("rm /var/lib/bitpro/restored.db", "it goes with the one before"),
];
/// The machine's folders that commands name.
const FOLDERS: [&str; 4] = ["/backup", "/etc/bitpro", "/mnt/mark", "/var/lib/bitpro"];

/// The commands in the blocks of a guide that are meant for a shell.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut kind = None::<&str>;
    for line in text.lines() {
        let line = line.trim();
        match (kind, line.strip_prefix("```")) {
            (None, Some(name)) => kind = Some(name),
            (Some(_), Some(_)) => kind = None,
            (Some("shell" | "sh"), None) if !line.is_empty() => commands.push(line.to_owned()),
            // A prompt is no part of the command.
            (Some("console"), None) => {
                let command = line.strip_prefix("$ ").or_else(|| line.strip_prefix("# "));
                commands.extend(command.map(str::to_owned));
            }
            _ => {}
        }
    }
    commands
}

#[test]
fn every_command_of_the_guides_is_run_here_or_has_a_reason() -> Result<()> {
    let mut printed = Vec::new();
    for name in GUIDES {
        printed.extend(commands(&fs::read_to_string(guide::folder().join(name))?));
    }
    let known = |command: &str| RUN.contains(&command) || NOT_RUN.iter().any(|(known, _)| *known == command);
    let unknown: Vec<&String> = printed.iter().filter(|command| !known(command)).collect();
    ensure!(
        unknown.is_empty(),
        "{unknown:#?} are printed, and neither run nor excused"
    );
    let all = RUN.iter().chain(NOT_RUN.iter().map(|(command, _)| command));
    let stale: Vec<&&str> = all.filter(|known| !printed.iter().any(|one| one == **known)).collect();
    ensure!(stale.is_empty(), "{stale:#?} are in no guide any more");
    Ok(())
}

/// Runs a command of a guide with the settings of `app`.
async fn run(app: &App, scratch: &Path, command: &str) -> Result<()> {
    let mut here = command.to_owned();
    for folder in FOLDERS {
        here = here.replace(&format!(" {folder}"), &format!(" {}{folder}", scratch.display()));
    }
    let prepared = app.command()?;
    let mut shell = Command::new("sh");
    shell.args(["-c", &here]).current_dir(scratch);
    for (name, value) in prepared.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = vec![scratch.join("bin")];
    folders.extend(std::env::split_paths(&path));
    let output = shell.env("PATH", std::env::join_paths(folders)?).output().await?;
    ensure!(
        output.status.success(),
        "{command}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[tokio::test]
async fn commands_of_the_guides_do_what_they_are_printed_for() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    for folder in FOLDERS.iter().chain(&["/bin"]) {
        fs::create_dir_all(scratch.path().join(folder.trim_start_matches('/')))?;
    }
    std::os::unix::fs::symlink(app::program()?, scratch.path().join("bin/bitpro"))?;
    let passphrase = scratch.path().join("etc/bitpro/backup.passphrase");
    fs::write(&passphrase, "correct horse battery staple, and more\n")?;
    let mut scene = Scene::start().await?;
    let charge = scene.open().await?;
    let (beside, once_stopped) = RUN.split_at(5);
    for command in beside {
        run(&scene.app, scratch.path(), command).await?;
    }
    scene.app.stop().await?;
    // A new machine with the same node, and then the old one.
    let setup = Setup::beside(&scene.pair.server, &scene.pair.clock);
    let fresh = App::prepare(setup)?;
    let [to_new, to_old] = once_stopped else {
        anyhow::bail!("two commands are for a server that is stopped");
    };
    run(&fresh, scratch.path(), to_new).await?;
    run(&scene.app, scratch.path(), to_old).await?;
    for app in [&fresh, &scene.app] {
        let shown = app.run(&["charge", "show", &charge.id]).await?;
        ensure!(shown.contains("pending"), "{shown}");
    }
    scene.app.start().await.context("the restored server")?;
    Ok(())
}
