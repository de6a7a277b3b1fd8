//! What is open to everybody.

use super::section::section;

section! {
    /// What is open to everybody.
    RegistrationConfig, "What is open to everybody";

    /// Whether anybody may make a tenant (POST /v1/tenants). When false, it takes a service token
    /// with tenant:write.
    open_tenants: bool = "tenants.open_registration", true;
    /// Whether anybody may register a service (POST /v1/internal/services/register). A new one
    /// holds no scopes. When false, it takes a service token with internal:admin.
    open_services: bool = "services.open_registration", true;
    /// Whether people must prove their e-mail address before they can sign in.
    require_verified_email: bool = "auth.require_verified_email", true;
    /// Whether people may make an account of their own in the default tenant.
    self_registration: bool = "auth.self_registration", true;
}
