//! A copy of the sources, to build them with a change that nobody is to see.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::proc;
use crate::stamp::files_below;
use crate::workspace::Workspace;

/// What is built before cargo is asked, and is not tracked.
const BUILT: [&str; 2] = ["dist", "widget/dist"];

/// A copy of the sources.
pub struct Copy {
    /// Where it lies.
    pub folder: PathBuf,
}

impl Copy {
    /// The copy of this workspace, which stays from one run to the next: so only what has changed is compiled again.
    pub fn of(workspace: &Workspace) -> Self {
        let folder = workspace.cache.join("mutations").join(workspace.id());
        Self { folder }
    }

    /// Makes the copy what the sources are, as they lie in the working tree.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn renew(&self, workspace: &Workspace) -> Result<()> {
        let mut git = proc::command(workspace, "git");
        let listed = proc::read(git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
        let tracked = listed.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
        // What is tracked may have been removed from the working tree.
        let mut wanted: BTreeSet<PathBuf> = tracked.filter(|name| workspace.root.join(name).is_file()).collect();
        for folder in BUILT {
            let built = files_below(&workspace.root.join(folder))?;
            wanted.extend(
                built
                    .iter()
                    .filter_map(|path| Some(path.strip_prefix(&workspace.root).ok()?.to_owned())),
            );
        }
        let folders = BUILT.iter().map(|folder| self.folder.join(folder));
        for folder in folders.chain([self.folder.clone()]) {
            fs::create_dir_all(&folder).map_err(|error| Failure::file("create", &folder, &error))?;
            self.keep_only(&folder, &wanted)?;
        }
        for name in &wanted {
            renew_file(&workspace.root.join(name), &self.folder.join(name))?;
        }
        Ok(())
    }

    /// Removes what is not wanted any more below a folder of the copy.
    fn keep_only(&self, folder: &Path, wanted: &BTreeSet<PathBuf>) -> Result<()> {
        for path in files_below(folder)? {
            if path.strip_prefix(&self.folder).is_ok_and(|name| !wanted.contains(name)) {
                fs::remove_file(&path).map_err(|error| Failure::file("remove", &path, &error))?;
            }
        }
        Ok(())
    }
}

/// A file that is the same is left alone: its time tells cargo that nothing is to be done.
fn renew_file(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).map_err(|error| Failure::file("read", from, &error))?;
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
    }
    fs::write(to, bytes).map_err(|error| Failure::file("write", to, &error))
}
