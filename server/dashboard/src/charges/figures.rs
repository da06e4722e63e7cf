//! Volume and conversion of the last thirty days.

use bitpro_charge::{Cents, State, Timestamp};
use bitpro_merchant::times::{self, Times};
use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, Zone};
use bitpro_service::charges::Tally;
use futures::future::BoxFuture;
use http::StatusCode;
use jiff::civil::Date;
use maud::{Markup, html};

use super::chart::{self, Bar};
use super::payments::filled;
use super::{list_path, member};
use crate::refusals::Refusal;
use crate::route::{Member, Reply, Request};
use crate::{layout, money};

/// How many days are shown, today among them.
const DAYS: i32 = 30;

const TITLE: Words = words("Report: the last 30 days", "Statistiques des 30 derniers jours");
const BACK: Words = words("All charges", "Tous les encaissements");
const SUM: Words = words("Total", "Total");
const VOLUME: Words = words("Confirmed", "Confirmé");
const MADE: Words = words("Charges created", "Encaissements créés");
const PAID: Words = words("confirmed", "confirmés");
const CONVERSION: Words = words("Conversion", "Conversion");
const BY_DAY: Words = words("By day", "Par jour");
const VOLUME_BY_DAY: Words = words(
    "Confirmed volume by day, in euros",
    "Volume confirmé par jour, en euros",
);
const CONVERSION_BY_DAY: Words = words(
    "Conversion by day: share of charges that were confirmed",
    "Conversion par jour\u{a0}: part des encaissements confirmés",
);
const UP_TO: Words = words("up to {}", "jusqu’à {}");
const DAY: Words = words("Day", "Jour");
const TABLE: Words = words("Show as a table", "Afficher en tableau");
const BASIS: Words = words(
    "Each charge counts on the day it was created, at its price.",
    "Chaque encaissement est compté le jour de sa création, à son prix.",
);

/// The figures of one day.
#[derive(Debug, Clone, Copy)]
struct DayFigures {
    date: Date,
    made: u64,
    confirmed: u64,
    volume: Cents,
}

/// `GET /dashboard/{merchant}/figures`
pub(super) fn show(request: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async move {
        let member = member(&request)?;
        let zone = &member.merchant.settings.time_zone;
        let days = last_days(request.app.charges.now(), zone);
        let spans: Vec<(Timestamp, Timestamp)> = days.iter().map(|(_, begins, ends)| (*begins, *ends)).collect();
        let tallies = request.app.charges.tallies(member.merchant.id, &spans).await?;
        let dates = days.iter().map(|(date, ..)| *date);
        let figures = by_day(dates, &tallies);
        let content = content(&request, &member, &figures);
        let title = TITLE.of(request.language);
        Ok(layout::page(&request, StatusCode::OK, title, &content))
    })
}

/// The days with their spans, oldest first.
fn last_days(now: Timestamp, zone: &Zone) -> Vec<(Date, Timestamp, Timestamp)> {
    let today = times::day_of(now, zone);
    let dates = (0..DAYS).rev().filter_map(|ago| times::before(today, ago));
    dates
        .filter_map(|date| {
            let next = times::after(date)?;
            Some((date, times::start_of(date, zone)?, times::start_of(next, zone)?))
        })
        .collect()
}

fn by_day(dates: impl Iterator<Item = Date>, tallies: &[Tally]) -> Vec<DayFigures> {
    let mut days: Vec<DayFigures> = dates
        .map(|date| DayFigures {
            date,
            made: 0,
            confirmed: 0,
            volume: Cents(0),
        })
        .collect();
    for tally in tallies {
        let Some(day) = days.get_mut(tally.span) else { continue };
        day.made += tally.charges;
        if tally.state == State::Confirmed {
            day.confirmed += tally.charges;
            day.volume = Cents(day.volume.0.saturating_add(tally.price.0));
        }
    }
    days
}

/// Whole percent, rounded down: nothing looks complete that is not.
const fn percent(part: u64, whole: u64) -> Option<u64> {
    (part * 100).checked_div(whole)
}

fn share(part: u64, whole: u64) -> String {
    percent(part, whole).map_or_else(|| "–".to_owned(), |percent| format!("{percent}\u{a0}%"))
}

fn content(request: &Request, member: &Member, days: &[DayFigures]) -> Markup {
    let language = request.language;
    let times = Times::new(&member.merchant.settings.time_zone, language);
    let (made, confirmed) = days.iter().fold((0, 0), |(made, confirmed), day| {
        (made + day.made, confirmed + day.confirmed)
    });
    let volume = Cents(days.iter().map(|day| day.volume.0).fold(0, u64::saturating_add));
    html! {
        p.actions { a.button href=(list_path(member.merchant.id)) { "← " (BACK.of(language)) } }
        section.panel aria-labelledby="sum" {
            h2 #sum { (SUM.of(language)) }
            dl.facts {
                dt { (VOLUME.of(language)) } dd { (money::euros(volume, language)) }
                dt { (MADE.of(language)) } dd { (made) }
                dt { (PAID.of(language)) } dd { (confirmed) }
                dt { (CONVERSION.of(language)) } dd { (share(confirmed, made)) }
            }
            p.hint { (BASIS.of(language)) }
        }
        section.panel aria-labelledby="by-day" {
            h2 #by-day { (BY_DAY.of(language)) }
            (charts(days, times, language))
            details {
                summary { (TABLE.of(language)) }
                (table(days, times, language))
            }
        }
    }
}

fn charts(days: &[DayFigures], times: Times<'_>, language: Language) -> Markup {
    let volume = days.iter().map(|day| Bar {
        height: day.volume.0,
        says: format!("{}: {}", times.day(day.date), money::euros(day.volume, language)),
    });
    let conversion = days.iter().map(|day| Bar {
        height: percent(day.confirmed, day.made).unwrap_or(0),
        says: format!("{}: {}", times.day(day.date), share(day.confirmed, day.made)),
    });
    let highest = Cents(days.iter().map(|day| day.volume.0).max().unwrap_or(0));
    let ends = days.first().zip(days.last());
    let ends = ends.map(|(first, last)| (times.day(first.date), times.day(last.date)));
    let (first, last) = ends.unwrap_or_default();
    let up_to = |top: &str| filled(UP_TO, language, &[top]);
    html! {
        (chart::bars(VOLUME_BY_DAY.of(language), volume.collect(), highest.0, &up_to(&money::euros(highest, language)), (&first, &last)))
        (chart::bars(CONVERSION_BY_DAY.of(language), conversion.collect(), 100, &up_to("100\u{a0}%"), (&first, &last)))
    }
}

fn table(days: &[DayFigures], times: Times<'_>, language: Language) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label=(TABLE.of(language)) {
            table {
                thead {
                    tr {
                        th scope="col" { (DAY.of(language)) }
                        th.number scope="col" { (VOLUME.of(language)) }
                        th.number scope="col" { (MADE.of(language)) }
                        th.number scope="col" { (PAID.of(language)) }
                        th.number scope="col" { (CONVERSION.of(language)) }
                    }
                }
                tbody {
                    @for day in days.iter().rev() {
                        tr {
                            th scope="row" { (times.day(day.date)) }
                            td.number { (money::euros(day.volume, language)) }
                            td.number { (day.made) }
                            td.number { (day.confirmed) }
                            td.number { (share(day.confirmed, day.made)) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other_without_a_gap_also_when_the_clock_is_changed() {
        let paris: Zone = "Europe/Paris".parse().unwrap();
        // 2026-04-10T10:00:00Z, twelve days after the clock was put forward.
        let days = last_days(Timestamp(1_775_815_200_000), &paris);
        assert_eq!(days.len(), 30);
        assert!(days.windows(2).all(|pair| pair[0].2 == pair[1].1));
        assert_eq!(days[29].0.to_string(), "2026-04-10");
    }

    #[test]
    fn a_share_of_nothing_is_none_and_nothing_is_rounded_up() {
        assert_eq!(share(0, 0), "–");
        assert_eq!(share(999, 1_000), "99\u{a0}%");
    }
}
