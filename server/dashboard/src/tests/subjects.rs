//! The subjects of letters, asked of the letters themselves: they are free to change.

use bitpro_charge::Timestamp;
use bitpro_merchant::Role;
use bitpro_merchant::letters::{Notice, Withdrawal};
use bitpro_merchant::words::Words;

pub(super) const ACCOUNT_REMOVED: Words = Notice::AccountRemoved.subject();
pub(super) const DISABLED: Words = Notice::Disabled.subject();
pub(super) const FACTOR_RESET: Words = Notice::FactorReset.subject();
pub(super) const NEW_DEVICE: Words = Notice::NewDevice.subject();
pub(super) const FACTOR_REQUIRED: Words = Notice::FactorRequired { merchant: "" }.subject();
pub(super) const FACTOR_NOT_REQUIRED: Words = Notice::FactorNotRequired { merchant: "" }.subject();
pub(super) const KEY_ADDED: Words = Notice::KeyAdded { merchant: "" }.subject();
pub(super) const KEY_REVOKED: Words = Notice::KeyRevoked { merchant: "" }.subject();
pub(super) const REMOVED: Words = Notice::Removed { merchant: "" }.subject();
pub(super) const MEMBER_DISABLED: Words = Notice::MemberDisabled {
    merchant: "",
    member: "",
    invitations: "",
    keys: "",
}
.subject();
pub(super) const MEMBER_ENABLED: Words = Notice::MemberEnabled {
    merchant: "",
    member: "",
}
.subject();
pub(super) const NEW_OWNER: Words = Notice::NewOwner {
    merchant: "",
    owner: "",
}
.subject();
pub(super) const ROLE_CHANGED: Words = Notice::RoleChanged {
    merchant: "",
    role: Role::Owner,
}
.subject();
pub(super) const TEAM_CHANGED: Words = Notice::TeamChanged {
    merchant: "",
    member: "",
    invitations: "",
    keys: "",
}
.subject();
pub(super) const WALLET_ASKED: Words = Notice::WalletAsked {
    merchant: "",
    page: "",
    due: Timestamp(0),
}
.subject();
pub(super) const WALLET_GIVEN: Words = Notice::WalletGiven { merchant: "", page: "" }.subject();
pub(super) const WALLET_WITHDRAWN: Words = Notice::WalletWithdrawn {
    merchant: "",
    page: "",
    why: Withdrawal::AskerGone,
}
.subject();

#[test]
fn a_subject_is_that_of_one_notice() {
    let mut all = [
        ACCOUNT_REMOVED,
        DISABLED,
        FACTOR_RESET,
        NEW_DEVICE,
        FACTOR_REQUIRED,
        FACTOR_NOT_REQUIRED,
        KEY_ADDED,
        KEY_REVOKED,
        REMOVED,
        MEMBER_DISABLED,
        MEMBER_ENABLED,
        NEW_OWNER,
        ROLE_CHANGED,
        TEAM_CHANGED,
        WALLET_ASKED,
        WALLET_GIVEN,
        WALLET_WITHDRAWN,
    ]
    .map(|subject| subject.en);
    all.sort_unstable();
    assert!(all.windows(2).all(|two| two[0] != two[1]), "{all:?}");
}
