//! Commands beside servers that cannot be asked.

use std::path::Path;
use std::time::Duration;

use bitpro_operator::admin::MerchantEdit;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::UnixListener;

use super::*;

fn configured(folder: &Path) -> Config {
    let settings = [
        ("BITPRO_NETWORK", "regtest".to_owned()),
        ("BITPRO_DATA_DIR", folder.join("data").display().to_string()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    Config::from_sources(Vec::from(settings), None, Some(folder)).unwrap()
}

#[tokio::test]
async fn a_command_writes_nothing_beside_a_server_whose_socket_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path());
    let add = Command::AddMerchant(MerchantEdit {
        settings: vec![("name".to_owned(), "Tea".to_owned())],
        ..MerchantEdit::default()
    });
    let running = Instance::open(&config, Role::Server).await.unwrap();
    assert!(!config.admin_socket.exists());
    let refused = carry_out(&config, &add).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Conflict);
    assert!(refused.message.starts_with("database-in-use: "), "{}", refused.message);
    assert!(running.charges.merchants().is_empty());
    running.charges.close().await;
    drop(running);
    let (added, by_server) = carry_out_somewhere(&config, &add).await;
    added.unwrap();
    assert!(!by_server);
}

#[tokio::test]
async fn a_server_that_ends_meanwhile_is_told_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path());
    std::fs::create_dir_all(config.admin_socket.parent().unwrap()).unwrap();
    let socket = UnixListener::bind(&config.admin_socket).unwrap();
    let dying = tokio::spawn(async move {
        for _ in 0..2 {
            let (mut stream, _) = socket.accept().await.unwrap();
            let mut line = String::new();
            BufReader::new(&mut stream).read_line(&mut line).await.unwrap();
        }
    });
    let backup = carry_out(&config, &Command::CopyDatabase).await.unwrap_err();
    assert!(
        backup
            .message
            .contains("the server ended meanwhile; no backup was written")
    );
    let other = carry_out(&config, &Command::ListMerchants).await.unwrap_err();
    assert!(other.message.contains("the server stopped before it answered"));
    assert_eq!([backup.kind, other.kind], [Kind::Unavailable; 2]);
    dying.await.unwrap();
}

#[tokio::test]
async fn whoever_listens_and_says_nothing_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path());
    std::fs::create_dir_all(config.admin_socket.parent().unwrap()).unwrap();
    let _silent = UnixListener::bind(&config.admin_socket).unwrap();
    for command in [Command::ListMerchants, Command::CopyDatabase] {
        let asked = admin::ask(&config.admin_socket, &command, Duration::from_millis(20)).await;
        let refused = understood(&config, &command, asked).unwrap_err();
        assert_eq!(refused.kind, Kind::Conflict);
        assert!(refused.message.starts_with("database-in-use: "), "{}", refused.message);
    }
}
