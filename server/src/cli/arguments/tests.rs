use clap::CommandFactory as _;

use super::*;

fn parsed(line: &[&str]) -> Command {
    let arguments = Arguments::try_parse_from(line).unwrap();
    match arguments.action {
        Do::Merchant { action } => merchant_command(action).unwrap().0,
        Do::Charge { action } => charge_command(action).0,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_arguments_contradict_each_other_nowhere() {
    Arguments::command().debug_assert();
}

#[test]
fn every_setting_of_a_merchant_is_an_option() {
    for setting in SETTINGS {
        let option = format!("--{}", setting.name.replace('_', "-"));
        let Command::AddMerchant(edit) = parsed(&["bitpro", "merchant", "add", &option, "-1"]) else {
            panic!("not the command that was written");
        };
        assert_eq!(edit.settings, [(setting.name.to_owned(), "-1".to_owned())]);
    }
}

#[test]
fn domains_may_be_given_one_by_one() {
    let line = [
        "bitpro",
        "merchant",
        "add",
        "--allowed-origin",
        "a.example",
        "--allowed-origin",
        "b.example",
    ];
    let Command::AddMerchant(edit) = parsed(&line) else {
        panic!("not the command that was written");
    };
    assert_eq!(
        edit.settings,
        [("allowed_origins".to_owned(), "a.example b.example".to_owned())]
    );
}

#[test]
fn a_charge_is_accepted_by_its_payments_and_sequence() {
    assert_eq!(
        parsed(&["bitpro", "charge", "accept", "x", "t:0", "t:1", "--sequence", "7"]),
        Command::AcceptCharge {
            id: "x".to_owned(),
            outpoints: vec!["t:0".to_owned(), "t:1".to_owned()],
            sequence: Some(7),
        }
    );
}

#[test]
fn a_logo_that_cannot_be_read_is_told_before_anything_is_done() {
    let arguments = Arguments::try_parse_from(["bitpro", "merchant", "add", "--logo", "/nowhere/logo.png"]).unwrap();
    let Do::Merchant { action } = arguments.action else {
        panic!("not the command that was written");
    };
    assert!(merchant_command(action).unwrap_err().contains("/nowhere/logo.png"));
}
