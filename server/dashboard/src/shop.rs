//! A merchant's first page: what is wrong, what is still to be done, and the latest transactions.

use bitpro_charge::wire::NodeView;
use bitpro_charge::{Network, State};
use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, Permission};
use bitpro_service::charges::{Filter, MerchantError, MerchantReport};
use bitpro_service::webhooks::{WebhookError, WebhookReport, Webhooks};
use futures::future::BoxFuture;
use http::StatusCode;
use maud::{Markup, html};

use super::onboarding::{Facts, checklist, is_over, steps};
use super::route::{Access, Member, Reply, Request, Route, get};
use super::{charges, layout};
use crate::refusals::Refusal;

/// The path of the page.
pub const ROUTES: &[Route] = &[get("/dashboard/{merchant}", Access::Member(Permission::Read), show)];

/// Transactions shown.
const LATEST: u32 = 5;

fn show(request: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async move {
        let member = request.member()?;
        let lang = request.language;
        let merchant = member.merchant.id;
        let report = request.app.charges.merchant_report(merchant).await;
        let report = report.map_err(|error| match error {
            MerchantError::Store(error) => Refusal::from(error),
            _ => Refusal::UNKNOWN_MERCHANT,
        })?;
        let webhooks = webhooks(&request, member).await?;
        let waits = request.app.accounts.pending_wallet(merchant).await?.is_some();
        let latest = charges::latest(&request, member, LATEST).await?;
        let facts = Facts {
            has_wallet: report.receive.is_some(),
            is_scanned: report.receive.is_some() && report.blocked.is_none(),
            has_domain: !member.merchant.settings.allowed_origins.is_empty(),
            has_charge: latest.is_some(),
            has_webhook: !webhooks.is_empty(),
            has_payment: has_confirmed(&request, member).await?,
        };
        let steps = steps(facts, member.role);
        let base = format!("/dashboard/{merchant}");
        let content = html! {
            @if waits {
                p.note.bad { (WALLET_WAITS.of(lang)) " " a href={ (base) "/settings/wallet" } { (TO_WALLET.of(lang)) } }
            }
            (troubles(&request, member, &report, &webhooks, &base))
            @if !is_over(&steps) {
                section.panel aria-labelledby="steps" {
                    h2 #steps { (STEPS.of(lang)) }
                    (checklist(&steps, &base, lang))
                    @if !facts.has_payment { (first_payment(request.app.charges.network(), lang)) }
                }
            }
            section aria-labelledby="latest" {
                h2 #latest { (LATEST_TITLE.of(lang)) }
                @match &latest {
                    Some(table) => { (table) p { a href={ (base) "/charges" } { (ALL.of(lang)) } } }
                    None => { p.panel { (NONE.of(lang)) } }
                }
            }
        };
        Ok(layout::page(
            &request,
            StatusCode::OK,
            &member.merchant.settings.name,
            &content,
        ))
    })
}

async fn webhooks(request: &Request, member: &Member) -> Result<Vec<WebhookReport>, Refusal> {
    let webhooks = Webhooks::of(request.app.charges.clone());
    let listed = webhooks.list(Some(member.merchant.id)).await;
    listed.map_err(|error| match error {
        WebhookError::Store(error) => error.into(),
        _ => Refusal::UNKNOWN_MERCHANT,
    })
}

async fn has_confirmed(request: &Request, member: &Member) -> Result<bool, Refusal> {
    let filter = Filter {
        merchant: Some(member.merchant.id),
        state: Some(State::Confirmed),
        ..Filter::default()
    };
    let found = request.app.charges.list(filter, None, 1).await?;
    Ok(!found.charges.is_empty())
}

/// What keeps payments from being made or noticed.
fn troubles(
    request: &Request,
    member: &Member,
    report: &MerchantReport,
    webhooks: &[WebhookReport],
    base: &str,
) -> Markup {
    let lang = request.language;
    let settings = &member.merchant.settings;
    let has_link_key = member.merchant.link_keys.iter().any(|key| key.ends_at.is_none());
    let paused = webhooks.iter().filter(|webhook| webhook.paused_at.is_some()).count();
    let is_away = request.app.charges.node_condition() != NodeView::Ready;
    html! {
        @if is_away { p.note { (NODE_AWAY.of(lang)) } }
        @if report.receive.is_some() && report.blocked.is_some() {
            p.note { (BLOCKED.of(lang)) " " a href={ (base) "/settings/wallet" } { (TO_WALLET.of(lang)) } }
        }
        @if paused > 0 {
            p.note.bad { (PAUSED.of(lang).replace("{count}", &paused.to_string())) " " a href={ (base) "/settings/webhooks" } { (TO_WEBHOOKS.of(lang)) } }
        }
        @if settings.require_signed_links && !has_link_key {
            p.note.bad { (NO_LINK_KEY.of(lang)) " " a href={ (base) "/settings/links" } { (TO_LINKS.of(lang)) } }
        }
        @if report.unpaid_run >= settings.gap_warning {
            p.note {
                (GAP.of(lang).replace("{run}", &report.unpaid_run.to_string()).replace("{limit}", &report.gap_limit.to_string()))
                " " a href={ (base) "/settings/wallet" } { (TO_WALLET.of(lang)) }
            }
        }
    }
}

/// Where the coins of the first payment come from.
fn first_payment(network: Network, lang: Language) -> Markup {
    let faucet = match network {
        Network::Testnet4 => Some("https://mempool.space/testnet4/faucet"),
        Network::Signet => Some("https://signetfaucet.com"),
        Network::Mainnet | Network::Regtest => None,
    };
    html! {
        h3 { (FIRST.of(lang)) }
        @match (network, faucet) {
            (_, Some(faucet)) => {
                p { (FROM_FAUCET.of(lang)) " " a href=(faucet) rel="noopener noreferrer external" target="_blank" { (faucet) } }
            }
            (Network::Regtest, None) => {
                p { (REGTEST.of(lang)) }
                pre { "bitcoin-cli -regtest sendtoaddress ADDRESS AMOUNT\nbitcoin-cli -regtest -generate 1" }
            }
            _ => { p { (REAL.of(lang)) } }
        }
    }
}

const STEPS: Words = words("Get your first payment", "Recevez votre premier paiement");
const LATEST_TITLE: Words = words("Latest charges", "Derniers encaissements");
const ALL: Words = words("All charges", "Tous les encaissements");
const NONE: Words = words(
    "No charges yet. A charge appears here as soon as a shopper opens the checkout.",
    "Aucun encaissement pour le moment. Un encaissement apparaît ici dès qu’un client ouvre la page de paiement.",
);
const NODE_AWAY: Words = words(
    "The Bitcoin node is catching up with the network. Shoppers can still pay: their payments will show once it is back.",
    "Le nœud Bitcoin rattrape le réseau. Vos clients peuvent toujours payer\u{a0}: leurs paiements s’afficheront à son retour.",
);
const BLOCKED: Words = words(
    "Payments start once your wallet’s addresses have been checked for earlier use.",
    "Les paiements commenceront une fois vérifié l’usage antérieur des adresses de votre portefeuille.",
);
const WALLET_WAITS: Words = words(
    "New payments will soon go to another wallet.",
    "Les nouveaux paiements iront bientôt à un autre portefeuille.",
);
const TO_WALLET: Words = words("View the wallet", "Voir le portefeuille");
const PAUSED: Words = words(
    "Webhooks paused because your server answered 410: {count}.",
    "Webhooks en pause parce que votre serveur a répondu 410\u{a0}: {count}.",
);
const TO_WEBHOOKS: Words = words("View the webhooks", "Voir les webhooks");
const NO_LINK_KEY: Words = words(
    "Signed links are required, but there is no key: no link can create a charge.",
    "Les liens signés sont exigés, mais il n’y a pas de clé\u{a0}: aucun lien ne peut créer d’encaissement.",
);
const TO_LINKS: Words = words("View link signing", "Voir la signature des liens");
const GAP: Words = words(
    "The latest {run} addresses in a row are unpaid. Set the gap limit of your wallet to {limit} or more, so that it finds every payment.",
    "Les {run} dernières adresses de suite sont impayées. Réglez la limite d’écart (gap limit) de votre portefeuille à {limit} ou plus, pour qu’il trouve chaque paiement.",
);
pub(crate) const FIRST: Words = words(
    "Bitcoin for your first payment",
    "Des bitcoins pour votre premier paiement",
);
const FROM_FAUCET: Words = words(
    "Test coins are free. Ask a faucet to send some to a test wallet, or directly to the address on the payment page:",
    "Les bitcoins de test sont gratuits. Demandez à un robinet (faucet) d’en envoyer à un portefeuille de test, ou directement à l’adresse de la page de paiement\u{a0}:",
);
const REGTEST: Words = words(
    "This is a private test network, where coins can be created freely. The operator of the node can pay with:",
    "Ceci est un réseau de test privé, où les bitcoins se créent librement. L’exploitant du nœud peut payer avec\u{a0}:",
);
const REAL: Words = words(
    "Create a link with a small price, one or two euros, and pay it from your own wallet. The money comes back to you, less the network fee.",
    "Créez un lien à petit prix, un ou deux euros, et payez-le depuis votre propre portefeuille. L’argent vous revient, moins les frais de réseau.",
);
