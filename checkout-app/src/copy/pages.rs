//! The words of the pages without a charge. Only the server knows them; the browser never shows these pages by itself.

use super::Lang;

/// The words of the pages without a charge.
#[derive(Debug)]
pub struct PageWords {
    /// Over the form that asks for the amount.
    pub how_much: &'static str,
    /// The field's label.
    pub in_euros: &'static str,
    /// What an amount looks like.
    pub for_example: &'static str,
    /// The form's button.
    pub go_on: &'static str,
    /// The text is no amount.
    pub not_an_amount: &'static str,
    /// It could not be paid.
    pub too_small: &'static str,
    /// It is above the limit, given here.
    pub above_limit: fn(&str) -> String,
    /// Over the button that makes a charge.
    pub pay_with_bitcoin: &'static str,
    /// What the button does.
    pub amount_is_fixed: &'static str,
    /// Somebody's payment of this order is on its way.
    pub outcome_seen: Outcome,
    /// The order is paid.
    pub outcome_confirmed: Outcome,
    /// Money came that did not settle it.
    pub outcome_open: Outcome,
    /// There is a payment, and no more is said of it.
    pub outcome_unsaid: Outcome,
    /// Framing refused.
    pub frame_title: &'static str,
    /// What the shopper can do.
    pub frame_shopper: &'static str,
    /// What the merchant has to do; given the origin to allow.
    pub frame_merchant: fn(&str) -> String,
    /// The same when the browser did not tell the origin.
    pub frame_merchant_unknown: &'static str,
    /// Before what the merchant can do.
    pub for_the_shop: &'static str,
    /// The same request again.
    pub try_again: &'static str,
    /// The request's id.
    pub request: &'static str,
    /// In the title, before the merchant is known.
    pub payment: &'static str,

    /// No such merchant.
    pub unknown_merchant: Trouble,
    /// No such charge.
    pub unknown_charge: Trouble,
    /// No such page.
    pub unknown_page: Trouble,
    /// A price that is none.
    pub bad_price: Trouble,
    /// A price above the limit.
    pub price_too_high: Trouble,
    /// A price too small to pay.
    pub price_too_low: Trouble,
    /// Another currency.
    pub bad_currency: Trouble,
    /// A long order id.
    pub order_id_too_long: Trouble,
    /// A parameter twice.
    pub repeated_parameter: Trouble,
    /// Something unreadable.
    pub malformed: Trouble,
    /// A wrong signature.
    pub bad_signature: Trouble,
    /// A signed link that has run out.
    pub link_expired: Trouble,
    /// Too many requests.
    pub too_many: Trouble,
    /// No rate.
    pub rate_away: Trouble,
    /// No storage.
    pub storage_away: Trouble,
    /// Our own fault.
    pub internal: Trouble,
}

/// What became of an order.
#[derive(Debug)]
pub struct Outcome {
    /// One sentence.
    pub sentence: &'static str,
    /// What to do.
    pub meaning: &'static str,
}

/// What is wrong, and who can mend it. `{}` stands for the one thing that the problem names: a limit, a parameter, seconds.
#[derive(Debug)]
pub struct Trouble {
    /// What is wrong.
    pub what: &'static str,
    /// What the shopper can do.
    pub shopper: &'static str,
    /// What the merchant can do; empty when it is not theirs.
    pub merchant: &'static str,
}

impl Lang {
    /// The words of the pages without a charge.
    #[must_use]
    pub const fn page_words(self) -> &'static PageWords {
        match self {
            Self::En => &EN,
            Self::Fr => &FR,
        }
    }
}

static EN: PageWords = PageWords {
    how_much: "How much would you like to pay?",
    in_euros: "Amount in euros",
    for_example: "For example 42.50",
    go_on: "Continue",
    not_an_amount: "Enter an amount such as 42.50.",
    too_small: "This amount is too small to pay with Bitcoin.",
    above_limit: |limit| format!("The shop accepts at most {limit}."),
    pay_with_bitcoin: "Pay with Bitcoin",
    amount_is_fixed: "Continue to see the amount in bitcoin. It is then held for you for a while.",
    outcome_seen: Outcome {
        sentence: "A payment for this order has been received.",
        meaning: "It is being confirmed. You don’t need to pay anything more. If it was not yours, contact the shop.",
    },
    outcome_confirmed: Outcome {
        sentence: "This order is paid.",
        meaning: "You don’t need to pay anything more. If it was not you who paid, contact the shop.",
    },
    outcome_open: Outcome {
        sentence: "A payment arrived, but this order is not fully paid.",
        meaning: "Please do not pay again here. Contact the shop, and quote the number below.",
    },
    outcome_unsaid: Outcome {
        sentence: "There is already a payment for this order.",
        meaning: "Please do not pay again here. To find out more, contact the shop, and quote the number below.",
    },
    frame_title: "This payment cannot be shown here.",
    frame_shopper: "The shop has not allowed this site to show the payment. Nothing was charged.",
    frame_merchant: |origin| format!("Add {origin} to the allowed domains in your settings, then load the page again."),
    frame_merchant_unknown: "Add the domain of this site to the allowed domains in your settings, then load the page again.",
    for_the_shop: "If this is your shop",
    try_again: "Try again",
    request: "Request",
    payment: "Payment",

    unknown_merchant: Trouble {
        what: "We don’t know the shop of this payment link.",
        shopper: "Ask the shop for another link.",
        merchant: "Compare the merchant id in the link with the one in your settings.",
    },
    unknown_charge: Trouble {
        what: "This payment does not exist.",
        shopper: "Check the address, or start again from the shop.",
        merchant: "",
    },
    unknown_page: Trouble {
        what: "This page does not exist.",
        shopper: "Check the address, or start again from the shop.",
        merchant: "",
    },
    bad_price: Trouble {
        what: "The price in this link cannot be used.",
        shopper: "Nothing was charged. Please tell the shop.",
        merchant: "fiat_price_cents takes a whole number of cents above zero, such as 4200 for €42.00.",
    },
    price_too_high: Trouble {
        what: "The price is above the {} that this shop accepts.",
        shopper: "Nothing was charged. Ask the shop for another way to pay.",
        merchant: "The limit can be raised in your settings.",
    },
    price_too_low: Trouble {
        what: "This price is too small to pay with Bitcoin.",
        shopper: "Nothing was charged. Ask the shop for another way to pay.",
        merchant: "The network does not carry amounts below a few cents.",
    },
    bad_currency: Trouble {
        what: "You can only pay prices in euros here.",
        shopper: "Nothing was charged. Please tell the shop.",
        merchant: "Set fiat_currency to eur, or leave it out.",
    },
    order_id_too_long: Trouble {
        what: "The order number in this link is too long.",
        shopper: "Nothing was charged. Please tell the shop.",
        merchant: "external_order_id takes up to 200 characters.",
    },
    repeated_parameter: Trouble {
        what: "This link contains {} more than once.",
        shopper: "Nothing was charged. Please tell the shop.",
        merchant: "Use each parameter only once in the link.",
    },
    malformed: Trouble {
        what: "Part of this link cannot be read: {}.",
        shopper: "Nothing was charged. Start again from the shop.",
        merchant: "Encode parameters as UTF-8, for a URL.",
    },
    bad_signature: Trouble {
        what: "This link was changed or is incomplete.",
        shopper: "Nothing was charged. Start again from the shop.",
        merchant: "Sign the link on your server, exactly as it is sent.",
    },
    link_expired: Trouble {
        what: "This link has expired.",
        shopper: "Nothing was charged. Start again from the shop.",
        merchant: "",
    },
    too_many: Trouble {
        what: "Too many attempts in a short time.",
        shopper: "Nothing was charged. Please wait {} seconds, then try again.",
        merchant: "",
    },
    rate_away: Trouble {
        what: "No exchange rate is available at the moment.",
        shopper: "Nothing was charged. Please try again in a minute.",
        merchant: "",
    },
    storage_away: Trouble {
        what: "No payment can be started at the moment.",
        shopper: "Nothing was charged. Please try again in a minute.",
        merchant: "",
    },
    internal: Trouble {
        what: "Something went wrong on our side.",
        shopper: "Please try again. If you have already paid, your payment will be found.",
        merchant: "",
    },
};

static FR: PageWords = PageWords {
    how_much: "Combien souhaitez-vous payer\u{202f}?",
    in_euros: "Montant en euros",
    for_example: "Par exemple 42,50",
    go_on: "Continuer",
    not_an_amount: "Saisissez un montant comme 42,50.",
    too_small: "Ce montant est trop petit pour être payé en bitcoins.",
    above_limit: |limit| format!("La boutique accepte au plus {limit}."),
    pay_with_bitcoin: "Payer avec Bitcoin",
    amount_is_fixed: "Continuez pour voir le montant en bitcoins. Il est ensuite garanti pendant un moment.",
    outcome_seen: Outcome {
        sentence: "Un paiement a été reçu pour cette commande.",
        meaning: "Il est en cours de confirmation et il n’y a plus rien à payer. S’il n’est pas de vous, contactez la boutique.",
    },
    outcome_confirmed: Outcome {
        sentence: "Cette commande est payée.",
        meaning: "Il n’y a plus rien à payer. Si ce n’est pas vous qui avez payé, contactez la boutique.",
    },
    outcome_open: Outcome {
        sentence: "Un paiement reçu n’a pas réglé cette commande.",
        meaning: "Veuillez ne pas payer à nouveau ici. Contactez la boutique en citant le numéro ci-dessous.",
    },
    outcome_unsaid: Outcome {
        sentence: "Un paiement existe déjà pour cette commande.",
        meaning: "Veuillez ne pas payer à nouveau ici. Pour en savoir plus, contactez la boutique en citant le numéro ci-dessous.",
    },
    frame_title: "Ce paiement ne peut pas s’afficher ici.",
    frame_shopper: "La boutique n’a pas autorisé ce site à afficher le paiement. Rien n’a été débité.",
    frame_merchant: |origin| {
        format!("Ajoutez {origin} aux domaines autorisés dans vos réglages, puis rechargez la page.")
    },
    frame_merchant_unknown: "Ajoutez le domaine de ce site aux domaines autorisés dans vos réglages, puis rechargez la page.",
    for_the_shop: "Si cette boutique est la vôtre",
    try_again: "Réessayer",
    request: "Requête",
    payment: "Paiement",

    unknown_merchant: Trouble {
        what: "Nous ne connaissons pas la boutique de ce lien de paiement.",
        shopper: "Demandez un autre lien à la boutique.",
        merchant: "Comparez l’identifiant de marchand du lien avec celui de vos réglages.",
    },
    unknown_charge: Trouble {
        what: "Ce paiement n’existe pas.",
        shopper: "Vérifiez l’adresse, ou recommencez depuis la boutique.",
        merchant: "",
    },
    unknown_page: Trouble {
        what: "Cette page n’existe pas.",
        shopper: "Vérifiez l’adresse, ou recommencez depuis la boutique.",
        merchant: "",
    },
    bad_price: Trouble {
        what: "Le prix indiqué dans ce lien n’est pas utilisable.",
        shopper: "Rien n’a été débité. Merci de prévenir la boutique.",
        merchant: "fiat_price_cents attend un nombre entier de centimes supérieur à zéro, par exemple 4200 pour 42,00\u{a0}€.",
    },
    price_too_high: Trouble {
        what: "Le prix dépasse les {} que cette boutique accepte.",
        shopper: "Rien n’a été débité. Demandez un autre moyen de paiement à la boutique.",
        merchant: "La limite se relève dans vos réglages.",
    },
    price_too_low: Trouble {
        what: "Ce prix est trop petit pour être payé en bitcoins.",
        shopper: "Rien n’a été débité. Demandez un autre moyen de paiement à la boutique.",
        merchant: "Le réseau ne transporte pas de montants inférieurs à quelques centimes.",
    },
    bad_currency: Trouble {
        what: "Vous ne pouvez payer ici que des prix en euros.",
        shopper: "Rien n’a été débité. Merci de prévenir la boutique.",
        merchant: "Donnez à fiat_currency la valeur eur, ou omettez-le.",
    },
    order_id_too_long: Trouble {
        what: "Le numéro de commande de ce lien est trop long.",
        shopper: "Rien n’a été débité. Merci de prévenir la boutique.",
        merchant: "external_order_id compte au plus 200 caractères.",
    },
    repeated_parameter: Trouble {
        what: "Ce lien contient {} plus d’une fois.",
        shopper: "Rien n’a été débité. Merci de prévenir la boutique.",
        merchant: "N’utilisez chaque paramètre qu’une seule fois dans le lien.",
    },
    malformed: Trouble {
        what: "Un élément de ce lien est illisible\u{a0}: {}.",
        shopper: "Rien n’a été débité. Recommencez depuis la boutique.",
        merchant: "Les paramètres doivent être en UTF-8 et encodés pour une URL.",
    },
    bad_signature: Trouble {
        what: "Ce lien a été modifié ou est incomplet.",
        shopper: "Rien n’a été débité. Recommencez depuis la boutique.",
        merchant: "Signez le lien sur votre serveur, exactement tel qu’il est envoyé.",
    },
    link_expired: Trouble {
        what: "Ce lien a expiré.",
        shopper: "Rien n’a été débité. Recommencez depuis la boutique.",
        merchant: "",
    },
    too_many: Trouble {
        what: "Trop d’essais en peu de temps.",
        shopper: "Rien n’a été débité. Attendez {} secondes, puis réessayez.",
        merchant: "",
    },
    rate_away: Trouble {
        what: "Aucun cours n’est disponible pour le moment.",
        shopper: "Rien n’a été débité. Réessayez dans une minute.",
        merchant: "",
    },
    storage_away: Trouble {
        what: "Aucun paiement ne peut commencer pour le moment.",
        shopper: "Rien n’a été débité. Réessayez dans une minute.",
        merchant: "",
    },
    internal: Trouble {
        what: "Une erreur s’est produite de notre côté.",
        shopper: "Veuillez réessayer. Si vous avez déjà payé, votre paiement sera retrouvé.",
        merchant: "",
    },
};
