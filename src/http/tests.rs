//! What a request is before anybody looks at it.

use super::*;

fn request(uri: &str) -> Request<()> {
    Request::builder().uri(uri).body(()).unwrap()
}

#[test]
fn tokens_in_addresses_and_two_framings_are_refused() {
    for uri in ["/mcp?access_token=x", "/mcp?a=1&token=x", "/mcp?x=rmcp_abc", "/rmcp_abc", "/mcp?api_key=1"] {
        assert_eq!(well_formed(&request(uri)).unwrap_err().reason, "token_in_url", "{uri}");
    }
    assert!(well_formed(&request("/mcp?tokens=3")).is_ok());
    for path in ["/rmcp_abc", "/mcp/RMCP_abc", "/%72mcp_abc"] {
        assert_eq!(shown(path), "(hidden)", "{path}: a token that was sent so is not logged");
    }
    assert_eq!(shown("/mcp/x\n"), "/mcp/x");
    let long = format!("/{}", "a".repeat(MAX_URI));
    assert_eq!(well_formed(&request(&long)).unwrap_err().status, StatusCode::URI_TOO_LONG);
    let both = Request::builder().uri("/mcp").header("transfer-encoding", "chunked").header("content-length", "3").body(()).unwrap();
    assert_eq!(well_formed(&both).unwrap_err().reason, "framing");
}

#[test]
fn a_correlation_id_is_taken_when_it_is_a_uuid_and_made_otherwise() {
    let of = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(CORRELATION, HeaderValue::from_str(value).unwrap());
        correlation(&headers).0
    };
    assert_eq!(of("0199BEEF-1111-4222-8333-444455556666"), "0199beef-1111-4222-8333-444455556666");
    for other in
        ["", "x", "0199beef111142228333444455556666", "0199beef-1111-4222-8333-44445555666g", "0199beef-1111-4222-8333-44445555666\"0"]
    {
        let made = of(other);
        assert!(made != other && made.len() == 36, "{other}");
    }
}
