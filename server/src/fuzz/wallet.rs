//! Wallets as merchants paste them: a wrong one that is taken loses money.

use bitcoin::address::NetworkUnchecked;
use bitpro_base::fuzzing::{Memory, Target, assert_fit_to_show, first_line, text};
use bitpro_charge::Network;
use bitpro_merchant::wallet::{Receive, WalletText, address_of};

pub(super) const TARGETS: &[Target] = &[Target::new(
    "descriptor",
    6_000,
    &[
        "wpkh(", "tr(", "sh(", "wsh(", "sortedmulti(2,", "multi(1,", "pk(", "or_i(", "and_v(", "/0/*", "/<0;1>/*", "/*h", "'", "#", ")", "{", "}", ",",
        "[73c5da0a/84h/0h/0h]",
        "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ",
        "tpubDD7tXK8KeQ3YY83yWq755fHY2JW8Ha8Q765tknUM5rSvjPcGWfUppDFMpQ1ScziKfW3ZNtZvAD7M3u7bSs7HofjTD3KP3YxPK7X6hwV8Rk2",
    ],
    descriptor,
)
.within(Memory {
    // A derivation keeps its tables.
    base: 4 * 1024 * 1024,
    per_byte: 1_024,
    times: 64,
})];

/// A descriptor that is taken has one normal form, and addresses that are those of its network (R27).
fn descriptor(input: &[u8]) {
    let (script_type, wallet) = first_line(input);
    let (Some(script_type), Some(wallet)) = (text(script_type), text(wallet)) else {
        return;
    };
    let wallet = WalletText {
        text: wallet.to_owned(),
        script_type: Some(script_type.to_owned()),
    };
    for network in [Network::Mainnet, Network::Regtest] {
        let taken = match Receive::parse(&wallet, network) {
            Ok(taken) => taken,
            Err(error) => {
                assert_fit_to_show(&error.to_string());
                continue;
            }
        };
        let again = Receive::from_descriptor(taken.text(), network).expect("the normal form is taken");
        assert_eq!(again.text(), taken.text(), "R27: one normal form");
        assert!(
            !["xprv", "tprv"].iter().any(|key| taken.text().contains(key)),
            "R27: public keys only"
        );
        assert!(!taken.text().contains('['), "no origin");
        let [first, second] = [0, 1].map(|index| taken.derive(index).expect("an address"));
        assert_eq!(again.derive(0).as_ref(), Some(&first));
        assert_ne!(
            first.script, second.script,
            "R27: every charge gets an address of its own"
        );
        assert_eq!(
            address_of(&first.script, network).as_deref(),
            Some(first.address.as_str())
        );
        let address: bitcoin::Address<NetworkUnchecked> = first.address.parse().expect("an address");
        let wanted = match network {
            Network::Mainnet => bitcoin::Network::Bitcoin,
            _ => bitcoin::Network::Regtest,
        };
        let address = address.require_network(wanted).expect("R42: of this network");
        assert_eq!(address.script_pubkey().as_bytes(), first.script);
    }
}
