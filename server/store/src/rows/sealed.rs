//! Every column that holds sealed secrets, so that the start can check them and `bitpro rekey` finds them all.

use bitpro_base::seal::Purpose;

/// A column of sealed secrets.
pub(crate) struct SealedColumn {
    /// What its secrets are for.
    pub(crate) purpose: Purpose,
    pub(crate) table: &'static str,
    /// The column that a secret is bound to: bytes, and unique in the table.
    pub(crate) id: &'static str,
    pub(crate) sealed: &'static str,
}

/// All of them.
pub(crate) const SEALED: &[SealedColumn] = &[
    SealedColumn {
        purpose: Purpose::ApiKey,
        table: "api_key_secrets",
        id: "id",
        sealed: "sealed",
    },
    SealedColumn {
        purpose: Purpose::LinkKey,
        table: "link_keys",
        id: "id",
        sealed: "sealed",
    },
    SealedColumn {
        purpose: Purpose::Mail,
        table: "mails",
        id: "id",
        sealed: "sealed",
    },
    SealedColumn {
        purpose: Purpose::Webhook,
        table: "webhooks",
        id: "id",
        sealed: "secret",
    },
    SealedColumn {
        purpose: Purpose::Webhook,
        table: "webhooks",
        id: "id",
        sealed: "former_secret",
    },
    SealedColumn {
        purpose: Purpose::Totp,
        table: "accounts",
        id: "id",
        sealed: "totp",
    },
];
