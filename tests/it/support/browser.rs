//! A browser without script: cookies, pages, forms, and redirects that are followed as long as they
//! stay with us.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, SET_COOKIE};

use super::{Answer, TestApp};

/// A browser, with a jar of its own.
pub struct Browser {
    app: TestApp,
    jar: Mutex<BTreeMap<String, String>>,
    language: Mutex<Option<String>>,
}

/// What a browser shows.
#[derive(Debug)]
pub struct Page {
    /// Where it is.
    pub url: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// Where it was sent, off our pages.
    pub left_for: Option<String>,
}

/// A form on a page: where it goes, and its hidden fields.
#[derive(Clone, Debug)]
pub struct Form {
    pub action: String,
    pub hidden: Vec<(String, String)>,
    pub html: String,
}

impl Browser {
    pub fn new(app: &TestApp) -> Self {
        Self { app: app.clone(), jar: Mutex::default(), language: Mutex::default() }
    }

    /// The same browser on another copy of the application.
    pub fn at(&self, app: &TestApp) -> Self {
        Self { app: app.clone(), jar: Mutex::new(self.jar.lock().unwrap().clone()), language: Mutex::default() }
    }

    pub fn speaks(&self, language: &str) {
        *self.language.lock().unwrap() = Some(language.to_owned());
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().unwrap().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.jar.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub fn clear(&self) {
        self.jar.lock().unwrap().clear();
    }

    /// One request, redirects not followed.
    pub async fn send(&self, method: Method, path: &str, form: Option<&[(String, String)]>) -> Answer {
        let path = path.strip_prefix(&self.app.base).unwrap_or(path);
        let path = path.strip_prefix(self.app.config.http.issuer.as_str()).unwrap_or(path);
        let mut request = self.app.request(method, path);
        let cookies: Vec<String> =
            self.jar.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        if let Some(language) = &*self.language.lock().unwrap() {
            request = request.header("accept-language", language);
        }
        if let Some(form) = form {
            request = request.form(form);
        }
        let answer = self.app.send(request).await;
        for line in answer.headers.get_all(SET_COOKIE) {
            let (pair, _) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.set_cookie(name, value);
        }
        answer
    }

    /// One POST of JSON with the token of a page.
    pub async fn post_json(&self, path: &str, csrf: &str, body: &serde_json::Value) -> Answer {
        let cookies: Vec<String> =
            self.jar.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.app.request(Method::POST, path).header(COOKIE, cookies.join("; ")).header("x-csrf", csrf);
        let answer = self.app.send(request.json(body)).await;
        for line in answer.headers.get_all(SET_COOKIE) {
            let (pair, _) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.set_cookie(name, value);
        }
        answer
    }

    /// Goes to an address, and where it leads.
    pub async fn open(&self, url: &str) -> Page {
        let answer = self.send(Method::GET, url, None).await;
        self.follow(url, answer).await
    }

    /// Sends the first form whose action ends in `action`, with these fields beside its hidden ones.
    #[track_caller]
    pub fn submit<'b>(
        &'b self,
        page: &Page,
        action: &str,
        fields: &[(&str, &str)],
    ) -> impl Future<Output = Page> + use<'b> {
        let form = page.form(action);
        let mut data = form.hidden;
        for (name, value) in fields {
            data.retain(|(known, _)| known != name);
            data.push(((*name).to_owned(), (*value).to_owned()));
        }
        async move {
            let answer = self.send(Method::POST, &form.action, Some(&data)).await;
            self.follow(&form.action, answer).await
        }
    }

    /// Where an answer leads.
    pub async fn follow(&self, url: &str, mut answer: Answer) -> Page {
        let mut url = url.to_owned();
        for _ in 0..10 {
            let Some(next) = answer.header("location").map(str::to_owned) else { break };
            let ours = next.starts_with('/')
                || next.starts_with(&format!("{}/", self.app.base))
                || next.starts_with(&format!("{}/", self.app.config.http.issuer));
            if !ours {
                let Answer { status, headers, text } = answer;
                return Page { url, status, headers, text, left_for: Some(next) };
            }
            answer = self.send(Method::GET, &next, None).await;
            url = next;
        }
        let Answer { status, headers, text } = answer;
        Page { url, status, headers, text, left_for: None }
    }
}

impl Page {
    /// The path that it is at.
    pub fn path(&self) -> &str {
        let url = self.url.find("://").map_or(self.url.as_str(), |at| {
            let rest = &self.url[at + 3..];
            rest.find('/').map_or("/", |at| &rest[at..])
        });
        url.split(['?', '#']).next().unwrap()
    }

    #[track_caller]
    pub fn expect(self, status: u16, path: &str) -> Self {
        assert_eq!((self.status, self.path()), (status, path), "{self:?}");
        assert!(self.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")));
        self
    }

    /// Where the client gets its answer: the parameters of query or fragment.
    #[track_caller]
    pub fn answer(&self) -> Callback {
        let address = self.left_for.as_deref().unwrap_or_else(|| panic!("still with us: {self:?}"));
        Callback::parse(address)
    }

    /// The forms on it.
    pub fn forms(&self) -> Vec<Form> {
        let mut forms = Vec::new();
        let mut rest = self.text.as_str();
        while let Some(start) = rest.find("<form") {
            let end = rest[start..].find("</form>").map_or(rest.len(), |end| start + end);
            let html = &rest[start..end];
            let action = attribute(html, "action").unwrap_or_default();
            let hidden = html
                .split("<input")
                .skip(1)
                .filter(|input| attribute(input, "type").as_deref() == Some("hidden"))
                .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default())))
                .collect();
            forms.push(Form { action, hidden, html: html.to_owned() });
            rest = &rest[end..];
        }
        forms
    }

    #[track_caller]
    pub fn form(&self, action: &str) -> Form {
        let ends = |form: &Form| form.action.split(['?', '#']).next().unwrap().ends_with(action);
        self.forms().into_iter().find(ends).unwrap_or_else(|| panic!("no form {action}: {self:?}"))
    }

    /// The value of the first hidden field of this name.
    pub fn hidden(&self, name: &str) -> Option<String> {
        self.forms().into_iter().flat_map(|form| form.hidden).find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

/// An attribute of the first tag in `html`.
fn attribute(html: &str, name: &str) -> Option<String> {
    let tag = &html[..html.find('>').unwrap_or(html.len())];
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(unescaped(rest.split('"').next()?))
}

pub fn unescaped(text: &str) -> String {
    const ESCAPES: [(&str, &str); 10] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
        ("&#34;", "\""),
        ("&#38;", "&"),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
    ];
    let mut plain = String::new();
    let mut rest = text;
    // One after the other: what comes out of an escape is no beginning of another one.
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let (escape, letter) = ESCAPES.into_iter().find(|(escape, _)| rest.starts_with(escape)).unwrap_or(("&", "&"));
        plain.push_str(letter);
        rest = &rest[escape.len()..];
    }
    plain + rest
}

/// What a client gets back.
#[derive(Clone, Debug)]
pub struct Callback {
    /// The address without what was added.
    pub address: String,
    /// Whether it stood in the fragment.
    pub in_fragment: bool,
    pub parameters: Vec<(String, String)>,
}

impl Callback {
    pub fn parse(address: &str) -> Self {
        let (rest, in_fragment) = match address.split_once('#') {
            Some((_, fragment)) => (fragment, true),
            None => (address.split_once('?').map_or("", |(_, query)| query), false),
        };
        Self {
            address: address.split(['?', '#']).next().unwrap().to_owned(),
            in_fragment,
            parameters: url::form_urlencoded::parse(rest.as_bytes()).into_owned().collect(),
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn code(&self) -> &str {
        self.get("code").unwrap_or_else(|| panic!("no code: {self:?}"))
    }
}
