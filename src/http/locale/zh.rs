//! Chinese, in simplified characters.

use super::Texts;

pub(super) const TEXTS: Texts = Texts {
    lang: "zh-Hans",
    running: "gatehouse 正在运行",
    about: "这是一个身份提供方：为用户办理登录，并向应用和服务签发令牌。",
    issuer: "签发者（Issuer）",
    discovery: "发现文档（Discovery）",
    keys: "公钥",
    openapi: "OpenAPI 文档",
    docs: "API 说明",
    not_found: "这里什么也没有",
    not_found_hint: "地址可能有误，或者页面已经移走。",
    bad_request: "无法处理这个请求",
    bad_request_hint: "请返回后重试。如果您来自其他网站，请告知该网站的管理者。",
    failed: "我们这边出了问题",
    failed_hint: "请稍后再试。",
    home: "首页",
    docs_title: "API 说明",
    parameters: "参数",
    answers: "应答",
};
