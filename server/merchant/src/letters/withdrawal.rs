//! Why the server withdrew a change of wallet, in words for the owners.

use crate::words::{Words, words};

/// Why a change of wallet does not wait any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawal {
    /// Who asked for it may not any more.
    AskerGone,
    /// It was not written by the server as it stood there.
    AnotherHand,
    /// It was asked for before the server vouched for all of it.
    FormerVersion,
}

impl Withdrawal {
    /// The sentence of the letter.
    pub(super) const fn said(self) -> Words {
        match self {
            Self::AskerGone => words(
                "New payments were about to go to another wallet. The person who asked for this may no longer change the wallet, so the change is cancelled. Payments still go to the same wallet as before.",
                "Les nouveaux paiements devaient aller vers un autre portefeuille. La personne qui l’a demandé ne peut plus changer de portefeuille : le changement est annulé. Les paiements vont toujours au même portefeuille qu’avant.",
            ),
            Self::AnotherHand => words(
                "New payments were about to go to another wallet, but the stored request was not written by the server. The change is cancelled. Payments still go to the same wallet as before.",
                "Les nouveaux paiements devaient aller vers un autre portefeuille, mais la demande enregistrée n’a pas été écrite par le serveur. Le changement est annulé. Les paiements vont toujours au même portefeuille qu’avant.",
            ),
            Self::FormerVersion => words(
                "New payments were about to go to another wallet. The change was requested before the server was upgraded, and must be requested again. Until then, payments go to the same wallet as before.",
                "Les nouveaux paiements devaient aller vers un autre portefeuille. Le changement a été demandé avant la mise à jour du serveur, et doit être demandé de nouveau. D’ici là, les paiements vont au même portefeuille qu’avant.",
            ),
        }
    }
}
