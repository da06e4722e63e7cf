//! The fields of the general settings: their words, their units, and what would be right.

use bitpro_merchant::SettingName;
use bitpro_merchant::words::{Words, words};

use super::units::Unit;

/// A setting as the form shows it. The field has the setting's name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) setting: SettingName,
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

const fn line(setting: SettingName, unit: Unit, label: Words, hint: Words, wanted: Words) -> Line {
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
            SettingName::Name,
            Unit::Plain,
            words("Name", "Nom"),
            words(
                "Shoppers see it on the payment page.",
                "Vos clients le voient sur la page de paiement.",
            ),
            words(
                "Enter a name of 1 to 60 visible characters.",
                "Saisissez un nom de 1 à 60 caractères visibles.",
            ),
        ),
        line(
            SettingName::Site,
            Unit::Plain,
            words("Website", "Site web"),
            words(
                "“Back to the shop” links to it. Leave it empty to hide that link.",
                "«\u{a0}Retour à la boutique\u{a0}» y renvoie. Laissez vide pour ne pas afficher ce lien.",
            ),
            words(
                "Enter a full address, such as https://shop.example, or nothing.",
                "Saisissez une adresse complète, comme https://boutique.example, ou rien.",
            ),
        ),
        line(
            SettingName::TimeZone,
            Unit::Plain,
            words("Time zone", "Fuseau horaire"),
            words(
                "Used in this dashboard, on receipts and in exports, for example Europe/Paris.",
                "Utilisé dans ce tableau de bord, sur les reçus et dans les exports, par exemple Europe/Paris.",
            ),
            words(
                "Enter a time zone, such as Europe/Paris, America/Montreal or UTC.",
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
            SettingName::PriceLimitCents,
            Unit::Euros,
            words("Highest price of a charge", "Prix maximal d’un encaissement"),
            words(
                "Links with a higher price are refused.",
                "Les liens au prix supérieur sont refusés.",
            ),
            words(
                "Enter an amount from 0.01 to 1,000,000,000 euros, without separators, such as 100000.",
                "Saisissez un montant de 0,01 à 1 000 000 000 d’euros, comme 100000.",
            ),
        ),
        line(
            SettingName::RateSpreadBps,
            Unit::Percent,
            words("Spread on the rate", "Marge sur le cours"),
            words(
                "How much more bitcoin to ask for than the market rate gives. It covers the fee when you sell, and the risk that shoppers wait and pay only if the rate has moved in their favour.",
                "Le supplément de bitcoins demandé par rapport au cours du marché. Il couvre les frais de revente, et le risque que le client attende et ne paie que si le cours lui est devenu favorable.",
            ),
            words(
                "Enter a percentage from 0 to 10.",
                "Saisissez un pourcentage de 0 à 10.",
            ),
        ),
        line(
            SettingName::ToleranceBps,
            Unit::Percent,
            words("Tolerance", "Tolérance"),
            words(
                "How much may be missing from an amount that still counts as paid.",
                "La part du montant qui peut manquer pour qu’il soit tout de même considéré comme payé.",
            ),
            words(
                "Enter a percentage from 0 to 10.",
                "Saisissez un pourcentage de 0 à 10.",
            ),
        ),
        line(
            SettingName::ToleranceCapCents,
            Unit::Euros,
            words("Maximum tolerance", "Tolérance maximale"),
            words(
                "The most that may be missing, whatever the percentage.",
                "Le montant maximal qui peut manquer, quel que soit le pourcentage.",
            ),
            words(
                "Enter an amount from 0 to 100 euros.",
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
            SettingName::WindowSecs,
            Unit::Minutes,
            words("Payment window", "Délai de paiement"),
            words(
                "How long the shopper’s amount in bitcoin is held.",
                "La durée pendant laquelle le montant en bitcoin est garanti au client.",
            ),
            words(
                "Enter 5 to 1440 minutes (one day).",
                "Saisissez de 5 à 1440 minutes (un jour).",
            ),
        ),
        line(
            SettingName::ApiWindowLimitSecs,
            Unit::Minutes,
            words("Longest window through the API", "Délai maximal par l’API"),
            words(
                "The longest window that your server may ask for. If the payment window is longer, that one applies.",
                "Le plus long délai que votre serveur peut demander. Si le délai de paiement est plus long, c’est lui qui s’applique.",
            ),
            words(
                "Enter 5 to 1440 minutes (one day).",
                "Saisissez de 5 à 1440 minutes (un jour).",
            ),
        ),
        line(
            SettingName::ExtensionSecs,
            Unit::Minutes,
            words(
                "More time after a partial payment",
                "Prolongation après un paiement partiel",
            ),
            words(
                "Granted once, so that the shopper can send the rest. 0 grants none.",
                "Accordée une fois, pour que le client envoie le reste. 0 n’en accorde aucune.",
            ),
            words("Enter 0 to 60 minutes.", "Saisissez de 0 à 60 minutes."),
        ),
        line(
            SettingName::GraceSecs,
            Unit::Minutes,
            words("Grace after the window", "Délai de grâce"),
            words(
                "How long to wait after the window for news from the network. Shoppers don’t see it.",
                "Le temps d’attente après la fin du délai pour recevoir les nouvelles du réseau. Vos clients ne le voient pas.",
            ),
            words("Enter 0 to 60 minutes.", "Saisissez de 0 à 60 minutes."),
        ),
        line(
            SettingName::SettleWithinSecs,
            Unit::Hours,
            words("Confirmed within", "Confirmé sous"),
            words(
                "A payment that was sent in time but takes longer than this counts as late.",
                "Un paiement reçu à temps mais confirmé plus tard compte comme tardif.",
            ),
            words(
                "Enter 1 to 336 hours (two weeks).",
                "Saisissez de 1 à 336 heures (deux semaines).",
            ),
        ),
    ],
};

/// Up to which worth how many confirmations are waited for. The three numbers are fields of their own.
pub(super) const TIERS: Group = Group {
    title: words("Confirmations", "Confirmations"),
    lines: &[
        line(
            SettingName::SmallLimitCents,
            Unit::Euros,
            words("A small amount is up to", "Un petit montant va jusqu’à"),
            words("", ""),
            words(
                "Enter an amount that is not above the next one, such as 1000.",
                "Saisissez un montant qui ne dépasse pas le suivant, comme 1000.",
            ),
        ),
        line(
            SettingName::MediumLimitCents,
            Unit::Euros,
            words("A medium amount is up to", "Un montant moyen va jusqu’à"),
            words("", ""),
            words(
                "Enter an amount up to 1,000,000,000 euros, without separators, such as 10000.",
                "Saisissez un montant jusqu’à 1 000 000 000 d’euros, comme 10000.",
            ),
        ),
    ],
};

/// What becomes of late money, beside the choice itself.
pub(super) const LATE: Group = Group {
    title: words("Late payments", "Paiements tardifs"),
    lines: &[line(
        SettingName::RateMoveLimitBps,
        Unit::Percent,
        words(
            "Ask me when the rate has dropped by",
            "Me demander quand le cours a baissé de",
        ),
        words(
            "If bitcoin has lost this much since the price was shown, no late payment is accepted without you.",
            "Si le bitcoin a perdu autant depuis l’affichage du prix, aucun paiement tardif n’est accepté sans vous.",
        ),
        words(
            "Enter a percentage from 0.01 to 10.",
            "Saisissez un pourcentage de 0,01 à 10.",
        ),
    )],
};

/// What buyers get, and what is kept of them. The receipt is a box of its own.
pub(super) const BUYERS: Group = Group {
    title: words("Shoppers", "Clients"),
    lines: &[line(
        SettingName::RetentionDays,
        Unit::Plain,
        words("Erase shoppers’ data after", "Effacer les données des clients après"),
        words(
            "E-mail addresses, metadata and notes, counted from the end of a charge. 0 keeps them.",
            "Adresses e-mail, métadonnées et notes, à compter de la fin d’un encaissement. 0 les conserve.",
        ),
        words("Enter 0 to 3650 days.", "Saisissez de 0 à 3650 jours."),
    )],
};

/// Runs of addresses that nobody paid.
pub(super) const GAPS: Group = Group {
    title: words("Unpaid addresses in a row", "Adresses impayées de suite"),
    lines: &[
        line(
            SettingName::GapWarning,
            Unit::Plain,
            words("Warn me at", "M’avertir à partir de"),
            words(
                "After this many, your wallet may stop looking.",
                "Au-delà, votre portefeuille peut cesser de chercher.",
            ),
            words(
                "Enter a number from 1 to the next one.",
                "Saisissez un nombre de 1 jusqu’au suivant.",
            ),
        ),
        line(
            SettingName::GapButton,
            Unit::Plain,
            words(
                "Ask shoppers to press a button at",
                "Demander un clic au client à partir de",
            ),
            words(
                "Keeps robots that follow links from using up addresses. Does not affect signed links.",
                "Évite que des robots épuisent les adresses en suivant vos liens. Les liens signés ne sont pas concernés.",
            ),
            words("Enter a number up to 10000.", "Saisissez un nombre jusqu’à 10000."),
        ),
    ],
};

/// All groups, in no order: to find what is to be said of a field.
pub(super) const GROUPS: [&Group; 7] = [&SHOP, &PRICES, &TIMES, &TIERS, &LATE, &BUYERS, &GAPS];

/// All lines.
pub(super) fn lines() -> impl Iterator<Item = &'static Line> {
    GROUPS.into_iter().flat_map(|group| group.lines)
}
