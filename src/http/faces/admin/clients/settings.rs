//! What OpenID Connect and registration say about a client: one member, merged name by name.

use serde_json::{Map, Value};

use crate::http::fields::FieldError;
use crate::model::client_settings::ClientSettings;

/// The names, as they are registered (OpenID Connect Registration §2, RFC 7591 §2).
const NAMES: &[&str] = &[
    "application_type",
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "request_object_signing_alg",
    "token_endpoint_auth_signing_alg",
    "require_signed_request_object",
    "require_pushed_authorization_requests",
    "require_pkce",
    "response_types",
    "legacy_response_types",
    "first_party",
    "subject_type",
    "sector_identifier_uri",
    "jwks_uri",
    "request_uris",
    "logo_uri",
    "client_uri",
    "policy_uri",
    "tos_uri",
    "contacts",
    "initiate_login_uri",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "frontchannel_logout_uri",
    "frontchannel_logout_session_required",
    "default_max_age",
    "require_auth_time",
    "default_acr_values",
];

/// What they are, but for what manages a registered client.
pub(super) fn shown(settings: &ClientSettings) -> Value {
    let mut shown = as_members(settings);
    shown.retain(|name, _| NAMES.contains(&name.as_str()));
    Value::Object(shown)
}

/// What becomes of them: what is absent stays, what is `null` goes back to its default.
pub(super) fn merged(settings: &ClientSettings, change: Value) -> Result<ClientSettings, FieldError> {
    let (mut all, defaults) = (as_members(settings), as_members(&ClientSettings::default()));
    let mut merged = settings.clone();
    let Value::Object(change) = change else { return Ok(merged) };
    for (name, value) in change {
        let known = NAMES.iter().find(|known| **known == name);
        let name = *known.ok_or(FieldError::new("settings", "has a member that is not known here"))?;
        match (value, defaults.get(name)) {
            (Value::Null, None) => all.remove(name),
            (Value::Null, Some(default)) => all.insert(name.to_owned(), default.clone()),
            (value, _) => all.insert(name.to_owned(), value),
        };
        let read = serde_json::from_value(Value::Object(all.clone()));
        merged = read.map_err(|_| FieldError::new(name, "is not of the right kind"))?;
    }
    Ok(merged)
}

fn as_members(settings: &ClientSettings) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_default_has_a_name_and_nothing_is_managed_from_here() {
        for name in as_members(&ClientSettings::default()).keys() {
            assert!(NAMES.contains(&name.as_str()), "{name}");
        }
        let held = ClientSettings { registration_token: Some("digest".to_owned()), ..ClientSettings::default() };
        assert!(shown(&held).get("registration_token").is_none());
        assert!(merged(&held, json!({ "registration_token": null })).is_err());
        assert_eq!(merged(&held, json!({})).unwrap(), held);
    }

    #[test]
    fn members_are_merged_one_by_one() {
        let given = merged(
            &ClientSettings::default(),
            json!({ "first_party": true, "contacts": ["ops@example.org"], "default_max_age": 60 }),
        )
        .unwrap();
        assert!(given.first_party && given.require_pkce && given.default_max_age == Some(60));
        let back = merged(&given, json!({ "first_party": null, "default_max_age": null, "contacts": null })).unwrap();
        assert_eq!(back, ClientSettings::default());
        for wrong in [json!({ "first_party": "yes" }), json!({ "subject_type": "mark" }), json!({ "mark": 1 })] {
            assert!(merged(&given, wrong.clone()).is_err(), "{wrong}");
        }
    }
}
