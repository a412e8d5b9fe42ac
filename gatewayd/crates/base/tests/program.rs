//! Other programs, with `sh` for all of them. They run in a process of their own, because a child keeps every open
//! file until it has become another program, the locks that other tests let go of as well.

#![cfg(unix)]
#![cfg(test)]

use std::io;
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::program::{Call, End, Ran, Variables, run};

fn call(program: &str, arguments: &[&str]) -> Call {
    Call {
        variables: Variables::Whole(Env::from_pairs([("PATH", "/usr/bin:/bin")])),
        time: Duration::from_secs(20),
        size: 1000,
        ..Call::new(program, arguments.iter().copied())
    }
}

#[tokio::test]
async fn it_says_what_it_said() {
    let ran = run(&call("/bin/sh", &["-c", "echo out; echo err >&2; exit 3"])).await.expect("it runs");
    assert_eq!(ran, Ran { end: End::Failure(Some(3)), stdout: "out\n".into(), stderr: "err\n".into() });
    let ran = run(&call("/usr/bin/env", &[])).await.expect("it runs");
    assert_eq!((ran.end, ran.stdout.as_str()), (End::Success, "PATH=/usr/bin:/bin\n"));
    let missing = run(&call("/no/such/program", &[])).await.expect_err("it is not there");
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}

#[tokio::test]
async fn one_that_never_stops_talking_is_killed() {
    let ran =
        run(&call("/bin/sh", &["-c", "trap '' PIPE; while :; do echo x; done"])).await.expect("it runs");
    assert_eq!((ran.end, ran.stdout.len()), (End::TooMuch, 1000));
}

#[tokio::test]
async fn one_that_hangs_is_killed_with_what_it_started_and_its_words_are_kept() {
    let script = "sleep 300 & echo $!; wait";
    let late = Call { time: Duration::from_millis(300), ..call("/bin/sh", &["-c", script]) };
    let ran = run(&late).await.expect("it runs");
    assert_eq!(ran.end, End::TooLate);
    let helper: u32 = ran.stdout.trim().parse().expect("the pid of the helper");
    let began = std::time::Instant::now();
    while gateway_base::process::command_line(helper).is_some() {
        assert!(began.elapsed() < Duration::from_secs(20), "the helper lives on");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn arguments_arrive_as_they_are() {
    let odd =
        ["a;b", "$(touch x)`touch x`", "a&b|c>x", "${HOME} $1", "'q\"q\\", "*?~ #", "two\nlines", "", "é"];
    let ran = run(&call("/usr/bin/printf", &[&["<%s>"], &odd[..]].concat())).await.expect("it runs");
    assert_eq!(ran.stdout, odd.map(|word| format!("<{word}>")).concat());
}

#[tokio::test]
async fn a_group_of_its_own_a_folder_and_variables_are_a_choice() {
    let group = async |apart| {
        let asked = Call { apart, ..call("/bin/sh", &["-c", "ps -o pgid= -p $$; echo $$"]) };
        let ran = run(&asked).await.expect("it runs");
        let words: Vec<u32> =
            ran.stdout.split_whitespace().map(|word| word.parse().expect("a number")).collect();
        words[0] == words[1]
    };
    assert!(group(true).await && !group(false).await);
    let folder = tempfile::tempdir().expect("folder");
    let variables = Variables::Added(Env::from_pairs([("ADDED", "yes")]));
    let asked = Call {
        variables,
        folder: Some(folder.path().to_path_buf()),
        ..call("/bin/sh", &["-c", "pwd -P; echo $ADDED; test -n \"$PATH\""])
    };
    let ran = run(&asked).await.expect("it runs");
    let place = folder.path().canonicalize().expect("is there");
    assert_eq!((ran.end, ran.stdout), (End::Success, format!("{}\nyes\n", place.display())));
}
