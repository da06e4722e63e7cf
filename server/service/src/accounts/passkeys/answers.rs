//! What browsers answer to a challenge, read and checked. Pure: challenge and known passkeys come in.

use serde::de::DeserializeOwned;
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::{
    AuthenticationState, Credential, PublicKeyCredential, RegisterPublicKeyCredential, RegistrationState,
};

use super::Passkeys;
use crate::accounts::AccountError;

/// A signature that counts.
pub(super) struct Signed {
    /// Whose it is.
    pub(super) credential_id: Vec<u8>,
    /// The count that was known before.
    pub(super) former: u32,
    /// The count that came with it.
    pub(super) sign_count: u32,
    /// Whether the passkey has recognised its person, not only felt a touch.
    pub(super) is_verified: bool,
}

impl Passkeys {
    /// The passkey that was made for the challenge of `state`.
    pub(super) fn made(&self, answer: &str, state: &RegistrationState) -> Result<Credential, AccountError> {
        let answer: RegisterPublicKeyCredential = read(answer)?;
        self.core.register_credential(&answer, state, None).map_err(refused)
    }

    /// The signature over the challenge of `state`, by one of the passkeys that `account` is `known` to have.
    pub(super) fn signed(
        &self,
        answer: &str,
        mut state: AuthenticationState,
        account: [u8; 16],
        known: Vec<Credential>,
    ) -> Result<Signed, AccountError> {
        let answer: PublicKeyCredential = read(answer)?;
        // The handle names the account, where the authenticator says it.
        if answer.get_user_unique_id().is_some_and(|handle| handle != account) {
            return Err(AccountError::WrongPasskey);
        }
        let named = known.iter().find(|credential| credential.cred_id == answer.raw_id);
        let former = named.ok_or(AccountError::WrongPasskey)?.counter;
        state.set_allowed_credentials(known);
        let result = self.core.authenticate_credential(&answer, &state).map_err(refused)?;
        Ok(Signed {
            credential_id: answer.raw_id,
            former,
            sign_count: result.counter(),
            is_verified: result.user_verified(),
        })
    }
}

/// What the crate says against it goes into the log; whoever sent it has to know no more than that it does not count.
#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
pub(super) fn refused(error: WebauthnError) -> AccountError {
    tracing::debug!(%error, "a passkey was refused");
    AccountError::WrongPasskey
}

fn read<T: DeserializeOwned>(answer: &str) -> Result<T, AccountError> {
    serde_json::from_str(answer).map_err(|_| AccountError::WrongPasskey)
}
