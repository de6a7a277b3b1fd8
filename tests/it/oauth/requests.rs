//! What every endpoint of the standards surface asks of a request (RFC 6749 §3.2, §5.2; oauth.md).

use reqwest::Method;
use reqwest::header::{ALLOW, CONTENT_TYPE};

use crate::support::{TestApp, both_engines};

both_engines!(
    a_parameter_counts_once,
    only_forms_are_read,
    large_bodies_are_refused,
    nothing_secret_in_the_address,
    other_methods_are_405,
    bytes_that_are_no_text,
);

const ENDPOINTS: [&str; 3] = ["/oauth/token", "/oauth/introspect", "/oauth/revoke"];

async fn a_parameter_counts_once(app: TestApp) {
    let service = app.service("user:read").await;
    for body in [
        "grant_type=client_credentials&grant_type=client_credentials",
        "grant_type=client_credentials&scope=user:read&scope=user:read",
        "grant_type=client_credentials&foo=1&foo=2",
        "grant_type=client_credentials&client_id=a&client_id=b",
        "token=a&token=b",
        "grant%5Ftype=client_credentials&grant_type=client_credentials",
    ] {
        for path in ENDPOINTS {
            let request = app.request(Method::POST, path).basic_auth(&service.id, Some(&service.secret));
            let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
            app.send(request).await.is_oauth_error(400, "invalid_request");
        }
    }
    // What nobody knows is ignored, once (RFC 6749 §3.2).
    let fields = [("grant_type", "client_credentials"), ("unknown", "x")];
    app.basic("/oauth/token", &service.id, &service.secret, &fields).await.expect(200);
    let many: String = (0..100).map(|n| format!("&p{n}=1")).collect();
    let body = format!("grant_type=client_credentials{many}");
    let request = app.request(Method::POST, "/oauth/token").basic_auth(&service.id, Some(&service.secret));
    let answer = app.send(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)).await;
    answer.is_oauth_error(400, "invalid_request");
}

async fn only_forms_are_read(app: TestApp) {
    let service = app.service("user:read").await;
    let body = "grant_type=client_credentials&token=x";
    for path in ENDPOINTS {
        for kind in [
            "application/json",
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencodedx",
            "",
        ] {
            let request = app.request(Method::POST, path).basic_auth(&service.id, Some(&service.secret));
            app.send(request.header(CONTENT_TYPE, kind).body(body)).await.is_oauth_error(400, "invalid_request");
        }
        let request = app.request(Method::POST, path).basic_auth(&service.id, Some(&service.secret)).body(body);
        app.send(request).await.is_oauth_error(400, "invalid_request");
        for kind in ["application/x-www-form-urlencoded; charset=UTF-8", "Application/X-WWW-Form-URLEncoded"] {
            let request = app.request(Method::POST, path).basic_auth(&service.id, Some(&service.secret));
            app.send(request.header(CONTENT_TYPE, kind).body(body)).await.expect(200);
        }
    }
}

async fn large_bodies_are_refused(app: TestApp) {
    let service = app.service("user:read").await;
    let fit = |size: usize| {
        let start = "grant_type=client_credentials&token=x&pad=";
        format!("{start}{}", "x".repeat(size - start.len()))
    };
    for path in ENDPOINTS {
        for (size, status) in [(64 * 1024, 200), (64 * 1024 + 1, 413), (1024 * 1024, 413)] {
            let request = app.request(Method::POST, path).basic_auth(&service.id, Some(&service.secret));
            let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(fit(size));
            let answer = app.send(request).await.expect(status);
            if status == 413 {
                answer.is_oauth_error(413, "invalid_request");
            }
        }
    }
}

async fn nothing_secret_in_the_address(app: TestApp) {
    let service = app.service("user:read").await;
    let query = format!("client_id={}&client_secret={}&grant_type=client_credentials", service.id, service.secret);
    for path in ENDPOINTS {
        app.raw_form(&format!("{path}?{query}"), None, "").await.is_oauth_error(400, "invalid_request");
        let answer = app.raw_form(&format!("{path}?{query}"), None, query.clone()).await;
        answer.is_oauth_error(400, "invalid_request");
    }
}

async fn other_methods_are_405(app: TestApp) {
    for path in ENDPOINTS {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let answer = app.send(app.request(method, path)).await;
            answer.is_oauth_error(405, "invalid_request");
            assert!(answer.headers[ALLOW].to_str().unwrap().contains("POST"), "{answer:?}");
        }
    }
    for path in
        ["/.well-known/jwks.json", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]
    {
        let answer = app.send(app.request(Method::POST, path)).await.expect(405);
        assert!(answer.headers[ALLOW].to_str().unwrap().contains("GET"), "{answer:?}");
    }
    app.get("/oauth/nothing").await.is_oauth_error(404, "invalid_request");
}

async fn bytes_that_are_no_text(app: TestApp) {
    for body in
        [&b"\xff\xfe"[..], b"grant_type=%ff", b"grant_type=client_credentials&scope=%c3%28", b"%", b"=&=&=", b"\0"]
    {
        for path in ENDPOINTS {
            let answer = app.raw_form(path, None, body.to_vec()).await;
            assert!(matches!(answer.status, 400 | 401), "{answer:?}");
            assert!(answer.json()["error"].is_string());
        }
    }
}
