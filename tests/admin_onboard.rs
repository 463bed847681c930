//! Adding a router in the pages and what is done with it afterwards, by what a browser without a script sends and gets.

use crate::admin_rig::{Browser, OURS, PASSWORD, signed_in, where_to};
use crate::http_rig::Web;
use crate::site::Site;
use routeros_mcp::access::Role;
use routeros_mcp::routeros::pin::format_fingerprint;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options, Sim};
use serde_json::{Value, json};
use std::time::Duration;

async fn router() -> Sim {
    Sim::start(Options { plain: false, ..Options::new(Profile::Office, "office") }).await.unwrap()
}

fn devices(web: &Web) -> usize {
    web.site.app.dispatch.world().fleet.len()
}

/// A site that looks after one router, and its administrator.
async fn with_router() -> (Web, Browser, String) {
    let mut site = Site::bare(&[("mcp.transport", "both"), ("mcp.http_port", "0"), ("health_check.enabled", "false")]).await;
    site.adopt(Profile::Office, "office", json!({"capabilities": ["writes"]})).await;
    let id = site.device("office").id.0.clone();
    let web = Web::over(site).await;
    let anna = signed_in(&web, "anna", Role::Admin).await;
    (web, anna, id)
}

#[tokio::test]
async fn a_router_is_added_in_two_steps_and_not_before_its_fingerprint_was_confirmed() {
    let (web, sim) = (Web::open(&[]).await, router().await);
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let (rest, ssh, print) = (sim.https_port().to_string(), sim.ssh_port().to_string(), format_fingerprint(&sim.fingerprint()));
    let first = anna.get("/admin/add?address=127.0.0.1&name=B%C3%BCro+1").await;
    assert!(first.status == 200 && first.body.contains(r#"value="127.0.0.1""#) && first.body.contains(r#"value="B-ro-1""#), "{first:?}");
    let place = [("address", "127.0.0.1"), ("rest_port", rest.as_str()), ("ssh_port", ssh.as_str()), ("name", "office")];
    let looked = anna.form("/admin/add/look", &place).await;
    assert!(looked.status == 200 && looked.body.contains(&print) && looked.body.contains("Is this your router?"), "{looked:?}");

    let login = sim.credentials().mcp;
    let with = |more: &[(&'static str, &str)]| -> Vec<(String, String)> {
        let usual = place.iter().copied().chain([("username", login.user), ("tls_fingerprint", print.as_str())]);
        let mut fields: Vec<(String, String)> = usual.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        fields.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        fields
    };
    let good = login.password.expose();
    let other = format!("sha256:{}", "0".repeat(64));
    for (fields, status, said) in [
        (with(&[("password", good)]), 400, "tick the box"),
        (with(&[("password", "wrong-pass-7"), ("trusted", "on")]), 502, "nothing was stored"),
        (with(&[("password", good), ("trusted", "on"), ("tls_fingerprint", other.as_str())]), 502, "nothing was stored"),
    ] {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = anna.form("/admin/add/confirm", &fields).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.body.contains(said) && answer.body.contains(r#"role="alert""#), "{said}: {}", answer.body);
        assert!(!answer.body.contains("wrong-pass-7") && !answer.body.contains(good), "no password comes back");
        assert_eq!(devices(&web), 0);
    }
    let fields = with(&[("password", good), ("trusted", "on"), ("tags", "site=north"), ("cap_writes", "on")]);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let added = anna.form("/admin/add/confirm", &fields).await;
    let page = anna.get(where_to(&added)).await;
    for said in ["is added", "may more than it needs", "<code>sensitive</code>", "read passwords and keys", "Next"] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    let device = web.site.device("office");
    assert_eq!((device.pins.tls, device.capabilities.len(), device.tags.len()), (Some(sim.fingerprint()), 1, 1));
    let trail = web.site.operator("audit.get_events", json!({"limit": 100})).await;
    assert!(!trail.structured.to_string().contains(good) && !trail.structured.to_string().contains("wrong-pass-7"));
    web.close().await;
    sim.stop().await;
}

#[tokio::test]
async fn who_may_not_add_routers_adds_none_and_a_page_of_another_site_neither() {
    let (web, sim) = (Web::open(&[]).await, router().await);
    let print = format_fingerprint(&sim.fingerprint());
    let (rest, login) = (sim.https_port().to_string(), sim.credentials().mcp);
    let fields = [
        ("address", "127.0.0.1"),
        ("rest_port", rest.as_str()),
        ("name", "office"),
        ("username", login.user),
        ("password", login.password.expose()),
        ("tls_fingerprint", print.as_str()),
        ("trusted", "on"),
    ];
    for role in [Role::ReadOnly, Role::OpsRw, Role::Approver] {
        let mut person = signed_in(&web, role.as_str(), role).await;
        let answer = person.form("/admin/add/confirm", &fields).await;
        assert!(answer.status == 403 && devices(&web) == 0, "{answer:?}");
        for path in ["/admin/registrations", "/admin/add/script"] {
            let fields = [("name", "x"), ("url", "https://box"), ("username", "mcp"), ("list", "x")];
            assert_eq!(person.form(path, &fields).await.status, 403, "{path}");
        }
    }
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    assert_eq!(anna.form_from("/admin/add/confirm", "Sec-Fetch-Site: cross-site\r\n", &fields).await.status, 403);
    assert_eq!(devices(&web), 0);
    web.close().await;
    sim.stop().await;
}

#[tokio::test]
async fn a_stale_proof_asks_for_ones_own_password_on_the_same_page() {
    let (web, hand) = Web::timed(&[]).await;
    let sim = router().await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    hand.advance(Duration::from_secs(301));
    let print = format_fingerprint(&sim.fingerprint());
    let (rest, login) = (sim.https_port().to_string(), sim.credentials().mcp);
    let fields = |proof: &'static str| {
        vec![
            ("address", "127.0.0.1".to_owned()),
            ("rest_port", rest.clone()),
            ("name", "office".to_owned()),
            ("username", login.user.to_owned()),
            ("password", login.password.expose().to_owned()),
            ("tls_fingerprint", print.clone()),
            ("trusted", "on".to_owned()),
            ("proof", proof.to_owned()),
        ]
    };
    for (proof, status) in [("", 303), ("wrong-password-1", 401), (PASSWORD, 303)] {
        let fields = fields(proof);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = anna.form("/admin/add/confirm", &fields).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(devices(&web), usize::from(proof == PASSWORD), "{proof}");
    }
    web.close().await;
    sim.stop().await;
}

#[tokio::test]
async fn the_pages_of_on_boarding_are_there_and_teach_the_next_step() {
    let (web, mut anna, id) = with_router().await;
    let manage = format!("/admin/devices/{id}/manage");
    for (path, said) in [
        ("/admin/discovery", "Add one by its address"),
        ("/admin/add", "A user for us on the router"),
        ("/admin/registrations", "None yet"),
        ("/admin/import", "a first line of names"),
        (manage.as_str(), "Decommission office"),
    ] {
        let page = anna.get(path).await;
        assert!(page.status == 200 && page.body.contains(said), "{path}: {page:?}");
        assert!(page.body.contains(r#"aria-current="page""#), "{path} stands below one of the pages at the top");
        for inline in ["<script>", " style=", " onclick=", "javascript:"] {
            assert!(!page.body.contains(inline), "{path} has {inline}");
        }
        assert!(page.body.len() < 24_000, "{path}: {} bytes", page.body.len());
    }
    let script = anna.form("/admin/add/script", &[("username", "a\"b"), ("writes", "on"), ("from", "192.0.2.9")]).await;
    assert!(script.status == 200 && script.body.contains("policy=read,test,api,rest-api,write\n"), "{script:?}");
    let mut rita = signed_in(&web, "rita", Role::ReadOnly).await;
    let page = rita.get(&manage).await;
    assert!(page.status == 200 && page.body.contains("for administrators") && !page.body.contains("Decommission office"), "{page:?}");
    web.close().await;
}

#[tokio::test]
async fn a_record_is_changed_only_where_something_is_another() {
    let (web, mut anna, id) = with_router().await;
    let at = |verb: &str| format!("/admin/devices/{id}/{verb}");
    assert!(where_to(&anna.form(&at("test"), &[]).await).ends_with("manage?said=tested"));
    let same = [("name", "office"), ("address", "127.0.0.1"), ("cap_writes", "on")];
    assert_eq!(anna.form(&at("update"), &same).await.status, 400);
    let fields = [("name", "office-2"), ("tags", "site=north rack=2"), ("cap_writes", "on"), ("cap_firewall", "on")];
    assert!(where_to(&anna.form(&at("update"), &fields).await).ends_with("manage?said=saved"));
    let device = web.site.device("office-2");
    assert_eq!((device.tags.len(), device.capabilities.len(), device.address.as_str()), (2, 2, "127.0.0.1"));
    let wrong = anna
        .form(
            &at("update"),
            &[
                ("name", "office-2"),
                ("tags", "site=north rack=2"),
                ("cap_writes", "on"),
                ("cap_firewall", "on"),
                ("password", "wrong-pass-7"),
            ],
        )
        .await;
    assert!(wrong.status == 502 && !wrong.body.contains("wrong-pass-7"), "{wrong:?}");
    assert_eq!(web.site.operator("device.test", json!({"device": "office-2"})).await.fault, None, "the login that works is still there");
    web.close().await;
}

#[tokio::test]
async fn new_fingerprints_and_a_new_password_are_looked_at_before_they_are_taken() {
    let (web, mut anna, id) = with_router().await;
    let at = |verb: &str| format!("/admin/devices/{id}/{verb}");
    let print = format_fingerprint(&web.site.sim("office").fingerprint());
    let compared = anna.form(&at("present"), &[]).await;
    assert!(compared.status == 200 && compared.body.matches(&print).count() >= 2 && compared.body.contains("same"), "{compared:?}");
    assert_eq!(anna.form(&at("pin"), &[("tls_fingerprint", print.as_str())]).await.status, 400, "not without the box");
    let other = format!("sha256:{}", "0".repeat(64));
    assert_eq!(anna.form(&at("pin"), &[("tls_fingerprint", other.as_str()), ("trusted", "on")]).await.status, 502);
    let pinned = anna.form(&at("pin"), &[("tls_fingerprint", print.as_str()), ("trusted", "on")]).await;
    assert!(where_to(&pinned).ends_with("manage?said=pinned"));
    web.site
        .sim("office")
        .world()
        .by_hand("admin")
        .set("/user/group", "mcp", &[("policy", "read,write,test,password,api,rest-api,ssh")])
        .unwrap();
    assert!(where_to(&anna.form(&at("test"), &[]).await).ends_with("said=tested"));
    let looked = anna.form(&at("rotation"), &[]).await;
    assert!(looked.status == 200 && looked.body.contains("Change the password on office") && looked.body.contains("rest"), "{looked:?}");
    assert!(where_to(&anna.form(&at("rotate"), &[]).await).contains("manage?said=rotated"));
    assert_eq!(web.site.operator("device.test", json!({"device": "office"})).await.fault, None);
    web.close().await;
}

#[tokio::test]
async fn a_decommissioned_router_stays_listed_and_says_what_is_left_on_it() {
    let (web, mut anna, id) = with_router().await;
    let at = |verb: &str| format!("/admin/devices/{id}/{verb}");
    let done = anna.form(&at("decommission"), &[("remove_account", "on")]).await;
    assert!(done.status == 200 && done.body.contains("still on the router") && done.body.contains("]\n/user/group/remove"), "{done:?}");
    assert!(anna.get("/admin/").await.body.contains("decommissioned"));
    let again = anna.form(&at("decommission"), &[]).await;
    assert_eq!(again.status, 409, "{again:?}");
    assert_eq!(anna.form(&at("remove"), &[("name", "other")]).await.status, 400);
    assert_eq!(where_to(&anna.form(&at("remove"), &[("name", "office")]).await), "/admin/");
    assert_eq!(devices(&web), 0);
    web.close().await;
}

#[tokio::test]
async fn an_account_is_removed_where_it_is_ours_and_we_may_and_nowhere_else() {
    let mut site = Site::bare(&[]).await;
    let grant = |site: &Site, name: &str, policy: &str, comment: &str| {
        let mut world = site.sim(name).world();
        world.by_hand("admin").set("/user/group", "mcp", &[("policy", policy)]).unwrap();
        world.set("/user", "mcp", "comment", comment);
    };
    const MAY: &str = "read,write,policy,test,api,rest-api";
    for (name, policy, comment, removed) in [
        ("kept-1", "read,write,test,api,rest-api", "routeros-mcp", false),
        ("kept-2", MAY, "somebody else's", false),
        ("kept-3", MAY, "routeros-mcp", false),
        ("gone", MAY, "routeros-mcp", true),
    ] {
        site.adopt(Profile::Office, name, json!({})).await;
        grant(&site, name, policy, comment);
        assert_eq!(site.operator("device.test", json!({"device": name})).await.fault, None);
        // Somebody's kill switch holds for this too.
        let switch = json!({"read_only": name == "kept-3"});
        assert_eq!(site.operator("settings.set_switches", switch).await.fault, None);
        let done = site.operator("device.decommission", json!({"device": name, "remove_account": true})).await;
        assert_eq!(done.fault, None, "{name}: {}", done.text);
        assert_eq!(
            (&done.structured["account"]["removed"], &done.structured["status"]),
            (&Value::from(removed), &json!("decommissioned")),
            "{}",
            done.text
        );
        assert_eq!(done.structured["account"]["why"].is_string(), !removed);
        let mut world = site.sim(name).world();
        assert_eq!(!world.table("/user").rows.iter().any(|row| row.get("name") == Some("mcp")), removed, "{name}");
    }
    site.close().await;
}

#[tokio::test]
async fn a_session_makes_no_file_of_the_box_a_login() {
    // What is in the file would be sent to the address that came with it.
    let (web, mut anna, id) = with_router().await;
    let sim = router().await;
    let print = format_fingerprint(&sim.fingerprint());
    for login in [
        json!({"password_ref": "file:/etc/hostname"}),
        json!({"password_ref": "credential:encryption_key"}),
        json!({"password": "x", "ssh_key_file": "/etc/hostname"}),
    ] {
        let mut device = json!({"name": "mine", "address": "127.0.0.1", "rest_port": sim.https_port(), "ssh_port": sim.ssh_port(), "username": "mcp", "tls_fingerprint": print});
        device.as_object_mut().unwrap().extend(login.as_object().unwrap().clone());
        let answer = anna.post("/admin/api/v1/devices", device).await;
        assert!(answer.status == 403 && answer.body.contains("only its command line may"), "{login}: {answer:?}");
        let headers = format!("{OURS}Content-Type: application/json\r\n");
        let answer = anna.send("PATCH", &format!("/admin/api/v1/devices/{id}"), &headers, &login.to_string()).await;
        assert_eq!(answer.status, 403, "{login}: {answer:?}");
    }
    let list = format!("name,address,username,password_ref,tls_fingerprint\nmine,127.0.0.1,mcp,file:/etc/hostname,{print}\n");
    let answer = anna.post("/admin/api/v1/devices/import", json!({"secret_list": list, "dry_run": true})).await;
    assert!(answer.body.contains("names a file of this box"), "{answer:?}");
    assert_eq!(devices(&web), 1);
    web.close().await;
}
