//! The rules on simulated looks: one alarm for one incident, whatever happens.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn policy() -> Policy {
    Policy {
        restarts: 3,
        window: Duration::from_secs(600),
        settle: 2,
        on_recovery: true,
        channels: vec![Channel::Exec, Channel::Webhook],
    }
}

fn look(verdict: Verdict) -> Look {
    Look { verdict, restarts: None, pid: None, last_error: None }
}

fn dead() -> Look {
    look(Verdict::Trouble(Kind::Dead, "it is gone".to_owned()))
}

fn well() -> Look {
    look(Verdict::Well)
}

fn counted(count: u64) -> Look {
    Look { restarts: Some(count), ..well() }
}

/// Looks once a minute, and tells everybody at once.
struct Watch {
    record: Record,
    policy: Policy,
    now: UnixMs,
    told: Vec<(Channel, Event)>,
}

impl Watch {
    fn new() -> Self {
        Self { record: Record::default(), policy: policy(), now: 1_769_500_000_000, told: Vec::new() }
    }

    fn look(&mut self, look: &Look) -> &mut Self {
        self.now += 60_000;
        self.record.take(look, &self.policy, self.now);
        for (channel, notice) in self.record.due() {
            self.told.push((channel, notice.event));
            self.record.tried(channel, &notice, Ok(()));
        }
        self
    }

    fn told(&mut self) -> Vec<(Channel, Event)> {
        std::mem::take(&mut self.told)
    }
}

const ALARM: [(Channel, Event); 2] = [(Channel::Exec, Event::Alarm), (Channel::Webhook, Event::Alarm)];
const RECOVERY: [(Channel, Event); 2] =
    [(Channel::Exec, Event::Recovery), (Channel::Webhook, Event::Recovery)];

#[test]
fn an_incident_is_told_once_and_its_end_once() {
    let mut watch = Watch::new();
    assert_eq!(watch.look(&well()).told(), []);
    assert_eq!(watch.look(&dead()).told(), ALARM);
    assert_eq!(watch.look(&dead()).look(&dead()).told(), []);
    assert_eq!(watch.look(&well()).told(), [], "one good look is not the end");
    assert_eq!(watch.look(&well()).told(), RECOVERY);
    assert_eq!(watch.look(&well()).look(&well()).told(), []);
    assert_eq!(watch.look(&dead()).told(), ALARM, "the next incident is another one");
}

#[test]
fn flapping_is_one_incident() {
    let mut watch = Watch::new();
    assert_eq!(watch.look(&dead()).told(), ALARM);
    for _ in 0..20 {
        assert_eq!(watch.look(&well()).look(&dead()).told(), []);
    }
    assert_eq!(watch.look(&well()).look(&well()).told(), RECOVERY);
}

#[test]
fn a_stop_on_purpose_is_no_incident_and_ends_one() {
    let mut watch = Watch::new();
    let off = look(Verdict::Off("it was stopped".to_owned()));
    let unclear = look(Verdict::Unclear("it is stopping".to_owned()));
    assert_eq!(watch.look(&off).look(&unclear).look(&off).told(), []);
    assert_eq!(watch.look(&dead()).told(), ALARM);
    assert_eq!(watch.look(&unclear).look(&dead()).told(), [], "what is unclear changes nothing");
    assert_eq!(watch.look(&off).look(&well()).look(&well()).told(), []);
}

#[test]
fn worse_is_told_and_better_is_not_the_end() {
    let mut watch = Watch::new();
    let degraded = look(Verdict::Trouble(Kind::Degraded, "its store is failed".to_owned()));
    assert_eq!(watch.look(&degraded).told(), ALARM);
    assert_eq!(watch.look(&dead()).told(), ALARM);
    assert_eq!(watch.look(&degraded).look(&degraded).told(), []);
    assert_eq!(watch.look(&well()).look(&well()).told(), RECOVERY);
}

#[test]
fn restarts_are_counted_in_their_window() {
    let mut watch = Watch::new();
    assert_eq!(watch.look(&counted(40)).told(), [], "what was before the first look does not count");
    for count in 41..=43 {
        assert_eq!(watch.look(&counted(count)).told(), [], "{count}");
    }
    assert_eq!(watch.look(&counted(44)).told(), ALARM);
    let open = watch.record.incident.clone().expect("is open");
    assert_eq!((open.kind, open.restarts), (Kind::Looping, 4));
    assert_eq!(open.summary, "the gateway was started again 4 times within 10 min");
    for _ in 0..5 {
        assert_eq!(watch.look(&counted(44)).told(), []);
    }
    for _ in 0..6 {
        watch.look(&counted(44));
    }
    assert_eq!(watch.told(), RECOVERY);
    let mut slow = Watch::new();
    for count in 0..50 {
        slow.now += 240_000;
        assert_eq!(slow.look(&counted(count)).told(), [], "three in ten minutes are allowed: {count}");
    }
    let mut anew = Watch::new();
    assert_eq!(anew.look(&counted(100)).look(&counted(2)).told(), [], "the count began anew");
    assert_eq!(anew.look(&counted(4)).told(), ALARM);
}

#[test]
fn a_process_that_changes_counts_where_nobody_else_counts() {
    let mut watch = Watch::new();
    for pid in 1..=4 {
        assert_eq!(watch.look(&Look { pid: Some(pid), ..well() }).told(), [], "{pid}");
    }
    assert_eq!(watch.look(&Look { pid: Some(5), ..well() }).told(), ALARM);
}

#[test]
fn a_clock_that_jumps_makes_no_alarm() {
    for jump in [-86_400_000, -1, 0, 1, 86_400_000, 40 * 365 * 86_400_000] {
        let mut watch = Watch::new();
        watch.look(&counted(1)).look(&counted(3));
        watch.now += jump;
        assert_eq!(watch.look(&counted(4)).look(&counted(4)).told(), [], "{jump}");
        assert_eq!(watch.record.incident, None);
    }
}

#[test]
fn who_could_not_be_told_is_tried_again_and_given_up_some_time() {
    let mut record = Record::default();
    record.take(&dead(), &policy(), 1);
    for (channel, notice) in record.due() {
        let ok = channel == Channel::Exec;
        record.tried(channel, &notice, if ok { Ok(()) } else { Err("refused".to_owned()) });
    }
    for attempt in 2..=MAX_ATTEMPTS {
        let due = record.due();
        let [(Channel::Webhook, notice)] = due.as_slice() else { panic!("{due:?}") };
        assert_eq!(record.failing().next().map(|(_, owed)| owed.attempts), Some(attempt - 1));
        record.tried(Channel::Webhook, notice, Err("refused".to_owned()));
    }
    assert!(record.due().is_empty());
    assert_eq!(record.given_up, 1);
}

#[test]
fn more_notices_than_can_wait_are_given_up_the_oldest_first() {
    let policy = Policy { channels: vec![Channel::Webhook], settle: 1, ..policy() };
    let mut record = Record::default();
    for round in 1..=MAX_NOTICES {
        let now = UnixMs::try_from(round).expect("small");
        record.take(&dead(), &policy, now * 10);
        record.take(&well(), &policy, now * 10 + 1);
    }
    assert_eq!((record.notices.len(), record.given_up), (MAX_NOTICES, MAX_NOTICES as u64));
    assert!(record.notices.front().is_some_and(|oldest| oldest.at > 10 * MAX_NOTICES as i64 / 2));
}

#[test]
fn a_recovery_waits_for_its_alarm() {
    let mut record = Record::default();
    let policy = Policy { channels: vec![Channel::Webhook], settle: 1, ..policy() };
    record.take(&dead(), &policy, 1);
    record.take(&well(), &policy, 2);
    let event = |record: &Record| record.due().first().map(|(_, notice)| notice.event);
    assert_eq!((record.notices.len(), event(&record)), (2, Some(Event::Alarm)));
    let (channel, alarm) = record.due().remove(0);
    record.tried(channel, &alarm, Ok(()));
    assert_eq!(event(&record), Some(Event::Recovery));
    record.keep_channels(&[Channel::Exec]);
    assert_eq!(event(&record), None, "nobody wants to know any more");
}

#[test]
fn the_record_is_read_back() {
    let mut record = Record::default();
    record.take(&Look { restarts: Some(2), last_error: Some("x".to_owned()), ..dead() }, &policy(), 7);
    let text = serde_json::to_string(&record).expect("JSON");
    assert_eq!(serde_json::from_str::<Record>(&text).expect("a record"), record);
    assert_eq!(serde_json::from_str::<Record>("{}").expect("a record"), Record::default());
}

#[test]
fn a_record_with_absurd_numbers_is_no_danger() {
    let most = u64::MAX;
    let incident = format!(
        r#"{{"id": "x", "kind": "dead", "summary": "", "since": {0}, "restarts": {most}, "calm": {1}}}"#,
        i64::MIN,
        u32::MAX
    );
    let text = format!(
        r#"{{"lookedAt": {}, "incident": {incident}, "givenUp": {most}, "incidents": {most},
            "notices": [{{"event": "alarm", "incident": {incident}, "at": 0, "owed": [{{"channel": "exec", "attempts": {}, "error": null}}]}}],
            "starts": {{"watched": {most}, "total": {most}, "counter": {most}, "pid": 1, "marks": [[{most}, 0], [0, {most}]]}}}}"#,
        i64::MIN,
        u32::MAX
    );
    let mut record: Record = serde_json::from_str(&text).expect("a record");
    for look in [counted(most), counted(0), dead(), well(), dead(), well(), well()] {
        record.take(&look, &policy(), i64::MAX);
        for (channel, notice) in record.due() {
            record.tried(channel, &notice, Err("no".to_owned()));
        }
    }
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    let text = || "x".to_owned();
    prop_oneof![
        3 => Just(Verdict::Well),
        1 => Just(Verdict::Off(text())),
        1 => Just(Verdict::Unclear(text())),
        2 => prop_oneof![Just(Kind::Dead), Just(Kind::Wedged), Just(Kind::Looping), Just(Kind::Degraded)]
            .prop_map(move |kind| Verdict::Trouble(kind, text())),
    ]
}

/// A look, how far the clock moved, and whether each of three deliveries works.
fn moments() -> impl Strategy<Value = Vec<(Look, i64, [bool; 2])>> {
    let gap = prop_oneof![4 => 1_000_i64..120_000, 1 => -1_000_000_000_i64..1_000_000_000];
    let one =
        (verdicts(), proptest::option::of(0_u64..6), proptest::option::of(1_u32..4), gap, any::<[bool; 2]>());
    let one = one.prop_map(|(verdict, restarts, pid, gap, works)| {
        (Look { verdict, restarts, pid, last_error: None }, gap, works)
    });
    proptest::collection::vec(one, 0..120)
}

proptest! {
    #[test]
    fn whatever_happens_an_incident_is_told_once(moments in moments(), settle in 1_u32..4) {
        let policy = Policy { settle, ..policy() };
        let (mut record, mut now) = (Record::default(), 1_769_500_000_000_i64);
        let mut told: BTreeMap<(String, &str, &str), u32> = BTreeMap::new();
        let mut tries: BTreeMap<(String, &str, &str), u32> = BTreeMap::new();
        for (look, gap, works) in moments {
            now = (now + gap).max(1);
            let was_open = record.incident.is_some();
            record.take(&look, &policy, now);
            // What is wrong is known, and what is well is never called an incident.
            if matches!(look.verdict, Verdict::Trouble(..)) {
                prop_assert!(record.incident.is_some());
            }
            if matches!(look.verdict, Verdict::Unclear(_)) {
                prop_assert_eq!(record.incident.is_some(), was_open);
            }
            for ((channel, notice), works) in record.due().into_iter().zip(works) {
                let event = if notice.event == Event::Alarm { "alarm" } else { "recovery" };
                let key = (notice.incident.id.clone(), channel.word(), event);
                *tries.entry(key.clone()).or_default() += 1;
                if works {
                    *told.entry(key).or_default() += 1;
                }
                record.tried(channel, &notice, if works { Ok(()) } else { Err("no".to_owned()) });
            }
            prop_assert!(record.notices.len() <= MAX_NOTICES && record.starts.marks.len() <= MAX_MARKS);
        }
        prop_assert!(told.values().all(|times| *times == 1), "{told:?}");
        prop_assert!(tries.values().all(|times| *times <= MAX_ATTEMPTS), "{tries:?}");
    }

    #[test]
    fn a_gateway_that_is_well_never_alarms(gaps in proptest::collection::vec(-1_000_000_000_i64..1_000_000_000, 0..100)) {
        let (mut record, mut now) = (Record::default(), 1_769_500_000_000_i64);
        for gap in gaps {
            now = (now + gap).max(1);
            record.take(&Look { restarts: Some(7), pid: Some(1), ..well() }, &policy(), now);
            prop_assert!(record.due().is_empty() && record.incident.is_none());
        }
    }
}
