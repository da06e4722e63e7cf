//! Where the money goes: a descriptor or an extended public key, whose first addresses are compared before it is taken.

use bitpro_charge::Network;
use bitpro_config::WalletChanges;
use bitpro_merchant::Language;
use bitpro_merchant::wallet::{DescriptorError, Receive};
use bitpro_merchant::words::{Words, words};
use bitpro_service::accounts::Given;
use bitpro_service::charges::{MerchantError, MerchantReport, WalletText};
use http::StatusCode;
use maud::html;

use super::Answering;
use super::change::{give_wallet, stop_wallet};
use super::frame::{self, Tab, below, may_change};
use super::wallet_shown::{DESCRIPTOR, addresses, present, waiting};
use super::wallet_words::why;
use crate::field::{Errors, Field};
use crate::layout::csrf;
use crate::refusals::Refusal;
use crate::route::{Reply, Request, see_other};

/// `GET /dashboard/{merchant}/settings/wallet`
pub(super) fn show(request: Request) -> Answering {
    Box::pin(async move { draw(&request, StatusCode::OK, &WalletForm::default(), &Errors::none()).await })
}

/// `POST /dashboard/{merchant}/settings/wallet`: shows what would follow, and changes nothing.
pub(super) fn preview(request: Request) -> Answering {
    Box::pin(async move {
        let typed = WalletForm::read(&request);
        match Receive::parse(&typed.text(), request.app.charges.network()) {
            Ok(receive) => {
                let page = confirm(&request, StatusCode::OK, &typed, &receive, &Errors::none()).await?;
                Ok(page.unchanged())
            }
            Err(error) => refuse(&request, typed, &error).await,
        }
    })
}

/// `POST /dashboard/{merchant}/settings/wallet/confirm`
pub(super) fn save(request: Request) -> Answering {
    Box::pin(async move {
        let typed = WalletForm::read(&request);
        let receive = match Receive::parse(&typed.text(), request.app.charges.network()) {
            Ok(receive) => receive,
            Err(error) => return refuse(&request, typed, &error).await,
        };
        if !request.form.has("compared") {
            let errors = Errors::of("compared", COMPARE_FIRST.of(request.language));
            return confirm(&request, StatusCode::UNPROCESSABLE_ENTITY, &typed, &receive, &errors).await;
        }
        if let Some(why) = obstacle(&request).await? {
            let errors = Errors::of("compared", why.of(request.language));
            return confirm(&request, StatusCode::UNPROCESSABLE_ENTITY, &typed, &receive, &errors).await;
        }
        let text = receive.text().to_owned();
        let word = match give_wallet(&request, receive).await? {
            Given::Taken => "saved",
            Given::Due(_) => "due",
        };
        Ok(frame::done(request.member()?, Tab::Wallet, word, text))
    })
}

/// `POST /dashboard/{merchant}/settings/wallet/stop`
pub(super) fn stop(request: Request) -> Answering {
    Box::pin(async move {
        let member = request.member()?;
        match stop_wallet(&request).await? {
            true => Ok(frame::done(member, Tab::Wallet, "stopped", "")),
            // It was stopped, or taken, meanwhile.
            false => Ok(see_other(&below(member, Tab::Wallet.path())).unchanged()),
        }
    })
}

/// Why a wallet cannot be given here now.
async fn obstacle(request: &Request) -> Result<Option<Words>, Refusal> {
    let app = &request.app;
    let merchant = &request.member()?.merchant;
    let is_first = merchant.descriptor.is_none() && !app.accounts.has_sold(merchant.id).await?;
    if !is_first && app.wallet_changes == WalletChanges::CommandLine {
        return Ok(Some(ONLY_OPERATOR));
    }
    let has_factor = request.person()?.login.account.has_factor();
    let is_needed = needs_factor(is_first, app.charges.network());
    Ok((is_needed && !has_factor).then_some(NEEDS_FACTOR))
}

/// Whether a wallet is given by nobody without a second factor. A newcomer's first one is, where coins are worth nothing.
pub(super) fn needs_factor(is_first: bool, network: Network) -> bool {
    !is_first || network == Network::Mainnet
}

/// What was typed.
#[derive(Default)]
struct WalletForm {
    wallet: String,
    script_type: String,
}

impl WalletForm {
    fn read(request: &Request) -> Self {
        let text = |name| request.form.text(name).to_owned();
        Self {
            wallet: text("wallet"),
            script_type: text("script_type"),
        }
    }

    fn text(&self) -> WalletText {
        WalletText {
            text: self.wallet.clone(),
            // A whole descriptor says its type itself: what stands in the choice then is no contradiction.
            script_type: (!self.script_type.is_empty() && !self.wallet.contains('(')).then(|| self.script_type.clone()),
        }
    }
}

async fn refuse(request: &Request, mut typed: WalletForm, error: &DescriptorError) -> Result<Reply, Refusal> {
    let field = match error {
        DescriptorError::ScriptTypeNeeded
        | DescriptorError::UnknownScriptType(_)
        | DescriptorError::Contradiction { .. } => "script_type",
        _ => "wallet",
    };
    if *error == DescriptorError::PrivateKey {
        typed.wallet.clear();
    }
    let errors = Errors::of(field, why(error, request.language));
    draw(request, StatusCode::UNPROCESSABLE_ENTITY, &typed, &errors).await
}

async fn report(request: &Request) -> Result<MerchantReport, Refusal> {
    let id = request.member()?.merchant.id;
    request
        .app
        .charges
        .merchant_report(id)
        .await
        .map_err(|error| match error {
            MerchantError::Store(error) => error.into(),
            _ => Refusal::UNKNOWN_PAGE,
        })
}

async fn draw(request: &Request, status: StatusCode, typed: &WalletForm, errors: &Errors) -> Result<Reply, Refusal> {
    let member = request.member()?;
    let lang = request.language;
    let report = report(request).await?;
    let network = request.app.charges.network();
    let obstacle = obstacle(request).await?;
    let waits = request.app.accounts.pending_wallet(member.merchant.id).await?;
    let content = html! {
        (errors.summary(lang))
        @match &report.receive {
            Some(receive) => (present(&report, receive, network, lang)),
            None => { p.note { (NONE_YET.of(lang)) } }
        }
        @if let Some(waits) = &waits { (waiting(request, waits, may_change(member, Tab::Wallet))) }
        @if let (Some(why), true) = (obstacle, may_change(member, Tab::Wallet)) {
            p.note {
                (why.of(lang))
                @if why == NEEDS_FACTOR { " " a href="/account" { (TO_ACCOUNT.of(lang)) } }
            }
        } @else if may_change(member, Tab::Wallet) {
            section.panel aria-labelledby="change" {
                h2 #change { @if report.receive.is_some() { (CHANGE.of(lang)) } @else { (GIVE.of(lang)) } }
                @if report.receive.is_some() { p { (CHANGE_MEANS.of(lang)) } }
                form method="post" action=(below(member, Tab::Wallet.path())) {
                    (csrf(request))
                    (Field::new("wallet", WALLET_LABEL.of(lang))
                        .value(&typed.wallet).hint(WALLET_HINT.of(lang)).errors(errors).autocomplete("off").required().textarea(4))
                    (Field::new("script_type", TYPE_LABEL.of(lang))
                        .value(&typed.script_type).hint(TYPE_HINT.of(lang)).errors(errors).select(&types(network, lang)))
                    button.main type="submit" { (SHOW_ADDRESSES.of(lang)) }
                    p.hint { (NOTHING_YET.of(lang)) }
                }
            }
        }
    };
    frame::page(request, status, Tab::Wallet, &DONE, &content)
}

async fn confirm(
    request: &Request,
    status: StatusCode,
    typed: &WalletForm,
    receive: &Receive,
    errors: &Errors,
) -> Result<Reply, Refusal> {
    let member = request.member()?;
    let lang = request.language;
    let is_same = report(request).await?.receive.as_deref() == Some(receive.text());
    let path = below(member, Tab::Wallet.path());
    let content = html! {
        (errors.summary(lang))
        section.panel aria-labelledby="compare" {
            h2 #compare { (COMPARE.of(lang)) }
            p { (COMPARE_HOW.of(lang)) }
            (addresses(receive))
            @if is_same { p.note { (SAME.of(lang)) } }
            details { summary { (DESCRIPTOR.of(lang)) } p { code { (receive.text()) } } }
            form method="post" action={ (path) "/confirm" } {
                (csrf(request))
                input type="hidden" name="wallet" value=(typed.wallet);
                input type="hidden" name="script_type" value=(typed.script_type);
                (Field::new("compared", COMPARED_LABEL.of(lang)).errors(errors).required().checkbox(false))
                div.actions {
                    button.main type="submit" { (TAKE.of(lang)) }
                    a.button href=(path) { (BACK.of(lang)) }
                }
            }
            p.hint { (DIFFERENT.of(lang)) }
        }
    };
    frame::page(request, status, Tab::Wallet, &[], &content)
}

/// The types of addresses, by how they begin on this network.
fn types(network: Network, lang: Language) -> [(&'static str, &'static str); 5] {
    let [wpkh, tr, nested, pkh] = match network {
        Network::Mainnet => ["bc1q…", "bc1p…", "3…", "1…"],
        Network::Testnet4 | Network::Signet => ["tb1q…", "tb1p…", "2…", "m… / n…"],
        Network::Regtest => ["bcrt1q…", "bcrt1p…", "2…", "m… / n…"],
    };
    [
        ("", BY_ITSELF.of(lang)),
        ("wpkh", wpkh),
        ("tr", tr),
        ("sh-wpkh", nested),
        ("pkh", pkh),
    ]
}

const DONE: [(&str, Words); 3] = [
    (
        "saved",
        words(
            "Saved. New payments go to this wallet once its addresses have been checked for earlier use.",
            "Enregistré. Les nouveaux paiements iront à ce portefeuille dès que l’usage antérieur de ses adresses aura été vérifié.",
        ),
    ),
    (
        "due",
        words(
            "The change takes effect in 24 hours. We e-mailed all owners. Each of them can cancel it here.",
            "Le changement prend effet dans 24 heures. Tous les propriétaires sont avertis par e-mail, et chacun peut l’annuler ici.",
        ),
    ),
    (
        "stopped",
        words(
            "Change cancelled. Your wallet stays the same.",
            "Changement annulé. Votre portefeuille reste le même.",
        ),
    ),
];
const ONLY_OPERATOR: Words = words(
    "On this server, only the operator can change the wallet, on the command line.",
    "Sur ce serveur, seul l’exploitant peut changer de portefeuille, en ligne de commande.",
);
const NEEDS_FACTOR: Words = words(
    "To change the wallet, your account needs a second factor.",
    "Pour changer de portefeuille, votre compte a besoin d’un second facteur.",
);
const TO_ACCOUNT: Words = words("Set it up", "Le configurer");
const NONE_YET: Words = words(
    "No wallet is connected yet. Until you connect one, no payment can be made.",
    "Aucun portefeuille n’est encore connecté. D’ici là, aucun paiement n’est possible.",
);
const CHANGE: Words = words("Change the wallet", "Changer de portefeuille");
const GIVE: Words = words("Connect your wallet", "Connecter votre portefeuille");
const CHANGE_MEANS: Words = words(
    "A change takes effect after 24 hours, for new charges only. Until then, each owner can cancel it.",
    "Un changement prend effet après 24 heures, pour les nouveaux encaissements seulement. D’ici là, chaque propriétaire peut l’annuler.",
);
const WALLET_LABEL: Words = words(
    "Output descriptor or extended public key",
    "Descripteur de sortie ou clé publique étendue",
);
const WALLET_HINT: Words = words(
    "Export it from your wallet. It looks like wpkh([…]xpub…/0/*), xpub…, zpub… or tpub…. It lets us see and create addresses, never spend. Never paste a private key or recovery words.",
    "Exportez-le depuis votre portefeuille. Il ressemble à wpkh([…]xpub…/0/*), xpub…, zpub… ou tpub…. Il permet de voir et de créer des adresses, jamais de dépenser. Ne collez jamais de clé privée ni de mots de récupération.",
);
const TYPE_LABEL: Words = words(
    "Your wallet’s addresses begin with",
    "Les adresses de votre portefeuille commencent par",
);
const TYPE_HINT: Words = words(
    "Needed for an xpub or tpub, which does not contain it.",
    "Nécessaire pour une clé xpub ou tpub, qui ne le précise pas.",
);
const BY_ITSELF: Words = words("Detect from key", "Détecter d’après la clé");
const SHOW_ADDRESSES: Words = words("Show the first addresses", "Afficher les premières adresses");
const NOTHING_YET: Words = words(
    "Nothing changes yet. You compare the addresses with your wallet first.",
    "Rien ne change encore. Vous comparez d’abord les adresses avec votre portefeuille.",
);
const COMPARE: Words = words("Compare with your wallet", "Comparez avec votre portefeuille");
const COMPARE_HOW: Words = words(
    "Open your wallet’s list of receiving addresses. Its first three must be these, in this order:",
    "Ouvrez la liste des adresses de réception de votre portefeuille. Les trois premières doivent être celles-ci, dans cet ordre\u{a0}:",
);
const SAME: Words = words(
    "Payments already go to this wallet.",
    "Les paiements vont déjà à ce portefeuille.",
);
const COMPARED_LABEL: Words = words(
    "These are the first addresses of my wallet",
    "Ce sont les premières adresses de mon portefeuille",
);
pub(crate) const COMPARE_FIRST: Words = words(
    "Compare them first. You would lose money sent to addresses of another wallet.",
    "Comparez-les d’abord. L’argent envoyé aux adresses d’un autre portefeuille serait perdu pour vous.",
);
const TAKE: Words = words("Use this wallet", "Utiliser ce portefeuille");
const BACK: Words = words("Back", "Retour");
const DIFFERENT: Words = words(
    "Are they different? Then choose another type of address, or export the key of another account. Go back to correct it.",
    "Elles diffèrent\u{202f}? Choisissez un autre type d’adresses, ou exportez la clé d’un autre compte. Revenez en arrière pour corriger.",
);
