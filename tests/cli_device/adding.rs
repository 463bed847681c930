//! `device add` against what is not the router it should be.

use super::*;

/// `device add --yes` against a port, with the right password of a simulated router; the error.
#[track_caller]
fn refused(rig: &Rig, port: u16, more: &[&str], code: i32) -> Value {
    let flags = rig.adding("edge", port, SECRET);
    let began = Instant::now();
    let error = rig.error(&[&words(&flags)[..], more].concat(), code);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused_and_nothing_is_kept() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    let error = refused(&rig, sim.https_port(), &["--yes"], 77);
    assert_eq!(error["kind"], "router_denied");
    says(&error["message"], "refused our login");
    assert!(error["hint"].is_string(), "{error}");
    assert!(!error.to_string().contains(SECRET));
    rig.holds_no_device(SECRET);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_fingerprint_is_refused_before_any_credential_is_sent() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    let other = fingerprint(&[7; 32]);
    for more in [&["--tls-fingerprint", other.as_str()][..], &["--yes", "--tls-fingerprint", other.as_str()]] {
        let error = refused(&rig, sim.https_port(), more, 77);
        assert_eq!(error["kind"], "untrusted");
        says(&error["message"], &other);
        says(&error["message"], &fingerprint(&sim.fingerprint()));
        says(&error["hint"], "no credential was sent");
    }
    saw_no_login(&sim);
    rig.holds_no_device(SECRET);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_fingerprint_is_bad_input() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    let error = refused(&rig, sim.https_port(), &["--tls-fingerprint", "sha256:12"], 64);
    says(&error["message"], "tls_fingerprint");
    let error = refused(&rig, sim.https_port(), &["--yes", "--ssh-fingerprint", "MD5:12"], 64);
    says(&error["message"], "ssh_fingerprint");
    saw_no_login(&sim);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listening_is_unreachable() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    let port = sim.https_port();
    sim.stop().await;
    let error = refused(&rig, port, &["--yes"], 69);
    assert_eq!(error["kind"], "unreachable");
    says(&error["message"], &format!("127.0.0.1:{port}"));
    rig.holds_no_device(SECRET);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_accepts_and_never_answers_is_given_up_in_time() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    sim.faults().set_line(Line::HalfOpen);
    let error = refused(&rig, sim.https_port(), &["--yes"], 69);
    assert_eq!(error["kind"], "unreachable");
    rig.holds_no_device(SECRET);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_answers_the_login_never_is_given_up_in_time() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    sim.faults().inject(Rule::always(Fault::Hang).on("/system"));
    let error = refused(&rig, sim.https_port(), &["--yes"], 69);
    assert_eq!(error["kind"], "unreachable");
    rig.holds_no_device(SECRET);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_on_the_tls_port_gets_no_credential() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    sim.faults().set_line(Line::PlainOnTls);
    let error = refused(&rig, sim.https_port(), &["--yes"], 69);
    says(&error["message"], "TLS");
    assert!(error["hint"].is_string(), "{error}");
    saw_no_login(&sim);
    rig.holds_no_device(SECRET);
}

/// A web server with TLS that is no router; every request it got.
async fn web_server(page: &'static str) -> (u16, mpsc::UnboundedReceiver<String>, JoinSet<()>) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut sessions = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, tell) = (acceptor.clone(), tell.clone());
            sessions.spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = vec![0; 64 * 1024];
                while let Ok(length @ 1..) = stream.read(&mut request).await {
                    let _ = tell.send(String::from_utf8_lossy(&request[..length]).into_owned());
                    let _ = stream.write_all(page.as_bytes()).await;
                }
            });
        }
    });
    (port, told, tasks)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tls_port_that_is_no_router_gets_no_credential() {
    for page in [
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Digest realm=\"x\"\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    ] {
        let (rig, (port, mut told, _tasks)) = (Rig::new(), web_server(page).await);
        let error = refused(&rig, port, &["--yes"], 69);
        says(&error["message"], "RouterOS");
        let mut requests = 0;
        while let Ok(request) = told.try_recv() {
            requests += 1;
            assert!(!request.to_ascii_lowercase().contains("authorization"), "{request}");
        }
        assert!(requests > 0, "it was asked what it is");
        rig.holds_no_device(SECRET);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_is_noted_and_pinned_and_refused_under_ca() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    sim.expire_certificate().unwrap();
    let flags = rig.adding("edge", sim.https_port(), sim.credentials().mcp.password.expose());
    let done = rig.run(&[&words(&flags)[..], &["--yes"]].concat());
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("note: the certificate has expired"), "{done:?}");
    assert_eq!(rig.json(&["device", "test", "edge"])["status"], "reachable");

    let strict = Rig::new().with("ROUTEROS_MCP_ROUTEROS_VERIFY_TLS", "ca");
    sim.forget_requests();
    let flags = strict.adding("edge", sim.https_port(), sim.credentials().mcp.password.expose());
    let error = strict.error(&[&words(&flags)[..], &["--yes"]].concat(), 77);
    assert_eq!(error["kind"], "untrusted");
    saw_no_login(&sim);
    strict.holds_no_device(sim.credentials().mcp.password.expose());
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_endless_answers_while_adding_leave_nothing_behind() {
    for fault in [Fault::GarbageJson, Fault::CutJson, Fault::EndlessJson, Fault::ServerError, Fault::CloseBefore] {
        let (rig, sim) = (Rig::new(), router(Profile::HomeAp).await);
        sim.faults().inject(Rule::always(fault).on("/system/resource"));
        let password = sim.credentials().mcp.password;
        let flags = rig.adding("edge", sim.https_port(), password.expose());
        let began = Instant::now();
        let done = rig.run(&[&words(&flags)[..], &["--json", "--yes"]].concat());
        assert!([69, 76].contains(&done.code), "{fault:?}: {done:?}");
        done.error(done.code);
        assert!(began.elapsed() < SOON, "{fault:?}: {:?}", began.elapsed());
        rig.holds_no_device(password.expose());
    }
}
