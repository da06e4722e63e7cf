//! The buyer's receipt. Anyone can write the address and the order id of a link, and so have us write to a stranger: nothing
//! that they chose stands in the text but a cleaned order id.

use bitpro_charge::{Amount, Cents, ChargeId, Timestamp};

use super::frame::{Content, moment};
use super::{Letter, clean};
use crate::words::words;
use crate::{Language, Zone};

/// What a receipt tells of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt<'a> {
    /// The merchant's name.
    pub merchant: &'a str,
    /// The merchant's own site, if they have one.
    pub site: Option<&'a str>,
    /// The order, as the link said.
    pub order_id: Option<&'a str>,
    /// The charge.
    pub charge: ChargeId,
    /// The price.
    pub price: Cents,
    /// What was received and is confirmed: a letter that names more would prove money that may never come.
    pub received: Amount,
    /// The merchant's clock.
    pub zone: &'a Zone,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
    /// Whether the money is worth nothing.
    pub is_sandbox: bool,
}

/// Tells the buyer that their payment arrived.
#[must_use]
pub fn receipt(language: Language, to: &str, receipt: &Receipt<'_>) -> Letter {
    let merchant = clean::name(receipt.merchant);
    let (subject, paragraph) = match language {
        Language::En => (
            format!("Receipt from {merchant}"),
            format!("{merchant} has received your payment in bitcoin. It is confirmed."),
        ),
        Language::Fr => (
            format!("Reçu de {merchant}"),
            format!("{merchant} a bien reçu votre paiement en bitcoins. Il est confirmé."),
        ),
    };
    let mut content = Content::new(language, subject, Some(""), vec![paragraph]);
    if receipt.is_sandbox {
        let play = words(
            "This was a test. The coins of this network have no value.",
            "C’était un test. Les bitcoins de ce réseau n’ont aucune valeur.",
        );
        content.paragraphs.push(play.of(language).to_owned());
    }
    let order_id = receipt.order_id.map(clean::order_id).filter(|id| !id.is_empty());
    content.figures = [
        Some((words("Paid to", "Payé à"), merchant.clone())),
        order_id.map(|id| (words("Order", "Commande"), id)),
        Some((words("Price", "Prix"), euros(language, receipt.price))),
        Some((words("Received", "Reçu"), bitcoins(language, receipt.received))),
        Some((
            words("Confirmed", "Confirmé"),
            moment(language, receipt.confirmed_at, receipt.zone),
        )),
        Some((
            words("Payment number", "Numéro de paiement"),
            receipt.charge.to_string(),
        )),
    ]
    .into_iter()
    .flatten()
    .map(|(label, value)| (label.of(language).to_owned(), value))
    .collect();
    if let Some(site) = receipt.site {
        content = content.button(words("Back to the shop", "Retour à la boutique").of(language), site);
    }
    let why = words(
        "You receive this e-mail because your address was given with the payment. For questions about the order, contact the shop. This e-mail never asks you to pay again.",
        "Vous recevez cet e-mail parce que votre adresse a été indiquée avec le paiement. Pour toute question sur la commande, contactez la boutique. Cet e-mail ne vous demandera jamais de payer à nouveau.",
    );
    content.small(why.of(language)).to(to)
}

/// A price, from its cents.
fn euros(language: Language, Cents(cents): Cents) -> String {
    let (whole, rest) = (cents / 100, cents % 100);
    match language {
        Language::En => format!("EUR {}.{rest:02}", grouped(whole, ',')),
        Language::Fr => format!("{},{rest:02} €", grouped(whole, '\u{202f}')),
    }
}

/// An amount, from its satoshis.
fn bitcoins(language: Language, amount: Amount) -> String {
    let (whole, rest) = (amount.to_sat() / 100_000_000, amount.to_sat() % 100_000_000);
    match language {
        Language::En => format!("{whole}.{rest:08} BTC"),
        Language::Fr => format!("{whole},{rest:08} BTC"),
    }
}

fn grouped(number: u64, separator: char) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(separator);
        }
        grouped.push(digit);
    }
    grouped
}
