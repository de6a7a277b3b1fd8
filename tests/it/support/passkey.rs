//! A passkey of software, and the authenticator app of a person.

use gatehouse::config::Config;
use gatehouse::crypto::digest::base64url;
use gatehouse::model::ids::UserId;
use gatehouse::model::time::Timestamp;
use serde_json::{Value, json};
use url::Url;
use webauthn_authenticator_rs::WebauthnAuthenticator as _;
use webauthn_authenticator_rs::softpasskey::SoftPasskey;

/// Has a server reached by a host name: browsers know no passkeys at an address.
pub fn by_name(config: &mut Config) {
    config.http.issuer = format!("http://localhost:{}", config.http.bind.port()).parse().unwrap();
}

/// A device that holds one passkey of one person.
pub struct Device {
    key: SoftPasskey,
    origin: Url,
    owner: UserId,
    credential: Value,
}

impl Device {
    /// A device in the hands of this person, whose browser shows pages of this origin.
    pub fn new(origin: &str, owner: UserId) -> Self {
        Self { key: SoftPasskey::new(true), origin: origin.parse().unwrap(), owner, credential: Value::Null }
    }

    /// Makes a passkey.
    pub fn create(&mut self, question: &Value) -> Value {
        let mut question = question.clone();
        // The device has no memory that it would have to be asked for.
        question["publicKey"]["authenticatorSelection"]["residentKey"] = json!("discouraged");
        question["publicKey"]["authenticatorSelection"]["requireResidentKey"] = json!(false);
        let question = serde_json::from_value(question).unwrap();
        let answer = self.key.do_registration(self.origin.clone(), question).unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        self.credential = answer["rawId"].clone();
        answer
    }

    /// Signs in with the passkey, whomever the server asks for.
    pub fn get(&mut self, question: &Value) -> Value {
        let mut question = question.clone();
        question["publicKey"]["allowCredentials"] = json!([{ "type": "public-key", "id": self.credential }]);
        let question = serde_json::from_value(question).unwrap();
        let answer = self.key.do_authentication(self.origin.clone(), question).unwrap();
        let mut answer = serde_json::to_value(answer).unwrap();
        answer["response"]["userHandle"] = json!(base64url(self.owner.uuid().as_bytes()));
        answer
    }
}

/// What an authenticator app that was given this secret shows at this moment.
pub fn totp_code(secret: &str, at: Timestamp) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let app = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    app.generate(u64::try_from(at.seconds()).unwrap()).to_string()
}
