//! Backup files, as anybody may have made them.

use std::fs;
use std::path::Path;

use bitpro_base::fuzzing::{Memory, Target};

use super::{BackupError, archive};

/// What is fuzzed here.
pub const TARGETS: &[Target] = &[Target::new(
    "backup",
    16 * 1024,
    &[
        "manifest.json",
        "bitpro.db",
        "secret.key",
        "seal.keys",
        "\"format\":1",
        "\"size\":",
        "ustar",
        "\"files\":[",
        "bitpro sealed backup 1\n",
        "SQLite format 3\0",
        "../",
    ],
    backup,
)
.within(Memory {
    // What is copied at once, and the buffers of the file.
    base: 512 * 1024,
    per_byte: 64,
    times: 16,
})];

/// A backup writes no more than it holds, nothing but what its manifest names, and nothing outside the folder.
fn backup(input: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let from = folder.path().join("backup");
    let into = folder.path().join("into");
    fs::create_dir(&into).expect("an empty folder");
    fs::write(&from, input).expect("a file in it");
    match archive::unpack(&from, &into, None) {
        Ok(unpacked) => {
            // A bare database has no manifest.
            if let Some(manifest) = &unpacked.manifest {
                let names: Vec<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
                assert!(names.contains(&"bitpro.db") && names.len() <= 3, "{names:?}");
            }
            assert_eq!(unpacked.database, into.join("bitpro.db"));
        }
        Err(BackupError::Damaged(..) | BackupError::Newer(_) | BackupError::PassphraseWanted) => {}
        Err(error) => panic!("a file of strangers is damaged, and no fault of the disk: {error}"),
    }
    let length = u64::try_from(input.len()).unwrap_or(u64::MAX);
    assert!(size_of_folder(&into) <= length, "more was written than is there");
    assert_eq!(
        fs::read_dir(folder.path()).map(Iterator::count).unwrap_or_default(),
        2,
        "nothing beside the folder"
    );
}

fn size_of_folder(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).expect("it was made");
    files
        .map(|file| file.and_then(|file| file.metadata()).map_or(0, |file| file.len()))
        .sum()
}
