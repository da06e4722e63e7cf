//! The team: who belongs to it, who is invited, and what each may do.

use bitpro_merchant::words::{Words, role_name, role_powers, words};
use bitpro_merchant::{Permission, Role};
use bitpro_service::accounts::{AccountError, Email, Invitation, Invitee, MemberRow};
use http::StatusCode;
use maud::{Markup, html};

use super::{Answer, EMAIL, EMAIL_ERROR, form_page, reason};
use crate::field::{Errors, Field};
use crate::layout;
use crate::refusals::Refusal;
use crate::route::{Request, changed};

const TITLE: Words = words("Team", "Équipe");
const PERSON: Words = words("Person", "Personne");
const ROLE: Words = words("Role", "Rôle");
const CHANGE: Words = words("Change", "Modifier");
const REMOVE: Words = words("Remove", "Retirer");
const LEAVE: Words = words("Leave the team", "Quitter l’équipe");
const INVITE: Words = words("Invite someone", "Inviter quelqu’un");
const SEND: Words = words("Send the invitation", "Envoyer l’invitation");
const INVITED: Words = words("Invited", "Invités");
const TAKE_BACK: Words = words("Revoke", "Révoquer");
const FACTOR: Words = words("second factor", "second facteur");
const YOU: Words = words("you", "vous");
const ROLES_TITLE: Words = words("What each role may do", "Ce que permet chaque rôle");
const TRANSFER: Words = words(
    "To hand over the shop, make someone else an owner, then leave the team or take another role.",
    "Pour transmettre la boutique, nommez quelqu’un d’autre propriétaire, puis quittez l’équipe ou prenez un autre rôle.",
);
const RULE_TITLE: Words = words("Second factor for the team", "Second facteur de l’équipe");
const RULE_ON: Words = words(
    "Everyone in this team needs a second factor. Members without one must set it up before they see anything of the shop.",
    "Toute l’équipe doit avoir un second facteur. Les membres qui n’en ont pas doivent en configurer un avant de voir la boutique.",
);
const RULE_OFF: Words = words(
    "You can require a second factor for everyone, including yourself. Members without one get an e-mail, and must set one up before they see the shop again.",
    "Vous pouvez exiger un second facteur de toute l’équipe, vous compris. Les membres qui n’en ont pas reçoivent un e-mail, et doivent en configurer un avant de revoir la boutique.",
);
const REQUIRE: Words = words("Require a second factor", "Exiger un second facteur");
const NOT_REQUIRE: Words = words("Stop requiring it", "Ne plus l’exiger");
const NO_FACTOR: Words = words("no second factor", "pas de second facteur");
const DONE: Words = words("Team updated.", "Équipe mise à jour.");

/// `GET /dashboard/{merchant}/team`
pub(super) fn show(request: Request) -> Answer {
    Box::pin(async move { page(&request, StatusCode::OK, &Errors::none()).await })
}

/// `POST /dashboard/{merchant}/team/invite`
pub(super) fn invite(request: Request) -> Answer {
    Box::pin(async move {
        let lang = request.language;
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let Some(email) = Email::read(request.form.text("email")) else {
            return page(&request, status, &Errors::of("email", EMAIL_ERROR.of(lang))).await;
        };
        let role = request
            .form
            .text("role")
            .parse::<Role>()
            .map_err(|_| Refusal::UNKNOWN_PAGE)?;
        let (login, merchant) = (&request.person()?.login, request.member()?.merchant.id);
        let done_words = format!("{email}: {role}");
        let invitee = Invitee {
            email,
            role,
            role_words: role_name(role).of(lang),
            language: lang,
        };
        let invited = request.app.accounts.invite(login, merchant, invitee);
        match invited.await {
            Ok(()) => Ok(done(&request, done_words)),
            Err(error @ (AccountError::Member | AccountError::TeamFull | AccountError::TooMany(_))) => {
                let page = page(&request, status, &Errors::of("email", reason(&error, lang))).await?;
                Ok(form_page::waiting(page, &error))
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// `POST /dashboard/{merchant}/team/invitations/{invitation}`
pub(super) fn uninvite(request: Request) -> Answer {
    Box::pin(async move {
        let id = id(&request)?;
        request.app.accounts.uninvite(request.member()?.merchant.id, id).await?;
        Ok(done(&request, String::new()))
    })
}

/// `POST /dashboard/{merchant}/team/members/{member}`
pub(super) fn set_role(request: Request) -> Answer {
    Box::pin(async move {
        let id = id(&request)?;
        let role = request
            .form
            .text("role")
            .parse::<Role>()
            .map_err(|_| Refusal::UNKNOWN_PAGE)?;
        let merchant = request.member()?.merchant.id;
        match request.app.accounts.set_role(merchant, id, role, request.client).await {
            Ok(member) => Ok(done(&request, format!("{}: {} → {role}", member.email, member.role))),
            Err(error) => refused(&request, error).await,
        }
    })
}

/// `POST /dashboard/{merchant}/team/members/{member}/remove`
pub(super) fn remove(request: Request) -> Answer {
    Box::pin(async move {
        let id = id(&request)?;
        let merchant = request.member()?.merchant.id;
        match request.app.accounts.remove(merchant, id, request.client).await {
            Ok(member) => Ok(done(&request, format!("{}: {}", member.email, member.role))),
            Err(error) => refused(&request, error).await,
        }
    })
}

/// `POST /dashboard/{merchant}/team/leave`
pub(super) fn leave(request: Request) -> Answer {
    Box::pin(async move {
        let (id, merchant) = (request.person()?.account, request.member()?.merchant.id);
        match request.app.accounts.remove(merchant, id, request.client).await {
            Ok(member) => Ok(changed("/dashboard", member.email)),
            Err(error) => refused(&request, error).await,
        }
    })
}

/// `POST /dashboard/{merchant}/team/factor`
pub(super) fn require_factor(request: Request) -> Answer {
    Box::pin(async move {
        let is_required = match request.form.text("required") {
            "yes" => true,
            "no" => false,
            _ => return Err(Refusal::UNKNOWN_PAGE),
        };
        let (accounts, merchant) = (&request.app.accounts, request.member()?.merchant.id);
        accounts.require_factor(merchant, is_required, request.client).await?;
        Ok(done(
            &request,
            if is_required { "required" } else { "not required" }.to_owned(),
        ))
    })
}

fn done(request: &Request, what: String) -> crate::route::Reply {
    let merchant = request.member.as_ref().map(|member| member.merchant.id.to_string());
    changed(
        &format!("/dashboard/{}/team?done=1", merchant.unwrap_or_default()),
        what,
    )
}

async fn refused(request: &Request, error: AccountError) -> Result<crate::route::Reply, Refusal> {
    match error {
        AccountError::LastOwner => {
            let errors = Errors::of("member", reason(&error, request.language));
            page(request, StatusCode::CONFLICT, &errors).await
        }
        error => Err(error.into()),
    }
}

fn id(request: &Request) -> Result<[u8; 16], Refusal> {
    let named = request.params.first().map(String::as_str).unwrap_or_default();
    let mut id = [0; 16];
    hex::decode_to_slice(named, &mut id).map_err(|_| Refusal::UNKNOWN_PAGE)?;
    Ok(id)
}

async fn page(request: &Request, status: StatusCode, errors: &Errors) -> Result<crate::route::Reply, Refusal> {
    let lang = request.language;
    let member = request.member()?;
    let (members, invitations) = request.app.accounts.team(member.merchant.id).await?;
    let is_required = request.app.accounts.requires_factor(member.merchant.id).await?;
    let base = format!("/dashboard/{}/team", member.merchant.id);
    let content = html! {
        @if request.query.has("done") { p.note.good role="status" data-done="team" { (DONE.of(lang)) } }
        @if let Some(message) = errors.get("member") { p.note.bad role="alert" { (message) } }
        (table(request, &base, &members, is_required)?)
        @if member.role.may(Permission::Team) {
            @if !invitations.is_empty() { (invited(request, &base, &invitations)) }
            (invite_form(request, &base, errors))
            p.hint { (TRANSFER.of(lang)) }
            (rule_form(request, &base, is_required))
        } @else if is_required {
            p.hint { (RULE_ON.of(lang)) }
        }
        details.panel {
            summary { (ROLES_TITLE.of(lang)) }
            dl.facts {
                @for role in Role::ALL {
                    dt { (role_name(role).of(lang)) }
                    dd { (role_powers(role).of(lang)) }
                }
            }
        }
        form method="post" action={ (base) "/leave" } {
            (layout::csrf(request))
            button type="submit" { (LEAVE.of(lang)) }
        }
    };
    Ok(layout::page(request, status, TITLE.of(lang), &content))
}

fn rule_form(request: &Request, base: &str, is_required: bool) -> Markup {
    let lang = request.language;
    let (text, value, button) = match is_required {
        true => (RULE_ON, "no", NOT_REQUIRE),
        false => (RULE_OFF, "yes", REQUIRE),
    };
    html! {
        h2 { (RULE_TITLE.of(lang)) }
        form.panel method="post" action={ (base) "/factor" } {
            (layout::csrf(request))
            input type="hidden" name="required" value=(value);
            p { (text.of(lang)) }
            div.actions { button type="submit" { (button.of(lang)) } }
        }
    }
}

fn table(request: &Request, base: &str, members: &[MemberRow], is_required: bool) -> Result<Markup, Refusal> {
    let lang = request.language;
    let own = request.person()?.account;
    let may = request.member()?.role.may(Permission::Team);
    Ok(html! {
        div.panel { div.scroll {
            table.stack role="table" {
                thead role="rowgroup" { tr role="row" {
                    th scope="col" role="columnheader" { (PERSON.of(lang)) }
                    th scope="col" role="columnheader" { (EMAIL.of(lang)) }
                    th scope="col" role="columnheader" { (ROLE.of(lang)) }
                } }
                tbody role="rowgroup" {
                    @for member in members {
                        tr role="row" {
                            td role="cell" {
                                (member.name)
                                @if member.id == own { " (" (YOU.of(lang)) ")" }
                            }
                            td role="cell" {
                                (member.email)
                                @if member.has_factor { div.hint { (FACTOR.of(lang)) } }
                                @else if is_required { div.hint { (NO_FACTOR.of(lang)) } }
                            }
                            td role="cell" {
                                @if may {
                                    (role_forms(request, base, member))
                                } @else {
                                    (role_name(member.role).of(lang))
                                }
                            }
                        }
                    }
                }
            }
        } }
    })
}

fn role_forms(request: &Request, base: &str, member: &MemberRow) -> Markup {
    let lang = request.language;
    let id = hex::encode(member.id);
    let field = format!("role-{id}");
    let label = format!("{} {}", ROLE.of(lang), member.email);
    html! {
        div.actions {
            form.inline method="post" action={ (base) "/members/" (id) } {
                (layout::csrf(request))
                select #(field) name="role" aria-label=(label) {
                    @for role in Role::ALL {
                        option value=(role.as_str()) selected[role == member.role] { (role_name(role).of(lang)) }
                    }
                }
                button type="submit" { (CHANGE.of(lang)) }
            }
            form.inline method="post" action={ (base) "/members/" (id) "/remove" } {
                (layout::csrf(request))
                button.grave type="submit" aria-label={ (REMOVE.of(lang)) " " (member.email) } { (REMOVE.of(lang)) }
            }
        }
    }
}

fn invited(request: &Request, base: &str, invitations: &[Invitation]) -> Markup {
    let lang = request.language;
    html! {
        h2 { (INVITED.of(lang)) }
        div.panel { div.scroll { table.stack role="table" {
            thead role="rowgroup" { tr role="row" {
                th scope="col" role="columnheader" { (EMAIL.of(lang)) }
                th scope="col" role="columnheader" { (ROLE.of(lang)) }
                th scope="col" role="columnheader" { (TAKE_BACK.of(lang)) }
            } }
            tbody role="rowgroup" { @for invitation in invitations {
                tr role="row" {
                    td role="cell" { (invitation.email) }
                    td role="cell" { (role_name(invitation.role).of(lang)) }
                    td role="cell" {
                        form method="post" action={ (base) "/invitations/" (hex::encode(invitation.id)) } {
                            (layout::csrf(request))
                            button type="submit" { (TAKE_BACK.of(lang)) }
                        }
                    }
                }
            } }
        } } }
    }
}

fn invite_form(request: &Request, base: &str, errors: &Errors) -> Markup {
    let lang = request.language;
    let chosen = if request.form.has("role") {
        request.form.text("role")
    } else {
        Role::Viewer.as_str()
    };
    let options: Vec<(&str, &str)> = Role::ALL
        .into_iter()
        .map(|role| (role.as_str(), role_name(role).of(lang)))
        .collect();
    html! {
        h2 { (INVITE.of(lang)) }
        form.panel method="post" action={ (base) "/invite" } {
            (layout::csrf(request))
            (Field::new("email", EMAIL.of(lang)).kind("email").autocomplete("off").value(request.form.text("email"))
                .required().errors(errors).input())
            (Field::new("role", ROLE.of(lang)).value(chosen).select(&options))
            div.actions { button.main type="submit" { (SEND.of(lang)) } }
        }
    }
}
