//! Lists of routers as people write them, and what is wrong with them.

use super::*;

#[test]
fn spreadsheets_of_both_kinds_and_json_say_the_same() {
    let comma = "\u{feff}Name,address,tags\r\nedge-1,192.0.2.1,\"a=1,b=2\"\r\n\r\nedge-2,192.0.2.2,\r\n";
    let semicolon = "name;address;tags\nedge-1;192.0.2.1;a=1,b=2\n#note\nedge-2;192.0.2.2;\n";
    let json = r#"[{"name":"edge-1","address":"192.0.2.1","tags":["a=1","b=2"]},{"name":"edge-2","address":"192.0.2.2","tags":null}]"#;
    let cells = |text: &str| rows(text).unwrap().0.into_iter().map(|(_, cells)| cells).collect::<Vec<_>>();
    assert_eq!(cells(comma), cells(semicolon));
    assert_eq!(cells(comma), cells(json));
    let numbers = |text: &str| rows(text).unwrap().0.into_iter().map(|(number, _)| number).collect::<Vec<_>>();
    assert_eq!((numbers(comma), numbers(semicolon)), (vec![2, 4], vec![2, 4]), "the lines of the file");
    assert_eq!(numbers("name,tags\na,\"x\ny\"\n\n# b\n\nc,z"), [2, 7], "a cell may have lines");
}

#[test]
fn what_is_no_list_is_refused_and_never_repeated() {
    for bad in
        ["", "name\n", "edge-1,192.0.2.1,hunter2\n", "name,name\n", "[1", "{\"name\":1}", "[{\"hunter2\":1}", &"x".repeat(TEXT_MAX + 1)]
    {
        let fault = rows(bad).map(|_| ()).unwrap_err();
        assert!(!format!("{} {:?}", fault.said, fault.hint).contains("hunter2"), "{fault:?}");
    }
    let (good, problems) = rows("name,address\na,b\nc\nd,e,f\n").unwrap();
    assert_eq!((good.len(), problems.iter().map(|one| one.line).collect::<Vec<_>>()), (1, vec![3, 4]));
    let (_, problems) = rows(r#"[1,{"name":{"a":1}},{"hunter2":"x"}]"#).unwrap();
    assert_eq!(problems.len(), 3);
    assert!(problems.iter().all(|one| !one.what.contains("hunter2")));
}

#[test]
fn a_password_keeps_its_blanks_and_too_many_entries_are_refused() {
    let cells = rows("name, password\n edge ,  s3cret \n").unwrap().0;
    assert_eq!((cells[0].1["name"].as_str(), cells[0].1["password"].as_str()), ("edge", "  s3cret "));
    let many = format!("[{}1]", "1,".repeat(1_000_000));
    assert!(rows(&many).map(|_| ()).unwrap_err().said.contains("more than"));
}

#[test]
fn the_same_problem_is_told_once_with_its_lines() {
    let problem = |line, what: &str| Problem { line, what: what.into() };
    let groups = grouped(&[problem(2, "a"), problem(9, "b"), problem(3, "a"), problem(7, "a")]);
    assert_eq!(groups, [("a".to_owned(), "2-3, 7".to_owned()), ("b".to_owned(), "9".to_owned())]);
}
