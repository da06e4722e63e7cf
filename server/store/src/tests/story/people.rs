//! People of the shop: accounts, sessions, team, audit log, and a wallet that waits.

use bitpro_charge::Timestamp;
use bitpro_merchant::Role;

use super::world::{DAY, MERCHANT, START, Server, WALLET, after};
use crate::StoreError;
use crate::people::{AccountRow, AuditRow, Invitation, PasskeyRow, PendingWallet, SessionRow, TokenPurpose};

fn session_of(account: i64) -> SessionRow {
    SessionRow {
        hash: [6; 32],
        id: [7; 16],
        account,
        created_at: START,
        seen_at: after(5),
        confirmed_at: START,
        factor_at: None,
        client: "192.0.2.1".to_owned(),
        agent: "A browser".to_owned(),
    }
}

/// People come, log in, and belong to the shop.
pub(super) async fn people_come(server: &Server) -> i64 {
    let store = &server.store;
    let account = store
        .write(|tx| {
            Box::pin(async move {
                let mut account = AccountRow::new([1; 16], "ada@shop.example".to_owned(), START);
                account.approved_at = Some(START);
                let row = tx.memory().merchant_row(MERCHANT).unwrap();
                let mut people = tx.people().await?;
                account.num = people.add_account(&account).await?;
                account.password = Some("$argon2id$".to_owned());
                people.put_account(&account).await?;
                people.put_member(row, account.num, Role::Owner, START).await?;
                people.add_session(&session_of(account.num)).await?;
                people
                    .put_token(
                        account.num,
                        TokenPurpose::Email,
                        [8; 32],
                        "ada@new.example",
                        after(DAY),
                        3,
                    )
                    .await?;
                people.put_recovery_codes(account.num, &[[1; 32], [2; 32]]).await?;
                assert!(people.take_recovery_code(account.num, [1; 32]).await?);
                assert!(!people.take_recovery_code(account.num, [1; 32]).await?);
                let passkey = PasskeyRow {
                    id: [4; 16],
                    account: account.num,
                    name: "Phone".to_owned(),
                    credential_id: vec![1, 2, 3],
                    credential: "{}".to_owned(),
                    sign_count: 1,
                    created_at: START,
                    last_used_at: None,
                };
                assert!(people.add_passkey(&passkey).await?);
                assert!(!people.add_passkey(&passkey).await?, "a passkey is one person's");
                assert!(people.note_passkey(account.num, &[1, 2, 3], 1, 2, after(5)).await?);
                assert!(
                    !people.note_passkey(account.num, &[1, 2, 3], 1, 2, after(6)).await?,
                    "a copy"
                );
                let invitation = Invitation {
                    id: [3; 16],
                    merchant: MERCHANT,
                    email: "bob@shop.example".to_owned(),
                    role: Role::Accountant,
                    expires_at: after(DAY),
                };
                people.put_invitation(row, &invitation, [9; 32], account.num).await?;
                let line = people
                    .add_audit(&AuditRow {
                        merchant: Some(row),
                        account: Some(account.num),
                        who: account.email.clone(),
                        action: "team".to_owned(),
                        detail: "bob@shop.example".to_owned(),
                        client: "192.0.2.1".to_owned(),
                        at: after(7),
                        outcome: None,
                    })
                    .await?;
                people.end_audit(line, "bob@shop.example", "done").await?;
                let wallet = PendingWallet {
                    merchant: MERCHANT,
                    receive: WALLET.to_owned(),
                    mac: Vec::new(),
                    asked_by: account.email.clone(),
                    client: "192.0.2.1".to_owned(),
                    asked_at: after(8),
                    due_at: after(DAY),
                };
                tx.let_wallet_wait(row, wallet).await?;
                Ok::<_, StoreError>(account.num)
            })
        })
        .await
        .unwrap();
    assert_people(server, account).await;
    account
}

/// What is so of the people after they came.
pub(super) async fn assert_people(server: &Server, num: i64) {
    let mut people = server.store.people().await.unwrap();
    let account = people.account_of("ada@shop.example").await.unwrap().unwrap();
    assert_eq!((account.num, account.password.as_deref()), (num, Some("$argon2id$")));
    assert!(account.has_factor() && account.is_open());
    let login = people
        .session([6; 32], Timestamp(0), Timestamp(0))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((login.session, login.account), (session_of(num), account.clone()));
    assert!(
        people.session([6; 32], START, Timestamp(0)).await.unwrap().is_none(),
        "it began too early"
    );
    let link = people.token([8; 32], TokenPurpose::Email, after(1)).await.unwrap();
    assert_eq!(link, Some((account, "ada@new.example".to_owned())));
    assert!(
        people
            .token([8; 32], TokenPurpose::Password, after(1))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        people
            .token([8; 32], TokenPurpose::Email, after(DAY))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(people.count_recovery_codes(num).await.unwrap(), 1);
    assert_eq!(people.passkeys(num).await.unwrap()[0].sign_count, 2);
    let team = people.members(MERCHANT).await.unwrap();
    assert_eq!((team.len(), team[0].account, team[0].role), (1, num, Role::Owner));
    assert_eq!(people.memberships(num).await.unwrap()[0].merchant, MERCHANT);
    let invited = people.invitation([9; 32], after(1)).await.unwrap().unwrap();
    assert_eq!(
        (invited.email.as_str(), invited.role),
        ("bob@shop.example", Role::Accountant)
    );
    let log = people.audit_of(MERCHANT, i64::MAX, 10).await.unwrap();
    assert_eq!((log.len(), log[0].outcome.as_deref()), (1, Some("done")));
    let waits = people.pending_wallet(MERCHANT).await.unwrap().unwrap();
    assert_eq!((waits.receive.as_str(), waits.due_at), (WALLET, after(DAY)));
    assert!(people.has_sold(MERCHANT).await.unwrap());
}
