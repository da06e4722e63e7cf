//! What people do to a charge: the forms, and carrying them out.

use bitpro_base::name;
use bitpro_charge::{Charge, Outpoint, State};
use bitpro_checkout_app::format::shortened;
use bitpro_merchant::Permission;
use bitpro_merchant::times::{self, Times};
use bitpro_merchant::words::{Words, words};
use bitpro_service::charges::{CommandError, ManualChange, Note, Snapshot};
use futures::future::BoxFuture;
use http::StatusCode;
use maud::{Markup, html};

use super::{charge_path, conflict, member, own_charge, show};
use crate::refusals::Refusal;
use crate::route::{Member, Reply, Request, changed};
use crate::{layout, money};

/// The longest note, in characters.
const NOTE_CHARS: usize = 2_000;

const DECIDE: Words = words("Decide", "Décider");
const ACCEPT: Words = words("Accept this money", "Accepter cet argent");
const ACCEPT_HELP: Words = words(
    "Waives the amount and the deadline: the payments that you choose here are enough. They still need their confirmations. The shopper’s page and your webhooks will then show the charge as paid.",
    "Lève les exigences de montant et de délai\u{a0}: les paiements choisis ici suffisent. Leurs confirmations restent nécessaires. La page du client et vos webhooks indiqueront alors que l’encaissement est payé.",
);
const WHICH: Words = words("Which payments?", "Quels paiements\u{202f}?");
const CANCEL: Words = words("Cancel the charge", "Annuler l’encaissement");
const CANCEL_HELP: Words = words(
    "The shopper is no longer asked to pay. Money that arrives later is shown here, but never accepted automatically.",
    "Le client n’est plus invité à payer. L’argent qui arriverait plus tard s’affiche ici, mais n’est jamais accepté automatiquement.",
);
const NOTE: Words = words("Your note", "Votre note");
const NOTE_HELP: Words = words(
    "Only your team sees it. Up to 2,000 characters. To delete the note, leave it empty.",
    "Visible par votre équipe uniquement, 2\u{202f}000 caractères au plus. Pour supprimer la note, laissez-la vide.",
);
const SAVE: Words = words("Save the note", "Enregistrer la note");
const WRITTEN: Words = words("written", "écrite");
const NO_NOTE: Words = words("No note.", "Aucune note.");
const ERASE: Words = words("Erase personal data", "Effacer les données personnelles");
const ERASE_HELP: Words = words(
    "Erases the shopper’s e-mail address, the metadata from your server, the ignored parts of the link, and your note. The money and its history stay. You cannot undo this.",
    "Efface l’adresse e-mail du client, les métadonnées de votre serveur, les éléments du lien ignorés et votre note. L’argent et son historique restent. Cette action est irréversible.",
);
const ERASE_SURE: Words = words("Yes, erase them", "Oui, les effacer");
const NONE_CHOSEN: Words = words("Choose at least one payment.", "Choisissez au moins un paiement.");
const TOO_LONG: Words = words(
    "The note has more than 2,000 characters.",
    "La note dépasse 2\u{202f}000 caractères.",
);
const NOT_SURE: Words = words("Tick the box first.", "Cochez d’abord la case.");

/// What was typed into the forms of the page, and is wrong.
#[derive(Debug, Default)]
pub(super) struct Typed {
    note: Option<String>,
    note_fault: Option<Words>,
    accept_fault: Option<Words>,
    erase_fault: Option<Words>,
}

/// `POST /dashboard/{merchant}/charges/{charge}/accept`
pub(super) fn accept(request: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async move {
        let member = member(&request)?;
        let snapshot = own_charge(&request, &member).await?;
        let sequence = sequence(&request)?;
        let outpoints: Result<Vec<Outpoint>, _> = request.form.all("payment").map(str::parse).collect();
        let outpoints = outpoints.map_err(|_| Refusal::malformed_form(StatusCode::BAD_REQUEST))?;
        if outpoints.is_empty() {
            let typed = Typed {
                accept_fault: Some(NONE_CHOSEN),
                ..Typed::default()
            };
            return wrong(&request, &member, &snapshot, &typed).await;
        }
        let change = ManualChange::Accept { outpoints, sequence };
        carry_out(&request, &member, &snapshot, change, "accepted", sequence).await
    })
}

/// `POST /dashboard/{merchant}/charges/{charge}/cancel`
pub(super) fn cancel(request: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async move {
        let member = member(&request)?;
        let snapshot = own_charge(&request, &member).await?;
        let sequence = sequence(&request)?;
        let change = ManualChange::Cancel { sequence };
        carry_out(&request, &member, &snapshot, change, "cancelled", sequence).await
    })
}

/// `POST /dashboard/{merchant}/charges/{charge}/note`
pub(super) fn note(request: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async move {
        let member = member(&request)?;
        let snapshot = own_charge(&request, &member).await?;
        // Browsers send line ends as two characters, and count them as one.
        let text = request.form.text("note").replace("\r\n", "\n");
        if text.chars().count() > NOTE_CHARS {
            let typed = Typed {
                note: Some(text),
                note_fault: Some(TOO_LONG),
                ..Typed::default()
            };
            return wrong(&request, &member, &snapshot, &typed).await;
        }
        carry_out(&request, &member, &snapshot, ManualChange::Note(text), "noted", 0).await
    })
}

/// `POST /dashboard/{merchant}/charges/{charge}/erase`
pub(super) fn erase(request: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async move {
        let member = member(&request)?;
        let snapshot = own_charge(&request, &member).await?;
        if !request.form.has("sure") {
            let typed = Typed {
                erase_fault: Some(NOT_SURE),
                ..Typed::default()
            };
            return wrong(&request, &member, &snapshot, &typed).await;
        }
        carry_out(&request, &member, &snapshot, ManualChange::ErasePersonal, "erased", 0).await
    })
}

/// The charge's sequence as the page showed it.
fn sequence(request: &Request) -> Result<u64, Refusal> {
    let sequence = request.form.text("sequence").parse();
    sequence.map_err(|_| Refusal::malformed_form(StatusCode::BAD_REQUEST))
}

async fn wrong(request: &Request, member: &Member, snapshot: &Snapshot, typed: &Typed) -> Result<Reply, Refusal> {
    show::page(request, member, snapshot, typed, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// Does `change`, and leads to the charge; `seen` is the sequence that the person decided by.
async fn carry_out(
    request: &Request,
    member: &Member,
    snapshot: &Snapshot,
    change: ManualChange,
    done: &str,
    seen: u64,
) -> Result<Reply, Refusal> {
    let (merchant, id) = (member.merchant.id, snapshot.charge.id);
    let what = said(snapshot, &change);
    match request.app.charges.change_manually(merchant, id, change).await {
        Ok(_) => Ok(changed(&format!("{}?done={done}", charge_path(merchant, id)), what)),
        Err(CommandError::UnknownCharge) => Err(Refusal::UNKNOWN_CHARGE),
        Err(CommandError::ChainHeld) => conflict::page(request, member, id, conflict::CHAIN_HELD, seen).await,
        Err(CommandError::Refused(refused)) => {
            conflict::page(request, member, id, conflict::reason(refused), seen).await
        }
        Err(CommandError::Store(error)) => Err(error.into()),
    }
}

/// What is changed, for the audit log; a note's words are not for it, for they can be erased.
fn said(snapshot: &Snapshot, change: &ManualChange) -> String {
    let name = named(snapshot);
    match change {
        ManualChange::Accept { outpoints, .. } => {
            let payments: Vec<String> = outpoints.iter().map(ToString::to_string).collect();
            format!("{name}: {}", payments.join(" "))
        }
        ManualChange::Cancel { .. } | ManualChange::Note(_) | ManualChange::ErasePersonal => name,
    }
}

/// A charge in the audit log: by its id, and the order where there is one.
pub(super) fn named(snapshot: &Snapshot) -> String {
    match snapshot.order_id.as_deref() {
        Some(order_id) => format!("{} ({})", snapshot.charge.id, name::escaped(order_id)),
        None => snapshot.charge.id.to_string(),
    }
}

/// Whether there is money that does not count and could be made to.
pub(super) fn can_accept(charge: &Charge) -> bool {
    charge.counted() < charge.need() && charge.payments.iter().any(|payment| payment.is_live())
}

/// What was just done.
pub(super) fn done(request: &Request) -> Markup {
    let said = match request.query.text("done") {
        "accepted" => words(
            "Money accepted. The charge is paid once it has its confirmations.",
            "Argent accepté. L’encaissement sera payé une fois les confirmations obtenues.",
        ),
        "cancelled" => words("The charge is cancelled.", "L’encaissement est annulé."),
        "noted" => words("Note saved.", "Note enregistrée."),
        "erased" => words("Personal data erased.", "Données personnelles effacées."),
        "redelivered" => words(
            "The event is being delivered again.",
            "L’événement est de nouveau en cours de livraison.",
        ),
        "not-redelivered" => words(
            "The event was not delivered again: the webhook no longer exists.",
            "L’événement n’a pas été livré de nouveau\u{a0}: le webhook n’existe plus.",
        ),
        _ => return html! {},
    };
    let class = if request.query.text("done") == "not-redelivered" {
        "note bad"
    } else {
        "note good"
    };
    html! { p class=(class) role="status" data-done=(request.query.text("done")) { (said.of(request.language)) } }
}

/// The forms that accept and cancel, where there is something to decide.
pub(super) fn decisions(request: &Request, charge: &Charge, typed: &Typed) -> Markup {
    let accepts = can_accept(charge) || typed.accept_fault.is_some();
    let cancels = charge.state == State::Pending;
    html! {
        @if accepts || cancels {
            section.panel aria-labelledby="decide" {
                h2 #decide { (DECIDE.of(request.language)) }
                @if accepts {
                    (accept_form(request, charge, typed))
                }
                @if cancels {
                    (cancel_form(request, charge))
                }
            }
        }
    }
}

fn accept_form(request: &Request, charge: &Charge, typed: &Typed) -> Markup {
    let language = request.language;
    let live: Vec<_> = charge.payments.iter().filter(|payment| payment.is_live()).collect();
    let fault = typed.accept_fault;
    html! {
        form.field method="post" action={ (charge_path(charge.merchant, charge.id)) "/accept" } {
            (layout::csrf(request))
            (sequence_field(charge))
            p { (ACCEPT_HELP.of(language)) }
            fieldset aria-describedby=[fault.map(|_| "accept-wrong")] {
                legend { (WHICH.of(language)) }
                @for (i, payment) in live.iter().enumerate() {
                    @let id = format!("payment-{i}");
                    div.check {
                        input id=(id) type="checkbox" name="payment" value=(payment.outpoint) checked[fault.is_none()];
                        label for=(id) {
                            (money::btc(payment.value, language)) " · "
                            span.mono { (shortened(&payment.outpoint.txid.to_string())) ":" (payment.outpoint.vout) }
                        }
                    }
                }
                (wrong_text(fault, "accept-wrong", request))
            }
            button.main type="submit" { (ACCEPT.of(language)) }
        }
    }
}

fn cancel_form(request: &Request, charge: &Charge) -> Markup {
    let language = request.language;
    html! {
        form.field method="post" action={ (charge_path(charge.merchant, charge.id)) "/cancel" } {
            (layout::csrf(request))
            (sequence_field(charge))
            p { (CANCEL_HELP.of(language)) }
            button.grave type="submit" { (CANCEL.of(language)) }
        }
    }
}

fn sequence_field(charge: &Charge) -> Markup {
    html! { input type="hidden" name="sequence" value=(charge.sequence); }
}

/// The merchant's own words: to be read by all, and changed by those who may.
pub(super) fn note_section(
    request: &Request,
    member: &Member,
    charge: &Charge,
    note: Option<&Note>,
    typed: &Typed,
    times: Times<'_>,
) -> Markup {
    let language = request.language;
    let text = typed
        .note
        .as_deref()
        .or(note.map(|note| note.text.as_str()))
        .unwrap_or_default();
    let fault = typed.note_fault;
    let described = if fault.is_some() {
        "note-wrong note-hint"
    } else {
        "note-hint"
    };
    html! {
        section.panel aria-labelledby="note-title" {
            h2 #note-title { (NOTE.of(language)) }
            @if let Some(note) = note {
                p.hint { (WRITTEN.of(language)) " " time datetime=(times::machine(note.written_at)) { (times.minute(note.written_at)) } }
            }
            @if member.role.may(Permission::Accept) {
                form method="post" action={ (charge_path(charge.merchant, charge.id)) "/note" } {
                    (layout::csrf(request))
                    div.field {
                        label for="note" { (NOTE.of(language)) }
                        textarea #note name="note" rows="4" maxlength=(NOTE_CHARS) aria-describedby=(described)
                            aria-invalid=[fault.map(|_| "true")] { "\n" (text) }
                        (wrong_text(fault, "note-wrong", request))
                        p.hint #note-hint { (NOTE_HELP.of(language)) }
                    }
                    button type="submit" { (SAVE.of(language)) }
                }
            } @else if text.is_empty() {
                p { (NO_NOTE.of(language)) }
            } @else {
                p.kept-lines { (text) }
            }
        }
    }
}

/// The form that erases what may name a person.
pub(super) fn erasure(request: &Request, charge: &Charge, typed: &Typed) -> Markup {
    let language = request.language;
    let fault = typed.erase_fault;
    html! {
        section.panel aria-labelledby="erase" {
            h2 #erase { (ERASE.of(language)) }
            p { (ERASE_HELP.of(language)) }
            form method="post" action={ (charge_path(charge.merchant, charge.id)) "/erase" } {
                (layout::csrf(request))
                div.field.check {
                    input #sure type="checkbox" name="sure" value="yes" aria-invalid=[fault.map(|_| "true")]
                        aria-describedby=[fault.map(|_| "sure-wrong")];
                    label for="sure" { (ERASE_SURE.of(language)) }
                }
                (wrong_text(fault, "sure-wrong", request))
                button.grave type="submit" { (ERASE.of(language)) }
            }
        }
    }
}

fn wrong_text(fault: Option<Words>, id: &str, request: &Request) -> Markup {
    html! {
        @if let Some(fault) = fault {
            p.wrong id=(id) { (fault.of(request.language)) }
        }
    }
}
