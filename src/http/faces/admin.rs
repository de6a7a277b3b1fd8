//! `/api/admin/v1/*`: what an operator needs every day, for whoever holds the fitting permission.
//!
//! Each operation takes an access token: of a person whose roles permit it, or of a service whose scope
//! names it. Whoever administers the default tenant reaches every other one by `?tenant_id=`.

mod api_clients;
mod audit;
mod caller;
mod catalogue;
mod clients;
mod connections;
mod error;
mod factors;
mod invitations;
mod keys;
mod members;
mod once;
mod organizations;
mod paging;
mod sessions;
mod settings;
mod tenants;
mod users;

use crate::http::mount::{Endpoint, endpoints};
use crate::telemetry::Surface;

/// What it serves.
pub(in crate::http) fn endpoints() -> Vec<Endpoint> {
    endpoints![
        Surface::Admin;
        tenants::list,
        tenants::create,
        tenants::show,
        tenants::update,
        tenants::rotate_key,
        users::list,
        users::create,
        users::show,
        users::update,
        users::delete,
        users::set_password,
        users::unlock,
        users::end_sessions,
        users::mail,
        factors::show,
        factors::remove,
        sessions::list,
        sessions::end,
        clients::list,
        clients::create,
        clients::show,
        clients::update,
        clients::delete,
        clients::rotate_secret,
        clients::grant,
        clients::revoke,
        api_clients::list,
        api_clients::create,
        api_clients::show,
        api_clients::update,
        api_clients::rotate,
        catalogue::systems,
        catalogue::add_system,
        catalogue::system,
        catalogue::change_system,
        catalogue::modules,
        catalogue::add_module,
        catalogue::module,
        catalogue::change_module,
        catalogue::sites,
        catalogue::add_site,
        catalogue::site,
        catalogue::change_site,
        organizations::list,
        organizations::create,
        organizations::show,
        organizations::update,
        organizations::members,
        organizations::add_member,
        organizations::update_member,
        organizations::remove_member,
        invitations::list,
        invitations::create,
        invitations::withdraw,
        connections::list,
        connections::create,
        connections::show,
        connections::update,
        connections::delete,
        connections::test,
        keys::list,
        keys::rotate,
        keys::retire,
        audit::list,
        settings::installation,
        tenants::settings,
        tenants::update_settings,
    ]
}
