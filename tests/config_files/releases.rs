//! Configurations of every release: what `config default` printed then is read today, without an error or a warning.
//!
//! `BLESS=1` keeps the one of today's version if it is missing, and never touches another.

use super::*;

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/config")
}

#[test]
fn the_configuration_of_every_release_is_read_without_a_word() {
    let today = dir().join(format!("{}.toml", env!("CARGO_PKG_VERSION")));
    if std::env::var_os("BLESS").is_some() && !today.exists() {
        std::fs::create_dir_all(dir()).unwrap();
        std::fs::write(&today, config::default_file(Environment::Lab)).unwrap();
    }
    assert!(today.exists(), "{}: BLESS=1 makes it", today.display());
    let mut seen = 0;
    for entry in std::fs::read_dir(dir()).unwrap().map(|entry| entry.unwrap().path()) {
        let text = std::fs::read_to_string(&entry).unwrap();
        let machine = Machine::new().file("config.toml", &text);
        machine.good();
        assert_eq!(machine.warnings(), Vec::<String>::new(), "{}", entry.display());
        seen += 1;
    }
    assert!(seen > 0);
}
