//! A change on trial on real files: confirmed, taken back, found again, and records that nobody wrote.

use std::time::Duration;

use super::*;

const BEFORE: &str = "// mine\n{gateway: {port: 5}}\n";
const AFTER: &str = "{gateway: {port: 6}}\n";

impl Home {
    fn begin(&self, text: &str) -> Result<Committed, Error> {
        self.writer.begin_trial(text, &self.hash(), Duration::from_secs(60), 1_000)
    }

    fn on_trial() -> Self {
        let home = Self::new();
        home.commit(BEFORE, &Drops::None).expect("written");
        home.begin(AFTER).expect("on trial");
        home
    }

    fn record(&self) -> Option<Trial> {
        trial(&self.paths).expect("readable")
    }
}

#[test]
fn the_record_says_what_is_on_trial_and_for_how_long() {
    let home = Home::on_trial();
    let trial = home.record().expect("a record");
    assert_eq!((home.text().as_str(), trial.hash.clone()), (AFTER, home.hash()));
    assert_eq!((trial.changed.clone(), trial.is_ours()), (vec!["gateway.port".to_owned()], true));
    assert_eq!(trial.deadline(), 61_000);
    let left = |now| trial.left(now).as_millis();
    assert_eq!([1_000, 31_000, 61_000, 99_000, -5_000].map(left), [60_000, 30_000, 0, 0, 60_000]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let meta = fs::metadata(record_path(&home.paths)).expect("exists");
        assert_eq!(meta.permissions().mode() & 0o777, 0o600, "it may hold secrets");
    }
}

#[test]
fn a_confirmed_change_stays_and_the_old_text_is_a_copy() {
    let home = Home::on_trial();
    assert!(home.writer.confirm_trial().expect("confirmed").is_some());
    assert_eq!((home.text().as_str(), home.record()), (AFTER, None));
    assert_eq!(fs::read_to_string(&history(&home.paths)[0].path).expect("a copy"), BEFORE);
    assert_eq!(home.writer.confirm_trial().expect("nothing to do"), None);
    assert_eq!(home.writer.take_back().expect("nothing to do"), None);
}

#[test]
fn a_change_taken_back_leaves_the_old_text_byte_for_byte() {
    let home = Home::on_trial();
    let copy = home.writer.take_back().expect("taken back").expect("it was on trial").copy.expect("a copy");
    assert_eq!((home.text().as_str(), home.record()), (BEFORE, None));
    assert_eq!(fs::read_to_string(copy).expect("what was tried"), AFTER);
}

#[test]
fn a_crash_between_record_and_file_changes_nothing() {
    let home = Home::on_trial();
    fs::write(&home.paths.config, BEFORE).expect("as if it had not been replaced yet");
    let done = home.writer.take_back().expect("taken back").expect("the record was there");
    assert_eq!((home.text().as_str(), done.copy, home.record()), (BEFORE, None, None));
}

#[test]
fn an_edit_by_hand_meanwhile_is_kept_as_a_copy() {
    let home = Home::on_trial();
    for text in ["{gateway: {port: 7}}\n", "{ broken"] {
        if home.record().is_none() {
            home.begin(AFTER).expect("on trial");
        }
        fs::write(&home.paths.config, text).expect("an editor");
        let copy = home.writer.take_back().expect("taken back").expect("on trial").copy.expect("a copy");
        assert_eq!((home.text().as_str(), fs::read_to_string(copy).expect("kept").as_str()), (BEFORE, text));
    }
    home.begin(AFTER).expect("on trial");
    fs::remove_file(&home.paths.config).expect("somebody cleaned up");
    home.writer.take_back().expect("taken back").expect("on trial");
    assert_eq!(home.text(), BEFORE);
}

#[test]
fn one_change_at_a_time_is_on_trial() {
    let home = Home::on_trial();
    let waits = "a config change waits to be confirmed; confirm it or take it back first (gatewayctl config confirm, gatewayctl config rollback)";
    assert_eq!(home.refused("{}", &Drops::All), waits);
    assert_eq!(home.begin("{}").expect_err("one at a time").to_string(), waits);
    home.writer.confirm_trial().expect("confirmed");
    home.commit("{}", &Drops::All).expect("written");
}

#[test]
fn nothing_invalid_goes_on_trial() {
    let home = Home::new();
    home.commit(BEFORE, &Drops::None).expect("written");
    for text in ["{a", "{gateway: {port: 'x'}}", "[]"] {
        home.begin(text).expect_err(text);
        assert_eq!((home.text().as_str(), home.record()), (BEFORE, None), "{text}");
    }
    let stale = home.writer.begin_trial(AFTER, "abc", Duration::from_secs(1), 0);
    assert!(matches!(stale, Err(Error::Changed)));
}

#[test]
fn a_record_that_nobody_wrote_is_named_and_touches_nothing() {
    let home = Home::on_trial();
    let path = record_path(&home.paths);
    let good = fs::read_to_string(&path).expect("the record");
    let hostile = [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[".repeat(200_000),
        good.replace("\"version\":1", "\"version\":2"),
        good.replace("\"before\":", "\"after\":"),
        good.replace("60000", "-1"),
    ];
    for text in hostile {
        fs::write(&path, &text).expect("write");
        let error = trial(&home.paths).expect_err("unreadable").to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        home.writer.take_back().expect_err("nothing to go back to");
        home.writer.confirm_trial().expect_err("nothing to confirm");
        home.begin("{}").expect_err("it would be written over");
        assert_eq!((home.text().as_str(), fs::read_to_string(&path).expect("left")), (AFTER, text));
        home.commit(AFTER, &Drops::None).expect("it is in nobody's way");
    }
    // A text that would not start is not put back either.
    fs::write(&path, good.replace("port: 5", "prot: 5")).expect("write");
    assert!(matches!(home.writer.take_back(), Err(Error::Invalid { .. })));
    fs::remove_file(&path).expect("remove");
    fs::create_dir(&path).expect("a folder in its place");
    assert!(trial(&home.paths).is_err());
    assert_eq!(home.text(), AFTER);
}

#[test]
fn another_process_is_not_ours() {
    let home = Home::on_trial();
    let path = record_path(&home.paths);
    let text = fs::read_to_string(&path).expect("the record");
    let pid = format!("\"pid\":{}", std::process::id());
    fs::write(&path, text.replace(&pid, "\"pid\":1")).expect("write");
    assert!(!home.record().expect("a record").is_ours());
}
