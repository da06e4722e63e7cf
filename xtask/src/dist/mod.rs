//! A release: the program, its Debian package, the lists of what is inside, and checksums.

mod build;
mod clean_root;
mod compare;
mod container;
mod installed;
mod node;
mod package;
mod release;
mod sbom;

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::page;
use crate::proc::{self, say};
use crate::setup::{self, Need};
use crate::stopwatch::Stopwatch;
use crate::workspace::Workspace;

use release::Release;

/// What may be asked for beside the release itself.
#[derive(Debug, Default)]
struct Wanted {
    /// Build it again in another folder, and compare.
    check: bool,
    /// Install, upgrade and remove the package in a clean Debian.
    test: bool,
    /// Build the image of a container, and try it.
    image: bool,
    /// Try this package, and build none.
    package: Option<PathBuf>,
}

/// Makes a release, and does with it what `arguments` say.
///
/// # Errors
/// When anything fails, or two builds differ.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let wanted = wanted(arguments)?;
    let mut needs = Vec::new();
    if wanted.package.is_none() {
        needs.extend(page::NEEDS);
        needs.extend([Need::Compiler, Need::Sbom]);
    }
    if wanted.test || wanted.image {
        needs.extend([Need::CleanRoot, Need::Bitcoind, Need::ShellClient]);
    }
    if wanted.image {
        needs.extend([Need::Containers, Need::Proxies]);
    }
    setup::ensure(workspace, &needs)?;
    let package = match wanted.package {
        Some(package) => package,
        None => build_all(workspace, wanted.check)?,
    };
    if wanted.test {
        installed::run(workspace, &package)?;
    }
    if wanted.image {
        container::run(workspace, &package)?;
    }
    Ok(())
}

fn wanted(arguments: &[String]) -> Result<Wanted> {
    let mut wanted = Wanted::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--check" => wanted.check = true,
            "--test" => wanted.test = true,
            "--image" => wanted.image = true,
            "--package" => {
                wanted.package = arguments
                    .next()
                    .map(std::path::absolute)
                    .transpose()
                    .unwrap_or_default()
            }
            other => {
                return Err(Failure::new(format!(
                    "`dist` knows --check, --test, --image and --package FILE, but got `{other}`"
                )));
            }
        }
    }
    match &wanted.package {
        Some(package) if wanted.check || !package.is_file() => Err(Failure::new(format!(
            "--package takes a package that is there ({} is not), and nothing is built then to compare",
            package.display()
        ))),
        _ => Ok(wanted),
    }
}

/// Builds everything, twice if that is to be compared, and gives the package.
fn build_all(workspace: &Workspace, twice: bool) -> Result<PathBuf> {
    let release = Release::of(workspace)?;
    say(&format!("making bitpro {} of {}", release.version, release.commit));
    page::build(workspace)?;
    let first = build::Place::new(workspace, workspace.target.join("dist-build"));
    first.take_sources(workspace)?;
    first.take_page(workspace)?;
    let files = make(&first, &release)?;
    if twice {
        say("building it again in another folder, page and all");
        let second = build::Place::new(workspace, workspace.cache.join("dist-check/a-folder-elsewhere"));
        second.take_sources(workspace)?;
        second.build_page(workspace)?;
        compare::folders(&files, &make(&second, &release)?)?;
        say("both builds are equal, byte by byte");
    }
    let packages = publish(workspace, &files)?;
    say(&format!("the release is in {}", packages.display()));
    Ok(packages.join(package::name(&release)))
}

/// Everything that is published, in a folder of the place.
fn make(place: &build::Place, release: &Release) -> Result<PathBuf> {
    let stopwatch = Stopwatch::start();
    let program = build::program(place, release)?;
    let files = place.folder("files")?;
    let lists = sbom::write(place, release, &files)?;
    let named = files.join(format!("bitpro-{}-{}", release.version, build::PLATFORM));
    fs::copy(&program, &named).map_err(|error| Failure::file("write", &named, &error))?;
    package::write(place, release, &program, &lists, &files)?;
    checksums(place, &files)?;
    say(&format!("built in {stopwatch}"));
    Ok(files)
}

fn checksums(place: &build::Place, files: &Path) -> Result<()> {
    let mut names: Vec<_> = compare::files(files)?
        .into_iter()
        .filter_map(|file| Some(file.file_name()?.to_owned()))
        .collect();
    names.sort();
    let mut sums = proc::command(&place.workspace, "sha256sum");
    let sums = proc::read(sums.args(names).current_dir(files))?;
    let file = files.join("SHA256SUMS");
    fs::write(&file, sums).map_err(|error| Failure::file("write", &file, &error))
}

/// Puts the files where they are looked for, in place of those of an earlier run.
fn publish(workspace: &Workspace, files: &Path) -> Result<PathBuf> {
    let packages = workspace.target.join("packages");
    setup::fresh_folder(&packages)?;
    for file in compare::files(files)? {
        let to = packages.join(file.file_name().unwrap_or_default());
        fs::copy(&file, &to).map_err(|error| Failure::file("write", &to, &error))?;
    }
    Ok(packages)
}
