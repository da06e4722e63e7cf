//! Why a wallet is refused, in both languages. No message repeats a key.

use bitpro_merchant::Language;
use bitpro_merchant::wallet::DescriptorError;
use bitpro_merchant::words::words;

/// Why what was typed does not say where the money goes.
pub(super) fn why(error: &DescriptorError, lang: Language) -> String {
    let (said, filled) = match error {
        DescriptorError::PrivateKey => (
            words(
                "This contains a PRIVATE key. We did not store it, but treat it as exposed: move the money to a new wallet. Paste the public descriptor or the extended public key instead.",
                "Ceci contient une clé PRIVÉE. Nous ne l’avons pas conservée, mais considérez-la comme compromise\u{a0}: déplacez l’argent vers un nouveau portefeuille. Collez plutôt le descripteur public ou la clé publique étendue.",
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
                "The descriptor has no wildcard. It must end in /*, such as …/0/*, so that every charge gets its own address.",
                "Le descripteur n’a pas de joker. Il doit finir par /*, comme …/0/*, pour que chaque encaissement ait sa propre adresse.",
            ),
            vec![],
        ),
        DescriptorError::Hardened => (
            words(
                "The extended key is followed by a hardened step (h or '), which public keys cannot derive.",
                "Une étape renforcée (h ou ') suit la clé étendue\u{a0}: une clé publique ne peut pas la dériver.",
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
                "The checksum after # does not match: a character is wrong or missing. Copy it again.",
                "La somme de contrôle après # ne correspond pas\u{a0}: un caractère est faux ou manque. Copiez-le de nouveau.",
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
                "Choose how your wallet’s addresses begin. The key does not contain it.",
                "Indiquez comment commencent les adresses de votre portefeuille. La clé ne le précise pas.",
            ),
            vec![],
        ),
        DescriptorError::UnknownScriptType(_) => {
            (words("Choose one from the list.", "Choisissez dans la liste."), vec![])
        }
        DescriptorError::ScriptTypeNotNeeded => (
            words(
                "A descriptor already contains its type of address.",
                "Un descripteur contient déjà son type d’adresses.",
            ),
            vec![],
        ),
        DescriptorError::Unsafe(_) => (
            words(
                "The script of this descriptor is not safe: others could spend the money, or nobody could.",
                "Le script de ce descripteur n’est pas sûr\u{a0}: d’autres pourraient en dépenser l’argent, ou personne.",
            ),
            vec![],
        ),
        DescriptorError::Malformed(_) => (
            words(
                "This is neither an output descriptor nor an extended public key. A single address is not enough: every charge needs its own.",
                "Ce n’est ni un descripteur de sortie ni une clé publique étendue. Une adresse seule ne suffit pas\u{a0}: chaque encaissement a la sienne.",
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
