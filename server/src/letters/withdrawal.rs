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
                "Another wallet was to take the money of new payments. Who asked for it can no longer say where the money goes, so the change is withdrawn: the money goes where it went before.",
                "Un autre portefeuille devait recevoir l'argent des nouveaux paiements. La personne qui l'a demandé ne peut plus décider où va l'argent : le changement est annulé, et l'argent va toujours là où il allait avant.",
            ),
            Self::AnotherHand => words(
                "Another wallet was to take the money of new payments, and what was stored of it was not written by the server. The change is withdrawn: the money goes where it went before.",
                "Un autre portefeuille devait recevoir l'argent des nouveaux paiements, et ce qui en était enregistré n'a pas été écrit par le serveur. Le changement est annulé : l'argent va toujours là où il allait avant.",
            ),
            Self::FormerVersion => words(
                "Another wallet was to take the money of new payments. It was asked for before the server was upgraded, and has to be asked for again: until then the money goes where it went before.",
                "Un autre portefeuille devait recevoir l'argent des nouveaux paiements. La demande date d'avant la mise à jour du serveur, et doit être refaite : d'ici là, l'argent va là où il allait avant.",
            ),
        }
    }
}
