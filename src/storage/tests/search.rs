//! People are found by a part of their names, and not by going through all of them.

use migration::{Migrator, MigratorTrait as _};

use super::*;
use crate::model::page::Window;

fn filter(search: &str) -> UserFilter {
    UserFilter {
        search: Some(search.to_owned()),
        role: None,
        none_of: &[],
        is_active: None,
        organization: None,
        now: at(1),
    }
}

async fn found(db: &Db, search: &str) -> Vec<String> {
    let window = Window { limit: 100, offset: 0 };
    let found = users::window(&db.read().of(TENANT), &filter(search), window).await.unwrap();
    assert_eq!(found.total, u64::try_from(found.rows.len()).unwrap());
    found.rows.into_iter().filter_map(|user| user.name).collect()
}

async fn write(
    db: &Db,
    change: impl for<'a> Fn(&'a Tx) -> db::Work<'a, Result<(), StorageError>> + Send + Sync + 'static,
) {
    db.write((), move |tx, ()| change(tx)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_found_as_they_are_now() {
    on_each(|db| async move {
        fill(&db).await;
        write(&db, |tx| {
            Box::pin(async move {
                let of = tx.of(TENANT);
                for (n, (email, name)) in [
                    ("grosz@example.org", "Émile GROẞ"),
                    ("100%@example.org", "a_b"),
                    ("kana@example.org", "ﾃｽﾄ 日本語"),
                ]
                .into_iter()
                .enumerate()
                {
                    let id = UserId::from_uuid(Uuid::from_u128(0x500 + n as u128));
                    users::insert(&of, &user(TENANT, id, email, name)).await?;
                }
                Ok(())
            })
        })
        .await;
        for (search, wanted) in [
            ("émile", "Émile GROẞ"),
            ("ÉMILE gross", "Émile GROẞ"),
            ("テスト", "ﾃｽﾄ 日本語"),
            ("本語", "ﾃｽﾄ 日本語"),
            ("本", "ﾃｽﾄ 日本語"),
            ("ト 日", "ﾃｽﾄ 日本語"),
            ("100%@", "a_b"),
            ("É", "Émile GROẞ"),
            ("z@", "Émile GROẞ"),
            ("n ", "Ann 100%"),
            ("_", "a_b"),
            ("b", "a_b"),
            ("a_b", "a_b"),
        ] {
            assert_eq!(found(&db, search).await, [wanted], "{search}");
        }
        for nobody in [
            "a%b",
            "x_b",
            "\"",
            "a\"b OR c",
            "NEAR(a b)",
            "e@example.org\n\ngro",
            "org\n\n",
            "日語",
            "gh",
            "7A",
            "'",
            "\\",
            "*",
            "z b",
            "q",
        ] {
            assert_eq!(found(&db, nobody).await, Vec::<String>::new(), "{nobody}");
        }
        write(&db, |tx| {
            Box::pin(async move {
                let of = tx.of(TENANT);
                let [changed, gone] = [0x500, 0x501].map(|id| UserId::from_uuid(Uuid::from_u128(id)));
                users::update(&of, &user(TENANT, changed, "emile@example.org", "Zola")).await?;
                users::delete(&of, gone).await
            })
        })
        .await;
        assert_eq!(found(&db, "zola").await, ["Zola"]);
        assert_eq!(found(&db, "gross").await, Vec::<String>::new());
        assert_eq!(found(&db, "100%@").await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_there_before_the_index_is_found_by_it() {
    on_each(|db| async move {
        fill(&db).await;
        Migrator::down(db.pool(), Some(2)).await.unwrap();
        let spelt = "UPDATE users SET search_text = 'ann@example.org\n\n\u{1}JGHD\u{2}\u{1}FJCH\u{2} ann'";
        db.pool().execute_unprepared(spelt).await.unwrap();
        Migrator::up(db.pool(), None).await.unwrap();
        for search in ["大", "陳大", "大 a", "n@", "ann@example.org"] {
            assert_eq!(found(&db, search).await, ["Ann 100%"], "{search}");
        }
        assert_eq!(found(&db, "FJ").await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_very_many_are_called_is_found_too() {
    on_each(|db| async move {
        fill(&db).await;
        write(&db, |tx| {
            Box::pin(async move {
                for (tenant, from, many) in [(TENANT, 0x1_0000, 1100), (OTHER, 0x2_0000, 3)] {
                    for n in 0..many {
                        let (id, email) = (UserId::from_uuid(Uuid::from_u128(from + n)), format!("{n}@many.test"));
                        users::insert(&tx.of(tenant), &user(tenant, id, &email, &format!("Zed {n}"))).await?;
                    }
                }
                Ok(())
            })
        })
        .await;
        for search in ["z", "ze", "zed", "@many.test"] {
            for (tenant, total, last) in [(TENANT, 1100, "Zed 1099"), (OTHER, 3, "Zed 2")] {
                let (rows, filter) = (db.read().of(tenant), filter(search));
                let window = Window { limit: 10, offset: total - 1 };
                let found = users::window(&rows, &filter, window).await.unwrap();
                assert_eq!((found.total, found.rows.len()), (total, 1), "{search}");
                assert_eq!(found.rows[0].name.as_deref(), Some(last), "{search}");
                let page = users::filtered_after(&rows, &filter, None, 2).await.unwrap();
                let names: Vec<_> = page.iter().filter_map(|user| user.name.as_deref()).collect();
                assert_eq!(names, ["Zed 0", "Zed 1"], "{search}");
            }
        }
        assert_eq!(found(&db, "zed 1099").await, ["Zed 1099"]);
    })
    .await;
}
