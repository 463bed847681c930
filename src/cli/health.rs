//! `health`: asks the running appliance's `/health` through its own front door. For containers, whose images have no curl.

use crate::base::fault::{Fault, Kind};
use crate::cli::{fault, output};
use crate::config::{self, Inputs, Loaded};
use crate::control::client;
use crate::routeros::pin;
use serde_json::{Map, Value};
use std::process::ExitCode;
use std::time::Duration;

/// It answers within, or is not well.
const WITHIN: Duration = Duration::from_secs(5);

/// Exit code 0 when it is healthy or degraded, 1 in every other case.
pub fn run(inputs: &Inputs, as_json: bool) -> ExitCode {
    let asked = || -> Result<(bool, Value), Fault> { crate::cli::block_on(ask(&config::load(inputs)?)) };
    match asked() {
        Ok((is_well, document)) => {
            if as_json {
                output::json(&document);
            } else {
                output::text(document["status"].as_str().unwrap_or("unknown"));
            }
            // The code is the answer here, whether or not the words get anywhere.
            if let Err(error) = output::complete() {
                fault::tell(&error, as_json);
            }
            if is_well { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(error) => {
            fault::tell(&error, as_json);
            ExitCode::from(1)
        }
    }
}

/// Whether it is well, and what it says.
pub async fn ask(loaded: &Loaded) -> Result<(bool, Value), Fault> {
    let url = format!("{}/health", listener(loaded).await);
    let unreachable = |error: reqwest::Error| {
        let why = if error.is_timeout() { "no answer in time" } else { "nobody answers" };
        Fault::new(Kind::Unreachable, format!("{url}: {why}")).hint("is it running: `routeros-mcp doctor` looks further")
    };
    // This very machine: whichever certificate it shows, it is asked nothing secret and believed nothing but this.
    let tls = pin::client_config(pin::Trust::Off, &pin::Roots::default()).map_err(Fault::bug)?;
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().timeout(WITHIN).build().map_err(Fault::bug)?;
    let answer = client.get(&url).send().await.map_err(unreachable)?;
    let is_well = answer.status() == http::StatusCode::OK;
    let document = answer.bytes().await.map_err(unreachable)?;
    Ok((is_well, serde_json::from_slice(&document).unwrap_or_default()))
}

/// Where it listens: as the process itself says, or as it is configured.
async fn listener(loaded: &Loaded) -> String {
    let socket = crate::app::places(loaded).control_socket();
    if let Ok(said) = client::op(&socket, "listener", Map::new()).await
        && let Some(url) = said["url"].as_str()
    {
        return url.to_owned();
    }
    let (mcp, http) = (&loaded.config.mcp, &loaded.config.http);
    let scheme = if http.tls == config::sections::Tls::Off { "http" } else { "https" };
    let host = match mcp.http_host.as_str() {
        "0.0.0.0" => "127.0.0.1".to_owned(),
        "::" => "[::1]".to_owned(),
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_owned(),
    };
    format!("{scheme}://{host}:{}", mcp.http_port)
}
