//! Whether a link is the merchant's word (R21). A claim that is not true makes nothing: a shopper who edits a signed link must
//! not come away with an unsigned one.

#[cfg(test)]
mod tests;

use bitpro_merchant::Merchant;

use super::params::Params;
use crate::app::App;
use crate::refusal::Refusal;

/// Whether the link with these `params` is signed by `merchant`.
///
/// # Errors
/// A refusal when the signature is wrong or has run out, when there is no price for it to cover, and when the merchant takes
/// signed links only.
pub fn is_signed(app: &App, merchant: &Merchant, params: &Params) -> Result<bool, Refusal> {
    let Some(claim) = &params.claim else {
        return if merchant.settings.require_signed_links {
            Err(Refusal::SignatureRequired)
        } else {
            Ok(false)
        };
    };
    if params.price.is_none() {
        return Err(Refusal::SignatureWithoutPrice);
    }
    app.charges.check_claim(merchant, claim)??;
    Ok(true)
}
