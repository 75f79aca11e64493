//! The private PostgreSQL that `./tests/run` starts. Connects to nothing itself.

/// Where the private server listens, as `postgres://user@host:port/database`; its user may create databases.
///
/// Without it the test fails instead of being skipped: a gate that skips what it cannot run holds nothing.
pub fn postgres_url() -> String {
    std::env::var("PROFFER_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!(
            "this test needs PostgreSQL and PROFFER_TEST_POSTGRES_URL is not set: run `./tests/run`, \
             which starts a private server and sets it"
        )
    })
}

#[test]
fn the_url_names_the_private_server() {
    let url = postgres_url();
    assert!(url.starts_with("postgres://"), "{url}");
}
