//! Runs the handler of a route between the two writes of its line in the audit log: begun before, and its outcome after.

use bitpro_service::accounts::Begun;
use bitpro_web::app::App;
use futures::future::BoxFuture;

use super::route::{Outcome, Reply, Request, Route};
use crate::refusals::Refusal;

/// Answers `request`. A change by a member, or an export, is begun in the audit log first, and gets its outcome afterwards.
pub(super) async fn audited(route: &'static Route, mut request: Request) -> Result<Reply, Refusal> {
    let app = request.app.clone();
    request.begun = match (route.is_noted, &request.member, &request.person) {
        (true, Some(member), Some(person)) => {
            app.accounts.change_by(person.login.account.num)?;
            let action = route.path.trim_start_matches("/dashboard/{merchant}/");
            let begun = app
                .accounts
                .begin_change(
                    Some(member.merchant.id),
                    Some(person.login.account.num),
                    &person.email,
                    action,
                    &request.client.to_string(),
                )
                .await?;
            Some(begun)
        }
        _ => None,
    };
    let Some(begun) = request.begun else {
        return (route.handler)(request).await;
    };
    // By itself, so that a browser that goes away, or an answer that takes too long, leaves no line without its end.
    let work = tokio::spawn(ended(app, begun, (route.handler)(request)));
    match work.await {
        Ok(answered) => answered,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Refusal::BUSY),
        },
    }
}

/// Does `work`, then writes how it went into the line that was begun.
async fn ended(app: App, begun: Begun, work: BoxFuture<'static, Result<Reply, Refusal>>) -> Result<Reply, Refusal> {
    let answered = work.await;
    let detail = match &answered {
        Ok(reply) if reply.response.status().as_u16() < 400 => match &reply.outcome {
            Outcome::AsAnswered => Some(String::new()),
            Outcome::Changed(what) => Some(what.clone()),
            Outcome::Unchanged => None,
        },
        _ => None,
    };
    app.accounts.end_change(begun, detail).await?;
    answered
}
