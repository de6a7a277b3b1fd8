//! What a file of rows from elsewhere may do to rows that are here.

use super::text_enum::text_enum;

text_enum! {
    /// What becomes of a row that is there already.
    OnConflict {
        /// It stays, and the file is refused.
        Fail = "fail",
        /// It stays, and the file's is passed over.
        Skip = "skip",
        /// It becomes what the file says.
        Update = "update",
    }
}
