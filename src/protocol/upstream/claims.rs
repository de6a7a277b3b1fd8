//! What a provider's claims say of somebody, by the names that the connection maps.

use serde_json::{Map, Value};

use crate::domain::identities::Claimed;
use crate::model::connection::Mapping;

/// A JSON object as a provider sent it.
pub(super) type Claims = Map<String, Value>;

/// What the claims say.
pub(super) fn claimed(mapping: &Mapping, claims: &Claims) -> Option<Claimed> {
    let named = |name: &Option<String>, usual: &str| text(find(claims, name.as_deref().unwrap_or(usual))?);
    Some(Claimed {
        subject: named(&mapping.subject, "sub")?,
        email: named(&mapping.email, "email"),
        // It speaks of `email` alone (OpenID Connect Core §5.1), not of what else is taken for the address.
        email_verified: mapping.email.as_deref().is_none_or(|name| name == "email")
            && claims.get("email_verified").is_some_and(is_true),
        name: named(&mapping.name, "name"),
        username: named(&mapping.username, "preferred_username"),
        roles: mapping.role.as_deref().and_then(|name| find(claims, name)).map(texts).unwrap_or_default(),
        second_factor: claims.get("amr").is_some_and(|amr| texts(amr).iter().any(|method| method == "mfa")),
        saml_session: None,
    })
}

/// The member of this name; a name with dots also leads into objects, as `realm_access.roles` does.
fn find<'c>(claims: &'c Claims, name: &str) -> Option<&'c Value> {
    claims.get(name).or_else(|| {
        let mut parts = name.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    })
}

/// A text, or a number as one: some providers count people.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// A list of texts, or one.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
}

/// Some providers write truth as a text.
fn is_true(value: &Value) -> bool {
    value.as_bool() == Some(true) || value.as_str() == Some("true")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(mapping: &Mapping, claims: &Value) -> Option<Claimed> {
        claimed(mapping, claims.as_object().unwrap())
    }

    #[test]
    fn the_usual_claims_need_no_mapping() {
        let claims = json!({ "sub": "1", "email": "a@b.example", "email_verified": "true", "name": "A",
            "preferred_username": "a", "amr": ["pwd", "mfa"], "roles": ["x"] });
        let said = of(&Mapping::default(), &claims).unwrap();
        assert_eq!((said.subject.as_str(), said.email.as_deref()), ("1", Some("a@b.example")));
        assert!(said.email_verified && said.second_factor && said.roles.is_empty());
        assert_eq!((said.name.as_deref(), said.username.as_deref()), (Some("A"), Some("a")));
    }

    #[test]
    fn a_mapping_names_others_also_within_objects() {
        let mapping = Mapping {
            subject: Some("id".to_owned()),
            role: Some("realm_access.roles".to_owned()),
            username: Some("login".to_owned()),
            ..Mapping::default()
        };
        let claims = json!({ "id": 42, "login": "octo", "realm_access": { "roles": ["a", 1, null] } });
        let said = of(&mapping, &claims).unwrap();
        assert_eq!((said.subject.as_str(), said.username.as_deref()), ("42", Some("octo")));
        assert_eq!(said.roles, ["a", "1"]);
    }

    #[test]
    fn what_is_said_of_one_address_is_said_of_no_other() {
        let claims = json!({ "sub": "1", "email": "me@a.example", "upn": "boss@b.example", "email_verified": true });
        for (name, verified) in [("upn", false), ("email", true)] {
            let mapping = Mapping { email: Some(name.to_owned()), ..Mapping::default() };
            assert_eq!(of(&mapping, &claims).unwrap().email_verified, verified, "{name}");
        }
    }

    #[test]
    fn nobody_is_named_by_what_is_no_name() {
        for sub in [json!(null), json!(""), json!(["1"]), json!({ "a": 1 }), json!(true), json!(-1), json!(1.5)] {
            assert!(of(&Mapping::default(), &json!({ "sub": sub })).is_none(), "{sub}");
        }
        let unproved = [json!(false), json!(null), json!(1), json!("yes"), json!("TRUE")];
        for verified in unproved {
            let claims = json!({ "sub": "1", "email": "a@b.example", "email_verified": verified });
            assert!(!of(&Mapping::default(), &claims).unwrap().email_verified, "{verified}");
        }
    }
}
