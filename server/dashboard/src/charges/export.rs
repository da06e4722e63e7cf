//! The export for the accountant: CSV (RFC 4180), one line a charge, written while it is read.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bitpro_charge::{Cents, Charge, Payment};
use bitpro_checkout_app::format::plain_euros;
use bitpro_limits::{ExportPermit, TooManyExports};
use bitpro_merchant::times;
use bitpro_merchant::{Permission, Role, Zone};
use bitpro_service::accounts::Token;
use bitpro_service::charges::{Found, FoundCharge, Place, Search};
use bitpro_store::StoreError;
use bitpro_web::LongLived;
use bitpro_web::app::App;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, StatusCode, header};

use super::filters::Filters;
use super::wording::email_for;
use super::{list_path, member};
use crate::money;
use crate::refusals::Refusal;
use crate::route::{Member, Reply, Request, see_other};

/// Charges that are read at a time: enough to be quick, few enough to be held.
const GROUP: u32 = 500;

/// The columns. Their names are the same in every language, so that a spreadsheet can rely on them.
const COLUMNS: [&str; 25] = [
    "charge_id",
    "created_at",
    "state",
    "reason",
    "order_id",
    "buyer_email",
    "price_eur",
    "amount_sat",
    "quote_rate_eur_per_btc",
    "quote_source",
    "quote_at",
    "spread_bps",
    "received_sat",
    "received_eur_at_quote",
    "received_eur_at_payment",
    "payment_count",
    "first_payment_at",
    "last_payment_at",
    "txids",
    "address",
    "confirmations_required",
    "expires_at",
    "origin",
    "order_conflict",
    "confirmed_sat",
];

/// `GET /dashboard/{merchant}/charges.csv`: who asks for it, and for what, stands in the log before the first line is read.
pub(super) fn download(request: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async move {
        let member = member(&request)?;
        let filters = Filters::read(&request.query);
        let Ok(search) = filters.search(&request, &member) else {
            // The list says what is wrong, next to the field.
            let list = see_other(&filters.link(&list_path(member.merchant.id), None));
            return Ok(list.unchanged());
        };
        let person = request.person()?;
        let token = person.token.clone();
        let permit = request.app.limits.exports.begin(person.account);
        let permit = permit.map_err(|error| match error {
            TooManyExports::OfThisAccount => Refusal::TooManyExports,
            TooManyExports::OfAll => Refusal::BUSY,
        })?;
        let today = times::day_of(request.app.charges.now(), &member.merchant.settings.time_zone);
        let name = format!("attachment; filename=\"charges-{today}.csv\"");
        let response = response(Export::new(request.app, permit, token, member, search), &name);
        Ok(Reply::from(response).changed(filters.told()))
    })
}

fn response(export: Export, name: &str) -> Response {
    let groups = futures::stream::unfold(export, |mut export| async move {
        let group = export.next().await?;
        Some((group, export))
    });
    let mut response = (StatusCode::OK, Body::from_stream(groups)).into_response();
    response.extensions_mut().insert(LongLived);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
    );
    let name = HeaderValue::try_from(name).expect("a date makes a header");
    headers.insert(header::CONTENT_DISPOSITION, name);
    response
}

/// Where the export is.
enum At {
    Head,
    Group(Option<Place>),
    End,
}

/// Why a download is cut.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the export was ended: its requester lost access")]
    NoLonger,
}

struct Export {
    app: App,
    permit: ExportPermit,
    /// The session that asked for it, and ends it.
    token: Token,
    member: Member,
    search: Search,
    at: At,
}

impl Export {
    const fn new(app: App, permit: ExportPermit, token: Token, member: Member, search: Search) -> Self {
        Self {
            app,
            permit,
            token,
            member,
            search,
            at: At::Head,
        }
    }

    /// The next lines; `None` at the end. After an error the download is cut, so that half a file is not taken for a whole one.
    async fn next(&mut self) -> Option<Result<Bytes, Cut>> {
        let after = match std::mem::replace(&mut self.at, At::End) {
            At::Head => {
                self.at = At::Group(None);
                return Some(Ok(lines([COLUMNS.map(str::to_owned)])));
            }
            At::Group(after) => after,
            At::End => return None,
        };
        let found = match self.found(after).await {
            Ok(found) => found,
            Err(cut) => {
                match &cut {
                    Cut::Store(error) => tracing::error!(%error, "the store failed an export"),
                    Cut::NoLonger => tracing::warn!(merchant = %self.member.merchant.id, "{cut}"),
                }
                return Some(Err(cut));
            }
        };
        if let Some(next) = found.next {
            self.at = At::Group(Some(next));
        } else if found.charges.is_empty() && found.unreadable.is_empty() {
            return None;
        }
        let zone = &self.member.merchant.settings.time_zone;
        let (role, tip) = (self.member.role, self.app.charges.tip_height());
        let read = found.charges.iter().map(|found| line(found, zone, role, tip));
        // A line without its figures says that one is missing in the sum.
        let unreadable = found.unreadable.iter().map(|id| {
            let mut line = [const { String::new() }; COLUMNS.len()];
            (line[0], line[2]) = (id.to_string(), "unreadable".to_owned());
            line
        });
        Some(Ok(lines(read.chain(unreadable))))
    }

    /// The next charges, for whoever would be let in now: a slow reader may take an hour, in which the session may have ended and the
    /// person have left the team.
    async fn found(&self, after: Option<Place>) -> Result<Found, Cut> {
        let _turn = self.permit.turn().await;
        let found = self.app.charges.search(&self.search, after, GROUP).await?;
        let merchant = self.member.merchant.id;
        let accounts = &self.app.accounts;
        if accounts.is_still_in(&self.token, merchant, Permission::Export).await? {
            Ok(found)
        } else {
            Err(Cut::NoLonger)
        }
    }
}

pub(crate) fn lines(records: impl IntoIterator<Item = [String; COLUMNS.len()]>) -> Bytes {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for record in records {
        let record = record.map(defused);
        writer.write_record(&record).expect("writing to memory does not fail");
    }
    writer.into_inner().expect("writing to memory does not fail").into()
}

fn line(found: &FoundCharge, zone: &Zone, role: Role, tip: u32) -> [String; COLUMNS.len()] {
    let FoundCharge { snapshot, personal, .. } = found;
    let charge = &snapshot.charge;
    let terms = &charge.terms;
    let own = |payment: &&Arc<Payment>| payment.is_live() && charge.is_own(payment);
    let live: Vec<&Arc<Payment>> = charge.payments.iter().filter(own).collect();
    let seen = || live.iter().map(|payment| payment.first_seen.latest);
    let txids: Vec<String> = live.iter().map(|payment| payment.outpoint.txid.to_string()).collect();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    [
        charge.id.to_string(),
        times::local(terms.created_at, zone),
        charge.state.to_string(),
        text(charge.reason.map(bitpro_charge::Reason::as_str)),
        text(snapshot.order_id.as_deref()),
        personal
            .buyer_email
            .as_deref()
            .map(|email| email_for(role, email))
            .unwrap_or_default(),
        plain_euros(terms.price.0),
        terms.amount.to_sat().to_string(),
        plain_euros(terms.quote.rate.cents_per_btc()),
        terms.quote.source.clone(),
        times::local(terms.quote.at, zone),
        terms.spread_bps.to_string(),
        charge.received().to_sat().to_string(),
        plain_euros(money::worth(charge.received(), terms.quote.rate).0),
        worth_when_paid(&live)
            .map(|cents| plain_euros(cents.0))
            .unwrap_or_default(),
        live.len().to_string(),
        seen().min().map(|at| times::local(at, zone)).unwrap_or_default(),
        seen().max().map(|at| times::local(at, zone)).unwrap_or_default(),
        txids.join(" "),
        charge.address.clone(),
        required(charge).to_string(),
        times::local(charge.deadline, zone),
        snapshot.origin.as_str().to_owned(),
        if found.order_conflict { "yes" } else { "no" }.to_owned(),
        charge.confirmed(tip).to_sat().to_string(),
    ]
}

const fn required(charge: &Charge) -> u32 {
    charge.required
}

/// What the payments were worth when each was first seen (R44); `None` when there was no fresh rate for one of them: a sum
/// without it would be wrong.
fn worth_when_paid(live: &[&Arc<Payment>]) -> Option<Cents> {
    let mut sum = 0_u64;
    for payment in live {
        sum = sum.saturating_add(money::worth(payment.value, payment.rate.as_ref()?.rate).0);
    }
    Some(Cents(sum))
}

/// A field that no spreadsheet takes for a formula, whatever a shopper wrote into their order id. Some drop the spaces before one,
/// some take its wide characters or the quotes before one, and where commas are decimal, as in France, they part a line at its semicolons. Then a quote in the
/// middle of a line is no quote, and a line ends where a field breaks.
fn defused(field: String) -> String {
    const BREAKS: [char; 3] = [';', '\r', '\n'];
    let is_formula = |part: &str| {
        part.starts_with(['\t', '\r', '\n'])
            || part
                .trim_start_matches(|c: char| c.is_whitespace() || c == '"')
                .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
    };
    let defused = field.split_inclusive(BREAKS).map(|part| {
        if is_formula(part) {
            format!("'{part}")
        } else {
            part.to_owned()
        }
    });
    defused.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula() {
        for (field, written) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r'=1"),
            (" =1", "' =1"),
            ("＝1", "'＝1"),
            ("A;=1;B;-2", "A;'=1;B;'-2"),
            ("\n=1", "'\n'=1"),
            ("a\n=1", "a\n'=1"),
            ("a\r\n-1;+1", "a\r'\n'-1;'+1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠SUM(A1)", "'＠SUM(A1)"),
            ("A;\"=1;B", "A;'\"=1;B"),
            ("\" \"=1", "'\" \"=1"),
            ("A-1", "A-1"),
            ("A; B=1", "A; B=1"),
            ("", ""),
        ] {
            assert_eq!(defused(field.to_owned()), written);
        }
    }

    #[test]
    fn lines_are_those_of_rfc_4180() {
        let mut record = [const { String::new() }; COLUMNS.len()];
        record[0] = "a,\"b\"\nc".to_owned();
        record[1] = "=é".to_owned();
        let written = lines([record]);
        let written = std::str::from_utf8(&written).unwrap();
        assert!(written.starts_with("\"a,\"\"b\"\"\nc\",'=é,,"), "{written}");
        assert!(written.ends_with(",\r\n"), "{written}");
    }
}
