//! `man`: one page for the whole program, a part for each command.

use clap::Command;
use clap_mangen::Man;
use std::io;

/// The page in roff.
pub fn page(program: &Command) -> io::Result<String> {
    let mut page = Vec::new();
    Man::new(program.clone()).render(&mut page)?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    commands(program, program.get_name(), &mut page)?;
    Ok(page)
}

/// The commands that do something, in the order of `--help`.
fn commands(above: &Command, path: &str, page: &mut String) -> io::Result<()> {
    for command in above.get_subcommands().filter(|command| !command.is_hide_set()) {
        let path = format!("{path} {}", command.get_name());
        if command.has_subcommands() {
            commands(command, &path, page)?;
            continue;
        }
        let man = Man::new(command.clone());
        let mut part = Vec::new();
        man.render_description_section(&mut part)?;
        man.render_options_section(&mut part)?;
        // Parts of a part: its sections stand below the command's own heading.
        let part = String::from_utf8_lossy(&part).replace("\n.SH ", "\n.SS ").replacen(".SH DESCRIPTION\n", "", 1);
        page.push_str(&format!(".SH \"{}\"\n{part}", path));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Cli;
    use clap::CommandFactory;

    #[test]
    fn every_command_has_a_part_with_its_flags() {
        let page = page(&Cli::command()).unwrap();
        assert_eq!(page.matches(".TH ").count(), 1);
        for part in [".SH \"routeros-mcp device add\"", ".SH \"routeros-mcp audit verify\"", "password", "preflight"] {
            assert!(page.contains(part), "no {part} in {page}");
        }
    }
}
