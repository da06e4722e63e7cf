//! What letters say, and what nobody can make them say.

use std::sync::LazyLock;

use bitpro_charge::{Amount, Cents, ChargeId, Timestamp};

use super::Letter;
use super::*;
use crate::{Language, Role, Zone};

const EVIL: &str = "\"><script>alert(1)</script>\r\nBcc: x@evil.example\r\n\r\nhttps://evil.example";
const URL: &str = "https://pay.example/password/abc123";
const NOW: Timestamp = Timestamp(1_795_577_580_000);

/// Now, from `client`.
fn occasion(client: &str) -> Occasion<'_> {
    static UTC: LazyLock<Zone> = LazyLock::new(Zone::default);
    Occasion {
        when: NOW,
        zone: &UTC,
        client,
    }
}

/// Every letter, with `text` wherever others write.
fn every(language: Language, text: &str) -> Vec<Letter> {
    let to = "anna@shop.example";
    let mut letters = vec![
        choose_password(language, to, text, URL, 24),
        reset_password(language, to, text, URL, 1),
        link_of_operator(language, to, text, URL, 1),
        already_here(language, to, text, URL),
        asked(language, to, text),
        operator_asked(
            to,
            2,
            &[Asking {
                name: text,
                email: text,
                company: text,
                site: text,
            }],
        ),
        rejected(language, to, text),
        invitation(language, to, text, (text, to), text, URL, 7),
        confirm_email(language, to, text, URL, 24),
        test(to),
        receipt(
            language,
            to,
            &Receipt {
                merchant: text,
                site: None,
                order_id: Some(text),
                charge: ChargeId([7; 16]),
                price: Cents(4_200),
                received: Amount::from_sat(84_000),
                zone: &Zone::default(),
                confirmed_at: NOW,
                is_sandbox: true,
            },
        ),
    ];
    for what in [
        Notice::PasswordChanged,
        Notice::NewDevice,
        Notice::FactorReset,
        Notice::Disabled,
        Notice::Enabled,
        Notice::AccountRemoved,
        Notice::FactorRequired { merchant: text },
        Notice::FactorNotRequired { merchant: text },
        Notice::FactorGuessed,
        Notice::EmailAsked { new: text },
        Notice::EmailChanged { new: text },
        Notice::SecondFactorAdded,
        Notice::SecondFactorRemoved,
        Notice::RecoveryCodesMade,
        Notice::RecoveryCodeUsed,
        Notice::KeyAdded { merchant: text },
        Notice::KeyRevoked { merchant: text },
        Notice::TeamChanged {
            merchant: text,
            member: text,
            invitations: "",
            keys: "",
        },
        Notice::TeamChanged {
            merchant: text,
            member: text,
            invitations: text,
            keys: text,
        },
        Notice::MemberDisabled {
            merchant: text,
            member: text,
            invitations: text,
            keys: text,
        },
        Notice::MemberDisabled {
            merchant: text,
            member: text,
            invitations: "",
            keys: "",
        },
        Notice::MemberEnabled {
            merchant: text,
            member: text,
        },
        Notice::RoleChanged {
            merchant: text,
            role: Role::Viewer,
        },
        Notice::Removed { merchant: text },
        Notice::WalletAsked {
            merchant: text,
            page: URL,
            due: NOW,
        },
        Notice::WalletStopped {
            merchant: text,
            page: URL,
        },
        Notice::WalletWithdrawn {
            merchant: text,
            page: URL,
            why: Withdrawal::AskerGone,
        },
        Notice::WalletWithdrawn {
            merchant: text,
            page: URL,
            why: Withdrawal::AnotherHand,
        },
        Notice::WalletWithdrawn {
            merchant: text,
            page: URL,
            why: Withdrawal::FormerVersion,
        },
        Notice::WalletGiven {
            merchant: text,
            page: URL,
        },
        Notice::WalletChanged {
            merchant: text,
            page: URL,
        },
        Notice::NewOwner {
            merchant: text,
            owner: text,
        },
    ] {
        letters.push(notice(language, to, text, what, occasion(text)));
    }
    letters
}

#[test]
fn nothing_that_others_write_becomes_markup_a_header_or_a_paragraph() {
    for language in Language::ALL {
        for (evil, plain) in every(language, EVIL).iter().zip(every(language, "x")) {
            assert!(!evil.subject.chars().any(char::is_control), "{:?}", evil.subject);
            assert!(!evil.html.contains("<script"), "{}", evil.html);
            let paragraphs = |letter: &Letter| letter.text.matches('\n').count();
            assert_eq!(paragraphs(evil), paragraphs(&plain), "{}", evil.text);
        }
    }
}

#[test]
fn a_stranger_gets_no_link_that_another_wrote() {
    for language in Language::ALL {
        for letter in every(language, EVIL) {
            let is_to_operator = letter.text.contains("Nothing of what they entered");
            let is_of_change = letter.text.contains("New address") || letter.text.contains("Nouvelle adresse");
            if !is_to_operator && !is_of_change {
                assert!(!letter.text.contains("evil.example"), "{}", letter.text);
                assert!(!letter.html.contains("evil.example"), "{}", letter.html);
            }
        }
    }
}

#[test]
fn the_text_is_complete_by_itself() {
    for language in Language::ALL {
        for letter in every(language, "Anna") {
            assert!(!letter.text.contains('<'), "{}", letter.text);
            let has_button = letter.html.contains("class=\"button\"");
            assert_eq!(has_button, letter.text.contains(URL), "{}", letter.text);
            assert!(
                letter
                    .html
                    .contains(&format!("<html lang=\"{}\"", letter_language(&letter, language)))
            );
            assert!(!letter.html.contains("style="), "{}", letter.html);
        }
    }
}

/// Letters to the operator are English in any case.
fn letter_language(letter: &Letter, language: Language) -> Language {
    let is_english = letter.subject.ends_with("account requests") || letter.subject.starts_with("Bitpro test");
    if is_english { Language::En } else { language }
}

#[test]
fn a_letter_reads_well_in_both_languages() {
    let letter = choose_password(Language::En, "a@b.example", "Anna", URL, 24);
    assert_eq!(letter.subject, "Choose your password");
    assert_eq!(
        letter.text,
        format!(
            "Hello Anna,\n\nYour Bitpro account is ready. Choose a password to log in for the first time.\n\nThe link works once, \
             within 24 hours.\n\n{URL}\n\nIf you did not ask for this, ignore this e-mail. Nothing will happen.\n\n-- \nBitpro\n"
        )
    );
    let letter = notice(
        Language::Fr,
        "a@b.example",
        "",
        Notice::NewOwner {
            merchant: "Café",
            owner: "bob@café.example",
        },
        Occasion {
            zone: &"Europe/Paris".parse().unwrap(),
            ..occasion("203.0.113.7, Firefox")
        },
    );
    assert_eq!(
        letter.text,
        "Bonjour,\n\nQuelqu’un est devenu propriétaire, et peut changer de portefeuille.\n\nBoutique : Café\nPropriétaire : bob@café.\u{2060}example\nQuand : 25 novembre \
         2026 à 04:33 CET\nDepuis : 203.0.113.7, Firefox\n\nSi ce n’était ni vous ni quelqu’un de votre équipe, changez tout de suite votre mot de passe et consultez le journal d’audit.\n\n-- \nBitpro\n"
    );
}

#[test]
fn a_receipt_has_its_figures() {
    let figures = Receipt {
        merchant: "Shop",
        site: Some("https://shop.example/"),
        order_id: Some("A-17"),
        charge: ChargeId([7; 16]),
        price: Cents(123_456_705),
        received: Amount::from_sat(208_400_000),
        zone: &Zone::default(),
        confirmed_at: NOW,
        is_sandbox: false,
    };
    let english = receipt(Language::En, "b@c.example", &figures);
    assert_eq!(english.subject, "Receipt from Shop");
    for line in [
        "Order: A-17\n",
        "Price: EUR 1,234,567.05\n",
        "Received: 2.08400000 BTC\n",
        "Confirmed: 25 November 2026, 03:33 UTC\n",
        "\n\nhttps://shop.example/\n\n",
    ] {
        assert!(english.text.contains(line), "{}", english.text);
    }
    let french = receipt(Language::Fr, "b@c.example", &figures);
    for line in ["Prix : 1\u{202f}234\u{202f}567,05 €\n", "Reçu : 2,08400000 BTC\n"] {
        assert!(french.text.contains(line), "{}", french.text);
    }
}
