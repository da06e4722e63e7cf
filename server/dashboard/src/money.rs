//! Amounts as the checkout writes them.

use bitpro_charge::{Amount, Cents, Rate};
use bitpro_checkout_app::format;
use bitpro_merchant::Language;
use bitpro_merchant::words::lang;

/// A price: `€1,234.56` or `1 234,56 €`.
#[must_use]
pub fn euros(cents: Cents, language: Language) -> String {
    format::euros(cents.0, lang(language))
}

/// An amount in bitcoin with its unit: `0.00042000 BTC`.
#[must_use]
pub fn btc(amount: Amount, language: Language) -> String {
    format!("{}\u{a0}BTC", format::btc(amount.to_sat(), lang(language)))
}

/// What `amount` is worth at `rate`, to the nearest cent.
#[must_use]
pub fn worth(amount: Amount, rate: Rate) -> Cents {
    let product = u128::from(amount.to_sat()) * u128::from(rate.cents_per_btc());
    let cents = (product + 50_000_000) / 100_000_000;
    Cents(u64::try_from(cents).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_each_language_does_and_worth_is_rounded_to_the_cent() {
        assert_eq!(euros(Cents(1_250), Language::En), "€12.50");
        assert_eq!(euros(Cents(1_250), Language::Fr), "12,50\u{a0}€");
        assert_eq!(btc(Amount::from_sat(42_000), Language::Fr), "0,00042000\u{a0}BTC");
        let rate = Rate::from_cents_per_btc(5_000_000).unwrap();
        assert_eq!(worth(Amount::from_sat(84_000), rate), Cents(4_200));
        assert_eq!(worth(Amount::from_sat(9), rate), Cents(0));
        assert_eq!(worth(Amount::from_sat(10), rate), Cents(1));
    }
}
