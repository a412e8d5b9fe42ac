//! Programs in general, with `sh` for all of them.

use std::io;
use std::time::Duration;

use gateway_adapters::program::{Call, End, Ran, run};

fn call(program: &str, arguments: &[&str]) -> Call {
    Call {
        program: program.into(),
        arguments: arguments.iter().map(|a| (*a).to_owned()).collect(),
        variables: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        time: Duration::from_secs(20),
        size: 1000,
    }
}

#[tokio::test]
async fn it_says_what_it_said() {
    let ran = run(&call("/bin/sh", &["-c", "echo out; echo err >&2; exit 3"])).await.expect("it runs");
    assert_eq!(ran, Ran { end: End::Failure, stdout: "out\n".into(), stderr: "err\n".into() });
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
