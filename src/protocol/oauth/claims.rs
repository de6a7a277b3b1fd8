//! What clients learn about people (OpenID Connect Core §5): which scope stands for which claims, and
//! what an account says to each.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::error::OAuthError;
use crate::model::authorization::{ClaimWish, ClaimsRequest};
use crate::model::scope::OAuthScope;
use crate::model::user::User;

/// The scope that makes a request one of OpenID Connect (§3.1.2.1).
pub const OPENID: &str = "openid";
/// The scope of refresh tokens that outlive the session (§11).
pub const OFFLINE_ACCESS: &str = "offline_access";

/// The scopes that stand for claims (§5.4).
const SCOPES: &[(&str, &[&str])] = &[
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// The scopes that are advertised.
#[must_use]
pub fn scopes() -> Vec<&'static str> {
    let standing_for_claims = SCOPES.iter().map(|(scope, _)| *scope);
    [OPENID].into_iter().chain(standing_for_claims).chain([OFFLINE_ACCESS]).collect()
}

/// The claims that are advertised: those about people, and those of the ID token.
#[must_use]
pub fn supported() -> Vec<&'static str> {
    let of_the_token = ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid"];
    of_the_token.into_iter().chain(SCOPES.iter().flat_map(|(_, claims)| claims.iter().copied())).collect()
}

/// Whether a claim says something about a person.
fn is_about_people(claim: &str) -> bool {
    SCOPES.iter().any(|(_, claims)| claims.contains(&claim))
}

/// What an account says to a claim; nothing where it has nothing to say that the standard's types
/// would hold (§5.1).
#[must_use]
pub fn of(user: &User, claim: &str) -> Option<Value> {
    let own = |name: &str| user.profile.get(name);
    let text = |value: Option<&str>| value.map(str::trim).filter(|text| !text.is_empty()).map(Value::from);
    match claim {
        "name" => text(user.name.as_deref()).or_else(|| text(own("name")?.as_str())),
        "preferred_username" => text(user.username.as_deref()).or_else(|| text(own("preferred_username")?.as_str())),
        "email" => text(user.email.as_deref()),
        "email_verified" => user.email.is_some().then_some(Value::from(user.email_verified)),
        // Kept in the profile by whoever proved it; never what a person says of themselves.
        "phone_number_verified" => of(user, "phone_number")
            .map(|_| Value::from(own("phone_number_verified").and_then(Value::as_bool).unwrap_or_default())),
        "updated_at" => Some(Value::from(user.updated_at.seconds())),
        "birthdate" => text(own("birthdate")?.as_str().filter(|text| is_birthdate(text))),
        "address" => address(own("address")?),
        other if is_about_people(other) => text(own(other)?.as_str()),
        _ => None,
    }
}

/// `YYYY-MM-DD`, `0000-MM-DD` or `YYYY` (§5.1).
fn is_birthdate(text: &str) -> bool {
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [year] => digits(year, 4),
        [year, month, day] => digits(year, 4) && digits(month, 2) && digits(day, 2),
        _ => false,
    }
}

/// The members that an address may have (§5.1.1).
pub const ADDRESS: &[&str] = &["formatted", "street_address", "locality", "region", "postal_code", "country"];

fn address(value: &Value) -> Option<Value> {
    let members: Map<String, Value> = value
        .as_object()?
        .iter()
        .filter(|(name, value)| {
            ADDRESS.contains(&name.as_str()) && value.as_str().is_some_and(|text| !text.trim().is_empty())
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    (!members.is_empty()).then_some(Value::Object(members))
}

/// The claims that a scope stands for, as far as the account has them.
#[must_use]
pub fn of_scope(user: &User, scope: &OAuthScope) -> Map<String, Value> {
    let granted = SCOPES.iter().filter(|(name, _)| scope.contains(name));
    let names = granted.flat_map(|(_, claims)| claims.iter());
    names.filter_map(|name| Some(((*name).to_owned(), of(user, name)?))).collect()
}

/// Single claims that were wished for (§5.5), as far as the account has them.
#[must_use]
pub fn wished(user: &User, wishes: &BTreeMap<String, ClaimWish>) -> Map<String, Value> {
    wishes.keys().filter_map(|name| Some((name.clone(), of(user, name)?))).collect()
}

/// Names of single claims about people that were wished for, for people to allow.
#[must_use]
pub fn names(wishes: &ClaimsRequest) -> Vec<String> {
    let all = wishes.id_token.keys().chain(wishes.userinfo.keys());
    let mut names: Vec<String> = all.filter(|name| is_about_people(name)).cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Reads the `claims` parameter (§5.5). What is not known is ignored.
///
/// # Errors
/// `invalid_request` if it is not JSON of that form.
pub fn parse(text: &str) -> Result<ClaimsRequest, OAuthError> {
    let malformed = || OAuthError::invalid_request("The parameter claims is malformed");
    let whole: Value = serde_json::from_str(text).map_err(|_| malformed())?;
    let part = |name: &str| -> Result<BTreeMap<String, ClaimWish>, OAuthError> {
        match whole.as_object().ok_or_else(malformed)?.get(name) {
            None | Some(Value::Null) => Ok(BTreeMap::new()),
            Some(Value::Object(wishes)) => {
                let wish = |value: &Value| match value {
                    Value::Null => Ok(ClaimWish::default()),
                    Value::Object(_) => ClaimWish::deserialize(value).map_err(|_| malformed()),
                    _ => Err(malformed()),
                };
                wishes.iter().map(|(name, value)| Ok((name.clone(), wish(value)?))).collect()
            }
            Some(_) => Err(malformed()),
        }
    };
    Ok(ClaimsRequest { id_token: part("id_token")?, userinfo: part("userinfo")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::{TenantId, UserId};
    use crate::model::time::Timestamp;
    use serde_json::json;

    fn user(profile: Value) -> User {
        User {
            tenant: TenantId::from_uuid(uuid::Uuid::nil()),
            id: UserId::from_uuid(uuid::Uuid::nil()),
            email: Some("ann@example.org".to_owned()),
            email_verified: true,
            username: None,
            name: Some("Ann".to_owned()),
            password_hash: None,
            profile,
            enabled: true,
            external_sub: None,
            has_second_factor: false,
            verification_due: false,
            token_epoch: 0,
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(5000),
        }
    }

    #[test]
    fn a_claim_has_its_type_or_is_not_there() {
        let user = user(json!({
            "birthdate": "2000-13", "nickname": " ", "gender": 1, "website": "https://a.example",
            "address": { "country": "DE", "planet": "Earth", "region": "" }, "phone_number": "+49",
            "phone_number_verified": "yes",
        }));
        let said = of_scope(&user, &"openid profile email address phone".parse().unwrap());
        let expected = json!({
            "name": "Ann", "website": "https://a.example", "updated_at": 5, "email": "ann@example.org",
            "email_verified": true, "address": { "country": "DE" }, "phone_number": "+49", "phone_number_verified": false,
        });
        assert_eq!(Value::Object(said), expected);
    }

    #[test]
    fn wishes_are_read_in_every_form_and_unknown_ones_do_not_matter() {
        let text = r#"{"userinfo":{"name":{"essential":true,"odd":1},"x":null},"id_token":{"acr":{"values":["a"]}},"elsewhere":1}"#;
        let read = parse(text).unwrap();
        assert!(read.userinfo["name"].essential);
        assert_eq!(names(&read), ["name"]);
        assert_eq!(wished(&user(json!({})), &read.userinfo).len(), 1);
        for bad in
            ["", "1", "[]", r#"{"userinfo":1}"#, r#"{"userinfo":{"name":true}}"#, r#"{"id_token":{"a":{"values":1}}}"#]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
