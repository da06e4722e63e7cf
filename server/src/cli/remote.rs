//! Carrying out a command where the data is: in the running server, or here when none runs.

use crate::accounts::{Accounts, Email};
use crate::admin::{self, Command, Failure, Kind, Reply, SocketError};
use crate::charges::{OpenError, Role};
use crate::config::Config;
use crate::instance::{Instance, InstanceError};
use crate::reconcile::Reconciler;

/// Has `command` carried out.
///
/// # Errors
/// [`Failure`].
pub(super) async fn carry_out(config: &Config, command: &Command) -> Reply {
    match admin::ask(&config.admin_socket, command).await {
        Ok(reply) => reply,
        Err(SocketError::NoServer) => here(config, command).await,
        Err(error) => Err(unavailable(error.to_string())),
    }
}

async fn here(config: &Config, command: &Command) -> Reply {
    let instance = Instance::open(config, Role::Tool).await.map_err(|error| match error {
        // A server is just starting or ending, or its socket is elsewhere.
        InstanceError::Open(OpenError::InUse(path)) => unavailable(format!(
            "{path} is in use by another process, and no server answers at {}",
            config.admin_socket.display()
        )),
        error => unavailable(error.to_string()),
    })?;
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

const fn unavailable(message: String) -> Failure {
    Failure {
        kind: Kind::Unavailable,
        message,
    }
}
