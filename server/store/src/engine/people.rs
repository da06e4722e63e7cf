//! People's rows: accounts, sessions, teams, and the log of what they changed.

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::Role;

use super::{Engine, operations};
use crate::people::{
    AccountRow, AuditLine, AuditRow, Invitation, Login, MemberRow, Membership, PasskeyRow, PendingWallet, SessionRow,
    TokenPurpose,
};
use crate::{Store, StoreError, sqlite};

/// People's rows, in a unit of the writer or as they were last committed.
pub struct People<'c> {
    engine: Engine<sqlite::People<'c>>,
}

impl Store {
    /// People's rows, as they were last committed.
    pub async fn people(&self) -> Result<People<'static>, StoreError> {
        Ok(People::of(match &self.readers {
            Engine::Sqlite(readers) => Engine::Sqlite(readers.people().await?),
        }))
    }
}

impl<'c> People<'c> {
    pub(super) const fn of(engine: Engine<sqlite::People<'c>>) -> Self {
        Self { engine }
    }

    operations! {
        // Accounts.

        /// The account with this address.
        pub async fn account_of(&mut self, email: &str) -> Result<Option<AccountRow>, StoreError>;

        /// The account in this row.
        pub async fn account(&mut self, num: i64) -> Result<Option<AccountRow>, StoreError>;

        /// All accounts, the oldest first.
        pub async fn accounts(&mut self) -> Result<Vec<AccountRow>, StoreError>;

        /// Adds an account, whatever `num` says; its row.
        pub async fn add_account(&mut self, account: &AccountRow) -> Result<i64, StoreError>;

        /// How many accounts wait to be approved, or for the password that shows that their mailbox was opened.
        pub async fn count_requests(&mut self) -> Result<i64, StoreError>;

        /// Those that were asked for by `asked_by` and not approved since, and those that were let in by themselves by `opened_by`
        /// and belong to nobody who has shown who they are.
        pub async fn stale_requests(&mut self, asked_by: Timestamp, opened_by: Timestamp) -> Result<Vec<i64>, StoreError>;

        /// How many requests the operator was not told of, and the `limit` oldest of them.
        pub async fn untold_requests(&mut self, limit: u32) -> Result<(i64, Vec<AccountRow>), StoreError>;

        /// When the operator was last told of requests.
        pub async fn last_told(&mut self) -> Result<Option<Timestamp>, StoreError>;

        /// Notes that the operator was told of all requests.
        pub async fn note_told(&mut self, at: Timestamp) -> Result<(), StoreError>;

        /// Removes an account with all that is its own. What it did stays in the log, where it is named.
        pub async fn remove_account(&mut self, num: i64) -> Result<(), StoreError>;

        /// Takes all second factors from an account.
        pub async fn drop_factors(&mut self, num: i64) -> Result<(), StoreError>;

        /// Stores what can change of an account.
        pub async fn put_account(&mut self, account: &AccountRow) -> Result<(), StoreError>;

        /// Stores a link of a letter beside those for the same purpose that were sent before, of which the `kept` newest stay.
        pub async fn put_token(
            &mut self,
            account: i64,
            purpose: TokenPurpose,
            hash: [u8; 32],
            detail: &str,
            expires_at: Timestamp,
            kept: u32,
        ) -> Result<(), StoreError>;

        /// How many links of letters count for a purpose.
        pub async fn count_tokens(
            &mut self,
            account: i64,
            purpose: TokenPurpose,
            now: Timestamp,
        ) -> Result<u32, StoreError>;

        /// Takes back the links of letters for a purpose.
        pub async fn drop_tokens(&mut self, account: i64, purpose: TokenPurpose) -> Result<(), StoreError>;

        /// Whose link this is, and its detail, while it counts; none counts for somebody who is blocked.
        pub async fn token(
            &mut self,
            hash: [u8; 32],
            purpose: TokenPurpose,
            now: Timestamp,
        ) -> Result<Option<(AccountRow, String)>, StoreError>;

        /// Exactly these codes count from now on.
        pub async fn put_recovery_codes(&mut self, account: i64, hashes: &[[u8; 32]]) -> Result<(), StoreError>;

        /// Takes a recovery code; whether it counted.
        pub async fn take_recovery_code(&mut self, account: i64, hash: [u8; 32]) -> Result<bool, StoreError>;

        /// How many recovery codes still count.
        pub async fn count_recovery_codes(&mut self, account: i64) -> Result<i64, StoreError>;

        // The log.

        /// How many lines concern no merchant.
        #[cfg(any(test, feature = "testing"))]
        pub async fn count_personal_lines(&mut self) -> Result<i64, StoreError>;

        /// Notes a change; its row.
        pub async fn add_audit(&mut self, audit: &AuditRow) -> Result<i64, StoreError>;

        /// Notes how a change went, and what it was.
        pub async fn end_audit(&mut self, num: i64, detail: &str, outcome: &str) -> Result<(), StoreError>;

        /// Forgets a change that was not made. One that was done stays, whatever came of the answer.
        pub async fn drop_audit(&mut self, num: i64) -> Result<(), StoreError>;

        /// Forgets the oldest lines of each merchant's log that has more than `most`; how many they were.
        pub async fn forget_lines_beyond(&mut self, most: u32) -> Result<u64, StoreError>;

        /// The keys of a merchant that an account has made, or given a new secret, as the log names them.
        pub async fn keys_made_by(&mut self, merchant: i64, account: i64) -> Result<Vec<String>, StoreError>;

        /// The log of a merchant before the row `before`, the newest first.
        pub async fn audit_of(
            &mut self,
            merchant: MerchantId,
            before: i64,
            limit: u32,
        ) -> Result<Vec<AuditLine>, StoreError>;

        // Passkeys.

        /// The passkeys of an account, the oldest first.
        pub async fn passkeys(&mut self, account: i64) -> Result<Vec<PasskeyRow>, StoreError>;

        /// Adds a passkey; whether nobody had it before.
        pub async fn add_passkey(&mut self, passkey: &PasskeyRow) -> Result<bool, StoreError>;

        /// Notes that a passkey signed for the `sign_count`th time; whether it is still there and counted `former` until now.
        pub async fn note_passkey(
            &mut self,
            account: i64,
            credential_id: &[u8],
            former: u32,
            sign_count: u32,
            at: Timestamp,
        ) -> Result<bool, StoreError>;

        /// Takes a passkey from an account; whether it was there.
        pub async fn drop_passkey(&mut self, account: i64, id: [u8; 16]) -> Result<bool, StoreError>;

        // After a restore.

        /// Ends whatever lets people in, or gives them more than they have: sessions, links in letters, invitations, known browsers, and
        /// changes of wallets that wait, which may all have been ended after the backup was made. `epochs` goes on top of every account's
        /// epoch: it is random, because marks of the epochs that follow were given after the backup and perhaps taken back.
        pub(crate) async fn close_doors(&mut self, epochs: u32) -> Result<(), StoreError>;

        // Sessions.

        /// The session of this hash that was begun after `begun_after` and seen after `seen_after`.
        pub async fn session(
            &mut self,
            hash: [u8; 32],
            begun_after: Timestamp,
            seen_after: Timestamp,
        ) -> Result<Option<Login>, StoreError>;

        /// The sessions of an account, the latest seen first.
        pub async fn sessions_of(&mut self, account: i64, seen_after: Timestamp) -> Result<Vec<SessionRow>, StoreError>;

        /// Adds a session. An account has `MOST_SESSIONS`: the ones that were not used for longest end, and before them those that
        /// had only the password, lest whoever has it end the others.
        pub async fn add_session(&mut self, session: &SessionRow) -> Result<(), StoreError>;

        /// Notes that a session was used.
        pub async fn note_seen(&mut self, hash: [u8; 32], at: Timestamp) -> Result<(), StoreError>;

        /// Notes that the password was given again.
        pub async fn note_confirmed(&mut self, hash: [u8; 32], at: Timestamp) -> Result<(), StoreError>;

        /// Notes that a second factor was given.
        pub async fn note_factor(&mut self, hash: [u8; 32], at: Timestamp) -> Result<(), StoreError>;

        /// Ends the session of this hash.
        pub async fn end_session(&mut self, hash: [u8; 32]) -> Result<(), StoreError>;

        /// Ends a session of an account by its id; whether there was one.
        pub async fn revoke_session(&mut self, account: i64, id: [u8; 16]) -> Result<bool, StoreError>;

        /// Ends all sessions of an account.
        pub async fn end_sessions(&mut self, account: i64) -> Result<(), StoreError>;

        /// Ends all sessions of an account but the one of `kept`.
        pub async fn end_other_sessions(&mut self, account: i64, kept: [u8; 32]) -> Result<(), StoreError>;

        /// Forgets what has run out: sessions not seen since `seen_by`, links and invitations that ended by `now`, and what
        /// persons did before `audit_by` that concerned no merchant.
        pub async fn forget(&mut self, now: Timestamp, seen_by: Timestamp, audit_by: Timestamp) -> Result<(), StoreError>;

        // Teams.

        /// The team of a merchant, owners first.
        pub async fn members(&mut self, merchant: MerchantId) -> Result<Vec<MemberRow>, StoreError>;

        /// The merchants that an account belongs to, the oldest part first.
        pub async fn memberships(&mut self, account: i64) -> Result<Vec<Membership>, StoreError>;

        /// Whether a merchant's owners require a second factor of the whole team.
        pub async fn has_factor_rule(&mut self, merchant: MerchantId) -> Result<bool, StoreError>;

        /// Makes that so from `since` on, or no more.
        pub async fn put_factor_rule(&mut self, merchant: i64, since: Option<Timestamp>) -> Result<(), StoreError>;

        /// Makes an account a member, or gives it another role.
        pub async fn put_member(
            &mut self,
            merchant: i64,
            account: i64,
            role: Role,
            since: Timestamp,
        ) -> Result<(), StoreError>;

        /// Takes an account out of a team.
        pub async fn drop_member(&mut self, merchant: i64, account: i64) -> Result<(), StoreError>;

        /// Those who are invited to a merchant and have not come yet.
        pub async fn invitations(&mut self, merchant: MerchantId, now: Timestamp) -> Result<Vec<Invitation>, StoreError>;

        /// The invitation whose link has this hash, while it counts.
        pub async fn invitation(&mut self, hash: [u8; 32], now: Timestamp) -> Result<Option<Invitation>, StoreError>;

        /// Stores an invitation in the place of one of the same address.
        pub async fn put_invitation(
            &mut self,
            merchant: i64,
            invitation: &Invitation,
            hash: [u8; 32],
            invited_by: i64,
        ) -> Result<(), StoreError>;

        /// Takes back what an account has sent of a merchant's invitations; the addresses that were invited.
        pub async fn drop_invitations_by(&mut self, merchant: i64, account: i64) -> Result<Vec<String>, StoreError>;

        /// Takes an invitation back, or ends one that was accepted; whether there was one.
        pub async fn drop_invitation(&mut self, merchant: i64, id: [u8; 16]) -> Result<bool, StoreError>;

        // Wallets that wait.

        /// Lets a wallet wait for the merchant in row `merchant`, in the place of another.
        pub(crate) async fn put_pending_wallet(&mut self, merchant: i64, wallet: &PendingWallet) -> Result<(), StoreError>;

        /// The wallet that waits for a merchant.
        pub async fn pending_wallet(&mut self, merchant: MerchantId) -> Result<Option<PendingWallet>, StoreError>;

        /// Whether a merchant ever had a charge, and so a wallet, whatever its own row says.
        pub async fn has_sold(&mut self, merchant: MerchantId) -> Result<bool, StoreError>;

        /// All wallets that wait, those that are due first.
        pub async fn pending_wallets(&mut self) -> Result<Vec<PendingWallet>, StoreError>;

        /// Lets no wallet wait any more for the merchant in row `merchant`; whether there was one.
        pub async fn drop_pending_wallet(&mut self, merchant: i64) -> Result<bool, StoreError>;
    }
}
