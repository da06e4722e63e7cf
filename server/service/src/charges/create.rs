//! Making charges: by the merchant's server, and by links (R22, R25, R26).

use std::sync::Arc;

use bitpro_base::client::Client;
use bitpro_base::rng::charge_id;
use bitpro_charge::{ChargeId, Quote, Terms, Tiers, Timestamp};
use bitpro_limits::refused;
use bitpro_merchant::Merchant;
use bitpro_store::{ChargeOrigin, Draft, Issuer, Snapshot, Tx};

use super::{Charges, CreateError, Ignored, IssuanceBlock, LinkOutcome, NewCharge, Role};

/// A charge with less time left is not offered again (R22).
const LEAST_LEFT_SECS: u32 = 5 * 60;
/// Unpaid link charges of one order that one client may have open without pressing the button (R25).
pub(crate) const OPEN_PER_ORDER: usize = 3;

/// A charge that is wanted, and what was looked up for it before a writer was asked for.
pub(super) struct Wish {
    new: NewCharge,
    id: ChargeId,
    /// `None` when there is no rate to promise an amount by: what exists is still shown.
    quote: Option<Quote>,
    now: Timestamp,
    email_key: Option<[u8; 8]>,
}

impl Wish {
    /// Who makes the charge, if it is not the merchant's server.
    fn maker(&self) -> Option<Client> {
        self.new.follower.map(|follower| follower.client)
    }
}

impl Charges {
    /// Makes a charge for the merchant's server.
    ///
    /// # Errors
    /// [`CreateError`]; no charge is half made.
    pub async fn create(&self, new: NewCharge) -> Result<ChargeId, CreateError> {
        let wish = self.wish(new)?;
        self.inner
            .store
            .write(move |tx| Box::pin(async move { make(tx, wish).await.map(|snapshot| snapshot.charge.id) }))
            .await
    }

    /// What a payment link leads to: a new charge, an open one, or the outcome of a paid one (R22, R25, R26).
    ///
    /// # Errors
    /// [`CreateError`]; no charge is half made.
    pub async fn for_link(&self, new: NewCharge) -> Result<LinkOutcome, CreateError> {
        let wish = self.wish(new)?;
        self.inner
            .store
            .write(move |tx| Box::pin(async move { follow_link(tx, wish).await }))
            .await
    }

    /// Everything that needs no writer is checked and looked up before one is asked for.
    pub(super) fn wish(&self, new: NewCharge) -> Result<Wish, CreateError> {
        if self.inner.role != Role::Server {
            return Err(CreateError::IssuanceBlocked(IssuanceBlock::NotTheServer));
        }
        let now = self.now();
        let merchant = self
            .inner
            .shared
            .merchant(new.merchant)
            .ok_or(CreateError::UnknownMerchant)?;
        let new = NewCharge {
            price: new.price.checked_as_price(merchant.settings.price_limit)?,
            order_id: present(new.order_id),
            buyer_email: present(new.buyer_email),
            metadata: present(new.metadata),
            ..new
        };
        let email = new.buyer_email.as_deref();
        Ok(Wish {
            id: charge_id(&*self.inner.rng),
            quote: self.inner.rates.fresh(now),
            now,
            email_key: email.map(|email| self.inner.secret.of_email(email)),
            new,
        })
    }
}

/// An empty field is an absent one (R38).
fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

async fn follow_link(tx: &mut Tx, wish: Wish) -> Result<LinkOutcome, CreateError> {
    let merchant = merchant_of(tx, &wish)?;
    let origin = wish.new.origin();
    let pressed = wish.new.follower.is_some_and(|follower| follower.pressed);
    if let Some(order_id) = wish.new.order_id.as_deref() {
        // A payment comes first: who has paid must not be shown another address for the same thing (R22).
        let paid = tx.paid_charges(merchant.id, order_id).await?;
        if let Some(paid) = paid.iter().find(|charge| is_same(charge, &wish)) {
            return Ok(LinkOutcome::Paid(paid.charge.id));
        }
        let mut open = 0;
        for waiting in tx.memory().waiting_links(merchant.id, order_id) {
            // Signed and unsigned are counted apart, and each client for itself: what somebody opens costs nobody else anything.
            let is_own = waiting.origin == origin && waiting.maker == wish.maker();
            open += usize::from(is_own);
            let left = wish.now.secs_until(waiting.charge.deadline);
            let is_current = Some(waiting.descriptor) == merchant.descriptor;
            // Anyone can write an unsigned link, so guessing an order's id and price must not lead to its shopper's charge.
            let may_see = is_own || origin == ChargeOrigin::SignedLink;
            if is_same(waiting, &wish) && may_see && is_current && left >= LEAST_LEFT_SECS {
                return Ok(LinkOutcome::Reused(waiting.charge.id));
            }
        }
        if open >= OPEN_PER_ORDER && !pressed {
            refused("order_client");
            return Ok(LinkOutcome::NeedsButton);
        }
    }
    if origin == ChargeOrigin::Link && !pressed && unpaid_run(tx, &merchant) >= merchant.settings.gap_button {
        refused("gap_merchant");
        return Ok(LinkOutcome::NeedsButton);
    }
    let made = make(tx, wish).await?;
    Ok(LinkOutcome::Made(made.charge.id))
}

/// Whether a link may lead to an existing charge: the same price and shopper, and the same word of the merchant for it.
fn is_same(charge: &Snapshot, wish: &Wish) -> bool {
    charge.charge.terms.price == wish.new.price
        && charge.email_key == wish.email_key
        && charge.origin == wish.new.origin()
}

fn merchant_of(tx: &Tx, wish: &Wish) -> Result<Arc<Merchant>, CreateError> {
    let merchant = tx.memory().merchants().get(&wish.new.merchant);
    merchant.cloned().ok_or(CreateError::UnknownMerchant)
}

fn unpaid_run(tx: &Tx, merchant: &Merchant) -> u32 {
    let issuer = merchant
        .descriptor
        .and_then(|descriptor| tx.memory().issuer(descriptor));
    issuer.map_or(0, Issuer::unpaid_run)
}

pub(super) async fn make(tx: &mut Tx, wish: Wish) -> Result<Arc<Snapshot>, CreateError> {
    let merchant = merchant_of(tx, &wish)?;
    let merchant_row = tx
        .memory()
        .merchant_row(merchant.id)
        .ok_or(CreateError::UnknownMerchant)?;
    let descriptor = merchant.descriptor.ok_or(CreateError::NoDescriptor)?;
    let issuer = tx.memory().issuer(descriptor).ok_or(CreateError::NoDescriptor)?;
    if !issuer.is_scanned() {
        return Err(CreateError::IssuanceBlocked(IssuanceBlock::AwaitsScan));
    }
    let terms = terms(&merchant, &wish, issuer.receive.dust_limit())?;
    let address = tx
        .take_address(descriptor)
        .await?
        .ok_or(CreateError::IssuanceBlocked(IssuanceBlock::Exhausted))?;
    let draft = Draft {
        id: wish.id,
        merchant: merchant.id,
        merchant_row,
        terms,
        origin: wish.new.origin(),
        maker: wish.maker(),
        order_id: wish.new.order_id,
        language: wish.new.language,
        email_key: wish.email_key,
        personal: [
            wish.new.buyer_email,
            wish.new.metadata,
            Ignored::kept(&wish.new.ignored),
        ],
    };
    Ok(tx.make(draft, descriptor, &address))
}

/// Freezes the merchant's settings into the charge (R1).
fn terms(merchant: &Merchant, wish: &Wish, dust_limit: bitpro_charge::Amount) -> Result<Terms, CreateError> {
    let (settings, options) = (&merchant.settings, &wish.new.options);
    let quote = wish.quote.as_ref().ok_or(CreateError::NoRate)?;
    let amount = Terms::amount_for(wish.new.price, quote, settings.rate_spread_bps, dust_limit)?;
    Ok(Terms {
        price: wish.new.price,
        amount,
        forgiven: Terms::forgiven_of(amount, settings.tolerance, quote),
        quote: quote.clone(),
        spread_bps: settings.rate_spread_bps,
        created_at: wish.now,
        expires_at: wish.now.plus_secs(options.window_secs.unwrap_or(settings.window_secs)),
        grace_secs: settings.grace_secs,
        settle_within_secs: settings.settle_within_secs,
        extension_secs: settings.extension_secs,
        tiers: at_least(settings.tiers, options.confirmations),
        late_policy: settings.late_policy,
        rate_move_limit_bps: settings.rate_move_limit_bps,
        dust_limit,
    })
}

/// Tiers that ask for `confirmations` where they would ask for fewer.
fn at_least(tiers: Tiers, confirmations: Option<u32>) -> Tiers {
    let least = confirmations.unwrap_or(0);
    Tiers {
        small: tiers.small.max(least),
        medium: tiers.medium.max(least),
        large: tiers.large.max(least),
        ..tiers
    }
}
