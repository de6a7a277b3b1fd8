//! A trusted system, by its key pair.

use gatehouse::domain::api_clients::{self, NewApiClient};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Answer, TestApp};

/// The key pair of an API client.
#[derive(Clone, Debug)]
pub struct KeyPair {
    pub client_key: String,
    pub api_key: String,
}

impl KeyPair {
    /// A request that comes with it.
    pub fn dress(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("X-Client-Key", &self.client_key).header("X-API-Key", &self.api_key)
    }
}

impl TestApp {
    /// A trusted system that may call from everywhere everything.
    pub async fn api_client(&self) -> KeyPair {
        self.api_client_as(NewApiClient { name: "a system".to_owned(), ..NewApiClient::default() }).await
    }

    /// A trusted system as it is wished for.
    pub async fn api_client_as(&self, new: NewApiClient) -> KeyPair {
        let made = api_clients::create(&self.ctx().await, new).await.unwrap();
        KeyPair { client_key: made.client.client_key, api_key: made.secret.expose().clone() }
    }

    pub async fn get_by(&self, pair: &KeyPair, path: &str) -> Answer {
        self.send(pair.dress(self.request(Method::GET, path))).await
    }

    /// POST of JSON.
    pub async fn post_by(&self, pair: &KeyPair, path: &str, body: &Value) -> Answer {
        self.send(pair.dress(self.request(Method::POST, path)).json(body)).await
    }
}

impl Answer {
    /// A refusal in the shape of `handoff.md` and `member.md`.
    #[track_caller]
    pub fn is_detail(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.json()), (status, json!({ "detail": code })), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
    }

    /// The refusal of input in the same shape, which names this member or parameter alone.
    #[track_caller]
    pub fn is_invalid(&self, field: &str) {
        assert_eq!(self.status, 422, "{self:?}");
        let body = self.json();
        assert_eq!(body["detail"], "validation_error", "{self:?}");
        let fields: Vec<&str> = body["fields"].as_object().expect("fields").keys().map(String::as_str).collect();
        assert_eq!((fields, body.as_object().unwrap().len()), (vec![field], 2), "{self:?}");
    }
}
