//! Telemetry: where log lines go. Decides nothing about what is logged where.

/// Sends log lines to standard error, at `info` unless `PROFFER_LOG` says otherwise. A second call changes nothing.
pub fn start(filter: Option<&str>) {
    let filter = tracing_subscriber::EnvFilter::new(filter.unwrap_or("info,sqlx=warn,actix_server=warn"));
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).try_init();
}
