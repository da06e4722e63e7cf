//! Where things lie: the repository, the cache that outlives it, and the folder of cargo's build results.

use std::env;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::stamp::Fingerprint;

/// The folders that every command works with; all absolute.
#[derive(Debug)]
pub struct Workspace {
    /// The repository's root.
    pub root: PathBuf,
    /// Everything installed or downloaded: `BITPRO_CACHE`, else `~/.cache/bitpro`.
    pub cache: PathBuf,
    /// Cargo's results: `CARGO_TARGET_DIR`, else `target` in the cache, so that a fresh clone starts warm.
    pub target: PathBuf,
}

impl Workspace {
    /// Finds the folders from the environment.
    ///
    /// # Errors
    /// When neither `BITPRO_CACHE` nor `HOME` is set, or a folder cannot be made.
    pub fn locate() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest)
            .parent()
            .ok_or_else(|| Failure::new("the manifest of xtask has no folder above it"))?
            .to_path_buf();
        let cache = match env::var_os("BITPRO_CACHE").filter(|path| !path.is_empty()) {
            Some(path) => absolute(Path::new(&path))?,
            None => {
                let home = env::var_os("HOME")
                    .filter(|path| !path.is_empty())
                    .ok_or_else(|| Failure::new("HOME is not set: set BITPRO_CACHE to the folder to install into"))?;
                Path::new(&home).join(".cache/bitpro")
            }
        };
        let target = match env::var_os("CARGO_TARGET_DIR").filter(|path| !path.is_empty()) {
            Some(path) => absolute(Path::new(&path))?,
            None => cache.join("target"),
        };
        std::fs::create_dir_all(&cache).map_err(|error| Failure::file("create", &cache, &error))?;
        Ok(Self { root, cache, target })
    }

    /// Tells two clones that share a cache apart.
    pub fn id(&self) -> String {
        Fingerprint::new(&[self.root.to_string_lossy().into_owned()]).hex()
    }

    /// The pinned tools installed by cargo.
    pub fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// Programs that must win over the machine's own, first one first.
    pub fn path_prefix(&self) -> [PathBuf; 3] {
        [
            self.tools().join("bin"),
            self.cache.join("node22/node_modules/node/bin"),
            self.cache.join("binaryen/node_modules/.bin"),
        ]
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| Failure::file("resolve", path, &error))
}
