//! Many users at once: copies of the first one, made in the database itself.

use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection};

/// The address of a copy.
pub fn email(number: usize) -> String {
    format!("u{number}@bench.example")
}

pub async fn connect(database: &str) -> DatabaseConnection {
    Database::connect(database).await.unwrap()
}

/// Makes the users number 1 to `count` as copies of number 0.
pub async fn fill(database: &str, count: usize) {
    let numbers = format!("numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count})");
    let id = if database.starts_with("sqlite:") { "randomblob(16)" } else { "gen_random_uuid()" };
    let users = format!(
        "INSERT INTO users (tenant_id, id, email, email_verified, username, name, password_hash, profile, enabled,
             has_second_factor, token_epoch, created_at, updated_at)
         WITH RECURSIVE {numbers}
         SELECT tenant_id, {id}, 'u' || i || '@bench.example', email_verified, username, name, password_hash, profile,
             enabled, has_second_factor, token_epoch, created_at, updated_at
         FROM users CROSS JOIN numbers WHERE email = 'u0@bench.example'"
    );
    let names = "INSERT INTO user_identifiers (tenant_id, canonical, user_id)
         SELECT tenant_id, email, id FROM users
         WHERE email LIKE 'u%@bench.example' AND email <> 'u0@bench.example'";
    let connection = connect(database).await;
    connection.execute_unprepared(&users).await.unwrap();
    connection.execute_unprepared(names).await.unwrap();
    connection.close().await.unwrap();
}
