//! A file of an earlier release is brought to the present shape: killed at it, with a row that cannot be, and without room for it.
//!
//! The file is the world's own, with the rows that had a place in the earlier shape, as that release wrote them: its charges stand on
//! the real chain, and everything in it is sealed under the key that the server has.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use bitpro_tests::{App, eventually};
use rand::Rng as _;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tempfile::TempDir;

use crate::disk::Disk;
use crate::invariants::{Kept, connect, folds_to_rows};
use crate::world::World;

static STEPS: Migrator = sqlx::migrate!("../server/store/migrations/sqlite");

/// Deaths of each file, and the most until some came before the steps were committed and some after.
const DEATHS: usize = 10;
const MOST_DEATHS: usize = 50;
/// By when a start is through with its steps, on a machine that has nothing else to do.
const QUICK_START: Duration = Duration::from_millis(300);
/// Room for less than any file of the first shape takes to become one of the last, in bytes.
const ROOMS: [u64; 3] = [0, 48 * 1024, 96 * 1024];

/// The file of the keys that secrets are sealed under, in a server's folder.
const KEYS: &str = "seal.keys";
/// The step with which charges got their proofs.
const PROVED: i64 = 15;
/// The length of a slot of the mark.
const SLOT: usize = 64;

/// All that a file holds: the statements of its shape, and each table's rows.
type Dump = BTreeMap<String, Vec<String>>;

/// What the world's server left behind, of an earlier shape.
struct Left {
    folder: TempDir,
    /// What its secrets are sealed under.
    keys: Vec<u8>,
    shape: i64,
    /// All that is in it.
    dump: Dump,
    /// The statements of the present shape.
    present: Vec<String>,
    /// Its charges, as the command line lists them.
    listed: String,
}

/// Deaths at one file, and between which instants of a start the next one comes: close to where the last ones have shown that the steps
/// are committed.
#[derive(Debug)]
struct Deaths {
    before: usize,
    after: usize,
    early: Duration,
    late: Duration,
}

impl Default for Deaths {
    fn default() -> Self {
        Self {
            before: 0,
            after: 0,
            early: Duration::ZERO,
            late: QUICK_START,
        }
    }
}

impl Deaths {
    const fn are_too_few(&self) -> bool {
        let deaths = self.before + self.after;
        deaths < DEATHS || (deaths < MOST_DEATHS && (self.before == 0 || self.after == 0))
    }

    /// A machine is quicker at one time than at another: the span moves as well as it shrinks.
    fn note(&mut self, instant: Duration, was_early: bool) {
        if was_early {
            self.before += 1;
            self.early = instant;
            self.late = self.late.max(instant * 5 / 4 + Duration::from_millis(2));
        } else {
            self.after += 1;
            self.late = instant + Duration::from_millis(1);
            self.early = self.early.min(instant * 4 / 5);
        }
    }
}

/// However often the server dies at it, the file is wholly of the former shape or wholly of the present one, and loses nothing.
pub async fn killed(world: &mut World) -> Result<()> {
    let later = world.rng.random_range(2..last());
    let listed = rest(world).await?;
    for shape in [1, later] {
        let left = Left::by(world, shape, &listed).await?;
        let mut app = beside(world)?;
        left.put(&app.database())?;
        left.put_keys(&app)?;
        let mut deaths = Deaths::default();
        while deaths.are_too_few() {
            let instant = world.rng.random_range(deaths.early..deaths.late);
            app.launch()?;
            tokio::time::sleep(instant).await;
            app.kill()?;
            let was_early = left.is_as_it_was(&app.database()).await?;
            if !was_early {
                left.is_present(&app.database()).await?;
                left.put(&app.database())?;
            }
            deaths.note(instant, was_early);
        }
        ensure!(
            deaths.before > 0 && deaths.after > 0,
            "no start was met at its steps: {deaths:?}"
        );
        app.start().await?;
        left.is_whole(&app)
            .await
            .with_context(|| format!("a file of shape {shape}"))?;
        app.stop().await?;
    }
    Ok(())
}

/// A step that cannot be taken leaves the file as it was, and says so; once nothing is in its way, it is taken.
pub async fn hindered(world: &mut World) -> Result<()> {
    let listed = rest(world).await?;
    let left = Left::by(world, 1, &listed).await?;

    let mut app = beside(world)?;
    left.put(&app.database())?;
    let mut hand = connect(&app.database(), true).await?;
    let cut = "UPDATE charges SET snapshot = substr(snapshot, 2) \
               WHERE num = (SELECT max(num) FROM charges WHERE snapshot IS NOT NULL)";
    sqlx::query(cut).execute(&mut hand).await?;
    hand.close().await?;
    let before = dump(&app.database()).await?;
    let said = app.refuses_to_start().await?;
    ensure!(
        said.contains("nothing was changed"),
        "it does not say what became of the file: {said}"
    );
    ensure!(
        dump(&app.database()).await? == before,
        "a file with a broken row was changed"
    );
    left.put(&app.database())?;
    app.start().await?;
    left.is_whole(&app).await?;
    app.stop().await?;

    let disk = Disk::mount().map_err(|why| anyhow!("THE DISK CANNOT BE FILLED: {why:#}"))?;
    let mut app = beside(world)?;
    let database = disk.folder().join("bitpro.db");
    app.set("BITPRO_DATABASE", &database.to_string_lossy());
    left.put(&database)?;
    for room in ROOMS {
        disk.fill_but(room)?;
        let said = app.refuses_to_start().await;
        disk.free()?;
        let said = said.with_context(|| format!("{room} bytes were enough"))?;
        ensure!(said.contains("full"), "it does not say that there is no room: {said}");
        ensure!(
            left.is_as_it_was(&database).await?,
            "without room the file was changed: {said}"
        );
    }
    app.start().await?;
    left.is_whole(&app).await?;
    app.stop().await
}

/// The number of the last step.
fn last() -> i64 {
    STEPS.iter().map(|step| step.version).max().unwrap_or_default()
}

/// A life with charges of several kinds that has come to rest; and these, as the command line lists them.
async fn rest(world: &mut World) -> Result<String> {
    world.coins.provide(&world.pair, 20).await?;
    let orders = world.open_many(40, 500).await?;
    for paid in orders.chunks(10).take(3) {
        let payment = world.payment_of(paid, 3)?;
        world.pair.server.send(&payment).await?;
    }
    world.settle().await?;
    world.become_all(&orders[..30], "confirmed", Some("exact")).await?;
    // What nobody has paid so far ends, so that nothing ends while it is looked at.
    world.advance_secs(2 * 60 * 60).await?;
    world.settle().await?;
    world.become_all(&orders[30..], "timedout", None).await?;
    world.open_many(5, 700).await?;
    let database = world.app.database();
    eventually("every delivery to come to its end", async || {
        let pending = Kept::read(&database).await?.pending;
        ensure!(pending == 0, "{pending} are pending");
        Ok(())
    })
    .await?;
    list(&world.app).await
}

async fn list(app: &App) -> Result<String> {
    app.run(&["charge", "list", "--limit", "100000", "--json"]).await
}

/// Another server of the same kind beside the world's node. It tells nobody anything: the merchant has been told.
fn beside(world: &World) -> Result<App> {
    let mut setup = world.app.setup().clone();
    setup.port = None;
    setup
        .settings
        .retain(|(name, _)| name != "BITPRO_DATABASE" && !name.starts_with("BITPRO_WEBHOOK_"));
    App::prepare(setup)
}

impl Left {
    /// The world's file in the shape that step `shape` left.
    async fn by(world: &mut World, shape: i64, listed: &str) -> Result<Self> {
        world.app.stop().await?;
        let keys = std::fs::read(world.app.folder().join(KEYS)).context("the server has no keys")?;
        let folder = tempfile::Builder::new().prefix("bitpro-left-").tempdir()?;
        let (database, now) = (world.app.database(), folder.path().join("now.db"));
        std::fs::copy(&database, &now)?;
        std::fs::copy(with_end(&database, ".issued"), folder.path().join("bitpro.db.issued"))?;
        world.app.start().await?;
        let former = folder.path().join("bitpro.db");
        reshape(&now, &former, shape).await?;
        if shape < PROVED {
            forget_proofs(&folder.path().join("bitpro.db.issued"))?;
        }
        let before = dump(&former).await?;
        ensure!(
            before.values().map(Vec::len).sum::<usize>() > 100,
            "there is nothing in it"
        );
        let present = dump(&now).await?.remove(SHAPE).unwrap_or_default();
        Ok(Self {
            folder,
            keys,
            shape,
            dump: before,
            present,
            listed: listed.to_owned(),
        })
    }

    /// Puts it at `database`, in the place of all that is there.
    fn put(&self, database: &Path) -> Result<()> {
        for end in ["-wal", "-shm"] {
            let beside = with_end(database, end);
            if beside.exists() {
                std::fs::remove_file(beside)?;
            }
        }
        std::fs::copy(self.folder.path().join("bitpro.db"), database)?;
        std::fs::copy(
            self.folder.path().join("bitpro.db.issued"),
            with_end(database, ".issued"),
        )?;
        Ok(())
    }

    /// Gives a server the keys under which its secrets are sealed.
    fn put_keys(&self, app: &App) -> Result<()> {
        let place = app.folder().join(KEYS);
        std::fs::write(&place, &self.keys)?;
        std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o600))?;
        Ok(())
    }

    /// Whether the file has its former shape; if so, it holds what it held.
    async fn is_as_it_was(&self, database: &Path) -> Result<bool> {
        let found = dump(database).await?;
        if found.get(SHAPE) != self.dump.get(SHAPE) {
            return Ok(false);
        }
        let differs = self.dump.iter().find(|(table, rows)| found.get(*table) != Some(rows));
        ensure!(
            differs.is_none() && found.len() == self.dump.len(),
            "a file of shape {} has other rows: {:?}",
            self.shape,
            differs.map(|(table, _)| table)
        );
        Ok(true)
    }

    /// The file has the present shape, with the log that it had.
    async fn is_present(&self, database: &Path) -> Result<()> {
        let found = dump(database).await?;
        ensure!(
            found.get(SHAPE) == Some(&self.present),
            "a file of shape {} came to one that no release has: {:?}",
            self.shape,
            found.get(SHAPE)
        );
        ensure!(found.get("events") == self.dump.get("events"), "the log was changed");
        Ok(())
    }

    /// A running server has all that was left, in the present shape: every charge as it was, and by its log.
    async fn is_whole(&self, app: &App) -> Result<()> {
        app.is_well().await?;
        self.is_present(&app.database()).await?;
        let listed = list(app).await?;
        ensure!(
            listed == self.listed,
            "it lists {listed}\nwhere there was {}",
            self.listed
        );
        folds_to_rows(&Kept::read(&app.database()).await?)?;
        app.run(&["reconcile"]).await.context("the server's own comparison")?;
        Ok(())
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut named = path.as_os_str().to_owned();
    named.push(end);
    named.into()
}

/// The name under which a dump has the statements of the shape.
const SHAPE: &str = "(shape)";

/// Reads all of a file as it was left: from a copy, for looking at a file after a death already mends it.
async fn dump(database: &Path) -> Result<Dump> {
    let scratch = tempfile::tempdir()?;
    let copy = scratch.path().join("copy.db");
    std::fs::copy(database, &copy)?;
    let journal = with_end(database, "-wal");
    if journal.exists() {
        std::fs::copy(journal, with_end(&copy, "-wal"))?;
    }
    let mut connection = connect(&copy, true).await?;
    let shape = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') AS stated FROM sqlite_master \
                 WHERE name NOT LIKE 'sqlite@_stat%' ESCAPE '@' \
                 UNION ALL SELECT 'step ' || version || ' ' || success FROM _sqlx_migrations ORDER BY stated";
    let mut found = Dump::new();
    found.insert(
        SHAPE.to_owned(),
        sqlx::query_scalar(shape).fetch_all(&mut connection).await?,
    );
    for table in tables(&mut connection).await? {
        let columns = "SELECT group_concat('quote(' || name || ')', '||''|''||') FROM pragma_table_info(?)";
        let columns: String = sqlx::query_scalar(columns)
            .bind(&table)
            .fetch_one(&mut connection)
            .await?;
        let rows = AssertSqlSafe(format!("SELECT {columns} FROM {table} ORDER BY 1"));
        let rows = sqlx::query_scalar(rows).fetch_all(&mut connection).await?;
        found.insert(table, rows);
    }
    connection.close().await?;
    Ok(found)
}

async fn tables(connection: &mut SqliteConnection) -> Result<Vec<String>> {
    let ours = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE '@_sqlx%' ESCAPE '@' \
                AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY name";
    Ok(sqlx::query_scalar(ours).fetch_all(connection).await?)
}

/// Takes from a mark that the charges beside it were proved: no release knew of proofs before they were made.
fn forget_proofs(mark: &Path) -> Result<()> {
    let mut bytes = std::fs::read(mark)?;
    let slots = bytes
        .chunks_exact_mut(SLOT)
        .filter(|slot| slot.starts_with(b"charges proved"));
    slots.for_each(|slot| slot.fill(0));
    Ok(std::fs::write(mark, bytes)?)
}

/// Makes a database at `to` of the shape that step `shape` left, with the rows of `from` that have a place in it, as the release of that
/// time wrote them.
async fn reshape(from: &Path, to: &Path, shape: i64) -> Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(to)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(false);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    STEPS.run_to(shape, &mut connection).await?;
    sqlx::query("ATTACH ? AS source")
        .bind(from.to_str().context("no UTF-8")?)
        .execute(&mut connection)
        .await?;
    for table in tables(&mut connection).await? {
        // What a table computes by itself is not among them.
        let columns = "SELECT group_concat(ours.name, ', ') FROM pragma_table_info(?1, 'main') ours \
                       JOIN pragma_table_info(?1, 'source') theirs ON theirs.name = ours.name";
        let columns: String = sqlx::query_scalar(columns)
            .bind(&table)
            .fetch_one(&mut connection)
            .await?;
        let copied = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM source.{table}");
        sqlx::query(AssertSqlSafe(copied)).execute(&mut connection).await?;
    }
    if shape < 11 {
        let younger = "UPDATE main.charges SET snapshot = json_remove(snapshot, '$.was_confirmed', '$.was_announced')";
        sqlx::query(younger).execute(&mut connection).await?;
    }
    if shape < 10 {
        let within = "UPDATE main.charges SET snapshot = json_set(snapshot, '$.version', 1, '$.payments', json((\
                          SELECT json_group_array(json(p.body)) FROM source.payments p WHERE p.charge = charges.num))) \
                      WHERE snapshot IS NOT NULL";
        sqlx::query(within).execute(&mut connection).await?;
    }
    if shape < PROVED {
        let younger = "DELETE FROM main.meta WHERE name = 'charges_proved'";
        sqlx::query(younger).execute(&mut connection).await?;
    }
    sqlx::query("DETACH source").execute(&mut connection).await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}
