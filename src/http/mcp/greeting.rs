//! What an `initialize` must say. rmcp takes one that says it wrongly for a request without its session.
//!
//! Source: <https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#initialization>

use rmcp::model::InitializeRequestParams;
use serde_json::Value;

/// The arguments of an `initialize` that can be answered.
#[derive(Debug, Default)]
pub struct Greeting {
    /// The revision that the client would like.
    pub version: String,
}

impl Greeting {
    /// Out of the whole message; errs with what is missing or of the wrong kind, without repeating any of it.
    pub fn read(line: &[u8]) -> Result<Greeting, String> {
        let message: Value = serde_json::from_slice(line).unwrap_or_default();
        let params = &message["params"];
        if !params.is_object() {
            return Err("initialize needs params: protocolVersion, capabilities and clientInfo".into());
        }
        for (at, kind) in [
            ("/protocolVersion", "a string"),
            ("/capabilities", "an object"),
            ("/clientInfo", "an object"),
            ("/clientInfo/name", "a string"),
            ("/clientInfo/version", "a string"),
        ] {
            let name = || at.trim_start_matches('/').replace('/', ".");
            match params.pointer(at) {
                None => return Err(format!("initialize: params.{} is missing; it is {kind}", name())),
                Some(value) if (kind == "a string" && !value.is_string()) || (kind == "an object" && !value.is_object()) => {
                    return Err(format!("initialize: params.{} is not {kind}", name()));
                }
                Some(_) => {}
            }
        }
        let version = params["protocolVersion"].as_str().unwrap_or_default().to_owned();
        match serde_json::from_value::<InitializeRequestParams>(params.clone()) {
            Ok(_) => Ok(Greeting { version }),
            // The library's words may quote what was sent.
            Err(_) => Err("initialize: something in its params is of the wrong kind".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_wrong_with_an_initialize_is_named() {
        let good = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let read = |params: Value| Greeting::read(json!({"method": "initialize", "params": params}).to_string().as_bytes());
        assert_eq!(read(good.clone()).unwrap().version, "2025-11-25");
        let with = |at: &str, value: Value| {
            let mut params = good.clone();
            *params.pointer_mut(at).unwrap() = value;
            read(params).unwrap_err()
        };
        assert!(read(Value::Null).unwrap_err().contains("needs params"));
        assert!(read(json!({})).unwrap_err().contains("params.protocolVersion is missing"));
        for at in ["/protocolVersion", "/capabilities", "/clientInfo", "/clientInfo/name", "/clientInfo/version"] {
            for value in [Value::Null, json!(7), json!([])] {
                assert!(with(at, value).contains(&at[1..].replace('/', ".")), "{at}");
            }
        }
        assert!(with("/capabilities", json!({"roots": "secret-word"})).contains("wrong kind"));
    }
}
