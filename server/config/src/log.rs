//! The directives of the setting `log`: a target of ours that nothing logs under is refused, for it would silence what it is to show.

use tracing_subscriber::EnvFilter;

use super::reader::Reader;

/// The parts of the server by the names that they log under: a crate, or a module of the crate on top.
const TARGETS: [&str; 18] = [
    "bitpro_base",
    "bitpro_charge",
    "bitpro_checkout_app",
    "bitpro_config",
    "bitpro_dashboard",
    "bitpro_limits",
    "bitpro_mapi",
    "bitpro_merchant",
    "bitpro_node",
    "bitpro_operator",
    "bitpro_rates",
    "bitpro_server::cli",
    "bitpro_server::lifecycle",
    "bitpro_server::router",
    "bitpro_server::telemetry",
    "bitpro_service",
    "bitpro_store",
    "bitpro_web",
];
/// What a module of `bitpro_server` logs under since it has a crate: `bitpro_server::node` is `bitpro_node`.
const MOVED: [(&str, &str); 26] = [
    ("accounts", "bitpro_service::accounts"),
    ("admin", "bitpro_operator::admin"),
    ("app", "bitpro_web::app"),
    ("backup", "bitpro_operator::backup"),
    ("charges", "bitpro_service::charges"),
    ("checkout", "bitpro_web::checkout"),
    ("clock", "bitpro_base::clock"),
    ("config", "bitpro_config"),
    ("dashboard", "bitpro_dashboard"),
    ("health", "bitpro_web::health"),
    ("http_client", "bitpro_base::http_client"),
    ("instance", "bitpro_operator::instance"),
    ("keys", "bitpro_merchant::keys"),
    ("letters", "bitpro_merchant::letters"),
    ("limits", "bitpro_limits"),
    ("mail", "bitpro_service::mail"),
    ("mapi", "bitpro_mapi"),
    ("merchant", "bitpro_merchant"),
    ("node", "bitpro_node"),
    ("rates", "bitpro_rates"),
    ("reconcile", "bitpro_service::reconcile"),
    ("store", "bitpro_store"),
    ("wallet", "bitpro_merchant::wallet"),
    ("web", "bitpro_web"),
    ("webhooks", "bitpro_service::webhooks"),
    ("wire", "bitpro_service::wire"),
];

/// The setting's value, if it is right.
pub(super) fn directives(reader: &mut Reader) -> Option<String> {
    let (written, origin) = reader.text("log")?;
    let parsed = reader.parsed("log", |text| EnvFilter::try_new(text).ok().map(|_| text.to_owned()))?;
    let Some(because) = wrong_target(&parsed) else {
        return Some(parsed);
    };
    reader.wrong("log", written, origin, Some(because));
    None
}

/// Why a target of ours in `text` would show nothing; `None` when each of them shows something.
fn wrong_target(text: &str) -> Option<String> {
    let mut ours = text
        .split(',')
        .map(target)
        .filter(|target| target.starts_with("bitpro"));
    let wrong = ours.find(|target| !is_logged(target))?;
    let now = moved(wrong).map_or_else(
        || format!("there is: {}", TARGETS.join(", ")),
        |now| format!("write {now} instead"),
    );
    Some(format!("nothing logs as {wrong}; {now}"))
}

/// The target of one directive, as in `target[span]=level`.
fn target(directive: &str) -> &str {
    let end = directive.find(['[', '=']).unwrap_or(directive.len());
    directive[..end].trim()
}

/// Whether a target is the beginning of one of ours, or lies below one.
fn is_logged(target: &str) -> bool {
    let is_below = |of: &str| target.strip_prefix(of).is_some_and(|rest| rest.starts_with("::"));
    TARGETS.iter().any(|known| known.starts_with(target) || is_below(known))
}

fn moved(target: &str) -> Option<String> {
    let path = target.strip_prefix("bitpro_server::")?;
    let (module, below) = path.split_at(path.find("::").unwrap_or(path.len()));
    let (_, now) = MOVED.iter().find(|(former, _)| *former == module)?;
    Some(format!("{now}{below}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_nothing_logs_under_is_refused_with_its_present_name() {
        for (former, now) in [
            ("bitpro_server::node=debug", "bitpro_node"),
            ("info,bitpro_server::node::watcher=trace", "bitpro_node::watcher"),
            (
                "bitpro_server::charges[unit{n=1}]=debug,warn",
                "bitpro_service::charges",
            ),
        ] {
            let said = wrong_target(former).unwrap();
            assert!(said.ends_with(&format!("write {now} instead")), "{said}");
        }
        for unknown in ["bitpro_server::nothing=debug", "bitpro_nodes", "bitpro::node=info"] {
            let said = wrong_target(unknown).unwrap();
            assert!(TARGETS.iter().all(|target| said.contains(target)), "{said}");
        }
    }

    #[test]
    fn levels_libraries_and_present_targets_are_taken() {
        for text in [
            "info",
            "bitpro=debug",
            "warn,bitpro_node=debug,hyper=info",
            "bitpro_server=debug",
            "bitpro_server::lifecycle=debug",
            "bitpro_service::charges[unit]=trace",
            "ureq=trace",
        ] {
            assert_eq!(wrong_target(text), None, "{text}");
        }
    }

    #[test]
    fn every_crate_is_a_target() {
        let manifest = include_str!("../../../Cargo.toml");
        let crates = manifest.lines().filter_map(|line| line.strip_prefix("bitpro-"));
        let names = crates.filter_map(|line| line.split([' ', '.', '=']).next());
        let names: Vec<String> = names.map(|name| format!("bitpro_{}", name.replace('-', "_"))).collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names.iter().filter(|name| *name != "bitpro_tests") {
            assert!(is_logged(name), "{name} is missing among the targets");
        }
    }
}
