//! The fields of the general settings: their words, their units, and what would be right.

use super::units::Unit;
use crate::words::{Words, words};

/// A setting as the form shows it. The field has the setting's name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) setting: &'static str,
    pub(super) unit: Unit,
    pub(super) label: Words,
    pub(super) hint: Words,
    /// What is said when it cannot be taken.
    pub(super) wanted: Words,
}

/// Fields that belong together.
pub(super) struct Group {
    pub(super) title: Words,
    pub(super) lines: &'static [Line],
}

const fn line(setting: &'static str, unit: Unit, label: Words, hint: Words, wanted: Words) -> Line {
    Line {
        setting,
        unit,
        label,
        hint,
        wanted,
    }
}

/// The name and the site; languages, confirmations and the late policy are no plain fields, and stand in the form itself.
pub(super) const SHOP: Group = Group {
    title: words("Your shop", "Votre boutique"),
    lines: &[
        line(
            "name",
            Unit::Plain,
            words("Name", "Nom"),
            words(
                "Shoppers see it on the payment page.",
                "Vos clients le voient sur la page de paiement.",
            ),
            words(
                "Write a name of 1 to 60 characters that can be seen.",
                "Saisissez un nom de 1 à 60 caractères visibles.",
            ),
        ),
        line(
            "site",
            Unit::Plain,
            words("Website", "Site web"),
            words(
                "“Back to the shop” leads there. Leave it empty to have no such link.",
                "« Retour à la boutique » y mène. Laissez vide pour ne pas afficher ce lien.",
            ),
            words(
                "Write a whole address, as in https://shop.example, or nothing.",
                "Saisissez une adresse complète, comme https://boutique.example, ou rien.",
            ),
        ),
        line(
            "time_zone",
            Unit::Plain,
            words("Time zone", "Fuseau horaire"),
            words(
                "The clock of this dashboard, of receipts and of exports, as in Europe/Paris.",
                "L’horloge de ce tableau de bord, des reçus et des exports, comme Europe/Paris.",
            ),
            words(
                "Write the name of a zone, as in Europe/Paris, America/Montreal or UTC.",
                "Saisissez le nom d’un fuseau, comme Europe/Paris, America/Montreal ou UTC.",
            ),
        ),
    ],
};

/// Prices and the rate.
pub(super) const PRICES: Group = Group {
    title: words("Prices and rate", "Prix et cours"),
    lines: &[
        line(
            "price_limit_cents",
            Unit::Euros,
            words("Highest price of one payment", "Prix maximal d’un paiement"),
            words(
                "A link with a higher price is refused.",
                "Un lien au prix supérieur est refusé.",
            ),
            words(
                "Write an amount from 0.01 to 1,000,000,000 euros, without separators, as in 100000.",
                "Saisissez un montant de 0,01 à 1 000 000 000 d’euros, comme 100000.",
            ),
        ),
        line(
            "rate_spread_bps",
            Unit::Percent,
            words("Spread on the rate", "Marge sur le cours"),
            words(
                "How much more bitcoin is asked for than the market’s rate gives: for the fee when you sell it, and because the shopper may wait until the end of the window and pay only if the rate has moved his way.",
                "Le supplément de bitcoin demandé par rapport au cours du marché : pour les frais de revente, et parce que le client peut attendre la fin du délai et ne payer que si le cours lui est favorable.",
            ),
            words(
                "Write a percentage from 0 to 10.",
                "Saisissez un pourcentage de 0 à 10.",
            ),
        ),
        line(
            "tolerance_bps",
            Unit::Percent,
            words("Tolerance", "Tolérance"),
            words(
                "How much of an amount may be missing and still count as paid.",
                "La part du montant qui peut manquer sans que le paiement soit jugé insuffisant.",
            ),
            words(
                "Write a percentage from 0 to 10.",
                "Saisissez un pourcentage de 0 à 10.",
            ),
        ),
        line(
            "tolerance_cap_cents",
            Unit::Euros,
            words("Tolerance, at most", "Tolérance maximale"),
            words(
                "The most that is ever forgiven, whatever the percentage comes to.",
                "Le plus qui soit jamais toléré, quel que soit le pourcentage.",
            ),
            words(
                "Write an amount from 0 to 100 euros.",
                "Saisissez un montant de 0 à 100 euros.",
            ),
        ),
    ],
};

/// How long things take.
pub(super) const TIMES: Group = Group {
    title: words("Times", "Délais"),
    lines: &[
        line(
            "window_secs",
            Unit::Minutes,
            words("Payment window", "Délai de paiement"),
            words(
                "How long the amount in bitcoin is promised to the shopper.",
                "La durée pendant laquelle le montant en bitcoin est garanti au client.",
            ),
            words(
                "Write minutes from 5 to 1440 (one day).",
                "Saisissez des minutes, de 5 à 1440 (un jour).",
            ),
        ),
        line(
            "api_window_limit_secs",
            Unit::Minutes,
            words("Longest window by the API", "Délai maximal par l’API"),
            words(
                "The longest window that your server may ask for. The payment window counts if it is longer.",
                "Le plus long délai que votre serveur peut demander. Le délai de paiement compte s’il est plus long.",
            ),
            words(
                "Write minutes from 5 to 1440 (one day).",
                "Saisissez des minutes, de 5 à 1440 (un jour).",
            ),
        ),
        line(
            "extension_secs",
            Unit::Minutes,
            words(
                "More time after a partial payment",
                "Prolongation après un paiement partiel",
            ),
            words(
                "Given once, so that the shopper can send the rest. 0 gives none.",
                "Accordée une fois, pour que le client envoie le reste. 0 n’en accorde aucune.",
            ),
            words("Write minutes from 0 to 60.", "Saisissez des minutes, de 0 à 60."),
        ),
        line(
            "grace_secs",
            Unit::Minutes,
            words("Grace after the window", "Délai de grâce"),
            words(
                "How long a payment is waited for after the end, for news from the network. Shoppers do not see it.",
                "L’attente après la fin du délai, le temps que le réseau donne des nouvelles. Vos clients ne la voient pas.",
            ),
            words("Write minutes from 0 to 60.", "Saisissez des minutes, de 0 à 60."),
        ),
        line(
            "settle_within_secs",
            Unit::Hours,
            words("Confirmed within", "Confirmé sous"),
            words(
                "A payment in time that takes longer than this counts as late.",
                "Un paiement reçu à temps mais confirmé plus tard compte comme tardif.",
            ),
            words(
                "Write hours from 1 to 336 (two weeks).",
                "Saisissez des heures, de 1 à 336 (deux semaines).",
            ),
        ),
    ],
};

/// Up to which worth how many confirmations are waited for. The three numbers are fields of their own.
pub(super) const TIERS: Group = Group {
    title: words("Confirmations", "Confirmations"),
    lines: &[
        line(
            "small_limit_cents",
            Unit::Euros,
            words("A small amount is up to", "Un petit montant va jusqu’à"),
            words("", ""),
            words(
                "Write an amount that is not above the next one, as in 1000.",
                "Saisissez un montant qui ne dépasse pas le suivant, comme 1000.",
            ),
        ),
        line(
            "medium_limit_cents",
            Unit::Euros,
            words("A medium amount is up to", "Un montant moyen va jusqu’à"),
            words("", ""),
            words(
                "Write an amount up to 1,000,000,000 euros, without separators, as in 10000.",
                "Saisissez un montant jusqu’à 1 000 000 000 d’euros, comme 10000.",
            ),
        ),
    ],
};

/// What becomes of late money, beside the choice itself.
pub(super) const LATE: Group = Group {
    title: words("Late payments", "Paiements tardifs"),
    lines: &[line(
        "rate_move_limit_bps",
        Unit::Percent,
        words(
            "Fall of the rate from which you are asked",
            "Baisse du cours à partir de laquelle vous décidez",
        ),
        words(
            "When bitcoin has lost this much since the price was shown, nothing late is taken without you.",
            "Si le bitcoin a perdu autant depuis l’affichage du prix, rien de tardif n’est accepté sans vous.",
        ),
        words(
            "Write a percentage from 0.01 to 10.",
            "Saisissez un pourcentage de 0,01 à 10.",
        ),
    )],
};

/// What buyers get, and what is kept of them. The receipt is a box of its own.
pub(super) const BUYERS: Group = Group {
    title: words("Buyers", "Acheteurs"),
    lines: &[line(
        "retention_days",
        Unit::Plain,
        words("Erase buyers’ data after", "Effacer les données des acheteurs après"),
        words(
            "E-mail addresses, metadata and notes, counted from the end of a payment. 0 keeps them.",
            "Adresses e-mail, métadonnées et notes, à compter de la fin d’un paiement. 0 les conserve.",
        ),
        words("Write days from 0 to 3650.", "Saisissez des jours, de 0 à 3650."),
    )],
};

/// Runs of addresses that nobody paid.
pub(super) const GAPS: Group = Group {
    title: words("Unpaid addresses in a row", "Adresses impayées de suite"),
    lines: &[
        line(
            "gap_warning",
            Unit::Plain,
            words("Warn me from", "M’avertir à partir de"),
            words(
                "From this many on, your wallet may not look further by itself.",
                "Au-delà, votre portefeuille peut ne plus chercher plus loin de lui-même.",
            ),
            words(
                "Write a number from 1 to the next one.",
                "Saisissez un nombre de 1 jusqu’au suivant.",
            ),
        ),
        line(
            "gap_button",
            Unit::Plain,
            words(
                "Ask shoppers to press a button from",
                "Demander un clic au client à partir de",
            ),
            words(
                "Keeps robots that follow links from using up addresses. Signed links are not concerned.",
                "Évite que des robots épuisent les adresses en suivant vos liens. Les liens signés ne sont pas concernés.",
            ),
            words("Write a number up to 10000.", "Saisissez un nombre jusqu’à 10000."),
        ),
    ],
};

/// All groups, in no order: to find what is to be said of a field.
pub(super) const GROUPS: [&Group; 7] = [&SHOP, &PRICES, &TIMES, &TIERS, &LATE, &BUYERS, &GAPS];

/// All lines.
pub(super) fn lines() -> impl Iterator<Item = &'static Line> {
    GROUPS.into_iter().flat_map(|group| group.lines)
}
