//! The operator's look at the clock, and their word on it (R32).

use bitpro_base::instants::instant;
use bitpro_service::charges::Charges;
use serde_json::{Value, json};

use super::wire::Reply;

/// How the time that was seen stands to the machine's clock.
pub(super) fn show(charges: &Charges) -> Reply {
    Ok(report(charges))
}

/// Takes the machine's clock as right. A running server answers first, and begins anew then.
pub(super) async fn accept(charges: &Charges) -> Reply {
    let mut report = report(charges);
    if charges.clock_report().ahead_secs <= 0 {
        report["accepted"] = json!("nothing");
    } else if charges.begin_anew() {
        report["accepted"] = json!("begins-anew");
    } else {
        let accepted = charges.accept_clock().await?;
        let ids = |ids: &[bitpro_charge::ChargeId]| ids.iter().map(|id| json!(id.to_string())).collect::<Value>();
        report["accepted"] = json!("done");
        report["withdrawn"] = ids(&accepted.withdrawn);
        report["kept"] = ids(&accepted.kept);
    }
    Ok(report)
}

fn report(charges: &Charges) -> Value {
    let clock = charges.clock_report();
    json!({
        "time": instant(clock.now),
        "machine": instant(clock.shown),
        "ahead_secs": clock.ahead_secs,
    })
}
