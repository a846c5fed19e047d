//! The file opens, twice, and its tables hold together.

use super::Store;

#[tokio::test]
async fn a_new_file_has_tables_and_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.sqlite");
    for _ in 0..2 {
        let store = Store::open(&path).await.unwrap();
        let bad = sqlx::query("PRAGMA foreign_key_check").fetch_all(store.readers()).await.unwrap();
        assert!(bad.is_empty());
        store.close().await;
    }
}
