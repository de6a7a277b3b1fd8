//! What mails say in Chinese, in simplified characters.

use super::letter::{Unit, Words, facts, span, unlinked};
use crate::domain::mail::Addressed;
use crate::model::mail::MailKind;

pub(super) fn words(addressed: &Addressed) -> Words {
    let (mail, at) = (&addressed.mail, &addressed.sender);
    let what = unlinked(addressed.about.as_deref().unwrap_or_default());
    let (subject, about, action, after) = match mail.kind {
        MailKind::VerifyEmail => (
            format!("请确认您在 {at} 使用的邮箱地址"),
            format!("有人（应该是您本人）用这个邮箱地址在 {at} 注册了账号。请确认这个地址属于您。"),
            Some("确认邮箱地址"),
            "如果不是您本人操作，请忽略这封邮件：在地址得到确认之前，任何人都无法使用该账号。",
        ),
        MailKind::ResetPassword => (
            format!("设置您在 {at} 的新密码"),
            format!("有人（应该是您本人）为您在 {at} 的账号申请了新密码。"),
            Some("设置新密码"),
            "如果不是您本人操作，请忽略这封邮件：您的密码保持不变。",
        ),
        MailKind::AddressTaken => (
            format!("您在 {at} 已有账号"),
            format!(
                "有人（应该是您本人）试图用这个邮箱地址在 {at} 注册，但该地址已有账号。您可以照常登录；如果忘记了密码，请设置新密码。"
            ),
            Some("设置新密码"),
            "如果不是您本人操作，您无需做任何事：对方没有得到任何信息。",
        ),
        MailKind::NewDevice => (
            format!("您在 {at} 的账号有新的登录"),
            format!("您在 {at} 的账号在一个我们此前没有见过的浏览器中登录。"),
            Some("查看我的账号"),
            "如果是您本人操作，您无需做任何事。如果不是，请立即结束该会话并更改密码。",
        ),
        MailKind::PasswordChanged => (
            format!("您在 {at} 的密码已更改"),
            format!("您在 {at} 的账号密码已更改，其他地方的登录均已退出。"),
            Some("设置新密码"),
            "如果是您本人操作，您无需做任何事。如果不是，请立即设置新密码。",
        ),
        MailKind::PasskeyAdded => added(at, "通行密钥"),
        MailKind::PasskeyRemoved => removed(at, "通行密钥"),
        MailKind::TotpAdded => added(at, "身份验证器应用"),
        MailKind::TotpRemoved => removed(at, "身份验证器应用"),
        MailKind::FactorsRemoved => (
            format!("登录 {at} 现在只需密码"),
            format!("管理员移除了您在 {at} 的账号的通行密钥、身份验证器应用和恢复代码。"),
            Some("查看我的账号"),
            "如果是您要求的，请重新设置第二验证方式。如果不是，请联系本站的管理者。",
        ),
        MailKind::RecoveryCodesRenewed => (
            format!("您在 {at} 的恢复代码已更新"),
            format!("您在 {at} 的账号生成了新的恢复代码，之前的代码已失效。"),
            Some("查看我的账号"),
            NOT_ME,
        ),
        MailKind::AccountDeleted => (
            format!("您在 {at} 的账号已删除"),
            format!("您在 {at} 的账号及其所有内容已删除。"),
            None,
            "如果不是您本人操作，请联系本站的管理者。",
        ),
        MailKind::Invitation => (
            format!("邀请您加入 {at} 的“{what}”"),
            format!("有人邀请您加入 {at} 的工作区“{what}”。此邀请仅对您的邮箱地址有效。"),
            Some("查看邀请"),
            "如果您不清楚这是怎么回事，请忽略这封邮件：除非您接受邀请，否则什么都不会发生。",
        ),
    };
    let mut afterwards = vec![after.to_owned()];
    if let Some(life) = addressed.link_life {
        afterwards.insert(0, format!("链接只能使用一次，{}内有效。", said(span(life))));
    }
    let told_of = addressed.link_life.is_none();
    Words {
        lang: "zh-Hans",
        colon: "：",
        subject,
        paragraphs: vec![about],
        facts: if told_of { facts(mail, ["时间", "来源", "浏览器"]) } else { Vec::new() },
        action,
        after: afterwards,
        footer: format!("这封邮件由 {at}（{}）发出。", addressed.issuer),
    }
}

const NOT_ME: &str = "如果是您本人操作，您无需做任何事。如果不是，请立即更改密码并检查您的账号。";

type Said = (String, String, Option<&'static str>, &'static str);

fn added(at: &str, what: &str) -> Said {
    let subject = format!("您在 {at} 的账号已添加{what}");
    (subject.clone(), format!("{subject}，可用于登录。"), Some("查看我的账号"), NOT_ME)
}

fn removed(at: &str, what: &str) -> Said {
    let subject = format!("您在 {at} 的账号已移除{what}");
    (subject.clone(), format!("{subject}，不能再用于登录。"), Some("查看我的账号"), NOT_ME)
}

fn said((n, unit): (u64, Unit)) -> String {
    let unit = match unit {
        Unit::Minutes => "分钟",
        Unit::Hours => "小时",
        Unit::Days => "天",
    };
    format!("{n} {unit}")
}
