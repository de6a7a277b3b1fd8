//! Form Post: an answer that the browser posts on by itself, and by a button without script (AR2).
//! Every module of the plans runs in this mode too, where its own test is.

use super::suite::{ALICE, BASIC, CODE, Suite, all, person};
use crate::support::{CALLBACK, TestApp, both_engines};

both_engines!(the_page_posts_itself_and_has_a_button, nothing_gets_out_of_a_field, the_page_may_lead_to_clients_alone,);

async fn the_page_posts_itself_and_has_a_button(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all().filter(|plan| plan.response_mode == "form_post") {
        let suite = Suite::new(&app, plan).await;
        let page = suite.page(&[]).await;
        let form = page.forms().remove(0);
        assert_eq!(form.action, CALLBACK, "{plan:?}");
        assert!(form.html.contains(r#"<button type="submit""#), "{}", form.html);
        // The script is a file of ours, which the policy allows; it sends the form with this id.
        let id = form.html.split(r#"id=""#).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let source = page.text.split("<script src=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        let script = app.get(source).await.expect(200);
        assert!(script.header("content-type").unwrap().contains("javascript"), "{script:?}");
        assert!(script.text.contains(id) && script.text.contains("submit()"), "{}", script.text);
    }
}

async fn nothing_gets_out_of_a_field(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, BASIC[1]).await;
    let state = r#""><script>alert(1)</script><input name="code" value="'&amp;&#34;"#;
    let page = suite.page(&[("state", state)]).await;
    assert!(!page.text.contains("<script>"), "{}", page.text);
    assert_eq!(suite.answer(&page).get("state"), Some(state));
}

async fn the_page_may_lead_to_clients_alone(app: TestApp) {
    person(&app, ALICE).await;
    for plan in [CODE, BASIC[1]] {
        let suite = Suite::new(&app, plan).await;
        let page = match plan {
            CODE => suite.open(&[]).await.expect(200, "/login"),
            _ => suite.page(&[]).await,
        };
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        let rule = policy.split(';').map(str::trim).find(|rule| rule.starts_with("form-action")).unwrap();
        // What the client leads on to is checked by browsers too, and known to nobody here.
        assert_eq!(rule, "form-action 'self' https:");
    }
}
