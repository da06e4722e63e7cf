//! The way from a new account to the first payment, in its order. Pure.

use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, Permission, Role};
use maud::{Markup, html};

/// What is known of a merchant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// They said where the money goes.
    pub(super) has_wallet: bool,
    /// Addresses may be given out.
    pub(super) is_scanned: bool,
    /// Some domain may frame the checkout.
    pub(super) has_domain: bool,
    /// A link was followed, or their server made a charge.
    pub(super) has_charge: bool,
    /// Their server is told what happens.
    pub(super) has_webhook: bool,
    /// A payment was confirmed.
    pub(super) has_payment: bool,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Done.
    Done,
    /// The next one.
    Now,
    /// Nobody has to do anything but wait.
    Waiting,
    /// Later.
    Later,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// What is done in it.
    pub(super) title: Words,
    /// Why, and how.
    pub(super) text: Words,
    /// Where, below the merchant's path.
    pub(super) path: &'static str,
    /// How far it is.
    pub(super) progress: Progress,
    /// One of these lets somebody do it.
    needs: &'static [Permission],
}

/// The steps that somebody in `role` may do, in their order.
pub(super) fn steps(facts: Facts, role: Role) -> Vec<Step> {
    let is_ready = facts.has_wallet && facts.is_scanned;
    let mut wallet = step(
        WALLET,
        "/settings/wallet",
        is_ready || facts.has_charge,
        &[Permission::Money],
    );
    if facts.has_wallet && !facts.is_scanned {
        wallet.progress = Progress::Waiting;
        wallet.text = SCANNING;
    }
    let mut steps = vec![
        wallet,
        // Whoever was paid by a direct link needs no domain.
        step(
            DOMAINS,
            "/settings/domains",
            facts.has_domain || facts.has_payment,
            &[Permission::Settings],
        ),
        step(SNIPPET, "/snippet", facts.has_charge, BUILDERS),
        step(WEBHOOK, "/settings/webhooks", facts.has_webhook, &[Permission::Keys]),
        step(PAYMENT, "/snippet", facts.has_payment, BUILDERS),
    ];
    steps.retain(|step| step.needs.iter().any(|permission| role.may(*permission)));
    if let Some(next) = steps.iter_mut().find(|step| step.progress == Progress::Later) {
        next.progress = Progress::Now;
    }
    steps
}

/// The snippet is open to all who read; it is for those who build the shop or run it.
const BUILDERS: &[Permission] = &[Permission::Settings, Permission::Keys];

/// Whether there is nothing left to do.
pub(super) fn is_over(steps: &[Step]) -> bool {
    steps.iter().all(|step| step.progress == Progress::Done)
}

/// The checklist of the merchant whose pages begin with `base`.
pub(super) fn checklist(steps: &[Step], base: &str, lang: Language) -> Markup {
    html! {
        ol.checklist {
            @for step in steps {
                li class=(class(step.progress)) aria-current=[(step.progress == Progress::Now).then_some("step")] {
                    p {
                        a href={ (base) (step.path) } { (step.title.of(lang)) }
                        " " span.chip { (progress_words(step.progress).of(lang)) }
                    }
                    @if step.progress != Progress::Done { p.hint { (step.text.of(lang)) } }
                }
            }
        }
    }
}

const fn step((title, text): (Words, Words), path: &'static str, is_done: bool, needs: &'static [Permission]) -> Step {
    Step {
        title,
        text,
        path,
        progress: if is_done { Progress::Done } else { Progress::Later },
        needs,
    }
}

const fn class(progress: Progress) -> &'static str {
    match progress {
        Progress::Done => "done",
        Progress::Now => "now",
        Progress::Waiting => "waiting",
        Progress::Later => "later",
    }
}

const fn progress_words(progress: Progress) -> Words {
    match progress {
        Progress::Done => words("done", "fait"),
        Progress::Now => words("next", "à faire"),
        Progress::Waiting => words("under way", "en cours"),
        Progress::Later => words("later", "plus tard"),
    }
}

pub(crate) const WALLET: (Words, Words) = (
    words("Connect your wallet", "Connecter votre portefeuille"),
    words(
        "Paste your wallet’s descriptor or extended public key, and compare its first three addresses.",
        "Collez le descripteur ou la clé publique étendue de votre portefeuille, et comparez ses trois premières adresses.",
    ),
);
const SCANNING: Words = words(
    "The node is checking whether your addresses were used before. You can continue in the meantime.",
    "Le nœud vérifie si vos adresses ont déjà servi. Vous pouvez continuer en attendant.",
);
const DOMAINS: (Words, Words) = (
    words("Allow your domain", "Autoriser votre domaine"),
    words(
        "Only pages on your domains can show the checkout in a frame.",
        "Seules les pages de vos domaines peuvent afficher le paiement dans un cadre.",
    ),
);
const SNIPPET: (Words, Words) = (
    words("Paste the snippet", "Coller le code d’intégration"),
    words(
        "Fill in an example, paste it into your page, and press its button once.",
        "Remplissez un exemple, collez-le dans votre page et cliquez une fois sur son bouton.",
    ),
);
pub(crate) const WEBHOOK: (Words, Words) = (
    words("Set up a webhook", "Configurer un webhook"),
    words(
        "A webhook tells your server when a charge is confirmed. Ship only then.",
        "Un webhook informe votre serveur quand un encaissement est confirmé. N’expédiez qu’à ce moment.",
    ),
);
const PAYMENT: (Words, Words) = (
    words("Make a first payment", "Faire un premier paiement"),
    words(
        "Pay yourself once, and follow the confirmation here.",
        "Payez-vous une fois vous-même, et suivez la confirmation ici.",
    ),
);

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(facts: Facts) -> Vec<Progress> {
        let steps = steps(facts, Role::Owner);
        steps.iter().map(|step| step.progress).collect()
    }

    #[test]
    fn everybody_is_shown_what_he_may_do() {
        let shown = |role| {
            steps(Facts::default(), role)
                .iter()
                .map(|step| step.path)
                .collect::<Vec<_>>()
        };
        let (domains, snippet, webhooks) = ("/settings/domains", "/snippet", "/settings/webhooks");
        assert_eq!(shown(Role::Owner).len(), 5);
        assert_eq!(shown(Role::Manager), [domains, snippet, snippet]);
        assert_eq!(shown(Role::Developer), [snippet, webhooks, snippet]);
        for role in [Role::Accountant, Role::Viewer] {
            assert!(
                shown(role).is_empty() && is_over(&steps(Facts::default(), role)),
                "{role}"
            );
        }
        // The next step is one that they may do.
        assert_eq!(steps(Facts::default(), Role::Developer)[0].progress, Progress::Now);
    }

    #[test]
    fn the_first_step_is_where_the_money_goes() {
        use Progress::{Later, Now};
        assert_eq!(progress(Facts::default()), [Now, Later, Later, Later, Later]);
    }

    #[test]
    fn while_the_chain_is_searched_the_rest_goes_on() {
        use Progress::{Later, Now, Waiting};
        let facts = Facts {
            has_wallet: true,
            ..Facts::default()
        };
        assert_eq!(progress(facts), [Waiting, Now, Later, Later, Later]);
    }

    #[test]
    fn there_is_one_next_step_wherever_somebody_began() {
        use Progress::{Done, Later, Now};
        let facts = Facts {
            has_wallet: true,
            is_scanned: true,
            has_webhook: true,
            ..Facts::default()
        };
        assert_eq!(progress(facts), [Done, Now, Later, Done, Later]);
    }

    #[test]
    fn after_the_first_payment_only_what_matters_is_left() {
        let facts = Facts {
            has_wallet: true,
            is_scanned: true,
            has_charge: true,
            has_payment: true,
            ..Facts::default()
        };
        use Progress::{Done, Now};
        assert_eq!(progress(facts), [Done, Done, Done, Now, Done]);
        assert!(!is_over(&steps(facts, Role::Owner)));
        let all = Facts {
            has_webhook: true,
            ..facts
        };
        assert!(is_over(&steps(all, Role::Owner)));
    }

    #[test]
    fn a_new_wallet_that_awaits_its_scan_is_told_again() {
        let facts = Facts {
            has_wallet: true,
            has_charge: true,
            has_payment: true,
            has_webhook: true,
            ..Facts::default()
        };
        assert_eq!(progress(facts)[0], Progress::Waiting);
    }

    #[test]
    fn the_list_is_drawn_with_its_links() {
        let drawn = checklist(&steps(Facts::default(), Role::Owner), "/dashboard/x", Language::Fr).into_string();
        assert!(drawn.contains("<a href=\"/dashboard/x/settings/wallet\">Connecter votre portefeuille</a>"));
        assert_eq!(drawn.matches("aria-current=\"step\"").count(), 1);
    }
}
