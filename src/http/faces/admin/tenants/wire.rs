//! Tenants on the wire, and what they set for themselves.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::faces::admin::members::body;
use crate::http::fields::FieldError;
use crate::model::color::Color;
use crate::model::tenant::{RegistrationPolicy, Tenant, TenantKeyKind, TenantSettings};

/// A tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(super) struct TenantShown {
    /// `tnt_…`.
    id: String,
    /// For people to read.
    name: String,
    /// Whether it serves every path that names none.
    is_default: bool,
    /// A disabled tenant answers nothing.
    enabled: bool,
    /// What it sets for itself.
    settings: SettingsShown,
    /// RFC 3339.
    created_at: String,
}

impl From<Tenant> for TenantShown {
    fn from(tenant: Tenant) -> Self {
        Self {
            id: tenant.id.to_string(),
            name: tenant.name,
            is_default: tenant.is_default,
            enabled: tenant.enabled,
            settings: tenant.settings.into(),
            created_at: tenant.created_at.rfc3339(),
        }
    }
}

/// What a tenant sets for itself; null takes the installation's value.
#[derive(Serialize, ToSchema)]
#[schema(as = TenantSettings)]
pub(super) struct SettingsShown {
    /// The least number of characters in a password.
    password_min_length: Option<u32>,
    /// Life of access tokens, in seconds.
    access_token_ttl: Option<u32>,
    /// Life of refresh tokens, in seconds.
    refresh_token_ttl: Option<u32>,
    /// Whether people may make an account of their own.
    self_registration: Option<bool>,
    /// The colour of buttons and links on its pages: `#rrggbb`.
    color: Option<String>,
    /// Address of the picture beside its name.
    logo: Option<String>,
    /// Who may register a client: `off`, `token` or `open`.
    registration: &'static str,
    /// Whether clients that register themselves may have tokens sent through the browser.
    registration_legacy: bool,
}

impl From<TenantSettings> for SettingsShown {
    fn from(settings: TenantSettings) -> Self {
        Self {
            password_min_length: settings.password_min_length,
            access_token_ttl: settings.access_token_ttl,
            refresh_token_ttl: settings.refresh_token_ttl,
            self_registration: settings.self_registration,
            color: settings.color.map(|color| color.to_string()),
            logo: settings.logo,
            registration: settings.registration.as_str(),
            registration_legacy: settings.registration_legacy,
        }
    }
}

body! {
    /// A tenant that is to be made.
    NewTenantBody as NewTenant {
        /// For people to read.
        name: String = text,
    }
}

/// A tenant that was just made, with its keys for the one time.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedTenant)]
pub(super) struct CreatedTenant {
    /// The tenant.
    #[serde(flatten)]
    #[schema(inline)]
    pub(super) tenant: TenantShown,
    /// `pub_…`: for client-side calls.
    pub(super) public_key: String,
    /// `sec_…`: for management calls; shown once.
    pub(super) secret_key: String,
}

body! {
    /// What becomes of a tenant: what is absent stays.
    TenantChangeBody as TenantChange {
        /// For people to read.
        name: Option<String> = replacement,
        /// A disabled tenant answers nothing.
        enabled: Option<bool> = flag,
    }
}

impl TenantChangeBody {
    /// The change, for the verb.
    pub(super) fn mend(self) -> impl Fn(&mut Tenant) + Send + Sync + 'static {
        move |tenant| {
            set(&mut tenant.name, &self.name);
            set(&mut tenant.enabled, &self.enabled);
        }
    }
}

body! {
    /// What becomes of a tenant's settings: what is absent stays, what is `null` takes the installation's
    /// value.
    SettingsChangeBody as TenantSettingsChange {
        /// The least number of characters in a password.
        #[schema(value_type = Option<u32>)]
        password_min_length: Option<Option<u32>> = number_change,
        /// Life of access tokens, in seconds.
        #[schema(value_type = Option<u32>)]
        access_token_ttl: Option<Option<u32>> = number_change,
        /// Life of refresh tokens, in seconds.
        #[schema(value_type = Option<u32>)]
        refresh_token_ttl: Option<Option<u32>> = number_change,
        /// Whether people may make an account of their own.
        #[schema(value_type = Option<bool>)]
        self_registration: Option<Option<bool>> = flag_change,
        /// The colour of buttons and links on its pages: `#rrggbb`; empty for none.
        #[schema(value_type = Option<String>)]
        color: Option<Option<String>> = change,
        /// Address of the picture beside its name.
        #[schema(value_type = Option<String>)]
        logo: Option<Option<String>> = change,
        /// Who may register a client: `off`, `token` or `open`.
        #[schema(value_type = Option<String>)]
        registration: Option<RegistrationPolicy> = name,
        /// Whether clients that register themselves may have tokens sent through the browser.
        registration_legacy: Option<bool> = flag,
    }
}

impl SettingsChangeBody {
    /// The change, for the verb.
    ///
    /// # Errors
    /// The colour is none.
    pub(super) fn mend(self) -> Result<impl Fn(&mut Tenant) + Send + Sync + 'static, FieldError> {
        let wrong = |_| FieldError::new("color", "must be like #0a7f5a");
        let color = |text: Option<String>| text.map(|text| text.parse().map_err(wrong)).transpose();
        let color: Option<Option<Color>> = self.color.clone().map(color).transpose()?;
        Ok(move |tenant: &mut Tenant| {
            let settings = &mut tenant.settings;
            set(&mut settings.password_min_length, &self.password_min_length);
            set(&mut settings.access_token_ttl, &self.access_token_ttl);
            set(&mut settings.refresh_token_ttl, &self.refresh_token_ttl);
            set(&mut settings.self_registration, &self.self_registration);
            set(&mut settings.color, &color);
            set(&mut settings.logo, &self.logo);
            set(&mut settings.registration, &self.registration);
            set(&mut settings.registration_legacy, &self.registration_legacy);
        })
    }
}

fn set<T: Clone>(place: &mut T, wish: &Option<T>) {
    if let Some(wish) = wish {
        place.clone_from(wish);
    }
}

body! {
    /// A key that is to be replaced.
    RotateKeyBody as RotateKey {
        /// `public` or `secret`.
        #[schema(value_type = String)]
        kind: TenantKeyKind = required_name,
        /// For how many seconds the key before still counts; 0 unless said otherwise.
        #[schema(value_type = Option<u32>)]
        overlap: std::time::Duration = overlap,
    }
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = TenantKey)]
pub(super) struct TenantKeyShown {
    /// `public` or `secret`.
    pub(super) kind: &'static str,
    /// The key; shown once.
    pub(super) key: String,
}
