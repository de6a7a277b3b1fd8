//! What the tables of systems, modules and sites have in common: a key for machines, a code for people,
//! and the queries by them.

/// The queries on a table of the catalogue whose file has `noun(Model)` and `row(TenantId, &Noun)`.
macro_rules! catalogue_table {
    ($noun:ident, $id:ident, $what:literal) => {
        fn of_tenant(rows: &TenantRows<'_>) -> Select<Entity> {
            Entity::find().filter(Column::TenantId.eq(rows.tenant().uuid()))
        }

        #[doc = concat!("Adds a ", $what, ".")]
        ///
        /// # Errors
        /// `Duplicate` if its id, key or code is taken; or the database is unavailable.
        pub async fn insert(tx: &TenantTx<'_>, entry: &$noun) -> Result<(), StorageError> {
            let row = row(tx.tenant(), entry).into_active_model();
            Entity::insert(row).exec_without_returning(&tx.raw()).await?;
            Ok(())
        }

        #[doc = concat!("The ", $what, " of this id.")]
        ///
        /// # Errors
        /// The database is unavailable.
        pub async fn find(rows: &TenantRows<'_>, id: $id) -> Result<Option<$noun>, StorageError> {
            Ok(of_tenant(rows).filter(Column::Id.eq(id.uuid())).one(&rows.raw()).await?.map(noun))
        }

        /// The same, which nobody else changes until this transaction ends.
        ///
        /// # Errors
        /// The database is unavailable.
        pub async fn find_for_update(tx: &TenantTx<'_>, id: $id) -> Result<Option<$noun>, StorageError> {
            let query = of_tenant(tx).filter(Column::Id.eq(id.uuid())).lock(LockType::NoKeyUpdate);
            Ok(query.one(&tx.raw()).await?.map(noun))
        }

        #[doc = concat!("The ", $what, " of this key.")]
        ///
        /// # Errors
        /// The database is unavailable.
        pub async fn find_by_key(rows: &TenantRows<'_>, key: &str) -> Result<Option<$noun>, StorageError> {
            Ok(of_tenant(rows).filter(Column::Key.eq(key)).one(&rows.raw()).await?.map(noun))
        }

        #[doc = concat!("The ", $what, " that a grant names: by its key or by its code.")]
        ///
        /// # Errors
        /// The database is unavailable.
        pub async fn find_named(rows: &TenantRows<'_>, name: &str) -> Result<Option<$noun>, StorageError> {
            let named = Column::Key.eq(name).or(Column::Code.eq(name));
            Ok(of_tenant(rows).filter(named).one(&rows.raw()).await?.map(noun))
        }

        /// At most `limit` after `after`, in the order of their ids, which is that of their making.
        ///
        /// # Errors
        /// The database is unavailable.
        pub async fn list_after(
            rows: &TenantRows<'_>,
            after: Option<$id>,
            limit: u64,
        ) -> Result<Vec<$noun>, StorageError> {
            let mut query = of_tenant(rows).order_by_asc(Column::Id).limit(limit);
            if let Some(after) = after {
                query = query.filter(Column::Id.gt(after.uuid()));
            }
            Ok(query.all(&rows.raw()).await?.into_iter().map(noun).collect())
        }

        /// Writes what may change: name, code, and whether it is enabled.
        ///
        /// # Errors
        /// `Duplicate` if the code is taken; or the database is unavailable.
        pub async fn update(tx: &TenantTx<'_>, entry: &$noun) -> Result<(), StorageError> {
            Entity::update_many()
                .col_expr(Column::Name, Expr::value(entry.name.as_str()))
                .col_expr(Column::Code, Expr::value(entry.code.clone()))
                .col_expr(Column::Enabled, Expr::value(entry.enabled))
                .filter(Column::TenantId.eq(tx.tenant().uuid()))
                .filter(Column::Id.eq(entry.id.uuid()))
                .exec(&tx.raw())
                .await?;
            Ok(())
        }
    };
}
pub(in crate::storage) use catalogue_table;
