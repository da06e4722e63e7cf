//! Carrying out a command where the data is: in the running server, or here when none runs.

use bitpro_base::private;
use bitpro_config::Config;
use bitpro_operator::admin::{self, Command, Failure, Kind, Reply, SocketError};
use bitpro_operator::instance::Instance;
use bitpro_service::accounts::{Accounts, Email};
use bitpro_service::charges::Role;
use bitpro_service::reconcile::Reconciler;
use bitpro_store::mark_path;

/// Has `command` carried out.
///
/// # Errors
/// [`Failure`].
pub(super) async fn carry_out(config: &Config, command: &Command) -> Reply {
    carry_out_somewhere(config, command).await.0
}

/// The same, and whether a server did it.
pub(super) async fn carry_out_somewhere(config: &Config, command: &Command) -> (Reply, bool) {
    match admin::ask(&config.admin_socket, command, admin::HEARD_WITHIN).await {
        Err(SocketError::NoServer) => (here(config, command).await, false),
        asked => (understood(config, command, asked), true),
    }
}

fn understood(config: &Config, command: &Command, asked: Result<Reply, SocketError>) -> Reply {
    match asked {
        Ok(reply) => reply,
        Err(SocketError::Silent) => Err(silent(config)),
        Err(SocketError::Ended) if matches!(command, Command::CopyDatabase) => Err(unavailable(
            "the server ended meanwhile; no backup was written: try again".to_owned(),
        )),
        Err(error) => Err(unavailable(error.to_string())),
    }
}

/// Carries `command` out in the database itself, unless a server that cannot be asked has it: that one is its only writer.
async fn here(config: &Config, command: &Command) -> Reply {
    refuse_beside_server(config)?;
    let opened = Instance::open(config, Role::Tool).await;
    let instance = opened.map_err(|error| unavailable(error.to_string()))?;
    let operator = config.operator_email.as_deref().and_then(Email::read);
    let accounts = Accounts::new(
        instance.charges.clone(),
        config.signup,
        &config.dashboard_origin(),
        operator,
    );
    let reconciler = Reconciler::new(instance.charges.clone(), config.node.clone(), &config.database);
    let reply = admin::carry_out(&accounts, &reconciler, command.clone()).await;
    instance.charges.close().await;
    reply
}

/// A server, or a restore, holds the issuance mark for as long as it runs.
fn refuse_beside_server(config: &Config) -> Result<(), Failure> {
    let mark = mark_path(&config.database);
    match private::is_held(&mark) {
        Ok(false) => Ok(()),
        Ok(true) => Err(Failure {
            kind: Kind::Conflict,
            message: format!(
                "database-in-use: {} is in use by a server that does not answer at {}; nothing was done. It is just starting or \
                 ending, or its socket was removed, or admin_socket is configured otherwise here: restart it with this \
                 configuration, or stop it",
                config.database.display(),
                config.admin_socket.display()
            ),
        }),
        Err(error) => Err(unavailable(format!("{}: {error}", mark.display()))),
    }
}

/// Somebody listens at the socket and does not answer: a server that stands still, or a program that is none.
fn silent(config: &Config) -> Failure {
    Failure {
        kind: Kind::Conflict,
        message: format!(
            "database-in-use: whoever listens at {} does not answer; nothing was done. It is a server that was halted or hangs, or another \
             program: let it go on, or stop it",
            config.admin_socket.display()
        ),
    }
}

const fn unavailable(message: String) -> Failure {
    Failure {
        kind: Kind::Unavailable,
        message,
    }
}

#[cfg(test)]
mod tests;
