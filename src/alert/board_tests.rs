//! What is told of all alerts, and when.

use super::*;
use std::time::Duration;

const HOLD: Ms = 120_000;

fn at(ms: Ms) -> Now {
    Now { ms, wall: Wall(1_790_000_000_000 + ms) }
}

fn rules() -> BTreeMap<Kind, Rule> {
    let down = Rule { hold: Duration::from_millis(HOLD as u64), cooldown: Duration::from_secs(900) };
    BTreeMap::from([
        (Kind::DeviceDown, down),
        (Kind::PlanWaiting, Rule::default()),
        (Kind::GuardFired, Rule { hold: Duration::ZERO, cooldown: Duration::from_secs(600) }),
    ])
}

fn board() -> Board {
    Board::new(rules(), Vec::new(), at(0))
}

fn router(n: usize) -> Subject {
    Subject::device(&format!("dev_{n:04}"), &format!("edge-{n:04}"))
}

/// Lets time pass in steps of a second, and gives what is told with its time.
fn until(board: &mut Board, from: Ms, to: Ms) -> Vec<(Ms, Message)> {
    let mut told = Vec::new();
    for ms in (from..=to).step_by(1_000) {
        told.extend(board.pass(at(ms)).messages.into_iter().map(|message| (ms, message)));
    }
    told
}

fn said(told: &[(Ms, Message)]) -> Vec<(Ms, &str)> {
    told.iter().map(|(ms, message)| (*ms, message.summary.as_str())).collect()
}

#[test]
fn one_router_is_told_after_its_time_and_when_it_is_back() {
    let mut board = board();
    board.see(Kind::DeviceDown, &router(7), "no answer within 5 s", Seen::Is, at(0));
    assert_eq!(board.live()[0].standing, Standing::Waiting);
    let told = until(&mut board, 0, 200_000);
    assert_eq!(said(&told), [(HOLD, "edge-0007 is down")]);
    assert_eq!((told[0].1.details.as_str(), told[0].1.since, told[0].1.count), ("no answer within 5 s", at(0).wall, 1));
    assert_eq!(board.live()[0].standing, Standing::Firing);
    board.see(Kind::DeviceDown, &router(7), "", Seen::IsNot, at(300_000));
    let outcome = board.pass(at(300_000));
    assert_eq!(outcome.messages[0].summary, "edge-0007 is up again");
    assert_eq!((outcome.gone.len(), outcome.past[0].ended_at), (1, Some(at(300_000).wall)));
    assert!(board.live().is_empty());
}

#[test]
fn five_hundred_routers_down_at_once_are_one_message_with_a_count() {
    let mut board = board();
    // As a fleet is polled: over a minute.
    for n in 0..500 {
        board.see(Kind::DeviceDown, &router(n), "no answer", Seen::Is, at(n as Ms * 100));
    }
    let told = until(&mut board, 50_000, 400_000);
    assert_eq!(said(&told), [(HOLD + 50_000, "500 routers are down")]);
    let message = &told[0].1;
    assert_eq!((message.count, message.subjects.len()), (500, NAMED));
    assert!(message.details.starts_with("edge-0000, edge-0001") && message.details.ends_with("and 480 more"), "{}", message.details);
    let mut told = Vec::new();
    for n in 0..500 {
        let now = 400_000 + n as Ms * 100;
        board.see(Kind::DeviceDown, &router(n), "", Seen::IsNot, at(now));
        told.extend(board.pass(at(now)).messages.into_iter().map(|message| (now, message)));
    }
    told.extend(until(&mut board, 450_000, 700_000));
    assert_eq!(said(&told), [(449_900, "500 routers are up again")]);
}

#[test]
fn what_nobody_could_foresee_is_gathered_after_the_first_few() {
    let mut board = board();
    let mut told = Vec::new();
    for n in 0..100_i64 {
        let now = n * 500;
        board.see(Kind::PlanWaiting, &Subject::plan(&format!("plan-{n:03}")), "", Seen::Is, at(now));
        told.extend(board.pass(at(now)).messages.into_iter().map(|message| (now, message)));
    }
    told.extend(until(&mut board, 50_000, 300_000));
    assert_eq!(told.len(), FEW + 1, "{:?}", said(&told));
    assert_eq!(told.last().unwrap().1.count as usize, 100 - FEW);
    assert_eq!(told.iter().map(|(_, message)| message.count as usize).sum::<usize>(), 100, "and none is lost");
}

#[test]
fn a_site_that_comes_back_before_it_was_told_is_never_told() {
    let mut board = board();
    for n in 0..50 {
        board.see(Kind::DeviceDown, &router(n), "", Seen::Is, at(0));
        board.see(Kind::DeviceDown, &router(n + 100), "", Seen::Is, at(30_000));
    }
    assert!(board.pass(at(HOLD)).messages.is_empty(), "it waits for those that are due soon");
    for n in 0..50 {
        board.see(Kind::DeviceDown, &router(n), "", Seen::IsNot, at(HOLD + 10_000));
    }
    let told = until(&mut board, HOLD + 10_000, 600_000);
    assert_eq!(said(&told), [(HOLD + 30_000, "50 routers are down")], "the others are");
}

#[test]
fn exactly_those_named_are_so_and_the_rest_is_over() {
    let mut board = board();
    board.only(Kind::DeviceDown, &[(router(1), "a".into()), (router(2), "b".into())], at(0));
    until(&mut board, 0, HOLD);
    board.only(Kind::DeviceDown, &[(router(2), "c".into())], at(HOLD + 1));
    assert_eq!(said(&until(&mut board, HOLD + 1, HOLD + 2)), [(HOLD + 1, "edge-0001 is up again")]);
    let live = board.live();
    assert_eq!((live.len(), live[0].subject.id.as_str(), live[0].details.as_str()), (1, "dev_0002", "c"));
}

#[test]
fn what_happens_is_history_at_once_and_told_again_as_a_number() {
    let mut board = board();
    let plan = Subject::plan("plan-1");
    board.see(Kind::GuardFired, &plan, "edge-1", Seen::Happens, at(0));
    let outcome = board.pass(at(0));
    assert_eq!((outcome.messages.len(), outcome.past.len(), outcome.stands.len()), (1, 1, 0));
    for _ in 0..3 {
        board.see(Kind::GuardFired, &plan, "edge-1", Seen::Happens, at(10_000));
    }
    let told = until(&mut board, 10_000, 2_000_000);
    assert_eq!(told.iter().map(|(ms, message)| (*ms, message.repeats)).collect::<Vec<_>>(), [(600_000, 2)]);
    assert_eq!(board.next(), None, "and forgotten");
}

#[test]
fn what_was_told_before_a_restart_is_not_told_again_and_its_end_is() {
    let stood =
        Stands { kind: Kind::DeviceDown, subject: router(1), details: "x".into(), since: at(-500_000).wall, told_at: at(-400_000).wall };
    let mut board = Board::new(rules(), vec![stood], at(0));
    board.only(Kind::DeviceDown, &[(router(1), "x".into())], at(1_000));
    assert!(until(&mut board, 1_000, 500_000).is_empty());
    board.only(Kind::DeviceDown, &[], at(500_000));
    let told = until(&mut board, 500_000, 501_000);
    assert_eq!((said(&told), told[0].1.since), (vec![(500_000, "edge-0001 is up again")], at(-500_000).wall));
}

#[test]
fn a_kind_that_is_off_is_never_told_and_what_stood_of_it_goes_without_a_word() {
    let stood = Stands { kind: Kind::DiskLow, subject: Subject::appliance(), details: "x".into(), since: Wall(0), told_at: Wall(0) };
    let mut board = Board::new(rules(), vec![stood], at(0));
    board.see(Kind::BackupFailed, &Subject::appliance(), "x", Seen::Is, at(0));
    let outcome = board.pass(at(0));
    assert!(outcome.messages.is_empty() && outcome.gone == [(Kind::DiskLow, "appliance".to_owned())], "{outcome:?}");
    assert!(board.live().is_empty());
}

#[test]
fn a_flood_takes_no_more_than_its_room() {
    let mut board = board();
    for n in 0..MOST + 500 {
        board.see(Kind::DeviceDown, &router(n), "", Seen::Is, at(0));
    }
    assert_eq!((board.live().len(), board.refused), (MOST, 500));
    let told = until(&mut board, 0, 200_000);
    assert_eq!(told.len(), 1);
    board.only(Kind::DeviceDown, &[], at(300_000));
    board.pass(at(300_000));
    board.pass(at(5_000_000));
    assert_eq!((board.alerts.len(), board.next()), (0, None), "and gives it back");
}

#[test]
fn it_says_when_it_is_to_be_asked_next() {
    let mut board = board();
    assert_eq!(board.next(), None);
    board.see(Kind::DeviceDown, &router(1), "", Seen::Is, at(5));
    assert_eq!(board.next(), Some(5 + HOLD));
    board.pass(at(5 + HOLD));
    assert_eq!(board.next(), None);
    board.see(Kind::DeviceDown, &router(1), "", Seen::IsNot, at(200_000));
    assert_eq!(board.pass(at(200_000)).messages.len(), 1);
    assert_eq!(board.next(), Some(5 + HOLD + 900_000), "when it may be told again");
}

#[test]
fn what_happens_is_told_whatever_its_cooldown() {
    for (cooldown, many) in [(0, 1), (0, 10), (30, 10)] {
        let rule = Rule { hold: Duration::ZERO, cooldown: Duration::from_secs(cooldown) };
        let mut board = Board::new(BTreeMap::from([(Kind::GuardFired, rule)]), Vec::new(), at(0));
        for n in 0..many {
            board.see(Kind::GuardFired, &Subject::plan(&format!("plan-{n}")), "", Seen::Happens, at(0));
        }
        let told = until(&mut board, 0, 200_000);
        assert_eq!(told.iter().map(|(_, message)| message.count).sum::<u32>(), many, "{cooldown} s: {:?}", said(&told));
    }
}

#[test]
fn one_kind_leaves_room_for_the_others() {
    let mut board = board();
    for n in 0..MOST + 10 {
        board.see(Kind::DeviceDown, &router(n), "", Seen::Is, at(0));
    }
    board.see(Kind::PlanWaiting, &Subject::plan("plan-1"), "", Seen::Is, at(0));
    assert_eq!(board.live().len(), MOST + 1);
}
