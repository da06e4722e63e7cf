//! The domains that may show the payment page in a frame (R24, R41), and a tester that says whether a given page may.

use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{AllowedOrigin, Language, MOST_ORIGINS, OriginError, SettingsPatch};
use bitpro_service::charges::MerchantChanges;
use http::StatusCode;
use maud::{Markup, html};

use super::Answering;
use super::change::change_merchant;
use super::frame::{self, Tab, below, may_change};
use super::frame_test::{Verdict, judge};
use crate::field::{Errors, Field};
use crate::layout::csrf;
use crate::refusals::Refusal;
use crate::route::{Member, Reply, Request};

/// `GET /dashboard/{merchant}/settings/domains`: with `?page=`, says whether that page may frame the checkout.
pub(super) fn show(request: Request) -> Answering {
    Box::pin(async move {
        let listed = lines(&request.member()?.merchant.settings.allowed_origins);
        draw(&request, StatusCode::OK, &listed, &Errors::none())
    })
}

/// `POST /dashboard/{merchant}/settings/domains`
pub(super) fn save(request: Request) -> Answering {
    Box::pin(async move {
        let typed = request.form.raw("origins");
        let origins = match read(typed, request.language) {
            Ok(origins) => origins,
            Err(why) => return refused(&request, typed, why),
        };
        if origins == request.member()?.merchant.settings.allowed_origins {
            return Ok(frame::unchanged(request.member()?, Tab::Domains, "saved"));
        }
        let changes = MerchantChanges {
            settings: SettingsPatch {
                allowed_origins: Some(origins.clone()),
                ..SettingsPatch::default()
            },
            ..MerchantChanges::default()
        };
        saved(&request, changes, &origins, typed).await
    })
}

/// `POST /dashboard/{merchant}/settings/domains/add`: one more, offered by the page itself.
pub(super) fn add(request: Request) -> Answering {
    Box::pin(async move {
        let listed = &request.member()?.merchant.settings.allowed_origins;
        let typed = request.form.text("origin");
        let shown = lines(listed) + "\n" + typed;
        let more = match read(typed, request.language) {
            Ok(more) => more,
            Err(why) => return refused(&request, &shown, why),
        };
        if more.iter().all(|origin| listed.contains(origin)) {
            return Ok(frame::unchanged(request.member()?, Tab::Domains, "saved"));
        }
        // Only what is new is sent: what somebody else lists at the same time stays.
        let changes = MerchantChanges {
            more_origins: more.clone(),
            ..MerchantChanges::default()
        };
        saved(&request, changes, &more, &shown).await
    })
}

/// Makes `changes`; `said` of them goes to the log.
async fn saved(
    request: &Request,
    changes: MerchantChanges,
    said: &[AllowedOrigin],
    typed: &str,
) -> Result<Reply, Refusal> {
    match change_merchant(request, changes).await? {
        Ok(()) => Ok(frame::done(request.member()?, Tab::Domains, "saved", joined(said))),
        Err(_) => refused(request, typed, TOO_MANY.of(request.language)),
    }
}

fn refused(request: &Request, typed: &str, why: impl Into<String>) -> Result<Reply, Refusal> {
    let errors = Errors::of("origins", why);
    draw(request, StatusCode::UNPROCESSABLE_ENTITY, typed, &errors)
}

/// The origins in `typed`, one a line; commas and spaces part them as well.
fn read(typed: &str, lang: Language) -> Result<Vec<AllowedOrigin>, String> {
    let mut origins: Vec<AllowedOrigin> = Vec::new();
    let mut faults: Vec<String> = Vec::new();
    for (number, line) in typed.lines().enumerate() {
        for word in line.split([' ', ',', ';', '\t']).filter(|word| !word.is_empty()) {
            match word.parse() {
                Ok(origin) if origins.contains(&origin) => {}
                Ok(origin) => origins.push(origin),
                Err(error) => {
                    let fault = LINE.of(lang).replace("{line}", &(number + 1).to_string());
                    faults.push(fault.replace("{word}", word) + " " + why(error).of(lang));
                }
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults.join(" "));
    }
    if origins.len() > MOST_ORIGINS {
        return Err(TOO_MANY.of(lang).to_owned());
    }
    Ok(origins)
}

fn lines(origins: &[AllowedOrigin]) -> String {
    let lines: Vec<String> = origins.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The list, for the audit log.
fn joined(origins: &[AllowedOrigin]) -> String {
    lines(origins).replace('\n', " ")
}

fn draw(request: &Request, status: StatusCode, typed: &str, errors: &Errors) -> Result<Reply, Refusal> {
    let member = request.member()?;
    let lang = request.language;
    let is_locked = !may_change(member, Tab::Domains);
    let path = below(member, Tab::Domains.path());
    let content = html! {
        (errors.summary(lang))
        section.panel aria-labelledby="list" {
            h2 #list { (LIST.of(lang)) }
            p { (EXPLAINED.of(lang)) }
            form method="post" action=(path) {
                (csrf(request))
                (Field::new("origins", LIST_LABEL.of(lang))
                    .value(typed).hint(LIST_HINT.of(lang)).errors(errors).locked(is_locked).textarea(6))
                @if !is_locked { button.main type="submit" { (SAVE.of(lang)) } }
            }
            @if !is_locked { (siblings(request, member, &path)) }
        }
        section.panel aria-labelledby="tester" {
            h2 #tester { (TESTER.of(lang)) }
            form method="get" action=(path) {
                (Field::new("page", PAGE_LABEL.of(lang))
                    .value(request.query.text("page")).hint(PAGE_HINT.of(lang)).inputmode("url").input())
                button type="submit" { (TEST.of(lang)) }
            }
            (verdict(request, member, &path, is_locked))
        }
    };
    frame::page(request, status, Tab::Domains, &[("saved", SAVED)], &content)
}

/// Offers the siblings that are not listed: shoppers arrive under both, and one does not cover the other (R41).
fn siblings(request: &Request, member: &Member, path: &str) -> Markup {
    let lang = request.language;
    let listed = &member.merchant.settings.allowed_origins;
    let missing = listed.iter().filter_map(|origin| {
        let sibling = origin.sibling()?;
        let is_covered = member.merchant.allows(&sibling.to_string());
        (!is_covered).then_some((origin, sibling))
    });
    html! {
        @for (origin, sibling) in missing {
            form.offer method="post" action={ (path) "/add" } {
                (csrf(request))
                input type="hidden" name="origin" value=(sibling);
                span { (NOT_COVERED.of(lang).replace("{listed}", &origin.to_string()).replace("{sibling}", &sibling.to_string())) }
                " "
                button type="submit" { (ADD.of(lang)) " " (sibling) }
            }
        }
    }
}

fn verdict(request: &Request, member: &Member, path: &str, is_locked: bool) -> Markup {
    let lang = request.language;
    let page = request.query.text("page");
    if page.is_empty() {
        return html! {};
    }
    match judge(page, &member.merchant) {
        Verdict::Allowed { origin, by } => html! {
            p.note.good #verdict role="status" {
                (ALLOWED.of(lang).replace("{origin}", &origin).replace("{entry}", &by))
            }
        },
        Verdict::Missing(origin) => html! {
            div.note.bad #verdict role="status" {
                p { (MISSING.of(lang).replace("{origin}", &origin)) }
                @if !is_locked {
                    form method="post" action={ (path) "/add" } {
                        (csrf(request))
                        input type="hidden" name="origin" value=(origin);
                        button type="submit" { (ADD.of(lang)) " " (origin) }
                    }
                }
            }
        },
        Verdict::Impossible(error) => html! {
            p.note.bad #verdict role="status" { (NEVER.of(lang)) " " (why(error).of(lang)) }
        },
    }
}

/// Why a text is no origin.
fn why(error: OriginError) -> Words {
    match error {
        OriginError::Malformed => words(
            "Enter a host name, with a port if needed, such as shop.example or shop.example:8443.",
            "Saisissez un nom d’hôte, avec un port si besoin, comme boutique.example ou boutique.example:8443.",
        ),
        OriginError::Insecure => words(
            "Only https pages can show the checkout. Use http for localhost only.",
            "Seules les pages https peuvent afficher le paiement. http est réservé à localhost.",
        ),
        OriginError::NotOnlyAnOrigin => words(
            "Leave out the path, the query and the user name.",
            "Retirez le chemin, les paramètres et le nom d’utilisateur.",
        ),
        OriginError::Wildcard => words(
            "Put the star before a domain to allow all its subdomains, such as *.shop.example.",
            "Placez l’étoile devant un domaine pour autoriser tous ses sous-domaines, comme *.boutique.example.",
        ),
        OriginError::Public => words(
            "Other people own domains below this one. Put the star before your own, such as *.shop.example.",
            "Des inconnus ont des domaines sous celui-ci. Placez l’étoile devant le vôtre, comme *.boutique.example.",
        ),
    }
}

const LIST: Words = words(
    "Domains that may show the payment page",
    "Domaines autorisés à afficher la page de paiement",
);
const EXPLAINED: Words = words(
    "The widget shows the payment page in a frame on your own page. Browsers allow that only on the domains listed here. Direct links need no entry.",
    "Le widget affiche la page de paiement dans un cadre de votre page. Les navigateurs ne le permettent que sur les domaines indiqués ici. Les liens directs n’ont besoin d’aucune entrée.",
);
const LIST_LABEL: Words = words("Allowed domains, one per line", "Domaines autorisés, un par ligne");
const LIST_HINT: Words = words(
    "For example shop.example, www.shop.example, *.shop.example for all subdomains, or shop.example:8443. https is implied. Names in other scripts are stored in their ASCII form (xn--…).",
    "Par exemple boutique.example, www.boutique.example, *.boutique.example pour tous les sous-domaines, ou boutique.example:8443. https est sous-entendu. Les noms accentués sont enregistrés sous leur forme ASCII (xn--…).",
);
const SAVE: Words = words("Save", "Enregistrer");
const SAVED: Words = words("Domains saved.", "Domaines enregistrés.");
pub(crate) const LINE: Words = words("Line {line}, “{word}”:", "Ligne {line}, « {word} » :");
const TOO_MANY: Words = words(
    "You can list up to 50 domains. *.shop.example covers all subdomains.",
    "Vous pouvez indiquer jusqu’à 50 domaines. *.boutique.example couvre tous les sous-domaines.",
);
const NOT_COVERED: Words = words(
    "{listed} does not cover {sibling}.",
    "{listed} ne couvre pas {sibling}.",
);
const ADD: Words = words("Add", "Ajouter");
const TESTER: Words = words("Will it work on my page?", "Cela fonctionnera-t-il sur ma page ?");
const PAGE_LABEL: Words = words(
    "Address of the page with the button",
    "Adresse de la page où se trouve le bouton",
);
const PAGE_HINT: Words = words("As your browser shows it.", "Telle que votre navigateur l’affiche.");
const TEST: Words = words("Test", "Tester");
const ALLOWED: Words = words(
    "Yes: pages on {origin} can show the checkout, because of the entry {entry}.",
    "Oui\u{a0}: les pages de {origin} peuvent afficher le paiement, grâce à l’entrée {entry}.",
);
const MISSING: Words = words(
    "No: {origin} is not on the list. Shoppers would see a notice instead of the payment page.",
    "Non\u{a0}: {origin} n’est pas dans la liste. Vos clients verraient un avis à la place de la page de paiement.",
);
const NEVER: Words = words(
    "Pages like this cannot show the checkout.",
    "Les pages de ce genre ne peuvent pas afficher le paiement.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_line_is_named() {
        let origins = read("shop.example\r\n\r\n*.shop.example, bücher.example", Language::En).unwrap();
        assert_eq!(
            lines(&origins),
            "https://shop.example\nhttps://*.shop.example\nhttps://xn--bcher-kva.example"
        );
        let faults = read("shop.example\nhttp://a.example\nb.example/path", Language::Fr).unwrap_err();
        let second = LINE.fr.replace("{line}", "2").replace("{word}", "http://a.example");
        assert!(faults.contains(&second), "{faults}");
        let begins = |line| LINE.fr.split_once("{word}").unwrap().0.replace("{line}", line);
        assert!(
            faults.contains(&begins("3")) && !faults.contains(&begins("1")),
            "{faults}"
        );
    }

    #[test]
    fn a_list_has_an_end() {
        let many: Vec<String> = (0..=MOST_ORIGINS).map(|n| format!("a{n}.example")).collect();
        assert_eq!(read(&many.join("\n"), Language::En), Err(TOO_MANY.en.to_owned()));
        assert_eq!(read("", Language::En), Ok(Vec::new()));
    }
}
