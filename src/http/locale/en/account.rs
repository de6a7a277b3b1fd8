//! English: the account.

use crate::http::locale::texts::{
    AccountTexts, ApplicationTexts, DeleteTexts, PasskeyTexts, ProfileTexts, RecoveryTexts, SessionTexts, SignInTexts,
    TotpTexts,
};

pub(super) const ACCOUNT: AccountTexts = AccountTexts {
    title: "Your account",
    overview: "Overview",
    profile: "Profile",
    password: "Password",
    passkeys: "Passkeys",
    totp: "Authenticator app",
    recovery: "Recovery codes",
    sign_ins: "Linked sign-ins",
    sessions: "Browsers and devices",
    applications: "Connected applications",
    delete: "Delete account",
    sign_out: "Sign out",
    greeting: |name| format!("Hello, {name}"),
    saved: "Saved.",
    on: "On",
    off: "Off",
    none: "None",
    count: |count| count.to_string(),
    left: |left| format!("{left} left"),
};

pub(super) const PROFILE: ProfileTexts = ProfileTexts {
    lead: "Applications see this only if you allow it. Nothing here is required.",
    about_you: "About you",
    name: "Full name",
    given_name: "Given name",
    middle_name: "Middle name",
    family_name: "Family name",
    nickname: "Nickname",
    preferred_username: "Username",
    gender: "Gender",
    birthdate: "Date of birth",
    birthdate_hint: "Year, month and day, as in 1990-12-31. The year alone will do.",
    contact: "How to reach you",
    email: "Email address",
    email_verified: "Confirmed",
    email_unverified: "Not confirmed yet",
    phone_number: "Phone number",
    address: "Postal address",
    street_address: "Street and number",
    locality: "Town",
    region: "State or region",
    postal_code: "Postal code",
    country: "Country",
    web: "On the web",
    profile: "Profile page",
    website: "Website",
    picture: "Picture",
    url_hint: "An address that begins with https://",
    place: "Language and time",
    zoneinfo: "Time zone",
    zoneinfo_hint: "For example Europe/Berlin",
    locale: "Language",
    locale_hint: "For example en-GB",
    submit: "Save",
    bad_username: "Use letters, digits and . _ - + only, 64 at most.",
    bad_url: "Enter a whole web address, beginning with https://.",
    bad_birthdate: "Write the date as year-month-day, for example 1990-12-31.",
    bad_phone: "Write the number with its country code, for example +44 20 7946 0000.",
    bad_locale: "Write a language tag, for example en-GB.",
    bad_zoneinfo: "Write the name of a time zone, for example Europe/Berlin.",
    long: "This is too long.",
    taken: "This username is taken.",
};

pub(super) const TOTP: TotpTexts = TotpTexts {
    lead: "An app on your phone shows a new code every 30 seconds. Somebody who has only your password can’t sign in.",
    on_since: |when| format!("Set up {when}"),
    begin: "Set it up",
    remove: "Remove it",
    enrol: "Set up the authenticator app",
    scan: "Scan this picture with an authenticator app.",
    by_hand: "Can’t scan it? Enter this key in the app by hand:",
    open: "Open in an app on this device",
    confirm: "Enter the code that the app shows now.",
    code: "Six digits",
    submit: "Confirm",
    wrong: "This code is not right. Check that your phone’s clock is, and try the next one.",
    done: "The authenticator app is set up.",
    removed: "The authenticator app is removed.",
};

pub(super) const PASSKEYS: PasskeyTexts = PasskeyTexts {
    lead: "Sign in with your fingerprint, face, screen lock or a security key. A passkey can’t be guessed, and works on this site only.",
    name: "Name",
    name_hint: "So that you know it again, for example “my phone”.",
    add: "Add a passkey",
    added: |when| format!("Added {when}"),
    used: |when| format!("Last used {when}"),
    never_used: "Not used yet",
    rename: "Rename",
    done: "The passkey is added.",
    removed: "The passkey is removed.",
    renamed: "The passkey is renamed.",
    failed: "No passkey was added. Please try again.",
    no_script: "Adding a passkey needs JavaScript.",
    unsupported: "This browser can’t use passkeys.",
};

pub(super) const RECOVERY: RecoveryTexts = RecoveryTexts {
    lead: "Each of these codes signs you in once if you lose your phone or your passkey.",
    left: |left| match left {
        1 => "You have one code left.".to_owned(),
        left => format!("You have {left} codes left."),
    },
    none: "You have no codes left.",
    no_factor: "You get recovery codes when you set up an authenticator app or a passkey.",
    replace: "Make new codes",
    replace_hint: "If you make new ones, the codes that you have now stop working.",
    shown: "Your recovery codes",
    shown_lead: "Keep them where you keep other important papers: print this page or write them down. They are shown only this once.",
    kept: "I have saved them",
};

pub(super) const SIGN_INS: SignInTexts = SignInTexts {
    lead: "Accounts elsewhere that you can sign in with.",
    none: "No account elsewhere is linked.",
    since: |when| format!("Linked {when}"),
    used: |when| format!("Last used {when}"),
    unlink: "Unlink",
    unlinked: "It is unlinked.",
    last: "This is the only way into your account. Set a password or add a passkey first.",
    offered: "Is this you?",
    offered_lead: |name, label| {
        format!("You came from {name} as {label}. Link it, and you can sign in with it next time.")
    },
    link: "Link",
    linked: "It is linked. You can sign in with it from now on.",
    taken: "This account elsewhere is linked to somebody already.",
    more: "Link another account",
    add: |name| format!("Link {name}"),
};

pub(super) const SESSIONS: SessionTexts = SessionTexts {
    lead: "Where you are signed in. If you don’t recognise one of these, sign it out and change your password.",
    here: "This browser",
    since: |when| format!("Signed in {when}"),
    seen: |when| format!("Last seen {when}"),
    end: "Sign out",
    end_others: "Sign out all others",
    ended: "That browser is signed out.",
    others_ended: "All others are signed out.",
    unknown: "Unknown browser",
    on: |browser, system| format!("{browser} on {system}"),
};

pub(super) const APPLICATIONS: ApplicationTexts = ApplicationTexts {
    lead: "Applications that you have allowed to use your account.",
    none: "You have not connected any applications.",
    since: |when| format!("Connected {when}"),
    used: |when| format!("Last used {when}"),
    may: "It may:",
    remove: "Remove",
    removed: "The application no longer has access.",
};

pub(super) const DELETE: DeleteTexts = DeleteTexts {
    lead: "Your account and everything in it will be gone: profile, passkeys, connected applications. This can’t be undone.",
    what: "You will be signed out everywhere.",
    confirm: |word| format!("Type “{word}” to confirm"),
    wrong: |word| format!("Type “{word}”, exactly as it is written here."),
    last_owner: "You are the last owner of a workspace. Make somebody else an owner first.",
    submit: "Delete my account for good",
    done: "Your account is deleted",
    done_lead: "Thank you for being with us.",
};
