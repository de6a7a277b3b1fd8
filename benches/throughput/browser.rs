//! A browser without script, as far as signing in takes one: cookies, forms, and redirects that are
//! followed as long as they stay with the server.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::load::Connection;
use super::wire;

pub struct Browser {
    connection: Connection,
    cookies: BTreeMap<String, String>,
}

/// Where a browser has got to.
pub struct Page {
    /// The address, with its query; another site's in full.
    pub address: String,
    html: String,
}

impl Browser {
    pub async fn new(address: SocketAddr) -> Self {
        Self { connection: Connection::open(address).await, cookies: BTreeMap::new() }
    }

    /// The request for a page, with the cookies that it has by now.
    pub fn request(&self, address: &str) -> Vec<u8> {
        wire::request("GET", address, &[("Cookie", &self.jar())], "")
    }

    pub async fn open(&mut self, address: &str) -> Page {
        let request = self.request(address);
        self.follow(address, request).await
    }

    /// Sends a form of a page with its hidden fields and these.
    pub async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let action = page.address.split('?').next().unwrap();
        let hidden = ["csrf", "t", "next"].into_iter().filter_map(|name| Some((name, page.hidden(name)?)));
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(hidden).extend_pairs(fields);
        let jar = self.jar();
        let headers = [("Cookie", jar.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
        self.follow(action, wire::request("POST", action, &headers, &body.finish())).await
    }

    fn jar(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    async fn follow(&mut self, address: &str, mut request: Vec<u8>) -> Page {
        let mut address = address.to_owned();
        loop {
            let answer = self.connection.exchange(&request).await;
            for cookie in answer.headers("set-cookie") {
                let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let html = String::from_utf8_lossy(answer.body).into_owned();
            match (answer.status, answer.header("location")) {
                (200, _) => return Page { address, html },
                (303, Some(next)) => address = next.to_owned(),
                (status, _) => panic!("{address}: {status} {html}"),
            }
            if !address.starts_with('/') {
                return Page { address, html };
            }
            request = self.request(&address);
        }
    }
}

impl Page {
    /// The path of the address.
    pub fn is_at(&self, path: &str) -> bool {
        self.address.split('?').next() == Some(path)
    }

    fn hidden(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.html.split_once(&format!("<input type=\"hidden\" name=\"{name}\" value=\""))?;
        rest.split('"').next()
    }
}
