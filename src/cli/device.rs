//! `device …`: the operator's verbs for devices. Passwords come from a prompt, a file or standard input, never argv.

use crate::base::fault::Fault;
use crate::cli::args::{DeviceAdd, DeviceCommand, DeviceUpdate, Import, Password, Pins};
use crate::cli::fault::unreadable;
use crate::cli::reach::Way;
use crate::cli::{output, prompt};
use crate::fleet::roster;
use serde_json::{Map, Value, json};

/// Runs one subcommand.
pub async fn run(way: &Way, command: DeviceCommand, as_json: bool) -> Result<(), Fault> {
    match command {
        DeviceCommand::Add(add) => output::one(&add_device(way, *add, as_json).await?, as_json),
        DeviceCommand::List => list(way, as_json).await?,
        DeviceCommand::Show { id } => output::one(&way.operator("device.get", json!({"device": id})).await?, as_json),
        DeviceCommand::Test { id } => output::one(&way.operator("device.test", json!({"device": id})).await?, as_json),
        DeviceCommand::Update(update) => output::one(&update_device(way, *update).await?, as_json),
        DeviceCommand::Remove { id, yes } => {
            if !yes {
                prompt::yes(&format!("Forget device \"{id}\" and its credential?"), "--yes")?;
            }
            let gone = way.operator("device.remove", json!({"device": id})).await?;
            if as_json {
                output::json(&gone);
            } else {
                output::text(&format!("device \"{}\" is forgotten; its audit records stay", gone["name"].as_str().unwrap_or(&id)));
            }
        }
        DeviceCommand::Decommission { id, remove_account } => {
            output::one(&way.operator("device.decommission", json!({"device": id, "remove_account": remove_account})).await?, as_json);
        }
        DeviceCommand::RotateCredentials { id, dry_run } => {
            output::one(&way.operator("device.rotate_credentials", json!({"device": id, "dry_run": dry_run})).await?, as_json);
        }
        DeviceCommand::Discover { seconds, port, all } => discover(way, json!({"seconds": seconds, "port": port}), all, as_json).await?,
        DeviceCommand::Import(asked) => import(way, asked, as_json).await?,
        DeviceCommand::Bootstrap(_) => return Err(Fault::bug("bootstrap needs no store")),
        DeviceCommand::Pin { id, pins } => output::one(&pin_device(way, &id, &pins, as_json).await?, as_json),
    }
    Ok(())
}

/// Who announces themselves nearby; without `all` those that nobody looks after.
async fn discover(way: &Way, asked: Value, all: bool, as_json: bool) -> Result<(), Fault> {
    let mut heard = way.operator("discovery.list", asked).await?;
    if let Some(rows) = heard["rows"].as_array_mut().filter(|_| !all) {
        rows.retain(|row| row["managed"].is_null());
    }
    if as_json {
        output::json(&heard);
        return Ok(());
    }
    for trouble in heard["troubles"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        eprintln!("note: {trouble}");
    }
    match heard["rows"].as_array() {
        Some(rows) if !rows.is_empty() => output::rows(&["identity", "address", "mac", "board", "version", "managed"], rows),
        _ => output::text(
            "no router announced itself that is not managed yet; routers beyond another router are not heard: add those by address",
        ),
    }
    Ok(())
}

/// Reads the list here: the service may not see the file.
async fn import(way: &Way, asked: Import, as_json: bool) -> Result<(), Fault> {
    let shown = asked.file.display();
    let size = std::fs::metadata(&asked.file).map_err(|error| unreadable(&asked.file, &error))?.len();
    if size > roster::TEXT_MAX as u64 {
        return Err(Fault::bad_input(format!("{shown} is longer than 3 MiB")).hint("import it in parts"));
    }
    if let Some(warning) = prompt::readable_by_others(&asked.file) {
        eprintln!("note: {warning}");
    }
    let list = std::fs::read_to_string(&asked.file).map_err(|error| unreadable(&asked.file, &error))?;
    let mut arguments = credential(&asked.password)?;
    arguments.insert("secret_list".into(), list.into());
    arguments.insert("dry_run".into(), asked.dry_run.into());
    arguments.insert("all_or_nothing".into(), asked.all_or_nothing.into());
    arguments.insert("trust_first_use".into(), asked.trust_first_use.into());
    put(&mut arguments, "username", asked.username);
    let answer = way.operator("device.import", Value::Object(arguments)).await?;
    let number = |name: &str| answer[name].as_u64().unwrap_or_default();
    if as_json {
        output::json(&answer);
    } else {
        for problem in answer["problems"].as_array().into_iter().flatten() {
            eprintln!("line {}: {}", problem["lines"].as_str().unwrap_or_default(), problem["what"].as_str().unwrap_or_default());
        }
        let done = if asked.dry_run { "none added, as asked".to_owned() } else { format!("{} added", number("added")) };
        output::text(&format!("{} lines, {} wrong, {done}", number("lines"), number("wrong")));
    }
    match number("wrong") {
        0 => Ok(()),
        wrong => Err(Fault::bad_input(format!("{wrong} lines were not imported")).hint("correct them and import those again")),
    }
}

async fn add_device(way: &Way, add: DeviceAdd, as_json: bool) -> Result<Value, Fault> {
    let [name, address, username] =
        asked([("Name", "--name", add.name), ("Address", "--address", add.address), ("RouterOS user", "--username", add.username)])?;
    // A file that cannot be read is better known before the router is bothered; a person is asked once the rest is known to do.
    let is_typed = add.password.password_stdin && prompt::types_stdin();
    let mut login = if is_typed { Map::new() } else { credential(&add.password)? };
    let has_key = add.ssh_key_file.is_some();
    if login.is_empty() && !is_typed && !has_key && !prompt::someone_there() {
        return Err(prompt::missing(&["--password-file"]));
    }
    let mut described = Map::new();
    described.insert("address".into(), address.into());
    described.insert("plain_http".into(), add.plain_http.into());
    put(&mut described, "rest_port", add.rest_port);
    put(&mut described, "ssh_port", add.ssh_port);
    described.insert("name".into(), name.into());
    described.insert("username".into(), username.into());
    put(&mut described, "environment", add.environment);
    described.insert("tags".into(), add.tags.into());
    described.insert("capabilities".into(), add.capabilities.into());
    if let Some(file) = add.ssh_key_file {
        let whole = std::path::absolute(&file).map_err(Fault::bug)?;
        described.insert("ssh_key_file".into(), whole.to_string_lossy().into_owned().into());
    }
    let mut wanted = described.clone();
    put(&mut wanted, "tls_fingerprint", add.pins.tls_fingerprint.as_deref());
    put(&mut wanted, "ssh_fingerprint", add.pins.ssh_fingerprint.as_deref());
    put(&mut wanted, "password_ref", add.password.password_ref.as_deref());
    // The record is checked before the router is asked; then what that presents is looked at, by a person or by the fingerprint
    // given, before any credential leaves.
    let presented = way.operator("device.present", Value::Object(wanted)).await?;
    let mut pins = trusted(&presented, &add.pins, as_json)?;
    if presented["pins_tls"] == false && add.pins.tls_fingerprint.is_none() {
        // Certificate authorities decide here, not what was presented.
        pins.remove("tls_fingerprint");
    }
    let rest_is_off = presented["rest_error"].is_string();
    // A key is a whole login for SSH, none for REST.
    if is_typed {
        login = credential(&add.password)?;
    } else if login.is_empty() && !(has_key && (rest_is_off || !prompt::someone_there())) {
        login.insert("password".into(), prompt::password("Password")?.expose().into());
    }
    let mut arguments = described;
    // What nobody has seen is not trusted, should REST come up this moment.
    arguments.insert("ssh_only".into(), (rest_is_off && !pins.contains_key("tls_fingerprint")).into());
    arguments.extend(pins);
    arguments.extend(login);
    let mut device = way.operator("device.add", Value::Object(arguments)).await?;
    if as_json {
        device["warnings"] = presented["warnings"].clone();
    }
    Ok(device)
}

/// The fingerprints to pin: those given, else those presented and accepted. Shown to people; scripts that asked for
/// JSON find them in the answer, and standard error holds nothing but an error.
fn trusted(presented: &Value, pins: &Pins, as_json: bool) -> Result<Map<String, Value>, Fault> {
    let mut trusted = Map::new();
    let tls_is_shown = presented["tls_fingerprint"].is_string();
    // Where a host key is all there is, naming that one is as good.
    let named = pins.tls_fingerprint.is_some() || (!tls_is_shown && presented["rest_error"].is_string() && pins.ssh_fingerprint.is_some());
    let needs_a_yes = !pins.yes && !named;
    let mut shown = Vec::new();
    for (field, label, given) in
        [("tls_fingerprint", "TLS certificate", &pins.tls_fingerprint), ("ssh_fingerprint", "SSH host key   ", &pins.ssh_fingerprint)]
    {
        let seen = presented[field].as_str();
        shown.push(format!("{label} {}", seen.unwrap_or("none presented; `device pin` can pin one later")));
        if let Some(accepted) = given.as_deref().or(seen) {
            trusted.insert(field.into(), accepted.into());
        }
    }
    if let Some(until) = presented["tls_not_after"].as_str() {
        shown.insert(1, format!("                {}, valid until {until}", presented["tls_subject"].as_str().unwrap_or("")));
    }
    let warnings = presented["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str);
    shown.extend(warnings.map(|warning| format!("note: {warning}")));
    if !as_json || (needs_a_yes && prompt::someone_there()) {
        shown.iter().for_each(|line| eprintln!("{line}"));
    }
    if needs_a_yes {
        let seen = |field: &str| presented[field].as_str().map(str::to_owned);
        let flag = match (seen("tls_fingerprint"), seen("ssh_fingerprint")) {
            (None, Some(key)) => format!("--ssh-fingerprint {key}"),
            (certificate, _) => format!("--tls-fingerprint {}", certificate.unwrap_or_else(|| "sha256:HEX".into())),
        };
        prompt::yes("Is this your router, and do you trust it?", &format!("--yes, or {flag}"))?;
    }
    Ok(trusted)
}

async fn pin_device(way: &Way, id: &str, pins: &Pins, as_json: bool) -> Result<Value, Fault> {
    let mut asked = Map::new();
    asked.insert("device".into(), id.into());
    put(&mut asked, "tls_fingerprint", pins.tls_fingerprint.as_deref());
    put(&mut asked, "ssh_fingerprint", pins.ssh_fingerprint.as_deref());
    let presented = way.operator("device.present", Value::Object(asked)).await?;
    let mut arguments = trusted(&presented, pins, as_json)?;
    arguments.insert("device".into(), id.into());
    way.operator("device.pin", Value::Object(arguments)).await
}

async fn update_device(way: &Way, update: DeviceUpdate) -> Result<Value, Fault> {
    let mut arguments = Map::new();
    arguments.insert("device".into(), update.id.into());
    put(&mut arguments, "name", update.name);
    put(&mut arguments, "environment", update.environment);
    put(&mut arguments, "address", update.address);
    put(&mut arguments, "rest_port", update.rest_port);
    put(&mut arguments, "ssh_port", update.ssh_port);
    put(&mut arguments, "username", update.username);
    put(&mut arguments, "tls_fingerprint", update.tls_fingerprint);
    put(&mut arguments, "ssh_fingerprint", update.ssh_fingerprint);
    put(&mut arguments, "tags", update.tags);
    put(&mut arguments, "capabilities", update.capabilities.map(|list| list.into_iter().filter(|name| name != "none").collect::<Vec<_>>()));
    arguments.extend(credential(&update.password)?);
    if arguments.len() == 1 {
        return Err(Fault::bad_input("nothing to change").hint("name what is to change, e.g. --tag site=north; --help shows the flags"));
    }
    way.operator("device.update", Value::Object(arguments)).await
}

/// The password's arguments; none when no flag says where it is.
fn credential(from: &Password) -> Result<Map<String, Value>, Fault> {
    let mut arguments = Map::new();
    let password = match from {
        Password { password_ref: Some(reference), .. } => {
            arguments.insert("password_ref".into(), reference.as_str().into());
            return Ok(arguments);
        }
        Password { password_file: Some(file), .. } => prompt::password_from_file(file)?,
        Password { password_stdin: true, .. } => prompt::password_from_stdin()?,
        _ => return Ok(arguments),
    };
    arguments.insert("password".into(), password.expose().into());
    Ok(arguments)
}

async fn list(way: &Way, as_json: bool) -> Result<(), Fault> {
    let devices = way.rows("device.list").await?;
    if as_json {
        // Scripts get what `device show` prints of each.
        let mut whole = Vec::with_capacity(devices.len());
        for device in &devices {
            whole.push(way.operator("device.get", json!({"device": device["id"]})).await?);
        }
        output::json(&Value::Array(whole));
        return Ok(());
    }
    if devices.is_empty() {
        output::text("no devices yet: add one with `routeros-mcp device add`");
        return Ok(());
    }
    output::rows(&["name", "address", "environment", "status", "version", "board"], &devices);
    Ok(())
}

/// Each value as given, else asked for; without a person all that is missing is said at once.
fn asked<const N: usize>(wanted: [(&str, &'static str, Option<String>); N]) -> Result<[String; N], Fault> {
    let missing: Vec<&str> = wanted.iter().filter(|(_, _, given)| given.is_none()).map(|(_, flag, _)| *flag).collect();
    if !missing.is_empty() && !prompt::someone_there() {
        return Err(prompt::missing(&missing));
    }
    let mut answers = [const { String::new() }; N];
    for (answer, (question, flag, given)) in answers.iter_mut().zip(wanted) {
        *answer = given.map_or_else(|| prompt::line(question, flag), Ok)?;
    }
    Ok(answers)
}

fn put(arguments: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        arguments.insert(name.into(), value.into());
    }
}
