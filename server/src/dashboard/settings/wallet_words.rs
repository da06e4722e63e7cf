//! Why a wallet is refused, in both languages. No message repeats a key.

use crate::merchant::Language;
use crate::wallet::DescriptorError;
use crate::words::words;

/// Why what was typed does not say where the money goes.
pub(super) fn why(error: &DescriptorError, lang: Language) -> String {
    let (said, filled) = match error {
        DescriptorError::PrivateKey => (
            words(
                "This contains a PRIVATE key. It was not kept, but treat it as exposed: move the money to a new wallet. What belongs here is the public descriptor or the extended public key.",
                "Ceci contient une clé PRIVÉE. Elle n’a pas été conservée, mais considérez-la comme compromise : déplacez l’argent vers un nouveau portefeuille. Il faut ici le descripteur public ou la clé publique étendue.",
            ),
            vec![],
        ),
        DescriptorError::WrongNetwork { key, network } => (
            words(
                "The key is for {key}, but this server runs on {network}.",
                "La clé est destinée à {key}, mais ce serveur fonctionne sur {network}.",
            ),
            vec![("{key}", network_word(key, lang)), ("{network}", network)],
        ),
        DescriptorError::Unranged => (
            words(
                "The descriptor has no wildcard: it must end in /*, as in …/0/*, so that every payment gets an address of its own.",
                "Le descripteur n’a pas de joker : il doit finir par /*, comme …/0/*, pour que chaque paiement ait sa propre adresse.",
            ),
            vec![],
        ),
        DescriptorError::Hardened => (
            words(
                "There is a hardened step (h or ') after the extended key, which public keys cannot derive.",
                "Une étape renforcée (h ou ') suit la clé étendue : une clé publique ne peut pas la dériver.",
            ),
            vec![],
        ),
        DescriptorError::Unsupported(name) => (
            words(
                "{name}(…) cannot receive payments here. wpkh(…), tr(…), sh(wpkh(…)), pkh(…) and wsh(…) can.",
                "{name}(…) ne peut pas recevoir de paiements ici. wpkh(…), tr(…), sh(wpkh(…)), pkh(…) et wsh(…) le peuvent.",
            ),
            vec![("{name}", name.as_str())],
        ),
        DescriptorError::Checksum => (
            words(
                "The checksum behind # does not fit: a character is wrong or missing. Copy it once more.",
                "La somme de contrôle après # ne correspond pas : un caractère est faux ou manque. Copiez-le de nouveau.",
            ),
            vec![],
        ),
        DescriptorError::Contradiction {
            prefix,
            implied,
            chosen,
        } => (
            words(
                "A {prefix} key belongs to {implied} addresses, but {chosen} was chosen.",
                "Une clé {prefix} correspond à des adresses {implied}, mais {chosen} a été choisi.",
            ),
            vec![
                ("{prefix}", *prefix),
                ("{implied}", *implied),
                ("{chosen}", chosen.as_str()),
            ],
        ),
        DescriptorError::ScriptTypeNeeded => (
            words(
                "Choose how your wallet’s addresses begin: the key does not say it.",
                "Indiquez comment commencent les adresses de votre portefeuille : la clé ne le dit pas.",
            ),
            vec![],
        ),
        DescriptorError::UnknownScriptType(_) => {
            (words("Choose one of the list.", "Choisissez dans la liste."), vec![])
        }
        DescriptorError::ScriptTypeNotNeeded => (
            words(
                "A descriptor says its type of addresses itself.",
                "Un descripteur précise lui-même son type d’adresses.",
            ),
            vec![],
        ),
        DescriptorError::Unsafe(_) => (
            words(
                "The script of this descriptor is not safe: others could spend from it, or nobody could.",
                "Le script de ce descripteur n’est pas sûr : d’autres pourraient en dépenser l’argent, ou personne.",
            ),
            vec![],
        ),
        DescriptorError::Malformed(_) => (
            words(
                "This is neither an output descriptor nor an extended public key. A single address does not do: every payment needs one of its own.",
                "Ce n’est ni un descripteur de sortie ni une clé publique étendue. Une adresse seule ne suffit pas : chaque paiement a la sienne.",
            ),
            vec![],
        ),
    };
    let mut text = said.of(lang).to_owned();
    for (mark, value) in filled {
        text = text.replace(mark, value);
    }
    text
}

/// A kind of network as the error names it, in `lang`.
fn network_word(name: &'static str, lang: Language) -> &'static str {
    match (name, lang) {
        ("mainnet", Language::Fr) => "le réseau principal",
        ("mainnet", Language::En) => "the main network",
        ("a test network", Language::Fr) => "un réseau de test",
        (other, _) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_wrongly_is_told_without_marks_left_over() {
        for error in [
            DescriptorError::WrongNetwork {
                key: "mainnet",
                network: "regtest",
            },
            DescriptorError::Unsupported("combo".to_owned()),
            DescriptorError::Contradiction {
                prefix: "zpub",
                implied: "wpkh",
                chosen: "tr".to_owned(),
            },
        ] {
            for lang in Language::ALL {
                let said = why(&error, lang);
                assert!(!said.contains('{'), "{said}");
            }
        }
        assert!(why(&DescriptorError::Unsupported("combo".to_owned()), Language::En).starts_with("combo(…)"));
    }

    #[test]
    fn no_detail_of_a_parser_is_repeated() {
        let said = why(&DescriptorError::Malformed("xprv secret".to_owned()), Language::En);
        assert!(!said.contains("secret"), "{said}");
    }
}
